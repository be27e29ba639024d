//! Cassandra and ScyllaDB: native_protocol_v4.spec.

use super::conversation::{
    Conversation,
    Said::{Healthy, Unhealthy},
    hex,
};

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    // Sections 2 and 4.2.4: what Cassandra 4 supports.
    let mut talk = Conversation::new(
        "cassandra",
        &[(&hex("04 00 0000 05 00000000"), &frame(0x84, 6, &supported()))],
        b"",
    );

    // Section 9; texts of org.apache.cassandra.transport. A server that does not speak the version
    // answers in one that it speaks.
    let mut flags = frame(0x84, 6, &supported());
    flags[1] = 1;
    talk.states(&[
        (&[&frame(0x83, 6, &supported())], Healthy("answers")),
        (&[&frame(0x85, 6, &hex("0000"))], Healthy("answers")),
        (&[&error(0x85, 10, "Invalid or unsupported protocol version (4); supported versions are (5/v5)")],
         Healthy("answers, refuses this client: 10 Invalid or unsupported protocol version (4); supported versions are (5/v5)")),
        (&[&error(0x84, 0x100, "who are you")], Healthy("answers, wants authentication: 256 who are you")),
        (&[&error(0x84, 0x1002, "bootstrapping")], Unhealthy("the server says: 4098 bootstrapping")),
        (&[&error(0x84, 0, "")], Unhealthy("the server says: 0")),
        // A request, another opcode, a stream that is not ours, flags, and lengths that do not fit.
        (&[&frame(0x04, 6, &supported())], Unhealthy("not cassandra: *")),
        (&[&frame(0x84, 2, b"")], Unhealthy("not cassandra: *")),
        (&[&hex("84 00 0001 06 00000002 0000")], Unhealthy("not cassandra: *")),
        (&[&flags], Unhealthy("not cassandra: *")),
        (&[&frame(0x84, 6, &[&supported()[..], &[0]].concat())], Unhealthy("not cassandra: *")),
        (&[&frame(0x84, 6, &supported()[..20])], Unhealthy("not cassandra: *")),
        (&[&frame(0x84, 6, b"")], Unhealthy("not cassandra: *")),
        (&[&frame(0x84, 0, &hex("0000000a 0001"))], Unhealthy("not cassandra: *")),
        (&[&hex("84 00 0000 06 7fffffff")], Unhealthy("not cassandra: *")),
    ]);

    talk.endless(0, b"\x84\0\0\0\x06\0\0\x40\0", b"\0", "not cassandra: *");
    talk
}

/// A frame of Cassandra's protocol on stream 0: its version, its opcode, its body.
fn frame(version: u8, opcode: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    [&[version, 0, 0, 0, opcode], &length[..], body].concat()
}

fn error(version: u8, code: u32, text: &str) -> Vec<u8> {
    let length = (text.len() as u16).to_be_bytes();
    let body = [&code.to_be_bytes()[..], &length, text.as_bytes()].concat();
    frame(version, 0, &body)
}

/// A string multimap: options, and what each can be.
fn supported() -> Vec<u8> {
    let string = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat();
    [
        hex("0002"),
        string("COMPRESSION"),
        hex("0002"),
        string("snappy"),
        string("lz4"),
        string("CQL_VERSION"),
        hex("0001"),
        string("3.4.6"),
    ]
    .concat()
}
