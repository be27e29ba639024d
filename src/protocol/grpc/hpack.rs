//! As much of HPACK (RFC 7541) as it takes to find two header fields and to write a few.
//!
//! We allow the peer no dynamic table, and compare Huffman-coded names in their coded form.

/// `grpc-status` in the Huffman code of RFC 7541, appendix B.
pub const GRPC_STATUS: &[u8] = b"\x9a\xca\xc8\xb2\x12\x34\xda\x8f";
/// `:status`.
const STATUS: &[u8] = b"\xb8\x84\x8d\x36\xa3";

/// Reads a header block for `:status` and `grpc-status`. None when it is malformed: RFC 9113, section 8.3, wants the former
/// once at most, and before all fields that are not of its kind.
pub fn statuses(mut block: &[u8]) -> Option<(Option<u32>, Option<u32>)> {
    let (mut status, mut grpc_status, mut others) = (None, None, false);
    while let Some(&first) = block.first() {
        let (prefix, literal) = match first {
            // Indexed; literal with indexing; table size update; literal without indexing.
            0x80.. => (7, false),
            0x40.. => (6, true),
            0x20.. => (5, false),
            _ => (4, true),
        };
        let index = integer(&mut block, prefix)?;
        if prefix == 5 {
            continue;
        }
        let name = match index {
            0 if literal => Some(string(&mut block)?),
            0 => return None,
            _ => None,
        };
        let value = literal.then(|| string(&mut block));
        let named = |plain: &[u8], coded: &[u8]| {
            name.is_some_and(|name| name == (false, plain) || name == (true, coded))
        };
        // RFC 7541, appendix A: 8 to 14 are `:status`.
        if (8..=14).contains(&index) || named(b":status", STATUS) {
            let value = match value {
                Some(value) => digits(value?)?,
                None => b"200204206304400404500"[(index - 8) * 3..][..3].to_vec(),
            };
            let once = !others && value.len() == 3 && status.is_none();
            status = Some(once.then(|| number(&value))??);
            continue;
        }
        others = true;
        let value = value.unwrap_or(Some((false, b"")))?;
        if named(b"grpc-status", GRPC_STATUS)
            && grpc_status.replace(number(&digits(value)?)?).is_some()
        {
            return None;
        }
    }
    Some((status, grpc_status))
}

/// An integer with a prefix of so many bits (RFC 7541, section 5.1).
fn integer(block: &mut &[u8], prefix: u32) -> Option<usize> {
    let (&first, rest) = block.split_first()?;
    *block = rest;
    let most = (1 << prefix) - 1;
    let mut value = usize::from(first) & most;
    if value < most {
        return Some(value);
    }
    for shift in [0, 7, 14] {
        let (&byte, rest) = block.split_first()?;
        *block = rest;
        value += usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// A string, and whether it is Huffman-coded (RFC 7541, section 5.2).
fn string<'a>(block: &mut &'a [u8]) -> Option<(bool, &'a [u8])> {
    let coded = block.first()? & 0x80 != 0;
    let length = integer(block, 7)?;
    let (string, rest) = block.split_at_checked(length)?;
    *block = rest;
    Some((coded, string))
}

/// A decimal number.
fn number(digits: &[u8]) -> Option<u32> {
    let plain = digits.iter().all(u8::is_ascii_digit);
    // `parse` takes a sign.
    plain.then(|| std::str::from_utf8(digits).ok()?.parse().ok())?
}

/// The text of a string that may hold nothing but digits if it is Huffman-coded: 0 to 2 have five bits, 00000 to 00010, and 3
/// to 9 have six, 011001 to 011111; what fills the last byte is ones.
fn digits((coded, string): (bool, &[u8])) -> Option<Vec<u8>> {
    if !coded {
        return Some(string.to_vec());
    }
    let bits: Vec<u8> = string
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    let mut rest = &bits[..];
    let mut digits = Vec::new();
    while rest.len() >= 5 {
        let take = |count: usize| {
            let bits = rest.get(..count)?.iter();
            Some(bits.fold(0, |value, bit| value << 1 | bit))
        };
        let (digit, count) = match (take(5), take(6)) {
            (Some(five @ 0..=2), _) => (five, 5),
            (_, Some(six @ 0b011001..=0b011111)) => (six - 0b011001 + 3, 6),
            _ => break,
        };
        digits.push(b'0' + digit);
        rest = &rest[count..];
    }
    (rest.len() < 8 && rest.iter().all(|&bit| bit == 1)).then_some(digits)
}

/// A field without indexing; its value as it is.
pub fn literal(block: &mut Vec<u8>, name: &[u8], value: &str) {
    block.extend_from_slice(name);
    match value.len() {
        short @ 0..=0x7e => block.push(short as u8),
        long => {
            // Values come from the command line and have less than 127 + 2^14 bytes, as `plan` sees to.
            let rest = long - 0x7f;
            block.extend_from_slice(&[0x7f, rest as u8 | 0x80, (rest >> 7) as u8]);
        }
    }
    block.extend_from_slice(value.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huffman_numbers() {
        // 5 is 011011 and 12 is 00001 00010, each filled up with ones.
        let of = |coded: bool, string: &[u8]| number(&digits((coded, string))?);
        assert_eq!(of(true, &[0b0110_1111]), Some(5));
        assert_eq!(of(true, &[0b0000_1000, 0b1011_1111]), Some(12));
        assert_eq!(of(true, &[0b0000_0111]), Some(0));
        assert_eq!(of(true, &[]), None);
        assert_eq!(of(true, &[0b1111_1111]), None);
        assert_eq!(of(false, b"14"), Some(14));
        assert_eq!(of(false, b""), None);
        assert_eq!(of(false, b"+1"), None);
        assert_eq!(of(false, b"4294967296"), None);
    }
}
