//! What the members of an object say of it.

use super::words::{
    BY_WORD, GENERIC, IDS, LEVELS, LOOSE_STATES, NAMES, NONE, STATES, State, has_phrase, index,
    rank, rank_of_many, state,
};
use super::{MAX_SICK, Sick};

/// A text that may say why, and how good it is: as [`rank`] has it.
#[derive(Clone, Copy)]
pub struct Reason<'a>(pub usize, pub &'a str);

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
    /// How sick it is, and by which member and word.
    pub severity: u8,
    pub not: &'a str,
    pub state: &'a str,
    pub has_state: bool,
    pub reason: Reason<'a>,
    /// The members that may be sick components, and why they are taken for that.
    pub members: Vec<(Sort, u8, Sick<'a>)>,
    /// How many members are words for a state.
    pub words: usize,
    pub has_good: bool,
    /// How many members are texts, and how many are such as those of errors.
    pub texts: usize,
    pub phrases: usize,
    pub holds_components: bool,
    pub is_map_of_failures: bool,
}

/// Why a member is taken for a component.
#[derive(Clone, Copy)]
pub enum Sort {
    /// It is a word that always means this.
    Clear,
    /// It is such a word, if there are more of them.
    Word,
    /// It is the text of an error, if another member is well.
    Phrase,
    /// It is one of what has failed.
    Failure,
}

impl<'a> Object<'a> {
    /// Whether members of this sort are components, after all have been noted.
    pub fn counts(&self, sort: Sort) -> bool {
        match sort {
            Sort::Clear => true,
            Sort::Word => self.words > 1 || self.holds_components,
            Sort::Phrase => self.has_good && self.words + self.phrases == self.texts,
            Sort::Failure => self.reason.0 == NONE,
        }
    }

    /// Notes a member that is an object or an array, which gave this reason.
    pub fn holds(&mut self, key: &str, reason: Reason<'a>) {
        let rank = match rank_of_many(key) {
            _ if reason.0 == NONE => NONE,
            NONE if index(GENERIC, key) != NONE => reason.0,
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
            None => return,
        };
        let is_word = text.is_some();
        let text = text.unwrap_or_default();
        if is_word {
            self.texts += 1;
            self.words += usize::from(said.is_some());
            self.has_good |= said == Some(State::Good);
        }
        let severity = said.map_or(0, State::severity);
        let is_clear = said == Some(State::Clear);
        let (at, rank) = (index(STATES, key), rank(key));
        if at != NONE {
            let is_loose = at >= LOOSE_STATES;
            let is_false = !is_word || matches!(text, "false" | "False");
            self.has_state |= !is_loose || said.is_some();
            // Kubernetes writes the status of a condition so, and it may be good that it does not hold.
            let is_condition = at < BY_WORD && is_word && is_false;
            if severity > self.severity && (is_clear || !is_loose) && !is_condition {
                self.severity = severity;
                (self.not, self.state) = if is_false { (key, "") } else { ("", text) };
            }
        } else if severity > 0 && rank == NONE && index(LEVELS, key) == NONE {
            let sort = if is_clear { Sort::Clear } else { Sort::Word };
            if is_word || self.holds_components {
                let state = if is_word { text } else { value };
                self.may_be(sort, severity, key, state, "");
            }
        } else if !text.is_empty() {
            self.text(key, text, said, rank);
        }
    }

    /// Notes a member that is a text, and no word for a state that is bad.
    fn text(&mut self, key: &'a str, text: &'a str, said: Option<State>, rank: usize) {
        if rank != NONE {
            if said != Some(State::Good) {
                self.reason.or_better(Reason(rank, text));
            }
        } else if self.name.is_empty() && index(NAMES, key) != NONE {
            self.name = text;
        } else if index(IDS, key) != NONE {
            self.id = text;
        }
        if self.is_map_of_failures {
            self.may_be(Sort::Failure, 2, key, "", text);
        } else if rank == NONE && said.is_none() && has_phrase(text) {
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
        if !name.is_empty() && self.members.len() <= MAX_SICK {
            self.members.push((sort, severity, sick));
        }
    }
}
