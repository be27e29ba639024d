//! `${NAME}` in a value, with the words for what is wrong with it.

use super::variables::{self, BadReference};
use super::{Usage, Variables, shown};
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
        .map_err(|_| Usage(format!("{name}: the value is not UTF-8")))?;
    let secret = secret || text.contains('@');
    let lookup = |variable: &str| {
        let value = variables(variable).filter(|value| !value.is_empty())?;
        Some(value.into_string().map_err(|_| ()))
    };
    variables::expand(&text, &lookup).map_err(|bad| {
        const LITERAL: &str = "write $${ for a literal ${";
        let hidden = secret && !bad.alone;
        Usage(match bad.what {
            BadReference::Unclosed => format!("{name}: \"${{\" without \"}}\"; {LITERAL}"),
            BadReference::NotAName(_) if secret => {
                format!("{name}: what stands in ${{...}} is not the name of a variable; {LITERAL}")
            }
            BadReference::NotAName(text) => {
                let text = shown(OsStr::new(&text));
                format!("{name}: \"{text}\" in ${{...}} is not the name of a variable; {LITERAL}")
            }
            BadReference::Unset(_) if hidden => {
                format!("{name}: a ${{...}} in the value is unset or empty; {LITERAL}")
            }
            BadReference::Unset(variable) => {
                format!("{name}: ${{{variable}}} is unset or empty; ${{{variable}:-default}} would have a default")
            }
            BadReference::Nested(_) if hidden => {
                format!("{name}: the default of a ${{...}} holds another ${{, and these do not nest; {LITERAL}")
            }
            BadReference::Nested(variable) => {
                format!("{name}: the default of ${{{variable}:-...}} holds another ${{, and these do not nest")
            }
            BadReference::NotUtf8(_) if hidden => {
                format!("{name}: the value of a ${{...}} in it is not UTF-8; {LITERAL}")
            }
            BadReference::NotUtf8(variable) => format!("{name}: the value of ${variable} is not UTF-8"),
        })
    })
}
