//! Ways to ask a service: one protocol a file, each with its row. What rows share is here.
//!
//! A scheme is one thing: its file has the row, the bytes, the judge and its tests, and [`ALL`] names it. The help, the rules
//! of options, the recognition of what answers in place of what was asked, and the tests of every judge follow from the row.

use crate::expect::{BodyExpectations, HeaderExpectation, Statuses};
use crate::target::place::{Host, Place};
use crate::target::url::{NOT_A_URL, Url};
use crate::target::{Complaint, Target};
use handshake::Handshake;
use std::path::PathBuf;
use std::sync::Arc;
use ureq::http::{HeaderName, HeaderValue, Method};

mod amqp;
mod bytes;
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

/// What a check asks of its targets, beside who they are.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Connect through this unix socket instead of TCP.
    pub unix_socket: Option<PathBuf>,
    /// The healthy statuses.
    pub statuses: Option<Statuses>,
    /// What is expected of the body.
    pub body: BodyExpectations,
    /// What is expected of a header.
    pub expect_header: Option<HeaderExpectation>,
    /// The request's method.
    pub method: Option<Method>,
    /// Its headers, beside those that are computed.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Its body.
    pub data: Option<String>,
    /// The `Authorization` of `--user`.
    pub user: Option<HeaderValue>,
    /// The `User-Agent`.
    pub user_agent: Option<HeaderValue>,
    /// Whether redirects within this machine are followed.
    pub follow: bool,
    /// What is sent first over plain TCP.
    pub send: Option<Vec<u8>>,
}

/// A target as it was written, and all that is asked of it.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The row of its scheme.
    pub protocol: &'static Protocol,
    /// The whole text.
    pub text: &'a str,
    /// What follows the scheme and its colon.
    pub rest: &'a str,
    /// What all targets are asked.
    pub options: &'a Arc<Options>,
}

/// Where a URL points, and what it says besides.
#[derive(Debug)]
pub struct Located {
    /// The URL up to its port, without credentials.
    pub name: String,
    /// Host and port.
    pub authority: String,
    /// Where it listens.
    pub place: Place,
    /// The host as it is understood.
    pub host: Host,
    /// The port; 0 where only a socket's path counts.
    pub port: u16,
    /// User and password, percent-decoded.
    pub credentials: Option<(String, String)>,
    /// Path and query.
    pub path: String,
}

impl Asked<'_> {
    /// Reads the text as a URL.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn located(&self) -> Result<Located, String> {
        let url = Url::parse(self.text)?;
        let port = match (url.port.or(self.protocol.port), &self.options.unix_socket) {
            (Some(port), _) => port,
            // Only the socket counts.
            (None, Some(_)) => 0,
            (None, None) => return Err("needs a port".into()),
        };
        let authority = match port {
            0 => url.host_text,
            port => format!("{}:{port}", url.host_text),
        };
        let place = match &self.options.unix_socket {
            Some(file) => Place::Unix(file.clone()),
            None => Place::Tcp(url.host, port),
        };
        Ok(Located {
            name: format!("{}://{authority}", self.protocol.scheme),
            authority,
            place,
            host: url.host,
            port,
            credentials: url.credentials,
            path: url.path,
        })
    }
}

impl Located {
    /// For a protocol in which nobody logs in.
    ///
    /// # Errors
    /// That the URL has credentials.
    pub fn refuse_credentials(&self, asked: &Asked) -> Result<(), String> {
        match self.credentials {
            Some(_) => Err(format!(
                "has credentials, which mean nothing to {}",
                asked.protocol.scheme
            )),
            None => Ok(()),
        }
    }

    /// For a protocol that has no paths.
    ///
    /// # Errors
    /// That the URL has a path.
    pub fn refuse_path(&self, asked: &Asked) -> Result<(), String> {
        match self.path.as_str() {
            "" | "/" => Ok(()),
            _ => Err(format!(
                "has a path, which means nothing to {}",
                asked.protocol.scheme
            )),
        }
    }
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
    let has_authority = protocol.port.is_some() || protocol.rest.starts_with("//");
    if has_authority && !rest.starts_with("//") {
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
