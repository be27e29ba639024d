//! The service behind the gateway: where it is, how it is asked, and what can go wrong.

use serde_json::Value;
use std::io;
use std::str::FromStr;
use std::time::Duration;
use ureq::http::uri::Authority;
use ureq::{Agent, Error};

/// How long the upstream may take over a reply. Whoever asks the gateway waits longer than this (the checker 5 s),
/// or it would never be told the cause.
const PATIENCE: Duration = Duration::from_secs(2);
/// An account is some 40 bytes, so this bounds only what an upstream gone mad can make the gateway hold.
const MAX_BODY: u64 = 64 * 1024;

/// A service that speaks JSON over HTTP.
pub struct Upstream {
    base: String,
    agent: Agent,
}

impl Upstream {
    /// The URL of a path that begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Asks for a path, with a POST if there is a body of JSON: the status, and the body, as a string if it is not JSON.
    pub fn ask(&self, path: &str, body: Option<&[u8]>) -> Result<(u16, Value), Error> {
        let url = self.url(path);
        let mut response = match body {
            None => self.agent.get(url).call()?,
            Some(body) => {
                let post = self.agent.post(url);
                post.content_type("application/json").send(body)?
            }
        };
        let body = response.body_mut().with_config().limit(MAX_BODY);
        let body = body.read_to_vec()?;
        let json =
            serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into());
        Ok((response.status().as_u16(), json))
    }
}

impl FromStr for Upstream {
    type Err = &'static str;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let base = url.strip_suffix('/').unwrap_or(url);
        let authority = base.strip_prefix("http://").unwrap_or_default();
        // No credentials either: /health shows the URL to everybody.
        if authority.parse::<Authority>().is_err() || authority.contains('@') {
            return Err("not a URL such as http://accountservice:6767");
        }
        let agent = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            // A variable must not send what is meant for the neighbour through a proxy.
            .proxy(None)
            // A bad status is an answer, to be passed on.
            .http_status_as_error(false)
            .max_redirects(0)
            // A connection of its own for each request: one kept from before proves nothing about now.
            .max_idle_connections(0)
            .build();
        Ok(Upstream {
            base: base.to_owned(),
            agent: agent.into(),
        })
    }
}

/// Why there was no reply, in a few words.
pub fn cause(error: &Error) -> String {
    match error {
        Error::Timeout(_) => format!("timed out after {} s", PATIENCE.as_secs()),
        Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            "connection refused".into()
        }
        Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}
