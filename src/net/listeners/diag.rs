//! Listening sockets by asking the kernel: `sock_diag(7)`, over netlink.

use super::{Transport, ip};
use rustix::buffer::spare_capacity;
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink};
use std::net::SocketAddr;

/// The listening sockets of one family, as the kernel lists them.
pub fn diagnosed(transport: Transport, is_v6: bool) -> Option<Vec<SocketAddr>> {
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
    // A netlink socket that is not connected sends to the kernel, whose answer is there when `send` returns.
    rustix::net::send(
        &socket,
        &request(transport, family.as_raw() as u8),
        SendFlags::DONTWAIT,
    )
    .ok()?;
    let mut found = Vec::new();
    // The first part of an answer has at most 8 KiB (NLMSG_GOODSIZE), and a later one at most the room of the last read.
    let mut part = Vec::with_capacity(8192);
    loop {
        part.clear();
        rustix::net::recv(&socket, spare_capacity(&mut part), RecvFlags::DONTWAIT).ok()?;
        if read_part(&part, transport, &mut found)? {
            return Some(found);
        }
    }
}

/// A dump request: `struct nlmsghdr` of netlink(7) and `struct inet_diag_req_v2` of sock_diag(7).
fn request(transport: Transport, family: u8) -> [u8; 72] {
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const REQUEST_AND_DUMP: u16 = 0x301;
    let mut message = [0; 72];
    message[0..4].copy_from_slice(&72u32.to_ne_bytes());
    message[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    message[6..8].copy_from_slice(&REQUEST_AND_DUMP.to_ne_bytes());
    message[16] = family;
    // IPPROTO_TCP, IPPROTO_UDP.
    message[17] = match transport {
        Transport::Tcp => 6,
        Transport::Udp => 17,
    };
    // The states that are asked for, as bits.
    message[20..24].copy_from_slice(&(1u32 << transport.listening()).to_ne_bytes());
    message
}

/// Collects the listeners in one part of an answer, and says whether it was the last one. None for an answer that is an
/// error or makes no sense.
pub fn read_part(
    mut part: &[u8],
    transport: Transport,
    found: &mut Vec<SocketAddr>,
) -> Option<bool> {
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
            _ => found.extend(diagnosis(body, transport)),
        }
        part = part.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(false)
}

/// Reads a `struct inet_diag_msg`: family, state, two bytes of timers, then the ports and addresses in network order.
fn diagnosis(message: &[u8], transport: Transport) -> Option<SocketAddr> {
    // As Linux numbers them everywhere.
    const AF_INET: u8 = 2;
    let &[family, state, _, _, high, low, _, _, ref addresses @ ..] = message else {
        return None;
    };
    let length = if family == AF_INET { 4 } else { 16 };
    let address = SocketAddr::new(
        ip(addresses.get(..length)?)?,
        u16::from_be_bytes([high, low]),
    );
    (state == transport.listening()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_answers_are_harmless() {
        let mut message = vec![0; 88];
        message[0] = 88;
        message[4] = 20;
        message[16..18].copy_from_slice(&[2, Transport::Tcp.listening()]);
        message[20..22].copy_from_slice(&80u16.to_be_bytes());
        message[24..28].copy_from_slice(&[127, 0, 0, 1]);
        let done = [20, 0, 0, 0, 3, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let whole = [&message[..], &done].concat();
        let read = |part: &[u8]| {
            let mut found = Vec::new();
            (read_part(part, Transport::Tcp, &mut found), found)
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
