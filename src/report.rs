//! Outcome to words, and the only folder that prints.

use crate::deadline::Deadline;
use crate::run::Attempt;
use crate::run::advice::Hint;
use crate::target::Target;
use crate::target::place::NOT_THIS_MACHINE;
use crate::verdict::Answer;
use std::io::Write;
use std::net::IpAddr;
use std::time::Duration;
use stream::{OFFER, Unbuffered};
use words::cut;

pub use words::{MAX_LINE, line};
use words::{NO_STATUS, status};

mod acts;
mod advice;
mod failure;
mod stream;
mod time;
mod trace;
mod unmet;
mod words;

/// What `docker inspect` keeps of a check is 4096 bytes: all output of a check is less.
pub const MAX_OUTPUT: usize = 4095;
/// Healthy lines and traces leave this much for the lines of targets that are not healthy.
const RESERVE: usize = 2048;
/// Room kept for the last line, `... and N more targets`.
const SUMMARY: usize = 100;
/// Shorter than every line.
const SHORT: usize = 20;

/// The report of one run.
#[derive(Debug)]
pub struct Report<O, E> {
    out: O,
    err: E,
    quiet: bool,
    verbose: bool,
    left: usize,
    status: bool,
    omitted_healthy: usize,
    omitted_unhealthy: usize,
}

/// The report on the standard streams.
pub fn standard() -> Report<Unbuffered, Unbuffered> {
    // Until the check says how long it may take.
    let deadline = Deadline::after(Duration::from_secs(1));
    let stream = |fd| Unbuffered { fd, deadline };
    Report::new(
        stream(rustix::stdio::stdout()),
        stream(rustix::stdio::stderr()),
    )
}

impl Report<Unbuffered, Unbuffered> {
    /// Sets the deadline of writes.
    pub fn give_up_at(&mut self, deadline: Deadline) {
        let deadline = deadline.later_by(OFFER);
        (self.out.deadline, self.err.deadline) = (deadline, deadline);
    }

    /// Shows what is waited for and why, where stderr is a terminal: on one line, in place of what it showed before.
    pub fn status(&mut self, target: &Target, answer: &Answer, attempt: &Attempt) {
        let Some(columns) = self.err.columns().filter(|_| !self.quiet) else {
            return;
        };
        self.status = true;
        // What a terminal does not take at once is left out.
        self.err.deadline = Deadline::after(Duration::ZERO);
        let text = status(target, answer, attempt, columns);
        let _ = self.err.write_all(text.as_bytes());
    }
}

impl<O: Write, E: Write> Report<O, E> {
    /// Prints healthy lines and information to `out`, everything else to `err`. Write errors are ignored: the exit code
    /// does not depend on them.
    pub fn new(out: O, err: E) -> Self {
        let (quiet, verbose) = (false, false);
        Report {
            out,
            err,
            quiet,
            verbose,
            left: MAX_OUTPUT,
            status: false,
            omitted_healthy: 0,
            omitted_unhealthy: 0,
        }
    }

    /// Prints no line (`quiet`), or the trace of each exchange as well (`verbose`).
    pub fn style(&mut self, quiet: bool, verbose: bool) {
        (self.quiet, self.verbose) = (quiet, verbose);
    }

    /// Whether a line for a target that is not healthy would be printed, so that advice for it is worth its cost.
    pub fn has_room(&self) -> bool {
        !self.quiet && self.left >= SUMMARY + MAX_LINE
    }

    /// Prints what was asked for, such as `--help`.
    pub fn info(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes());
    }

    /// Prints why the command line cannot be used.
    pub fn usage(&mut self, message: &str) {
        let _ = self
            .err
            .write_all(cut(format!("error: {message}"), "").as_bytes());
    }

    /// Prints that an address is another machine's. `origin` is where it was given.
    pub fn elsewhere(&mut self, origin: &str, ip: IpAddr) {
        self.usage(&format!("{origin}: \"{ip}\" {NOT_THIS_MACHINE}"));
    }

    /// Prints the line of one target.
    pub fn answer(
        &mut self,
        target: &Target,
        answer: &Answer,
        hint: Option<&Hint>,
        attempt: &Attempt,
    ) {
        if self.quiet {
            return;
        }
        // No line is shorter than this, and a line can take some time to make.
        if self.left < SUMMARY + SHORT {
            return match answer.outcome {
                Ok(_) => self.omitted_healthy += 1,
                Err(_) => self.omitted_unhealthy += 1,
            };
        }
        self.remove_status();
        let line = line(target, answer, hint, attempt);
        match &answer.outcome {
            Ok(_) if self.left < RESERVE + line.len() => self.omitted_healthy += 1,
            Err(_) if self.left < SUMMARY + line.len() => self.omitted_unhealthy += 1,
            verdict => {
                self.left -= line.len();
                let _ = match verdict {
                    Ok(_) => self.out.write_all(line.as_bytes()),
                    Err(_) => self.err.write_all(line.as_bytes()),
                };
            }
        }
        if self.verbose {
            let mut text = trace::trace(&answer.trace, target.secrets());
            let room = self.left.saturating_sub(RESERVE);
            if text.len() > room {
                text.truncate(text.floor_char_boundary(room.saturating_sub(4)));
                text.push_str(if room < 4 { "" } else { "...\n" });
            }
            self.left -= text.len();
            let _ = self.err.write_all(text.as_bytes());
        }
    }

    fn remove_status(&mut self) {
        if std::mem::take(&mut self.status) {
            let _ = self.err.write_all(NO_STATUS.as_bytes());
        }
    }

    /// Prints how many lines were left out for lack of room, if any were.
    pub fn end(&mut self) {
        let (healthy, unhealthy) = (self.omitted_healthy, self.omitted_unhealthy);
        if healthy + unhealthy > 0 {
            let line = format!(
                "... and {} more targets: {healthy} healthy, {unhealthy} not\n",
                healthy + unhealthy
            );
            let _ = match unhealthy {
                0 => self.out.write_all(line.as_bytes()),
                _ => self.err.write_all(line.as_bytes()),
            };
        }
    }
}
