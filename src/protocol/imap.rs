//! IMAP servers: RFC 3501, section 7.1.

use super::Protocol;
use super::handshake::{Handshake, Judge, Lines, NO_LINES, Step};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "imap",
    port: Some(143),
    proves: "greets: it takes sessions",
    handshake: Some(&HANDSHAKE),
    ..Protocol::CONNECTION
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[Step {
        send: b"",
        judge: Judge::Lines(Lines {
            ok: &["* OK", "* PREAUTH"],
            unavailable: &["* BYE"],
            ..NO_LINES
        }),
    }],
    goodbye: b"a LOGOUT\r\n",
};
