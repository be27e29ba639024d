//! MySQL and MariaDB.

use super::conversation::{
    Conversation,
    Said::{Healthy, Unhealthy},
    hex,
};

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    // The greeting is the example of dev.mysql.com/doc/dev/mysql-server, page_protocol_connection_phase_packets_
    // protocol_handshake_v10.html; the goodbye is a HandshakeResponse41 and COM_QUIT.
    let mut talk = Conversation::new(
        "mysql",
        &[(b"", &packet(0, &hex(GREETING)))], &[
            hex("2d000001 00821000 00800001 21"), vec![0; 23], b"mariadb.sys\0\0".to_vec(), hex("01000000 01"),
        ].concat(),
    );

    // The texts of sql/share/errmsg-utf8.txt; since MySQL 5.5 a SQL state may stand before one.
    talk.states(&[
        (&[&error(1045, "#28000Access denied for user 'user'@'localhost' (using password: NO)")],
         Healthy("answers, wants authentication: 1045 Access denied for user 'user'@'localhost' (using password: NO)")),
        (&[&error(1130, "Host '127.0.0.1' is not allowed to connect to this MariaDB server")],
         Healthy("answers, refuses this client: 1130 Host '127.0.0.1' is not allowed to connect to this MariaDB server")),
        (&[&error(1040, "Too many connections")], Unhealthy("the server says: 1040 Too many connections")),
        (&[&error(1040, "#08004Too many connections")], Unhealthy("the server says: 1040 Too many connections")),
        (&[&error(1129, "Host '127.0.0.1' is blocked because of many connection errors; unblock with 'mariadb-admin flush-hosts'")],
         Unhealthy("the server says: 1129 Host '127.0.0.1' is blocked because of many connection errors; unblock with 'mariadb-admin flush-hosts'")),
        (&[&error(1053, "Server shutdown in progress")], Unhealthy("the server says: 1053 Server shutdown in progress")),
        (&[&error(1041, "")], Unhealthy("the server says: 1041")),
        // Protocol 9, a packet out of sequence, a version that does not end or is none, and the X protocol's notice.
        (&[&packet(0, b"\x095.0\0")], Unhealthy("not mysql: *")),
        (&[&packet(1, &hex(GREETING))], Unhealthy("not mysql: *")),
        (&[&packet(0, b"\x0a8.0.36")], Unhealthy("not mysql: *")),
        (&[&packet(0, b"\x0a\0\x0b\0\0\0")], Unhealthy("not mysql: *")),
        // Nothing behind the version; a filler that is not 0; a scramble's second part, or the reserved bytes, cut off.
        (&[&packet(0, b"\x0a8.0.36\0")], Unhealthy("not mysql: *")),
        (&[&packet(0, &hex(&GREETING.replace("434a 00 fff7", "434a 01 fff7")))], Unhealthy("not mysql: *")),
        (&[&packet(0, &hex(GREETING)[..40])], Unhealthy("not mysql: *")),
        (&[&packet(0, &hex(GREETING)[..30])], Unhealthy("not mysql: *")),
        // Without capabilities for more, nothing more need follow.
        (&[&packet(0, &hex("0a 342e302e3330 00 0b000000 6476484049 2d434a 00 2c20 08 0200 00000000000000000000000000"))], Healthy("answers")),
        (&[&packet(0, &hex("0a 332e32332e3439 00 0b000000 6476484049 2d434a 00 2c20"))], Healthy("answers")),
        (&[&hex("05000000 0b 08051a00")], Unhealthy("not mysql: the reply begins with \\x05\\x00\\x00\\x00\\x0b\\x08\\x05\\x1a\\x00")),
    ]);

    talk.endless(0, &[&hex("00100000 0a")[..], b"8.0"].concat(), b"x", "not mysql: *");
    talk
}

const GREETING: &str = "0a 352e352e322d6d3200 0b000000 6476484049 2d434a 00 fff7 08 0200 0000 00 \
    00000000000000000000 2a34647c635a776b345e5d3a 00";

fn packet(sequence: u8, content: &[u8]) -> Vec<u8> {
    let [low, middle, high, _] = (content.len() as u32).to_le_bytes();
    [&[low, middle, high, sequence], content].concat()
}

fn error(code: u16, text: &str) -> Vec<u8> {
    packet(
        0,
        &[&[0xff], &code.to_le_bytes()[..], text.as_bytes()].concat(),
    )
}
