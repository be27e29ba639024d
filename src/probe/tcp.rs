//! A connection, and any line protocol by hand: say something, and expect something of the reply.

use super::Session;
use crate::deadline::Deadline;
use crate::expect::BodyExpectations;
use crate::verdict::{Failure, Health, Phase, Verdict};
use std::time::Duration;

/// How long a reply may be judged whose end is that of the time: it has at most 64 KiB.
const JUDGING: Duration = Duration::from_millis(10);

/// Sends `send`, and reads until all that is expected is there, or the peer closes.
///
/// That the connection opens says little: the kernel opens it, even for a program that never accepts.
pub fn ask(session: &mut Session, send: &[u8], expect: &BodyExpectations) -> Verdict {
    session.send_secret(send)?;
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
        let all = coming.has_all(session.received(), session.deadline);
        if !matches!(all, Ok(false)) || !listen(session, phase, expect)? {
            // When the time is up, what came is judged nevertheless.
            let left = session.deadline.remaining().unwrap_or(JUDGING);
            let soon = Deadline::after(left.max(JUDGING));
            let verdict = expect.judge(session.received(), false, &soon);
            return verdict.map(|()| Health::Opens);
        }
    }
}

/// A reset after the reply does not undo it; and when the time is up, what came tells more than that it is.
fn listen(
    session: &mut Session,
    phase: Phase,
    expect: &BodyExpectations,
) -> Result<bool, Box<Failure>> {
    match session.receive(phase) {
        Err(failure) if failure.is_reset() && !session.received().is_empty() => Ok(false),
        Err(failure)
            if matches!(*failure, Failure::TimedOut { .. })
                && !session.received().is_empty()
                && !expect.body.is_empty() =>
        {
            Ok(false)
        }
        listened => listened,
    }
}
