//! Mail servers: RFC 5321, sections 3.1 and 4.2.

use super::handshake::{Handshake, Judge, Lines, NO_LINES, REPLY_CODE_ERRORS, Step};
use super::{Protocol, Signature};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "smtp",
    port: Some(25),
    proves: "greets and answers HELO: it takes mail sessions",
    handshake: Some(&HANDSHAKE),
    signature: Some(Signature {
        name: "SMTP or FTP",
        fits: |reply| reply.starts_with(b"220 ") || reply.starts_with(b"220-"),
    }),
    ..Protocol::CONNECTION
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[
        // Some servers drop clients that talk before the last line of the banner.
        Step {
            send: b"",
            judge: Judge::Lines(Lines {
                skip: &["220-"],
                ok: &["220"],
                unavailable: REPLY_CODE_ERRORS,
                ..NO_LINES
            }),
        },
        Step {
            send: b"HELO localhost\r\n",
            judge: Judge::Lines(Lines {
                skip: &["25#-"],
                ok: &["25#"],
                unavailable: REPLY_CODE_ERRORS,
                ..NO_LINES
            }),
        },
    ],
    goodbye: b"QUIT\r\n",
};
