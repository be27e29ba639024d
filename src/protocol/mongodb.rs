//! MongoDB: <https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/>.

use super::Protocol;
use super::bytes::{coded, le32};
use super::handshake::{Handshake, Judge, Step};
use crate::verdict::{Refusal, Reply};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "mongodb",
    port: Some(27017),
    proves: "answers the ping command",
    handshake: Some(&HANDSHAKE),
    ..Protocol::CONNECTION
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[Step {
        // OP_MSG {ping: 1, $db: "admin"}.
        send: b"\x33\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\x1e\0\0\0\x10ping\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0",
        judge: Judge::Bytes(op_msg),
    }],
    goodbye: b"",
};

/// OP_MSG in answer to request 1, with `ok: 1.0` in its document.
fn op_msg(received: &[u8]) -> Reply {
    // A TLS alert has seven bytes: the length is judged before the header is whole.
    let length = le32(received);
    if received.len() >= 4 && !(26..=48 * 1024).contains(&length) {
        return Reply::WrongProtocol;
    }
    let Some(header) = received.get(..16) else {
        return Reply::Incomplete;
    };
    if le32(&header[8..]) != 1 || le32(&header[12..]) != 2013 {
        return Reply::WrongProtocol;
    }
    let Some(message) = received.get(16..length) else {
        return Reply::Incomplete;
    };
    // Flags, and a section of kind 0: the document, and behind it a checksum if the lowest flag is set. The other flags of
    // the lower half are either unknown, and then must not be set, or say that more replies come.
    let checksum = match le32(message) & 0xffff {
        0 => 0,
        1 => 4,
        _ => return Reply::WrongProtocol,
    };
    let document = match &message[4..message.len() - checksum] {
        [0, document @ ..] => bson(document),
        _ => None,
    };
    let Some(document) = document else {
        return Reply::WrongProtocol;
    };
    let field = |wanted: &[u8]| document.iter().find(|(_, name, _)| *name == wanted);
    let number = |name: &[u8]| match *field(name)? {
        (0x01, _, value) => Some(f64::from_le_bytes(value.try_into().ok()?)),
        (0x10, _, value) => Some(f64::from(i32::from_le_bytes(value.try_into().ok()?))),
        (0x08, _, value) => Some(f64::from(*value.first()?)),
        _ => None,
    };
    let text = match field(b"errmsg") {
        Some((0x02, _, [_, _, _, _, text @ .., 0])) => text,
        _ => &b""[..],
    };
    match (number(b"ok"), number(b"code").unwrap_or(0.0) as u32) {
        (Some(1.0), _) => Reply::Ok(length),
        // error_codes.yml: Unauthorized, AuthenticationFailed.
        (Some(0.0), code @ (13 | 18)) => Reply::Refused(
            Refusal::Unauthenticated,
            coded(code.to_string().as_bytes(), text),
        ),
        (Some(0.0), code) => Reply::Unavailable(coded(code.to_string().as_bytes(), text)),
        _ => Reply::WrongProtocol,
    }
}

/// The type, name and value of an element of a BSON document.
type Bson<'a> = (u8, &'a [u8], &'a [u8]);

/// The top-level elements of a BSON document (bsonspec.org) that fills `document`.
fn bson(document: &[u8]) -> Option<Vec<Bson<'_>>> {
    let (length, mut rest) = document.split_at_checked(4)?;
    if le32(length) != document.len() {
        return None;
    }
    let mut elements = Vec::new();
    loop {
        let (&kind, named) = rest.split_first()?;
        if kind == 0 {
            return named.is_empty().then_some(elements);
        }
        let end = named.iter().position(|&byte| byte == 0)?;
        let (name, value) = (&named[..end], &named[end + 1..]);
        // Strings and documents end with a zero byte, which their length counts; a document's counts itself, too.
        let (more, least) = match kind {
            0x02 | 0x0d | 0x0e => (4usize, 5),
            0x03 | 0x04 => (0, 5),
            0x05 => (5, 0),
            _ => (0, 0),
        };
        let length = match kind {
            0x01 | 0x09 | 0x11 | 0x12 => 8,
            0x02..=0x05 | 0x0d | 0x0e => more.saturating_add(le32(value.get(..4)?)),
            0x06 | 0x0a | 0x7f | 0xff => 0,
            0x07 => 12,
            0x08 => 1,
            0x10 => 4,
            0x13 => 16,
            _ => return None,
        };
        let (value, behind) = value.split_at_checked(length)?;
        if least > 0 && (length < least || !value.ends_with(&[0])) {
            return None;
        }
        elements.push((kind, name, value));
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ping_has_the_length_it_claims() {
        let ping = HANDSHAKE.steps[0].send;
        assert_eq!(le32(ping), ping.len());
    }
}
