//! Where a target listens.

use super::Complaint;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

/// Where a target listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A port of this machine.
    Port(Host, u16),
    /// A unix socket.
    Unix(PathBuf),
}

/// A name or address that can be this machine's. Whether an address really is, only the machine can say:
/// [`crate::net::is_here`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// 127.0.0.1, then ::1. `0.0.0.0` and `[::]` are this too.
    Localhost,
    /// `self`: the address on which somebody listens on the port, when it is asked ([`crate::net::own`]).
    Own,
    /// One address.
    Ip(IpAddr),
}

/// The message for an address that is not this machine's.
pub const NOT_THIS_MACHINE: &str =
    "is not this machine: only localhost or one of its own IP addresses is asked";

/// The message for a name. Names other than localhost are never resolved.
const NOT_LOOKED_UP: Complaint = "names a host, and no name but localhost is looked up; \
     write localhost, an IP address of this machine, or self: the address that is listened on";

/// Parses a host: `localhost`, `self`, an IPv4 address, or an IPv6 address with or without brackets.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn host(text: &str) -> Result<Host, Complaint> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let ip = match bare {
        Some(inside) => inside.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse().ok(),
    };
    match ip {
        Some(ip) if ip.is_unspecified() => Ok(Host::Localhost),
        Some(IpAddr::V6(ip)) if ip.to_ipv4_mapped() == Some(Ipv4Addr::UNSPECIFIED) => {
            Ok(Host::Localhost)
        }
        Some(ip) => Ok(Host::Ip(ip)),
        None if text.eq_ignore_ascii_case("localhost") => Ok(Host::Localhost),
        None if text.eq_ignore_ascii_case("self") => Ok(Host::Own),
        None if text.is_empty() => Err("has no host: write localhost"),
        None => Err(NOT_LOOKED_UP),
    }
}

/// Parses a port.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn port(text: &str) -> Result<u16, Complaint> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err("is not a port (1-65535)"),
    }
}

/// Parses the path of a unix socket.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn unix_socket(text: &str) -> Result<PathBuf, Complaint> {
    // struct sockaddr_un has 108 bytes on Linux, the NUL at the end included.
    match text.len() {
        0 => Err("is empty: write the path of a socket"),
        1..=107 => Ok(text.into()),
        _ => Err("is longer than the 107 bytes that a socket's path can have"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for same in [
            "localhost",
            "LocalHost",
            "0.0.0.0",
            "::",
            "[::]",
            "[::ffff:0.0.0.0]",
        ] {
            assert_eq!(host(same), Ok(Host::Localhost), "{same}");
        }
        assert_eq!(host("::1"), host("[::1]"));
        assert_eq!((host("self"), host("Self")), (Ok(Host::Own), Ok(Host::Own)));
        assert!(host("self.").is_err() && host("[self]").is_err());
    }
}
