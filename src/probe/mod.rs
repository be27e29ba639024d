//! Ways of asking, one a file. Each takes a target and returns what it found: it prints nothing and never exits.

use crate::check::{Ask, Target};
use crate::deadline::Deadline;
use crate::verdict::{Answer, Failure, Trace};
use std::time::Duration;

pub mod http;

/// Asks `target`, unless the deadline has passed already.
pub fn ask(target: &Target, deadline: &Deadline) -> Answer {
    if deadline.remaining().is_err() {
        return Answer {
            verdict: Err(Failure::NotAsked),
            took: Duration::ZERO,
            trace: Trace::default(),
        };
    }
    match &target.ask {
        Ask::Http(http) => http::ask(http, &target.place, deadline),
    }
}
