//! A health check for one container: loopback only, one deadline, one line, exit code 0 or 1.
//!
//! Data flows one way: arguments, [`check::Check`], [`probe`], [`verdict::Verdict`], [`report`], exit code. The binary
//! is that pipeline; a Rust service that wants a check of its own can call the same rooms:
//!
//! ```
//! use healthchecker::{cli, deadline::Deadline, probe};
//!
//! let arguments = ["-t", "1s", "http://127.0.0.1:1/health"];
//! let parsed = cli::parse(arguments.map(Into::into).to_vec(), &|_| None);
//! let Ok(cli::Command::Check(check, _)) = parsed else { panic!("{parsed:?}") };
//! let answer = probe::ask(&check.targets[0], &Deadline::after(check.timeout));
//! assert!(answer.verdict.is_err(), "nothing listens on port 1");
//! ```

// The order is the architecture: each module uses only those above it. (Blank lines keep it from being sorted.)

pub mod deadline;

pub mod search;

pub mod snippet;

pub mod verdict;

pub mod vars;

pub mod json;

pub mod expect;

pub mod check;

pub mod net;

pub mod http;

pub mod probe;

pub mod hints;

pub mod report;

pub mod cli;

// The binary's allocator, for its unit tests: a binary without Rust's entry point has no test harness.
#[cfg(test)]
#[path = "tiny/heap.rs"]
mod heap;
