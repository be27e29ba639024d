//! JSON as text: `serde_json` says whether it is any, and one pass over its tokens finds the value at a path.
//!
//! No value is built: floats would make 2^53 and 2^53+1 the same, strings would refuse escapes that are half a character,
//! and memory is never given back. Every `&str` below that is called a value is text that [`value`] has found valid.

use serde_core::de::IgnoredAny;

/// The one value that `text` is, without the blanks around it.
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

/// What is left to be read, from the beginning of a token on.
struct Tokens<'a>(&'a str);

impl<'a> Tokens<'a> {
    /// Takes one value, and returns what is in it at the end of `path`. Nests as deep as `path` is long, and not as the
    /// document does.
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
    fn value(&mut self) -> &'a str {
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

    /// The first byte of the next token. At the end, which a valid text reaches only after its value, a closing bracket.
    fn first(&self) -> u8 {
        self.0.bytes().next().unwrap_or(b']')
    }

    /// Takes so many bytes, and the blanks after them.
    fn take(&mut self, length: usize) {
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

/// Whether a value is what somebody wrote on the command line. A string is compared as text; a number by what it is
/// worth, so that `1.0` is `1`; an object or an array is never equal.
pub fn equals(found: &str, expected: &str) -> bool {
    match found.starts_with('"') {
        true => is(found, expected),
        false => value(expected.as_bytes()).is_some_and(|expected| {
            let same = || Some(Number::parse(found)?.is(&Number::parse(expected)?));
            found == expected && !found.starts_with(['{', '[']) || same() == Some(true)
        }),
    }
}

/// Whether a string has these characters. They are compared in UTF-16, as JSON's escapes are.
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

/// A number as it is written. None of its parts is bounded, so that none becomes an integer of the machine.
struct Number<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    negative_exponent: bool,
    exponent: &'a str,
}

impl<'a> Number<'a> {
    fn parse(value: &'a str) -> Option<Self> {
        let (negative, value) = match value.strip_prefix('-') {
            Some(value) => (true, value),
            None => (false, value),
        };
        if !value.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let (mantissa, exponent) = value.split_once(['e', 'E']).unwrap_or((value, ""));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let negative_exponent = exponent.starts_with('-');
        Some(Number {
            negative,
            whole,
            fraction,
            negative_exponent,
            exponent: exponent.trim_start_matches(['+', '-']),
        })
    }

    /// The digits from the first to the last that is not zero, and how many places those end before the exponent's.
    fn digits(&self) -> (impl Iterator<Item = u8>, i64) {
        let all = || self.whole.bytes().chain(self.fraction.bytes());
        let is_zero = |digit: &u8| *digit == b'0';
        let zeros = all().rev().take_while(is_zero).count();
        let length = self.whole.len() + self.fraction.len() - zeros;
        let shift = zeros as i64 - self.fraction.len() as i64;
        (all().take(length).skip_while(is_zero), shift)
    }

    /// Whether both are the same number: 1 is 1.0 and 10e-1, and 0 is -0 and 0e9.
    fn is(&self, other: &Self) -> bool {
        let ((digits, shift), (others, other_shift)) = (self.digits(), other.digits());
        let mut digits = digits.peekable();
        let zero = digits.peek().is_none();
        digits.eq(others)
            && (zero
                || self.negative == other.negative
                    && self.exponent_minus(other) == other_shift - shift)
    }

    /// The difference of the exponents, or a number of its sign that no shift reaches.
    fn exponent_minus(&self, other: &Self) -> i64 {
        const FAR: i64 = 1 << 50;
        let digit = |number: &Self, place: usize| {
            let at = number.exponent.len().checked_sub(place + 1);
            let digit = at.map_or(0, |at| i64::from(number.exponent.as_bytes()[at] - b'0'));
            if number.negative_exponent {
                -digit
            } else {
                digit
            }
        };
        let places = self.exponent.len().max(other.exponent.len());
        // From the first digit on; what has come as far as FAR cannot come back.
        (0..places).rev().fold(0, |difference: i64, place| {
            (difference * 10 + digit(self, place) - digit(other, place)).clamp(-FAR, FAR)
        })
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
        fn strings_are_their_characters(text: String, other: String) {
            let string = Value::from(text.clone()).to_string();
            prop_assert!(equals(&string, &text));
            prop_assert_eq!(equals(&string, &other), text == other);
        }

        /// Numbers that are written in every way, against integers: `mantissa * 10^power` as tenths of a millionth.
        #[test]
        fn numbers_are_what_they_are_worth(one in spelled(), other in spelled()) {
            let ((text, worth), (other_text, other_worth)) = (&one, &other);
            prop_assert_eq!(equals(text, other_text), worth == other_worth, "{} {}", text, other_text);
            prop_assert_eq!(equals(other_text, text), worth == other_worth);
        }
    }

    fn spelled() -> impl Strategy<Value = (String, i128)> {
        let small = prop_oneof![-12_i128..12, Just(1000), Just(9_007_199_254_740_993)];
        (
            small,
            -7..8_i32,
            0..12_usize,
            0..4_usize,
            prop::sample::select(vec!["e", "E"]),
        )
            .prop_map(|(mantissa, power, places, zeros, letter)| {
                // The point goes so many places to the left, and the exponent makes up for it.
                let digits = format!("{:0>1$}", mantissa.unsigned_abs(), places + 1);
                let (whole, fraction) = digits.split_at(digits.len() - places);
                let fraction = format!("{fraction}{}", "0".repeat(zeros));
                let point = if fraction.is_empty() { "" } else { "." };
                let exponent = power + places as i32;
                let exponent = match exponent {
                    0 => String::new(),
                    1.. => format!("{letter}+{}{exponent}", "0".repeat(zeros)),
                    _ => format!("{letter}-{}{}", "0".repeat(zeros), -exponent),
                };
                let minus = if mantissa < 0 { "-" } else { "" };
                let text = format!("{minus}{whole}{point}{fraction}{exponent}");
                assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
                (text, mantissa * 10_i128.pow((power + 7) as u32))
            })
    }

    #[test]
    fn numbers_of_any_size() {
        let nines = "9".repeat(100_000);
        let one_and_zeros = format!("1{}", "0".repeat(100_000));
        for (one, other) in [
            ("0", "-0"),
            ("0", "0e999999999999"),
            ("0.000e-5", "-0E99999999999999999999999"),
            ("1", "10e-1"),
            ("1e0", "0.1e1"),
            ("1e99999999999999999999", "10e99999999999999999998"),
            ("1e99999999999999999999", "0.01E+00100000000000000000001"),
            ("1e-99999999999999999999", "0.1e-99999999999999999998"),
            ("1e9", "0.1e10"),
            ("1e-1", "0.00001e4"),
            ("100e-1", "1e1"),
            (&format!("1e{one_and_zeros}"), &format!("10e{nines}")),
            (&one_and_zeros, "1e100000"),
            (&format!("0.{one_and_zeros}"), "1e-1"),
        ] {
            assert!(equals(one, other) && equals(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("1", "-1"),
            ("9007199254740993", "9007199254740992"),
            ("1e99999999999999999999", "1e99999999999999999998"),
            ("1e99999999999999999999", "1e-99999999999999999999"),
            ("1e99999999999999999999", "-1e99999999999999999999"),
            ("1e18446744073709551616", "1"),
            ("1e-18446744073709551616", "0"),
            ("1e5", "1e50"),
            ("10", "1"),
            ("101", "1001"),
            ("0.1", "0.01"),
            (&format!("1e{nines}"), &format!("1e{one_and_zeros}")),
            (&one_and_zeros, &nines),
        ] {
            assert!(!equals(one, other) && !equals(other, one), "{one} {other}");
        }
    }
}
