//! The one call: its request in frames of HTTP/2 (RFC 9113), what comes back, and what that says.

use super::super::bytes::be32;
use super::hpack::{literal, statuses};
use crate::expect::sick;
use crate::verdict::{Failure, Health, Outcome};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;
pub const PADDED: u8 = 8;
pub const PRIORITY: u8 = 32;

/// The only stream.
pub const STREAM: u32 = 1;
/// The longest frame, header block and message. A health reply is a few bytes; a longer one is another protocol.
pub const MAX_BLOCK: usize = 16 * 1024;

/// What has come on the stream.
#[derive(Default)]
pub struct Call {
    /// A header block, and whether CONTINUATION must go on with it.
    block: Vec<u8>,
    open: bool,
    /// Whether the block is the last thing on the stream.
    last: bool,
    message: Vec<u8>,
    http_status: Option<u16>,
    grpc_status: Option<u32>,
    /// Whether the stream has ended.
    pub ended: bool,
}

impl Call {
    /// Takes a frame of the stream. None when it is malformed.
    pub fn frame(&mut self, kind: u8, flags: u8, payload: &[u8]) -> Option<()> {
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
        // Only a status in trailers is that of the call.
        if self.last {
            self.grpc_status = grpc_status;
        }
        Some(())
    }

    /// None when the reply is not one of a gRPC server.
    pub fn verdict(&self) -> Option<Outcome> {
        match (self.http_status, self.grpc_status) {
            (Some(200), Some(0)) => {}
            (Some(200), Some(status)) => {
                return Some(Err(Box::new(Failure::GrpcStatus(status))));
            }
            (Some(status), _) if status != 200 => {
                let (expected, body) = ("200".into(), sick::kept(&self.message));
                return Some(Err(Box::new(Failure::Status {
                    got: status,
                    expected,
                    redirect: None,
                    body,
                })));
            }
            _ => return None,
        }
        // An uncompressed message, with its length; enum ServingStatus is field 1, and left out when it is 0.
        let (&compressed, rest) = self.message.split_first()?;
        let (length, mut fields) = rest.split_at_checked(4)?;
        let length = be32(length);
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

/// Takes a protobuf varint. None when it is cut off or too long.
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

/// An HTTP/2 frame (RFC 9113, section 4.1): its head of nine bytes, and `payload`.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = (payload.len() as u32).to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The preface, SETTINGS, HEADERS and DATA, in one piece: the server answers after its own SETTINGS.
pub fn request(authority: &str, service: &str) -> Vec<u8> {
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

#[cfg(test)]
mod tests {
    use super::super::hpack::GRPC_STATUS;
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
