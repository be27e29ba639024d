//! One call of `grpc.health.v1.Health/Check` over HTTP/2 without TLS.
//!
//! Sources: RFC 9113 (frames), RFC 7541 (HPACK), <https://github.com/grpc/grpc/blob/master/doc/health-checking.md> and
//! `PROTOCOL-HTTP2.md` beside it. One stream and two header fields are all that matters, so this reads no more of HPACK
//! than it takes to find them: we allow the peer no dynamic table, and compare Huffman-coded names in their coded form.

use super::session::{Session, converse};
use super::{Asked, Protocol, Signature, recognised};
use crate::deadline::Deadline;
use crate::net::Opening;
use crate::target::{Place, Probe, Target};
use crate::verdict::{Answer, Failure, Health, Outcome, Phase, Snippet};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "grpc",
    rest: "//HOST:PORT[/SERVICE]",
    proves: "grpc.health.v1 says SERVING",
    plan,
    signature: Some(SIGNATURE),
    ..Protocol::CONNECTION
};

const SIGNATURE: Signature = Signature {
    name: "HTTP/2",
    fits: |reply| matches!(reply, [0, 0, _, SETTINGS, _, 0, 0, 0, 0, ..]),
};

fn plan(asked: &Asked) -> Result<Target, String> {
    let located = asked.located()?;
    located.refuse_credentials(asked)?;
    let service = located.path.trim_start_matches('/').to_owned();
    if service.len() > MAX_SERVICE {
        return Err("has a service name longer than 1024 bytes".into());
    }
    let name = match service.is_empty() {
        true => located.name,
        false => format!("{}/{service}", located.name),
    };
    let probe = GrpcProbe {
        authority: located.authority,
        service,
    };
    Ok(Target::new(
        name,
        asked.protocol.scheme,
        Some(located.place),
        probe,
    ))
}

#[derive(Debug)]
struct GrpcProbe {
    authority: String,
    /// The service that is asked about; empty for the server as a whole.
    service: String,
}

impl Probe for GrpcProbe {
    fn ask(&self, place: Option<&Place>, deadline: &Deadline) -> Answer {
        converse(place, Opening::ClientFirst, deadline, |session| {
            ask(session, &self.authority, &self.service)
        })
    }
}

/// The longest name of a service: [`literal`] counts on a bound.
const MAX_SERVICE: usize = 1024;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 32;

/// The only stream.
const STREAM: u32 = 1;
/// A reply of a few bytes in a few frames: more is no health service.
const MAX_BLOCK: usize = 16 * 1024;

/// Asks whether `service` is SERVING; the empty service is the server as a whole.
fn ask(session: &mut Session, authority: &str, service: &str) -> Outcome {
    session.send(&request(authority, service))?;
    let mut reply = Call::default();
    // The first frame must be SETTINGS (RFC 9113, section 3.4), which tells HTTP/2 from everything else.
    let mut first = true;
    loop {
        let enough = session.receive_at_least(9, Phase::Reply);
        // An alert of TLS is shorter than a frame's head.
        if first && recognised(session.received()).is_some_and(|other| other.name != SIGNATURE.name)
        {
            return Err(session.wrong_protocol("grpc"));
        }
        enough?;
        let head = &session.received()[..9];
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let (kind, flags) = (head[3], head[4]);
        let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
        if first && (kind, flags & ACK, stream) != (SETTINGS, 0, 0) || length > MAX_BLOCK {
            return Err(session.wrong_protocol("grpc"));
        }
        first = false;
        session.receive_at_least(9 + length, Phase::Reply)?;
        let payload = session.received()[9..9 + length].to_vec();
        match (kind, stream) {
            (SETTINGS, 0) if flags & ACK == 0 => session.send(&frame(SETTINGS, ACK, 0, &[]))?,
            (PING, 0) if flags & ACK == 0 => session.send(&frame(PING, ACK, 0, &payload))?,
            // It goes on with streams up to the one it names: with ours, or with none.
            (GOAWAY, 0) if payload.get(..4).is_some_and(|last| last == [0; 4]) => {
                return Err(session.closed_early(Phase::Reply));
            }
            (RST_STREAM, STREAM) => {
                return Err(Box::new(Failure::Reset {
                    phase: Phase::Reply,
                }));
            }
            (HEADERS | CONTINUATION | DATA, STREAM) => {
                if reply.frame(kind, flags, &payload).is_none() {
                    return Err(session.wrong_protocol("grpc"));
                }
                if reply.ended {
                    break;
                }
            }
            _ => {}
        }
        session.consume(9 + length);
    }
    // GOAWAY: no error.
    session.set_goodbye(&frame(GOAWAY, 0, 0, &[0; 8]));
    reply
        .verdict()
        .unwrap_or_else(|| Err(session.wrong_protocol("grpc")))
}

/// What has come on the stream.
#[derive(Default)]
struct Call {
    /// A header block, and whether CONTINUATION must go on with it.
    block: Vec<u8>,
    open: bool,
    /// Whether the block is the last thing on the stream.
    last: bool,
    message: Vec<u8>,
    http_status: Option<u16>,
    grpc_status: Option<u32>,
    ended: bool,
}

impl Call {
    /// Takes a frame of the stream. None when it is malformed.
    fn frame(&mut self, kind: u8, flags: u8, payload: &[u8]) -> Option<()> {
        // Nothing comes between the pieces of a header block.
        if self.open != (kind == CONTINUATION) {
            return None;
        }
        let mut content = payload;
        if kind != CONTINUATION && flags & PADDED != 0 {
            let (&padding, rest) = content.split_first()?;
            content = rest.get(..rest.len().checked_sub(padding.into())?)?;
        }
        if kind == HEADERS && flags & PRIORITY != 0 {
            content = content.get(5..)?;
        }
        if kind == DATA {
            self.http_status?;
            self.message.extend_from_slice(content);
            self.ended = flags & END_STREAM != 0;
            return (self.message.len() <= MAX_BLOCK).then_some(());
        }
        self.block.extend_from_slice(content);
        self.last |= kind == HEADERS && flags & END_STREAM != 0;
        self.open = flags & END_HEADERS == 0;
        if !self.open {
            let block = std::mem::take(&mut self.block);
            self.fields(&block)?;
            self.ended = self.last;
        }
        (self.block.len() <= MAX_BLOCK).then_some(())
    }

    /// Takes a whole header block: of an interim response, of the final one, or trailers. None when it is malformed.
    fn fields(&mut self, block: &[u8]) -> Option<()> {
        let (status, grpc_status) = statuses(block)?;
        match (self.http_status, status) {
            (None, Some(100..=199)) if !self.last => {}
            (None, Some(status @ 200..=999)) => self.http_status = Some(status as u16),
            // RFC 9113, section 8.1: no pseudo-header field stands in trailers, and the stream ends with them.
            (Some(_), None) if self.last => {}
            _ => return None,
        }
        // Only that in trailers is the status of the call.
        if self.last {
            self.grpc_status = grpc_status;
        }
        Some(())
    }

    /// None when the reply is not one of a gRPC server.
    fn verdict(&self) -> Option<Outcome> {
        match (self.http_status, self.grpc_status) {
            (Some(200), Some(0)) => {}
            (Some(200), Some(status)) => {
                return Some(Err(Box::new(Failure::GrpcStatus(status))));
            }
            (Some(status), _) if status != 200 => {
                let (expected, body) = ("200".into(), Snippet::new(&self.message));
                return Some(Err(Box::new(Failure::Status {
                    got: status,
                    expected,
                    body,
                })));
            }
            _ => return None,
        }
        // An uncompressed message, with its length; enum ServingStatus is field 1, and left out when it is 0.
        let (&compressed, rest) = self.message.split_first()?;
        let (length, mut fields) = rest.split_at_checked(4)?;
        let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
        if compressed != 0 || length != fields.len() {
            return None;
        }
        let mut serving = 0;
        while !fields.is_empty() {
            let key = varint(&mut fields)?;
            match key & 7 {
                _ if key >> 3 == 0 => return None,
                0 if key >> 3 == 1 => serving = varint(&mut fields)?,
                0 => drop(varint(&mut fields)?),
                1 => fields = fields.get(8..)?,
                2 => {
                    let length = usize::try_from(varint(&mut fields)?).ok()?;
                    fields = fields.get(length..)?;
                }
                5 => fields = fields.get(4..)?,
                _ => return None,
            }
        }
        Some(if serving == 1 {
            Ok(Health::Answers)
        } else {
            Err(Box::new(Failure::NotServing(serving)))
        })
    }
}

/// `grpc-status` in the Huffman code of RFC 7541, appendix B.
const GRPC_STATUS: &[u8] = b"\x9a\xca\xc8\xb2\x12\x34\xda\x8f";
/// `:status`.
const STATUS: &[u8] = b"\xb8\x84\x8d\x36\xa3";

/// Reads a header block for `:status` and `grpc-status`. None when it is malformed: RFC 9113, section 8.3, wants the former
/// once at most, and before all fields that are not of its kind.
fn statuses(mut block: &[u8]) -> Option<(Option<u32>, Option<u32>)> {
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

/// A protobuf varint.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in 0..10 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << (7 * shift);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = (payload.len() as u32).to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The preface, SETTINGS, HEADERS and DATA, in one piece: the server answers after its own SETTINGS.
fn request(authority: &str, service: &str) -> Vec<u8> {
    let mut block = Vec::new();
    // RFC 7541, appendix A: `:method: POST` and `:scheme: http`, then literals with the names at 4, 1 and 31.
    block.extend_from_slice(b"\x83\x86");
    literal(&mut block, b"\x04", "/grpc.health.v1.Health/Check");
    literal(&mut block, b"\x01", authority);
    literal(&mut block, b"\x0f\x10", "application/grpc");
    literal(&mut block, b"\0\x02te", "trailers");
    let mut message = Vec::new();
    if !service.is_empty() {
        message.push(0x0a);
        let mut length = service.len();
        while length > 0x7f {
            message.push(length as u8 | 0x80);
            length >>= 7;
        }
        message.push(length as u8);
        message.extend_from_slice(service.as_bytes());
    }
    let data = [&[0][..], &(message.len() as u32).to_be_bytes(), &message].concat();
    [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        // SETTINGS_HEADER_TABLE_SIZE 0, SETTINGS_ENABLE_PUSH 0.
        &frame(SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]),
        &frame(HEADERS, END_HEADERS, STREAM, &block),
        &frame(DATA, END_STREAM, STREAM, &data),
    ]
    .concat()
}

/// A field without indexing; its value as it is.
fn literal(block: &mut Vec<u8>, name: &[u8], value: &str) {
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

    fn after(block: &[u8], message: &[u8]) -> Option<Outcome> {
        let mut reply = Call::default();
        reply.frame(HEADERS, END_HEADERS, b"\x88")?;
        reply.frame(DATA, 0, message)?;
        reply.frame(HEADERS, END_HEADERS | END_STREAM, block)?;
        assert!(reply.ended);
        reply.verdict()
    }

    #[test]
    fn statuses_in_every_coding() {
        let serving = b"\0\0\0\0\x02\x08\x01";
        let plain = b"\0\x0bgrpc-status\x010";
        let huffman = [b"\x20\x40\x88", GRPC_STATUS, b"\x81\x07"].concat();
        assert_eq!(after(plain, serving), Some(Ok(Health::Answers)));
        assert_eq!(after(&huffman, serving), Some(Ok(Health::Answers)));
        assert_eq!(
            after(plain, b"\0\0\0\0\x02\x08\x02"),
            Some(Err(Box::new(Failure::NotServing(2))))
        );
        assert_eq!(
            after(plain, b"\0\0\0\0\0"),
            Some(Err(Box::new(Failure::NotServing(0))))
        );
        assert_eq!(
            after(b"\0\x0bgrpc-status\x0212", b""),
            Some(Err(Box::new(Failure::GrpcStatus(12))))
        );
        assert_eq!(after(plain, b""), None);
        assert_eq!(after(b"", serving), None);
        assert_eq!(after(b"\xff\xff\xff\xff\xff", serving), None);
    }

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

    #[test]
    fn padding_and_continuation() {
        let mut reply = Call::default();
        let flags = PADDED | PRIORITY | END_STREAM;
        let padded = b"\x02\0\0\0\0\0\x88\0\x0bgrpc-sta\0\0";
        reply.frame(HEADERS, flags, padded).unwrap();
        assert_eq!((reply.http_status, reply.ended), (None, false));
        reply.frame(CONTINUATION, END_HEADERS, b"tus\x010").unwrap();
        assert_eq!(
            (reply.http_status, reply.grpc_status, reply.ended),
            (Some(200), Some(0), true)
        );
        assert!(Call::default().frame(DATA, PADDED, b"\x05abc").is_none());
    }

    #[test]
    fn replies_never_panic() {
        use proptest::prelude::*;
        proptest!(|(frames in proptest::collection::vec((0u8..10, any::<u8>(), proptest::collection::vec(any::<u8>(), 0..40)), 0..6))| {
            let mut reply = Call::default();
            for (kind, flags, payload) in frames {
                let kind = [DATA, HEADERS, CONTINUATION][usize::from(kind) % 3];
                if reply.frame(kind, flags, &payload).is_none() {
                    break;
                }
            }
            let _ = reply.verdict();
        });
    }
}
