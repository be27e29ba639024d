//! `${NAME}` in a value, with the words for what is wrong with it.

use super::variables::{self, BadReference};
use super::{Usage, Variables, shown};
use crate::search::joined;
use std::ffi::{OsStr, OsString};

/// Replaces variables in a value. If the value may be secret, a message shows only the variable's name, and only where
/// the reference is `alone`. A value with an `@` may be secret too.
pub fn expand(
    name: &str,
    secret: bool,
    text: OsString,
    variables: Variables,
) -> Result<String, Usage> {
    let text = text
        .into_string()
        .map_err(|_| Usage(joined(&[name, ": the value is not UTF-8"], "")))?;
    let secret = secret || text.contains('@');
    let lookup = |variable: &str| {
        let value = variables(variable).filter(|value| !value.is_empty())?;
        Some(value.into_string().map_err(|_| ()))
    };
    let bad = match variables::expand(&text, &lookup) {
        Ok(value) => return Ok(value),
        Err(bad) => bad,
    };
    const NESTED: &str = " holds another ${, and these do not nest";
    let hidden = secret && !bad.alone;
    let shown_text;
    let (before, variable, behind): (&str, &str, &str) = match &bad.what {
        BadReference::Unclosed => ("\"${\" without \"}\"", "", ""),
        BadReference::NotAName(_) if secret => (
            "what stands in ${...} is not the name of a variable",
            "",
            "",
        ),
        BadReference::NotAName(text) => {
            shown_text = shown(OsStr::new(text));
            (
                "\"",
                &shown_text,
                "\" in ${...} is not the name of a variable",
            )
        }
        BadReference::Unset(_) if hidden => ("a ${...} in the value is unset or empty", "", ""),
        BadReference::Unset(variable) => {
            shown_text = joined(
                &["} is unset or empty; ${", ":-default} would have a default"],
                variable,
            );
            ("${", variable, &shown_text)
        }
        BadReference::Nested(_) if hidden => ("the default of a ${...}", "", NESTED),
        BadReference::Nested(variable) => (
            "the default of ${",
            variable,
            ":-...} holds another ${, and these do not nest",
        ),
        BadReference::NotUtf8(_) if hidden => ("the value of a ${...} in it is not UTF-8", "", ""),
        BadReference::NotUtf8(variable) => ("the value of $", variable, " is not UTF-8"),
    };
    // Whoever names a variable did not mean a literal.
    let is_named = matches!(
        bad.what,
        BadReference::Unset(_) | BadReference::Nested(_) | BadReference::NotUtf8(_)
    );
    let literal = match is_named && !hidden {
        true => "",
        false => "; write $${ for a literal ${",
    };
    Err(Usage(joined(
        &[name, ": ", before, variable, behind, literal],
        "",
    )))
}
