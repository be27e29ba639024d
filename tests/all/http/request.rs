//! The request, to the byte, and that nobody else gets it.

use super::{AGENT, OK, WELL, said, send};
use crate::connect::unix_server;
use crate::support::{Server, check, command, deaf_port, run};
use libtest_mimic::Trial;
use std::io::{Read, Write};
use std::sync::mpsc;

pub fn trials() -> Vec<Trial> {
    trials![
        requests,
        request_targets,
        a_request_is_one_segment,
        long_requests_are_whole,
        proxies_are_not_asked,
    ]
}

/// Asserts that a healthy service got just this request: LF stands for CR LF in its head, PORT for the port, and fields
/// of different names may come in any order.
#[track_caller]
fn sends(options: &[&str], request: &str) {
    let server = Server::replying(OK);
    said(options, &server.url("/"), WELL);
    let (head, body) = request.split_once("\n\n").expect("a request with a head");
    let head = head.replace("PORT", &server.port().to_string());
    let got = server.requests();
    assert_eq!(got.len(), 1, "{options:?}");
    let (got_head, got_body) = got[0].split_once("\r\n\r\n").expect("a head");
    let mut lines: Vec<&str> = head.split('\n').collect();
    let mut got_lines: Vec<&str> = got_head.split("\r\n").collect();
    for lines in [&mut lines, &mut got_lines] {
        lines[1..].sort_by_key(|field| field.split(':').next());
    }
    assert_eq!((got_lines, got_body), (lines, body), "{options:?}");
}

#[rustfmt::skip]
fn requests() {
    let host = "accept: */*\nhost: 127.0.0.1:PORT\n";
    let last = format!("user-agent: {AGENT}\nconnection: close\naccept-encoding: identity\n");
    for method in ["GET", "HEAD", "DELETE", "OPTIONS", "FROB", "get"] {
        sends(
            &["-X", method],
            &format!("{method} / HTTP/1.1\n{host}{last}\n"),
        );
    }
    for method in ["POST", "PUT", "PATCH"] {
        let request = format!("{method} / HTTP/1.1\ncontent-length: 0\n{host}{last}\n");
        sends(&["-X", method], &request);
        sends(&["-X", method, "-d", ""], &request);
    }
    let data = "a=b&c=d\u{e9}\n\n";
    for (method, options) in [
        ("POST", &["-d", data][..]),
        ("PUT", &["-d", data, "-X", "PUT"]),
        ("GET", &["-d", data, "-X", "GET"]),
        ("FROB", &["-d", data, "-X", "FROB"]),
    ] {
        let request = format!("{method} / HTTP/1.1\ncontent-length: 11\n{host}{last}\n{data}");
        sends(options, &request);
    }
    for (options, given) in [
        (&["-u", "Aladdin:open sesame"][..], "authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n"),
        (&["-u", "a:b:c"], "authorization: Basic YTpiOmM=\n"),
        (&["-u", ":"], "authorization: Basic Og==\n"),
        (&["-u", "\u{fc}:\u{e9}"], "authorization: Basic w7w6w6k=\n"),
        (&["-H", "Authorization: Bearer token"], "authorization: Bearer token\n"),
        (&["-H", "X-A: 1"], "x-a: 1\n"),
        (&["-H", "X-A: 1", "-H", "x-a:2"], "x-a: 1\nx-a: 2\n"),
        (&["-H", "X-A:", "-H", "X-B: a: b"], "x-a: \nx-b: a: b\n"),
        (&["-H", "X-A: gr\u{f6}\u{df}e"], "x-a: gr\u{f6}\u{df}e\n"),
        (&["-H", "Cookie: a=b; c=d"], "cookie: a=b; c=d\n"),
    ] {
        sends(options, &format!("GET / HTTP/1.1\n{host}{given}{last}\n"));
    }
    // What is given replaces what is computed.
    for (options, fields) in [
        (&["-A", "me/1 (x)"], format!("{host}user-agent: me/1 (x)\nconnection: close\naccept-encoding: identity\n")),
        (&["-H", "User-Agent: me"], format!("{host}user-agent: me\nconnection: close\naccept-encoding: identity\n")),
        (
            &["-H", "Connection: keep-alive"],
            format!("{host}connection: keep-alive\nuser-agent: {AGENT}\naccept-encoding: identity\n"),
        ),
        (
            &["-H", "Accept-Encoding: gzip"],
            format!("{host}accept-encoding: gzip\nuser-agent: {AGENT}\nconnection: close\n"),
        ),
        (&["-H", "Accept: text/html"], format!("host: 127.0.0.1:PORT\naccept: text/html\n{last}")),
        (&["-H", "Host: example.com"], format!("accept: */*\nhost: example.com\n{last}")),
        (&["-H", "hOsT:example.com:8080"], format!("accept: */*\nhost: example.com:8080\n{last}")),
    ] {
        sends(options, &format!("GET / HTTP/1.1\n{fields}\n"));
    }
}

#[rustfmt::skip]
fn request_targets() {
    let server = Server::replying(OK);
    let port = server.port();
    for (url, target, host) in [
        ("http://127.0.0.1:PORT", "/", "127.0.0.1:PORT"),
        ("HTTP://LocalHost:PORT/", "/", "localhost:PORT"),
        ("http://localhost:PORT?q=1", "/?q=1", "localhost:PORT"),
        ("http://localhost:PORT/a/../b%20c?q=%3f&r=/?#frag", "/a/../b%20c?q=%3f&r=/?", "localhost:PORT"),
        ("http://localhost:PORT#frag", "/", "localhost:PORT"),
        ("http://localhost:PORT//", "//", "localhost:PORT"),
        ("http://0.0.0.0:PORT/", "/", "localhost:PORT"),
        ("http://[::]:PORT/", "/", "localhost:PORT"),
        ("http://[::ffff:127.0.0.1]:PORT/", "/", "[::ffff:127.0.0.1]:PORT"),
        ("http://us%40er:p%3Aw@localhost:PORT/x", "/x", "localhost:PORT\nauthorization: Basic dXNAZXI6cDp3"),
        ("http://user@localhost:PORT/x", "/x", "localhost:PORT\nauthorization: Basic dXNlcjo="),
    ] {
        let asked = server.asked();
        check([url.replace("PORT", &port.to_string())]).exits(0);
        assert_eq!(server.asked(), asked + 1, "{url}");
        let request = server.requests().pop().expect("a request");
        let head = format!("GET {target} HTTP/1.1\r\n");
        assert!(request.starts_with(&head), "{url}: {request}");
        for field in host.replace("PORT", &port.to_string()).split('\n') {
            let field = field
                .strip_prefix("authorization: ")
                .map_or(format!("\r\nhost: {field}\r\n"), |value| {
                    format!("\r\nauthorization: {value}\r\n")
                });
            assert!(request.contains(&field), "{url}: {request}");
        }
    }
    // The default port goes without saying.
    let (_server, file, requests) = unix_server(|connection| {
        let _ = connection.write_all(OK);
    });
    check(["--unix-socket", &file, "http://localhost:80/"]).exits(0);
    let request = requests.recv().expect("a request");
    assert!(request.contains("\r\nhost: localhost\r\n"), "{request}");
}

fn a_request_is_one_segment() {
    for data in ["", &"x".repeat(20_000)] {
        let (tell, lengths) = mpsc::channel();
        let server = Server::new(move |connection| {
            let mut buffer = [0; 65536];
            let first = connection.read(&mut buffer).expect("read the request");
            let whole = buffer[..first]
                .windows(4)
                .any(|window| window == b"\r\n\r\n");
            tell.send((first, whole)).expect("the test waits");
            send(connection, OK);
        });
        for _ in 0..10 {
            check(["-d", data, &server.url("/")]).exits(0);
            let (length, whole) = lengths.recv().expect("a request");
            assert!(
                whole && length > data.len() + 100,
                "{length} bytes in the first segment"
            );
        }
    }
}

/// Whatever the length of its parts, nothing of a request is lost.
fn long_requests_are_whole() {
    let path = format!("/{}?{}", "p".repeat(30_000), "q".repeat(30_000));
    let value = "v".repeat(60_000);
    let data = "d".repeat(100_000);
    let server = Server::replying(OK);
    check([
        "-d",
        &data,
        "-H",
        &format!("X-Long: {value}"),
        &server.url(&path),
    ])
    .exits(0);
    let request = server.requests().pop().expect("a request");
    assert!(request.starts_with(&format!("POST {path} HTTP/1.1\r\n")));
    assert!(request.contains(&format!("\r\nx-long: {value}\r\n")));
    assert!(request.contains("\r\ncontent-length: 100000\r\n"));
    assert!(request.ends_with(&format!("\r\n\r\n{data}")));
}

fn proxies_are_not_asked() {
    let proxy = Server::untouched();
    let server = Server::replying(OK);
    let mut command = command([server.url("/")]);
    for name in [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ] {
        command.env(name, proxy.url("/"));
    }
    run(&mut command).healthy(&format!("healthy: {}: 200 OK in *s", server.url("/")));
    check([server.url("/")]).exits(0);
    let requests = server.requests();
    assert_eq!(requests[0], requests[1], "it asks a proxy otherwise");
    // Not even where the service does not answer.
    let (_socket, port) = deaf_port();
    command.args([&format!("http://127.0.0.1:{port}/")]);
    run(&mut command).exits(1);
    for broken in ["", "nonsense", "socks4://x:y@z:1", "://"] {
        command.env("http_proxy", broken).env("ALL_PROXY", broken);
        run(&mut command).exits(1);
    }
}
