//! Name servers: RFC 1035, over UDP, and over TCP where the answer does not fit.

use super::bytes::coded;
use super::session::{Session, converse};
use super::{Asked, Protocol};
use crate::deadline::Deadline;
use crate::net::Opening;
use crate::target::{Complaint, Host, Place, Probe, Target};
use crate::verdict::{Answer, Failure, Peer, Phase, Refusal, Reply};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "dns",
    port: Some(53),
    rest: "[/NAME]",
    proves: "answers for NAME (default: localhost), be it that there is no such name",
    // A server does not listen on a unix socket.
    takes: &[],
    plan,
    ..Protocol::CONNECTION
};

/// What a server is to know by itself (RFC 6761, section 6.3), so that to ask for it is to ask nobody else.
const DEFAULT_NAME: &str = "localhost";

fn plan(asked: &Asked) -> Result<Target, String> {
    let located = asked.located()?;
    located.refuse_credentials(asked)?;
    let name = match located.path.strip_prefix('/') {
        None | Some("") => DEFAULT_NAME,
        Some(name) => name,
    };
    let probe = DnsProbe {
        place: located.place,
        port: located.port,
        question: question(name)?,
    };
    Ok(Target::new(located.name + &located.path, probe))
}

#[derive(Debug)]
struct DnsProbe {
    place: Place,
    port: u16,
    /// The question section: a name, its type and its class.
    question: Vec<u8>,
}

impl Probe for DnsProbe {
    fn ask(&self, deadline: &Deadline) -> Answer {
        // Nobody but the server can send to a connected socket, so the id need not be hard to guess.
        let id = (std::process::id() as u16).to_be_bytes();
        // Recursion is wanted, as every client wants it: some resolvers refuse who does not. One question.
        let query = [&id, &b"\x01\0\0\x01\0\0\0\0\0\0"[..], &self.question].concat();
        let opening = Opening::Datagram(&query);
        converse(&self.place, opening, deadline, &|session| {
            receive_datagram(session, &query)?;
            match session.peer() {
                Peer::Udp(address) if is_truncated(session.received()) => {
                    let place = Place::Port(Host::Ip(address.ip()), self.port);
                    converse(&place, Opening::ClientFirst, deadline, &|session| {
                        exchange_over_tcp(session, &query)?;
                        session.outcome(judge(session.received()), PROTOCOL.scheme)
                    })
                    .outcome
                }
                _ => session.outcome(judge(session.received()), PROTOCOL.scheme),
            }
        })
    }

    fn place(&self) -> Option<&Place> {
        Some(&self.place)
    }
}

/// Receives the response to `query`. What else comes is ignored; if nothing follows it, the failure says what it was.
fn receive_datagram(session: &mut Session, query: &[u8]) -> Result<(), Box<Failure>> {
    while !answers(session.received(), query) {
        let other = session.received().len();
        match session.receive(Phase::Reply) {
            Ok(_) => session.consume(other),
            Err(_) if other > 0 => return Err(session.wrong_protocol(PROTOCOL.scheme)),
            Err(failure) => return Err(failure),
        }
    }
    Ok(())
}

/// Sends `query` and receives the response: each is behind its length (RFC 1035, section 4.2.2).
fn exchange_over_tcp(session: &mut Session, query: &[u8]) -> Result<(), Box<Failure>> {
    let length = (query.len() as u16).to_be_bytes();
    session.send(&[&length, query].concat())?;
    // By its id it is known that something is no response, before all of a length that is none would be awaited.
    session.receive_at_least(4, Phase::Reply)?;
    let &[high, low, ref id @ ..] = session.received() else {
        unreachable!("4 bytes")
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if id.starts_with(&query[..2]) {
        session.receive_at_least(2 + length, Phase::Reply)?;
        session.consume(2);
        session.truncate(length);
    }
    match answers(session.received(), query) {
        true => Ok(()),
        false => Err(session.wrong_protocol(PROTOCOL.scheme)),
    }
}

/// The question section that asks for the address of `name`.
fn question(name: &str) -> Result<Vec<u8>, Complaint> {
    const NO_NAME: Complaint = "has a path that is no domain name: labels of 1 to 63 letters, digits, - or _, with dots between, 253 in all";
    let mut question = Vec::new();
    // A whole name may end in a dot.
    let name = name.as_bytes();
    for label in name
        .strip_suffix(b".")
        .unwrap_or(name)
        .split(|&byte| byte == b'.')
    {
        let proper = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !(1..=63).contains(&label.len()) || !label.iter().all(proper) {
            return Err(NO_NAME);
        }
        question.push(label.len() as u8);
        question.extend_from_slice(label);
    }
    // With the length of the root, 255 octets at most.
    if question.len() > 254 {
        return Err(NO_NAME);
    }
    // The root, type A, class IN.
    question.extend_from_slice(b"\0\0\x01\0\x01");
    Ok(question)
}

/// Whether `message` is the response to the query `asked`: its id, a response, to a standard query, to this question. An error
/// can come without the question.
pub fn answers(message: &[u8], asked: &[u8]) -> bool {
    let Some((head, rest)) = message.split_first_chunk::<12>() else {
        return false;
    };
    let echoes = |asked: &[u8]| {
        let echoed = rest.get(..asked.len());
        echoed.is_some_and(|echoed| echoed.eq_ignore_ascii_case(asked))
    };
    let is_error = code(message) != 0;
    head[..2] == asked[..2]
        && head[2] & 0xf8 == 0x80
        && match head[4..6] {
            [0, 1] => echoes(&asked[12..]),
            [0, 0] => is_error && rest.is_empty(),
            _ => false,
        }
}

/// Whether a response has only a part of what it should have: TC.
fn is_truncated(response: &[u8]) -> bool {
    response[2] & 2 != 0
}

/// The RCODE of a response.
fn code(response: &[u8]) -> u8 {
    response[3] & 0xf
}

/// What a response that [`answers`] says of its server.
pub fn judge(response: &[u8]) -> Reply {
    if !is_truncated(response) && records(response).is_none() {
        return Reply::WrongProtocol;
    }
    let code = code(response);
    let name: &[u8] = match code {
        // That there is no such name is an answer, too.
        0 | 3 => return Reply::Ok(response.len()),
        // To a proper question.
        1 => b"FORMERR",
        2 => b"SERVFAIL",
        4 => b"NOTIMP",
        5 => b"REFUSED",
        _ => b"",
    };
    let said = coded(usize::from(code).to_string().as_bytes(), name);
    match code {
        5 => Reply::Refused(Refusal::Unwelcome, said),
        _ => Reply::Unavailable(said),
    }
}

/// Reads questions and records, as many as the head says, which end where the message does. None when it is malformed.
fn records(message: &[u8]) -> Option<()> {
    let (head, mut rest) = message.split_at_checked(12)?;
    let mut counts = head[4..]
        .chunks_exact(2)
        .map(|count| u16::from_be_bytes([count[0], count[1]]));
    for _ in 0..counts.next()? {
        rest = behind_name(rest)?.get(4..)?;
    }
    for count in counts {
        for _ in 0..count {
            // Type, class, time to live, and the length of the data.
            let (fixed, data) = behind_name(rest)?.split_first_chunk::<10>()?;
            rest = data.get(usize::from(u16::from_be_bytes([fixed[8], fixed[9]]))..)?;
        }
    }
    rest.is_empty().then_some(())
}

/// What follows a name: labels that end with the root, or with a pointer to where they go on.
fn behind_name(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        let (&length, rest) = bytes.split_first()?;
        match length {
            0 => return Some(rest),
            0xc0.. => return rest.get(1..),
            1..=63 => bytes = rest.get(usize::from(length)..)?,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(question("a.bc").unwrap(), b"\x01a\x02bc\0\0\x01\0\x01");
        assert_eq!(question("_x-1.Y."), question("_x-1.Y"));
        let label = "a".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", &label[2..]);
        assert_eq!(question(&longest).unwrap().len(), 255 + 4);
        assert_eq!(question(&format!("{longest}.")), question(&longest));
        for bad in [
            "",
            ".",
            "a..b",
            "..",
            ".a",
            "a b",
            "a/b",
            "a?b",
            "a%41",
            "\u{e9}",
            "*.a",
            "a..",
            &format!("{label}a"),
            &format!("{longest}a"),
            &format!("a.{longest}"),
        ] {
            assert!(question(bad).is_err(), "{bad:?} was accepted");
        }
    }

    /// A response is an answer only as a whole, and to one question.
    #[test]
    fn broken_responses_are_harmless() {
        let asked = [
            &b"id\x01\0\0\x01\0\0\0\0\0\0"[..],
            &question("localhost").unwrap(),
        ]
        .concat();
        let mut whole = asked.clone();
        whole[2..4].copy_from_slice(b"\x85\x80");
        whole[7] = 1;
        whole.extend_from_slice(b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04\x7f\0\0\x01");
        assert!(answers(&whole, &asked) && judge(&whole) == Reply::Ok(whole.len()));
        for end in 0..whole.len() {
            let part = &whole[..end];
            assert!(
                !answers(part, &asked) || judge(part) == Reply::WrongProtocol,
                "{end}"
            );
        }
        for at in 0..whole.len() {
            for byte in 0..=255 {
                let mut other = whole.clone();
                other[at] = byte;
                if answers(&other, &asked) {
                    judge(&other);
                }
            }
        }
    }
}
