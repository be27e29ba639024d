//! FastCGI, as php-fpm speaks it.

use super::conversation::{
    Fake, Manner, POLITE,
    Said::{self, Healthy, Unhealthy},
    escaped, expect, on_unix_socket, target,
};
use crate::support::{Server, check};
use libtest_mimic::Trial;
use std::io::{Read, Write};

pub fn trials() -> Vec<Trial> {
    trials![fastcgi, fastcgi_a_byte_at_a_time,]
}

/// A record, with padding: the specification's section 3.3.
fn record(kind: u8, content: &[u8], padding: u8) -> Vec<u8> {
    let [high, low] = (content.len() as u16).to_be_bytes();
    [
        &[1, kind, 0, 1, high, low, padding, 0][..],
        content,
        &vec![0xaa; padding.into()],
    ]
    .concat()
}

const STDOUT: u8 = 6;
const STDERR: u8 = 7;

fn end_request(protocol_status: u8) -> Vec<u8> {
    record(3, &[0, 0, 0, 0, protocol_status, 0, 0, 0], 0)
}

/// As php-fpm answers: the page in one record, padded to eight bytes, and the end.
pub fn fastcgi_reply(page: &[u8]) -> Vec<u8> {
    let padding = (8 - page.len() % 8) % 8;
    [record(STDOUT, page, padding as u8), end_request(0)].concat()
}

/// The request that `fastcgi://127.0.0.1:PORT/ping?full` makes.
fn fastcgi_request(script: &str, query: &str) -> Vec<u8> {
    let uri = [script, if query.is_empty() { "" } else { "?" }, query].concat();
    let params: Vec<u8> = [
        ("SCRIPT_NAME", script),
        ("SCRIPT_FILENAME", script),
        ("REQUEST_URI", &uri),
        ("QUERY_STRING", query),
        ("REQUEST_METHOD", "GET"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("GATEWAY_INTERFACE", "CGI/1.1"),
    ]
    .iter()
    .flat_map(|(name, value)| {
        [
            &[name.len() as u8, value.len() as u8],
            name.as_bytes(),
            value.as_bytes(),
        ]
        .concat()
    })
    .collect();
    // FCGI_BEGIN_REQUEST for a responder that may close, FCGI_PARAMS and its end, and an empty FCGI_STDIN.
    [
        record(1, &[0, 1, 0, 0, 0, 0, 0, 0], 0),
        record(4, &params, 0),
        record(4, &[], 0),
        record(5, &[], 0),
    ]
    .concat()
}

const PONG: &[u8] =
    b"X-Powered-By: PHP/8.2.7\r\nContent-type: text/plain;charset=UTF-8\r\nCache-Control: no-cache\r\n\r\npong";
const NOT_FOUND: &[u8] =
    b"Status: 404 Not Found\r\nX-Powered-By: PHP/8.2.7\r\nContent-type: text/html; charset=UTF-8\r\n\r\nFile not found.\n";

#[rustfmt::skip]
fn fastcgi() {
    let two_records: Vec<u8> = [
        record(STDERR, b"PHP message: hello", 6),
        record(STDOUT, &PONG[..20], 255),
        record(STDOUT, &PONG[20..], 0),
        record(STDOUT, b"", 0),
        record(STDERR, b"", 0),
        end_request(0),
    ].concat();
    let denied = [
        record(STDERR, b"Access to the script '/ping' has been denied (see security.limit_extensions)", 0),
        fastcgi_reply(b"Status: 403 Forbidden\r\nContent-type: text/html; charset=UTF-8\r\n\r\nAccess denied.\n"),
    ].concat();
    let mut other_version = end_request(0);
    other_version[0] = 2;
    let mut other_request = end_request(0);
    other_request[3] = 2;
    let rows: &[(Vec<u8>, Said)] = &[
        (fastcgi_reply(PONG), Healthy("answers")),
        (two_records, Healthy("answers")),
        (fastcgi_reply(b"Status: 204 No Content\n\n"), Healthy("answers")),
        ([record(STDERR, b"Primary script unknown", 2), fastcgi_reply(NOT_FOUND)].concat(), Unhealthy("status 404: FastCGI answers, but nothing is at this path (php-fpm: set ping.path); body: File not found.\\n*")),
        (denied, Unhealthy("status 403, expected 200-299; body: Access denied.\\n")),
        (fastcgi_reply(b"status: 503 Service Unavailable\r\n\r\n"), Unhealthy("status 503, expected 200-299")),
        (fastcgi_reply(b"Status: 500\r\n\r\nfatal"), Unhealthy("status 500, expected 200-299; body: fatal")),
        // protocolStatus: FCGI_CANT_MPX_CONN, FCGI_OVERLOADED, FCGI_UNKNOWN_ROLE.
        (end_request(1), Unhealthy("FastCGI protocol status 1: it takes one request a connection")),
        (end_request(2), Unhealthy("FastCGI protocol status 2: it is overloaded")),
        (end_request(3), Unhealthy("FastCGI protocol status 3: it is no responder")),
        (end_request(9), Unhealthy("FastCGI protocol status 9")),
        // RFC 3875, sections 6.2.2 to 6.2.4: a redirect without a status of its own is a 302, and one with a document has it.
        (fastcgi_reply(b"Location: http://localhost/login\r\n\r\n"), Unhealthy("status 302, expected 200-299*")),
        (fastcgi_reply(b"Location: /login\n\n"), Unhealthy("status 302, expected 200-299*")),
        (fastcgi_reply(b"location:/login\r\nContent-Type: text/plain\r\n\r\nmoved"), Unhealthy("status 302, expected 200-299; body: moved*")),
        (fastcgi_reply(b"Status: 201 Created\r\nLocation: /new\r\n\r\n"), Healthy("answers")),
        // RFC 3875, section 2.2: a line ends in LF or CR LF, and so does the one that ends the head.
        (fastcgi_reply(b"Content-Type: text/plain\n\r\npong"), Healthy("answers")),
        (fastcgi_reply(b"Content-Type: text/plain\r\n\npong"), Healthy("answers")),
        (fastcgi_reply(b"Content-Type: text/plain\n\npong\r\n\r\n"), Healthy("answers")),
        (fastcgi_reply(b"Status: 500 No\n\r\nfatal"), Unhealthy("status 500, expected 200-299; body: fatal")),
        // Section 6.3.3: three digits, and a reason.
        (fastcgi_reply(b"Status: 200\r\n\r\n"), Healthy("answers")),
        (fastcgi_reply(b"Status: 2000 OK\r\n\r\n"), Unhealthy("malformed CGI response: no proper Status, Location or Content-Type; *")),
        (fastcgi_reply(b"Status: +20 OK\r\n\r\n"), Unhealthy("malformed CGI response: no proper Status, Location or Content-Type; *")),
        (fastcgi_reply(b"Status: 20\r\n\r\n"), Unhealthy("malformed CGI response: no proper Status, Location or Content-Type; *")),
        // Section 6.3: one of Content-Type, Location and Status at least, and none twice.
        (fastcgi_reply(b"X-Powered-By: PHP/8.2.7\r\n\r\npong"), Unhealthy("malformed CGI response: no proper Status, Location or Content-Type; body: *")),
        (fastcgi_reply(b"\r\n\r\npong"), Unhealthy("malformed CGI response: no proper Status, Location or Content-Type; body: *")),
        (fastcgi_reply(b"Status: 200 OK\r\nStatus: 503 No\r\n\r\n"), Unhealthy("malformed CGI response: no proper Status, Location or Content-Type; *")),
        // FCGI_EndRequestBody has eight bytes.
        ([record(STDOUT, PONG, 4), record(3, &[0; 4], 0)].concat(), Unhealthy("not fastcgi: *")),
        ([record(STDOUT, PONG, 4), record(3, &[0; 5], 0)].concat(), Unhealthy("not fastcgi: *")),
        // No response at all, and one whose head has no end.
        (end_request(0), Unhealthy("malformed CGI response: no proper Status, Location or Content-Type; *")),
        (fastcgi_reply(b"Content-type: text/plain\r\n"), Unhealthy("malformed CGI response: no proper Status, Location or Content-Type; body: *")),
        // No END_REQUEST.
        (record(STDOUT, PONG, 0), Unhealthy("connection closed while waiting for the reply")),
        ([record(STDOUT, PONG, 4), end_request(0)[..12].to_vec()].concat(),
         Unhealthy("connection closed while waiting for the reply; until then: \\x01\\x03\\x00\\x01\\x00\\x08\\x00\\x00\\x00\\x00\\x00\\x00")),
        // Another version, another request, and FCGI_UNKNOWN_TYPE.
        (other_version, Unhealthy("not fastcgi: the reply begins with \\x02\\x03*")),
        (other_request, Unhealthy("not fastcgi: the reply begins with \\x01\\x03\\x00\\x02*")),
        (record(11, &[0; 8], 0), Unhealthy("not fastcgi: the reply begins with \\x01\\x0b*")),
    ];
    for (reply, said) in rows {
        let manner = Manner {
            hangs_up: true,
            ..POLITE
        };
        let question = fastcgi_request("/ping", "");
        let fake = Fake::new(vec![(question.clone(), reply.clone())], manner);
        let name = format!("{}/ping", fake.target("fastcgi"));
        expect(&check([&name]), &name, *said);
        assert_eq!(escaped(&fake.heard()), escaped(&question));
    }
    let question = fastcgi_request("/status.php", "json&full");
    let fake = Fake::new(vec![(question.clone(), fastcgi_reply(PONG))], POLITE);
    let name = format!("{}/status.php?json&full", fake.target("fastcgi"));
    expect(&check([&name]), &name, Healthy("answers"));
    assert!(fake.heard() == question);
    // Over a unix socket, as php-fpm is usually reached.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("fpm.sock");
    let heard = on_unix_socket(&file, vec![(fastcgi_request("/ping", ""), fastcgi_reply(PONG))]);
    check([&format!("--unix-socket={}", file.display()), "fastcgi://localhost/ping"])
    .healthy(&format!("healthy: fastcgi://localhost:9000/ping: answers in * ms via {}", file.display()));
    assert!(heard.recv().expect("an end").is_ok());
    // Silence, and an endless page.
    let silent = Server::new(|connection| drop(connection.read_to_end(&mut Vec::new())));
    let name = format!("{}/ping", target(&silent, "fastcgi"));
    check(["-t", "200ms", &name]).unhealthy(&format!("unhealthy: {name}: no response within 200 ms: connected, request sent, waiting for the reply"));
    // A long page is one all the same.
    let mut long = record(STDOUT, b"Content-Type: text/plain\r\n\r\n", 0);
    for _ in 0..200 {
        long.extend(record(STDOUT, &[b'x'; 1000], 0));
    }
    long.extend(end_request(0));
    let server = Server::new(move |connection| {
        let _ = connection.read(&mut [0; 4096]);
        let _ = connection.write_all(&long);
        let _ = connection.shutdown(std::net::Shutdown::Write);
    });
    let name = format!("{}/ping", target(&server, "fastcgi"));
    expect(&check([&name]), &name, Healthy("answers"));
    let endless = Server::new(|connection| {
        while connection
            .write_all(&record(STDOUT, &[b'x'; 999], 1))
            .is_ok()
        {}
    });
    let name = format!("{}/ping", target(&endless, "fastcgi"));
    expect(&check([&name]), &name, Unhealthy("a reply of more than 1024 KiB"));
}

/// A reply that is split anywhere is the same reply, and one that ends there is none.
fn fastcgi_a_byte_at_a_time() {
    let reply = [
        record(STDERR, b"note", 4),
        record(STDOUT, b"Content-type: text/plain\r\n", 6),
        record(STDOUT, b"\r\npong", 2),
        end_request(0),
    ]
    .concat();
    let question = fastcgi_request("/ping", "");
    let manner = Manner {
        bytewise: true,
        ..POLITE
    };
    let fake = Fake::new(vec![(question.clone(), reply.clone())], manner);
    let name = format!("{}/ping", fake.target("fastcgi"));
    expect(&check([&name]), &name, Healthy("answers"));
    for end in 0..reply.len() {
        let (first, second) = reply.split_at(end);
        let steps = vec![
            (question.clone(), first.to_vec()),
            (vec![], second.to_vec()),
        ];
        let fake = Fake::new(steps, POLITE);
        let name = format!("{}/ping", fake.target("fastcgi"));
        expect(&check([&name]), &name, Healthy("answers"));
        fake.heard();
    }
    for end in 0..reply.len() {
        let manner = Manner {
            cut: Some((0, end)),
            hangs_up: true,
            ..POLITE
        };
        let fake = Fake::new(vec![(question.clone(), reply.clone())], manner);
        let name = format!("{}/ping", fake.target("fastcgi"));
        // The last three bytes of END_REQUEST are reserved, and yet they belong to it.
        expect(
            &check([&name]),
            &name,
            Unhealthy("connection closed while waiting for the reply*"),
        );
    }
}
