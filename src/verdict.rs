//! What a probe found out: facts with payloads, no prose. The words come last, in `report`.

use crate::deadline::Deadline;
pub use crate::snippet::Snippet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

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

/// Why a target is not healthy. Each variant carries what a reader needs to see, and hints match on these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Nothing accepts connections at any of these.
    Refused(Vec<Peer>),
    /// The connection could not be opened for another reason.
    Unreachable {
        /// The last end tried.
        peer: Peer,
        /// The operating system's error number.
        errno: i32,
    },
    /// The address belongs to another machine; nothing was sent.
    NotThisMachine(IpAddr),
    /// The deadline passed.
    TimedOut {
        /// During this.
        phase: Phase,
        /// While talking to, or trying to reach, this end; none when the time was up before dialling.
        peer: Option<Peer>,
    },
    /// The deadline passed before this target was asked at all.
    NotAsked,
    /// The peer closed the connection before the reply was complete.
    ClosedEarly {
        /// During this.
        phase: Phase,
        /// What it had said until then.
        got: Snippet,
    },
    /// The peer reset the connection.
    Reset {
        /// During this.
        phase: Phase,
    },
    /// Another error of the socket.
    Io {
        /// During this.
        phase: Phase,
        /// The operating system's error number.
        errno: i32,
    },
    /// The first line is no HTTP/1 status line.
    NotHttp {
        /// How it begins.
        got: Snippet,
    },
    /// A status line came, but what followed is no HTTP head.
    BadHead {
        /// What is wrong with it.
        why: String,
        /// How it begins.
        got: Snippet,
    },
    /// The head is longer than [`crate::http::MAX_HEAD`].
    LongHead,
    /// Something is expected of a body that is in a coding which was not asked for: its name.
    Coded(Snippet),
    /// The body's framing is broken: a bad chunk.
    BadBody,
    /// The status is not one of those expected.
    Status {
        /// What came.
        got: u16,
        /// What `--status` asked for, in its own words.
        expected: String,
        /// The beginning of the body, or of nothing.
        body: Snippet,
    },
    /// The redirect leads away from this machine, or cannot be followed.
    Redirect {
        /// The status that said so.
        status: u16,
        /// What `Location` said.
        to: Snippet,
        /// Why it was not followed.
        why: NotFollowed,
    },
    /// The response is not as expected.
    Unexpected(Unmet),
    /// The server says that it cannot serve.
    Unavailable(Snippet),
    /// The reply is not one of this protocol.
    WrongProtocol {
        /// The protocol that was spoken.
        scheme: &'static str,
        /// How the reply begins.
        got: Snippet,
    },
    /// The reply goes on past what any server sends; the bound in bytes.
    LongReply(usize),
    /// The gRPC call ended with a status other than 0.
    GrpcStatus(u32),
    /// The gRPC health service says something else than SERVING: its `ServingStatus`.
    NotServing(u64),
    /// The FastCGI application did not accept the request: its protocolStatus.
    FastCgiStatus(u8),
    /// The FastCGI application is alive and has nothing at the path: status 404, and the beginning of its body.
    NoScript(Snippet),
    /// No process has the PID.
    NoProcess(u32),
    /// The process is there, but dead: its state in `/proc/PID/stat`.
    DeadProcess(u32, char),
    /// The PID belongs to another program: its name.
    OtherProcess(u32, Snippet),
    /// The file holds no PID.
    NoPid(Snippet),
    /// A file cannot be read: which, and the operating system's error number.
    File(PathBuf, i32),
    /// The file was touched too long ago: the age, and the limit.
    Stale(Duration, Duration),
    /// The file was touched in the future: a clock has jumped, and its age is unknown.
    Future(Duration),
}

impl Failure {
    /// Whether the peer reset the connection.
    pub fn is_reset(&self) -> bool {
        matches!(self, Failure::Reset { .. })
    }
}

impl From<Unmet> for Box<Failure> {
    fn from(unmet: Unmet) -> Self {
        Box::new(Failure::Unexpected(unmet))
    }
}

/// Why a redirect was not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotFollowed {
    /// It leads to no `http` URL of this machine.
    Elsewhere,
    /// It asks for TLS, which this build does not speak.
    Tls,
    /// It was one too many.
    TooMany,
}

/// The expectation that was not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmet {
    /// The body does not contain the text.
    Body {
        /// What `--body` asked for.
        text: String,
        /// Whether the search stopped at its bound, with more body to come.
        bounded: bool,
        /// The beginning of the body.
        body: Snippet,
    },
    /// The body contains a text that it must not.
    BodyNot {
        /// What `--body-not` forbids.
        text: String,
        /// The beginning of the body.
        body: Snippet,
    },
    /// The absence of a `--body-not` text cannot be known: the body goes on past the bound.
    BodyTooLong,
    /// The body is not JSON.
    NotJson {
        /// The beginning of the body.
        body: Snippet,
    },
    /// The JSON body has nothing at the path.
    JsonLacks {
        /// The path as it was given.
        path: String,
        /// The beginning of the body.
        body: Snippet,
    },
    /// The JSON body has something else at the path.
    JsonDiffers {
        /// The path as it was given.
        path: String,
        /// What was expected there.
        expected: String,
        /// What is there, as JSON.
        got: Snippet,
    },
    /// The response has no such header.
    HeaderLacks {
        /// The header's name.
        name: String,
    },
    /// The header has another value.
    HeaderDiffers {
        /// The header's name.
        name: String,
        /// What was expected.
        expected: String,
        /// What came first under that name.
        got: Snippet,
    },
}
