//! Redis, and what speaks its protocol: <https://redis.io/docs/latest/develop/reference/protocol-spec/>.

use super::handshake::{Handshake, Judge, Lines, NO_LINES, Step};
use super::{Protocol, Signature};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "redis",
    aliases: &["valkey"],
    port: Some(6379),
    proves: "answers PING: it has loaded its data and accepts clients",
    handshake: Some(&HANDSHAKE),
    signature: Some(Signature {
        name: "Redis",
        fits: |reply| reply.starts_with(b"-ERR ") || reply.starts_with(b"-NOA"),
    }),
    ..Protocol::CONNECTION
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[Step {
        send: b"PING\r\n",
        judge: Judge::Lines(Lines {
            ok: &["+PONG$"],
            unauthenticated: &["-NOAUTH"],
            refused: &["-NOPERM", "-DENIED"],
            unavailable: &["-"],
            ..NO_LINES
        }),
    }],
    goodbye: b"",
};
