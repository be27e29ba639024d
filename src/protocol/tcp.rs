//! A connection, and any line protocol by hand: send something, and expect something of the reply.

use super::session::{Session, converse};
use super::{Asked, Protocol, Takes};
use crate::deadline::Deadline;
use crate::expect::BodyExpectations;
use crate::net::Opening;
use crate::target::{Place, Probe, Target};
use crate::verdict::{Answer, Failure, Health, Outcome, Phase};
use std::time::Duration;

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "tcp",
    rest: "//HOST:PORT",
    proves: "it listens, though perhaps it never accepts; with --body, it replies so",
    takes: &[Takes::Connection, Takes::Text, Takes::Send],
    plan,
    ..Protocol::CONNECTION
};

fn plan(asked: &Asked) -> Result<Target, String> {
    let located = asked.located()?;
    located.refuse_credentials(asked)?;
    located.refuse_path(asked)?;
    let probe = TcpProbe {
        place: located.place,
        send: asked.options.send.clone().unwrap_or_default(),
        // What is expected of a JSON body is expected of HTTP alone.
        expected: BodyExpectations {
            json: Vec::new(),
            ..asked.options.body.clone()
        },
    };
    Ok(Target::new(located.name, probe))
}

#[derive(Debug)]
struct TcpProbe {
    place: Place,
    send: Vec<u8>,
    expected: BodyExpectations,
}

impl Probe for TcpProbe {
    fn ask(&self, deadline: &Deadline) -> Answer {
        let opening = Opening::for_first_bytes(&self.send);
        converse(&self.place, opening, deadline, &|session| {
            ask(session, &self.send, &self.expected)
        })
    }

    fn place(&self) -> Option<&Place> {
        Some(&self.place)
    }
}

/// How long judging may last beyond the deadline, if the reply came until then. Replies are bounded to 64 KiB.
const JUDGING: Duration = Duration::from_millis(10);

/// Sends `send`, and reads until all that is expected is there, or the peer closes.
///
/// That the connection opens says little: the kernel opens it, even for a program that never accepts.
fn ask(session: &mut Session, send: &[u8], expect: &BodyExpectations) -> Outcome {
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
        let all = coming.has_all(session.received(), session.deadline());
        // That a text does not come is only known at the end.
        let is_fixed = all.map_or(true, |all| all && expect.body_not.is_empty());
        if is_fixed || !receive_more(session, phase, expect)? {
            let soon = session.deadline().or_at_least(JUDGING);
            let verdict = expect.judge(session.received(), false, &soon);
            return verdict.map(|()| Health::Opens);
        }
    }
}

/// Receives more; false if what has come is all that is judged. A reset after the reply does not undo it. At the deadline,
/// what has come is judged, because that says more than a timeout.
fn receive_more(
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
        received => received,
    }
}
