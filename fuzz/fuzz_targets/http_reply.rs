//! HTTP replies in every framing: the same whatever the pieces in which they come, and the same as a decoder makes of them
//! that has the whole reply before it.
#![no_main]

use healthchecker_fuzz::{Reply, http_reply, pieces, spell};
use libfuzzer_sys::fuzz_target;

const WORDS: &[&[u8]] = &[
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 204 \r\n",
    b"HTTP/1.1 ",
    b"200",
    b"304",
    b"101",
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\n\n",
    b":",
    b",",
    b";",
    b"\0",
    b"\xff",
    b"Content-Length: ",
    b"Transfer-Encoding: ",
    b"content-encoding: ",
    b"chunked",
    b"gzip",
    b"identity",
    b"X: y\r\n",
    b"Content-Length: 2\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n",
    b"0",
    b"1",
    b"2",
    b"a",
    b"F",
    b"+2",
    b"0x2",
    b"-1",
    b"18446744073709551616",
    b"ffffffffffffffff",
    b"10000000000000000",
    b"0\r\n\r\n",
    b"2\r\nUP\r\n",
    b"2;a=b\r\n",
    b"UP",
    b"X-Trailer: z\r\n",
    b"Location: /\r\n",
];

/// How the body is framed, read from a head whose lines have been joined.
enum Framing {
    Nothing,
    Length(u128),
    Chunked,
    UntilClose,
}

fn lines(head: &[u8]) -> Vec<String> {
    let text: String = head.iter().map(|&byte| char::from(byte)).collect();
    text.split('\n')
        .map(|line| line.trim_end_matches('\r').to_owned())
        .collect()
}

fn blank(c: char) -> bool {
    // As `trim_ascii` has it.
    matches!(c, ' ' | '\t' | '\n' | '\x0c' | '\r')
}

/// None for one that contradicts itself.
fn framing(head: &[u8], to_head: bool) -> Option<Framing> {
    let lines = lines(head);
    let values = |wanted: &str| -> Vec<String> {
        let fields = lines.iter().skip(1).filter_map(|line| line.split_once(':'));
        let values = fields.filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        values
            .flat_map(|(_, value)| {
                value
                    .split(',')
                    .map(|item| item.trim_matches(blank).to_owned())
            })
            .collect()
    };
    let mut lengths = values("content-length");
    if lengths
        .iter()
        .any(|length| length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return None;
    }
    for length in &mut lengths {
        *length = format!("{:0>1}", length.trim_start_matches('0'));
    }
    lengths.dedup();
    let length = match &lengths[..] {
        [] => None,
        [length] => Some(length.parse::<u64>().ok()?),
        _ => return None,
    };
    let mut codings = values("transfer-encoding");
    // None, in a list or in the words of older servers.
    codings.retain(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"));
    let (status, old) = (&lines[0][9..12], lines[0].as_bytes()[7] == b'0');
    Some(match (codings.last(), length) {
        _ if to_head || matches!(status, "101" | "204" | "304") => Framing::Nothing,
        (Some(last), _) if last.eq_ignore_ascii_case("chunked") && !old => Framing::Chunked,
        (Some(_), _) => Framing::UntilClose,
        (None, Some(length)) => Framing::Length(length.into()),
        (None, None) => Framing::UntilClose,
    })
}

/// Content, and whether it is whole; none where the chunks are broken.
fn dechunked(mut rest: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut content = Vec::new();
    loop {
        let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
            return (rest.len() < 4096).then_some((content, false));
        };
        let line = rest[..end].strip_suffix(b"\r").filter(|_| end < 4096)?;
        let digits = line.split(|&byte| byte == b';').next()?;
        let digits = String::from_utf8(digits.to_vec()).ok()?;
        let digits = digits.trim_end_matches([' ', '\t']);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let significant = digits.trim_start_matches('0');
        let size = match significant {
            "" => return Some((content, true)),
            digits => u64::from_str_radix(digits, 16).ok()?,
        };
        rest = &rest[end + 1..];
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if rest.len() <= size {
            content.extend_from_slice(rest);
            return Some((content, false));
        }
        content.extend_from_slice(&rest[..size]);
        rest = &rest[size..];
        match rest {
            b"\r" => return Some((content, false)),
            [b'\r', b'\n', behind @ ..] => rest = behind,
            // Without an end, more could come to make the line too long or an LF wrong: no matter, it is wrong already,
            // but the decoder says so when the line is whole.
            _ if rest.contains(&b'\n') || rest.len() >= 4096 => return None,
            _ => return Some((content, false)),
        }
    }
}

/// What stands behind the last interim response, and where its head ends there.
fn last_response(mut rest: &[u8]) -> (&[u8], usize) {
    loop {
        let mut at = 0;
        while let Some(end) = rest[at..].iter().position(|&byte| byte == b'\n') {
            let line = &rest[at..at + end + 1];
            at += end + 1;
            if matches!(line, b"\n" | b"\r\n") {
                break;
            }
        }
        match &rest[9..12] {
            b"101" | [b'2'..=b'9', ..] => return (rest, at),
            _ => rest = &rest[at..],
        }
    }
}

fuzz_target!(|input: (bool, Vec<u8>, Vec<u8>)| {
    let (to_head, letters, cuts) = input;
    let whole = spell(&letters, WORDS);
    let at_once = http_reply([&whole[..]], to_head);
    let shown = String::from_utf8_lossy(&whole);
    let others = [pieces(&whole, &cuts), whole.chunks(1).collect()]
        .map(|pieces| http_reply(pieces, to_head));
    for other in &others {
        assert_eq!(*other, at_once, "{shown:?}");
    }
    let Reply::Body {
        head,
        content,
        whole: is_whole,
        broken,
        ..
    } = at_once
    else {
        if at_once == Reply::None("bad framing") {
            let (rest, end) = last_response(&whole);
            let mut head = rest[..end].to_vec();
            join(&mut head);
            assert!(framing(&head, to_head).is_none(), "{shown:?}");
        }
        return;
    };
    let (rest, end) = last_response(&whole);
    let body = &rest[end..];
    let expected = match framing(&head, to_head).expect("framing") {
        Framing::Nothing => Some((Vec::new(), true)),
        Framing::UntilClose => Some((body.to_vec(), false)),
        Framing::Length(length) => {
            let come = body
                .len()
                .min(usize::try_from(length).unwrap_or(usize::MAX));
            Some((body[..come].to_vec(), come as u128 == length))
        }
        Framing::Chunked => dechunked(body),
    };
    match expected {
        Some(expected) => assert_eq!((content, is_whole), expected, "{shown:?}"),
        None => assert!(broken, "{shown:?}"),
    }
});

/// Joins folded lines.
fn join(head: &mut [u8]) {
    let first = head.iter().position(|&byte| byte == b'\n').unwrap_or(0);
    for at in first + 1..head.len() - 1 {
        if head[at] == b'\n' && matches!(head[at + 1], b' ' | b'\t') {
            head[at] = b' ';
            if head[at - 1] == b'\r' {
                head[at - 1] = b' ';
            }
        }
    }
}
