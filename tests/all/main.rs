//! Tests of the shipped binary, on real sockets and real engines, in one program.
//!
//! `HEALTHCHECKER=/path/to/binary` names another build of it to test. A test that needs something that this machine
//! lacks is reported as ignored, with the reason; with `CI=true` it fails instead. What needs the Docker engine, root or
//! a minute is run only if asked for: `cargo test -- --include-ignored`.

use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;

#[macro_use]
mod support;

mod budgets;
mod build;
mod cli;
mod connect;
mod docker;
mod examples;
mod hostile;
mod http;
mod install;
mod kill;
mod packages;
mod protocol;
mod report;
mod run;
mod servers;

/// Those that lean on a server's reply to come before a short deadline, or on a short wait to be long enough. They run
/// one at a time, and nothing beside them.
const ALONE: &[&str] = &[
    "protocol::grpc::silence_resets_and_endless_frames",
    "connect::a_unix_socket_that_accepts_nobody",
    "run::several_targets_share_the_deadline",
    "protocol::silence_and_drips",
    "protocol::tcp::tcp",
    "http::connection::answers_before_it_has_read_all",
    "http::connection::drips",
    "http::head::endless_interim_responses",
    "connect::full_accept_queue",
    "connect::full_accept_queue_of_a_unix_socket",
    "http::head::heads_without_end",
    "http::connection::never_reads",
    "http::connection::resets_while_sending",
    "http::connection::silence_in_each_phase",
    "http::connection::ends_politely",
    "run::one_deadline_for_all_targets",
    "run::wait::ill_to_the_end",
    "run::wait::hung_to_the_end",
    "run::wait::too_little_time_for_the_last_attempt",
    "run::wait::a_terminal_shows_what_is_waited_for",
    "connect::unix_sockets",
];

/// macOS allows a process 256.
const DESCRIPTORS: i32 = 100;

fn main() -> ExitCode {
    let mut arguments = libtest_mimic::Arguments::from_args();
    if arguments.test_threads.is_none() {
        // More would need more descriptors, and there is not much to win.
        let cores = thread::available_parallelism().map_or(1, usize::from);
        arguments.test_threads = Some(cores.min(4));
    }
    let trials = [
        support::trials(),
        budgets::trials(),
        build::trials(),
        cli::trials(),
        connect::trials(),
        http::trials(),
        protocol::trials(),
        run::trials(),
        report::trials(),
        kill::trials(),
        install::trials(),
        hostile::trials(),
        examples::trials(),
        packages::trials(),
    ];
    let (alone, mut trials): (Vec<_>, Vec<_>) = trials
        .into_iter()
        .flatten()
        .partition(|trial| ALONE.contains(&trial.name()));
    assert_eq!(alone.len(), ALONE.len(), "a name in ALONE is none");
    trials.extend(alone);
    // The heavy ones last, so that nobody has to wait for them.
    trials.extend(servers::trials());
    trials.extend(docker::trials());
    let conclusion = libtest_mimic::run(&arguments, trials);
    if arguments.list {
        return conclusion.exit_code();
    }
    let most = support::most_descriptors();
    let _ = writeln!(io::stderr(), "{most} descriptors were open at once.");
    if most >= DESCRIPTORS {
        let _ = writeln!(
            io::stderr(),
            "error: there must be fewer than {DESCRIPTORS}"
        );
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}
