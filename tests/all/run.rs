//! A run: its targets in order, and the one deadline that they share.

use crate::http::{OK, after_request, hold, send};
use crate::protocol::conversation::{Fake, Manner, POLITE, target};
use crate::support::{
    Server, check, command, deaf_port, full_unix_socket, lines, only_if_asked, run_and,
};
use libtest_mimic::Trial;
use rustix::process::{Signal, kill_process};
use std::io::Read;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

mod wait;

pub fn trials() -> Vec<Trial> {
    let mut trials = wait::trials();
    trials.extend(trials![
        several_targets,
        one_deadline_for_all_targets,
        a_hundred_targets,
        several_targets_share_the_deadline,
        stopped_again_and_again,
    ]);
    trials.extend(only_if_asked(
        "waits for half a minute",
        trials![long_deadlines],
    ));
    trials
}

#[rustfmt::skip]
fn several_targets() {
    let well = Server::replying(OK);
    let ill = Server::replying("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
    let healthy = |path: &str| format!("healthy: {}: 200 OK in *s", well.url(path));
    let unhealthy = format!(
        "unhealthy: {}: status 503, expected 200-299 (*s)",
        ill.url("/")
    );
    let run = check([well.url("/a"), well.url("/b")]);
    lines(run.exits(0), &[healthy("/a"), healthy("/b")], &[]);
    // All are asked, whatever came before.
    let run = check([well.url("/a"), ill.url("/"), well.url("/b")]);
    lines(run.exits(1), &[healthy("/a"), healthy("/b")], &[unhealthy]);
    let run = check([&*ill.url("/"), "--status", "503", &well.url("/")]);
    lines(
        run.exits(1),
        &[format!("healthy: {}: 503 Service Unavailable in *s", ill.url("/"))],
        &[format!("unhealthy: {}: status 200, expected 503; body: UP (*s)", well.url("/"))],
    );
}

/// As `docker pause` and `docker unpause` do: system calls that wait are interrupted, and nothing is unhealthy for that.
fn stopped_again_and_again() {
    let stop = |arguments: &[&str]| {
        run_and(&mut command(arguments), |checker| {
            for signal in [Signal::STOP, Signal::CONT] {
                kill_process(checker, signal).expect("it runs, or nobody has waited for it");
            }
        })
    };
    let slow = after_request(|connection| {
        for byte in OK {
            send(connection, [*byte]);
            thread::sleep(Duration::from_millis(1));
        }
    });
    let url = slow.url("/");
    stop(&[&url]).healthy(&format!("healthy: {url}: 200 OK in *s"));
    let mute = after_request(hold);
    let url = mute.url("/");
    stop(&["-t", "300ms", &url])
        .unhealthy(&format!("unhealthy: {url}: no response within 300 ms: *"));
    let answered = vec![(b"PING\r\n".to_vec(), b"+PONG\r\n".to_vec())];
    let bytewise = Manner {
        bytewise: true,
        ..POLITE
    };
    let redis = Fake::new(answered, bytewise);
    let url = target(&redis.server, "redis");
    stop(&[&url]).healthy(&format!("healthy: {url}: answers in *s"));
    redis.heard();
    let (_taken, port) = deaf_port();
    let url = format!("http://127.0.0.1:{port}/");
    stop(&["--wait", "300ms", &url]).unhealthy(&format!(
        "unhealthy: {url}: connection refused at 127.0.0.1:{port}*s)"
    ));
}

fn one_deadline_for_all_targets() {
    let well = Server::replying(OK);
    let hangs = after_request(hold);
    let never = Server::untouched();
    let run = check([
        "-t",
        "300ms",
        &well.url("/"),
        &hangs.url("/"),
        &never.url("/"),
        &never.url("/2"),
    ]);
    lines(
        run.exits(1).within(Duration::from_secs(2)),
        &[format!("healthy: {}: 200 OK in *s", well.url("/"))],
        &[
            format!(
                "unhealthy: {}: no response within 300 ms: *",
                hangs.url("/")
            ),
            format!(
                "unhealthy: {}: not asked: the targets before it took all of the 300 ms",
                never.url("/")
            ),
            format!(
                "unhealthy: {}: not asked: the targets before it took all of the 300 ms",
                never.url("/2")
            ),
        ],
    );
}

/// All output stays under what `docker inspect` keeps, and what found no room is counted.
fn a_hundred_targets() {
    let well = Server::replying(OK);
    let ill = Server::replying(format!("HTTP/1.1 503 No\r\n\r\n{}", "\0".repeat(600)));
    let path = format!("/{}", "p".repeat(200));
    for (healthy, options) in [
        (100, ""),
        (0, ""),
        (50, ""),
        (99, ""),
        (1, ""),
        (50, "-v"),
        (0, "-v"),
    ] {
        let urls = (0..100).map(|at| match at < healthy {
            true => well.url(&path),
            false => ill.url(&path),
        });
        let mut arguments: Vec<String> = options.split_whitespace().map(str::to_owned).collect();
        arguments.extend(urls);
        let run = check(arguments);
        run.exits(i32::from(healthy < 100));
        assert!(run.stdout.len() + run.stderr.len() < 4096, "{run}");
        let both = run.stdout.clone() + &run.stderr;
        let said = |verdict: &str| {
            both.lines()
                .filter(|line| line.starts_with(verdict))
                .count()
        };
        let (well, ill) = (said("healthy: "), said("unhealthy: "));
        let rest = format!(
            "... and {} more targets: {} healthy, {} not",
            100 - well - ill,
            healthy - well,
            100 - healthy - ill
        );
        assert!(
            both.lines().any(|line| line == rest),
            "no {rest:?} in {run}"
        );
        assert!(both.lines().all(|line| line.len() < 512), "{run}");
        // A line for each kind, at least.
        assert!(
            (well > 0) == (healthy > 0) && (ill > 0) == (healthy < 100),
            "{run}"
        );
    }
}

/// How late a check may be here. The promise is 20 ms on an idle machine; what runs on the kernel's timer wheel is up to 2 s
/// late on these lengths.
const LATE: Duration = Duration::from_millis(300);

/// Side by side, because they do nothing but wait.
fn long_deadlines() {
    // The kernel makes the connection and takes the request, and nobody answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("bind a free port");
    let directory = tempfile::tempdir().expect("a directory");
    let socket = directory.path().join("full.sock");
    let _full = full_unix_socket(&socket);
    let socket = socket.to_str().expect("a path in UTF-8");
    let url = format!("http://{}/", silent.local_addr().expect("its address"));
    let waits: [(&str, &[&str]); 5] = [
        ("5s", &[&url]),
        ("11s", &[&url]),
        ("20s", &[&url]),
        ("28s", &[&url]),
        ("20s", &["--unix-socket", socket, "http://localhost/"]),
    ];
    thread::scope(|scope| {
        for (time, target) in waits {
            scope.spawn(move || {
                let begun = Instant::now();
                let mut child = command(["-q", "-t", time].iter().chain(target))
                    .spawn()
                    .expect("it runs");
                assert_eq!(child.wait().expect("its end").code(), Some(1));
                let took = begun.elapsed();
                let asked: u64 = time.trim_end_matches('s').parse().expect("a number");
                let late = took.checked_sub(Duration::from_secs(asked));
                let late = late.unwrap_or_else(|| panic!("{target:?}: {took:?}, not {time}"));
                assert!(late < LATE, "{target:?}: {late:?} late after {time}");
            });
        }
    });
}

fn several_targets_share_the_deadline() {
    let fake = Fake::new(vec![(b"PING\r\n".to_vec(), b"+PONG\r\n".to_vec())], POLITE);
    let silent = Server::new(|connection| drop(connection.read_to_end(&mut Vec::new())));
    let never = Server::untouched();
    let [well, stuck, unasked] = [
        fake.target("redis"),
        target(&silent, "mysql"),
        target(&never, "memcached"),
    ];
    let run = check(["-t", "400ms", &well, &stuck, &unasked, "file:/"]);
    run.exits(1).within(Duration::from_secs(3));
    lines(
        &run,
        &[format!("healthy: {well}: answers in *s")],
        &[
            format!(
                "unhealthy: {stuck}: no response within 400 ms: connected, waiting for the greeting"
            ),
            format!(
                "unhealthy: {unasked}: not asked: the targets before it took all of the 400 ms"
            ),
            "unhealthy: file:/: not asked: the targets before it took all of the 400 ms".into(),
        ],
    );
}
