//! How HTTP is judged: every reply that a service, or something that is none, can give.

use crate::support::{Run, Server, check, command, read_request, run, wait_for_end};
use libtest_mimic::Trial;
use rustix::net::sockopt;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    trials![
        status_lines,
        other_protocols,
        interim_responses,
        endless_interim_responses,
        header_fields,
        long_heads,
        heads_without_end,
        lengths,
        chunks,
        codings,
        responses_without_a_body,
        statuses,
        reasons_for_a_wrong_status,
        body_texts,
        json,
        expected_headers,
        several_expectations,
        bodies_cut_short,
        resets_after_the_verdict,
        resets_before_the_verdict,
        closed_early,
        bodies_without_end,
        bodies_beyond_the_bound,
        bodies_that_are_hard_to_search,
        hostile_text,
        silence_in_each_phase,
        drips,
        refused,
        unreachable,
        full_accept_queue,
        full_accept_queue_of_a_unix_socket,
        never_reads,
        resets_while_sending,
        answers_before_it_has_read_all,
    ]
}

/// A healthy response.
pub const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nUP";
/// What is said of a service that gave it.
pub const WELL: &str = "healthy: 200 OK in *s";
/// For runs that must wait until it passes.
const SHORT: &str = "300ms";
/// When such a run is over.
const SHORTLY: Duration = Duration::from_millis(2000);

/// A reply, the options of the check, and what it says: the verdict, and the line without the target's name.
type Row<'a> = (&'a [u8], &'a [&'a str], &'a str);

/// Gives each reply to the checker, and asserts the exit code and all that it prints.
#[track_caller]
pub fn judge(rows: &[Row]) {
    let replies: Vec<Vec<u8>> = rows.iter().map(|row| row.0.to_vec()).collect();
    let server = Server::new(move |connection| {
        let request = String::from_utf8(read_request(connection)).expect("a request in UTF-8");
        let row: usize = request
            .split(['/', ' '])
            .nth(2)
            .and_then(|row| row.parse().ok())
            .expect("the number of a row");
        // A checker that has its verdict may be gone already.
        let _ = connection.write_all(&replies[row]);
    });
    for (row, (_, options, line)) in rows.iter().enumerate() {
        let asked = server.asked();
        said(options, &server.url(&format!("/{row}")), line);
        assert_eq!(server.asked(), asked + 1, "{line}");
    }
}

/// Runs the checker, and asserts the exit code and all that it prints.
#[track_caller]
pub fn said(options: &[&str], url: &str, line: &str) -> Run {
    let run = check(options.iter().chain([&url]));
    says(&run, url, line);
    run
}

#[track_caller]
fn says(run: &Run, url: &str, line: &str) {
    let (verdict, rest) = line.split_once(": ").expect("a line with a verdict");
    let whole = format!("{verdict}: {url}: {rest}");
    match verdict {
        "healthy" => run.healthy(&whole),
        _ => run.unhealthy(&whole),
    };
}

/// A server that reads the request and then does as the script says.
pub fn after_request(script: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Server {
    Server::new(move |connection| {
        read_request(connection);
        script(connection);
    })
}

/// Sends, if anybody still listens.
pub fn send(connection: &mut TcpStream, bytes: impl AsRef<[u8]>) {
    let _ = connection.write_all(bytes.as_ref());
}

/// Sends the same for ever, or until nobody listens.
fn repeat(connection: &mut TcpStream, bytes: &[u8], pause: Duration) {
    while connection.write_all(bytes).is_ok() {
        std::thread::sleep(pause);
    }
}

/// Waits until the checker has gone: what it saw, it saw while the connection was open.
pub fn hold(connection: &mut TcpStream) {
    let _ = connection.read(&mut [0]);
}

/// Makes the connection end in a reset instead of a goodbye.
fn reset(connection: &mut TcpStream) {
    sockopt::set_socket_linger(connection, Some(Duration::ZERO)).expect("set SO_LINGER");
}

#[rustfmt::skip]
fn status_lines() {
    let junk = |said: &str| format!(r"unhealthy: not HTTP: the reply begins with {said} (*s)");
    judge(&[
        (OK, &[], WELL),
        (b"HTTP/1.0 200 OK\r\n\r\nUP", &[], WELL),
        (b"HTTP/1.0 200 OK\r\n\r\nUP", &["-b", "UP"], WELL),
        (b"HTTP/1.1 200\r\n\r\n", &[], WELL),
        (b"HTTP/1.1 200 \r\n\r\n", &[], WELL),
        (b"HTTP/1.1 200\n\n", &[], WELL),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nUP", &["-b", "UP"], WELL),
        (b"HTTP/1.1 200 OK\r\nA: b\n\r\nUP", &["-b", "UP"], WELL),
        (b"HTTP/1.1 200 \xff\xfe\r\n\r\n", &[], WELL),
        (b"HTTP/1.1 200 Not Found\r\n\r\n", &[], WELL),
        (b"HTTP/1.1 299 What\r\n\r\n", &[], "healthy: 299 in *s"),
        (b"HTTP/1.1 201 X\r\n\r\n", &[], "healthy: 201 Created in *s"),
    ]);
    for (begins, shown) in [
        ("junk\r\n", r"junk\r\n"),
        ("\r\n", r"\r\n"),
        ("\n", r"\n"),
        (" ", " "),
        ("\0", r"\x00"),
        ("\u{feff}", r"\u{feff}"),
        ("HTTP/1.1 100 \r\n\r\njunk\r\n", r"junk\r\n"),
    ] {
        let reply = [begins.as_bytes(), OK].concat();
        let line = junk(&(shown.to_owned() + r"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nUP"));
        judge(&[(&reply, &[], &line)]);
    }
    for line in [
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 099 OK",
        "HTTP/1.1 000 OK",
        "HTTP/1.1 +20 OK",
        "HTTP/1.1 -200 OK",
        "HTTP/1.1 0x0 OK",
        "HTTP/1.1 2e2 OK",
        "HTTP/1.1 200.5 OK",
        "HTTP/1.1 200OK",
        "HTTP/1.1  200 OK",
        "HTTP/1.1",
        "HTTP/1.1 OK",
        "HTTP/2 200 OK",
        "HTTP/2.0 200 OK",
        "HTTP/0.9 200 OK",
        "HTTP/11 200 OK",
        "HTTP/1.10 200 OK",
        "HTTP/01.1 200 OK",
        "http/1.1 200 OK",
        "ICY 200 OK",
        "RTSP/1.0 200 OK",
        "<html>200 OK</html>",
        "200 OK",
    ] {
        let reply = format!("{line}\r\n\r\n");
        judge(&[(reply.as_bytes(), &[], &junk(&format!(r"{line}\r\n\r\n")))]);
    }
    let malformed =
        |head: &str| format!("unhealthy: malformed HTTP response head (http parse fail: *): {head} (*s)");
    judge(&[
        (b"HTTP/1.2 200 OK\r\n\r\n", &[], &junk(r"HTTP/1.2 200 OK\r\n\r\n")),
        (b"HTTP/1.9 200 OK\r\n\r\n", &[], &junk(r"HTTP/1.9 200 OK\r\n\r\n")),
        (b"HTTP/1.1 200 O\rK\r\n\r\n", &[], &malformed(r"HTTP/1.1 200 O\rK\r\n\r\n")),
        (b"HTTP/1.1 200 OK\r\r\n\r\n", &[], &malformed(r"HTTP/1.1 200 OK\r\r\n\r\n")),
        (b"HTTP/1.1 200 O\0K\r\n\r\n", &[], &malformed(r"HTTP/1.1 200 O\x00K\r\n\r\n")),
        (b"HTTP/1.1 200 \x1b[1m\r\n\r\n", &[], &malformed(r"HTTP/1.1 200 \x1b[1m\r\n\r\n")),
        (
            b"HTTP/1.1 200 OK\rContent-Length: 2\r\rUP",
            &[],
            r"unhealthy: connection closed while waiting for the status line; until then: HTTP/1.1 200 OK\rContent-Length: 2\r\rUP (*s)",
        ),
    ]);
}

#[rustfmt::skip]
fn other_protocols() {
    let like = |shown: &str, name: &str| {
        format!("unhealthy: not HTTP: the reply begins with {shown}; this looks like {name} (*s)")
    };
    judge(&[
        (b"\x15\x03\x01\0\x02\x02\x0a", &[], &like(r"\x15\x03\x01\x00\x02\x02\n", "TLS")),
        (b"SSH-2.0-OpenSSH_9.6\r\n", &[], &like(r"SSH-2.0-OpenSSH_9.6\r\n", "SSH")),
        (b"220 mail ESMTP\r\n", &[], &like(r"220 mail ESMTP\r\n", "SMTP or FTP")),
        (b"220-ftp\r\n220 \r\n", &[], &like(r"220-ftp\r\n220 \r\n", "SMTP or FTP")),
        (b"-ERR unknown\r\n", &[], &like(r"-ERR unknown\r\n", "Redis")),
        (b"J\0\0\0\x0a8.0.36\0", &[], &like(r"J\x00\x00\x00\n8.0.36\x00", "MySQL")),
        (
            b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0d",
            &[],
            &like(r"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00d", "HTTP/2"),
        ),
    ]);
}

#[rustfmt::skip]
fn interim_responses() {
    let with = |before: &str, after: &[u8]| [before.as_bytes(), after].concat();
    let down = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";
    let many = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(5000);
    judge(&[
        (&with("HTTP/1.1 100 Continue\r\n\r\n", OK), &["-b", "UP"], WELL),
        (&with("HTTP/1.1 100 C\r\nX-A: b\r\n\r\n", OK), &[], WELL),
        (&with("HTTP/1.1 100\n\n", OK), &[], WELL),
        (&with("HTTP/1.0 100 C\r\n\r\n", OK), &[], WELL),
        (&with("HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\n", OK), &[], WELL),
        // The last response that speaks HTTP.
        (
            &with("HTTP/1.1 101 Switching Protocols\r\n\r\n", OK),
            &[],
            "unhealthy: status 101, expected 200-299 (*s)",
        ),
        (&with(&many, OK), &["-b", "UP"], WELL),
        (&with("HTTP/1.1 100 Continue\r\n\r\n", down), &[], "unhealthy: status 503, expected 200-299 (*s)"),
        (
            b"HTTP/1.1 100 Continue\r\n\r\n",
            &["--status", "100-599"],
            "unhealthy: connection closed while waiting for the status line (*s)",
        ),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
            &[],
            "unhealthy: status 101, expected 200-299 (*s)",
        ),
        (
            b"HTTP/1.1 100 Continue\r\nX: ",
            &[],
            r"unhealthy: connection closed while reading headers; until then: HTTP/1.1 100 Continue\r\nX:  (*s)",
        ),
    ]);
}

fn endless_interim_responses() {
    for pause in [0, 20] {
        let server = after_request(move |connection| {
            let interim = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
            repeat(connection, interim, Duration::from_millis(pause));
        });
        let line = "unhealthy: no* response within 300 ms: connected, request sent, *";
        said(&["-t", SHORT], &server.url("/"), line).within(SHORTLY);
    }
}

#[rustfmt::skip]
fn header_fields() {
    judge(&[
        (b"HTTP/1.1 200 OK\r\nA:\r\nB: \r\nC:x\r\nD:\t x \r\n\r\n", &[], WELL),
        (b"HTTP/1.1 200 OK\r\nA: \xff\xfe\r\n\r\n", &[], WELL),
        (b"HTTP/1.1 200 OK\r\nA: x\ty\r\n\r\n", &[], WELL),
        (b"HTTP/1.1 200 OK\r\nA: a\r\nA: b\r\na: c\r\n\r\n", &[], WELL),
        (b"HTTP/1.1 200 OK\r\n!#$%&'*+-.^_`|~09: x\r\n\r\n", &[], WELL),
        // Folded lines are obsolete, but a client has to read them (RFC 9112, section 5.2).
        (
            b"HTTP/1.1 200 OK\r\nA: x\r\n y\n\tz\r\nContent-Length: 2\r\n\r\nUP",
            &["--expect-header", "A: x   y  z", "-b", "UP"],
            r#"unhealthy: header A is "x   y \tz", expected "x   y  z" (*s)"#,
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length:\r\n 2\r\n\r\nUPDOWN", &["--body-not", "DOWN"], WELL),
    ]);
    for field in [
        "no colon",
        ": no name",
        "blank : x",
        "a blank: x",
        "nul\\x00: x",
        "nul: \\x00",
        "control: \\x01",
        "delete: \\x7f",
        "escape: \\x1b[31m",
        "return: x\\ry",
        "\u{e9}: x",
    ] {
        let raw = field
            .replace("\\x00", "\0")
            .replace("\\x01", "\x01")
            .replace("\\x7f", "\x7f")
            .replace("\\x1b", "\x1b")
            .replace("\\r", "\r");
        let reply = format!("HTTP/1.1 200 OK\r\n{raw}\r\n\r\n");
        let line = format!(
            r"unhealthy: malformed HTTP response head (http parse fail: invalid header *): HTTP/1.1 200 OK\r\n{field}\r\n\r\n (*s)"
        );
        judge(&[(reply.as_bytes(), &[], &line)]);
    }
    judge(&[(
        b"HTTP/1.1 200 OK\r\n folded: into nothing\r\n\r\n",
        &[],
        r"unhealthy: malformed HTTP response head (http parse fail: invalid header name): HTTP/1.1 200 OK\r\n folded: into nothing\r\n\r\n (*s)",
    )]);
}

#[rustfmt::skip]
fn long_heads() {
    let head = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nUP");
    let fields =
        |number: usize| -> String { (0..number).map(|at| format!("X-{at}: {at}\r\n")).collect() };
    let long = "unhealthy: HTTP response head longer than 65 KiB (*s)";
    let last = ["-b", "UP", "--expect-header", "x-999: 999"];
    judge(&[
        (head(&fields(100)).as_bytes(), &["--expect-header", "X-99: 99"], WELL),
        (head(&fields(1000)).as_bytes(), &last, WELL),
        (head(&format!("X: {}\r\n", "y".repeat(65_530))).as_bytes(), &["-b", "UP"], WELL),
        (head(&"a:\n".repeat(64 * 1024 / 3)).as_bytes(), &["-b", "UP"], WELL),
        (format!("HTTP/1.1 200 {}\r\n\r\nUP", "x".repeat(65_000)).as_bytes(), &["-b", "UP"], WELL),
        (head(&format!("X: {}\r\n", "y".repeat(66_560))).as_bytes(), &[], long),
        (head(&fields(10_000)).as_bytes(), &[], long),
        (format!("HTTP/1.1 200 {}\r\n\r\n", "x".repeat(66_560)).as_bytes(), &[], long),
        (format!("HTTP/1.1 100 {}\r\n\r\n", "x".repeat(66_560)).as_bytes(), &[], long),
    ]);
}

fn heads_without_end() {
    let long = "unhealthy: HTTP response head longer than 65 KiB (*s)";
    for piece in ["X-A: yyyyyyyyyyyyyyyyyyyy\r\n", "X"] {
        let server = after_request(move |connection| {
            send(connection, "HTTP/1.1 200 OK\r\n");
            repeat(connection, piece.repeat(1000).as_bytes(), Duration::ZERO);
        });
        said(&[], &server.url("/"), long);
    }
    let server = after_request(|connection| {
        send(connection, "HTTP/1.1 200 OK\r\n");
        repeat(connection, b"X: y\r\n", Duration::from_millis(20));
    });
    let line = "unhealthy: no whole response within 300 ms: connected, request sent, status line read, reading headers";
    said(&["-t", SHORT], &server.url("/"), line).within(SHORTLY);
}

fn lengths() {
    judge(&[
        (OK, &["-b", "UP"], WELL),
        (b"HTTP/1.1 200 OK\r\n\r\nUP", &["-b", "UP"], WELL),
        (b"HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\nUP", &["-b", "UP"], WELL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 002\r\n\r\nUP", &["-b", "UP"], WELL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nUP", &["-b", "UP"], WELL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nUP", &["-b", "UP"], WELL),
        // What follows the body is no part of it.
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nUPDOWN", &["--body-not", "DOWN"], WELL),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nUP",
            &["-b", "UP"],
            "unhealthy: body lacks \"UP\"; body: U (*s)",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nUP",
            &["-b", "UP"],
            "unhealthy: body lacks \"UP\"; the body is empty (*s)",
        ),
        // The encoding wins over the length.
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nUP\r\n0\r\n\r\n",
            &["-b", "UP"],
            WELL,
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nUP", &["-b", "UP"], WELL),
    ]);
    for value in [
        "abc",
        "-1",
        "+2",
        "",
        "2 2",
        "2,3",
        "2,",
        "0x2",
        "2.0",
        "2\r\nContent-Length: 3",
        "18446744073709551616",
        "99999999999999999999999999999999",
    ] {
        let reply = format!("HTTP/1.1 200 OK\r\nContent-Length: {value}\r\n\r\nUP");
        let shown = value.replace("\r\n", r"\r\n");
        let line = format!(
            r"unhealthy: malformed HTTP response head (*Content-Length*): HTTP/1.1 200 OK\r\nContent-Length: {shown}\r\n\r\n (*s)"
        );
        judge(&[
            (reply.as_bytes(), &[], &line),
            (reply.as_bytes(), &["-b", "UP"], &line),
        ]);
    }
}

fn chunks() {
    let reply = |body: &str| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    for body in [
        "2\r\nUP\r\n0\r\n\r\n",
        "1\r\nU\r\n1\r\nP\r\n0\r\n\r\n",
        "a\r\nUP67890123\r\n0\r\n\r\n",
        "0A\r\nUP67890123\r\n0\r\n\r\n",
        "00000000000000000000000002\r\nUP\r\n0\r\n\r\n",
        "2 \r\nUP\r\n0\r\n\r\n",
        "2;a=b\r\nUP\r\n0;c\r\n\r\n",
        "2 ; name=\"a quoted value; not a short one\"\r\nUP\r\n0\r\n\r\n",
        "2\r\nUP\r\n0\r\nX-Trailer: a\r\nX-Another: b\r\n\r\n",
        "2\r\nUP\r\n0\r\n\r\nDOWN",
        // The last chunk has come, and so the whole body (RFC 9112, section 8).
        "2\r\nUP\r\n0\r\n",
    ] {
        for options in [&["-b", "UP"], &["--body-not", "DOWN"]] {
            judge(&[(reply(body).as_bytes(), options, WELL)]);
        }
    }
    let malformed = "unhealthy: malformed HTTP body: its chunks or its length are wrong (*s)";
    for body in [
        "zz\r\nUP\r\n0\r\n\r\n",
        "-2\r\nUP\r\n0\r\n\r\n",
        "+2\r\nUP\r\n0\r\n\r\n",
        " 2\r\nUP\r\n0\r\n\r\n",
        "0x2\r\nUP\r\n0\r\n\r\n",
        "2\0\r\nUP\r\n0\r\n\r\n",
        "\r\nUP\r\n0\r\n\r\n",
        ";a=b\r\nUP\r\n0\r\n\r\n",
        "\u{b2}\r\nUP\r\n0\r\n\r\n",
        "10000000000000000\r\nUP\r\n0\r\n\r\n",
        "ffffffffffffffffffffffffffffffff\r\nUP\r\n0\r\n\r\n",
        "2\r\r\nUP\r\n0\r\n\r\n",
        "1c\r\r\nUP\r\n0\r\n\r\n",
        "2\nUP\n0\n\n",
        &format!("2;{}\r\nUP\r\n0\r\n\r\n", "x".repeat(5000)),
    ] {
        for options in [&["-b", "UP"][..], &["--body-not", "DOWN"], &["-j", "a"]] {
            judge(&[(reply(body).as_bytes(), options, malformed)]);
        }
        // Nothing is expected of it, so nobody looks.
        judge(&[(reply(body).as_bytes(), &[], WELL)]);
    }
    // What comes before the fault stands, however the network cuts the reply.
    for body in [
        "2\r\nUPX\r\n0\r\n\r\n",
        "3\r\nUP\r\n0\r\n\r\n",
        "2\r\nUP\r\nx\r\n",
    ] {
        for options in [&["--body-not", "DOWN"][..], &["-j", "a"], &["-b", "DOWN"]] {
            judge(&[(reply(body).as_bytes(), options, malformed)]);
        }
        judge(&[(reply(body).as_bytes(), &["-b", "UP"], WELL)]);
    }
}

/// What is compressed, or coded in a way that nobody knows, cannot be searched: whatever is expected of it, it is not known
/// to hold.
fn codings() {
    let server = Server::replying(OK);
    check([server.url("/")]).exits(0);
    assert!(server.requests()[0].contains("\r\naccept-encoding: identity\r\n"));
    for (fields, coding) in [
        ("Content-Encoding: gzip", "gzip"),
        ("content-encoding: br", "br"),
        (
            "Content-Encoding: gzip\r\nTransfer-Encoding: chunked",
            "gzip",
        ),
        ("Transfer-Encoding: gzip", "gzip"),
        ("Transfer-Encoding: gzip,\tChunked", "gzip, Chunked"),
        (
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
            "gzip, chunked",
        ),
        ("Transfer-Encoding: chunked, gzip", "chunked, gzip"),
    ] {
        let reply = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n2\r\nUP\r\n0\r\n\r\n");
        let line = format!(
            "unhealthy: the body cannot be judged: it is coded as {coding}, which was not asked for (*s)"
        );
        for options in [&["-b", "UP"][..], &["--body-not", "DOWN"], &["-j", "a"]] {
            judge(&[(reply.as_bytes(), options, &line)]);
        }
        judge(&[(reply.as_bytes(), &[], WELL)]);
    }
    let ten = b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nUP\r\n0\r\n\r\n";
    judge(&[
        // HTTP/1.0 has no transfer codings (RFC 9112, section 6.1).
        (
            ten,
            &["-b", "UP"],
            "unhealthy: the body cannot be judged: it is coded as chunked, which was not asked for (*s)",
        ),
        (ten, &[], WELL),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\n\r\nUP",
            &["-b", "UP"],
            WELL,
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding:\r\n\r\nUP",
            &["-b", "UP"],
            WELL,
        ),
        (
            b"HTTP/1.1 503 No\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b",
            &["-b", "UP"],
            r"unhealthy: status 503, expected 200-299; body: \x1f\x8b (*s)",
        ),
    ]);
}

#[rustfmt::skip]
fn responses_without_a_body() {
    let empty = "unhealthy: body lacks \"UP\"; the body is empty (*s)";
    judge(&[
        (b"HTTP/1.1 204 No Content\r\n\r\n", &[], "healthy: 204 No Content in *s"),
        (b"HTTP/1.1 204 X\r\nContent-Length: 2\r\n\r\nUP", &["-b", "UP"], empty),
        (b"HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\nUP", &["-b", "UP"], empty),
        (
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
            &["--status", "304"],
            "healthy: 304 Not Modified in *s",
        ),
        (b"HTTP/1.1 304 X\r\n\r\n", &[], "unhealthy: status 304, expected 200-299 (*s)"),
        (b"HTTP/1.1 205 X\r\nContent-Length: 0\r\n\r\n", &[], "healthy: 205 Reset Content in *s"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", &["-X", "HEAD"], WELL),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &["-X", "HEAD"], WELL),
        (
            b"HTTP/1.1 503 No\r\nContent-Length: 1000\r\n\r\n",
            &["-X", "HEAD"],
            "unhealthy: status 503, expected 200-299 (*s)",
        ),
    ]);
    // Some keep the connection open, whatever they were asked.
    for head in [
        "204 No Content\r\n",
        "200 OK\r\nContent-Length: 0\r\n",
        "304 X\r\n",
    ] {
        let server = after_request(move |connection| {
            send(connection, format!("HTTP/1.1 {head}\r\n"));
            hold(connection);
        });
        said(
            &["--status", "200,204,304", "-t", "20"],
            &server.url("/"),
            "healthy: * in * ms",
        )
        .within(SHORTLY);
    }
}

fn statuses() {
    let reply = |status: u16| format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
    for (status, list, healthy) in [
        (200, "200", true),
        (201, "200", false),
        (204, "2xx", true),
        (302, "2XX", false),
        (302, "200-399", true),
        (400, "200-399", false),
        (404, "200,404,5xx", true),
        (503, "200,404,5xx", true),
        (403, "200,404,5xx", false),
        (999, "900-999", true),
    ] {
        let line = match healthy {
            true => format!("healthy: {status}* in *s"),
            false => format!("unhealthy: status {status}, expected {list}* (*s)"),
        };
        judge(&[(reply(status).as_bytes(), &["--status", list], &line)]);
    }
    for status in [300, 400, 401, 404, 429, 500, 503, 600, 999] {
        let line = format!("unhealthy: status {status}, expected 200-299 (*s)");
        judge(&[(reply(status).as_bytes(), &[], &line)]);
    }
    for status in [301, 302, 303, 307, 308] {
        let line =
            format!("unhealthy: status {status}, expected 200-299; -L follows redirects (*s)");
        judge(&[(reply(status).as_bytes(), &[], &line)]);
    }
}

#[rustfmt::skip]
fn reasons_for_a_wrong_status() {
    let long = [b"HTTP/1.1 500 No\r\n\r\n", &b"x".repeat(100_000)[..]].concat();
    let cut = format!(
        "unhealthy: status 500, expected 200-299; body: {}... (*s)",
        "x".repeat(253)
    );
    judge(&[
        (
            b"HTTP/1.1 503 No\r\nContent-Length: 33\r\n\r\n{\"status\":\"Database unaccessible\"}",
            &[],
            r#"unhealthy: status 503, expected 200-299; body: {"status":"Database unaccessible"* (*s)"#,
        ),
        (
            b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nDOWN\r\n0\r\n\r\n",
            &["-b", "UP"],
            "unhealthy: status 503, expected 200-299; body: DOWN (*s)",
        ),
        (b"HTTP/1.1 503 No\r\n\r\n", &[], "unhealthy: status 503, expected 200-299 (*s)"),
        // Cut short or malformed: the status is wrong all the same.
        (
            b"HTTP/1.1 503 No\r\nContent-Length: 100\r\n\r\nDOWN",
            &[],
            "unhealthy: status 503, expected 200-299; body: DOWN (*s)",
        ),
        (
            b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            &[],
            "unhealthy: status 503, expected 200-299 (*s)",
        ),
        (&long, &[], &cut),
    ]);
    // The reason is waited for, but not long.
    let server = after_request(|connection| {
        send(
            connection,
            "HTTP/1.1 503 No\r\nContent-Length: 100\r\n\r\nDO",
        );
        std::thread::sleep(Duration::from_millis(5));
        send(connection, "WN");
        hold(connection);
    });
    said(
        &["-t", "20"],
        &server.url("/"),
        "unhealthy: status 503, expected 200-299; body: DO* (* ms)",
    )
    .within(SHORTLY);
}

#[rustfmt::skip]
fn body_texts() {
    let body = |body: &str| format!("HTTP/1.1 200 OK\r\n\r\n{body}");
    judge(&[
        (body("status: UP\n").as_bytes(), &["-b", "UP"], WELL),
        (body("status: UP\n").as_bytes(), &["-b", "status: UP\n"], WELL),
        (body("gr\u{f6}\u{df}e").as_bytes(), &["-b", "\u{f6}\u{df}"], WELL),
        (body("status: UP").as_bytes(), &["--body-not", "DOWN"], WELL),
        (body("").as_bytes(), &["--body-not", "DOWN"], WELL),
        (body("status: up").as_bytes(), &["-b", "UP"], "unhealthy: body lacks \"UP\"; body: status: up (*s)"),
        (
            body("status: DOWN").as_bytes(),
            &["--body-not", "DOWN"],
            "unhealthy: body contains \"DOWN\"; body: status: DOWN (*s)",
        ),
        (body("").as_bytes(), &["-b", "UP"], "unhealthy: body lacks \"UP\"; the body is empty (*s)"),
    ]);
}

#[rustfmt::skip]
fn json() {
    let body = br#"{"status":"UP","checks":[{"ms":1.0,"name":"db"},null],"a/b":true}"#;
    let reply = [b"HTTP/1.1 200 OK\r\n\r\n", &body[..]].concat();
    let shown = std::str::from_utf8(body).unwrap();
    for met in [
        "status",
        "status=UP",
        "checks.0.name=db",
        "checks.0.ms=1",
        "checks.1=null",
        "/checks/0/name=db",
        "/a~1b=true",
    ] {
        judge(&[(&reply, &["-j", met], WELL)]);
    }
    judge(&[
        (&reply, &["-j", "status=DOWN"], r#"unhealthy: JSON status is "UP", expected "DOWN" (*s)"#),
        (
            &reply,
            &["-j", "checks=none"],
            r#"unhealthy: JSON checks is [{"ms":1.0,"name":"db"},null], expected "none" (*s)"#,
        ),
        (&reply, &["-j", "nothing"], &format!("unhealthy: JSON has no nothing; body: {shown} (*s)")),
        (
            &reply,
            &["-j", "status", "-j", "checks.2=1", "-j", "nothing"],
            &format!("unhealthy: JSON has no checks.2; body: {shown} (*s)"),
        ),
    ]);
    for (broken, shown) in [
        ("", "; the body is empty"),
        ("UP", "; body: UP"),
        ("{\"status\":\"UP\"", "; body: {\"status\":\"UP\""),
        ("{\"status\":\"UP\"} x", "; body: {\"status\":\"UP\"} x"),
        ("\"\u{0}\"", "; body: \"\\x00\""),
    ] {
        let reply = format!("HTTP/1.1 200 OK\r\n\r\n{broken}");
        let line = format!("unhealthy: body is not JSON{shown} (*s)");
        judge(&[(reply.as_bytes(), &["-j", "status=UP"], &line)]);
    }
    judge(&[
        (
            b"HTTP/1.1 200 OK\r\n\r\n{\"status\":\"\xff\"}",
            &["-j", "status"],
            r#"unhealthy: body is not JSON; body: {"status":"\xff"} (*s)"#,
        ),
        (
            format!("HTTP/1.1 200 OK\r\n\r\n{}", "[".repeat(500_000)).as_bytes(),
            &["-j", "0"],
            "unhealthy: body is not JSON; body: [[[*... (*s)",
        ),
    ]);
}

#[rustfmt::skip]
fn expected_headers() {
    let reply =
        b"HTTP/1.1 200 OK\r\nX-State: up \r\nX-State: fine\r\nX-Bytes: \xff\r\nX-Empty:\r\n\r\n";
    for met in [
        "X-State",
        "x-state: up",
        "X-STATE:fine",
        "X-Empty",
        "X-Empty:",
    ] {
        judge(&[(reply, &["--expect-header", met], WELL)]);
    }
    judge(&[
        (reply, &["--expect-header", "X-State: Up"], r#"unhealthy: header X-State is "up", expected "Up" (*s)"#),
        (reply, &["--expect-header", "X-Bytes: a"], r#"unhealthy: header X-Bytes is "\xff", expected "a" (*s)"#),
        (reply, &["--expect-header", "X-Nope"], "unhealthy: no header X-Nope (*s)"),
    ]);
}

#[rustfmt::skip]
fn several_expectations() {
    let reply = b"HTTP/1.1 200 OK\r\nX-State: up\r\n\r\n{\"a\":1,\"b\":2}";
    let body = r#"body: {"a":1,"b":2}"#;
    for (options, line) in [
        ("-b a -b b -j a=1 -j b=2 --body-not c --expect-header X-State: up", WELL),
        ("-b x -b y", "unhealthy: body lacks \"x\"; BODY (*s)"),
        ("-b a -b y", "unhealthy: body lacks \"y\"; BODY (*s)"),
        ("--body-not x --body-not a --body-not b", "unhealthy: body contains \"a\"; BODY (*s)"),
        ("-j a=1 -j b=3 -j c", "unhealthy: JSON b is 2, expected \"3\" (*s)"),
        ("-j c -b x", "unhealthy: body lacks \"x\"; BODY (*s)"),
        ("-b x --expect-header X-Nope", "unhealthy: no header X-Nope (*s)"),
        ("-b x --status 201", "unhealthy: status 200, expected 201; BODY (*s)"),
    ] {
        let options = options.replace(": ", ":");
        let options: Vec<&str> = options.split(' ').collect();
        judge(&[(reply, &options, &line.replace("BODY", body))]);
    }
}

/// A body that ends before it should: what was expected of it cannot be known, unless the part that came settles it.
#[rustfmt::skip]
fn bodies_cut_short() {
    let cut =
        "unhealthy: connection closed while reading the body; until then: {\"s\":\"UP\"} (*s)";
    for head in [
        "Content-Length: 11\r\n\r\n{\"s\":\"UP\"}",
        "Content-Length: 18446744073709551615\r\n\r\n{\"s\":\"UP\"}",
        "Transfer-Encoding: chunked\r\n\r\nf\r\n{\"s\":\"UP\"}",
        "Transfer-Encoding: chunked\r\n\r\na\r\n{\"s\":\"UP\"}",
        "Transfer-Encoding: chunked\r\n\r\na\r\n{\"s\":\"UP\"}\r\n",
        "Transfer-Encoding: chunked\r\n\r\na\r\n{\"s\":\"UP\"}\r\n0",
        "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{\"s\":\"UP\"}",
    ] {
        let reply = format!("HTTP/1.1 200 OK\r\n{head}");
        let reply = reply.as_bytes();
        judge(&[
            (reply, &[], WELL),
            (reply, &["-b", "UP"], WELL),
            (reply, &["-b", "NO"], cut),
            (reply, &["--body-not", "NO"], cut),
            (reply, &["-j", "s=UP"], cut),
            (reply, &["--body-not", "UP"], "unhealthy: body contains \"UP\"; body: {\"s\":\"UP\"} (*s)"),
        ]);
    }
    let nothing = "unhealthy: connection closed while reading the body (*s)";
    judge(&[
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", &["-b", "UP"], nothing),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &["-b", "UP"], nothing),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r", &["-b", "UP"], nothing),
    ]);
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
        let line = format!("unhealthy: connection reset while {phase} (*s)");
        said(options, &server.url("/"), &line);
    }
}

#[rustfmt::skip]
fn closed_early() {
    let line = |phase: &str| format!("unhealthy: connection closed while {phase} (*s)");
    judge(&[
        (b"", &[], &line("waiting for the status line")),
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

fn bodies_without_end() {
    for head in [
        "\r\n",
        "Content-Length: 999999999999\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n",
    ] {
        let server = after_request(move |connection| {
            send(connection, format!("HTTP/1.1 200 OK\r\n{head}"));
            repeat(connection, b"9\r\ndata: UP\n\r\n", Duration::ZERO);
        });
        for options in [&[][..], &["-b", "UP"]] {
            said(options, &server.url("/"), "healthy: 200 OK in * ms");
        }
        said(
            &["--body-not", "UP"],
            &server.url("/"),
            "unhealthy: body contains \"UP\"; body: * (* ms)",
        );
        let line = "unhealthy: body lacks \"DOWN\" in its first 1 MiB; body: * (*s)";
        said(&["-b", "DOWN"], &server.url("/"), line);
        let line = "unhealthy: body longer than the 1 MiB that are searched (*s)";
        said(&["-j", "status"], &server.url("/"), line);
        said(&["--body-not", "DOWN"], &server.url("/"), line);
    }
}

#[rustfmt::skip]
fn bodies_beyond_the_bound() {
    const BOUND: usize = 1 << 20;
    let body =
        |length: usize| [b"HTTP/1.1 200 OK\r\n\r\n", &b"x".repeat(length)[..], b"UP"].concat();
    judge(&[
        (&body(BOUND - 2), &["-b", "UP"], WELL),
        (&body(BOUND - 2), &["--body-not", "DOWN"], WELL),
        (&body(BOUND - 2), &["-b", "DOWN"], "unhealthy: body lacks \"DOWN\"; body: xxx*... (*s)"),
        (&body(BOUND - 1), &["-b", "UP"], "unhealthy: body lacks \"UP\" in its first 1 MiB; body: xxx*... (*s)"),
        (&body(BOUND - 1), &["--body-not", "DOWN"], "unhealthy: body longer than the 1 MiB that are searched (*s)"),
    ]);
    // As long as that and broken off is still broken off.
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {BOUND}\r\n\r\n");
    let cut = [head.as_bytes(), &b"x".repeat(BOUND - 1)[..]].concat();
    let line = "unhealthy: connection closed while reading the body; until then: xxx*... (*s)";
    judge(&[(&cut, &["--body-not", "DOWN"], line)]);
}

/// Bodies and expectations that were made to take long: every search and every path is linear in the body, so that there is
/// a verdict long before the deadline.
#[rustfmt::skip]
fn bodies_that_are_hard_to_search() {
    const MIB: usize = 1 << 20;
    let reply = |body: &str| format!("HTTP/1.1 200 OK\r\n\r\n{body}").into_bytes();
    // Each part of the body begins like the text, or has a new text of two.
    let (almost, text) = (reply(&"a".repeat(1_000_000)), format!("{}b", "a".repeat(1000)));
    let lacks = format!("unhealthy: body lacks \"{}*\"; body: aaa*... (*s)", "a".repeat(70));
    let back = format!("b{}", "a".repeat(1000));
    judge(&[
        (&almost, &["-t", "1s", "-b", &text], &lacks),
        (&almost, &["-t", "1s", "--body-not", &text], WELL),
        (&almost, &["-t", "1s", "--body-not", &back], WELL),
        (&almost, &["-t", "1s", "-b", "a", "-b", "UP"], "unhealthy: body lacks \"UP\"; body: aaa*... (*s)"),
    ]);
    // An object that is as long as a body may be, at each step of a path that is as long as a path may be.
    let members = "\"a\":0,".repeat(MIB / 6 / 100 - 4);
    let nested = format!("{}1{}", format!("{{{members}\"a\":").repeat(100), "}".repeat(100));
    assert!(nested.len() < MIB);
    let path = vec!["a"; 100].join(".");
    let (one, two) = (format!("{path}=1"), format!("{path}=2"));
    let flat = format!("{{{}\"b\":\"UP\"}}", "\"\\u0061\":{\"x\":[0,1]},".repeat(40_000));
    let number = format!("[1{}e-1000000]", "0".repeat(1_000_000));
    judge(&[
        (&reply(&nested), &["-t", "1s", "-j", &one], WELL),
        (&reply(&nested), &["-t", "1s", "-j", &two], "unhealthy: JSON a.a*a... is 1, expected \"2\" (*s)"),
        (&reply(&flat), &["-t", "1s", "-j", "a.x.1=1", "-j", "b=UP"], WELL),
        (&reply(&number), &["-t", "1s", "-j", "0=1"], WELL),
    ]);
    // A VALUE is a scalar, so that there is nothing to compare that nests.
    let members: Vec<String> = (0..3000).map(|name| format!("\"{name}\":0")).collect();
    let value = format!("o={{{}}}", members.join(","));
    let server = Server::untouched();
    check(["-t", "1s", "-j", &value, &server.url("/")]).unhealthy("error: --json: *VALUE*");
}

/// Whatever a service says, in every place where it can be repeated: one line of printable text, and no escape that is
/// cut in two.
#[rustfmt::skip]
fn hostile_text() {
    let texts: [&[u8]; 8] = [
        b"\0\x01\x02\x07\x08\x0b\x1b[2J\x1b]0;title\x07\x7f",
        b"\xff\xfe\xc3\x28\xa0\xed\xa0\x80\xf0\x28\x8c\x28",
        "\u{202e}\u{2066}\u{200b}\u{feff}\u{9b}31m\u{85}\u{2028}\u{e000}".as_bytes(),
        b"\nhealthy: http://localhost/: 200 OK in 0.1 ms",
        b"\r\r\r\t\t\\\\\\x41",
        "\u{1f600}\u{10ffff}\u{e9}".as_bytes(),
        b"%s%n{}{0}${PATH}",
        b"\"quoted\" and 'quoted'; body: nested (0.1 ms)",
    ];
    for text in texts {
        for times in [1, 7, 1000] {
            let text = text.repeat(times);
            let in_value: Vec<u8> = text.iter().copied().filter(|byte| *byte >= b' ').collect();
            let escaped = |byte: &u8| format!("\\u{byte:04x}").into_bytes();
            let in_json: Vec<u8> = text.iter().flat_map(escaped).collect();
            let reply =
                |head: &str, text: &[u8]| [b"HTTP/1.1 ", head.as_bytes(), text, b"\"}"].concat();
            let rows = [
                (text.clone(), ""),
                (reply("200 ", &text), ""),
                (reply("200 OK\r\nX: ", &text), ""),
                (reply("200 OK\r\nContent-Length: x\r\nX: \r\n\r\n", &text), ""),
                (reply("503 No\r\n\r\n", &text), ""),
                (reply("200 OK\r\nContent-Length: 9999999\r\n\r\n", &text), "-b nope"),
                (reply("200 OK\r\n\r\n", &text), "-b nope"),
                (reply("200 OK\r\n\r\n", &text), "--body-not }"),
                (reply("200 OK\r\n\r\nx", &text), "-j a"),
                (reply("200 OK\r\n\r\n{\"a\":\"", &in_json), "-j b"),
                (reply("200 OK\r\n\r\n{\"a\":\"", &in_json), "-j a=b"),
                (reply("200 OK\r\nX-A: ", &[&in_value, &b"\r\n\r\n"[..]].concat()), "--expect-header X-A:b"),
                (
                    reply(
                        "302 X\r\nLocation: ://",
                        &[&in_value, &b"\r\n\r\n"[..]].concat(),
                    ),
                    "-L",
                ),
            ];
            for (reply, options) in rows {
                let server = Server::replying(reply);
                let url = server.url("/");
                let run = check(options.split_whitespace().chain([&*url]));
                run.unhealthy(&format!("unhealthy: {url}: *s)"));
                let line = run.stderr.trim_end_matches('\n');
                let hides = |c: char| {
                    c.is_control()
                        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
                        || matches!(c, '\u{feff}' | '\u{e000}'..='\u{f8ff}' | '\u{fffd}' | '\u{e0000}'..)
                };
                assert!(!line.contains(hides), "{run}");
            }
        }
    }
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

fn refused() {
    let (_socket, port) = deaf_port();
    let hint = match cfg!(target_os = "linux") {
        true => "; listening here: *",
        false => "",
    };
    // So that there is something to name.
    let _server = TcpListener::bind("127.0.0.1:0").expect("bind a free port");
    said(
        &[],
        &format!("http://127.0.0.1:{port}/"),
        &format!("unhealthy: connection refused at 127.0.0.1:{port}{hint} (*s)"),
    );
    said(
        &[],
        &format!("http://localhost:{port}/"),
        &format!("unhealthy: connection refused at 127.0.0.1:{port}*{hint} (*s)"),
    );
    let directory = tempfile::tempdir().expect("make a directory");
    let file = directory.path().join("socket");
    drop(UnixListener::bind(&file).expect("bind a unix socket"));
    let file = file.to_str().expect("a path in UTF-8");
    said(
        &["--unix-socket", file],
        "http://localhost:80/",
        &format!("unhealthy: connection refused at {file} (*s)"),
    );
}

fn unreachable() {
    said(
        &["--unix-socket", "/nowhere/socket"],
        "http://localhost:80/",
        "unhealthy: cannot connect to /nowhere/socket: No such file or directory (os error 2) (*s)",
    );
    // Of a net that is for documentation only (RFC 5737).
    let line = "error: TARGET: \"198.51.100.1\" is not this machine: *";
    check(["http://198.51.100.1:80/"]).unhealthy(line);
}

fn full_accept_queue() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind a free port");
    rustix::net::listen(&listener, 0).expect("shorten the queue");
    let address = listener.local_addr().expect("the address of a listener");
    let mut queue = Vec::new();
    while let Ok(connection) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
        queue.push(connection);
    }
    let line = format!(
        "unhealthy: no response within 300 ms: timed out connecting to {address}: its accept queue may be full"
    );
    said(&["-t", SHORT], &format!("http://{address}/"), &line).within(SHORTLY);
}

fn full_accept_queue_of_a_unix_socket() {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
    let directory = tempfile::tempdir().expect("make a directory");
    let file = directory.path().join("socket");
    let listener = UnixListener::bind(&file).expect("bind a unix socket");
    rustix::net::listen(&listener, 0).expect("shorten the queue");
    let address = SocketAddrUnix::new(&file).expect("a path that fits");
    let mut queue = Vec::new();
    loop {
        let flags = SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
            .expect("make a socket");
        if rustix::net::connect(&socket, &address).is_err() {
            break;
        }
        queue.push(socket);
    }
    let file = file.to_str().expect("a path in UTF-8");
    let line = format!(
        "unhealthy: no response within 300 ms: timed out connecting to {file}: its accept queue may be full"
    );
    let options = ["-t", SHORT, "--unix-socket", file];
    said(&options, "http://localhost:80/", &line).within(SHORTLY);
}

/// Runs the checker with 8 MB of `--data`, which no socket's buffers hold: an argument cannot be that long, but what its
/// variables stand for can.
#[track_caller]
fn said_with_long_data(server: &Server, line: &str) -> Run {
    let url = server.url("/");
    let data = "${BLOCK}".repeat(80);
    let mut command = command(["-t", SHORT, "--data", &data, &url]);
    let run = run(command.env("BLOCK", "x".repeat(100_000)));
    says(&run, &url, line);
    run
}

fn never_reads() {
    let server = Server::new(|connection| wait_for_end(connection));
    let line = "unhealthy: no response within 300 ms: connected, sending the request";
    said_with_long_data(&server, line).within(SHORTLY);
}

fn resets_while_sending() {
    let server = Server::new(|connection| {
        let mut little = [0; 1000];
        connection.read_exact(&mut little).expect("read a little");
        reset(connection);
    });
    let line = "unhealthy: connection reset while sending the request (*s)";
    said_with_long_data(&server, line).within(SHORTLY);
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
    said_with_long_data(&server, line).within(SHORTLY);
    let server = Server::new(|connection| {
        send(connection, OK);
        hold(connection);
    });
    said(&[], &server.url("/"), WELL);
}
