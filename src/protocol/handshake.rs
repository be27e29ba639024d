//! Servers that are asked with a few constant bytes.
//!
//! "Ok" is a proper answer. A server that answers properly and refuses this client is alive; one that says that it cannot
//! serve is not healthy. Replies are judged from what has come so far, by whole fields.

use super::session::{Session, converse};
use super::{Asked, Located};
use crate::deadline::Deadline;
use crate::net::Opening;
use crate::snippet::Secrets;
use crate::target::{Place, Probe, Target};
use crate::verdict::{Answer, Failure, Health, Outcome, Phase, Refusal, Reply, Snippet};

/// What is said to a server, and how its replies are judged.
#[derive(Debug)]
pub struct Handshake {
    /// The conversation.
    pub steps: &'static [Step],
    /// What to say at the end of one that went well, so that the server's log stays clean.
    pub goodbye: &'static [u8],
}

/// Something to say, and how the reply is judged.
#[derive(Debug)]
pub struct Step {
    /// The bytes to send; none where the server speaks first.
    pub send: &'static [u8],
    /// The judge of the reply.
    pub judge: Judge,
}

/// How a reply is judged.
#[derive(Debug)]
pub enum Judge {
    /// By its first line that is not skipped.
    Lines(Lines),
    /// By a function, from what has come so far, which is at least one byte.
    Bytes(fn(&[u8]) -> Reply),
}

impl Judge {
    /// Judges what has come so far.
    pub fn judge(&self, received: &[u8]) -> Reply {
        match self {
            _ if received.is_empty() => Reply::Incomplete,
            Judge::Lines(lines) => judge_lines(received, lines),
            Judge::Bytes(judge) => judge(received),
        }
    }
}

/// The lines that a text protocol can answer with. A pattern is what the line begins with. A pattern that ends in a letter
/// or digit matches whole words only: a blank or the end of the line must follow. One that ends in `$` is the whole line.
/// `#` stands for a digit, and `?` for any visible ASCII character.
#[derive(Debug)]
pub struct Lines {
    /// Lines that say nothing yet.
    pub skip: &'static [&'static str],
    /// The server is well.
    pub ok: &'static [&'static str],
    /// It is alive, and requires authentication.
    pub unauthenticated: &'static [&'static str],
    /// It is alive, and does not serve this client.
    pub refused: &'static [&'static str],
    /// It cannot serve.
    pub unavailable: &'static [&'static str],
}

/// For the fields that a row leaves out.
pub const NO_LINES: Lines = Lines {
    skip: &[],
    ok: &[],
    unauthenticated: &[],
    refused: &[],
    unavailable: &[],
};

/// Replies of SMTP and FTP that say no, in one line or in several.
pub const REPLY_CODE_ERRORS: &[&str] = &["4##", "4##-", "5##", "5##-"];

/// The target of a URL that has neither a path nor credentials.
///
/// # Errors
/// What is wrong with the URL.
pub fn plan(asked: &Asked) -> Result<Target, String> {
    let located = asked.located()?;
    located.refuse_credentials(asked)?;
    located.refuse_path(asked)?;
    match asked.protocol.handshake {
        Some(handshake) => Ok(target(asked, handshake, located, None, Secrets::default())),
        None => Err("has a scheme that cannot be asked".into()),
    }
}

/// A target that is asked by `handshake`, with `first` in place of the bytes of its first step. `secrets` must not be printed.
pub fn target(
    asked: &Asked,
    handshake: &'static Handshake,
    located: Located,
    first: Option<Vec<u8>>,
    secrets: Secrets,
) -> Target {
    let scheme = asked.protocol.scheme;
    let probe = HandshakeProbe {
        place: located.place,
        scheme,
        handshake,
        first,
        secrets,
    };
    Target::new(located.name, probe)
}

#[derive(Debug)]
struct HandshakeProbe {
    place: Place,
    scheme: &'static str,
    handshake: &'static Handshake,
    first: Option<Vec<u8>>,
    secrets: Secrets,
}

impl Probe for HandshakeProbe {
    fn ask(&self, deadline: &Deadline) -> Answer {
        let opening = Opening::for_first_bytes(self.handshake.steps[0].send);
        converse(&self.place, opening, deadline, &|session| {
            self.converse(session)
        })
    }

    fn may_meet_tls(&self) -> bool {
        // 22 begins TLS itself.
        !matches!(self.handshake.steps[0].send, [] | [22, ..])
    }

    fn place(&self) -> Option<&Place> {
        Some(&self.place)
    }

    fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

impl HandshakeProbe {
    fn converse(&self, session: &mut Session) -> Outcome {
        let mut first = self.first.as_deref();
        for step in self.handshake.steps {
            session.send(first.take().unwrap_or(step.send))?;
            if let Some(refused) = self.await_reply(session, step)? {
                return Ok(refused);
            }
        }
        // Not to one that refused: PostgreSQL, which waits for a password, would log a protocol violation.
        session.set_goodbye(self.handshake.goodbye);
        Ok(Health::Answers)
    }

    /// Receives until the step is judged. None if the next step may follow.
    fn await_reply(
        &self,
        session: &mut Session,
        step: &Step,
    ) -> Result<Option<Health>, Box<Failure>> {
        let phase = match step.send.is_empty() {
            true => Phase::Greeting,
            false => Phase::Reply,
        };
        loop {
            match step.judge.judge(session.received()) {
                Reply::Ok(bytes) => {
                    session.consume(bytes);
                    return Ok(None);
                }
                Reply::Incomplete if session.receive(phase)? => {}
                Reply::Incomplete => return Err(session.closed_early(phase)),
                reply => {
                    if matches!(reply, Reply::Unavailable(_)) {
                        session.set_goodbye(self.handshake.goodbye);
                    }
                    return session.outcome(reply, self.scheme).map(Some);
                }
            }
        }
    }
}

/// Judges by the first line that is not skipped, once it is whole.
pub fn judge_lines(received: &[u8], lines: &Lines) -> Reply {
    let mut start = 0;
    loop {
        let rest = &received[start..];
        let end = rest.iter().position(|&byte| byte == b'\n');
        let line = &rest[..end.unwrap_or(rest.len())];
        // No pattern contains a CR, so a CR ends the line even before its LF has come.
        let (line, whole) = match line.strip_suffix(b"\r") {
            Some(line) => (line, true),
            None => (line, end.is_some()),
        };
        let any = |patterns: &[&str]| patterns.iter().any(|pattern| fits(line, whole, pattern));
        let said = || Snippet::at_most(line, 200);
        let Some(end) = end else {
            let possible = any(lines.skip)
                || any(lines.ok)
                || any(lines.unauthenticated)
                || any(lines.refused)
                || any(lines.unavailable);
            return if possible {
                Reply::Incomplete
            } else {
                Reply::WrongProtocol
            };
        };
        if any(lines.ok) {
            return Reply::Ok(start + end + 1);
        } else if any(lines.unauthenticated) {
            return Reply::Refused(Refusal::Unauthenticated, said());
        } else if any(lines.refused) {
            return Reply::Refused(Refusal::Unwelcome, said());
        } else if any(lines.skip) {
            start += end + 1;
        } else if any(lines.unavailable) {
            return Reply::Unavailable(said());
        } else {
            return Reply::WrongProtocol;
        }
    }
}

/// Whether `line`, as far as it has come, is what `pattern` of [`Lines`] asks for.
fn fits(line: &[u8], whole: bool, pattern: &str) -> bool {
    let wanted = pattern.strip_suffix('$').unwrap_or(pattern).as_bytes();
    let shared = line.iter().zip(wanted).all(|(byte, wanted)| match wanted {
        b'#' => byte.is_ascii_digit(),
        b'?' => byte.is_ascii_graphic(),
        _ => byte == wanted,
    });
    shared
        && match (line.get(wanted.len()), pattern.as_bytes().last()) {
            (None, _) => !whole || line.len() == wanted.len(),
            (Some(_), Some(b'$')) => false,
            (Some(next), Some(b'#' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z')) => *next == b' ',
            _ => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        // What a pattern fits as a whole line, and what it cannot be the beginning of.
        for (pattern, fitting, others) in [
            ("+OK$", &["+OK"][..], &["+OK ", "+OKAY", "-OK"][..]),
            (
                "+OK",
                &["+OK", "+OK then"],
                &["+OKAY", "+OK-", "+OK\t", "+K"],
            ),
            ("-", &["-", "-ERR", "- "], &["+"]),
            ("4##", &["421", "421 no"], &["42x", "4211", "421-no", "521"]),
            ("4##-", &["421-", "421-no"], &["4211-", "421 no"]),
            ("V ?", &["V 1", "V x y"], &["V  1", "V \t", "V \u{1}"]),
        ] {
            // A row's patterns live as long as the program.
            let well = Box::leak(Box::new([pattern]));
            let lines = Lines {
                ok: well,
                ..NO_LINES
            };
            for line in fitting {
                for end in ["\n", "\r\n"] {
                    let whole = [line, end].concat();
                    let whole = whole.as_bytes();
                    assert_eq!(judge_lines(whole, &lines), Reply::Ok(whole.len()));
                    for part in 1..whole.len() {
                        let reply = judge_lines(&whole[..part], &lines);
                        assert_eq!(reply, Reply::Incomplete, "{pattern}: {line}, {part} bytes");
                    }
                }
            }
            for line in others {
                let reply = judge_lines(line.as_bytes(), &lines);
                assert_eq!(reply, Reply::WrongProtocol, "{pattern}: {line}");
            }
            // A line that ends before its pattern does, even if its LF has not come yet.
            let short = &pattern.as_bytes()[..1];
            if pattern.len() > 1 {
                for end in [&b"\r"[..], b"\n"] {
                    let reply = judge_lines(&[short, end].concat(), &lines);
                    assert_eq!(reply, Reply::WrongProtocol, "{pattern}");
                }
            }
        }
    }
}
