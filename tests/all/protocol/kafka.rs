//! Kafka.

use super::conversation::{
    Conversation,
    Said::{Healthy, Unhealthy},
    hex,
};

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    // https://kafka.apache.org/protocol#The_Messages_ApiVersions: version 0, with two of a broker's APIs.
    let mut talk = Conversation::new(
        "kafka",
        &[(&hex("0000000a 0012 0000 00000001 ffff"), &response(1, 0))], b"",
    );

    // https://kafka.apache.org/protocol#protocol_error_codes: 35 is UNSUPPORTED_VERSION, with an empty list.
    talk.states(&[
        (&[&hex("0000000a 00000001 0023 00000000")], Healthy("answers")),
        (&[&response(1, 42)], Unhealthy("the server says: error code 42")),
        (&[&response(2, 0)], Unhealthy("not kafka: *")),
        (&[&hex("00000004 00000001 0000")], Unhealthy("not kafka: the reply begins with \\x00\\x00\\x00\\x04\\x00\\x00\\x00\\x01\\x00\\x00")),
        (&[&hex("7fffffff 00000001 0000")], Unhealthy("not kafka: *")),
        // A list that is longer or shorter than the message, and none.
        (&[&hex("00000010 00000001 0000 00000002 000000000009")], Unhealthy("not kafka: *")),
        (&[&hex("00000010 00000001 0000 00000000 000000000009")], Unhealthy("not kafka: *")),
        (&[&hex("00000011 00000001 0000 00000001 000000000009 00")], Unhealthy("not kafka: *")),
        (&[&hex("0000000f 00000001 0000 00000001 0000000000")], Unhealthy("not kafka: *")),
        (&[&hex("00000006 00000001 0000")], Unhealthy("not kafka: *")),
        (&[&hex("0000000a 00000001 0023 00000001")], Unhealthy("not kafka: *")),
        (&[&hex("00000010 00000001 0023 00000001 001200000003")], Healthy("answers")),
    ]);

    talk.endless(0, b"\0\0\x7f\xff\0\0\0\x01\0\x2a", b"\0", "not kafka: *");
    talk
}

fn response(correlation: u32, error: u16) -> Vec<u8> {
    // Produce 0 to 9, and ApiVersions 0 to 3.
    let apis = hex("00000002 0000 0000 0009 0012 0000 0003");
    let content = [&correlation.to_be_bytes()[..], &error.to_be_bytes(), &apis].concat();
    [&(content.len() as u32).to_be_bytes()[..], &content].concat()
}
