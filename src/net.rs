//! Loopback or nothing: resolving without files or DNS, and dialling TCP and unix sockets under the deadline.

use crate::check::{Host, Place};
use crate::deadline::{Deadline, Expired};
use crate::verdict::{Failure, Peer, Phase};
use rustix::buffer::spare_capacity;
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::Duration;

#[doc(hidden)]
pub mod listeners;
mod poll;

pub use listeners::listeners;
pub use poll::ready;

/// Whether `ip` is an address of this machine. Loopback is; of another address the routing table is asked, by
/// connecting a UDP socket, which sends nothing: the kernel answers with the source address that it would use, and
/// that is the address itself only where it is local. (Binding would be fooled by `ip_nonlocal_bind`.)
pub fn is_here(ip: IpAddr) -> bool {
    if ip.to_canonical().is_loopback() {
        return true;
    }
    let source = || {
        // The port does not matter: 9 is "discard".
        let address = SocketAddr::new(ip, 9);
        let socket = socket(family(address), SocketType::DGRAM, SocketFlags::empty())?;
        rustix::net::connect(&socket, &address)?;
        SocketAddr::try_from(rustix::net::getsockname(&socket)?)
    };
    source().is_ok_and(|source| source.ip() == ip)
}

fn family(address: SocketAddr) -> AddressFamily {
    if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    }
}

fn socket(family: AddressFamily, kind: SocketType, flags: SocketFlags) -> Result<OwnedFd, Errno> {
    rustix::net::socket_with(family, kind, flags | SocketFlags::CLOEXEC, None)
}

/// The addresses to try, in order.
fn addresses(host: Host, port: u16) -> impl Iterator<Item = SocketAddr> {
    let both = match host {
        Host::Localhost => [
            Some(Ipv4Addr::LOCALHOST.into()),
            Some(Ipv6Addr::LOCALHOST.into()),
        ],
        Host::Ip(ip) => [Some(ip), None],
    };
    both.into_iter()
        .flatten()
        .map(move |ip: IpAddr| SocketAddr::new(ip, port))
}

/// A connection to a target.
#[derive(Debug)]
pub struct Stream {
    fd: OwnedFd,
    peer: Peer,
}

fn unreachable(peer: Peer, errno: Errno) -> Failure {
    Failure::Unreachable {
        peer,
        errno: errno.raw_os_error(),
    }
}

fn timed_out(peer: Peer) -> Failure {
    Failure::TimedOut {
        phase: Phase::Connect,
        peer: Some(peer),
    }
}

/// Who says the first word on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// The client, at once.
    Ours,
    /// The server; or nobody says a word.
    Theirs,
}

impl First {
    /// Whose it is where the client begins with `word`, which is empty if the client has nothing to say.
    pub fn word(word: &[u8]) -> Self {
        match word {
            [] => First::Theirs,
            _ => First::Ours,
        }
    }
}

/// Connects to `place`. Where the first word is ours, the caller has to say it at once.
///
/// # Errors
/// [`Failure`], for the last address tried, or for all that refused.
pub fn dial(place: &Place, first: First, deadline: &Deadline) -> Result<Stream, Box<Failure>> {
    match place {
        Place::Unix(path) => {
            let peer = Peer::Unix(path.clone());
            let connected = match SocketAddrUnix::new(path.as_path()) {
                Ok(address) => connected_unix(&address, deadline),
                Err(errno) => Err(Ok(errno)),
            };
            Err(Box::new(match connected {
                Ok(fd) => return Ok(Stream { fd, peer }),
                Err(Ok(Errno::CONNREFUSED)) => Failure::Refused(vec![peer]),
                Err(Ok(errno)) => unreachable(peer, errno),
                Err(Err(Expired)) => timed_out(peer),
            }))
        }
        &Place::Tcp(Host::Ip(ip), _) if !is_here(ip) => Err(Box::new(Failure::NotThisMachine(ip))),
        &Place::Tcp(host, port) => {
            let mut refused = Vec::new();
            let mut failure = None;
            for address in addresses(host, port) {
                let peer = Peer::Tcp(address);
                match connected_tcp(address, first, deadline) {
                    Ok(fd) => return Ok(Stream { fd, peer }),
                    Err(Ok(Errno::CONNREFUSED)) => refused.push(peer),
                    Err(Ok(errno)) => {
                        failure.get_or_insert(unreachable(peer, errno));
                    }
                    Err(Err(Expired)) => return Err(Box::new(timed_out(peer))),
                }
            }
            // A machine without IPv6 says so of ::1: that somebody refused is the news.
            let failure = failure.filter(|_| refused.is_empty());
            Err(Box::new(failure.unwrap_or(Failure::Refused(refused))))
        }
    }
}

/// Lets the handshake's last acknowledgement travel with the first word, so that there are fewer packets, and the server
/// wakes up once, with the request already there. HAProxy calls it smart connect. It is no more than a wish, tcp(7), and a
/// server that speaks first would wait for it.
#[cfg(target_os = "linux")]
fn join_first_word(socket: &OwnedFd) {
    let _ = rustix::net::sockopt::set_tcp_quickack(socket, false);
}

#[cfg(not(target_os = "linux"))]
fn join_first_word(_: &OwnedFd) {}

/// How long a connection to a unix socket blocks at a time. A socket's own timeout runs on the kernel's timer wheel, which
/// is exact to a few milliseconds for a time as short as this, and to seconds for long ones.
const SLICE: Duration = Duration::from_millis(100);

/// Connects to a TCP address without blocking, so that it is [`ready`] that waits.
fn connected_tcp(
    address: SocketAddr,
    first: First,
    deadline: &Deadline,
) -> Result<OwnedFd, Result<Errno, Expired>> {
    let fd = socket(family(address), SocketType::STREAM, SocketFlags::NONBLOCK).map_err(Ok)?;
    if first == First::Ours {
        join_first_word(&fd);
    }
    let mut has_waited = false;
    loop {
        match rustix::net::connect(&fd, &address) {
            Ok(()) | Err(Errno::ISCONN) => return Ok(fd),
            // On loopback the connection is open, or refused, when the call returns: a second call tells which.
            Err(Errno::INPROGRESS | Errno::INTR) if !has_waited => has_waited = true,
            Err(Errno::INPROGRESS | Errno::ALREADY | Errno::AGAIN | Errno::INTR) => {
                ready(&fd, PollFlags::OUT, deadline).map_err(Err)?;
            }
            Err(errno) => return Err(Ok(errno)),
        }
    }
}

/// Connects to a unix socket. One whose queue is full cannot be polled, so the call blocks, a slice at a time.
fn connected_unix(
    address: &SocketAddrUnix,
    deadline: &Deadline,
) -> Result<OwnedFd, Result<Errno, Expired>> {
    let fd = socket(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::empty(),
    )
    .map_err(Ok)?;
    loop {
        let left = deadline.remaining().map_err(Err)?.min(SLICE);
        set_socket_timeout(&fd, Timeout::Send, Some(left)).map_err(Ok)?;
        match rustix::net::connect(&fd, address) {
            Ok(()) | Err(Errno::ISCONN) => return Ok(fd),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => return Err(Ok(errno)),
        }
    }
}

impl Stream {
    /// Whom this is connected to.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Appends what has come to `heard`, or waits for it; 0 at the end. There is room for `room` bytes, or for more where
    /// `heard` has that already. `phase` is what a failure is said to have happened in.
    ///
    /// # Errors
    /// [`Failure::TimedOut`], [`Failure::Reset`], [`Failure::Io`].
    pub fn read(
        &self,
        heard: &mut Vec<u8>,
        room: usize,
        phase: Phase,
        deadline: &Deadline,
    ) -> Result<usize, Box<Failure>> {
        // By doubling: what trickles in byte by byte must not be copied each time.
        heard.reserve(room);
        loop {
            // What was asked takes its time, so there is no use in looking before waiting.
            ready(&self.fd, PollFlags::IN, deadline).map_err(|Expired| self.timed_out(phase))?;
            match rustix::net::recv(&self.fd, spare_capacity(heard), RecvFlags::DONTWAIT) {
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
            // A request fits the socket's buffer, so the first try need not wait.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_here() {
        for here in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
            assert!(is_here(here.parse().unwrap()), "{here}");
        }
        // Documentation, multicast, broadcast.
        for elsewhere in [
            "192.0.2.1",
            "2001:db8::1",
            "224.0.0.1",
            "255.255.255.255",
            "ff02::1",
        ] {
            assert!(!is_here(elsewhere.parse().unwrap()), "{elsewhere}");
        }
    }
}
