//! Connecting to a place under the deadline, over TCP, UDP or a unix socket. Nothing but this machine is ever dialled, and
//! `localhost` is resolved without files or DNS.

use super::datagram::answered;
use super::{Stream, Transport, family, is_here, own, ready, socket};
use crate::deadline::{Deadline, Expired};
use crate::target::{Host, Place};
use crate::verdict::{Failure, Peer, Phase};
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

/// Who sends first on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening<'a> {
    /// The client, at once.
    ClientFirst,
    /// The server, or neither.
    ServerFirst,
    /// Over UDP: this is sent until something comes, which is then to be read. Only that tells whether anybody is there.
    Datagram(&'a [u8]),
}

impl Opening<'_> {
    /// [`Opening::ClientFirst`] if the client has bytes to send first.
    pub fn for_first_bytes(bytes: &[u8]) -> Self {
        match bytes {
            [] => Opening::ServerFirst,
            _ => Opening::ClientFirst,
        }
    }
}

/// Connects to `place`. With [`Opening::ClientFirst`], the caller must send at once.
///
/// # Errors
/// [`Failure`]: that all addresses refused, or else why the first one that did not refuse could not be reached.
pub fn dial(place: &Place, opening: Opening, deadline: &Deadline) -> Result<Stream, Box<Failure>> {
    match place {
        Place::Unix(path) => dial_unix(path, deadline),
        &Place::Port(host, port) => {
            let transport = match opening {
                Opening::Datagram(_) => Transport::Udp,
                _ => Transport::Tcp,
            };
            match own(host, port, transport) {
                Host::Ip(ip) if !is_here(ip) => Err(Failure::NotThisMachine(ip)),
                host => dial_ip(host, port, opening, deadline),
            }
        }
    }
    .map_err(Box::new)
}

fn dial_unix(path: &Path, deadline: &Deadline) -> Result<Stream, Failure> {
    let peer = Peer::Unix(path.to_owned());
    let connected = match SocketAddrUnix::new(path) {
        Ok(address) => connected_unix(&address, deadline),
        Err(errno) => Err(Ok(errno)),
    };
    match connected {
        Ok(fd) => Ok(Stream {
            fd,
            peer,
            is_reset: false,
        }),
        Err(Ok(Errno::CONNREFUSED)) => Err(Failure::Refused(vec![peer])),
        Err(Ok(errno)) => Err(unreachable(peer, errno)),
        Err(Err(Expired)) => Err(timed_out(peer)),
    }
}

fn dial_ip(
    host: Host,
    port: u16,
    opening: Opening,
    deadline: &Deadline,
) -> Result<Stream, Failure> {
    let mut refused = Vec::new();
    let mut failure = None;
    for address in addresses(host, port) {
        let (peer, connected) = match opening {
            Opening::Datagram(question) => {
                (Peer::Udp(address), answered(address, question, deadline))
            }
            _ => (
                Peer::Tcp(address),
                connected_tcp(address, opening, deadline),
            ),
        };
        match connected {
            Ok((fd, is_reset)) => return Ok(Stream { fd, peer, is_reset }),
            Err(Ok(Errno::CONNREFUSED)) => refused.push(peer),
            Err(Ok(errno)) => {
                failure.get_or_insert(unreachable(peer, errno));
            }
            Err(Err(Expired)) => return Err(timed_out(peer)),
        }
    }
    // A refusal says more than "no IPv6 here", so it is the failure that is reported.
    let failure = failure.filter(|_| refused.is_empty());
    Err(failure.unwrap_or(Failure::Refused(refused)))
}

/// The addresses to try, in order. `host` is no [`Host::Own`] any more.
fn addresses(host: Host, port: u16) -> impl Iterator<Item = SocketAddr> {
    let both = match host {
        Host::Localhost | Host::Own => [
            Some(Ipv4Addr::LOCALHOST.into()),
            Some(Ipv6Addr::LOCALHOST.into()),
        ],
        Host::Ip(ip) => [Some(ip), None],
    };
    both.into_iter()
        .flatten()
        .map(move |ip: IpAddr| SocketAddr::new(ip, port))
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

/// Lets the handshake's last acknowledgement travel with the first bytes that are sent: fewer packets, and the server
/// wakes up once, with the request already there. HAProxy calls it smart connect. The kernel may ignore it (tcp(7)).
/// Not where the server speaks first: it would wait for that acknowledgement.
#[cfg(target_os = "linux")]
fn delay_handshake_ack(socket: &OwnedFd) {
    let _ = rustix::net::sockopt::set_tcp_quickack(socket, false);
}

#[cfg(not(target_os = "linux"))]
fn delay_handshake_ack(_: &OwnedFd) {}

/// How long connecting to a unix socket blocks at a time. A socket's own timeout runs on the kernel's timer wheel, which
/// is exact to a few milliseconds for a time as short as this, and only to seconds for long ones.
const SLICE: Duration = Duration::from_millis(100);

/// Connects to a TCP address without blocking; [`ready`] waits. Returns also whether the connection was already reset.
/// `connect` is not called a second time to find that out: it would disconnect the socket, and lose what the peer sent
/// before.
fn connected_tcp(
    address: SocketAddr,
    opening: Opening,
    deadline: &Deadline,
) -> Result<(OwnedFd, bool), Result<Errno, Expired>> {
    let fd = socket(family(address), SocketType::STREAM, SocketFlags::NONBLOCK).map_err(Ok)?;
    if opening == Opening::ClientFirst {
        delay_handshake_ack(&fd);
    }
    match rustix::net::connect(&fd, &address) {
        Ok(()) => return Ok((fd, false)),
        Err(Errno::INPROGRESS | Errno::INTR) => {}
        Err(errno) => return Err(Ok(errno)),
    }
    let events = ready(&fd, PollFlags::OUT, deadline).map_err(Err)?;
    if !events.intersects(PollFlags::ERR | PollFlags::HUP) {
        return Ok((fd, false));
    }
    match rustix::net::sockopt::socket_error(&fd).map_err(Ok)? {
        Ok(()) => Ok((fd, false)),
        // Only an open connection can be reset; one that was never open is refused.
        Err(Errno::CONNRESET | Errno::PIPE) => Ok((fd, true)),
        Err(errno) => Err(Ok(errno)),
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
