//! What several binary protocols need to read their replies. Pure.

use crate::snippet::Snippet;

/// Whether `received` can still become what begins with `expected`.
pub fn begins(received: &[u8], expected: &[u8]) -> bool {
    received
        .iter()
        .zip(expected)
        .all(|(came, expected)| came == expected)
}

/// The first four bytes as a number in network order; fewer, if there are fewer.
pub fn be32(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take(4)
        .fold(0, |value, &byte| value << 8 | usize::from(byte))
}

/// The first four bytes as a little-endian number; fewer, if there are fewer.
pub fn le32(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take(4)
        .rev()
        .fold(0, |value, &byte| value << 8 | usize::from(byte))
}

/// A code and the text of the server, if it has one.
pub fn coded(code: &[u8], text: &[u8]) -> Snippet {
    Snippet::at_most([code, b" ", text].concat().trim_ascii(), 200)
}
