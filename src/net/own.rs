//! The host `self`: the address of this machine on which somebody listens. Some services bind the container's own address
//! and not its loopback.

use super::{Transport, listeners};
use crate::target::Host;
use std::net::{IpAddr, SocketAddr};

/// `host`, where [`Host::Own`] is the host that reaches a listener on `port` now. Nobody listens there, or it cannot be known:
/// then it is localhost, where a refusal is the answer.
pub fn own(host: Host, port: u16, transport: Transport) -> Host {
    match host {
        Host::Own => reaching(&listeners(transport, true).unwrap_or_default(), port),
        host => host,
    }
}

/// The host that reaches a listener on `port`: the first in the list that is not loopback, which can be asked as localhost, or
/// else the first.
pub fn reaching(listeners: &[SocketAddr], port: u16) -> Host {
    let mut best = None;
    for address in listeners.iter().filter(|address| address.port() == port) {
        match address.ip().to_canonical() {
            ip if ip.is_unspecified() => return Host::Localhost,
            // It can be on every interface, and would need the name of one.
            IpAddr::V6(ip) if ip.is_unicast_link_local() => {}
            ip if best.is_none_or(|best: IpAddr| best.is_loopback()) => best = Some(ip),
            _ => {}
        }
    }
    best.map_or(Host::Localhost, Host::Ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_reached() {
        for (listeners, host) in [
            (&[][..], None),
            (&["172.17.0.2:1"], None),
            (&["172.17.0.2:80"], Some("172.17.0.2")),
            // Java binds IPv4 addresses as mapped ones.
            (&["[::ffff:172.17.0.2]:80"], Some("172.17.0.2")),
            (&["172.17.0.2:80", "0.0.0.0:80"], None),
            (&["[::]:80"], None),
            (&["172.17.0.2:80", "[::]:81"], Some("172.17.0.2")),
            (&["127.0.0.1:80"], Some("127.0.0.1")),
            (
                &["127.0.0.1:80", "[fd00::2]:80", "172.17.0.2:80"],
                Some("fd00::2"),
            ),
            (&["[fe80::1]:80"], None),
            (&["[fe80::1]:80", "127.0.0.53:80"], Some("127.0.0.53")),
        ] {
            let parsed: Vec<SocketAddr> =
                listeners.iter().map(|text| text.parse().unwrap()).collect();
            let host = host.map_or(Host::Localhost, |ip| Host::Ip(ip.parse().unwrap()));
            assert_eq!(reaching(&parsed, 80), host, "{listeners:?}");
        }
    }
}
