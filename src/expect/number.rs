//! JSON numbers, compared exactly: by the digits that are written, whatever their size. Pure.

/// The parts of a number as they are written. Each may be longer than any integer type holds, so they stay text.
pub struct Number<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    negative_exponent: bool,
    exponent: &'a str,
}

impl<'a> Number<'a> {
    /// None if `value` is a JSON value, but not a number.
    pub fn parse(value: &'a str) -> Option<Self> {
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

    /// The digits without zeros at either end, and the power of ten by which to multiply them before the exponent.
    fn digits(&self) -> (impl Iterator<Item = u8>, i64) {
        let all = || self.whole.bytes().chain(self.fraction.bytes());
        let is_zero = |digit: &u8| *digit == b'0';
        let zeros = all().rev().take_while(is_zero).count();
        let length = self.whole.len() + self.fraction.len() - zeros;
        let shift = zeros as i64 - self.fraction.len() as i64;
        (all().take(length).skip_while(is_zero), shift)
    }

    /// Whether both are the same number: 1, 1.0 and 10e-1 are, and so are 0, -0 and 0e9.
    pub fn is(&self, other: &Self) -> bool {
        let ((digits, shift), (others, other_shift)) = (self.digits(), other.digits());
        let mut digits = digits.peekable();
        let zero = digits.peek().is_none();
        digits.eq(others)
            && (zero
                || self.negative == other.negative
                    && self.exponent_minus(other) == other_shift - shift)
    }

    /// The difference of the exponents. One too large for the type is clamped to a number that no shift equals.
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
        // From the most significant digit on. A difference that has reached FAR stays there: the next step makes it ten
        // times as much, and takes at most 18 from that.
        (0..places).rev().fold(0, |difference: i64, place| {
            (difference * 10 + digit(self, place) - digit(other, place)).clamp(-FAR, FAR)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn equals(one: &str, other: &str) -> bool {
        let parse = |text| Number::parse(text).expect("a number");
        parse(one).is(&parse(other))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

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
