//! What is printed, and to whom: the line, the trace, text that was made to do harm.

use crate::http::{AGENT, OK, after_request, send};
use crate::support::{Server, check, lines};
use libtest_mimic::Trial;

mod secrets;
pub mod streams;
mod why;

pub fn trials() -> Vec<Trial> {
    let mut trials = trials![hostile_text, verbose];
    trials.extend(secrets::trials());
    trials.extend(streams::trials());
    trials.extend(why::trials());
    trials
}

/// Whatever a service says, in every place where it can be repeated: one line of printable text, and no escape that is
/// cut in two.
#[rustfmt::skip]
fn hostile_text() {
    let texts: [&[u8]; 8] = [
        b"\0\x01\x02\x07\x08\x0b\x1b[2J\x1b]0;title\x07\x7f",
        b"\xff\xfe\xc3\x28\xa0\xed\xa0\x80\xf0\x28\x8c\x28",
        "\u{202e}\u{2066}\u{200b}\u{feff}\u{9b}31m\u{85}\u{2028}\u{e000}".as_bytes(),
        b"\nhealthy: http://localhost/: 200 OK in 0.1 ms",
        b"\r\r\r\t\t\\\\\\x41",
        "\u{1f600}\u{10ffff}\u{e9}".as_bytes(),
        b"%s%n{}{0}${PATH}",
        b"\"quoted\" and 'quoted'; body: nested (0.1 ms)",
    ];
    for text in texts {
        for times in [1, 7, 1000] {
            let text = text.repeat(times);
            let in_value: Vec<u8> = text.iter().copied().filter(|byte| *byte >= b' ').collect();
            let escaped = |byte: &u8| format!("\\u{byte:04x}").into_bytes();
            let in_json: Vec<u8> = text.iter().flat_map(escaped).collect();
            let reply =
                |head: &str, text: &[u8]| [b"HTTP/1.1 ", head.as_bytes(), text, b"\"}"].concat();
            let rows = [
                (text.clone(), ""),
                (reply("200 ", &text), ""),
                (reply("200 OK\r\nX: ", &text), ""),
                (reply("200 OK\r\nContent-Length: x\r\nX: \r\n\r\n", &text), ""),
                (reply("503 No\r\n\r\n", &text), ""),
                (reply("200 OK\r\nContent-Length: 9999999\r\n\r\n", &text), "-b nope"),
                (reply("200 OK\r\n\r\n", &text), "-b nope"),
                (reply("200 OK\r\n\r\n", &text), "--body-not }"),
                (reply("200 OK\r\n\r\nx", &text), "-j a"),
                (reply("200 OK\r\n\r\n{\"a\":\"", &in_json), "-j b"),
                (reply("200 OK\r\n\r\n{\"a\":\"", &in_json), "-j a=b"),
                (reply("200 OK\r\nX-A: ", &[&in_value, &b"\r\n\r\n"[..]].concat()), "--expect-header X-A:b"),
                (
                    reply(
                        "302 X\r\nLocation: ://",
                        &[&in_value, &b"\r\n\r\n"[..]].concat(),
                    ),
                    "-L",
                ),
            ];
            for (reply, options) in rows {
                let server = Server::replying(reply);
                let url = server.url("/");
                let run = check(options.split_whitespace().chain([&*url]));
                run.unhealthy(&format!("unhealthy: {url}: *s)"));
                let line = run.stderr.trim_end_matches('\n');
                let hides = |c: char| {
                    c.is_control()
                        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
                        || matches!(c, '\u{feff}' | '\u{e000}'..='\u{f8ff}' | '\u{fffd}' | '\u{e0000}'..)
                };
                assert!(!line.contains(hides), "{run}");
            }
        }
    }
}

fn verbose() {
    let server = Server::replying(OK);
    let address = server.url("").replace("http://", "");
    let run = check([
        "-v",
        "-H",
        "X-Key: a secret",
        "-H",
        "Accept: text/*",
        &server.url("/x"),
    ]);
    let expected = [
        format!("* connected to {address} after * ms"),
        "* request sent after * ms".into(),
        "> GET /x HTTP/1.1".into(),
        format!("> host: {address}"),
        "> x-key: (not shown)".into(),
        "> accept: text/*".into(),
        format!("> user-agent: {AGENT}"),
        "> connection: close".into(),
        "> accept-encoding: identity".into(),
        "* response head read after * ms".into(),
        "< HTTP/1.1 200 OK".into(),
        "< Content-Length: 2".into(),
    ];
    lines(
        run.exits(0),
        &[format!("healthy: {}: 200 OK in *s", server.url("/x"))],
        &expected,
    );
    // What never happened is not told.
    let server = after_request(|connection| send(connection, "junk\r\n\x1b[31m"));
    let run = check(["-v", &server.url("/")]);
    run.exits(1);
    assert!(
        run.stderr.starts_with("unhealthy: ") && !run.stderr.contains("< "),
        "{run}"
    );
    assert!(
        run.stderr.contains("> GET / HTTP/1.1\n") && !run.stderr.contains('\x1b'),
        "{run}"
    );
}
