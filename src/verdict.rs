//! What a probe found out: facts with payloads, no prose. The words come last, in `report`.

use crate::deadline::Deadline;
use crate::search::find;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Exit code when every target is healthy, and after `--help`, `--version` and a finished `--install`.
pub const HEALTHY: u8 = 0;
/// Exit code for everything else, usage errors and panics included. Docker reserves 2, so nothing uses it.
pub const UNHEALTHY: u8 = 1;

/// What one target turned out to be. The failure is boxed: it passes through many hands, and is large.
pub type Verdict = Result<Health, Box<Failure>>;

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
pub enum Seen {
    /// It may become a valid one.
    More,
    /// The step is done; the reply took so many bytes.
    Well(usize),
    /// The server is alive, and refuses this client.
    Refuses(Refusal, Snippet),
    /// The server says that it cannot serve, in these words.
    Sick(Snippet),
    /// It is no reply of this protocol.
    Alien,
}

/// What a probe brings home.
#[derive(Debug)]
pub struct Answer {
    /// The verdict.
    pub verdict: Verdict,
    /// How long it took, without the goodbye.
    pub took: Duration,
    /// What went over the wire, for `--verbose`.
    pub trace: Trace,
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
    /// The reply is read, and not all of what is expected of it has been judged.
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
        /// What it is instead, as far as the first bytes tell.
        like: Option<Protocol>,
    },
    /// A status line came, but what followed is no HTTP head.
    BadHead(Snippet),
    /// The head is longer than [`crate::net::MAX_HEAD`].
    LongHead,
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
    Sick(Snippet),
    /// The reply is not one of this protocol.
    Alien {
        /// The protocol that was spoken.
        scheme: &'static str,
        /// How the reply begins.
        got: Snippet,
        /// What it is instead, as far as the first bytes tell.
        like: Option<Protocol>,
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

/// What the first bytes of a reply can give away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `HTTP/`, or a page of HTML.
    Http,
    /// A TLS record: an alert or a handshake.
    Tls,
    /// `SSH-`.
    Ssh,
    /// HTTP/2 frames, which begin with SETTINGS.
    Http2,
    /// The 220 of SMTP and FTP.
    Mail,
    /// A RESP error or status.
    Redis,
    /// The greeting of MySQL and MariaDB.
    Mysql,
}

impl Protocol {
    /// Recognises the protocol of `reply`.
    pub fn of(reply: &[u8]) -> Option<Self> {
        Some(match reply {
            [b'H', b'T', b'T', b'P', b'/', ..] | [b'<', b'!' | b'h' | b'H', ..] => Protocol::Http,
            [0x15 | 0x16, 3, 0..=4, ..] => Protocol::Tls,
            [b'S', b'S', b'H', b'-', ..] => Protocol::Ssh,
            [0, 0, _, 4, _, 0, 0, 0, 0, ..] => Protocol::Http2,
            [b'2', b'2', b'0', b' ' | b'-', ..] => Protocol::Mail,
            [b'-', b'E', b'R', b'R', b' ', ..] | [b'-', b'N', b'O', b'A', ..] => Protocol::Redis,
            [_, _, 0, 0, 10, b'0'..=b'9', ..] => Protocol::Mysql,
            _ => return None,
        })
    }
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
    BodyLacks {
        /// What `--body` asked for.
        text: String,
        /// Whether the search stopped at its bound, with more body to come.
        bounded: bool,
        /// The beginning of the body.
        body: Snippet,
    },
    /// The body contains a text that it must not.
    BodyHas {
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

/// Untrusted bytes, made safe to print when taken: escaped, cut, and on one line.
///
/// Control bytes, invalid UTF-8, and characters that reorder or hide text are written `\xNN` or `\u{NNNN}`, a
/// backslash is doubled, so that what is printed can be read in one way only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snippet(String);

impl Snippet {
    /// The longest snippet, in bytes after escaping, the mark of a cut included.
    pub const MAX: usize = 256;

    /// Escapes and cuts `bytes`.
    pub fn new(bytes: &[u8]) -> Self {
        Self::at_most(bytes, Self::MAX)
    }

    /// Escapes `bytes` and cuts the result to `max` bytes, where a cut is marked with `...`.
    pub fn at_most(bytes: &[u8], max: usize) -> Self {
        // Most texts: nothing to escape, and nothing to cut.
        let plain = |byte: &u8| matches!(byte, b' '..=b'[' | b']'..=b'~');
        if bytes.len() <= max && bytes.iter().all(plain) {
            return Snippet(String::from_utf8_lossy(bytes).into_owned());
        }
        let mut out = String::new();
        // Where the text can end if the mark has to follow.
        let mut room = 0;
        for chunk in bytes.utf8_chunks() {
            let valid = chunk.valid().chars().map(Ok);
            for piece in valid.chain(chunk.invalid().iter().map(|&b| Err(b))) {
                match piece {
                    Ok(c) => escape(c, &mut out),
                    Err(byte) => escape_byte(byte, &mut out),
                }
                if out.len() > max {
                    out.truncate(room);
                    out.push_str("...");
                    return Snippet(out);
                }
                if out.len() + 3 <= max {
                    room = out.len();
                }
            }
        }
        Snippet(out)
    }

    /// The safe text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there was nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// However malformed a URL is, or wherever it was put: whatever stands before its last `@` may be secret.
pub fn without_userinfo(text: &[u8]) -> Vec<u8> {
    let Some(at) = text.iter().rposition(|&byte| byte == b'@') else {
        return text.to_vec();
    };
    let scheme = find(&text[..at], b"://");
    let scheme = scheme.map_or(&text[..0], |end| &text[..end + 3]);
    [scheme, b"...", &text[at..]].concat()
}

fn escape(c: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\\' => out.push_str("\\\\"),
        '\0'..='\x1f' | '\x7f' => escape_byte(c as u8, out),
        // C1 controls, invisible and bidirectional formatting, line separators, private use and beyond.
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{e000}'..='\u{f8ff}'
        | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'.. => {
            out.push_str("\\u{");
            let hex = (0..6).rev().map(|i| (c as u32 >> (4 * i)) & 15);
            for digit in hex.skip_while(|&d| d == 0) {
                out.push(hex_digit(digit as u8));
            }
            out.push('}');
        }
        _ => out.push(c),
    }
}

fn escape_byte(byte: u8, out: &mut String) {
    out.push_str("\\x");
    out.push(hex_digit(byte >> 4));
    out.push(hex_digit(byte & 15));
}

fn hex_digit(value: u8) -> char {
    (if value < 10 {
        b'0' + value
    } else {
        b'a' + value - 10
    }) as char
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_one_safe_line() {
        let of = |bytes: &[u8]| Snippet::new(bytes).as_str().to_owned();
        assert_eq!(of(b"plain {\"a\": 1}"), "plain {\"a\": 1}");
        assert_eq!(
            of(b"a\r\n\tb\0\x1b[31m\x7f"),
            "a\\r\\n\\tb\\x00\\x1b[31m\\x7f"
        );
        assert_eq!(of(b"back\\slash"), "back\\\\slash");
        assert_eq!(of(b"\xff\xc3\x28"), "\\xff\\xc3(");
        assert_eq!(of("größe".as_bytes()), "größe");
        assert_eq!(of("a\u{202e}b\u{9b}c".as_bytes()), "a\\u{202e}b\\u{9b}c");
        assert_eq!(of(b""), "");
    }

    #[test]
    fn a_cut_is_marked_and_never_splits_an_escape() {
        for max in 3..40 {
            for text in [
                "é\n\u{202e}\\x".repeat(20),
                "a".repeat(max),
                "\0".repeat(50),
            ] {
                let cut = Snippet::at_most(text.as_bytes(), max);
                assert!(cut.as_str().len() <= max, "{max}: {cut:?}");
                let whole = Snippet::at_most(text.as_bytes(), usize::MAX);
                match cut.as_str().strip_suffix("...") {
                    Some(kept) => assert!(whole.as_str().starts_with(kept)),
                    None => assert_eq!(cut, whole),
                }
            }
        }
    }
}
