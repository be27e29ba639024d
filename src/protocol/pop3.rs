//! POP3 servers: RFC 1939, section 4.

use super::Protocol;
use super::handshake::{Handshake, Judge, Lines, NO_LINES, Step};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "pop3",
    port: Some(110),
    proves: "greets: it takes sessions",
    handshake: Some(&HANDSHAKE),
    ..Protocol::CONNECTION
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[Step {
        send: b"",
        judge: Judge::Lines(Lines {
            ok: &["+OK"],
            unavailable: &["-ERR"],
            ..NO_LINES
        }),
    }],
    goodbye: b"QUIT\r\n",
};
