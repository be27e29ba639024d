//! `--kill` and `--wait` in a HEALTHCHECK: what Docker makes of a container whose PID 1 was sent a signal.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use super::{Container, Images, build_on, docker, succeed, trial};
use crate::support::{self, Run, matches};

pub(super) fn trials(images: &Arc<Images>) -> Vec<Trial> {
    vec![
        trial(
            images,
            "docker::kill::an_ill_service_is_restarted",
            |images| {
                an_ill_service_is_restarted(images);
            },
        ),
        trial(
            images,
            "docker::kill::a_hung_service_is_restarted",
            |images| {
                a_hung_service_is_restarted(images);
            },
        ),
        trial(images, "docker::kill::a_slow_start_is_spared", |images| {
            a_slow_start_is_spared(images);
        }),
        trial(images, "docker::kill::who_hears", |images| {
            who_hears(images)
        }),
        trial(
            images,
            "docker::kill::whose_first_process_it_is",
            |images| {
                whose_first_process_it_is(images);
            },
        ),
        trial(
            images,
            "docker::kill::a_starved_check_kills_nobody",
            |images| {
                a_starved_check_kills_nobody(images);
            },
        ),
        trial(
            images,
            "docker::kill::a_throttled_service_is_not_killed",
            a_throttled_service_is_not_killed,
        ),
    ]
}

const ALWAYS: &str = "--network none --restart always";

/// An image with another HEALTHCHECK, and another entrypoint if there is one.
fn image(base: &str, name: &str, check: &str, entrypoint: &str) -> String {
    let list = |line: &str| {
        let words: Vec<String> = line.split(' ').map(|word| format!("{word:?}")).collect();
        format!("[{}]", words.join(", "))
    };
    let mut dockerfile = format!(
        "FROM {base}\nHEALTHCHECK --interval=1s --retries=1 CMD {}\n",
        list(&format!("/healthchecker {check}"))
    );
    if !entrypoint.is_empty() {
        dockerfile += &format!("ENTRYPOINT {}\n", list(entrypoint));
    }
    build_on(base, name, &dockerfile)
}

/// A service that handles TERM is told to end, and Docker starts it afresh.
fn an_ill_service_is_restarted(images: &Images) {
    let check = "-p 6767 -t 500ms --kill TERM --spare 1s";
    let image = image(images.go(), "kill-ill", check, "");
    for privileges in ["", "--read-only --cap-drop ALL --pids-limit 32"] {
        let container = Container::start(&image, &format!("{ALWAYS} {privileges}"));
        container.answers();
        container.get("/testability/healthy/false");
        restarts(&container);
        // It forgets that it was ill, as a restart of a real one does.
        container.becomes(
            "healthy",
            0,
            "healthy: http://localhost:6767/health: 200 OK in * ms\n",
        );
    }
}

/// A service that accepts connections and answers none of its requests, because its database hangs.
fn a_hung_service_is_restarted(images: &Images) {
    let check = "-p 6767 -t 500ms --kill TERM --spare 1s";
    let image = image(images.accounts(), "kill-hung", check, "");
    let container = Container::start(&image, ALWAYS);
    container.answers();
    container.get("/testability/hanging/true");
    restarts(&container);
    let line = "healthy: http://localhost:6767/health: 200 OK in * ms\n";
    container.becomes("healthy", 0, line);
}

/// A check that waits out a short illness, and a PID 1 that is too young to be told that it is ill.
fn a_slow_start_is_spared(images: &Images) {
    let image = image(images.go(), "kill-slow", "--wait 2s --kill TERM", "");
    let container = Container::start(&image, ALWAYS);
    container.answers();
    container.get("/testability/healthy/false");
    let line = "unhealthy: http://localhost:6767/health: status 503, expected 200-299; *attempts in * ms)\n\
        kill: TERM not sent: PID 1 is * ms old, and spared until 60 s (--spare)\n";
    let logged = |line: &str| last_output(&container, |output| matches(line, output));
    logged(line);
    container.get("/testability/healthy/true");
    logged("healthy: http://localhost:6767/health: 200 OK in * ms*\n");
    assert_eq!(restarts_of(&container), 0);
}

/// PID 1 is the checker, which waits for nothing and has no handlers; or an init in front of it.
fn who_hears(images: &Images) {
    const DEAF: &str = "/healthchecker -q --wait 1440m -p 1";
    let image = |name: &str, signal: &str| {
        let check = format!("-p 1 --kill {signal} --spare 0");
        image(images.checker(), name, &check, DEAF)
    };
    let (term, kill) = (image("kill-term", "TERM"), image("kill-kill", "KILL"));

    let deaf = Container::start(&term, ALWAYS);
    let refused = "unhealthy: http://localhost:1/health: connection refused at *\n";
    let line = "kill: TERM not sent: PID 1 has no handler for it, and would not notice: use docker run --init, or exec in the entrypoint\n";
    last_output(&deaf, |output| matches(&format!("{refused}{line}"), output));

    for (image, options) in [
        (&term, "--init"),
        (&kill, "--init"),
        (
            &term,
            "--init --user 65532 --cap-drop ALL --read-only --pids-limit 8",
        ),
        (
            &kill,
            "--init --user 65532 --cap-drop ALL --read-only --pids-limit 8",
        ),
    ] {
        restarts(&Container::start(image, &format!("{ALWAYS} {options}")));
    }

    // Without checks of Docker's own, which would be somebody else to kill.
    let alone = Container::start(&term, "--network none --no-healthcheck");
    let other = exec(&alone, "--user 65532", "-p 1 --kill KILL --spare 0");
    let alone = "kill: KILL not sent: there is no process but PID 1, which KILL cannot reach: *";
    assert!(matches(alone, last_line(&other)), "{other}");
    assert_eq!(restarts_of(&deaf), 0);
}

/// Of a PID namespace that is shared, PID 1 is somebody else. The signal is one that does an init no harm.
fn whose_first_process_it_is(images: &Images) {
    let check = "-p 1 --kill USR1 --spare 0";
    let image = image(images.go(), "kill-whose", check, "");
    let own = Container::start(&image, "--network none --user 0");
    let not_ours = "kill: USR1 not sent: PID 1 is not this container's: it is the host's, or another container's (--pid)";
    let shared = format!("--pid container:{}", own.id);
    for options in ["--pid host", &shared] {
        for user in ["--user 0", "--user 65532", "--user 0 --cap-drop ALL"] {
            let container = Container::start(&image, &format!("--network none {options} {user}"));
            let run = exec(&container, "", check);
            assert_eq!(last_line(run.exits(1)), not_ours, "{options} {user}: {run}");
        }
    }
    // And the other way: the first container's PID 1 is its own, but KILL would reach those that have joined it.
    let _joined = Container::start(&image, &format!("--network none {shared} --user 65532"));
    for user in ["--user 0", "--user 65532"] {
        let run = exec(&own, user, "-p 1 --kill KILL --spare 0");
        let reached = "kill: KILL not sent: process *, which KILL would reach, is not known to be this container's (--pid): use TERM";
        assert!(matches(reached, last_line(run.exits(1))), "{user}: {run}");
    }
    // By hand, as another user than the service: root without CAP_KILL is one, too.
    let theirs =
        "kill: TERM not sent: this check runs as UID 65532, without CAP_KILL, and PID 1 as UID 0";
    let run = exec(&own, "--user 65532", "-p 1 --kill TERM --spare 0");
    assert_eq!(last_line(run.exits(1)), theirs, "{run}");
    let run = exec(&own, "--user 0", "-p 1 --kill TERM --spare 86400");
    let young = "kill: TERM not sent: PID 1 is * ms old, and spared until 86400 s (--spare)";
    assert!(matches(young, last_line(run.exits(1))), "{run}");
    assert!(docker(&["exec", &own.id, "/healthchecker", "-p", "6767"]).is_ok());
}

/// In a container that gets a hundredth of a CPU, a check spends its time waiting for one.
fn a_starved_check_kills_nobody(images: &Images) {
    let image = image(
        images.checker(),
        "kill-starved",
        "-V",
        "/healthchecker -q --wait 1440m -p 1",
    );
    let container = Container::start(&image, "--network none --init --cpus 0.01 --no-healthcheck");
    // So many targets that to ask them takes more CPU than there is.
    let targets = ["http://127.0.0.1:1/"; 500].join(" ");
    let run = exec(
        &container,
        "",
        &format!("-t 20s --kill TERM --spare 0 {targets}"),
    );
    let starved = "kill: TERM not sent: this check itself waited for a CPU for * ms of * ms: the container may be short of CPU, and not ill";
    assert!(matches(starved, last_line(run.exits(1))), "{run}");
}

/// The check sleeps for an answer, while the quota holds up the service, and not the check.
fn a_throttled_service_is_not_killed(images: &Images) {
    let options = "--no-healthcheck --network none --cpus 0.05";
    let container = Container::start(images.go(), options);
    container.answers();
    // The service gets no CPU at all, and somebody else gets the container's.
    succeed(&["kill", "--signal", "STOP", &container.id]);
    let burn = ["exec", "-d", &container.id, "/healthchecker", "-q"];
    let targets = ["http://127.0.0.1:1/"; 1000];
    // Two of them, because of their pauses.
    for _ in 0..2 {
        succeed(&[&burn[..], &["--wait", "1440m"], &targets].concat());
    }
    thread::sleep(Duration::from_secs(1));
    let run = exec(&container, "", "-p 6767 -t 3s --kill TERM --spare 0");
    let line = "unhealthy: http://localhost:6767/health: no response within 3 s: *; this container was throttled * % of that time (cpu.*)\n\
        kill: TERM not sent: this container was throttled * % of that time (cpu.*): it may be short of CPU, and not ill\n";
    assert!(matches(line, &run.exits(1).stderr), "{run}");
}

fn exec(container: &Container, options: &str, check: &str) -> Run {
    let mut command = std::process::Command::new("docker");
    command.arg("exec").args(options.split_whitespace());
    command
        .args([&container.id, "/healthchecker"])
        .args(check.split(' '));
    support::run(&mut command)
}

fn last_line(run: &Run) -> &str {
    run.stderr.lines().last().unwrap_or_default()
}

fn restarts_of(container: &Container) -> u32 {
    let count = succeed(&["inspect", "--format", "{{.RestartCount}}", &container.id]);
    count.parse().expect("a number")
}

/// Waits until Docker has started it again.
fn restarts(container: &Container) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while restarts_of(container) == 0 {
        assert!(
            Instant::now() < deadline,
            "never restarted: {:#}",
            container.health()
        );
        thread::sleep(Duration::from_millis(100));
    }
}

/// Waits for an entry of Docker's log that is as wanted.
fn last_output(container: &Container, is_wanted: impl Fn(&str) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let health = container.health();
        let entries = health["Log"].as_array().cloned().unwrap_or_default();
        let last = entries.last().and_then(|entry| entry["Output"].as_str());
        if last.is_some_and(&is_wanted) {
            return;
        }
        assert!(Instant::now() < deadline, "never: {health:#}");
        thread::sleep(Duration::from_millis(100));
    }
}
