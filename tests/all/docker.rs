//! The examples in real containers: what Docker says of a service on the checker's word alone.
//!
//! Nothing is mocked and nothing is pulled: where the engine lacks the official image of a toolchain, the builder is
//! made of this machine's own. Everything a run leaves in the engine carries its label, and goes when the run ends.

use std::io::{Read, Seek, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::support::{self, Outcome, Run, Skip, matches, only_if_asked};

// Below this module, because they need the same images.
mod inject;
mod kill;
mod shell;
mod starved;
mod swarm;

/// As most services run.
const USUAL: &str = "--publish 127.0.0.1::6767";
/// As careful people run them: without root, files, privileges, a network, or processes and memory to spare.
const TIGHT_BOX: &str =
    "--read-only --user 65532 --cap-drop ALL --network none --pids-limit 32 --memory 16m";

pub fn trials() -> Vec<Trial> {
    let images = Arc::default();
    let mut trials = vec![
        trial(
            &images,
            "docker::example_falls_ill_and_recovers",
            |images| {
                falls_ill_and_recovers(images.accounts(), USUAL);
            },
        ),
        trial(&images, "docker::example_in_a_tight_box", |images| {
            let options = format!("{TIGHT_BOX} --tmpfs /data:uid=65532");
            falls_ill_and_recovers(images.accounts(), &options);
        }),
        trial(&images, "docker::go_falls_ill_and_recovers", |images| {
            falls_ill_and_recovers(images.go(), USUAL);
        }),
        trial(&images, "docker::go_in_a_tight_box", |images| {
            falls_ill_and_recovers(images.go(), TIGHT_BOX);
        }),
        trial(
            &images,
            "docker::checks_of_a_hung_service_leave_no_process",
            |images| leave_no_process(images.go()),
        ),
        trial(&images, "docker::gateway_says_who_is_ill", |images| {
            gateway_says_who_is_ill(images.accounts(), images.gateway());
        }),
        trial(&images, "docker::example_drains", |images| {
            drains(images.accounts(), "/accounts/10000");
        }),
        trial(&images, "docker::go_drains", |images| {
            drains(images.go(), "/testability/healthy/true");
        }),
    ];
    trials.extend(inject::trials(&images));
    trials.extend(kill::trials(&images));
    trials.extend(shell::trials(&images));
    trials.extend(starved::trials(&images));
    trials.extend(swarm::trials(&images));
    only_if_asked("needs the Docker engine", trials)
}

/// A trial that needs an engine, and shares what is built in it.
fn trial<R: Outcome + 'static>(images: &Arc<Images>, name: &str, body: fn(&Images) -> R) -> Trial {
    let images = Arc::clone(images);
    support::trial(name, move || {
        can_run().and_then(|()| body(&images).result())
    })
}

const HEALTHY: &str = "healthy: http://localhost:6767/health: 200 OK in * ms\n";
const UNHEALTHY: &str = concat!(
    "unhealthy: http://localhost:6767/health: status 503, expected 200-299; ",
    r#"body: {"status":"Database unaccessible"} (* ms)"#,
    "\n"
);

/// starting, healthy, unhealthy and healthy again, with the checker's line in Docker's log each time.
fn falls_ill_and_recovers(image: &str, options: &str) {
    // The first check comes after one interval, so there is time to see the container "starting".
    let options = format!("{options} --health-interval 2s --health-retries 1");
    let container = Container::start(image, &options);
    assert_eq!(container.health()["Status"], "starting");
    turns(&container);
}

/// healthy, unhealthy and healthy again.
fn turns(container: &Container) {
    container.becomes("healthy", 0, HEALTHY);
    container.get("/testability/healthy/false");
    container.becomes("unhealthy", 1, UNHEALTHY);
    container.get("/testability/healthy/true");
    container.becomes("healthy", 0, HEALTHY);
}

/// 200 checks of a service that is stopped: the kernel still accepts for it, and nobody answers.
fn leave_no_process(image: &str) {
    let container = Container::start(image, "--no-healthcheck");
    container.answers();
    succeed(&["kill", "--signal", "STOP", &container.id]);
    let before = container.processes();

    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let line =
                        "unhealthy: http://localhost:6767/health: no response within 200 ms: *";
                    container.check().unhealthy(line);
                }
            });
        }
    });

    assert_eq!(container.processes(), before, "processes and threads");
    let top = succeed(&["top", &container.id, "-o", "pid,args"]);
    assert!(
        top.lines().count() == 2 && top.ends_with(" /service"),
        "{top}"
    );

    // It was hung all that time, and not dead.
    succeed(&["kill", "--signal", "CONT", &container.id]);
    container.answers();
}

/// Two services on a network: the one in front says that the one behind it is ill, and is not restarted for it.
fn gateway_says_who_is_ill(accounts: &str, gateway: &str) {
    const TIMES: &str = "--health-interval 1s --health-retries 1";
    const LIVE: &str = "healthy: http://localhost:8080/live: 200 OK in * ms\n";
    const UNHEALTHY: &str = concat!(
        "unhealthy: http://localhost:8080/health: status 503, expected 200-299; ",
        "http://accounts:6767/health DOWN: status 503: *"
    );
    let network = Network::create();
    let on = format!("--network {} {TIMES}", network.0);
    let accounts = Container::start(accounts, &format!("{on} --network-alias accounts"));
    let gateway = format!("{gateway} --upstream http://accounts:6767");
    let gateway = Container::start(&gateway, &on);
    gateway.becomes("healthy", 0, LIVE);
    let health = ["exec", &gateway.id, "/healthchecker", "--port", "8080"];
    let health = || support::run(Command::new("docker").args(health));
    health().healthy("healthy: http://localhost:8080/health: 200 OK in * ms");
    accounts.get("/testability/healthy/false");
    let is_ill = |container: &Container| container.health()["Status"] == "unhealthy";
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_ill(&accounts) {
        assert!(Instant::now() < deadline, "never unhealthy");
        thread::sleep(Duration::from_millis(100));
    }
    health().unhealthy(UNHEALTHY);
    gateway.becomes("healthy", 0, LIVE);
    accounts.get("/testability/healthy/true");
    accounts.becomes("healthy", 0, "healthy: *\n");
    health().healthy("healthy: http://localhost:8080/health: 200 OK in * ms");
}

/// After SIGTERM, as process 1: still answering, ill in the eyes of whoever sends requests, and gone of itself.
fn drains(image: &str, work: &str) {
    let image = format!("{image} --drain 10s");
    let container = Container::start(&image, &format!("{USUAL} --no-healthcheck"));
    container.answers();
    succeed(&["kill", "--signal", "TERM", &container.id]);
    let deadline = Instant::now() + Duration::from_secs(60);
    while container.check().code == Some(0) {
        assert!(Instant::now() < deadline, "it never drained");
    }
    let draining = r#"unhealthy: *: status 503, *; body: {"status":"DRAINING"} (* ms)"#;
    container.check().unhealthy(draining);
    container.get("/live");
    container.get(work);
    assert_eq!(succeed(&["wait", &container.id]), "0");
}

/// A network on which containers find each other by name, for as long as the value lives.
struct Network(String);

impl Network {
    fn create() -> Self {
        let label = label();
        Network(succeed(&[
            "network",
            "create",
            "--label",
            &label,
            &tag("network"),
        ]))
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = docker(&["network", "rm", &self.0]);
    }
}

/// Whether there is an engine here, and something to build with.
fn can_run() -> Result<(), Skip> {
    docker(&["version"]).map_err(|why| {
        Skip::new(format!(
            "no Docker: {}",
            why.lines().last().unwrap_or_default()
        ))
    })?;
    let official = [RUST, GO].into_iter().all(is_present);
    let debian = ["gcc", "libc6-dev"];
    let own = || {
        run(Command::new("dpkg").arg("--status").args(debian)).is_ok()
            && run(Command::new("go").arg("version")).is_ok()
    };
    if official || own() {
        return Ok(());
    }
    Err(Skip::new(format!(
        "no toolchains: neither {RUST} and {GO}, nor Go and Debian's {debian:?}"
    )))
}

/// The defaults of `ARG BUILDER` in the two Dockerfiles.
const RUST: &str = "rust:1-alpine";
const GO: &str = "golang:alpine";

/// What the tests of one run share, each made when first asked for. The last trial to end removes them all.
#[derive(Default)]
struct Images {
    local_builder: OnceLock<String>,
    checker: OnceLock<String>,
    accounts: OnceLock<String>,
    gateway: OnceLock<String>,
    go: OnceLock<String>,
}

impl Images {
    fn checker(&self) -> &str {
        self.checker
            .get_or_init(|| self.build_example("checker", &["--target", "healthchecker"]))
    }

    fn accounts(&self) -> &str {
        // First, for its layers are the first half of this image.
        self.checker();
        self.accounts
            .get_or_init(|| self.build_example("accounts", &[]))
    }

    /// The other Rust example, built where the first one was.
    fn gateway(&self) -> &str {
        self.gateway.get_or_init(|| {
            // First, for its layers are those of the stage.
            self.accounts();
            let service = self.build_example("service", &["--target", "service"]);
            let checker = format!("HEALTHCHECKER={}", self.checker());
            let service = format!("SERVICE={service}");
            let context = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/gateway");
            let options = ["--build-arg", &checker, "--build-arg", &service, context];
            build("gateway", &self.builder(RUST), &options, Stdio::null())
        })
    }

    fn go(&self) -> &str {
        self.go.get_or_init(|| {
            let checker = format!("HEALTHCHECKER={}", self.checker());
            let context = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/go");
            let options = ["--build-arg", &checker, context];
            build("go", &self.builder(GO), &options, Stdio::null())
        })
    }

    fn build_example(&self, name: &str, options: &[&str]) -> String {
        // The whole repository but for what is built: the older builder sends all of a directory, needed or not.
        let mut tar = Command::new("tar")
            .args("-c --exclude=./target --exclude=./.git .".split(' '))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("tar runs");
        let context = tar.stdout.take().expect("it was piped");
        let options = [options, &["--file", "Dockerfile.example", "-"]].concat();
        let tag = build(name, &self.builder(RUST), &options, context.into());
        assert!(tar.wait().expect("tar was started").success());
        tag
    }

    /// The official image of a toolchain if the engine has it, else one with the toolchains of this machine.
    fn builder(&self, official: &str) -> String {
        let local = || {
            let tag = tag("builder");
            let pack = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/swarm/local-image");
            let label = format!("LABEL {}", label());
            let pack = [pack, &tag, "rust", "--change", &label];
            run(Command::new("bash").args(pack)).unwrap_or_else(|why| panic!("{why}"));
            tag
        };
        if !is_present(official) {
            return self.local_builder.get_or_init(local).clone();
        }
        // Under a label of ours, which all that is built from it inherits.
        let tag = tag(official.split(':').next().unwrap_or(official));
        let label = label();
        let script = format!("echo FROM {official} | docker build --label {label} --tag {tag} -");
        run(Command::new("sh").args(["-c", &script])).unwrap_or_else(|why| panic!("{why}"));
        tag
    }
}

impl Drop for Images {
    fn drop(&mut self) {
        let ours = format!("label={}", label());
        let _ = docker(&["image", "prune", "--all", "--force", "--filter", &ours]);
    }
}

/// Builds with the older builder, even where BuildKit is the default: it accepts less, and the examples are for all.
fn build(name: &str, builder: &str, options: &[&str], stdin: Stdio) -> String {
    let tag = tag(name);
    let builder = format!("BUILDER={builder}");
    let command = &mut Command::new("docker");
    command.env("DOCKER_BUILDKIT", "0").stdin(stdin);
    command.args(["build", "--force-rm", "--label", &label(), "--tag", &tag]);
    command.args(["--build-arg", &builder]).args(options);
    run(command).unwrap_or_else(|why| panic!("{why}"));
    tag
}

/// The same of a Dockerfile that needs no context: on top of images that the engine has.
fn build_on(base: &str, name: &str, dockerfile: &str) -> String {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(dockerfile.as_bytes())
        .expect("it is writable");
    file.rewind().expect("it is a file");
    build(name, base, &["-"], file.into())
}

/// One container, for as long as the value lives.
struct Container {
    id: String,
    /// Where the service is reached from outside, if it is published.
    address: Option<String>,
    /// Where the checker is in it.
    checker: &'static str,
}

impl Container {
    /// `image` can be followed by arguments of its program.
    fn start(image: &str, options: &str) -> Self {
        Self::with(image, &Vec::from_iter(options.split_whitespace()))
    }

    fn with(image: &str, options: &[&str]) -> Self {
        let label = label();
        let image = Vec::from_iter(image.split(' '));
        let id = succeed(&[&["create", "--label", &label], options, &image].concat());
        let mut container = Container::found(id, "/healthchecker");
        succeed(&["start", &container.id]);
        if options.contains(&"--publish") {
            container.address = Some(succeed(&["port", &container.id, "6767"]));
        }
        container
    }

    /// One that somebody else has started.
    fn found(id: String, checker: &'static str) -> Self {
        Container {
            id,
            address: None,
            checker,
        }
    }

    /// Asks the service from outside, or, where no network leads to it, with the one program that is inside.
    fn get(&self, path: &str) {
        let Some(address) = &self.address else {
            let url = format!("http://localhost:6767{path}");
            succeed(&["exec", &self.id, self.checker, &url]);
            return;
        };
        let mut reply = String::new();
        let mut stream = TcpStream::connect(address).expect("the port is published");
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").expect("it accepts a request");
        stream
            .read_to_string(&mut reply)
            .expect("it answers and closes");
        assert_eq!(reply.split(' ').nth(1), Some("200"), "{reply}");
    }

    fn check(&self) -> Run {
        let checker = ["exec", &self.id, self.checker];
        let options = ["--port", "6767", "--timeout", "200ms"];
        support::run(Command::new("docker").args(checker).args(options))
    }

    fn answers(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.check().code != Some(0) {
            assert!(Instant::now() < deadline, "{}", self.check());
        }
    }

    fn health(&self) -> Value {
        health(&self.id)
    }

    /// Waits for a status; the last entry of Docker's log must then be what the checker said, and all of it.
    fn becomes(&self, status: &str, code: i64, line: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let health = loop {
            let health = self.health();
            if health["Status"] == status {
                break health;
            }
            if Instant::now() > deadline {
                // Straight to the terminal: what the service itself had to say.
                let _ = Command::new("docker").args(["logs", &self.id]).status();
                panic!("never {status}: {health:#}");
            }
            thread::sleep(Duration::from_millis(100));
        };
        last_check(&health, code, line);
    }

    /// How many processes and threads the kernel counts in it, zombies too, which `docker top` does not list.
    fn processes(&self) -> String {
        succeed(&["stats", "--no-stream", "--format", "{{.PIDs}}", &self.id])
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = docker(&["rm", "--force", "--volumes", &self.id]);
    }
}

/// What Docker knows of a container's health.
fn health(container: &str) -> Value {
    let json = succeed(&["inspect", "--format", "{{json .State.Health}}", container]);
    serde_json::from_str(&json).expect("docker prints JSON")
}

/// Asserts what the last entry of Docker's log is: the checker's line, and all of it.
fn last_check(health: &Value, code: i64, line: &str) {
    let entry = health["Log"]
        .as_array()
        .and_then(|log| log.last())
        .expect("the status has a reason");
    let output = entry["Output"].as_str().expect("the reason is text");
    assert_eq!(entry["ExitCode"], code, "{entry:#}");
    assert!(
        matches(line, output),
        "expected: {line:?}\nfound: {output:?}"
    );
    // One line, within the 4096 bytes that Docker keeps of it.
    assert!(
        output.lines().count() == 1 && output.len() < 4096,
        "{output:?}"
    );
}

fn label() -> String {
    format!("healthchecker.test={}", std::process::id())
}

pub(crate) fn tag(name: &str) -> String {
    format!("healthchecker-test-{}-{name}", std::process::id())
}

fn is_present(image: &str) -> bool {
    docker(&["image", "inspect", image]).is_ok()
}

pub(crate) fn docker(args: &[&str]) -> Result<String, String> {
    run(Command::new("docker").args(args))
}

pub(crate) fn succeed(args: &[&str]) -> String {
    docker(args).unwrap_or_else(|why| panic!("{why}"))
}

/// What the command printed on stdout, or all that is known of why it failed.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    match output.status.success() {
        true => Ok(stdout.trim().to_owned()),
        false => Err(format!("{command:?}: {}\n{stdout}{stderr}", output.status)),
    }
}
