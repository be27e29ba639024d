//! The command line: what each spelling means, what is refused and in which words, what is never said, and that no
//! arguments whatever make it panic. What is only parsed is parsed in this process; what must not be sent is not sent
//! to a server that listens for it.

mod asked;
mod awkward;
mod differential;
mod documents;
mod misuse;
mod shell;
mod variables;

use crate::support::matches;
use healthchecker::cli::{self, Command, Usage};
use libtest_mimic::Trial;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

pub fn trials() -> Vec<Trial> {
    let mut trials = trials![
        every_option_is_tried_here,
        every_spelling_means_the_same,
        values_may_begin_with_a_dash,
        options_may_follow_targets,
    ];
    for more in [
        asked::trials(),
        misuse::trials(),
        shell::trials(),
        variables::trials(),
        awkward::trials(),
        differential::trials(),
        documents::trials(),
    ] {
        trials.extend(more);
    }
    trials
}

/// An option with a value.
struct Valued {
    short: Option<char>,
    long: &'static str,
    good: &'static str,
    /// A bad value, and what is said of it. None where no text is bad.
    bad: Option<(&'static str, &'static str)>,
    repeatable: bool,
    /// A target that the option means something to.
    target: Option<&'static str>,
}

const fn valued(
    short: Option<char>,
    long: &'static str,
    good: &'static str,
    bad: &'static str,
    complaint: &'static str,
) -> Valued {
    Valued {
        short,
        long,
        good,
        bad: Some((bad, complaint)),
        repeatable: false,
        target: Some("http://localhost:1/"),
    }
}

const fn repeatable(row: Valued) -> Valued {
    Valued {
        repeatable: true,
        ..row
    }
}

const fn on(target: Option<&'static str>, row: Valued) -> Valued {
    Valued { target, ..row }
}

#[rustfmt::skip]
const VALUED: &[Valued] = &[
    on(None, valued(Some('p'), "port", "6767", "80a", "--port: \"80a\" is not a port (1-65535)")),
    on(None, valued(None, "path", "/x?y=1", "a b", "--path: \"a b\" has a blank or control character*")),
    on(None, valued(None, "host", "127.0.0.1", "example.com", "--host: \"example.com\" names a host, and no name but localhost is looked up; *")),
    valued(None, "unix-socket", "/run/x.sock", "", "--unix-socket: \"\" is empty: write the path of a socket"),
    valued(None, "status", "200,3xx,404-410", "2x", "--status: \"2x\" is no list of statuses*"),
    repeatable(valued(Some('b'), "body", "UP", "", "--body: \"\" is empty*")),
    repeatable(valued(None, "body-not", "DOWN", "", "--body-not: \"\" is empty*")),
    repeatable(valued(Some('j'), "json", "status=UP", "a..b", "--json: \"a..b\" is no PATH*")),
    valued(None, "expect-header", "X-A: b", "X A: b", "--expect-header: \"X A: b\" is no NAME*"),
    valued(Some('X'), "method", "PUT", "GE T", "--method: \"GE T\" is not a method*"),
    repeatable(valued(Some('H'), "header", "X-A: b", "X-A", "--header: the value is no 'NAME: VALUE'")),
    Valued { bad: None, ..valued(Some('d'), "data", "a=b", "", "") },
    valued(Some('u'), "user", "me:pass", "me", "--user: the value has no colon*"),
    valued(Some('A'), "user-agent", "probe/1", "a\tb", "--user-agent: \"a\\tb\" has a control character"),
    on(Some("tcp://localhost:1"), valued(None, "send", "PING\\r\\n", "\\q", "--send: the value has an escape that is none of *")),
    Valued { bad: None, ..on(None, valued(Some('c'), "command", "curl localhost", "", "")) },
    valued(Some('t'), "timeout", "500ms", "1w", "--timeout: \"1w\" is not a time*"),
    valued(None, "wait", "1ms", "1w", "--wait: \"1w\" is not a time*"),
];

/// Options that act on the machine. Tests that run whatever is in the tables above must not meet them; they have tests of
/// their own, in `kill` and `install`.
const ACTS: &[&str] = &["kill", "spare", "install"];

const FLAGS: &[(char, &str)] = &[('L', "location"), ('q', "quiet"), ('v', "verbose")];
const INFOS: &[(char, &str)] = &[('h', "help"), ('V', "version")];

type Variables<'a> = &'a [(&'a str, &'a [u8])];

fn parse_in<S: AsRef<OsStr>>(arguments: &[S], variables: Variables) -> Result<Command, Usage> {
    let arguments = arguments
        .iter()
        .map(|argument| argument.as_ref().to_owned())
        .collect();
    cli::parse(arguments, &|name| {
        let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
        Some(OsStr::from_bytes(value).to_owned())
    })
}

fn parse<S: AsRef<OsStr>>(arguments: &[S]) -> Result<Command, Usage> {
    parse_in(arguments, &[])
}

/// A parsed command line in all its parts, for comparison.
#[track_caller]
fn meaning<S: AsRef<OsStr>>(arguments: &[S]) -> String {
    match parse(arguments) {
        Ok(command @ Command::Check(..)) => format!("{command:?}"),
        other => panic!("{:?}: {other:?}", texts(arguments)),
    }
}

fn texts<S: AsRef<OsStr>>(arguments: &[S]) -> Vec<&OsStr> {
    arguments.iter().map(AsRef::as_ref).collect()
}

/// The names of the targets, or the complaint.
fn targets<S: AsRef<OsStr>>(arguments: &[S], variables: Variables) -> Result<Vec<String>, String> {
    match parse_in(arguments, variables) {
        Ok(Command::Check(check, _)) => Ok(check
            .targets
            .iter()
            .map(|target| target.name().to_owned())
            .collect()),
        Ok(Command::Info(text) | Command::Install(text)) => {
            panic!("{:?}: {text}", texts(arguments))
        }
        Err(Usage(complaint)) => Err(complaint),
    }
}

/// Splits a command line at blanks; `_` in an argument stands for one.
fn words(line: &str) -> Vec<String> {
    line.split_ascii_whitespace()
        .map(|word| word.replace('_', " "))
        .collect()
}

/// An option that is new has to have a row in these tables.
fn every_option_is_tried_here() {
    let help = cli::help();
    let lines = help.lines().skip_while(|line| *line != "Options:").skip(1);
    let mut documented: Vec<&str> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split("--").nth(1)?.split(' ').next())
        .collect();
    let plain = FLAGS.iter().chain(INFOS).map(|(_, long)| *long);
    let plain = plain.chain(ACTS.iter().copied());
    let mut tried: Vec<&str> = VALUED.iter().map(|row| row.long).chain(plain).collect();
    documented.sort();
    tried.sort();
    assert_eq!(documented, tried);
}

fn every_spelling_means_the_same() {
    for row in VALUED {
        let Valued { long, good, .. } = row;
        let mut spellings: Vec<Vec<String>> = vec![
            vec![format!("--{long}"), good.to_string()],
            vec![format!("--{long}={good}")],
            vec![format!("-{long}"), good.to_string()],
            vec![format!("-{long}={good}")],
        ];
        if let Some(short) = row.short {
            spellings.push(vec![format!("-{short}"), good.to_string()]);
            if good.starts_with(|c: char| c.is_ascii_digit()) || short == 'X' {
                spellings.push(vec![format!("-{short}{good}")]);
            }
        }
        let target = row.target.map(str::to_owned);
        let first: Vec<String> = spellings[0].iter().chain(&target).cloned().collect();
        let expected = meaning(&first);
        assert_ne!(
            expected,
            meaning(target.as_slice()),
            "--{long} does nothing"
        );
        for spelling in &spellings {
            let before: Vec<&String> = spelling.iter().chain(&target).collect();
            let after: Vec<&String> = target.iter().chain(spelling).collect();
            assert_eq!(meaning(&before), expected, "{before:?}");
            assert_eq!(meaning(&after), expected, "{after:?}");
        }
    }
    for &(short, long) in FLAGS {
        let expected = meaning(&[format!("--{long}")]);
        assert_ne!(expected, meaning::<&str>(&[]), "--{long} does nothing");
        for spelling in [format!("-{long}"), format!("-{short}")] {
            assert_eq!(meaning(&[&spelling]), expected, "{spelling}");
            // Saying it twice is no contradiction.
            assert_eq!(meaning(&[&spelling, &spelling]), expected, "{spelling}");
        }
    }
    for (line, same) in [
        ("-qL", "--quiet --location"),
        ("-Lq", "--quiet --location"),
        ("-LvLv", "--location --verbose"),
        (
            "-Lq -t2s -p6767",
            "--location --quiet --timeout 2 --port 6767",
        ),
        ("-port 80 -body x -data y", "--port 80 -b x -d y"),
        (
            "-b200 -d1=x -A2 -j0=UP -u1:a",
            "--body=200 --data=1=x --user-agent=2 --json=0=UP --user=1:a",
        ),
        ("-H1:_x -t0.5", "--header=1:_x --timeout 500ms"),
        ("-XHEAD", "--method HEAD"),
        (
            "-data= -user-agent= -body==",
            "--data= --user-agent= --body==",
        ),
        ("--status 101", "--status=101"),
        ("--status 200,101-101", "--status=200,101-101"),
        ("--", ""),
        ("-p 80 --", "--port 80"),
    ] {
        assert_eq!(meaning(&words(line)), meaning(&words(same)), "{line}");
    }
}

fn values_may_begin_with_a_dash() {
    for value in [
        "-", "--", "-q", "--quiet", "--help", "-h", "-V", "-port=1", "--port", "-1", "--=",
    ] {
        let expected = meaning(&[format!("--body={value}")]);
        for spelling in [
            vec!["--body".into(), value.to_owned()],
            vec!["-body".into(), value.to_owned()],
            vec![format!("-body={value}")],
            vec!["-b".into(), value.to_owned()],
        ] {
            assert_eq!(meaning(&spelling), expected, "{spelling:?}");
        }
    }
    // A `--` that is a value ends nothing.
    assert_eq!(meaning(&["-b", "--", "-q"]), meaning(&["--body=--", "-q"]));
    assert_eq!(
        meaning(&["-body", "--", "-q"]),
        meaning(&["--body=--", "-q"])
    );
}

fn options_may_follow_targets() {
    let url = "http://localhost:1/";
    let expected = meaning(&["-q", "--status", "404", url, "http://localhost:2/"]);
    for line in [
        "http://localhost:1/ -q --status 404 http://localhost:2/",
        "http://localhost:1/ http://localhost:2/ -status=404 -q",
        "-q --status=404 -- http://localhost:1/ http://localhost:2/",
        "-q http://localhost:1/ --status 404 -- http://localhost:2/",
    ] {
        assert_eq!(meaning(&words(line)), expected, "{line}");
    }
    for ended in [
        "--quiet", "-q", "-quiet", "-port=80", "--", "-", "--help", "-h",
    ] {
        let complaint = targets(&["--", ended], &[]).unwrap_err();
        let expected = format!("TARGET: \"{ended}\" is not a URL *");
        assert!(matches(&expected, &complaint), "{complaint}");
    }
}
