//! The service of the tutorial: accounts in a database on disk, and `/health`, which reads it.
//!
//! ```text
//! cargo run --release --example accountservice -- --listen 127.0.0.1:6767 --db /tmp/accounts.redb
//! curl http://localhost:6767/accounts/10000
//! curl http://localhost:6767/health
//! curl http://localhost:6767/testability/healthy/false
//! ```
//!
//! It shows what a health check should ask of a service: that it can do its work, and not only that it runs.

#![allow(clippy::print_stdout, clippy::print_stderr)] // A program's own main may print.

mod service;

use service::Service;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

const USAGE: &str = "Usage: accountservice [--listen ADDRESS:PORT] [--db FILE]

  --listen ADDRESS:PORT  where to listen (default: 0.0.0.0:6767)
  --db FILE              the database, created if there is none (default: accounts.redb)
";

struct Arguments {
    listen: SocketAddr,
    database: PathBuf,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let Some(arguments) = arguments()? else {
        print!("{USAGE}");
        return Ok(());
    };
    // Before anything else: process 1 of a container has no default action, so an early signal would be lost.
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let service = Service::start(arguments.listen, &arguments.database)?;
    println!("listening on {}", service.address());
    let stop = service.stopper();
    thread::spawn(move || {
        signals.forever().next();
        stop();
    });
    Ok(service.wait()?)
}

/// What the command line says, or none if it asks for help.
fn arguments() -> Result<Option<Arguments>, Box<dyn Error>> {
    use lexopt::prelude::*;
    let mut arguments = Arguments {
        listen: SocketAddr::from(([0, 0, 0, 0], 6767)),
        database: "accounts.redb".into(),
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("listen") => {
                let address = parser.value()?.parse();
                arguments.listen = address.map_err(|error| format!("--listen: {error}"))?;
            }
            Long("db") => arguments.database = parser.value()?.into(),
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(arguments))
}
