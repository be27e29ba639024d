//! `| grep TEXT`, which is `--body TEXT` where TEXT means itself, and `--status` where the status is what is searched.

use super::asks::Asks;
use super::rows::{does, rows};
use super::table::Table;
use crate::search::split_once;
use crate::target::Complaint;

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
    let extended = grep.has(does::EXTENDED);
    if (asks.has(does::INCLUDE) || asks.prints_status)
        && !is_unwanted
        && let Some(statuses) = statuses(pattern, extended)
    {
        return asks.own("status", &statuses);
    }
    let any_case = grep.has(does::NOCASE);
    let text = literal(pattern, grep.has(does::FIXED), extended)?;
    if any_case && !text.is_ascii() {
        return Err("has letters whose other case is not known here");
    }
    if !asks.says.is_empty() {
        return match asks.must_say(&text, any_case) && !is_unwanted {
            true => Ok(()),
            false => Err("is not what is printed where all is well"),
        };
    }
    if !asks.prints_body {
        return Err("is searched where no body is printed, so it is never found");
    }
    let body = &mut asks.given.options.body;
    body.any_case = any_case;
    let texts = if is_unwanted {
        &mut body.body_not
    } else {
        &mut body.body
    };
    texts.push(text);
    Ok(())
}

/// The text that a pattern stands for, where it stands for one.
fn literal(pattern: &str, fixed: bool, extended: bool) -> Result<String, Complaint> {
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
                next.is_some() && are_digits != [true; 2]
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

/// The statuses that a pattern names, as in `200`, `^200$`, `200|204`, `HTTP/1.1 200 OK` and `200 OK`.
fn statuses(pattern: &str, extended: bool) -> Option<String> {
    let between = if extended { "|" } else { "\\|" };
    let mut statuses = String::new();
    let mut rest = Some(pattern);
    while let Some(text) = rest {
        let (one, more) = match split_once(text, between) {
            Some((one, more)) => (one, Some(more)),
            None => (text, None),
        };
        let one = one.strip_prefix("^").unwrap_or(one);
        let one = one.strip_suffix("$").unwrap_or(one);
        let one = match one.starts_with("HTTP/") {
            true => split_once(one, " ")?.1,
            false => one,
        };
        let (status, reason) = one.split_at_checked(3)?;
        let is_reason = |byte: u8| byte.is_ascii_alphabetic() || byte == b' ';
        if !status.bytes().all(|byte| byte.is_ascii_digit())
            || !matches!(reason.as_bytes(), [] | [b' ', ..])
            || !reason.bytes().all(is_reason)
        {
            return None;
        }
        statuses.push_str(if statuses.is_empty() { "" } else { "," });
        statuses.push_str(status);
        rest = more;
    }
    Some(statuses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_means_itself_or_is_refused() {
        let of = |extended, pattern: &str| literal(pattern, false, extended).ok();
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
        assert_eq!(literal("a.*[b]\\", true, false).as_deref(), Ok("a.*[b]\\"));
    }

    #[test]
    fn statuses_are_known_where_they_are_printed() {
        let of = |extended, pattern: &str| statuses(pattern, extended);
        for (extended, pattern, statuses) in [
            (false, "200", Some("200")),
            (false, "^200$", Some("200")),
            (false, "HTTP/1.1 200", Some("200")),
            (false, "HTTP/1.1 200 OK", Some("200")),
            (false, "200 OK", Some("200")),
            (false, "200\\|204", Some("200,204")),
            (true, "200|301|302", Some("200,301,302")),
            (false, "200|301", None),
            (false, "20", None),
            (false, "2000", None),
            (false, "UP", None),
            (false, "20.", None),
        ] {
            assert_eq!(of(extended, pattern).as_deref(), statuses, "{pattern}");
        }
    }
}
