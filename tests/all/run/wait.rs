//! `--wait`: targets asked again until they are healthy, what is printed of that in the end, and what a terminal shows.

use crate::http::{OK, after_request, hold};
use crate::report::streams::{fill, terminal};
use crate::support::{
    Run, Server, Skip, check, checker, command, lines, matches, read_request, run,
};
use libtest_mimic::Trial;
use rustix::net::{AddressFamily, SocketType};
use std::io::{Read, Write};
use std::net::{SocketAddrV4, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub fn trials() -> Vec<Trial> {
    trials![
        a_slow_start,
        healthy_at_once,
        ill_to_the_end,
        hung_to_the_end,
        too_little_time_for_the_last_attempt,
        all_must_be_healthy_at_once,
        quiet_and_verbose,
        a_terminal_shows_what_is_waited_for,
        a_terminal_that_takes_nothing,
        memory_is_given_back,
    ]
}

const ILL: &str = "HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nsick";

/// Answers with `ILL` so often, and with `OK` then.
fn ill_at_first(times: usize) -> impl Fn(&mut TcpStream) + Send + Sync + 'static {
    let asked = AtomicUsize::new(0);
    move |connection| {
        read_request(connection);
        let is_ill = asked.fetch_add(1, Ordering::SeqCst) < times;
        let _ = connection.write_all(if is_ill { ILL.as_bytes() } else { OK });
    }
}

/// Nothing listens at first, then the service is ill, then it is well.
fn a_slow_start() {
    // A port that is taken refuses, until somebody listens there.
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None);
    let socket = socket.expect("a socket");
    let any: SocketAddrV4 = "127.0.0.1:0".parse().expect("an address");
    rustix::net::bind(&socket, &any).expect("bind a free port");
    let listener = TcpListener::from(socket);
    let url = format!("http://{}/", listener.local_addr().expect("its address"));
    let run = thread::scope(|scope| {
        let run = scope.spawn(|| check(["--wait", "20s", &url]));
        thread::sleep(Duration::from_millis(150));
        rustix::net::listen(&listener, 5).expect("listen");
        let _server = Server::on(listener, ill_at_first(1));
        run.join().expect("it runs")
    });
    run.healthy(&format!(
        "healthy: {url}: 200 OK in * ms (* attempts in * ms)"
    ));
    assert!(run.took < Duration::from_secs(15), "{run}");
}

/// The line is the one that there is without `--wait`.
fn healthy_at_once() {
    let server = Server::replying(OK);
    let url = server.url("/");
    let run = check(["--wait", "20s", &url]);
    run.healthy(&format!("healthy: {url}: 200 OK in * ms"));
    assert!(!run.stdout.contains("attempt"), "{run}");
    assert_eq!(server.asked(), 1);
}

/// Not before the time is over, and not long after it.
#[track_caller]
fn took(run: &Run, time: Duration) {
    let least = time - Duration::from_millis(20);
    assert!(run.took >= least, "{:?}: {run}", run.took);
    run.within(time);
}

fn ill_to_the_end() {
    let server = Server::replying(ILL);
    let url = server.url("/");
    let run = check(["--wait", "700ms", &url]);
    run.unhealthy(&format!(
        "unhealthy: {url}: status 503, expected 200-299; body: sick (* ms; * attempts in * ms)"
    ));
    took(&run, Duration::from_millis(700));
    // Whoever is asked without a pause is asked thousands of times.
    let asked = server.asked();
    assert!((3..30).contains(&asked), "{asked} attempts");
    // On a busy machine, the end can come before the last one has connected.
    let counted = [asked, asked + 1].map(|number| format!("; {number} attempts in "));
    assert!(
        counted.iter().any(|count| run.stderr.contains(count)),
        "{asked}: {run}"
    );
    // Nothing listens.
    let run = check(["--wait", "300ms", "http://127.0.0.1:1/"]);
    run.unhealthy("unhealthy: http://127.0.0.1:1/: connection refused at 127.0.0.1:1; *(* ms; * attempts in * ms)");
}

/// Each attempt has its own deadline. What the last one was cut to says nothing of the service.
fn hung_to_the_end() {
    let hung = after_request(hold);
    let url = hung.url("/");
    let run = check(["-t", "400ms", "--wait", "1s", &url]);
    run.unhealthy(&format!(
        "unhealthy: {url}: no response within 400 ms: connected, request sent, waiting for the status line (* attempts in * ms)"
    ));
    took(&run, Duration::from_secs(1));
    // The first attempt may be the last: then it had all of the time.
    let run = check(["--wait", "300ms", &url]);
    run.unhealthy(&format!(
        "unhealthy: {url}: no response within 300 ms: connected, request sent, waiting for the status line"
    ));
    took(&run, Duration::from_millis(300));
}

/// The service takes 200 ms to say why it is ill. The attempts that are cut off before that do not hide it.
fn too_little_time_for_the_last_attempt() {
    let slow = after_request(|connection| {
        thread::sleep(Duration::from_millis(200));
        let _ = connection.write_all(ILL.as_bytes());
    });
    let url = slow.url("/");
    let run = check(["--wait", "900ms", &url]);
    run.unhealthy(&format!(
        "unhealthy: {url}: status 503, expected 200-299; body: sick (* ms; * attempts in * ms)"
    ));
}

/// The lines are those of one attempt.
fn all_must_be_healthy_at_once() {
    let (well, late) = (Server::replying(OK), Server::new(ill_at_first(2)));
    let (first, second) = (well.url("/"), late.url("/"));
    let run = check(["--wait", "20s", &first, &second]);
    let line = |url: &str| format!("healthy: {url}: 200 OK in * ms (3 attempts in * ms)");
    lines(run.exits(0), &[line(&first), line(&second)], &[]);
    assert_eq!((well.asked(), late.asked()), (3, 3));
    let ill = Server::replying(ILL);
    let run = check(["--wait", "200ms", &first, &ill.url("/")]);
    lines(
        run.exits(1),
        &[format!(
            "healthy: {first}: 200 OK in * ms (* attempts in * ms)"
        )],
        &[format!(
            "unhealthy: {}: status 503, expected 200-299; body: sick (* ms; * attempts in * ms)",
            ill.url("/")
        )],
    );
}

fn quiet_and_verbose() {
    let server = Server::new(ill_at_first(1));
    let run = check(["-q", "--wait", "20s", &server.url("/")]);
    run.exits(0);
    assert_eq!(run.stdout.clone() + &run.stderr, "", "{run}");
    let server = Server::new(ill_at_first(2));
    let run = check(["-v", "--wait", "20s", &server.url("/")]);
    run.exits(0);
    // The exchange of the last attempt only.
    let requests = run.stderr.matches("> GET ").count();
    assert_eq!(requests, 1, "{run}");
    assert!(run.stderr.contains("< HTTP/1.1 200 OK"), "{run}");
    assert!(!run.stderr.contains("503"), "{run}");
}

/// One line, written over itself, cut to the terminal's width, and gone before the result; escaped like all else.
fn a_terminal_shows_what_is_waited_for() -> Result<(), Skip> {
    let server = Server::replying("HTTP/1.1 503 No\r\nContent-Length: 5\r\n\r\n\x1b[2Jx");
    let url = server.url("/");
    for (quiet, columns) in [(false, 60), (false, 200), (true, 60)] {
        let (master, slave) = terminal()?;
        let size = rustix::termios::Winsize {
            ws_row: 24,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&slave, size).expect("a size");
        let quietly: &[&str] = if quiet { &["-q"] } else { &[] };
        let mut child = command(["--wait", "300ms", &url].iter().chain(quietly))
            .stdout(Stdio::null())
            .stderr(slave)
            .spawn()
            .expect("it runs");
        let mut shown = Vec::new();
        // Ends with an error when nobody has the terminal open any more.
        let _ = std::fs::File::from(master).read_to_end(&mut shown);
        assert_eq!(child.wait().expect("its end").code(), Some(1));
        let shown = String::from_utf8(shown).expect("text");
        if quiet {
            assert_eq!(shown, "");
            continue;
        }
        let parts: Vec<&str> = shown.split("\r\x1b[K").collect();
        let ["", statuses @ .., line] = &parts[..] else {
            panic!("{shown:?}")
        };
        assert!(statuses.len() >= 2, "{shown:?}");
        for status in statuses {
            assert!(status.starts_with("waiting, "), "{shown:?}");
            assert!(status.contains(&format!(": {url}: stat")), "{shown:?}");
            assert!(status.len() < columns.into(), "{shown:?}");
            assert!(!status.contains(|c: char| c.is_control()), "{shown:?}");
        }
        let whole = format!(
            "unhealthy: {url}: status 503, expected 200-299; body: \\x1b[2Jx (* ms; * attempts in * ms)\r\n"
        );
        assert!(matches(&whole, line), "{shown:?}");
    }
    // What is no terminal gets nothing but the result.
    let run = check(["--wait", "200ms", &url]);
    assert_eq!(run.stderr.lines().count(), 1, "{run}");
    assert!(!run.stderr.contains('\r'), "{run}");
    Ok(())
}

/// A terminal that was stopped, or that nobody reads, holds nobody up.
fn a_terminal_that_takes_nothing() -> Result<(), Skip> {
    let server = Server::replying(ILL);
    let (_master, slave) = terminal()?;
    fill(&slave);
    let begun = Instant::now();
    let mut child = command(["--wait", "300ms", &server.url("/")])
        .stdout(Stdio::null())
        .stderr(slave)
        .spawn()
        .expect("it runs");
    let ended = loop {
        match child.try_wait().expect("wait for it") {
            Some(status) => break status,
            None if begun.elapsed() > Duration::from_secs(20) => {
                let _ = child.kill();
                panic!("still waiting for its terminal");
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    assert_eq!(ended.code(), Some(1));
    assert!(server.asked() > 1);
    Ok(())
}

/// The bodies that are searched are 1 MiB long, and all attempts together have 16 MiB, the program's own size included.
fn memory_is_given_back() {
    let body = "x".repeat(1 << 20);
    let server = Server::replying(format!("HTTP/1.1 200 OK\r\n\r\n{body}"));
    let url = server.url("/");
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", "ulimit -v 16384; exec \"$0\" \"$@\""])
        .arg(checker());
    // Three targets, because of the pauses between attempts.
    let command = command.args(["-b", "UP", "--wait", "1500ms", &url, &url, &url]);
    let run = run(command);
    let lines: Vec<&str> = run.exits(1).stderr.lines().collect();
    let said = format!("unhealthy: {url}: body lacks \"UP\"; body: xxx* (* ms; * attempts in *s)");
    assert!(lines.len() == 3 && matches(&said, lines[0]), "{run}");
}
