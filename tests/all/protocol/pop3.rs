//! POP3.

use super::conversation::{
    Conversation,
    Said::{Healthy, Unhealthy},
    TOO_LONG,
};

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    // Dovecot
    let mut talk = Conversation::new(
        "pop3",
        &[(b"", b"+OK Dovecot (Debian) ready.\r\n")], b"QUIT\r\n",
    );

    // RFC 1939, section 4; RFC 3206.
    talk.states(&[
        (&[b"+OK\r\n"], Healthy("answers")),
        (&[b"-ERR [SYS/TEMP] try again\r\n"], Unhealthy("the server says: -ERR [SYS/TEMP] try again")),
        (&[b"+OKAY\r\n"], Unhealthy("not pop3: the reply begins with +OKAY\\r\\n")),
        (&[b"-ERROR\r\n"], Unhealthy("not pop3: the reply begins with -ERROR\\r\\n")),
    ]);

    talk.endless(0, b"+OK", b" soon", TOO_LONG);
    talk
}
