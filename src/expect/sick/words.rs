//! The words that health pages use.

use crate::search::{contains, split_once};

/// Words, each after its length, so that a search skips from one to the next. Case, blanks, `-` and `_` do not count,
/// neither here nor in a body.
type Words = &'static [u8];

/// Members that say how a component is, by a word or by true and false.
pub const STATES: Words = &listed(
    b" status state health healthy ok healthstatus healthstate ishealthy up isup alive isalive ready isready \
     available isavailable reachable connected success passed pass operational overall outcome result value",
);
/// The first of [`STATES`], in which the text `False` is no such word.
pub const BY_WORD: usize = 2;
/// The last of [`STATES`], which hold other things as well: only a clear word counts there.
pub const LOOSE_STATES: usize = 23;
/// Words for something that works.
const GOOD: Words = &listed(
    b" up ok pass passed passing healthy good green true alive running ready success successful active \
     online connected available working operational serving normal yes",
);
/// Words for something that does not work. The first few can mean something else, such as a setting or the level of a log.
pub const BAD: Words = &listed(
    b" no false stopped bad error critical crit fatal red major down outofservice fail failed failing failure \
     errored unhealthy notok nok ko unavailable serviceunavailable dead offline unreachable disconnected notconnected broken \
     notready notserving nothealthy notfound outage majoroutage crashed exited oomkilled timeout timedout healtherr \
     inoperative faulted fault terminated problem stale missing expired unresponsive internalservererror badgateway",
);
/// So many of [`BAD`] are the values of settings. They say something where components are expected only.
const SETTINGS: usize = 4;
const CLEAR_FROM: usize = 10;
/// What the names of members end in of which it is good that they are false.
pub const NEGATIVE: Words = &listed(
    b" down fail failed failing failure error errors critical crashed broken stopped timeout timedout dead offline \
     unhealthy unavailable degraded maintenance maintenancemode overloaded exceeded full draining readonly locked sealed \
     disabled stale missing required expired pending blocked paused slow limited throttled saturated stuck standby debug \
     dryrun migration restart",
);
/// Words for something that works badly. It is named where nothing is worse.
const WEAK: Words = &listed(
    b" degraded warn warning yellow impaired unstable partialoutage degradedperformance healthwarn",
);
/// What stands where an error would, if there was one.
pub const NOTHING: Words = &listed(b" none null nil no false na");
/// Members that say why, the best first. A longer name that ends in one of these is one too: `lastError`.
pub const REASONS: Words = &listed(
    b" error exception message output reason cause symptom msg stderr err description detail summary title trace",
);
/// The first of [`REASONS`], which a component has only if it is sick.
pub const ERRORS: usize = 2;
/// The last of [`REASONS`], which can also be the description of the service: not enough by itself.
pub const LOOSE_REASONS: usize = 10;
/// How many [`REASONS`] there are.
pub const ALL_REASONS: usize = 15;
/// What the names of members end in whose texts say nothing of a state, however many words they have.
pub const REMARKS: Words = &listed(b" time date timestamp at since checked version uptime");
/// Members that name a component where its key does not.
pub const NAMES: Words = &listed(
    b" name component componentname service servicename check checkname checker key displayname label alias target \
     resource module queue dependency",
);
/// Members that name a component where nothing else does.
pub const IDS: Words =
    &listed(b" id node serviceid url endpoint host address componentid checkid type");
/// The first of [`IDS`], which name one of an array better than the key of the array does.
pub const OWN_IDS: usize = 7;
/// What the members end in that say what an error is, and are no components.
pub const LABELS: Words = &listed(b" code text phrase name type class kind level");
/// `status` with one of these before it is about the whole.
pub const WHOLE: Words = &listed(b" globalstatus overallstatus httpstatus");
/// Keys that name no component, but what holds components, or parts of one. The first few hold nothing else.
pub const GENERIC: Words = &listed(
    b" checks components dependencies services entries indicators probes healthchecks status health details \
     detail data results result info error errors failures failed failing causes exception response body value report items \
     check component meta attributes summary healthcheck conditions extra",
);
/// So many of [`GENERIC`] hold components only.
pub const HOLDERS: usize = 10;
/// Keys of what is known of a component, if they are in one.
pub const DATA: Words = &listed(b" details data meta info attributes extra");
/// Keys of what has failed: all in them has.
pub const FAILURES: Words = &listed(b" failures failed failing errors unhealthy problems");
/// Keys of what was so before, as are those that begin with `last`.
pub const PAST: Words = &listed(b" previous history");
/// Members whose words are not about health.
pub const LEVELS: Words = &listed(
    b" level loglevel severity type kind code mode action color tier impact priority policy strategy \
     expected actual laststatus previousstatus",
);
/// What the words of errors end in. `such` is that of `no such host`.
const PHRASES: Words = &listed(
    b" error errors timeout timed refused unreachable unavailable fail failed fails failing failure failures such",
);
/// The same, of the names of settings that are about errors.
const ABOUT_ERRORS: [&str; 4] = ["error", "timeout", "fail", "retry"];

/// The number of a word in a list that does not have it.
pub const NONE: usize = usize::MAX;

/// Replaces the blank before each word by its length.
const fn listed<const N: usize>(text: &[u8; N]) -> [u8; N] {
    let mut list = *text;
    let (mut at, mut end) = (N, N);
    while at > 0 {
        at -= 1;
        if list[at] == b' ' {
            list[at] = (end - at - 1) as u8;
            end = at;
        }
    }
    list
}

/// How a word says that something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It works.
    Good,
    /// It works badly.
    Weak,
    /// It is the value of a setting; or it does not work.
    Setting,
    /// It does not work; or the word means something else.
    Bad,
    /// It does not work.
    Clear,
}

impl State {
    /// 0 is well, 2 is down.
    pub fn severity(self) -> u8 {
        (self as u8).min(2)
    }
}

/// The state that a word says something is in.
pub fn state(word: &str) -> Option<State> {
    let word = &Word::new(word);
    match word.index(BAD) {
        NONE if word.index(GOOD) != NONE => Some(State::Good),
        NONE if word.index(WEAK) != NONE => Some(State::Weak),
        NONE => None,
        CLEAR_FROM.. => Some(State::Clear),
        SETTINGS.. => Some(State::Bad),
        _ => Some(State::Setting),
    }
}

/// How good the reason is that a member with this name gives: 0 is the best, [`NONE`] is none.
pub fn rank(key: &str) -> usize {
    Word::new(key).ending(REASONS)
}

/// The same for a member that can hold several.
pub fn rank_of_many(key: &str) -> usize {
    match (rank(key), key.strip_suffix('s')) {
        (NONE, Some(one)) => rank(one),
        (rank, _) => rank,
    }
}

/// Which of `words` this is.
pub fn index(words: Words, text: &str) -> usize {
    Word::new(text).index(words)
}

/// As many bytes of a text are compared: no word is as long.
const MAX_WORD: usize = 24;

/// A text as it is compared: the bytes of its end that count, in lower case.
pub struct Word {
    bytes: [u8; MAX_WORD],
    begin: usize,
    is_whole: bool,
}

impl Word {
    pub fn new(text: &str) -> Self {
        let mut word = Word {
            bytes: [0; MAX_WORD],
            begin: MAX_WORD,
            is_whole: text.len() <= MAX_WORD,
        };
        for &byte in text.as_bytes().iter().rev().take(MAX_WORD) {
            if !matches!(byte, b'_' | b'-' | b' ') {
                word.begin -= 1;
                word.bytes[word.begin] = byte.to_ascii_lowercase();
            }
        }
        word
    }

    /// Which of `words` this is.
    pub fn index(&self, words: Words) -> usize {
        match self.is_whole {
            true => self.position(words, true),
            false => NONE,
        }
    }

    /// The first of `words` that this is, or ends in.
    pub fn ending(&self, words: Words) -> usize {
        self.position(words, false)
    }

    fn position(&self, mut words: Words, is_whole: bool) -> usize {
        let text = &self.bytes[self.begin..];
        let mut count = 0;
        while let [length, rest @ ..] = words {
            let (word, after) = rest.split_at(usize::from(*length));
            if word == text || (!is_whole && text.ends_with(word)) {
                return count;
            }
            words = after;
            count += 1;
        }
        NONE
    }

    /// Whether a member with this name is about an error or the whole, and no component.
    pub fn is_label(&self) -> bool {
        let lists = [LEVELS, NAMES, IDS, WHOLE];
        lists.iter().any(|words| self.index(words) != NONE) || self.ending(LABELS) != NONE
    }

    /// Whether this is the name of a setting such as `errorPage`.
    pub fn is_about_errors(&self) -> bool {
        let text = &self.bytes[self.begin..];
        ABOUT_ERRORS
            .iter()
            .any(|word| text.starts_with(word.as_bytes()))
    }
}

/// Whether a text is that of an error.
pub fn has_phrase(text: &str) -> bool {
    let mut words = text.split(|character: char| !character.is_ascii_alphanumeric());
    // The shortest has four letters.
    !is_link(text) && words.any(|word| word.len() > 3 && Word::new(word).ending(PHRASES) != NONE)
}

/// Whether a text is an address or a path and nothing more.
pub fn is_link(text: &str) -> bool {
    text.starts_with('/') || (!text.contains(' ') && contains(text.as_bytes(), "://"))
}

/// Whether a text is the code, the class or the phrase of an error, which a sentence beside it explains.
pub fn is_code(text: &str) -> bool {
    let is_name = || {
        text.bytes().all(|byte| byte != b' ') && text.bytes().any(|byte| byte.is_ascii_uppercase())
    };
    state(text).is_some() || is_name()
}

/// The state, the word for it and the reason that stand in one text, as `DOWN: connection refused`.
pub fn with_reason(text: &str) -> Option<(State, &str, &str)> {
    let (word, reason) = split_once(text, ": ")?;
    Some((state(word)?, word, reason))
}
