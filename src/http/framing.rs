//! What a head says of the body: how it is framed, and in which coding it is. Pure.

use super::body::Body;
use super::head::fields;

/// What a whole head says of the body.
#[derive(Debug, PartialEq, Eq)]
pub struct Framing {
    /// How the body is framed.
    pub body: Body,
    /// A transfer or content coding of the body that is not undone here, so that the content cannot be judged.
    pub coding: Option<Vec<u8>>,
}

/// The framing of the body behind a whole head (RFC 9112, section 6.3); `to_head` if the request was a HEAD.
///
/// # Errors
/// What is wrong with a field that frames the body.
pub fn framing(head: &[u8], to_head: bool) -> Result<Framing, &'static str> {
    let mut length = None;
    let mut transfer = Vec::new();
    let mut coding = None;
    for (name, value) in fields(head) {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("content-length") {
            for value in value.split(|&byte| byte == b',') {
                let value =
                    Some(number(value.trim_ascii()).ok_or("Content-Length is not a number")?);
                if length.is_some() && length != value {
                    return Err("two Content-Lengths");
                }
                length = value;
            }
        } else if is("transfer-encoding") {
            let codings = value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
            transfer.extend(codings.filter(|coding| !is_identity(coding)));
        } else if is("content-encoding")
            && !value
                .split(|&byte| byte == b',')
                .all(|coding| is_identity(coding.trim_ascii()))
        {
            coding = Some(value.to_vec());
        }
    }
    let has_no_body = to_head || matches!(&head[9..12], b"101" | b"204" | b"304");
    let is_http_1_0 = head[7] == b'0';
    let body = match (&transfer[..], length) {
        _ if has_no_body => Body::WHOLE,
        ([], Some(length)) => Body::Length(length),
        ([], None) => Body::UntilClose,
        ([chunked], _) if chunked.eq_ignore_ascii_case(b"chunked") && !is_http_1_0 => Body::CHUNKED,
        // In HTTP/1.0, which has no transfer codings, or a coding that was not asked for.
        (codings, _) => {
            coding.get_or_insert_with(|| listed(codings));
            match codings.last() {
                Some(last) if last.eq_ignore_ascii_case(b"chunked") && !is_http_1_0 => {
                    Body::CHUNKED
                }
                _ => Body::UntilClose,
            }
        }
    };
    Ok(Framing { body, coding })
}

/// Codings as a list. `[&[u8]]::join` would be more code.
fn listed(codings: &[&[u8]]) -> Vec<u8> {
    let mut list = Vec::new();
    for coding in codings {
        list.extend_from_slice(if list.is_empty() { b"" } else { b", " });
        list.extend_from_slice(coding);
    }
    list
}

/// Whether this is the name of no coding at all.
fn is_identity(coding: &[u8]) -> bool {
    coding.is_empty() || coding.eq_ignore_ascii_case(b"identity")
}

/// Digits only, where `parse` would take a sign.
fn number(digits: &[u8]) -> Option<u64> {
    let plain = digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits)
        .ok()
        .filter(|_| plain)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_framed_as_the_head_says() {
        let of = |fields: &str| {
            framing(format!("HTTP/1.1 200 OK\r\n{fields}\r\n").as_bytes(), false)
                .map(|framing| (framing.body, framing.coding))
        };
        assert_eq!(of(""), Ok((Body::UntilClose, None)));
        for length in ["2", "002", "2, 2", "2\r\nContent-Length:2"] {
            let fields = format!("content-LENGTH:  {length} \r\n");
            assert_eq!(of(&fields), Ok((Body::Length(2), None)), "{length}");
        }
        for length in [
            "",
            "+2",
            "-2",
            "2,3",
            "2,",
            "2 2",
            "0x2",
            "2\r\nContent-Length: 3",
            "18446744073709551616",
        ] {
            assert!(
                of(&format!("Content-Length: {length}\r\n")).is_err(),
                "{length}"
            );
        }
    }

    #[test]
    fn codings_are_told() {
        let of = |fields: &str| {
            framing(format!("HTTP/1.1 200 OK\r\n{fields}\r\n").as_bytes(), false)
                .map(|framing| (framing.body, framing.coding))
        };
        let coded = |body, coding: &str| Ok((body, Some(coding.as_bytes().to_vec())));
        for (fields, framed) in [
            (
                "Transfer-Encoding: Chunked\r\nContent-Length: 2\r\n",
                Ok((Body::CHUNKED, None)),
            ),
            (
                "Transfer-Encoding: gzip,\tchunked\r\n",
                coded(Body::CHUNKED, "gzip, chunked"),
            ),
            (
                "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
                coded(Body::CHUNKED, "gzip, chunked"),
            ),
            (
                "Transfer-Encoding: chunked, gzip\r\n",
                coded(Body::UntilClose, "chunked, gzip"),
            ),
            (
                "Transfer-Encoding: chunked, chunked\r\n",
                coded(Body::CHUNKED, "chunked, chunked"),
            ),
            (
                "Transfer-Encoding: xchunked\r\n",
                coded(Body::UntilClose, "xchunked"),
            ),
            (
                "Content-Encoding: gzip\r\n",
                coded(Body::UntilClose, "gzip"),
            ),
            (
                "Content-Encoding: identity\r\n",
                Ok((Body::UntilClose, None)),
            ),
            (
                "Transfer-Encoding: identity\r\nContent-Length: 2\r\n",
                Ok((Body::Length(2), None)),
            ),
            (
                "Transfer-Encoding: , chunked,\r\n",
                Ok((Body::CHUNKED, None)),
            ),
        ] {
            assert_eq!(of(fields), framed, "{fields}");
        }
    }

    #[test]
    fn some_replies_have_no_body_and_some_no_codings() {
        for head in ["HTTP/1.1 204 X", "HTTP/1.0 304 X", "HTTP/1.1 101 X"] {
            let head = format!("{head}\r\nContent-Length: 5\r\n\r\n");
            assert_eq!(framing(head.as_bytes(), false).unwrap().body, Body::WHOLE);
        }
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(framing(head, true).unwrap().body, Body::WHOLE);
        let ten = framing(
            b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            false,
        )
        .unwrap();
        assert_eq!(
            (ten.body, ten.coding),
            (Body::UntilClose, Some(b"chunked".to_vec()))
        );
    }
}
