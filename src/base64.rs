//! Base64 (RFC 4648). Pure.

/// The bytes that `text` stands for, in either alphabet, with or without padding.
pub fn base64_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for &byte in text {
        let sextet = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => return None,
        };
        bits = bits << 6 | u32::from(sextet);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}

/// `bytes` in base64, without padding.
pub fn base64_encoded(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::new();
    for three in bytes.chunks(3) {
        let bits = three
            .iter()
            .fold(0, |bits, &byte| bits << 8 | usize::from(byte))
            << (24 - 8 * three.len());
        for place in 0..=three.len() {
            out.push(DIGITS[bits >> (18 - 6 * place) & 63]);
        }
    }
    out
}

/// `bytes` in base64, with padding.
pub fn base64_padded(bytes: &[u8]) -> String {
    let mut text: String = base64_encoded(bytes).into_iter().map(char::from).collect();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648, section 10, without the padding.
    #[test]
    fn the_vectors_of_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64_encoded(bytes.as_bytes()), text.as_bytes());
            assert_eq!(base64_decoded(text.as_bytes()).unwrap(), bytes.as_bytes());
        }
        assert_eq!(base64_padded(b"f"), "Zg==");
        assert_eq!(base64_padded(b"foo"), "Zm9v");
        assert_eq!(base64_decoded(b"_-+/==").unwrap(), [0xff, 0xef, 0xbf]);
        assert_eq!(base64_decoded(b"a.b"), None);
    }
}
