//! Texts without their escapes, of URLs, JSON, C and HTML, and where in the original each byte stands. Pure.

use super::secrets::SHORTEST;
use crate::search::find;

/// Bytes with escapes resolved, and where in the original each of them begins and ends.
pub struct View {
    pub(super) bytes: Vec<u8>,
    from: Vec<(usize, usize)>,
}

impl View {
    pub fn of(text: &[u8]) -> Self {
        View {
            bytes: text.iter().copied().map(folded).collect(),
            from: (0..text.len()).map(|at| (at, at + 1)).collect(),
        }
    }

    /// One layer of escapes less; none if there is none.
    pub fn unescaped(&self) -> Option<Self> {
        let mut next = View {
            bytes: Vec::new(),
            from: Vec::new(),
        };
        let mut at = 0;
        while at < self.bytes.len() {
            let (character, length) =
                unescape(&self.bytes[at..]).unwrap_or((Character::Byte(self.bytes[at]), 1));
            let from = (self.from[at].0, self.from[at + length - 1].1);
            match character {
                Character::Byte(byte) => {
                    next.bytes.push(byte);
                    next.from.push(from);
                }
                Character::Char(c) => {
                    for &byte in c.encode_utf8(&mut [0; 4]).as_bytes() {
                        next.bytes.push(folded(byte));
                        next.from.push(from);
                    }
                }
            }
            at += length;
        }
        (next.bytes.len() < self.bytes.len()).then_some(next)
    }

    /// Marks each place of the original where `form` stands, and its beginning at the very end.
    pub fn mark(&self, form: &[u8], black: &mut [bool]) {
        let mut blacken = |start: usize, end: usize| {
            black[self.from[start].0..self.from[end - 1].1].fill(true);
        };
        let mut from = 0;
        while let Some(at) = find(&self.bytes[from..], form) {
            blacken(from + at, from + at + form.len());
            from += at + form.len();
        }
        let most = form.len().min(self.bytes.len());
        let cut = (SHORTEST..most)
            .rev()
            .find(|&length| self.bytes.ends_with(&form[..length]));
        if let Some(length) = cut {
            blacken(self.bytes.len() - length, self.bytes.len());
        }
    }
}

/// The two alphabets of base64 (RFC 4648), and the two ways to write a blank in a URL, made one.
fn folded(byte: u8) -> u8 {
    match byte {
        b'-' | b' ' => b'+',
        b'_' => b'/',
        byte => byte,
    }
}

enum Character {
    Byte(u8),
    Char(char),
}

/// The escape at the beginning of `text`, and its length: of a URL, of JSON and C, or of HTML.
fn unescape(text: &[u8]) -> Option<(Character, usize)> {
    let hex = |from: usize, to: usize| {
        let digits = std::str::from_utf8(text.get(from..to)?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let byte = |byte: u8, length| Some((Character::Byte(folded(byte)), length));
    match text {
        [b'%', ..] => byte(hex(1, 3)? as u8, 3),
        [b'\\', b'u', ..] => match hex(2, 6)? {
            high @ 0xd800..0xdc00 if text.get(6..8) == Some(b"\\u") => {
                let low = hex(8, 12)?.checked_sub(0xdc00)?;
                Some((
                    Character::Char(char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)?),
                    12,
                ))
            }
            unit => Some((Character::Char(char::from_u32(unit)?), 6)),
        },
        [b'\\', b'x', ..] => byte(hex(2, 4)? as u8, 4),
        [b'\\', b'n', ..] => byte(b'\n', 2),
        [b'\\', b'r', ..] => byte(b'\r', 2),
        [b'\\', b't', ..] => byte(b'\t', 2),
        [b'\\', escaped, ..] => byte(*escaped, 2),
        [b'&', rest @ ..] => {
            let end = rest.iter().take(8).position(|&byte| byte == b';')?;
            let c = match &rest[..end] {
                b"amp" => '&',
                b"lt" => '<',
                b"gt" => '>',
                b"quot" => '"',
                b"apos" => '\'',
                [b'#', b'x' | b'X', ..] => char::from_u32(hex(3, end + 1)?)?,
                [b'#', digits @ ..] => {
                    char::from_u32(std::str::from_utf8(digits).ok()?.parse().ok()?)?
                }
                _ => return None,
            };
            Some((Character::Char(c), end + 2))
        }
        _ => None,
    }
}
