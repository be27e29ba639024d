//! Whether the container is short of CPU or memory, as the kernel tells: in the files of control groups, version 2 or 1.
//!
//! Read only when time has run out. What has held the container up is counted since its start, so one look is taken earlier,
//! when a quarter of a wait is over and nothing has come: what answers in time costs nothing.

use crate::proc;
use crate::search::joined;
use crate::starved;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A sign that the container, and not the service, is the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Its CPU quota held it up for so many percent of the time; the file that sets it.
    Throttled(u64, &'static str),
    /// All its processes waited for a CPU for so many percent of the last ten seconds.
    NoCpu(u64),
    /// Its first process waited for a CPU for so many percent of the time.
    Waited(u64),
    /// It has used its memory up to the limit of so many bytes; the file that sets it.
    MemoryFull(u64, &'static str),
    /// All its processes waited for memory for so many percent of the last ten seconds.
    NoMemory(u64),
}

/// From so many percent on, something is worth a word.
const MANY: u64 = 20;

/// One version of control groups.
struct Version {
    cpu_stat: &'static str,
    /// What in it counts the time, and how many of its units are a microsecond.
    throttled: (&'static str, u64),
    quota: &'static str,
    /// The memory in use, the limit, and what in use could be given back at once.
    memory: [&'static str; 3],
    inactive: &'static str,
    limit: &'static str,
}

static VERSIONS: [Version; 2] = [
    Version {
        cpu_stat: "cpu.stat",
        throttled: ("throttled_usec ", 1),
        quota: "cpu.max",
        memory: ["memory.current", "memory.max", "memory.stat"],
        inactive: "inactive_file ",
        limit: "memory.max",
    },
    Version {
        cpu_stat: "cpu/cpu.stat",
        throttled: ("throttled_time ", 1000),
        quota: "cpu.cfs_quota_us",
        memory: [
            "memory/memory.usage_in_bytes",
            "memory/memory.limit_in_bytes",
            "memory/memory.stat",
        ],
        inactive: "total_inactive_file ",
        limit: "memory.limit_in_bytes",
    },
];

/// What the CPU quota has done since the container's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Throttling {
    /// For how long its threads were held up, in microseconds, summed over the CPUs.
    micros: u64,
    /// In how many periods of the quota some were.
    periods: u64,
}

/// What was seen at once.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    throttling: Option<(Throttling, &'static str)>,
    /// For how many nanoseconds the container's first process has waited for a CPU while it could have run. That is the
    /// service, or its first thread, and the quota counts as well.
    waited: Option<u64>,
}

/// The earlier look. It is the same for all checks of a process, because there is one container.
static EARLIER: Mutex<Option<Look>> = Mutex::new(None);

impl Look {
    fn now() -> Self {
        Look {
            at: Instant::now(),
            throttling: throttling(),
            waited: starved::waited("/proc/1/schedstat"),
        }
    }

    /// What has held the container's processes up since `earlier`.
    fn since(&self, earlier: &Look) -> Option<Sign> {
        let time = self.at.saturating_duration_since(earlier.at);
        let throttled = || {
            let ((before, _), (now, quota)) = (earlier.throttling?, self.throttling?);
            Some(Sign::Throttled(throttled(before, now, time)?, quota))
        };
        let waited = || {
            let nanos = self.waited?.saturating_sub(earlier.waited?);
            many(nanos / 1000, time).map(Sign::Waited)
        };
        throttled().or_else(waited)
    }
}

/// Takes the earlier look.
pub fn look() {
    *EARLIER.lock().unwrap_or_else(PoisonError::into_inner) = Some(Look::now());
}

/// What kept the container from a CPU for at least half of the time, if anything did.
pub fn short_of_cpu() -> Option<Sign> {
    let [cpu, _] = signs();
    cpu.filter(|sign| match *sign {
        Sign::Throttled(percent, _) | Sign::NoCpu(percent) | Sign::Waited(percent) => percent >= 50,
        Sign::MemoryFull(..) | Sign::NoMemory(_) => false,
    })
}

/// What the container is short of: of CPU, by the most telling sign, and of memory.
pub fn signs() -> [Option<Sign>; 2] {
    let earlier = *EARLIER.lock().unwrap_or_else(PoisonError::into_inner);
    let cpu = earlier.and_then(|earlier| Look::now().since(&earlier));
    let memory = VERSIONS.iter().find_map(memory);
    [
        cpu.or_else(|| pressed("cpu.pressure").map(Sign::NoCpu)),
        memory.or_else(|| pressed("memory.pressure").map(Sign::NoMemory)),
    ]
}

/// For how many percent of the last ten seconds all processes stood still, if they are many.
fn pressed(file: &str) -> Option<u64> {
    full_of_ten_seconds(&text_of(file)).filter(|&percent| percent >= MANY)
}

/// For how many percent of `time` the quota has held the container up, if they are many.
fn throttled(earlier: Throttling, now: Throttling, time: Duration) -> Option<u64> {
    let micros = now.micros.saturating_sub(earlier.micros);
    // The sum over many CPUs can be more than the time that passed, and so can periods, which are of 100 ms unless somebody
    // has set another length: the lesser is the better estimate.
    let periods = now.periods.saturating_sub(earlier.periods);
    many(micros.min(periods.saturating_mul(100_000)), time)
}

/// How many percent of `time` so many microseconds are, if they are many.
fn many(micros: u64, time: Duration) -> Option<u64> {
    let percent = micros.saturating_mul(100) / (time.as_micros() as u64).max(1);
    (percent >= MANY).then_some(percent.min(100))
}

fn throttling() -> Option<(Throttling, &'static str)> {
    VERSIONS.iter().find_map(|version| {
        let seen = throttling_in(&text_of(version.cpu_stat), version.throttled)?;
        Some((seen, version.quota))
    })
}

fn throttling_in(text: &[u8], (name, per_micro): (&str, u64)) -> Option<Throttling> {
    Some(Throttling {
        micros: counted(text, name)? / per_micro,
        periods: counted(text, "nr_throttled ")?,
    })
}

fn memory(version: &Version) -> Option<Sign> {
    let [used, limit, stat] = version.memory;
    // `max` is no number: there is no limit.
    let limit = counted(&text_of(limit), "")?;
    let used = counted(&text_of(used), "")?;
    let inactive = counted(&text_of(stat), version.inactive).unwrap_or(0);
    is_full(used, inactive, limit).then_some(Sign::MemoryFull(limit, version.limit))
}

/// Whether so much is used that could not be given back at once that less than a sixteenth is left. Files that were read
/// fill the memory of a container that is well.
fn is_full(used: u64, inactive: u64, limit: u64) -> bool {
    used.saturating_sub(inactive) >= limit - limit / 16
}

/// The number in the line that begins with `name`.
fn counted(text: &[u8], name: &str) -> Option<u64> {
    proc::number_of(text, name, 10)
}

/// The whole percents for which all processes stood still in the last ten seconds (the kernel's accounting/psi.rst).
fn full_of_ten_seconds(text: &[u8]) -> Option<u64> {
    counted(text, "full avg10=")
}

/// The beginning of a file of the container's control group; empty if there is none.
fn text_of(file: &str) -> Vec<u8> {
    let file = joined(&["/sys/fs/cgroup/", file], "");
    proc::read(Path::new(&file), 1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_kernel_are_read() {
        let two = "usage_usec 5\nuser_usec 3\nnr_periods 22\nnr_throttled 21\nthrottled_usec 2514477\nnr_bursts 0\n";
        let one = "nr_periods 22\nnr_throttled 21\nthrottled_time 2514477961\nnr_bursts 0\n";
        let seen = Throttling {
            micros: 2_514_477,
            periods: 21,
        };
        for (text, version) in [(two, &VERSIONS[0]), (one, &VERSIONS[1])] {
            assert_eq!(
                throttling_in(text.as_bytes(), version.throttled),
                Some(seen)
            );
        }
        // Without a limit, version 2 does not count.
        assert_eq!(
            throttling_in(b"usage_usec 5\n", VERSIONS[0].throttled),
            None
        );
        let pressure = "some avg10=99.00 avg60=1.00 avg300=0.00 total=1\nfull avg10=42.99 avg60=0.00 avg300=0.00 total=1\n";
        assert_eq!(full_of_ten_seconds(pressure.as_bytes()), Some(42));
        // Linux before 5.13 has no such line for the CPU.
        assert_eq!(
            full_of_ten_seconds(b"some avg10=99.00 avg60=1.00 avg300=0.00 total=1\n"),
            None
        );
        for broken in ["", "full avg10=", "full avg10=x", "throttled_usec \n", "\0"] {
            assert_eq!(full_of_ten_seconds(broken.as_bytes()), None);
            assert_eq!(
                throttling_in(broken.as_bytes(), VERSIONS[0].throttled),
                None
            );
        }
    }

    #[test]
    fn only_what_is_much_is_a_sign() {
        let seen = |millis: u64, periods| Throttling {
            micros: millis * 1000,
            periods,
        };
        let second = Duration::from_secs(1);
        for (millis, periods, percent) in [
            (0, 0, None),
            (920, 10, Some(92)),
            (190, 10, None),
            (200, 2, Some(20)),
            // Several CPUs, each of them a little.
            (5000, 3, Some(30)),
            (5000, 40, Some(100)),
        ] {
            let (earlier, now) = (seen(7, 7), seen(7 + millis, 7 + periods));
            assert_eq!(
                throttled(earlier, now, second),
                percent,
                "{millis} {periods}"
            );
        }
        // A count that has gone back is another container's.
        assert_eq!(throttled(seen(7, 7), seen(0, 0), second), None);
        assert_eq!(
            throttled(seen(0, 0), seen(5000, 40), Duration::ZERO),
            Some(100)
        );
        for (used, inactive, full) in [
            (64, 0, true),
            (60, 0, true),
            (59, 0, false),
            (64, 5, false),
            (1, 2, false),
        ] {
            assert_eq!(
                is_full(used << 20, inactive << 20, 64 << 20),
                full,
                "{used} {inactive}"
            );
        }
    }
}
