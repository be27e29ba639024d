//! FastCGI responders, such as php-fpm with `ping.path`: <https://fastcgi-archives.github.io/FastCGI_Specification.html>.

use super::Talk;
use crate::search::find;
use crate::verdict::{Failure, Health, Phase, Protocol, Snippet, Verdict};

const BEGIN_REQUEST: u8 = 1;
const END_REQUEST: u8 = 3;
const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;
const STDERR: u8 = 7;

/// Asks for `script`, and wants a response without a `Status` or with a 2xx one, and an END_REQUEST without complaint.
pub fn ask(talk: &mut Talk, script: &str, query: &str) -> Verdict {
    talk.say(&request(script, query))?;
    let mut page = Vec::new();
    loop {
        let enough = talk.need(8, Phase::Reply);
        let proper = match talk.heard() {
            [1, kind, 0, 1, ..] => matches!(*kind, END_REQUEST | STDOUT | STDERR),
            // An alert of TLS is shorter than a record's head.
            [first, rest @ ..] => *first == 1 && rest.len() < 7,
            [] => true,
        };
        if !proper {
            let got = Snippet::at_most(talk.heard(), 100);
            return Err(Box::new(Failure::Alien {
                scheme: "fastcgi",
                got,
                like: Protocol::of(talk.heard()),
            }));
        }
        enough?;
        let &[_, kind, _, _, high, low, padding, _] = &talk.heard()[..8] else {
            unreachable!("8 bytes")
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        talk.need(8 + length, Phase::Reply)?;
        let content = &talk.heard()[8..8 + length];
        match (kind, content) {
            (STDOUT, content) => page.extend_from_slice(content),
            (END_REQUEST, [_, _, _, _, 0, ..]) => break,
            (END_REQUEST, [_, _, _, _, status, ..]) => {
                return Err(Box::new(Failure::FastCgiStatus(*status)));
            }
            _ => {}
        }
        talk.need(8 + length + usize::from(padding), Phase::Reply)?;
        talk.used(8 + length + usize::from(padding));
    }
    // Without a head there is no response at all.
    let (got, body) = match body(&page) {
        Some(body) => (status(&page), body),
        None => (0, &page[..]),
    };
    match got {
        200..=299 => Ok(Health::Answers),
        404 => Err(Box::new(Failure::NoScript(Snippet::new(body)))),
        got => {
            let expected = "200-299".to_owned();
            Err(Box::new(Failure::Status {
                got,
                expected,
                body: Snippet::new(body),
            }))
        }
    }
}

/// RFC 3875, section 6.3.3: without a `Status` the response is a 200.
fn status(page: &[u8]) -> u16 {
    let lines = page
        .split(|&byte| byte == b'\n')
        .take_while(|line| !line.trim_ascii().is_empty());
    let mut values = lines.filter_map(|line| {
        let (name, value) = line.split_at_checked(7)?;
        name.eq_ignore_ascii_case(b"status:")
            .then_some(value.trim_ascii_start())
    });
    let code = values.next().map(|value| {
        value
            .get(..3)
            .and_then(|code| std::str::from_utf8(code).ok())
    });
    match code {
        None => 200,
        Some(code) => code.and_then(|code| code.parse().ok()).unwrap_or(0),
    }
}

/// What follows the head, if that is whole.
fn body(page: &[u8]) -> Option<&[u8]> {
    let end = |gap: &[u8]| find(page, gap).map(|at| at + gap.len());
    end(b"\r\n\r\n").or(end(b"\n\n")).map(|at| &page[at..])
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
    // A responder, whose connection is closed after the request.
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
        assert_eq!(status(b"Content-type: text/plain\r\n\r\npong"), 200);
        assert_eq!(
            status(b"Status: 404 Not Found\r\nX: y\r\n\r\nFile not found."),
            404
        );
        assert_eq!(status(b"X: y\nstatus:  503\n\nStatus: 200"), 503);
        assert_eq!(status(b"Status: abc\r\n\r\n"), 0);
        assert_eq!(status(b"\r\nStatus: 404"), 200);
        assert_eq!(body(b"A: b\r\n\r\npong"), Some(&b"pong"[..]));
        assert_eq!(body(b"A: b\n\npong"), Some(&b"pong"[..]));
        assert_eq!(body(b"nothing"), None);
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
