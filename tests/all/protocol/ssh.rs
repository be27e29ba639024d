//! SSH.

use super::conversation::{
    Conversation,
    Said::{Healthy, Unhealthy},
    TOO_LONG, hex,
};

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    // OpenSSH on Debian 12
    let mut talk = Conversation::new(
        "ssh",
        &[(b"", b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")],
            &[&b"SSH-2.0-healthchecker\r\n"[..], &hex("00000014 06 01 0000000b 00000000 00000000 000000000000")].concat(),
    );

    // OpenSSH's sshd.c, and RFC 4253, section 5.1.
    talk.states(&[
        (&[b"SSH-1.99-Cisco-1.25\n"], Healthy("answers")),
        (&[b"Exceeded MaxStartups\r\n"], Unhealthy("the server says: Exceeded MaxStartups")),
        (&[b"Not allowed at this time\r\n"], Unhealthy("the server says: Not allowed at this time")),
        // Section 4.2: SSH-protoversion-softwareversion, of protocol 2.0; and lines before it.
        (&[b"SSH-\r\n"], Unhealthy("not ssh: the reply begins with SSH-\\r\\n*")),
        (&[b"SSH-2.0\r\n"], Unhealthy("not ssh: the reply begins with SSH-2.0\\r\\n*")),
        (&[b"SSH-2.0-\r\n"], Unhealthy("not ssh: the reply begins with SSH-2.0-\\r\\n*")),
        (&[b"SSH-2.0- OpenSSH\r\n"], Unhealthy("not ssh: the reply begins with SSH-2.0- OpenSSH\\r\\n*")),
        (&[b"SSH-2.0x-OpenSSH\r\n"], Unhealthy("not ssh: the reply begins with SSH-2.0x-OpenSSH\\r\\n*")),
        (&[b"SSH-1.5-1.2.27\r\n"], Unhealthy("the server says: SSH-1.5-1.2.27")),
        (&[b"SSH-3.0-Future\r\n"], Unhealthy("the server says: SSH-3.0-Future")),
        (&["Private system.\r\nGrüße\n\r\nSSH-2.0-OpenSSH_9.2p1\r\n".as_bytes()], Healthy("answers")),
        (&[b"Private system.\r\nExceeded MaxStartups\r\n"], Unhealthy("the server says: Exceeded MaxStartups")),
        (&[b"Private system.\r\nSSH-2.0-\r\n"], Unhealthy("not ssh: the reply begins with Private system.\\r\\nSSH-2.0-\\r\\n")),
        (&[b"Private system.\r\n\0\0\0\r\n"], Unhealthy("not ssh: the reply begins with Private system.*")),
    ]);

    talk.endless(0, b"SSH-2.0-", b"2.0", TOO_LONG);
    talk.endless(0, b"", b"another line\r\n", TOO_LONG);
    // RFC 4253, section 4.2: the server may send other lines first.
    talk.lines_first = true;
    talk
}
