//! What goes over the wire: the request to the byte, to whom it goes, where redirects lead, and how it ends.

use crate::http::{OK, WELL, after_request, deaf_port, hold, judge, said, send};
use crate::support::{Run, Server, Skip, check, command, matches, read_request, run};
use libtest_mimic::Trial;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc;
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    trials![
        echoes_of_credentials_are_blackened,
        requests,
        request_targets,
        a_request_is_one_segment,
        long_requests_are_whole,
        ends_politely,
        ipv4_only,
        ipv6_only,
        both_families,
        addresses_of_this_machine,
        unix_sockets,
        several_targets,
        one_deadline_for_all_targets,
        a_hundred_targets,
        redirects_are_judged_unless_followed,
        redirect_references,
        redirects_are_counted,
        redirect_methods,
        redirects_stay_on_this_machine,
        redirects_to_another_port_carry_no_credentials,
        proxies_are_not_asked,
        verbose,
        credentials_are_never_printed,
    ]
}

const AGENT: &str = concat!("healthchecker/", env!("CARGO_PKG_VERSION"));

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

fn ipv4_only() {
    let server = Server::replying(OK);
    let port = server.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "0.0.0.0",
        "[::]",
        "[::ffff:127.0.0.1]",
    ] {
        said(&[], &format!("http://{host}:{port}/"), WELL);
    }
    for host in ["127.0.0.1", "localhost", "0.0.0.0", "::", "[::]"] {
        let port = port.to_string();
        check(["--host", host, "--port", &port]).healthy("healthy: http://*/health: 200 OK in *s");
    }
}

/// A port where nothing listens on 127.0.0.1, and a listener on the same port of ::1.
fn ipv6_listener() -> Result<(impl Drop, TcpListener), Skip> {
    for _ in 0..20 {
        let (socket, port) = deaf_port();
        match TcpListener::bind(("::1", port)) {
            Ok(listener) => return Ok((socket, listener)),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(Skip::new(format!("no IPv6 here: {error}"))),
        }
    }
    panic!("no port that is free in both families");
}

fn ipv6_only() -> Result<(), Skip> {
    let (_socket, listener) = ipv6_listener()?;
    let server = Server::on(listener, |connection| {
        read_request(connection);
        send(connection, OK);
    });
    let port = server.port();
    for host in ["localhost", "[::1]", "[::]", "0.0.0.0", "[0:0::1]"] {
        said(&[], &format!("http://{host}:{port}/"), WELL);
    }
    let line = format!("unhealthy: connection refused at 127.0.0.1:{port}*(*s)");
    said(&[], &format!("http://127.0.0.1:{port}/"), &line);
    Ok(())
}

fn both_families() -> Result<(), Skip> {
    for _ in 0..20 {
        let first = TcpListener::bind("127.0.0.1:0").expect("bind a free port");
        let port = first
            .local_addr()
            .expect("the address of a listener")
            .port();
        let second = match TcpListener::bind(("::1", port)) {
            Ok(second) => second,
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => continue,
            Err(error) => return Err(Skip::new(format!("no IPv6 here: {error}"))),
        };
        let reply = |body: &'static str| {
            move |connection: &mut TcpStream| {
                read_request(connection);
                send(connection, format!("HTTP/1.1 200 OK\r\n\r\n{body}"));
            }
        };
        let servers = [
            Server::on(first, reply("four")),
            Server::on(second, reply("six")),
        ];
        let url = |host: &str| format!("http://{host}:{port}/");
        said(&["-b", "four"], &url("localhost"), WELL);
        assert_eq!(servers[1].asked(), 0, "both were asked");
        said(&["-b", "six"], &url("[::1]"), WELL);
        return Ok(());
    }
    panic!("no port that is free in both families");
}

fn addresses_of_this_machine() -> Result<(), Skip> {
    // Sends nothing: it asks the routing table for this machine's address.
    let probe = UdpSocket::bind("0.0.0.0:0").expect("bind a UDP socket");
    let ip = match probe
        .connect("198.51.100.1:9")
        .and_then(|()| probe.local_addr())
    {
        Ok(address) if address.ip() != Ipv4Addr::UNSPECIFIED => address.ip(),
        _ => return Err(Skip::new("this machine has no address but its loopback")),
    };
    let listener = TcpListener::bind((ip, 0)).expect("bind an address of this machine");
    let server = Server::on(listener, |connection| {
        read_request(connection);
        send(connection, OK);
    });
    said(&[], &server.url("/"), WELL);
    Ok(())
}

/// A server on a unix socket that tells what it was asked. It lives as long as the first value.
fn unix_server(
    script: impl Fn(&mut UnixStream) + Send + 'static,
) -> (impl Drop, String, mpsc::Receiver<String>) {
    let directory = tempfile::tempdir().expect("make a directory");
    let file = directory.path().join("socket");
    let listener = UnixListener::bind(&file).expect("bind a unix socket");
    let (tell, requests) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let mut buffer = [0; 4096];
            let read = connection.read(&mut buffer).expect("read the request");
            // It is over when somebody hangs up without a word.
            if read == 0 {
                return;
            }
            let _ = tell.send(String::from_utf8_lossy(&buffer[..read]).into_owned());
            script(&mut connection);
        }
    });
    let file = file.to_str().expect("a path in UTF-8").to_owned();
    let server = UnixServer {
        directory,
        thread: Some(thread),
    };
    (server, file, requests)
}

struct UnixServer {
    directory: tempfile::TempDir,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for UnixServer {
    fn drop(&mut self) {
        drop(UnixStream::connect(self.directory.path().join("socket")));
        let ended = self.thread.take().map(std::thread::JoinHandle::join);
        assert!(std::thread::panicking() || matches!(ended, Some(Ok(()))));
    }
}

fn unix_sockets() {
    let (_server, file, requests) = unix_server(|connection| {
        let _ = connection.write_all(OK);
    });
    check(["--unix-socket", &file]).healthy("healthy: http://localhost:80/health: 200 OK in *s");
    let request = format!(
        "GET /health HTTP/1.1\r\naccept: */*\r\nhost: localhost\r\nuser-agent: {AGENT}\r\nconnection: close\r\naccept-encoding: identity\r\n\r\n"
    );
    assert_eq!(requests.recv().as_deref(), Ok(&*request));
    let options = ["--unix-socket", &file, "-b", "DOWN"];
    said(
        &options,
        "http://localhost:8080/x",
        "unhealthy: body lacks \"DOWN\"; body: UP (*s)",
    );
    assert!(
        requests
            .recv()
            .expect("a request")
            .contains("\r\nhost: localhost:8080\r\n")
    );

    let (_server, file, _requests) = unix_server(|connection| {
        let _ = connection.read(&mut [0]);
    });
    let options = ["--unix-socket", &file, "-t", "300ms"];
    let line = "unhealthy: no response within 300 ms: connected, request sent, waiting for the status line";
    said(&options, "http://localhost:80/", line).within(Duration::from_secs(2));

    let (_server, file, _requests) = unix_server(|_| {});
    let line = "unhealthy: connection closed while waiting for the status line (*s)";
    said(&["--unix-socket", &file], "http://localhost:80/", line);
}

/// Asserts the lines on stdout and on stderr.
#[track_caller]
fn lines(run: &Run, out: &[String], err: &[String]) {
    for (said, lines) in [(&run.stdout, out), (&run.stderr, err)] {
        let said: Vec<&str> = said.lines().collect();
        assert_eq!(said.len(), lines.len(), "{run}");
        for (said, line) in said.iter().zip(lines) {
            assert!(matches(line, said), "expected: {line}\n{run}");
        }
    }
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

/// A service that redirects from each path to a location, with this status, and is healthy elsewhere.
fn redirecting(status: u16, hops: &[(&str, &str)]) -> Redirecting {
    let hops: Vec<(String, String)> = hops
        .iter()
        .map(|(from, to)| (from.to_string(), to.to_string()))
        .collect();
    let (tell, requests) = mpsc::channel();
    let server = Server::new(move |connection| {
        let request = String::from_utf8_lossy(&read_request(connection)).into_owned();
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let _ = tell.send(request);
        match hops.iter().find(|(from, _)| *from == path) {
            Some((_, to)) => send(
                connection,
                format!("HTTP/1.1 {status} X\r\nLocation: {to}\r\nContent-Length: 2\r\n\r\nno"),
            ),
            None => send(connection, OK),
        }
    });
    Redirecting { server, requests }
}

struct Redirecting {
    server: Server,
    requests: mpsc::Receiver<String>,
}

impl Redirecting {
    /// The first lines of the requests so far.
    fn asked_for(&self) -> Vec<String> {
        let first = |request: String| request.lines().next().unwrap_or_default().to_owned();
        self.requests.try_iter().map(first).collect()
    }
}

fn redirects_are_judged_unless_followed() {
    for status in [301, 302, 303, 307, 308] {
        let service = redirecting(status, &[("/", "/login")]);
        let url = service.server.url("/");
        let line = format!(
            "unhealthy: status {status}, expected 200-299; body: no; -L follows redirects (*s)"
        );
        said(&[], &url, &line);
        said(
            &["--status", "300-399"],
            &url,
            &format!("healthy: {status} * in *s"),
        );
        assert_eq!(service.asked_for(), ["GET / HTTP/1.1", "GET / HTTP/1.1"]);
        said(&["-L"], &url, WELL);
        assert_eq!(
            service.asked_for(),
            ["GET / HTTP/1.1", "GET /login HTTP/1.1"]
        );
    }
    // These lead nowhere.
    for status in [300, 304, 305, 306, 399] {
        let service = redirecting(status, &[("/", "/login")]);
        said(
            &["-L"],
            &service.server.url("/"),
            &format!("unhealthy: status {status}, expected 200-299* (*s)"),
        );
        assert_eq!(service.asked_for(), ["GET / HTTP/1.1"]);
    }
    judge(&[(
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
        &["-L"],
        "unhealthy: status 302, expected 200-299* (*s)",
    )]);
}

fn redirect_references() {
    for (reference, target) in [
        ("/x", "/x"),
        ("x", "/a/b/x"),
        ("./x", "/a/b/x"),
        ("../x?y=/../z", "/a/x?y=/../z"),
        ("../../../x/.", "/x/"),
        ("?q", "/a/b/c?q"),
        ("/x?q#f", "/x?q"),
        ("/gr\u{f6}\u{df}e", "/gr\u{f6}\u{df}e"),
        ("//127.0.0.1:PORT/y", "/y"),
        ("http://localhost:PORT/y", "/y"),
        ("HTTP://0.0.0.0:PORT", "/"),
        ("http://user:secret@localhost:PORT/y", "/y"),
    ] {
        // The port is known only when the server is there.
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind a free port");
        let port = listener
            .local_addr()
            .expect("the address of a listener")
            .port()
            .to_string();
        let (tell, requests) = mpsc::channel();
        let to = reference.replace("PORT", &port);
        let server = Server::on(listener, move |connection| {
            let request = String::from_utf8_lossy(&read_request(connection)).into_owned();
            match request.starts_with("GET /a/b/c ") {
                true => send(
                    connection,
                    format!("HTTP/1.1 302 X\r\nLocation: {to}\r\n\r\n"),
                ),
                false => send(connection, OK),
            }
            let _ = tell.send(request);
        });
        said(&["-L"], &server.url("/a/b/c"), WELL);
        let last = requests.iter().take(2).last().expect("a second request");
        assert!(
            last.starts_with(&format!("GET {target} HTTP/1.1\r\n")),
            "{reference}: {last}"
        );
        assert!(!last.contains("authorization"), "{reference}: {last}");
    }
}

fn redirects_are_counted() {
    let hops = [
        ("/0", "/1"),
        ("/1", "/2"),
        ("/2", "/3"),
        ("/3", "/4"),
        ("/4", "/5"),
        ("/5", "/6"),
    ];
    let service = redirecting(302, &hops);
    said(&["-L"], &service.server.url("/1"), WELL);
    assert_eq!(service.asked_for().len(), 6);
    let line = "unhealthy: status 302 redirects to /6, after 5 redirects that were followed (*s)";
    said(&["-L"], &service.server.url("/0"), line);
    assert_eq!(service.asked_for().len(), 6);
    let service = redirecting(307, &[("/", "/")]);
    let line = "unhealthy: status 307 redirects to /, after 5 redirects that were followed (*s)";
    said(&["-L"], &service.server.url("/"), line);
}

fn redirect_methods() {
    for (status, method, then) in [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (301, "PUT", "PUT"),
        (303, "PUT", "GET"),
        (308, "PUT", "PUT"),
        (303, "HEAD", "HEAD"),
        (302, "FROB", "FROB"),
    ] {
        let service = redirecting(status, &[("/", "/x")]);
        let data: &[&str] = if method == "HEAD" {
            &[]
        } else {
            &["-d", "data"]
        };
        let options = [&["-L", "-X", method, "-H", "X-A: b"], data].concat();
        said(&options, &service.server.url("/"), WELL);
        let requests: Vec<String> = service.requests.try_iter().collect();
        assert_eq!(requests.len(), 2, "{requests:?}");
        assert!(
            requests[0].starts_with(&format!("{method} / HTTP/1.1\r\n")),
            "{requests:?}"
        );
        assert!(
            requests[1].starts_with(&format!("{then} /x HTTP/1.1\r\n")),
            "{requests:?}"
        );
        assert!(requests[1].contains("\r\nx-a: b\r\n"), "{requests:?}");
        let with_body = method == then && method != "HEAD";
        assert_eq!(
            requests[1].contains("\r\ncontent-length: 4\r\n"),
            with_body,
            "{requests:?}"
        );
        assert_eq!(
            requests[1].ends_with("\r\n\r\ndata"),
            with_body,
            "{requests:?}"
        );
    }
}

#[rustfmt::skip]
fn redirects_stay_on_this_machine() {
    let elsewhere = "which is not an http URL of this machine";
    for (to, shown, why) in [
        ("http://example.com/", "", elsewhere),
        ("//example.com/", "", elsewhere),
        ("http://198.51.100.1/", "", elsewhere),
        ("http://localhost.example.com/", "", elsewhere),
        ("http://127.0.0.1.example.com/", "", elsewhere),
        ("http://localhost@example.com/", "http://...@example.com/", elsewhere),
        ("http://me:secret@example.com/a@b", "http://...@b", elsewhere),
        ("http://2130706433/", "", elsewhere),
        ("http://localhost:99999/", "", elsewhere),
        ("ftp://localhost/", "", elsewhere),
        ("file:///etc/passwd", "", elsewhere),
        ("javascript:alert(1)", "", elsewhere),
        ("http://", "", elsewhere),
        ("///", "", elsewhere),
        ("/a b", "", elsewhere),
        ("https://localhost/", "", "which needs TLS, and this build has none"),
    ] {
        let service = redirecting(302, &[("/", to)]);
        let shown = if shown.is_empty() { to } else { shown };
        let line = format!("unhealthy: status 302 redirects to {shown}, {why} (*s)");
        said(&["-L"], &service.server.url("/"), &line);
        assert_eq!(service.asked_for(), ["GET / HTTP/1.1"]);
    }
    // A refusal there is reported as such.
    let (_socket, port) = deaf_port();
    let service = redirecting(302, &[("/", &format!("http://127.0.0.1:{port}/"))]);
    let line = format!("unhealthy: connection refused at 127.0.0.1:{port}*(*s)");
    said(&["-L"], &service.server.url("/"), &line);
}

fn redirects_to_another_port_carry_no_credentials() {
    let second = Server::replying(OK);
    let first = redirecting(307, &[("/", &second.url("/next")), ("/same", "/x")]);
    for credentials in [["-u", "me:secret"], ["-H", "Authorization: Bearer secret"]] {
        let options = [
            "-L",
            credentials[0],
            credentials[1],
            "-H",
            "Cookie: id=secret",
            "-H",
            "X-A: b",
        ];
        said(&options, &first.server.url("/"), WELL);
        let request = second.requests().pop().expect("a request");
        assert!(request.starts_with("GET /next HTTP/1.1\r\n"), "{request}");
        assert!(
            request.contains(&format!("\r\nhost: 127.0.0.1:{}\r\n", second.port())),
            "{request}"
        );
        assert!(request.contains("\r\nx-a: b\r\n"), "{request}");
        for private in ["authorization", "cookie", "secret"] {
            assert!(!request.contains(private), "{request}");
        }
        let _ = first.asked_for();
        // The same service gets them again.
        said(&options, &first.server.url("/same"), WELL);
        let requests: Vec<String> = first.requests.try_iter().collect();
        assert_eq!(requests.len(), 2);
        assert!(requests[1].contains("\r\nauthorization: "), "{requests:?}");
        assert!(
            requests[1].contains("\r\ncookie: id=secret\r\n"),
            "{requests:?}"
        );
    }
    // Nor does a Host that was meant for the first one go on.
    let options = ["-L", "-H", "Host: first.example"];
    said(&options, &first.server.url("/"), WELL);
    let request = second.requests().pop().expect("a request");
    assert!(
        request.contains(&format!("\r\nhost: 127.0.0.1:{}\r\n", second.port())),
        "{request}"
    );
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

fn verbose() {
    let server = Server::replying(OK);
    let address = server.url("").replace("http://", "");
    let run = check([
        "-v",
        "-H",
        "X-Key: a secret",
        "-H",
        "Accept: text/*",
        &server.url("/x"),
    ]);
    let expected = [
        format!("* connected to {address} after * ms"),
        "* request sent after * ms".into(),
        "> GET /x HTTP/1.1".into(),
        format!("> host: {address}"),
        "> x-key: (not shown)".into(),
        "> accept: text/*".into(),
        format!("> user-agent: {AGENT}"),
        "> connection: close".into(),
        "> accept-encoding: identity".into(),
        "* response head read after * ms".into(),
        "< HTTP/1.1 200 OK".into(),
        "< Content-Length: 2".into(),
    ];
    lines(
        run.exits(0),
        &[format!("healthy: {}: 200 OK in *s", server.url("/x"))],
        &expected,
    );
    // What never happened is not told.
    let server = after_request(|connection| send(connection, "junk\r\n\x1b[31m"));
    let run = check(["-v", &server.url("/")]);
    run.exits(1);
    assert!(
        run.stderr.starts_with("unhealthy: ") && !run.stderr.contains("< "),
        "{run}"
    );
    assert!(
        run.stderr.contains("> GET / HTTP/1.1\n") && !run.stderr.contains('\x1b'),
        "{run}"
    );
}

/// Neither as they were given nor as they are sent.
fn credentials_are_never_printed() {
    let (_socket, deaf) = deaf_port();
    let deaf = format!("127.0.0.1:{deaf}");
    let challenge = "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n";
    let replies = [
        std::str::from_utf8(OK).expect("text"),
        challenge,
        "junk",
        "HTTP/1.1 302 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 X\r\nLocation: http://me:hunter2@example.com/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 X\r\nLocation: https://me:hunter2@example.com/\r\nContent-Length: 0\r\n\r\n",
    ];
    for reply in replies {
        let server = Server::replying(reply);
        let address = server.url("").replace("http://", "");
        for address in [&address, &deaf] {
            let with = format!("http://me:hunter2@{address}/");
            let without = format!("http://{address}/");
            for arguments in [
                &["-u", "me:hunter2", &without][..],
                &["-H", "Authorization: Basic bWU6aHVudGVyMg==", &without],
                &["-H", "Proxy-Authorization: hunter2", &without],
                &["-d", "password=hunter2", &without],
                &[&with],
                &["-L", &with],
                &["-j", "a", &with],
            ] {
                let run = check(arguments.iter().copied().chain(["-v"]));
                for secret in ["hunter2", "bWU6aHVudGVyMg", "me:"] {
                    assert!(
                        !run.stdout.contains(secret) && !run.stderr.contains(secret),
                        "{run}"
                    );
                }
                let sent = *address != deaf && arguments[0] != "-d";
                assert_eq!(
                    run.stderr.contains("uthorization: (not shown)"),
                    sent,
                    "{run}"
                );
            }
        }
    }
}

/// A service that sends back what it was sent, as HTTP and as something else.
fn echoes_of_credentials_are_blackened() {
    for head in [
        "HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 500 ",
        "ECHO ",
    ] {
        let server = Server::new(move |connection| {
            let request = read_request(connection);
            // With the name of the scheme, and without it.
            let token = request
                .split(|byte| b" \r".contains(byte))
                .max_by_key(|word| word.len())
                .expect("a word");
            let _ = connection.write_all(&[head.as_bytes(), token, b"\n", &request].concat());
        });
        for secret in [
            ["-u", "admin:open sesame"],
            ["-H", "Authorization: Bearer YWRtaW46b3BlbiBzZXNhbWU="],
        ] {
            let run = check([&secret[..], &["-v", &server.url("/")]].concat());
            run.exits(1);
            for word in ["YWRtaW46b3BlbiBzZXNhbWU", "sesame"] {
                assert!(!run.stderr.contains(word) && run.stdout.is_empty(), "{run}");
            }
        }
    }
}
