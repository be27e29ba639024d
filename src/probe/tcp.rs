//! A connection, and any line protocol by hand: say something, and expect something of the reply.

use super::Talk;
use crate::deadline::Deadline;
use crate::expect::BodyExpectations;
use crate::verdict::{Failure, Health, Phase, Verdict};
use std::time::Duration;

/// How long a reply may be judged whose end is that of the time: it has at most 64 KiB.
const JUDGING: Duration = Duration::from_millis(10);

/// Sends `send`, and reads until all that is expected is there, or the peer closes.
///
/// That the connection opens says little: the kernel opens it, even for a program that never accepts.
pub fn ask(talk: &mut Talk, send: &[u8], expect: &BodyExpectations) -> Verdict {
    talk.say_unseen(send)?;
    if expect.is_empty() {
        return Ok(Health::Opens);
    }
    let phase = if send.is_empty() {
        Phase::Greeting
    } else {
        Phase::Reply
    };
    let mut coming = expect.begin();
    loop {
        let all = coming.has_all(talk.heard(), talk.deadline);
        if !matches!(all, Ok(false)) || !listen(talk, phase, expect)? {
            // When the time is up, what came is judged nevertheless.
            let left = talk.deadline.remaining().unwrap_or(JUDGING);
            let soon = Deadline::after(left.max(JUDGING));
            let verdict = expect.judge(talk.heard(), false, &soon);
            return verdict.map(|()| Health::Opens);
        }
    }
}

/// A reset after the reply does not undo it; and when the time is up, what came tells more than that it is.
fn listen(talk: &mut Talk, phase: Phase, expect: &BodyExpectations) -> Result<bool, Box<Failure>> {
    match talk.listen(phase) {
        Err(failure) if failure.is_reset() && !talk.heard().is_empty() => Ok(false),
        Err(failure)
            if matches!(*failure, Failure::TimedOut { .. })
                && !talk.heard().is_empty()
                && !expect.has.is_empty() =>
        {
            Ok(false)
        }
        listened => listened,
    }
}
