//! HTTP/1.1: one request, judged as soon as the verdict is fixed.

use super::{Asked, Options, Protocol, Signature, Takes};
use crate::deadline::Deadline;
use crate::expect::{MAX_BODY, Statuses, sick};
use crate::http::{self, Request, Response, is_redirect, request};
use crate::net::{self, Transport};
use crate::snippet::{Secrets, without_userinfo};
use crate::target::{Host, Place, Probe, Target};
use crate::verdict::{Answer, Failure, GRACE, Health, NotFollowed, Outcome, Snippet, Trace};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use ureq::http::{HeaderName, HeaderValue, Method, Uri, header};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "http",
    port: Some(80),
    rest: "[/PATH]",
    proves: "the response is as expected",
    takes: &[Takes::Connection, Takes::Http, Takes::Text],
    plan,
    signature: Some(Signature {
        name: "HTTP",
        fits: |reply| {
            matches!(
                reply,
                [b'H', b'T', b'T', b'P', b'/', ..] | [b'<', b'!' | b'h' | b'H', ..]
            )
        },
    }),
    ..Protocol::CONNECTION
};

/// At most this many redirects are followed.
const MAX_REDIRECTS: usize = 5;
/// How gzip begins (RFC 1952), with its only method.
const GZIP: &[u8] = b"\x1f\x8b\x08";
/// How much of a wrong status's body is read for the reason.
const REASON: usize = 512;

fn plan(asked: &Asked) -> Result<Target, String> {
    let located = asked.located()?;
    let options = asked.options;
    let has_authorization = || {
        options
            .headers
            .iter()
            .any(|(name, _)| name == header::AUTHORIZATION)
    };
    let authorization = match &located.credentials {
        Some(_) if options.user.is_some() => {
            return Err("has credentials, and so has --user".into());
        }
        Some(_) if has_authorization() => return Err("has credentials, and so has --header".into()),
        Some((user, password)) => Some(request::basic(user, password)?),
        None => options.user.clone(),
    };
    let path = match located.path.is_empty() {
        true => "/".to_owned(),
        false => located.path,
    };
    let name = located.name + &path;
    let headers = headers(options, authorization);
    let probe = HttpProbe {
        place: located.place,
        host: located.host,
        port: located.port,
        path,
        options: options.clone(),
        secrets: located.credentials.as_ref().map(|_| Secrets::of(&headers)),
        headers,
    };
    Ok(Target::new(name, probe))
}

/// A given header replaces the computed one; repeated headers are all sent.
fn headers(
    options: &Options,
    authorization: Option<HeaderValue>,
) -> Vec<(HeaderName, HeaderValue)> {
    let agent = HeaderValue::from_static(concat!("healthchecker/", env!("CARGO_PKG_VERSION")));
    let computed = [
        (
            header::USER_AGENT,
            Some(options.user_agent.clone().unwrap_or(agent)),
        ),
        (header::CONNECTION, Some(HeaderValue::from_static("close"))),
        // The body is searched uncompressed, so no coding is accepted.
        (
            header::ACCEPT_ENCODING,
            Some(HeaderValue::from_static("identity")),
        ),
        (header::AUTHORIZATION, authorization),
    ];
    let mut headers = options.headers.clone();
    for (name, value) in computed {
        let is_given = options.headers.iter().any(|(given, _)| *given == name);
        if let (Some(value), false) = (value, is_given) {
            headers.push((name, value));
        }
    }
    headers
}

/// A request, and what its response must be.
#[derive(Debug)]
struct HttpProbe {
    place: Place,
    /// What is called, which is not where it listens if that is a unix socket.
    host: Host,
    port: u16,
    /// Path and query.
    path: String,
    options: Arc<Options>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Those of a target that has credentials of its own.
    secrets: Option<Secrets>,
}

impl Probe for HttpProbe {
    fn ask(&self, deadline: &Deadline) -> Answer {
        let begun = deadline.elapsed();
        let mut trace = Trace::default();
        let response = self.final_response(deadline, &mut trace);
        let (outcome, response) = match response {
            Ok(mut response) => (self.judge(&mut response, &trace, deadline), Some(response)),
            Err(failure) => (Err(failure), None),
        };
        let took = deadline.elapsed() - begun;
        if let Some(response) = response {
            response.finish(GRACE);
        }
        Answer {
            outcome,
            took,
            trace,
        }
    }

    fn place(&self) -> Option<&Place> {
        Some(&self.place)
    }

    fn secrets(&self) -> &Secrets {
        // They are the same for all targets, but for one that has credentials of its own.
        self.secrets.as_ref().unwrap_or(self.options.secrets())
    }

    fn may_meet_tls(&self) -> bool {
        true
    }
}

impl HttpProbe {
    fn request(&self) -> Request {
        let default = match self.options.data {
            Some(_) => Method::POST,
            None => Method::GET,
        };
        // `self` is found before the request is made: a service expects to be called by its address.
        let host = net::own(self.host, self.port, Transport::Tcp);
        Request {
            place: match &self.place {
                Place::Port(Host::Own, port) => Place::Port(host, *port),
                place => place.clone(),
            },
            method: self.options.method.clone().unwrap_or(default),
            uri: request::http_uri(host, self.port, &self.path)
                .expect("a path that was checked when the target was made"),
            headers: self.headers.clone(),
            data: self.options.data.clone(),
        }
    }

    /// The response to the request, or the one at the end of the redirects that are to be followed.
    fn final_response(
        &self,
        deadline: &Deadline,
        trace: &mut Trace,
    ) -> Result<Response, Box<Failure>> {
        let mut request = self.request();
        let mut redirects = 0;
        let mut led_to = None;
        loop {
            let response = http::send(&request, deadline, trace);
            trace.redirected.clone_from(&led_to);
            let response = response?;
            let to = match &response.location {
                Some(to) if self.options.follow && is_redirect(response.status) => to,
                _ => return Ok(response),
            };
            let next = match redirects < MAX_REDIRECTS {
                true => request.redirected(response.status, to),
                false => Err(NotFollowed::TooMany),
            };
            request = next.map_err(|why| Failure::Redirect {
                status: response.status,
                to: Snippet::new(&without_userinfo(to)),
                why,
            })?;
            redirects += 1;
            led_to = Some(self.shown(&request.uri));
            response.finish(GRACE);
        }
    }

    /// Where a redirect leads: the path alone where it is the same service.
    fn shown(&self, uri: &Uri) -> Snippet {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        match uri.authority() == self.request().uri.authority() {
            true => Snippet::at_most(path.as_bytes(), 160),
            false => Snippet::at_most(uri.to_string().as_bytes(), 160),
        }
    }

    fn judge(&self, response: &mut Response, trace: &Trace, deadline: &Deadline) -> Outcome {
        let status = response.status;
        let default = Statuses::default();
        let statuses = self.options.statuses.as_ref().unwrap_or(&default);
        if !statuses.contains(status) {
            let redirect = response.location.as_ref().filter(|_| is_redirect(status));
            return Err(Box::new(Failure::Status {
                got: status,
                expected: statuses.as_str().to_owned(),
                redirect: redirect.map(|to| {
                    let why = self.request().redirected(status, to).err();
                    (Snippet::at_most(&without_userinfo(to), 160), why)
                }),
                body: sick::kept(&reason(response)),
            }));
        }
        if let Some(expectation) = &self.options.expect_header {
            let values = Response::values(&trace.head, &expectation.name);
            expectation.judge(values.iter().map(Vec::as_slice))?;
        }
        if !self.options.body.is_empty() {
            self.judge_body(response, trace, deadline)?;
        }
        if self.options.whole {
            read_to_end(response)?;
        }
        Ok(Health::Status(status))
    }

    fn judge_body(
        &self,
        response: &mut Response,
        trace: &Trace,
        deadline: &Deadline,
    ) -> Result<(), Box<Failure>> {
        let head = match self.options.with_head {
            true => &trace.head[..],
            false => &[],
        };
        if let Some(coding) = response.coding()
            && head.is_empty()
        {
            return Err(Box::new(Failure::Coded(Snippet::at_most(&coding, 80))));
        }
        // Whoever asks at the same time gets a new one.
        let mut body = std::mem::take(&mut *spare());
        body.clear();
        body.extend_from_slice(head);
        let verdict = self.judge_content(response, &mut body, deadline);
        // Some services say nothing of what they have compressed. A text that is in there all the same is found, but nothing
        // else can be known.
        let is_unsure = match &verdict {
            Ok(()) => !self.options.body.body_not.is_empty(),
            Err(failure) => matches!(**failure, Failure::Unexpected(_)),
        };
        let is_coded = is_unsure && body.starts_with(GZIP);
        *spare() = body;
        match is_coded {
            true => Err(Box::new(Failure::Coded(Snippet::new(b"gzip")))),
            false => verdict,
        }
    }

    fn judge_content(
        &self,
        response: &mut Response,
        body: &mut Vec<u8>,
        deadline: &Deadline,
    ) -> Result<(), Box<Failure>> {
        let expected = &self.options.body;
        let mut coming = expected.begin();
        loop {
            match response.read(body) {
                Ok(0) => return expected.judge(body, false, deadline),
                Ok(_) => {}
                // Without a length, a reset can be the end: a text found stays found, an absence proves nothing.
                Err(reset) if reset.is_reset() && response.ends_with_the_connection() => {
                    let verdict = expected.judge(body, false, deadline);
                    let stands = verdict.is_ok() && expected.body_not.is_empty();
                    return stands.then_some(()).ok_or(reset);
                }
                Err(failure) => return Err(failure),
            }
            let bounded = body.len() > MAX_BODY;
            body.truncate(MAX_BODY);
            if let Some(verdict) = coming.judge(body, deadline) {
                return verdict;
            }
            if bounded {
                return expected.judge(body, true, deadline);
            }
        }
    }
}

/// The memory of the last body that was judged: `--wait` would use up more with each attempt, because the binary's allocator
/// never takes anything back.
fn spare() -> MutexGuard<'static, Vec<u8>> {
    static SPARE: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a body and forgets it.
///
/// # Errors
/// That it does not come to its end.
fn read_to_end(response: &mut Response) -> Result<(), Box<Failure>> {
    let mut body = std::mem::take(&mut *spare());
    let end = loop {
        body.clear();
        match response.read(&mut body) {
            Ok(0) => break Ok(()),
            Ok(_) => {}
            Err(failure) => break Err(failure),
        }
    };
    *spare() = body;
    end
}

/// The beginning of a body, as much as comes within [`GRACE`].
fn reason(response: &mut Response) -> Vec<u8> {
    response.limit_to(GRACE);
    let mut body = Vec::new();
    loop {
        // What is sick can stand at the end of JSON.
        let most = match sick::looks_like_json(&body) {
            true => sick::MAX_LOOKED_AT,
            false => REASON,
        };
        if body.len() >= most || !response.read(&mut body).is_ok_and(|read| read > 0) {
            body.truncate(most);
            return body;
        }
    }
}
