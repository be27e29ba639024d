//! What all tests share: running the binary and judging what it said, a scripted server that must be asked, and tests
//! that can say they were skipped.

use libtest_mimic::{Completion, Trial};
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Why a test did not run.
pub struct Skip(pub String);

/// What a test function returns: nothing, or that it was skipped.
pub trait Outcome {
    fn completion(self) -> Completion;
}

impl Outcome for () {
    fn completion(self) -> Completion {
        Completion::Completed
    }
}

impl Outcome for Result<(), Skip> {
    fn completion(self) -> Completion {
        match self {
            Ok(()) => Completion::Completed,
            // In CI everything is there, or CI is broken.
            Err(Skip(reason)) if std::env::var_os("CI").is_some_and(|ci| ci == "true") => {
                panic!("cannot be skipped in CI: {reason}")
            }
            Err(Skip(reason)) => Completion::ignored_with(reason),
        }
    }
}

pub fn trial<R: Outcome + 'static>(name: &str, test: fn() -> R) -> Trial {
    let name = name.split_once("::").map_or(name, |(_, rest)| rest);
    Trial::ignorable_test(name, move || Ok(test().completion()))
}

/// `trials![a, b]`: the functions as trials, named after their module. One that is not listed is dead code, which
/// clippy does not let pass.
macro_rules! trials {
    ($($test:ident),* $(,)?) => {
        vec![$($crate::support::trial(concat!(module_path!(), "::", stringify!($test)), $test)),*]
    };
}

/// The binary under test.
pub fn checker() -> PathBuf {
    match std::env::var_os("HEALTHCHECKER") {
        Some(path) => path.into(),
        None => env!("CARGO_BIN_EXE_healthchecker").into(),
    }
}

/// The binary with an empty environment but for what a test adds.
pub fn command<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(checker());
    command.env_clear().args(arguments);
    command
}

/// Runs the binary with these arguments.
pub fn check<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Run {
    run(&mut command(arguments))
}

/// What a run of the binary left behind.
pub struct Run {
    what: String,
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

/// No run may last longer than this, whatever it is told.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `command` to its end, with both streams captured unless the command says otherwise.
pub fn run(command: &mut Command) -> Run {
    let what = format!("{command:?}");
    let begun = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    // Less than a pipe holds, by contract: 4096 bytes, and the help.
    let status = loop {
        match child.try_wait().expect("wait for the binary") {
            Some(status) => break status,
            None if begun.elapsed() > PATIENCE => {
                let _ = child.kill();
                panic!("{what}: still running after {PATIENCE:?}");
            }
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    let took = begun.elapsed();
    let text = |stream: Option<&mut dyn Read>| {
        let mut bytes = Vec::new();
        stream
            .expect("a piped stream")
            .read_to_end(&mut bytes)
            .expect("read what it printed");
        String::from_utf8(bytes).unwrap_or_else(|bytes| panic!("{what}: printed {bytes:?}"))
    };
    let stdout = text(child.stdout.as_mut().map(|stream| stream as &mut dyn Read));
    let stderr = text(child.stderr.as_mut().map(|stream| stream as &mut dyn Read));
    Run {
        what,
        code: status.code(),
        signal: status.signal(),
        stdout,
        stderr,
        took,
    }
}

impl Run {
    /// Asserts exit code 0, and that all that was printed is this one line on stdout. `*` stands for any text, such as
    /// a time.
    #[track_caller]
    pub fn healthy(&self, line: &str) -> &Self {
        self.exits(0).says(&self.stdout, line);
        assert_eq!(self.stderr, "", "{self}");
        self
    }

    /// Asserts exit code 1, and that all that was printed is this one line on stderr.
    #[track_caller]
    pub fn unhealthy(&self, line: &str) -> &Self {
        self.exits(1).says(&self.stderr, line);
        assert_eq!(self.stdout, "", "{self}");
        self
    }

    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "the exit code of {self}");
        self
    }

    /// Asserts that the run took less than this.
    #[track_caller]
    pub fn within(&self, limit: Duration) -> &Self {
        assert!(
            self.took < limit,
            "took {:?}, not {limit:?}: {self}",
            self.took
        );
        self
    }

    #[track_caller]
    fn says(&self, stream: &str, line: &str) {
        let said = stream
            .strip_suffix('\n')
            .unwrap_or_else(|| panic!("no line at all: {self}"));
        assert!(!said.contains('\n'), "more than a line: {self}");
        assert!(said.len() < 512, "a line of {} bytes: {self}", said.len());
        assert!(matches(line, said), "expected: {line}\n{self}");
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Run {
            what,
            code,
            signal,
            stdout,
            stderr,
            took,
        } = self;
        write!(
            f,
            "{what}\n  code {code:?}, signal {signal:?}, {took:?}\n  stdout: {stdout}\n  stderr: {stderr}"
        )
    }
}

/// Whether `text` is `pattern`, where each `*` stands for any text.
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// A server on a free port of 127.0.0.1 that runs a script on each connection. Dropping it panics if it was never
/// asked: a test of a reply that nobody fetched tests nothing.
pub struct Server {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
    may_be_unasked: bool,
}

impl Server {
    /// Runs `script` for each connection, in a thread of its own.
    pub fn new(script: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::on(
            TcpListener::bind("127.0.0.1:0").expect("bind a free port"),
            script,
        )
    }

    /// The same on a listener that the test made.
    pub fn on(
        listener: TcpListener,
        script: impl Fn(&mut TcpStream) + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().expect("the address of a listener");
        let asked = Arc::new(AtomicUsize::new(0));
        let received = Arc::new(Mutex::new(Vec::new()));
        let (count, script) = (asked.clone(), Arc::new(script));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                let (mut connection, script) = (connection, script.clone());
                std::thread::spawn(move || script(&mut connection));
            }
        });
        Server {
            address,
            asked,
            received,
            may_be_unasked: false,
        }
    }

    /// Reads a request, keeps it, sends `reply` and closes.
    pub fn replying(reply: impl Into<Vec<u8>>) -> Self {
        let reply = reply.into();
        let received: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let kept = received.clone();
        let mut server = Self::new(move |connection| {
            let request = read_request(connection);
            kept.lock().expect("the requests").push(request);
            // A checker that has its verdict may be gone already.
            let _ = connection.write_all(&reply);
        });
        server.received = received;
        server
    }

    /// A server that nothing may be sent to: asserts on drop that it was never asked.
    pub fn untouched() -> Self {
        let mut server = Self::new(|_| {});
        server.may_be_unasked = true;
        server
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// `http://127.0.0.1:PORT` followed by `path`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many connections there were.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The requests that `replying` has read.
    pub fn requests(&self) -> Vec<String> {
        let received = self.received.lock().expect("the requests");
        received
            .iter()
            .map(|request| String::from_utf8_lossy(request).into_owned())
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        match self.may_be_unasked {
            true => assert_eq!(self.asked(), 0, "something was sent"),
            false => assert!(self.asked() > 0, "the server was never asked"),
        }
    }
}

/// Reads an HTTP request with the body that its Content-Length announces.
pub fn read_request(connection: &mut TcpStream) -> Vec<u8> {
    let _ = connection.set_read_timeout(Some(Duration::from_secs(5)));
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if request.len() >= end + 4 + length.unwrap_or(0usize) {
                return request;
            }
        }
        match connection.read(&mut buffer) {
            Ok(0) | Err(_) => return request,
            Ok(read) => request.extend_from_slice(&buffer[..read]),
        }
    }
}
