//! LDAP.

use super::conversation::{
    Conversation,
    Said::{Healthy, Unhealthy},
    hex,
};

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    // RFC 4511, section 4.2.2
    let mut talk = Conversation::new(
        "ldap",
        &[(&hex("300c020101600702010304008000"), &hex("300c 020101 6107 0a0100 0400 0400"))], &hex("30050201024200"),
    );

    // RFC 4511, appendix A.1; texts of OpenLDAP 2.5's servers/slapd/bind.c and connection.c.
    talk.states(&[
        // Active Directory's lengths of four bytes; BER allows one and two as well.
        (&[&hex("3084 00000010 020101 6184 00000007 0a0100 0400 0400")], Healthy("answers")),
        (&[&hex("3081 0c 020101 6107 0a0100 0400 0400")], Healthy("answers")),
        (&[&hex("3082 000c 020101 6107 0a0100 0400 0400")], Healthy("answers")),
        (&[&bind_response(48, "anonymous bind disallowed")], Healthy("answers, wants authentication: 48 anonymous bind disallowed")),
        (&[&bind_response(53, "authentication required")], Healthy("answers, wants authentication: 53 authentication required")),
        (&[&bind_response(53, "")], Healthy("answers, wants authentication: 53")),
        (&[&bind_response(51, "")], Unhealthy("the server says: result code 51")),
        (&[&bind_response(52, "shutting down")], Unhealthy("the server says: result code 52 shutting down")),
        (&[&bind_response(2, "historical protocol version requested, use LDAPv3 instead")],
         Unhealthy("the server says: result code 2 historical protocol version requested, use LDAPv3 instead")),
        // Two bytes of result code: 256 is not 0.
        (&[&hex("300d 020101 6108 0a020100 0400 0400")], Unhealthy("the server says: result code 256")),
        // Section 4.4.1, the notice of disconnection: unavailable.
        (&[&[&hex("3026 020100 7821 0a0134 0400 0402 6279 8a16")[..], b"1.3.6.1.4.1.1466.20036"].concat()],
         Unhealthy("the server says: result code 52 by")),
        // Another message id, another operation, and a length beyond reason.
        (&[&hex("300c 020102 6107 0a0100 0400 0400")], Unhealthy("not ldap: *")),
        (&[&hex("300c 020101 6507 0a0100 0400 0400")], Unhealthy("not ldap: *")),
        (&[&hex("3084 7fffffff 020101")], Unhealthy("not ldap: the reply begins with 0\\x84\\x7f\\xff\\xff\\xff\\x02\\x01\\x01")),
        (&[&hex("3080 020101 6107 0a0100 0400 0400 0000")], Unhealthy("not ldap: *")),
        // A result code without a byte, of five bytes, and of two where one would do; one that is no ENUMERATED.
        (&[&hex("300b 020101 6106 0a00 0400 0400")], Unhealthy("not ldap: *")),
        (&[&hex("3010 020101 610b 0a050100000000 0400 0400")], Unhealthy("not ldap: *")),
        (&[&hex("300d 020101 6108 0a020000 0400 0400")], Unhealthy("not ldap: *")),
        (&[&hex("300c 020101 6107 020100 0400 0400")], Unhealthy("not ldap: *")),
        // Strings that are none, elements that reach beyond what holds them, and one that is missing.
        (&[&hex("300c 020101 6107 0a0100 0200 0400")], Unhealthy("not ldap: *")),
        (&[&hex("300c 020101 6107 0a0100 0400 0200")], Unhealthy("not ldap: *")),
        (&[&hex("300c 020101 6107 0a0100 0400 0401")], Unhealthy("not ldap: *")),
        (&[&hex("300c 020101 6108 0a0100 0400 0400")], Unhealthy("not ldap: *")),
        (&[&hex("300a 020101 6105 0a0100 0400")], Unhealthy("not ldap: *")),
        (&[&hex("300e 020101 6107 0a0100 0400 0400 8701")], Unhealthy("not ldap: *")),
        // Section 4: what is added at the end must be ignored. Here controls, and serverSaslCreds.
        (&[&hex("3010 020101 6109 0a0100 0400 0400 8700 a000")], Healthy("answers")),
        // A notice of disconnection whose id or code are of another type.
        (&[&hex("300c 040100 7807 0a0134 0400 0400")], Unhealthy("not ldap: *")),
        (&[&hex("300c 020100 7807 020134 0400 0400")], Unhealthy("not ldap: *")),
    ]);

    talk.endless(0, b"\x30\x82\x3f\xff\x02\x01\x01", b"\0", "not ldap: *");
    talk
}

/// A BindResponse with a resultCode and a diagnosticMessage.
fn bind_response(code: u8, text: &str) -> Vec<u8> {
    let result = [
        &[0x0a, 1, code, 0x04, 0, 0x04, text.len() as u8],
        text.as_bytes(),
    ]
    .concat();
    let response = [&[2, 1, 1, 0x61, result.len() as u8], &result[..]].concat();
    [&[0x30, response.len() as u8], &response[..]].concat()
}
