//! UDP: a question, until something comes from whom it was sent to.

use super::{family, ready, socket};
use crate::deadline::{Deadline, Expired};
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{SendFlags, SocketFlags, SocketType};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// When to ask again. A datagram can be lost even on loopback, where the queue of the server is full.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// A socket on which a datagram has come from `address`, and that it is not reset. The socket is connected: it receives from
/// there alone, and hears when there is nobody.
pub fn answered(
    address: SocketAddr,
    question: &[u8],
    deadline: &Deadline,
) -> Result<(OwnedFd, bool), Result<Errno, Expired>> {
    let fd = socket(family(address), SocketType::DGRAM, SocketFlags::empty()).map_err(Ok)?;
    rustix::net::connect(&fd, &address).map_err(Ok)?;
    loop {
        rustix::net::send(&fd, question, SendFlags::DONTWAIT).map_err(Ok)?;
        match ready(&fd, PollFlags::IN, &deadline.or_within(ASK_AGAIN)) {
            // Sending again tells which error it is.
            Ok(events) if events.contains(PollFlags::ERR) => {}
            Ok(_) => return Ok((fd, false)),
            Err(Expired) => drop(deadline.remaining().map_err(Err)?),
        }
    }
}
