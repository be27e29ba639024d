//! The head of a response as bytes: where it ends, its fields, and the form in which ureq can read it. Pure.

use crate::verdict::Phase;

/// The longest head: 64 KiB of header fields below a status line.
pub const MAX_HEAD: usize = 65 * 1024;
/// ureq 3.5 takes 128 header fields (`MAX_RESPONSE_HEADERS` of ureq-proto). Of a head with more lines than this, it is shown
/// only the fields that it uses.
const MANY_FIELDS: usize = 120;

/// What stands at the beginning of what has come.
#[derive(Debug, PartialEq, Eq)]
pub enum Head {
    /// A final response's head ends here.
    Final(usize),
    /// A 1xx response's head ends here.
    Interim(usize),
    /// More is needed; this is the phase that a failure of reading it names.
    Partial(Phase),
    /// It does not begin with a status line.
    NotHttp,
}

/// Looks for a whole head at the beginning of `input`, by lines that end in LF or CR LF. The status line must come first.
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

/// A whole, unfolded head as ureq is shown it: without the fields that frame the body, because
/// `framing.rs` reads those, and where there are many fields with `Location` alone.
///
/// # Errors
/// What is wrong with a field that ureq is not shown.
pub fn for_ureq(head: &[u8]) -> Result<Vec<u8>, &'static str> {
    let is_crowded = head.iter().filter(|&&byte| byte == b'\n').count() > MANY_FIELDS;
    if is_crowded && !are_proper(head) {
        return Err("invalid header");
    }
    // Of many, the last `Location`: that is the one that counts.
    let lines = head.split_inclusive(|&byte| byte == b'\n');
    let mut locations =
        lines.filter(|line| line.len() > 9 && line[..9].eq_ignore_ascii_case(b"location:"));
    let last = locations.next_back().map(<[u8]>::as_ptr);
    let is_shown = |line: &[u8]| {
        let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match is_crowded {
            true => Some(line.as_ptr()) == last || matches!(line, b"\n" | b"\r\n"),
            false => !(is("content-length") || is("transfer-encoding")),
        }
    };
    let mut lines = head.split_inclusive(|&byte| byte == b'\n');
    let mut shown = lines.next().unwrap_or_default().to_vec();
    for line in lines.filter(|line| is_shown(line)) {
        shown.extend_from_slice(line);
    }
    Ok(shown)
}

/// Whether the fields of a head are proper (RFC 9110, sections 5.1 and 5.5). ureq asks the same of what it is shown, which of
/// many fields is only one.
fn are_proper(head: &[u8]) -> bool {
    let is_token = |byte: &u8| byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(byte);
    let is_text = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
    let mut lines = head.split(|&byte| byte == b'\n').skip(1);
    lines.all(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line.iter().position(|&byte| byte == b':') {
            Some(colon) => {
                let (name, value) = line.split_at(colon);
                !name.is_empty() && name.iter().all(is_token) && value.iter().all(is_text)
            }
            None => line.is_empty(),
        }
    })
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
    fn ureq_sees_what_it_needs() {
        let head = "HTTP/1.1 200 OK\r\nA: b\r\nContent-LENGTH: 2\r\nTransfer-Encoding: chunked\r\nLocation: /\r\n";
        let shown = for_ureq(format!("{head}\r\n").as_bytes()).unwrap();
        assert_eq!(shown, b"HTTP/1.1 200 OK\r\nA: b\r\nLocation: /\r\n\r\n");
        let crowd: String = (0..1000).map(|at| format!("X-{at}: y\n")).collect();
        let shown = for_ureq(format!("{head}{crowd}\n").as_bytes()).unwrap();
        assert_eq!(shown, b"HTTP/1.1 200 OK\r\nLocation: /\r\n\n");
    }

    #[test]
    fn fields_are_proper() {
        for (fields, proper) in [
            ("", true),
            ("A: b\r\n!#$%&'*+-.^_`|~09:\r\n", true),
            ("A : b\r\n", false),
            (": b\r\n", false),
            ("A\r\n", false),
            ("A: b\0c\r\n", false),
            ("A: b\rc\r\n", false),
            ("A: \u{e9}\tb\r\n", true),
            ("A\u{e9}: b\r\n", false),
        ] {
            let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
            assert_eq!(are_proper(head.as_bytes()), proper, "{fields}");
        }
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
