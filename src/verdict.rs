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

/// How long to wait, once the verdict is fixed, for a clean close or for a body to quote.
pub const GRACE: Duration = Duration::from_millis(50);

/// Why one target is healthy, or why not. The failure is boxed because it is large and returned by many functions.
pub type Outcome = Result<Health, Box<Failure>>;

/// Why a target is healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// An HTTP response with an expected status, and all that was expected of it.
    Status(u16),
    /// A connection opened, and what was expected of the reply came.
    Opens,
    /// The server gave a healthy answer.
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
    /// It requires authentication.
    Unauthenticated,
    /// It does not serve this client, or not this request.
    Unwelcome,
}

/// How a reply is judged from the part that has come so far.
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

/// The result of one probe.
#[derive(Debug)]
pub struct Answer {
    /// Why the target is healthy, or why not.
    pub outcome: Outcome,
    /// How long it took, without closing the connection.
    pub took: Duration,
    /// The bytes sent and received, for `--verbose`.
    pub trace: Trace,
}

impl Answer {
    /// The answer of a probe that opens no connection.
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

/// The bytes sent and received, and when. They can hold credentials, which the report leaves out.
#[derive(Debug, Default)]
pub struct Trace {
    /// The address or socket that was reached.
    pub peer: Option<Peer>,
    /// What was sent.
    pub request: Vec<u8>,
    /// The head of the response.
    pub head: Vec<u8>,
    /// Where redirects that were followed have led.
    pub redirected: Option<Snippet>,
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
    /// The first bytes of a reply that is not HTTP's are there.
    Reply,
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
    /// Waiting for the first bytes of a server that speaks first.
    Greeting,
    /// Waiting for the rest of a reply that is not HTTP's.
    Reply,
    /// Everything has come, and it is being judged.
    Judge,
}

/// An address or socket that was dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// An address of this machine.
    Tcp(SocketAddr),
    /// The same over UDP.
    Udp(SocketAddr),
    /// A unix socket.
    Unix(PathBuf),
}
