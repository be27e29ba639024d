//! What all tests share: running the binary and judging what it said, a scripted server that must be asked, and tests
//! that can say they were skipped.

use libtest_mimic::{Completion, Trial};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rustix::process::Pid;
use std::cell::Cell;
use std::ffi::OsStr;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::RwLock;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub use server::{Server, read_request, wait_for_end};
pub use sockets::{deaf_port, full_unix_socket, reset};

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

// Here, where the macro is known.
mod server;
mod sockets;

pub fn trials() -> Vec<Trial> {
    let mut trials = trials![stars_and_times];
    trials.extend(server::trials());
    trials
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
    run_and(command, |_| {})
}

/// The same, and does this with the process every millisecond.
pub fn run_and(command: &mut Command, mut meanwhile: impl FnMut(Pid)) -> Run {
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
            None => {
                meanwhile(Pid::from_child(&child));
                thread::sleep(Duration::from_millis(1));
            }
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
        assert!(
            matches(line, &without_signs(said)),
            "expected: {line}\n{self}"
        );
    }
}

/// A line without what is said of the machine that the test runs on: whoever is short of a CPU is told so.
fn without_signs(line: &str) -> String {
    let mut line = line.to_owned();
    for sign in [
        "; this container was throttled",
        "; process 1 waited",
        "; its processes all waited",
        "; the memory of this",
    ] {
        let Some(start) = line.find(sign) else {
            continue;
        };
        let end = line[start..]
            .find(')')
            .map_or(line.len(), |end| start + end + 1);
        line.replace_range(start..end, "");
    }
    line
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
            assert!(
                matches(line, &without_signs(said)),
                "expected: {line}\n{run}"
            );
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

/// A process that ends with the test.
pub struct Ends(pub Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a property on so many cases, and the same ones each time: a test that fails once in a hundred runs is one that
/// nobody believes.
pub fn runner(cases: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}
