//! The words for an expectation that was not met.

use super::words::Words;
use crate::expect::MAX_BODY;
use crate::verdict::Unmet;

impl Words<'_> {
    /// What was expected, and what is there instead.
    pub fn unmet(&self, unmet: &Unmet) -> String {
        match unmet {
            Unmet::Body {
                text,
                bounded,
                body,
            } => {
                let bound = match bounded {
                    true => format!(" in its first {} MiB", MAX_BODY >> 20),
                    false => String::new(),
                };
                let (text, body) = (self.quoted(text, "\""), self.body_part(body));
                format!("body lacks {text}{bound}{body}")
            }
            Unmet::BodyNot { text, body } => {
                let (text, body) = (self.quoted(text, "\""), self.body_part(body));
                format!("body contains {text}{body}")
            }
            Unmet::BodyTooLong => {
                format!(
                    "body longer than the {} MiB that are searched",
                    MAX_BODY >> 20
                )
            }
            Unmet::NotJson { body } => format!("body is not JSON{}", self.body_part(body)),
            Unmet::JsonLacks { path, body } => {
                format!(
                    "JSON has no {}{}",
                    self.quoted(path, ""),
                    self.body_part(body)
                )
            }
            Unmet::JsonDiffers {
                path,
                expected,
                got,
                body,
            } => {
                let (path, expected) = (self.quoted(path, ""), self.quoted(expected, "\""));
                let (got, sick) = (self.shown(got), self.sick(body));
                format!("JSON {path} is {got}, expected {expected}{sick}")
            }
            Unmet::HeaderLacks { name } => format!("no header {}", self.quoted(name, "")),
            Unmet::HeaderDiffers {
                name,
                expected,
                got,
            } => {
                let (name, expected) = (self.quoted(name, ""), self.quoted(expected, "\""));
                format!(
                    "header {name} is \"{}\", expected {expected}",
                    self.shown(got)
                )
            }
        }
    }
}
