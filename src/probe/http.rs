//! One HTTP/1.1 request, built and read by ureq, judged as soon as the verdict is fixed.

use super::GRACE;
use crate::check::{self, Host, Http, Place, Url};
use crate::deadline::Deadline;
use crate::expect::MAX_BODY;
use crate::net::{self, Wire};
use crate::verdict::{
    Answer, Failure, Health, NotFollowed, Phase, Snippet, Trace, Verdict, without_userinfo,
};
use std::io::Read;
use ureq::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header,
};
use ureq::{Body, BodyReader};

/// At most this many redirects are followed.
const MAX_REDIRECTS: usize = 5;
/// How much of a wrong status's body is read for the reason.
const REASON: usize = 512;
/// How much of an unneeded body is read for the sake of a polite close.
const RUNOUT: usize = 64 * 1024;

/// Sends the request and judges the response.
pub fn ask(http: &Http, place: &Place, deadline: &Deadline) -> Answer {
    let begun = deadline.elapsed();
    let mut exchange = Exchange {
        http,
        deadline,
        trace: Trace::default(),
        rest: None,
    };
    let verdict = exchange.verdict(place.clone());
    let took = deadline.elapsed() - begun;
    if let Some((wire, body)) = exchange.rest.take() {
        run_out(&wire, body);
    }
    Answer {
        verdict,
        took,
        trace: exchange.trace,
    }
}

struct Exchange<'a> {
    http: &'a Http,
    deadline: &'a Deadline,
    trace: Trace,
    /// The body that is left when the verdict is fixed.
    rest: Option<(Wire, BodyReader<'static>)>,
}

/// One request, as redirects change it.
struct Hop {
    place: Place,
    method: Method,
    uri: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
    data: Option<String>,
}

impl Exchange<'_> {
    fn verdict(&mut self, place: Place) -> Verdict {
        let http = self.http;
        let mut hop = Hop {
            place,
            method: http.method.clone(),
            uri: http.uri.clone(),
            headers: http.headers.clone(),
            data: http.data.clone(),
        };
        let mut redirects = 0;
        loop {
            let (wire, response) = self.send(&hop)?;
            let location = response.headers().get(header::LOCATION);
            match location {
                Some(to) if http.follow && is_redirect(response.status()) => {
                    let to = to.as_bytes();
                    let not_followed = |why| {
                        let status = response.status().as_u16();
                        Err(Box::new(Failure::Redirect {
                            status,
                            to: Snippet::new(&without_userinfo(to)),
                            why,
                        }))
                    };
                    redirects += 1;
                    if redirects > MAX_REDIRECTS {
                        return not_followed(NotFollowed::TooMany);
                    }
                    match hop.redirected(response.status(), to) {
                        Ok(next) => hop = next,
                        Err(why) => return not_followed(why),
                    }
                    run_out(&wire, response.into_body().into_reader());
                }
                _ => return self.judge(wire, response),
            }
        }
    }

    fn send(&mut self, hop: &Hop) -> Result<(Wire, Response<Body>), Box<Failure>> {
        let longest = hop
            .headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len())
            .max();
        // The request line or the longest field, with room for the few bytes around it.
        let line =
            hop.uri.path().len() + hop.uri.query().map_or(0, str::len) + hop.method.as_str().len();
        let longest = line.max(longest.unwrap_or(0)) + 512;
        let wanted = self.http.header.as_ref().map(|header| header.name.as_str());
        let secrets = hop
            .headers
            .iter()
            .map(|(_, value)| value)
            .filter(|value| value.is_sensitive());
        let wire = Wire::new(
            &hop.place,
            self.deadline,
            wanted,
            longest,
            secrets.cloned().collect(),
        );
        let mut request = Request::new(());
        *request.method_mut() = hop.method.clone();
        *request.uri_mut() = hop.uri.clone();
        for (name, value) in &hop.headers {
            request.headers_mut().append(name.clone(), value.clone());
        }
        let needs_body = [Method::POST, Method::PUT, Method::PATCH].contains(&hop.method);
        let sent = match &hop.data {
            None if !needs_body => wire.agent().run(request),
            // An absent body is an empty one here: `Content-Length: 0`.
            data => {
                let data = data.as_deref().unwrap_or_default();
                wire.agent().run(request.map(|()| data.as_bytes()))
            }
        };
        self.trace = std::mem::take(&mut wire.record().trace);
        match sent {
            Ok(response) => Ok((wire, response)),
            Err(_) => Err(self.failure(&wire)),
        }
    }

    /// The transport knows best what went wrong; else it was ureq that could not read the head.
    fn failure(&self, wire: &Wire) -> Box<Failure> {
        let recorded = wire.record().failure.take();
        recorded
            .unwrap_or_else(|| Box::new(Failure::BadHead(Snippet::at_most(&self.trace.head, 160))))
    }

    fn judge(&mut self, wire: Wire, response: Response<Body>) -> Verdict {
        let status = response.status().as_u16();
        let (parts, body) = response.into_parts();
        let mut reader = body.into_reader();
        if !self.http.statuses.contains(status) {
            let body = Snippet::new(&reason(&wire, &mut reader));
            self.rest = Some((wire, reader));
            let expected = self.http.statuses.as_str().to_owned();
            return Err(Box::new(Failure::Status {
                got: status,
                expected,
                body,
            }));
        }
        let verdict = self.judge_parts(&wire, &parts.headers, &mut reader);
        self.rest = Some((wire, reader));
        verdict.map(|()| Health::Status(status))
    }

    fn judge_parts(
        &self,
        wire: &Wire,
        headers: &HeaderMap,
        reader: &mut BodyReader,
    ) -> Result<(), Box<Failure>> {
        if let Some(expectation) = &self.http.header {
            // As an http::HeaderName, the one kind of key that ureq uses too. The command line has checked it.
            let name = HeaderName::from_bytes(expectation.name.as_bytes());
            let values = name.map(|name| headers.get_all(name).into_iter());
            expectation.judge(values.into_iter().flatten().map(HeaderValue::as_bytes))?;
        }
        if self.http.body.is_empty() {
            return Ok(());
        }
        self.judge_body(wire, reader)
    }

    fn judge_body(&self, wire: &Wire, reader: &mut BodyReader) -> Result<(), Box<Failure>> {
        let expected = &self.http.body;
        let mut coming = expected.begin();
        let mut body = Vec::new();
        loop {
            match read_more(reader, &mut body) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => return Err(self.body_failure(wire, &error, &body)),
            }
            let bounded = body.len() > MAX_BODY;
            body.truncate(MAX_BODY);
            if let Some(verdict) = coming.judge(&body, self.deadline) {
                return verdict;
            }
            if bounded {
                return expected.judge(&body, true, self.deadline);
            }
        }
        let verdict = expected.judge(&body, false, self.deadline);
        match wire.record().failure.take() {
            // A body without a length ended in a reset. What it did say stands; what it did not say is unknown.
            Some(reset) if verdict.is_err() || !expected.lacks.is_empty() => Err(reset),
            _ => verdict,
        }
    }

    fn body_failure(&self, wire: &Wire, error: &std::io::Error, body: &[u8]) -> Box<Failure> {
        let recorded = wire.record().failure.take();
        recorded.unwrap_or_else(|| {
            Box::new(match error.kind() {
                std::io::ErrorKind::UnexpectedEof => Failure::ClosedEarly {
                    phase: Phase::Body,
                    got: Snippet::at_most(body, 100),
                },
                _ => Failure::BadBody,
            })
        })
    }
}

/// The beginning of a body, as far as it comes soon.
fn reason(wire: &Wire, reader: &mut BodyReader) -> Vec<u8> {
    wire.hurry(GRACE);
    let mut body = Vec::new();
    while body.len() < REASON && read_more(reader, &mut body).is_ok_and(|read| read > 0) {}
    body.truncate(REASON);
    body
}

impl Hop {
    /// The request that a redirect asks for, with the method that browsers and curl use for it.
    fn redirected(&self, status: StatusCode, to: &[u8]) -> Result<Hop, NotFollowed> {
        let to = std::str::from_utf8(to).map_err(|_| NotFollowed::Elsewhere)?;
        let url = Url::parse(&absolute(&self.uri, to)).map_err(|_| NotFollowed::Elsewhere)?;
        match (url.scheme.as_str(), url.host) {
            ("https", _) => return Err(NotFollowed::Tls),
            ("http", Host::Ip(ip)) if !net::is_here(ip) => return Err(NotFollowed::Elsewhere),
            ("http", _) => {}
            _ => return Err(NotFollowed::Elsewhere),
        }
        let port = url.port.unwrap_or(80);
        let uri = check::http_uri(url.host, port, &url.path).ok_or(NotFollowed::Elsewhere)?;
        let mut headers = self.headers.clone();
        if uri.authority() != self.uri.authority() {
            // Another service: what was meant for the first one stays with it.
            let private = [header::AUTHORIZATION, header::COOKIE, header::HOST];
            headers.retain(|(name, _)| !private.contains(name));
        }
        let keeps = matches!(status.as_u16(), 307 | 308) || self.method == Method::HEAD;
        let becomes_get =
            !keeps && (status == StatusCode::SEE_OTHER || self.method == Method::POST);
        let place = match &self.place {
            Place::Unix(path) => Place::Unix(path.clone()),
            Place::Tcp(..) => Place::Tcp(url.host, port),
        };
        let (method, data) = match becomes_get {
            true => (Method::GET, None),
            false => (self.method.clone(), self.data.clone()),
        };
        Ok(Hop {
            place,
            method,
            uri,
            headers,
            data,
        })
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Resolves a reference against an absolute URL (RFC 3986, section 5.2).
fn absolute(base: &Uri, reference: &str) -> String {
    let reference = reference.split('#').next().unwrap_or_default();
    let end_of_path = reference.find('?').unwrap_or(reference.len());
    if reference[..end_of_path]
        .split('/')
        .next()
        .is_some_and(|first| first.contains(':'))
    {
        return reference.to_owned();
    }
    if reference.starts_with("//") {
        return format!("http:{reference}");
    }
    let authority = base
        .authority()
        .map_or("localhost", |authority| authority.as_str());
    let (path, query) = reference.split_at(end_of_path);
    let path = match path {
        "" if query.is_empty() => {
            return base.to_string();
        }
        "" => base.path().to_owned(),
        path if path.starts_with('/') => path.to_owned(),
        path => {
            let directory = base
                .path()
                .rsplit_once('/')
                .map_or("", |(directory, _)| directory);
            format!("{directory}/{path}")
        }
    };
    format!("http://{authority}{}{query}", without_dots(&path))
}

/// RFC 3986, section 5.2.4, for a path that begins with a slash.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

/// Appends what comes next.
fn read_more(reader: &mut BodyReader, body: &mut Vec<u8>) -> std::io::Result<usize> {
    let mut part = [0; 1024];
    let read = reader.read(&mut part)?;
    body.extend_from_slice(&part[..read]);
    Ok(read)
}

/// Reads what is left of a body, if that is little and comes soon.
fn run_out(wire: &Wire, mut rest: BodyReader) {
    wire.hurry(GRACE);
    let mut scrap = [0; 1024];
    let mut left = RUNOUT;
    while let Ok(read @ 1..) = rest.read(&mut scrap) {
        left = left.saturating_sub(read);
        if left == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved() {
        let base: Uri = "http://localhost:8080/a/b/c?d=e".parse().unwrap();
        for (reference, url) in [
            ("/x", "http://localhost:8080/x"),
            ("x", "http://localhost:8080/a/b/x"),
            ("./x", "http://localhost:8080/a/b/x"),
            ("../x?y=/../z", "http://localhost:8080/a/x?y=/../z"),
            ("../../../x/.", "http://localhost:8080/x/"),
            ("..", "http://localhost:8080/a/"),
            ("?q", "http://localhost:8080/a/b/c?q"),
            ("#f", "http://localhost:8080/a/b/c?d=e"),
            ("", "http://localhost:8080/a/b/c?d=e"),
            ("//localhost:9090/x", "http://localhost:9090/x"),
            ("http://example.com/x", "http://example.com/x"),
            ("mailto:a@b", "mailto:a@b"),
        ] {
            assert_eq!(absolute(&base, reference), url, "{reference}");
        }
    }
}
