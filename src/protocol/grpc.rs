//! One call of `grpc.health.v1.Health/Check` over HTTP/2 without TLS.
//!
//! Sources: RFC 9113 (frames), RFC 7541 (HPACK), <https://github.com/grpc/grpc/blob/master/doc/health-checking.md> and
//! `PROTOCOL-HTTP2.md` beside it. One stream and two header fields are all that matters, so this reads no more of HPACK
//! than it takes to find them: we allow the peer no dynamic table, and compare Huffman-coded names in their coded form.

use super::bytes::be32;
use super::session::{Session, converse};
use super::{Asked, Protocol, Signature, recognised};
use crate::deadline::Deadline;
use crate::net::Opening;
use crate::target::{Host, Place, Probe, Target};
use crate::verdict::{Answer, Failure, Outcome, Peer, Phase, Snippet};
use call::{
    ACK, CONTINUATION, Call, DATA, GOAWAY, HEADERS, MAX_BLOCK, PING, RST_STREAM, SETTINGS, STREAM,
    frame, request,
};

mod call;
mod hpack;

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
        place: located.place,
        authority: located.authority,
        service,
    };
    Ok(Target::new(name, probe))
}

#[derive(Debug)]
struct GrpcProbe {
    place: Place,
    authority: String,
    /// The service that is asked about; empty for the server as a whole.
    service: String,
}

impl Probe for GrpcProbe {
    fn ask(&self, deadline: &Deadline) -> Answer {
        converse(&self.place, Opening::ClientFirst, deadline, &|session| {
            // What `self` turned out to be.
            let address = match (&self.place, session.peer()) {
                (Place::Port(Host::Own, _), Peer::Tcp(address)) => Some(address.to_string()),
                _ => None,
            };
            let authority = address.as_ref().unwrap_or(&self.authority);
            ask(session, authority, &self.service)
        })
    }

    fn may_meet_tls(&self) -> bool {
        true
    }

    fn place(&self) -> Option<&Place> {
        Some(&self.place)
    }
}

/// The longest name of a service: [`literal`] counts on a bound.
const MAX_SERVICE: usize = 1024;

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
            // Last-Stream-ID 0: our stream was not processed.
            (GOAWAY, 0) if payload.get(..4).is_some_and(|last| last == [0; 4]) => {
                let code = be32(payload.get(4..).unwrap_or_default()) as u32;
                let said = Snippet::new(payload.get(8..).unwrap_or_default());
                return Err(Box::new(Failure::Http2("GOAWAY", code, said)));
            }
            (RST_STREAM, STREAM) => {
                return Err(Box::new(Failure::Http2(
                    "RST_STREAM",
                    be32(&payload) as u32,
                    Snippet::default(),
                )));
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
