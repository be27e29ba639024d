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

mod program;
mod service;

use program::Program;
use service::Service;
use std::process::ExitCode;

const PROGRAM: Program = Program {
    usage: "Usage: accountservice [--listen ADDRESS:PORT] [--db FILE]

  --listen ADDRESS:PORT  where to listen (default: 0.0.0.0:6767)
  --db FILE              the database, created if there is none (default: accounts.redb)
",
    port: 6767,
    option: "db",
    default: "accounts.redb",
};

fn main() -> ExitCode {
    PROGRAM.main(|options| {
        let service = Service::start(options.listen, options.own.as_ref())?;
        Ok((service.address(), service.stopper(), || service.wait()))
    })
}
