//! What a probe found out: facts with payloads, no prose. The words come last, in `report`.

use crate::deadline::Deadline;
pub use crate::snippet::Snippet;
pub use failure::{Failure, NotFollowed, Unmet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

mod failure;

/// Exit code when every target is healthy, and after `--help`, `--version` and a finished `--install`.
pub const HEALTHY: u8 = 0;
/// Exit code for everything else, usage errors and panics included. Docker reserves 2, so nothing uses it.
pub const UNHEALTHY: u8 = 1;

/// How long to wait for what only makes a better goodbye or a better reason, once the verdict is fixed.
pub const GRACE: Duration = Duration::from_millis(50);

/// What one target turned out to be. The failure is boxed: it passes through many hands, and is large.
pub type Outcome = Result<Health, Box<Failure>>;

/// Why a target is healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// An HTTP response with an expected status, and all that was expected of it.
    Status(u16),
    /// A connection opened, and what was expected of the reply came.
    Opens,
    /// The server gave the answer of one that is well.
    Answers,
    /// The server answered properly, and refused this client: it is alive.
    Refuses(Refusal, Snippet),
    /// The process runs.
    Runs(u32),
    /// The file was touched this long ago.
    Touched(Duration),
}

/// What a server that is alive refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It wants to know who asks.
    Unauthenticated,
    /// It does not serve this client, or not this question.
    Unwelcome,
}

/// What a reply that has come so far amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It may become a valid one.
    Incomplete,
    /// The step is done; the reply took so many bytes.
    Ok(usize),
    /// The server is alive, and refuses this client.
    Refused(Refusal, Snippet),
    /// The server says that it cannot serve, in these words.
    Unavailable(Snippet),
    /// It is no reply of this protocol.
    WrongProtocol,
}

/// What a probe brings home.
#[derive(Debug)]
pub struct Answer {
    /// What it turned out to be.
    pub outcome: Outcome,
    /// How long it took, without the goodbye.
    pub took: Duration,
    /// What went over the wire, for `--verbose`.
    pub trace: Trace,
}

impl Answer {
    /// The answer of a probe that talks to nobody.
    pub fn of(deadline: &Deadline, probe: impl FnOnce() -> Outcome) -> Self {
        let begun = deadline.elapsed();
        let outcome = probe();
        Answer {
            outcome,
            took: deadline.elapsed() - begun,
            trace: Trace::default(),
        }
    }
}

/// What went over the wire. It can hold credentials: the report leaves them out.
#[derive(Debug, Default)]
pub struct Trace {
    /// The end that was reached.
    pub peer: Option<Peer>,
    /// What was sent.
    pub request: Vec<u8>,
    /// The head of the response.
    pub head: Vec<u8>,
    /// When each phase was over, since the start of the run.
    pub marks: Vec<(Mark, Duration)>,
}

impl Trace {
    /// Notes that something was over now.
    pub fn mark(&mut self, mark: Mark, deadline: &Deadline) {
        self.marks.push((mark, deadline.elapsed()));
    }
}

/// The end of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The connection is open.
    Connected,
    /// The request is written.
    Sent,
    /// The head of the response is there.
    Head,
}

/// Where in the conversation something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Opening the connection.
    Connect,
    /// Writing the request.
    Send,
    /// The request is sent; no whole status line has come back.
    StatusLine,
    /// The status line is there; the head is not complete.
    Headers,
    /// The head is complete and something is expected of the body.
    Body,
    /// The server speaks first, and has not.
    Greeting,
    /// Waiting for the rest of a reply that is not HTTP's.
    Reply,
    /// Everything has come, and it is being judged.
    Judge,
}

/// One end that was dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// An address of this machine.
    Tcp(SocketAddr),
    /// A unix socket.
    Unix(PathBuf),
}
