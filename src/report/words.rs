//! The line of one target: verdict, name, cause, advice, time.

use super::time::{age, time};
use crate::run::Attempt;
use crate::run::advice::Hint;
use crate::search::joined;
use crate::snippet::{Secrets, Snippet, printable};
use crate::target::Target;
use crate::verdict::{Answer, Failure, Health, Refusal};
use std::time::Duration;
use ureq::http::StatusCode;

/// The longest line, its end included.
pub const MAX_LINE: usize = 512;

/// The line of one target, its end included: at most [`MAX_LINE`] bytes.
pub fn line(target: &Target, answer: &Answer, hint: Option<&Hint>, attempt: &Attempt) -> String {
    let words = Words {
        secrets: target.secrets(),
        timeout: attempt.timeout,
    };
    let name = words.name(target.name());
    match &answer.outcome {
        Ok(health) => {
            let took = time(answer.took);
            let text = format!("healthy: {name}: {} in {took}", words.healthy(health));
            cut(text, &end(String::new(), attempt))
        }
        Err(failure) => {
            let mut text = format!("unhealthy: {name}: {}", words.failure(failure));
            if let Some(hint) = hint {
                text.push_str("; ");
                text.push_str(&advice(hint));
            }
            let took = match **failure {
                // These say how long it took.
                Failure::TimedOut { .. } | Failure::NotAsked => String::new(),
                _ => time(answer.took),
            };
            cut(text, &end(took, attempt))
        }
    }
}

/// The end of a line in parentheses: the time, and how many attempts there were if not one.
fn end(mut text: String, attempt: &Attempt) -> String {
    if attempt.number > 1 {
        if !text.is_empty() {
            text.push_str("; ");
        }
        let (number, elapsed) = (attempt.number, time(attempt.elapsed));
        text.push_str(&format!("{number} attempts in {elapsed}"));
    }
    match text.is_empty() {
        true => text,
        false => format!(" ({text})"),
    }
}

/// What begins a terminal's line anew, and empties the rest of it.
pub const NO_STATUS: &str = "\r\x1b[K";

/// What is shown of a target while it is waited for: on a terminal of so many columns, in place of its line.
pub fn status(target: &Target, answer: &Answer, attempt: &Attempt, columns: usize) -> String {
    let line = line(target, answer, None, attempt);
    // A character has no more columns than bytes. In the last column, some terminals begin another line.
    let why = line.strip_prefix("unhealthy: ").unwrap_or(&line);
    let mut text = format!(
        "waiting, {}: {}",
        time(attempt.elapsed),
        why.trim_ascii_end()
    );
    text.truncate(text.floor_char_boundary(columns.saturating_sub(1)));
    text.insert_str(0, NO_STATUS);
    text
}

/// Joins a text and its end into one line, and cuts the text if it must be.
pub fn cut(mut text: String, end: &str) -> String {
    let room = MAX_LINE - 1 - end.len();
    if text.len() > room {
        text.truncate(text.floor_char_boundary(room - 3));
        text.push_str("...");
    }
    text.push_str(end);
    text.push('\n');
    text
}

/// The words for what one target turned out to be.
pub struct Words<'a> {
    /// What they must not show.
    pub secrets: &'a Secrets,
    /// The time that the check had.
    pub timeout: Duration,
}

impl Words<'_> {
    fn healthy(&self, health: &Health) -> String {
        match health {
            Health::Status(status) => match StatusCode::from_u16(*status)
                .ok()
                .and_then(|code| code.canonical_reason())
            {
                Some(reason) => format!("{status} {reason}"),
                None => status.to_string(),
            },
            Health::Opens => "accepts connections".into(),
            Health::Answers => "answers".into(),
            Health::Refuses(refusal, said) => {
                let what = match refusal {
                    Refusal::Unauthenticated => "wants authentication",
                    Refusal::Unwelcome => "refuses this client",
                };
                let said = if said.is_empty() {
                    String::new()
                } else {
                    format!(": {}", self.shown(said))
                };
                format!("answers, {what}{said}")
            }
            Health::Runs(pid) => format!("process {pid} runs"),
            Health::Touched(ago) => format!("touched {} ago", age(*ago)),
        }
    }

    /// The name of a target. A query can hold a secret that was given elsewhere as well; what stands before it is needed to
    /// tell targets apart.
    fn name(&self, name: &str) -> String {
        let (path, query) = name.split_at(name.find('?').unwrap_or(name.len()));
        let query = self.secrets.blacken(query.as_bytes());
        printable(&[path.as_bytes(), &query].concat(), 160)
    }

    /// What may be shown of a snippet.
    pub fn shown(&self, snippet: &Snippet) -> String {
        snippet.text(self.secrets)
    }

    pub fn body_part(&self, body: &Snippet) -> String {
        if body.is_empty() {
            "; the body is empty".into()
        } else {
            format!("; body: {}", self.shown(body))
        }
    }

    /// Text of the command line, escaped and cut like everything else.
    pub fn quoted(&self, text: &str, quote: &str) -> String {
        // A secret can be given here as well, and one that is too short is not found.
        if self.secrets.hide_everything() {
            return "(not shown)".into();
        }
        let text = printable(&self.secrets.blacken(text.as_bytes()), 80);
        format!("{quote}{text}{quote}")
    }
}

fn advice(hint: &Hint) -> String {
    match hint {
        Hint::Listening(names) if names.is_empty() => "nothing listens here".into(),
        Hint::Listening(names) => format!("listening here: {}", joined(names, ", ")),
        Hint::Speaks(name) => format!("this looks like {name}"),
        Hint::Follow => "-L follows redirects".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_with_its_end_kept() {
        let line = cut("é".repeat(600), " (1.2 ms)");
        assert!(
            line.len() <= MAX_LINE && line.ends_with("... (1.2 ms)\n"),
            "{line}"
        );
    }
}
