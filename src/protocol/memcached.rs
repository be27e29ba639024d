//! Memcached: <https://github.com/memcached/memcached/blob/master/doc/protocol.txt>.

use super::Protocol;
use super::handshake::{Handshake, Judge, Lines, NO_LINES, Step};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "memcached",
    port: Some(11211),
    proves: "answers the version command: it accepts clients",
    handshake: Some(&HANDSHAKE),
    ..Protocol::CONNECTION
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[Step {
        send: b"version\r\n",
        judge: Judge::Lines(Lines {
            ok: &["VERSION ?"],
            unauthenticated: &["CLIENT_ERROR unauthenticated"],
            unavailable: &["ERROR", "SERVER_ERROR", "CLIENT_ERROR"],
            ..NO_LINES
        }),
    }],
    goodbye: b"quit\r\n",
};
