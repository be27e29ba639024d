//! What the tests of protocols are made of: scripted conversations, the servers that hold them, and what is said of those.

use crate::support::{Run, Server};
use healthchecker::protocol;
use healthchecker::protocol::handshake::Handshake;
use healthchecker::snippet::printable;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// The protocols that are a few constant bytes.
pub fn handshakes() -> impl Iterator<Item = (&'static str, &'static Handshake)> {
    let rows = protocol::ALL.iter();
    rows.filter_map(|row| Some((row.scheme, row.handshake?)))
}

/// What one side says and the other answers, in turn.
pub type Steps = Vec<(Vec<u8>, Vec<u8>)>;

/// How a server and the checker talk, when all is well and when it is not.
pub struct Conversation {
    pub scheme: &'static str,
    /// With a server that is well.
    pub steps: Steps,
    /// What the checker says last.
    pub goodbye: Vec<u8>,
    /// The states that servers tell of, and what only comes near one.
    pub states: Vec<State>,
    /// What a server can go on with for ever.
    pub endless: Vec<Endless>,
    /// What is said of a server that echoes.
    pub echo: &'static str,
    /// Whether nothing marks the end of a healthy reply but that nothing follows.
    pub open_ended: bool,
    /// Whether a server may send lines that mean nothing before its greeting.
    pub lines_first: bool,
    /// What a server that is full says before it is asked, and closes.
    pub full: &'static [u8],
    /// Where a URL may name a user and have a path, the complaint about one that has a password too.
    pub of_a_password: Option<&'static str>,
}

/// What a server answers, step by step, and what is said of it.
pub struct State {
    pub replies: Vec<Vec<u8>>,
    pub said: Said,
}

/// What a server can go on with for ever, behind so many proper answers, and what is said of it.
pub struct Endless {
    pub answers: usize,
    pub start: Vec<u8>,
    pub more: Vec<u8>,
    pub said: &'static str,
}

/// What is said of a reply that fits the protocol and does not end.
pub const TOO_LONG: &str = "a reply of more than 64 KiB";

impl Conversation {
    /// With a server that is well: what the checker says and the server answers, in turn, and what the checker says last.
    pub fn new(scheme: &'static str, steps: &[(&[u8], &[u8])], goodbye: &[u8]) -> Self {
        Conversation {
            scheme,
            steps: steps
                .iter()
                .map(|(said, answered)| (said.to_vec(), answered.to_vec()))
                .collect(),
            goodbye: goodbye.to_vec(),
            states: Vec::new(),
            endless: Vec::new(),
            echo: "not *: the reply begins with *",
            open_ended: false,
            lines_first: false,
            full: b"",
            of_a_password: None,
        }
    }

    /// Adds states: a server's replies, step by step, and what is said of it.
    pub fn states(&mut self, rows: &[(&[&[u8]], Said)]) {
        self.states.extend(rows.iter().map(|(replies, said)| State {
            replies: replies.iter().map(|reply| reply.to_vec()).collect(),
            said: *said,
        }));
    }

    /// Adds what a server can go on with for ever: after `answers` proper ones it says `start`, and then only `more`.
    pub fn endless(&mut self, answers: usize, start: &[u8], more: &[u8], said: &'static str) {
        self.endless.push(Endless {
            answers,
            start: start.to_vec(),
            more: more.to_vec(),
            said,
        });
    }

    /// The same questions, as many as are answered, with other answers.
    pub fn answered(&self, state: &State) -> Steps {
        let questions = self.steps.iter().map(|(question, _)| question.clone());
        questions.zip(state.replies.iter().cloned()).collect()
    }

    /// What is said of a server that answers so first.
    pub fn said_of(&self, reply: &[u8]) -> Option<Said> {
        if self.steps[0].1 == reply {
            return Some(Healthy("answers"));
        }
        let state = self.states.iter().find(|state| state.replies == [reply]);
        state.map(|state| state.said)
    }

    /// Whether this is a healthy reply whose end nothing marks, or begins with it: what is said of it is a matter of time.
    pub fn may_go_on(&self, reply: &[u8]) -> bool {
        self.open_ended && reply.starts_with(&self.steps[0].1)
    }
}

/// `"00000017 0003"`: bytes as specifications write them.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|digit| (digit as char).to_digit(16).expect("a hexadecimal digit") as u8)
        .collect();
    assert_eq!(digits.len() % 2, 0, "{text}");
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// One end of a connection, whatever kind.
pub trait Line: Read + Write {
    /// How long a read waits; for ever, if nothing is said.
    fn patience(&self, patience: Option<Duration>);
}

impl Line for TcpStream {
    fn patience(&self, patience: Option<Duration>) {
        self.set_read_timeout(patience).expect("set a timeout");
    }
}

impl Line for UnixStream {
    fn patience(&self, patience: Option<Duration>) {
        self.set_read_timeout(patience).expect("set a timeout");
    }
}

/// How a server keeps to its steps.
#[derive(Clone, Copy, Default)]
pub struct Manner {
    /// A byte at a time.
    pub bytewise: bool,
    /// It stops in this step after so many bytes of its answer.
    pub cut: Option<(usize, usize)>,
    /// It hangs up at the end; otherwise it waits for the other side to do so.
    pub hangs_up: bool,
}

pub const POLITE: Manner = Manner {
    bytewise: false,
    cut: None,
    hangs_up: false,
};

/// Plays the server's part, and returns all that the other side said. An error is a word out of turn, or what the
/// system said: a connection that was reset, or one that was not closed.
fn converse(line: &mut impl Line, steps: &Steps, manner: Manner) -> io::Result<Vec<u8>> {
    let mut heard = Vec::new();
    for (at, (question, answer)) in steps.iter().enumerate() {
        if question.is_empty() {
            // Nobody talks before the greeting.
            line.patience(Some(Duration::from_millis(5)));
            match line.read(&mut [0; 1]) {
                // A wait with a limit is interrupted also when this process was stopped and goes on; see signal(7).
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                read => return Err(io::Error::other(format!("before the greeting: {read:?}"))),
            }
        }
        line.patience(None);
        let mut words = vec![0; question.len()];
        line.read_exact(&mut words)?;
        heard.extend(words);
        let end = match manner.cut {
            Some((step, end)) if step == at => end,
            _ => answer.len(),
        };
        match manner.bytewise {
            true => answer[..end].iter().try_for_each(|byte| {
                thread::sleep(Duration::from_micros(300));
                line.write_all(&[*byte])
            })?,
            false => line.write_all(&answer[..end])?,
        }
        if manner.cut.is_some_and(|(step, _)| step == at) {
            break;
        }
    }
    if !manner.hangs_up {
        line.read_to_end(&mut heard)?;
    }
    Ok(heard)
}

/// A server that keeps to its steps, and tells what it heard.
pub struct Fake {
    pub server: Server,
    heard: Receiver<io::Result<Vec<u8>>>,
}

impl Fake {
    pub fn new(steps: Steps, manner: Manner) -> Self {
        let (tell, heard) = mpsc::channel();
        let server = Server::new(move |connection| {
            let _ = connection.set_nodelay(true);
            let _ = tell.send(converse(connection, &steps, manner));
        });
        Fake { server, heard }
    }

    /// The target's URL.
    pub fn target(&self, scheme: &str) -> String {
        target(&self.server, scheme)
    }

    /// All that one connection said, once that is over.
    #[track_caller]
    pub fn heard(&self) -> Vec<u8> {
        let heard = self.heard.recv_timeout(Duration::from_secs(10));
        heard
            .expect("a connection that ends")
            .unwrap_or_else(|error| panic!("the server heard no proper conversation: {error}"))
    }
}

/// Plays the server's part on a unix socket, once.
pub fn on_unix_socket(file: &Path, steps: Steps) -> Receiver<io::Result<Vec<u8>>> {
    let listener = UnixListener::bind(file).expect("bind a unix socket");
    let (tell, heard) = mpsc::channel();
    thread::spawn(move || {
        let (mut connection, _) = listener.accept().expect("a connection");
        let _ = tell.send(converse(&mut connection, &steps, POLITE));
    });
    heard
}

pub fn target(server: &Server, scheme: &str) -> String {
    format!("{scheme}://127.0.0.1:{}", server.port())
}

/// What is expected of a line.
#[derive(Clone, Copy)]
pub enum Said {
    Healthy(&'static str),
    Unhealthy(&'static str),
}

use Said::{Healthy, Unhealthy};

#[track_caller]
pub fn expect(run: &Run, name: &str, said: Said) {
    match said {
        Healthy(text) => run.healthy(&format!("healthy: {name}: {text} in *s")),
        Unhealthy(text) => run.unhealthy(&format!("unhealthy: {name}: {text} (*s)")),
    };
}

pub fn escaped(bytes: &[u8]) -> String {
    printable(bytes, 100)
}

pub fn waiting_for(steps: &Steps, step: usize) -> &'static str {
    if steps[step].0.is_empty() {
        "the greeting"
    } else {
        "the reply"
    }
}
