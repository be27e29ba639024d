//! What else the line says: which part is sick, whether the container is short of something.

use crate::http::{after_request, hold, judge, said};
use crate::support::{Server, Skip, check, checker, program, run};
use libtest_mimic::Trial;
use std::fs;
use std::process::Command;

pub fn trials() -> Vec<Trial> {
    trials![
        sick_components,
        sick_components_come_late,
        sick_components_hide_secrets,
        containers_without_memory_or_cpu,
    ]
}

fn reply(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

#[rustfmt::skip]
fn sick_components() {
    let one = r#"{"status":"DOWN","components":{"db":{"status":"DOWN","details":{"error":"no \"main\"\nconnection"}},"ping":{"status":"UP"}}}"#;
    let all: Vec<String> = ["a", "b", "c", "d", "e"].iter().map(|name| format!(r#"{{"name":"{name}","healthy":false,"error":"gone"}}"#)).collect();
    let many = format!("[{}]", all.join(","));
    let long = format!(r#"{{"db":{{"status":"DOWN","error":"{}"}}}}"#, "x".repeat(2000));
    let hostile = r#"{"\u001b[2J":{"status":"DOWN","error":"\u202e\r\nhealthy: x"}}"#;
    let down = r#"db DOWN: no "main"\nconnection"#;
    judge(&[
        (&reply(503, one), &[], &format!("unhealthy: status 503, expected 200-299; {down} (*s)")),
        (&reply(200, one), &["-j", "status=UP"], &format!(r#"unhealthy: JSON status is "DOWN", expected "UP"; {down} (*s)"#)),
        (&reply(200, one), &["-j", "x"], &format!("unhealthy: JSON has no x; {down} (*s)")),
        (&reply(200, one), &["-b", "x y"], &format!("unhealthy: body lacks \"x y\"; {down} (*s)")),
        (&reply(200, one), &["--body-not", "DOWN"], &format!("unhealthy: body contains \"DOWN\"; {down} (*s)")),
        (
            &reply(500, &many),
            &[],
            "unhealthy: status 500, expected 200-299; a healthy=false: gone; b healthy=false: gone; c healthy=false: gone; and 2 more (*s)",
        ),
        (&reply(500, r#"{"status":"fail","output":"disk full"}"#), &[], "unhealthy: status 500, expected 200-299; fail: disk full (*s)"),
        (&reply(500, &long), &[], &format!("unhealthy: status 500, expected 200-299; db DOWN: {}... (*s)", "x".repeat(237))),
        (&reply(500, hostile), &[], r"unhealthy: status 500, expected 200-299; \x1b[2J DOWN: \u{202e}\r\nhealthy: x (*s)"),
        // Nothing in it is named: the body is shown.
        (&reply(500, r#"{"status":"DOWN"}"#), &[], r#"unhealthy: status 500, expected 200-299; body: {"status":"DOWN"} (*s)"#),
        (&reply(500, "db: DOWN"), &[], "unhealthy: status 500, expected 200-299; body: db: DOWN (*s)"),
    ]);
}

/// Behind more than is shown of a body, and in a body that never ends.
fn sick_components_come_late() {
    let part = format!(r#""pad":"{}""#, "x".repeat(30_000));
    let body = format!(r#"{{{part},"db":{{"status":"DOWN","error":"gone"}}}}"#);
    let line = "unhealthy: status 503, expected 200-299; db DOWN: gone (*s)";
    judge(&[(&reply(503, &body), &[], line)]);
    let endless = format!("HTTP/1.1 503 X\r\n\r\n{}", body.trim_end_matches('}'));
    let server = after_request(move |connection| {
        crate::http::send(connection, &endless);
        hold(connection);
    });
    let line = "unhealthy: status 503, expected 200-299; db DOWN: gone (*s)";
    said(&["-t", "20"], &server.url("/"), line);
}

fn sick_components_hide_secrets() {
    let body = r#"{"db":{"status":"DOWN","error":"bad password se\u0063ret\/word for me"}}"#;
    let line = "unhealthy: status 503, expected 200-299; db DOWN: bad password *** for me (*s)";
    judge(&[(&reply(503, body), &["-H", "X-Key: secret/word"], line)]);
    let line = "unhealthy: status 503, expected 200-299; body: (not shown*";
    judge(&[(&reply(503, body), &["-H", "X-Key: x"], line)]);
}

/// The files of control groups, version 2, as a container has them that is short of memory, and of a CPU.
fn containers_without_memory_or_cpu() -> Result<(), Skip> {
    let unshare = program("unshare")?;
    let silent = Server::new(|connection| crate::support::wait_for_end(connection));
    let url = silent.url("/");
    let says = |files: &[(&str, &str)]| {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        let script = r#"mount --bind "$1" /sys/fs/cgroup && shift && exec "$@""#;
        let mut command = Command::new(&unshare);
        command.args([
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            script,
            "sh",
        ]);
        command
            .arg(folder.path())
            .arg(checker())
            .args(["-t", "300ms", &url]);
        run(&mut command)
    };
    let nothing = says(&[]);
    if !nothing.stderr.starts_with("unhealthy: ") {
        return Err(Skip::new(format!(
            "no mount in a namespace: {}",
            nothing.stderr
        )));
    }
    let quiet = "some avg10=90.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=19.99 avg60=0.00 avg300=0.00 total=0\n";
    let loud = "some avg10=90.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=42.50 avg60=0.00 avg300=0.00 total=0\n";
    for (files, signs) in [
        (&[][..], ""),
        (
            &[
                ("memory.current", "66000000\n"),
                ("memory.max", "67108864\n"),
                ("memory.stat", "anon 65000000\ninactive_file 4096\n"),
            ],
            "; the memory of this container is at its limit (64 MiB, memory.max)",
        ),
        // Files that were read, which the kernel gives back; and no limit.
        (
            &[
                ("memory.current", "66000000\n"),
                ("memory.max", "67108864\n"),
                ("memory.stat", "anon 1\ninactive_file 60000000\n"),
            ],
            "",
        ),
        (
            &[("memory.current", "66000000\n"), ("memory.max", "max\n")],
            "",
        ),
        (
            &[("memory.pressure", loud)],
            "; its processes all waited for memory 42 % of the last 10 s (memory.pressure)",
        ),
        (
            &[("cpu.pressure", loud)],
            "; its processes all waited for a CPU 42 % of the last 10 s (cpu.pressure)",
        ),
        (
            &[
                ("cpu.pressure", quiet),
                ("memory.pressure", quiet),
                ("cpu.stat", "nr_throttled 5\nthrottled_usec 9000000\n"),
            ],
            "",
        ),
        (
            &[
                ("cpu.pressure", ""),
                ("memory.max", "x"),
                ("memory.current", "\0"),
                ("cpu.stat", "nr_throttled x\n"),
            ],
            "",
        ),
    ] {
        let said = says(files);
        // This machine itself can be short of a CPU.
        if said.stderr.contains("process 1 waited") {
            continue;
        }
        let line = format!(
            "unhealthy: {url}: no response within 300 ms: connected, request sent, waiting for the status line{signs}\n"
        );
        assert_eq!(said.exits(1).stderr, line, "{files:?}");
    }
    // A target that was not asked for lack of time has the same reason.
    check(["-t", "300ms", &url, "redis://localhost:1"]).exits(1);
    Ok(())
}
