//! LDAP directories: RFC 4511, sections 4.2 and 4.3.

use super::Protocol;
use super::bytes::{be32, coded};
use super::handshake::{Handshake, Judge, Step};
use crate::verdict::{Refusal, Reply};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "ldap",
    port: Some(389),
    proves: "answers an anonymous bind",
    handshake: Some(&HANDSHAKE),
    ..Protocol::CONNECTION
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[Step {
        // An anonymous bind.
        send: b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0",
        judge: Judge::Bytes(bind_response),
    }],
    // The unbind.
    goodbye: b"\x30\x05\x02\x01\x02\x42\0",
};

/// A BER element: its tag, its contents, and its whole length.
type Ber<'a> = (u8, &'a [u8], usize);

/// The element at the beginning: `Ok(None)` if it is not whole.
fn ber(bytes: &[u8]) -> Result<Option<Ber<'_>>, ()> {
    let [tag, first, rest @ ..] = bytes else {
        return Ok(None);
    };
    let (length, header) = match first {
        0..=0x7f => (usize::from(*first), 2),
        // Active Directory writes four bytes whatever the length.
        0x81..=0x84 => {
            let count = usize::from(first & 0x7f);
            let Some(digits) = rest.get(..count) else {
                return Ok(None);
            };
            (be32(digits), 2 + count)
        }
        _ => return Err(()),
    };
    if length > 16 * 1024 {
        return Err(());
    }
    Ok(bytes
        .get(header..header + length)
        .map(|contents| (*tag, contents, header + length)))
}

/// The tags and contents of elements that fill `bytes`.
fn elements(mut bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut elements = Vec::new();
    while !bytes.is_empty() {
        let (tag, contents, length) = ber(bytes).ok()??;
        elements.push((tag, contents));
        bytes = &bytes[length..];
    }
    Some(elements)
}

/// BindResponse, or the notice of disconnection that a server sends instead.
fn bind_response(received: &[u8]) -> Reply {
    if received[0] != 0x30 {
        return Reply::WrongProtocol;
    }
    let (message, length) = match ber(received) {
        Ok(Some((_, message, length))) => (message, length),
        Ok(None) => return Reply::Incomplete,
        Err(()) => return Reply::WrongProtocol,
    };
    // LDAPMessage and LDAPResult (RFC 4511, sections 4.1.1 and 4.1.9). What is added behind their fields, controls or a
    // referral, must be ignored.
    let result = || {
        let message = elements(message)?;
        // INTEGER, and [APPLICATION 1] BindResponse or [APPLICATION 24] ExtendedResponse.
        let [(2, id), (operation, response), ..] = message[..] else {
            return None;
        };
        let response = elements(response)?;
        // ENUMERATED, and the strings matchedDN and diagnosticMessage.
        let [(10, code), (4, _), (4, text), ..] = response[..] else {
            return None;
        };
        // BER writes no more bytes than it takes.
        let minimal = matches!((code.len(), be32(code)), (1, _) | (2..=4, 128..));
        let proper = matches!((operation, id), (0x61, [1]) | (0x78, [0])) && minimal;
        proper.then(|| (operation, be32(code), text))
    };
    match result() {
        Some((0x61, 0, _)) => Reply::Ok(length),
        Some((0x61, code @ (48 | 53), text)) => Reply::Refused(
            Refusal::Unauthenticated,
            coded(code.to_string().as_bytes(), text),
        ),
        Some((_, code, text)) => {
            Reply::Unavailable(coded(format!("result code {code}").as_bytes(), text))
        }
        None => Reply::WrongProtocol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bind_has_the_length_it_claims() {
        let bind = HANDSHAKE.steps[0].send;
        assert_eq!(usize::from(bind[1]), bind.len() - 2);
    }
}
