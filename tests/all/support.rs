//! What all tests share: running the binary and judging what it said, a scripted server that must be asked, and tests
//! that can say they were skipped.

use libtest_mimic::{Completion, Trial};
use rustix::net::{self, AddressFamily, SocketType, sockopt};
use std::cell::Cell;
use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// `trials![a, b]`: the functions as trials, named after their module. One that is not listed is dead code, which
/// clippy does not let pass.
macro_rules! trials {
    ($($test:ident),* $(,)?) => {
        vec![$({
            let name = concat!(module_path!(), "::", stringify!($test));
            $crate::support::trial(name.split_once("::").map_or(name, |(_, rest)| rest), $test)
        }),*]
    };
}

pub fn trials() -> Vec<Trial> {
    trials![
        a_server_ends_with_its_value,
        a_server_may_be_unasked_when_a_test_is_skipped,
        stars_and_times,
    ]
}

/// Why a test did not run. While a thread has one, the test is on its way out, and so servers that it drops may be
/// unasked.
pub struct Skip(String);

thread_local! {
    static SKIPS: Cell<usize> = const { Cell::new(0) };
}

impl Skip {
    pub fn new(reason: impl Into<String>) -> Self {
        SKIPS.set(SKIPS.get() + 1);
        Skip(reason.into())
    }
}

impl Drop for Skip {
    fn drop(&mut self) {
        SKIPS.set(SKIPS.get() - 1);
    }
}

/// Where a program is, looked for as a shell does. What is not on PATH is not there, wherever else it may be installed.
pub fn program(name: &str) -> Result<PathBuf, Skip> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| Skip::new(format!("{name} is not on PATH")))
}

/// What a test function returns: nothing, or that it was skipped.
pub trait Outcome {
    fn result(self) -> Result<(), Skip>;
}

impl Outcome for () {
    fn result(self) -> Result<(), Skip> {
        Ok(())
    }
}

impl Outcome for Result<(), Skip> {
    fn result(self) -> Result<(), Skip> {
        self
    }
}

fn completion(result: Result<(), Skip>) -> Completion {
    match result {
        Ok(()) => Completion::Completed,
        // In CI everything is there, or CI is broken.
        Err(skip) if std::env::var_os("CI").is_some_and(|ci| ci == "true") => {
            panic!("cannot be skipped in CI: {}", skip.0)
        }
        // On one line, as all that is said of a test.
        Err(skip) => Completion::ignored_with(skip.0.lines().collect::<Vec<_>>().join(" ")),
    }
}

/// Held to read by a trial that runs beside others, and to write by one that runs alone.
static TURN: RwLock<()> = RwLock::new(());

pub fn trial<R: Outcome + 'static>(name: &str, test: impl FnOnce() -> R + Send + 'static) -> Trial {
    let alone = crate::ALONE.contains(&name);
    Trial::ignorable_test(name, move || {
        // A trial that fails leaves nothing behind that could confuse the next one.
        let _turn = match alone {
            true => (
                None,
                Some(TURN.write().unwrap_or_else(|broken| broken.into_inner())),
            ),
            false => (
                Some(TURN.read().unwrap_or_else(|broken| broken.into_inner())),
                None,
            ),
        };
        Ok(completion(test().result()))
    })
}

/// Marks what is run only if asked for (`-- --include-ignored`), because it needs the Docker engine, root, or a minute.
pub fn only_if_asked(what: &str, trials: Vec<Trial>) -> Vec<Trial> {
    let mark = |trial: Trial| trial.with_ignored_flag(true).with_kind(what);
    trials.into_iter().map(mark).collect()
}

/// The highest number that a descriptor had. The kernel gives each the lowest number that is free, so this is how many
/// were open at once.
static DESCRIPTORS: AtomicI32 = AtomicI32::new(0);

fn note(descriptor: &impl AsRawFd) {
    DESCRIPTORS.fetch_max(descriptor.as_raw_fd() + 1, Ordering::Relaxed);
}

/// How many descriptors were open at once, as far as servers and runs of the binary have seen.
pub fn most_descriptors() -> i32 {
    DESCRIPTORS.load(Ordering::Relaxed)
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

/// What a busy machine may add to the time that a run takes. A run that does not keep to its deadline at all takes
/// longer: the servers of these tests wait for as long as the checker does.
pub const SLACK: Duration = Duration::from_secs(10);

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
    child.stdout.iter().for_each(note);
    child.stderr.iter().for_each(note);
    // Less than a pipe holds, by contract: 4096 bytes, and the help.
    let status = loop {
        match child.try_wait().expect("wait for the binary") {
            Some(status) => break status,
            None if begun.elapsed() > PATIENCE => {
                let _ = child.kill();
                panic!("{what}: still running after {PATIENCE:?}");
            }
            None => thread::sleep(Duration::from_millis(1)),
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
    /// Asserts exit code 0, and that all that was printed is this one line on stdout, as `matches` compares it.
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

    /// Asserts that the run took less than this, give or take a busy machine.
    #[track_caller]
    pub fn within(&self, limit: Duration) -> &Self {
        assert!(
            self.took < limit + SLACK,
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

/// Asserts the lines on stdout and on stderr.
#[track_caller]
pub fn lines(run: &Run, out: &[String], err: &[String]) {
    for (said, lines) in [(&run.stdout, out), (&run.stderr, err)] {
        let said: Vec<&str> = said.lines().collect();
        assert_eq!(said.len(), lines.len(), "{run}");
        for (said, line) in said.iter().zip(lines) {
            assert!(matches(line, said), "expected: {line}\n{run}");
        }
    }
}

/// Whether `text` is `pattern`, where `* ms` stands for any time in whatever unit it is printed, for a slow machine may
/// need seconds, and each other `*` for any text.
pub fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, pattern)) => {
            text.strip_prefix(start)
                .is_some_and(|text| match pattern.strip_prefix(" ms") {
                    Some(pattern) => time(text).is_some_and(|text| matches(pattern, text)),
                    None => rests(text).any(|text| matches(pattern, text)),
                })
        }
    }
}

/// All that a text may end in, from itself to nothing.
fn rests(text: &str) -> impl Iterator<Item = &str> {
    let starts = text.char_indices().map(|(at, _)| at);
    starts.chain([text.len()]).map(|at| &text[at..])
}

/// What follows a time: `0.4 ms`, `2 s`, `59 min`.
fn time(text: &str) -> Option<&str> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let unit = unit.strip_prefix(' ').filter(|_| unit.len() < text.len())?;
    let rest = unit.trim_start_matches(|c: char| c.is_ascii_lowercase());
    ["ms", "s", "min", "h", "d"]
        .contains(&&unit[..unit.len() - rest.len()])
        .then_some(rest)
}

fn stars_and_times() {
    for (pattern, text, is) in [
        ("up", "up", true),
        ("up", "ups", false),
        ("u*", "ups", true),
        ("*s", "ups", true),
        ("*p", "ups", false),
        ("a*b*c", "abbc", true),
        ("a*ab", "ab", false),
        ("in * ms", "in 0.4 ms", true),
        ("in * ms", "in 12 s", true),
        ("in * ms", "in 3 min", true),
        ("in * ms", "in ms", false),
        ("in * ms", "in  ms", false),
        ("in * ms", "in x ms", false),
        ("in * ms", "in 4 pieces", false),
        ("body: * (* ms)", "body: a (b) (1.2 s)", true),
        ("(* ms), or so", "(59 s), or so", true),
    ] {
        assert_eq!(matches(pattern, text), is, "{pattern}: {text}");
    }
}

/// A server on a free port of 127.0.0.1 that runs a script on each connection. Dropping it panics if it was never
/// asked: a test of a reply that nobody fetched tests nothing.
///
/// It ends with its value, and so do its connections. A script that waits, waits for the other side: `wait_for_end`, or
/// any read without a time limit, returns when either the checker or the server is gone.
pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    /// Accepts, and waits for the threads of all connections in the end.
    thread: Option<JoinHandle<()>>,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
    may_be_unasked: bool,
}

#[derive(Default)]
struct State {
    asked: AtomicUsize,
    /// The connections whose scripts run.
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    connections: Vec<(usize, TcpStream)>,
    /// Who calls to tell that it is over.
    last_caller: Option<SocketAddr>,
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
        note(&listener);
        let address = listener.local_addr().expect("the address of a listener");
        let state = Arc::<State>::default();
        let shared = state.clone();
        let thread = thread::spawn(move || shared.serve(&listener, &script));
        Server {
            address,
            state,
            thread: Some(thread),
            received: Arc::default(),
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
        self.state.asked.load(Ordering::SeqCst)
    }

    /// The requests that `replying` has read.
    pub fn requests(&self) -> Vec<String> {
        let received = self.received.lock().expect("the requests");
        received
            .iter()
            .map(|request| String::from_utf8_lossy(request).into_owned())
            .collect()
    }

    /// What a test has to be told when it drops this.
    fn complaint(&self) -> Option<&'static str> {
        match (self.asked(), self.may_be_unasked) {
            (0, false) if SKIPS.get() == 0 => Some("the server was never asked"),
            (1.., true) => Some("something was sent"),
            _ => None,
        }
    }

    /// Ends the listener, the connections and all threads; whether every script came to its end.
    fn end(&mut self) -> std::io::Result<bool> {
        // From an address that is known before the call, so that it is told from those that wait to be accepted.
        let family = match self.address.ip() {
            IpAddr::V4(_) => AddressFamily::INET,
            IpAddr::V6(_) => AddressFamily::INET6,
        };
        let socket = net::socket(family, SocketType::STREAM, None)?;
        net::bind(&socket, &SocketAddr::new(self.address.ip(), 0))?;
        let caller = net::getsockname(&socket).and_then(SocketAddr::try_from)?;
        self.state.open.lock().expect("the connections").last_caller = Some(caller);
        // Where nobody listens any more, the thread has ended already.
        let _ = net::connect(&socket, &self.address);
        // No port is kept busy for a minute by the end of a connection that carried nothing.
        let _ = sockopt::set_socket_linger(&socket, Some(Duration::ZERO));
        let thread = self.thread.take();
        Ok(thread.is_none_or(|thread| thread.join().is_ok()))
    }
}

impl State {
    fn serve(&self, listener: &TcpListener, script: &(dyn Fn(&mut TcpStream) + Send + Sync)) {
        thread::scope(|scope| {
            let mut failure = None;
            for number in 0.. {
                let (mut connection, caller) = match listener.accept() {
                    Ok(accepted) => accepted,
                    Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                    Err(error) => {
                        failure = Some(error);
                        break;
                    }
                };
                let another = connection.try_clone().expect("the same connection");
                note(&another);
                let mut open = self.open.lock().expect("the connections");
                if open.last_caller == Some(caller) {
                    break;
                }
                open.connections.push((number, another));
                drop(open);
                self.asked.fetch_add(1, Ordering::SeqCst);
                scope.spawn(move || {
                    let _closed = Closed(self, number);
                    script(&mut connection);
                });
            }
            let open = self.open.lock().expect("the connections");
            for (_, connection) in &open.connections {
                let _ = connection.shutdown(Shutdown::Both);
            }
            assert!(failure.is_none(), "accept: {failure:?}");
        });
    }
}

/// Closes the server's own descriptor of a connection when its script has ended, also by a panic: the connection is
/// closed with its last one.
struct Closed<'a>(&'a State, usize);

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        let mut open = self.0.open.lock().expect("the connections");
        open.connections.retain(|(number, _)| *number != self.1);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let ended = self.end();
        if thread::panicking() {
            return;
        }
        let well = ended.expect("the server ends");
        assert!(well, "a script of the server has panicked");
        assert_eq!(self.complaint(), None, "{}", self.url("/"));
    }
}

/// Reads nothing, and returns when the server ends: what it has shut down takes no bytes, not even none.
pub fn wait_for_end(connection: &TcpStream) {
    // Nothing can be written to a connection that the server has shut down.
    let mut connection = connection;
    while connection.write(&[]).is_ok() {
        thread::sleep(Duration::from_millis(5));
    }
}

fn a_server_ends_with_its_value() {
    let (tell, ended) = std::sync::mpsc::channel();
    let server = Server::new(move |connection| {
        let tell = tell.clone();
        let mut first = [0];
        connection.read_exact(&mut first).expect("a byte");
        match first {
            [b'r'] => drop(connection.read_to_end(&mut Vec::new())),
            [b's'] => while connection.write_all(&[0; 4096]).is_ok() {},
            _ => wait_for_end(connection),
        }
        tell.send(()).expect("the test waits");
    });
    let mut clients = Vec::new();
    for manner in [b'r', b's', b'w'] {
        let mut client = TcpStream::connect(server.address).expect("connect");
        client.write_all(&[manner]).expect("send");
        clients.push(client);
    }
    while server.asked() < 3 {
        thread::sleep(Duration::from_millis(1));
    }
    assert!(ended.try_recv().is_err(), "they wait");
    let address = server.address;
    drop(server);
    assert_eq!(ended.try_iter().count(), 3, "all scripts have ended");
    assert!(TcpStream::connect(address).is_err(), "nobody listens");
    for mut client in clients {
        let _ = client.read_to_end(&mut Vec::new());
    }
}

fn a_server_may_be_unasked_when_a_test_is_skipped() {
    let skipped = || -> Result<(), Skip> {
        let _server = Server::new(|_| {});
        program("a program that does not exist").map(drop)
    };
    assert!(skipped().is_err());
    let mut server = Server::new(|_| {});
    assert_eq!(server.complaint(), Some("the server was never asked"));
    server.may_be_unasked = true;
    assert_eq!(server.complaint(), None);
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

/// A port where nothing listens, for as long as the socket lives.
pub fn deaf_port() -> (OwnedFd, u16) {
    use rustix::net::{AddressFamily, SocketType};
    let socket =
        rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).expect("make a socket");
    rustix::net::bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).expect("bind a free port");
    let address = rustix::net::getsockname(&socket).expect("the address of a socket");
    let address = SocketAddr::try_from(address).expect("an address of IPv4");
    (socket, address.port())
}

/// Makes the connection end in a reset instead of a goodbye, which is what a crash looks like.
pub fn reset(connection: &TcpStream) {
    sockopt::set_socket_linger(connection, Some(Duration::ZERO)).expect("set SO_LINGER");
}
