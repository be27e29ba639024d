//! AMQP 0-9-1, as RabbitMQ speaks it.

use super::conversation::{Conversation, Said::Unhealthy, hex};

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    // amqp0-9-1.pdf, sections 2.3.5 and 1.4.2.1: Connection.Start as RabbitMQ sends it, shortened.
    let mut talk = Conversation::new(
        "amqp",
        &[(b"AMQP\0\0\x09\x01", &start())], b"",
    );

    // Section 4.2.2: a server that does not speak the version says which it speaks, and closes. RabbitMQ before 4.0
    // offers 0-9-1, one without the plug-in for 1.0 too; 3 is the protocol of SASL.
    let close = frame(1, b"\0\x0a\0\x32\x01\x40\x09FORBIDDEN\0\0\0\0");
    let heartbeat = frame(8, b"");
    let mut bad_end = start();
    *bad_end.last_mut().expect("a frame") = 0;
    talk.states(&[
        (&[b"AMQP\0\x01\0\0"], Unhealthy("the server says: offers protocol AMQP 0.1.0.0 only")),
        (&[b"AMQP\x03\x01\0\0"], Unhealthy("the server says: offers protocol AMQP 3.1.0.0 only")),
        (&[&close], Unhealthy("not amqp: *")),
        (&[&heartbeat], Unhealthy("not amqp: *")),
        (&[&bad_end], Unhealthy("not amqp: *")),
        // Connection.Start of another version; fields that are longer or shorter than the frame; and none.
        (&[&frame(1, &hex("000a000a 0800 00000000 00000005 504c41494e 00000005 656e5f5553"))], Unhealthy("not amqp: *")),
        (&[&frame(1, &hex("000a000a 0009 00000001 00000005 504c41494e 00000005 656e5f5553"))], Unhealthy("not amqp: *")),
        (&[&frame(1, &hex("000a000a 0009 00000000 00000005 504c41494e 00000006 656e5f5553"))], Unhealthy("not amqp: *")),
        (&[&frame(1, &hex("000a000a 0009 00000000 00000005 504c41494e 00000005 656e5f5553 00"))], Unhealthy("not amqp: *")),
        (&[&frame(1, &hex("000a000a 0009 00000000 00000005 504c41494e"))], Unhealthy("not amqp: *")),
        (&[&frame(1, &hex("000a000a"))], Unhealthy("not amqp: *")),
        (&[&hex("01 0000 ffffffff 000a000a")], Unhealthy("not amqp: *")),
        (&[b"AMQX\0\0\x09\x01"], Unhealthy("not amqp: the reply begins with AMQX\\x00\\x00\\t\\x01")),
    ]);

    talk.endless(0, b"\x01\0\0\0\0\x40\0\0\x0a\0\x0a", b"\xcd", "not amqp: *");
    // The echo of a version is an offer of it.
    talk.echo = "the server says: offers protocol AMQP 0.0.9.1 only";
    talk
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&[kind, 0, 0], &length[..], payload, &[0xce]].concat()
}

fn start() -> Vec<u8> {
    let product = b"\x07productS\0\0\0\x08RabbitMQ";
    let start = [
        &b"\0\x0a\0\x0a\0\x09"[..],
        &(product.len() as u32).to_be_bytes(),
        product,
        b"\0\0\0\x0ePLAIN AMQPLAIN",
        b"\0\0\0\x05en_US",
    ];
    frame(1, &start.concat())
}
