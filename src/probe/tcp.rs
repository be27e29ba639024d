//! A connection, and any line protocol by hand: say something, and expect something of the reply.

use super::Talk;
use crate::expect::BodyExpectations;
use crate::verdict::{Failure, Health, Phase, Verdict};

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
    let mut known = 0;
    loop {
        let heard = talk.heard();
        let fixed = expect.has_all(heard, known) || expect.unwanted(heard, known).is_some();
        known = heard.len();
        if fixed || !listen(talk, phase, expect)? {
            return expect
                .judge(talk.heard(), false)
                .map(|()| Health::Opens)
                .map_err(Into::into);
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
