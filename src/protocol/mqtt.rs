//! MQTT brokers: <https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/>.

use super::Protocol;
use super::handshake::{Handshake, Judge, Step};
use crate::verdict::{Refusal, Reply, Snippet};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "mqtt",
    port: Some(1883),
    proves: "accepts an MQTT 3.1.1 connection",
    handshake: Some(&HANDSHAKE),
    ..Protocol::CONNECTION
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[Step {
        // CONNECT with a clean session and no client id.
        send: b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0",
        judge: Judge::Bytes(connack),
    }],
    // DISCONNECT.
    goodbye: b"\xe0\0",
};

/// CONNACK of MQTT 3.1.1, or of 5.0 from a broker that speaks no older version.
fn connack(received: &[u8]) -> Reply {
    let refuses = |refusal, what: &str| Reply::Refused(refusal, Snippet::new(what.as_bytes()));
    // No flag may be set: the header's are reserved, and so are the acknowledgement's but for one, which says that there is
    // a session, where we ask for a clean one.
    match received {
        [0x20] | [0x20, 2..=127] | [0x20, 2..=127, 0] => return Reply::Incomplete,
        // MQTT 5.0 adds properties, and their length.
        [0x20, 3..=127, 0, 0x80..=0xff] => return Reply::Incomplete,
        [
            0x20,
            length @ 3..=127,
            0,
            0x80..=0xff,
            properties,
            rest @ ..,
        ] if *properties == *length - 3 => {
            if rest.len() < usize::from(*properties) {
                return Reply::Incomplete;
            }
        }
        [0x20, 2, 0, _, ..] => {}
        _ => return Reply::WrongProtocol,
    }
    match (received[1], received[3]) {
        (2, 0) => Reply::Ok(4),
        (2, 1) | (3.., 0x84) => refuses(Refusal::Unwelcome, "does not speak MQTT 3.1.1"),
        (2, 2) | (3.., 0x85) => refuses(Refusal::Unwelcome, "wants a client identifier"),
        (2, 4) | (3.., 0x86) => refuses(Refusal::Unauthenticated, "bad user name or password"),
        (2, 5) | (3.., 0x87) => refuses(Refusal::Unauthenticated, "not authorized"),
        (2, 3) | (3.., 0x88) => Reply::Unavailable(Snippet::new(b"server unavailable")),
        (_, code) => Reply::Unavailable(Snippet::new(format!("return code {code}").as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connect_has_the_length_it_claims() {
        let connect = HANDSHAKE.steps[0].send;
        assert_eq!(usize::from(connect[1]), connect.len() - 2);
    }
}
