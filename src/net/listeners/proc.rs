//! Listening sockets from the text of `/proc/net/tcp`, `tcp6`, `udp` and `udp6` (proc_net(5)).

use super::{Transport, ip};
use crate::proc::{number, number_at};
use crate::search::find;
use rustix::buffer::spare_capacity;
use rustix::fd::BorrowedFd;
use std::net::SocketAddr;

/// The listening sockets in an open file of `transport`.
pub fn tabulated(file: BorrowedFd, transport: Transport) -> Option<Vec<SocketAddr>> {
    let mut text = Vec::new();
    loop {
        text.reserve(4096);
        if rustix::io::read(file, spare_capacity(&mut text)).ok()? == 0 {
            break;
        }
    }
    let mut found = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        if let Some(listener) = listener(line, transport) {
            found.push(listener);
        }
    }
    Some(found)
}

/// Reads a line `sl: local_address rem_address st ...`, where the address is in hexadecimal, as native 32-bit words. None
/// for a socket that does not listen, and for the line of titles.
pub fn listener(line: &[u8], transport: Transport) -> Option<SocketAddr> {
    let local = &line[find(line, b": ")? + 2..];
    if number_at(local, 2, 16)? != u64::from(transport.listening()) {
        return None;
    }
    let colon = find(local, b":")?;
    let port = number(&local[colon + 1..], 16)?.try_into().ok()?;
    let mut bytes = [0; 16];
    let bytes = bytes.get_mut(..colon / 2)?;
    for (at, four) in bytes.chunks_exact_mut(4).enumerate() {
        let word = number(&local[at * 8..at * 8 + 8], 16)? as u32;
        four.copy_from_slice(&word.to_ne_bytes());
    }
    Some(SocketAddr::new(ip(bytes)?, port))
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
            .filter_map(|line| listener(line.as_bytes(), Transport::Tcp))
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
            assert_eq!(listener(line.as_bytes(), Transport::Tcp), None, "{line:?}");
        }
    }
}
