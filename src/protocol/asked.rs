//! What a protocol makes its target of: the text of the target, and what all targets are asked.

use super::{Protocol, Takes};
use crate::expect::{BodyExpectations, HeaderExpectation, Statuses};
use crate::snippet::Secrets;
use crate::target::url::Url;
use crate::target::{Host, Place};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use ureq::http::{HeaderName, HeaderValue, Method, header};

/// What a check asks of its targets, beside who they are.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Connect through this unix socket instead of TCP.
    pub unix_socket: Option<PathBuf>,
    /// The healthy statuses.
    pub statuses: Option<Statuses>,
    /// What is expected of the body.
    pub body: BodyExpectations,
    /// Whether the head is searched with the body.
    pub with_head: bool,
    /// Whether the body must come to its end.
    pub whole: bool,
    /// What is expected of a header.
    pub expect_header: Option<HeaderExpectation>,
    /// None is GET, or POST with `data`.
    pub method: Option<Method>,
    /// The request headers, beside those that are computed.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The request body.
    pub data: Option<String>,
    /// The `Authorization` of `--user`.
    pub user: Option<HeaderValue>,
    /// The `User-Agent`.
    pub user_agent: Option<HeaderValue>,
    /// Whether redirects within this machine are followed.
    pub follow: bool,
    /// What is sent first over plain TCP.
    pub send: Option<Vec<u8>>,
    /// Of the addresses of `localhost`, this one alone.
    pub only: Option<IpAddr>,
    /// A file must be a regular one.
    pub regular: bool,
    /// What must not be printed.
    secrets: Secrets,
}

impl Options {
    /// Shared between targets, with the secrets that are in them.
    pub fn shared(mut self) -> Arc<Self> {
        self.secrets = Secrets::of(&self.headers);
        self.secrets
            .add_headers(self.user.iter().map(|user| (&header::AUTHORIZATION, user)));
        Arc::new(self)
    }

    /// What must not be printed.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The first of them, by its name, that means nothing to targets of `protocol`.
    pub fn means_nothing_to(&self, protocol: &Protocol) -> Option<&'static str> {
        let BodyExpectations {
            body,
            body_not,
            json,
            any_of: _,
            any_case: _,
        } = &self.body;
        let given = [
            (self.unix_socket.is_some(), Takes::Connection, "unix_socket"),
            (self.statuses.is_some(), Takes::Http, "status"),
            (!body.is_empty(), Takes::Text, "body"),
            (!body_not.is_empty(), Takes::Text, "body_not"),
            (!json.is_empty(), Takes::Http, "json"),
            (self.expect_header.is_some(), Takes::Http, "expect_header"),
            (self.method.is_some(), Takes::Http, "method"),
            (!self.headers.is_empty(), Takes::Http, "header"),
            (self.data.is_some(), Takes::Http, "data"),
            (self.user.is_some(), Takes::Http, "user"),
            (self.user_agent.is_some(), Takes::Http, "user_agent"),
            (self.follow, Takes::Http, "location"),
            (self.send.is_some(), Takes::Send, "send"),
        ];
        let mut names = given.into_iter().filter_map(|(is_given, kind, name)| {
            (is_given && !protocol.takes.contains(&kind)).then_some(name)
        });
        names.next()
    }
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
        let takes_socket = self.protocol.takes.contains(&Takes::Connection);
        let socket = self.options.unix_socket.as_ref();
        let socket = socket.filter(|_| takes_socket);
        let port = match (url.port.or(self.protocol.port), socket) {
            (Some(port), _) => port,
            // Only the socket counts.
            (None, Some(_)) => 0,
            (None, None) => return Err("needs a port".into()),
        };
        let authority = match port {
            0 => url.host_text,
            port => format!("{}:{port}", url.host_text),
        };
        let place = match (socket, self.options.only, url.host) {
            (Some(_), _, Host::Own) => {
                return Err("names self, and a unix socket has no address: write localhost".into());
            }
            (Some(file), ..) => Place::Unix(file.clone()),
            (None, Some(ip), Host::Localhost) => Place::Port(Host::Ip(ip), port),
            (None, ..) => Place::Port(url.host, port),
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
