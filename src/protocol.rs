//! Ways to ask a service: one protocol a file, each with its row. What rows share is here.
//!
//! A scheme is one thing: its file has the row, the bytes, the judge and its tests, and [`ALL`] names it. The help, the rules
//! of options, the recognition of what answers in place of what was asked, and the tests of every judge follow from the row.

use crate::target::url::NOT_A_URL;
use crate::target::{Complaint, Target};
use handshake::Handshake;
use std::sync::Arc;

mod amqp;
mod asked;
mod bytes;
mod cassandra;
mod clamd;
pub mod dns;
mod fastcgi;
mod file;
mod ftp;
mod grpc;
pub mod handshake;
mod http;
mod imap;
mod kafka;
mod ldap;
mod memcached;
mod mongodb;
mod mqtt;
mod mysql;
mod nats;
mod pid;
mod pop3;
mod postgres;
mod redis;
mod session;
mod smtp;
mod ssh;
mod tcp;
mod tls;
mod zookeeper;

pub use asked::{Asked, Located, Options};

/// Every protocol, in the order of the help.
pub static ALL: &[&Protocol] = &[
    &http::PROTOCOL,
    &tcp::PROTOCOL,
    &grpc::PROTOCOL,
    &fastcgi::PROTOCOL,
    &pid::PROTOCOL,
    &file::PROTOCOL,
    &redis::PROTOCOL,
    &postgres::PROTOCOL,
    &mysql::PROTOCOL,
    &amqp::PROTOCOL,
    &memcached::PROTOCOL,
    &smtp::PROTOCOL,
    &ldap::PROTOCOL,
    &zookeeper::PROTOCOL,
    &mongodb::PROTOCOL,
    &mqtt::PROTOCOL,
    &nats::PROTOCOL,
    &kafka::PROTOCOL,
    &cassandra::PROTOCOL,
    &clamd::PROTOCOL,
    &dns::PROTOCOL,
    &ssh::PROTOCOL,
    &ftp::PROTOCOL,
    &pop3::PROTOCOL,
    &imap::PROTOCOL,
    &tls::PROTOCOL,
];

/// The row of a protocol.
#[derive(Debug)]
pub struct Protocol {
    /// The scheme of its URLs.
    pub scheme: &'static str,
    /// Other schemes that mean the same.
    pub aliases: &'static [&'static str],
    /// The port where such a server usually listens.
    pub port: Option<u16>,
    /// What follows the host and port in a URL, or all that follows the scheme if it has neither.
    pub rest: &'static str,
    /// What a healthy verdict proves.
    pub proves: &'static str,
    /// The options that mean something to it.
    pub takes: &'static [Takes],
    /// Makes a target of a URL.
    pub plan: fn(&Asked) -> Result<Target, String>,
    /// What is said and how replies are judged, where that is a few constant bytes.
    pub handshake: Option<&'static Handshake>,
    /// How its servers can be known by what they say, whatever they were asked.
    pub signature: Option<Signature>,
}

/// A kind of option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Ways to connect, as `--unix-socket` is.
    Connection,
    /// What is expected of a text.
    Text,
    /// Parts of an HTTP request, and what is expected of the response.
    Http,
    /// The bytes to send first.
    Send,
}

/// How a server can be known by the first bytes of what it says.
#[derive(Debug)]
pub struct Signature {
    /// What such servers are called.
    pub name: &'static str,
    /// Whether a reply is one of theirs.
    pub fits: fn(&[u8]) -> bool,
}

impl Protocol {
    /// For the fields that a row leaves out: of a protocol over a connection.
    const CONNECTION: Protocol = Protocol {
        scheme: "",
        aliases: &[],
        port: None,
        rest: "",
        proves: "",
        takes: &[Takes::Connection],
        plan: handshake::plan,
        handshake: None,
        signature: None,
    };

    /// How such a target is written, as the help has it.
    pub fn form(&self) -> String {
        let Protocol { scheme, rest, .. } = self;
        match self.port {
            Some(port) => format!("{scheme}://HOST[:{port}]{rest}"),
            None => format!("{scheme}:{rest}"),
        }
    }

    /// Whether its targets have a host and a port.
    pub fn has_authority(&self) -> bool {
        self.port.is_some() || self.rest.starts_with("//")
    }

    fn is_called(&self, scheme: &str) -> bool {
        scheme.eq_ignore_ascii_case(self.scheme)
            || self
                .aliases
                .iter()
                .any(|alias| scheme.eq_ignore_ascii_case(alias))
    }
}

/// What servers that say this are called, if that can be told.
pub fn recognised(reply: &[u8]) -> Option<&'static Signature> {
    let mut signatures = ALL
        .iter()
        .filter_map(|protocol| protocol.signature.as_ref());
    signatures.find(|signature| (signature.fits)(reply))
}

/// Makes a target of a text such as `http://localhost:8080/health`. Returns the row of its scheme as well.
///
/// # Errors
/// What is wrong with it.
pub fn target(text: &str, options: &Arc<Options>) -> Result<(Target, &'static Protocol), String> {
    let (scheme, rest) = text.split_once(':').ok_or(NOT_A_URL)?;
    let protocol = ALL.iter().find(|protocol| protocol.is_called(scheme));
    let Some(&protocol) = protocol else {
        return Err(unknown(scheme, rest).into());
    };
    if protocol.has_authority() && !rest.starts_with("//") {
        return Err(NOT_A_URL.into());
    }
    let asked = Asked {
        protocol,
        text,
        rest,
        options,
    };
    Ok(((protocol.plan)(&asked)?, protocol))
}

fn unknown(scheme: &str, rest: &str) -> Complaint {
    match (scheme.eq_ignore_ascii_case("https"), rest.starts_with("//")) {
        (true, true) => {
            "needs TLS, which this program does not speak: ask the port that speaks plain HTTP, or tls://"
        }
        (false, true) => "has a scheme that is not known (--help lists them)",
        _ => NOT_A_URL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Reply;

    #[test]
    fn rows_are_sound() {
        for row in ALL {
            assert!(!row.proves.is_empty(), "{}", row.scheme);
            assert!(
                row.handshake
                    .is_none_or(|handshake| !handshake.steps.is_empty())
            );
            for name in row.aliases.iter().chain([&row.scheme]) {
                let same = ALL.iter().filter(|other| other.is_called(name));
                assert_eq!(same.count(), 1, "{name}");
            }
        }
    }

    /// What is judged of a part of a reply is judged of the whole. The fuzz target `handshake` asks the same of any.
    #[test]
    fn verdicts_do_not_change_when_more_comes() {
        let judge = |scheme: &str, reply: &[u8]| {
            let row = ALL.iter().find(|row| row.scheme == scheme).unwrap();
            row.handshake.unwrap().steps[0].judge.judge(reply)
        };
        for (scheme, reply) in [
            ("redis", &b"-NOAUTH x\r\n\r\n"[..]),
            ("redis", b"+PONG\r\n-"),
            ("postgres", b"R\0\0\0\x08\0\0\0\0R"),
            ("amqp", b"AMQP\0\0\x09\x01AMQP"),
            ("mqtt", b"\x20\x03\0\x84\0\x20"),
            (
                "zookeeper",
                b"ruok is not executed because it is not in the whitelist.\n\n",
            ),
        ] {
            let whole = judge(scheme, reply);
            assert_ne!(whole, Reply::Incomplete, "{scheme}");
            for end in 0..reply.len() {
                let part = judge(scheme, &reply[..end]);
                assert!(
                    part == Reply::Incomplete || part == whole,
                    "{scheme} after {end}"
                );
            }
        }
        // The exception: nothing marks the end of `imok`, so what follows it may or may not have come.
        assert_eq!(judge("zookeeper", b"imok"), Reply::Ok(4));
        assert_eq!(judge("zookeeper", b"imok0\r\n\r\n"), Reply::WrongProtocol);
    }

    /// Every judge, given anything, answers.
    #[test]
    fn judges_never_panic() {
        use proptest::prelude::*;
        const STARTS: [&[u8]; 16] = [
            b"",
            b"R\0\0\0\x08",
            b"E\0\0\0\x20",
            b"\x20\0\0\0\xff",
            b"\x30\x0c\x02\x01\x01\x61",
            b"\x24\0\0\0\x01\0\0\0\x01\0\0\0\xdd\x07\0\0\0\0\0\0\0",
            b"\x20\x02",
            b"\x01\0\0\0\0\0\x04",
            b"\x20\x7f\0\xff\xff",
            b"\x20\x10\0\x87",
            b"R\0\0\0\x10\0\0\0\x0a",
            b"\x16\x03\x03\0\x2e\x02\0\0\x26\x03\x03",
            b"\0\0\0\x10\0\0\0\x01\0\0\0\0\0",
            b"\x84\0\0\0\x06\0\0\0\x10",
            b"\x01\0\0\0\0\0\x20\0\x0a\0\x0a\0\x09\0\0\0",
            b"\x20\0\0\0\x0a8.0\0",
        ];
        proptest!(|(rest in proptest::collection::vec(any::<u8>(), 1..64), start in 0..STARTS.len())| {
            let received = [STARTS[start], &rest].concat();
            for handshake in ALL.iter().filter_map(|row| row.handshake) {
                for step in handshake.steps {
                    drop(step.judge.judge(&received));
                }
            }
            recognised(&received);
        });
    }
}
