//! URLs, as far as a target has one.

use super::Complaint;
use super::place::{self, Host};
use crate::search::split_once;

/// The message for a target without a scheme.
pub const NOT_A_URL: &str = "is not a URL such as http://localhost:8080/health";

/// A URL in its parts, each checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// In lower case.
    pub scheme: String,
    /// User and password, percent-decoded.
    pub credentials: Option<(String, String)>,
    /// The host as it was written, brackets included.
    pub host_text: String,
    /// The host as it is understood.
    pub host: Host,
    /// The port, where one is written.
    pub port: Option<u16>,
    /// Path and query, without a fragment; empty where the URL has neither.
    pub path: String,
}

impl Url {
    /// Parses `scheme://[user[:password]@]host[:port][/path][?query][#fragment]`.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        let (scheme, rest) = split_once(text, "://").ok_or(NOT_A_URL)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let path = path.split('#').next().unwrap_or_default();
        let (userinfo, host_port) = match authority.rsplit_once('@') {
            Some((userinfo, host_port)) => (Some(userinfo), host_port),
            None => (None, authority),
        };
        let (host_text, port) = match host_port.rsplit_once(':') {
            // The last colon of `[::1]` is not a port's.
            Some((host, port)) if !port.ends_with(']') => {
                let port = place::port(port).map_err(|_| "has a bad port: write 1-65535")?;
                (host, Some(port))
            }
            _ => (host_port, None),
        };
        if host_text.contains(':') && !host_text.starts_with('[') {
            return Err("has an IPv6 address without brackets: write [::1]");
        }
        let credentials = userinfo.map(|userinfo| {
            let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
            Some((percent_decoded(user)?, percent_decoded(password)?))
        });
        let credentials = match credentials {
            Some(None) => return Err("has a bad %XX in its credentials"),
            Some(decoded) => decoded,
            None => None,
        };
        Ok(Url {
            scheme: scheme.to_ascii_lowercase(),
            credentials,
            host_text: host_text.to_owned(),
            host: place::host(host_text)?,
            port,
            path: path_and_query(path)?,
        })
    }
}

/// Replaces each `%XX`. None where one is malformed, or the result is not UTF-8.
pub fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => hex_pair(&mut bytes)?,
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

/// The byte that the next two characters are in hexadecimal.
pub fn hex_pair(text: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let mut digit = || char::from(text.next()?).to_digit(16);
    Some((digit()? * 16 + digit()?) as u8)
}

/// The longest path and query. An http::Uri holds 65534 bytes, scheme and authority included.
const MAX_PATH: usize = 65_000;

/// Checks a path and query, and gives it the leading `/` that it may lack. Empty stays empty.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn path_and_query(text: &str) -> Result<String, Complaint> {
    if text.bytes().any(|b| b <= b' ' || b == 0x7f) {
        return Err("has a blank or control character in its path: write %20 or the like");
    }
    let path = if text.is_empty() || text.starts_with('/') {
        text.to_owned()
    } else {
        format!("/{text}")
    };
    let path = path.split('#').next().unwrap_or_default().to_owned();
    if path.is_empty() {
        return Ok(path);
    }
    if path.len() > MAX_PATH {
        return Err("is longer than 65000 bytes");
    }
    // What the http crate refuses may not stand in a request line.
    match ureq::http::uri::PathAndQuery::try_from(path.as_str()) {
        Ok(_) => Ok(path),
        Err(_) => Err("has a character that a path cannot hold: write it as %XX"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv6Addr};

    #[test]
    fn urls() {
        let url = Url::parse("HTTP://us%40er:pa:ss@[::1]:8080/a?b=c#d").unwrap();
        assert_eq!(url.scheme, "http");
        assert_eq!(url.credentials, Some(("us@er".into(), "pa:ss".into())));
        assert_eq!((url.host_text.as_str(), url.port), ("[::1]", Some(8080)));
        assert_eq!(url.host, Host::Ip(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        assert_eq!(url.path, "/a?b=c");
        for (text, path) in [
            ("http://localhost", ""),
            ("http://localhost?q", "/?q"),
            ("http://localhost#f", ""),
        ] {
            assert_eq!(Url::parse(text).unwrap().path, path, "{text}");
        }
        for bad in [
            "",
            "localhost",
            "localhost:8080/health",
            "http:/localhost",
            "http://",
            "http:///health",
            "http://:80/",
            "http://localhost:/",
            "http://localhost:0/",
            "http://localhost:65536/",
            "http://localhost:8o/",
            "http://example.com/",
            "http://::1/",
            "http://[::1/",
            "http://[127.0.0.1]/",
            "http://[]/",
            "http://local host/",
            "http://localhost/a b",
            "http://localhost/a\r\nb",
            "http://localhost\\@x/",
            "http://127.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://localhost.:80/",
            "http://u%zz@localhost/",
            "http://foo.localhost/",
            "http://[fe80::1%25lo]/",
        ] {
            assert!(Url::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }
}
