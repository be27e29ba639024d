//! The lines that people have written for a shell: `sh -c LINE`, curl and wget. Nothing here runs a program, and nothing reads
//! or writes a file: a line is read, and becomes the same plan as our own options, or is refused.
//!
//! A line is understood if it is healthy exactly where all checks in it are, as `A && B || exit 1` is. `A || true` and
//! `A || B` are not, and are refused. To know it, the line is run in mind for every combination of checks that hold.

use super::{Command as Parsed, Plan, Style, Usage, Variables, add_targets};
use crate::kill::{self, Kill};
use crate::run::Attempts;
use crate::search::joined;
use crate::target::Complaint;
use asks::Asks;
use line::{Kind, MAX_DEPTH, Token};
use rows::does;
use std::ffi::OsString;
use std::time::Duration;

mod asks;
mod commands;
mod curl;
mod grep;
mod line;
mod rows;
mod servers;
mod table;
mod wget;

/// More checks than any line has. It bounds the work.
const MAX_CHECKS: u8 = 8;

/// The same, with those that change nothing, and the targets.
const MAX_COMMANDS: usize = 64;

/// A line that is being understood.
struct Shell<'a> {
    variables: Variables<'a>,
    /// What is left of it.
    tokens: &'static [Token],
    /// The checks in it.
    plan: Plan,
    /// How many they are.
    checks: u8,
    /// How many commands there were.
    commands: usize,
    /// What PID 1 is sent where one does not hold.
    kill: Option<kill::Named>,
    /// What the command asks that was read last.
    asks: Option<&'static mut Asks>,
    /// The connection that the command opens which is read.
    connection: Option<&'static str>,
    /// Who reads it.
    reader: Reader,
    /// How long a check may take.
    limit: Duration,
    /// How many lines and groups there are around a command, with its own line.
    depth: u8,
    /// The depth of the innermost of them that `exit` ends alone.
    subshell: u8,
    /// Whether the command is run, by the status of those before it.
    joint: Kind,
    /// Where each of the combinations is. The bits of the index say which checks hold.
    ends: [End; 1 << MAX_CHECKS],
}

/// The shell that a line is for.
#[derive(Clone, Copy, Default)]
pub struct Reader {
    is_bash: bool,
    /// Whether a pipe fails with any of its commands.
    has_pipefail: bool,
}

/// What came of a line so far, where it is known which of its checks hold.
#[derive(Clone, Copy)]
struct End {
    ok: bool,
    kills: bool,
    /// The depth of the group of which nothing more is run; 0 is none.
    left: u8,
}

/// What of a command goes into a pipe behind it.
#[derive(Clone, Copy, PartialEq)]
struct Printed {
    out: bool,
    err: bool,
}

impl Default for Printed {
    fn default() -> Self {
        Printed {
            out: true,
            err: false,
        }
    }
}

/// What a command does to the line.
#[derive(Clone, Copy)]
enum Step {
    /// It is a check, and `asks` has what it asks.
    Asks,
    /// It is all done.
    Done,
    /// The check with this number is its status.
    Check(u8),
    /// It does nothing, and this is its status.
    Known(bool),
    /// It ends the line with this status, or with that of the command before.
    Exit(Option<bool>),
    /// It ends PID 1.
    Kill,
    /// A group begins, or ends.
    Begin,
    End,
}

/// The command line of a program that is called `base`. Others than these are ours.
pub fn called(
    base: &[u8],
    arguments: Vec<OsString>,
    variables: Variables,
) -> Result<Parsed, Usage> {
    let name = match commands::meaning(base) {
        does::SH if base == b"bash" => "bash",
        does::SH => "",
        does::CURL => "curl",
        does::WGET => "wget",
        _ => return super::parse(arguments, variables),
    };
    as_others(name, arguments, variables).map_err(|what| Usage(what.into()))
}

/// `sh -c LINE`, or the words behind `name`, which are a line of one command.
fn as_others(
    name: &'static str,
    arguments: Vec<OsString>,
    variables: Variables,
) -> Result<Parsed, Complaint> {
    let mut words = Vec::with_capacity(arguments.len());
    // They last as long as the program, so that nobody has to own them.
    for argument in arguments.leak() {
        match argument.to_str() {
            Some(text) => words.push(text),
            None => return Err(asks::wrong("sh", "", None, "an argument is not UTF-8")),
        }
    }
    if matches!(name, "" | "bash") {
        let (line, reader) = commands::line_of(name == "bash", &words)?;
        return planned(line, 0, variables, reader);
    }
    let kind = Kind::Word;
    let mut tokens = vec![Token { kind, text: name }];
    for text in words {
        tokens.push(Token { kind, text });
    }
    tokens_planned(tokens.leak(), 0, variables, Reader::default())
}

/// Whose option this is, curl's or wget's, and what we have in its place. `letter` can be 0, and `long` empty.
pub fn instead_of(letter: u8, long: &str) -> Option<String> {
    let mut found: Option<String> = None;
    for table in [&curl::TABLE, &wget::TABLE] {
        let row = table::find(table.rows, letter, long.as_bytes());
        let Some(row) = row.filter(|row| letter != 0 || row.long == long.as_bytes()) else {
            continue;
        };
        let refused = table::refused(row.does);
        // What curl refuses, wget may mean otherwise.
        if found.is_some() && refused.is_some() {
            continue;
        }
        let instead = match row.does {
            does::FAIL => "leave it out, a status of 400 or more is unhealthy anyway",
            does::HEAD => "leave it out, or write --method HEAD",
            does::TIME => "write --timeout TIME",
            does::RETRY | does::TRIES | does::PAUSE | does::WITHIN | does::REFUSED | does::ALL => {
                "write --wait TIME"
            }
            does::LOGIN | does::USER | does::PASSWORD => "write --user USER:PASSWORD",
            does::DATA | does::RAW | does::JSON | does::URLENCODE => "write --data TEXT",
            does::COOKIE | does::REFERER | does::RANGE | does::BEARER => {
                "write --header 'NAME: VALUE'"
            }
            does::URL => "write the URL alone",
            _ => refused.unwrap_or("leave it out"),
        };
        found = Some(joined(&["; it is ", table.name, "'s: ", instead], ""));
        if refused.is_none() {
            break;
        }
    }
    found
}

/// The plan that a line stands for.
///
/// # Errors
/// What in it is not understood.
pub fn planned(
    line: &'static str,
    depth: u8,
    variables: Variables,
    reader: Reader,
) -> Result<Parsed, Complaint> {
    let tokens = line::tokens(line, depth + 1, variables)?;
    tokens_planned(tokens, depth, variables, reader)
}

fn tokens_planned(
    tokens: &'static [Token],
    depth: u8,
    variables: Variables,
    reader: Reader,
) -> Result<Parsed, Complaint> {
    let mut shell = Shell {
        variables,
        tokens: &[],
        plan: Plan {
            targets: Vec::new(),
            origin: "",
            timeout: Duration::ZERO,
            attempts: Attempts::ONE,
            kill: None,
        },
        checks: 0,
        commands: 0,
        kill: None,
        asks: None,
        connection: None,
        reader,
        limit: Duration::MAX,
        depth: depth + 1,
        subshell: depth + 1,
        joint: Kind::Always,
        ends: [End {
            ok: false,
            kills: false,
            left: 0,
        }; 1 << MAX_CHECKS],
    };
    shell.line(tokens)?;
    if shell.checks == 0 {
        return Err(line::wrong(HOW_MANY));
    }
    let all = (1_usize << shell.checks) - 1;
    let kills = shell.kill.is_some();
    for (holding, end) in shell.ends[..=all].iter().enumerate() {
        let what = match (holding == all, end.ok, end.kills) {
            (true, true, false) => continue,
            (true, _, true) => "would end PID 1 while all is well",
            (true, ..) => "would be unhealthy whatever its checks say",
            (false, true, _) => {
                "would be healthy although a check in it is not: write CHECK && CHECK || exit 1"
            }
            (false, ..) if end.kills == kills => continue,
            _ => "would end PID 1 after some failures only",
        };
        return Err(asks::wrong("sh", "the line", None, what));
    }
    let mut plan = shell.plan;
    if let Some(signal) = shell.kill {
        // As in a shell, however young PID 1 is.
        let spare = Duration::ZERO;
        plan.kill = Some(Kill { signal, spare });
    }
    Ok(Parsed::Check(plan, Style::default()))
}

const ATTEMPTS: &str = "checks that are not all retried alike: give each the same options for it";
const HOW_MANY: &str = "no check in it, or more than eight";

impl Shell<'_> {
    /// Reads a whole line.
    fn line(&mut self, tokens: &'static [Token]) -> Result<(), Complaint> {
        let outer = std::mem::replace(&mut self.tokens, tokens);
        self.list()?;
        if !self.tokens.is_empty() {
            return Err(line::wrong("a ) or } without its beginning"));
        }
        self.tokens = outer;
        Ok(())
    }

    /// Reads a line in the line, which `exit` ends alone.
    fn inner_line(&mut self, line: &'static str) -> Result<Step, Complaint> {
        let outer = self.begin(true);
        self.line(line::tokens(line, self.depth, self.variables)?)?;
        self.end(outer);
        Ok(Step::Done)
    }

    fn begin(&mut self, is_subshell: bool) -> u8 {
        self.depth += 1;
        self.step(Step::Begin);
        let outer = self.subshell;
        if is_subshell {
            self.subshell = self.depth;
        }
        outer
    }

    fn end(&mut self, outer: u8) {
        self.step(Step::End);
        self.depth -= 1;
        self.subshell = outer;
    }

    /// Takes the next token if it is this one.
    fn take(&mut self, kind: Kind, text: &str) -> bool {
        match self.tokens {
            [first, rest @ ..] if first.kind == kind && first.text == text => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }

    /// Reads commands until the list's end, which is `)`, `}` or that of the line, and is not taken.
    fn list(&mut self) -> Result<(), Complaint> {
        if self.depth > MAX_DEPTH {
            return Err(line::wrong("too many groups in each other"));
        }
        let mut joint = Kind::Always;
        loop {
            self.joint = joint;
            self.pipeline()?;
            match self.tokens {
                [token, rest @ ..]
                    if matches!(token.kind, Kind::Always | Kind::IfOk | Kind::IfNot) =>
                {
                    joint = token.kind;
                    self.tokens = rest;
                }
                _ => return Ok(()),
            }
            // Nothing follows a `;` that ends the list.
            let is_end = match self.tokens {
                [] => true,
                [next, ..] => {
                    next.kind == Kind::Close || next.kind == Kind::Sign && next.text == "}"
                }
            };
            if is_end && joint == Kind::Always {
                return Ok(());
            }
        }
    }

    /// `[!] COMMAND [| grep]`
    fn pipeline(&mut self) -> Result<(), Complaint> {
        let (limit, before) = (self.limit, self.plan.timeout);
        let is_negated = self.take(Kind::Sign, "!");
        let is_subshell = self.take(Kind::Open, "");
        let (step, is_known) = if is_subshell || self.take(Kind::Sign, "{") {
            let outer = self.begin(is_subshell);
            self.list()?;
            let is_closed = match is_subshell {
                true => self.take(Kind::Close, ""),
                false => self.take(Kind::Sign, "}"),
            };
            if !is_closed {
                return Err(line::wrong("a ( or { without its end"));
            }
            self.end(outer);
            while let [token, rest @ ..] = self.tokens
                && token.kind == Kind::Past
            {
                self.tokens = rest;
            }
            if self.take(Kind::Pipe, "") {
                return Err(line::wrong(commands::ONLY_GREP));
            }
            (Step::Done, false)
        } else {
            let (words, printed) = self.command()?;
            if self.take(Kind::Pipe, "") {
                let (mut second, _) = self.command()?;
                while self.take(Kind::Pipe, "") {
                    let (third, _) = self.command()?;
                    if commands::is_grep(second[0].text) {
                        second = third;
                    }
                    if commands::is_grep(second[0].text) {
                        return Err(line::wrong(
                            "a second grep: write CHECK | grep TEXT && CHECK | grep TEXT",
                        ));
                    }
                }
                if self.connection.is_some() {
                    return Err(line::wrong(commands::ONLY_GREP));
                }
                self.piped(words, printed, second, is_negated)?;
                (Step::Asks, is_negated)
            } else {
                match self.simple(words)? {
                    Step::Known(ok) => (Step::Known(ok != is_negated), is_negated),
                    step => (step, false),
                }
            }
        };
        if is_negated && !is_known {
            return Err(line::wrong(
                "a ! before something else than CHECK | grep: what does not answer would be healthy",
            ));
        }
        match (step, self.asks.take()) {
            (Step::Asks, Some(asks)) => {
                let options = std::mem::take(&mut asks.given.options).shared();
                add_targets(asks.name, &asks.urls, &options, &mut self.plan.targets)
                    .map_err(|usage| &*usage.0.leak())?;
                let each = asks.patience();
                let times = u32::try_from(asks.urls.len()).unwrap_or(1);
                self.check(asks.name, each, each.saturating_mul(times), &asks.attempts)?;
            }
            _ => self.step(step),
        }
        // What `timeout` is before can be a line of several checks.
        self.plan.timeout = self.plan.timeout.min(before.saturating_add(self.limit));
        self.limit = limit;
        Ok(())
    }

    /// The words of a command, and what of it goes into a pipe behind it.
    fn command(&mut self) -> Result<(&'static [Token], Printed), Complaint> {
        let (mut words, mut printed) = (Vec::new(), Printed::default());
        while let [token, rest @ ..] = self.tokens {
            match token.kind {
                Kind::Word | Kind::Sign | Kind::Output => words.push(*token),
                Kind::Connection => self.connection = Some(token.text),
                Kind::Past if token.text.is_empty() => printed.out = false,
                Kind::Past => printed.err = token.text == "1" && printed.out,
                _ => break,
            }
            self.tokens = rest;
        }
        self.commands += 1;
        if self.commands > MAX_COMMANDS || self.plan.targets.len() > MAX_COMMANDS {
            return Err(line::wrong("more than 64 commands or targets"));
        }
        if words.is_empty() && self.connection.is_some() {
            let (kind, text) = (Kind::Word, ":");
            words.push(Token { kind, text });
        }
        match words.is_empty() {
            true => Err(line::wrong("no command where one is expected")),
            false => Ok((words.leak(), printed)),
        }
    }

    /// Adds a check to the plan, in which all must be healthy. Its targets are there already, and `each` may take so long.
    fn check(
        &mut self,
        origin: &'static str,
        each: Duration,
        timeout: Duration,
        attempts: &Attempts,
    ) -> Result<(), Complaint> {
        if self.checks == MAX_CHECKS {
            return Err(line::wrong(HOW_MANY));
        }
        let all = &mut self.plan;
        all.origin = origin;
        all.timeout += timeout.min(self.limit);
        // What one check leaves of its time is not the next one's.
        for target in &mut all.targets {
            if target.limit() == Duration::MAX {
                target.limit_to(each.min(self.limit));
            }
        }
        let mut attempts = attempts.clone();
        if attempts.most > 1 && self.limit < Duration::MAX {
            attempts.within = Some(attempts.within.unwrap_or(self.limit).min(self.limit));
        }
        // All are asked again together, and not what another command would not ask again.
        if self.checks > 0 && !attempts.is_like(&all.attempts) {
            return Err(line::wrong(ATTEMPTS));
        }
        all.attempts = attempts;
        self.step(Step::Check(self.checks));
        self.checks += 1;
        Ok(())
    }

    /// Runs one command in mind, for each combination.
    fn step(&mut self, step: Step) {
        for (holding, end) in self.ends.iter_mut().enumerate() {
            if end.left != 0 {
                let is_over = matches!(step, Step::End) && end.left == self.depth;
                end.left = if is_over { 0 } else { end.left };
                continue;
            }
            let is_run = match self.joint {
                Kind::IfOk => end.ok,
                Kind::IfNot => !end.ok,
                _ => true,
            };
            match step {
                Step::Begin if !is_run => end.left = self.depth,
                Step::Begin | Step::End | Step::Done | Step::Asks => {}
                _ if !is_run => {}
                Step::Check(at) => end.ok = holding >> at & 1 == 1,
                Step::Known(ok) => end.ok = ok,
                Step::Exit(code) => {
                    end.ok = code.unwrap_or(end.ok);
                    end.left = self.subshell;
                }
                // After it, nothing is well.
                Step::Kill => (end.ok, end.kills) = (false, true),
            }
        }
    }
}
