//! The Go example as a service of a swarm: what Docker does on the checker's word alone.
//!
//! What happened is read from Docker's stream of events, which has no gaps as samples would have.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use libtest_mimic::Trial;

use super::{Images, docker, health, label, last_check, succeed, trial};
use crate::support::Skip;

pub(super) fn trials(images: &Arc<Images>) -> Vec<Trial> {
    vec![trial(
        images,
        "swarm::replaces_updates_and_rolls_back",
        |images| {
            let image = images.go();
            let _swarm = Swarm::enter()?;
            let mut service = Service::create(image);
            replaces_an_ill_task(&mut service);
            updates_without_a_gap(&mut service, image);
            rolls_back_a_bad_update(&mut service);
            Ok(())
        },
    )]
}

fn replaces_an_ill_task(service: &mut Service) {
    let before = service.healthy.clone();
    let ill = before.first().expect("two are healthy");
    let toggle = "http://localhost:6767/testability/healthy/false";
    succeed(&["exec", ill, "/healthchecker", toggle]);
    service.until("replaced the ill task", 1, |service, _| {
        service.healthy.len() == 2 && !service.healthy.contains(ill)
    });

    // The other one was left alone.
    assert_eq!(service.healthy.intersection(&before).count(), 1);
    assert_eq!(service.ill, [ill.as_str()], "{}", service.tasks());
    let line = "unhealthy: http://localhost:6767/health: status 503, expected 200-299; body: *\n";
    last_check(&health(ill), 1, line);
    let running = succeed(&["inspect", "--format", "{{.State.Running}}", ill]);
    assert_eq!(running, "false", "{}", service.tasks());
}

fn updates_without_a_gap(service: &mut Service, image: &str) {
    let before = service.healthy.clone();
    let newer = format!("{image}:2");
    succeed(&["tag", image, &newer]);
    service.update(&format!("--image {newer}"));
    service.until("updated", 2, |_, update| update == "completed");

    assert!(service.healthy.is_disjoint(&before), "{}", service.tasks());
    for task in &service.healthy {
        let image = succeed(&["inspect", "--format", "{{.Config.Image}}", task]);
        assert_eq!(image, newer);
    }
}

/// A version that listens where nobody looks for it.
fn rolls_back_a_bad_update(service: &mut Service) {
    let before = service.healthy.clone();
    service.ill.clear();
    service.update("--args=--port=7777");
    service.until("rolled back", 2, |_, update| update == "rollback_completed");

    assert_eq!(service.healthy, before, "{}", service.tasks());
    let bad = service.ill.first().expect("Docker found it ill");
    let line = concat!(
        "unhealthy: http://localhost:6767/health: connection refused at *",
        "; listening here: *:7777 (* ms)\n"
    );
    last_check(&health(bad), 1, line);
}

/// That this engine is in a swarm, and may run services, for as long as the value lives.
pub(super) struct Swarm;

/// How many tests are in it, and whether it is they who made it.
static IN_SWARM: Mutex<(usize, bool)> = Mutex::new((0, false));

impl Swarm {
    pub(super) fn enter() -> Result<Self, Skip> {
        let mut guard = IN_SWARM.lock().unwrap_or_else(PoisonError::into_inner);
        let (tests, is_ours) = &mut *guard;
        if *tests == 0 && docker(&["node", "ls"]).is_err() {
            let init = ["swarm", "init", "--advertise-addr", "127.0.0.1"];
            docker(&init).map_err(|why| {
                Skip::new(format!(
                    "no swarm: {}",
                    why.lines().last().unwrap_or_default()
                ))
            })?;
            *is_ours = true;
        }
        *tests += 1;
        Ok(Swarm)
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        let mut guard = IN_SWARM.lock().unwrap_or_else(PoisonError::into_inner);
        let (tests, is_ours) = &mut *guard;
        *tests -= 1;
        if *tests == 0 && std::mem::take(is_ours) {
            let _ = docker(&["swarm", "leave", "--force"]);
        }
    }
}

/// A service with two replicas, for as long as the value lives.
struct Service {
    name: String,
    stream: Child,
    events: Receiver<String>,
    /// All events until now.
    seen: Vec<String>,
    /// The containers that are healthy after these, and were not told to stop.
    healthy: BTreeSet<String>,
    /// Those that became unhealthy.
    ill: Vec<String>,
}

impl Service {
    fn create(image: &str) -> Self {
        let name = format!("healthchecker-test-{}", std::process::id());
        let mut stream = events();
        let output = BufReader::new(stream.stdout.take().expect("it was piped"));
        let (sender, events) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut service = Service {
            name,
            stream,
            events,
            seen: Vec::new(),
            healthy: BTreeSet::new(),
            ill: Vec::new(),
        };
        // Two things are for this machine: there is no registry to ask, and a kernel may lack virtual IPs.
        let (name, label) = (&service.name, label());
        let command = format!(
            "service create --detach --no-resolve-image --endpoint-mode dnsrr
            --name {name} --label {label} --container-label {label} --replicas 2
            --health-interval 1s --health-retries 1 --health-start-period 3s --restart-delay 0s
            --update-order start-first --update-parallelism 1 --update-monitor 3s
            --update-failure-action rollback --rollback-monitor 1s {image}"
        );
        succeed(&Vec::from_iter(command.split_whitespace()));
        service.until("started", 0, |service, _| service.healthy.len() == 2);
        service
    }

    fn update(&self, options: &str) {
        let command = format!(
            "service update --detach --no-resolve-image {options} {}",
            self.name
        );
        succeed(&Vec::from_iter(command.split_whitespace()));
    }

    /// Follows the events until it is `done`, which is told the last one's state of an update, if it has one.
    /// At no time may fewer than `least` containers be healthy.
    fn until(&mut self, what: &str, least: usize, done: impl Fn(&Self, &str) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(event) = self.events.recv_timeout(left) else {
                panic!("never {what}:\n{self}");
            };
            let mut words = event.split('|');
            let [action, name, state] = [(); 3].map(|()| words.next().unwrap_or_default());
            if !name.starts_with(&self.name) {
                continue;
            }
            match action {
                "health_status: healthy" => {
                    self.healthy.insert(name.to_owned());
                }
                "health_status: unhealthy" => {
                    self.healthy.remove(name);
                    self.ill.push(name.to_owned());
                }
                "kill" | "die" => {
                    self.healthy.remove(name);
                }
                _ => {}
            }
            let is_done = done(self, state);
            self.seen.push(event);
            assert!(
                self.healthy.len() >= least,
                "fewer than {least} healthy until {what}:\n{self}"
            );
            if is_done {
                return;
            }
        }
    }

    fn tasks(&self) -> String {
        let ps = ["service", "ps", "--no-trunc", &self.name];
        docker(&ps).unwrap_or_else(|why| why)
    }
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n{}", self.seen.join("\n"), self.tasks())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.stream.kill();
        let _ = self.stream.wait();
        let _ = docker(&["service", "rm", &self.name]);
        let service = format!("label=com.docker.swarm.service.name={}", self.name);
        until_gone(&service);
    }
}

/// Docker removes the containers of a service when it has stopped them; until then they hold their image.
pub(super) fn until_gone(filter: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let ps = ["ps", "--all", "--quiet", "--filter", filter];
    while let Ok(left) = docker(&ps)
        && !left.is_empty()
    {
        if Instant::now() > deadline {
            let rm = ["rm", "--force", "--volumes"].into_iter();
            let _ = docker(&Vec::from_iter(rm.chain(left.lines())));
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// The stream of Docker's events: what it does to containers, and how far updates of services are.
fn events() -> Child {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.expect("it is after 1970").as_secs().to_string();
    let format =
        r#"{{.Action}}|{{.Actor.Attributes.name}}|{{index .Actor.Attributes "updatestate.new"}}"#;
    let mut command = Command::new("docker");
    command.args(["events", "--since", &now, "--format", format]);
    for event in ["health_status", "kill", "die", "update"] {
        command.args(["--filter", &format!("event={event}")]);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("docker runs")
}
