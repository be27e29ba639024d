//! Sockets as a checker may meet them, where no server is needed.

use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

/// A port where nothing listens, for as long as the socket lives.
pub fn deaf_port() -> (OwnedFd, u16) {
    let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None).expect("make a socket");
    net::bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).expect("bind a free port");
    let address = net::getsockname(&socket).expect("the address of a socket");
    let address = SocketAddr::try_from(address).expect("an address of IPv4");
    (socket, address.port())
}

/// A listener that accepts nobody, with its queue full: `connect` waits there.
pub fn full_unix_socket(file: &Path) -> impl Sized {
    let listener = UnixListener::bind(file).expect("bind a unix socket");
    net::listen(&listener, 0).expect("shorten the queue");
    let address = SocketAddrUnix::new(file).expect("a path that fits");
    let mut queue = Vec::new();
    loop {
        let flags = SocketFlags::NONBLOCK;
        let socket = net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
            .expect("make a socket");
        if net::connect(&socket, &address).is_err() {
            return (listener, queue);
        }
        queue.push(socket);
    }
}

/// Makes the connection end in a reset instead of a goodbye, which is what a crash looks like.
pub fn reset(connection: &TcpStream) {
    net::sockopt::set_socket_linger(connection, Some(Duration::ZERO)).expect("set SO_LINGER");
}
