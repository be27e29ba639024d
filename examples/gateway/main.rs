//! A service that stands in front of another one, and says so when it cannot work because of it.
//!
//! ```text
//! cargo run --release --example accountservice &
//! cargo run --release --example gateway -- --listen 127.0.0.1:8080 --upstream http://localhost:6767
//! curl http://localhost:8080/accounts/10000
//! curl http://localhost:8080/health
//! ```
//!
//! Its `/health` is 200 only while that of the accountservice is. Otherwise it is 503 and names the accountservice
//! and the cause, so that the outage of a dependency can be seen from where it hurts: stop the accountservice, and
//! `healthchecker -p 8080` says that it is not the gateway that needs a doctor.
//!
//! For the same reason its HEALTHCHECK asks `/live`, and a load balancer `/ready`: neither a restart nor another gateway
//! would cure the accountservice. `http.rs`, beside the accountservice, says what the three are for.

#![allow(clippy::print_stdout, clippy::print_stderr)] // A program's own main may print.

#[path = "../accountservice/http.rs"]
mod http;
#[path = "../accountservice/program.rs"]
mod program;
mod upstream;

use http::{Question, Reply, Server};
use program::{Program, Running};
use serde_json::json;
use std::process::ExitCode;
use upstream::{Upstream, cause};

const PROGRAM: Program = Program {
    usage: "Usage: gateway [--listen ADDRESS:PORT] [--upstream URL] [--drain TIME]

  --listen ADDRESS:PORT  where to listen (default: 0.0.0.0:8080)
  --upstream URL         the accountservice (default: http://localhost:6767)
  --drain TIME           how long to serve on after SIGTERM, while /ready is 503 (default: 3s)
",
    port: 8080,
    own: &[("upstream", "http://localhost:6767")],
};

fn main() -> ExitCode {
    PROGRAM.main(|options| {
        let upstream = options.own("upstream").to_string_lossy();
        let upstream: Upstream = upstream
            .parse()
            .map_err(|error| format!("--upstream: {error}"))?;
        let server = Server::start(options.listen, move |question| answer(question, &upstream))?;
        Ok(Running {
            address: server.address(),
            drain: Box::new(server.drainer()),
            close: Box::new(server.closer()),
            wait: Box::new(|| server.wait()),
        })
    })
}

fn answer(Question { path, body }: &Question, upstream: &Upstream) -> Reply {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match segments[..] {
        // Nothing is passed on that the upstream, or a URL, could read as more than an id.
        ["accounts", id] if id.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            // Once: whether a POST that failed was carried out, only its sender can find out.
            match upstream.ask(path, body.as_deref()) {
                Ok((status, account)) => Reply(status, account),
                Err(error @ ureq::Error::Timeout(_)) => Reply::error(504, cause(&error)),
                Err(error) => Reply::error(502, cause(&error)),
            }
        }
        ["health"] if body.is_none() => health(upstream),
        _ => Reply::error(404, "no such page"),
    }
}

/// As well as the upstream is; if that is not well, with its URL and the cause.
fn health(upstream: &Upstream) -> Reply {
    let error = match upstream.ask("/health", None) {
        Ok((200, _)) => None,
        Ok((status, reply)) => Some(format!("status {status}: {reply}")),
        Err(error) => Some(cause(&error)),
    };
    let (code, status) = match error {
        None => (200, "UP"),
        Some(_) => (503, "DOWN"),
    };
    // The shape of MicroProfile Health, by which a reader of such pages can tell who is ill.
    let check = json!({ "name": upstream.url("/health"), "status": status, "error": error });
    Reply(code, json!({ "status": status, "checks": [check] }))
}
