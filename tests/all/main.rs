//! Tests of the shipped binary, on real sockets and real engines, in one program.
//!
//! `HEALTHCHECKER=/path/to/binary` names another build of it to test. A test that needs something that this machine
//! lacks is reported as ignored, with the reason; with `CI=true` it fails instead.

#[macro_use]
mod support;

mod budgets;
mod build;
mod cli;
mod curl;
mod docker;
mod grpc;
mod handshake;
mod hostile;
mod http;
mod http_pieces;
mod http_wire;
mod local;
mod servers;

fn main() -> std::process::ExitCode {
    let arguments = libtest_mimic::Arguments::from_args();
    // The heavy ones last: those before them watch the clock.
    let trials = [
        budgets::trials(),
        build::trials(),
        cli::trials(),
        http::trials(),
        http_pieces::trials(),
        http_wire::trials(),
        curl::trials(),
        handshake::trials(),
        grpc::trials(),
        local::trials(),
        hostile::trials(),
        servers::trials(),
        docker::trials(),
    ];
    libtest_mimic::run(&arguments, trials.into_iter().flatten().collect()).exit_code()
}
