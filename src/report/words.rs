//! The line of one target: verdict, name, cause, advice, time.

use super::advice::advice;
use super::failure::{path_name, peer_name};
use super::time::{age, time};
use crate::expect::document::unescaped;
use crate::expect::sick;
use crate::run::Attempt;
use crate::run::advice::Hint;
use crate::snippet::{Secrets, Snippet, printable};
use crate::target::{Host, Place, Target};
use crate::verdict::{Answer, Failure, Health, Phase, Refusal};
use std::time::Duration;
use ureq::http::StatusCode;

/// The longest line, its end included.
pub const MAX_LINE: usize = 512;

/// So many sick components are named.
const NAMED: usize = 3;

/// The line of one target, its end included: at most [`MAX_LINE`] bytes.
pub fn line(target: &Target, answer: &Answer, hint: Option<&Hint>, attempt: &Attempt) -> String {
    let words = Words {
        secrets: target.secrets(),
        timeout: attempt.timeout.min(target.limit()),
    };
    let mut name = words.name(target.name());
    if let (Some(Place::Port(Host::Own, _)), Some(peer)) = (target.place(), &answer.trace.peer) {
        name.push_str(" at ");
        name.push_str(&peer_name(peer));
    }
    let via = match (target.place(), &answer.outcome) {
        (Some(Place::Unix(_)), Err(failure)) if names_the_socket(failure) => String::new(),
        (Some(Place::Unix(file)), _) => format!(" via {}", path_name(file)),
        _ => String::new(),
    };
    // Left out where it could repeat a secret.
    let led_to = answer.trace.redirected.as_ref();
    let led_to = led_to.filter(|_| !words.secrets.hide_everything());
    let led_to = led_to.map(|to| words.shown(to));
    let mut text = String::with_capacity(MAX_LINE);
    text.push_str(if answer.outcome.is_ok() {
        "healthy: "
    } else {
        "unhealthy: "
    });
    text.push_str(&name);
    text.push_str(": ");
    let led = |before: &str, after: &str, text: &mut String| {
        if let Some(to) = &led_to {
            for part in [before, to, after] {
                text.push_str(part);
            }
        }
    };
    let took = time(answer.took);
    // A time that is not in the text already.
    let took = match &answer.outcome {
        Ok(health) => {
            text.push_str(&words.healthy(health));
            led(" at ", "", &mut text);
            text.push_str(" in ");
            text.push_str(&took);
            String::new()
        }
        Err(failure) => {
            led("redirected to ", ": ", &mut text);
            text.push_str(&words.failure(failure));
            if let Some(hint) = hint {
                text.push_str("; ");
                text.push_str(&advice(hint));
            }
            match **failure {
                Failure::TimedOut { .. } | Failure::NotAsked => String::new(),
                _ => took,
            }
        }
    };
    let mut end = end(took, attempt);
    end.push_str(&via);
    cut(text, &end)
}

/// Whether the words for a failure say which socket it is.
fn names_the_socket(failure: &Failure) -> bool {
    match failure {
        Failure::TimedOut { phase, .. } => *phase == Phase::Connect,
        Failure::Refused(_) | Failure::Unreachable { .. } => true,
        _ => false,
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
            Health::Status(status) => {
                let mut text = status.to_string();
                let code = StatusCode::from_u16(*status).ok();
                if let Some(reason) = code.and_then(|code| code.canonical_reason()) {
                    text.push(' ');
                    text.push_str(reason);
                }
                text
            }
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
        let sick = self.sick(body);
        if body.is_empty() {
            "; the body is empty".into()
        } else if sick.is_empty() {
            format!("; body: {}", self.shown(body))
        } else {
            sick
        }
    }

    /// The components that a JSON body says are sick, if there are any.
    pub fn sick(&self, body: &Snippet) -> String {
        if self.secrets.hide_everything() {
            return String::new();
        }
        body.inspect(|body| {
            let found = sick::in_json(body);
            let named = &found.sick[..found.sick.len().min(NAMED)];
            let mut text = String::new();
            for one in named {
                let mut part = |before: &str, inside: &str, room| {
                    let said = Snippet::at_most(unescaped(inside).as_bytes(), room);
                    if !said.is_empty() {
                        text.push_str(before);
                        text.push_str(&self.shown(&said));
                    }
                };
                // The first word of a part follows a semicolon, and the others a blank.
                part("; ", one.name, 60);
                let blank = if one.name.is_empty() { "; " } else { " " };
                part(blank, one.state, 40);
                // As `--json` would ask for it.
                let not = if one.not.is_empty() {
                    String::new()
                } else {
                    format!("{}=false", one.not)
                };
                part(blank, &not, 40);
                part(": ", one.reason, 240 / named.len());
            }
            let more = found.sick.len() - named.len() + found.more;
            if more > 0 {
                text.push_str(&format!("; and {more} more"));
            }
            text
        })
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
