//! The binary as `sh`, `curl` and `wget`: what each name means, what is asked and printed, and what is refused, in words and
//! with nothing sent.

use super::parse;
use crate::support::{
    Run, Server, Skip, checker, command, deaf_port, matches, program, read_request, run, runner,
};
use healthchecker::cli::{self, Command as Parsed};
use libtest_mimic::Trial;
use proptest::prelude::*;
use proptest::sample::select;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    trials![
        the_name_says_who_it_is,
        what_it_asks_and_prints,
        what_is_sent,
        deadlines,
        asking_again,
        what_is_refused,
        options_of_others_say_what_to_write,
        kill_is_planned,
        servers_of_other_protocols,
        it_runs_and_opens_nothing,
        lines_of_all_kinds,
    ]
}

const VARIABLES: [(&str, &str); 8] = [
    ("APP_PORT", "1"),
    ("WORDS", "-f  -s"),
    ("LOOP", "sh -c \"$LOOP\""),
    ("SECRET", "hunter2"),
    ("LONG", LONG),
    ("MANY", MANY),
    (
        "TWO",
        "sh -c 'true; true; true; true; true; true; true; true; true; true; true; true'; true",
    ),
    (
        "TEN",
        "sh -c \"$TWO\"; sh -c \"$TWO\"; sh -c \"$TWO\"; sh -c \"$TWO\"; sh -c \"$TWO\"",
    ),
];

const LONG: &str = match str::from_utf8(&[b'a'; 40_000]) {
    Ok(long) => long,
    Err(_) => "",
};
const TARGETS: [[u8; 2]; 65] = [*b"a "; 65];
const MANY: &str = match str::from_utf8(TARGETS.as_flattened()) {
    Ok(many) => many,
    Err(_) => "",
};

/// The binary under another name.
fn called(name: &str, arguments: &[&str]) -> Run {
    let mut command = Command::new(checker());
    command.arg0(name).args(arguments);
    run(command.env_clear().envs(VARIABLES))
}

fn sh(line: &str) -> Run {
    called("sh", &["-c", line])
}

fn healthy() -> Server {
    Server::replying("HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"status\":\"UP\"}\n")
}

fn the_name_says_who_it_is() {
    let server = healthy();
    let url = server.url("/health");
    let line = format!("curl -f {url} || exit 1");
    let healthy = format!("healthy: {url}: 200 OK in * ms");
    for name in [
        "sh",
        "/bin/sh",
        "ash",
        "bash",
        "/usr/bin/dash",
        "./sh",
        "bin//sh",
    ] {
        called(name, &["-c", &line]).healthy(&healthy);
    }
    for arguments in [
        &["-ec", &*line][..],
        &["-e", "-c", &line],
        &["-lc", &line],
        &["-o", "pipefail", "-c", &line],
        &["-eo", "pipefail", "-c", &line],
    ] {
        called("sh", arguments).healthy(&healthy);
    }
    called("curl", &["-f", &url]).healthy(&healthy);
    called("/usr/bin/curl", &["-fsS", &url, "-o", "/dev/null"]).healthy(&healthy);
    called("wget", &["-q", "--spider", &url]).healthy(&healthy);
    for name in [
        "healthchecker",
        "/healthchecker",
        "x",
        "",
        "csh",
        "curl2",
        "sh/",
        "/",
    ] {
        called(name, &[&url]).healthy(&healthy);
        called(name, &["-c", &line]).healthy(&healthy);
    }
    called("healthchecker", &["--command", &line]).healthy(&healthy);
    for arguments in [
        &[][..],
        &["script.sh"],
        &["-c"],
        &["-i"],
        &["-o", "vi", "-c", &line],
        &["-s", "-c", &line],
    ] {
        called("sh", arguments)
            .unhealthy("error: sh: this sh only checks health, and only as sh -c LINE");
    }
    called("sh", &["-c", &line, "sh"])
        .unhealthy("error: sh: this sh only checks health, and only as sh -c LINE");
    called("curl", &["--version"])
        .unhealthy("error: curl: --version: no such option, or none that a health check can use");
    called("wget", &["--help"])
        .unhealthy("error: wget: --help: no such option, or none that a health check can use");
    let beside = "error: --command: is all of a check, and nothing stands beside it";
    for arguments in [
        &["-c", &*line, "-q"][..],
        &["-t", "5", "-c", &line],
        &["-c", &line, &url],
        &["--command", &line, "--install", "/x"],
    ] {
        called("healthchecker", arguments).unhealthy(beside);
    }
    called("healthchecker", &["-c", &line, "-c", &line]).unhealthy("error: --command: given twice");
}

/// `URL` in a line becomes that of a server, and `HOSTPORT` its host and port.
fn on(server: &Server, line: &str) -> String {
    let url = server.url("");
    line.replace("URL", &url)
        .replace("HOSTPORT", url.trim_start_matches("http://"))
        .replace("PORT", &server.port().to_string())
}

fn what_it_asks_and_prints() {
    for (status, line, expected) in [
        (
            "200 OK",
            "curl -f URL/ || exit 1",
            "healthy: URL/: 200 OK in * ms",
        ),
        (
            "404 x",
            "curl -f URL/ || exit 1",
            "unhealthy: URL/: status 404, expected 200-399; body: {\"status\":\"UP\"}\\n (* ms)",
        ),
        ("404 x", "curl URL/", "healthy: URL/: 404 Not Found in * ms"),
        (
            "302 x",
            "curl -f HOSTPORT",
            "healthy: URL/: 302 Found in * ms",
        ),
        (
            "302 x",
            "wget -q HOSTPORT/a",
            "unhealthy: URL/a: status 302, expected 200-299*",
        ),
        (
            "500 x",
            "wget -qO- URL/ || exit 1",
            "unhealthy: URL/: status 500, expected 200-299; body: * (* ms)",
        ),
        (
            "200 OK",
            "curl -s URL/ | grep -q DOWN",
            "unhealthy: URL/: body lacks \"DOWN\"; body: {\"status\":\"UP\"}\\n (* ms)",
        ),
        (
            "200 OK",
            "! curl -s URL/ | grep -qi up",
            "unhealthy: URL/: body contains \"up\"; body: {\"status\":\"UP\"}\\n (* ms)",
        ),
        (
            "200 OK",
            "wget -qO- URL/ | grep -i '\"STATUS\":\"up\"'",
            "healthy: URL/: 200 OK in * ms",
        ),
        (
            "503 x",
            "test \"$(curl -s -o /dev/null -w '%{http_code}' URL/)\" = 200",
            "unhealthy: URL/: status 503, expected 200; *",
        ),
        (
            "503 x",
            "curl -sv URL/ 2>&1 | grep '200 OK'",
            "unhealthy: URL/: status 503, expected 200; *",
        ),
        (
            "200 OK",
            "wget -S --spider URL/ 2>&1 | grep '200 OK'",
            "healthy: URL/: 200 OK in * ms",
        ),
        (
            "200 OK",
            "[ 200 -eq $(curl -o /dev/null --silent --head --write-out '%{http_code}\\n' URL/) ]",
            "healthy: URL/: 200 OK in * ms",
        ),
        (
            "503 x",
            "curl -sI URL/ | grep '200 OK'",
            "unhealthy: URL/: status 503, expected 200*",
        ),
        (
            "200 OK",
            "healthchecker --port PORT --path / --host 127.0.0.1 || exit 1",
            "healthy: URL/: 200 OK in * ms",
        ),
        (
            "200 OK",
            "/usr/local/bin/healthchecker -b DOWN URL/ || exit 1",
            "unhealthy: URL/: body lacks \"DOWN\"; *",
        ),
        (
            "200 OK",
            "healthchecker -c \"curl $WORDS URL/\"",
            "healthy: URL/: 200 OK in * ms",
        ),
        (
            "200 OK",
            "nc -zv 127.0.0.1 PORT 2>&1 | grep succeeded",
            "healthy: tcp://HOSTPORT: accepts connections in * ms",
        ),
        (
            "200 OK",
            "nc -z 127.0.0.1 PORT",
            "healthy: tcp://HOSTPORT: accepts connections in * ms",
        ),
    ] {
        let server = Server::replying(format!(
            "HTTP/1.1 {status}\r\nContent-Length: 16\r\n\r\n{{\"status\":\"UP\"}}\n"
        ));
        let (run, expected) = (sh(&on(&server, line)), on(&server, expected));
        match expected.starts_with("healthy") {
            true => run.healthy(&expected),
            false => run.unhealthy(&expected),
        };
    }
    // Several are several targets, each with its line.
    let (one, two) = (healthy(), healthy());
    let line = format!(
        "curl -f {} && wget -q --spider {} || exit 1",
        one.url("/a"),
        two.url("/b")
    );
    let run = sh(&line);
    crate::support::lines(
        run.exits(0),
        &[&one.url("/a"), &two.url("/b")].map(|url| format!("healthy: {url}: 200 OK in * ms")),
        &[],
    );
}

#[rustfmt::skip]
fn what_is_sent() {
    for (line, first, fields) in [
        ("curl URL/a?b=c", "GET /a?b=c HTTP/1.1", &["user-agent: healthchecker/*"][..]),
        ("curl -I URL/", "HEAD / HTTP/1.1", &[]),
        ("wget --spider URL/", "GET / HTTP/1.1", &[]),
        ("curl -d a=b -d c=d URL/", "POST / HTTP/1.1", &["content-type: application/x-www-form-urlencoded", "content-length: 7", "*a=b&c=d"]),
        ("curl -d '{}' -H 'content-type: application/json' URL/", "POST / HTTP/1.1", &["content-type: application/json", "*{}"]),
        ("curl --json '{}' URL/", "POST / HTTP/1.1", &["content-type: application/json", "accept: application/json", "*{}"]),
        ("curl -G -d a=b --data-urlencode 'c=d e/é' URL/x", "GET /x?a=b&c=d%20e%2f%c3%a9 HTTP/1.1", &[]),
        ("curl -G -d a=b URL/x?y", "GET /x?y&a=b HTTP/1.1", &[]),
        ("curl -X PUT --data-raw @x URL/", "PUT / HTTP/1.1", &["*@x"]),
        ("curl -u me:pass URL/", "GET / HTTP/1.1", &["authorization: Basic bWU6cGFzcw=="]),
        ("curl --oauth2-bearer abcd URL/", "GET / HTTP/1.1", &["authorization: Bearer abcd"]),
        ("curl -A me -e http://here/ -b 'a=b; c=d' -r 0-9 -H 'X-A: b' URL/", "GET / HTTP/1.1", &["user-agent: me", "referer: http://here/", "cookie: a=b; c=d", "range: bytes=0-9", "x-a: b"]),
        ("curl -H 'Host: there' URL/", "GET / HTTP/1.1", &["host: there"]),
        ("wget -U me --header 'X-A: b' --referer=http://here/ URL/", "GET / HTTP/1.1", &["user-agent: me", "x-a: b", "referer: http://here/"]),
        ("wget --user=me --password pass URL/", "GET / HTTP/1.1", &["authorization: Basic bWU6cGFzcw=="]),
        ("wget --post-data=a=b URL/", "POST / HTTP/1.1", &["content-type: application/x-www-form-urlencoded", "*a=b"]),
        ("wget --method=DELETE URL/", "DELETE / HTTP/1.1", &[]),
    ] {
        let server = healthy();
        sh(&on(&server, line)).exits(0);
        let request = server.requests().remove(0);
        let mut lines = request.lines();
        assert_eq!(lines.next(), Some(first), "{line}");
        let lines: Vec<&str> = lines.collect();
        for field in fields {
            let there = |sent: &&&str| match sent.split_once(": ") {
                Some((name, value)) => matches(field, &format!("{}: {value}", name.to_ascii_lowercase())),
                None => matches(field, sent),
            };
            assert!(lines.iter().any(|sent| there(&sent)), "{line}: no {field} in {request}");
        }
    }
}

fn deadlines() {
    for line in [
        "curl -f -m 0.3 URL/",
        "curl --max-time 0.3 URL/ || exit 1",
        "curl -s -m0.3 URL/ | grep -q UP",
        "wget -q -T 0.3 -t 1 --spider URL/",
        "wget --quiet --timeout=0.3 --tries=1 -O - URL/ | grep UP",
        "timeout 0.3 curl -f URL/ || exit 1",
        "timeout 0.3s sh -c 'curl -m 9 -f URL/ || exit 1'",
        "timeout -s KILL 0.3 healthchecker URL/",
    ] {
        let server = Server::new(|connection| drop(read_request(connection)));
        let silent = Server::new(|connection| {
            read_request(connection);
            crate::support::wait_for_end(connection);
        });
        let expected = format!(
            "unhealthy: {}: no response within 300 ms: *",
            silent.url("/")
        );
        sh(&on(&silent, line))
            .unhealthy(&expected)
            .within(Duration::from_secs(1));
        // Whoever hangs up is not waited for.
        let closed = sh(&on(&server, line));
        assert!(closed.stderr.contains("connection closed"), "{closed}");
    }
    // A body that stops coming; whoever has the text, or has not asked for the body, does not wait for the rest.
    let stalled = Server::new(|connection| {
        read_request(connection);
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nstatus UP");
        crate::support::wait_for_end(connection);
    });
    let expected = format!(
        "unhealthy: {}: no whole response within 300 ms: *",
        stalled.url("/")
    );
    for line in [
        "curl -f -m 0.3 URL/ || exit 1",
        "curl -fsm 0.3 -o /dev/null URL/",
        "wget -q -T 0.3 -t 1 -O /dev/null URL/",
        "timeout 0.3 curl -f URL/",
    ] {
        sh(&on(&stalled, line)).unhealthy(&expected);
    }
    for line in [
        "curl -fs -m 9 URL/ | grep -q UP",
        "curl -fI -m 9 URL/",
        "wget -q -T 9 --spider URL/",
        "[ \"$(curl -s -m 9 -o /dev/null -w '%{http_code}' URL/)\" = 200 ]",
    ] {
        sh(&on(&stalled, line)).healthy(&format!("healthy: {}: 200 OK in * ms", stalled.url("/")));
    }
    // What one leaves of its time is not the next one's.
    let silent = Server::new(|connection| {
        read_request(connection);
        crate::support::wait_for_end(connection);
    });
    let well = healthy();
    let run = sh(&format!(
        "curl -f -m 0.3 {} && curl -f -m 9 {}",
        silent.url("/"),
        well.url("/")
    ));
    run.exits(1).within(Duration::from_secs(3));
    assert!(run.stderr.contains("no response within 300 ms"), "{run}");
    for (line, timeout, limits, within) in [
        (
            "wget -T 1 localhost && wget -T 2m localhost",
            121.0,
            &[1.0, 120.0][..],
            None,
        ),
        ("curl -m .5 localhost localhost", 1.0, &[0.5, 0.5], None),
        (
            "timeout 5 sh -c 'curl -m 4 localhost && curl -m 9 localhost'",
            5.0,
            &[4.0, 5.0],
            None,
        ),
        (
            "timeout 5 curl -m 2 --retry 9 localhost",
            2.0,
            &[2.0],
            Some(5.0),
        ),
        (
            "timeout 5 curl -m 2 --retry 9 --retry-max-time 3 localhost",
            2.0,
            &[2.0],
            Some(3.0),
        ),
        (
            "timeout 5 healthchecker --wait 60s http://localhost/",
            5.0,
            &[5.0],
            Some(5.0),
        ),
    ] {
        let plan = plan(line);
        let planned: Vec<f64> = plan
            .targets
            .iter()
            .map(|target| target.limit().as_secs_f64())
            .collect();
        let whole = plan.timeout.as_secs_f64();
        let most = plan.attempts.within.map(|time| time.as_secs_f64());
        assert_eq!(
            (whole, &*planned, most),
            (timeout, limits, within),
            "{line}"
        );
    }
    // As long as Docker waits, where nothing is said.
    for line in ["curl localhost", "wget localhost", "curl -m 0 localhost"] {
        match parse(&["-c", line]) {
            Ok(Parsed::Check(plan, _)) => assert_eq!(plan.timeout, Duration::from_secs(30)),
            other => panic!("{line}: {other:?}"),
        }
    }
}

fn asking_again() {
    // Well from the second time on.
    let ill_once = |status: &'static str| {
        let count = std::sync::atomic::AtomicUsize::new(0);
        Server::new(move |connection| {
            read_request(connection);
            let status = match count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => status,
                _ => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            };
            let _ = connection.write_all(status.as_bytes());
        })
    };
    let (ill, gone) = (
        "HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 x\r\n\r\n",
    );
    for (reply, line, code, asked) in [
        (ill, "curl -f --retry 2 --retry-delay 0.05 URL/", 0, 2),
        (ill, "curl -f URL/", 1, 1),
        (ill, "curl -f --retry 0 URL/", 1, 1),
        (gone, "curl -f --retry 2 --retry-delay 0.05 URL/", 1, 1),
        (
            gone,
            "curl -f --retry 2 --retry-delay 0.05 --retry-all-errors URL/",
            0,
            2,
        ),
        ("", "wget -q -t 2 --waitretry=0.05 URL/", 0, 2),
        ("", "wget -q -t 1 URL/", 1, 1),
        (ill, "wget -q -t 3 --waitretry=0.05 URL/", 1, 1),
    ] {
        let server = ill_once(reply);
        let run = sh(&on(&server, line));
        run.exits(code);
        assert_eq!(server.asked(), asked, "{run}");
    }
}

/// What is not understood, or would do what no check may: it is said, and nothing is sent to the server.
#[rustfmt::skip]
const REFUSED: &[(&str, &str)] = &[
    // Other programs.
    ("ls", "this sh only checks health, with curl, wget, healthchecker, nc -z, test -f, redis-cli ping, pg_isready and mysqladmin ping: it cannot run \"ls\""),
    ("/bin/cat /etc/passwd", "this sh only checks health, *: it cannot run \"/bin/cat\""),
    ("if curl -f URL; then exit 0; fi", "*: it cannot run \"if\""),
    ("pgrep nginx || exit 1", "*: it cannot run \"pgrep\""),
    ("sleep 1 && curl -f URL", "*: it cannot run \"sleep\""),
    ("curl -f URL && rm -rf /", "*: it cannot run \"rm\""),
    ("set -e; curl -f URL", "*: it cannot run \"set\""),
    ("P=1; curl -f URL", "*: it cannot run \"P=...\""),
    ("LD_PRELOAD=/x curl -f URL", "*: it cannot run \"LD_PRELOAD=...\""),
    ("eval curl -f URL", "*: it cannot run \"eval\""),
    ("curl -f URL | sh", "sh: only CHECK | grep TEXT is understood of pipes: it cannot run \"sh\""),
    ("curl -s URL | jq -e .status", "sh: only CHECK *: it cannot run \"jq\""),
    ("FOO=/bin/curl URL", "*: it cannot run \"FOO=...\""),
    ("TOKEN=hunter2 curl URL", "*: it cannot run \"TOKEN=...\""),
    ("REDIS_PASSWORD=hunter2 redis-cli ping", "*: it cannot run \"REDIS_PASSWORD=...\""),
    ("'!' curl -s URL | grep -q DOWN", "*: it cannot run \"!\""),
    ("'{' curl -f URL; }", "*: it cannot run \"{\""),
    ("curl -s URL | head -1 | grep 200", "sh: only CHECK | grep TEXT *: it cannot run \"head\""),
    ("curl -s URL | grep UP | wc -l", "sh: only CHECK | grep TEXT *: it cannot run \"wc\""),
    ("curl -s URL | grep a | grep b", "sh: the line has: a second grep: write CHECK | grep TEXT && CHECK | grep TEXT"),
    ("curl -f http://$(hostname):PORT/", "sh: the line has: a $(...), which is understood only as in [ \"$(curl -s -o /dev/null -w '%{http_code}' URL)\" = 200 ]"),
    ("curl -f URL/`id`", "sh: the line has: a $(...), *"),
    ("$(curl URL)", "sh: the line has: a $(...), *"),
    ("\"$SECRET\"", "*: it cannot run \"hunter2\""),
    // Lines that would be healthy for another reason than that all is well, or never.
    ("curl -f URL || true", "sh: the line: would be healthy although a check in it is not: write CHECK && CHECK || exit 1"),
    ("curl -f URL || exit 0", "sh: the line: would be healthy although *"),
    ("curl -f URL || :", "sh: the line: would be healthy although *"),
    ("curl -f URL || echo down", "sh: the line: would be healthy although *"),
    ("curl -f URL || wget URL", "sh: the line: would be healthy although *"),
    ("curl -f URL; curl -f URL", "sh: the line: would be healthy although *"),
    ("curl -f URL; exit 0", "sh: the line: would be healthy although *"),
    ("curl -f URL\nexit 0", "sh: the line: would be healthy although *"),
    ("exit 0; curl -f URL", "sh: the line: would be healthy although *"),
    ("(curl -f URL || exit 1); true", "sh: the line: would be healthy although *"),
    ("curl -f URL && exit 1", "sh: the line: would be unhealthy whatever its checks say"),
    ("curl -f URL; exit 1", "sh: the line: would be unhealthy whatever *"),
    ("curl -f URL; kill 1; exit 1", "sh: the line: would end PID 1 while all is well"),
    ("curl -f URL || kill 1 && exit 1", "sh: the line: would be unhealthy whatever *"),
    ("(curl -f URL || kill 1) && curl -f URL", "sh: the line: would end PID 1 after some failures only"),
    ("! curl -f URL", "sh: the line has: a ! before something else than CHECK | grep: what does not answer would be healthy"),
    ("! { curl -f URL; }", "sh: the line has: a ! before *"),
    ("true", "sh: the line has: no check in it, or more than eight"),
    ("exit 0", "sh: the line has: no check in it, or more than eight"),
    ("true && true && true", "sh: the line has: no check in it, or more than eight"),
    ("curl -f URL & ", "sh: the line has: a & that would leave a command running"),
    ("curl -f URL?a=b&c=d", "sh: the line has: a & that would leave a command running"),
    // What is no line.
    ("", "sh: the line has: no command where one is expected"),
    ("   ", "sh: the line has: no command *"),
    ("# curl -f URL", "sh: the line has: no command *"),
    ("curl -f URL ||", "sh: the line has: no command *"),
    ("|| curl -f URL", "sh: the line has: no command *"),
    ("curl -f URL |", "sh: the line has: no command *"),
    ("{ curl -f URL; )", "sh: the line has: a ( or { without its end"),
    ("curl -f URL | | grep a", "sh: the line has: no command *"),
    ("curl -f URL ;; exit 1", "sh: the line has: no command *"),
    ("(curl -f URL", "sh: the line has: a ( or { without its end"),
    ("{ curl -f URL", "sh: the line has: a ( or { without its end"),
    ("curl -f URL)", "sh: the line has: a ) or } without its beginning"),
    ("()", "sh: the line has: no command *"),
    ("curl -f 'URL", "sh: the line has: a quote without its end"),
    ("curl -f \"URL", "sh: the line has: a \" without its end"),
    ("curl -f URL \\", "sh: the line has: a \\ at its end"),
    ("curl -f URL/${A", "sh: the line has: a ${ without its end"),
    ("curl -f URL/$(A", "sh: the line has: a $( without its end"),
    ("curl -f URL/${}", "sh: the line has: a ${...} without the name of a variable"),
    ("curl -f URL/${A:+b}", "sh: the line has: a ${...} that is neither ${NAME} nor ${NAME:-default}"),
    ("curl -f URL/$1", "sh: the line has: a $ with a digit or a sign, which is nothing here"),
    ("curl -f URL/$((1+1))", "sh: the line has: a $(...), *"),
    ("curl -f URL ~/x", "sh: the line has: a ~, and this sh has no home"),
    ("curl -f URL <<x", "sh: the line has: a <<, which is nothing here"),
    ("curl -f URL >", "sh: the line has: a < or > without a file"),
    ("(((((((((curl -f URL)))))))))", "sh: the line has: too many groups in each other"),
    ("sh -c \"$LOOP\"", "sh: the line has: too many groups in each other"),
    ("${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-x}}}}}}}}}}", "sh: the line has: a default in ${...} with quotes, or too deep in others"),
    // Files.
    ("curl -f URL > /tmp/x", "sh: the line has: a > to a file, and this sh writes none but /dev/null"),
    ("curl -f URL >> /proc/1/fd/1", "sh: the line has: a > to a file, and this sh writes none but /dev/null"),
    ("curl -f URL 2> x", "sh: the line has: a > to a file, and this sh writes none but /dev/null"),
    ("curl -f URL &> x", "sh: the line has: a > to a file, and this sh writes none but /dev/null"),
    ("curl -f URL > 2", "sh: the line has: a > to a file, and this sh writes none but /dev/null"),
    ("curl -f URL < /etc/passwd", "sh: the line has: a < from a file, and this sh reads none"),
    ("echo a > /dev/tcp/127.0.0.1/PORT", "sh: the line has: a connection, which is understood alone and in bash -c: write nc -z HOST PORT"),
    ("</dev/tcp/localhost/PORT", "sh: the line has: a connection, which is understood alone and in bash -c: write nc -z HOST PORT"),
    (": > /dev/tcp/localhost/PORT", "sh: the line has: a connection, which is understood alone and in bash -c: write nc -z HOST PORT"),
    ("exec 3<>/dev/tcp/localhost/PORT", "sh: the line has: a connection, which is understood alone and in bash -c: write nc -z HOST PORT"),
    ("bash -c 'exec 3<>/dev/tcp/localhost/PORT && echo a >&3'", "sh: the line has: a > to a file, *"),
    ("bash -c 'ls > /dev/tcp/localhost/PORT'", "sh: the line has: a connection, which is understood *"),
    ("bash -c 'cat f > /dev/tcp/localhost/PORT'", "sh: the line has: a connection, which is understood *"),
    ("bash -c ': > /dev/tcp/localhost'", "sh: the line has: a connection, which is understood *"),
    ("bash -c ': > /dev/tcp/localhost/PORT | grep a'", "sh: the line has: a pipe that is not CHECK | grep TEXT"),
    ("bash -c 'curl URL | : > /dev/tcp/localhost/PORT'", "sh: *"),
    ("bash -c '[ -f /x ] > /dev/tcp/localhost/PORT'", "sh: the line has: a connection, which is understood *"),
    ("bash -c '(true) > /dev/tcp/localhost/PORT'", "sh: *"),
    ("bash -c ': > /dev/tcp/example.com/PORT'", "*example.com*"),
    ("bash -c 'sh -c \": > /dev/tcp/localhost/PORT\"'", "sh: the line has: a connection, which is understood *"),
    ("(curl -f URL) > x", "sh: the line has: a > to a file, and this sh writes none but /dev/null"),
    ("curl -o x URL", "curl: --output: \"x\" would be written, and nothing but /dev/null is written here"),
    ("curl -sfo x URL", "curl: --output: \"x\" would be written, *"),
    ("curl -ox URL", "curl: --output: \"x\" would be written, *"),
    ("curl -O URL", "curl: --remote-name: would write a file, and nothing is written here"),
    ("curl -D /tmp/h URL", "curl: --dump-header: \"/tmp/h\" would be written, *"),
    ("curl -c jar URL", "curl: --cookie-jar: \"jar\" would be written, *"),
    ("curl -d @/etc/passwd URL", "curl: --data: \"...\" would read a file, and nothing is read here"),
    ("curl --data-binary @x URL", "curl: --data-binary: \"...\" would read a file, *"),
    ("curl --data-urlencode a@x URL", "curl: --data-urlencode: \"...\" would read a file, *"),
    ("curl --json @x URL", "curl: --json: \"...\" would read a file, *"),
    ("curl -H @x URL", "curl: --header: \"...\" would read a file, *"),
    ("curl -b jar URL", "curl: --cookie: \"...\" would read a file, *"),
    ("curl -w @x URL", "curl: --write-out: \"...@x\" would read a file, *"),
    ("curl -K x URL", "curl: --config: would read a file, and nothing is read here"),
    ("curl -T x URL", "curl: --upload-file: would read a file, *"),
    ("curl -F a=@x URL", "curl: --form: would read a file, *"),
    ("curl file:///etc/passwd", "curl: only http:// URLs are asked here"),
    ("wget -O x URL", "wget: --output-document: \"x\" would be written, *"),
    ("wget -qOx URL", "wget: --output-document: \"x\" would be written, *"),
    ("wget --output-document=x URL", "wget: --output-document: \"x\" would be written, *"),
    ("wget -o log URL", "wget: --output-file: \"log\" would be written, *"),
    ("wget -P /tmp URL", "wget: --directory-prefix: would write a file, *"),
    ("wget -i urls URL", "wget: --input-file: would read a file, *"),
    ("wget --post-file=x URL", "wget: --post-file: would read a file, *"),
    ("grep root /etc/passwd", "*: it cannot run \"grep\""),
    ("curl -s URL | grep -f x", "grep: --file: would read a file, *"),
    ("curl -s URL | grep UP x", "grep: \"UP\" takes one text, and reads no file"),
    ("test -d /etc && curl -f URL", "test: only -f FILE, -e FILE and \"$(curl ...)\" = STATUS are understood"),
    ("[ -f /etc/passwd && curl -f URL", "sh: the line has: a [ without its end"),
    ("mysqladmin --defaults-file=x ping", "mysqladmin: --defaults-file: would read a file, *"),
    ("healthchecker --install /tmp/x", "sh: the line has: a healthchecker in it that checks nothing"),
    ("healthchecker --help", "sh: the line has: a healthchecker in it that checks nothing"),
    // Elsewhere.
    ("curl -f http://example.com/", "curl: \"http://example.com/\" names a host, and no name but localhost is looked up; *"),
    ("curl -f http://192.0.2.1/", "curl: \"192.0.2.1\" is not this machine: *"),
    ("curl -f URL http://192.0.2.1/", "curl: \"192.0.2.1\" is not this machine: *"),
    ("curl -f URL && wget -q http://192.0.2.1/", "wget: \"192.0.2.1\" is not this machine: *"),
    ("nc -z 192.0.2.1 80", "nc: \"192.0.2.1\" is not this machine: *"),
    ("nc -z example.com 80", "nc: \"tcp://example.com:80\" names a host, *"),
    ("nc 127.0.0.1 PORT", "nc: only `nc -z HOST PORT` is understood"),
    ("redis-cli -h 192.0.2.1 ping", "redis-cli: \"192.0.2.1\" is not this machine: *"),
    ("curl -x http://proxy:3128 URL", "curl: --proxy: would ask another way than the one to this machine"),
    ("curl --resolve a:80:127.0.0.1 URL", "curl: --resolve: would ask another way *"),
    ("curl --connect-to ::192.0.2.1:80 URL", "curl: --connect-to: would ask another way *"),
    ("curl -f https://localhost/", "curl: \"https://localhost/\" needs TLS, which this program does not speak: *"),
    ("wget -q https://localhost/", "wget: \"https://localhost/\" needs TLS, *"),
    ("curl telnet://127.0.0.1:PORT", "curl: only http:// URLs are asked here"),
    ("curl redis://127.0.0.1:PORT", "curl: only http:// URLs are asked here"),
    // Options.
    ("curl", "curl: needs a URL"),
    ("curl -f", "curl: needs a URL"),
    ("curl -m", "curl: --max-time: needs a value"),
    ("curl -m x URL", "curl: --max-time: \"x\" is not a time *"),
    ("curl --max 5 URL", "curl: --max: no such option, *"),
    ("curl --bogus:hunter2 URL", "curl: --bogus: no such option, *"),
    ("curl --post301 URL", "curl: --post301: no such option, *"),
    ("curl --http0.9 URL", "curl: --http0.9: no such option, *"),
    ("curl --userhunter2 URL", "curl: --user: no such option, *"),
    ("wget -e http_password=hunter2 URL", "wget: --execute: \"...\" is a setting that is not known here"),
    ("wget --user a --password 'hunter2\n' URL", "wget: --user and --password: a colon in the name, or a control character"),
    ("curl -m 1s URL", "curl: --max-time: \"1s\" is no number of seconds"),
    ("curl -m 1d URL", "curl: --max-time: \"1d\" is no number of seconds"),
    ("wget -T 100ms URL", "wget: --timeout: \"100ms\" is no number of seconds"),
    ("curl $LONG$LONG URL", "sh: the line has: variables with more than 64 KiB in all"),
    ("sh -c \"$TEN\"", "sh: the line has: more than 64 commands or targets"),
    ("curl $MANY", "curl: has more than 64 URLs"),
    ("curl -f URL -ß", "curl: -: no such option, *"),
    ("curl --retry x URL", "curl: --retry: \"x\" is no number"),
    ("curl -L --max-redirs 3 URL", "curl: --max-redirs: \"3\" is neither 0 nor at least 5, which is how many are followed here"),
    ("curl -u hunter2 URL", "curl: --user: \"...\" has no colon between user and password"),
    ("curl -H 'X Y: hunter2' URL", "curl: --header: \"...\" has a character that a header name cannot hold"),
    ("curl -H 'Host: a' -H 'Host: b' URL", "curl: --header: \"...\" is a header that can be given once"),
    ("curl 'URL/{a,b}'", "curl: has {} or [] in a URL: write each, or -g"),
    ("curl 'URL/[1-2]'", "curl: has {} or [] in a URL: *"),
    ("curl -f URL?a=[1]", "curl: has {} or [] in a URL: *"),
    ("curl 'URL/a b'", "curl: \"URL/a b\" has a blank or control character in its path: *"),
    ("wget", "wget: needs a URL"),
    ("wget --spider=1 URL", "wget: --spider: takes no value"),
    ("wget -b URL", "wget: -b: no such option, *"),
    ("wget -nc URL", "wget: -n: \"c\" is nothing that a health check can use; -nv is"),
    ("wget http://localhost:/", "wget: \"http://localhost:/\" has a bad port: *"),
    ("curl -s URL | grep", "grep: takes one text, and reads no file"),
    ("curl -s URL | grep -v DOWN", "grep: --invert-match: finds other lines: write ! CHECK | grep TEXT"),
    ("curl -s URL | grep -q $'UP'", "sh: the line has: a $ before a quote, *"),
    ("curl -L -X POST URL", "curl: -X with -L asks everywhere with this method, which is not done here"),
    ("curl -sIL URL | grep -i location", "grep: \"location\" is searched in more than a body, *"),
    ("curl -v -o /dev/null URL 2>&1 | grep Connected", "grep: \"Connected\" is searched in more than a body, *"),
    ("curl -s -w 'in %{time_total}' URL | grep 0.1", "grep: \"0.1\" may be in what -w prints, of which only the status is understood"),
    ("curl -s -w 'status' URL | grep -q stat", "grep: \"stat\" may be in what -w prints, *"),
    ("curl -s -w '%{http_code}' URL | grep 20", "grep: \"20\" may be in what -w prints, *"),
    ("curl -s URL | grep 'a.*b'", "grep: \"a.*b\" has a meaning as a regular expression: only a text is searched, as with grep -F"),
    ("curl -s URL | grep -E 'U+P|OK'", "grep: \"U+P|OK\" has a meaning *"),
    ("curl -s URL | grep -E 'UP|'", "grep: \"UP|\" is not one text in a line"),
    ("curl -s URL | grep -E '((a|b)|c)'", "grep: \"((a|b)|c)\" has a meaning *"),
    ("curl -s URL | grep -E '(a|b)(c|d)'", "grep: \"(a|b)(c|d)\" has a meaning *"),
    ("curl -s URL | grep -E '(a|b)?c'", "grep: \"(a|b)?c\" has a meaning *"),
    ("curl -X HEAD URL", "curl: -X HEAD waits for a body that never comes: write -I"),
    ("curl --max-time=5 URL", "curl: --max-time: takes its value behind a blank, and not behind ="),
    ("curl -f URL '||' exit 1", "curl: has || or > as a word, *"),
    ("curl -s URL | grep -e a -e b", "grep: --regexp: \"b\" is a second text: only one is searched"),
    ("curl -so /dev/null URL | grep UP", "grep: \"UP\" is searched where no body is printed, so it is never found"),
    ("curl -s URL > /dev/null | grep UP", "grep: \"UP\" is searched where no body is printed, *"),
    ("wget URL | grep UP", "grep: \"UP\" is searched where no body is printed, *"),
    ("wget -nv --spider URL 2>&1 | grep 200", "grep: \"200\" is searched where no body is printed, *"),
    ("wget --spider URL | grep UP", "grep: \"UP\" is searched where no body is printed, *"),
    ("[ 500 -lt \"$(curl -s -o /dev/null -w '%{http_code}' URL)\" ]", "[: only -f FILE, *"),
    ("test 400 -lt $(curl -s -o /dev/null -w '%{http_code}' URL)", "test: only -f FILE, *"),
    ("[ \"$(curl -s -o /dev/null -w '%{http_code}' URL)\" = 2xx ]", "test: \"2xx\" is no list of statuses *"),
    ("[ \"$(curl -s -o /dev/null -w '%{http_code}' URL)\" = 200-299 ]", "test: \"200-299\" is no list of statuses *"),
    ("[ \"$(curl -s -o /dev/null -w '%{http_code}' URL)\" = 200,204 ]", "test: \"200,204\" is no list of statuses *"),
    ("[ \"$(curl -s -o /dev/null -w '%{http_code}' URL)\" = 0200 ]", "test: \"0200\" is no list of statuses *"),
    ("[ \"$(curl -s -o /dev/null -w '%{http_code}' URL)\" = +200 ]", "test: \"+200\" is no list of statuses *"),
    ("[ \"$(curl -s -o /dev/null -w '%{http_code} ' URL)\" = 200 ]", "sh: the line has: a $(...), *"),
    ("[ \"$(curl -s -w '%{http_code}' URL)\" = 200 ]", "sh: the line has: a $(...), *"),
    ("[ \"$(curl -s -o /dev/null -o /dev/null -w '%{http_code}' URL URL)\" = 200 ]", "sh: the line has: a $(...), *"),
    ("[ \"$(curl -s -o /dev/null -w '%{http_code}' URL > /dev/null)\" = 200 ]", "sh: the line has: a $(...), *"),
    ("[ \"$(curl -sI -w '%{http_code}' URL)\" = 200 ]", "sh: the line has: a $(...), *"),
    ("[ \"$(curl -s URL)\" = \"\" ]", "sh: the line has: a $(...), *"),
    ("curl -sI -o /dev/null URL | grep 200", "grep: \"200\" is searched where no body is printed, so it is never found"),
    ("curl -s -o /dev/null -i URL | grep 200", "grep: \"200\" is searched where no body is printed, so it is never found"),
    ("curl -sI URL >/dev/null | grep 200", "grep: \"200\" is searched where no body is printed, so it is never found"),
    ("curl -s -D /dev/null -o /dev/null URL | grep 200", "grep: \"200\" is searched where no body is printed, so it is never found"),
    ("curl -v -o /dev/null URL | grep 200", "grep: \"200\" is searched where no body is printed, so it is never found"),
    ("curl -v -o /dev/null URL 2>&1 >/dev/null 2>/dev/null | grep 200", "grep: \"200\" is searched where no body is printed, so it is never found"),
    ("curl -v --stderr /dev/null -o /dev/null URL 2>&1 | grep 200", "grep: \"200\" is searched where no body is printed, so it is never found"),
    ("wget -S --spider URL | grep '200 OK'", "grep: \"200 OK\" is searched where no body is printed, so it is never found"),
    ("wget -S --spider URL 2>/dev/null | grep '200 OK'", "grep: \"200 OK\" is searched where no body is printed, so it is never found"),
    ("wget -S --spider URL >/dev/null 2>&1 | grep '200 OK'", "grep: \"200 OK\" is searched where no body is printed, so it is never found"),
    ("wget -S --spider URL &>/dev/null | grep '200 OK'", "grep: \"200 OK\" is searched where no body is printed, so it is never found"),
    ("wget -S -o /dev/null --spider URL 2>&1 | grep '200 OK'", "grep: \"200 OK\" is searched where no body is printed, so it is never found"),
    ("curl -sI URL | grep '200$'", "grep: \"200$\" has a meaning as a regular expression: *"),
    ("curl -sI URL | grep '^200'", "grep: \"^200\" has a meaning as a regular expression: *"),
    ("curl -sI URL | grep '200 OK$'", "grep: \"200 OK$\" has a meaning as a regular expression: *"),
    ("curl -sI URL | grep '^200 OK'", "grep: \"^200 OK\" has a meaning as a regular expression: *"),
    ("wget -S --spider URL 2>&1 | grep '^HTTP/1.1 200'", "grep: \"^HTTP/1.1 200\" has a meaning as a regular expression: *"),
    ("curl -s -o /dev/null -w '%{http_code}' URL | grep '200 OK'", "grep: \"200 OK\" is searched where no body is printed, so it is never found"),
    ("! curl -si URL | grep -q DOWN", "grep: \"DOWN\" may be in the head or the status as well as in the body"),
    ("! curl -sv URL 2>&1 | grep -q DOWN", "grep: \"DOWN\" may be in the head or the status as well as in the body"),
    ("! curl -s -w '%{http_code}' URL | grep -q DOWN", "grep: \"DOWN\" may be in the head or the status as well as in the body"),
    ("! curl -s URL | grep -q DOWN.", "grep: \"DOWN.\" has a meaning as a regular expression: *"),
    ("curl -s URL | grep -q .", "grep: \".\" has a meaning as a regular expression: *"),
    ("nc -zv 127.0.0.1 PORT | grep succeeded", "grep: \"succeeded\" is searched where no body is printed, so it is never found"),
    ("nc -z 127.0.0.1 PORT 2>&1 | grep succeeded", "grep: \"succeeded\" is searched where no body is printed, so it is never found"),
    ("redis-cli ping > /dev/null | grep PONG", "grep: \"PONG\" is searched where no body is printed, so it is never found"),
    ("test \"$(curl -s URL)\" = UP", "sh: the line has: a $(...), which is understood only as in *"),
    ("[ \"$(curl -s -o /dev/null -w '%{http_code}' URL)\" != 500 ]", "sh: the line has: a $(...), *"),
    ("[ \"$(curl -s -o /dev/null -w '%{http_code}' URL)\" = OK ]", "test: \"OK\" is no list of statuses *"),
    ("timeout x curl URL", "timeout: \"x\" is not a time *"),
    ("timeout 500ms curl URL", "timeout: \"500ms\" is a time in ms, which timeout does not know"),
    ("timeout 5", "sh: the line has: a command missing"),
    ("curl --retry 2 URL && curl URL", "sh: the line has: checks that are not all retried alike: give each the same options for it"),
    ("curl URL && wget -t 2 URL", "sh: the line has: checks that are not all retried alike: *"),
    ("curl --retry 2 URL && curl --retry 2 --retry-all-errors URL", "sh: the line has: checks that are not all retried alike: *"),
    ("exec", "sh: the line has: a command missing"),
    ("curl URL || exit 1 2", "*: it cannot run \"exit\""),
    ("curl URL || kill -9 1", "kill: only `kill [-SIGNAL] 1` is understood, with TERM, *"),
    ("curl URL || kill -TERM -1", "kill: only *"),
    ("curl URL || kill 2", "kill: only *"),
    ("redis-cli flushall", "redis-cli: only `redis-cli ping` is understood, and no password with blanks or quotes"),
    ("redis-cli ping | grep UP", "grep: \"UP\" is not what is printed where all is well"),
    ("mysqladmin shutdown", "mysqladmin: only `mysqladmin ping` is understood"),
    ("pg_isready -d 'host=192.0.2.1'", "pg_isready: takes no operand, and with -d no more than a name"),
    ("curl URL && curl URL && curl URL && curl URL && curl URL && curl URL && curl URL && curl URL && curl URL", "sh: the line has: no check in it, or more than eight"),
];

fn what_is_refused() {
    let server = Server::untouched();
    let mut wrong = String::new();
    for (line, expected) in REFUSED {
        let run = sh(&on(&server, line));
        let expected = format!("error: {}\n", expected.replace("URL/", &server.url("/")));
        let is_secret = run.stderr.contains("hunter2") && !line.contains("$SECRET");
        if run.code != Some(1) || !matches(&expected, &run.stderr) || is_secret {
            wrong += &format!("expected: {expected}{run}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Under our own name, an option of curl or wget says what to write instead.
fn options_of_others_say_what_to_write() {
    for (arguments, expected) in OTHERS {
        let words: Vec<&str> = arguments.split(' ').collect();
        called("healthchecker", &words).unhealthy(&format!("error: {expected}"));
    }
    // As one word of a JSON list.
    for (word, expected) in [
        (
            "--port 8080",
            "--port...: no such option; write two words: \"--port\", \"PORT\"",
        ),
        (
            "-port 8080",
            "-port...: no such option; write two words: \"--port\", \"PORT\"",
        ),
        (
            "--user me:hunter2",
            "--user...: no such option; write two words: \"--user\", \"USER:PASSWORD\"",
        ),
        (
            "--timeout 5s",
            "--timeout...: no such option; write two words: \"--timeout\", \"TIME\"",
        ),
    ] {
        called("healthchecker", &[word]).unhealthy(&format!("error: {expected}"));
    }
}

#[rustfmt::skip]
const OTHERS: &[(&str, &str)] = &[
    ("--fail", "--fail: no such option; it is curl's: leave it out, a status of 400 or more is unhealthy anyway"),
    ("-f", "-f: no such option; it is curl's: leave it out, a status of 400 or more is unhealthy anyway"),
    ("-fsS", "-fsS: no such option; it is curl's: leave it out, a status of 400 or more is unhealthy anyway"),
    ("--silent", "--silent: no such option; it is curl's: leave it out"),
    ("-sS", "-sS: no such option; it is curl's: leave it out"),
    ("-k", "-k: no such option; it is curl's: leave it out"),
    ("--insecure", "--insecure: no such option; it is curl's: leave it out"),
    ("-o /dev/null", "-o: no such option; it is curl's: leave it out"),
    ("-I", "-I: no such option; it is curl's: leave it out, or write --method HEAD"),
    ("-m 5", "-m: no such option; it is curl's: write --timeout TIME"),
    ("--max-time=5", "--max-time: no such option; it is curl's: write --timeout TIME"),
    ("--retry 3", "--retry: no such option; it is curl's: write --wait TIME"),
    ("--cookie a=b", "--cookie: no such option; it is curl's: write --header 'NAME: VALUE'"),
    ("--config x", "--config: no such option; it is curl's: would read a file, and nothing is read here"),
    ("--resolve x", "--resolve: no such option; it is curl's: would ask another way than the one to this machine"),
    ("--url http://localhost/", "--url: no such option; it is curl's: write the URL alone"),
    ("--spider", "--spider: no such option; it is wget's: leave it out, or write --method HEAD"),
    ("--tries=1", "--tries: no such option; it is wget's: write --wait TIME"),
    ("-T 5", "-T: no such option; it is wget's: write --timeout TIME"),
    ("-qO- http://localhost/", "-qO-: no such option; it is wget's: leave it out"),
    ("-nv", "-nv: no such option; it is wget's: leave it out"),
    ("--no-verbose", "--no-verbose: no such option; it is wget's: leave it out"),
    ("--password=hunter2", "--password: no such option; it is wget's: write --user USER:PASSWORD"),
];

fn plan(line: &str) -> cli::Plan {
    match parse(&["-c", line]) {
        Ok(Parsed::Check(plan, _)) => plan,
        other => panic!("{line}: {other:?}"),
    }
}

/// Never run: PID 1 of this machine is none of ours.
fn kill_is_planned() {
    for (line, signal) in [
        ("curl -f localhost || kill 1", "TERM"),
        ("curl -f localhost || kill -TERM 1", "TERM"),
        ("curl -f localhost || kill -s SIGINT 1", "INT"),
        ("curl -f localhost || kill -15 1", "TERM"),
        ("curl -f localhost || kill -2 1", "INT"),
        ("curl -f localhost || (kill 1; exit 1)", "TERM"),
        ("curl -f localhost || { kill -s QUIT 1 && exit 1; }", "QUIT"),
        ("curl -f localhost && curl -f localhost || kill 1", "TERM"),
    ] {
        let kill = plan(line).kill.expect(line);
        assert_eq!(
            (kill.signal.0, kill.spare),
            (signal, Duration::ZERO),
            "{line}"
        );
    }
    assert!(plan("curl -f localhost || exit 1").kill.is_none());
}

#[rustfmt::skip]
fn servers_of_other_protocols() {
    let login = |name: &str| (name == "REDISCLI_AUTH").then(|| "hunter2".into());
    match cli::called(b"sh", vec!["-c".into(), "redis-cli ping".into()], &login) {
        Ok(Parsed::Check(plan, _)) => assert_eq!(plan.targets[0].name(), "tcp://localhost:6379"),
        other => panic!("{other:?}"),
    }
    for (line, target) in [
        ("nc -z localhost 80", "tcp://localhost:80"),
        ("nc -z ::1 80", "tcp://[::1]:80"),
        ("redis-cli ping", "redis://localhost:6379"),
        ("redis-cli -h 127.0.0.1 -p 1 PING", "redis://127.0.0.1:1"),
        ("redis-cli ping | grep PONG", "tcp://localhost:6379"),
        ("redis-cli ping | grep -i pong || exit 1", "tcp://localhost:6379"),
        ("redis-cli -a hunter2 --no-auth-warning ping", "tcp://localhost:6379"),
        ("[ \"$(redis-cli ping)\" = PONG ]", "tcp://localhost:6379"),
        ("redis-cli -e ping", "tcp://localhost:6379"),
        ("REDISCLI_AUTH=hunter2 redis-cli ping | grep PONG", "tcp://localhost:6379"),
        ("valkey-cli ping", "redis://localhost:6379"),
        ("pg_isready", "postgres://localhost:5432"),
        ("pg_isready -U me", "postgres://localhost:5432"),
        ("pg_isready -q -h ::1 -p 1 -U me -d a/b", "postgres://[::1]:1/a%2fb"),
        ("pg_isready -h localhost | grep -q 'accepting connections'", "postgres://localhost:5432"),
        ("pg_isready --host=localhost --username=me --dbname=db -t 3 || exit 1", "postgres://localhost:5432/db"),
        ("pg_isready -h /run/postgresql -U me", "postgres://localhost:5432"),
        ("mysqladmin ping", "mysql://localhost:3306"),
        ("mysqladmin ping -h localhost -u root -phunter2 --silent", "mysql://localhost:3306"),
        ("mysqladmin -uroot --password=hunter2 --host=127.0.0.1 --port=1 ping | grep 'mysqld is alive'", "mysql://127.0.0.1:1"),
        ("mariadb-admin ping --protocol tcp", "mysql://localhost:3306"),
        ("test -f '/tmp/a b?c%d'", "file:/tmp/a%20b%3fc%25d"),
        ("[ -e //tmp/x ]", "file:/tmp/x"),
        ("[[ -f x ]] || exit 1", "file:x"),
    ] {
        let plan = plan(line);
        assert_eq!(plan.targets.len(), 1, "{line}");
        assert_eq!(plan.targets[0].name(), target, "{line}");
        assert!(!format!("{plan:?}").contains("me:hunter2"), "{line}");
    }
    // The variables of the real ones, behind their options.
    let (_taken, port) = deaf_port();
    let port = port.to_string();
    let ask = |line: &str, variables: &[(&str, &str)]| {
        run(command(["-c", line]).envs(variables.iter().copied()))
    };
    let host = ("PGHOST", "127.0.0.1");
    ask("pg_isready", &[host, ("PGPORT", &port)]).unhealthy(&format!(
        "unhealthy: postgres://127.0.0.1:{port}: connection refused at *"
    ));
    ask(&format!("pg_isready -h 127.0.0.1 -p {port}"), &[("PGHOST", "::1"), ("PGPORT", "1")]).unhealthy(&format!(
        "unhealthy: postgres://127.0.0.1:{port}: connection refused at *"
    ));
    ask("mysqladmin ping -h 127.0.0.1", &[("MYSQL_TCP_PORT", &port)]).unhealthy(&format!(
        "unhealthy: mysql://127.0.0.1:{port}: connection refused at *"
    ));
    ask("pg_isready", &[("PGPORT", "x")])
        .unhealthy("error: --command: pg_isready: PGPORT: \"x\" is not a port (1-65535)");
    // PONG is asked for where its text is, or a password is given.
    for (reply, line, code) in [
        ("+PONG\r\n+OK\r\n", "redis-cli -p PORT ping", 0),
        ("+PONG\r\n+OK\r\n", "redis-cli -p PORT ping | grep PONG", 0),
        ("-NOAUTH x\r\n+OK\r\n", "redis-cli -p PORT ping", 0),
        ("-NOAUTH x\r\n+OK\r\n", "redis-cli -p PORT ping | grep PONG", 1),
        ("+OK\r\n+PONG\r\n+OK\r\n", "redis-cli -p PORT -a hunter2 ping", 0),
        ("-WRONGPASS x\r\n-NOAUTH x\r\n+OK\r\n", "redis-cli -p PORT -a hunter2 ping", 1),
    ] {
        let server = Server::new(move |connection| {
            use std::io::Read;
            let _ = connection.read(&mut [0; 100]);
            let _ = connection.write_all(reply.as_bytes());
        });
        sh(&on(&server, line)).exits(code);
    }
}

/// What a line makes the kernel do: one program is run, none is begun, and no file is opened to be written.
fn it_runs_and_opens_nothing() -> Result<(), Skip> {
    let strace = program("strace")?;
    let server = healthy();
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let line = on(
        &server,
        "timeout 5 curl -fsS -o /dev/null URL/ > /dev/null 2>&1 && test -f /etc/passwd && \
         wget -qO- URL/ | grep -q UP && nc -z 127.0.0.1 PORT || (echo ill; exit 1)",
    );
    let mut command = Command::new(strace);
    command
        .args(["-f", "-qq", "-e", "signal=none", "-o"])
        .arg(log.path())
        .arg(checker())
        .args(["-c", &line]);
    let output = command.env_clear().output().expect("strace runs");
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Skip::new(format!("strace cannot trace here: {why}")));
    }
    let calls = fs::read_to_string(log.path()).expect("what strace wrote");
    let of = |name: &str| calls.lines().filter(|call| call.contains(name)).count();
    assert_eq!(of("execve("), 1, "{calls}");
    for none in [
        "fork(", "clone(", "clone3(", "O_WRONLY", "O_RDWR", "O_CREAT", "unlink", "rename",
    ] {
        assert_eq!(of(none), 0, "{none}: {calls}");
    }
    // Its own command line, and one look at whether it is there. An ordinary Rust program looks for its stack as well.
    let opened = of("open") - of("\"/proc/self/maps\"");
    assert_eq!(opened, of("/etc/passwd") - 2, "{calls}");
    Ok(())
}

/// Whatever a line is put together from, it is planned or refused, and a plan is of this machine.
fn lines_of_all_kinds() {
    let piece = select(vec![
        "curl",
        "wget",
        "healthchecker",
        "sh",
        "-c",
        "test",
        "[",
        "]",
        "grep",
        "-f",
        "-q",
        "-O",
        "-",
        "-o",
        "-m",
        "5",
        "localhost",
        "http://localhost/",
        "http://192.0.2.1/",
        "/dev/null",
        "/etc/passwd",
        "-d",
        "@x",
        "|",
        "||",
        "&&",
        ";",
        "&",
        "!",
        "(",
        ")",
        "{",
        "}",
        "<",
        ">",
        ">>",
        "2>&1",
        "&>",
        "\n",
        "'",
        "\"",
        "\\",
        "`",
        "$",
        "$(",
        "${",
        ":-",
        "$?",
        "$APP_PORT",
        "${WORDS}",
        "$LOOP",
        "#",
        "~",
        "exit",
        "1",
        "0",
        "kill",
        "true",
        "false",
        "echo",
        "exec",
        "timeout",
        "=",
        "200",
        "%{http_code}",
        "-w",
        "-s",
        "é",
        "\u{202e}",
        "--retry",
        "3",
        "-L",
        "nc",
        "-z",
        "80",
        "redis-cli",
        "ping",
        "-a",
    ]);
    let lines = prop::collection::vec((piece, select(vec!["", " ", " ", " "])), 0..14);
    runner(20_000)
        .run(&lines, |pieces| {
            let line: String = pieces
                .iter()
                .map(|(word, blank)| format!("{word}{blank}"))
                .collect();
            let parsed = cli::called(
                b"/bin/sh",
                vec!["-c".into(), OsString::from(&line)],
                &|name| {
                    let found = VARIABLES.iter().find(|(known, _)| *known == name);
                    found.map(|(_, value)| value.into())
                },
            );
            match parsed {
                Ok(Parsed::Check(plan, _)) => prop_assert!(!plan.targets.is_empty()),
                Ok(other) => prop_assert!(false, "{other:?}"),
                Err(cli::Usage(said)) => {
                    prop_assert!(
                        !said.contains(|c: char| c.is_control() || c == '\u{202e}'),
                        "{said:?}"
                    );
                }
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
