//! Workers that listen on nothing: a process by its PID file, and a heartbeat file.

use crate::verdict::{Failure, Health, Snippet, Verdict};
use rustix::io::Errno;
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// `TASK_COMM_LEN` without its NUL: the kernel keeps this much of a program's name.
const COMM: usize = 15;

/// Whether the process in the PID file `file` runs, under `name` if one is given.
///
/// proc(5): `/proc/PID/stat` holds the PID, the name in parentheses, and the state. A zombie has one, too, and a signal
/// reaches it: only its state tells that it is dead.
pub fn process(file: &Path, name: Option<&str>) -> Verdict {
    let text = read(file)?;
    // PostgreSQL's has more lines.
    let line = text.split(|&byte| byte == b'\n').next();
    let digits = line.unwrap_or_default().trim_ascii();
    let pid = std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse::<u32>().ok());
    // 0 is no process, and `/proc/0` does not exist.
    let Some(pid) = pid.filter(|&pid| pid > 0) else {
        return Err(Box::new(Failure::NoPid(Snippet::at_most(&text, 40))));
    };
    let stat = read(Path::new(&format!("/proc/{pid}/stat"))).map_err(|failure| match *failure {
        // ESRCH comes when the process ends between open and read.
        Failure::File(_, errno) if errno == Errno::SRCH.raw_os_error() => {
            Box::new(Failure::NoProcess(pid))
        }
        Failure::File(_, errno)
            if errno == Errno::NOENT.raw_os_error() && Path::new("/proc/self").exists() =>
        {
            Box::new(Failure::NoProcess(pid))
        }
        _ => failure,
    })?;
    // The name can hold parentheses and blanks itself.
    let open = stat
        .iter()
        .position(|&byte| byte == b'(')
        .map_or(0, |at| at + 1);
    let close = stat
        .iter()
        .rposition(|&byte| byte == b')')
        .unwrap_or(open)
        .max(open);
    let (comm, state) = (
        &stat[open..close],
        stat.get(close + 2).copied().unwrap_or(b'?'),
    );
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

/// Whether `file` is there, and was touched within `max_age` if that is given.
pub fn heartbeat(file: &Path, max_age: Option<Duration>) -> Verdict {
    let failure = |error: io::Error| failure(file, &error);
    let touched = std::fs::metadata(file)
        .and_then(|data| data.modified())
        .map_err(failure)?;
    let age = match (SystemTime::now().duration_since(touched), max_age) {
        (Ok(age), _) => age,
        // Without a limit its age does not matter.
        (Err(_), None) => Duration::ZERO,
        (Err(ahead), Some(_)) => return Err(Box::new(Failure::Future(ahead.duration()))),
    };
    match max_age {
        Some(limit) if age > limit => Err(Box::new(Failure::Stale(age, limit))),
        _ => Ok(Health::Touched(age)),
    }
}

/// The beginning of a file: neither a PID file nor a stat line is long.
fn read(file: &Path) -> Result<Vec<u8>, Box<Failure>> {
    let mut text = Vec::new();
    let mut read = || {
        // Opening one would wait for somebody who writes, past any deadline.
        if std::fs::metadata(file)?.file_type().is_fifo() {
            return Err(Errno::INVAL.into());
        }
        std::fs::File::open(file)?.take(1024).read_to_end(&mut text)
    };
    read().map_err(|error: io::Error| failure(file, &error))?;
    Ok(text)
}

fn failure(file: &Path, error: &io::Error) -> Box<Failure> {
    Box::new(Failure::File(
        file.to_owned(),
        error.raw_os_error().unwrap_or(0),
    ))
}
