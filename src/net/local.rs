//! Which addresses are this machine's own.

use super::{family, socket};
use rustix::net::{SocketFlags, SocketType};
use std::net::{IpAddr, SocketAddr};

/// Whether `ip` is an address of this machine. Loopback is. For any other address the routing table is asked, by
/// connecting a UDP socket, which sends nothing: the kernel then names the source address that it would use, and that is
/// `ip` itself only where `ip` is local. (To bind to `ip` would prove nothing where `ip_nonlocal_bind` is set.)
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
