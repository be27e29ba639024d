//! What the kernel says of listening sockets: what is written in its formats is read back, and what is not in them is
//! harmless.
#![no_main]

use arbitrary::Arbitrary;
use healthchecker_fuzz::{listener_in_proc, listeners_in_diag, spell};
use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, SocketAddr};

const WORDS: &[&[u8]] = &[
    b"  0: ",
    b"0100007F:1F90",
    b"00000000000000000000000001000000:1F90",
    b"0A",
    b"01",
    b" ",
    b"00000000:0000",
    b":",
    b"\t",
    b"\xc3\xa9",
    b"+",
];
const LISTEN: u8 = 10;

#[derive(Arbitrary, Debug)]
struct Socket {
    ip: IpAddr,
    port: u16,
    listens: bool,
}

#[derive(Arbitrary, Debug)]
enum Input {
    Sockets(Vec<Socket>),
    Line(Vec<u8>),
    Diag(Vec<u8>),
}

fn words(bytes: &[u8]) -> String {
    bytes
        .chunks(4)
        .map(|word| {
            format!(
                "{:08X}",
                u32::from_ne_bytes(word.try_into().expect("4 bytes"))
            )
        })
        .collect()
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

fn line(socket: &Socket) -> String {
    let state = if socket.listens { "0A" } else { "01" };
    format!(
        "   7: {}:{:04X} 00000000:0000 {state} 00000000:00000000 00:00000000",
        words(&octets(socket.ip)),
        socket.port
    )
}

/// `struct nlmsghdr` and `struct inet_diag_msg`.
fn message(socket: &Socket) -> Vec<u8> {
    let mut message = vec![0; 88];
    message[0..4].copy_from_slice(&88u32.to_ne_bytes());
    message[4..6].copy_from_slice(&20u16.to_ne_bytes());
    message[16] = if socket.ip.is_ipv4() { 2 } else { 10 };
    message[17] = if socket.listens { LISTEN } else { 1 };
    message[20..22].copy_from_slice(&socket.port.to_be_bytes());
    let octets = octets(socket.ip);
    message[24..24 + octets.len()].copy_from_slice(&octets);
    message
}

fuzz_target!(|input: Input| {
    match input {
        Input::Sockets(sockets) => {
            let listening = sockets.iter().filter(|socket| socket.listens);
            let expected: Vec<SocketAddr> = listening
                .map(|socket| SocketAddr::new(socket.ip, socket.port))
                .collect();
            let told: Vec<_> = sockets
                .iter()
                .filter_map(|socket| listener_in_proc(&line(socket)))
                .collect();
            assert_eq!(told, expected);
            let mut part = sockets.iter().flat_map(message).collect::<Vec<u8>>();
            assert_eq!(listeners_in_diag(&part), (Some(false), expected.clone()));
            part.extend([20, 0, 0, 0, 3, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            assert_eq!(listeners_in_diag(&part), (Some(true), expected));
        }
        Input::Line(letters) => {
            let Ok(text) = String::from_utf8(spell(&letters, WORDS)) else {
                return;
            };
            let Some(address) = listener_in_proc(&text) else {
                return;
            };
            // What the kernel does not write is read somehow, and what that is does not matter.
            let fields: Vec<&str> = text.trim_start_matches(' ').split(' ').collect();
            let [number, local, _, state, ..] = fields[..] else {
                return;
            };
            let Some((ip, port)) = local.split_once(':') else {
                return;
            };
            let is_hex = |text: &str, lengths: &[usize]| {
                lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
            };
            let is_number = number
                .strip_suffix(':')
                .is_some_and(|number| is_hex(number, &[1, 2, 3]));
            if !is_number || !is_hex(ip, &[8, 32]) || !is_hex(port, &[4]) || !is_hex(state, &[2]) {
                return;
            }
            let written = words(&octets(address.ip()));
            assert!(ip.eq_ignore_ascii_case(&written), "{text:?} is {address}");
            assert_eq!(
                u32::from_str_radix(port, 16),
                Ok(address.port().into()),
                "{text:?}"
            );
            assert_eq!(u8::from_str_radix(state, 16), Ok(LISTEN), "{text:?}");
        }
        Input::Diag(bytes) => {
            let (_, found) = listeners_in_diag(&bytes);
            assert!(found.len() <= bytes.len() / 40);
        }
    }
});
