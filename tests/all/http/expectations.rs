//! What is expected of a reply: its status, its body, its JSON, its headers.

use super::{SHORTLY, WELL, after_request, hold, judge, said, send};
use crate::support::{Server, check};
use libtest_mimic::Trial;
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    trials![
        statuses,
        reasons_for_a_wrong_status,
        body_texts,
        json,
        expected_headers,
        several_expectations,
        compressed_bodies,
        bodies_that_are_hard_to_search,
    ]
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
        // It says nowhere to go.
        let line = format!("unhealthy: status {status}, expected 200-299 (*s)");
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

/// A coding that was not asked for, announced or not.
#[rustfmt::skip]
fn compressed_bodies() {
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\x03UP";
    let reply = |fields: &str| [format!("HTTP/1.1 200 OK\r\n{fields}\r\n").as_bytes(), gzip].concat();
    let coded = "unhealthy: the body cannot be judged: it is coded as gzip, which was not asked for (*s)";
    for fields in ["", "Content-Encoding: gzip\r\n"] {
        for options in [["-b", "DOWN"], ["--body-not", "DOWN"], ["-j", "status"]] {
            judge(&[(&reply(fields), &options, coded)]);
        }
        judge(&[(&reply(fields), &[], WELL)]);
    }
    // What is there can be found.
    judge(&[(&reply(""), &["-b", "UP"], WELL)]);
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
