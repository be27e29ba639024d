//! The command line: one row per option feeds the parser, `--help`, and the README's test. Arguments and variables
//! in, a command out; nothing is printed and nothing is asked here.

use crate::check::{self, Check, Complaint, Host, Place, Target};
use crate::expect::{BodyExpectations, HeaderExpectation, JsonExpectation, Statuses};
use crate::net;
use crate::search;
use crate::snippet::{printable, without_userinfo};
use crate::vars::{self, BadReference};
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
        Many(|given, text| push(&mut given.body.body, not_empty(text)))),
    row(None, "body-not", "TEXT", "the body does not contain TEXT; repeatable", Scope::HttpOrTcp,
        Many(|given, text| push(&mut given.body.body_not, not_empty(text)))),
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

/// How often an option or a TARGET can be given. Nobody needs more; an http::HeaderMap panics at 32768, and each `--body`
/// is compared with each `--body-not`.
const MAX_TIMES: usize = 1000;

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
        Err(_) if text.starts_with("localhost:") || search::contains(text.as_bytes(), "://") => {
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
/// [`Usage`], for the first thing that is wrong.
pub fn parse(arguments: Vec<OsString>, variables: Variables) -> Result<Command, Usage> {
    if let [argument] = &arguments[..]
        && let Some(text) = info(argument.as_bytes())
    {
        return Ok(Command::Info(text()));
    }
    let (options, targets) = split(arguments)?;
    let mut given = Given::default();
    let mut used: Vec<Used> = Vec::new();
    for (row, value) in options {
        count(&mut used, row)?;
        match (&row.kind, value) {
            (Flag(set), _) => set(&mut given),
            (One(set) | Many(set), Some(value)) => {
                let name = format!("--{}", row.long);
                let value = expand(&name, row.secret, value, variables)?;
                set(&mut given, &value).map_err(|complaint| complain(row, &value, complaint))?;
            }
            // `split` gives every such row its value, and refuses the others.
            (One(_) | Many(_) | Info(_), _) => {}
        }
    }
    if targets.len() > MAX_TIMES {
        return Err(too_often("TARGET"));
    }
    let targets = targets
        .into_iter()
        .map(|text| expand("TARGET", false, text, variables))
        .collect::<Result<Vec<_>, _>>()?;
    contradictions(&given, &used, &targets)?;
    let targets: Vec<Target> = match targets.is_empty() {
        true => vec![targets::from_options(&given, variables)?],
        false => targets
            .iter()
            .map(|text| targets::from_url(text, &given))
            .collect::<Result<_, _>>()?,
    };
    pointless(&used, &targets)?;
    for target in &targets {
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
    let timeout = given.timeout.unwrap_or(Duration::from_secs(5));
    Ok(Command::Check(Check { targets, timeout }, given.style))
}

/// What an argument asks to be printed. Only where it is alone: `-h HOST` is what pg_isready, redis-cli and mysqladmin
/// take, and to print the help is exit code 0, which would be healthy for ever.
fn info(argument: &[u8]) -> Option<fn() -> String> {
    let one = argument.strip_prefix(b"-")?;
    let long = one.strip_prefix(b"-").unwrap_or(one);
    let row = OPTIONS.iter().find(|row| {
        row.long.as_bytes() == long
            || matches!(one, [letter] if row.short == Some((*letter).into()))
    });
    match row?.kind {
        Info(text) => Some(text),
        _ => None,
    }
}

/// An option that was given, and how often.
type Used = (&'static Row, usize);

fn count(used: &mut Vec<Used>, row: &'static Row) -> Result<(), Usage> {
    match used.iter_mut().find(|(other, _)| other.long == row.long) {
        None => used.push((row, 1)),
        Some(_) if matches!(row.kind, One(_)) => {
            return Err(Usage(format!("--{}: given twice", row.long)));
        }
        Some((_, times)) if matches!(row.kind, Many(_)) && *times == MAX_TIMES => {
            return Err(too_often(&format!("--{}", row.long)));
        }
        Some((_, times)) => *times += 1,
    }
    Ok(())
}

fn too_often(name: &str) -> Usage {
    Usage(format!("{name}: given more than {MAX_TIMES} times"))
}

/// Refuses an option that means something to none of the targets.
fn pointless(used: &[Used], targets: &[Target]) -> Result<(), Usage> {
    let mut kinds: Vec<&str> = Vec::new();
    for target in targets {
        let kind = target.name.split(':').next().unwrap_or_default();
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    match used
        .iter()
        .find(|(row, _)| !kinds.iter().any(|kind| row.scope.has(kind)))
    {
        Some((row, _)) => Err(Usage(format!(
            "--{}: means nothing to a target of the kind {}",
            row.long,
            kinds.join(" or ")
        ))),
        None => Ok(()),
    }
}

/// An option, and its value as it was written.
type Written = (&'static Row, Option<OsString>);

/// Splits the arguments into options with their raw values, and targets. What else is wrong is said only when nobody
/// asks for help.
fn split(arguments: Vec<OsString>) -> Result<(Vec<Written>, Vec<OsString>), Usage> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut options = Vec::new();
    let mut targets = Vec::new();
    let mut wrong = None;
    let mut ended = false;
    loop {
        let written = match single_dash(&mut parser, &mut ended) {
            Some(written) => written,
            None => match parser.next() {
                Ok(None) => break,
                Ok(Some(Arg::Value(target))) => {
                    targets.push(target);
                    continue;
                }
                Ok(Some(Arg::Long(long))) => {
                    let row = find(|row| row.long == long).ok_or_else(|| no_such("--", long));
                    let value = parser.optional_value();
                    row.map(|row| (row, value))
                }
                Ok(Some(Arg::Short(letter))) => find(|row| row.short == Some(letter))
                    .map(|row| (row, None))
                    .ok_or_else(|| no_such("-", &letter.to_string())),
                // Not known to happen: each value that lexopt could miss or find too many is taken here.
                Err(_) => Err(Usage("the arguments cannot be read".into())),
            },
        };
        match written.and_then(|written| with_value(written, &mut parser)) {
            Ok((row, _)) if matches!(row.kind, Info(_)) => {
                return Err(Usage(format!(
                    "--{}: works only alone: -h is help; the host is --host",
                    row.long
                )));
            }
            Ok(written) => options.push(written),
            Err(usage) => {
                wrong.get_or_insert(usage);
            }
        }
    }
    wrong.map_or(Ok((options, targets)), Err)
}

/// Takes the value that an option needs from the next argument, if it is not written with the option.
fn with_value((row, value): Written, parser: &mut lexopt::Parser) -> Result<Written, Usage> {
    let name = row.long;
    match (&row.kind, value) {
        (Flag(_), Some(_)) => Err(Usage(format!("--{name}: takes no value"))),
        (One(_) | Many(_), None) => match parser.value() {
            Ok(value) => Ok((row, Some(value))),
            Err(_) => Err(Usage(format!("--{name}: needs a value: {}", row.value))),
        },
        (_, value) => Ok((row, value)),
    }
}

fn find(is: impl Fn(&Row) -> bool) -> Option<&'static Row> {
    OPTIONS.iter().find(|row| is(row))
}

fn short(letter: u8) -> Option<&'static Row> {
    find(|row| row.short == Some(letter.into()))
}

/// Looks at an argument that begins with one dash, if that is what comes next, and takes it if it is a long option in
/// Go's form, `-port` or `-port=80`, or wrong. Looked at in place: to rewrite the arguments beforehand would corrupt
/// values that begin with a dash. And as a whole: by its letters, `-url=http://...` would be a password.
fn single_dash(parser: &mut lexopt::Parser, ended: &mut bool) -> Option<Result<Written, Usage>> {
    // None in the middle of a bundle of flags.
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
    let written = match find(|row| row.long.as_bytes() == name) {
        Some(row) => Ok((row, value)),
        None if is_short(body) => return None,
        None => misread(body, name),
    };
    rest.next();
    Some(written)
}

/// Splits off the letters at the beginning that are options without a value.
fn split_flags(body: &[u8]) -> (&[u8], &[u8]) {
    let valueless =
        |&letter: &u8| short(letter).is_some_and(|row| matches!(row.kind, Flag(_) | Info(_)));
    let others = body.iter().position(|letter| !valueless(letter));
    body.split_at(others.unwrap_or(body.len()))
}

/// Whether this is a bundle of flags, or one option that takes the next argument as its value, or has one glued to it
/// that nobody could take for the rest of a name.
fn is_short(body: &[u8]) -> bool {
    match split_flags(body) {
        (_, []) => true,
        ([], [letter, glued @ ..]) => short(*letter).is_some_and(|row| match glued {
            [] => true,
            [first, ..] => {
                first.is_ascii_digit()
                    || row.long == "method" && glued.iter().all(u8::is_ascii_uppercase)
            }
        }),
        _ => false,
    }
}

/// What one dash cannot be followed by: what is wrong with it, or the option that is most likely meant.
fn misread(body: &[u8], name: &[u8]) -> Result<Written, Usage> {
    let (flags, rest) = split_flags(body);
    let host = body[0] == b'h';
    if let ([letter, glued @ ..], false) = (rest, host)
        && let Some(row) = short(*letter)
    {
        // In `-jstatus=UP`, the rest is a value and no name.
        let meant = nearest(name).filter(|row| row.long.as_bytes() != &name[1..]);
        return Err(glued_value(flags, row, glued, meant));
    }
    let takes_none = !name.is_empty() && flags.len() == name.len();
    let mut rows = flags.iter().filter_map(|&letter| short(letter));
    match rows.find(|row| matches!(row.kind, Info(_))) {
        // As in `-hlocalhost` and `-qh=localhost`. `split` says what is wrong with it.
        Some(row) if (host || takes_none) && nearest(name).is_none() => Ok((row, None)),
        _ if takes_none => Err(Usage(format!(
            "-{}: takes no value",
            String::from_utf8_lossy(name)
        ))),
        _ => Err(no_such("-", &String::from_utf8_lossy(name))),
    }
}

/// Refuses a value that is glued to its option's letter: `-url=...` would be a password, and `-debug` a request body.
/// Says how to write it; the value itself only where it would do, and is no secret.
fn glued_value(flags: &[u8], row: &Row, glued: &[u8], meant: Option<&Row>) -> Usage {
    let glued = str::from_utf8(glued).unwrap_or("\0");
    let text = glued.strip_prefix('=').unwrap_or(glued);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let harmless = !text.is_empty() && text.len() <= 40 && text.bytes().all(plain) && !row.secret;
    let (shown, value) = match row.kind {
        One(set) | Many(set) if harmless && set(&mut Given::default(), text).is_ok() => {
            (glued, text)
        }
        _ if glued.is_empty() => ("", row.value),
        _ => ("...", row.value),
    };
    let letter = row.short.unwrap_or_default();
    let flags = String::from_utf8_lossy(flags);
    let apart = if flags.is_empty() {
        String::new()
    } else {
        format!("-{flags} ")
    };
    let meant = meant.map_or(String::new(), |row| {
        format!(" did you mean --{}? Else", row.long)
    });
    Usage(format!(
        "-{flags}{letter}{shown}: no such option;{meant} write {apart}-{letter} {value}"
    ))
}

/// Names an option that is none, as far as it looks like one: what follows can be a secret, as in `--user:me:secret`.
fn no_such(dashes: &str, name: &str) -> Usage {
    let hint = match nearest(name.as_bytes()) {
        Some(row) => format!("; did you mean --{}?", row.long),
        None => " (--help lists them)".into(),
    };
    let ends = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let (name, rest) = name.split_at(name.find(ends).unwrap_or(name.len()));
    let name = printable(name.as_bytes(), 40);
    let more = if rest.is_empty() { "" } else { "..." };
    Usage(format!("{dashes}{name}{more}: no such option{hint}"))
}

/// The option whose long name differs from a misspelt one by one or two letters.
fn nearest(name: &[u8]) -> Option<&'static Row> {
    // No name of an option is longer than this would allow.
    if name.len() > 20 {
        return None;
    }
    let near = |row: &&Row| distance(name, row.long.as_bytes());
    OPTIONS.iter().min_by_key(near).filter(|row| near(row) <= 2)
}

/// How many letters must be inserted, removed or replaced to make one name the other (Levenshtein).
fn distance(from: &[u8], to: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, from) in from.iter().enumerate() {
        let mut diagonal = line;
        row[0] = line + 1;
        for (column, to) in to.iter().enumerate() {
            let above = row[column + 1];
            row[column + 1] = (diagonal + usize::from(from != to)).min(1 + above.min(row[column]));
            diagonal = above;
        }
    }
    row[to.len()]
}

/// Text of the command line as a message may show it.
fn shown(text: &OsStr) -> String {
    let text = without_userinfo(text.as_bytes());
    printable(&text, 80)
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

/// Replaces variables in a value. Of one that may be a secret, or that has userinfo, no message shows a part but the
/// name in a reference that surely is one.
fn expand(name: &str, secret: bool, text: OsString, variables: Variables) -> Result<String, Usage> {
    let text = text
        .into_string()
        .map_err(|_| Usage(format!("{name}: the value is not UTF-8")))?;
    let secret = secret || text.contains('@');
    let lookup = |variable: &str| {
        let value = variables(variable).filter(|value| !value.is_empty())?;
        Some(value.into_string().map_err(|_| ()))
    };
    vars::expand(&text, &lookup).map_err(|bad| {
        const LITERAL: &str = "write $${ for a literal ${";
        let hidden = secret && !bad.alone;
        Usage(match bad.what {
            BadReference::Unclosed => format!("{name}: \"${{\" without \"}}\"; {LITERAL}"),
            BadReference::NotAName(_) if secret => {
                format!("{name}: what stands in ${{...}} is not the name of a variable; {LITERAL}")
            }
            BadReference::NotAName(text) => {
                let text = shown(OsStr::new(&text));
                format!("{name}: \"{text}\" in ${{...}} is not the name of a variable; {LITERAL}")
            }
            BadReference::Unset(_) if hidden => {
                format!("{name}: a ${{...}} in the value is unset or empty; {LITERAL}")
            }
            BadReference::Unset(variable) => {
                format!("{name}: ${{{variable}}} is unset or empty; ${{{variable}:-default}} would have a default")
            }
            BadReference::Nested(_) if hidden => {
                format!("{name}: the default of a ${{...}} holds another ${{, and these do not nest; {LITERAL}")
            }
            BadReference::Nested(variable) => {
                format!("{name}: the default of ${{{variable}:-...}} holds another ${{, and these do not nest")
            }
            BadReference::NotUtf8(_) if hidden => {
                format!("{name}: the value of a ${{...}} in it is not UTF-8; {LITERAL}")
            }
            BadReference::NotUtf8(variable) => format!("{name}: the value of ${variable} is not UTF-8"),
        })
    })
}

/// Whatever cannot hold together.
fn contradictions(given: &Given, used: &[Used], targets: &[String]) -> Result<(), Usage> {
    let wrong = |text: String| Err(Usage(text));
    if let (Some((row, _)), false) = (
        used.iter().find(|(row, _)| row.scope == NoUrl),
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
    for lacks in &given.body.body_not {
        if given
            .body
            .body
            .iter()
            .any(|has| search::contains(has.as_bytes(), lacks))
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
