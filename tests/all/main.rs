//! Tests of the shipped binary, on real sockets and real engines, in one program.
//!
//! `HEALTHCHECKER=/path/to/binary` names another build of it to test. A test that needs something that this machine
//! lacks is reported as ignored, with the reason; with `CI=true` it fails instead.

#[macro_use]
mod support;

mod docker;
mod http;

fn main() -> std::process::ExitCode {
    let arguments = libtest_mimic::Arguments::from_args();
    let trials = [docker::trials(), http::trials()];
    libtest_mimic::run(&arguments, trials.into_iter().flatten().collect()).exit_code()
}
