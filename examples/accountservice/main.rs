//! The service of the tutorial: accounts in a database on disk, and `/health`, which reads it.
//!
//! ```text
//! cargo run --release --example accountservice -- --listen 127.0.0.1:6767 --db /tmp/accounts.redb
//! curl http://localhost:6767/accounts/10000
//! curl http://localhost:6767/health
//! curl http://localhost:6767/testability/healthy/false
//! ```
//!
//! It shows what a health check should ask of a service: that it can do its work, and not only that it runs. And it ends as
//! a service should: `program.rs` says how, `http.rs` what `/live`, `/ready` and `/health` are for.

#![allow(clippy::print_stdout, clippy::print_stderr)] // A program's own main may print.

mod program;
mod service;

use program::{Program, Running, time};
use service::Service;
use std::process::ExitCode;

const PROGRAM: Program = Program {
    usage:
        "Usage: accountservice [--listen ADDRESS:PORT] [--db FILE] [--drain TIME] [--ill-after TIME]

  --listen ADDRESS:PORT  where to listen (default: 0.0.0.0:6767)
  --db FILE              the database, created if there is none (default: accounts.redb)
  --drain TIME           how long to serve on after SIGTERM, while /health is 503 (default: 3s)
  --ill-after TIME       for tests: be ill from then on, as a bad version might (default: never)
",
    port: 6767,
    own: &[("db", "accounts.redb"), ("ill-after", "never")],
};

fn main() -> ExitCode {
    PROGRAM.main(|options| {
        let ill_after = match options.own("ill-after") {
            never if never == "never" => None,
            value => Some(time("ill-after", value)?),
        };
        let service = Service::start(options.listen, options.own("db").as_ref())?;
        if let Some(time) = ill_after {
            service.fall_ill_after(time);
        }
        Ok(Running {
            address: service.address(),
            drain: Box::new(service.drainer()),
            close: Box::new(service.closer()),
            wait: Box::new(|| service.wait()),
        })
    })
}
