//! Listening sockets from the text of `/proc/net/tcp`, `tcp6`, `udp` and `udp6` (proc_net(5)).

use super::Transport;
use rustix::buffer::spare_capacity;
use rustix::fd::BorrowedFd;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The listening sockets in an open file of `transport`.
pub fn tabulated(file: BorrowedFd, transport: Transport) -> Option<Vec<SocketAddr>> {
    let mut text = Vec::new();
    loop {
        text.reserve(4096);
        if rustix::io::read(file, spare_capacity(&mut text)).ok()? == 0 {
            let text = std::str::from_utf8(&text).ok()?;
            return Some(
                text.lines()
                    .filter_map(|line| listener(line, transport))
                    .collect(),
            );
        }
    }
}

/// Reads a line `sl local_address rem_address st ...`, where the address is in hexadecimal, as native 32-bit words. None
/// for a socket that does not listen, and for the line of titles.
pub fn listener(line: &str, transport: Transport) -> Option<SocketAddr> {
    let mut fields = line.split_ascii_whitespace();
    let local = fields.nth(1)?;
    if u32::from_str_radix(fields.nth(1)?, 16) != Ok(transport.listening().into()) {
        return None;
    }
    let (ip, port) = local.split_once(':')?;
    let port = u16::try_from(u32::from_str_radix(port, 16).ok()?).ok()?;
    let word = |at: usize| {
        let digits = ip.get(at * 8..at * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
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
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_endian = "little")]
    #[test]
    fn tables_are_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
           0: 00000000:1A6F 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n\
           1: 0100007F:2382 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0\n\
           2: 0100007F:9999 0100007F:1A6F 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4 30 10 -1\n\
           0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 0\n";
        let listeners: Vec<String> = table
            .lines()
            .filter_map(|line| listener(line, Transport::Tcp))
            .map(|address| address.to_string())
            .collect();
        assert_eq!(listeners, ["0.0.0.0:6767", "127.0.0.1:9090", "[::1]:8080"]);
        for line in [
            "",
            "x",
            "0: 0100007F 0 0A",
            "0: 01:zz 0 0A",
            "0: é100007:0001 0 0A 1",
        ] {
            assert_eq!(listener(line, Transport::Tcp), None, "{line:?}");
        }
    }
}
