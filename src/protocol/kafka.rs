//! Kafka brokers: <https://kafka.apache.org/protocol>.

use super::Protocol;
use super::bytes::{be32, begins};
use super::handshake::{Handshake, Judge, Step};
use crate::verdict::{Reply, Snippet};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "kafka",
    port: Some(9092),
    proves: "answers ApiVersions: the broker accepts requests",
    handshake: Some(&HANDSHAKE),
    ..Protocol::CONNECTION
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[Step {
        // ApiVersions v0, which every broker answers before authentication.
        send: b"\0\0\0\x0a\0\x12\0\0\0\0\0\x01\xff\xff",
        judge: Judge::Bytes(api_versions),
    }],
    goodbye: b"",
};

/// The header of a response to correlation id 1, its error code, and the list of APIs.
fn api_versions(received: &[u8]) -> Reply {
    // A list of some dozens of APIs, six bytes each. It must fit into `MAX_REPLY`.
    let length = be32(received);
    if received.len() >= 4 && !(10..=0x7fff).contains(&length)
        || !begins(received.get(4..).unwrap_or_default(), b"\0\0\0\x01")
    {
        return Reply::WrongProtocol;
    }
    let Some([high, low, count @ ..]) = received.get(8..14) else {
        return Reply::Incomplete;
    };
    let list = length - 10;
    if be32(count).checked_mul(6) != Some(list) {
        return Reply::WrongProtocol;
    }
    if received.len() < 4 + length {
        return Reply::Incomplete;
    }
    match u16::from_be_bytes([*high, *low]) {
        // 35 is UNSUPPORTED_VERSION, with which a broker answers a version that it does not know any more.
        0 | 35 => Reply::Ok(4 + length),
        code => Reply::Unavailable(Snippet::new(format!("error code {code}").as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_has_the_length_it_claims() {
        let request = HANDSHAKE.steps[0].send;
        assert_eq!(be32(request), request.len() - 4);
    }
}
