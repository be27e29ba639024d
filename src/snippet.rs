//! Untrusted bytes: kept as they came, and made fit to print when they are printed.

mod escapes;
mod harmless;
mod secrets;

use crate::search::find;
pub use harmless::is_harmless;
pub use secrets::Secrets;

/// How much of a text is kept: more than is shown, so that a secret at the end of what is shown is there as a whole.
const KEPT: usize = 1024;

/// Untrusted bytes, for a line. They are kept as they came; [`Snippet::text`] alone shows them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Snippet {
    bytes: Vec<u8>,
    room: usize,
}

impl Snippet {
    /// The longest text of a snippet, in bytes, the mark of a cut included.
    pub const MAX: usize = 256;

    /// Keeps the beginning of `bytes`.
    pub fn new(bytes: &[u8]) -> Self {
        Self::at_most(bytes, Self::MAX)
    }

    /// The same, to be shown in at most `room` bytes.
    pub fn at_most(bytes: &[u8], room: usize) -> Self {
        let kept = bytes.len().min(KEPT);
        Snippet {
            bytes: bytes[..kept].to_vec(),
            room: room.min(Self::MAX),
        }
    }

    /// Keeps more of `bytes`, for [`Self::inspect`].
    pub fn long(bytes: &[u8], most: usize) -> Self {
        Snippet {
            bytes: bytes[..bytes.len().min(most)].to_vec(),
            room: Self::MAX,
        }
    }

    /// Whether there was nothing.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What `look` finds in the bytes as they came. They are not for printing.
    pub fn inspect<T>(&self, look: impl FnOnce(&[u8]) -> T) -> T {
        look(&self.bytes)
    }

    /// What may be printed: on one line, without control bytes, cut, and with every secret blackened.
    pub fn text(&self, secrets: &Secrets) -> String {
        if secrets.hide_everything() {
            return "(not shown: it could repeat a secret)".into();
        }
        let shown = &self.bytes[..self.bytes.len().min(KEPT)];
        printable(&secrets.blacken(shown), self.room)
    }
}

// Not derived: what is kept is not fit to be printed.
impl std::fmt::Debug for Snippet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snippet({} bytes)", self.bytes.len())
    }
}

/// `bytes` as text on one line, of at most `max` bytes, where a cut is marked with `...`.
///
/// Control bytes, invalid UTF-8, and characters that reorder or hide text are written `\xNN` or `\u{NNNN}`, a
/// backslash is doubled, so that what is printed can be read in one way only.
pub fn printable(bytes: &[u8], max: usize) -> String {
    // Most texts: nothing to escape, and nothing to cut.
    let plain = |byte: &u8| matches!(byte, b' '..=b'[' | b']'..=b'~');
    if bytes.len() <= max && bytes.iter().all(plain) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut out = String::new();
    // Where the text can end if the mark has to follow.
    let mut room = 0;
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid().chars().map(Ok);
        for piece in valid.chain(chunk.invalid().iter().map(|&b| Err(b))) {
            match piece {
                Ok(c) => escape(c, &mut out),
                Err(byte) => escape_byte(byte, &mut out),
            }
            if out.len() > max {
                out.truncate(room);
                out.push_str("...");
                return out;
            }
            if out.len() + 3 <= max {
                room = out.len();
            }
        }
    }
    out
}

/// Replaces all before the last `@`, keeping the scheme: even in a malformed URL it may be credentials.
pub fn without_userinfo(text: &[u8]) -> Vec<u8> {
    let Some(at) = text.iter().rposition(|&byte| byte == b'@') else {
        return text.to_vec();
    };
    let scheme = find(&text[..at], b"://");
    let scheme = scheme.map_or(&text[..0], |end| &text[..end + 3]);
    [scheme, b"...", &text[at..]].concat()
}

fn escape(c: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\\' => out.push_str("\\\\"),
        '\0'..='\x1f' | '\x7f' => escape_byte(c as u8, out),
        // C1 controls, invisible and bidirectional formatting, line separators, private use and beyond.
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{e000}'..='\u{f8ff}'
        | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'.. => {
            out.push_str("\\u{");
            let hex = (0..6).rev().map(|i| (c as u32 >> (4 * i)) & 15);
            for digit in hex.skip_while(|&d| d == 0) {
                out.push(hex_digit(digit as u8));
            }
            out.push('}');
        }
        _ => out.push(c),
    }
}

fn escape_byte(byte: u8, out: &mut String) {
    out.push_str("\\x");
    out.push(hex_digit(byte >> 4));
    out.push(hex_digit(byte & 15));
}

fn hex_digit(value: u8) -> char {
    (if value < 10 {
        b'0' + value
    } else {
        b'a' + value - 10
    }) as char
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_one_safe_line() {
        let of = |bytes: &[u8]| Snippet::new(bytes).text(&Secrets::default());
        assert_eq!(of(b"plain {\"a\": 1}"), "plain {\"a\": 1}");
        assert_eq!(
            of(b"a\r\n\tb\0\x1b[31m\x7f"),
            "a\\r\\n\\tb\\x00\\x1b[31m\\x7f"
        );
        assert_eq!(of(b"back\\slash"), "back\\\\slash");
        assert_eq!(of(b"\xff\xc3\x28"), "\\xff\\xc3(");
        assert_eq!(of("größe".as_bytes()), "größe");
        assert_eq!(of("a\u{202e}b\u{9b}c".as_bytes()), "a\\u{202e}b\\u{9b}c");
        assert_eq!(of(b""), "");
    }

    #[test]
    fn a_cut_is_marked_and_never_splits_an_escape() {
        for max in 3..40 {
            for text in [
                "é\n\u{202e}\\x".repeat(20),
                "a".repeat(max),
                "\0".repeat(50),
            ] {
                let cut = printable(text.as_bytes(), max);
                assert!(cut.len() <= max, "{max}: {cut:?}");
                let whole = printable(text.as_bytes(), usize::MAX);
                match cut.strip_suffix("...") {
                    Some(kept) => assert!(whole.starts_with(kept)),
                    None => assert_eq!(cut, whole),
                }
            }
        }
    }
}
