//! Whatever speaks TLS: RFC 8446, section 4.1.2.

use super::bytes::{be32, begins};
use super::handshake::{Handshake, Judge, Step};
use super::{Protocol, Signature};
use crate::verdict::{Refusal, Reply, Snippet};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "tls",
    port: Some(443),
    proves: "speaks TLS: the certificate is not looked at",
    handshake: Some(&HANDSHAKE),
    signature: Some(Signature {
        name: "TLS",
        fits: |reply| matches!(reply, [0x15 | 0x16, 3, 0..=4, ..]),
    }),
    ..Protocol::CONNECTION
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[Step {
        send: CLIENT_HELLO,
        judge: Judge::Bytes(server_hello),
    }],
    // A close_notify.
    goodbye: b"\x15\x03\x03\0\x02\x01\0",
};

/// For TLS 1.2 and 1.3. Nothing secret is sent, and so the random (the 32 bytes `healthchecker asks: who is there`) and the
/// key share are constants.
const CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x00\xb8\x01\x00\x00\xb4\x03\x03healthchecker asks: who is there\0\
    \0\x1e\x13\x01\x13\x02\x13\x03\xc0\x2b\xc0\x2f\xc0\x2c\xc0\x30\xcc\xa9\xcc\xa8\xc0\x13\xc0\x14\0\x9c\0\x9d\0\x2f\0\x35\x01\0\
    \0\x6d\
    \0\0\0\x0e\0\x0c\0\0\x09localhost\
    \0\x0a\0\x08\0\x06\0\x1d\0\x17\0\x18\
    \0\x0b\0\x02\x01\0\
    \0\x0d\0\x12\0\x10\x04\x03\x08\x04\x04\x01\x05\x03\x08\x05\x05\x01\x08\x06\x06\x01\
    \0\x2b\0\x05\x04\x03\x04\x03\x03\
    \0\x33\0\x26\0\x24\0\x1d\0\x20\x09\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// A record with a ServerHello, or with an alert.
fn server_hello(received: &[u8]) -> Reply {
    match received {
        // Handshake, version 3.x, a length.
        [0x16, 3, 0..=4, high, low, message @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            match message.get(..length) {
                _ if length > 0x4000 || !begins(message, &[2]) => Reply::WrongProtocol,
                None => Reply::Incomplete,
                Some(message) if hello_is_proper(message).is_some() => Reply::Ok(5 + length),
                Some(_) => Reply::WrongProtocol,
            }
        }
        [0x15, 3, 0..=4, 0, 2, 1 | 2, code, ..] => alert(*code),
        [0x16, rest @ ..] if rest.len() < 4 && begins(rest, b"\x03") => Reply::Incomplete,
        [0x15, rest @ ..] if rest.len() < 6 && begins(rest, b"\x03") => Reply::Incomplete,
        _ => Reply::WrongProtocol,
    }
}

/// Reads a ServerHello (RFC 8446, section 4.1.3; RFC 5246, section 7.4.1.3). None when it is malformed.
fn hello_is_proper(message: &[u8]) -> Option<()> {
    let [2, high, middle, low, rest @ ..] = message else {
        return None;
    };
    let hello = rest.get(..be32(&[0, *high, *middle, *low]))?;
    let [3, 1..=3, rest @ ..] = hello else {
        return None;
    };
    // The random, and a session id of up to 32 bytes.
    let (&session, rest) = rest.get(32..)?.split_first()?;
    // The cipher, no compression, and what may follow: extensions and their length.
    let [_, _, 0, extensions @ ..] = rest.get(usize::from(session)..)? else {
        return None;
    };
    let whole = match extensions {
        [] => true,
        [high, low, rest @ ..] => usize::from(u16::from_be_bytes([*high, *low])) == rest.len(),
        _ => false,
    };
    (session <= 32 && whole).then_some(())
}

/// What an alert in answer to a ClientHello says of the server (RFC 8446, section 6, and RFC 5246, section 7.2, for those
/// of TLS 1.2). Its level does not matter.
fn alert(code: u8) -> Reply {
    let what = match code {
        // "Unrelated to the peer or the correctness of the protocol".
        80 => "TLS alert 80, internal_error".to_owned(),
        code => format!("TLS alert {code}"),
    };
    let what = Snippet::new(what.as_bytes());
    match code {
        // The server works, and rejects this client's parameters: its ciphers, its version, an extension, the name, a key,
        // the application protocol, or that it has no certificate.
        40 | 42..=49 | 70 | 71 | 86 | 109 | 110 | 112 | 115 | 116 | 120 => {
            Reply::Refused(Refusal::Unwelcome, what)
        }
        // unexpected_message, decode_error and the like, which a correct server never sends for this ClientHello;
        // internal_error; close_notify; and unknown codes.
        _ => Reply::Unavailable(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hello_has_the_length_it_claims() {
        assert_eq!(CLIENT_HELLO.len(), 5 + 0xb8);
    }
}
