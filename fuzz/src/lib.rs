//! What the targets share. The first half is all that they use of the library, so that a change there is followed in one
//! place; the second half is what inputs are made of.

use healthchecker::cli::variables::{self, BadReference};
use healthchecker::cli::{self, Command};
use healthchecker::deadline::Deadline;
use healthchecker::expect::document;
use healthchecker::http::body::Body;
use healthchecker::http::framing::framing;
use healthchecker::http::head::{self, Head};
use healthchecker::net::Transport;
use healthchecker::net::listeners;
use healthchecker::protocol;
use healthchecker::protocol::dns;
use healthchecker::protocol::handshake::Handshake;
use healthchecker::report::{self, Report};
use healthchecker::run::Attempt;
use healthchecker::snippet::{Secrets, Snippet};
use healthchecker::target::Host;
use healthchecker::target::url::Url;
use healthchecker::verdict::{Failure, Health, Refusal, Reply as Judgement};
use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

/// What a command line came to.
#[derive(Debug, PartialEq)]
pub enum Parsed {
    /// A check, as its `Debug` shows it. It hides what is marked as a secret.
    Check { names: Vec<String>, shown: String },
    /// A text to print.
    Info(String),
    /// A file to write.
    Install(String),
    /// The line that says what is wrong.
    Error(String),
}

/// Parses a command line. `variables` are those of the environment.
pub fn parse(arguments: &[OsString], variables: &[(&str, OsString)]) -> Parsed {
    let lookup = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone())
    };
    match cli::parse(arguments.to_vec(), &lookup) {
        Ok(Command::Check(check, style)) => Parsed::Check {
            names: check
                .targets
                .iter()
                .map(|target| target.name().to_owned())
                .collect(),
            shown: format!("{check:?} {style:?}"),
        },
        Ok(Command::Info(text)) => Parsed::Info(text),
        Ok(Command::Install(file)) => Parsed::Install(file),
        Err(usage) => {
            let mut line = Vec::new();
            Report::new(Vec::new(), &mut line).usage(&usage.0);
            Parsed::Error(String::from_utf8(line).expect("a line in UTF-8"))
        }
    }
}

/// The text of `--help`.
pub fn help() -> String {
    cli::help()
}

/// Why a reference cannot be replaced.
#[derive(Debug, PartialEq)]
pub enum Unexpanded {
    Unclosed,
    NotAName(String),
    Nested(String),
    Unset(String),
    NotUtf8(String),
}

/// Replaces `${}` in a text. A variable is unset, or has a value, which can be something else than UTF-8.
pub fn expand(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<Result<String, ()>>,
) -> Result<String, Unexpanded> {
    variables::expand(text, lookup).map_err(|bad| match bad.what {
        BadReference::Unclosed => Unexpanded::Unclosed,
        BadReference::NotAName(name) => Unexpanded::NotAName(name),
        BadReference::Nested(name) => Unexpanded::Nested(name),
        BadReference::Unset(name) => Unexpanded::Unset(name),
        BadReference::NotUtf8(name) => Unexpanded::NotUtf8(name),
    })
}

/// A URL in its parts. `ip` is none for `localhost` and `self`.
#[derive(Debug, PartialEq)]
pub struct Parts {
    pub scheme: String,
    pub credentials: Option<(String, String)>,
    pub host: String,
    pub ip: Option<IpAddr>,
    pub port: Option<u16>,
    pub path: String,
}

/// Parses a URL.
pub fn url(text: &str) -> Result<Parts, &'static str> {
    Url::parse(text).map(|url| Parts {
        scheme: url.scheme,
        credentials: url.credentials,
        host: url.host_text,
        ip: match url.host {
            Host::Localhost | Host::Own => None,
            Host::Ip(ip) => Some(ip),
        },
        port: url.port,
        path: url.path,
    })
}

/// The value that a text is, if it is JSON, and the text of what is at the end of `path` in it.
pub fn json<'a>(text: &'a [u8], path: &[String]) -> Option<(&'a str, Option<&'a str>)> {
    let document = document::value(text)?;
    Some((document, document::at(document, path)))
}

/// Whether a value in JSON is what somebody wrote on the command line.
pub fn json_equals(found: &str, expected: &str) -> bool {
    document::equals(found, expected)
}

/// How much of an HTTP reply has come.
#[derive(Debug, PartialEq)]
pub enum Reply {
    /// No head that can be used.
    None(&'static str),
    /// A head and what is known of the body.
    Body {
        head: Vec<u8>,
        content: Vec<u8>,
        /// Whether all of it is there. A body that lasts until the connection closes never is.
        whole: bool,
        broken: bool,
        coding: Option<Vec<u8>>,
    },
}

/// Takes a reply apart that comes in these pieces, as the transport does.
pub fn http_reply<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, to_head: bool) -> Reply {
    let mut pieces = pieces.into_iter();
    let mut input = Vec::new();
    let end = loop {
        match head::head_in(&input) {
            Head::Final(end) => break end,
            Head::Interim(end) => {
                input.drain(..end);
                continue;
            }
            Head::NotHttp => return Reply::None("not HTTP"),
            Head::Partial(_) => {}
        }
        match pieces.next() {
            Some(piece) => input.extend_from_slice(piece),
            None => return Reply::None("partial"),
        }
    };
    head::unfold(&mut input[..end]);
    let framed = match framing(&input[..end], to_head) {
        Ok(framed) => framed,
        Err(_) => return Reply::None("bad framing"),
    };
    let Ok(shown) = head::for_ureq(&input[..end]) else {
        return Reply::None("bad field");
    };
    let head = input[..end].to_vec();
    let mut ready = shown.len();
    input.splice(..end, shown);
    let mut body: Body = framed.body;
    let begin = ready;
    ready = body.decode(&mut input, ready);
    for piece in pieces {
        if body.is_whole() || body == Body::Broken {
            break;
        }
        input.extend_from_slice(piece);
        ready = body.decode(&mut input, ready);
    }
    Reply::Body {
        head,
        content: input[begin..ready].to_vec(),
        whole: body.is_whole(),
        broken: body == Body::Broken,
        coding: framed.coding,
    }
}

/// What a reply of another protocol amounts to.
#[derive(Debug, Clone, PartialEq)]
pub enum Judged {
    More,
    /// With the length of the reply.
    Well(usize),
    /// Whether the client should have said who it is, and what the server says.
    Refuses(bool, String),
    Sick(String),
    Alien,
}

fn handshakes() -> impl Iterator<Item = (&'static str, &'static Handshake)> {
    let rows = protocol::ALL.iter();
    rows.filter_map(|row| Some((row.scheme, row.handshake?)))
}

/// The schemes whose replies are judged step by step, and how many steps each has.
pub fn conversations() -> Vec<(&'static str, usize)> {
    handshakes()
        .map(|(scheme, handshake)| (scheme, handshake.steps.len()))
        .collect()
}

/// Judges a reply to one step of a scheme, as far as it has come.
pub fn judge(scheme: &str, step: usize, received: &[u8]) -> Judged {
    let (_, handshake) = handshakes()
        .find(|(name, _)| *name == scheme)
        .expect("a scheme");
    judged(handshake.steps[step].judge.judge(received))
}

/// Judges a response to the query `asked` of a name server; none for what is no response to it.
pub fn judge_dns(response: &[u8], asked: &[u8]) -> Option<Judged> {
    dns::answers(response, asked).then(|| judged(dns::judge(response)))
}

fn judged(reply: Judgement) -> Judged {
    let text = |said: Snippet| said.text(&Secrets::default());
    match reply {
        Judgement::Incomplete => Judged::More,
        Judgement::Ok(bytes) => Judged::Well(bytes),
        Judgement::Refused(refusal, said) => {
            Judged::Refuses(refusal == Refusal::Unauthenticated, text(said))
        }
        Judgement::Unavailable(said) => Judged::Sick(text(said)),
        Judgement::WrongProtocol => Judged::Alien,
    }
}

/// Asks the one target of a command line, and returns the line that is printed, without the time, and what kind of
/// verdict it is. What was heard of something that is no reply depends on what had come when that was seen, and so the
/// line of such a failure is not comparable.
pub fn ask(arguments: &[&str], socket: &Path) -> (String, &'static str, bool) {
    let mut arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
    arguments.extend(["--unix-socket".into(), socket.into()]);
    let Ok(Command::Check(check, _)) = cli::parse(arguments, &|_| None) else {
        panic!("not understood");
    };
    let target = &check.targets[0];
    let answer = target.ask(&Deadline::after(check.timeout));
    let line = report::line(target, &answer, None, &Attempt::only(check.timeout));
    let (kind, comparable) = match &answer.outcome {
        Ok(Health::Refuses(..)) => ("refuses", true),
        Ok(_) => ("well", true),
        Err(failure) => match **failure {
            Failure::Unavailable(_) => ("sick", true),
            Failure::WrongProtocol { .. } => ("alien", false),
            Failure::ClosedEarly { .. } => ("closed", false),
            Failure::NotHttp { .. } => ("not http", false),
            Failure::BadHead { .. } => ("bad head", true),
            Failure::BadBody => ("bad body", true),
            Failure::Status { .. } => ("status", false),
            Failure::TimedOut { .. } => ("late", false),
            Failure::Unexpected(_) => ("unexpected", false),
            _ => ("other", true),
        },
    };
    (line, kind, comparable)
}

/// The listener in a line of `/proc/net/tcp` or `tcp6`.
pub fn listener_in_proc(line: &str) -> Option<SocketAddr> {
    listeners::proc::listener(line.as_bytes(), Transport::Tcp)
}

/// The listeners in one part of an answer of sock_diag(7), and whether it was the last; none for an error.
pub fn listeners_in_diag(part: &[u8]) -> (Option<bool>, Vec<SocketAddr>) {
    let mut found = Vec::new();
    (
        listeners::diag::read_part(part, Transport::Tcp, &mut found),
        found,
    )
}

/// What is printed of a text that a service sent to a request with this header, and the same before it is made printable.
/// None where the header is none.
pub fn blackened(name: &str, value: &[u8], text: &[u8]) -> Option<(String, Vec<u8>)> {
    use ureq::http::{HeaderName, HeaderValue};
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let secrets = Secrets::of(&[(name, HeaderValue::from_bytes(value).ok()?)]);
    Some((Snippet::new(text).text(&secrets), secrets.blacken(text)))
}

// What inputs are made of.

/// Puts a text together from words and from bytes that the fuzzer chooses: a byte below 128 takes the word with this number
/// if there is one, and any other byte says how many bytes follow as they are.
pub fn spell(input: &[u8], words: &[&[u8]]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut rest = input;
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        match words.get(usize::from(first)) {
            Some(word) => text.extend_from_slice(word),
            None => {
                let (bytes, behind) = rest.split_at(rest.len().min(usize::from(first) % 16 + 1));
                text.extend_from_slice(bytes);
                rest = behind;
            }
        }
    }
    text
}

/// Cuts `whole` into pieces whose lengths are in `cuts`; the last one has the rest.
pub fn pieces<'a>(whole: &'a [u8], cuts: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = whole;
    for &cut in cuts {
        let (piece, behind) = rest.split_at(rest.len().min(usize::from(cut) % 64 + 1));
        if !piece.is_empty() {
            pieces.push(piece);
        }
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

/// Asserts that a line can be printed: one, of at most 512 bytes, without control characters.
pub fn assert_line(line: &str) {
    let text = line.strip_suffix('\n').expect("a line's end");
    assert!(line.len() <= 512, "{} bytes: {text}", line.len());
    assert_printable(text);
}

/// Asserts that nothing in a text could control a terminal or hide a part of it.
pub fn assert_printable(text: &str) {
    let bad = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    assert!(!text.contains(bad), "{text:?}");
}
