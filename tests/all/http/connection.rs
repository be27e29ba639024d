//! What a connection can do in each phase of a request: stay silent, drip, break, end. And how the checker ends it.

use super::{OK, SHORT, SHORTLY, WELL, after_request, hold, judge, said, says, send};
use crate::support::{Run, Server, check, command, reset, run, wait_for_end};
use libtest_mimic::Trial;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    trials![
        silence_in_each_phase,
        drips,
        never_reads,
        resets_while_sending,
        answers_before_it_has_read_all,
        resets_after_the_verdict,
        resets_before_the_verdict,
        closed_early,
        ends_politely,
    ]
}

#[rustfmt::skip]
fn silence_in_each_phase() {
    let none = "no response within 300 ms: connected, request sent, waiting for the status line";
    let part = "no whole response within 300 ms: connected, request sent";
    let body = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nU";
    for (reply, options, line) in [
        ("", &[][..], none.to_owned()),
        ("H", &[], none.to_owned()),
        ("HTTP/1.1 200 OK", &[], none.to_owned()),
        ("HTTP/1.1 100 Continue\r\n\r\n", &[], none.to_owned()),
        ("HTTP/1.1 200 OK\r\n", &[], format!("{part}, status line read, reading headers")),
        ("HTTP/1.1 200 OK\r\nX: y\r\n", &[], format!("{part}, status line read, reading headers")),
        (body, &["-b", "UP"], format!("{part}, headers read, reading the body")),
        (body, &["--body-not", "NO"], format!("{part}, headers read, reading the body")),
        (body, &["-j", "a"], format!("{part}, headers read, reading the body")),
    ] {
        let server = after_request(move |connection| {
            send(connection, reply);
            hold(connection);
        });
        let options = [&["-t", SHORT], options].concat();
        said(&options, &server.url("/"), &format!("unhealthy: {line}")).within(SHORTLY);
    }
    // What nobody waits for cannot be missed.
    let server = after_request(move |connection| {
        send(connection, body);
        hold(connection);
    });
    said(&["-t", "20"], &server.url("/"), "healthy: 200 OK in * ms").within(SHORTLY);
}

/// A byte now and then cannot stretch the deadline, wherever in the reply it falls.
fn drips() {
    let none = "unhealthy: no response within 300 ms: connected, request sent, waiting for the status line";
    let part = "unhealthy: no whole response within 300 ms: connected, request sent, *";
    for (at_once, line) in [(0, none), (17, part), (38, part)] {
        let server = after_request(move |connection| {
            let reply = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n";
            send(connection, &reply[..at_once]);
            let rest = reply[at_once..].iter().chain(std::iter::repeat(&b'.'));
            for byte in rest {
                std::thread::sleep(Duration::from_millis(50));
                if connection.write_all(&[*byte]).is_err() {
                    return;
                }
            }
        });
        let run = said(&["-t", SHORT, "-b", "UP"], &server.url("/"), line);
        run.within(SHORTLY);
    }
    let server = after_request(|connection| {
        for byte in OK {
            send(connection, [*byte]);
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    said(&["-b", "UP"], &server.url("/"), WELL);
}

/// Runs the checker with 8 MB of `--data`, which no socket's buffers hold: an argument cannot be that long, but what its
/// variables stand for can.
#[track_caller]
fn said_with_long_data(server: &Server, timeout: &str, line: &str) -> Run {
    let url = server.url("/");
    let data = "${BLOCK}".repeat(80);
    let mut command = command(["-t", timeout, "--data", &data, &url]);
    let run = run(command.env("BLOCK", "x".repeat(100_000)));
    says(&run, &url, line);
    run
}

fn never_reads() {
    let server = Server::new(|connection| wait_for_end(connection));
    let line = "unhealthy: no response within 300 ms: connected, sending the request";
    said_with_long_data(&server, SHORT, line).within(SHORTLY);
}

fn resets_while_sending() {
    let server = Server::new(|connection| {
        let mut little = [0; 1000];
        connection.read_exact(&mut little).expect("read a little");
        reset(connection);
    });
    let line = "unhealthy: connection reset while sending the request (*s)";
    said_with_long_data(&server, "20", line).within(SHORTLY);
}

/// Closing with half of the request unread resets the connection, but the answer came before that.
fn answers_before_it_has_read_all() {
    let server = Server::new(|connection| {
        let mut little = [0; 1000];
        connection.read_exact(&mut little).expect("read a little");
        send(
            connection,
            "HTTP/1.1 413 Too much\r\nContent-Length: 0\r\n\r\n",
        );
    });
    let line = "unhealthy: status 413, expected 200-299 (*s)";
    said_with_long_data(&server, "20", line).within(SHORTLY);
    let server = Server::new(|connection| {
        send(connection, OK);
        hold(connection);
    });
    said(&[], &server.url("/"), WELL);
}

#[rustfmt::skip]
fn resets_after_the_verdict() {
    let json = "{\"s\":\"UP\"}";
    for (head, options) in [
        ("Content-Length: 10\r\n\r\n", &["-j", "s=UP", "--body-not", "NO"][..]),
        ("Content-Length: 99\r\n\r\n", &["-b", "UP"]),
        ("Content-Length: 99\r\n\r\n", &[]),
        ("\r\n", &[]),
        ("\r\n", &["-b", "UP"]),
        // Without a length, the end and the reset are the same to a document that is whole.
        ("\r\n", &["-j", "s=UP"]),
    ] {
        let server = after_request(move |connection| {
            send(connection, format!("HTTP/1.1 200 OK\r\n{head}{json}"));
            reset(connection);
        });
        said(options, &server.url("/"), WELL);
    }
    let server = after_request(|connection| {
        send(
            connection,
            "HTTP/1.1 503 No\r\nContent-Length: 99\r\n\r\nDOWN",
        );
        reset(connection);
    });
    let line = "unhealthy: status 503, expected 200-299; body: DOWN (*s)";
    said(&[], &server.url("/"), line);
}

#[rustfmt::skip]
fn resets_before_the_verdict() {
    let (head, body) = (
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nUP",
    );
    for (reply, options, phase) in [
        ("", &[][..], "waiting for the status line"),
        ("HTTP/1.1 2", &[], "waiting for the status line"),
        (head, &[], "reading headers"),
        ("HTTP/1.1 200 OK\r\nX: y\r\n", &[], "reading headers"),
        (body, &["-b", "NO"], "reading the body"),
        (body, &["--body-not", "NO"], "reading the body"),
        (body, &["-j", "a"], "reading the body"),
        ("HTTP/1.1 200 OK\r\n\r\nUP", &["--body-not", "NO"], "reading the body"),
    ] {
        let server = after_request(move |connection| {
            send(connection, reply);
            reset(connection);
        });
        let hint = match reply {
            "" => "; it may speak TLS: try tls://",
            _ => "",
        };
        let line = format!("unhealthy: connection reset while {phase}{hint} (*s)");
        said(options, &server.url("/"), &line);
    }
}

#[rustfmt::skip]
fn closed_early() {
    let line = |phase: &str| format!("unhealthy: connection closed while {phase} (*s)");
    judge(&[
        (b"", &[], &line("waiting for the status line; it may speak TLS: try tls://")),
        (b"HTTP", &[], &line("waiting for the status line; until then: HTTP")),
        (b"HTTP/1.1 200 OK", &[], &line("waiting for the status line; until then: HTTP/1.1 200 OK")),
        (b"HTTP/1.1 200 OK\r\n", &[], &line(r"reading headers; until then: HTTP/1.1 200 OK\r\n")),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
            &[],
            &line(r"reading headers; until then: HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"),
        ),
    ]);
}

/// Stands between the parts of a reply that come one by one.
const LATER: &str = "|";

/// The server sees no end before it has answered (no half-close) and an end in peace after it (no reset).
#[rustfmt::skip]
fn ends_politely() {
    let long = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n{LATER}{}",
        "x".repeat(50_000)
    );
    for (options, reply) in [
        (&[][..], "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nUP"),
        (&[], "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n|UP"),
        (&[], "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n|U|P"),
        (&[], "HTTP/1.1 200 OK\r\n\r\n|UP"),
        (&[], "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n|2\r\nUP|\r\n0\r\n\r\n"),
        (&[], "HTTP/1.1 100 Continue\r\n\r\n|HTTP/1.1 204 No Content\r\n\r\n"),
        (&["-X", "HEAD"], "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
        (&["-b", "UP"], "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n|UP|, or so"),
        (&["-b", "UP"], "HTTP/1.1 200 OK\r\n\r\nUP|, or so"),
        (&["-b", "DOWN"], "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n|UP"),
        (&["--body-not", "UP"], "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n|UP|, or so"),
        (&["--expect-header", "X"], "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n|UP"),
        (&[], "HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\n|DO|WN"),
        (&[], "HTTP/1.1 503 No\r\n\r\n|DOWN"),
        (&[], "SSH-2.0-OpenSSH_9.6\r\n"),
        (&[], &long),
    ] {
        for server_ends in [false, true] {
            // Without a length, only the server's end is the end.
            if !server_ends && reply.contains("OK\r\n\r\n") {
                continue;
            }
            // It waits 50 ms for the rest of a reply, which can be too short for a server on a busy machine.
            let ends = || end_of(options, reply, server_ends);
            let polite = (0..5).any(|_| ends() == End::Polite);
            assert!(polite, "{:?}: {reply}", ends());
        }
    }
}

#[derive(Debug, PartialEq)]
enum End {
    Polite,
    /// It closed its side before it had the whole reply.
    Early,
    Reset,
}

/// How a server sees the end of a connection, where it sends the parts of `reply` one by one.
fn end_of(options: &[&str], reply: &str, server_ends: bool) -> End {
    let pieces: Vec<String> = reply.split(LATER).map(str::to_owned).collect();
    let (tell, end) = mpsc::channel();
    let server = after_request(move |connection| {
        let still_there = |connection: &mut TcpStream| {
            let limit = Some(Duration::from_millis(2));
            connection.set_read_timeout(limit).expect("set a timeout");
            connection.read(&mut [0; 16]).is_err()
        };
        let mut early = false;
        for piece in &pieces {
            early |= !still_there(connection);
            send(connection, piece);
        }
        if server_ends {
            let _ = connection.shutdown(Shutdown::Write);
        }
        connection.set_read_timeout(None).expect("set no timeout");
        let _ = tell.send(match connection.read(&mut [0; 16]) {
            Ok(0) if early => End::Early,
            Ok(0) => End::Polite,
            _ => End::Reset,
        });
    });
    check(options.iter().copied().chain([&*server.url("/")]));
    end.recv().expect("the end of a connection")
}
