//! Memcached.

use super::conversation::{
    Conversation,
    Said::{Healthy, Unhealthy},
    TOO_LONG,
};

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    // memcached's doc/protocol.txt
    let mut talk = Conversation::new(
        "memcached",
        &[(b"version\r\n", b"VERSION 1.6.18\r\n")], b"quit\r\n",
    );

    // memcached 1.6: memcached.c and proto_text.c
    talk.states(&[
        (&[b"CLIENT_ERROR unauthenticated\r\n"], Healthy("answers, wants authentication: CLIENT_ERROR unauthenticated")),
        (&[b"ERROR Too many open connections\r\n"], Unhealthy("the server says: ERROR Too many open connections")),
        (&[b"SERVER_ERROR out of memory\r\n"], Unhealthy("the server says: SERVER_ERROR out of memory")),
        (&[b"ERROR\r\n"], Unhealthy("the server says: ERROR")),
        (&[b"VERSION\r\n"], Unhealthy("not memcached: the reply begins with VERSION\\r\\n")),
        (&[b"VERSION \r\n"], Unhealthy("not memcached: the reply begins with VERSION \\r\\n")),
        (&[b"ERRORS\r\n"], Unhealthy("not memcached: the reply begins with ERRORS\\r\\n")),
        (&[b"CLIENT_ERROR unauthenticatedly\r\n"], Unhealthy("the server says: CLIENT_ERROR unauthenticatedly")),
    ]);

    talk.endless(0, b"VERSION ", b"1.6.", TOO_LONG);
    talk.full = b"ERROR Too many open connections\r\n";
    talk
}
