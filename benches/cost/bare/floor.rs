//! The least that programs can do, so that the table shows where the ground is.
//!
//! `floor PORT` is the floor of all checks: socket, connect, write, read, exit with the verdict. `floor` alone only
//! exits: that is the part of every figure that is the kernel's own, to make a process, to load it and to remove it.
//! `floor wait` does nothing for as long as it may: something has to be a container's first process.

#![no_std]
#![no_main]
#![no_builtins] // Or the loop in memset would become a call of memset.

mod sys;

use sys::{call, exit, nr};

const REQUEST: &[u8] = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[unsafe(no_mangle)]
unsafe extern "C" fn start(stack: *const usize) -> ! {
    // Behind argc and the program's name; null if there is no argument.
    let mut argument = unsafe { *stack.add(2) } as *const u8;
    if argument.is_null() {
        exit(0);
    }
    let mut port = 0u16;
    loop {
        match unsafe { *argument } {
            digit @ b'0'..=b'9' => port = port * 10 + u16::from(digit - b'0'),
            0 => check(port),
            _ => loop {
                call(nr::PPOLL, [0; 4]);
            },
        }
        argument = unsafe { argument.add(1) };
    }
}

fn check(port: u16) -> ! {
    const AF_INET: u16 = 2;
    const SOCK_STREAM: usize = 1;
    let localhost = [u16::from_ne_bytes([127, 0]), u16::from_ne_bytes([0, 1])];
    let address = [
        AF_INET,
        port.to_be(),
        localhost[0],
        localhost[1],
        0,
        0,
        0,
        0,
    ];
    let mut reply = [0u8; 512];
    let socket = call(nr::SOCKET, [AF_INET.into(), SOCK_STREAM, 0]) as usize;
    if call(
        nr::CONNECT,
        [socket, address.as_ptr() as usize, size_of_val(&address)],
    ) < 0
    {
        exit(1);
    }
    call(
        nr::WRITE,
        [socket, REQUEST.as_ptr() as usize, REQUEST.len()],
    );
    call(nr::READ, [socket, reply.as_mut_ptr() as usize, reply.len()]);
    // The first digit of the status stands behind "HTTP/1.1 ".
    exit((reply[9] != b'2').into())
}
