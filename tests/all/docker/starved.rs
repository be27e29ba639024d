//! Containers that are short of CPU or memory: the line says so.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use super::{Container, Images, succeed, trial};
use crate::support::{self, Run, Skip, matches};

pub(super) fn trials(images: &Arc<Images>) -> Vec<Trial> {
    vec![
        trial(
            images,
            "docker::starved::a_container_without_cpu_says_so",
            |images| without_cpu(images.go()),
        ),
        trial(
            images,
            "docker::starved::a_container_without_memory_says_so",
            |images| without_memory(images.go()),
        ),
    ]
}

/// One hundredth of a CPU, most of which the checks themselves use up.
fn without_cpu(image: &str) {
    const SIGN: &str = "; this container was throttled ";
    const NO_REPLY: &str = "unhealthy: http://localhost:6767/health: no response within 200 ms: *";
    let options = "--no-healthcheck --network none --cpus 0.01";
    let container = Container::start(image, options);
    let deadline = Instant::now() + Duration::from_secs(120);
    let said = loop {
        let runs: Vec<Run> = thread::scope(|scope| {
            let checks = [(); 3].map(|()| scope.spawn(|| container.check()));
            checks
                .into_iter()
                .filter_map(|check| check.join().ok())
                .collect()
        });
        if let Some(run) = runs.into_iter().find(|run| run.stderr.contains(SIGN)) {
            break run;
        }
        assert!(Instant::now() < deadline, "{}", container.check());
    };
    said.exits(1);
    let pattern = "* % of that time (cpu.*)\n";
    assert!(
        matches(&format!("{NO_REPLY}{SIGN}{pattern}"), &said.stderr),
        "{said}"
    );

    // A service that hangs, with CPU to spare, is not said to be short of it.
    let options = "--no-healthcheck --network none --cpus 1";
    let container = Container::start(image, options);
    container.answers();
    succeed(&["kill", "--signal", "STOP", &container.id]);
    for _ in 0..5 {
        let said = container.check();
        assert!(matches(&format!("{NO_REPLY}\n"), &said.stderr), "{said}");
        assert!(!said.stderr.contains(SIGN), "{said}");
    }
}

/// A process that fills the memory while a check of a hung service waits: what is charged to a container is what its
/// control group holds.
fn without_memory(image: &str) -> Result<(), Skip> {
    const LIMIT: u64 = 48 << 20;
    let options = "--no-healthcheck --network none --memory 48m --memory-swap 48m";
    let container = Container::start(image, options);
    container.answers();
    let pid = succeed(&["inspect", "--format", "{{.State.Pid}}", &container.id]);
    let no_group = || Skip::new("no control group of the container's memory is seen here");
    let group = memory_group(&pid).ok_or_else(no_group)?;
    succeed(&["kill", "--signal", "STOP", &container.id]);
    let checker = ["exec", &container.id, "/healthchecker", "--timeout", "4s"];
    let check = || support::run(Command::new("docker").args(checker));
    let said = thread::scope(|scope| {
        let check = scope.spawn(check);
        // The engine needs some of the memory to start the check.
        thread::sleep(Duration::from_secs(1));
        // `tail` keeps all of a line that does not end. It gets as much as there is room for, and more when the engine gives
        // back what it has used.
        let script = "echo $$ > $1/cgroup.procs && exec tail -n 1 > /dev/null";
        let mut filler = Command::new("sh")
            .args(["-c", script, "sh", &group])
            .stdin(Stdio::piped())
            .spawn()
            .expect("start a shell");
        let mut line = filler.stdin.take().expect("a pipe");
        while !check.is_finished() {
            if used(&group) >= LIMIT - LIMIT / 32 {
                thread::sleep(Duration::from_millis(5));
            } else if line.write_all(&[b'x'; 32 * 1024]).is_err() {
                break;
            }
        }
        drop(line);
        let filler = filler.wait().expect("reap the shell");
        (check.join().expect("the check ends"), filler)
    });
    let line = "unhealthy: http://localhost:6767/health: no response within 4 s: *; \
                the memory of this container is at its limit (48 MiB, memory.*)\n";
    assert!(
        matches(line, &said.0.exits(1).stderr),
        "{}{:?}",
        said.0,
        said.1
    );
    Ok(())
}

/// The control group that the memory of a process is charged to, in version 1 or 2.
fn memory_group(pid: &str) -> Option<String> {
    let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let folders = groups.lines().filter_map(|line| {
        let path = line.split_once(':')?.1;
        match path.split_once(':')? {
            ("memory", path) => Some(format!("/sys/fs/cgroup/memory{path}")),
            ("", path) => Some(format!("/sys/fs/cgroup{path}")),
            _ => None,
        }
    });
    folders.into_iter().find(|group| used(group) > 0)
}

/// How much memory a control group uses.
fn used(group: &str) -> u64 {
    let files = ["memory.current", "memory.usage_in_bytes"];
    let mut texts = files
        .iter()
        .filter_map(|file| std::fs::read_to_string(format!("{group}/{file}")).ok());
    texts
        .next()
        .and_then(|used| used.trim().parse().ok())
        .unwrap_or(0)
}
