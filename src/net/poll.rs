//! Waiting, with the deadline kept to a few milliseconds at any length.
//!
//! `ppoll(2)` runs on high-resolution timers, where `SO_RCVTIMEO` runs on the timer wheel and is up to 2 s late on 20 s.

use crate::cgroup;
use crate::deadline::{Deadline, Expired};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::os::fd::AsFd;
use std::time::Duration;

/// The longest wait that is exact enough by itself: the kernel lets a `ppoll` be late by a thousandth of its length
/// (`select_estimate_accuracy` in fs/select.c), so that it can serve several timers at once.
const EXACT: Duration = Duration::from_secs(5);

/// A wait that is so long that what is seen at its beginning and at its end can tell why nothing came.
const LONG: Duration = Duration::from_millis(150);

/// Whether `fd` is ready for one of `events` now.
pub fn is_ready(fd: &impl AsFd, events: PollFlags) -> bool {
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    poll(&mut [PollFd::new(fd, events)], Some(&now)).is_ok_and(|ready| ready > 0)
}

/// Waits until `fd` is ready for one of `events`, or has an error or a hang-up. Returns which of them it is.
///
/// # Errors
/// [`Expired`], when the deadline passes before that.
pub fn ready(fd: &impl AsFd, events: PollFlags, deadline: &Deadline) -> Result<PollFlags, Expired> {
    let mut is_first = true;
    loop {
        let left = deadline.remaining()?;
        // A long wait ends a little early, and the short one that follows is exact.
        // The first wait ends after a quarter, for a look that costs nothing where the answer has come by then.
        let is_early = is_first && left >= LONG;
        let wait = match left {
            _ if is_early => left / 4,
            _ if left > EXACT => left - left / 256,
            _ => left,
        };
        is_first = false;
        let wait = Timespec {
            tv_sec: wait.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: wait.subsec_nanos().into(),
        };
        let mut polled = [PollFd::new(fd, events)];
        match poll(&mut polled, Some(&wait)) {
            Ok(1..) => return Ok(polled[0].revents()),
            // The wait is over, or a signal came: the clock says whether time is left.
            Ok(_) | Err(Errno::INTR) => {
                if is_early {
                    cgroup::look();
                }
            }
            // No memory for the call. The read or write that follows reports it with its phase.
            Err(_) => return Ok(events),
        }
    }
}
