//! Hints for a failure. No I/O: what the system knows comes through a function.

use crate::cgroup::Sign;
use crate::net::{Transport, reaching};
use crate::protocol::recognised;
use crate::search;
use crate::target::Host;
use crate::verdict::{Failure, Peer, Phase, Snippet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What to try, or what else is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// The connection was refused; these addresses of the container are listening. There can be none.
    Listening(String),
    /// The reply is that of another protocol: its name.
    Speaks(&'static str),
    /// The peer hung up on the first bytes, as a server that speaks TLS does.
    MayBeTls,
    /// The container was short of something.
    Starved([Option<Sign>; 2]),
}

/// At most this many listeners are named.
const MOST: usize = 8;

/// The hint for `failure`. `may_be_tls` says that nothing came to what a server that speaks TLS would not understand;
/// `listeners` gives the addresses that are listened on, where they can be known, and `starved` what the container was short of.
pub fn advise(
    failure: &Failure,
    may_be_tls: bool,
    listeners: impl FnOnce(Transport) -> Option<Vec<SocketAddr>>,
    starved: impl FnOnce() -> [Option<Sign>; 2],
) -> Option<Hint> {
    match failure {
        Failure::Refused(peers) => {
            let (transport, asked) = match peers.first()? {
                Peer::Tcp(asked) => (Transport::Tcp, asked),
                Peer::Udp(asked) => (Transport::Udp, asked),
                Peer::Unix(_) => return None,
            };
            let found = listeners(transport)?;
            // Where something listens by now that has just refused, there is nothing else to write.
            let own = match reaching(&found, asked.port()) {
                Host::Ip(ip) if ip.to_canonical() != asked.ip().to_canonical() => Some(ip),
                _ => None,
            };
            Some(Hint::Listening(named(found, transport, asked.port(), own)))
        }
        Failure::NotHttp { got } => speaks(got, "HTTP"),
        Failure::WrongProtocol { scheme, got } => speaks(got, scheme),
        Failure::ClosedEarly { got, .. } if !got.is_empty() => None,
        Failure::ClosedEarly { phase, .. } | Failure::Reset { phase }
            if may_be_tls && matches!(phase, Phase::StatusLine | Phase::Reply) =>
        {
            Some(Hint::MayBeTls)
        }
        Failure::TimedOut { .. } | Failure::NotAsked => match starved() {
            [None, None] => None,
            signs => Some(Hint::Starved(signs)),
        },
        _ => None,
    }
}

/// The protocol of a reply, if it is recognised and not the one that was asked.
fn speaks(got: &Snippet, asked: &str) -> Option<Hint> {
    let name = got.inspect(recognised)?.name;
    let (one, other) = search::split_once(name, " or ").unwrap_or((name, name));
    let is_asked = one.eq_ignore_ascii_case(asked) || other.eq_ignore_ascii_case(asked);
    (!is_asked).then_some(Hint::Speaks(name))
}

/// Addresses by port, each once; `*` is any address. Those of the port that was asked come first, and `own` is the one among them
/// that the host `self` reaches.
fn named(
    addresses: Vec<SocketAddr>,
    transport: Transport,
    asked: u16,
    own: Option<IpAddr>,
) -> String {
    let mut found: Vec<(bool, u16, IpAddr)> = Vec::new();
    for address in addresses {
        // The IPv4 and the IPv6 wildcard are both `*`; and Java binds IPv4 addresses as mapped ones.
        let ip = match address.ip().to_canonical() {
            ip if ip.is_unspecified() => Ipv4Addr::UNSPECIFIED.into(),
            ip => ip,
        };
        // Kept in order, because to sort would cost kilobytes of code.
        let this = (address.port() != asked, address.port(), ip);
        if let Err(at) = found.binary_search(&this) {
            found.insert(at, this);
            // One more than is named, to know that there are more.
            found.truncate(MOST + 1);
        }
    }
    let mut names = String::new();
    for (at, &(other, port, ip)) in found.iter().enumerate() {
        names.push_str(if at > 0 { ", " } else { "" });
        if at == MOST {
            names.push_str("...");
            break;
        }
        names.push_str(&match ip.is_unspecified() {
            true => format!("*:{port}"),
            false => SocketAddr::new(ip, port).to_string(),
        });
        names.push_str(match transport {
            Transport::Tcp => "",
            Transport::Udp => "/udp",
        });
        if !other && own == Some(ip) {
            names.push_str(" (write self as the host)");
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_who_listens() {
        let refused = Failure::Refused(vec![Peer::Tcp("127.0.0.1:80".parse().unwrap())]);
        let found = |addresses: &[&str]| {
            let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
            advise(&refused, false, |_| Some(addresses), || [None; 2])
        };
        let listening = |names: &[&str]| Some(Hint::Listening(names.join(", ")));
        assert_eq!(
            found(&[
                "[::ffff:127.0.0.1]:9090",
                "0.0.0.0:6767",
                "[::1]:8080",
                "[::]:6767",
                "127.0.0.1:9090",
            ]),
            listening(&["*:6767", "[::1]:8080", "127.0.0.1:9090"])
        );
        assert_eq!(found(&[]), listening(&[]));
        // The same port elsewhere comes first, and what reaches it.
        for (addresses, names) in [
            (
                &["127.0.0.1:22", "[::ffff:10.0.0.2]:80", "172.17.0.2:80"][..],
                &[
                    "10.0.0.2:80 (write self as the host)",
                    "172.17.0.2:80",
                    "127.0.0.1:22",
                ][..],
            ),
            (&["*:22", "[fe80::1]:80"], &["[fe80::1]:80", "*:22"]),
            (&["*:22", "[::]:80"], &["*:80", "*:22"]),
            // It listens since a moment ago.
            (&["127.0.0.1:80"], &["127.0.0.1:80"]),
        ] {
            let addresses: Vec<String> = addresses
                .iter()
                .map(|text| text.replace("*:", "0.0.0.0:"))
                .collect();
            let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
            assert_eq!(found(&addresses), listening(names));
        }
        let over_udp = Failure::Refused(vec![Peer::Udp("[::1]:53".parse().unwrap())]);
        let found_over_udp = advise(
            &over_udp,
            false,
            |transport| {
                assert_eq!(transport, Transport::Udp);
                Some(vec!["172.17.0.2:53".parse().unwrap()])
            },
            || [None; 2],
        );
        let hint = listening(&["172.17.0.2:53/udp (write self as the host)"]);
        assert_eq!(found_over_udp, hint);
        let many: Vec<String> = (1..50)
            .rev()
            .map(|port| format!("0.0.0.0:{port}"))
            .collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(
            found(&many),
            listening(&[
                "*:1", "*:2", "*:3", "*:4", "*:5", "*:6", "*:7", "*:8", "..."
            ])
        );
        assert_eq!(advise(&refused, false, |_| None, || [None; 2]), None);
        assert_eq!(
            advise(
                &Failure::LongHead,
                true,
                |_| panic!("looked for nothing"),
                || panic!("looked for nothing")
            ),
            None
        );
    }
}
