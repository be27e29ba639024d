//! One HTTP request, judged as soon as the verdict is fixed.

use super::GRACE;
use crate::check::{Http, Place};
use crate::deadline::Deadline;
use crate::expect::MAX_BODY;
use crate::http::{self, Request, Response, is_redirect};
use crate::snippet::without_userinfo;
use crate::verdict::{Answer, Failure, Health, NotFollowed, Snippet, Trace, Verdict};

/// At most this many redirects are followed.
const MAX_REDIRECTS: usize = 5;
/// How much of a wrong status's body is read for the reason.
const REASON: usize = 512;

/// Sends the request and judges the response.
pub fn ask(http: &Http, place: &Place, deadline: &Deadline) -> Answer {
    let begun = deadline.elapsed();
    let mut trace = Trace::default();
    let reply = final_reply(http, place, deadline, &mut trace);
    let (verdict, reply) = match reply {
        Ok(mut reply) => (judge(http, &mut reply, &trace, deadline), Some(reply)),
        Err(failure) => (Err(failure), None),
    };
    let took = deadline.elapsed() - begun;
    if let Some(reply) = reply {
        reply.finish(GRACE);
    }
    Answer {
        verdict,
        took,
        trace,
    }
}

/// The reply to the request, or the one at the end of the redirects that are to be followed.
fn final_reply(
    http: &Http,
    place: &Place,
    deadline: &Deadline,
    trace: &mut Trace,
) -> Result<Response, Box<Failure>> {
    let mut request = Request {
        place: place.clone(),
        method: http.method.clone(),
        uri: http.uri.clone(),
        headers: http.headers.clone(),
        data: http.data.clone(),
    };
    let mut redirects = 0;
    loop {
        let reply = http::send(&request, deadline, trace)?;
        let to = match &reply.location {
            Some(to) if http.follow && is_redirect(reply.status) => to,
            _ => return Ok(reply),
        };
        let next = match redirects < MAX_REDIRECTS {
            true => request.redirected(reply.status, to),
            false => Err(NotFollowed::TooMany),
        };
        request = next.map_err(|why| {
            Box::new(Failure::Redirect {
                status: reply.status,
                to: Snippet::new(&without_userinfo(to)),
                why,
            })
        })?;
        redirects += 1;
        reply.finish(GRACE);
    }
}

fn judge(http: &Http, reply: &mut Response, trace: &Trace, deadline: &Deadline) -> Verdict {
    let status = reply.status;
    if !http.statuses.contains(status) {
        return Err(Box::new(Failure::Status {
            got: status,
            expected: http.statuses.as_str().to_owned(),
            body: Snippet::new(&reason(reply)),
        }));
    }
    if let Some(expectation) = &http.header {
        let values = Response::values(&trace.head, &expectation.name);
        expectation.judge(values.iter().map(Vec::as_slice))?;
    }
    if !http.body.is_empty() {
        judge_body(http, reply, deadline)?;
    }
    Ok(Health::Status(status))
}

fn judge_body(http: &Http, reply: &mut Response, deadline: &Deadline) -> Result<(), Box<Failure>> {
    if let Some(coding) = reply.coding() {
        return Err(Box::new(Failure::Coded(Snippet::at_most(&coding, 80))));
    }
    let expected = &http.body;
    let mut coming = expected.begin();
    let mut body = Vec::new();
    loop {
        match reply.read(&mut body) {
            Ok(0) => return expected.judge(&body, false, deadline),
            Ok(_) => {}
            // Without a length, what has come stands; what has not come is unknown.
            Err(reset) if reset.is_reset() && reply.ends_with_the_connection() => {
                let verdict = expected.judge(&body, false, deadline);
                return verdict
                    .ok()
                    .filter(|()| expected.body_not.is_empty())
                    .ok_or(reset);
            }
            Err(failure) => return Err(failure),
        }
        let bounded = body.len() > MAX_BODY;
        body.truncate(MAX_BODY);
        if let Some(verdict) = coming.judge(&body, deadline) {
            return verdict;
        }
        if bounded {
            return expected.judge(&body, true, deadline);
        }
    }
}

/// The beginning of a body, as far as it comes soon.
fn reason(reply: &mut Response) -> Vec<u8> {
    reply.hurry(GRACE);
    let mut body = Vec::new();
    while body.len() < REASON && reply.read(&mut body).is_ok_and(|read| read > 0) {}
    body.truncate(REASON);
    body
}
