//! The words for what was done beside checking: a signal that was sent, a program that was installed.

use super::advice::sign;
use super::words::cut;
use super::{Report, failure::system_error, time::age};
use crate::install::{IS_DIRECTORY, Installed, NotInstalled};
use crate::kill::{Kill, NotSent};
use crate::report::time::time;
use crate::search::joined;
use crate::snippet::printable;
use rustix::fs::FileType;
use rustix::io::Errno;
use std::io::Write;

/// What makes a PID 1 hear signals.
const REMEDY: &str = "use docker run --init, or exec in the entrypoint";
/// Longer than every line on a signal.
const KILL_LINE: usize = 256;

impl<O: Write, E: Write> Report<O, E> {
    /// Keeps room for the line on a signal.
    pub fn expect_kill(&mut self) {
        self.left -= KILL_LINE;
    }

    /// Prints what became of a signal.
    pub fn kill(&mut self, kill: &Kill, sent: &Result<bool, NotSent>) {
        if self.quiet {
            return;
        }
        let name = kill.signal.0;
        let (said, more) = match sent {
            Ok(_) if name == "KILL" => (
                " sent to all that this user may kill, and PID 1 is out of its reach: the container ends only if that is an init (docker run --init)",
                String::new(),
            ),
            Ok(true) => (" sent to PID 1", String::new()),
            Ok(false) => (
                " sent to PID 1, which shows no handler for it: if it stays, ",
                REMEDY.into(),
            ),
            Err(why) => (" not sent: ", not_sent(why, kill)),
        };
        let line = joined(&["kill: ", name, said, &more], "");
        let _ = self.err.write_all(cut(line, "").as_bytes());
    }

    /// Prints what became of an installation. Returns whether the program is there.
    pub fn install(&mut self, file: &str, installed: &Result<Installed, NotInstalled>) -> bool {
        let file = printable(file.as_bytes(), 160);
        match installed {
            Ok(Installed::Written) => self.info(&format!("installed: {file}\n")),
            Ok(Installed::Unchanged) => {
                self.info(&format!("installed: {file} is this program already\n"));
            }
            Err(NotInstalled::Source(errno)) => {
                let why = system_error(errno.raw_os_error());
                self.usage(&format!(
                    "--install: this program cannot be read from /proc/self/exe: {why}"
                ));
            }
            Err(why) => self.usage(&format!("--install: \"{file}\" {}", not_installed(why))),
        }
        installed.is_ok()
    }
}

fn not_sent(why: &NotSent, kill: &Kill) -> String {
    match why {
        NotSent::Unknown(file, errno) => {
            format!(
                "nothing is known of PID 1: {file}: {}",
                system_error(*errno)
            )
        }
        NotSent::OtherProc => "nothing is known of PID 1: /proc is of another PID namespace".into(),
        NotSent::Shared(pid) => format!(
            "process {pid}, which KILL would reach, is not known to be this container's (--pid): use TERM"
        ),
        NotSent::Short(why) => format!("{}: it may be short of CPU, and not ill", sign(why)),
        NotSent::NotOurs => {
            "PID 1 is not this container's: it is the host's, or another container's (--pid)".into()
        }
        NotSent::Young(old) => {
            format!(
                "PID 1 is {} old, and spared until {} (--spare)",
                age(*old),
                time(kill.spare)
            )
        }
        NotSent::Starved(waited, elapsed) => format!(
            "this check itself waited for a CPU for {} of {}: the container may be short of CPU, and not ill",
            time(*waited),
            time(*elapsed)
        ),
        NotSent::Unheard(true) => "PID 1 ignores it; use another signal".into(),
        NotSent::Unheard(false) => {
            format!("PID 1 has no handler for it, and would not notice: {REMEDY}")
        }
        NotSent::NotAllowed(own, its) => {
            format!("this check runs as UID {own}, without CAP_KILL, and PID 1 as UID {its}")
        }
        NotSent::Alone => {
            "there is no process but PID 1, which KILL cannot reach: use TERM, or docker run --init"
                .into()
        }
        NotSent::Failed(errno) => system_error(*errno),
    }
}

fn not_installed(why: &NotInstalled) -> String {
    let (errno, advice) = match why {
        NotInstalled::Special(FileType::Directory) => return IS_DIRECTORY.into(),
        NotInstalled::Special(FileType::Symlink) => {
            return "is a symbolic link: name the file that it leads to".into();
        }
        NotInstalled::Special(_) => return "is no regular file, and is not replaced".into(),
        NotInstalled::Source(errno) | NotInstalled::Target(errno) => (
            errno,
            match *errno {
                Errno::NOENT => "; make its directory, or mount a volume there",
                Errno::ROFS => "; mount a volume there",
                Errno::ACCESS | Errno::PERM => "; its directory must be writable for this user",
                Errno::BUSY => "; it is a mount itself: mount its directory",
                _ => "",
            },
        ),
    };
    let why = system_error(errno.raw_os_error());
    format!("cannot be written: {why}{advice}")
}
