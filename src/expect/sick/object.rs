//! What the members of an object say of it.

use super::super::document::Tokens;
use super::Sick;
use super::words::{
    ALL_REASONS, BY_WORD, GENERIC, IDS, LEVELS, LOOSE_STATES, NAMES, NEGATIVE, NONE, NOTHING,
    OWN_IDS, PAST, REASONS, REMARKS, STATES, State, Word, has_phrase, index, is_code, is_link,
    rank_of_many, state, with_reason,
};

/// A text that may say why, and how good it is: as [`rank`] has it.
#[derive(Clone, Copy)]
pub struct Reason<'a>(pub usize, pub &'a str);

/// The rank of a text that may say why as well as anything else.
const REMARK: usize = 2 * ALL_REASONS;

impl Default for Reason<'_> {
    fn default() -> Self {
        Reason(NONE, "")
    }
}

impl<'a> Reason<'a> {
    pub fn or_better(&mut self, other: Reason<'a>) {
        if other.0 < self.0 {
            *self = other;
        }
    }
}

/// What the members of an object have said so far.
#[derive(Default)]
pub struct Object<'a> {
    pub name: &'a str,
    pub id: &'a str,
    /// Whether the id is one of this object, and not of its kind.
    pub has_own_id: bool,
    /// How sick it is, and by which member and word.
    pub severity: u8,
    pub not: &'a str,
    pub state: &'a str,
    pub has_state: bool,
    pub is_well: bool,
    pub reason: Reason<'a>,
    /// The members that may be sick components, and why they are taken for that.
    pub members: Vec<(Sort, u8, Sick<'a>)>,
    /// How many members are words for a state, the state of the object itself aside.
    pub words: usize,
    pub has_good: bool,
    /// How many other members are texts, and how many of these are such as those of errors.
    pub texts: usize,
    pub phrases: usize,
    /// Whether a member is the level or the code of an event.
    pub has_level: bool,
    pub holds_components: bool,
    pub is_map_of_failures: bool,
}

/// Why a member is taken for a component.
#[derive(Clone, Copy)]
pub enum Sort {
    /// It is a word that always means this.
    Clear,
    /// It is such a word, if another one is good, or where components are expected.
    Word,
    /// It is not true, where components are expected, and beside it is no other text and no code of an error.
    False,
    /// It is the text of an error, where components are expected, or if another member is well and there is no other text.
    Phrase,
    /// It is one of what has failed.
    Failure,
}

impl<'a> Object<'a> {
    /// Whether members of this sort are components, after all have been noted.
    pub fn counts(&self, sort: Sort) -> bool {
        match sort {
            Sort::Clear => true,
            Sort::Word => (self.words > 1 && self.has_good) || self.holds_components,
            Sort::False => self.holds_components && self.words == self.texts && !self.has_level,
            Sort::Phrase => {
                let is_all = self.words + self.phrases == self.texts;
                self.holds_components || (self.has_good && is_all)
            }
            Sort::Failure => self.reason.0 == NONE,
        }
    }

    /// Notes the members that say how the object is before the others, since they can stand behind them. Looks at `most`
    /// members, and returns how many are left of that.
    pub fn look_ahead(&mut self, mut rest: Tokens<'a>, mut most: usize) -> usize {
        while most > 0 && !matches!(rest.first(), b'}' | b']') {
            let key = string(rest.value(), rest).unwrap_or_default();
            // The colon.
            rest.take(1);
            let value = rest.value();
            if index(STATES, key) != NONE {
                self.member(key, value, string(value, rest));
            }
            if rest.first() == b',' {
                rest.take(1);
            }
            most -= 1;
        }
        most
    }

    /// Whether a member that is an object or an array is about what was before, and not about a component. That can only
    /// be told where the object has said how it is now.
    pub fn is_past(&self, key: &str, depth: usize) -> bool {
        let is_past = || index(PAST, key) != NONE || key.starts_with("last");
        (self.is_well || (self.has_state && depth > 0)) && is_past() && rank_of_many(key) == NONE
    }

    /// Notes a member that is an object or an array, which gave this reason.
    pub fn holds(&mut self, key: &str, reason: Reason<'a>) {
        let rank = match rank_of_many(key) {
            _ if reason.0 == NONE => NONE,
            // What is not said to be a reason is none of what is around it.
            NONE if index(GENERIC, key) != NONE => reason.0,
            _ if reason.0 == REMARK => NONE,
            rank if index(GENERIC, key) != NONE => rank.min(reason.0),
            rank => rank,
        };
        self.reason.or_better(Reason(rank, reason.1));
    }

    /// Notes a member that is a scalar: `text` if it is a string.
    pub fn member(&mut self, key: &'a str, value: &'a str, text: Option<&'a str>) {
        let said = match text {
            Some(text) => state(text),
            None if value == "false" => Some(State::Bad),
            None if value == "true" => Some(State::Good),
            None => {
                self.has_level |= index(LEVELS, key) != NONE;
                return;
            }
        };
        let is_word = text.is_some();
        let text = text.unwrap_or_default();
        let word = &Word::new(key);
        let (at, rank) = (word.index(STATES), word.ending(REASONS));
        if at != NONE {
            let (mut said, mut text) = (said, text);
            if said.is_none()
                && let Some((state, word, reason)) = with_reason(text)
            {
                (said, text) = (Some(state), word);
                self.reason.or_better(Reason(0, reason));
            }
            self.state(key, (at, said), is_word.then_some(text));
            return;
        }
        if rank == NONE && key.starts_with("last") {
            return;
        }
        self.has_level |= word.index(LEVELS) != NONE;
        // A time or a version stands beside components.
        let is_number = text.as_bytes().first().is_some_and(u8::is_ascii_digit);
        let is_other = rank == NONE || said.is_none();
        self.texts += usize::from(is_word && is_other && !is_number && !word.is_label());
        let severity = said.map_or(0, State::severity);
        let is_plain = said.is_some() && rank == NONE && !word.is_label();
        let is_setting = said == Some(State::Setting) && !self.holds_components;
        if is_word && is_plain && !is_setting {
            self.words += 1;
            self.has_good |= said == Some(State::Good);
        }
        if severity > 0 && is_plain && !is_setting {
            let (sort, state) = match said {
                Some(State::Clear) => (Sort::Clear, text),
                // That it has not failed is good.
                _ if !is_word && word.ending(NEGATIVE) != NONE => return,
                _ if !is_word => (Sort::False, value),
                _ => (Sort::Word, text),
            };
            self.may_be(sort, severity, key, state, "");
        } else if !text.is_empty() {
            self.text(key, text, said, rank);
        }
    }

    /// Notes a member that says how the object is: `text` if it is no `true` or `false`.
    fn state(&mut self, key: &'a str, (at, said): (usize, Option<State>), text: Option<&'a str>) {
        let is_loose = at >= LOOSE_STATES;
        let is_false = text.is_none_or(|text| matches!(text, "false" | "False"));
        let severity = said.map_or(0, State::severity);
        let is_clear = said == Some(State::Clear);
        // Kubernetes writes the status of a condition so, and it may be good that it does not hold.
        let is_condition = at < BY_WORD && text == Some("False");
        self.has_state |= !is_loose || said.is_some();
        self.is_well |= said == Some(State::Good) && !is_loose;
        if severity > self.severity && (is_clear || !is_loose) && !is_condition {
            self.severity = severity;
            (self.not, self.state) = match text {
                Some(text) if !is_false => ("", text),
                _ => (key, ""),
            };
        }
    }

    /// Notes a member that is a text, and no word for a state that is bad.
    fn text(&mut self, key: &'a str, text: &'a str, said: Option<State>, rank: usize) {
        let word = &Word::new(key);
        let id = word.index(IDS);
        if rank != NONE {
            if said != Some(State::Good) && index(NOTHING, text) == NONE {
                let behind = if is_code(text) { ALL_REASONS } else { 0 };
                self.reason.or_better(Reason(rank + behind, text));
            }
        } else if self.name.is_empty() && word.index(NAMES) != NONE {
            self.name = text;
        } else if id != NONE && (self.id.is_empty() || (id < OWN_IDS && !self.has_own_id)) {
            self.id = text;
            self.has_own_id = id < OWN_IDS;
        }
        if self.is_map_of_failures {
            let is_count = text.bytes().all(|byte| byte.is_ascii_digit());
            let is_none = said == Some(State::Good) || index(NOTHING, text) != NONE;
            if !is_count && !is_none && !is_link(text) {
                self.may_be(Sort::Failure, 2, key, "", text);
            }
            return;
        }
        // Several words are better than none, where nothing else says why.
        let is_remark = word.ending(REMARKS) == NONE && !word.is_label();
        if rank == NONE && said.is_none() && is_remark && text.contains(' ') {
            let rank = rank_of_many(key).min(REMARK);
            self.reason.or_better(Reason(rank, text));
        }
        let is_plain = rank == NONE && !word.is_label() && !word.is_about_errors();
        if is_plain && said.is_none() && has_phrase(text) {
            self.phrases += 1;
            self.may_be(Sort::Phrase, 2, key, "", text);
        }
    }

    fn may_be(&mut self, sort: Sort, severity: u8, name: &'a str, state: &'a str, reason: &'a str) {
        let sick = Sick {
            name,
            not: "",
            state,
            reason,
        };
        if !name.is_empty() {
            self.members.push((sort, severity, sick));
        }
    }
}

/// The inside of a string that is whole. Only the last token can be cut short.
pub fn string<'a>(value: &'a str, rest: Tokens) -> Option<&'a str> {
    let inside = value.strip_prefix('"')?.strip_suffix('"')?;
    let backslashes = || {
        inside
            .bytes()
            .rev()
            .take_while(|&byte| byte == b'\\')
            .count()
    };
    (!rest.0.is_empty() || backslashes() % 2 == 0).then_some(inside)
}
