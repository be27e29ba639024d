//! MySQL and MariaDB: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html>.

use super::bytes::{coded, le32};
use super::handshake::{Handshake, Judge, Step};
use super::{Protocol, Signature};
use crate::verdict::{Refusal, Reply};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "mysql",
    aliases: &["mariadb"],
    port: Some(3306),
    proves: "greets: it has started and has room for a client",
    handshake: Some(&HANDSHAKE),
    signature: Some(Signature {
        name: "MySQL",
        fits: |reply| matches!(reply, [_, _, 0, 0, 10, b'0'..=b'9', ..]),
    }),
    ..Protocol::CONNECTION
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[Step {
        send: b"",
        judge: Judge::Bytes(greeting),
    }],
    // HandshakeResponse41 that announces connection attributes and ends before them. MariaDB logs a warning for a client
    // that sends no name or a refused one, but not for one that stops inside the handshake response. `mariadb.sys` (since
    // 10.4) has no second authentication method to try. COM_QUIT follows for servers that accept the response.
    goodbye: b"\x2d\0\0\x01\0\x82\x10\0\0\x80\0\x01\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0mariadb.sys\0\0\x01\0\0\0\x01",
};

/// HandshakeV10 or ERR_Packet, as the first packet.
fn greeting(received: &[u8]) -> Reply {
    if received.len() < 5 {
        return if received.len() == 4 && received[3] != 0 {
            Reply::WrongProtocol
        } else {
            Reply::Incomplete
        };
    }
    let length = le32(&received[..3]);
    let (sequence, kind) = (received[3], received[4]);
    if sequence != 0 || !matches!(kind, 10 | 0xff) || !(3..=4096).contains(&length) {
        return Reply::WrongProtocol;
    }
    let Some(packet) = received.get(5..4 + length) else {
        return Reply::Incomplete;
    };
    if kind == 10 {
        return if handshake_v10(packet).is_some() {
            Reply::Ok(4 + length)
        } else {
            Reply::WrongProtocol
        };
    }
    let code = u16::from_le_bytes([packet[0], packet[1]]);
    let text = match &packet[2..] {
        [b'#', _, _, _, _, _, text @ ..] => text,
        text => text,
    };
    let said = coded(code.to_string().as_bytes(), text);
    match code {
        1045 => Reply::Refused(Refusal::Unauthenticated, said),
        1130 => Reply::Refused(Refusal::Unwelcome, said),
        _ => Reply::Unavailable(said),
    }
}

/// Reads a HandshakeV10 from behind its first byte. None when it is malformed.
fn handshake_v10(packet: &[u8]) -> Option<()> {
    let end = packet.iter().position(|&byte| byte == 0)?;
    let (version, rest) = packet.split_at(end + 1);
    // The thread's id and the scramble's first part, a filler, and half of the capabilities.
    let [filler, _, secure, more @ ..] = rest.get(12..)? else {
        return None;
    };
    // What old servers leave out: character set, status, the other capabilities, the scramble's length, reserved bytes.
    // With CLIENT_SECURE_CONNECTION, the scramble's second part follows.
    let enough = match more.get(..16) {
        None => more.is_empty() && secure & 0x80 == 0,
        Some(_) if secure & 0x80 == 0 => true,
        Some(fixed) => more.len() - 16 >= usize::from(fixed[5]).saturating_sub(8).max(13),
    };
    (version[0].is_ascii_digit() && *filler == 0 && enough).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_goodbye_has_the_lengths_it_claims() {
        let goodbye = HANDSHAKE.goodbye;
        assert_eq!(le32(&goodbye[..3]) + 4 + 5, goodbye.len());
    }
}
