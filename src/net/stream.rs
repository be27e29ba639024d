//! A connection: reading and writing under the deadline, and what a failure of either is called.

use super::ready;
use crate::deadline::{Deadline, Expired};
use crate::verdict::{Failure, Peer, Phase};
use rustix::buffer::spare_capacity;
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use std::os::fd::OwnedFd;

/// A connection to a target.
#[derive(Debug)]
pub struct Stream {
    pub(super) fd: OwnedFd,
    pub(super) peer: Peer,
    /// Whether the peer had reset the connection when it was found open. What it sent before can still be read.
    pub(super) is_reset: bool,
}

impl Stream {
    /// The other end.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Waits until something has come, appends it to `received`, and returns its length; 0 at the end. Reads at most `room`
    /// bytes, or more where `received` has that much spare capacity already. `phase` is the phase that a failure names.
    ///
    /// # Errors
    /// [`Failure::TimedOut`], [`Failure::Reset`], [`Failure::Io`].
    pub fn read(
        &self,
        received: &mut Vec<u8>,
        room: usize,
        phase: Phase,
        deadline: &Deadline,
    ) -> Result<usize, Box<Failure>> {
        // `reserve` doubles the capacity, so what comes byte by byte is not copied each time.
        received.reserve(room);
        loop {
            // A reply takes a while, so to try to read before waiting would be a wasted call.
            ready(&self.fd, PollFlags::IN, deadline).map_err(|Expired| self.timed_out(phase))?;
            match rustix::net::recv(&self.fd, spare_capacity(received), RecvFlags::DONTWAIT) {
                Ok((0, _)) if self.is_reset => return Err(io(phase, Errno::CONNRESET)),
                Ok((read, _)) => return Ok(read),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(io(phase, errno)),
            }
        }
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// [`Failure::TimedOut`], [`Failure::Reset`], [`Failure::Io`].
    pub fn write(&self, mut bytes: &[u8], deadline: &Deadline) -> Result<(), Box<Failure>> {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        loop {
            // A request nearly always fits the socket's buffer, so the first try does not wait.
            match rustix::net::send(&self.fd, bytes, flags) {
                Ok(written) if written == bytes.len() => return Ok(()),
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(io(Phase::Send, errno)),
            }
            ready(&self.fd, PollFlags::OUT, deadline)
                .map_err(|Expired| self.timed_out(Phase::Send))?;
        }
    }

    fn timed_out(&self, phase: Phase) -> Box<Failure> {
        Box::new(Failure::TimedOut {
            phase,
            peer: Some(self.peer.clone()),
        })
    }
}

fn io(phase: Phase, errno: Errno) -> Box<Failure> {
    Box::new(match errno {
        Errno::CONNRESET | Errno::PIPE => Failure::Reset { phase },
        errno => Failure::Io {
            phase,
            errno: errno.raw_os_error(),
        },
    })
}
