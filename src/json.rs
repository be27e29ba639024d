//! JSON as text: `serde_json` says whether it is any, and what is inside is found by its commas and brackets.
//!
//! To build values would cost 16 KB, for maps, and for floats in and out of text, and would make 1 and 1.0 differ, or
//! 2^53 and 2^53+1 the same. Every `&str` below is a piece of text that [`value`] has found valid.

use serde_core::de::IgnoredAny;

/// The one value that `text` is, without the blanks around it.
pub fn value(text: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(text).ok()?;
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    Some(text.trim_ascii())
}

/// The member or item at one step of a path.
pub fn child<'a>(value: &'a str, step: &str) -> Option<&'a str> {
    let mut children = children(value);
    let (_, child) = match value.as_bytes().first()? {
        // The last one, should a name come twice.
        b'{' => children.filter(|(name, _)| is(name, step)).last()?,
        b'[' => children.nth(index(step)?)?,
        _ => return None,
    };
    Some(child)
}

/// RFC 6901: an index has digits only and no leading zero.
fn index(step: &str) -> Option<usize> {
    let plain = step == "0" || !step.starts_with(['0', '+']);
    if plain { step.parse().ok() } else { None }
}

/// The names and values inside an object, or the items of an array, whose names are empty.
fn children(value: &str) -> Children<'_> {
    Children(value.get(1..).unwrap_or_default())
}

/// What is left, with the closing bracket.
struct Children<'a>(&'a str);

impl<'a> Iterator for Children<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (mut depth, mut quoted, mut escaped) = (0, false, false);
        let mut name_end = None;
        let end = self.0.bytes().enumerate().position(|(at, byte)| {
            if quoted {
                quoted = escaped || byte != b'"';
                escaped = !escaped && byte == b'\\';
                return false;
            }
            match byte {
                b',' | b'}' | b']' if depth == 0 => return true,
                b':' if depth == 0 => name_end = Some(at),
                b'"' => quoted = true,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            false
        })?;
        let (child, rest) = (&self.0[..end], &self.0[end + 1..]);
        self.0 = rest;
        let (name, value) = match name_end {
            Some(end) => (&child[..end], &child[end + 1..]),
            None => ("", child),
        };
        let value = value.trim_ascii();
        // There is one nothing in `[]`.
        (!value.is_empty()).then_some((name.trim_ascii(), value))
    }
}

/// Whether a value is what somebody wrote on the command line. A string is compared as text; anything else as JSON, so
/// that `1.0` is `1` and `{"a":1}` may have spaces.
pub fn equals(found: &str, expected: &str) -> bool {
    match found.starts_with('"') {
        true => is(found, expected),
        false => value(expected.as_bytes()).is_some_and(|expected| same(found, expected, 0)),
    }
}

/// Whether a string has these characters.
fn is(string: &str, text: &str) -> bool {
    characters(string).into_iter().eq(text.encode_utf16())
}

/// The characters of a string, in UTF-16 as JSON's escapes are.
fn characters(string: &str) -> Vec<u16> {
    let mut characters = Vec::new();
    let mut rest = string.chars();
    // The quote.
    rest.next();
    while let Some(character) = rest.next() {
        let character = match character {
            '"' => break,
            '\\' => match rest.next() {
                Some('b') => '\x08',
                Some('f') => '\x0c',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('u') => {
                    let digits = rest.by_ref().take(4);
                    let unit = digits.fold(0, |unit, digit| {
                        unit << 4 | digit.to_digit(16).unwrap_or_default()
                    });
                    characters.push(unit as u16);
                    continue;
                }
                Some(character) => character,
                None => break,
            },
            character => character,
        };
        characters.extend_from_slice(character.encode_utf16(&mut [0; 2]));
    }
    characters
}

/// No VALUE nests as deep as this, and a stack is no place to find out.
const MAX_DEPTH: usize = 100;

/// Whether two values are the same; the order of members does not matter.
fn same(one: &str, other: &str, depth: usize) -> bool {
    // Counted first: what is found can have half a million items, and VALUE has not.
    let as_many = || children(one).count() == children(other).count();
    let alike = |one: &(&str, &str), other: &(&str, &str)| {
        characters(one.0) == characters(other.0) && same(one.1, other.1, depth + 1)
    };
    match (one.as_bytes().first(), other.as_bytes().first()) {
        (Some(b'"'), Some(b'"')) => characters(one) == characters(other),
        (Some(b'{'), Some(b'{')) if depth < MAX_DEPTH && as_many() => {
            let others: Vec<_> = children(other).collect();
            children(one).all(|one| others.iter().any(|other| alike(&one, other)))
        }
        (Some(b'['), Some(b'[')) if depth < MAX_DEPTH && as_many() => {
            let mut pairs = children(one).zip(children(other));
            pairs.all(|(one, other)| alike(&one, &other))
        }
        _ => one == other || number(one).is_some_and(|one| number(other) == Some(one)),
    }
}

/// A JSON number as sign, digits without zeros at either end, and exponent: exact, whatever its size.
fn number(value: &str) -> Option<(bool, String, i64)> {
    let (negative, value) = match value.strip_prefix('-') {
        Some(value) => (true, value),
        None => (false, value),
    };
    if !value.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (mantissa, exponent) = value.split_once(['e', 'E']).unwrap_or((value, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = [whole, fraction].concat();
    let length = digits.len();
    digits.truncate(digits.trim_end_matches('0').len());
    let exponent = i64::from(exponent.parse::<i32>().ok()?) - fraction.len() as i64
        + (length - digits.len()) as i64;
    let digits = digits.trim_start_matches('0');
    match digits.is_empty() {
        true => Some((false, String::new(), 0)),
        false => Some((negative, digits.to_owned(), exponent)),
    }
}
