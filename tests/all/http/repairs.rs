//! What is repaired in `src/http/` because ureq reads it wrongly: the one list of it.
//!
//! Each row is a reply, and is asked twice: of this program, which must read it rightly, and of plain ureq with its own
//! transport, which must still read it wrongly. Once ureq reads it rightly, its row fails, and the repair can go.

use super::said;
use crate::support::Server;
use libtest_mimic::Trial;
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    trials![healthchecker_reads_them, ureq_still_does_not]
}

/// The ureq that the column `ureq` of the list is about, with ureq-proto 0.7.1.
const VERSION: &str = "3.5.1";

struct Repair {
    name: &'static str,
    /// Where it is made.
    place: &'static str,
    /// The reply that shows that it is needed.
    reply: String,
    /// What this program says of it, asked whether the body has `UP`.
    line: &'static str,
    /// What ureq makes of it.
    ureq: &'static str,
}

#[rustfmt::skip]
fn repairs() -> Vec<Repair> {
    const GOOD: &str = "healthy: 200 OK in *s";
    const BAD_CHUNKS: &str = "unhealthy: malformed HTTP body: its chunks or its length are wrong (*s)";
    let ok = "HTTP/1.1 200 OK\r\n";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let row = |name, place, reply, line, ureq| Repair { name, place, reply, line, ureq };
    vec![
        // An interim response may have fields (RFC 9110, section 15.2). ureq skips all others itself.
        row("100 with fields", "head::head_in", format!("HTTP/1.1 100 Continue\r\nX-A: b\r\n\r\n{ok}\r\nUP"), GOOD,
            "protocol: received headers with 100-continue response"),
        // A status line comes first. RFC 9112, section 2.2 lets a server, not a client, skip an empty line.
        row("empty line first", "head::head_in", format!("\r\n{ok}\r\nUP"),
            r"unhealthy: not HTTP: the reply begins with \r\nHTTP/1.1 200 OK\r\n\r\nUP (*s)",
            "200: UP"),
        // A client joins folded lines (RFC 9112, section 5.2).
        row("folded line", "head::unfold", format!("{ok}X-A: b\r\n c\r\n\r\nUP"), GOOD,
            "protocol: http parse fail: invalid header name"),
        row("129 fields", "head::for_ureq", format!("{ok}{}\r\nUP", "X-A: b\r\n".repeat(129)), GOOD,
            "protocol: http parse resulted in too many headers"),
        // What is compressed is not the content, and text that is searched for could be in it by chance.
        row("coded chunks", "framing::framing", format!("{ok}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nUP\r\n0\r\n\r\n"),
            "unhealthy: the body cannot be judged: it is coded as gzip, chunked, which was not asked for (*s)",
            "200: UP"),
        row("unknown transfer coding", "framing::framing", format!("{ok}Transfer-Encoding: xchunked\r\n\r\nUP"),
            "unhealthy: the body cannot be judged: it is coded as xchunked, which was not asked for (*s)",
            "200: UP"),
        // The line with a chunk's size: ureq takes 20 bytes of it, trims it, and parses it as Rust does.
        row("chunk extension", "body::size_in", format!("{chunked}2;a-name=\"a long value\"\r\nUP\r\n0\r\n\r\n"), GOOD,
            "200, protocol: chunk expected crlf as next character"),
        row("zeros before a size", "body::size_in", format!("{chunked}{}2\r\nUP\r\n0\r\n\r\n", "0".repeat(30)), GOOD,
            "200, protocol: chunk expected crlf as next character"),
        row("sign before a size", "body::size_in", format!("{chunked}+2\r\nUP\r\n0\r\n\r\n"), BAD_CHUNKS,
            "200: UP"),
        row("blank before a size", "body::size_in", format!("{chunked} 2\r\nUP\r\n0\r\n\r\n"), BAD_CHUNKS,
            "200: UP"),
        // All content has come, whatever the trailer is.
        row("carriage return in a trailer", "body::decode_chunks", format!("{chunked}2\r\nUP\r\n0\r\nX\rB\r\n\r\n"), GOOD,
            "200, body data reading stalled"),
    ]
}

fn healthchecker_reads_them() {
    for Repair { reply, line, .. } in repairs() {
        let server = Server::replying(reply);
        said(&["--body", "UP"], &server.url("/"), line);
    }
}

fn ureq_still_does_not() {
    for Repair {
        name,
        place,
        reply,
        line,
        ureq,
    } in repairs()
    {
        let read = plain_ureq(&reply);
        assert_eq!(
            read == "200: UP",
            line.starts_with("unhealthy"),
            "ureq reads this now: delete the repair {name:?} (src/http/, {place}) and its row"
        );
        assert_eq!(
            read, ureq,
            "not what ureq {VERSION} made of {name:?}, but still wrong: write it into its row"
        );
    }
}

/// What ureq makes of a reply, without anything of this program.
fn plain_ureq(reply: &str) -> String {
    let server = Server::replying(reply);
    let config = ureq::Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .max_idle_connections(0)
        // Only so that a test ends.
        .timeout_global(Some(Duration::from_secs(60)))
        .build();
    let asked = ureq::Agent::new_with_config(config)
        .get(server.url("/"))
        .call();
    let mut response = match asked {
        Ok(response) => response,
        Err(error) => return error.to_string(),
    };
    let status = response.status().as_u16();
    match response.body_mut().read_to_string() {
        Ok(body) => format!("{status}: {body}"),
        Err(error) => format!("{status}, {error}"),
    }
}
