//! `--kill`: a signal to PID 1 of this container, where it is known to be this container's, old enough, and able to hear it.
//!
//! Plain Docker restarts what has ended, and not what is unhealthy. So whoever is unhealthy is told to end.

use crate::cgroup::{self, Sign};
use crate::proc::{self, Stat, TICKS, number, number_of};
use crate::search;
use crate::starved::Watch;
use crate::target::Complaint;
use rustix::fs::{Mode, OFlags, RawDir};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, getuid, kill_process, kill_process_group};
use std::mem::MaybeUninit;
use std::path::Path;
use std::time::Duration;

/// How old PID 1 must be, unless something else is asked for. Docker's start period only keeps failures from counting: the
/// check runs all the same, and a service that starts slowly is not ill.
pub const SPARE: Duration = Duration::from_secs(60);

/// A signal, and what it is called.
pub type Named = (&'static str, Signal);

/// Those that can be asked for.
const SIGNALS: &[Named] = &[
    ("TERM", Signal::TERM),
    ("INT", Signal::INT),
    ("QUIT", Signal::QUIT),
    ("HUP", Signal::HUP),
    ("USR1", Signal::USR1),
    ("USR2", Signal::USR2),
    ("KILL", Signal::KILL),
];

/// What is sent if a target is not healthy, and to whom it is not.
#[derive(Debug, Clone, Copy)]
pub struct Kill {
    /// The signal. KILL does not reach PID 1, and is sent to all others.
    pub signal: Named,
    /// A younger PID 1 is spared.
    pub spare: Duration,
}

/// Why nothing was sent.
#[derive(Debug, PartialEq, Eq)]
pub enum NotSent {
    /// What PID 1 is cannot be read: from which file, and the operating system's error number.
    Unknown(&'static str, i32),
    /// What /proc shows are the processes of another PID namespace.
    OtherProc,
    /// PID 1 is the host's, or another container's.
    NotOurs,
    /// This process, which KILL would reach, is not known to be this container's.
    Shared(u64),
    /// It is so young.
    Young(Duration),
    /// This process waited for a CPU, for so long of so much time.
    Starved(Duration, Duration),
    /// The container was short of CPU.
    Short(Sign),
    /// It would not notice; and whether that is because it ignores the signal.
    Unheard(bool),
    /// This user may not, who is the first, and PID 1's is the second.
    NotAllowed(u32, u32),
    /// There is no process but PID 1.
    Alone,
    /// Another error: its number.
    Failed(i32),
}

/// The signal of this name, in any case, with or without `SIG`.
///
/// # Errors
/// The names that there are.
pub fn signal(text: &str) -> Result<Named, Complaint> {
    let name = match text.get(..3) {
        Some(sig) if sig.eq_ignore_ascii_case("SIG") => &text[3..],
        _ => text,
    };
    let mut signals = SIGNALS.iter();
    let named = signals.find(|(known, _)| name.eq_ignore_ascii_case(known));
    named
        .copied()
        .ok_or("is none of TERM, INT, QUIT, HUP, USR1, USR2 and KILL")
}

impl Kill {
    /// Sends the signal, at the end of a check that began with `watch`. Returns whether it is known to be heard.
    ///
    /// # Errors
    /// Why nothing was sent.
    pub fn send(&self, watch: &Watch) -> Result<bool, NotSent> {
        is_ours()?;
        let elapsed = watch.elapsed();
        let age = age()? + elapsed;
        if age < self.spare {
            return Err(NotSent::Young(age));
        }
        if let Some(waited) = watch.starved() {
            return Err(NotSent::Starved(waited, elapsed));
        }
        // This process may have slept for an answer while the service, in the same container, was held up.
        if let Some(sign) = cgroup::short_of_cpu() {
            return Err(NotSent::Short(sign));
        }
        let (_, signal) = self.signal;
        let (sent, is_heard) = match signal {
            // A "group" of 1 is kill(2)'s -1: everybody in this PID namespace but PID 1 and the caller. Whom this user may not
            // kill is left out without an error.
            Signal::KILL => {
                all_are_ours()?;
                (kill_process_group(Pid::INIT, signal), true)
            }
            _ => {
                let is_heard = is_heard(signal)?;
                (kill_process(Pid::INIT, signal), is_heard)
            }
        };
        sent.map(|()| is_heard).map_err(|errno| match errno {
            Errno::PERM => NotSent::NotAllowed(getuid().as_raw(), user().unwrap_or(0)),
            Errno::SRCH => NotSent::Alone,
            errno => NotSent::Failed(errno.raw_os_error()),
        })
    }
}

fn read(file: &'static str) -> Result<Vec<u8>, NotSent> {
    bytes(file).map_err(|errno| NotSent::Unknown(file, errno.raw_os_error()))
}

fn bytes(file: &str) -> Result<Vec<u8>, Errno> {
    proc::read(Path::new(file), 64 * 1024)
}

/// The number of the namespace behind a file.
fn namespace(file: &str) -> Result<u64, Errno> {
    rustix::fs::stat(Path::new(file)).map(|found| found.st_ino)
}

/// Whether PID 1 belongs to the container in which this process runs: where PID namespaces are shared (`--pid host`, `--pid
/// container:ID`, `shareProcessNamespace`), it does not.
fn is_ours() -> Result<(), NotSent> {
    /// `PROC_PID_INIT_INO` of include/linux/proc_ns.h: the PID namespace of the host.
    const HOST: u64 = 0xeffffffc;
    const NAMESPACE: &str = "/proc/self/ns/pid";
    // In a sandbox that has kept the /proc from outside, /proc/1 is not whom a signal to PID 1 reaches.
    let own = number(&read("/proc/self/stat")?, 10);
    if own != Some(std::process::id().into()) {
        return Err(NotSent::OtherProc);
    }
    let unknown = |file| move |errno: Errno| NotSent::Unknown(file, errno.raw_os_error());
    let is_hosts = namespace(NAMESPACE).map_err(unknown(NAMESPACE))? == HOST;
    match is_hosts || !is_beside_us(1).map_err(unknown("/proc/1/cgroup"))? {
        true => Err(NotSent::NotOurs),
        false => Ok(()),
    }
}

/// Whether a process is of the same container as this one.
fn is_beside_us(pid: u64) -> Result<bool, Errno> {
    match namespace(&format!("/proc/{pid}/ns/mnt")) {
        // The processes of a container see its files, and no others do.
        Ok(mounts) => Ok(mounts == namespace("/proc/self/ns/mnt")?),
        // Another user's namespaces are hidden, but not its cgroups, and each container has its own.
        Err(Errno::ACCESS | Errno::PERM) => {
            Ok(bytes(&format!("/proc/{pid}/cgroup"))? == bytes("/proc/self/cgroup")?)
        }
        Err(errno) => Err(errno),
    }
}

/// Whether all whom KILL would reach belong to this container. Its PID 1 does, but another container can have joined it.
fn all_are_ours() -> Result<(), NotSent> {
    let unknown = |errno: Errno| NotSent::Unknown("/proc", errno.raw_os_error());
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let opened = proc::open(Path::new("/proc"), flags, Mode::empty()).map_err(unknown)?;
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut entries = RawDir::new(opened, &mut buffer);
    while let Some(entry) = entries.next() {
        let Some(pid) = number(entry.map_err(unknown)?.file_name().to_bytes(), 10) else {
            continue;
        };
        match is_beside_us(pid) {
            // Who has ended meanwhile, or has ended and is not reaped, has no namespace.
            Ok(true) | Err(Errno::NOENT | Errno::SRCH) => {}
            _ => return Err(NotSent::Shared(pid)),
        }
    }
    Ok(())
}

/// How much older PID 1 is than this process. Compared with each other, both are in the same clock, whatever the clock is.
fn age() -> Result<Duration, NotSent> {
    let started = |file| {
        let started = Stat::parse(&read(file)?).started;
        started.ok_or(NotSent::Unknown(file, Errno::INVAL.raw_os_error()))
    };
    let ticks = started("/proc/self/stat")?.saturating_sub(started("/proc/1/stat")?);
    Ok(Duration::from_millis(ticks * (1000 / TICKS)))
}

/// Whether PID 1 is known to notice; false if that cannot be told. The kernel keeps from it what it has no handler for,
/// pid_namespaces(7).
fn is_heard(signal: Signal) -> Result<bool, NotSent> {
    let status = read("/proc/1/status")?;
    let has = |name| has_signal(&status, name, signal);
    if has("SigCgt:\t") || has("SigBlk:\t") {
        return Ok(true);
    }
    // An init such as tini has no handlers: it waits in sigtimedwait(2), and while it does, the kernel does not show as
    // blocked what it waits for. The name of the function in which it sleeps tells; 0 is none.
    match proc::read(Path::new("/proc/1/wchan"), proc::LONG) {
        Ok(name) if search::contains(&name, "sigtimedwait") => Ok(true),
        Ok(name) if name != b"0" => Err(NotSent::Unheard(has("SigIgn:\t"))),
        _ => Ok(false),
    }
}

/// Whether a set of signals in `/proc/PID/status` has this one.
fn has_signal(status: &[u8], name: &str, signal: Signal) -> bool {
    let set = number_of(status, name, 16).unwrap_or(0);
    set >> (signal.as_raw() - 1) & 1 == 1
}

/// The real user of PID 1.
fn user() -> Option<u32> {
    number_of(&read("/proc/1/status").ok()?, "Uid:\t", 10)?
        .try_into()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_by_name() {
        for (text, name) in [
            ("TERM", "TERM"),
            ("SIGTERM", "TERM"),
            ("sigusr1", "USR1"),
            ("Kill", "KILL"),
        ] {
            assert_eq!(signal(text).map(|(name, _)| name), Ok(name), "{text}");
        }
        for bad in [
            "",
            "SIG",
            "SIGSIGTERM",
            "15",
            "9",
            "STOP",
            "TERM ",
            "é",
            "sé",
        ] {
            assert!(signal(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn sets_of_signals() {
        // As of an init that blocks TERM, and handles nothing.
        let init = b"Name:\tinit\nUid:\t65532\t0\t0\t0\nSigBlk:\tfffffffe7bf0fa07\nSigIgn:\t0000000000300000\nSigCgt:\t0000000000000000\n";
        assert_eq!(number_of(init, "Uid:\t", 10), Some(65532));
        assert!(has_signal(init, "SigBlk:\t", Signal::HUP));
        assert!(!has_signal(init, "SigCgt:\t", Signal::TERM));
        assert!(!has_signal(b"", "SigCgt:\t", Signal::TERM));
        assert!(!has_signal(b"SigCgt:\tx\n", "SigCgt:\t", Signal::TERM));
    }
}
