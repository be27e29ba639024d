//! The command line: arguments and variables in, a command out. Nothing is printed and nothing is asked here.

use crate::deadline::DEFAULT_TIMEOUT;
use crate::kill::{self, Kill};
use crate::protocol::{self, Options, Protocol};
use crate::run::Attempts;
use crate::search::{joined, split_once};
use crate::snippet::{printable, without_userinfo};
use crate::target::{Target, place};
use arguments::{info, split};
use contradictions::{MAX_TIMES, contradictions, count, pointless, too_often};
use expand::expand;
use options::{Given, Kind, Row};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::Duration;

mod arguments;
mod contradictions;
mod expand;
mod help;
mod options;
mod shell;
mod values;
pub mod variables;

pub use help::help;

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    /// A text to print on stdout.
    Info(String),
    /// A check to run, and how to report it.
    Check(Plan, Style),
    /// A file to which this program is to be copied.
    Install(String),
}

/// One run: every target must be healthy in the same attempt.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The targets, in the order in which they are asked.
    pub targets: Vec<Target>,
    /// What a message about a target names: the option or the argument that it comes from.
    pub origin: &'static str,
    /// How long one attempt to ask them all may take.
    pub timeout: Duration,
    /// When they are asked again.
    pub attempts: Attempts,
    /// What is sent to PID 1 if one is not healthy in the end.
    pub kill: Option<Kill>,
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

/// Parses the arguments of a program that is called `name`: a shell's, curl's or wget's, or else our own.
///
/// # Errors
/// [`Usage`], for the first thing that is wrong.
pub fn called(
    name: &[u8],
    arguments: Vec<OsString>,
    variables: Variables,
) -> Result<Command, Usage> {
    let base = name.rsplit(|&byte| byte == b'/').next();
    shell::called(base.unwrap_or_default(), arguments, variables)
}

/// Parses the arguments that follow the program's name.
///
/// # Errors
/// [`Usage`], for the first thing that is wrong.
pub fn parse(arguments: Vec<OsString>, variables: Variables) -> Result<Command, Usage> {
    parse_at(arguments, 0, variables)
}

/// The same in a line, at this depth of lines in lines.
fn parse_at(arguments: Vec<OsString>, depth: u8, variables: Variables) -> Result<Command, Usage> {
    if let [argument] = &arguments[..]
        && let Some(text) = info(argument.as_bytes())
    {
        return Ok(Command::Info(text()));
    }
    let (options, targets) = split(arguments)?;
    let mut given = Given::default();
    let mut used = Vec::new();
    for (row, value) in options {
        count(&mut used, row)?;
        take(&mut given, row, value, variables)?;
    }
    if targets.len() > MAX_TIMES {
        return Err(too_often("TARGET"));
    }
    let mut named = Vec::with_capacity(targets.len());
    for text in targets {
        named.push(expand("TARGET", false, text, variables)?);
    }
    contradictions(&given, &used, &named)?;
    if let Some(line) = given.line {
        return shell::planned(line.leak(), depth, variables, shell::Reader::default())
            .map_err(|what| Usage(joined(&["--command", what], ": ")));
    }
    let style = given.style;
    let timeout = given.timeout.unwrap_or(DEFAULT_TIMEOUT);
    if let Some(file) = given.install {
        return Ok(Command::Install(file));
    }
    let kill = given.kill.map(|signal| Kill {
        signal,
        spare: given.spare.unwrap_or(kill::SPARE),
    });
    let attempts = given.wait.map_or(Attempts::ONE, Attempts::for_at_most);
    let origin = given.host.as_ref().map_or("TARGET", |_| "--host");
    let mut targets = Vec::new();
    let protocols = planned(given, &named, variables, &mut targets)?;
    pointless(&used, &protocols)?;
    let plan = Plan {
        targets,
        origin,
        timeout,
        attempts,
        kill,
    };
    Ok(Command::Check(plan, style))
}

/// Takes one option with its value.
fn take(
    given: &mut Given,
    row: &'static Row,
    value: Option<OsString>,
    variables: Variables,
) -> Result<(), Usage> {
    match (&row.kind, value) {
        (Kind::Flag(set), _) => set(given),
        (Kind::Line(set), Some(value)) => {
            let line = value.into_string();
            set(
                given,
                line.map_err(|_| Usage("--command: the value is not UTF-8".into()))?,
            );
        }
        (Kind::One(set) | Kind::Many(set), Some(value)) => {
            let value = expand(&format!("--{}", row.long), row.secret, value, variables)?;
            set(given, &value).map_err(|complaint| complain(row, &value, complaint))?;
        }
        // `split` gives every such row its value, and refuses the others.
        (Kind::One(_) | Kind::Many(_) | Kind::Line(_) | Kind::Info(_), _) => {}
    }
    Ok(())
}

/// Adds the targets that are named, or the one that options describe. Returns their protocols.
fn planned(
    given: Given,
    named: &[String],
    variables: Variables,
    targets: &mut Vec<Target>,
) -> Result<Vec<&'static Protocol>, Usage> {
    let described = match named.is_empty() {
        true => Some(described(&given, variables)?),
        false => None,
    };
    let options = given.options.shared();
    if let Some(url) = described {
        let target = protocol::target(&url, &options);
        // Each part was checked alone, and what can be wrong is that the host does not go with a unix socket.
        let (target, protocol) =
            target.map_err(|complaint| Usage(joined(&["--host", &complaint], ": ")))?;
        targets.push(target);
        return Ok(vec![protocol]);
    }
    add_targets("TARGET", named, &options, targets)
}

/// Adds the targets that URLs from `origin` stand for. Returns their protocols.
fn add_targets(
    origin: &str,
    urls: &[String],
    options: &Arc<Options>,
    targets: &mut Vec<Target>,
) -> Result<Vec<&'static Protocol>, Usage> {
    let mut protocols = Vec::with_capacity(urls.len());
    for text in urls {
        match protocol::target(text, options) {
            Ok((target, protocol)) => {
                targets.push(target);
                protocols.push(protocol);
            }
            Err(complaint) => {
                let kept = without_bad_port(text);
                let hidden = if kept.len() < text.len() { ":..." } else { "" };
                let shown = shown(OsStr::new(kept));
                let parts = [
                    origin,
                    ": \"",
                    &shown,
                    hidden,
                    "\" ",
                    &complaint,
                    unbraced(text),
                ];
                return Err(Usage(joined(&parts, "")));
            }
        }
    }
    Ok(protocols)
}

/// The URL that `--host`, `--port` and `--path` describe.
fn described(given: &Given, variables: Variables) -> Result<String, Usage> {
    let variable = variables("PORT").filter(|port| !port.is_empty());
    let port = match (given.port, variable) {
        (Some(port), _) => port,
        (None, Some(text)) => place::port(&text.to_string_lossy())
            .map_err(|complaint| Usage(format!("$PORT: \"{}\" {complaint}", shown(&text))))?,
        (None, None) => 80,
    };
    let host = given.host.as_ref().map_or("localhost", |(text, _)| text);
    let path = given.path.as_deref().unwrap_or("/health");
    Ok(match host.contains(':') && !host.starts_with('[') {
        true => format!("http://[{host}]:{port}{path}"),
        false => format!("http://{host}:{port}{path}"),
    })
}

/// A URL without its port when that may be a password: in `http://user:password` the host was forgotten. Behind a proper
/// host, it is a port that is wrong.
fn without_bad_port(text: &str) -> &str {
    let start = split_once(text, "://").map_or(0, |(scheme, _)| scheme.len() + 3);
    let authority = text[start..].split(['/', '?', '#']).next();
    let authority = authority.unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port))
            if place::host(host).is_err()
                && !port.ends_with(']')
                && !port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            &text[..start + host.len()]
        }
        _ => text,
    }
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

/// The hint for `$NAME` without braces.
fn unbraced(value: &str) -> &'static str {
    let mut parts = value.split('$').skip(1);
    match parts.any(|part| part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')) {
        true => "; a variable is written ${NAME}",
        false => "",
    }
}
