//! NATS: <https://docs.nats.io/reference/reference-protocols/nats-protocol>.

use super::Protocol;
use super::handshake::{Handshake, Judge, Lines, NO_LINES, Step};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "nats",
    port: Some(4222),
    proves: "answers PING: it accepts clients",
    handshake: Some(&HANDSHAKE),
    ..Protocol::CONNECTION
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[
        Step {
            send: b"",
            judge: Judge::Lines(Lines {
                ok: &["INFO {"],
                unavailable: &["-ERR "],
                ..NO_LINES
            }),
        },
        Step {
            send: b"CONNECT {\"verbose\":false}\r\nPING\r\n",
            judge: Judge::Lines(Lines {
                skip: &["INFO {", "PING$", "+OK$"],
                ok: &["PONG$"],
                unauthenticated: &["-ERR 'Authorization Violation'$", "-ERR 'Authentication"],
                refused: &["-ERR 'Secure Connection"],
                unavailable: &["-ERR "],
            }),
        },
    ],
    goodbye: b"",
};
