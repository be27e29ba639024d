//! NATS.

use super::conversation::{
    Conversation,
    Said::{Healthy, Unhealthy},
    TOO_LONG,
};

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    // https://docs.nats.io/reference/reference-protocols/nats-protocol
    let mut talk = Conversation::new(
        "nats",
        &[(b"", INFO), (b"CONNECT {\"verbose\":false}\r\nPING\r\n", b"PONG\r\n")], b"",
    );

    // nats-server 2.10, server/errors.go
    talk.states(&[
        (&[INFO, b"+OK\r\nPING\r\nPONG\r\n"], Healthy("answers")),
        (&[INFO, &[INFO, b"PONG\r\n"].concat()], Healthy("answers")),
        (&[INFO, b"-ERR 'Authorization Violation'\r\n"], Healthy("answers, wants authentication: -ERR 'Authorization Violation'")),
        (&[INFO, b"-ERR 'Authentication Timeout'\r\n"], Healthy("answers, wants authentication: -ERR 'Authentication Timeout'")),
        (&[INFO, b"-ERR 'Secure Connection - TLS Required'\r\n"],
         Healthy("answers, refuses this client: -ERR 'Secure Connection - TLS Required'")),
        (&[INFO, b"-ERR 'maximum connections exceeded'\r\n"], Unhealthy("the server says: -ERR 'maximum connections exceeded'")),
        (&[b"-ERR 'maximum connections exceeded'\r\n"], Unhealthy("the server says: -ERR 'maximum connections exceeded'")),
        (&[INFO, b"MSG a 1 0\r\n\r\n"], Unhealthy("not nats: the reply begins with MSG a 1 0\\r\\n\\r\\n")),
        (&[b"INFO \r\n"], Unhealthy("not nats: the reply begins with INFO \\r\\n")),
        (&[INFO, b"-ERR 'Authorization Violations'\r\n"], Unhealthy("the server says: -ERR 'Authorization Violations'")),
        (&[INFO, b"-ERR 'Authentications'\r\n"], Unhealthy("the server says: -ERR 'Authentications'")),
    ]);

    talk.endless(0, b"INFO ", b"{", TOO_LONG);
    talk.endless(1, b"", b"INFO {}\r\nPING\r\n", TOO_LONG);
    talk
}

const INFO: &[u8] = b"INFO {\"server_id\":\"Zk0GQ3JBSrg3oyxCRRlE09\",\"version\":\"2.10.7\",\"proto\":1,\"max_payload\":1048576}\r\n";
