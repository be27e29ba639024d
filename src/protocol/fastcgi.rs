//! FastCGI responders, such as php-fpm with `ping.path`: <https://fastcgi-archives.github.io/FastCGI_Specification.html>.

use super::session::{Session, converse};
use super::{Asked, Protocol};
use crate::deadline::Deadline;
use crate::expect::{MAX_BODY, sick};
use crate::net::Opening;
use crate::target::{Place, Probe, Target};
use crate::verdict::{Answer, Failure, Health, Outcome, Phase, Snippet};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "fastcgi",
    port: Some(9000),
    rest: "/PATH",
    proves: "the application answers PATH with a 2xx (php-fpm: ping.path)",
    plan,
    ..Protocol::CONNECTION
};

fn plan(asked: &Asked) -> Result<Target, String> {
    let located = asked.located()?;
    located.refuse_credentials(asked)?;
    let (script, query) = located.path.split_once('?').unwrap_or((&located.path, ""));
    if script.len() < 2 {
        return Err("needs a path, such as php-fpm's ping.path".into());
    }
    let probe = FastCgiProbe {
        place: located.place,
        script: script.to_owned(),
        query: query.to_owned(),
    };
    let name = format!("{}{}", located.name, located.path);
    Ok(Target::new(name, probe))
}

#[derive(Debug)]
struct FastCgiProbe {
    place: Place,
    /// The script, with a leading slash.
    script: String,
    /// What follows the `?`.
    query: String,
}

impl Probe for FastCgiProbe {
    fn ask(&self, deadline: &Deadline) -> Answer {
        converse(&self.place, Opening::ClientFirst, deadline, &|session| {
            ask(session, &self.script, &self.query)
        })
    }

    fn place(&self) -> Option<&Place> {
        Some(&self.place)
    }
}

const BEGIN_REQUEST: u8 = 1;
const END_REQUEST: u8 = 3;
const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;
const STDERR: u8 = 7;

/// How much of a page is looked at.
const MAX_PAGE: usize = 16 * 1024;

/// Asks for `script`, and wants a response without a `Status` or with a 2xx one, and an END_REQUEST without complaint.
fn ask(session: &mut Session, script: &str, query: &str) -> Outcome {
    session.send(&request(script, query))?;
    let (mut page, mut total) = (Vec::new(), 0);
    loop {
        let enough = session.receive_at_least(8, Phase::Reply);
        let proper = match session.received() {
            // Its body has a length of its own.
            [1, END_REQUEST, 0, 1, high, low, ..] => (*high, *low) == (0, 8),
            [1, kind, 0, 1, ..] => matches!(*kind, END_REQUEST | STDOUT | STDERR),
            // An alert of TLS is shorter than a record's head.
            [first, rest @ ..] => *first == 1 && rest.len() < 7,
            [] => true,
        };
        if !proper {
            return Err(session.wrong_protocol("fastcgi"));
        }
        enough?;
        let &[_, kind, _, _, high, low, padding, _] = &session.received()[..8] else {
            unreachable!("8 bytes")
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        session.receive_at_least(8 + length, Phase::Reply)?;
        let content = &session.received()[8..8 + length];
        match (kind, content) {
            (STDOUT, content) => {
                total += content.len();
                if total > MAX_BODY {
                    return Err(Box::new(Failure::LongReply(MAX_BODY)));
                }
                // Its head, and what is shown of its body.
                let room = MAX_PAGE.saturating_sub(page.len()).min(content.len());
                page.extend_from_slice(&content[..room]);
            }
            (END_REQUEST, [_, _, _, _, 0, ..]) => break,
            (END_REQUEST, [_, _, _, _, status, ..]) => {
                return Err(Box::new(Failure::FastCgiStatus(*status)));
            }
            _ => {}
        }
        session.receive_at_least(8 + length + usize::from(padding), Phase::Reply)?;
        session.consume(8 + length + usize::from(padding));
    }
    // Without a head there is no response at all.
    let (got, body) = match head(&page) {
        Some((head, body)) => (status(head), body),
        None => (0, &page[..]),
    };
    match got {
        200..=299 => Ok(Health::Answers),
        0 => Err(Box::new(Failure::BadCgiHead(Snippet::new(&page)))),
        404 => Err(Box::new(Failure::NoScript(Snippet::new(body)))),
        got => {
            let expected = "200-299".to_owned();
            Err(Box::new(Failure::Status {
                got,
                expected,
                redirect: None,
                body: sick::kept(body),
            }))
        }
    }
}

/// The status of a CGI response (RFC 3875, section 6.3), from its `Status`, `Location` or `Content-Type`. A response without
/// any of these fields, or with an invalid or repeated `Status`, is malformed: 0.
fn status(head: &[u8]) -> u16 {
    let field = |wanted: &'static [u8]| {
        let lines = head.split(|&byte| byte == b'\n');
        lines.filter_map(move |line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            let (name, value) = line.split_at(colon);
            let named = name.eq_ignore_ascii_case(wanted);
            named.then_some(value[1..].trim_ascii())
        })
    };
    let mut statuses = field(b"status");
    match (statuses.next(), statuses.next()) {
        (Some(value), None) => code(value).unwrap_or(0),
        (Some(_), Some(_)) => 0,
        // Sections 6.2.2 and 6.2.3: a redirect, within the server or by the client. The latter is a 302.
        _ if field(b"location").next().is_some() => 302,
        _ if field(b"content-type").next().is_some() => 200,
        _ => 0,
    }
}

/// Three digits, and a reason behind a blank.
fn code(value: &[u8]) -> Option<u16> {
    let (digits, reason) = value.split_at_checked(3)?;
    let proper = digits.iter().all(u8::is_ascii_digit) && matches!(reason, [] | [b' ', ..]);
    proper.then(|| std::str::from_utf8(digits).ok()?.parse().ok())?
}

/// What is before the first empty line and what is behind it, if it is there. A line ends in LF or CR LF.
fn head(page: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut start = 0;
    loop {
        let length = page[start..].iter().position(|&byte| byte == b'\n')?;
        let next = start + length + 1;
        if matches!(&page[start..next], b"\n" | b"\r\n") {
            return Some((&page[..start], &page[next..]));
        }
        start = next;
    }
}

/// A whole GET request: begin, parameters, and an empty input.
fn request(script: &str, query: &str) -> Vec<u8> {
    let uri = if query.is_empty() {
        script.to_owned()
    } else {
        format!("{script}?{query}")
    };
    let mut params = Vec::new();
    for (name, value) in [
        ("SCRIPT_NAME", script),
        ("SCRIPT_FILENAME", script),
        ("REQUEST_URI", &uri),
        ("QUERY_STRING", query),
        ("REQUEST_METHOD", "GET"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("GATEWAY_INTERFACE", "CGI/1.1"),
    ] {
        for length in [name.len(), value.len()] {
            match u8::try_from(length) {
                Ok(short @ 0..=127) => params.push(short),
                _ => params.extend_from_slice(&(length as u32 | 1 << 31).to_be_bytes()),
            }
        }
        params.extend_from_slice(name.as_bytes());
        params.extend_from_slice(value.as_bytes());
    }
    // Role 1 (responder), no FCGI_KEEP_CONN.
    let mut bytes = record(BEGIN_REQUEST, &[0, 1, 0, 0, 0, 0, 0, 0]);
    for part in params.chunks(0xffff) {
        bytes.extend(record(PARAMS, part));
    }
    bytes.extend(record(PARAMS, &[]));
    bytes.extend(record(STDIN, &[]));
    bytes
}

fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = (content.len() as u16).to_be_bytes();
    [&[1, kind, 0, 1, high, low, 0, 0], content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_a_status() {
        let of = |page: &'static [u8]| head(page).map(|(head, body)| (status(head), body));
        let not_found = b"Status: 404 Not Found\r\nX: y\r\n\r\nFile not found.";
        for (page, expected) in [
            (
                &b"Content-type: text/plain\r\n\r\npong"[..],
                (200, &b"pong"[..]),
            ),
            (not_found, (404, b"File not found.")),
            (b"X: y\nstatus:  503\n\nStatus: 200", (503, b"Status: 200")),
            (b"Status: abc\r\n\r\n", (0, b"")),
            (b"Status: 2\r\n\r\n", (0, b"")),
            (b"Status:\r\n\r\n", (0, b"")),
            (b"\r\nStatus: 404", (0, b"Status: 404")),
            (b"Location: /\n\n", (302, b"")),
            (b"Content-Type: a\n\r\npong\n\n", (200, b"pong\n\n")),
            (b"Content-Type: a\r\n\npong", (200, b"pong")),
            (b"Status: 200 \t\n\n", (200, b"")),
        ] {
            assert_eq!(of(page), Some(expected), "{}", page.escape_ascii());
        }
        for page in [
            &b"nothing"[..],
            b"Content-Type: a\r\n\r",
            b"Content-Type: a\n",
            b"",
        ] {
            assert_eq!(of(page), None, "{}", page.escape_ascii());
        }
    }

    #[test]
    fn requests_are_whole_records() {
        let bytes = request(&format!("/{}", "a".repeat(300)), "x=y");
        let mut rest = &bytes[..];
        let mut kinds = Vec::new();
        while let [1, kind, 0, 1, high, low, 0, 0, tail @ ..] = rest {
            kinds.push(*kind);
            rest = &tail[usize::from(u16::from_be_bytes([*high, *low]))..];
        }
        assert!(rest.is_empty());
        assert_eq!(kinds, [BEGIN_REQUEST, PARAMS, PARAMS, STDIN]);
    }
}
