//! The head of a reply: its status line, the interim responses before it, its fields, its length.

use super::{OK, SHORT, SHORTLY, WELL, after_request, judge, repeat, said, send};
use libtest_mimic::Trial;
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
    ]
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
    ]);
    // A crowd does not hide what is malformed.
    for bad in ["garbage", "A : b", ": b", "A(: b", "A: b\0c", "A: \x01", "A: b\rc", "Content-Length : 2"] {
        let reply = head(&format!("{}{bad}\r\n", fields(140)));
        let line = "unhealthy: malformed HTTP response head (invalid header): HTTP/1.1 200 OK*(*s)";
        judge(&[(reply.as_bytes(), &[], line)]);
    }
    let last = head(&format!("{}Location: http://example.com/\r\n", "Location: /x\r\n".repeat(200)));
    let last = last.replacen("200 OK", "302 Found", 1);
    judge(&[
        (last.as_bytes(), &["-L"], "unhealthy: status 302 redirects to http://example.com/, which is not an http URL of this machine (*s)"),
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
