//! Secrets: judged as they come, never printed, in whatever form a service repeats them.

use crate::http::{OK, after_request, said, send};
use crate::support::{Server, check, deaf_port, read_request};
use libtest_mimic::Trial;
use std::io::Write;
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    trials![
        they_are_judged_as_they_came,
        echoes_in_every_form,
        echoes_in_pieces,
        echoes_elsewhere,
        short_ones_keep_the_body_out,
        headers_are_not_shown,
        credentials_are_never_printed,
        echoes_of_credentials_are_blackened,
    ]
}

fn body(body: &str) -> Server {
    Server::replying(format!("HTTP/1.1 200 OK\r\n\r\n{body}"))
}

/// What is blackened before it is judged changes the verdict.
fn they_are_judged_as_they_came() {
    let token = "Authorization: Bearer t0ps3cret";
    let server = body("your token is t0ps3cret");
    said(
        &["-H", token, "--body-not", "t0ps3cret"],
        &server.url("/"),
        "unhealthy: body contains \"***\"; body: your token is *** (*s)",
    );
    said(
        &["-H", token, "--body", "is t0ps3cret"],
        &server.url("/"),
        "healthy: 200 OK in *s",
    );
    // A head that holds the secret is still a head.
    for value in ["1", "HTTP", "200", "OK", "Connection"] {
        let header = format!("Authorization: {value}");
        let server = Server::replying("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        said(&["-H", &header], &server.url("/"), "healthy: 200 OK in *s");
    }
    let server = body("{\"env\":\"production\"}");
    let header = "Authorization: production";
    said(
        &["-H", header, "--json", "env=production"],
        &server.url("/"),
        "healthy: 200 OK in *s",
    );
    said(
        &["-H", header, "--json", "env=staging"],
        &server.url("/"),
        "unhealthy: JSON env is \"***\", expected \"staging\" (*s)",
    );
    let server = Server::replying("HTTP/1.1 200 OK\r\nX-Token: t0ps3cret\r\n\r\n");
    said(
        &["-H", token, "--expect-header", "X-Token: t0ps3cret"],
        &server.url("/"),
        "healthy: 200 OK in *s",
    );
    said(
        &["-H", token, "--expect-header", "X-Token: other"],
        &server.url("/"),
        "unhealthy: header X-Token is \"***\", expected \"other\" (*s)",
    );
}

fn echoes_in_every_form() {
    // hunter2=/ as a password; the whole is base64 with padding.
    let basic = "Authorization: Basic bWU6aHVudGVyMj0v";
    for (echo, shown) in [
        ("wrong password hunter2=/", "wrong password ***"),
        ("hunter2%3D%2F", "***"),
        (
            r"{\u0022p\u0022:\u0022hunter2\u003d\/\u0022}",
            r"{\\u0022p\\u0022:\\u0022***\\u0022}",
        ),
        ("hunter2&#x3d;/", "***"),
        ("bWU6aHVudGVyMj0v", "***"),
        ("bWU6aHVudGVyMj0_", "***"),
        ("Basic bWU6aHVudGVyMj0v.", "Basic ***."),
    ] {
        let server = Server::replying(format!("HTTP/1.1 401 No\r\n\r\n{echo}"));
        let line = format!("unhealthy: status 401, expected 200-299; body: {shown} (*s)");
        let address = server.url("/").replace("http://", "");
        for options in [&["-u", "me:hunter2=/"][..], &["-H", basic]] {
            said(options, &server.url("/"), &line);
        }
        let line = line.replacen("unhealthy: ", &format!("unhealthy: http://{address}: "), 1);
        check([format!("http://me:hunter2%3d%2f@{address}")]).unhealthy(&line);
    }
    // Without the padding, and with the other alphabet.
    let server = Server::replying(
        "HTTP/1.1 401 No\r\n\r\nno such user YTpiYmJiPw YTpiYmJiPw== YTpiYmJiPw%3D%3d",
    );
    said(
        &["-u", "a:bbbb?"],
        &server.url("/"),
        "unhealthy: status 401, expected 200-299; body: no such user *** *** *** (*s)",
    );
}

/// Split over chunks and segments.
fn echoes_in_pieces() {
    for pieces in [
        ["7\r\nkey hun\r\n", "5\r\nter2!\r\n", "0\r\n\r\n"],
        [
            "3\r\nkey\r\n2\r\n h\r\n1\r\nu\r\n",
            "5\r\nnter2\r\n1\r\n",
            "!\r\n0\r\n\r\n",
        ],
    ] {
        let server = after_request(move |connection| {
            let _ = connection.set_nodelay(true);
            send(
                connection,
                "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n",
            );
            for piece in pieces {
                std::thread::sleep(Duration::from_millis(5));
                send(connection, piece);
            }
        });
        said(
            &["-H", "X-Api-Key: hunter2"],
            &server.url("/"),
            "unhealthy: status 403, expected 200-299; body: key ***! (*s)",
        );
    }
    // One that is cut by the bound of what is read.
    let text = format!("{}hunter2", "x".repeat(506));
    let server = Server::replying(format!("HTTP/1.1 403 No\r\n\r\n{text}"));
    let run = check(["-H", "X-Api-Key: hunter2", &server.url("/")]);
    run.exits(1);
    assert!(!run.stderr.contains("hunte"), "{run}");
}

/// In a head, in a redirect, in what is no HTTP, and in the trace.
fn echoes_elsewhere() {
    for reply in [
        "hunter2 is no HTTP\r\n\r\n",
        "HTTP/1.1 200 OK\r\nhunter2\r\n\r\n",
        "HTTP/1.1 200 hunter2",
        "HTTP/1.1 302 X\r\nLocation: http://example.com/?p=hunter2\r\n\r\n",
        "HTTP/1.1 302 X\r\nLocation: http://example.com/?p=h%75nter2\r\n\r\n",
        "HTTP/1.1 500 hunter2\r\nX-Echo: {\"password\":\"hunter2\"}\r\n\r\nhunter2",
        "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhunter2",
        "HTTP/1.1 200 OK\r\nContent-Encoding: hunter2\r\n\r\n",
    ] {
        let server = Server::replying(reply);
        let url = server.url("/");
        let run = check(["-v", "-L", "-b", "x", "-u", "admin:hunter2", &url]);
        run.exits(1);
        for secret in ["hunter2", "h%75nter2", "admin"] {
            assert!(
                !run.stderr.contains(secret) && run.stdout.is_empty(),
                "{run}"
            );
        }
        assert!(run.stderr.contains("***"), "{run}");
    }
}

/// It could stand anywhere, so nothing of what the service says is shown.
fn short_ones_keep_the_body_out() {
    let server = Server::replying("HTTP/1.1 503 No\r\nX-A: b\r\n\r\nwrong password abc");
    let url = server.url("/");
    for options in [
        &["-u", "me:abc"][..],
        &["-H", "Authorization: Bearer abc"],
        &["-H", "X-Key: abc"],
    ] {
        let run = said(
            options,
            &url,
            "unhealthy: status 503, expected 200-299; body: (not shown: it could repeat a secret) (*s)",
        );
        run.exits(1);
        let forbidden = body("wrong password abc");
        said(
            &[options, &["--body-not", "abc"]].concat(),
            &forbidden.url("/"),
            "unhealthy: body contains (not shown); body: (not shown: *) (*s)",
        );
        let run = check(options.iter().copied().chain(["-v", &url]));
        assert!(
            !run.stderr.contains("abc") && run.stderr.contains("< (not shown)\n"),
            "{run}"
        );
    }
}

fn headers_are_not_shown() {
    let server = Server::replying("HTTP/1.1 200 OK\r\n\r\n");
    let run = check([
        "-v",
        "-H",
        "Cookie: session=0123456789",
        "-H",
        "X-Api-Key: k3yk3yk3y",
        "-H",
        "X-Forwarded-Proto: https",
        &server.url("/"),
    ]);
    run.exits(0);
    for line in [
        "> cookie: (not shown)\n",
        "> x-api-key: (not shown)\n",
        "> x-forwarded-proto: https\n",
    ] {
        assert!(run.stderr.contains(line), "{line}: {run}");
    }
    assert!(
        !run.stderr.contains("0123456789") && !run.stderr.contains("k3yk3yk3y"),
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
