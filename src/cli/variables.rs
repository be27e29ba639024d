//! `${NAME}` and `${NAME:-default}`, because exec-form HEALTHCHECK has no shell to expand them.

use crate::search::split_once;

/// What is wrong with a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadReference {
    /// `${` without `}`.
    Unclosed,
    /// What stands between the braces is no variable name.
    NotAName(String),
    /// A default that holds another reference: these do not nest.
    Nested(String),
    /// The variable is unset or empty, and there is no default.
    Unset(String),
    /// The variable's value is not UTF-8.
    NotUtf8(String),
}

/// A reference that cannot be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// What is wrong with it.
    pub what: BadReference,
    /// Whether a delimiter, or an end of the text, is on both sides of it. Then it surely is meant as a reference; in
    /// the middle of a word, it can be part of a password that happens to hold `${`.
    pub alone: bool,
}

/// A variable as [`expand`] sees it: unset or empty is `None`, a value that is not UTF-8 is `Some(Err(()))`.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<Result<String, ()>>;

/// Replaces each reference in `text` once: what a variable holds is not looked at again. `$${` is a literal `${`,
/// and any other `$` stays as it is, so that passwords survive.
///
/// # Errors
/// [`Bad`], for the first reference that cannot be replaced.
pub fn expand(text: &str, lookup: Lookup) -> Result<String, Bad> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, reference)) = split_once(rest, "${") {
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = reference;
            continue;
        }
        let (inside, after) = reference.split_once('}').ok_or(Bad {
            what: BadReference::Unclosed,
            alone: false,
        })?;
        let value = value_of(inside, lookup).map_err(|what| Bad {
            what,
            alone: before
                .chars()
                .next_back()
                .map_or(text.len() == rest.len(), delimits)
                && after.chars().next().is_none_or(delimits),
        })?;
        out.push_str(before);
        out.push_str(&value);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn delimits(c: char) -> bool {
    matches!(c, ' ' | ':' | '=' | '@' | '/' | ',' | ';')
}

fn value_of(inside: &str, lookup: Lookup) -> Result<String, BadReference> {
    let (name, default) = match split_once(inside, ":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    if !is_name(name) {
        return Err(BadReference::NotAName(name.to_owned()));
    }
    if default.is_some_and(|text| split_once(text, "${").is_some()) {
        return Err(BadReference::Nested(name.to_owned()));
    }
    match lookup(name) {
        Some(Ok(value)) => Ok(value),
        Some(Err(())) => Err(BadReference::NotUtf8(name.to_owned())),
        None => default
            .map(str::to_owned)
            .ok_or_else(|| BadReference::Unset(name.to_owned())),
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Result<String, BadReference> {
        expand(text, &|name| match name {
            "PORT" => Some(Ok("8080".into())),
            "TRICKY" => Some(Ok("--quiet ${PORT} $${".into())),
            "BYTES" => Some(Err(())),
            _ => None,
        })
        .map_err(|bad| bad.what)
    }

    #[test]
    fn whether_a_reference_stands_alone() {
        let alone = |text| expand(text, &|name| (name == "A").then(|| Ok("x".into())));
        for text in [
            "${N}",
            "a:${N}",
            "${N}:b",
            "a ${N}",
            "a=${N};b",
            "http://a:${N}@b",
            "/${N}/",
            "${A},${N}",
        ] {
            assert!(alone(text).unwrap_err().alone, "{text}");
        }
        for text in [
            "a${N}",
            "${N}b",
            ":${N}b",
            "a${N}:",
            "${A}${N}",
            "${N}${A}",
            "$$$${:${N}${",
            "\"${N}\"",
            "${N:-${A}}",
        ] {
            assert!(!alone(text).unwrap_err().alone, "{text}");
        }
    }

    #[test]
    fn references_are_replaced_once() {
        assert_eq!(with("${PORT}").unwrap(), "8080");
        assert_eq!(with("a${PORT}b${PORT}c").unwrap(), "a8080b8080c");
        assert_eq!(with("${NONE:-1234}").unwrap(), "1234");
        assert_eq!(with("${PORT:-1234}").unwrap(), "8080");
        assert_eq!(with("${NONE:-}").unwrap(), "");
        assert_eq!(with("${NONE:-a:-b$}").unwrap(), "a:-b$");
        assert_eq!(with("${TRICKY}").unwrap(), "--quiet ${PORT} $${");
    }

    #[test]
    fn other_dollars_stay() {
        for text in [
            "", "$", "$$", "pa$$word", "$PORT", "a$", "{PORT}", "$ {PORT}", "}", "100%",
        ] {
            assert_eq!(with(text).unwrap(), text);
        }
        assert_eq!(with("$${PORT}").unwrap(), "${PORT}");
        assert_eq!(with("$$${PORT}").unwrap(), "$${PORT}");
        assert_eq!(with("$${").unwrap(), "${");
    }

    #[test]
    fn what_cannot_be_replaced_is_named() {
        assert_eq!(with("${NONE}"), Err(BadReference::Unset("NONE".into())));
        assert_eq!(with("${BYTES}"), Err(BadReference::NotUtf8("BYTES".into())));
        assert_eq!(with("a${PORT"), Err(BadReference::Unclosed));
        assert_eq!(
            with("${NONE:-${PORT}}"),
            Err(BadReference::Nested("NONE".into()))
        );
        for name in ["", "1A", "A-B", "A B", "é", "A:B", "!A"] {
            assert_eq!(
                with(&format!("${{{name}}}")),
                Err(BadReference::NotAName(name.into()))
            );
        }
    }
}
