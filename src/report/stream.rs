//! The standard streams, written to under the deadline.

use crate::deadline::{Deadline, Expired};
use crate::net;
use rustix::event::PollFlags;
use std::io::{ErrorKind, IsTerminal, Write};
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// How long after the deadline a line may still wait for its reader: the verdict can be as late as the deadline itself.
pub const OFFER: Duration = Duration::from_millis(10);

/// A stream without a buffer: a line is one system call, and nothing is left to flush. Writing to a full pipe that nobody
/// reads fails at the deadline.
#[derive(Debug)]
pub struct Unbuffered {
    /// Standard output or error.
    pub fd: BorrowedFd<'static>,
    /// When a write that blocks fails.
    pub deadline: Deadline,
}

impl Unbuffered {
    /// How wide it is, if it is a terminal.
    pub fn columns(&self) -> Option<usize> {
        match rustix::termios::tcgetwinsize(self.fd).ok()?.ws_col {
            // It does not say. This is what most programs assume then.
            0 => Some(80),
            columns => Some(columns.into()),
        }
    }
}

impl Write for Unbuffered {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // A pipe that is ready takes this much without blocking, pipe(7).
        const PIPE_BUF: usize = 4096;
        let bytes = &bytes[..bytes.len().min(PIPE_BUF)];
        if let Some(written) = written_without_waiting(self.fd, bytes) {
            return Ok(written);
        }
        let waited = net::ready(&self.fd, PollFlags::OUT, &self.deadline);
        if waited == Err(Expired) && !net::is_ready(&self.fd, PollFlags::OUT) {
            return Err(ErrorKind::TimedOut.into());
        }
        // A terminal says that it is ready when it has room for one byte.
        let most = match self.fd.is_terminal() {
            true => bytes.len().min(1),
            false => bytes.len(),
        };
        Ok(rustix::io::write(self.fd, &bytes[..most])?)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Writes where that needs no waiting, in one system call. None where it does, and where the system cannot tell.
#[cfg(target_os = "linux")]
fn written_without_waiting(fd: BorrowedFd, bytes: &[u8]) -> Option<usize> {
    use rustix::io::{ReadWriteFlags, pwritev2};
    let whole = [std::io::IoSlice::new(bytes)];
    // An offset of -1 stands for the position of the stream.
    pwritev2(fd, &whole, u64::MAX, ReadWriteFlags::NOWAIT).ok()
}

#[cfg(not(target_os = "linux"))]
fn written_without_waiting(_: BorrowedFd, _: &[u8]) -> Option<usize> {
    None
}
