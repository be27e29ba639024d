//! What `--verbose` adds.

use super::failure::peer_name;
use super::time::time;
use crate::http::head::unfold;
use crate::snippet::{Secrets, Snippet, is_harmless, printable, without_userinfo};
use crate::verdict::{Mark, Trace};
use std::fmt::Write;

/// The trace of an exchange: `*` for the phases, `>` for the request, `<` for the head of the response.
pub fn trace(trace: &Trace, secrets: &Secrets) -> String {
    let mut text = String::new();
    let mut request = &trace.request[..];
    for (mark, at) in &trace.marks {
        let what = match mark {
            Mark::Connected => "connected",
            Mark::Sent => "request sent",
            Mark::Head => "response head read",
            Mark::Reply => "reply received",
        };
        let to = match (&trace.peer, mark) {
            (Some(peer), Mark::Connected) => format!(" to {}", peer_name(peer)),
            _ => String::new(),
        };
        let _ = writeln!(text, "* {what}{to} after {}", time(*at));
        match mark {
            Mark::Connected => {}
            // All that was sent, once.
            Mark::Sent => sent(std::mem::take(&mut request), secrets, &mut text),
            Mark::Head => {
                let mut head = trace.head.clone();
                unfold(&mut head);
                received(&head, secrets, &mut text);
            }
            Mark::Reply => received(&trace.head, secrets, &mut text),
        }
    }
    text
}

/// The lines of a head. What follows the blank line is a body, and not for the log.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = bytes.split(|&byte| byte == b'\n');
    lines
        .map(<[u8]>::trim_ascii_end)
        .take_while(|line| !line.is_empty())
}

fn name_of(line: &[u8]) -> &[u8] {
    line.split(|&byte| byte == b':').next().unwrap_or_default()
}

/// A request, without the values of headers that may be secrets.
fn sent(request: &[u8], secrets: &Secrets, text: &mut String) {
    let is_http = lines(request)
        .next()
        .is_some_and(|line| line.ends_with(b" HTTP/1.1"));
    for (at, line) in lines(request).enumerate() {
        let name = name_of(line);
        let line = match is_http && at > 0 && !is_harmless(name) {
            true => format!("{}: (not shown)", printable(name, 40)),
            false => printable(&secrets.blacken(line), 200),
        };
        let _ = writeln!(text, "> {line}");
    }
}

/// The head of a response, without secrets that it repeats.
fn received(head: &[u8], secrets: &Secrets, text: &mut String) {
    if secrets.hide_everything() {
        text.push_str("< (not shown)\n");
        return;
    }
    for line in lines(head) {
        let line = without_userinfo_in_location(name_of(line), line);
        let line = Snippet::at_most(&line, 200).text(secrets);
        let _ = writeln!(text, "< {line}");
    }
}

fn without_userinfo_in_location(name: &[u8], line: &[u8]) -> Vec<u8> {
    match name.eq_ignore_ascii_case(b"location") {
        true => without_userinfo(line),
        false => line.to_vec(),
    }
}
