//! The loop: targets in order, each under what is left of the one deadline, once or until they are healthy; and advice for
//! what fails.

use crate::cgroup;
use crate::deadline::Deadline;
use crate::net;
use crate::target::{Host, Place, Target};
use crate::verdict::{Answer, Failure};
use advice::Hint;
use std::net::IpAddr;

pub use attempts::{Attempt, Attempts, until_healthy};

pub mod advice;
mod attempts;

/// The first address among the places of `targets` that is not this machine's. Asked before anything is sent, because the
/// routing table knows whether the last target is elsewhere before the first one is asked.
pub fn elsewhere(targets: &[Target]) -> Option<IpAddr> {
    targets.iter().find_map(|target| match target.place() {
        Some(&Place::Port(Host::Ip(ip), _)) if !net::is_here(ip) => Some(ip),
        _ => None,
    })
}

/// Asks `target`, if time is left.
fn ask(target: &Target, deadline: &Deadline) -> Answer {
    match deadline.remaining() {
        Ok(left) if target.limit() < left => target.ask(&deadline.or_within(target.limit())),
        Ok(_) => target.ask(deadline),
        Err(_) => Answer::of(deadline, || Err(Box::new(Failure::NotAsked))),
    }
}

/// What to look at next, if `outcome` is a failure. It can cost some system calls, so it is asked for only where it is shown.
pub fn advise(target: &Target, answer: &Answer) -> Option<Hint> {
    match &answer.outcome {
        Ok(_) => None,
        Err(failure) => {
            let may_be_tls = target.may_meet_tls() && answer.trace.head.is_empty();
            let listeners = |transport| net::listeners(transport, false);
            advice::advise(failure, may_be_tls, listeners, cgroup::signs)
        }
    }
}
