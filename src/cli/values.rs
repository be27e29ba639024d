//! Values of options that are parsed nowhere else.

use crate::expect::HeaderExpectation;
use crate::http::given;
use crate::search;
use crate::target::Complaint;
use crate::target::place::{self, Host};
use std::path::PathBuf;
use ureq::http::{HeaderName, HeaderValue, Method};

pub fn host(text: &str) -> Result<(String, Host), Complaint> {
    match place::host(text) {
        Ok(host) => Ok((text.to_owned(), host)),
        Err(_) if text.starts_with("localhost:") || search::contains(text.as_bytes(), "://") => {
            Err(
                "is more than a host: say the rest with --port and --path, or all of it as the TARGET",
            )
        }
        Err(complaint) => Err(complaint),
    }
}

pub fn not_empty(text: &str) -> Result<String, Complaint> {
    if text.is_empty() {
        Err("is empty: write the text to look for")
    } else {
        Ok(text.to_owned())
    }
}

pub fn unix_socket(text: &str) -> Result<PathBuf, Complaint> {
    // struct sockaddr_un has 108 bytes on Linux, the NUL at the end included.
    match text.len() {
        0 => Err("is empty: write the path of a socket"),
        1..=107 => Ok(text.into()),
        _ => Err("is longer than the 107 bytes that a socket's path can have"),
    }
}

pub fn expect_header(text: &str) -> Result<HeaderExpectation, Complaint> {
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return Err("has a control character");
    }
    let (name, value) = match text.split_once(':') {
        Some((name, value)) => (name, Some(value.trim_matches(' ').to_owned())),
        None => (text, None),
    };
    match HeaderName::from_bytes(name.as_bytes()) {
        Ok(_) => Ok(HeaderExpectation {
            name: name.to_owned(),
            value,
        }),
        Err(_) => Err("is no NAME or 'NAME: VALUE' of a header"),
    }
}

pub fn method(text: &str) -> Result<Method, Complaint> {
    match Method::from_bytes(text.as_bytes()) {
        Ok(Method::CONNECT) => Err("is for proxies, and cannot check health"),
        Ok(method) => Ok(method),
        Err(_) => Err("is not a method such as GET or HEAD"),
    }
}

pub fn user(text: &str) -> Result<HeaderValue, Complaint> {
    let (user, password) = text
        .split_once(':')
        .ok_or("has no colon between user and password")?;
    given::basic(user, password)
}

/// Replaces the escapes of `--send`.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn unescape(text: &str) -> Result<Vec<u8>, Complaint> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        let hex = |digit: Option<u8>| digit.and_then(|digit| (digit as char).to_digit(16));
        out.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'r') => b'\r',
                Some(b'n') => b'\n',
                Some(b't') => b'\t',
                Some(b'0') => 0,
                Some(b'\\') => b'\\',
                Some(b'x') => match (hex(bytes.next()), hex(bytes.next())) {
                    (Some(high), Some(low)) => (high * 16 + low) as u8,
                    _ => return Err("has a \\x that is not followed by two hexadecimal digits"),
                },
                _ => return Err("has an escape that is none of \\r \\n \\t \\0 \\xHH \\\\"),
            },
            byte => byte,
        });
    }
    if out.is_empty() {
        Err("is nothing to send")
    } else {
        Ok(out)
    }
}
