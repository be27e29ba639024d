//! `--kill`: to whom a signal is sent, and to whom not, and why. PID 1 is a shell in a PID namespace of its own; the real
//! engine is asked in `docker::kill`.

use crate::http::OK;
use crate::support::{Run, Server, Skip, check, checker, lines, program, run};
use libtest_mimic::Trial;
use std::process::Command;

pub fn trials() -> Vec<Trial> {
    trials![
        who_is_healthy_is_not_killed,
        a_host_is_not_killed,
        a_handler_hears,
        nobody_hears,
        the_young_are_spared,
        all_but_the_first,
        a_process_of_another_container,
        the_proc_of_others,
        another_user,
        room_for_the_line,
    ]
}

const REFUSED: &str = "unhealthy: http://127.0.0.1:1/: connection refused at 127.0.0.1:1; *";

/// Runs a script of bash as PID 1 of a PID namespace, with the binary as `$0`.
fn first_process(script: &str) -> Result<Run, Skip> {
    let mut command = Command::new(program("unshare")?);
    command
        .args([
            "--user",
            "--map-root-user",
            "--pid",
            "--fork",
            "--mount-proc",
            "bash",
            "-c",
        ])
        .arg(script)
        .arg(checker());
    command.env_clear().env("PATH", "/usr/bin:/bin");
    let run = run(&mut command);
    match run.stderr.starts_with("unshare: ") {
        true => Err(Skip::new(format!("no namespaces here: {}", run.stderr))),
        false => Ok(run),
    }
}

fn who_is_healthy_is_not_killed() {
    let server = Server::replying(OK);
    let url = server.url("/");
    check(["--kill", "TERM", &url]).healthy(&format!("healthy: {url}: 200 OK in * ms"));
}

/// This test's own machine, or container. In a container whose PID 1 is its own it would be spared for its youth.
fn a_host_is_not_killed() {
    for signal in ["TERM", "KILL"] {
        let run = check(["--kill", signal, "--spare", "86400", "http://127.0.0.1:1/"]);
        let not_sent = format!("kill: {signal} not sent: PID 1 is *");
        lines(run.exits(1), &[], &[REFUSED.into(), not_sent]);
        let run = check([
            "-q",
            "--kill",
            signal,
            "--spare",
            "86400",
            "http://127.0.0.1:1/",
        ]);
        lines(run.exits(1), &[], &[]);
    }
}

fn a_handler_hears() -> Result<(), Skip> {
    for (signal, name) in [("TERM", "TERM"), ("sigusr1", "USR1")] {
        let script = format!(
            "trap 'echo heard; exit 3' {name}; $0 --kill {signal} --spare 0 http://127.0.0.1:1/; echo $?; sleep 10"
        );
        let run = first_process(&script)?;
        // The shell's handler runs when the check is over.
        let sent = format!("kill: {name} sent to PID 1");
        lines(run.exits(3), &["heard".into()], &[REFUSED.into(), sent]);
    }
    Ok(())
}

fn nobody_hears() -> Result<(), Skip> {
    // While the shell starts something it blocks signals, which looks as if it waited for them; soon it sleeps.
    let kill = "(sleep 0.3; exec $0 --kill TERM --spare 0 http://127.0.0.1:1/); echo $?";
    let run = first_process(kill)?;
    let unheard = "kill: TERM not sent: PID 1 has no handler for it, and would not notice: use docker run --init, or exec in the entrypoint";
    lines(
        run.exits(0),
        &["1".into()],
        &[REFUSED.into(), unheard.into()],
    );
    let run = first_process(&format!("trap '' TERM; {kill}"))?;
    let ignored = "kill: TERM not sent: PID 1 ignores it; use another signal";
    lines(
        run.exits(0),
        &["1".into()],
        &[REFUSED.into(), ignored.into()],
    );
    Ok(())
}

fn the_young_are_spared() -> Result<(), Skip> {
    let run = first_process(
        "trap 'exit 3' TERM; sleep 0.2; $0 --kill TERM http://127.0.0.1:1/; echo $?",
    )?;
    let spared = "kill: TERM not sent: PID 1 is * ms old, and spared until 60 s (--spare)";
    lines(
        run.exits(0),
        &["1".into()],
        &[REFUSED.into(), spared.into()],
    );
    // With --wait, it grows older in the meantime.
    let run = first_process(
        "trap 'exit 3' TERM; $0 --wait 500ms --kill TERM --spare 400ms http://127.0.0.1:1/; echo $?",
    )?;
    lines(
        run.exits(3),
        &[],
        &[REFUSED.into(), "kill: TERM sent to PID 1".into()],
    );
    Ok(())
}

/// KILL cannot reach PID 1. Under an init that ends with its child, that is what is wanted.
fn all_but_the_first() -> Result<(), Skip> {
    let run = first_process(
        "sleep 60 & $0 --kill KILL --spare 0 http://127.0.0.1:1/; echo $?; wait $!; echo $?",
    )?;
    let sent = "kill: KILL sent to all that this user may kill, and PID 1 is out of its reach: the container ends only if that is an init (docker run --init)";
    let said: Vec<&str> = run
        .stderr
        .lines()
        .filter(|line| !line.contains("Killed"))
        .collect();
    assert_eq!(said.last(), Some(&sent), "{run}");
    assert_eq!(run.exits(0).stdout, "1\n137\n", "{run}");
    let run = first_process("$0 --kill KILL --spare 0 http://127.0.0.1:1/; echo $?")?;
    let alone = "kill: KILL not sent: there is no process but PID 1, which KILL cannot reach: use TERM, or docker run --init";
    lines(run.exits(0), &["1".into()], &[REFUSED.into(), alone.into()]);
    Ok(())
}

/// What sees other files is of another container, which has joined this one's PID namespace.
fn a_process_of_another_container() -> Result<(), Skip> {
    let run = first_process(
        "exec 3< <(unshare --mount bash -c 'echo; exec sleep 60'); read -u 3; \
         $0 --kill KILL --spare 0 http://127.0.0.1:1/; echo $?; kill -0 $! && echo alive",
    )?;
    let shared = "kill: KILL not sent: process *, which KILL would reach, is not known to be this container's (--pid): use TERM";
    lines(
        run.exits(0),
        &["1".into(), "alive".into()],
        &[REFUSED.into(), shared.into()],
    );
    Ok(())
}

/// A sandbox with PIDs of its own and the /proc from outside: there, /proc/1 is not PID 1.
fn the_proc_of_others() -> Result<(), Skip> {
    for signal in ["TERM", "KILL"] {
        let run = first_process(&format!(
            "trap 'exit 4' TERM; unshare --pid --fork bash -c 'trap \"exit 3\" TERM; \
             $0 --kill {signal} --spare 0 http://127.0.0.1:1/; echo $?' $0; echo $?"
        ))?;
        let other = format!(
            "kill: {signal} not sent: nothing is known of PID 1: /proc is of another PID namespace"
        );
        lines(
            run.exits(0),
            &["1".into(), "0".into()],
            &[REFUSED.into(), other],
        );
    }
    Ok(())
}

/// Needs root, because a user namespace of one's own has no other users.
fn another_user() -> Result<(), Skip> {
    if !rustix::process::geteuid().is_root() {
        return Err(Skip::new("only root can become another user"));
    }
    program("setpriv")?;
    let mut command = Command::new(program("unshare")?);
    let script = "trap 'exit 3' TERM; \
        setpriv --reuid 65532 --clear-groups $0 --kill TERM --spare 0 http://127.0.0.1:1/; echo $?";
    command
        .args(["--pid", "--fork", "--mount-proc", "bash", "-c", script])
        .arg(checker());
    let run = run(&mut command);
    if run.stderr.starts_with("unshare: ") {
        return Err(Skip::new(format!("no namespaces here: {}", run.stderr)));
    }
    // Its namespaces are hidden, and the same cgroup says that it is ours.
    let not_allowed =
        "kill: TERM not sent: this check runs as UID 65532, without CAP_KILL, and PID 1 as UID 0";
    lines(
        run.exits(0),
        &["1".into()],
        &[REFUSED.into(), not_allowed.into()],
    );
    Ok(())
}

/// However much is printed, what was done is said, within what Docker keeps.
fn room_for_the_line() {
    let arguments = ["--kill", "TERM", "--spare", "86400"];
    let targets = vec!["http://127.0.0.1:1/"; 100];
    let run = check(arguments.iter().chain(&targets));
    run.exits(1);
    assert!(run.stderr.len() < 4096, "{run}");
    let last = run.stderr.lines().last().expect("a line");
    assert!(last.starts_with("kill: TERM not sent: "), "{run}");
}
