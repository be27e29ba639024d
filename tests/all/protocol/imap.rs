//! IMAP.

use super::conversation::{
    Conversation,
    Said::{Healthy, Unhealthy},
    TOO_LONG,
};

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    let mut talk = Conversation::new(
        "imap",
        &[(b"", b"* OK [CAPABILITY IMAP4rev1 IDLE STARTTLS AUTH=PLAIN] Dovecot ready.\r\n")], b"a LOGOUT\r\n",
    );

    // RFC 3501, sections 7.1.4 and 7.1.5.
    talk.states(&[
        (&[b"* PREAUTH IMAP4rev1 server logged in as Smith\r\n"], Healthy("answers")),
        (&[b"* BYE Too many connections\r\n"], Unhealthy("the server says: * BYE Too many connections")),
        (&[b"* OKAY\r\n"], Unhealthy("not imap: the reply begins with * OKAY\\r\\n")),
        (&[b"* NO thanks\r\n"], Unhealthy("not imap: the reply begins with * NO thanks\\r\\n")),
        (&[b"* PREAUTHx\r\n"], Unhealthy("not imap: the reply begins with * PREAUTHx\\r\\n")),
        (&[b"* BYEBYE\r\n"], Unhealthy("not imap: the reply begins with * BYEBYE\\r\\n")),
    ]);

    talk.endless(0, b"* OK", b" soon", TOO_LONG);
    talk
}
