//! Redis, and what speaks its protocol.

use super::conversation::{
    Conversation,
    Said::{Healthy, Unhealthy},
    TOO_LONG,
};

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    // https://redis.io/docs/latest/commands/ping/
    let mut talk = Conversation::new(
        "redis",
        &[(b"PING\r\n", b"+PONG\r\n")], b"",
    );

    // Redis 7.2, src/server.c, createSharedObjects(), and src/networking.c.
    talk.states(&[
        (&[b"-NOAUTH Authentication required.\r\n"], Healthy("answers, wants authentication: -NOAUTH Authentication required.")),
        (&[b"-NOPERM User app has no permissions to run the 'ping' command\r\n"],
         Healthy("answers, refuses this client: -NOPERM User app has no permissions to run the 'ping' command")),
        (&[b"-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. In this mode connections are only accepted from the loopback interface. If you want to connect from external computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode\r\n"],
         Healthy("answers, refuses this client: -DENIED Redis is running in protected mode because protected mode is enabled *...")),
        (&[b"-LOADING Redis is loading the dataset in memory\r\n"],
         Unhealthy("the server says: -LOADING Redis is loading the dataset in memory")),
        (&[b"-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n"],
         Unhealthy("the server says: -MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.")),
        (&[b"-ERR max number of clients reached\r\n"], Unhealthy("the server says: -ERR max number of clients reached")),
        (&[b"-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n"],
         Unhealthy("the server says: -BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.")),
        (&[b"-MISCONF \x1b[31mred\xff\\\r\n"], Unhealthy("the server says: -MISCONF \\x1b[31mred\\xff\\\\")),
        (&[b"+PONG\n"], Healthy("answers")),
        (&[b"+PONGO\r\n"], Unhealthy("not redis: the reply begins with +PONGO\\r\\n")),
        (&[b"+PONG \r\n"], Unhealthy("not redis: the reply begins with +PONG \\r\\n")),
        (&[b"+pong\r\n"], Unhealthy("not redis: the reply begins with +pong\\r\\n")),
        (&[b"$4\r\nPONG\r\n"], Unhealthy("not redis: the reply begins with $4\\r\\nPONG\\r\\n")),
        (&[b"\r\n+PONG\r\n"], Unhealthy("not redis: the reply begins with \\r\\n+PONG\\r\\n")),
        // Other errors, whose names begin like those of a refusal; and a CR that ends no line.
        (&[b"-NOAUTHx\r\n"], Unhealthy("the server says: -NOAUTHx")),
        (&[b"-NOPERMISSION now\r\n"], Unhealthy("the server says: -NOPERMISSION now")),
        (&[b"-DENIEDBYALL\r\n"], Unhealthy("the server says: -DENIEDBYALL")),
        (&[b"+PONG\r\r\n"], Unhealthy("not redis: the reply begins with +PONG\\r\\r\\n")),
    ]);

    talk.endless(0, b"+PONG", b"G", "not redis: the reply begins with +PONGG*");
    talk.endless(0, b"-LOADING", b" and loading", TOO_LONG);
    talk.full = b"-ERR max number of clients reached\r\n";
    talk
}
