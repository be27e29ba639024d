//! `| grep TEXT`, which is `--body TEXT` where TEXT means itself, and `--status` where the status is what is searched.

use super::asks::{Asks, has_any, number};
use super::rows::{does, rows};
use super::table::Table;
use crate::search::{contains, joined, split_once};
use crate::target::Complaint;
use ureq::http::StatusCode;

/// Its options.
pub static TABLE: Table = Table {
    name: "grep",
    equals: true,
    finish: |_| Err("reads a file"),
    rows: rows!(
        "\
q quiet -
- silent -
s no-messages -
c count -
o only-matching -
n line-number -
a text -
m max-count -=
- color -?
F fixed-strings fixed
G basic-regexp -
E extended-regexp extended
P perl-regexp extended
i ignore-case nocase
e regexp pattern=
v invert-match inverted
f file reads
r recursive reads"
    ),
};

/// Expects of `asks` what a grep with these words expects of its output. `grep` is what they say.
///
/// # Errors
/// Where that is not one text, or cannot be in what is printed.
pub fn expect(asks: &mut Asks, grep: &Asks, is_unwanted: bool) -> Result<(), Complaint> {
    let pattern = match (grep.has(does::PATTERN), &grep.operands[..]) {
        (true, []) => grep.text(does::PATTERN),
        (false, [pattern]) => pattern,
        _ => return Err("takes one text, and reads no file"),
    };
    let (fixed, extended) = (grep.has(does::FIXED), grep.has(does::EXTENDED));
    let has_head = asks.prints_head || asks.tells_head;
    let format = asks.text(does::FORMAT);
    if has_head || around_status(format).is_some() {
        if is_unwanted {
            return Err("may be in the head or the status as well as in the body");
        }
        // Where a text means itself, these are no signs.
        if !(fixed && has_any(pattern, b"^$|\\*"))
            && let Some(statuses) = statuses(pattern, extended, asks)
        {
            return asks.own("status", &statuses);
        }
    }
    let any_case = grep.has(does::NOCASE);
    let mut texts = Vec::new();
    for text in alternatives(pattern, fixed, extended) {
        texts.push(literal(&text, fixed, extended, is_unwanted)?);
    }
    if any_case && !pattern.is_ascii() {
        return Err("has letters whose other case is not known here");
    }
    if !asks.says.is_empty() {
        return match !is_unwanted && texts.len() == 1 && asks.must_say(&texts[0], any_case) {
            true => Ok(()),
            false => Err("is not what is printed where all is well"),
        };
    }
    // Only the last head is searched, and of what curl tells on stderr nothing else.
    let is_whole_head = asks.prints_head && !asks.given.options.follow;
    if has_head && !asks.prints_body && !is_whole_head {
        return Err(
            "is searched in more than a body, of which only 200, 200 OK and HTTP/1.1 200 are understood",
        );
    }
    let has_more = asks.prints_body || !asks.prints_status;
    let has_digit = || pattern.bytes().any(|byte| byte.is_ascii_digit());
    if has_more
        && !format.is_empty()
        && (contains(format.as_bytes(), pattern)
            || contains(format.as_bytes(), "%{") && has_digit())
    {
        return Err("may be in what -w prints, of which only the status is understood");
    }
    if !asks.prints_body && !has_head {
        return Err("is searched where no body is printed, so it is never found");
    }
    asks.given.options.with_head = has_head;
    if !asks.prints_body {
        // A head is printed whatever the status, also with -f.
        asks.own("status", "200-999")?;
    }
    let body = &mut asks.given.options.body;
    body.any_case = any_case;
    if is_unwanted {
        body.body_not = texts;
    } else {
        body.any_of = texts.len() > 1;
        body.body = texts;
    }
    Ok(())
}

/// The bytes of the longest pattern that is taken apart.
const MAX_ALTERNATIVES: usize = 1000;

/// What a pattern is the same as, one of several: `a|b`, and `a(b|c)d`. Groups in each other stay, and are refused.
fn alternatives(pattern: &str, fixed: bool, extended: bool) -> Vec<String> {
    let (open, between, close) = match extended {
        true => ("(", "|", ")"),
        false => ("\\(", "\\|", "\\)"),
    };
    // Each alternative repeats what they have in common: a long pattern would take its length times their number.
    if fixed || pattern.len() > MAX_ALTERNATIVES {
        return vec![pattern.to_owned()];
    }
    let (mut before, mut inside, mut after) = ("", pattern, "");
    if let Some((start, rest)) = split_once(pattern, open)
        && let Some((group, end)) = split_once(rest, close)
        && !contains(joined(&[start, end], "").as_bytes(), between)
    {
        (before, inside, after) = (start, group, end);
    }
    let mut all = Vec::new();
    while let Some((one, rest)) = split_once(inside, between) {
        all.push(joined(&[before, one, after], ""));
        inside = rest;
    }
    if all.is_empty() {
        return vec![pattern.to_owned()];
    }
    all.push(joined(&[before, inside, after], ""));
    all
}

/// The text that a pattern stands for, where it stands for one, or where less is found of it than of the pattern.
fn literal(
    pattern: &str,
    fixed: bool,
    extended: bool,
    is_unwanted: bool,
) -> Result<String, Complaint> {
    let mut text = Vec::new();
    let mut rest = pattern.as_bytes();
    while let [first, more @ ..] = rest {
        let mut c = *first;
        rest = more;
        let next = rest.first();
        let is_special = match c {
            _ if fixed => false,
            // Where nobody means another character.
            b'.' => {
                let are_digits = [next, text.last()].map(|c| c.is_some_and(u8::is_ascii_digit));
                is_unwanted || text.is_empty() || next.is_some() && are_digits != [true; 2]
            }
            b'[' | b'*' | b'^' | b'$' => true,
            b'\\' => {
                c = *next.unwrap_or(&0);
                rest = rest.get(1..).unwrap_or_default();
                match c {
                    _ if b"+?|(){}".contains(&c) => !extended,
                    _ => !b".[]*^$\\/\"-".contains(&c),
                }
            }
            _ => extended && b"+?|(){".contains(&c),
        };
        if is_special {
            return Err(
                "has a meaning as a regular expression: only a text is searched, as with grep -F",
            );
        }
        text.push(c);
    }
    match String::from_utf8(text) {
        Ok(text) if !text.is_empty() && !text.as_bytes().contains(&b'\n') => Ok(text),
        _ => Err("is not one text in a line"),
    }
}

/// What -w prints in the line of the status, before and behind it, if that is in its format.
fn around_status(format: &str) -> Option<(&str, &str)> {
    let (start, end) =
        split_once(format, "%{http_code}").or_else(|| split_once(format, "%{response_code}"))?;
    let mut start = start;
    while let Some((_, line)) = split_once(start, "\\n") {
        start = line;
    }
    Some((start, split_once(end, "\\n").map_or(end, |(line, _)| line)))
}

/// The statuses that a pattern names: in a head, as in `200`, `HTTP/1.1 200 OK` and `200 OK`, or where the status is printed
/// alone, as in `200` and `^200$`; and several, as in `200|204`.
fn statuses(pattern: &str, extended: bool, asks: &Asks) -> Option<String> {
    let around = around_status(asks.text(does::FORMAT));
    let between = if extended { "|" } else { "\\|" };
    let mut statuses = String::new();
    let mut rest = Some(pattern);
    while let Some(text) = rest {
        let (one, more) = match split_once(text, between) {
            Some((one, more)) => (one, Some(more)),
            None => (text, None),
        };
        let status = match around.and_then(|around| alone(one, around, asks)) {
            Some(status) => status,
            None => in_head(one, asks)?,
        };
        statuses.push_str(if statuses.is_empty() { "" } else { "," });
        statuses.push_str(status);
        rest = more;
    }
    Some(statuses)
}

/// The status that `-w` prints alone, or between two texts of which the pattern has a part.
fn alone<'a>(pattern: &'a str, (start, end): (&str, &str), asks: &Asks) -> Option<&'a str> {
    let begun = pattern.strip_prefix("^");
    let ended = pattern.strip_suffix("$");
    let text = begun.unwrap_or(pattern);
    let text = &text[..text.len() - usize::from(ended.is_some())];
    let at = text.bytes().position(|byte| byte.is_ascii_digit())?;
    let (before, rest) = text.split_at(at);
    let (status, after) = rest.split_at_checked(3)?;
    // What other variables stand for is not known.
    let is_known = !has_any(before, b"%}") && !has_any(after, b"%");
    let begins = match begun {
        Some(_) => before == start && !asks.prints_body,
        None => start.ends_with(before),
    };
    let ends = match ended {
        Some(_) => after == end,
        None => end.starts_with(after),
    };
    (is_known && begins && ends && number(status).is_ok_and(|status| status >= 100))
        .then_some(status)
}

/// The status that a pattern names in the head of a response.
fn in_head<'a>(pattern: &'a str, asks: &Asks) -> Option<&'a str> {
    let begun = pattern.strip_prefix("^");
    let mut inner = begun.unwrap_or(pattern);
    // As curl -v tells it.
    if asks.tells_head {
        inner = inner.strip_prefix("< ").unwrap_or(inner);
    }
    let (version, text) = match inner.strip_prefix("HTTP/") {
        Some(rest) => split_once(rest, " ")?,
        None => ("", inner),
    };
    let (status, reason) = text.split_at_checked(3)?;
    let number @ 100.. = status.parse().ok()? else {
        return None;
    };
    // Also of an error, of which curl -f prints no body. Other characters stand before the head on stderr.
    let is_printed = asks.prints_head || asks.tells_head;
    let is_in_head = is_printed
        && matches!(version, "" | "1.1" | "1\\.1" | ".*")
        && (begun.is_none() || asks.prints_head && !version.is_empty())
        // Each line ends in a CR.
        && is_reason(number, reason);
    is_in_head.then_some(status)
}

/// Whether a status line can go on like this behind its number.
fn is_reason(status: u16, text: &str) -> bool {
    let Some(text) = text.strip_prefix(" ") else {
        return text.is_empty();
    };
    let status = StatusCode::from_u16(status).ok();
    let reason = status.and_then(|status| status.canonical_reason());
    reason.is_some_and(|reason| reason.starts_with(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_means_itself_or_is_refused() {
        let of = |extended, pattern: &str| literal(pattern, false, extended, false).ok();
        for (pattern, basic, extended) in [
            ("UP", Some("UP"), Some("UP")),
            (
                "\"status\":\"UP\"",
                Some("\"status\":\"UP\""),
                Some("\"status\":\"UP\""),
            ),
            ("{\"a\":1}", Some("{\"a\":1}"), None),
            ("Ok.", Some("Ok."), Some("Ok.")),
            ("v1.0", Some("v1.0"), Some("v1.0")),
            (".", None, None),
            ("a.b", None, None),
            ("status.:.UP", None, None),
            ("a\\.b", Some("a.b"), Some("a.b")),
            ("(ok)", Some("(ok)"), None),
            ("\\(ok\\)", None, Some("(ok)")),
            ("a|b", Some("a|b"), None),
            ("a\\|b", None, Some("a|b")),
            ("^UP", None, None),
            ("UP$", None, None),
            ("U*", None, None),
            ("[Uu]p", None, None),
            ("\\d", None, None),
            ("\\", None, None),
            ("", None, None),
        ] {
            assert_eq!(of(false, pattern).as_deref(), basic, "{pattern}");
            assert_eq!(of(true, pattern).as_deref(), extended, "{pattern}");
        }
        assert!(literal("Ok.", false, false, true).is_err());
        assert_eq!(
            literal("a.*[b]\\", true, false, true).as_deref(),
            Ok("a.*[b]\\")
        );
    }

    #[test]
    fn one_of_several_is_as_good() {
        for (extended, pattern, expected) in [
            (true, "a|b", &["a", "b"][..]),
            (false, "a\\|b\\|c", &["a", "b", "c"]),
            (true, "x(a|b)y", &["xay", "xby"]),
            (false, "x\\(a\\|b\\)", &["xa", "xb"]),
            (true, "a|", &["a", ""]),
            // These are refused as they are.
            (true, "(a)", &["(a)"]),
            (true, "(a|b)|c", &["(a", "b)", "c"]),
            (true, "(a|b)(c|d)", &["(a", "b)(c", "d)"]),
            (false, "a|b", &["a|b"]),
        ] {
            assert_eq!(
                alternatives(pattern, false, extended),
                expected,
                "{pattern}"
            );
        }
        assert_eq!(alternatives("a|b", true, true), ["a|b"]);
        let long = "a|".repeat(MAX_ALTERNATIVES);
        assert_eq!(alternatives(&long, false, true), [long]);
    }

    #[test]
    fn statuses_are_known_where_they_are_printed() {
        // In the head on stdout, in that on stderr, and where the status stands alone.
        for (extended, pattern, places) in [
            (false, "200", [Some("200"); 3]),
            (false, "^200$", [None, None, Some("200")]),
            (false, "^200", [None, None, Some("200")]),
            (false, "200$", [None, None, Some("200")]),
            (false, "HTTP/1.1 200", [Some("200"), Some("200"), None]),
            (false, "HTTP/1\\.1 200", [Some("200"), Some("200"), None]),
            (false, "^HTTP/1.1 200", [Some("200"), None, None]),
            (false, "HTTP/1.1 200 OK", [Some("200"), Some("200"), None]),
            (false, "200 OK", [Some("200"), Some("200"), None]),
            (false, "404 Not F", [Some("404"), Some("404"), None]),
            (false, "200 Ok", [None; 3]),
            (false, "200 OK$", [None; 3]),
            (false, "204 OK", [None; 3]),
            (false, "HTTP/2 200", [None; 3]),
            (false, "HTTP/1.0 200", [None; 3]),
            (false, "200\\|204", [Some("200,204"); 3]),
            (true, "200|301|302", [Some("200,301,302"); 3]),
            (false, "200|301", [None; 3]),
            (false, "20", [None; 3]),
            (false, "+20", [None; 3]),
            (false, "2000", [None; 3]),
            (false, "UP", [None; 3]),
            (false, "20.", [None; 3]),
        ] {
            for (place, expected) in places.into_iter().enumerate() {
                let asks = Asks::of("");
                asks.prints_head = place == 0;
                asks.tells_head = place == 1;
                if place == 2 {
                    asks.set_text(does::FORMAT, "%{http_code}");
                }
                let found = statuses(pattern, extended, asks);
                assert_eq!(found.as_deref(), expected, "{pattern}, {place}");
            }
        }
    }
}
