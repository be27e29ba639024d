//! Who listens on this machine: what the kernel says of its listening TCP sockets, and of those that take datagrams from anyone.
//!
//! `/proc/net/tcp` lists every connection as well, and to read it the kernel walks the whole host's table of them, which
//! takes milliseconds even where there are few. `sock_diag(7)` can be asked for listening sockets alone. The text of
//! the files is read where the kernel has no `sock_diag`, or where a sandbox does not allow it.

#[cfg(target_os = "linux")]
pub mod diag;
pub mod proc;

use crate::proc::open;
#[cfg(target_os = "linux")]
use diag::diagnosed;
use proc::tabulated;
use rustix::fd::AsFd;
use rustix::fs::{Mode, OFlags};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

/// What is listened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Connections.
    Tcp,
    /// Datagrams.
    Udp,
}

impl Transport {
    /// The state of a socket that listens (include/net/tcp_states.h): `TCP_LISTEN`. One of UDP has no state of its own, and
    /// is `TCP_CLOSE` unless it is connected.
    pub fn listening(self) -> u8 {
        match self {
            Transport::Tcp => 10,
            Transport::Udp => 7,
        }
    }
}

/// The addresses on which somebody listens. None where that cannot be known, and, unless `even_if_hidden`, where files such as
/// `/proc/net/tcp` cannot be opened: in a container they list that container's sockets, and whoever hides them does not
/// want those listed.
pub fn listeners(transport: Transport, even_if_hidden: bool) -> Option<Vec<SocketAddr>> {
    let paths = match transport {
        Transport::Tcp => ["/proc/net/tcp", "/proc/net/tcp6"],
        Transport::Udp => ["/proc/net/udp", "/proc/net/udp6"],
    };
    let flags = OFlags::RDONLY | OFlags::NONBLOCK;
    let mut found = None;
    // A kernel without sock_diag is asked only once: it might try to load a module each time.
    let mut can_diagnose = true;
    for (path, is_v6) in paths.into_iter().zip([false, true]) {
        let file = open(Path::new(path), flags, Mode::empty()).ok();
        if file.is_none() && !even_if_hidden {
            continue;
        }
        let diagnosed = can_diagnose.then(|| diagnosed(transport, is_v6)).flatten();
        can_diagnose = diagnosed.is_some();
        let tabulated = || tabulated(file?.as_fd(), transport);
        if let Some(listeners) = diagnosed.or_else(tabulated) {
            found.get_or_insert_with(Vec::new).extend(listeners);
        }
    }
    found
}

/// An address by its bytes, in network order.
fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match <[u8; 4]>::try_from(bytes) {
        Ok(four) => Some(four.into()),
        Err(_) => Some(<[u8; 16]>::try_from(bytes).ok()?.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn diagnosed(_: Transport, _: bool) -> Option<Vec<SocketAddr>> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::net::{TcpListener, UdpSocket};

    /// The kernel says the same in both ways of the sockets that `bind` makes.
    fn the_same_in_both_ways<T>(
        transport: Transport,
        (host, path): (&str, &str),
        bind: impl Fn(&str) -> Option<(T, SocketAddr)>,
    ) {
        // So many that the answer has several parts (each listener takes 88 bytes or more), and not so many that they
        // are more files than a process may open.
        let bound: Vec<(T, SocketAddr)> = (0..95).map_while(|_| bind(host)).collect();
        let is_v6 = host == "::1";
        if bound.is_empty() {
            // A machine without IPv6: nobody listens there, and nothing is to be found.
            assert!(is_v6);
            return;
        }
        let file = std::fs::File::open(path).unwrap();
        let tabulated = tabulated(file.as_fd(), transport).unwrap();
        let diagnosed = diagnosed(transport, is_v6).unwrap_or_else(|| {
            // Some sandboxes have none; this project's CI has.
            assert!(std::env::var_os("CI").is_none(), "no sock_diag");
            tabulated.clone()
        });
        for (_, address) in bound {
            assert!(tabulated.contains(&address), "{address}");
            assert!(diagnosed.contains(&address), "{address}");
        }
    }

    #[test]
    fn listeners_are_found() {
        for at in [("127.0.0.1", "/proc/net/tcp"), ("::1", "/proc/net/tcp6")] {
            the_same_in_both_ways(Transport::Tcp, at, |host| {
                let socket = TcpListener::bind((host, 0)).ok()?;
                let address = socket.local_addr().ok()?;
                Some((socket, address))
            });
        }
    }

    #[test]
    fn takers_of_datagrams_are_found() {
        for at in [("127.0.0.1", "/proc/net/udp"), ("::1", "/proc/net/udp6")] {
            the_same_in_both_ways(Transport::Udp, at, |host| {
                let socket = UdpSocket::bind((host, 0)).ok()?;
                let address = socket.local_addr().ok()?;
                Some((socket, address))
            });
        }
        // One that is connected takes them from its peer alone.
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect("127.0.0.1:9").unwrap();
        let found = listeners(Transport::Udp, false).unwrap();
        assert!(!found.contains(&socket.local_addr().unwrap()));
    }
}
