//! The head of a response as bytes: where it ends, what it says of the body, and the form in which ureq can read it. Pure.

use super::body::Body;
use crate::verdict::Phase;

/// The longest head: 64 KiB of header fields below a status line.
pub const MAX_HEAD: usize = 65 * 1024;
/// ureq 3.5 takes 128 header fields (`MAX_RESPONSE_HEADERS` of ureq-proto). Of more, it is handed those that it uses.
const MANY_FIELDS: usize = 120;

/// What stands at the beginning of what has come.
#[derive(Debug, PartialEq, Eq)]
pub enum Head {
    /// A final response's head ends here.
    Final(usize),
    /// A 1xx response's head ends here.
    Interim(usize),
    /// More is needed; a deadline would fall into this phase.
    Partial(Phase),
    /// It begins with something else than a status line.
    NotHttp,
}

/// Looks for a whole head at the beginning of `input`, by lines that end in LF or CR LF.
pub fn head_in(input: &[u8]) -> Head {
    let form = |at: usize, byte: u8| match at {
        0..7 => byte == b"HTTP/1."[at],
        7 => matches!(byte, b'0' | b'1'),
        10 | 11 => byte.is_ascii_digit(),
        8 => byte == b' ',
        9 => matches!(byte, b'1'..=b'9'),
        12 => matches!(byte, b' ' | b'\r' | b'\n'),
        _ => true,
    };
    if !input
        .iter()
        .take(13)
        .enumerate()
        .all(|(at, &byte)| form(at, byte))
    {
        return Head::NotHttp;
    }
    let mut phase = Phase::StatusLine;
    let mut line = 0;
    while let Some(length) = input[line..].iter().position(|&byte| byte == b'\n') {
        let next = line + length + 1;
        if phase == Phase::Headers && matches!(&input[line..next], b"\n" | b"\r\n") {
            // 101 is the last response that speaks HTTP (RFC 9110, section 15.2.2), and so a final one.
            return match &input[9..12] {
                b"101" | [b'2'..=b'9', ..] => Head::Final(next),
                _ => Head::Interim(next),
            };
        }
        phase = Phase::Headers;
        line = next;
    }
    Head::Partial(phase)
}

/// What a whole head says of the body.
#[derive(Debug, PartialEq, Eq)]
pub struct Framing {
    /// How the body is framed.
    pub body: Body,
    /// A coding that the body is in and that nobody here can undo, of either kind. What it holds cannot be judged.
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
            transfer.extend(value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii));
        } else if is("content-encoding")
            && !value.eq_ignore_ascii_case(b"identity")
            && !value.is_empty()
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
        // Of HTTP/1.0, which knows no transfer coding, or of a kind that was not asked for.
        (codings, _) => {
            coding.get_or_insert(codings.join(&b", "[..]));
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

/// Digits only, where `parse` would take a sign.
fn number(digits: &[u8]) -> Option<u64> {
    let plain = digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits)
        .ok()
        .filter(|_| plain)?
        .parse()
        .ok()
}

/// The names and values of a head's fields, without the blanks around values.
pub fn fields(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    head.split(|&byte| byte == b'\n')
        .skip(1)
        .filter_map(|line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii()))
        })
}

/// Joins folded lines, as RFC 9112, section 5.2 has a client do.
pub fn unfold(head: &mut [u8]) {
    let mut fields = false;
    for at in 1..head.len() {
        if head[at - 1] != b'\n' {
            continue;
        }
        // The first line is the status line, and nothing continues that.
        if fields && matches!(head[at], b' ' | b'\t') {
            head[at - 1] = b' ';
            if head[at - 2] == b'\r' {
                head[at - 2] = b' ';
            }
        }
        fields = true;
    }
}

/// A whole, unfolded head as ureq is shown it: without what frames the body, because that is decided here, and of many
/// fields only the one that it uses.
pub fn for_ureq(head: &[u8]) -> Vec<u8> {
    let is_crowded = head.iter().filter(|&&byte| byte == b'\n').count() > MANY_FIELDS;
    let is_shown = |line: &[u8]| {
        let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match is_crowded {
            true => is("location") || matches!(line, b"\n" | b"\r\n"),
            false => !(is("content-length") || is("transfer-encoding")),
        }
    };
    let mut lines = head.split_inclusive(|&byte| byte == b'\n');
    let mut shown = lines.next().unwrap_or_default().to_vec();
    for line in lines.filter(|line| is_shown(line)) {
        shown.extend_from_slice(line);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_found_whole_and_final() {
        let state = |input: &str| match head_in(input.as_bytes()) {
            Head::Final(end) => format!("final {end}"),
            Head::Interim(end) => format!("interim {end}"),
            Head::Partial(phase) => format!("{phase:?}"),
            Head::NotHttp => "not http".into(),
        };
        assert_eq!(state(""), "StatusLine");
        assert_eq!(state("HTTP/1.1 200 OK\r\n\r\nbody"), "final 19");
        assert_eq!(state("HTTP/1.0 200\n\n"), "final 14");
        assert_eq!(state("HTTP/1.1 200 \r\nA: b\n\r\n"), "final 22");
        assert_eq!(
            state("HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP"),
            "interim 31"
        );
        assert_eq!(state("HTTP/1.1 101 X\r\n\r\n"), "final 18");
        assert_eq!(state("HTTP/1.1 200 OK"), "StatusLine");
        assert_eq!(state("HTTP/1.1 200 OK\r\nA: b\r\n"), "Headers");
        for junk in [
            "\r\n",
            "SSH-2.0",
            "HTTP/2 200",
            "HTTP/1.2 200 OK",
            "HTTP/1.9 200 OK",
            "HTTP/1.1 20 OK",
            "HTTP/1.1 2000",
            "HTTP/1.1  200",
            "http/1.1 200",
            "HTTP/1.1 099 x",
            "HTTP/1.x 200",
            "HTTP/1.1 200OK",
            "\x16\x03",
            "ICY 200 OK",
        ] {
            assert_eq!(state(junk), "not http", "{junk:?}");
        }
    }

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
        ] {
            assert_eq!(of(fields), framed, "{fields}");
        }
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

    #[test]
    fn ureq_sees_what_it_needs() {
        let head = "HTTP/1.1 200 OK\r\nA: b\r\nContent-LENGTH: 2\r\nTransfer-Encoding: chunked\r\nLocation: /\r\n";
        let shown = for_ureq(format!("{head}\r\n").as_bytes());
        assert_eq!(shown, b"HTTP/1.1 200 OK\r\nA: b\r\nLocation: /\r\n\r\n");
        let crowd: String = (0..1000).map(|at| format!("X-{at}: y\n")).collect();
        let shown = for_ureq(format!("{head}{crowd}\n").as_bytes());
        assert_eq!(shown, b"HTTP/1.1 200 OK\r\nLocation: /\r\n\n");
    }

    #[test]
    fn folded_lines_are_joined() {
        for (head, joined) in [
            (
                "HTTP/1.1 200 OK\r\nA: b\r\n c\n\td\r\nE:\r\n f\r\n\r\n",
                "HTTP/1.1 200 OK\r\nA: b   c \td\r\nE:   f\r\n\r\n",
            ),
            // Nothing continues a status line.
            (
                "HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
                "HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
            ),
        ] {
            let mut head = head.as_bytes().to_vec();
            unfold(&mut head);
            assert_eq!(head, joined.as_bytes());
        }
    }
}
