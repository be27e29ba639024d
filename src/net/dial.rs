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
    let mut refused = Vec::new();
    let mut failed = None;
    for peer in peers(place, opening)?.into_iter().flatten() {
        let connected = match (&peer, opening) {
            (&Peer::Udp(address), Opening::Datagram(question)) => {
                answered(address, question, deadline)
            }
            (&Peer::Tcp(address) | &Peer::Udp(address), _) => {
                connected_tcp(address, opening, deadline)
            }
            (Peer::Unix(path), _) => connected_unix(path, deadline),
        };
        match connected {
            Ok((fd, is_reset)) => return Ok(Stream { fd, peer, is_reset }),
            Err(Ok(Errno::CONNREFUSED)) => refused.push(peer),
            Err(Ok(errno)) if failed.is_none() => failed = Some((peer, errno.raw_os_error())),
            Err(Ok(_)) => {}
            Err(Err(Expired)) => {
                return Err(Box::new(Failure::TimedOut {
                    phase: Phase::Connect,
                    peer: Some(peer),
                }));
            }
        }
    }
    Err(Box::new(match failed {
        // A refusal says more than "no IPv6 here", so it is the failure that is reported.
        Some((peer, errno)) if refused.is_empty() => Failure::Unreachable { peer, errno },
        _ => Failure::Refused(refused),
    }))
}

/// Whom to try, in order.
fn peers(place: &Place, opening: Opening) -> Result<[Option<Peer>; 2], Box<Failure>> {
    let (host, port) = match place {
        Place::Unix(path) => return Ok([Some(Peer::Unix(path.to_owned())), None]),
        &Place::Port(host, port) => (host, port),
    };
    let transport = match opening {
        Opening::Datagram(_) => Transport::Udp,
        _ => Transport::Tcp,
    };
    let peer = |ip: IpAddr| {
        let address = SocketAddr::new(ip, port);
        Some(match transport {
            Transport::Tcp => Peer::Tcp(address),
            Transport::Udp => Peer::Udp(address),
        })
    };
    match own(host, port, transport) {
        Host::Ip(ip) if !is_here(ip) => Err(Box::new(Failure::NotThisMachine(ip))),
        Host::Ip(ip) => Ok([peer(ip), None]),
        // `own` leaves no `Host::Own`.
        Host::Localhost | Host::Own => Ok([
            peer(Ipv4Addr::LOCALHOST.into()),
            peer(Ipv6Addr::LOCALHOST.into()),
        ]),
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
    path: &Path,
    deadline: &Deadline,
) -> Result<(OwnedFd, bool), Result<Errno, Expired>> {
    let address = SocketAddrUnix::new(path).map_err(Ok)?;
    let fd = socket(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::empty(),
    )
    .map_err(Ok)?;
    loop {
        let left = deadline.remaining().map_err(Err)?.min(SLICE);
        set_socket_timeout(&fd, Timeout::Send, Some(left)).map_err(Ok)?;
        match rustix::net::connect(&fd, &address) {
            Ok(()) | Err(Errno::ISCONN) => return Ok((fd, false)),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => return Err(Ok(errno)),
        }
    }
}
