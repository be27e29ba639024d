//! Who listens on this machine: what the kernel says of its listening TCP sockets.
//!
//! `/proc/net/tcp` lists every connection as well, and to read it the kernel walks the whole host's table of them, which
//! takes milliseconds even where there are few. `sock_diag(7)` can be asked for those that listen and no others. The
//! files' text is read where a kernel does not have it, or where what confines this process does not allow it.

use rustix::buffer::spare_capacity;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// `TCP_LISTEN` of include/net/tcp_states.h.
const LISTEN: u8 = 10;

/// The addresses on which somebody listens, or nothing where that cannot be known, or where `/proc/net/tcp` and `tcp6`
/// cannot be opened: in a container they tell of that container, and whoever hides them wants nothing told.
pub fn listeners() -> Option<Vec<SocketAddr>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let mut found = None;
    // A kernel that has no diagnosis is asked once: it might look for a module each time.
    let mut can_diagnose = true;
    for (path, is_v6) in [("/proc/net/tcp", false), ("/proc/net/tcp6", true)] {
        let Ok(file) = rustix::fs::open(path, flags, Mode::empty()) else {
            continue;
        };
        let diagnosed = can_diagnose.then(|| diagnosed(is_v6)).flatten();
        can_diagnose = diagnosed.is_some();
        if let Some(listeners) = diagnosed.or_else(|| tabulated(file.as_fd())) {
            found.get_or_insert_with(Vec::new).extend(listeners);
        }
    }
    found
}

/// Those in the text of an open `/proc/net/tcp` or `tcp6`.
fn tabulated(file: BorrowedFd) -> Option<Vec<SocketAddr>> {
    let mut text = Vec::new();
    loop {
        text.reserve(4096);
        if rustix::io::read(file, spare_capacity(&mut text)).ok()? == 0 {
            let text = std::str::from_utf8(&text).ok()?;
            return Some(text.lines().filter_map(listener).collect());
        }
    }
}

/// Reads a line `sl local_address rem_address st ...`: the address is in hexadecimal, as native 32-bit words. None for
/// the line of titles as well.
#[doc(hidden)]
pub fn listener(line: &str) -> Option<SocketAddr> {
    let mut fields = line.split_ascii_whitespace();
    let local = fields.nth(1)?;
    if u8::from_str_radix(fields.nth(1)?, 16) != Ok(LISTEN) {
        return None;
    }
    let (ip, port) = local.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
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

#[cfg(not(target_os = "linux"))]
fn diagnosed(_: bool) -> Option<Vec<SocketAddr>> {
    None
}

/// Those that the kernel lists when it is asked for a dump of one family.
#[cfg(target_os = "linux")]
fn diagnosed(is_v6: bool) -> Option<Vec<SocketAddr>> {
    use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink};

    let family = match is_v6 {
        true => AddressFamily::INET6,
        false => AddressFamily::INET,
    };
    let socket: OwnedFd = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(netlink::SOCK_DIAG),
    )
    .ok()?;
    // A socket that is not connected talks to the kernel, which has answered when it returns.
    rustix::net::send(
        &socket,
        &request(family.as_raw() as u8),
        SendFlags::DONTWAIT,
    )
    .ok()?;
    let mut found = Vec::new();
    // The first part of an answer has at most 8 KiB (NLMSG_GOODSIZE), and a later one at most what was received with.
    let mut part = Vec::with_capacity(8192);
    loop {
        part.clear();
        rustix::net::recv(&socket, spare_capacity(&mut part), RecvFlags::DONTWAIT).ok()?;
        if read_part(&part, &mut found)? {
            return Some(found);
        }
    }
}

/// A dump request: `struct nlmsghdr` of netlink(7) and `struct inet_diag_req_v2` of sock_diag(7).
fn request(family: u8) -> [u8; 72] {
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const REQUEST_AND_DUMP: u16 = 0x301;
    const IPPROTO_TCP: u8 = 6;
    let mut message = [0; 72];
    message[0..4].copy_from_slice(&72u32.to_ne_bytes());
    message[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    message[6..8].copy_from_slice(&REQUEST_AND_DUMP.to_ne_bytes());
    message[16] = family;
    message[17] = IPPROTO_TCP;
    // The states that are asked for, as bits.
    message[20..24].copy_from_slice(&(1u32 << LISTEN).to_ne_bytes());
    message
}

/// Collects the listeners in one part of an answer, and says whether it was the last one. None for an answer that is an
/// error or makes no sense.
#[doc(hidden)]
pub fn read_part(mut part: &[u8], found: &mut Vec<SocketAddr>) -> Option<bool> {
    const NLMSG_ERROR: u16 = 2;
    const NLMSG_DONE: u16 = 3;
    while !part.is_empty() {
        let (head, _) = part.split_first_chunk::<16>()?;
        let length = u32::from_ne_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let body = part.get(16..length)?;
        match u16::from_ne_bytes([head[4], head[5]]) {
            NLMSG_ERROR => return None,
            // With how the dump went: no error, or a negative number.
            NLMSG_DONE => return body.iter().all(|&byte| byte == 0).then_some(true),
            _ => found.extend(diagnosis(body)),
        }
        part = part.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(false)
}

/// Reads a `struct inet_diag_msg`: family, state, two bytes of timers, then the ports and addresses in network order.
fn diagnosis(message: &[u8]) -> Option<SocketAddr> {
    // As Linux numbers them everywhere.
    const AF_INET: u8 = 2;
    let port = u16::from_be_bytes(*message.get(4..6)?.first_chunk()?);
    let address = message.get(8..24)?;
    let ip: IpAddr = match message[0] {
        AF_INET => Ipv4Addr::from(*address.first_chunk::<4>()?).into(),
        _ => Ipv6Addr::from(*address.first_chunk::<16>()?).into(),
    };
    (message[1] == LISTEN).then_some(SocketAddr::new(ip, port))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::net::TcpListener;

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
            .filter_map(listener)
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
            assert_eq!(listener(line), None, "{line:?}");
        }
    }

    #[test]
    fn the_kernel_says_the_same_in_both_ways() {
        for (host, path, is_v6) in [
            ("127.0.0.1", "/proc/net/tcp", false),
            ("::1", "/proc/net/tcp6", true),
        ] {
            // So many that the answer has several parts.
            let bound: Vec<TcpListener> = (0..300)
                .map_while(|_| TcpListener::bind((host, 0)).ok())
                .collect();
            if bound.is_empty() {
                // A machine without IPv6: nobody listens there, and nothing is to be found.
                assert!(is_v6);
                continue;
            }
            let file = std::fs::File::open(path).unwrap();
            let tabulated = tabulated(file.as_fd()).unwrap();
            let diagnosed = diagnosed(is_v6).unwrap_or_else(|| {
                // Some sandboxes have none; this project's CI has.
                assert!(std::env::var_os("CI").is_none(), "no sock_diag");
                tabulated.clone()
            });
            for listener in bound {
                let address = listener.local_addr().unwrap();
                assert!(tabulated.contains(&address), "{address}");
                assert!(diagnosed.contains(&address), "{address}");
            }
        }
    }

    #[test]
    fn broken_answers_are_harmless() {
        let mut message = vec![0; 88];
        message[0] = 88;
        message[4] = 20;
        message[16..18].copy_from_slice(&[2, LISTEN]);
        message[20..22].copy_from_slice(&80u16.to_be_bytes());
        message[24..28].copy_from_slice(&[127, 0, 0, 1]);
        let done = [20, 0, 0, 0, 3, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let whole = [&message[..], &done].concat();
        let read = |part: &[u8]| {
            let mut found = Vec::new();
            (read_part(part, &mut found), found)
        };
        let address = "127.0.0.1:80".parse().unwrap();
        assert_eq!(read(&whole), (Some(true), vec![address]));
        assert_eq!(read(&message), (Some(false), vec![address]));
        for end in 1..whole.len() {
            if end != message.len() {
                assert_eq!(read(&whole[..end]).0, None, "cut at {end}");
            }
        }
        // Every byte of a header wrong: it may say anything, but it ends.
        for at in 0..16 {
            for byte in 0..=255 {
                let mut wrong = whole.clone();
                wrong[at] = byte;
                read(&wrong);
            }
        }
        let mut failed = done;
        failed[16..].copy_from_slice(&(-2i32).to_ne_bytes());
        assert_eq!(read(&failed).0, None);
        let mut error = done;
        error[4] = 2;
        assert_eq!(read(&error).0, None);
    }
}
