//! Hints for a failure. No I/O: what the system knows comes through a function.

use crate::cgroup::Sign;
use crate::protocol::recognised;
use crate::search;
use crate::verdict::{Failure, Peer, Phase, Snippet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What to try, or what else is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// The connection was refused; these addresses of the container are listening. The list can be empty.
    Listening(Vec<String>),
    /// The reply is that of another protocol: its name.
    Speaks(&'static str),
    /// The peer hung up on the first bytes, as a server that speaks TLS does.
    MayBeTls,
    /// The container was short of something.
    Starved(Vec<Sign>),
}

/// At most this many listeners are named.
const MOST: usize = 8;

/// The hint for `failure`. `may_be_tls` says that nothing came to what a server that speaks TLS would not understand;
/// `listeners` gives the listening addresses, where they can be known, and `starved` what the container was short of.
pub fn advise(
    failure: &Failure,
    may_be_tls: bool,
    listeners: impl FnOnce() -> Option<Vec<SocketAddr>>,
    starved: impl FnOnce() -> Vec<Sign>,
) -> Option<Hint> {
    match failure {
        Failure::Refused(peers) if peers.iter().any(|peer| matches!(peer, Peer::Tcp(_))) => {
            listeners().map(|found| Hint::Listening(named(found)))
        }
        Failure::NotHttp { got } => speaks(got, "HTTP"),
        Failure::WrongProtocol { scheme, got } => speaks(got, scheme),
        Failure::ClosedEarly { got, .. } if !got.is_empty() => None,
        Failure::ClosedEarly { phase, .. } | Failure::Reset { phase }
            if may_be_tls && matches!(phase, Phase::StatusLine | Phase::Reply) =>
        {
            Some(Hint::MayBeTls)
        }
        Failure::TimedOut { .. } | Failure::NotAsked => Some(starved())
            .filter(|signs| !signs.is_empty())
            .map(Hint::Starved),
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

/// Addresses by port, each once; `*` is any address.
fn named(addresses: Vec<SocketAddr>) -> Vec<String> {
    let mut found: Vec<(u16, IpAddr)> = Vec::new();
    for address in addresses {
        // The IPv4 and the IPv6 wildcard are both `*`; and Java binds IPv4 addresses as mapped ones.
        let ip = match address.ip().to_canonical() {
            ip if ip.is_unspecified() => Ipv4Addr::UNSPECIFIED.into(),
            ip => ip,
        };
        // Kept in order, because to sort would cost kilobytes of code.
        if let Err(at) = found.binary_search(&(address.port(), ip)) {
            found.insert(at, (address.port(), ip));
            // One more than is named, to know that there are more.
            found.truncate(MOST + 1);
        }
    }
    let more = found.len() > MOST;
    found.truncate(MOST);
    let mut names: Vec<String> = found
        .into_iter()
        .map(|(port, ip)| match ip.is_unspecified() {
            true => format!("*:{port}"),
            false => SocketAddr::new(ip, port).to_string(),
        })
        .collect();
    if more {
        names.push("...".into());
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
            advise(&refused, false, || Some(addresses), Vec::new)
        };
        let listening = |names: &[&str]| {
            let names = names.iter().map(|&name| name.to_owned()).collect();
            Some(Hint::Listening(names))
        };
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
        assert_eq!(advise(&refused, false, || None, Vec::new), None);
        assert_eq!(
            advise(
                &Failure::LongHead,
                true,
                || panic!("looked for nothing"),
                || panic!("looked for nothing")
            ),
            None
        );
    }
}
