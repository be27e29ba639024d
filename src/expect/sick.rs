//! What a JSON body says is not well: one rule for the health pages of all frameworks. Pure.
//!
//! A component is an object with a member such as `status` or `healthy`, or a member of an object of such words. It is sick
//! if that says so, and is named where nothing inside of it is as sick: the database, and not the application that needs
//! it. Numbers say nothing: `"status": 503` repeats the response's.
//!
//! The body is read as far as it goes, since it can be cut short, in one pass without a tree, like
//! [`document`](super::document).

use super::document::Tokens;
use crate::verdict::Snippet;
use object::{Object, Reason, string};
use words::{
    DATA, ERRORS, FAILURES, GENERIC, HOLDERS, LOOSE_REASONS, NONE, Word, has_phrase, rank_of_many,
};

mod object;
mod words;

/// How much of a body is looked at.
pub const MAX_LOOKED_AT: usize = 64 * 1024;
/// Arrays and objects that nest deeper are passed over, so that hostile input cannot overflow the stack.
const MAX_DEPTH: usize = 32;
/// Objects that nest deeper are not looked ahead in, which reads what is in them once more.
const MAX_DEPTH_AHEAD: usize = 5;
/// So many are remembered, because some frameworks list a component twice.
const MAX_SICK: usize = 32;
/// So many values are looked at. The walk takes place while the deadline passes, and this many take less than 2 ms.
const MAX_VALUES: usize = 3000;

/// The sick components of a body, in its order.
#[derive(Debug, Default)]
pub struct Found<'a> {
    /// The first of the worst. Their texts are the insides of JSON strings, as they came.
    pub sick: Vec<Sick<'a>>,
    /// How many more were found than are remembered.
    pub more: usize,
    severity: u8,
}

/// A component that is not well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sick<'a> {
    /// What it is called; empty for the whole service.
    pub name: &'a str,
    /// The member that is false, where it is no word.
    pub not: &'a str,
    /// The word for its state; can be empty.
    pub state: &'a str,
    /// Why, as far as it is said.
    pub reason: &'a str,
}

/// The components that `body` says are sick; none if it is no JSON.
pub fn in_json(body: &[u8]) -> Found<'_> {
    let mut found = Found::default();
    if !looks_like_json(body) {
        return found;
    }
    let body = &body[..body.len().min(MAX_LOOKED_AT)];
    // A character that is cut in two, or is none, ends what can be read.
    let text = body.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let mut walk = Walk {
        rest: Tokens(text.trim_ascii_start()),
        found: &mut found,
        left: MAX_VALUES,
        ahead: MAX_VALUES,
    };
    walk.value(&Place::default());
    found
}

/// What is kept of a body that is not as expected: its beginning, and as much as is looked at here.
pub fn kept(body: &[u8]) -> Snippet {
    match looks_like_json(body) {
        true => Snippet::long(body, MAX_LOOKED_AT),
        false => Snippet::new(body),
    }
}

/// Whether a body can be a JSON object or array, by its first byte.
pub fn looks_like_json(body: &[u8]) -> bool {
    matches!(body.trim_ascii_start(), [b'{' | b'[', ..])
}

/// Where a value stands.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    /// The key of it, or of the array that it is in.
    key: &'a str,
    /// What the component is called that it belongs to.
    name: &'a str,
    in_array: bool,
    /// Whether it is in an object of what has failed, or of components.
    has_failed: bool,
    in_holder: bool,
    /// Whether the object that it is in is a component, and whether one around it says that it is well.
    in_component: bool,
    in_well: bool,
    depth: usize,
}

/// What a value says of the component that it belongs to.
#[derive(Clone, Copy, Default)]
struct Said<'a> {
    /// How sick the worst component in it is.
    severity: u8,
    reason: Reason<'a>,
}

struct Walk<'a, 'f> {
    rest: Tokens<'a>,
    found: &'f mut Found<'a>,
    /// How many values are still looked at.
    left: usize,
    /// How many are still looked at ahead.
    ahead: usize,
}

impl<'a> Walk<'a, '_> {
    fn value(&mut self, place: &Place<'a>) -> Said<'a> {
        self.count();
        match self.rest.first() {
            b'{' if place.depth < MAX_DEPTH => self.object(place),
            b'[' if place.depth < MAX_DEPTH => self.array(place),
            _ => Said {
                severity: 0,
                reason: match string(self.rest.value(), self.rest) {
                    Some(text) => Reason(rank_of_many(place.key), text),
                    None => Reason::default(),
                },
            },
        }
    }

    /// Counts a value. Behind the last that is looked at, the body is as if cut.
    fn count(&mut self) {
        match self.left {
            0 => self.rest = Tokens(""),
            _ => self.left -= 1,
        }
    }

    fn array(&mut self, place: &Place<'a>) -> Said<'a> {
        let place = Place {
            in_array: true,
            depth: place.depth + 1,
            ..*place
        };
        let mut all = Said::default();
        self.rest.take(1);
        while !matches!(self.rest.first(), b'}' | b']') {
            let said = self.value(&place);
            all.severity = all.severity.max(said.severity);
            all.reason.or_better(said.reason);
            if self.rest.first() == b',' {
                self.rest.take(1);
            }
        }
        self.rest.take(1);
        all
    }

    fn object(&mut self, place: &Place<'a>) -> Said<'a> {
        let word = &Word::new(place.key);
        let generic = word.index(GENERIC);
        let of_failures = word.index(FAILURES) != NONE;
        let is_data = place.in_component && !place.in_array && word.index(DATA) != NONE;
        let has_failed = place.has_failed || (of_failures && place.in_array);
        let is_named = !place.in_array && !place.key.is_empty() && generic == NONE;
        let is_component = is_named || place.in_array;
        let mut object = Object {
            name: if is_named { place.key } else { "" },
            holds_components: !place.in_array && generic < HOLDERS,
            is_map_of_failures: of_failures && !place.in_array,
            ..Object::default()
        };
        // What is inside of an array is called as the array is, unless it has a name.
        let inherited = match place.key {
            "" => place.name,
            key if generic == NONE => key,
            _ => place.name,
        };
        let mut severity = 0;
        self.rest.take(1);
        if is_component && place.depth < MAX_DEPTH_AHEAD {
            self.ahead = object.look_ahead(self.rest, self.ahead);
        }
        while !matches!(self.rest.first(), b'}' | b']') {
            let key = string(self.rest.value(), self.rest).unwrap_or_default();
            // The colon.
            self.rest.take(1);
            match self.rest.first() {
                b'{' | b'[' if object.is_past(key, place.depth) => _ = self.rest.value(),
                b'{' | b'[' => {
                    let said = self.value(&Place {
                        key,
                        name: if object.name.is_empty() {
                            inherited
                        } else {
                            object.name
                        },
                        in_array: false,
                        has_failed: object.is_map_of_failures,
                        in_holder: object.holds_components,
                        in_component: is_component,
                        in_well: place.in_well || (is_component && object.is_well),
                        depth: place.depth + 1,
                    });
                    severity = severity.max(said.severity);
                    object.holds(key, said.reason);
                }
                _ => {
                    self.count();
                    let value = self.rest.value();
                    object.member(key, value, string(value, self.rest));
                }
            }
            if self.rest.first() == b',' {
                self.rest.take(1);
            }
        }
        self.rest.take(1);
        let name = match place.in_array && object.has_own_id {
            true => [object.name, object.id, inherited],
            false => [object.name, inherited, object.id],
        };
        let name = name
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or_default();
        let has_error = place.in_holder && object.reason.0 < ERRORS;
        let is_failure = (has_failed || has_error) && !object.has_state && !name.is_empty();
        // The words of a component are about itself.
        if (place.depth == 0 || !object.has_state) && !is_data && !place.in_well {
            severity = severity.max(self.members(&object));
        }
        let reason = object.reason;
        let own = match object.severity {
            0 if is_failure && reason.0 != NONE => 2,
            // What says that it is well can do without this.
            severity if place.in_well => severity.min(1),
            severity => severity,
        };
        // That the whole service is ill is known already; why it is, is not.
        let is_news = reason.0 < LOOSE_REASONS || (place.depth > 0 && !name.is_empty());
        let sick = Sick {
            name,
            not: object.not,
            state: object.state,
            reason: reason.1,
        };
        if own > severity && is_news {
            severity = own;
            self.add(own, sick);
        } else if own > 0 && own == severity {
            self.explain(sick);
            // Those that are sick do not say why; the service may.
            let is_error = reason.0 < ERRORS || (is_news && has_phrase(reason.1));
            if place.depth == 0
                && is_error
                && self.found.sick.iter().all(|one| one.reason.is_empty())
            {
                self.add(own, sick);
            }
        }
        let reason = match object.has_state || is_failure {
            true => Reason::default(),
            false => reason,
        };
        Said { severity, reason }
    }

    /// Adds the members that are components themselves. Returns how sick the worst is.
    fn members(&mut self, object: &Object<'a>) -> u8 {
        let mut worst = 0;
        for &(sort, severity, sick) in &object.members {
            if object.counts(sort) {
                self.add(severity, sick);
                worst = worst.max(severity);
            }
        }
        worst
    }

    /// A component whose state was in an object of its own, without a reason, gets the reason that stands beside that.
    fn explain(&mut self, sick: Sick<'a>) {
        let last = self.found.sick.last_mut();
        if let Some(last) = last.filter(|last| last.name == sick.name && last.reason.is_empty()) {
            *last = sick;
        }
    }

    fn add(&mut self, severity: u8, sick: Sick<'a>) {
        let found = &mut *self.found;
        if severity > found.severity {
            found.severity = severity;
            found.sick.clear();
            found.more = 0;
        }
        if severity < found.severity || found.sick.contains(&sick) {
            return;
        }
        match found.sick.len() < MAX_SICK {
            true => found.sick.push(sick),
            false => found.more += 1,
        }
    }
}

/// Whether this is a word for the state of something.
pub fn is_word(text: &str) -> bool {
    words::state(text).is_some()
}

#[cfg(test)]
mod tests;
