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

    /// Resolves one layer of escapes. None if there is none. An escape that is cut by the end is left out.
    pub fn unescaped(&self) -> Option<Self> {
        let mut next = View {
            bytes: Vec::new(),
            from: Vec::new(),
        };
        let mut at = 0;
        while at < self.bytes.len() && !is_cut(&self.bytes[at..]) {
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

    /// Marks each place of the original where `form` stands, or stands as far as the text goes. Behind a form that
    /// `is_cut`, all that follows is marked.
    pub fn mark(&self, form: &[u8], is_cut: bool, black: &mut [bool]) {
        let mut from = 0;
        while let Some(found) = find(&self.bytes[from..], &form[..SHORTEST]) {
            let at = from + found;
            let begin = self.from[at].0;
            let rest = &self.bytes[at..];
            let same = rest.iter().zip(form).take_while(|(a, b)| a == b).count();
            if same == rest.len() || same == form.len() && is_cut {
                black[begin..].fill(true);
                return;
            }
            if same == form.len() {
                black[begin..self.from[at + same - 1].1].fill(true);
            }
            from = at + 1;
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

/// The longest character reference of HTML that is read, without its `&`.
const MAX_REFERENCE: usize = 12;

enum Character {
    Byte(u8),
    Char(char),
}

/// The escape at the beginning of `text`, and its length: of a URL, of JSON and C, or of HTML.
fn unescape(text: &[u8]) -> Option<(Character, usize)> {
    let hex = |from: usize, to: usize| number(text.get(from..to)?, 16);
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
        [b'\\', b'0'..=b'3', ..] => byte(number(text.get(1..4)?, 8)? as u8, 4),
        [b'\\', b'n', ..] => byte(b'\n', 2),
        [b'\\', b'r', ..] => byte(b'\r', 2),
        [b'\\', b't', ..] => byte(b'\t', 2),
        [b'\\', escaped, ..] => byte(*escaped, 2),
        [b'&', rest @ ..] => {
            let end = rest
                .iter()
                .take(MAX_REFERENCE)
                .position(|&byte| byte == b';')?;
            let c = match &rest[..end] {
                b"amp" => '&',
                b"lt" => '<',
                b"gt" => '>',
                b"quot" => '"',
                b"apos" => '\'',
                [b'#', b'x' | b'X', ..] => char::from_u32(hex(3, end + 1)?)?,
                [b'#', digits @ ..] => char::from_u32(number(digits, 10)?)?,
                _ => return None,
            };
            Some((Character::Char(c), end + 2))
        }
        _ => None,
    }
}

/// Digits only, where `from_str_radix` would take a sign.
fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let plain = digits.iter().all(u8::is_ascii_alphanumeric);
    let digits = std::str::from_utf8(digits).ok().filter(|_| plain)?;
    u32::from_str_radix(digits, radix).ok()
}

/// Whether `text` is the beginning of an escape, and nothing else.
fn is_cut(text: &[u8]) -> bool {
    let are_hex = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    match text {
        [b'%', digits @ ..] | [b'\\', b'x', digits @ ..] => digits.len() < 2 && are_hex(digits),
        [b'\\'] => true,
        // The first half of a surrogate pair, and of the second half not all.
        [
            b'\\',
            b'u',
            b'd' | b'D',
            b'8' | b'9' | b'a' | b'b' | b'A' | b'B',
            rest @ ..,
        ] if (2..8).contains(&rest.len()) => {
            let (digits, second) = rest.split_at(2);
            let (sign, more) = second.split_at(second.len().min(2));
            are_hex(digits) && b"\\u".starts_with(sign) && are_hex(more)
        }
        [b'\\', b'u', digits @ ..] => digits.len() < 4 && are_hex(digits),
        [b'&', rest @ ..] => {
            let part_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
            rest.len() < MAX_REFERENCE && rest.iter().all(part_of_name)
        }
        _ => false,
    }
}
