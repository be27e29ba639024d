//! The lines that people have written for a shell: `sh -c LINE`, curl and wget. Nothing here runs a program, and nothing reads
//! or writes a file: a line is read, and becomes the same plan as our own options, or is refused.
//!
//! A line is understood if it is healthy exactly where all checks in it are, as `A && B || exit 1` is. `A || true` and
//! `A || B` are not, and are refused.

use super::{Command as Parsed, Plan, Style, Usage, Variables, targets_of};
use crate::kill::{self, Kill};
use crate::run::Attempts;
use crate::search::joined;
use asks::Asks;
use line::{Command, Joint, List};
use std::ffi::OsString;
use std::time::Duration;

mod asks;
mod commands;
mod curl;
mod grep;
mod line;
mod table;
mod wget;

/// More checks than any line has. It bounds the work.
const MAX_CHECKS: usize = 8;

/// A line that is being understood.
struct Shell<'a> {
    variables: Variables<'a>,
    /// The checks, in the order in which they are asked.
    checks: Vec<Check>,
    /// What PID 1 is sent where one does not hold.
    kill: Option<kill::Named>,
}

/// What a command asks.
enum Check {
    /// A command of others.
    Asks(Box<Asks>),
    /// Our own.
    Own(Plan),
}

/// What a command is to the line.
enum Step {
    /// The check with this number.
    Check(usize),
    /// It does nothing, and this is its status.
    Known(bool),
    /// It ends the line with this status, or with that of the command before.
    Exit(Option<bool>),
    /// It ends PID 1.
    Kill,
    /// Several; whether `exit` in it ends the group alone.
    Group(Vec<(Joint, Step)>, bool),
}

/// How a line ends, where it is known which of its checks hold.
#[derive(Default, PartialEq, Eq)]
struct End {
    ok: bool,
    kills: bool,
}

/// The command line of a program that is called `sh`.
pub fn sh(arguments: Vec<OsString>, variables: Variables) -> Result<Parsed, Usage> {
    let words = texts(arguments)?;
    planned(commands::line_of(&words)?, 0, variables)
}

/// The command line of a program that is called `curl`, or else `wget`.
pub fn alone(is_curl: bool, arguments: Vec<OsString>) -> Result<Parsed, Usage> {
    let table = if is_curl { &curl::TABLE } else { &wget::TABLE };
    plan(vec![commands::asks(table, &texts(arguments)?)?], None)
}

/// Whose option this is, curl's or wget's, and what we have in its place. `letter` or `long` can be empty.
pub fn instead_of(letter: &str, long: &str) -> Option<String> {
    let mut found: Option<String> = None;
    for table in [&curl::TABLE, &wget::TABLE] {
        let exact = |row: &table::Row| letter == row.letter || long == row.long;
        let Some(row) = table.find(letter, long).filter(exact) else {
            continue;
        };
        let instead = match row.does {
            "fail" => "leave it out, a status of 400 or more is unhealthy anyway",
            "head" => "leave it out, or write --method HEAD",
            "time" => "write --timeout TIME",
            "retry" | "tries" | "pause" | "within" | "refused" | "all" => "write --wait TIME",
            "login" | "user" | "password" => "write --user USER:PASSWORD",
            "data" | "raw" | "json" | "urlencode" => "write --data TEXT",
            "cookie" | "referer" | "range" | "bearer" => "write --header 'NAME: VALUE'",
            "url" => "write the URL alone",
            does => table::refused(does).unwrap_or("leave it out"),
        };
        // What curl refuses, wget may mean otherwise.
        if found.is_none() || table::refused(row.does).is_none() {
            found = Some(joined(&["; it is ", table.names[0], "'s: ", instead], ""));
        }
        if table::refused(row.does).is_none() {
            break;
        }
    }
    found
}

/// The plan that a line stands for.
///
/// # Errors
/// What in it is not understood.
pub fn planned(line: &'static str, depth: usize, variables: Variables) -> Result<Parsed, Usage> {
    let mut shell = Shell {
        variables,
        checks: Vec::new(),
        kill: None,
    };
    let steps = shell.steps(line, depth)?;
    let count = shell.checks.len();
    if !(1..=MAX_CHECKS).contains(&count) {
        return Err(line::wrong("no check in it, or more than eight"));
    }
    let all = (1_u32 << count) - 1;
    let kills = shell.kill.is_some();
    for holding in 0..=all {
        let end = ended(&steps, holding);
        let is_well = holding == all;
        let what = match (is_well, end) {
            (
                true,
                End {
                    ok: true,
                    kills: false,
                },
            ) => continue,
            (true, End { kills: true, .. }) => "would end PID 1 while all is well",
            (true, _) => "would be unhealthy whatever its checks say",
            (false, End { ok: true, .. }) => {
                "would be healthy although a check in it is not: write CHECK && CHECK || exit 1"
            }
            (false, end) if end.kills == kills => continue,
            (false, _) => "would end PID 1 after some failures only",
        };
        return Err(asks::wrong("sh", "the line", None, what));
    }
    plan(shell.checks, shell.kill)
}

/// The words of a command line. They last as long as the program, so that nobody has to own them.
fn texts(arguments: Vec<OsString>) -> Result<Vec<&'static str>, Usage> {
    let mut texts = Vec::with_capacity(arguments.len());
    for argument in arguments {
        match argument.into_string() {
            Ok(text) => texts.push(&*text.leak()),
            Err(_) => return Err(asks::wrong("sh", "", None, "an argument is not UTF-8")),
        }
    }
    Ok(texts)
}

/// Runs the line in mind. The bits of `holding` say which checks hold.
fn ended(steps: &[(Joint, Step)], holding: u32) -> End {
    let mut end = End::default();
    run(steps, holding, &mut end);
    end
}

/// Returns whether `exit` was met.
fn run(steps: &[(Joint, Step)], holding: u32, end: &mut End) -> bool {
    for (joint, step) in steps {
        let is_run = match joint {
            Joint::Always => true,
            Joint::IfOk => end.ok,
            Joint::IfNot => !end.ok,
        };
        if !is_run {
            continue;
        }
        match step {
            Step::Check(at) => end.ok = holding >> at & 1 == 1,
            Step::Known(ok) => end.ok = *ok,
            Step::Exit(code) => {
                end.ok = code.unwrap_or(end.ok);
                return true;
            }
            // After it, nothing is well.
            Step::Kill => (end.ok, end.kills) = (false, true),
            Step::Group(steps, is_subshell) => {
                if run(steps, holding, end) && !is_subshell {
                    return true;
                }
            }
        }
    }
    false
}

impl Shell<'_> {
    fn check(&mut self, check: Check) -> Step {
        self.checks.push(check);
        Step::Check(self.checks.len() - 1)
    }

    fn steps(&mut self, line: &'static str, depth: usize) -> Result<Vec<(Joint, Step)>, Usage> {
        let list = line::parse(line, depth, self.variables).map_err(line::wrong)?;
        self.resolved(&list, depth)
    }

    fn resolved(&mut self, list: &List, depth: usize) -> Result<Vec<(Joint, Step)>, Usage> {
        let mut steps = Vec::new();
        for (joint, pipeline) in list {
            let mut step = match &pipeline.commands[..] {
                [Command::Simple(words, _)] => self.simple(words, depth)?,
                [Command::Group(list, is_subshell)] => {
                    Step::Group(self.resolved(list, depth)?, *is_subshell)
                }
                commands => {
                    let step = self.piped(commands, pipeline.negated, depth)?;
                    steps.push((*joint, step));
                    continue;
                }
            };
            if pipeline.negated {
                step = match step {
                    Step::Known(ok) => Step::Known(!ok),
                    _ => {
                        return Err(line::wrong(
                            "a ! before something else than CHECK | grep: what does not answer would be healthy",
                        ));
                    }
                };
            }
            steps.push((*joint, step));
        }
        Ok(steps)
    }
}

/// Joins the checks into one plan, in which all must be healthy.
fn plan(checks: Vec<Check>, signal: Option<kill::Named>) -> Result<Parsed, Usage> {
    let mut all = Plan {
        targets: Vec::new(),
        origin: "",
        timeout: Duration::ZERO,
        attempts: Attempts::ONE,
        // As in a shell, however young it is.
        kill: signal.map(|signal| Kill {
            signal,
            spare: Duration::ZERO,
        }),
    };
    for check in checks {
        let plan = match check {
            Check::Own(plan) => plan,
            Check::Asks(asks) => {
                let times = u32::try_from(asks.urls.len()).unwrap_or(1);
                Plan {
                    timeout: asks.patience().saturating_mul(times),
                    origin: asks.name,
                    attempts: asks.attempts.clone(),
                    kill: None,
                    targets: targets_of(asks.name, &asks.urls, &asks.options.shared())?
                        .into_iter()
                        .map(|(target, _)| target)
                        .collect(),
                }
            }
        };
        all.targets.extend(plan.targets);
        all.timeout += plan.timeout;
        all.origin = plan.origin;
        all.kill = all.kill.or(plan.kill);
        if plan.attempts.most > all.attempts.most {
            all.attempts = plan.attempts;
        }
    }
    Ok(Parsed::Check(all, Style::default()))
}
