//! PostgreSQL.

use super::conversation::{
    Conversation,
    Said::{self, Healthy, Unhealthy},
    TOO_LONG, hex,
};
use crate::support::{Server, check};
use libtest_mimic::Trial;
use std::io::{Read, Write};

pub fn trials() -> Vec<Trial> {
    trials![postgres_users_and_databases,]
}

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    const AUTHENTICATION: Said = Healthy("answers, wants authentication");
    // https://www.postgresql.org/docs/current/protocol-message-formats.html: AuthenticationOk; Terminate.
    let mut talk = Conversation::new(
        "postgres",
        &[(b"\0\0\0\x17\0\x03\0\0user\0postgres\0\0", &message(b'R', &hex("00000000")))], &hex("58 00000004"),
    );

    // protocol-message-formats.html: AuthenticationXXX; and the texts of src/backend/libpq/auth.c and
    // src/backend/postmaster/postmaster.c of PostgreSQL 16.
    let code = |code: u32, more: &[u8]| message(b'R', &[&code.to_be_bytes()[..], more].concat());
    for (number, more) in [
        (2, &b""[..]),
        (3, b""),
        (5, b"salt"),
        (6, b""),
        (7, b""),
        (9, b""),
        (10, b"SCRAM-SHA-256\0\0"),
        (10, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"),
    ] {
        talk.states(&[(&[&code(number, more)], AUTHENTICATION)]);
    }
    // The documentation gives each its length, and the mechanisms of SASL an end.
    for (number, more) in [
        (0, &b"\0"[..]),
        (3, b"\0"),
        (5, b"sal"),
        (5, b"salty"),
        (7, b"\0\0\0\0"),
        (10, b""),
        (10, b"\0"),
        (10, b"\0\0"),
        (10, b"SCRAM-SHA-256\0"),
        (10, b"SCRAM-SHA-256"),
        (10, b"SCRAM-SHA-256\0\0\0"),
        (10, b"SCRAM-SHA-256\0\0x"),
    ] {
        talk.states(&[(&[&code(number, more)], Unhealthy("not postgres: *"))]);
    }
    talk.states(&[
        (&[&error("28000", "no pg_hba.conf entry for host \"127.0.0.1\", user \"postgres\", no encryption")],
         Healthy("answers, wants authentication: 28000 no pg_hba.conf entry for host \"127.0.0.1\", user \"postgres\", no encryption")),
        (&[&error("28P01", "password authentication failed for user \"postgres\"")],
         Healthy("answers, wants authentication: 28P01 password authentication failed for user \"postgres\"")),
        (&[&error("3D000", "database \"postgres\" does not exist")],
         Healthy("answers, refuses this client: 3D000 database \"postgres\" does not exist")),
        (&[&error("57P03", "the database system is starting up")],
         Unhealthy("the server says: 57P03 the database system is starting up")),
        (&[&error("57P03", "the database system is shutting down")],
         Unhealthy("the server says: 57P03 the database system is shutting down")),
        (&[&error("57P03", "the database system is not yet accepting connections")],
         Unhealthy("the server says: 57P03 the database system is not yet accepting connections")),
        (&[&error("53300", "sorry, too many clients already")], Unhealthy("the server says: 53300 sorry, too many clients already")),
        (&[&error("XX000", "a\r\nb\x1b[2J")], Unhealthy("the server says: XX000 a\\r\\nb\\x1b[2J")),
        // Fields without an end, and a code that is none of class 28.
        (&[&message(b'E', b"SFATAL\0C28000\0Mno entry")], Unhealthy("not postgres: *")),
        (&[&message(b'E', b"SFATAL\0C28000\0Mno entry\0")], Unhealthy("not postgres: *")),
        (&[&message(b'E', b"SFATAL\0C28000\0\0Mno entry\0\0")], Unhealthy("not postgres: *")),
        (&[&message(b'E', b"SFATAL\0C28\0Mno entry\0\0")], Unhealthy("the server says: 28 no entry")),
        // report_fork_failure_to_client(): the old form, without a length.
        (&[b"Ecould not fork new process for connection: Resource temporarily unavailable\n\0"],
         Unhealthy("the server says: could not fork new process for connection: Resource temporarily unavailable\\n")),
        // What answers an SSLRequest is no answer to this.
        (&[b"N"], Unhealthy("not postgres: the reply begins with N")),
        (&[b"S"], Unhealthy("not postgres: the reply begins with S")),
        // AuthenticationSASLContinue, out of turn; and an AuthenticationOk that is too short or too long to be one.
        (&[&code(11, b"")], Unhealthy("not postgres: the reply begins with R\\x00\\x00\\x00\\x08\\x00\\x00\\x00\\x0b")),
        (&[b"R\0\0\0\x04\0\0\0\0"], Unhealthy("not postgres: the reply begins with R\\x00\\x00\\x00\\x04\\x00\\x00\\x00\\x00")),
        (&[b"R\x7f\xff\xff\xff\0\0\0\0"], Unhealthy("not postgres: the reply begins with R\\x7f\\xff\\xff\\xff\\x00\\x00\\x00\\x00")),
    ]);

    talk.endless(0, b"E", b"could not fork ", TOO_LONG);
    talk.endless(0, b"R\0\0\x10\0\0\0\0\0", b"R", "not postgres: *");
    talk.endless(0, b"R\0\0\x10\0\0\0\0\x0a", b"R", "not postgres: *");
    talk.of_a_password =
        Some("has a password, and nobody logs in: the user's name is all that is sent");
    talk
}

/// A message of PostgreSQL: its type, its length, its content.
fn message(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32 + 4).to_be_bytes();
    [&[kind], &length[..], content].concat()
}

/// An ErrorResponse; the fields' kinds are in the documentation's section "Error and Notice Message Fields".
fn error(code: &str, text: &str) -> Vec<u8> {
    let fields = format!(
        "SFATAL\0VFATAL\0C{code}\0M{text}\0Fpostmaster.c\0L2345\0RProcessStartupPacket\0\0"
    );
    message(b'E', fields.as_bytes())
}

/// A role and a database of one's own: the official image with POSTGRES_USER has no role "postgres", and would log a
/// complaint about each check.
fn postgres_users_and_databases() {
    for (user, path, startup) in [
        ("app@", "", &b"\0\0\0\x12\0\x03\0\0user\0app\0\0"[..]),
        (
            "a%40b@",
            "/shop",
            b"\0\0\0\x20\0\x03\0\0user\0a@b\0database\0shop\0\0",
        ),
        (
            "",
            "/shop",
            b"\0\0\0\x25\0\x03\0\0user\0postgres\0database\0shop\0\0",
        ),
    ] {
        let server = Server::new(move |connection| {
            let mut heard = vec![0; startup.len()];
            connection
                .read_exact(&mut heard)
                .expect("a startup message");
            let said: &[u8] = if heard == startup {
                b"R\0\0\0\x08\0\0\0\0"
            } else {
                b"?"
            };
            let _ = connection.write_all(said);
        });
        let port = server.port();
        check([format!("postgres://{user}localhost:{port}{path}")]).healthy(&format!(
            "healthy: postgres://localhost:{port}{path}: answers in * ms"
        ));
    }
    let server = Server::untouched();
    for (bad, path) in [
        ("app:secret@", ""),
        ("a%00b@", ""),
        ("a%zz@", ""),
        ("", "/a%00"),
        ("", "/a?b=c"),
        ("", "/a/b"),
    ] {
        let run = check([format!("postgres://{bad}localhost:{}{path}", server.port())]);
        run.exits(1);
        assert!(
            run.stderr.starts_with("error: TARGET: ") && !run.stderr.contains("secret"),
            "{run}"
        );
    }
}
