//! MongoDB.

use super::conversation::{
    Conversation,
    Said::{Healthy, Unhealthy},
    hex,
};

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    // The wire protocol's OP_MSG, with the reply that every MongoDB gives to ping.
    let mut talk = Conversation::new(
        "mongodb",
        &[(
                &hex(
                    "33000000 01000000 00000000 dd070000 00000000 00 1e000000 1070696e6700 01000000 \
                      02 24646200 06000000 61646d696e00 00",
                ),
                &op_msg(1, 0, &double("ok", 1.0)),
            )],
            b"",
    );

    // The codes are those of src/mongo/base/error_codes.yml.
    let nested = [&b"\x03topology\0"[..], &(double("ok", 0.0).len() as u32 + 5).to_le_bytes(), &double("ok", 0.0), &[0], &double("ok", 1.0)].concat();
    let document = |document: &[u8]| {
        let length = (document.len() as u32 + 21).to_le_bytes();
        [&length[..], &hex("4d000000 01000000 dd070000 00000000 00"), document].concat()
    };
    let mut no_checksum = op_msg(1, 0, &double("ok", 1.0));
    no_checksum[16] = 1;
    talk.states(&[
        (&[&op_msg(1, 0, &int32("ok", 1))], Healthy("answers")),
        (&[&op_msg(1, 0, b"\x08ok\0\x01")], Healthy("answers")),
        (&[&op_msg(1, 1, &double("ok", 1.0))], Healthy("answers")),
        (&[&op_msg(1, 0, &nested)], Healthy("answers")),
        (&[&error(13, "Unauthorized", "command ping requires authentication")],
         Healthy("answers, wants authentication: 13 command ping requires authentication")),
        (&[&error(18, "AuthenticationFailed", "Authentication failed.")],
         Healthy("answers, wants authentication: 18 Authentication failed.")),
        (&[&error(11600, "InterruptedAtShutdown", "interrupted at shutdown")],
         Unhealthy("the server says: 11600 interrupted at shutdown")),
        (&[&error(91, "ShutdownInProgress", "The server is in quiesce mode and will shut down")],
         Unhealthy("the server says: 91 The server is in quiesce mode and will shut down")),
        (&[&op_msg(1, 0, &double("ok", 0.0))], Unhealthy("the server says: 0")),
        // An answer to somebody else, a number that is neither, none at all, and the reply of the old protocol.
        (&[&op_msg(2, 0, &double("ok", 1.0))], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 0, &double("ok", 2.0))], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 0, &utf8("ok", "1"))], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 0, &double("okay", 1.0))], Unhealthy("not mongodb: *")),
        // A document that is longer or shorter than the message, that has no end, or more behind its end; elements that
        // do not fit; a checksum that is announced and not there; and flags that must not be set.
        (&[&document(&[&hex("14000000")[..], &double("ok", 1.0), &[0]].concat())], Unhealthy("not mongodb: *")),
        (&[&document(&[&hex("12000000")[..], &double("ok", 1.0), &[0]].concat())], Unhealthy("not mongodb: *")),
        (&[&document(&[&hex("10000000")[..], &double("ok", 1.0)].concat())], Unhealthy("not mongodb: *")),
        (&[&document(&[&hex("15000000")[..], &double("ok", 1.0), &[0, 0, 0, 0, 0]].concat())], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 0, &[&double("ok", 1.0)[..], b"\x02a\0\x09\0\0\0b\0"].concat())], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 0, &[&double("ok", 1.0)[..], b"\x02a\0\x02\0\0\0bc"].concat())], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 0, &[&double("ok", 1.0)[..], b"\x02a\0\0\0\0\0"].concat())], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 0, &[&double("ok", 1.0)[..], b"\x03a\0\x04\0\0\0"].concat())], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 0, &[&double("ok", 1.0)[..], b"\x99a\0"].concat())], Unhealthy("not mongodb: *")),
        (&[&no_checksum], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 2, &double("ok", 1.0))], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 0x1_0000, &double("ok", 1.0))], Healthy("answers")),
        (&[&op_msg(1, 0, &[&b"\x0aa\0\x07b\0"[..], &[7; 12], b"\x05c\0\x03\0\0\0\0abc", &double("ok", 1.0)].concat())], Healthy("answers")),
        (&[&hex("24000000 4d000000 01000000 01000000 08000000 0000000000000000 00000000 00000000")], Unhealthy("not mongodb: *")),
    ]);

    talk.endless(0, b"\xff\xbf\0\0\0\0\0\0\x01\0\0\0\xdd\x07\0\0\0\0\0\0\0", b"\x01", "not mongodb: *");
    talk
}

/// An OP_MSG with one document, whose elements are given.
fn op_msg(answers: u32, flags: u32, elements: &[u8]) -> Vec<u8> {
    let document = [
        &(elements.len() as u32 + 5).to_le_bytes()[..],
        elements,
        &[0],
    ]
    .concat();
    let checksum: &[u8] = if flags & 1 == 1 {
        b"\xde\xad\xbe\xef"
    } else {
        b""
    };
    let length = 16 + 4 + 1 + document.len() + checksum.len();
    [
        &(length as u32).to_le_bytes()[..],
        &77u32.to_le_bytes(),
        &answers.to_le_bytes(),
        &2013u32.to_le_bytes(),
        &flags.to_le_bytes(),
        &[0],
        &document,
        checksum,
    ]
    .concat()
}

fn double(name: &str, value: f64) -> Vec<u8> {
    [&[1], name.as_bytes(), &[0], &value.to_le_bytes()[..]].concat()
}

fn int32(name: &str, value: i32) -> Vec<u8> {
    [&[0x10], name.as_bytes(), &[0], &value.to_le_bytes()[..]].concat()
}

fn utf8(name: &str, value: &str) -> Vec<u8> {
    let length = value.len() as u32 + 1;
    [
        &[2],
        name.as_bytes(),
        &[0],
        &length.to_le_bytes()[..],
        value.as_bytes(),
        &[0],
    ]
    .concat()
}

/// What MongoDB answers when it does not do what it is asked: the fields of a command's error.
fn error(code: i32, name: &str, text: &str) -> Vec<u8> {
    op_msg(
        1,
        0,
        &[
            double("ok", 0.0),
            utf8("errmsg", text),
            int32("code", code),
            utf8("codeName", name),
        ]
        .concat(),
    )
}
