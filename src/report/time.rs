//! Times as a line shows them. In integers: formatting a float would cost 10 KB.

use std::time::Duration;

/// A time for people: `0.4 ms`, `12 ms`, `1.5 s`, `5 s`. Rounded to what matters.
pub fn time(time: Duration) -> String {
    // A u64 of microseconds is half a million years; to print a u128 would cost 2 KB.
    let micros = time.as_micros() as u64;
    let (value, per_unit, unit) = match micros {
        0..1_000_000 => (micros, 1_000, "ms"),
        _ => (micros, 1_000_000, "s"),
    };
    let tenths = (value + per_unit / 20) / (per_unit / 10);
    let (whole, tenth) = (tenths / 10, tenths % 10);
    let mut text = whole.to_string();
    if whole == 0 || (tenth > 0 && (whole < 10 || unit == "s")) {
        text.push('.');
        text.push_str(&tenth.to_string());
    }
    text.push(' ');
    text.push_str(unit);
    text
}

const LONG_UNITS: [(u64, &str); 3] = [(86_400, "d"), (3_600, "h"), (60, "min")];

/// The age of a file, which can be long: `3 s`, `59 min`, `10 d`.
pub fn age(age: Duration) -> String {
    in_long_unit(age, |unit| age.as_secs() >= 2 * unit)
}

/// The limit of an age, which is not rounded: `90 s`, `36 h`, `7 d`.
pub fn limit(limit: Duration) -> String {
    in_long_unit(limit, |unit| {
        let (seconds, rest) = (limit.as_secs(), limit.subsec_nanos());
        unit > 60 && rest == 0 && seconds > 0 && seconds.is_multiple_of(unit)
    })
}

/// In the first unit that fits.
fn in_long_unit(duration: Duration, fits: impl Fn(u64) -> bool) -> String {
    match LONG_UNITS.into_iter().find(|(unit, _)| fits(*unit)) {
        Some((unit, name)) => format!("{} {name}", duration.as_secs() / unit),
        None => time(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_exact() {
        for (seconds, text) in [
            (60, "60 s"),
            (150, "150 s"),
            (3_600, "1 h"),
            (5_400, "5400 s"),
            (129_600, "36 h"),
            (604_800, "7 d"),
        ] {
            assert_eq!(limit(Duration::from_secs(seconds)), text);
        }
        assert_eq!(limit(Duration::from_micros(400)), "0.4 ms");
        assert_eq!(limit(Duration::from_millis(3_600_500)), "3600.5 s");
    }

    #[test]
    fn times_for_people() {
        for (micros, text) in [
            (0, "0.0 ms"),
            (40, "0.0 ms"),
            (50, "0.1 ms"),
            (400, "0.4 ms"),
            (1_000, "1 ms"),
            (1_240, "1.2 ms"),
            (9_940, "9.9 ms"),
            (12_700, "12 ms"),
            (500_000, "500 ms"),
            (1_000_000, "1 s"),
            (1_500_000, "1.5 s"),
            (5_000_000, "5 s"),
            (60_000_000, "60 s"),
            (150_000_000, "150 s"),
        ] {
            assert_eq!(time(Duration::from_micros(micros)), text, "{micros}");
        }
    }
}
