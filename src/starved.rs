//! Whether this process itself got no CPU. Then what it waited for may be as well as ever, in a container that is short of
//! CPU, or on a machine that is.

use crate::proc::{self, number};
use std::path::Path;
use std::time::{Duration, Instant};

/// Less than this is no starvation, however short a check is.
const LEAST: Duration = Duration::from_millis(100);

/// How long this process has waited for a CPU since it was started, where the kernel tells. Time in which its cgroup has
/// used up its quota counts: the process is ready to run then.
pub fn waited() -> Option<Duration> {
    parse(&proc::read(Path::new("/proc/self/schedstat"), proc::LONG).ok()?)
}

/// The second of three numbers: nanoseconds on a CPU, nanoseconds of waiting for one, and how often it got one.
fn parse(text: &[u8]) -> Option<Duration> {
    let waited = text.split(|&byte| byte == b' ').nth(1)?;
    number(waited).map(Duration::from_nanos)
}

/// A time in which the process may be starved.
#[derive(Debug)]
pub struct Watch {
    begun: Instant,
    waited: Option<Duration>,
}

impl Watch {
    /// Begins now. What came before does not count: on its way into a container, a process waits as well.
    pub fn begin() -> Self {
        Watch {
            begun: Instant::now(),
            waited: waited(),
        }
    }

    /// How long it is.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// How much of that time was spent waiting for a CPU, if that is most of it.
    pub fn starved(&self) -> Option<Duration> {
        let waited = waited()?.saturating_sub(self.waited?);
        (waited >= LEAST.max(self.elapsed() / 2)).then_some(waited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_number_is_the_wait() {
        let waited = parse(b"60684971 4464594020 158\n");
        assert_eq!(waited, Some(Duration::from_nanos(4_464_594_020)));
        for other in [&b""[..], b"1", b"1 ", b"1 x 2", b"1 -1 2"] {
            assert_eq!(parse(other), None);
        }
    }
}
