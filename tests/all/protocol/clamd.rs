//! ClamAV's daemon.

use super::conversation::{Conversation, Said::Unhealthy};

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    // clamd(8); seen of clamd 1.4.
    let mut talk = Conversation::new(
        "clamd",
        &[(b"zPING\0", b"PONG\0")], b"",
    );

    // ClamAV 1.4, clamd/session.c and clamd/server-th.c.
    talk.states(&[
        (&[b"UNKNOWN COMMAND\0"], Unhealthy("the server says: UNKNOWN COMMAND")),
        (&[b"COMMAND READ TIMED OUT\n"], Unhealthy("the server says: COMMAND READ TIMED OUT")),
        // The end of line of another form of the command, other words, and what only begins so.
        (&[b"PONG\n"], Unhealthy("not clamd: the reply begins with PONG\\n")),
        (&[b"PONGO\0"], Unhealthy("not clamd: the reply begins with PONGO\\x00")),
        (&[b"pong\0"], Unhealthy("not clamd: the reply begins with pong\\x00")),
        (&[b"+PONG\r\n"], Unhealthy("not clamd: the reply begins with +PONG\\r\\n")),
        (&[b"UNKNOWN COMMANDS\0"], Unhealthy("not clamd: *")),
    ]);

    talk.endless(0, b"PONG", b"G", "not clamd: the reply begins with PONGG*");
    talk.echo = "not clamd: the reply begins with zPING*";
    talk
}
