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

/// How much of a body is looked at.
pub const MAX_LOOKED_AT: usize = 64 * 1024;
/// Arrays and objects that nest deeper are passed over, so that hostile input cannot overflow the stack.
const MAX_DEPTH: usize = 32;
/// So many are remembered, because some frameworks list a component twice.
const MAX_SICK: usize = 32;

// Case, blanks, `-` and `_` do not count, neither here nor in a body. Lists of words in one text are half as large as slices.

/// Members that say how a component is, by a word or by true and false.
const STATES: &str = "status state health healthy ok healthstatus healthstate ishealthy up isup alive isalive ready isready \
     available isavailable reachable connected success passed operational overall outcome result value";
/// The first of [`STATES`], in which the text `False` is no such word.
const BY_WORD: usize = 2;
/// The last of [`STATES`], which hold other things as well: only a clear word counts there.
const LOOSE_STATES: usize = 22;
/// Words for something that works.
const GOOD: &str = "up ok pass passed passing healthy good green true alive running ready success successful active \
     online connected available working operational serving normal yes";
/// Words for something that does not work. The first few can mean something else, such as the level of a log.
const BAD: &str = "error critical crit fatal red major bad stopped false no down outofservice fail failed failing failure \
     errored unhealthy notok nok ko unavailable serviceunavailable dead offline unreachable disconnected notconnected broken \
     notready notserving outage majoroutage crashed timeout timedout healtherr inoperative faulted";
const CLEAR: usize = 10;
/// Words for something that works badly. It is named where nothing is worse.
const WEAK: &str =
    "degraded warn warning yellow impaired unstable partialoutage degradedperformance healthwarn";
/// Members that say why, the best first. A longer name that ends in one of these is one too: `lastError`.
const REASONS: &str = "error exception message output reason cause symptom msg stderr description detail summary title";
/// The last of [`REASONS`], which can also be the description of the service: not enough by itself.
const LOOSE_REASONS: usize = 9;
/// Members that name a component where its key does not.
const NAMES: &str =
    "name component componentname service servicename check checkname key displayname";
const IDS: &str = "id componentid checkid type";
/// Keys that name no component, but what holds components, or parts of one. The first few hold nothing else.
const GENERIC: &str = "checks components dependencies services entries indicators probes healthchecks status health details \
     detail data results result info error errors failures failed failing causes exception response body value report items \
     check component meta attributes summary healthcheck conditions";
const HOLDERS: usize = 10;
/// Keys of what has failed: all in them has.
const FAILURES: &str = "failures failed failing errors unhealthy problems";
/// Members whose words are not about health.
const LEVELS: &str = "level loglevel severity type kind code action";
/// What the text of something that does not work has in it, beside others that say that they do.
const PHRASES: [&str; 8] = [
    "refused",
    "timeout",
    "timed out",
    "unreach",
    "unavailable",
    "fail",
    "error",
    "no such host",
];

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
    /// Whether it is in an object of what has failed.
    has_failed: bool,
    depth: usize,
}

/// What a value says of the component that it belongs to.
#[derive(Clone, Copy, Default)]
struct Said<'a> {
    /// How sick the worst component in it is.
    severity: u8,
    reason: Reason<'a>,
}

/// A text that may say why, and how good it is; 0 is the best.
#[derive(Clone, Copy)]
struct Reason<'a>(usize, &'a str);

impl Default for Reason<'_> {
    fn default() -> Self {
        Reason(usize::MAX, "")
    }
}

impl<'a> Reason<'a> {
    fn or_better(&mut self, other: Reason<'a>) {
        if other.0 < self.0 {
            *self = other;
        }
    }
}

struct Walk<'a, 'f> {
    rest: Tokens<'a>,
    found: &'f mut Found<'a>,
}

impl<'a> Walk<'a, '_> {
    fn value(&mut self, place: &Place<'a>) -> Said<'a> {
        match self.rest.first() {
            b'{' if place.depth < MAX_DEPTH => self.object(place),
            b'[' if place.depth < MAX_DEPTH => self.array(place),
            _ => Said {
                severity: 0,
                reason: string(self.rest.value(), self.rest)
                    .zip(rank_of_many(place.key))
                    .map_or_else(Reason::default, |(text, rank)| Reason(rank, text)),
            },
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
        let generic = index(GENERIC, place.key);
        let of_failures = index(FAILURES, place.key).is_some();
        let has_failed = place.has_failed || (of_failures && place.in_array);
        let is_named = !place.in_array && !place.key.is_empty() && generic.is_none();
        let mut object = Object {
            name: if is_named { place.key } else { "" },
            holds_components: !place.in_array && generic.is_some_and(|at| at < HOLDERS),
            is_map_of_failures: of_failures && !place.in_array,
            ..Object::default()
        };
        // What is inside of an array is called as the array is, unless it has a name.
        let inherited = match generic {
            None if !place.key.is_empty() => place.key,
            _ => place.name,
        };
        let mut severity = 0;
        self.rest.take(1);
        while !matches!(self.rest.first(), b'}' | b']') {
            let key = string(self.rest.value(), self.rest).unwrap_or_default();
            // The colon.
            self.rest.take(1);
            match self.rest.first() {
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
                        depth: place.depth + 1,
                    });
                    severity = severity.max(said.severity);
                    object.holds(key, said.reason);
                }
                _ => {
                    let value = self.rest.value();
                    object.member(key, value, string(value, self.rest));
                }
            }
            if self.rest.first() == b',' {
                self.rest.take(1);
            }
        }
        self.rest.take(1);
        let name = [object.name, inherited, object.id];
        let name = name
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or_default();
        let is_failure = has_failed && !object.has_state && !name.is_empty();
        // The words of a component are about itself.
        if place.depth == 0 || !object.has_state {
            severity = severity.max(self.members(&object));
        }
        let reason = object.reason;
        let own = match object.state {
            None if is_failure && reason.0 != usize::MAX => Some((2, "", "")),
            state => state,
        };
        if let Some((own, not, state)) = own
            && own > severity
            // That the whole service is ill is known already; why it is, is not.
            && (reason.0 < LOOSE_REASONS || (place.depth > 0 && !name.is_empty()))
        {
            self.add(
                own,
                Sick {
                    name,
                    not,
                    state,
                    reason: reason.1,
                },
            );
            severity = own;
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
            let counts = match sort {
                Sort::Clear => true,
                Sort::Word => object.words > 1 || object.holds_components,
                Sort::Phrase => object.has_good && object.words + object.phrases == object.texts,
                Sort::Failure => object.reason.0 == usize::MAX,
            };
            if counts {
                self.add(severity, sick);
                worst = worst.max(severity);
            }
        }
        worst
    }

    fn add(&mut self, severity: u8, sick: Sick<'a>) {
        let found = &mut *self.found;
        if severity > found.severity {
            found.severity = severity;
            found.sick.clear();
            found.more = 0;
        }
        let same = |other: &Sick| (other.name, other.state) == (sick.name, sick.state);
        if severity < found.severity || found.sick.iter().any(same) {
            return;
        }
        match found.sick.len() < MAX_SICK {
            true => found.sick.push(sick),
            false => found.more += 1,
        }
    }
}

/// What the members of an object have said so far.
#[derive(Default)]
struct Object<'a> {
    name: &'a str,
    id: &'a str,
    /// How sick it is, and by which member and word.
    state: Option<(u8, &'a str, &'a str)>,
    has_state: bool,
    reason: Reason<'a>,
    /// The members that may be sick components, and why they are taken for that.
    members: Vec<(Sort, u8, Sick<'a>)>,
    /// How many members are words for a state.
    words: usize,
    has_good: bool,
    /// How many members are texts, and how many are such as those of errors.
    texts: usize,
    phrases: usize,
    holds_components: bool,
    is_map_of_failures: bool,
}

/// Why a member is taken for a component.
#[derive(Clone, Copy)]
enum Sort {
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
    /// Notes a member that is an object or an array, which gave this reason.
    fn holds(&mut self, key: &str, reason: Reason<'a>) {
        if reason.0 == usize::MAX {
            return;
        }
        if let Some(rank) = rank_of_many(key) {
            self.reason.or_better(Reason(rank, reason.1));
        } else if index(GENERIC, key).is_some() {
            self.reason.or_better(reason);
        }
    }

    /// Notes a member that is a scalar: `text` if it is a string.
    fn member(&mut self, key: &'a str, value: &'a str, text: Option<&'a str>) {
        let state = index(STATES, key);
        let severity = match text {
            Some(text) => severity(text),
            None if value == "false" => Some((2, 0)),
            None if value == "true" => Some((0, 0)),
            None => return,
        };
        let is_word = text.is_some();
        self.texts += usize::from(is_word);
        self.words += usize::from(is_word && severity.is_some());
        self.has_good |= is_word && matches!(severity, Some((0, _)));
        match (state, severity) {
            (Some(at), severity) => {
                let is_loose = at >= LOOSE_STATES;
                let is_false = matches!(text.unwrap_or(value), "false" | "False");
                // Kubernetes writes the status of a condition so, and it may be good that it does not hold.
                if at < BY_WORD && is_word && is_false {
                    self.has_state = true;
                    return;
                }
                self.has_state |= !is_loose || severity.is_some();
                if let Some((severity @ 1.., rank)) = severity
                    && !(is_loose && rank < CLEAR)
                    && self.state.is_none_or(|(worst, ..)| severity > worst)
                {
                    self.state = Some(match is_false {
                        true => (severity, key, ""),
                        false => (severity, "", text.unwrap_or_default()),
                    });
                }
                return;
            }
            (None, Some((severity @ 1.., at)))
                if index(LEVELS, key).is_none() && rank(key).is_none() =>
            {
                let sort = match at >= CLEAR && is_word {
                    true => Sort::Clear,
                    false => Sort::Word,
                };
                if is_word || self.holds_components {
                    self.may_be(sort, severity, key, text.unwrap_or(value), "");
                }
                return;
            }
            _ => {}
        }
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return;
        };
        if let Some(rank) = rank(key) {
            if severity != Some((0, 0)) {
                self.reason.or_better(Reason(rank, text));
            }
        } else if self.name.is_empty() && index(NAMES, key).is_some() {
            self.name = text;
        } else if index(IDS, key).is_some() {
            self.id = text;
        }
        if self.is_map_of_failures {
            self.may_be(Sort::Failure, 2, key, "", text);
        } else if rank(key).is_none() && severity.is_none() && has_phrase(text) {
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

/// The inside of a string that is whole. Only the last token can be cut short.
fn string<'a>(value: &'a str, rest: Tokens) -> Option<&'a str> {
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

/// Whether this is a word for the state of something.
pub fn is_word(text: &str) -> bool {
    severity(text).is_some()
}

/// How sick a word says that something is: 0 is not at all, 2 is down. And which of these words it is.
fn severity(word: &str) -> Option<(u8, usize)> {
    let of = |words, severity| index(words, word).map(|at| (severity, at));
    of(BAD, 2)
        .or_else(|| of(GOOD, 0).map(|_| (0, 0)))
        .or_else(|| of(WEAK, 1))
}

/// How good the reason is that a member with this name gives.
fn rank(key: &str) -> Option<usize> {
    REASONS.split(' ').position(|word| {
        let mut end = plain(key).rev();
        word.bytes().rev().all(|byte| end.next() == Some(byte))
    })
}

/// The same for a member that can hold several.
fn rank_of_many(key: &str) -> Option<usize> {
    rank(key).or_else(|| rank(key.strip_suffix('s')?))
}

/// Which of `words` this is.
fn index(words: &str, text: &str) -> Option<usize> {
    words
        .split(' ')
        .position(|word| plain(text).eq(word.bytes()))
}

fn plain(text: &str) -> impl DoubleEndedIterator<Item = u8> {
    let counts = |byte: &u8| !matches!(byte, b'_' | b'-' | b' ');
    text.bytes()
        .filter(counts)
        .map(|byte| byte.to_ascii_lowercase())
}

fn has_phrase(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    PHRASES
        .iter()
        .any(|phrase| crate::search::contains(text.as_bytes(), phrase))
}

#[cfg(test)]
mod tests;
