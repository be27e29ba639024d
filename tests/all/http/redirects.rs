//! Redirects: which are followed, whereto, and what goes along.

use super::{OK, judge, said, send};
use crate::support::{Server, deaf_port, read_request};
use libtest_mimic::Trial;
use std::net::TcpListener;
use std::sync::mpsc;

pub fn trials() -> Vec<Trial> {
    trials![
        redirects_are_judged_unless_followed,
        redirect_references,
        redirects_are_counted,
        redirect_methods,
        redirects_stay_on_this_machine,
        redirects_to_another_port_carry_no_credentials,
    ]
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
            "unhealthy: status {status} to /login, expected 200-299 (-L would follow) (*s)"
        );
        said(&[], &url, &line);
        said(
            &["--status", "300-399"],
            &url,
            &format!("healthy: {status} * in *s"),
        );
        assert_eq!(service.asked_for(), ["GET / HTTP/1.1", "GET / HTTP/1.1"]);
        said(&["-L"], &url, "healthy: 200 OK at /login in *s");
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
        "unhealthy: status 302, expected 200-299 (*s)",
    )]);
    judge(&[(
        b"HTTP/1.1 302 Found\r\nLocation:\r\nContent-Length: 0\r\n\r\n",
        &[],
        "unhealthy: status 302, expected 200-299 (-L would follow) (*s)",
    )]);
    // What -L would not follow is not offered.
    for (to, why) in [
        (
            "https://localhost/",
            "which needs TLS, and this program speaks none",
        ),
        (
            "//me:secret@example.com/",
            "which is not an http URL of this machine",
        ),
    ] {
        let service = redirecting(301, &[("/", to)]);
        let to = to.replace("//me:secret", "...");
        let line = format!("unhealthy: status 301 to {to}, expected 200-299 ({why}) (*s)");
        said(&[], &service.server.url("/"), &line);
    }
    // Where the reply is from is said of any that is not healthy.
    let login = Server::replying(b"HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nDOWN");
    let service = redirecting(302, &[("/", "/next"), ("/next", &login.url("/login?x=1"))]);
    let line = format!(
        "unhealthy: redirected to {}: status 503, expected 200-299; body: DOWN (*s)",
        login.url("/login?x=1")
    );
    said(&["-L"], &service.server.url("/"), &line);
    let service = redirecting(302, &[("/", "/next")]);
    let line = "unhealthy: redirected to /next: body lacks \"x\"; body: UP (*s)";
    said(&["-L", "-b", "x"], &service.server.url("/"), line);
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
        // As all clients do, though a URL has no blanks.
        ("/x y?a=b c", "/x%20y?a=b%20c"),
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
        let line = format!("healthy: 200 OK at {target} in *s");
        let line = line.replace("at /y ", "at *y ").replace("at / ", "at */ ");
        said(&["-L"], &server.url("/a/b/c"), &line);
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
    said(
        &["-L"],
        &service.server.url("/1"),
        "healthy: 200 OK at /6 in *s",
    );
    assert_eq!(service.asked_for().len(), 6);
    let line = "unhealthy: redirected to /5: status 302 redirects to /6, after 5 redirects that were followed (*s)";
    said(&["-L"], &service.server.url("/0"), line);
    assert_eq!(service.asked_for().len(), 6);
    let service = redirecting(307, &[("/", "/")]);
    let line = "unhealthy: redirected to /: status 307 redirects to /, after 5 redirects that were followed (*s)";
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
        let options = [&["-L", "-X", method, "-H", "X-A: bcde"], data].concat();
        said(
            &options,
            &service.server.url("/"),
            "healthy: 200 OK at /x in *s",
        );
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
        assert!(requests[1].contains("\r\nx-a: bcde\r\n"), "{requests:?}");
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
        ("https://localhost/", "", "which needs TLS, and this program speaks none"),
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
    let line = format!("unhealthy: redirected to http://127.0.0.1:{port}/: connection refused at 127.0.0.1:{port}*(*s)");
    said(&["-L"], &service.server.url("/"), &line);
}

fn redirects_to_another_port_carry_no_credentials() {
    let second = Server::replying(OK);
    let first = redirecting(307, &[("/", &second.url("/next")), ("/same", "/x")]);
    let well = format!("healthy: 200 OK at {} in *s", second.url("/next"));
    for credentials in [["-u", "me:secret"], ["-H", "Authorization: Bearer secret"]] {
        let options = [
            "-L",
            credentials[0],
            credentials[1],
            "-H",
            "Cookie: id=secret",
            "-H",
            "X-Key: secret",
            "-H",
            "X-Forwarded-Proto: https",
        ];
        said(&options, &first.server.url("/"), &well);
        let request = second.requests().pop().expect("a request");
        assert!(request.starts_with("GET /next HTTP/1.1\r\n"), "{request}");
        assert!(
            request.contains(&format!("\r\nhost: 127.0.0.1:{}\r\n", second.port())),
            "{request}"
        );
        // What is harmless goes on, and nothing else.
        assert!(
            request.contains("\r\nx-forwarded-proto: https\r\n"),
            "{request}"
        );
        for private in ["authorization", "cookie", "x-key", "secret"] {
            assert!(!request.contains(private), "{request}");
        }
        let _ = first.asked_for();
        // The same service gets them again.
        said(
            &options,
            &first.server.url("/same"),
            "healthy: 200 OK at /x in *s",
        );
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
    said(&options, &first.server.url("/"), &well);
    let request = second.requests().pop().expect("a request");
    assert!(
        request.contains(&format!("\r\nhost: 127.0.0.1:{}\r\n", second.port())),
        "{request}"
    );
}
