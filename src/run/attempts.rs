//! Targets asked again until they are healthy, and which lines are worth printing then.

use super::ask;
use crate::deadline::Deadline;
use crate::target::Target;
use crate::verdict::{Answer, Failure};
use std::ptr::fn_addr_eq;
use std::time::Duration;

/// When targets are asked again, and until when.
#[derive(Debug, Clone)]
pub struct Attempts {
    /// At most so many in all.
    pub most: u32,
    /// All of them together, pauses included; none is no limit.
    pub within: Option<Duration>,
    /// After the first attempt.
    pub pause: Duration,
    /// Each pause is twice as long as the one before, and at most this.
    pub longest: Duration,
    /// Whether targets that fail like this are asked again.
    pub again: fn(&Failure) -> bool,
}

impl Attempts {
    /// One, whatever comes of it.
    pub const ONE: Self = Attempts {
        most: 1,
        within: None,
        pause: Duration::ZERO,
        longest: Duration::ZERO,
        again: |_| false,
    };

    /// Whether they are asked again in the same cases, and as often.
    pub fn is_like(&self, other: &Self) -> bool {
        self.most == other.most
            && (self.most == 1
                || self.within == other.within
                    && self.longest == other.longest
                    && fn_addr_eq(self.again, other.again))
    }

    /// Any number of them for at most `time`, whatever comes of them.
    pub const fn for_at_most(time: Duration) -> Self {
        Attempts {
            most: u32::MAX,
            within: Some(time),
            pause: Duration::from_millis(100),
            longest: Duration::from_secs(1),
            again: |_| true,
        }
    }
}

/// Which attempt an answer is of.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// How many there have been.
    pub number: u32,
    /// Whether there will be no other.
    pub is_last: bool,
    /// How long they took, pauses included.
    pub elapsed: Duration,
    /// How long the answer could take.
    pub timeout: Duration,
    /// When this attempt ends.
    pub deadline: Deadline,
}

impl Attempt {
    /// The only one.
    pub fn only(timeout: Duration) -> Self {
        Attempt {
            number: 1,
            is_last: true,
            elapsed: Duration::ZERO,
            timeout,
            deadline: Deadline::after(timeout),
        }
    }
}

/// What must be left for another attempt to be begun.
const LEAST: Duration = Duration::from_millis(10);
/// An attempt that had less time than this tells nothing by running out of it.
const TELLING: Duration = Duration::from_millis(100);

/// Asks `targets` in order until all are healthy or `attempts` are used up; each attempt may take `timeout`. Hands to `each`
/// the answers of the last attempt, and of every other one the first answer that is not healthy. Returns whether all are.
pub fn until_healthy(
    targets: &[Target],
    timeout: Duration,
    attempts: &Attempts,
    mut each: impl FnMut(&Target, &Answer, &Attempt),
) -> bool {
    let within = attempts.within.unwrap_or(Duration::MAX);
    let mut attempt = Attempt::only(timeout.min(within));
    if attempts.most == 1 {
        // Each answer is handed on as it comes, because the next target may take all the time that is left.
        let mut healthy = true;
        for target in targets {
            let answer = ask(target, &attempt.deadline);
            healthy &= answer.outcome.is_ok();
            each(target, &answer, &attempt);
        }
        return healthy;
    }
    let all = Deadline::after(within);
    let left = || all.remaining().unwrap_or_default();
    let mut pause = attempts.pause;
    let (mut told, mut took, mut had) = (Vec::new(), Duration::ZERO, Duration::ZERO);
    loop {
        let mut answers = Vec::with_capacity(targets.len());
        for target in targets {
            answers.push(ask(target, &attempt.deadline));
        }
        let healthy = answers.iter().all(|answer| answer.outcome.is_ok());
        attempt.elapsed = all.elapsed();
        // The end of all attempts can leave the last one too little time for an answer. Then the answers before it tell more.
        let was_cut = attempt.timeout < timeout && attempt.deadline.remaining().is_err();
        let is_telling = healthy || !was_cut || attempt.timeout >= took.max(TELLING);
        if attempt.number == 1 || is_telling {
            (told, took, had) = (answers, attempt.deadline.elapsed(), attempt.timeout);
        }
        attempt.timeout = had;
        attempt.is_last = healthy
            || attempt.number >= attempts.most
            || !told.iter().all(|answer| may_be_cured(answer, attempts))
            || left() < LEAST;
        let mut told_of = targets.iter().zip(&told);
        if attempt.is_last {
            told_of.for_each(|(target, answer)| each(target, answer, &attempt));
            return healthy;
        }
        if let Some((target, answer)) = told_of.find(|(_, answer)| answer.outcome.is_err()) {
            each(target, answer, &attempt);
        }
        // Towards the end pauses become shorter, so that the last attempt is begun shortly before it.
        std::thread::sleep(pause.min(left() / 2));
        pause = attempts.longest.min(pause * 2);
        attempt = Attempt {
            number: attempt.number + 1,
            ..Attempt::only(timeout.min(left()))
        };
    }
}

/// Whether a target is asked again after such an answer. A target that was not asked decides nothing.
fn may_be_cured(answer: &Answer, attempts: &Attempts) -> bool {
    match &answer.outcome {
        Err(failure) => matches!(**failure, Failure::NotAsked) || (attempts.again)(failure),
        Ok(_) => true,
    }
}
