//! An HTTP reply as bytes, before ureq sees it: where its head ends, and what in it ureq would stumble over. Pure.

use crate::search::find;
use crate::verdict::Phase;
use std::ops::Range;

/// The longest head: 64 KiB of header fields below a status line.
pub const MAX_HEAD: usize = 65 * 1024;
/// The longest line between the chunks of a body: a size with its extensions, or a trailer field.
const MAX_LINE: usize = 4 * 1024;
/// ureq takes 128 header fields. From here on, only those that matter are handed to it.
const MANY_FIELDS: usize = 120;

pub enum Head {
    /// A final response's head ends here.
    Final(Whole),
    /// A 1xx response's head ends here.
    Interim(usize),
    /// More is needed; a deadline would fall into this phase.
    Partial(Phase),
    /// It begins with something else than a status line.
    NotHttp,
}

/// A whole head, and what a second look at it would find.
pub struct Whole {
    /// Where it ends.
    pub end: usize,
    /// Whether a line continues the one before.
    pub is_folded: bool,
    /// Whether it has more lines than ureq is handed as they are.
    pub is_crowded: bool,
}

/// Looks for a whole head at the beginning of `input`, by lines that end in LF or CR LF.
pub fn head_in(input: &[u8]) -> Head {
    let form = |at: usize, byte: u8| match at {
        0..7 => byte == b"HTTP/1."[at],
        7 | 10 | 11 => byte.is_ascii_digit(),
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
    let mut fields = 0;
    let mut is_folded = false;
    while let Some(length) = input[line..].iter().position(|&byte| byte == b'\n') {
        let next = line + length + 1;
        if phase == Phase::Headers && matches!(&input[line..next], b"\n" | b"\r\n") {
            return if input[9] == b'1' {
                Head::Interim(next)
            } else {
                Head::Final(Whole {
                    end: next,
                    is_folded,
                    is_crowded: fields > MANY_FIELDS,
                })
            };
        }
        phase = Phase::Headers;
        fields += 1;
        is_folded |= matches!(input[line], b' ' | b'\t');
        line = next;
    }
    Head::Partial(phase)
}

/// Joins folded lines, as RFC 9112, section 5.2 has a client do: ureq refuses them.
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

/// The name of the field in `line`.
pub fn name_of(line: &[u8]) -> &[u8] {
    line.split(|&byte| byte == b':').next().unwrap_or_default()
}

/// The part of an `Authorization` value that is the secret: what follows the name of the scheme, unless that is so short
/// that it could stand anywhere.
pub fn token(value: &[u8]) -> &[u8] {
    let last = value.rsplit(|&byte| byte == b' ').next();
    last.filter(|token| token.len() >= 8).unwrap_or(value)
}

/// Blackens every `secret` in what came: a service that echoes the request must not write our credentials into a log.
pub fn mask(input: &mut [u8], secret: &[u8]) {
    if secret.is_empty() {
        return;
    }
    let mut from = 0;
    while let Some(at) = find(&input[from..], secret) {
        input[from + at..][..secret.len()].fill(b'*');
        from += at + secret.len();
    }
}

/// Drops the fields that nobody asks about from a head, and returns its new end.
pub fn thin_out(input: &mut Vec<u8>, end: usize, wanted: Option<&str>) -> usize {
    let lines = input[..end].split_inclusive(|&byte| byte == b'\n');
    let kept = |line: &[u8]| {
        let known = [
            "content-length",
            "transfer-encoding",
            "connection",
            "location",
        ];
        line.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
            || known
                .into_iter()
                .chain(wanted)
                .any(|known| name_of(line).eq_ignore_ascii_case(known.as_bytes()))
    };
    let mut head: Vec<u8> = Vec::new();
    for (at, line) in lines.enumerate() {
        if at == 0 || kept(line) {
            head.extend_from_slice(line);
        }
    }
    let thin = head.len();
    head.extend_from_slice(&input[end..]);
    *input = head;
    thin
}

/// Whether ureq will take the body for a chunked one.
pub fn is_chunked(head: &[u8]) -> bool {
    const FIELD: &[u8] = b"transfer-encoding:";
    let mut lines = head.split(|&byte| byte == b'\n');
    head.starts_with(b"HTTP/1.1")
        && lines.any(|line| {
            let Some((name, value)) = line.split_at_checked(FIELD.len()) else {
                return false;
            };
            let mut codings = value.split(|&byte| byte == b',');
            name.eq_ignore_ascii_case(FIELD)
                && codings.any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"chunked"))
        })
}

/// What comes next in a chunked body.
#[derive(Clone, Copy)]
pub enum Chunk {
    Size,
    /// So many bytes of data, and then the end of their line.
    Data(u64),
    DataEnd,
    Trailer,
    /// What follows is no part of the body.
    Over,
    /// What came is not chunked.
    Broken,
}

/// Strips a chunked body, from `from` on, of what ureq stumbles over, and returns the end of what it can take: a line
/// that has not come whole stays behind that. ureq refuses size lines of more than 20 bytes, extensions included, takes
/// `+5` for a size, and waits for ever behind a stray CR.
pub fn strip_chunks(chunk: &mut Chunk, input: &mut Vec<u8>, from: usize) -> usize {
    let (mut read, mut write) = (from, from);
    while read < input.len() && !matches!(chunk, Chunk::Over | Chunk::Broken) {
        let rest = &input[read..];
        if let Chunk::Data(left) = *chunk {
            let length = rest.len().min(left.try_into().unwrap_or(usize::MAX));
            *chunk = match left - length as u64 {
                0 => Chunk::DataEnd,
                left => Chunk::Data(left),
            };
            input.copy_within(read..read + length, write);
            (read, write) = (read + length, write + length);
            continue;
        }
        let mut line = rest.iter().take(MAX_LINE);
        let Some(end) = line.position(|&byte| byte == b'\n') else {
            if rest.len() >= MAX_LINE {
                *chunk = Chunk::Broken;
            }
            break;
        };
        let (kept, next) = match (*chunk, rest[..end].strip_suffix(b"\r")) {
            (Chunk::Size, Some(line)) => match size_in(line) {
                Some((digits, 0)) => (Some(digits), Chunk::Trailer),
                Some((digits, size)) => (Some(digits), Chunk::Data(size)),
                None => (None, Chunk::Broken),
            },
            (Chunk::DataEnd, Some(b"")) => (Some(0..0), Chunk::Size),
            (Chunk::Trailer, Some(b"")) => (Some(0..0), Chunk::Over),
            (Chunk::Trailer, Some(_)) => (None, Chunk::Trailer),
            _ => (None, Chunk::Broken),
        };
        if let Some(kept) = kept {
            input.copy_within(read + kept.start..read + kept.end, write);
            write += kept.len() + 2;
            input[write - 2..write].copy_from_slice(b"\r\n");
        }
        read += end + 1;
        *chunk = next;
    }
    match chunk {
        // Nothing of what came with it is believed.
        Chunk::Broken => input.truncate(from),
        Chunk::Over => input.truncate(write),
        _ => drop(input.drain(write..read)),
    }
    write.min(input.len())
}

/// The size in a chunk's first line, and where its digits are, without zeros that are too many.
pub fn size_in(line: &[u8]) -> Option<(Range<usize>, u64)> {
    let digits = line.split(|&byte| byte == b';').next()?.trim_ascii_end();
    // Rust would take a sign, as ureq does.
    if digits.starts_with(b"+") {
        return None;
    }
    let size = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    Some((digits.len().saturating_sub(16)..digits.len(), size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_found_whole_and_final() {
        let state = |input: &str| match head_in(input.as_bytes()) {
            Head::Final(Whole { end, .. }) => format!("final {end}"),
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
        assert_eq!(state("HTTP/1.1 200 OK"), "StatusLine");
        assert_eq!(state("HTTP/1.1 200 OK\r\nA: b\r\n"), "Headers");
        for junk in [
            "\r\n",
            "SSH-2.0",
            "HTTP/2 200",
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
    fn a_crowd_of_fields_is_thinned_to_those_that_matter() {
        let mut input = b"HTTP/1.1 200 OK\r\n".to_vec();
        for i in 0..1000 {
            input.extend_from_slice(format!("X-{i}: y\r\n").as_bytes());
        }
        input.extend_from_slice(b"Content-LENGTH: 2\r\nX-Me: yes\r\n\r\n");
        let end = input.len();
        input.extend_from_slice(b"UP");
        let end = thin_out(&mut input, end, Some("x-me"));
        let (head, body) = input.split_at(end);
        assert_eq!(
            head,
            b"HTTP/1.1 200 OK\r\nContent-LENGTH: 2\r\nX-Me: yes\r\n\r\n"
        );
        assert_eq!(body, b"UP");
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

    /// What ureq is shown of a body that comes in pieces of so many bytes; none if it is broken.
    fn stripped(body: &str, piece: usize) -> Option<String> {
        let (mut chunk, mut input, mut ready) = (Chunk::Size, Vec::new(), 0);
        for piece in body.as_bytes().chunks(piece) {
            input.extend_from_slice(piece);
            ready = strip_chunks(&mut chunk, &mut input, ready);
        }
        input.truncate(ready);
        match chunk {
            Chunk::Broken => None,
            _ => String::from_utf8(input).ok(),
        }
    }

    #[test]
    fn chunks_are_stripped() {
        let extension = "x".repeat(MAX_LINE / 2);
        for (body, bare) in [
            (
                "2\r\nUP\r\n0A\r\n0123456789\r\n",
                "2\r\nUP\r\n0A\r\n0123456789\r\n",
            ),
            (&format!("2 ; a=\"{extension}\"\r\nUP\r\n0"), "2\r\nUP\r\n"),
            (
                &format!("{}2\r\nUP", "0".repeat(30)),
                "0000000000000002\r\nUP",
            ),
            (
                "1\r\n\n\r\n0;x\r\nX-A: b\r\nX\rB\r\n\r\njunk\n",
                "1\r\n\n\r\n0\r\n\r\n",
            ),
            ("ffffffffffffffff\r\nUP", "ffffffffffffffff\r\nUP"),
            ("2\r\nUP\r\n3\r", "2\r\nUP\r\n"),
        ] {
            for piece in [1, 2, 3, usize::MAX] {
                assert_eq!(
                    stripped(body, piece).as_deref(),
                    Some(bare),
                    "{piece}: {body:?}"
                );
            }
        }
        let extension = "x".repeat(MAX_LINE);
        for broken in [
            "\r\n",
            "x\r\n",
            "+2\r\n",
            "-2\r\n",
            " 2\r\n",
            "0x2\r\n",
            "2 2\r\n",
            "2\n",
            "2\rUP\r\n",
            ";a\r\n",
            "10000000000000000\r\n",
            "2\r\nUPX\r\n",
            "3\r\nUP\r\n0\r\n\r\n",
            "0\r\nX: y\n",
            &format!("2;{extension}"),
        ] {
            for piece in [1, 2, 3, usize::MAX] {
                assert_eq!(stripped(broken, piece), None, "{piece}: {broken:?}");
            }
        }
    }
}
