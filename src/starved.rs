//! Whether this process itself got no CPU. Then what it waited for may be as well as ever, in a container that is short of
//! CPU, or on a machine that is.

use crate::deadline::Deadline;
use crate::proc::{LONG, number_at, read};
use std::path::Path;
use std::time::Duration;

/// Less than this is no starvation, however short a check is.
const LEAST: Duration = Duration::from_millis(100);

/// For how many nanoseconds a process, whose `schedstat` this is, has waited for a CPU since it was started, where the kernel
/// tells. Time in which its cgroup has used up its quota counts: the process is ready to run then.
pub fn waited(file: &str) -> Option<u64> {
    parse(&read(Path::new(file), LONG).ok()?)
}

/// The second of three numbers: nanoseconds on a CPU, nanoseconds of waiting for one, and how often it got one.
fn parse(text: &[u8]) -> Option<u64> {
    number_at(text, 1, 10)
}

fn waited_itself() -> Option<u64> {
    waited("/proc/self/schedstat")
}

/// A time in which the process may be starved.
#[derive(Debug)]
pub struct Watch {
    begun: Deadline,
    waited: Option<u64>,
}

impl Watch {
    /// Begins now. What came before does not count: on its way into a container, a process waits as well.
    pub fn begin() -> Self {
        Watch {
            begun: Deadline::after(Duration::MAX),
            waited: waited_itself(),
        }
    }

    /// How long it is.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// How much of that time was spent waiting for a CPU, if that is most of it.
    pub fn starved(&self) -> Option<Duration> {
        let waited = waited_itself()?.saturating_sub(self.waited?);
        let waited = Duration::from_nanos(waited);
        (waited >= LEAST.max(self.elapsed() / 2)).then_some(waited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_number_is_the_wait() {
        let waited = parse(b"60684971 4464594020 158\n");
        assert_eq!(waited, Some(4_464_594_020));
        for other in [&b""[..], b"1", b"1 ", b"1 x 2", b"1 -1 2"] {
            assert_eq!(parse(other), None);
        }
    }
}
