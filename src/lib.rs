//! A health check for one container: loopback only, one deadline, one line.
//!
//! The binary `healthchecker` is what images carry. A Rust service that wants a check of its own, of itself or of what it
//! needs on this machine, builds a [`Check`] in code and calls [`run`]:
//!
//! ```
//! use healthchecker::{Check, run};
//! use std::time::Duration;
//!
//! let check = Check::of("http://127.0.0.1:1/health")?
//!     .timeout(Duration::from_secs(1))
//!     .status("200,204")?
//!     .json("status=UP")?;
//! let verdict = run(&check);
//! assert!(!verdict.is_healthy(), "nothing listens on port 1");
//! assert!(verdict.line().starts_with("unhealthy: http://127.0.0.1:1/health: connection refused at 127.0.0.1:1"));
//! # Ok::<(), healthchecker::Invalid>(())
//! ```
//!
//! Everything else that is public is the binary's own, and can change at any time.

pub use check::{Check, Invalid, Verdict, run};

mod check;

// The order is the architecture: who stands above may use who stands below. (Blank lines keep it from being sorted.)

#[doc(hidden)]
pub mod cli;

#[doc(hidden)]
pub mod report;

#[doc(hidden)]
pub mod install;

#[doc(hidden)]
pub mod kill;

#[doc(hidden)]
pub mod run;

#[doc(hidden)]
pub mod protocol;

#[doc(hidden)]
pub mod http;

#[doc(hidden)]
pub mod expect;

#[doc(hidden)]
pub mod target;

#[doc(hidden)]
pub mod net;

#[doc(hidden)]
pub mod cgroup;

#[doc(hidden)]
pub mod verdict;

#[doc(hidden)]
pub mod snippet;

#[doc(hidden)]
pub mod base64;

#[doc(hidden)]
pub mod search;

#[doc(hidden)]
pub mod starved;

#[doc(hidden)]
pub mod proc;

#[doc(hidden)]
pub mod deadline;

// The binary's allocator, for its unit tests: a binary without Rust's entry point has no test harness.
#[cfg(test)]
#[path = "tiny/heap.rs"]
mod heap;
