//! The one clock: every wait in the program asks it for the time that is left.

use std::time::{Duration, Instant};

/// How long a check may take, unless something else is asked for.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// An absolute monotonic deadline over everything that one run does.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    start: Instant,
    end: Instant,
}

/// The deadline has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired;

impl Deadline {
    /// Starts the clock.
    pub fn after(timeout: Duration) -> Self {
        let start = Instant::now();
        // What is no limit, `Duration::MAX`, would overflow: it becomes a day.
        let end = start
            .checked_add(timeout)
            .unwrap_or(start + Duration::from_secs(86400));
        Deadline { start, end }
    }

    /// The time that is left, or [`Expired`]. Never zero.
    pub fn remaining(&self) -> Result<Duration, Expired> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            Err(Expired)
        } else {
            Ok(left)
        }
    }

    /// This deadline, or `grace` from now if that is sooner.
    pub fn or_within(&self, grace: Duration) -> Self {
        let soon = Instant::now() + grace;
        Deadline {
            start: self.start,
            end: self.end.min(soon),
        }
    }

    /// This deadline, and `grace` more.
    pub fn later_by(&self, grace: Duration) -> Self {
        Deadline {
            start: self.start,
            end: self.end + grace,
        }
    }

    /// This deadline, or `grace` from now if that is later.
    pub fn or_at_least(&self, grace: Duration) -> Self {
        let soon = Instant::now() + grace;
        Deadline {
            start: self.start,
            end: self.end.max(soon),
        }
    }

    /// The time since the clock was started.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remaining_is_positive_or_expired() {
        let deadline = Deadline::after(Duration::ZERO);
        assert_eq!(deadline.remaining(), Err(Expired));
        assert!(
            Deadline::after(Duration::from_secs(60))
                .remaining()
                .is_ok_and(|left| !left.is_zero())
        );
        assert!(Deadline::after(Duration::MAX).remaining().is_ok());
    }

    #[test]
    fn a_grace_never_extends() {
        let deadline = Deadline::after(Duration::ZERO).or_within(Duration::from_secs(5));
        assert_eq!(deadline.remaining(), Err(Expired));
    }
}
