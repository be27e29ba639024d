//! The commands that a line can have, beside curl, wget and grep: what each asks, or how it ends the line.

use super::super::{Command as Parsed, Usage};
use super::asks::{Asks, encoded, number, wrong};
use super::line::{self, Command, Joint, Word};
use super::table::Table;
use super::{Check, Shell, Step, curl, grep, wget};
use crate::kill;
use crate::search::joined;
use crate::snippet::printable;
use crate::target::{Complaint, place, time};

/// The commands that ask something.
static TABLES: &[&Table] = &[
    &curl::TABLE,
    &wget::TABLE,
    &Table {
        names: &["nc", "ncat", "netcat"],
        equals: false,
        finish: nc,
        rows: "\
z zero zero
v verbose -
n nodns -
4 - v4
6 - v6
w wait time=
q - -=",
    },
    &Table {
        names: &["redis-cli", "valkey-cli"],
        equals: false,
        finish: redis_cli,
        rows: "\
h - host=
p - port=
a pass password:
- user user=
s - socket=
n - -=
t - time=
- no-auth-warning -
- raw -
e - -",
    },
    &Table {
        names: &["pg_isready"],
        equals: true,
        finish: pg_isready,
        rows: "\
h host host=
p port port=
U username user=
d dbname database=
t timeout time=
q quiet -",
    },
    &Table {
        names: &["mysqladmin", "mariadb-admin"],
        equals: true,
        finish: mysqladmin,
        rows: "\
h host host=
P port port=
u user -=
p password -?
S socket socket=
s silent -
v verbose -
- protocol -=
- connect-timeout time=
- connect_timeout time=
- skip-ssl -
- no-defaults -
- defaults-file reads
- defaults-extra-file reads",
    },
];

fn nc(asks: &mut Asks) -> Result<(), Complaint> {
    let (true, &[host, port]) = (asks.zero, &asks.operands[..]) else {
        return Err("only `nc -z HOST PORT` is understood");
    };
    asks.says = "succeeded! open";
    (asks.host, asks.port) = (host, port);
    asks.add_server("tcp", "", "");
    Ok(())
}

fn redis_cli(asks: &mut Asks) -> Result<(), Complaint> {
    let is_ping = matches!(asks.operands[..], [ping] if ping.eq_ignore_ascii_case("ping"));
    let (user, password) = (asks.user, asks.password);
    // They are words of one line of the protocol.
    let is_word = |byte: u8| byte.is_ascii_graphic() && !b"\"'".contains(&byte);
    if !is_ping || !user.bytes().chain(password.bytes()).all(is_word) {
        return Err("only `redis-cli ping` is understood, and no password with blanks or quotes");
    }
    asks.port = if asks.port.is_empty() {
        "6379"
    } else {
        asks.port
    };
    asks.says = "PONG";
    asks.add_server("redis", "", "");
    if !password.is_empty() {
        // Only PONG shows that the password is right.
        let blank = if user.is_empty() { "" } else { " " };
        asks.ask_for_pong(&joined(&["AUTH ", user, blank, password, "\r\n"], ""));
    }
    Ok(())
}

fn pg_isready(asks: &mut Asks) -> Result<(), Complaint> {
    let database = asks.database;
    if !asks.operands.is_empty() || database.contains(['=', ':']) {
        return Err("takes no operand, and with -d no more than a name");
    }
    if asks.host.starts_with('/') {
        let port = if asks.port.is_empty() {
            "5432"
        } else {
            asks.port
        };
        let socket = joined(&[asks.host, "/.s.PGSQL.", port], "");
        asks.options.unix_socket = Some(place::unix_socket(&socket)?);
        asks.host = "";
    }
    let slash = if database.is_empty() { "" } else { "/" };
    let path = joined(&[slash, &encoded(database, b'~')], "");
    asks.says = "accepting connections";
    asks.add_server("postgres", &encoded(asks.user, b'~'), &path);
    Ok(())
}

fn mysqladmin(asks: &mut Asks) -> Result<(), Complaint> {
    if asks.operands != ["ping"] {
        return Err("only `mysqladmin ping` is understood");
    }
    asks.says = "mysqld is alive";
    asks.add_server("mysql", "", "");
    Ok(())
}

/// What a command is called, without its folder.
fn base(name: &'static str) -> &'static str {
    name.rsplit('/').next().unwrap_or_default()
}

/// Whether this is `NAME=VALUE` with a name that nothing here looks at, and that changes nothing for the real command.
fn is_harmless(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else {
        return false;
    };
    let name = name.to_ascii_uppercase();
    ["PROXY", "PGPASSWORD", "MYSQL_PWD", "REDISCLI_AUTH"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// Words that are texts alone.
fn texts(words: &[Word]) -> Result<Vec<&'static str>, Usage> {
    let mut texts = Vec::with_capacity(words.len());
    for word in words {
        match word {
            Word::Text(text) => texts.push(*text),
            Word::Output(_) => return Err(line::wrong(line::MISPLACED)),
        }
    }
    Ok(texts)
}

/// What the command with this table asks.
pub fn asks(table: &Table, words: &[&'static str]) -> Result<Check, Usage> {
    let name = table.names[0];
    let mut asks = Box::new(Asks::of(name));
    table.read(&mut asks, words)?;
    (table.finish)(&mut asks).map_err(|complaint| wrong(name, "", None, complaint))?;
    Ok(Check::Asks(asks))
}

impl Shell<'_> {
    /// What one command is.
    pub fn simple(&mut self, words: &[Word], depth: usize) -> Result<Step, Usage> {
        if let [Word::Text(name @ ("test" | "[" | "[[")), words @ ..] = words {
            return self.test(name, words, depth);
        }
        let texts = texts(words)?;
        let mut words = &texts[..];
        let begun = self.checks.len();
        let mut limit = None;
        let step = loop {
            let Some((word, rest)) = words.split_first() else {
                return Err(line::wrong("a command missing"));
            };
            words = rest;
            match base(word) {
                "exec" | "busybox" => {}
                "timeout" => {
                    // `-t` is of old versions of BusyBox.
                    while let [option, rest @ ..] = words
                        && option.starts_with('-')
                    {
                        let has_value = matches!(*option, "-s" | "-k");
                        words = &rest[usize::from(has_value && !rest.is_empty())..];
                    }
                    let text = *words.first().unwrap_or(&"");
                    let time = time::parse(text);
                    limit = Some(time.map_err(|why| wrong("timeout", "", Some(text), why))?);
                    words = &words[1..];
                }
                _ if is_harmless(word) => {}
                _ => break self.named(word, words, depth)?,
            }
        };
        if let Some(limit) = limit {
            for check in &mut self.checks[begun..] {
                match check {
                    Check::Asks(asks) => asks.time = Some(asks.patience().min(limit)),
                    Check::Own(plan) => plan.timeout = plan.timeout.min(limit),
                }
            }
        }
        Ok(step)
    }

    /// What the command `name` is with these words behind it.
    fn named(
        &mut self,
        name: &'static str,
        words: &[&'static str],
        depth: usize,
    ) -> Result<Step, Usage> {
        let base = base(name);
        if let Some(table) = TABLES.iter().find(|table| table.names.contains(&base)) {
            let asks = asks(table, words)?;
            return Ok(self.check(asks));
        }
        match (base, words) {
            ("healthchecker", _) => {
                let words = words.iter().map(Into::into).collect();
                match super::super::parse_at(words, depth + 1, self.variables)? {
                    Parsed::Check(plan, _) => Ok(self.check(Check::Own(plan))),
                    _ => Err(line::wrong("a healthchecker in it that checks nothing")),
                }
            }
            ("sh" | "ash" | "bash" | "dash", _) => {
                let steps = self.steps(line_of(words)?, depth + 1)?;
                Ok(Step::Group(steps, true))
            }
            ("true" | ":" | "echo" | "printf", _) => Ok(Step::Known(true)),
            ("false", _) => Ok(Step::Known(false)),
            ("exit", [] | ["$?"]) => Ok(Step::Exit(None)),
            ("exit", [code]) => match number(code) {
                Ok(code) => Ok(Step::Exit(Some(code % 256 == 0))),
                Err(complaint) => Err(wrong("exit", "", Some(code), complaint)),
            },
            ("kill", _) => {
                let signal = signal(words)?;
                if self.kill.is_some_and(|(name, _)| name != signal.0) {
                    return Err(line::wrong("two signals in it"));
                }
                self.kill = Some(signal);
                Ok(Step::Kill)
            }
            _ => Err(cannot_run(
                "this sh only checks health, with curl, wget, healthchecker, nc -z, test -f, redis-cli ping, pg_isready \
                 and mysqladmin ping: it cannot run \"",
                name,
            )),
        }
    }

    /// What a pipe makes of the check that it begins with.
    pub fn piped(
        &mut self,
        commands: &[Command],
        negated: bool,
        depth: usize,
    ) -> Result<Step, Usage> {
        const ONLY: &str = "a pipe that is not CHECK | grep TEXT";
        let [Command::Simple(first, past), Command::Simple(second, _)] = commands else {
            return Err(line::wrong(ONLY));
        };
        let texts = texts(second)?;
        let name = base(texts[0]);
        if !grep::TABLE.names.contains(&name) {
            return Err(cannot_run(
                "sh: only CHECK | grep TEXT is understood of pipes: it cannot run \"",
                name,
            ));
        }
        let step = self.simple(first, depth)?;
        let (Step::Check(_), Some(Check::Asks(asks))) = (&step, self.checks.last_mut()) else {
            return Err(line::wrong(ONLY));
        };
        if *past {
            (asks.prints_body, asks.prints_status) = (false, false);
        }
        let mut own = Asks::of("grep");
        grep::TABLE.read(&mut own, &texts[1..])?;
        own.extended |= name == "egrep";
        own.fixed |= name == "fgrep";
        let pattern = own.pattern.or(own.operands.first().copied());
        grep::expect(asks, &own, negated)
            .map_err(|complaint| wrong("grep", "", pattern, complaint))?;
        Ok(step)
    }

    /// `test`, `[` and `[[`, from behind their name.
    fn test(&mut self, name: &'static str, words: &[Word], depth: usize) -> Result<Step, Usage> {
        let words = match (name, words) {
            ("[", [words @ .., Word::Text("]")]) | ("[[", [words @ .., Word::Text("]]")]) => words,
            ("test", words) => words,
            _ => return Err(line::wrong("a [ without its end")),
        };
        match words {
            [Word::Text(what @ ("-f" | "-e")), Word::Text(file)] => {
                let mut asks = Asks::of("test");
                asks.options.regular = *what == "-f";
                // What follows two slashes would be a host.
                let rest = file.trim_start_matches('/');
                let slash = if rest.len() < file.len() { "/" } else { "" };
                asks.urls
                    .push(joined(&["file:", slash, &encoded(rest, b'/')], ""));
                Ok(self.check(Check::Asks(Box::new(asks))))
            }
            [Word::Output(output), Word::Text(how), Word::Text(value)]
            | [Word::Text(value), Word::Text(how), Word::Output(output)] => {
                self.compared(output, how, value, depth)
            }
            _ => Err(wrong(
                name,
                "",
                None,
                "only -f FILE, -e FILE and \"$(curl ...)\" = STATUS are understood",
            )),
        }
    }

    /// `"$(COMMAND)" = VALUE`
    fn compared(
        &mut self,
        output: &'static str,
        how: &str,
        value: &'static str,
        depth: usize,
    ) -> Result<Step, Usage> {
        let list = line::parse(output, depth + 1, self.variables).map_err(line::wrong)?;
        if let [(Joint::Always, pipeline)] = &list[..]
            && let (false, [Command::Simple(words, _)]) = (pipeline.negated, &pipeline.commands[..])
            && let step @ Step::Check(_) = self.simple(words, depth + 1)?
            && let Some(Check::Asks(asks)) = self.checks.last_mut()
        {
            let equals = matches!(how, "=" | "==" | "-eq");
            let is_status = asks.prints_status && !asks.prints_body && !asks.prints_head;
            if is_status && (equals || how == "-lt") {
                let list = match (how, number(value)) {
                    ("-lt", Ok(end @ 201..)) => joined(&["200-", &(end - 1).to_string()], ""),
                    ("-lt", _) => String::new(),
                    _ => value.to_owned(),
                };
                asks.set_statuses(&list)
                    .map_err(|complaint| wrong("test", "", Some(value), complaint))?;
                return Ok(step);
            }
            if !is_status && equals && asks.says == value && asks.must_say(value, false) {
                return Ok(step);
            }
        }
        Err(line::wrong(line::MISPLACED))
    }
}

fn cannot_run(what: &str, name: &str) -> Usage {
    Usage(joined(&[what, &printable(name.as_bytes(), 40), "\""], ""))
}

/// The LINE of `sh -c LINE`, from behind the name.
pub fn line_of(words: &[&'static str]) -> Result<&'static str, Usage> {
    let mut is_line = false;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(letters) = word.strip_prefix('-') else {
            match (is_line, words.next()) {
                (true, None) => return Ok(word),
                _ => break,
            }
        };
        // Of what -e, -l, -x and pipefail do, nothing changes what is understood here.
        if !letters.bytes().all(|letter| b"celxo".contains(&letter)) {
            break;
        }
        is_line |= letters.contains('c');
        if letters.contains('o') && words.next() != Some(&"pipefail") {
            break;
        }
    }
    let what = "this sh only checks health, and only as sh -c LINE";
    Err(wrong("sh", "", None, what))
}

/// The signal of `kill [-SIGNAL | -s SIGNAL] 1`. KILL does not reach PID 1.
fn signal(words: &[&str]) -> Result<kill::Named, Usage> {
    let name = match words {
        ["1"] => "TERM",
        ["-s", name, "1"] => name,
        [name, "1"] => name.strip_prefix('-').unwrap_or_default(),
        _ => "",
    };
    let name = match name {
        "1" => "HUP",
        "2" => "INT",
        "3" => "QUIT",
        "15" => "TERM",
        name => name,
    };
    match kill::signal(name) {
        Ok(signal) if signal.0 != "KILL" => Ok(signal),
        _ => {
            let what =
                "only `kill [-SIGNAL] 1` is understood, with TERM, INT, QUIT, HUP, USR1 or USR2";
            Err(wrong("kill", "", None, what))
        }
    }
}
