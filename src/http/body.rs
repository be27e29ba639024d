//! Decoding a body's framing: which bytes are content, and where it ends (RFC 9112, sections 6 and 7). Pure.

/// The longest line between the chunks of a body: a size with its extensions, or a trailer field.
const MAX_LINE: usize = 4 * 1024;

/// What is left of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// So many bytes. A body that is whole has 0 of them left.
    Length(u64),
    /// Chunks, and which part of one comes next.
    Chunked(Chunk),
    /// The trailer of a chunked body: all content has come.
    Trailer,
    /// All that comes until the connection closes.
    UntilClose,
    /// What came is not framed as the head says.
    Broken,
}

/// What comes next in a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunk {
    /// The line with the size of the next chunk.
    Size,
    /// So many bytes of content.
    Content(u64),
    /// The CR LF after the content.
    ContentEnd,
}

impl Body {
    /// A chunked body, at its beginning.
    pub const CHUNKED: Body = Body::Chunked(Chunk::Size);
    /// A body of which nothing is left.
    pub const WHOLE: Body = Body::Length(0);

    /// Removes the framing from `input`, from `from` on, and returns where the content ends. What is left behind that is a
    /// line of which only a part has come. What follows a whole body or broken framing is dropped.
    pub fn decode(&mut self, input: &mut Vec<u8>, from: usize) -> usize {
        match self {
            Body::UntilClose => input.len(),
            Body::Length(left) => {
                let came = (input.len() - from) as u64;
                input.truncate(from + usize_or_max(*left).min(input.len() - from));
                *left = left.saturating_sub(came);
                input.len()
            }
            Body::Chunked(_) => self.decode_chunks(input, from),
            Body::Trailer | Body::Broken => from,
        }
    }

    /// Whether all content has come.
    pub fn is_whole(self) -> bool {
        matches!(self, Body::WHOLE | Body::Trailer)
    }

    fn decode_chunks(&mut self, input: &mut Vec<u8>, from: usize) -> usize {
        let (mut read, mut write) = (from, from);
        while let Body::Chunked(chunk) = self {
            let rest = &input[read..];
            if let Chunk::Content(left) = *chunk {
                let length = rest.len().min(usize_or_max(left));
                *chunk = match left - length as u64 {
                    0 => Chunk::ContentEnd,
                    left => Chunk::Content(left),
                };
                input.copy_within(read..read + length, write);
                (read, write) = (read + length, write + length);
                if read == input.len() {
                    break;
                }
                continue;
            }
            let mut line = rest.iter().take(MAX_LINE);
            let Some(end) = line.position(|&byte| byte == b'\n') else {
                if rest.len() >= MAX_LINE {
                    *self = Body::Broken;
                }
                break;
            };
            *self = match (*chunk, rest[..end].strip_suffix(b"\r")) {
                (Chunk::Size, Some(line)) => match size_in(line) {
                    // The last chunk. What follows are trailer fields, and nothing can be expected of those.
                    Some(0) if read + end + 1 < input.len() => Body::WHOLE,
                    Some(0) => Body::Trailer,
                    Some(size) => Body::Chunked(Chunk::Content(size)),
                    None => Body::Broken,
                },
                (Chunk::ContentEnd, Some(b"")) => Body::Chunked(Chunk::Size),
                _ => Body::Broken,
            };
            read += end + 1;
        }
        match self {
            Body::Chunked(_) => drop(input.drain(write..read)),
            _ => input.truncate(write),
        }
        write
    }
}

fn usize_or_max(value: u64) -> usize {
    value.try_into().unwrap_or(usize::MAX)
}

/// The size in a chunk's first line. Blanks and extensions may follow it.
fn size_in(line: &[u8]) -> Option<u64> {
    let digits = line.split(|&byte| byte == b';').next()?;
    let blanks = digits
        .iter()
        .rev()
        .take_while(|&&byte| matches!(byte, b' ' | b'\t'));
    let digits = &digits[..digits.len() - blanks.count()];
    // `from_str_radix` would take a sign.
    if !digits.first()?.is_ascii_hexdigit() {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The content of a body that comes in pieces of so many bytes, and what is left of it.
    fn decoded(mut body: Body, bytes: &str, piece: usize) -> (String, Body) {
        let (mut input, mut ready) = (Vec::new(), 0);
        for piece in bytes.as_bytes().chunks(piece) {
            input.extend_from_slice(piece);
            ready = body.decode(&mut input, ready);
        }
        input.truncate(ready);
        (String::from_utf8(input).expect("text"), body)
    }

    #[test]
    fn chunks_are_content_and_an_end() {
        let extension = "x".repeat(MAX_LINE / 2);
        for (bytes, content, left) in [
            (
                "2\r\nUP\r\n0A\r\n0123456789\r\n",
                "UP0123456789",
                Body::CHUNKED,
            ),
            (
                &format!("2 ; a=\"{extension}\"\r\nUP\r\n0"),
                "UP",
                Body::CHUNKED,
            ),
            ("2\t\r\nUP", "UP", Body::Chunked(Chunk::ContentEnd)),
            (
                &format!("{}2\r\nU", "0".repeat(30)),
                "U",
                Body::Chunked(Chunk::Content(1)),
            ),
            ("1\r\n\n\r\n0;x\r\n", "\n", Body::Trailer),
            (
                "ffffffffffffffff\r\nUP",
                "UP",
                Body::Chunked(Chunk::Content(u64::MAX - 2)),
            ),
            ("2\r\nUP\r\n3\r", "UP", Body::CHUNKED),
        ] {
            for piece in [1, 2, 3, usize::MAX] {
                assert_eq!(
                    decoded(Body::CHUNKED, bytes, piece),
                    (content.to_owned(), left),
                    "{piece}: {bytes:?}"
                );
            }
        }
    }

    #[test]
    fn what_follows_the_last_chunk_is_dropped() {
        let bytes = "1\r\n\n\r\n0;x\r\nX-A: b\r\nX\rB\r\n\r\njunk\n";
        for piece in [1, 2, 3, usize::MAX] {
            let (content, left) = decoded(Body::CHUNKED, bytes, piece);
            assert!(content == "\n" && left.is_whole(), "{piece}: {content:?}");
        }
    }

    #[test]
    fn broken_chunks_are_told() {
        let extension = "x".repeat(MAX_LINE);
        for broken in [
            "\r\n",
            "x\r\n",
            "+2\r\n",
            "-2\r\n",
            " 2\r\n",
            "0x2\r\n",
            "2 2\r\n",
            "2\r\r\n",
            "1c\r\r\n",
            "2\n",
            "2\rUP\r\n",
            ";a\r\n",
            "10000000000000000\r\n",
            "2\r\nUPX\r\n",
            "3\r\nUP\r\n0\r\n\r\n",
            &format!("2;{extension}"),
        ] {
            for piece in [1, 2, 3, usize::MAX] {
                let (_, left) = decoded(Body::CHUNKED, broken, piece);
                assert_eq!(left, Body::Broken, "{piece}: {broken:?}");
            }
        }
    }

    /// Or a verdict would depend on how the network cuts a reply.
    #[test]
    fn what_comes_before_broken_chunks_is_content_in_any_pieces() {
        for (bytes, content) in [
            ("2\r\nUP\r\nx\r\n", "UP"),
            ("2\r\nUP\r\n1\r\n!\r\n\r\n2\r\nno", "UP!"),
            ("2\r\nUPDOWN\r\n", "UP"),
            ("x\r\nUP", ""),
        ] {
            for piece in [1, 2, 3, usize::MAX] {
                assert_eq!(
                    decoded(Body::CHUNKED, bytes, piece),
                    (content.to_owned(), Body::Broken),
                    "{piece}: {bytes:?}"
                );
            }
        }
    }

    #[test]
    fn lengths_are_kept() {
        for piece in [1, 2, 3, usize::MAX] {
            assert_eq!(
                decoded(Body::Length(2), "UPDOWN", piece),
                ("UP".into(), Body::WHOLE)
            );
            assert_eq!(
                decoded(Body::Length(9), "UPDOWN", piece),
                ("UPDOWN".into(), Body::Length(3))
            );
            assert_eq!(
                decoded(Body::UntilClose, "UP", piece),
                ("UP".into(), Body::UntilClose)
            );
            let (content, left) = decoded(Body::Length(u64::MAX), "UP", piece);
            assert_eq!((content.as_str(), left), ("UP", Body::Length(u64::MAX - 2)));
        }
    }
}
