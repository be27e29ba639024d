//! ClamAV's daemon: clamd(8).

use super::Protocol;
use super::bytes::begins;
use super::handshake::{Handshake, Judge, Step};
use crate::verdict::{Reply, Snippet};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "clamd",
    port: Some(3310),
    proves: "answers PING: it has loaded its signatures",
    handshake: Some(&HANDSHAKE),
    ..Protocol::CONNECTION
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[Step {
        // `z`: the command ends in a zero byte, and so does the reply.
        send: b"zPING\0",
        judge: Judge::Bytes(pong),
    }],
    goodbye: b"",
};

/// `PONG`, or what a daemon says that does not know the command, or has waited too long for it.
fn pong(received: &[u8]) -> Reply {
    let whole: &[u8] = match received[0] {
        b'P' => b"PONG\0",
        b'U' => b"UNKNOWN COMMAND\0",
        _ => b"COMMAND READ TIMED OUT\n",
    };
    match received.len() < whole.len() {
        _ if !begins(received, whole) => Reply::WrongProtocol,
        true => Reply::Incomplete,
        false if received[0] == b'P' => Reply::Ok(whole.len()),
        false => Reply::Unavailable(Snippet::new(&whole[..whole.len() - 1])),
    }
}
