//! Times as people write them.

use super::Complaint;
use std::time::Duration;

/// The longest time that can be asked for: a file may be touched once in a year.
pub const MAX_TIME: Duration = Duration::from_secs(365 * 86_400);

/// Parses a time: `3` and `0.5` in seconds, `500ms`, `2s`, `1m`, `1h`, `1d`.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn parse(text: &str) -> Result<Duration, Complaint> {
    const FORM: &str = "is not a time such as 3, 0.5, 500ms, 2s, 1m, 1h or 1d";
    let units = [
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
        ("", 1_000_000_000),
    ];
    let number_and_unit = units
        .iter()
        .find_map(|&(unit, nanos)| Some((text.strip_suffix(unit)?, nanos)));
    let (number, unit) = number_and_unit.ok_or(FORM)?;
    let (whole, fraction) = match number.split_once('.') {
        Some((_, "")) => return Err(FORM),
        Some((whole, fraction)) => (whole, fraction),
        None => (number, ""),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(FORM);
    }
    const TOO_LONG: Complaint = "is longer than a year (365d)";
    let whole: u64 = whole.parse().map_err(|_| TOO_LONG)?;
    let mut nanos = whole.checked_mul(unit).ok_or(TOO_LONG)?;
    let mut digit_is_worth = unit;
    for digit in fraction.bytes() {
        digit_is_worth /= 10;
        nanos += u64::from(digit - b'0') * digit_is_worth;
    }
    match Duration::from_nanos(nanos) {
        time if time > MAX_TIME => Err(TOO_LONG),
        time if time < Duration::from_micros(1) => Err("is too short: at least 1 microsecond"),
        time => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let millis = |text| parse(text).map(|time| time.as_millis());
        let good = [
            ("3", 3000),
            ("0.5", 500),
            ("500ms", 500),
            ("2s", 2000),
            ("1m", 60_000),
            ("1.5m", 90_000),
            ("1.5s", 1500),
            ("2h", 7_200_000),
            ("0.5d", 43_200_000),
            ("365d", 31_536_000_000),
        ];
        for (text, value) in good {
            assert_eq!(millis(text), Ok(value), "{text}");
        }
        assert_eq!(parse("0.001ms"), Ok(Duration::from_micros(1)));
        for long in ["366d", "365.1d", "8761h", "525601m", "31536000001ms"] {
            assert_eq!(parse(long), Err("is longer than a year (365d)"), "{long}");
        }
        for bad in [
            "",
            "0",
            "0s",
            "0.0",
            "s",
            "ms",
            "-1",
            "+1",
            "1e3",
            ".5",
            "5.",
            "1.s",
            "1 s",
            " 1",
            "h",
            "1w",
            "1D",
            "1day",
            "1us",
            "1,5",
            "1.2.3",
            "inf",
            "NaN",
            "99999999999999999999",
            "1m1s",
            "1h30m",
            "0.0000000001",
            "１",
        ] {
            assert!(parse(bad).is_err(), "{bad:?} was accepted");
        }
    }
}
