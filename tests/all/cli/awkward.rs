//! Arguments that nobody means: whatever they are, the answer is one of two exit codes, and short.

use super::{VALUED, Variables, parse_in};
use crate::support::{Run, command, run, runner};
use healthchecker::cli::{self, Command, Usage};
use healthchecker::protocol::ALL;
use libtest_mimic::Trial;
use proptest::prelude::*;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

pub fn trials() -> Vec<Trial> {
    trials![
        three_awkward_arguments,
        three_awkward_arguments_of_the_binary,
        arbitrary_arguments,
        arbitrary_arguments_of_the_binary,
    ]
}

/// Arguments that have been wrong in one parser or another.
#[rustfmt::skip]
const AWKWARD: &[&[u8]] = &[
    b"", b"-", b"--", b"---", b"=", b"-=", b"--=", b" ", b"\r\n", b"\xff", b"-\xff", b"--\xff=1", b"-port=\xff",
    b"-host=\xff", b"-h", b"--help", b"-V1", b"-hots=1", b"-qh", b"-check", b"-p", b"-p=", b"--port", b"--port=1",
    b"-port", b"-qL", b"-q=", b"-quiet", b"-v", b"-Lp", b"-H", b"-HHost:", b"X: y\x7f", b"-d", b"--data=\0", b"-u",
    b"-X", b"HEAD", b"-XHEAD", b"-bUP", b"-p80", b"-url=x", b"-px", b"-j", b"a..b", b"-t", b"0", b"1ms", b"${", b"${}", b"${X}", b"${BYTES}", b"$${X}",
    b"${X:-${X}}", b"http://localhost:1/", b"http://me:hunter2@localhost:1x/\x1b", b"http://me:hunter2@",
    b"http://[::1", b"http://192.0.2.1/", b"https://localhost/", b"tcp://localhost:1", b"--send", b"\\x", b"pid:",
    b"file:/%00", b"--unix-socket", "é\u{202e}".as_bytes(), "-é".as_bytes(), "--é".as_bytes(),
];

const AWKWARD_VARIABLES: Variables = &[("PORT", b"1"), ("X", b"--help\n"), ("BYTES", b"\xff")];

/// What must hold of whatever was parsed.
fn judge(arguments: &[OsString], parsed: Result<Command, Usage>) -> Result<(), String> {
    match parsed {
        Ok(Command::Check(check, _)) if check.targets.is_empty() => Err("no target".into()),
        Ok(Command::Check(..) | Command::Install(_)) => Ok(()),
        Ok(Command::Info(_)) => {
            let asks = ["--help", "-help", "-h", "--version", "-version", "-V"];
            let alone = matches!(arguments, [word] if asks.iter().any(|ask| word == ask));
            alone.then_some(()).ok_or("nobody asked for help".into())
        }
        Err(Usage(said)) => {
            let names_it = ["-", "TARGET: ", "$PORT: "]
                .iter()
                .any(|start| said.starts_with(start));
            let clean = !said.contains(|c: char| c.is_control() || c == '\u{202e}');
            let secret = said.contains("hunter2");
            (names_it && clean && !secret).then_some(()).ok_or(said)
        }
    }
}

/// The `at`th sequence of up to three.
fn awkward(mut at: usize) -> Vec<OsString> {
    let mut sequence = Vec::new();
    while at > 0 {
        at -= 1;
        sequence.push(OsStr::from_bytes(AWKWARD[at % AWKWARD.len()]).to_owned());
        at /= AWKWARD.len();
    }
    sequence
}

fn three_awkward_arguments() {
    let count = AWKWARD.len();
    for at in 0..=count + count.pow(2) + count.pow(3) {
        let arguments = awkward(at);
        let parsed = std::panic::catch_unwind(|| parse_in(&arguments, AWKWARD_VARIABLES));
        let parsed = parsed.unwrap_or_else(|_| panic!("it panics at {arguments:?}"));
        judge(&arguments, parsed).unwrap_or_else(|why| panic!("{arguments:?}: {why}"));
    }
}

/// Runs the binary with arguments and variables of any kind, and asserts what always holds.
fn always(arguments: &[OsString], variables: &[(String, OsString)]) -> Result<Run, String> {
    let mut command = command(arguments);
    // Nothing here waits for anybody: nothing listens on port 1.
    command.env("PORT", "1").envs(variables.iter().cloned());
    let run = run(&mut command);
    let Run { stdout, stderr, .. } = &run;
    let help = *stdout == cli::help();
    let first = format!("{stdout}{stderr}")
        .lines()
        .next()
        .map(str::to_owned);
    let first = first.unwrap_or_default();
    let honest = match run.code {
        Some(0) => stderr.is_empty() || stderr.starts_with("* ") || stderr.starts_with("> "),
        Some(1) => {
            first.is_empty()
                || ["error: ", "unhealthy: ", "healthy: "]
                    .iter()
                    .any(|start| first.starts_with(start))
        }
        _ => false,
    };
    let short = help || stdout.len() + stderr.len() <= 4096;
    let whole = [stdout, stderr]
        .iter()
        .all(|text| text.is_empty() || text.ends_with('\n'));
    let clean = !format!("{stdout}{stderr}").contains(|c: char| c.is_control() && c != '\n');
    let bug = stderr.contains("this is a bug");
    match honest && short && whole && clean && !bug {
        true => Ok(run),
        false => Err(run.to_string()),
    }
}

fn three_awkward_arguments_of_the_binary() {
    let count = AWKWARD.len();
    let last = count + count.pow(2) + count.pow(3);
    // All of up to one, and every so many of those up to three.
    for at in (0..=count).chain((count..=last).step_by(last / 150)) {
        let arguments = awkward(at);
        if arguments
            .iter()
            .any(|argument| argument.as_bytes().contains(&0))
        {
            continue;
        }
        let variables = [
            ("X".to_owned(), "--help\n".into()),
            ("BYTES".into(), OsString::from_vec(vec![0xff])),
        ];
        always(&arguments, &variables).unwrap_or_else(|why| panic!("{why}"));
    }
}

/// An argument: anything, something awkward, an option with a value of anything, a cluster, a URL with anything in it.
fn any_argument() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..12);
    let text = || {
        proptest::collection::vec(any::<char>(), 0..8)
            .prop_map(|chars| chars.into_iter().collect::<String>().into_bytes())
    };
    let value = move || {
        prop_oneof![
            bytes(),
            text(),
            (0..AWKWARD.len()).prop_map(|at| AWKWARD[at].to_vec())
        ]
    };
    let option = move || {
        ((0..VALUED.len()), any::<bool>(), value()).prop_map(|(row, two, value)| {
            let dashes: &[u8] = if two { b"--" } else { b"-" };
            [dashes, VALUED[row].long.as_bytes(), b"=", &value].concat()
        })
    };
    let letters: &[u8] = b"pbjXHduALtqvhVz=";
    let cluster =
        proptest::collection::vec((0..letters.len()).prop_map(move |at| letters[at]), 1..5)
            .prop_map(|letters| [b"-".as_slice(), &letters].concat());
    let good = (0..VALUED.len())
        .prop_map(|row| format!("--{}={}", VALUED[row].long, VALUED[row].good).into_bytes());
    let mut schemes: Vec<&str> = ALL.iter().map(|row| row.scheme).collect();
    schemes.push("https");
    let url = (0..schemes.len(), value(), value()).prop_map(move |(at, host, path)| {
        [schemes[at].as_bytes(), b"://", &host, b":1/", &path].concat()
    });
    prop_oneof![value(), option(), cluster, good, url]
}

fn any_variables() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let name =
        prop_oneof![Just("X"), Just("Y"), Just("PORT"), Just("BYTES")].prop_map(str::to_owned);
    let value = prop_oneof![any_argument(), Just(b"1".to_vec()), Just(Vec::new())];
    proptest::collection::vec((name, value), 0..3)
}

fn arbitrary_arguments() {
    let strategy = (
        proptest::collection::vec(any_argument(), 0..6),
        any_variables(),
    );
    let tested = runner(5000).run(&strategy, |(arguments, variables)| {
        let arguments: Vec<OsString> = arguments.into_iter().map(OsString::from_vec).collect();
        let variables: Vec<(&str, &[u8])> = variables
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        judge(&arguments, parse_in(&arguments, &variables)).map_err(TestCaseError::fail)
    });
    tested.unwrap_or_else(|failure| panic!("{failure}"));
}

fn arbitrary_arguments_of_the_binary() {
    let strategy = (
        proptest::collection::vec(any_argument(), 0..6),
        any_variables(),
    );
    let tested = runner(200).run(&strategy, |(arguments, variables)| {
        // The operating system ends a string at its first NUL.
        let without_nul = |bytes: Vec<u8>| {
            OsString::from_vec(bytes.into_iter().filter(|&byte| byte != 0).collect())
        };
        let arguments: Vec<OsString> = arguments.into_iter().map(without_nul).collect();
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name, without_nul(value)));
        let variables: Vec<(String, OsString)> =
            variables.filter(|(name, _)| name != "PORT").collect();
        always(&arguments, &variables)
            .map(drop)
            .map_err(TestCaseError::fail)
    });
    tested.unwrap_or_else(|failure| panic!("{failure}"));
}
