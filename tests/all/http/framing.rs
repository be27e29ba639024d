//! Where a body ends, how it is coded, and what is said of one that is cut short or has no end.

use super::{OK, SHORTLY, WELL, after_request, hold, judge, repeat, said, send};
use crate::support::{Server, check};
use libtest_mimic::Trial;
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    trials![
        lengths,
        chunks,
        codings,
        responses_without_a_body,
        bodies_cut_short,
        bodies_without_end,
        bodies_beyond_the_bound,
    ]
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
