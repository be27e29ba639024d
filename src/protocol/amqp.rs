//! AMQP 0-9-1, as RabbitMQ speaks it: <https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf>, section 2.2.4.

use super::Protocol;
use super::bytes::{be32, begins};
use super::handshake::{Handshake, Judge, Step};
use crate::verdict::{Reply, Snippet};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "amqp",
    port: Some(5672),
    proves: "starts an AMQP 0-9-1 connection",
    handshake: Some(&HANDSHAKE),
    ..Protocol::CONNECTION
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[Step {
        send: b"AMQP\0\0\x09\x01",
        judge: Judge::Bytes(start),
    }],
    goodbye: b"",
};

/// Connection.Start, or the version that the server would speak.
fn start(received: &[u8]) -> Reply {
    // Frame type 1 on channel 0, and behind the length class 10, method 10, version 0-9; 0xce is where it ends.
    if begins(received, b"\x01\0\0") {
        let Some(rest) = received.get(7..) else {
            return Reply::Incomplete;
        };
        let length = be32(&received[3..]);
        if !(6..=16 * 1024).contains(&length) || !begins(rest, b"\0\x0a\0\x0a\0\x09") {
            return Reply::WrongProtocol;
        }
        return match rest.get(..length + 1) {
            None => Reply::Incomplete,
            // The server's properties, its mechanisms, and its locales.
            Some([_, _, _, _, _, _, fields @ .., 0xce])
                if (0..3).try_fold(fields, |fields, _| behind_field(fields)) == Some(&[]) =>
            {
                Reply::Ok(length + 8)
            }
            Some(_) => Reply::WrongProtocol,
        };
    }
    match (begins(received, b"AMQP"), received.get(4..8)) {
        (true, Some([id, major, minor, patch])) => {
            let offer = format!("offers protocol AMQP {id}.{major}.{minor}.{patch} only");
            Reply::Unavailable(Snippet::new(offer.as_bytes()))
        }
        (true, _) => Reply::Incomplete,
        (false, _) => Reply::WrongProtocol,
    }
}

/// What follows a field whose length is in the four bytes before it.
fn behind_field(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_at_checked(4)?;
    rest.get(be32(length)..)
}
