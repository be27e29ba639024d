//! What is asked when the command line is right, and what is printed in place of asking.

use super::{parse, targets, words};
use crate::support::{Server, command, matches, run};
use healthchecker::cli::{self, Command};
use libtest_mimic::Trial;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;

pub fn trials() -> Vec<Trial> {
    trials![
        what_is_asked,
        where_the_port_comes_from,
        times,
        help_and_version_only_alone,
        options_of_several_targets,
        quiet_and_verbose,
        huge_arguments
    ]
}

/// A command line, the request line that it makes, the headers that differ from a plain request's, and the body.
#[rustfmt::skip]
const ASKED: &[(&str, &str, &str, &str)] = &[
    ("-p PORT", "GET /health", "", ""),
    ("-p PORT --path ready", "GET /ready", "", ""),
    ("-p PORT --path /a/b?c=d&e", "GET /a/b?c=d&e", "", ""),
    ("-p PORT --path ?x", "GET /?x", "", ""),
    ("-p PORT --path=", "GET /", "", ""),
    ("-p PORT --path //a", "GET //a", "", ""),
    ("-p PORT --path /../a/./%2e%zz", "GET /../a/./%2e%zz", "", ""),
    ("-p PORT --path /größe", "GET /größe", "", ""),
    ("-p PORT --path /a#b", "GET /a", "", ""),
    ("http://localhost:PORT", "GET /", "", ""),
    ("HTTP://LocalHost:PORT/", "GET /", "", ""),
    ("http://localhost:PORT?a=/b", "GET /?a=/b", "", ""),
    ("http://localhost:PORT#f", "GET /", "", ""),
    ("http://localhost:PORT/a?b#c?d", "GET /a?b", "", ""),
    ("http://localhost:PORT/@a:b@c", "GET /@a:b@c", "", ""),
    ("http://0.0.0.0:PORT/", "GET /", "", ""),
    ("http://[::]:PORT/", "GET /", "", ""),
    ("http://127.0.0.1:PORT/", "GET /", "host: 127.0.0.1:PORT", ""),
    ("http://[::ffff:127.0.0.1]:PORT/", "GET /", "host: [::ffff:127.0.0.1]:PORT", ""),
    ("-p PORT -X HEAD", "HEAD /health", "", ""),
    ("-p PORT -X DELETE", "DELETE /health", "", ""),
    ("-p PORT -X OPTIONS", "OPTIONS /health", "", ""),
    ("-p PORT -X PURGE", "PURGE /health", "", ""),
    ("-p PORT -X POST", "POST /health", "content-length: 0", ""),
    ("-p PORT -X PUT", "PUT /health", "content-length: 0", ""),
    ("-p PORT -X PATCH", "PATCH /health", "content-length: 0", ""),
    ("-p PORT -d a=b", "POST /health", "content-length: 3", "a=b"),
    ("-p PORT --data=", "POST /health", "content-length: 0", ""),
    ("-p PORT -d @a", "POST /health", "content-length: 2", "@a"),
    ("-p PORT -d é -X GET", "GET /health", "content-length: 2", "é"),
    ("-p PORT -d x -X DELETE", "DELETE /health", "content-length: 1", "x"),
    ("-p PORT -H X-A:1 -H x-a:_2_", "GET /health", "x-a: 1 | x-a: 2", ""),
    ("-p PORT -H X-A:", "GET /health", "x-a: ", ""),
    ("-p PORT -H X-A:b:c", "GET /health", "x-a: b:c", ""),
    ("-p PORT -H Accept:a/b", "GET /health", "accept: a/b", ""),
    ("-p PORT -H HOST:_example.com", "GET /health", "host: example.com", ""),
    ("-p PORT -H connection:keep-alive", "GET /health", "connection: keep-alive", ""),
    ("-p PORT -d {} -H Content-Type:application/json", "POST /health", "content-type: application/json | content-length: 2", "{}"),
    ("-p PORT -A probe/1_(x)", "GET /health", "user-agent: probe/1 (x)", ""),
    ("-p PORT -H User-Agent:_x", "GET /health", "user-agent: x", ""),
    ("-p PORT -user-agent=", "GET /health", "user-agent: ", ""),
    // The example of RFC 7617, and a password with everything in it.
    ("-p PORT -u Aladdin:open_sesame", "GET /health", "authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", ""),
    ("-p PORT -u me:p$$w$:@}", "GET /health", "authorization: Basic bWU6cCQkdyQ6QH0=", ""),
    ("-p PORT -u :", "GET /health", "authorization: Basic Og==", ""),
    ("http://Aladdin:open%20sesame@localhost:PORT/", "GET /", "authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", ""),
    ("http://me:p@w:x@localhost:PORT/", "GET /", "authorization: Basic bWU6cEB3Ong=", ""),
    ("http://me@localhost:PORT/", "GET /", "authorization: Basic bWU6", ""),
    ("-p PORT -H Authorization:_Bearer_x", "GET /health", "authorization: Bearer x", ""),
];

fn what_is_asked() {
    const AGENT: &str = concat!("user-agent: healthchecker/", env!("CARGO_PKG_VERSION"));
    let server = Server::replying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nUP");
    let put = |text: &str| text.replace("PORT", &server.port().to_string());
    let name = |field: &str| field.split(':').next().map(str::to_owned);
    for &(line, request_line, special, body) in ASKED {
        let special: Vec<&str> = special
            .split(" | ")
            .filter(|field| !field.is_empty())
            .collect();
        let mut fields = vec![
            "accept: */*",
            "accept-encoding: identity",
            "connection: close",
            "host: localhost:PORT",
            AGENT,
        ];
        fields.retain(|plain| special.iter().all(|field| name(field) != name(plain)));
        fields.extend(special);
        fields.sort();
        let expected = format!(
            "{request_line} HTTP/1.1\n{}\n\n{body}",
            put(&fields.join("\n"))
        );

        run(&mut command(words(&put(line)))).exits(0);
        let request = server.requests().pop().expect("a request");
        let (head, body) = request.split_once("\r\n\r\n").expect("a whole head");
        // The order of the headers means nothing.
        let mut lines: Vec<&str> = head.split("\r\n").collect();
        lines[1..].sort();
        assert_eq!(
            format!("{}\n\n{body}", lines.join("\n")),
            expected,
            "{line}"
        );
    }
}

fn where_the_port_comes_from() {
    #[rustfmt::skip]
    const ROWS: &[(&str, Option<&str>, Result<&str, &str>)] = &[
        ("", None, Ok("http://localhost:80/health")),
        ("", Some("8080"), Ok("http://localhost:8080/health")),
        ("", Some(""), Ok("http://localhost:80/health")),
        ("", Some("65535"), Ok("http://localhost:65535/health")),
        ("-p 6767", Some("8080"), Ok("http://localhost:6767/health")),
        ("-p 6767", Some("nonsense"), Ok("http://localhost:6767/health")),
        ("--path x", Some("8080"), Ok("http://localhost:8080/x")),
        ("--host 127.0.0.1", Some("8080"), Ok("http://127.0.0.1:8080/health")),
        ("--host ::1", None, Ok("http://[::1]:80/health")),
        ("--host [::1]", None, Ok("http://[::1]:80/health")),
        ("--unix-socket /x", Some("8080"), Ok("http://localhost:8080/health")),
        ("http://localhost/", Some("8080"), Ok("http://localhost:80/")),
        ("http://localhost/", Some("nonsense"), Ok("http://localhost:80/")),
        ("http://localhost:6767", Some("nonsense"), Ok("http://localhost:6767/")),
        ("http://localhost:6767/x#y", None, Ok("http://localhost:6767/x")),
        ("http://a:b@localhost:6767/x", None, Ok("http://localhost:6767/x")),
        ("tcp://localhost:6767", Some("nonsense"), Ok("tcp://localhost:6767")),
        ("", Some("nonsense"), Err("$PORT: \"nonsense\" is not a port (1-65535)")),
        ("", Some("0"), Err("$PORT: \"0\" is not a port (1-65535)")),
        ("", Some("80 "), Err("$PORT: \"80 \" is not a port (1-65535)")),
        ("", Some("tcp://10.0.0.1:80"), Err("$PORT: \"tcp://10.0.0.1:80\" is not a port (1-65535)")),
        ("", Some("8\r\n0"), Err("$PORT: \"8\\r\\n0\" is not a port (1-65535)")),
        ("", Some("${P}"), Err("$PORT: \"${P}\" is not a port (1-65535)")),
    ];
    for &(line, port, expected) in ROWS {
        let variables: Vec<(&str, &[u8])> = port
            .map(|port| ("PORT", port.as_bytes()))
            .into_iter()
            .collect();
        let named = targets(&words(line), &variables);
        let expected = expected
            .map(|name| vec![name.to_owned()])
            .map_err(str::to_owned);
        assert_eq!(named, expected, "{line:?} with PORT={port:?}");
    }
    let server = Server::replying("HTTP/1.1 200 OK\r\n\r\n");
    let line = format!(
        "healthy: http://localhost:{}/health: 200 OK in * ms",
        server.port()
    );
    run(command::<&str>([]).env("PORT", server.port().to_string())).healthy(&line);
    run(command(["-p", &server.port().to_string()]).env("PORT", "1")).healthy(&line);
    run(command::<&str>([]).env("PORT", OsStr::from_bytes(b"80\xff")))
        .unhealthy("error: $PORT: \"80\\xff\" is not a port (1-65535)");
}

fn times() {
    for (text, millis) in [
        ("3", 3000),
        ("0.5", 500),
        ("500ms", 500),
        ("2s", 2000),
        ("1m", 60_000),
        ("1.5m", 90_000),
        ("86400", 86_400_000),
        ("2h", 7_200_000),
        ("1d", 86_400_000),
    ] {
        let Ok(Command::Check(check, _)) = parse(&["-t", text]) else {
            panic!("{text}")
        };
        assert_eq!(check.timeout.as_millis(), millis, "{text}");
    }
    let Ok(Command::Check(check, _)) = parse::<&str>(&[]) else {
        panic!("no arguments")
    };
    assert_eq!(check.timeout.as_millis(), 5000);
}

fn help_and_version_only_alone() {
    // Of whatever build is tested.
    let version = run(&mut command(["--version"])).exits(0).stdout.clone();
    let form = concat!(
        "healthchecker ",
        env!("CARGO_PKG_VERSION"),
        " (static, *-*)\n"
    );
    assert!(matches(form, &version), "{version}");
    let helps = ["--help", "-h", "-help"].map(|word| (word, cli::help()));
    let versions = ["--version", "-V", "-version"].map(|word| (word, version.clone()));
    for (word, text) in helps.into_iter().chain(versions) {
        // The environment is not looked at.
        let run = run(command([word]).env("PORT", OsStr::from_bytes(b"\xff")));
        assert_eq!(
            (run.exits(0).stdout.as_str(), run.stderr.as_str()),
            (&*text, ""),
            "{word}"
        );
    }
    assert!(cli::help().starts_with("Usage: healthchecker "));
    // pg_isready, redis-cli and mysqladmin take the host with -h: what prints the help instead would be healthy for ever.
    let server = Server::untouched();
    let lines = "-h localhost; -h 127.0.0.1 -p PORT; -p PORT -h localhost; -hlocalhost; -h127.0.0.1; -h=localhost; \
        -help=localhost; --help=localhost; --help localhost; -qh; -hq; -hV; -Vh; -qLvV; -qh=x; -hL=x; -h -h; -h --; \
        --help --version; -V -V; -q --help; --help -q; -L -h; --bogus --help; --help --bogus; -foo -h; -p 1 -p 2 --help; \
        http://localhost:PORT/ -h; -h http://localhost:PORT/; -V http://localhost:PORT/; -q -v ${UNSET} ${ -h; -h -p; \
        -hp80; -version=1; --version=; -h ${UNSET}";
    for line in lines.split("; ") {
        let line = line.replace("PORT", &server.port().to_string());
        let mut command = command(words(&line));
        run(command.env("PORT", server.port().to_string()))
            .unhealthy("error: --*: works only alone: -h is help; the host is --host");
    }
    // Nor is an empty argument nothing.
    run(&mut command(["-h", ""])).unhealthy("error: --help: works only alone: *");
}

/// An option goes to the targets to which it means something, and past the others.
fn options_of_several_targets() {
    let web = Server::replying("HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\":\"UP\"}");
    let redis = Server::new(|connection| {
        // PING comes before the reply, and QUIT after it.
        let _ = connection.read(&mut [0; 64]);
        let _ = connection.write_all(b"+PONG\r\n");
        let _ = connection.read(&mut [0; 64]);
    });
    // It accepts, and says nothing.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let mute = mute.local_addr().expect("its port").port();
    let (url, port) = (web.url("/"), redis.port());
    for (line, code, expected) in [
        (
            "--json status=UP URL redis://localhost:REDIS",
            0,
            "healthy: *200 OK*\nhealthy: redis:*\n",
        ),
        (
            "redis://localhost:REDIS URL -j status=UP -u a:b",
            0,
            "healthy: redis:*\nhealthy: *200 OK*\n",
        ),
        // The JSON is not expected of what is no HTTP.
        (
            "-j status=UP URL tcp://localhost:MUTE",
            0,
            "healthy: *200 OK*\nhealthy: tcp:*\n",
        ),
        (
            "URL file:/ --unix-socket /nonexistent/x",
            1,
            "healthy: file:/: *\nunhealthy: *cannot connect to /nonexistent/x*\n",
        ),
        (
            "--json status=DOWN URL redis://localhost:REDIS",
            1,
            "healthy: redis:*\nunhealthy: *status*DOWN*\n",
        ),
    ] {
        let line = line
            .replace("URL", &url)
            .replace("REDIS", &port.to_string())
            .replace("MUTE", &mute.to_string());
        let run = run(&mut command(words(&line)));
        let said = format!("{}{}", run.exits(code).stdout, run.stderr);
        assert!(matches(expected, &said), "{run}");
    }
}

fn quiet_and_verbose() {
    let server = Server::replying("HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 2\r\n\r\nUP");
    let port = server.port().to_string();
    for (line, code) in [
        ("-q -p PORT", 0),
        ("-q -b nope -p PORT", 1),
        ("-q -p 1", 1),
        ("-q -t1ms tcp://[::1]:1", 1),
    ] {
        let run = run(&mut command(words(&line.replace("PORT", &port))));
        assert_eq!(
            (run.exits(code).stdout.as_str(), run.stderr.as_str()),
            ("", ""),
            "{run}"
        );
    }
    // A mistake in the command line is said all the same: nobody is asked, and nobody would know why.
    run(&mut command(["-q", "--port", "80a"]))
        .unhealthy("error: --port: \"80a\" is not a port (1-65535)");

    let run = run(&mut command(["-v", "-p", &port]));
    assert!(
        matches(
            "healthy: http://localhost:*/health: 200 OK in * ms\n",
            &run.exits(0).stdout
        ),
        "{run}"
    );
    for part in [
        "> GET /health HTTP/1.1\n",
        "> host: localhost:",
        "< HTTP/1.1 200 OK\n",
        "< X-A: b\n",
        "* connected",
    ] {
        assert!(run.stderr.contains(part), "{part} in {run}");
    }
}

fn huge_arguments() {
    let server = Server::replying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nUP");
    let port = server.port().to_string();
    let many = |count: usize, argument: fn(usize) -> String| -> Vec<String> {
        (0..count).map(argument).collect()
    };
    let long = "x".repeat(100_000);
    for (arguments, code) in [
        (vec!["--path".into(), format!("/{}", "x".repeat(60_000))], 0),
        (vec!["--path".into(), format!("/{long}")], 1),
        (vec!["-H".into(), format!("X: {long}")], 0),
        (vec!["-H".into(), format!("{long}: x")], 1),
        (vec!["-A".into(), long.clone()], 0),
        (vec!["-X".into(), long.clone()], 0),
        (vec!["-d".into(), long.clone()], 0),
        (vec!["-b".into(), long.clone()], 1),
        (vec!["--status".into(), vec!["200"; 20_000].join(",")], 0),
        (vec!["--status".into(), vec!["404"; 20_000].join(",")], 1),
        (vec!["-j".into(), vec!["a"; 40_000].join(".")], 1),
        (vec!["--unix-socket".into(), long.clone()], 1),
        (vec![format!("--{long}")], 1),
        (vec![format!("-{long}")], 1),
        (
            vec!["--path".into(), format!("${{{}}}", "N".repeat(50_000))],
            1,
        ),
        (vec!["--host".into(), long.clone()], 1),
        (vec![format!("http://{long}/")], 1),
        (vec![format!("{long}://localhost/")], 1),
        (many(1000, |n| format!("--header=X-{n}: y")), 0),
        // More than the map of headers holds.
        (many(33_000, |n| format!("--header=X-{n}:y")), 1),
        (many(1000, |_| "--body=UP".into()), 0),
        (many(33_000, |_| "--body=UP".into()), 1),
        (
            many(20, |_| format!("http://localhost:1/{}", "x".repeat(200))),
            1,
        ),
        (many(5000, |_| "-L".into()), 0),
    ] {
        let run = run(command(&arguments).env("PORT", &port));
        let brief = format!(
            "{}...: {}{}",
            &arguments[0][..arguments[0].len().min(80)],
            run.stdout,
            run.stderr
        );
        assert_eq!(run.code, Some(code), "{brief}");
        assert!(run.stdout.len() + run.stderr.len() <= 4096, "{brief}");
        assert!(!run.stderr.contains("bug"), "{brief}");
        assert!(
            run.stdout
                .lines()
                .chain(run.stderr.lines())
                .all(|line| line.len() < 512),
            "{brief}"
        );
    }
}
