//! The example services: what they say of themselves, and how they end.

use crate::support::{Ends, check};
use http::{Reply, Server};
use libtest_mimic::Trial;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

#[path = "../../examples/accountservice/http.rs"]
mod http;

pub fn trials() -> Vec<Trial> {
    trials![
        a_service_serves_on_while_it_drains,
        a_service_ends_when_it_has_drained,
        a_gateway_is_live_and_ready_without_its_upstream,
        a_gateway_passes_a_post_on,
        a_bad_version_falls_ill,
        a_hung_database_is_seen_from_outside,
        live_is_answered_while_everything_hangs,
    ]
}

const DRAINING: &str =
    r#"unhealthy: *: status 503, expected 200-299; body: {"status":"DRAINING"} (* ms)"#;

fn a_service_serves_on_while_it_drains() {
    for (name, page) in [("accountservice", "/accounts/10000"), ("gateway", "/ready")] {
        let mut service = Service::start(name, &["--drain", "60m"]);
        service.is(page, 200);
        service.signal(Signal::TERM);
        service.becomes("/ready", DRAINING);
        service.becomes("/health", DRAINING);
        service.is("/live", 200);
        match name {
            "gateway" => service.is("/accounts/10000", 502),
            _ => service.is(page, 200),
        }
        // The second signal ends it at once.
        service.signal(Signal::TERM);
        assert_eq!(service.exit_code(), Some(143), "{name}");
    }
}

fn a_service_ends_when_it_has_drained() {
    for name in ["accountservice", "gateway"] {
        let mut service = Service::start(name, &["--drain", "100ms"]);
        // A client that connects and asks nothing does not hold it up for ever.
        let _idle = TcpStream::connect(service.address).expect("it listens");
        service.signal(Signal::TERM);
        assert_eq!(service.exit_code(), Some(0), "{name}");
        assert!(TcpStream::connect(service.address).is_err(), "{name}");
    }
    let mut service = Service::start("accountservice", &["--drain", "0"]);
    service.signal(Signal::INT);
    assert_eq!(service.exit_code(), Some(0));
}

/// The outage of the upstream is in `/health`, with its name and the cause, and in nothing that restarts or removes.
fn a_gateway_is_live_and_ready_without_its_upstream() {
    let gateway = Service::start("gateway", &["--upstream", "http://127.0.0.1:1"]);
    gateway.is("/live", 200);
    gateway.is("/ready", 200);
    gateway.is("/accounts/10000", 502);
    let line = "unhealthy: *: status 503, expected 200-299; http://127.0.0.1:1/health DOWN: connection refused (* ms)";
    gateway.becomes("/health", line);
}

fn a_gateway_passes_a_post_on() {
    let accounts = Service::start("accountservice", &[]);
    let upstream = format!("http://{}", accounts.address);
    let gateway = Service::start("gateway", &["--upstream", &upstream]);
    let ada = json!({ "id": "10001", "name": "Ada" });
    let post = |path, body| gateway.ask("POST", path, body);
    assert_eq!(
        post("/accounts/10001", r#"{"name":"Ada"}"#),
        (200, ada.clone())
    );
    assert_eq!(gateway.ask("GET", "/accounts/10001", ""), (200, ada));
    assert_eq!(post("/accounts/1", r#"{"name":"Ada"}"#).0, 404);
    assert_eq!(post("/accounts/10001", "Ada").0, 400);
    assert_eq!(gateway.ask("PUT", "/accounts/10001", "").0, 405);
}

fn a_bad_version_falls_ill() {
    let service = Service::start("accountservice", &["--ill-after", "0"]);
    let ill = r#"unhealthy: *: status 503, *; body: {"status":"Database unaccessible"} (* ms)"#;
    service.becomes("/health", ill);
    service.is("/live", 200);
}

/// A restart would cure it, but whoever has something to say is still heard.
fn a_hung_database_is_seen_from_outside() {
    let service = Service::start("accountservice", &[]);
    service.is("/testability/hanging/true", 200);
    let health = format!("http://{}/health", service.address);
    check([&*health, "--timeout", "100ms"]).unhealthy("unhealthy: *: no response within 100 ms: *");
    service.is("/live", 200);
    service.is("/testability/hanging/false", 200);
    service.is("/health", 200);
}

/// As many requests as it has threads for hang, and their clients have gone: no restart is needed for what comes next.
fn live_is_answered_while_everything_hangs() {
    let (resume, hanging) = mpsc::channel::<()>();
    let hanging = std::sync::Mutex::new(hanging);
    let local = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::start(local, move |question| {
        assert_eq!((&*question.path, &question.body), ("/accounts/1", &None));
        let _resumed = hanging.lock().map(|hanging| hanging.recv());
        Reply(200, json!({}))
    });
    let server = server.expect("a port is free");
    let address = server.address();
    let full = (503, json!({ "error": "too many requests at once" }));
    let begun = Instant::now();
    loop {
        let mut client = TcpStream::connect(address).expect("it listens");
        let brief = Some(Duration::from_millis(1));
        client.set_read_timeout(brief).expect("it is not zero");
        write!(client, "GET /accounts/1 HTTP/1.0\r\n\r\n").expect("it is read");
        if client.read(&mut [0]).is_ok_and(|read| read == 1) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "it takes more and more");
    }
    assert_eq!(ask(address, "GET", "/health", ""), full);
    let up = (200, json!({ "status": "UP" }));
    assert_eq!(ask(address, "GET", "/live", ""), up);
    assert_eq!(ask(address, "GET", "/ready", ""), up);
    server.drainer()();
    let draining = (503, json!({ "status": "DRAINING" }));
    assert_eq!(ask(address, "GET", "/ready", ""), draining);
    drop(resume);
    server.closer()();
    server.wait().expect("it ends");
}

const PATIENCE: Duration = Duration::from_secs(20);

/// An example as a process, on a port of its own.
struct Service {
    process: Ends,
    address: SocketAddr,
    /// For its database.
    _directory: tempfile::TempDir,
}

impl Service {
    fn start(name: &str, options: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new(built(name));
        command.current_dir(&directory).args(options);
        command.args(["--listen", "127.0.0.1:0"]);
        let started = command.stdout(Stdio::piped()).spawn();
        let mut process = Ends(started.expect("it was built"));
        let mut line = String::new();
        let output = process.0.stdout.as_mut().expect("it was piped");
        BufReader::new(output)
            .read_line(&mut line)
            .expect("it prints a line");
        let address = line.trim_end().strip_prefix("listening on ");
        let address = address.and_then(|address| address.parse().ok());
        Service {
            process,
            address: address.unwrap_or_else(|| panic!("{name}: {line:?}")),
            _directory: directory,
        }
    }

    fn signal(&self, signal: Signal) {
        let process: &Child = &self.process.0;
        let pid = Pid::from_child(process);
        kill_process(pid, signal).expect("it runs");
    }

    fn exit_code(&mut self) -> Option<i32> {
        self.process.0.wait().expect("it was started").code()
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        ask(self.address, method, path, body)
    }

    #[track_caller]
    fn is(&self, path: &str, status: u16) {
        let answer = self.ask("GET", path, "");
        assert_eq!(answer.0, status, "{path}: {}", answer.1);
    }

    /// Waits for the checker's line on a page.
    #[track_caller]
    fn becomes(&self, path: &str, line: &str) {
        let url = format!("http://{}{path}", self.address);
        let begun = Instant::now();
        loop {
            let run = check([&url]);
            if run.code == Some(1) || begun.elapsed() > PATIENCE {
                run.unhealthy(line);
                return;
            }
        }
    }
}

fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let length = body.len();
    let request = format!("{method} {path} HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("it answers");
    let status = reply.split(' ').nth(1).and_then(|word| word.parse().ok());
    let (_, body) = reply.split_once("\r\n\r\n").expect("a head");
    let status = status.unwrap_or_else(|| panic!("{reply}"));
    (
        status,
        serde_json::from_str(body).unwrap_or_else(|_| panic!("{reply}")),
    )
}

/// Where the example is. Cargo has built it before these tests, unless it was asked for these tests alone.
fn built(name: &str) -> PathBuf {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--example", name]);
    build.args(["--message-format", "json"]);
    crate::build::executable(build.current_dir(env!("CARGO_MANIFEST_DIR")))
}
