//! Why a target is not healthy.

use super::{Peer, Phase};
use crate::snippet::Snippet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Why a target is not healthy. Each variant carries what a reader needs to see, and hints match on these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Nothing accepts connections at any of these.
    Refused(Vec<Peer>),
    /// The connection could not be opened for another reason.
    Unreachable {
        /// The first address or socket that did not refuse.
        peer: Peer,
        /// The operating system's error number.
        errno: i32,
    },
    /// The address belongs to another machine; nothing was sent.
    NotThisMachine(IpAddr),
    /// The deadline passed.
    TimedOut {
        /// The phase in which it happened.
        phase: Phase,
        /// The peer that was dialled; none when the time ran out while a body was searched.
        peer: Option<Peer>,
    },
    /// The deadline passed before this target was asked at all.
    NotAsked,
    /// The peer closed the connection before the reply was complete.
    ClosedEarly {
        /// The phase in which it happened.
        phase: Phase,
        /// The beginning of what had come until then.
        got: Snippet,
    },
    /// The peer reset the connection.
    Reset {
        /// The phase in which it happened.
        phase: Phase,
    },
    /// Another error of the socket.
    Io {
        /// The phase in which it happened.
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
    /// The head is longer than 64 KiB of header fields.
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
        /// Where it redirects to, and why that could not be followed if it were asked for.
        redirect: Option<(Snippet, Option<NotFollowed>)>,
        /// The beginning of the body; empty if none came.
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
    /// The page of a FastCGI application has no proper head: the page's beginning.
    BadCgiHead(Snippet),
    /// The server ended the HTTP/2 stream, or the connection before it took the stream: with which frame, its error code, and
    /// what it says besides.
    Http2(&'static str, u32, Snippet),
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
    /// The file holds no PID, and whether it holds nothing at all. What it holds instead can be a secret.
    NoPid(bool),
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
    /// It asks for TLS, which this program does not speak.
    Tls,
    /// Five redirects had been followed already.
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
        /// The body that it is in.
        body: Snippet,
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
