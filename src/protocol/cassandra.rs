//! Cassandra and ScyllaDB: <https://github.com/apache/cassandra/blob/trunk/doc/native_protocol_v4.spec>.

use super::Protocol;
use super::bytes::{be32, begins, coded};
use super::handshake::{Handshake, Judge, Step};
use crate::verdict::{Refusal, Reply};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "cassandra",
    port: Some(9042),
    proves: "answers OPTIONS: it takes clients",
    handshake: Some(&HANDSHAKE),
    ..Protocol::CONNECTION
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[Step {
        // OPTIONS, which is answered before authentication.
        send: b"\x04\0\0\0\x05\0\0\0\0",
        judge: Judge::Bytes(supported),
    }],
    goodbye: b"",
};

/// SUPPORTED, or ERROR, in the version that was asked in or in one that the server speaks.
fn supported(received: &[u8]) -> Reply {
    // A response without flags on stream 0.
    let possible = matches!(received[0], 0x81..=0x8f)
        && begins(&received[1..], b"\0\0\0")
        && matches!(received.get(4), None | Some(0 | 6));
    if !possible {
        return Reply::WrongProtocol;
    }
    let Some(rest) = received.get(9..) else {
        return Reply::Incomplete;
    };
    let length = be32(&received[5..]);
    if length > 16 * 1024 {
        return Reply::WrongProtocol;
    }
    let Some(body) = rest.get(..length) else {
        return Reply::Incomplete;
    };
    if received[4] == 6 {
        return match (received[0], multimap(body)) {
            (0x83..=0x85, Some(())) => Reply::Ok(9 + length),
            _ => Reply::WrongProtocol,
        };
    }
    let text = body.get(4..).and_then(|mut text| short_string(&mut text));
    let (code, Some(text)) = (be32(body), text) else {
        return Reply::WrongProtocol;
    };
    let said = coded(code.to_string().as_bytes(), text);
    match code {
        // Protocol error: of a request as simple as this, the version is all that can be wrong.
        0x0a => Reply::Refused(Refusal::Unwelcome, said),
        0x100 => Reply::Refused(Refusal::Unauthenticated, said),
        _ => Reply::Unavailable(said),
    }
}

/// Reads a string multimap that fills `bytes`. None when it is malformed.
fn multimap(mut bytes: &[u8]) -> Option<()> {
    let bytes = &mut bytes;
    for _ in 0..short(bytes)? {
        short_string(bytes)?;
        for _ in 0..short(bytes)? {
            short_string(bytes)?;
        }
    }
    bytes.is_empty().then_some(())
}

/// A number of two bytes, which is taken from `bytes`.
fn short(bytes: &mut &[u8]) -> Option<usize> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u16::from_be_bytes(*number).into())
}

/// A string and its length in two bytes, which are taken from `bytes`.
fn short_string<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = short(bytes)?;
    let (string, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(string)
}
