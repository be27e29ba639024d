//! Replies in pieces, and cut off at each byte: asked in-process, for there are thousands.

use crate::support::{SLACK, Server, read_request, reset};
use healthchecker::cli::{self, Command};
use healthchecker::deadline::Deadline;
use healthchecker::report;
use healthchecker::run::Attempt;
use healthchecker::verdict::{Failure, Health, Phase, Unmet};
use libtest_mimic::Trial;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub fn trials() -> Vec<Trial> {
    trials![
        split_at_every_byte,
        byte_by_byte,
        cut_at_every_byte,
        silent_after_every_byte,
    ]
}

/// A healthy reply with the body `{"s":"UP"}`, in the parts that matter.
pub struct Whole {
    /// Until this has come, there is nothing to judge.
    head: &'static str,
    /// After this, `UP` is known to be there.
    until_text: &'static str,
    /// After this, the body is known to be whole; none if only the connection's end tells.
    until_end: &'static str,
    rest: &'static str,
}

pub const WHOLE: [Whole; 6] = [
    Whole {
        head: "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 10\r\n\r\n",
        until_text: "{\"s\":\"UP",
        until_end: "\"}",
        rest: "",
    },
    Whole {
        head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        until_text: "7;name=\"a long value\"\r\n{\"s\":\"U\r\n1\r\nP",
        until_end: "\r\n02\r\n\"}\r\n0\r\n",
        rest: "X-Trailer: y\r\n\r\n",
    },
    Whole {
        head: "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n",
        until_text: "{\"s\":\"UP",
        until_end: "\"}",
        rest: "",
    },
    Whole {
        head: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        until_text: "{\"s\":\"UP",
        until_end: "\"}",
        rest: "",
    },
    Whole {
        head: "HTTP/1.1 200\nContent-Length: 10\n\n",
        until_text: "{\"s\":\"UP",
        until_end: "\"}",
        rest: "",
    },
    Whole {
        head: "HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\n\tc\r\nContent-Length:\r\n 10\r\n\r\n",
        until_text: "{\"s\":\"UP",
        until_end: "\"}",
        rest: "no part of the body",
    },
];

impl Whole {
    pub fn bytes(&self) -> Vec<u8> {
        [self.head, self.until_text, self.until_end, self.rest]
            .concat()
            .into_bytes()
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End {
    Close,
    Reset,
    Hold,
}

/// The pieces of a reply, the pause between them, and what follows.
type Script = (Vec<Vec<u8>>, Duration, End);

/// A server whose next reply can be set.
pub struct Changing {
    pub server: Server,
    next: Arc<Mutex<Script>>,
}

impl Changing {
    pub fn new() -> Self {
        let nothing: Script = (Vec::new(), Duration::ZERO, End::Close);
        let next = Arc::new(Mutex::new(nothing));
        let script = next.clone();
        let server = Server::new(move |connection| {
            let (pieces, pause, end) = script.lock().expect("the reply").clone();
            connection.set_nodelay(true).expect("set TCP_NODELAY");
            read_request(connection);
            for (at, piece) in pieces.iter().enumerate() {
                if at > 0 {
                    std::thread::sleep(pause);
                }
                // A checker that has its verdict may be gone already.
                let _ = connection.write_all(piece);
            }
            match end {
                End::Close => {}
                End::Reset => reset(connection),
                End::Hold => {
                    let _ = connection.read(&mut [0]);
                }
            }
        });
        Changing { server, next }
    }

    pub fn replies(&self, pieces: Vec<Vec<u8>>, pause: Duration, end: End) {
        *self.next.lock().expect("the reply") = (pieces, pause, end);
    }

    /// Asks the library, and holds what it answers against what must be true of every answer.
    #[track_caller]
    pub fn ask(&self, options: &[&str], timeout: Duration) -> Result<Health, Failure> {
        let time = format!("{}ms", timeout.as_millis());
        let url = self.server.url("/");
        let arguments = ["-t", &time, &url]
            .into_iter()
            .chain(options.iter().copied());
        let arguments = arguments.map(Into::into).collect();
        let Ok(Command::Check(check, _)) = cli::parse(arguments, &|_| None) else {
            panic!("not understood: {options:?}");
        };
        let target = &check.targets[0];
        let begun = Instant::now();
        let answer = target.ask(&Deadline::after(check.timeout));
        let took = begun.elapsed();
        assert!(took < timeout + SLACK, "took {took:?}");
        sound(&report::line(
            target,
            &answer,
            None,
            &Attempt::only(check.timeout),
        ));
        answer.outcome.map_err(|failure| *failure)
    }
}

/// One line that can be printed, whatever the service said.
#[track_caller]
pub fn sound(line: &str) {
    let text = line.strip_suffix('\n').expect("a line's end");
    assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
    assert!(line.len() <= 512, "{} bytes: {text}", line.len());
}

const OPTIONS: [&[&str]; 4] = [&[], &["-b", "UP"], &["-j", "s=UP"], &["--body-not", "DOWN"]];
const LONG: Duration = Duration::from_secs(5);

fn split_at_every_byte() {
    let service = Changing::new();
    for whole in WHOLE {
        let reply = whole.bytes();
        for at in 1..reply.len() {
            let pieces = vec![reply[..at].to_vec(), reply[at..].to_vec()];
            service.replies(pieces, Duration::from_micros(500), End::Close);
            let options = OPTIONS[at % OPTIONS.len()];
            let verdict = service.ask(options, LONG);
            assert_eq!(
                verdict,
                Ok(Health::Status(200)),
                "{} at {at}, {options:?}",
                whole.head
            );
        }
    }
    let ill = b"HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nDOWN";
    for at in 1..ill.len() {
        let pieces = vec![ill[..at].to_vec(), ill[at..].to_vec()];
        service.replies(pieces, Duration::from_micros(500), End::Close);
        let verdict = service.ask(&["-b", "DOWN"], LONG);
        assert!(
            matches!(verdict, Err(Failure::Status { got: 503, .. })),
            "{verdict:?} at {at}"
        );
    }
}

fn byte_by_byte() {
    let service = Changing::new();
    for whole in WHOLE {
        for options in OPTIONS {
            let pieces = whole.bytes().into_iter().map(|byte| vec![byte]).collect();
            service.replies(pieces, Duration::ZERO, End::Close);
            let verdict = service.ask(options, LONG);
            assert_eq!(
                verdict,
                Ok(Health::Status(200)),
                "{}, {options:?}",
                whole.head
            );
        }
    }
}

fn cut_at_every_byte() {
    let service = Changing::new();
    for whole in WHOLE {
        let reply = whole.bytes();
        let text = whole.head.len() + whole.until_text.len();
        let known = text + whole.until_end.len();
        let delimited = whole.head.contains("Content-Length") || whole.head.contains("chunked");
        for at in 0..reply.len() {
            for (options, enough) in [
                (OPTIONS[0], whole.head.len()),
                (OPTIONS[1], text),
                (OPTIONS[2], known),
            ] {
                for end in [End::Close, End::Reset] {
                    service.replies(vec![reply[..at].to_vec()], Duration::ZERO, end);
                    let verdict = service.ask(options, LONG);
                    let context =
                        format!("{verdict:?}: {} at {at}, {options:?}, {end:?}", whole.head);
                    let phase = match at {
                        _ if at >= whole.head.len() => Phase::Body,
                        // A 1xx response that ended leaves the status line to be waited for.
                        _ if whole.head[..at]
                            .rsplit("\n\r\n")
                            .next()
                            .is_some_and(|head| head.contains('\n')) =>
                        {
                            Phase::Headers
                        }
                        _ => Phase::StatusLine,
                    };
                    let expected = match &verdict {
                        Ok(health) => *health == Health::Status(200) && at >= enough,
                        _ if at >= enough => false,
                        Err(Failure::ClosedEarly { phase: then, .. }) => {
                            *then == phase && end == End::Close
                        }
                        Err(Failure::Reset { phase: then }) => *then == phase && end == End::Reset,
                        // Without a length, a body that was cut is one that says less.
                        Err(Failure::Unexpected(Unmet::Body { .. } | Unmet::NotJson { .. })) => {
                            !delimited && phase == Phase::Body
                        }
                        Err(_) => false,
                    };
                    assert!(expected, "{context}");
                }
            }
        }
    }
}

fn silent_after_every_byte() {
    let service = Changing::new();
    let (reply, head) = (WHOLE[1].bytes(), WHOLE[1].head.len());
    for at in 0..reply.len() - WHOLE[1].rest.len() {
        service.replies(vec![reply[..at].to_vec()], Duration::ZERO, End::Hold);
        let verdict = service.ask(OPTIONS[2], Duration::from_millis(30));
        assert!(
            matches!(verdict, Err(Failure::TimedOut { .. } | Failure::NotAsked)),
            "{verdict:?} at {at} of {head}"
        );
    }
}
