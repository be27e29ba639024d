//! The program under test, as a process.

use crate::engine::Engine;
use crate::receiver::{Receiver, matches};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_watch");

pub struct Watch {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Watch {
    /// Starts it, and waits until it has seen which containers there are.
    pub fn start(engine: &Engine, receiver: &Receiver, options: &str) -> Self {
        let mut child = Command::new(PROGRAM)
            .env_clear()
            .env("WEBHOOK", receiver.url())
            .env("DOCKER_HOST", engine.host())
            .args(options.split_whitespace())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("start the program");
        let lines = Arc::default();
        record(child.stdout.take().expect("piped"), &lines);
        record(child.stderr.take().expect("piped"), &lines);
        let watch = Watch { child, lines };
        watch.says("* containers are here");
        watch
    }

    /// Ends one, and starts another.
    pub fn instead_of(watch: Watch, engine: &Engine, receiver: &Receiver, options: &str) -> Self {
        drop(watch);
        Watch::start(engine, receiver, options)
    }

    /// All that it has said.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("no reader panicked").clone()
    }

    /// Waits until it says this, where `*` stands for anything.
    #[track_caller]
    pub fn says(&self, pattern: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        while !self.lines().iter().any(|line| matches(pattern, line)) {
            assert!(
                Instant::now() < end,
                "{pattern:?} is not in {:#?}",
                self.lines()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// SIGTERM ends it at once, and well.
impl Drop for Watch {
    fn drop(&mut self) {
        let begun = Instant::now();
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").arg(pid).status();
        let status = self.child.wait();
        let took = begun.elapsed();
        let lines = self.lines();
        if thread::panicking() {
            eprintln!("{lines:#?}");
            return;
        }
        let code = status.expect("wait for the program").code();
        assert_eq!(code, Some(0), "{lines:#?}");
        assert!(took < Duration::from_secs(8), "{took:?}: {lines:#?}");
    }
}

fn record(stream: impl Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) {
    let lines = Arc::clone(lines);
    thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let line = line.expect("UTF-8");
            lines.lock().expect("no reader panicked").push(line);
        }
    });
}

/// Runs it with arguments that end it: its exit code, what it printed on stdout, and on stderr.
pub fn fails(arguments: &str) -> (Option<i32>, String, String) {
    let output = Command::new(PROGRAM)
        .env_clear()
        .args(arguments.split_whitespace())
        .output()
        .expect("run the program");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}
