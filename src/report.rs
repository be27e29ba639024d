//! Verdict to words, and the only file that prints.

use crate::check::Target;
use crate::deadline::{Deadline, Expired};
use crate::expect::MAX_BODY;
use crate::hints::Hint;
use crate::http::MAX_HEAD;
use crate::net;
use crate::snippet::{Secrets, is_harmless, printable, without_userinfo};
use crate::verdict::{
    Answer, Failure, Health, Mark, NotFollowed, Peer, Phase, Protocol, Refusal, Snippet, Trace,
    Unmet,
};
use rustix::event::PollFlags;
use std::fmt::Write as _;
use std::io::{ErrorKind, Write};
use std::os::fd::BorrowedFd;
use std::time::Duration;
use ureq::http::StatusCode;

/// The longest line, its end included.
pub const MAX_LINE: usize = 512;
/// What `docker inspect` keeps of a check is 4096 bytes: all output of a check is less.
pub const MAX_OUTPUT: usize = 4095;
/// Healthy lines and traces leave this much for the lines of targets that are not healthy.
const RESERVE: usize = 2048;
/// And all lines leave this much for the one that counts those left out.
const LAST: usize = 100;

/// The report of one run.
#[derive(Debug)]
pub struct Report<O, E> {
    out: O,
    err: E,
    quiet: bool,
    verbose: bool,
    left: usize,
    unsaid_healthy: usize,
    unsaid_unhealthy: usize,
}

/// How long a line is offered to a reader who is late, when there is no time left.
const OFFER: Duration = Duration::from_millis(10);

/// A stream that is written to at once: a line is one system call, and there is no buffer to fill or to forget. A pipe
/// that is full, with nobody who reads it, is given up at the deadline.
#[derive(Debug)]
pub struct Unbuffered {
    fd: BorrowedFd<'static>,
    deadline: Deadline,
}

impl Write for Unbuffered {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // A pipe that is ready takes this much without blocking, pipe(7).
        const PIPE_BUF: usize = 4096;
        let bytes = &bytes[..bytes.len().min(PIPE_BUF)];
        if let Some(written) = written_without_waiting(self.fd, bytes) {
            return Ok(written);
        }
        let deadline = self.deadline.or_at_least(OFFER);
        match net::ready(&self.fd, PollFlags::OUT, &deadline) {
            Ok(()) => Ok(rustix::io::write(self.fd, bytes)?),
            Err(Expired) => Err(ErrorKind::TimedOut.into()),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Writes where that needs no waiting, in one system call. None where it does, and where the system cannot tell.
#[cfg(target_os = "linux")]
fn written_without_waiting(fd: BorrowedFd, bytes: &[u8]) -> Option<usize> {
    use rustix::io::{ReadWriteFlags, pwritev2};
    let whole = [std::io::IoSlice::new(bytes)];
    // An offset of -1 stands for the position of the stream.
    pwritev2(fd, &whole, u64::MAX, ReadWriteFlags::NOWAIT).ok()
}

#[cfg(not(target_os = "linux"))]
fn written_without_waiting(_: BorrowedFd, _: &[u8]) -> Option<usize> {
    None
}

/// The report on the standard streams.
pub fn standard() -> Report<Unbuffered, Unbuffered> {
    // Until the check says how long it may take.
    let deadline = Deadline::after(Duration::from_secs(1));
    let stream = |fd| Unbuffered { fd, deadline };
    Report::new(
        stream(rustix::stdio::stdout()),
        stream(rustix::stdio::stderr()),
    )
}

impl Report<Unbuffered, Unbuffered> {
    /// Gives up at `deadline` what nobody reads.
    pub fn give_up_at(&mut self, deadline: Deadline) {
        (self.out.deadline, self.err.deadline) = (deadline, deadline);
    }
}

impl<O: Write, E: Write> Report<O, E> {
    /// Prints healthy lines and information to `out`, everything else to `err`. A write that fails is nobody's
    /// business here: the exit code is the answer.
    pub fn new(out: O, err: E) -> Self {
        let (quiet, verbose) = (false, false);
        Report {
            out,
            err,
            quiet,
            verbose,
            left: MAX_OUTPUT,
            unsaid_healthy: 0,
            unsaid_unhealthy: 0,
        }
    }

    /// Prints no line (`quiet`), or the trace of each exchange as well (`verbose`).
    pub fn style(&mut self, quiet: bool, verbose: bool) {
        (self.quiet, self.verbose) = (quiet, verbose);
    }

    /// Whether a line for a target that is not healthy would be printed, so that advice for it is worth its cost.
    pub fn has_room(&self) -> bool {
        !self.quiet && self.left >= LAST + MAX_LINE
    }

    /// Prints what was asked for, such as `--help`.
    pub fn info(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes());
    }

    /// Prints why the command line cannot be used.
    pub fn usage(&mut self, message: &str) {
        let _ = self
            .err
            .write_all(cut(format!("error: {message}"), "").as_bytes());
    }

    /// Prints the line of one target.
    pub fn answer(
        &mut self,
        target: &Target,
        answer: &Answer,
        hint: Option<&Hint>,
        timeout: Duration,
    ) {
        if self.quiet {
            return;
        }
        let line = line(target, answer, hint, timeout);
        match &answer.verdict {
            Ok(_) if self.left < RESERVE + line.len() => self.unsaid_healthy += 1,
            Err(_) if self.left < LAST + line.len() => self.unsaid_unhealthy += 1,
            verdict => {
                self.left -= line.len();
                let _ = match verdict {
                    Ok(_) => self.out.write_all(line.as_bytes()),
                    Err(_) => self.err.write_all(line.as_bytes()),
                };
            }
        }
        if self.verbose {
            let mut text = trace(&answer.trace, &target.secrets());
            let room = self.left.saturating_sub(RESERVE);
            if text.len() > room {
                text.truncate(text.floor_char_boundary(room.saturating_sub(4)));
                text.push_str(if room < 4 { "" } else { "...\n" });
            }
            self.left -= text.len();
            let _ = self.err.write_all(text.as_bytes());
        }
    }

    /// Counts the targets whose lines found no room.
    pub fn end(&mut self) {
        let (healthy, unhealthy) = (self.unsaid_healthy, self.unsaid_unhealthy);
        if healthy + unhealthy > 0 {
            let line = format!(
                "... and {} more targets: {healthy} healthy, {unhealthy} not\n",
                healthy + unhealthy
            );
            let _ = match unhealthy {
                0 => self.out.write_all(line.as_bytes()),
                _ => self.err.write_all(line.as_bytes()),
            };
        }
    }
}

/// The line of one target, its end included: at most [`MAX_LINE`] bytes.
pub fn line(target: &Target, answer: &Answer, hint: Option<&Hint>, timeout: Duration) -> String {
    let name = printable(target.name.as_bytes(), 160);
    let words = Words {
        secrets: target.secrets(),
        timeout,
    };
    match &answer.verdict {
        Ok(health) => cut(
            format!(
                "healthy: {name}: {} in {}",
                words.healthy(health),
                time(answer.took)
            ),
            "",
        ),
        Err(failure) => {
            let mut text = format!("unhealthy: {name}: {}", words.unhealthy(failure));
            if let Some(hint) = hint {
                text.push_str("; ");
                text.push_str(&advice(hint));
            }
            match **failure {
                // These say how long it took.
                Failure::TimedOut { .. } | Failure::NotAsked => cut(text, ""),
                _ => cut(text, &format!(" ({})", time(answer.took))),
            }
        }
    }
}

/// Joins a text and its end into one line, and cuts the text if it must be.
fn cut(mut text: String, end: &str) -> String {
    let room = MAX_LINE - 1 - end.len();
    if text.len() > room {
        text.truncate(text.floor_char_boundary(room - 3));
        text.push_str("...");
    }
    text.push_str(end);
    text.push('\n');
    text
}

/// The words for what one target turned out to be.
struct Words {
    /// What they must not show.
    secrets: Secrets,
    timeout: Duration,
}

impl Words {
    fn healthy(&self, health: &Health) -> String {
        match health {
            Health::Status(status) => match StatusCode::from_u16(*status)
                .ok()
                .and_then(|code| code.canonical_reason())
            {
                Some(reason) => format!("{status} {reason}"),
                None => status.to_string(),
            },
            Health::Opens => "accepts connections".into(),
            Health::Answers => "answers".into(),
            Health::Refuses(refusal, said) => {
                let what = match refusal {
                    Refusal::Unauthenticated => "wants authentication",
                    Refusal::Unwelcome => "refuses this client",
                };
                let said = if said.is_empty() {
                    String::new()
                } else {
                    format!(": {}", self.shown(said))
                };
                format!("answers, {what}{said}")
            }
            Health::Runs(pid) => format!("process {pid} runs"),
            Health::Touched(ago) => format!("touched {} ago", age(*ago)),
        }
    }

    fn unhealthy(&self, failure: &Failure) -> String {
        match failure {
            Failure::Refused(peers) => {
                let peers: Vec<String> = peers.iter().map(peer_name).collect();
                format!("connection refused at {}", joined(&peers, " and "))
            }
            Failure::Unreachable { peer, errno } => {
                format!(
                    "cannot connect to {}: {}",
                    peer_name(peer),
                    system_error(*errno)
                )
            }
            Failure::NotThisMachine(ip) => {
                format!("{ip} is not an address of this machine; nothing was sent")
            }
            Failure::TimedOut { phase, peer } => timed_out(*phase, peer.as_ref(), self.timeout),
            Failure::NotAsked => format!(
                "not asked: the targets before it took all of the {}",
                time(self.timeout)
            ),
            Failure::ClosedEarly { phase, got } if got.is_empty() => {
                format!("connection closed while {}", doing(*phase))
            }
            Failure::ClosedEarly { phase, got } => {
                format!(
                    "connection closed while {}; until then: {}",
                    doing(*phase),
                    self.shown(got)
                )
            }
            Failure::Reset { phase } => format!("connection reset while {}", doing(*phase)),
            Failure::Io { phase, errno } => {
                format!("{} while {}", system_error(*errno), doing(*phase))
            }
            Failure::NotHttp { got, .. } => {
                format!("not HTTP: the reply begins with {}", self.shown(got))
            }
            Failure::BadHead { why, got } => {
                format!("malformed HTTP response head ({why}): {}", self.shown(got))
            }
            Failure::LongHead => format!("HTTP response head longer than {} KiB", MAX_HEAD / 1024),
            Failure::Coded(coding) => format!(
                "the body cannot be judged: it is coded as {}, which was not asked for",
                self.shown(coding)
            ),
            Failure::BadBody => "malformed HTTP body: its chunks or its length are wrong".into(),
            Failure::Status {
                got,
                expected,
                body,
            } => {
                let body = if body.is_empty() {
                    String::new()
                } else {
                    self.body_part(body)
                };
                format!("status {got}, expected {}{body}", self.quoted(expected, ""))
            }
            Failure::Redirect { status, to, why } => {
                let why = match why {
                    NotFollowed::Elsewhere => "which is not an http URL of this machine",
                    NotFollowed::Tls => "which needs TLS, and this build has none",
                    NotFollowed::TooMany => "after 5 redirects that were followed",
                };
                format!("status {status} redirects to {}, {why}", self.shown(to))
            }
            Failure::Unexpected(unmet) => self.unmet(unmet),
            Failure::Sick(said) => format!("the server says: {}", self.shown(said)),
            Failure::Alien { scheme, got, .. } => {
                format!("not {scheme}: the reply begins with {}", self.shown(got))
            }
            Failure::LongReply(bytes) => format!("a reply of more than {} KiB", bytes / 1024),
            Failure::GrpcStatus(status) => {
                let meaning = match status {
                    5 => " NOT_FOUND: the health service does not know this service",
                    12 => " UNIMPLEMENTED: the server has no health service",
                    7 => " PERMISSION_DENIED",
                    14 => " UNAVAILABLE",
                    16 => " UNAUTHENTICATED",
                    _ => "",
                };
                format!("grpc-status {status}{meaning}")
            }
            Failure::NotServing(status) => {
                let name = match status {
                    0 => " UNKNOWN",
                    2 => " NOT_SERVING",
                    3 => " SERVICE_UNKNOWN",
                    _ => "",
                };
                format!("serving status {status}{name}, expected 1 SERVING")
            }
            Failure::FastCgiStatus(status) => {
                let meaning = match status {
                    1 => ": it takes one request a connection",
                    2 => ": it is overloaded",
                    3 => ": it is no responder",
                    _ => "",
                };
                format!("FastCGI protocol status {status}{meaning}")
            }
            Failure::NoScript(body) => format!(
                "status 404: it is alive, and has nothing at this path (php-fpm: set ping.path){}",
                self.body_part(body)
            ),
            Failure::NoProcess(pid) => format!("there is no process {pid}"),
            Failure::DeadProcess(pid, state) => {
                format!("process {pid} is dead: state {state} (a zombie has ended)")
            }
            Failure::OtherProcess(pid, name) => {
                format!("process {pid} is another program: {}", self.shown(name))
            }
            Failure::NoPid(text) if text.is_empty() => "the PID file is empty".into(),
            Failure::NoPid(text) => format!("the PID file holds no PID: {}", self.shown(text)),
            Failure::File(file, errno) => {
                let file = printable(file.as_os_str().as_encoded_bytes(), 120);
                format!("{file}: {}", system_error(*errno))
            }
            Failure::Stale(ago, limit) => {
                format!(
                    "touched {} ago, expected within {}",
                    age(*ago),
                    time(*limit)
                )
            }
            Failure::Future(ahead) => {
                format!(
                    "touched {} in the future: a clock has jumped, and the age is unknown",
                    age(*ahead)
                )
            }
        }
    }

    fn unmet(&self, unmet: &Unmet) -> String {
        match unmet {
            Unmet::BodyLacks {
                text,
                bounded,
                body,
            } => {
                let bound = if *bounded {
                    format!(" in its first {} MiB", MAX_BODY >> 20)
                } else {
                    String::new()
                };
                format!(
                    "body lacks {}{bound}{}",
                    self.quoted(text, "\""),
                    self.body_part(body)
                )
            }
            Unmet::BodyHas { text, body } => {
                format!(
                    "body contains {}{}",
                    self.quoted(text, "\""),
                    self.body_part(body)
                )
            }
            Unmet::BodyTooLong => format!(
                "body longer than the {} MiB that are searched",
                MAX_BODY >> 20
            ),
            Unmet::NotJson { body } => format!("body is not JSON{}", self.body_part(body)),
            Unmet::JsonLacks { path, body } => {
                format!(
                    "JSON has no {}{}",
                    self.quoted(path, ""),
                    self.body_part(body)
                )
            }
            Unmet::JsonDiffers {
                path,
                expected,
                got,
            } => {
                format!(
                    "JSON {} is {}, expected {}",
                    self.quoted(path, ""),
                    self.shown(got),
                    self.quoted(expected, "\"")
                )
            }
            Unmet::HeaderLacks { name } => format!("no header {}", self.quoted(name, "")),
            Unmet::HeaderDiffers {
                name,
                expected,
                got,
            } => {
                format!(
                    "header {} is \"{}\", expected {}",
                    self.quoted(name, ""),
                    self.shown(got),
                    self.quoted(expected, "\"")
                )
            }
        }
    }

    fn shown(&self, snippet: &Snippet) -> String {
        snippet.text(&self.secrets)
    }

    fn body_part(&self, body: &Snippet) -> String {
        if body.is_empty() {
            "; the body is empty".into()
        } else {
            format!("; body: {}", self.shown(body))
        }
    }

    /// Text of the command line, escaped and cut like everything else.
    fn quoted(&self, text: &str, quote: &str) -> String {
        let text = printable(&self.secrets.blacken(text.as_bytes()), 80);
        format!("{quote}{text}{quote}")
    }
}

fn timed_out(phase: Phase, peer: Option<&Peer>, timeout: Duration) -> String {
    let timeout = time(timeout);
    let to = peer
        .map(|peer| format!(" to {}", peer_name(peer)))
        .unwrap_or_default();
    match phase {
        Phase::Connect => {
            format!(
                "no response within {timeout}: timed out connecting{to}: it may listen, and accept nobody"
            )
        }
        Phase::Send => format!("no response within {timeout}: connected, sending the request"),
        Phase::StatusLine => {
            format!(
                "no response within {timeout}: connected, request sent, waiting for the status line"
            )
        }
        Phase::Headers => {
            format!(
                "no whole response within {timeout}: connected, request sent, status line read, reading headers"
            )
        }
        Phase::Body => {
            format!(
                "no whole response within {timeout}: connected, request sent, headers read, reading the body"
            )
        }
        Phase::Greeting => {
            format!("no response within {timeout}: connected, waiting for the greeting")
        }
        Phase::Reply => {
            format!("no response within {timeout}: connected, request sent, waiting for the reply")
        }
        Phase::Judge => {
            format!("no verdict within {timeout}: connected, body read, still judging it")
        }
    }
}

fn doing(phase: Phase) -> &'static str {
    match phase {
        Phase::Connect => "connecting",
        Phase::Send => "sending the request",
        Phase::StatusLine => "waiting for the status line",
        Phase::Headers => "reading headers",
        Phase::Body => "reading the body",
        Phase::Greeting => "waiting for the greeting",
        Phase::Reply => "waiting for the reply",
        Phase::Judge => "judging the body",
    }
}

fn advice(hint: &Hint) -> String {
    match hint {
        Hint::Listening(names) if names.is_empty() => "nothing listens here".into(),
        Hint::Listening(names) => format!("listening here: {}", joined(names, ", ")),
        Hint::Speaks(protocol) => format!("this looks like {}", protocol_name(*protocol)),
        Hint::Follow => "-L follows redirects".into(),
    }
}

fn protocol_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Http => "HTTP",
        Protocol::Tls => "TLS",
        Protocol::Ssh => "SSH",
        Protocol::Http2 => "HTTP/2",
        Protocol::Mail => "SMTP or FTP",
        Protocol::Redis => "Redis",
        Protocol::Mysql => "MySQL",
    }
}

fn peer_name(peer: &Peer) -> String {
    match peer {
        Peer::Tcp(address) => address.to_string(),
        Peer::Unix(path) => printable(path.as_os_str().as_encoded_bytes(), 120),
    }
}

/// `[String]::join`, which would cost 800 bytes.
fn joined(texts: &[String], between: &str) -> String {
    let mut all = String::new();
    for (at, text) in texts.iter().enumerate() {
        all.push_str(if at > 0 { between } else { "" });
        all.push_str(text);
    }
    all
}

fn system_error(errno: i32) -> String {
    std::io::Error::from_raw_os_error(errno).to_string()
}

/// A time for people: `0.4 ms`, `12 ms`, `1.5 s`, `5 s`. Rounded to what matters, in integers: formatting a float
/// would cost 10 KB.
pub fn time(time: Duration) -> String {
    // A u64 of microseconds is half a million years; to print a u128 would cost 2 KB.
    let micros = time.as_micros() as u64;
    let (value, per_unit, unit) = match micros {
        0..1_000_000 => (micros, 1_000, "ms"),
        _ => (micros, 1_000_000, "s"),
    };
    let tenths = (value + per_unit / 20) / (per_unit / 10);
    match (tenths / 10, tenths % 10) {
        (whole, 0) if whole > 0 => format!("{whole} {unit}"),
        (whole @ 10.., _) if unit == "ms" => format!("{whole} {unit}"),
        (whole, tenth) => format!("{whole}.{tenth} {unit}"),
    }
}

/// The age of a file, which can be long: `3 s`, `59 min`, `10 d`.
fn age(age: Duration) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let seconds = age.as_secs();
    match units.into_iter().find(|(unit, _)| seconds >= 2 * unit) {
        Some((unit, name)) => format!("{} {name}", seconds / unit),
        None => time(age),
    }
}

/// The trace of an exchange: `*` for the phases, `>` for the request, `<` for the head of the response.
fn trace(trace: &Trace, secrets: &Secrets) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_for_people() {
        for (micros, text) in [
            (0, "0.0 ms"),
            (40, "0.0 ms"),
            (50, "0.1 ms"),
            (400, "0.4 ms"),
            (1_000, "1 ms"),
            (1_240, "1.2 ms"),
            (9_940, "9.9 ms"),
            (12_700, "12 ms"),
            (500_000, "500 ms"),
            (1_000_000, "1 s"),
            (1_500_000, "1.5 s"),
            (5_000_000, "5 s"),
            (60_000_000, "60 s"),
            (150_000_000, "150 s"),
        ] {
            assert_eq!(time(Duration::from_micros(micros)), text, "{micros}");
        }
    }

    #[test]
    fn judging_can_take_too_long() {
        assert_eq!(
            timed_out(Phase::Judge, None, Duration::from_secs(1)),
            "no verdict within 1 s: connected, body read, still judging it"
        );
    }

    #[test]
    fn a_line_is_cut_with_its_end_kept() {
        let line = cut("é".repeat(600), " (1.2 ms)");
        assert!(
            line.len() <= MAX_LINE && line.ends_with("... (1.2 ms)\n"),
            "{line}"
        );
    }
}
