//! SSH servers: RFC 4253, section 4.2.

use super::handshake::{Handshake, Judge, Lines, NO_LINES, Step, judge_lines};
use super::{Protocol, Signature, recognised};
use crate::verdict::Reply;

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "ssh",
    port: Some(22),
    proves: "sends its version: it takes connections",
    handshake: Some(&HANDSHAKE),
    signature: Some(SIGNATURE),
    ..Protocol::CONNECTION
};

const SIGNATURE: Signature = Signature {
    name: "SSH",
    fits: |reply| reply.starts_with(b"SSH-"),
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[Step {
        send: b"",
        judge: Judge::Bytes(version),
    }],
    // A version, and SSH_MSG_DISCONNECT by the application (section 11.1): sshd logs an error if the client sends less.
    goodbye: b"SSH-2.0-healthchecker\r\n\0\0\0\x14\x06\x01\0\0\0\x0b\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
};

/// `SSH-protoversion-softwareversion` (RFC 4253, section 4.2), and the lines that may come before it.
fn version(received: &[u8]) -> Reply {
    // 1.99 is 2.0 for clients that speak 1.5 only (section 5.1).
    const LINES: Lines = Lines {
        ok: &["SSH-2.0-?", "SSH-1.99-?"],
        unavailable: &["SSH-#.#-?", "Exceeded MaxStartups", "Not allowed"],
        ..NO_LINES
    };
    let mut start = 0;
    loop {
        let rest = &received[start..];
        match judge_lines(rest, &LINES) {
            Reply::WrongProtocol => {}
            Reply::Ok(bytes) => return Reply::Ok(start + bytes),
            reply => return reply,
        }
        let end = rest.iter().position(|&byte| byte == b'\n');
        if rest.starts_with(b"SSH-") || !is_text(&rest[..end.unwrap_or(rest.len())]) {
            return Reply::WrongProtocol;
        }
        match (end, recognised(received)) {
            (_, Some(other)) if other.name != SIGNATURE.name => return Reply::WrongProtocol,
            (None, _) => return Reply::Incomplete,
            (Some(end), _) => start += end + 1,
        }
    }
}

/// Whether `line` is UTF-8 as far as it has come, without bytes below 0x20 except tab, CR and ESC.
fn is_text(line: &[u8]) -> bool {
    let valid = match std::str::from_utf8(line) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    valid
        && line
            .iter()
            .all(|byte| *byte >= b' ' || matches!(byte, b'\t' | b'\r' | 0x1b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_before_the_version_of_ssh() {
        for (received, reply) in [
            (&b"SSH-2.0-x\r\n\0\0\x04\x34"[..], Reply::Ok(11)),
            (b"hi\nSSH-2.0-x\n", Reply::Ok(13)),
            (b"hi\nSSH-2.0-x", Reply::Incomplete),
            (b"hi\nSSH-", Reply::Incomplete),
            (b"hi\n", Reply::Incomplete),
            (b"hi", Reply::Incomplete),
            (
                "Gr\u{fc}".as_bytes().split_last().unwrap().1,
                Reply::Incomplete,
            ),
            (b"\x1b[1mhi\x1b[0m\tyou\r\n", Reply::Incomplete),
            (b"hi\0", Reply::WrongProtocol),
            (b"Gr\xfc\xdfe\n", Reply::WrongProtocol),
            (b"hi\nSSH-2", Reply::Incomplete),
            (b"hi\nSSH-x", Reply::WrongProtocol),
            (b"hi\nSSH-2.0\r\nSSH-2.0-x\r\n", Reply::WrongProtocol),
            (b"HTTP/1.1 400 Bad Request\r\n", Reply::WrongProtocol),
            (b"HTTP", Reply::Incomplete),
        ] {
            assert_eq!(version(received), reply, "{}", received.escape_ascii());
        }
    }
}
