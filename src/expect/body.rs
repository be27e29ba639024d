//! What is expected of a body: the texts that it contains, those that it does not, and what its JSON says. No I/O; the
//! clock is read.

use super::{JsonExpectation, document, sick};
use crate::deadline::Deadline;
use crate::search::contains;
use crate::verdict::{Failure, Phase, Snippet, Unmet};

/// At most this many bytes of a body are searched.
pub const MAX_BODY: usize = 1 << 20;

/// A text to look for in a body.
///
/// # Errors
/// That it is empty.
pub fn text_to_find(text: &str) -> Result<String, &'static str> {
    match text.is_empty() {
        true => Err("is empty: write the text to look for"),
        false => Ok(text.to_owned()),
    }
}

/// What is expected of a body: all of it must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BodyExpectations {
    /// Texts that it contains.
    pub body: Vec<String>,
    /// Texts that it does not contain.
    pub body_not: Vec<String>,
    /// What its JSON says.
    pub json: Vec<JsonExpectation>,
    /// Whether one of the texts that it contains is enough.
    pub any_of: bool,
    /// Whether the texts are found in whatever case their ASCII letters are.
    pub any_case: bool,
}

impl BodyExpectations {
    /// Whether `text` is in `body`.
    fn has(&self, body: &[u8], text: &str) -> bool {
        match self.any_case {
            true => contains(&body.to_ascii_lowercase(), &text.to_ascii_lowercase()),
            false => contains(body, text),
        }
    }

    /// Whether nothing is expected, so that the body need not be read.
    pub fn is_empty(&self) -> bool {
        self.body.is_empty() && self.body_not.is_empty() && self.json.is_empty()
    }

    /// The state before the first byte of a body.
    pub fn begin(&self) -> Coming<'_> {
        Coming {
            expected: self,
            missing: self.body.iter().collect(),
            known: 0,
        }
    }

    /// Judges the whole body, or its first [`MAX_BODY`] bytes when it is `bounded`: the first expectation that
    /// does not hold is named. Each takes time linear in the body; the deadline is looked at between them.
    ///
    /// # Errors
    /// [`Failure::Unexpected`], or [`Failure::TimedOut`] while judging.
    pub fn judge(
        &self,
        body: &[u8],
        bounded: bool,
        deadline: &Deadline,
    ) -> Result<(), Box<Failure>> {
        let is_found = self.any_of && self.body.iter().any(|text| self.has(body, text));
        for text in &self.body {
            in_time(deadline, Phase::Judge)?;
            if !is_found && (self.any_of || !self.has(body, text)) {
                let text = match self.any_of {
                    true => self.body.join("|"),
                    false => text.clone(),
                };
                return Err(Unmet::Body {
                    text,
                    bounded,
                    body: sick::kept(body),
                }
                .into());
            }
        }
        for text in &self.body_not {
            in_time(deadline, Phase::Judge)?;
            if self.has(body, text) {
                return Err(unwanted(text, body));
            }
        }
        if bounded && !(self.body_not.is_empty() && self.json.is_empty()) {
            return Err(Unmet::BodyTooLong.into());
        }
        if self.json.is_empty() {
            return Ok(());
        }
        in_time(deadline, Phase::Judge)?;
        let Some(document) = document::value(body) else {
            return Err(Unmet::NotJson {
                body: Snippet::new(body),
            }
            .into());
        };
        for expectation in &self.json {
            in_time(deadline, Phase::Judge)?;
            expectation.judge(document, body)?;
        }
        Ok(())
    }
}

/// A body that is judged as it comes. What has been searched once is not searched again.
#[derive(Debug)]
pub struct Coming<'a> {
    expected: &'a BodyExpectations,
    /// The texts of `--body` that have not come yet.
    missing: Vec<&'a String>,
    /// How much of the body has been searched.
    known: usize,
}

impl Coming<'_> {
    /// Judges `body`, which begins with what it was at the last call: whether all texts of `--body` have come. False
    /// where there are none to wait for.
    ///
    /// # Errors
    /// [`Failure::Unexpected`] for a text that should not be there, or [`Failure::TimedOut`] while the
    /// body is still coming.
    pub fn has_all(&mut self, body: &[u8], deadline: &Deadline) -> Result<bool, Box<Failure>> {
        let known = std::mem::replace(&mut self.known, body.len());
        for text in &self.expected.body_not {
            in_time(deadline, Phase::Body)?;
            if self.has_come(body, known, text) {
                return Err(unwanted(text, body));
            }
        }
        let mut at = 0;
        while let Some(text) = self.missing.get(at) {
            in_time(deadline, Phase::Body)?;
            match self.has_come(body, known, text) {
                true => _ = self.missing.swap_remove(at),
                false => at += 1,
            }
        }
        let texts = self.expected.body.len();
        let is_enough =
            self.missing.is_empty() || self.expected.any_of && self.missing.len() < texts;
        Ok(is_enough && texts > 0)
    }

    /// Whether `text` is in `body`, of which the first `known` bytes have been searched for it already. So it must end in the
    /// new bytes, and these must hold its last byte. That is looked at first: otherwise each byte of a body that comes byte by
    /// byte would cost a search as long as `text`.
    fn has_come(&self, body: &[u8], known: usize, text: &str) -> bool {
        let new = &body[known..];
        let ends = text.as_bytes().last().is_none_or(|last| {
            let same = |byte: &u8| byte.eq_ignore_ascii_case(last);
            new.contains(last) || self.expected.any_case && new.iter().any(same)
        });
        let begin = known.saturating_sub(text.len().saturating_sub(1));
        ends && self.expected.has(&body[begin..], text)
    }

    /// Judges `body` as [`Coming::has_all`] does: `Some` when no further byte can change the verdict.
    pub fn judge(&mut self, body: &[u8], deadline: &Deadline) -> Option<Result<(), Box<Failure>>> {
        let only_texts = self.expected.body_not.is_empty() && self.expected.json.is_empty();
        match self.has_all(body, deadline) {
            Ok(all) => (all && only_texts).then_some(Ok(())),
            Err(failure) => Some(Err(failure)),
        }
    }
}

/// Gives up when the deadline has passed.
fn in_time(deadline: &Deadline, phase: Phase) -> Result<(), Box<Failure>> {
    let late = |_| Box::new(Failure::TimedOut { phase, peer: None });
    deadline.remaining().map(drop).map_err(late)
}

fn unwanted(text: &str, body: &[u8]) -> Box<Failure> {
    let (text, body) = (text.to_owned(), sick::kept(body));
    Unmet::BodyNot { text, body }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::time::Duration;

    /// Time enough on any machine.
    fn ample() -> Deadline {
        Deadline::after(Duration::from_secs(3600))
    }

    fn unmet(verdict: Result<(), Box<Failure>>) -> Result<(), Unmet> {
        verdict.map_err(|failure| match *failure {
            Failure::Unexpected(unmet) => unmet,
            failure => panic!("{failure:?}"),
        })
    }

    #[test]
    fn judging_ends_at_the_deadline() {
        let over = Deadline::after(Duration::ZERO);
        let expected = BodyExpectations {
            body: vec!["UP".into()],
            body_not: vec!["DOWN".into()],
            json: vec![JsonExpectation::parse("a").unwrap()],
            any_of: false,
            any_case: false,
        };
        let late = |phase| Box::new(Failure::TimedOut { phase, peer: None });
        for one in [
            BodyExpectations {
                body: expected.body.clone(),
                ..Default::default()
            },
            BodyExpectations {
                body_not: expected.body_not.clone(),
                ..Default::default()
            },
            BodyExpectations {
                json: expected.json.clone(),
                ..Default::default()
            },
            expected,
        ] {
            assert_eq!(one.judge(b"UP", false, &over), Err(late(Phase::Judge)));
            if one.json.is_empty() {
                assert_eq!(
                    one.begin().judge(b"UP", &over),
                    Some(Err(late(Phase::Body)))
                );
            }
        }
    }

    #[test]
    fn bodies_are_judged_as_soon_as_they_can_be() {
        let wanting = BodyExpectations {
            body: vec!["UP".into(), "ok".into()],
            ..Default::default()
        };
        let ample = ample();
        // How each body comes, and after which of its parts the verdict is fixed.
        for (parts, fixed) in [
            (vec!["status UP", "status UP, ok"], 2),
            (vec!["status U", "status UP, o", "status UP, ok", "more"], 3),
            (vec!["o", "ok", "ok, status U", "ok, status UP"], 4),
            (vec!["UPok"], 1),
        ] {
            let mut coming = wanting.begin();
            let at = parts
                .iter()
                .position(|body| coming.judge(body.as_bytes(), &ample) == Some(Ok(())));
            assert_eq!(at, Some(fixed - 1), "{parts:?}");
        }
        let refusing = BodyExpectations {
            body_not: vec!["DOWN".into()],
            ..Default::default()
        };
        let mut coming = refusing.begin();
        assert_eq!(coming.judge(b"status DO", &ample), None);
        let verdict = coming.judge(b"status DOWN", &ample).map(unmet);
        assert!(matches!(verdict, Some(Err(Unmet::BodyNot { .. }))));
        assert_eq!(refusing.judge(b"status UP", false, &ample), Ok(()));
        assert_eq!(
            unmet(refusing.judge(b"status UP", true, &ample)),
            Err(Unmet::BodyTooLong)
        );
        assert!(
            matches!(unmet(wanting.judge(b"UP", true, &ample)), Err(Unmet::Body { text, bounded: true, .. }) if text == "ok")
        );
    }

    proptest! {
        /// However a body is cut into parts, the verdict comes with the first byte that fixes it.
        #[test]
        fn parts_do_not_matter(body in "[ab]{0,30}", texts in vec("[ab]{1,5}", 1..4), cuts in vec(1..6_usize, 0..30), unwanted: bool) {
            let (body_texts, body_not) = match unwanted {
                true => (Vec::new(), texts.clone()),
                false => (texts.clone(), Vec::new()),
            };
            let expected = BodyExpectations { body: body_texts, body_not, ..Default::default() };
            let (mut coming, ample) = (expected.begin(), ample());
            let mut end = 0;
            for length in cuts {
                end = body.len().min(end + length);
                let part = &body[..end];
                let verdict = coming.judge(part.as_bytes(), &ample);
                let fixed = match unwanted {
                    true => texts.iter().any(|text| part.contains(text)),
                    false => texts.iter().all(|text| part.contains(text)),
                };
                prop_assert_eq!(verdict.is_some(), fixed);
                prop_assert_eq!(verdict.is_some_and(|verdict| verdict.is_err()), fixed && unwanted);
                if fixed {
                    break;
                }
            }
        }
    }

    #[test]
    fn the_last_byte_of_the_bound_counts() {
        let wanting = BodyExpectations {
            body: vec!["UP".into()],
            ..Default::default()
        };
        let body = [&vec![b'x'; MAX_BODY - 2][..], b"UP"].concat();
        let mut coming = wanting.begin();
        assert_eq!(coming.judge(&body[..MAX_BODY - 1], &ample()), None);
        assert_eq!(coming.judge(&body, &ample()), Some(Ok(())));
    }
}
