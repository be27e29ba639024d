//! What a check may cost at most: bytes, page faults and system calls.
//!
//! A check runs every few seconds in every container, for years, so these are promises like any other. A change that
//! breaks one moves the number, in the same commit, and says why it is worth it. How long a check takes has no limit
//! here, because it is the machine that decides that; `cargo bench` measures it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use libtest_mimic::Trial;

use crate::support::{self, Server, Skip};

struct Budget {
    bytes: u64,
    /// For one healthy check, what the kernel needs to start any process included: about 4.
    page_faults: u64,
    /// For one healthy check, execve and exit_group included.
    system_calls: usize,
}

/// `cargo build --release` where the standard library is glibc's. Without a C library, the clock is a system call. Where data
/// begin in a page depends on the length of paths, and is worth a page fault or two.
const GNU: Budget = Budget {
    bytes: 556 * 1024,
    page_faults: 25,
    system_calls: 38,
};

/// The same for musl.
const MUSL: Budget = Budget {
    bytes: 460 * 1024,
    page_faults: 40,
    system_calls: 20,
};

/// `cargo +nightly smallest`.
const SMALLEST: Budget = Budget {
    bytes: 346 * 1024,
    page_faults: 19,
    system_calls: 14,
};

/// The KiB for other processors: of `cargo build --release` for musl, and of `cargo +nightly smallest`.
const OTHERS: [(&str, u64, u64); 4] = [
    ("aarch64", 432, 336),
    ("armv7", 536, 260),
    ("riscv64gc", 460, 306),
    ("i686", 428, 330),
];

pub fn trials() -> Vec<Trial> {
    let build = support::checker();
    match (budget(&build), bytes(&build)) {
        (Some(_), _) => trials![size, page_faults, system_calls],
        (None, Some(_)) => trials![size],
        // Not skipped, but not there: a debug build has no budget on any machine.
        (None, None) => Vec::new(),
    }
}

/// The budget of a build, which is known by the folder that cargo has put it in: `target/TARGET/PROFILE/healthchecker`.
fn budget(checker: &Path) -> Option<Budget> {
    match folders(checker)? {
        ("x86_64-unknown-linux-musl", "smallest") => Some(SMALLEST),
        ("x86_64-unknown-linux-musl", "release") => Some(MUSL),
        ("x86_64-unknown-linux-gnu", "release") => Some(GNU),
        _ => None,
    }
}

fn folders(checker: &Path) -> Option<(&str, &str)> {
    let mut folders = checker
        .iter()
        .rev()
        .skip(1)
        .filter_map(|name| name.to_str());
    let profile = folders.next()?;
    Some((folders.next()?, profile))
}

/// How large a build may be.
fn bytes(checker: &Path) -> Option<u64> {
    if let Some(budget) = budget(checker) {
        return Some(budget.bytes);
    }
    let (target, profile) = folders(checker)?;
    let (processor, libc) = target.split_once("-unknown-linux-")?;
    let (_, release, smallest) = OTHERS.iter().find(|(name, ..)| *name == processor)?;
    match profile {
        "release" if libc.starts_with("musl") => Some(release * 1024),
        "smallest" => Some(smallest * 1024),
        _ => None,
    }
}

fn limits() -> Budget {
    budget(&support::checker()).expect("otherwise there are no such trials")
}

fn size() {
    let file = fs::metadata(support::checker()).expect("the binary under test");
    let limit = bytes(&support::checker()).expect("otherwise there is no such trial");
    within(file.len(), limit, "bytes");
}

fn page_faults() -> Result<(), Skip> {
    if !Path::new("/proc/self/stat").exists() {
        return Err(Skip::new("no /proc to read the count in"));
    }
    let server = healthy();
    // How much of the file comes with one fault depends on what of it is in memory, so the first run may need more.
    let least = (0..10).map(|_| page_faults_of_one(&server)).min();
    within(least.expect("ten"), limits().page_faults, "page faults");
    Ok(())
}

/// A process that has ended, and that nobody has waited for yet, still shows what the kernel has counted for it.
fn page_faults_of_one(server: &Server) -> u64 {
    let mut child = support::command([server.url("/health")])
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary under test runs");
    let deadline = Instant::now() + Duration::from_secs(10);
    let count = loop {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).expect("a process");
        // Fields 3 and 10 of proc(5); the name before them may hold anything but a last parenthesis.
        let (_, fields) = stat.rsplit_once(") ").expect("a line of proc(5)");
        if fields.starts_with('Z') {
            break fields
                .split(' ')
                .nth(10 - 3)
                .and_then(|minor| minor.parse().ok());
        }
        assert!(Instant::now() < deadline, "the check does not end");
        thread::sleep(Duration::from_millis(1));
    };
    assert!(child.wait().expect("it has ended").success());
    count.expect("a line of proc(5)")
}

fn system_calls() -> Result<(), Skip> {
    let strace = support::program("strace")?;
    let server = healthy();
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let strace = Command::new(strace)
        .args(["-f", "-qq", "-e", "signal=none", "-o"])
        .arg(log.path())
        .arg(support::checker())
        .arg(server.url("/health"))
        .env_clear()
        .output()
        .expect("strace runs");
    if !strace.status.success() {
        let why = String::from_utf8_lossy(&strace.stderr).into_owned();
        return Err(Skip::new(format!("strace cannot trace here: {why}")));
    }
    // A line for each.
    let calls = fs::read_to_string(log.path()).expect("what strace wrote");
    within(
        calls.lines().count(),
        limits().system_calls,
        &format!("system calls:\n{calls}"),
    );
    Ok(())
}

fn healthy() -> Server {
    Server::replying("HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\":\"UP\"}")
}

#[track_caller]
fn within<T: PartialOrd + std::fmt::Display>(found: T, limit: T, what: &str) {
    assert!(
        found <= limit,
        "{found} where {limit} is the budget, {what}"
    );
}
