//! Advice for a failure: what a tired person would look at next. Pure: files come as text, through a function.

use crate::verdict::{Failure, Peer, Protocol};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What to try, or what else is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// Nothing answered there, but these ports of the container are listening; none may be.
    Listening(Vec<String>),
    /// The port speaks another protocol than it was asked in.
    Speaks(Protocol),
    /// The redirect would be followed with `-L`.
    Follow,
}

/// At most this many listeners are named.
const MOST: usize = 8;

/// Advice for `failure`. `read` gives the text of a file, or nothing.
pub fn advise(failure: &Failure, read: &dyn Fn(&str) -> Option<String>) -> Option<Hint> {
    match failure {
        Failure::Refused(peers) if peers.iter().any(|peer| matches!(peer, Peer::Tcp(_))) => {
            let tables = [read("/proc/net/tcp"), read("/proc/net/tcp6")];
            if tables.iter().all(Option::is_none) {
                return None;
            }
            Some(Hint::Listening(listeners(
                &tables.map(Option::unwrap_or_default),
            )))
        }
        Failure::NotHttp {
            like: Some(protocol),
            ..
        }
        | Failure::Alien {
            like: Some(protocol),
            ..
        } => Some(Hint::Speaks(*protocol)),
        Failure::Status {
            got: 301 | 302 | 303 | 307 | 308,
            ..
        } => Some(Hint::Follow),
        _ => None,
    }
}

/// The listening addresses in the text of `/proc/net/tcp` and `tcp6`, by port; `*` is any address.
fn listeners(tables: &[String]) -> Vec<String> {
    // In order, and each once.
    let mut found: Vec<(u16, IpAddr)> = Vec::new();
    for table in tables {
        for (port, ip) in table.lines().filter_map(listener) {
            // The IPv4 and the IPv6 wildcard are both `*`.
            let any = ip.is_unspecified();
            let ip = if any {
                Ipv4Addr::UNSPECIFIED.into()
            } else {
                ip
            };
            if let Err(at) = found.binary_search(&(port, ip)) {
                found.insert(at, (port, ip));
            }
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

/// Reads a line `sl local_address rem_address st ...`: the address is in hexadecimal, as native 32-bit words. None for
/// the line of titles as well.
fn listener(line: &str) -> Option<(u16, IpAddr)> {
    let mut fields = line.split_ascii_whitespace();
    let local = fields.nth(1)?;
    // include/net/tcp_states.h: TCP_LISTEN.
    if fields.nth(1)? != "0A" {
        return None;
    }
    let (ip, port) = local.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        Some(
            u32::from_str_radix(ip.get(at * 8..at * 8 + 8)?, 16)
                .ok()?
                .to_ne_bytes(),
        )
    };
    let ip: IpAddr = match ip.len() {
        8 => Ipv4Addr::from(word(0)?).into(),
        32 => {
            let mut bytes = [0; 16];
            for (at, four) in bytes.chunks_mut(4).enumerate() {
                four.copy_from_slice(&word(at)?);
            }
            Ipv6Addr::from(bytes).into()
        }
        _ => return None,
    };
    Some((port, ip))
}

#[cfg(all(test, target_endian = "little"))]
mod tests {
    use super::*;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
           0: 00000000:1A6F 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n\
           1: 0100007F:2382 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0\n\
           2: 0100007F:9999 0100007F:1A6F 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4 30 10 -1\n";
    const TCP6: &str = "  sl  local_address                         remote_address                        st\n\
           0: 00000000000000000000000000000000:1A6F 00000000000000000000000000000000:0000 0A 0\n\
           1: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 0\n";

    #[test]
    fn a_refusal_tells_who_listens() {
        let refused = Failure::Refused(vec![Peer::Tcp("127.0.0.1:80".parse().unwrap())]);
        let hint = advise(&refused, &|path| {
            Some(if path.ends_with('6') { TCP6 } else { TCP }.into())
        });
        let listening = ["*:6767", "[::1]:8080", "127.0.0.1:9090"]
            .map(str::to_owned)
            .to_vec();
        assert_eq!(hint, Some(Hint::Listening(listening)));
        assert_eq!(advise(&refused, &|_| None), None);
        assert_eq!(
            advise(&refused, &|_| Some("sl\n".into())),
            Some(Hint::Listening(vec![]))
        );
        assert_eq!(
            advise(&Failure::LongHead, &|_| panic!("read a file for nothing")),
            None
        );
    }

    #[test]
    fn broken_tables_are_harmless() {
        for text in [
            "",
            "\n",
            "x\ny",
            "h\n0: 0100007F 0 0A",
            "h\n0: 01:zz 0 0A",
            "h\n0: é100007:0001 0 0A 1",
        ] {
            assert_eq!(listeners(&[text.into()]), Vec::<String>::new(), "{text:?}");
        }
        let many: String = (1..50)
            .map(|port| format!("\n0: 00000000:{port:04X} 0 0A"))
            .collect();
        assert_eq!(listeners(&[many]).len(), MOST + 1);
    }
}
