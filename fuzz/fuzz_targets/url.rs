//! URLs: what is accepted is this machine's or an address, holds nothing that could reach the wire and break it, and is read
//! as the same when it is printed and parsed again.
#![no_main]

use healthchecker_fuzz::{Parts, spell, url};
use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const WORDS: &[&[u8]] = &[
    b"http://",
    b"HTTP://",
    b"redis://",
    b"://",
    b":",
    b"/",
    b"//",
    b"@",
    b"?",
    b"#",
    b"[",
    b"]",
    b"%",
    b"%40",
    b"%0a",
    b"%00",
    b"\\",
    b"\r\n",
    b" ",
    b"\t",
    b"\0",
    b"\x7f",
    b"localhost",
    b"LocalHost",
    b"self",
    b"example.com",
    b"127.0.0.1",
    b"0.0.0.0",
    b"[::1]",
    b"[::]",
    b"[::ffff:127.0.0.1]",
    b"::1",
    b"192.0.2.1",
    b"127.1",
    b"0x7f.1",
    b"8080",
    b"0",
    b"65536",
    b"user:password@",
    b"\xc3\xa9",
    b"\"",
    b"<",
    b"{",
    b"|",
    b"^",
    b"`",
    b"~",
    b"'",
    b".",
    b"..",
];

/// Scheme, userinfo, host, port and path.
type Split<'a> = (String, Option<&'a str>, &'a str, Option<&'a str>, &'a str);

/// Takes a URL apart by the letter of RFC 3986, appendix B.
fn split(text: &str) -> Option<Split<'_>> {
    let at = text.find("://")?;
    let rest = &text[at + 3..];
    let rest = &rest[..rest.find('#').unwrap_or(rest.len())];
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = (&rest[..end], &rest[end..]);
    let (userinfo, place) = match authority.rfind('@') {
        Some(at) => (Some(&authority[..at]), &authority[at + 1..]),
        None => (None, authority),
    };
    let bracket = place.rfind(']').unwrap_or(0);
    let (host, port) = match place[bracket..].rfind(':') {
        Some(colon) => (
            &place[..bracket + colon],
            Some(&place[bracket + colon + 1..]),
        ),
        None => (place, None),
    };
    Some((text[..at].to_ascii_lowercase(), userinfo, host, port, path))
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn printed(parts: &Parts) -> String {
    let credentials = match &parts.credentials {
        Some((user, password)) => format!("{}:{}@", encoded(user), encoded(password)),
        None => String::new(),
    };
    let port = parts.port.map_or(String::new(), |port| format!(":{port}"));
    format!(
        "{}://{credentials}{}{port}{}",
        parts.scheme, parts.host, parts.path
    )
}

fuzz_target!(|input: &[u8]| {
    let Ok(text) = String::from_utf8(spell(input, WORDS)) else {
        return;
    };
    let Ok(parts) = url(&text) else { return };
    let (scheme, userinfo, host, port, path) = split(&text).expect("a URL has a scheme");
    assert_eq!(parts.scheme, scheme);
    assert_eq!(parts.credentials.is_some(), userinfo.is_some());
    assert_eq!(parts.host, host, "{text:?}");
    assert_eq!(
        parts.port.map(|port| port.to_string()).as_deref(),
        port.map(|port| port.trim_start_matches('0'))
    );
    let slash = if path.starts_with('?') { "/" } else { "" };
    assert_eq!(parts.path, format!("{slash}{path}"), "{text:?}");
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match (parts.ip, bare.parse::<IpAddr>()) {
        (Some(ip), Ok(same)) => {
            assert!(ip == same && ip != Ipv4Addr::UNSPECIFIED && ip != Ipv6Addr::UNSPECIFIED)
        }
        (None, Ok(ip)) => assert!(ip.to_canonical().is_unspecified(), "{text:?}"),
        (None, Err(_)) => {
            let names = ["localhost", "self"];
            let known = names.iter().any(|name| host.eq_ignore_ascii_case(name));
            assert!(known, "{text:?}");
        }
        (Some(_), Err(_)) => panic!("{text:?} has an address that is none"),
    }
    assert!(
        !parts
            .path
            .bytes()
            .any(|byte| byte <= b' ' || byte == 0x7f || byte == b'#'),
        "{text:?}"
    );
    assert!(parts.path.is_empty() || parts.path.starts_with('/'));
    assert_eq!(url(&printed(&parts)), Ok(parts), "{text:?}");
});
