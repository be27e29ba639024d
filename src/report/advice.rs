//! The words for what to look at next.

use crate::cgroup::Sign;
use crate::run::advice::Hint;

/// What follows the words for a failure.
pub fn advice(hint: &Hint) -> String {
    match hint {
        Hint::Listening(names) if names.is_empty() => "nothing listens here".into(),
        Hint::Listening(names) => format!("listening here: {names}"),
        Hint::Speaks(name) => format!("this looks like {name}"),
        Hint::MayBeTls => "it may speak TLS: try tls://".into(),
        Hint::Starved([Some(cpu), Some(memory)]) => format!("{}; {}", sign(cpu), sign(memory)),
        Hint::Starved(signs) => signs.iter().flatten().map(sign).collect(),
    }
}

pub fn sign(sign: &Sign) -> String {
    let (what, number, unit, file) = match *sign {
        Sign::Throttled(percent, quota) => (
            "this container was throttled ",
            percent,
            " % of that time (",
            quota,
        ),
        Sign::Waited(percent) => (
            "process 1 waited for a CPU ",
            percent,
            " % of that time (",
            "/proc/1/schedstat",
        ),
        Sign::NoCpu(percent) => (
            "its processes all waited for a CPU ",
            percent,
            " % of the last 10 s (",
            "cpu.pressure",
        ),
        Sign::NoMemory(percent) => (
            "its processes all waited for memory ",
            percent,
            " % of the last 10 s (",
            "memory.pressure",
        ),
        Sign::MemoryFull(limit, file) => (
            "the memory of this container is at its limit (",
            limit >> 20,
            " MiB, ",
            file,
        ),
    };
    format!("{what}{number}{unit}{file})")
}
