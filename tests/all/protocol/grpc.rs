//! gRPC's health service, by the frames of HTTP/2 as servers may send them: RFC 9113, and RFC 7541 for what is in HEADERS.

use super::conversation::{
    Fake, Manner, POLITE,
    Said::{self, Healthy, Unhealthy},
    expect, hex,
};
use crate::support::{Server, check};
use libtest_mimic::Trial;
use std::io::{Read, Write};
use std::time::Duration;

mod real;

pub fn trials() -> Vec<Trial> {
    let mut trials = trials![
        both_sides,
        replies,
        hang_up_after_each_prefix,
        a_byte_at_a_time,
        silence_resets_and_endless_frames,
        usage
    ];
    trials.extend(real::trials());
    trials
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 32;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = (payload.len() as u32).to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// All that the checker says until it is answered.
fn request(authority: &str, service: &str) -> Vec<u8> {
    // `:method: POST`, `:scheme: http`, and `:path`, `:authority`, `content-type` and `te` as literals.
    let block = [
        &hex("8386 04 1c")[..],
        b"/grpc.health.v1.Health/Check",
        &[1, authority.len() as u8],
        authority.as_bytes(),
        &hex("0f10 10"),
        b"application/grpc",
        &hex("00 02"),
        b"te",
        &[8],
        b"trailers",
    ]
    .concat();
    let field = match service.len() {
        0 => Vec::new(),
        length => [&[0x0a, length as u8], service.as_bytes()].concat(),
    };
    let message = [&[0, 0, 0, 0, field.len() as u8], &field[..]].concat();
    [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        // No dynamic table, no pushes.
        &frame(SETTINGS, 0, 0, &hex("0001 00000000 0002 00000000")),
        &frame(HEADERS, END_HEADERS, 1, &block),
        &frame(DATA, END_STREAM, 1, &message),
    ]
    .concat()
}

fn settings() -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[])
}

/// `:status: 200` and a content-type.
fn head() -> Vec<u8> {
    [&hex("88 5f10")[..], b"application/grpc"].concat()
}

/// A literal field without indexing, as plain text.
fn field(name: &str, value: &str) -> Vec<u8> {
    [
        &[0, name.len() as u8],
        name.as_bytes(),
        &[value.len() as u8],
        value.as_bytes(),
    ]
    .concat()
}

/// A HealthCheckResponse in its envelope.
fn message(status: u8) -> Vec<u8> {
    vec![0, 0, 0, 0, 2, 8, status]
}

/// SETTINGS, HEADERS, DATA, and HEADERS as trailers.
fn reply(head: &[u8], message: &[u8], trailers: &[u8]) -> Vec<u8> {
    [
        settings(),
        frame(HEADERS, END_HEADERS, 1, head),
        frame(DATA, 0, 1, message),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, trailers),
    ]
    .concat()
}

fn serving() -> Vec<u8> {
    reply(&head(), &message(1), &field("grpc-status", "0"))
}

/// A reply without a message: trailers only.
fn only(block: &[u8]) -> Vec<u8> {
    [
        settings(),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, block),
    ]
    .concat()
}

/// `grpc-status` by its Huffman code, and the value behind it.
fn huffman(first: u8, value: &[u8]) -> Vec<u8> {
    [&[first], &hex("88 9acac8b21234da8f")[..], value].concat()
}

/// A fake whose first words are these.
fn fake(reply: Vec<u8>, service: &str, manner: Manner) -> (Fake, String) {
    // The port is part of the request, and known only when the server is there: any five digits are as long.
    let question = request("127.0.0.1:00000", service);
    let fake = loop {
        let fake = Fake::new(vec![(question.clone(), reply.clone())], manner);
        if fake.server.port() >= 10_000 {
            break fake;
        }
        drop(std::net::TcpStream::connect((
            "127.0.0.1",
            fake.server.port(),
        )));
    };
    let slash = if service.is_empty() { "" } else { "/" };
    let name = format!("{}{slash}{service}", fake.target("grpc"));
    (fake, name)
}

/// What is sent: the request, an acknowledgement of SETTINGS and of PING, and GOAWAY at the end.
fn both_sides() {
    for service in ["", "shop.Cart"] {
        let ping = frame(PING, 0, 0, b"Are you?");
        let later = serving()[settings().len()..].to_vec();
        let all = [
            settings(),
            frame(SETTINGS, ACK, 0, &[]),
            ping,
            frame(PING, ACK, 0, b"Not mine"),
            later,
        ]
        .concat();
        let (fake, name) = fake(all, service, POLITE);
        expect(&check([&name]), &name, Healthy("answers"));
        let authority = format!("127.0.0.1:{}", fake.server.port());
        let said = [
            request(&authority, service),
            frame(SETTINGS, ACK, 0, &[]),
            frame(PING, ACK, 0, b"Are you?"),
            frame(GOAWAY, 0, 0, &[0; 8]),
        ]
        .concat();
        assert!(fake.heard() == said, "{name}");
    }
}

#[rustfmt::skip]
fn replies() {
    let ok = field("grpc-status", "0");
    let after_settings = |frames: &[Vec<u8>]| [settings(), frames.concat()].concat();
    let trailers = |block: &[u8]| frame(HEADERS, END_HEADERS | END_STREAM, 1, block);
    let body = [frame(HEADERS, END_HEADERS, 1, &head()), frame(DATA, 0, 1, &message(1))]
    .concat();
    let long_block = [head(), field("x-long", &"x".repeat(100)), ok.clone()].concat();
    let rows: Vec<(Vec<u8>, Said)> = vec![
        (serving(), Healthy("answers")),
        // Statuses as grpc-go, grpc-java and h2 write them: indexed or not, the value as text or coded.
        (reply(&head(), &message(1), &huffman(0x40, b"\x010")), Healthy("answers")),
        (reply(&head(), &message(1), &huffman(0x00, &hex("8107"))), Healthy("answers")),
        (reply(&head(), &message(1), &huffman(0x10, b"\x010")), Healthy("answers")),
        (reply(&head(), &message(1), &[&[0x10, 11], &b"grpc-status"[..], &hex("8107")].concat()), Healthy("answers")),
        // The size of the dynamic table changes: to 0, and to 4096.
        (reply(&[&[0x20], &head()[..]].concat(), &message(1), &ok), Healthy("answers")),
        (reply(&[&hex("3fe11f")[..], &head()].concat(), &message(1), &ok), Healthy("answers")),
        // Other fields around it, and a coded one that is as long.
        (reply(&head(), &message(1), &[field("grpc-message", ""), ok.clone(), field("x-y", "z")].concat()), Healthy("answers")),
        // Fields of the message that nobody knows yet: of every wire type.
        (reply(&head(), &[&hex("00 00000016 1001 1a026869 2101020304 05060708 2d01020304 0801")[..]].concat(), &ok), Healthy("answers")),
        // A status of several fields: the last one counts. And a varint that is longer than it need be.
        (reply(&head(), &hex("00 00000004 0802 0801"), &ok), Healthy("answers")),
        (reply(&head(), &hex("00 00000003 08 8100"), &ok), Healthy("answers")),
        // Padding and priority.
        (after_settings(&[frame(HEADERS, END_HEADERS | PADDED | PRIORITY, 1, &[&hex("03 80000000 10")[..], &head(), &[0; 3]].concat()), frame(DATA, PADDED, 1, &[&[2], &message(1)[..], &[0; 2]].concat()), frame(DATA, PADDED, 1, &[0]), frame(HEADERS, END_HEADERS | END_STREAM | PADDED, 1, &[&[1], &ok[..], &[0]].concat())]),
         Healthy("answers")),
        // Header blocks in pieces: the flag that ends the stream is on the first of them.
        (after_settings(&[frame(HEADERS, 0, 1, &head()[..1]), frame(CONTINUATION, 0, 1, &head()[1..5]), frame(CONTINUATION, END_HEADERS, 1, &head()[5..]), frame(DATA, 0, 1, &message(1)), frame(HEADERS, END_STREAM, 1, &ok[..4]), frame(CONTINUATION, 0, 1, &[]), frame(CONTINUATION, END_HEADERS, 1, &ok[4..])]),
         Healthy("answers")),
        // The message in pieces, with other frames between them: WINDOW_UPDATE, a kind that nobody knows, another stream.
        (after_settings(&[frame(WINDOW_UPDATE, 0, 0, &[0, 1, 0, 0]), frame(HEADERS, END_HEADERS, 1, &head()), frame(DATA, 0, 1, &message(1)[..1]), frame(0xfa, 0xff, 0, b"grease"), frame(DATA, 0, 1, &message(1)[1..6]), frame(WINDOW_UPDATE, 0, 1, &[0, 1, 0, 0]), frame(PING, 0, 0, &[7; 8]), frame(DATA, 0, 1, &[]), frame(DATA, 0, 1, &message(1)[6..]), frame(DATA, 0, 3, b"what?"), trailers(&ok)]),
         Healthy("answers")),
        // SETTINGS with content; and a GOAWAY that still serves our stream.
        ([frame(SETTINGS, 0, 0, &hex("0003 00000064 0004 00010000 0005 00004000")), frame(GOAWAY, 0, 0, &hex("00000001 00000000")), body.clone(), trailers(&ok)].concat(),
         Healthy("answers")),
        // What comes behind the end of the stream does not matter.
        ([serving(), frame(RST_STREAM, 0, 1, &[0; 4])].concat(), Healthy("answers")),
        // Statuses of the service.
        (reply(&head(), &message(0), &ok), Unhealthy("serving status 0 UNKNOWN, expected 1 SERVING")),
        (reply(&head(), &[0; 5], &ok), Unhealthy("serving status 0 UNKNOWN, expected 1 SERVING")),
        (reply(&head(), &message(2), &ok), Unhealthy("serving status 2 NOT_SERVING, expected 1 SERVING")),
        (reply(&head(), &message(3), &ok), Unhealthy("serving status 3 SERVICE_UNKNOWN, expected 1 SERVING")),
        (reply(&head(), &message(9), &ok), Unhealthy("serving status 9, expected 1 SERVING")),
        (reply(&head(), &hex("00 00000003 08 8101"), &ok), Unhealthy("serving status 129, expected 1 SERVING")),
        // Statuses of the call, most of them without a message.
        (only(&[head(), field("grpc-status", "5"), field("grpc-message", "unknown service")].concat()),
         Unhealthy("grpc-status 5 NOT_FOUND: the health service does not know this service")),
        (only(&[head(), field("grpc-status", "12")].concat()), Unhealthy("grpc-status 12 UNIMPLEMENTED: the server has no health service")),
        // 12 by its Huffman code: 00001 00010, filled up with ones.
        (only(&[head(), huffman(0x40, &hex("82 08bf"))].concat()), Unhealthy("grpc-status 12 UNIMPLEMENTED: the server has no health service")),
        (only(&[head(), field("grpc-status", "7")].concat()), Unhealthy("grpc-status 7 PERMISSION_DENIED")),
        (only(&[head(), field("grpc-status", "14")].concat()), Unhealthy("grpc-status 14 UNAVAILABLE")),
        (only(&[head(), field("grpc-status", "16")].concat()), Unhealthy("grpc-status 16 UNAUTHENTICATED")),
        (only(&[head(), field("grpc-status", "13")].concat()), Unhealthy("grpc-status 13")),
        (after_settings(&[frame(HEADERS, 0, 1, &long_block[..40]), frame(CONTINUATION, END_HEADERS, 1, &long_block[40..]), trailers(&field("grpc-status", "8"))]),
         Unhealthy("grpc-status 8")),
        // A SERVING that a failed call takes back.
        (reply(&head(), &message(1), &field("grpc-status", "13")), Unhealthy("grpc-status 13")),
        // HTTP/2, and no gRPC: statuses indexed, as text, and by the Huffman code of digits.
        (only(&hex("8d")), Unhealthy("status 404, expected 200")),
        (only(b"\x08\x03415"), Unhealthy("status 415, expected 200")),
        (only(b"\x48\x03503"), Unhealthy("status 503, expected 200")),
        // 415: 011010 00001 011011, filled up.
        (only(&hex("48 83 682dff")), Unhealthy("status 415, expected 200")),
        (only(&hex("48 83 682d80")), Unhealthy("not grpc: *")),
        (after_settings(&[frame(HEADERS, END_HEADERS, 1, &hex("8e")), frame(DATA, END_STREAM, 1, b"boom\n")]),
         Unhealthy("status 500, expected 200; body: boom\\n")),
        (only(&[&b"\x08\x03502"[..], &field("grpc-status", "14")].concat()), Unhealthy("status 502, expected 200")),
        // A web server's page, and no trailers.
        (after_settings(&[frame(HEADERS, END_HEADERS, 1, &hex("88")), frame(DATA, END_STREAM, 1, b"<html>")]), Unhealthy("not grpc: *")),
        // RFC 9113, section 8.3.2: one `:status`, before all other fields, and never in trailers.
        (reply(&[&hex("5f10")[..], b"application/grpc"].concat(), &message(1), &ok), Unhealthy("not grpc: *")),
        (reply(b"", &message(1), &ok), Unhealthy("not grpc: *")),
        (reply(&hex("8888"), &message(1), &ok), Unhealthy("not grpc: *")),
        (reply(&hex("8d88"), &message(1), &ok), Unhealthy("not grpc: *")),
        (reply(&[&[0x88], &field(":status", "200")[..]].concat(), &message(1), &ok), Unhealthy("not grpc: *")),
        (reply(&[&[0x88], &field(":status", "503")[..]].concat(), &message(1), &ok), Unhealthy("not grpc: *")),
        (reply(&[&field("server", "x")[..], &[0x88]].concat(), &message(1), &ok), Unhealthy("not grpc: *")),
        (reply(&head(), &message(1), &[&[0x88], &ok[..]].concat()), Unhealthy("not grpc: *")),
        (reply(&head(), &message(1), &[&ok[..], &field(":status", "200")].concat()), Unhealthy("not grpc: *")),
        // With a name of its own, as text and coded; and another value than 200.
        (reply(&field(":status", "200"), &message(1), &ok), Healthy("answers")),
        (reply(&hex("40 85 b8848d36a3 03 323030"), &message(1), &ok), Healthy("answers")),
        (reply(&hex("00 85 b8848d36a3 82 1001"), &message(1), &ok), Healthy("answers")),
        (reply(&hex("08 82 1001"), &message(1), &ok), Healthy("answers")),
        (reply(&field(":status", "503"), &message(1), &ok), Unhealthy("status 503, expected 200*")),
        (reply(&hex("40 85 b8848d36a3 03 353033"), &message(1), &ok), Unhealthy("status 503, expected 200*")),
        (reply(&hex("8c"), &message(1), &ok), Unhealthy("status 400, expected 200*")),
        (reply(&hex("89"), &message(1), &ok), Unhealthy("status 204, expected 200*")),
        // Three digits, and nothing else.
        (reply(&field(":status", "0200"), &message(1), &ok), Unhealthy("not grpc: *")),
        (reply(&field(":status", "+200"), &message(1), &ok), Unhealthy("not grpc: *")),
        (reply(&field(":status", ""), &message(1), &ok), Unhealthy("not grpc: *")),
        (reply(&field(":status", "65736"), &message(1), &ok), Unhealthy("not grpc: *")),
        (reply(&hex("08 83 008010"), &message(1), &ok), Unhealthy("not grpc: *")),
        (reply(&head(), &message(1), &field("grpc-status", "+0")), Unhealthy("not grpc: *")),
        // An interim response before the final one, and nothing but interim ones.
        (after_settings(&[frame(HEADERS, END_HEADERS, 1, b"\x08\x03103"), body.clone(), trailers(&ok)]), Healthy("answers")),
        (only(b"\x08\x03103"), Unhealthy("not grpc: *")),
        // The status of the call stands in the trailers: the stream must end with it, and it must not contradict itself.
        (after_settings(&[frame(HEADERS, END_HEADERS, 1, &[head(), ok.clone()].concat()), frame(DATA, END_STREAM, 1, &message(1))]), Unhealthy("not grpc: *")),
        (reply(&head(), &message(1), &[field("grpc-status", "13"), ok.clone()].concat()), Unhealthy("not grpc: *")),
        (after_settings(&[frame(HEADERS, END_HEADERS, 1, &head()), frame(HEADERS, END_HEADERS, 1, &ok), frame(DATA, END_STREAM, 1, &message(1))]), Unhealthy("not grpc: *")),
        // RFC 9113, sections 8.1 and 6.10: DATA before HEADERS, a block that something interrupts, a CONTINUATION of nothing.
        (after_settings(&[frame(DATA, 0, 1, &message(1)), frame(HEADERS, END_HEADERS, 1, &head()), trailers(&ok)]), Unhealthy("not grpc: *")),
        (after_settings(&[frame(HEADERS, 0, 1, &head()[..1]), frame(DATA, 0, 1, &message(1)), frame(CONTINUATION, END_HEADERS, 1, &head()[1..]), trailers(&ok)]), Unhealthy("not grpc: *")),
        (after_settings(&[frame(CONTINUATION, END_HEADERS, 1, &head()), frame(DATA, 0, 1, &message(1)), trailers(&ok)]), Unhealthy("not grpc: *")),
        // A field without a number.
        (reply(&head(), &hex("00 00000004 0001 0801"), &ok), Unhealthy("not grpc: *")),
        // No message, two of them, a compressed one, one that is longer than it says, and one that is broken.
        (only(&[head(), ok.clone()].concat()), Unhealthy("not grpc: *")),
        (reply(&head(), &[message(1), message(1)].concat(), &ok), Unhealthy("not grpc: *")),
        (reply(&head(), &hex("01 00000002 0801"), &ok), Unhealthy("not grpc: *")),
        (reply(&head(), &hex("00 00000009 0801"), &ok), Unhealthy("not grpc: *")),
        (reply(&head(), &hex("00 00000001 08"), &ok), Unhealthy("not grpc: *")),
        (reply(&head(), &hex("00 00000002 0b01"), &ok), Unhealthy("not grpc: *")),
        // A status that is no number, header blocks that break off, and padding that is longer than its frame.
        (reply(&head(), &message(1), &field("grpc-status", "OK")), Unhealthy("not grpc: *")),
        (reply(&head(), &message(1), &field("grpc-status", "")), Unhealthy("not grpc: *")),
        (reply(&head(), &message(1), &ok[..6]), Unhealthy("not grpc: *")),
        (reply(&hex("ff ffffff ff"), &message(1), &ok), Unhealthy("not grpc: *")),
        (after_settings(&[frame(DATA, PADDED, 1, b"\x09abc")]), Unhealthy("not grpc: *")),
        // The stream is refused, and so is the connection.
        (after_settings(&[frame(RST_STREAM, 0, 1, &hex("00000007"))]), Unhealthy("the server sent RST_STREAM: HTTP/2 error code 7")),
        (after_settings(&[frame(GOAWAY, 0, 0, &[&hex("00000000 0000000b")[..], b"too_many_pings"].concat())]),
         Unhealthy("the server sent GOAWAY: HTTP/2 error code 11: too_many_pings")),
        // The first frame must be SETTINGS, and not their acknowledgement; and no frame may be longer than 2^14.
        (frame(PING, 0, 0, &[0; 8]), Unhealthy("not grpc: the reply begins with \\x00\\x00\\x08\\x06*")),
        (frame(SETTINGS, ACK, 0, &[]), Unhealthy("not grpc: the reply begins with \\x00\\x00\\x00\\x04\\x01*")),
        (after_settings(&[hex("004001 00 00 00000001")]), Unhealthy("not grpc: the reply begins with \\x00@\\x01*")),
        // Servers that speak something else.
        (b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n400 Bad Request".to_vec(),
         Unhealthy("not grpc: the reply begins with HTTP/1.1 400 Bad Request\\r\\n*; this looks like HTTP")),
        (hex("15 0301 0002 0246"), Unhealthy("not grpc: *; this looks like TLS")),
        (b"-ERR unknown command 'PRI'\r\n".to_vec(), Unhealthy("not grpc: *; this looks like Redis")),
    ];
    let manner = Manner {
        hangs_up: true,
        ..POLITE
    };
    for (reply, said) in rows {
        let (_fake, name) = fake(reply, "", manner);
        expect(&check([&name]), &name, said);
    }
}

fn hang_up_after_each_prefix() {
    let reply = reply(&head(), &message(1), &huffman(0x40, b"\x010"));
    for end in 0..reply.len() {
        let manner = Manner {
            cut: Some((0, end)),
            hangs_up: true,
            ..POLITE
        };
        let (_fake, name) = fake(reply.clone(), "", manner);
        // Its kernel may answer our acknowledgement of SETTINGS with a reset.
        let said = "connection * while waiting for the reply*";
        expect(&check([&name]), &name, Unhealthy(said));
    }
}

fn a_byte_at_a_time() {
    let manner = Manner {
        bytewise: true,
        ..POLITE
    };
    let (fake, name) = fake(serving(), "", manner);
    expect(&check([&name]), &name, Healthy("answers"));
    fake.heard();
}

fn silence_resets_and_endless_frames() {
    let server = Server::new(|connection| drop(connection.read_to_end(&mut Vec::new())));
    let name = format!("grpc://127.0.0.1:{}", server.port());
    check(["-t", "200ms", &name])
        .unhealthy(&format!(
            "unhealthy: {name}: no response within 200 ms: connected, request sent, waiting for the reply"
        ))
        .within(Duration::from_secs(3));
    // SETTINGS and no more: a server that is stuck behind its HTTP/2 library.
    let server = Server::new(|connection| {
        let _ = connection.write_all(&settings());
        let _ = connection.read_to_end(&mut Vec::new());
    });
    let name = format!("grpc://127.0.0.1:{}", server.port());
    check(["-t", "200ms", &name]).unhealthy(&format!(
        "unhealthy: {name}: no response within 200 ms: connected, request sent, waiting for the reply"
    ));
    for more in [
        frame(PING, 0, 0, &[0; 8]),
        frame(SETTINGS, 0, 0, &[]),
        frame(0xfa, 0, 0, &[0; 1000]),
        frame(DATA, 0, 1, &[0; 1000]),
        frame(HEADERS, 0, 1, &[0; 1000]),
        frame(HEADERS, END_HEADERS, 1, &field("a", "b")),
    ] {
        let server = Server::new(move |connection| {
            let _ = connection.write_all(&settings());
            while connection.write_all(&more).is_ok() {}
        });
        let name = format!("grpc://127.0.0.1:{}", server.port());
        let run = check(["-t", "1s", &name]);
        run.unhealthy(&format!("unhealthy: {name}: *"))
            .within(Duration::from_secs(3));
    }
}

fn usage() {
    let long = "a".repeat(1025);
    check([&format!("grpc://localhost:1/{long}")]).unhealthy(
        "error: TARGET: \"grpc://localhost:1/aaa*...\" has a service name longer than 1024 bytes",
    );
    for (target, complaint) in [
        ("grpc://localhost", "needs a port"),
        (
            "grpc://localhost:1/a b",
            "has a blank or control character in its path: write %20 or the like",
        ),
    ] {
        check([target]).unhealthy(&format!("error: TARGET: \"{target}\" {complaint}"));
    }
}
