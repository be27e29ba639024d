//! FTP servers: RFC 959, section 5.4.

use super::Protocol;
use super::handshake::{Handshake, Judge, Lines, NO_LINES, REPLY_CODE_ERRORS, Step};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "ftp",
    port: Some(21),
    proves: "greets: it takes sessions",
    handshake: Some(&HANDSHAKE),
    ..Protocol::CONNECTION
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[Step {
        send: b"",
        judge: Judge::Lines(Lines {
            skip: &["120"],
            ok: &["220", "220-"],
            unavailable: REPLY_CODE_ERRORS,
            ..NO_LINES
        }),
    }],
    goodbye: b"QUIT\r\n",
};
