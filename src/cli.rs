//! The command line: one row per option feeds the parser, `--help`, and the README's test. Arguments and variables
//! in, a command out; nothing is printed and nothing is asked here.

use crate::check::{self, Check, Complaint, Host, Place, Target};
use crate::expect::{self, BodyExpectations, HeaderExpectation, JsonExpectation, Statuses};
use crate::net;
use crate::vars::{self, BadReference};
use crate::verdict::{Snippet, without_userinfo};
use lexopt::Arg;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;
use ureq::http::{HeaderName, HeaderValue, Method, header};

mod targets;

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    /// A text to print on stdout.
    Info(String),
    /// A check to run, and how to report it.
    Check(Check, Style),
}

/// How much is printed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// No line at all.
    pub quiet: bool,
    /// The exchange as well.
    pub verbose: bool,
}

/// Why a command line cannot be used: a sentence that names the option and the value, but no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage(pub String);

/// How a variable is looked up: `std::env::var_os`, or a test's table.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// What an option takes, what it may be given with, and what it does.
enum Kind {
    /// A flag.
    Flag(fn(&mut Given)),
    /// One value; giving it twice is an error.
    One(fn(&mut Given, &str) -> Result<(), Complaint>),
    /// A value each time.
    Many(fn(&mut Given, &str) -> Result<(), Complaint>),
    /// A text to print.
    Info(fn() -> String),
}

/// What kinds of target an option means something to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Every one.
    Any,
    /// The one that is described by options, in place of a URL.
    NoUrl,
    /// HTTP.
    Http,
    /// HTTP and plain TCP.
    HttpOrTcp,
    /// Plain TCP.
    Tcp,
    /// Whatever is asked over a connection.
    Connection,
}

impl Scope {
    fn has(self, scheme: &str) -> bool {
        match self {
            Scope::Any | Scope::NoUrl => true,
            Scope::Http => scheme == "http",
            Scope::HttpOrTcp => scheme == "http" || scheme == "tcp",
            Scope::Tcp => scheme == "tcp",
            Scope::Connection => scheme != "pid" && scheme != "file",
        }
    }
}

struct Row {
    short: Option<char>,
    long: &'static str,
    value: &'static str,
    help: &'static str,
    scope: Scope,
    /// Whether the value may be a secret, so that no message shows it.
    secret: bool,
    kind: Kind,
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

use Kind::{Flag, Info, Many, One};
use Scope::{Any, NoUrl};

#[rustfmt::skip]
const OPTIONS: &[Row] = &[
    row(Some('p'), "port", "PORT", "port (default: $PORT if set, else 80)", NoUrl,
        One(|given, text| set(&mut given.port, check::port(text)))),
    row(None, "path", "PATH", "path and query (default: /health; a URL without a path asks for /)", NoUrl,
        One(|given, text| set(&mut given.path, check::path_and_query(text)))),
    row(None, "host", "HOST", "localhost, or an IP address of this machine (default: localhost)", NoUrl,
        One(|given, text| set(&mut given.host, host(text)))),
    row(None, "unix-socket", "FILE", "connect through this unix socket instead of TCP", Scope::Connection,
        One(|given, text| set(&mut given.unix_socket, unix_socket(text)))),
    row(None, "status", "LIST", "healthy statuses, such as 200,204 or 2xx or 200-399 (default: 200-299)", Scope::Http,
        One(|given, text| set(&mut given.statuses, Statuses::parse(text)))),
    row(Some('b'), "body", "TEXT", "the body contains TEXT; repeatable, all must hold", Scope::HttpOrTcp,
        Many(|given, text| push(&mut given.body.has, not_empty(text)))),
    row(None, "body-not", "TEXT", "the body does not contain TEXT; repeatable", Scope::HttpOrTcp,
        Many(|given, text| push(&mut given.body.lacks, not_empty(text)))),
    row(Some('j'), "json", "PATH[=VALUE]", "the JSON body has PATH (a.b.0 or /a/b/0), equal to VALUE; repeatable", Scope::Http,
        Many(|given, text| push(&mut given.body.json, JsonExpectation::parse(text)))),
    row(None, "expect-header", "NAME[: VALUE]", "the response has the header, equal to VALUE", Scope::Http,
        One(|given, text| set(&mut given.expect_header, expect_header(text)))),
    row(Some('X'), "method", "METHOD", "request method (default: GET)", Scope::Http,
        One(|given, text| set(&mut given.method, method(text)))),
    secret(row(Some('H'), "header", "'NAME: VALUE'", "request header; repeatable; Host replaces the computed one", Scope::Http,
        Many(|given, text| push(&mut given.headers, check::header(text))))),
    secret(row(Some('d'), "data", "TEXT", "request body; the method becomes POST unless given", Scope::Http,
        One(|given, text| set(&mut given.data, Ok(text.to_owned()))))),
    secret(row(Some('u'), "user", "USER:PASSWORD", "basic authentication; never printed", Scope::Http,
        One(|given, text| set(&mut given.user, user(text))))),
    row(Some('A'), "user-agent", "TEXT", concat!("User-Agent (default: healthchecker/", env!("CARGO_PKG_VERSION"), ")"), Scope::Http,
        One(|given, text| set(&mut given.user_agent, user_agent(text)))),
    row(Some('L'), "location", "", "follow up to 5 redirects within this machine", Scope::Http,
        Flag(|given| given.follow = true)),
    secret(row(None, "send", "TEXT", "send TEXT to a tcp:// target first; \\r \\n \\t \\0 \\xHH \\\\ are escapes", Scope::Tcp,
        One(|given, text| set(&mut given.send, targets::unescape(text))))),
    row(Some('t'), "timeout", "TIME", "the deadline for everything: 3, 0.5, 500ms, 2s, 1m (default: 5s)", Any,
        One(|given, text| set(&mut given.timeout, check::time(text)))),
    row(Some('q'), "quiet", "", "print nothing", Any,
        Flag(|given| given.style.quiet = true)),
    row(Some('v'), "verbose", "", "also print the request, the response head and the time of each phase", Any,
        Flag(|given| given.style.verbose = true)),
    row(Some('h'), "help", "", "print this help", Any, Info(help)),
    row(Some('V'), "version", "", "print the version", Any, Info(version)),
];

/// The text of `--help`.
pub fn help() -> String {
    let mut text = String::from(
        "Usage: healthchecker [OPTIONS] [TARGET]...\n\n\
         Asks each TARGET on this machine whether it is well, prints one line for it, and exits with 0 if all\n\
         are healthy and with 1 otherwise. A TARGET is a URL such as http://localhost:8080/health; without one,\n\
         --host, --port and --path say what to ask.\n\nOptions:\n",
    );
    for row in OPTIONS {
        let short = row
            .short
            .map_or("    ".into(), |short| format!("-{short}, "));
        let option = format!("{short}--{} {}", row.long, row.value);
        text.push_str(&format!("  {:<36}{}\n", option.trim_end(), row.help));
    }
    text.push_str("\nTargets, with their default ports, and what healthy proves:\n");
    for scheme in targets::all() {
        text.push_str(&format!("  {:<36}{}\n", scheme.form(), scheme.proves));
    }
    text.push_str(
        "\nLong options also work with one dash (-port=8080). ${NAME} and ${NAME:-default} in a value or TARGET are\n\
         replaced from the environment; $${ is a literal ${.\n",
    );
    text
}

fn version() -> String {
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    const TARGET: &str = env!("HEALTHCHECKER_TARGET");
    let linkage = if cfg!(target_feature = "crt-static") {
        "static"
    } else {
        "dynamic"
    };
    format!("healthchecker {VERSION} ({linkage}, {TARGET})\n")
}

/// No server takes more; an http::HeaderMap panics at 32768.
const MAX_HEADERS: usize = 1000;

/// What the options said, each value checked on its own.
#[derive(Default)]
struct Given {
    port: Option<u16>,
    path: Option<String>,
    host: Option<(String, Host)>,
    unix_socket: Option<PathBuf>,
    statuses: Option<Statuses>,
    body: BodyExpectations,
    expect_header: Option<HeaderExpectation>,
    method: Option<Method>,
    headers: Vec<(HeaderName, HeaderValue)>,
    data: Option<String>,
    send: Option<Vec<u8>>,
    user: Option<HeaderValue>,
    user_agent: Option<HeaderValue>,
    follow: bool,
    timeout: Option<Duration>,
    style: Style,
}

fn set<T>(slot: &mut Option<T>, value: Result<T, Complaint>) -> Result<(), Complaint> {
    *slot = Some(value?);
    Ok(())
}

fn push<T>(list: &mut Vec<T>, value: Result<T, Complaint>) -> Result<(), Complaint> {
    list.push(value?);
    Ok(())
}

fn host(text: &str) -> Result<(String, Host), Complaint> {
    match check::host(text) {
        Ok(host) => Ok((text.to_owned(), host)),
        Err(_) if text.starts_with("localhost:") || expect::contains(text.as_bytes(), "://") => {
            Err(
                "is more than a host: say the rest with --port and --path, or all of it as the TARGET",
            )
        }
        Err(complaint) => Err(complaint),
    }
}

fn not_empty(text: &str) -> Result<String, Complaint> {
    if text.is_empty() {
        Err("is in every body: write the text to look for")
    } else {
        Ok(text.to_owned())
    }
}

fn unix_socket(text: &str) -> Result<PathBuf, Complaint> {
    // struct sockaddr_un has 108 bytes on Linux, the NUL at the end included.
    match text.len() {
        0 => Err("is no file"),
        1..=107 => Ok(text.into()),
        _ => Err("is longer than the 107 bytes that a socket's path can have"),
    }
}

fn expect_header(text: &str) -> Result<HeaderExpectation, Complaint> {
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return Err("has a control character");
    }
    let (name, value) = match text.split_once(':') {
        Some((name, value)) => (name, Some(value.trim_matches(' ').to_owned())),
        None => (text, None),
    };
    match HeaderName::from_bytes(name.as_bytes()) {
        Ok(_) => Ok(HeaderExpectation {
            name: name.to_owned(),
            value,
        }),
        Err(_) => Err("is no NAME or 'NAME: VALUE' of a header"),
    }
}

fn method(text: &str) -> Result<Method, Complaint> {
    match Method::from_bytes(text.as_bytes()) {
        Ok(Method::CONNECT) => Err("asks a proxy for a tunnel, which is no check"),
        Ok(method) => Ok(method),
        Err(_) => Err("is not a method such as GET or HEAD"),
    }
}

fn user(text: &str) -> Result<HeaderValue, Complaint> {
    let (user, password) = text
        .split_once(':')
        .ok_or("has no colon between user and password")?;
    check::basic(user, password)
}

fn user_agent(text: &str) -> Result<HeaderValue, Complaint> {
    check::header_value(text)
}

/// Parses the arguments that follow the program's name.
///
/// # Errors
/// [`Usage`], for the first thing that is wrong. `--help` and `--version` come before any error.
pub fn parse(arguments: Vec<OsString>, variables: Variables) -> Result<Command, Usage> {
    let (options, targets) = match split(arguments)? {
        Split::Info(info) => return Ok(Command::Info(info())),
        Split::Options(options, targets) => (options, targets),
    };
    let mut given = Given::default();
    let mut used: Vec<&Row> = Vec::new();
    for (row, value) in options {
        if matches!(row.kind, One(_)) && used.iter().any(|other| other.long == row.long) {
            return Err(Usage(format!("--{}: given twice", row.long)));
        }
        used.push(row);
        match (&row.kind, value) {
            (Flag(set), _) => set(&mut given),
            (One(set) | Many(set), Some(value)) => {
                let name = format!("--{}", row.long);
                let value = expand(&name, row.secret, value, variables)?;
                set(&mut given, &value).map_err(|complaint| complain(row, &value, complaint))?;
            }
            // `split` gives every such row its value, and ends at the others.
            (One(_) | Many(_) | Info(_), _) => {}
        }
    }
    let targets = targets
        .into_iter()
        .map(|text| {
            let credentials = text.as_bytes().contains(&b'@');
            expand("TARGET", credentials, text, variables)
        })
        .collect::<Result<Vec<_>, _>>()?;
    contradictions(&given, &used, &targets)?;
    let timeout = given.timeout.unwrap_or(Duration::from_secs(5));
    let style = given.style;
    let targets: Vec<Target> = match targets.is_empty() {
        true => vec![targets::from_options(&given, variables)?],
        false => targets
            .iter()
            .map(|text| targets::from_url(text, &given))
            .collect::<Result<_, _>>()?,
    };
    for target in &targets {
        let scheme = target.name.split(':').next().unwrap_or_default();
        if let Some(row) = used.iter().find(|row| !row.scope.has(scheme)) {
            return Err(Usage(format!(
                "--{}: means nothing to a target of the kind {scheme}",
                row.long
            )));
        }
        // Before anything is sent to the first target, the routing table knows whether the last one is elsewhere.
        if let Place::Tcp(Host::Ip(ip), _) = target.place
            && !net::is_here(ip)
        {
            let option = given.host.as_ref().map_or("TARGET", |_| "--host");
            return Err(Usage(format!(
                "{option}: \"{ip}\" {}",
                check::NOT_THIS_MACHINE
            )));
        }
    }
    Ok(Command::Check(Check { targets, timeout }, style))
}

enum Split {
    Info(fn() -> String),
    Options(Vec<(&'static Row, Option<OsString>)>, Vec<OsString>),
}

/// Splits the arguments into options with their raw values, and targets. What is wrong is said only when no
/// `--help` follows.
fn split(arguments: Vec<OsString>) -> Result<Split, Usage> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut options = Vec::new();
    let mut targets = Vec::new();
    let mut wrong = None;
    let mut ended = false;
    loop {
        let row = match single_dash(&mut parser, &mut ended) {
            Some(row) => row,
            None => match parser.next() {
                Ok(None) => break,
                Ok(Some(Arg::Value(target))) => {
                    targets.push(target);
                    continue;
                }
                Ok(Some(Arg::Long(long))) => {
                    let row = find(|row| row.long == long).ok_or_else(|| no_such(long, "--"));
                    let value = parser.optional_value();
                    row.map(|row| (row, value))
                }
                Ok(Some(Arg::Short(short))) => find(|row| row.short == Some(short))
                    .map(|row| (row, None))
                    .ok_or_else(|| no_such(&short.to_string(), "-")),
                // Not known to happen: each value that lexopt could miss or find too many is taken here.
                Err(_) => Err(Usage("the arguments cannot be read".into())),
            },
        };
        match row {
            Ok((
                Row {
                    kind: Info(info), ..
                },
                None,
            )) => return Ok(Split::Info(*info)),
            Ok((
                row @ Row {
                    kind: Flag(_) | Info(_),
                    ..
                },
                Some(_),
            )) => {
                wrong.get_or_insert(Usage(format!("--{}: takes no value", row.long)));
            }
            Ok((row @ Row { kind: Flag(_), .. }, None)) => options.push((row, None)),
            Ok((row, value)) => match value.map_or_else(|| parser.value().ok(), Some) {
                Some(value) => options.push((row, Some(value))),
                None => {
                    wrong.get_or_insert(Usage(format!(
                        "--{}: needs a value: {}",
                        row.long, row.value
                    )));
                }
            },
            Err(usage) => {
                wrong.get_or_insert(usage);
            }
        }
    }
    wrong.map_or(Ok(Split::Options(options, targets)), Err)
}

fn find(is: impl Fn(&Row) -> bool) -> Option<&'static Row> {
    OPTIONS.iter().find(|row| is(row))
}

/// Looks at an argument that begins with one dash, if that is what comes next, and takes it if it is a long option in
/// Go's form, `-port` or `-port=80`, or wrong. Looked at in place: to rewrite the arguments beforehand would corrupt
/// values that begin with a dash. And as a whole: by its letters, a misspelt `-hots=::1` would be a call for help, which
/// is exit code 0.
fn single_dash(
    parser: &mut lexopt::Parser,
    ended: &mut bool,
) -> Option<Result<(&'static Row, Option<OsString>), Usage>> {
    // None in the middle of a cluster of short options.
    let mut rest = parser.try_raw_args()?;
    let argument = rest.peek()?.as_bytes();
    *ended |= argument == b"--";
    let body = argument.strip_prefix(b"-")?;
    if *ended || body.is_empty() || body.starts_with(b"-") {
        return None;
    }
    let mut parts = body.splitn(2, |&byte| byte == b'=');
    let name = parts.next().unwrap_or_default();
    let value = parts
        .next()
        .map(|value| OsStr::from_bytes(value).to_owned());
    let row = match find(|row| row.long.as_bytes() == name) {
        Some(row) => Ok((row, value)),
        None if is_cluster(body) => return None,
        None => {
            let name = String::from_utf8_lossy(name);
            Err(match !name.is_empty() && is_cluster(name.as_bytes()) {
                true => Usage(format!("-{name}: takes no value")),
                false => no_such(&name, "-"),
            })
        }
    };
    rest.next();
    Some(row)
}

/// Whether each letter is an option, up to one that takes the rest as its value; none does after an `h` or a `V`.
fn is_cluster(letters: &[u8]) -> bool {
    let mut asks = false;
    for &letter in letters {
        match find(|row| row.short == Some(letter.into())).map(|row| &row.kind) {
            Some(Flag(_)) => {}
            Some(Info(_)) => asks = true,
            Some(One(_) | Many(_)) => return !asks,
            None => return false,
        }
    }
    true
}

/// Names an option that is none, as far as it looks like one: what follows can be a secret, as in `--user:me:secret`.
fn no_such(name: &str, dashes: &str) -> Usage {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let (name, rest) = name.split_at(name.find(ends).unwrap_or(name.len()));
    let name = Snippet::at_most(name.as_bytes(), 40);
    let more = if rest.is_empty() { "" } else { "..." };
    Usage(format!(
        "{dashes}{}{more}: no such option (--help lists them)",
        name.as_str()
    ))
}

/// Text of the command line as a message may show it.
fn shown(text: &OsStr) -> String {
    let text = without_userinfo(text.as_bytes());
    Snippet::at_most(&text, 80).as_str().to_owned()
}

fn complain(row: &Row, value: &str, complaint: &str) -> Usage {
    let name = row.long;
    Usage(match row.secret {
        true => format!("--{name}: the value {complaint}"),
        false => format!(
            "--{name}: \"{}\" {complaint}{}",
            shown(OsStr::new(value)),
            unbraced(value)
        ),
    })
}

/// What to say of a value that no shell has expanded.
fn unbraced(value: &str) -> &'static str {
    let mut parts = value.split('$').skip(1);
    match parts.any(|part| part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')) {
        true => "; a variable is written ${NAME}",
        false => "",
    }
}

/// Replaces variables in a value. No message shows a part of a `secret` one.
fn expand(name: &str, secret: bool, text: OsString, variables: Variables) -> Result<String, Usage> {
    let text = text
        .into_string()
        .map_err(|_| Usage(format!("{name}: the value is not UTF-8")))?;
    let lookup = |variable: &str| {
        let value = variables(variable).filter(|value| !value.is_empty())?;
        Some(value.into_string().map_err(|_| ()))
    };
    vars::expand(&text, &lookup).map_err(|bad| {
        let safe = |text: &str| shown(OsStr::new(text));
        Usage(match bad {
            BadReference::Unset(variable) => {
                format!("{name}: ${{{variable}}} is unset or empty; ${{{variable}:-default}} would have a default")
            }
            BadReference::Unclosed => format!("{name}: \"${{\" without \"}}\"; write $${{ for a literal ${{"),
            BadReference::NotAName(_) if secret => {
                format!("{name}: what stands in ${{...}} is not the name of a variable; write $${{ for a literal ${{")
            }
            BadReference::NotAName(text) => {
                format!("{name}: \"{}\" in ${{...}} is not the name of a variable; write $${{ for a literal ${{", safe(&text))
            }
            BadReference::Nested(variable) => {
                format!("{name}: the default of ${{{variable}:-...}} holds another ${{, and these do not nest")
            }
            BadReference::NotUtf8(variable) => format!("{name}: the value of ${variable} is not UTF-8"),
        })
    })
}

/// Whatever cannot hold together.
fn contradictions(given: &Given, used: &[&Row], targets: &[String]) -> Result<(), Usage> {
    let wrong = |text: String| Err(Usage(text));
    if let (Some(row), false) = (
        used.iter().find(|row| row.scope == NoUrl),
        targets.is_empty(),
    ) {
        return wrong(format!(
            "--{}: the target says that already; give one or the other",
            row.long
        ));
    }
    if given.style.quiet && given.style.verbose {
        return wrong("--verbose: contradicts --quiet".into());
    }
    if given.method == Some(Method::HEAD) && !given.body.is_empty() {
        return wrong(
            "--method: \"HEAD\" asks for no body, and something is expected of the body".into(),
        );
    }
    for lacks in &given.body.lacks {
        if given
            .body
            .has
            .iter()
            .any(|has| expect::contains(has.as_bytes(), lacks))
        {
            return wrong(format!(
                "--body-not: \"{}\" contradicts --body",
                shown(OsStr::new(lacks))
            ));
        }
    }
    let has = |wanted: HeaderName| {
        given
            .headers
            .iter()
            .filter(|(name, _)| *name == wanted)
            .count()
    };
    if given.headers.len() > MAX_HEADERS {
        return wrong(format!("--header: given more than {MAX_HEADERS} times"));
    }
    if has(header::AUTHORIZATION) > 0 && given.user.is_some() {
        return wrong("--header: Authorization contradicts --user".into());
    }
    if has(header::USER_AGENT) > 0 && given.user_agent.is_some() {
        return wrong("--header: User-Agent contradicts --user-agent".into());
    }
    for single in [
        header::HOST,
        header::AUTHORIZATION,
        header::USER_AGENT,
        header::CONNECTION,
    ] {
        if has(single.clone()) > 1 {
            return wrong(format!("--header: {single} given twice"));
        }
    }
    Ok(())
}
