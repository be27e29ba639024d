//! What `--verbose` adds.

use super::failure::peer_name;
use super::time::time;
use crate::snippet::{Secrets, Snippet, is_harmless, printable, without_userinfo};
use crate::verdict::{Mark, Trace};
use std::fmt::Write;

/// The trace of an exchange: `*` for the phases, `>` for the request, `<` for the head of the response.
pub fn trace(trace: &Trace, secrets: &Secrets) -> String {
    let mut text = String::new();
    for (mark, at) in &trace.marks {
        let (what, bytes, sign) = match mark {
            Mark::Connected => ("connected", &[][..], '*'),
            Mark::Sent => ("request sent", &trace.request[..], '>'),
            Mark::Head => ("response head read", &trace.head[..], '<'),
        };
        let to = match (&trace.peer, mark) {
            (Some(peer), Mark::Connected) => format!(" to {}", peer_name(peer)),
            _ => String::new(),
        };
        let _ = writeln!(text, "* {what}{to} after {}", time(*at));
        // What follows the blank line is a body, and not for the log.
        for line in bytes
            .split(|&byte| byte == b'\n')
            .map(<[u8]>::trim_ascii_end)
        {
            if line.is_empty() {
                break;
            }
            let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
            let has_value = name.len() < line.len();
            if sign == '<' && secrets.hide_everything() {
                let _ = writeln!(text, "< (not shown)");
                break;
            }
            let line = match sign {
                '>' if has_value && !is_harmless(name) => {
                    format!("{}: (not shown)", printable(name, 40))
                }
                '<' => {
                    Snippet::at_most(&without_userinfo_in_location(name, line), 200).text(secrets)
                }
                _ => printable(line, 200),
            };
            let _ = writeln!(text, "{sign} {line}");
        }
    }
    text
}

fn without_userinfo_in_location(name: &[u8], line: &[u8]) -> Vec<u8> {
    match name.eq_ignore_ascii_case(b"location") {
        true => without_userinfo(line),
        false => line.to_vec(),
    }
}
