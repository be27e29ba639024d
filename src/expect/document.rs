//! A JSON document as text: `serde_json` says whether it is valid, and one pass over its tokens finds the value at a path.
//!
//! No tree is built: floats would make 2^53 and 2^53+1 equal, Rust's strings cannot hold half of a surrogate pair, and the
//! allocator never gives memory back. Every `&str` below that is called a value is text that [`value`] has found valid.

use super::number::Number;
use serde_core::de::IgnoredAny;

/// `text` as one JSON value, without the blanks around it; none if it is not valid JSON.
pub fn value(text: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(text).ok()?;
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    Some(text.trim_ascii())
}

/// What is at the end of `path` in `document`. Where a name comes twice, the last one counts.
pub fn at<'a>(document: &'a str, path: &[String]) -> Option<&'a str> {
    Tokens(document).at(path)
}

/// RFC 6901: an index has digits only and no leading zero.
fn index(step: &str) -> Option<usize> {
    let plain = step == "0" || !step.starts_with(['0', '+']);
    if plain { step.parse().ok() } else { None }
}

/// The rest of a document, from the beginning of a token on. One that is not valid, or cut short, has tokens too.
#[derive(Clone, Copy)]
pub struct Tokens<'a>(pub &'a str);

impl<'a> Tokens<'a> {
    /// Takes one value, and returns what is in it at the end of `path`. The recursion is as deep as `path` is long, however
    /// deep the document nests.
    fn at(&mut self, path: &[String]) -> Option<&'a str> {
        let Some((step, rest)) = path.split_first() else {
            return Some(self.value());
        };
        let object = match self.first() {
            b'{' => true,
            b'[' => false,
            _ => {
                self.value();
                return None;
            }
        };
        let index = index(step);
        let mut found = None;
        self.take(1);
        for count in 0.. {
            if matches!(self.first(), b'}' | b']') {
                break;
            }
            let wanted = match object {
                true => {
                    let name = self.value();
                    // The colon.
                    self.take(1);
                    is(name, step)
                }
                false => index == Some(count),
            };
            match wanted {
                true => found = self.at(rest),
                false => _ = self.value(),
            }
            if self.first() == b',' {
                self.take(1);
            }
        }
        self.take(1);
        found
    }

    /// Takes one value, however deep it nests.
    pub fn value(&mut self) -> &'a str {
        let begun = self.0;
        let mut depth = 0;
        loop {
            let length = match self.first() {
                b'{' | b'[' => {
                    depth += 1;
                    1
                }
                b'}' | b']' => {
                    depth -= 1;
                    1
                }
                b',' | b':' => 1,
                b'"' => string_length(self.0),
                _ => scalar_length(self.0),
            };
            let end = begun.len() - self.0.len() + length;
            self.take(length);
            if depth == 0 || self.0.is_empty() {
                return begun.get(..end).unwrap_or_default();
            }
        }
    }

    /// The first byte of the next token. At the end of the text, a closing bracket, so that every loop ends.
    pub fn first(&self) -> u8 {
        self.0.bytes().next().unwrap_or(b']')
    }

    /// Takes so many bytes, and the blanks after them.
    pub fn take(&mut self, length: usize) {
        let rest = self.0.get(length..).unwrap_or_default();
        self.0 = rest.trim_ascii_start();
    }
}

/// The length of the string at the beginning of `text`, its quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let inside = text.bytes().skip(1).position(|byte| {
        let end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        end
    });
    inside.map_or(text.len(), |length| length + 2)
}

/// The length of the number or the word at the beginning of `text`.
fn scalar_length(text: &str) -> usize {
    let ends = |byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
    text.bytes().position(ends).unwrap_or(text.len())
}

/// Whether a value is equal to the VALUE of the command line. Strings are compared as text, and numbers as numbers, so that
/// `1.0` equals `1`; an object or an array is never equal.
pub fn equals(found: &str, expected: &str) -> bool {
    match found.starts_with('"') {
        true => is(found, expected),
        false => value(expected.as_bytes()).is_some_and(|expected| {
            let same = || Some(Number::parse(found)?.is(&Number::parse(expected)?));
            found == expected && !found.starts_with(['{', '[']) || same() == Some(true)
        }),
    }
}

/// Whether a JSON string, with its quotes, is `text`. They are compared in UTF-16, which is what `\u` escapes are.
fn is(string: &str, text: &str) -> bool {
    let mut expected = text.encode_utf16();
    let mut rest = string.chars();
    // The quote.
    rest.next();
    loop {
        let same = match rest.next() {
            Some('"') | None => return expected.next().is_none(),
            Some('\\') => expected.next() == Some(escape(&mut rest)),
            Some(character) => {
                let mut units = [0; 2];
                let units = character.encode_utf16(&mut units);
                units.iter().all(|unit| expected.next() == Some(*unit))
            }
        };
        if !same {
            return false;
        }
    }
}

/// The characters that the inside of a JSON string stands for. Half of a surrogate pair is left out.
pub fn unescaped(inside: &str) -> String {
    let mut text = String::new();
    let mut rest = inside.chars();
    let mut half = None;
    while let Some(mut character) = rest.next() {
        let high = half.take();
        if character == '\\' {
            let code = match (u32::from(escape(&mut rest)), high) {
                (unit @ 0xd800..0xdc00, _) => {
                    half = Some(unit - 0xd800);
                    continue;
                }
                (unit @ 0xdc00..0xe000, Some(high)) => 0x10000 + (high << 10) + (unit - 0xdc00),
                (0xdc00..0xe000, None) => continue,
                (unit, _) => unit,
            };
            character = char::from_u32(code).unwrap_or_default();
        }
        text.push(character);
    }
    text
}

/// What an escape stands for, after its backslash.
fn escape(rest: &mut std::str::Chars) -> u16 {
    match rest.next().unwrap_or_default() {
        'b' => 8,
        'f' => 12,
        'n' => 10,
        'r' => 13,
        't' => 9,
        'u' => rest.take(4).fold(0, |unit, digit| {
            unit << 4 | digit.to_digit(16).unwrap_or_default() as u16
        }),
        // A quote, a slash or a backslash.
        character => character as u16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::Value;

    /// A few names, so that paths meet them and some come twice, each with a way to write it.
    const NAMES: [(&str, &str); 8] = [
        ("a", r#""a""#),
        ("a", r#""\u0061""#),
        ("0", r#""0""#),
        ("", r#""""#),
        ("\u{e9}\"", r#""\u00E9\"""#),
        ("\u{1f600}", r#""\uD83D\ude00""#),
        ("\\\t/", r#""\\\t\/""#),
        ("}],:", r#""}],:""#),
    ];

    fn document() -> impl Strategy<Value = String> {
        let blank = prop::sample::select(vec!["", " ", "\r\n\t"]);
        let scalar = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            any::<i16>().prop_map(|number| number.to_string()),
            any::<String>().prop_map(|text| Value::from(text).to_string()),
            prop::sample::select(NAMES.to_vec()).prop_map(|(_, name)| name.to_owned()),
        ];
        scalar.prop_recursive(6, 60, 5, move |inner| {
            let spaced =
                (blank.clone(), inner).prop_map(|(blank, item)| format!("{blank}{item}{blank}"));
            let member = (
                prop::sample::select(NAMES.to_vec()),
                blank.clone(),
                spaced.clone(),
            )
                .prop_map(|((_, name), blank, value)| format!("{blank}{name}{blank}:{value}"));
            prop_oneof![
                (vec(spaced, 0..5), blank.clone())
                    .prop_map(|(items, blank)| format!("[{blank}{}]", items.join(","))),
                (vec(member, 0..5), blank.clone())
                    .prop_map(|(members, blank)| format!("{{{blank}{}}}", members.join(","))),
            ]
        })
    }

    fn path() -> impl Strategy<Value = Vec<String>> {
        let indexes = ["0", "1", "2", "00", "-", "+1", "18446744073709551616"];
        let names = NAMES.iter().map(|(name, _)| *name);
        let steps: Vec<&str> = names.chain(indexes).collect();
        vec(prop::sample::select(steps).prop_map(str::to_owned), 0..5)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn finds_what_serde_json_finds(document in document(), path in path()) {
            let whole: Value = serde_json::from_str(&document).unwrap();
            let pointer: String = path
                .iter()
                .map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1")))
                .collect();
            let found = at(value(document.as_bytes()).unwrap(), &path);
            let read = found.map(|text| serde_json::from_str::<Value>(text).unwrap());
            prop_assert_eq!(read.as_ref(), whole.pointer(&pointer));
            // Without the blanks around it.
            prop_assert!(found.is_none_or(|text| text == text.trim()));
        }

        #[test]
        fn halves_of_pairs_are_left_out(before in "[a-z]*", between in "[a-z]+") {
            let text = |inside: &str| unescaped(&inside.replace('-', &between));
            prop_assert_eq!(text(r"\ud83d-\ude00"), between.clone());
            prop_assert_eq!(text(r"\ude00\ud83d"), "");
            prop_assert_eq!(text(r"\ud83d\ud83d\ude00"), "\u{1f600}");
            prop_assert_eq!(unescaped(&format!(r"{before}\ud83d\ude00")), format!("{before}{}", '\u{1f600}'));
        }

        #[test]
        fn strings_are_their_characters(text: String, other: String) {
            let string = Value::from(text.clone()).to_string();
            prop_assert!(equals(&string, &text));
            prop_assert_eq!(equals(&string, &other), text == other);
            prop_assert_eq!(unescaped(&string[1..string.len() - 1]), text);
        }
    }
}
