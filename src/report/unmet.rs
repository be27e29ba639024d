//! The words for an expectation that was not met.

use super::words::Words;
use crate::expect::MAX_BODY;
use crate::verdict::Unmet;

impl Words<'_> {
    pub fn unmet(&self, unmet: &Unmet) -> String {
        match unmet {
            Unmet::Body {
                text,
                bounded,
                body,
            } => {
                let bound = if *bounded {
                    format!(" in its first {} MiB", MAX_BODY >> 20)
                } else {
                    String::new()
                };
                format!(
                    "body lacks {}{bound}{}",
                    self.quoted(text, "\""),
                    self.body_part(body)
                )
            }
            Unmet::BodyNot { text, body } => {
                format!(
                    "body contains {}{}",
                    self.quoted(text, "\""),
                    self.body_part(body)
                )
            }
            Unmet::BodyTooLong => format!(
                "body longer than the {} MiB that are searched",
                MAX_BODY >> 20
            ),
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
            } => {
                format!(
                    "JSON {} is {}, expected {}",
                    self.quoted(path, ""),
                    self.shown(got),
                    self.quoted(expected, "\"")
                )
            }
            Unmet::HeaderLacks { name } => format!("no header {}", self.quoted(name, "")),
            Unmet::HeaderDiffers {
                name,
                expected,
                got,
            } => {
                format!(
                    "header {} is \"{}\", expected {}",
                    self.quoted(name, ""),
                    self.shown(got),
                    self.quoted(expected, "\"")
                )
            }
        }
    }
}
