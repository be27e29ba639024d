//! The program beside a real engine, with a real receiver.
//!
//! The engine is one that the tests start, because they also restart it: it has nothing in common with the one that this
//! machine may have. That needs root, dockerd, and a minute, so it is done only if asked for:
//! `cargo test -- --include-ignored`. What is missing is reported as ignored, with the reason; with CI=true it fails.

mod engine;
mod receiver;
mod watch;

use engine::{Engine, Skip};
use libtest_mimic::{Arguments, Completion, Trial};
use receiver::Receiver;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use watch::Watch;

/// What the containers of these tests run: this program, which is static.
const SERVICE: &str = "service";

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(SERVICE) {
        // As process 1 without a handler, it ignores SIGTERM.
        loop {
            thread::park();
        }
    }
    let mut arguments = Arguments::from_args();
    // They share an engine, which is started once and restarted by some.
    arguments.test_threads = Some(1);
    let engine = Arc::default();
    let beside = |name: &str, test: fn(&mut Engine)| trial(&engine, name, test);
    let mut trials = vec![
        beside("tells_and_heals", tells_and_heals),
        beside("flaps", flaps),
        beside("scaled_and_removed", scaled_and_removed),
        beside("draining_is_not_illness", draining_is_not_illness),
        beside("webhook_fails_or_hangs", webhook_fails_or_hangs),
        beside("engine_restarted", engine_restarted),
        beside("engine_killed", engine_killed),
        beside("engine_restarted_without_its_containers", live_restore),
        beside("in_a_container_of_its_own", in_a_container_of_its_own),
    ];
    trials.push(Trial::test("misuse", || {
        misuse();
        Ok(())
    }));
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Ended here, because nobody drops what a closure that has leaked holds.
    if let Some(Ok(engine)) = engine.get() {
        engine.lock().unwrap_or_else(PoisonError::into_inner).end();
    }
    conclusion.exit_code()
}

type Shared = Arc<OnceLock<Result<Mutex<Engine>, Skip>>>;

fn trial(shared: &Shared, name: &str, test: fn(&mut Engine)) -> Trial {
    let shared = Arc::clone(shared);
    let run = move || {
        match shared.get_or_init(|| Engine::start().map(Mutex::new)) {
            Ok(engine) => {
                let mut engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
                engine.remove_all();
                test(&mut engine);
                Ok(Completion::Completed)
            }
            // In CI everything is there, or CI is broken.
            Err(why) if std::env::var_os("CI").is_some_and(|ci| ci == "true") => {
                Err(format!("cannot be skipped in CI: {why}").into())
            }
            Err(why) => Ok(Completion::ignored_with(why.clone())),
        }
    };
    Trial::ignorable_test(name, run)
        .with_ignored_flag(true)
        .with_kind("needs root and dockerd")
}

/// What must not happen would have happened within this time.
const QUIET: Duration = Duration::from_secs(4);

fn tells_and_heals(engine: &mut Engine) {
    let receiver = Receiver::start();
    let back = engine.run("back", "--no-healthcheck");
    engine.run(
        "front",
        "--label heal=back --label com.docker.compose.service=shop",
    );
    let _watch = Watch::start(engine, &receiver, "--after 1s --pause 1m");
    engine.becomes("front", "healthy");
    let started = engine.started(&back);

    engine.ill("front");
    let id = engine.id("front");
    let expected = format!(
        "front (service shop, container {id} on {}) is unhealthy\n\
        unhealthy: file:/state/front: *\n\
        to be restarted if this lasts for 1 s: back",
        engine.node()
    );
    receiver.receives(&expected);
    engine.until("back was restarted", |engine| {
        engine.started(&back) != started
    });

    // The pause has not passed, so it is restarted once.
    let started = engine.started(&back);
    receiver.hears_nothing(QUIET);
    assert_eq!(engine.started(&back), started);

    engine.well("front");
    receiver.receives("front (*) is healthy again, after * s\nhealthy: file:/state/front*");
    receiver.hears_nothing(QUIET);
    assert_eq!(engine.started(&back), started);
}

fn flaps(engine: &mut Engine) {
    let receiver = Receiver::start();
    let back = engine.run("back", "--no-healthcheck");
    engine.run("front", "--label heal=back");
    let _watch = Watch::start(engine, &receiver, "--after 1m");
    engine.becomes("front", "healthy");
    let started = engine.started(&back);
    for _ in 0..3 {
        engine.ill("front");
        receiver.receives("front (*) is unhealthy\n*");
        engine.well("front");
        receiver.receives("front (*) is healthy again, after *");
    }
    receiver.hears_nothing(QUIET);
    // Each illness was over in time.
    assert_eq!(engine.started(&back), started);
}

fn scaled_and_removed(engine: &mut Engine) {
    let receiver = Receiver::start();
    let replica = "--no-healthcheck --label com.docker.compose.service=back";
    let replicas = ["shop-back-1", "shop-back-2"].map(|name| engine.run(name, replica));
    engine.run("front", "--label heal=back");
    let watch = Watch::start(engine, &receiver, "--after 1s");
    engine.becomes("front", "healthy");
    // One more, after the start.
    let third = engine.run("shop-back-3", replica);
    let all = [&replicas[0], &replicas[1], &third];
    let started = all.map(|id| engine.started(id));
    engine.ill("front");
    receiver.receives("front (*) is unhealthy\n*");
    engine.until("all of back were restarted", |engine| {
        all.iter()
            .zip(&started)
            .all(|(id, before)| engine.started(id) != *before)
    });
    // One after the other.
    let lines = watch.lines();
    let restarts = lines.iter().filter(|line| line.contains(": restart"));
    let verbs: Vec<&str> = restarts
        .filter_map(|line| line.split(": ").nth(1))
        .map(|rest| rest.split(',').next().unwrap_or_default())
        .collect();
    assert_eq!(
        verbs[..4],
        ["restarting", "restarted", "restarting", "restarted"],
        "{lines:?}"
    );
    engine.well("front");
    receiver.receives("front (*) is healthy again, after *");

    // Who is removed while it is ill heals nobody.
    engine.run("side", "--label heal=shop-back-1");
    engine.becomes("side", "healthy");
    let watch = Watch::instead_of(watch, engine, &receiver, "--after 3s");
    let started = engine.started(&third);
    engine.ill("side");
    receiver.receives("side (*) is unhealthy\n*");
    engine.docker("rm --force side");
    receiver.hears_nothing(QUIET + Duration::from_secs(3));
    assert_eq!(engine.started(&third), started);
    assert!(!watch.lines().iter().any(|line| line.contains("restarting")));
}

fn draining_is_not_illness(engine: &mut Engine) {
    let receiver = Receiver::start();
    // It ignores SIGTERM, so it drains for that long.
    engine.run_with_stop("front", "--label heal=front --stop-timeout 4", "TERM");
    let watch = Watch::start(engine, &receiver, "--after 500ms");
    engine.becomes("front", "healthy");
    engine.with_stopping("front", |engine| {
        engine.ill("front");
        engine.becomes("front", "unhealthy");
    });
    receiver.hears_nothing(QUIET);
    assert!(!watch.lines().iter().any(|line| line.contains("restarting")));

    // With its next start, it counts again. Whoever names itself is restarted itself.
    engine.docker("start front");
    let started = engine.started("front");
    receiver.receives("front (*) is unhealthy\n*");
    engine.until("front was restarted", |engine| {
        engine.started("front") != started
    });
    engine.well("front");
    receiver.receives("front (*) is healthy again, after *");
}

fn webhook_fails_or_hangs(engine: &mut Engine) {
    let receiver = Receiver::start();
    let back = engine.run("back", "--no-healthcheck");
    engine.run("front", "--label heal=back");
    let watch = Watch::start(engine, &receiver, "--after 1s --pause 0");
    engine.becomes("front", "healthy");
    receiver.hang();
    let started = engine.started(&back);
    let begun = Instant::now();
    engine.ill("front");
    engine.until("back was restarted", |engine| {
        engine.started(&back) != started
    });
    // Before the webhook has timed out.
    assert!(
        begun.elapsed() < Duration::from_secs(9),
        "{:?}",
        begun.elapsed()
    );
    drop(watch);

    receiver.fail();
    engine.well("front");
    engine.becomes("front", "healthy");
    let watch = Watch::start(engine, &receiver, "--after 1s --pause 0");
    let started = engine.started(&back);
    engine.ill("front");
    engine.until("back was restarted", |engine| {
        engine.started(&back) != started
    });
    watch.says("webhook: status 503; again in * s");
    receiver.work();
    receiver.receives("front (*) is unhealthy\n*");
    let lines = watch.lines().join("\n");
    assert!(!lines.contains("secret"), "{lines}");
}

/// What happens to containers that the engine starts again.
fn engine_restarted(engine: &mut Engine) {
    restarted(engine, "TERM");
}

fn engine_killed(engine: &mut Engine) {
    restarted(engine, "KILL");
}

fn restarted(engine: &mut Engine, signal: &str) {
    let receiver = Receiver::start();
    engine.run("back", "--no-healthcheck --restart always");
    engine.run("front", "--label heal=back --restart always");
    engine.run("side", "--restart always");
    let watch = Watch::start(engine, &receiver, "--after 2s");
    engine.becomes("front", "healthy");
    engine.becomes("side", "healthy");

    // It falls ill while the engine is away.
    engine.restart(signal, |engine| engine.ill("front"));
    watch.says("the engine is lost: *");
    receiver.receives("front (*) is unhealthy\n*");
    watch.says("back: restarted");

    // It recovers while the engine is away.
    engine.restart(signal, |engine| engine.well("front"));
    receiver.receives("front (*) is healthy again, after *");

    // Nothing changes.
    engine.restart(signal, |_| ());
    engine.becomes("side", "healthy");
    receiver.hears_nothing(QUIET);

    // Removed right after the engine is back: neither told, nor healed.
    engine.docker("rm --force front");
    receiver.hears_nothing(QUIET);
}

/// The engine is restarted, and its containers run on. (Docker 20.10 does not check their health any more, until they are
/// started anew.)
fn live_restore(engine: &mut Engine) {
    engine.keep_containers(true);
    engine.restart("TERM", |_| ());
    let receiver = Receiver::start();
    engine.run("front", "");
    let watch = Watch::start(engine, &receiver, "--after 1s");
    engine.becomes("front", "healthy");
    engine.ill("front");
    receiver.receives("front (*) is unhealthy\n*");

    // The same illness is not told twice.
    engine.restart("TERM", |_| ());
    watch.says("the engine is lost: *");
    receiver.hears_nothing(QUIET);
    engine.well("front");
    engine.docker("restart front");
    receiver.receives("front (*) is healthy again, after *");
    receiver.hears_nothing(QUIET);
    drop(watch);
    engine.remove_all();
    engine.keep_containers(false);
    engine.restart("TERM", |_| ());
}

fn in_a_container_of_its_own(engine: &mut Engine) {
    let receiver = Receiver::start();
    engine.run("back", "--no-healthcheck");
    engine.run("front", "--label heal=watch,back");
    engine.becomes("front", "healthy");
    let started = engine.started("back");
    // By name, because a static program in an empty image must resolve one, too.
    let url = receiver.url().replace("127.0.0.1", "localhost");
    engine.run_watch("watch", &format!("--after 1s --webhook {url}"));
    engine.ill("front");
    receiver.receives("front (*) is unhealthy\n*");
    engine.until("back was restarted", |engine| {
        engine.started("back") != started
    });
    let log = engine.docker("logs watch");
    let line = "front: heal=watch: it is the container of this program, which is left alone";
    assert!(log.contains(line), "{log}");
    // As process 1, it has no default action for SIGTERM.
    let begun = Instant::now();
    engine.docker("stop --time 20 watch");
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(
        engine.docker("inspect --format {{.State.ExitCode}} watch"),
        "0"
    );
}

fn misuse() {
    let cases = [
        (
            "--socket /nowhere.sock",
            "error: /nowhere.sock: Socket not found: /nowhere.sock\n",
        ),
        ("--after soon", "error: --after: \"soon\" is not a time\n"),
        (
            "--webhook secret",
            "error: --webhook: this is not an http:// or https:// URL (it is not shown)\n",
        ),
    ];
    for (arguments, message) in cases {
        let (code, stdout, stderr) = watch::fails(arguments);
        assert_eq!(
            (code, stdout.as_str(), stderr.as_str()),
            (Some(1), "", message)
        );
    }
}
