//! The sockets: dialling, reading and writing under the deadline; which addresses are this machine's; who listens.

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

mod datagram;
mod dial;
pub mod listeners;
mod local;
mod own;
mod poll;
mod stream;

pub use dial::{Opening, dial};
pub use listeners::{Transport, listeners};
pub use local::is_here;
pub use own::{own, reaching};
pub use poll::{is_ready, ready};
pub use stream::Stream;

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
