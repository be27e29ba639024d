//! One request and its response.

use super::body::Body;
use super::dialler::Dialler;
use super::request::Request;
use super::transport::failure_in;
use super::{bad_head, head};
use crate::deadline::Deadline;
use crate::verdict::{Failure, Phase, Snippet, Trace};
use std::io::Read;
use std::time::Duration;
use ureq::http::{Method, Request as UreqRequest};
use ureq::{Agent, BodyReader, Error};

/// How much of an unneeded body is read so that closing does not reset the connection.
const UNNEEDED: usize = 64 * 1024;

/// A response of which the head has come.
pub struct Response {
    /// The status of the final response: 101, or 200 and above.
    pub status: u16,
    /// The last `Location`.
    pub location: Option<Vec<u8>>,
    dialler: Dialler,
    reader: BodyReader<'static>,
}

/// Sends `request`, and waits for the head of the final response. The bytes sent and received are then in
/// `trace`, after a failure too.
///
/// # Errors
/// Those of [`dial`](crate::net::dial) and [`Stream`](crate::net::Stream), and those of a head that cannot be read.
pub fn send(
    request: &Request,
    deadline: &Deadline,
    trace: &mut Trace,
) -> Result<Response, Box<Failure>> {
    let to_head = request.method == Method::HEAD;
    let longest_line = longest_line(request);
    let dialler = Dialler::new(&request.place, deadline, to_head, longest_line);
    let sent = run(&agent(&dialler), request);
    *trace = std::mem::take(&mut dialler.shared().trace);
    let response = sent.map_err(|error| failure(error, &trace.head))?;
    let location = response.headers().get_all("location").iter().next_back();
    Ok(Response {
        status: response.status().as_u16(),
        location: location.map(|value| value.as_bytes().to_vec()),
        dialler,
        reader: response.into_body().into_reader(),
    })
}

fn run(agent: &Agent, request: &Request) -> Result<ureq::http::Response<ureq::Body>, Error> {
    let mut asked = UreqRequest::new(());
    let needs_body = [Method::POST, Method::PUT, Method::PATCH].contains(&request.method);
    *asked.method_mut() = request.method.clone();
    *asked.uri_mut() = request.uri.clone();
    for (name, value) in &request.headers {
        asked.headers_mut().append(name.clone(), value.clone());
    }
    match &request.data {
        None if !needs_body => agent.run(asked),
        // Without a body, these methods send an empty one: `Content-Length: 0`.
        data => agent.run(asked.map(|()| data.as_deref().unwrap_or_default().as_bytes())),
    }
}

/// An agent with ureq's surprising defaults turned off.
fn agent(dialler: &Dialler) -> Agent {
    let config = Agent::config_builder()
        // Containers carry proxy variables; a check must not follow them.
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .allow_non_standard_methods(true)
        .max_idle_connections(0)
        // The transport bounds the head and keeps the deadline.
        .max_response_header_size(usize::MAX)
        .build();
    Agent::with_parts(config, dialler.clone(), dialler.clone())
}

/// Room for the request line and for the longest field: ureq writes each in one piece, and fails if it does not fit.
fn longest_line(request: &Request) -> usize {
    let fields = request.headers.iter();
    let field = fields
        .map(|(name, value)| name.as_str().len() + value.len())
        .max();
    let target = request.uri.path().len() + request.uri.query().map_or(0, str::len);
    let line = target + request.method.as_str().len();
    line.max(field.unwrap_or(0)) + 512
}

/// Either the transport failed, or ureq could not read the head that it was given.
fn failure(error: Error, head: &[u8]) -> Box<Failure> {
    let why = match error {
        Error::Io(error) => match failure_in(error) {
            Some(failure) => return failure,
            None => "it cannot be read".into(),
        },
        Error::Protocol(reason) => reason.to_string(),
        _ => "ureq refuses it".into(),
    };
    bad_head(why, head)
}

impl Response {
    /// The values of a header field, as they came.
    pub fn values(head: &[u8], name: &str) -> Vec<Vec<u8>> {
        let mut head = head.to_vec();
        head::unfold(&mut head);
        head::fields(&head)
            .filter(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.to_vec())
            .collect()
    }

    /// A coding of the body that is not undone here.
    pub fn coding(&self) -> Option<Vec<u8>> {
        self.dialler.shared().coding.clone()
    }

    /// Whether the body lasts until the connection closes, so that its end and a reset can be the same.
    pub fn ends_with_the_connection(&self) -> bool {
        self.dialler.shared().body == Body::UntilClose
    }

    /// Appends the next part of the content to `body`, and returns its length; 0 at the end.
    ///
    /// # Errors
    /// [`Failure::BadBody`], [`Failure::ClosedEarly`], and those of [`Stream::read`](crate::net::Stream::read).
    pub fn read(&mut self, body: &mut Vec<u8>) -> Result<usize, Box<Failure>> {
        let mut part = [0; 1024];
        let read = self.reader.read(&mut part).map_err(|error| {
            match failure_in(error).map(|failure| *failure) {
                Some(Failure::ClosedEarly { phase, .. }) => {
                    let got = Snippet::at_most(body, 100);
                    Failure::ClosedEarly { phase, got }
                }
                Some(failure) => failure,
                None => Failure::BadBody,
            }
        })?;
        body.extend_from_slice(&part[..read]);
        Ok(read)
    }

    /// Shortens the deadline to `grace` from now.
    pub fn limit_to(&self, grace: Duration) {
        let mut shared = self.dialler.shared();
        shared.deadline = shared.deadline.or_within(grace);
    }

    /// Reads what is left of the response, if that is little and comes soon: to close with data unread would reset the
    /// connection.
    pub fn finish(self, grace: Duration) {
        self.limit_to(grace);
        drop(self.reader);
        let shared = self.dialler.shared();
        let Some(stream) = shared
            .stream
            .as_ref()
            .filter(|_| shared.body != Body::WHOLE)
        else {
            return;
        };
        let mut discarded = Vec::new();
        let mut left = UNNEEDED;
        while left > 0
            && let Ok(read @ 1..) = stream.read(&mut discarded, 1024, Phase::Body, &shared.deadline)
        {
            discarded.clear();
            left = left.saturating_sub(read);
        }
    }
}
