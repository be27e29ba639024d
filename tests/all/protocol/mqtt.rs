//! MQTT 3.1.1, and what brokers of 5.0 say.

use super::conversation::{
    Conversation,
    Said::{Healthy, Unhealthy},
    hex,
};

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    // MQTT 3.1.1, section 3.2
    let mut talk = Conversation::new(
        "mqtt",
        &[(&hex("100c00044d5154540402003c0000"), &hex("20020000"))], &hex("e000"),
    );

    // MQTT 3.1.1, table 3.1; the others are MQTT 5.0, table 3-1, from brokers that speak nothing older.
    talk.states(&[
        (&[&hex("20020001")], Healthy("answers, refuses this client: does not speak MQTT 3.1.1")),
        (&[&hex("20020002")], Healthy("answers, refuses this client: wants a client identifier")),
        (&[&hex("20020003")], Unhealthy("the server says: server unavailable")),
        (&[&hex("20020004")], Healthy("answers, wants authentication: bad user name or password")),
        (&[&hex("20020005")], Healthy("answers, wants authentication: not authorized")),
        (&[&hex("20020006")], Unhealthy("the server says: return code 6")),
        (&[&hex("2003008400")], Healthy("answers, refuses this client: does not speak MQTT 3.1.1")),
        (&[&hex("2003008700")], Healthy("answers, wants authentication: not authorized")),
        (&[&hex("2003008800")], Unhealthy("the server says: server unavailable")),
        (&[&hex("2003009700")], Unhealthy("the server says: return code 151")),
        // PINGRESP, and a CONNACK without a return code.
        (&[&hex("d000")], Unhealthy("not mqtt: the reply begins with \\xd0\\x00")),
        (&[&hex("2001 00")], Unhealthy("not mqtt: the reply begins with  \\x01\\x00")),
        // Flags that are reserved, in the header and in the acknowledgement; a session where a clean one was asked for.
        (&[&hex("21020000")], Unhealthy("not mqtt: the reply begins with !\\x02\\x00\\x00")),
        (&[&hex("20020100")], Unhealthy("not mqtt: *")),
        (&[&hex("20020200")], Unhealthy("not mqtt: *")),
        (&[&hex("2002ff00")], Unhealthy("not mqtt: *")),
        (&[&hex("20020105")], Unhealthy("not mqtt: *")),
        (&[&hex("2003018700")], Unhealthy("not mqtt: *")),
        // MQTT 5.0, section 3.2.2.3: properties, and their length. It says nothing good of a client of 3.1.1.
        (&[&hex("2006008703 1f0000")], Healthy("answers, wants authentication: not authorized")),
        (&[&hex("2003008701")], Unhealthy("not mqtt: *")),
        (&[&hex("20040087 0000")], Unhealthy("not mqtt: *")),
        (&[&hex("2003000000")], Unhealthy("not mqtt: *")),
    ]);

    talk.endless(0, b"\x20\x7f", b"\0", "not mqtt: *");
    talk
}
