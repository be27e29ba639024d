//! For a worker without a port: its process, by PID file.

use super::file::{Named, failure};
use super::{Asked, Protocol};
use crate::deadline::Deadline;
use crate::proc::{LONG, Stat, read};
use crate::target::url::percent_decoded;
use crate::target::{Probe, Target};
use crate::verdict::{Answer, Failure, Health, Outcome, Snippet};
use rustix::io::Errno;
use std::path::{Path, PathBuf};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "pid",
    rest: "FILE[?name=NAME]",
    proves: "the process whose PID is in FILE runs, as NAME",
    takes: &[],
    plan,
    ..Protocol::CONNECTION
};

/// `TASK_COMM_LEN` without its NUL: the kernel keeps this much of a program's name.
const COMM: usize = 15;

fn plan(asked: &Asked) -> Result<Target, String> {
    let named = Named::parse(asked.rest, "name=")?;
    let name = named
        .value
        .map(|name| percent_decoded(name).ok_or("has a bad %XX in its name"));
    let probe = PidProbe {
        file: named.file,
        name: name.transpose()?,
    };
    let target = format!("{}:{}", asked.protocol.scheme, asked.rest);
    Ok(Target::new(target, probe))
}

#[derive(Debug)]
struct PidProbe {
    file: PathBuf,
    /// The name that the process must have.
    name: Option<String>,
}

impl Probe for PidProbe {
    fn ask(&self, deadline: &Deadline) -> Answer {
        Answer::of(deadline, || process(&self.file, self.name.as_deref()))
    }
}

/// Whether the process in the PID file `file` runs, under `name` if one is given.
///
/// proc(5): `/proc/PID/stat` holds the PID, the name in parentheses, and the state. A zombie has one, too, and a signal
/// reaches it: only its state tells that it is dead.
fn process(file: &Path, name: Option<&str>) -> Outcome {
    let text = read(file, LONG).map_err(|errno| failure(file, errno))?;
    // postmaster.pid has more lines; the PID is the first.
    let line = text.split(|&byte| byte == b'\n').next();
    let digits = line.unwrap_or_default().trim_ascii();
    let pid = std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse::<u32>().ok());
    // 0 is no process, and `/proc/0` does not exist.
    let Some(pid) = pid.filter(|&pid| pid > 0) else {
        return Err(Box::new(Failure::NoPid(text.is_empty())));
    };
    let stat = format!("/proc/{pid}/stat");
    let stat = Path::new(&stat);
    let stat = read(stat, LONG).map_err(|errno| match errno {
        // ESRCH comes when the process ends between open and read.
        Errno::SRCH => Box::new(Failure::NoProcess(pid)),
        Errno::NOENT if rustix::fs::stat(Path::new("/proc/self")).is_ok() => {
            Box::new(Failure::NoProcess(pid))
        }
        errno => failure(stat, errno),
    })?;
    let Stat {
        name: comm, state, ..
    } = Stat::parse(&stat);
    if matches!(state, b'Z' | b'X' | b'x') {
        return Err(Box::new(Failure::DeadProcess(pid, state as char)));
    }
    match name {
        Some(name) if comm != &name.as_bytes()[..name.len().min(COMM)] => Err(Box::new(
            Failure::OtherProcess(pid, Snippet::at_most(comm, 40)),
        )),
        _ => Ok(Health::Runs(pid)),
    }
}
