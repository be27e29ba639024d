//! The words that health pages use.

// Case, blanks, `-` and `_` do not count, neither here nor in a body. Lists of words in one text are half as large as slices.

/// Members that say how a component is, by a word or by true and false.
pub const STATES: &str = "status state health healthy ok healthstatus healthstate ishealthy up isup alive isalive ready isready \
     available isavailable reachable connected success passed operational overall outcome result value";
/// The first of [`STATES`], in which the text `False` is no such word.
pub const BY_WORD: usize = 2;
/// The last of [`STATES`], which hold other things as well: only a clear word counts there.
pub const LOOSE_STATES: usize = 22;
/// Words for something that works.
const GOOD: &str = "up ok pass passed passing healthy good green true alive running ready success successful active \
     online connected available working operational serving normal yes";
/// Words for something that does not work. The first few can mean something else, such as the level of a log.
const BAD: &str = "error critical crit fatal red major bad stopped false no down outofservice fail failed failing failure \
     errored unhealthy notok nok ko unavailable serviceunavailable dead offline unreachable disconnected notconnected broken \
     notready notserving outage majoroutage crashed timeout timedout healtherr inoperative faulted";
const CLEAR_FROM: usize = 10;
/// Words for something that works badly. It is named where nothing is worse.
const WEAK: &str =
    "degraded warn warning yellow impaired unstable partialoutage degradedperformance healthwarn";
/// Members that say why, the best first. A longer name that ends in one of these is one too: `lastError`.
const REASONS: &str = "error exception message output reason cause symptom msg stderr description detail summary title";
/// The last of [`REASONS`], which can also be the description of the service: not enough by itself.
pub const LOOSE_REASONS: usize = 9;
/// Members that name a component where its key does not.
pub const NAMES: &str =
    "name component componentname service servicename check checkname key displayname";
/// Members that name a component where nothing else does.
pub const IDS: &str = "id componentid checkid type";
/// Keys that name no component, but what holds components, or parts of one. The first few hold nothing else.
pub const GENERIC: &str = "checks components dependencies services entries indicators probes healthchecks status health details \
     detail data results result info error errors failures failed failing causes exception response body value report items \
     check component meta attributes summary healthcheck conditions";
/// So many of [`GENERIC`] hold components only.
pub const HOLDERS: usize = 10;
/// Keys of what has failed: all in them has.
pub const FAILURES: &str = "failures failed failing errors unhealthy problems";
/// Members whose words are not about health.
pub const LEVELS: &str = "level loglevel severity type kind code action";
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

/// The number of a word in a list that does not have it.
pub const NONE: usize = usize::MAX;

/// How a word says that something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It works.
    Good,
    /// It works badly.
    Weak,
    /// It does not work; or the word means something else.
    Bad,
    /// It does not work.
    Clear,
}

impl State {
    /// 0 is well, 2 is down.
    pub fn severity(self) -> u8 {
        self.min(State::Bad) as u8
    }
}

/// The state that a word says something is in.
pub fn state(word: &str) -> Option<State> {
    match index(BAD, word) {
        NONE if index(GOOD, word) != NONE => Some(State::Good),
        NONE if index(WEAK, word) != NONE => Some(State::Weak),
        NONE => None,
        CLEAR_FROM.. => Some(State::Clear),
        _ => Some(State::Bad),
    }
}

/// How good the reason is that a member with this name gives: 0 is the best, [`NONE`] is none.
pub fn rank(key: &str) -> usize {
    position(REASONS, key, false)
}

/// The same for a member that can hold several.
pub fn rank_of_many(key: &str) -> usize {
    match (rank(key), key.strip_suffix('s')) {
        (NONE, Some(one)) => rank(one),
        (rank, _) => rank,
    }
}

/// Which of `words` this is.
pub fn index(words: &str, text: &str) -> usize {
    position(words, text, true)
}

/// The first of `words` that a text is, or ends in.
fn position(words: &str, text: &str, is_whole: bool) -> usize {
    let mut words = words.as_bytes().split(|&byte| byte == b' ');
    let found = words.position(|word| {
        let mut rest = text.as_bytes();
        let mut word = word.iter().rev();
        word.all(|&byte| last(&mut rest) == byte) && !(is_whole && last(&mut rest) != 0)
    });
    found.unwrap_or(NONE)
}

/// Takes the last byte that counts. There is none: then it is 0.
fn last(text: &mut &[u8]) -> u8 {
    while let Some((&byte, rest)) = text.split_last() {
        *text = rest;
        if !matches!(byte, b'_' | b'-' | b' ') {
            return byte.to_ascii_lowercase();
        }
    }
    0
}

/// Whether a text is that of an error.
pub fn has_phrase(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    PHRASES
        .iter()
        .any(|phrase| crate::search::contains(text.as_bytes(), phrase))
}
