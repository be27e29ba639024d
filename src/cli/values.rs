//! Values of options that are parsed nowhere else.

use crate::install::IS_DIRECTORY;
use crate::search;
use crate::target::Complaint;
use crate::target::place::{self, Host};
use crate::target::{time, url};
use std::time::Duration;

/// A host as it was written, and as it is understood.
///
/// # Errors
/// A sentence that says what is wrong.
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

/// A time, or none at all.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn zero_or_time(text: &str) -> Result<Duration, Complaint> {
    match text {
        "0" => Ok(Duration::ZERO),
        text => time::parse(text),
    }
}

/// The name of a file to write.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn file(text: &str) -> Result<String, Complaint> {
    match text.as_bytes() {
        [] => Err("is empty: write the path of a file"),
        [.., b'/'] => Err(IS_DIRECTORY),
        _ => Ok(text.into()),
    }
}

/// Replaces the escapes of `--send`.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn unescape(text: &str) -> Result<Vec<u8>, Complaint> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'r') => b'\r',
                Some(b'n') => b'\n',
                Some(b't') => b'\t',
                Some(b'0') => 0,
                Some(b'\\') => b'\\',
                Some(b'x') => url::hex_pair(&mut bytes)
                    .ok_or("has a \\x that is not followed by two hexadecimal digits")?,
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
