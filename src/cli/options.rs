//! The options: one row each feeds the parser, `--help`, and the README's test.

use super::{Style, help, values};
use crate::expect::{HeaderExpectation, JsonExpectation, Statuses, text_to_find};
use crate::http::request;
use crate::kill;
use crate::protocol::{self, Protocol, Takes};
use crate::target::{Complaint, Host, place, time, url};
use Kind::{Flag, Info, Line, Many, One};
use Scope::{Any, For, NoUrl};
use std::time::Duration;

/// An option, as the parser and the help see it.
pub struct Row {
    /// The letter after one dash.
    pub short: Option<char>,
    /// The name after two dashes, or after one as in Go.
    pub long: &'static str,
    /// What the help calls its value; empty if it takes none.
    pub value: &'static str,
    /// What the help says of it.
    pub help: &'static str,
    /// Which targets it applies to.
    pub scope: Scope,
    /// Whether the value may be a secret, so that no message shows it.
    pub secret: bool,
    /// What it takes, and what is done with it.
    pub kind: Kind,
}

/// Whether an option takes a value, how often, and what is done with it.
pub enum Kind {
    /// No value; giving it twice changes nothing.
    Flag(fn(&mut Given)),
    /// One value; giving it twice is an error.
    One(fn(&mut Given, &str) -> Result<(), Complaint>),
    /// One value, in which no variable is replaced here.
    Line(fn(&mut Given, String)),
    /// A value each time.
    Many(fn(&mut Given, &str) -> Result<(), Complaint>),
    /// No value; the text is printed, and nothing is checked.
    Info(fn() -> String),
}

/// Which targets an option applies to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All targets.
    Any,
    /// The one that is described by options, in place of a URL.
    NoUrl,
    /// Those whose protocol takes such an option.
    For(Takes),
}

impl Scope {
    /// Whether an option of this scope applies to targets of this protocol.
    pub fn applies_to(self, protocol: &Protocol) -> bool {
        match self {
            Any | NoUrl => true,
            For(kind) => protocol.takes.contains(&kind),
        }
    }
}

/// What the options said, each value checked on its own.
#[derive(Default)]
pub struct Given {
    /// `--port`.
    pub port: Option<u16>,
    /// `--path`.
    pub path: Option<String>,
    /// `--host`, as it was written, and as it is understood.
    pub host: Option<(String, Host)>,
    /// What all targets are asked.
    pub options: protocol::Options,
    /// `--timeout`.
    pub timeout: Option<Duration>,
    /// `--command`.
    pub line: Option<String>,
    /// `--wait`.
    pub wait: Option<Duration>,
    /// `--kill`.
    pub kill: Option<kill::Named>,
    /// `--spare`.
    pub spare: Option<Duration>,
    /// `--install`.
    pub install: Option<String>,
    /// How much is printed.
    pub style: Style,
}

const fn row(
    short: Option<char>,
    long: &'static str,
    value: &'static str,
    help: &'static str,
    scope: Scope,
    kind: Kind,
) -> Row {
    Row {
        short,
        long,
        value,
        help,
        scope,
        secret: false,
        kind,
    }
}

const fn secret(row: Row) -> Row {
    Row {
        secret: true,
        ..row
    }
}

#[rustfmt::skip]
pub const OPTIONS: &[Row] = &[
    row(Some('p'), "port", "PORT", "port (default: $PORT if set, else 80)", NoUrl,
        One(|given, text| set(&mut given.port, place::port(text)))),
    row(None, "path", "PATH", "path and query (default: /health; a URL without a path asks for /)", NoUrl,
        One(|given, text| set(&mut given.path, url::path_and_query(text)))),
    row(None, "host", "HOST", "localhost, an IP address of this machine, or self: the one that PORT is listened on (default: localhost)", NoUrl,
        One(|given, text| set(&mut given.host, values::host(text)))),
    row(None, "unix-socket", "FILE", "connect through this unix socket instead of TCP", For(Takes::Connection),
        One(|given, text| set(&mut given.options.unix_socket, place::unix_socket(text)))),
    row(None, "status", "LIST", "healthy statuses, such as 200,204 or 2xx or 200-399 (default: 200-299)", For(Takes::Http),
        One(|given, text| set(&mut given.options.statuses, Statuses::parse(text)))),
    row(Some('b'), "body", "TEXT", "the body contains TEXT; repeatable, all must hold", For(Takes::Text),
        Many(|given, text| push(&mut given.options.body.body, text_to_find(text)))),
    row(None, "body-not", "TEXT", "the body does not contain TEXT; repeatable", For(Takes::Text),
        Many(|given, text| push(&mut given.options.body.body_not, text_to_find(text)))),
    row(Some('j'), "json", "PATH[=VALUE]", "the JSON body has PATH (a.b.0 or /a/b/0), equal to VALUE; repeatable", For(Takes::Http),
        Many(|given, text| push(&mut given.options.body.json, JsonExpectation::parse(text)))),
    row(None, "expect-header", "NAME[: VALUE]", "the response has the header, equal to VALUE", For(Takes::Http),
        One(|given, text| set(&mut given.options.expect_header, HeaderExpectation::parse(text)))),
    row(Some('X'), "method", "METHOD", "request method (default: GET)", For(Takes::Http),
        One(|given, text| set(&mut given.options.method, request::method(text)))),
    secret(row(Some('H'), "header", "'NAME: VALUE'", "request header; repeatable; Host replaces the computed one", For(Takes::Http),
        Many(|given, text| push(&mut given.options.headers, request::header(text))))),
    secret(row(Some('d'), "data", "TEXT", "request body; the method becomes POST unless given", For(Takes::Http),
        One(|given, text| set(&mut given.options.data, Ok(text.to_owned()))))),
    secret(row(Some('u'), "user", "USER:PASSWORD", "basic authentication; never printed", For(Takes::Http),
        One(|given, text| set(&mut given.options.user, request::user(text))))),
    row(Some('A'), "user-agent", "TEXT", concat!("User-Agent (default: healthchecker/", env!("CARGO_PKG_VERSION"), ")"), For(Takes::Http),
        One(|given, text| set(&mut given.options.user_agent, request::header_value(text)))),
    row(Some('L'), "location", "", "follow up to 5 redirects within this machine", For(Takes::Http),
        Flag(|given| given.options.follow = true)),
    secret(row(None, "send", "TEXT", "send TEXT to a tcp:// target first; \\r \\n \\t \\0 \\xHH \\\\ are escapes", For(Takes::Send),
        One(|given, text| set(&mut given.options.send, values::unescape(text))))),
    row(Some('t'), "timeout", "TIME", "the deadline for everything: 3, 0.5, 500ms, 2s, 1m (default: 5s)", Any,
        One(|given, text| set(&mut given.timeout, time::parse(text)))),
    row(None, "wait", "TIME", "ask again until all are healthy, for at most TIME; each attempt has --timeout", Any,
        One(|given, text| set(&mut given.wait, time::parse(text)))),
    row(Some('c'), "command", "LINE", "LINE is a health check as written for a shell: curl -f localhost || exit 1", Any,
        Line(|given, line| given.line = Some(line))),
    row(None, "kill", "SIGNAL", "if unhealthy, send TERM, INT, QUIT, HUP, USR1, USR2 or KILL to this container's PID 1", Any,
        One(|given, text| set(&mut given.kill, kill::signal(text)))),
    row(None, "spare", "TIME", "with --kill: spare a PID 1 younger than TIME (default: 60s)", Any,
        One(|given, text| set(&mut given.spare, values::zero_or_time(text)))),
    row(None, "install", "FILE", "copy this program to FILE, and end", Any,
        One(|given, text| set(&mut given.install, values::file(text)))),
    row(Some('q'), "quiet", "", "print nothing", Any,
        Flag(|given| given.style.quiet = true)),
    row(Some('v'), "verbose", "", "also print the request, the response head and the time of each phase", Any,
        Flag(|given| given.style.verbose = true)),
    row(Some('h'), "help", "", "print this help", Any, Info(help::help)),
    row(Some('V'), "version", "", "print the version", Any, Info(help::version)),
];

fn set<T>(slot: &mut Option<T>, value: Result<T, Complaint>) -> Result<(), Complaint> {
    *slot = Some(value?);
    Ok(())
}

fn push<T>(list: &mut Vec<T>, value: Result<T, Complaint>) -> Result<(), Complaint> {
    list.push(value?);
    Ok(())
}
