//! The commands that a line can have: what each asks, or how it ends the line.

use super::super::Command as Parsed;
use super::asks::{Asks, encoded, has_any, number, wrong};
use super::line::{self, Kind, Token};
use super::rows::{does, rows};
use super::table::{self, Table};
use super::{Printed, Reader, Shell, Step, curl, grep, servers, wget};
use crate::kill;
use crate::search::{joined, split_once};
use crate::snippet::printable;
use crate::target::{Complaint, time};

/// What each name means, and other words that mean something by themselves.
static NAMES: &[u8] = rows!(
    "\
- curl curl
- wget wget
- nc nc
- ncat nc
- netcat nc
- redis-cli redis
- valkey-cli redis
- pg_isready postgres
- mysqladmin mysql
- mariadb-admin mysql
- grep grep
- egrep grep
- fgrep grep
- test test
- [ test
- [[ test
- exec prefix
- busybox prefix
- timeout timeout
- healthchecker own
- sh sh
- ash sh
- bash sh
- dash sh
- true true
- : true
- echo true
- printf true
- false false
- exit exit
- kill kill
- /dev/stdout stdout
- /dev/null nowhere
- /dev/stderr nowhere
- = equals
- == equals
- -eq equals
- -lt less
- -e file
- -f regular
- -s signal
- -k signal"
);

/// The commands that have options, in the order of their numbers.
static TABLES: &[&Table] = &[
    &curl::TABLE,
    &wget::TABLE,
    &servers::NC,
    &servers::REDIS,
    &servers::POSTGRES,
    &servers::MYSQL,
    &grep::TABLE,
];

/// What a command is called, without its folder.
fn base(name: &'static str) -> &'static str {
    let slash = name.bytes().rposition(|byte| byte == b'/');
    &name[slash.map_or(0, |slash| slash + 1)..]
}

/// What a word means by itself.
pub fn meaning(word: &[u8]) -> u8 {
    let row = table::find(NAMES, 0, word);
    row.filter(|row| row.long == word).map_or(0, |row| row.does)
}

/// Whether this is what a pipe can lead to.
pub fn is_grep(name: &'static str) -> bool {
    meaning(base(name).as_bytes()) == does::GREP
}

/// Whether this is `NAME=VALUE` with a name that nothing here looks at, and that changes nothing for the real command.
fn is_harmless(word: &str) -> bool {
    let end = word.bytes().position(|byte| byte == b'=').unwrap_or(0);
    let name = word[..end].to_ascii_uppercase();
    ["PROXY", "PGPASSWORD", "MYSQL_PWD", AUTH]
        .iter()
        .any(|end| name.ends_with(end))
}

/// Words that are texts alone.
fn texts(words: &[Token]) -> Result<&'static [&'static str], Complaint> {
    let mut texts = Vec::with_capacity(words.len());
    for word in words {
        if word.kind == Kind::Output {
            return Err(line::wrong(line::MISPLACED));
        }
        texts.push(word.text);
    }
    Ok(texts.leak())
}

/// What the command with this table asks.
fn asks(
    asks: &'static mut Asks,
    table: &Table,
    words: &[&'static str],
) -> Result<&'static mut Asks, Complaint> {
    table.read(asks, words)?;
    match (table.finish)(asks) {
        Ok(()) => Ok(asks),
        Err(complaint) => Err(wrong(table.name, "", None, complaint)),
    }
}

/// The variable that is redis-cli's -a.
const AUTH: &str = "REDISCLI_AUTH";

/// The message for a connection of another shell than bash, or of a command that does more than to open it.
const CONNECTION: Complaint =
    "a connection, which is understood alone and in bash -c: write nc -z HOST PORT";

/// The message for a pipe that is something else.
pub const ONLY_GREP: Complaint = "a pipe that is not CHECK | grep TEXT";

impl Shell<'_> {
    /// What one command is.
    pub fn simple(&mut self, words: &[Token]) -> Result<Step, Complaint> {
        if let Some(place) = self.connection.take() {
            return self.connected(place, words);
        }
        if let [name, words @ ..] = words
            && name.kind == Kind::Word
            && meaning(name.text.as_bytes()) == does::TEST
        {
            return self.test(name.text, words);
        }
        let texts = texts(words)?;
        let mut words = texts;
        let mut auth = None;
        while let [word, rest @ ..] = words {
            words = rest;
            let is_assignment = has_any(word, b"=");
            let name = if is_assignment { "" } else { base(word) };
            match meaning(name.as_bytes()) {
                does::PREFIX => {}
                does::TIMEOUT => {
                    // `-t` is of old versions of BusyBox.
                    while let [option, rest @ ..] = words
                        && option.as_bytes().first() == Some(&b'-')
                    {
                        let has_value = meaning(option.as_bytes()) == does::SIGNAL;
                        words = &rest[usize::from(has_value && !rest.is_empty())..];
                    }
                    let text = *words.first().unwrap_or(&"");
                    match time::parse(text) {
                        Ok(_) if text.ends_with("ms") => {
                            let why = "is a time in ms, which timeout does not know";
                            return Err(wrong("timeout", "", Some(text), why));
                        }
                        Ok(time) => self.limit = self.limit.min(time),
                        Err(why) => return Err(wrong("timeout", "", Some(text), why)),
                    }
                    words = &words[1..];
                }
                _ if is_harmless(word) => {
                    if let Some(value) = word.strip_prefix(AUTH)
                        && let Some(value) = value.strip_prefix('=')
                    {
                        auth = Some(value);
                    }
                }
                does::REDIS => {
                    let variable = || (self.variables)(AUTH)?.into_string().ok();
                    let auth = auth.or_else(|| variable().map(|text| &*text.leak()));
                    let login = match auth {
                        Some(auth) if !auth.is_empty() => &["-a", auth][..],
                        _ => &[],
                    };
                    return self.named(does::REDIS, word, &[login, words].concat());
                }
                meaning => return self.named(meaning, word, words),
            }
        }
        Err(line::wrong("a command missing"))
    }

    /// A connection that bash opens for a command which does nothing with it.
    fn connected(&mut self, place: &'static str, words: &[Token]) -> Result<Step, Complaint> {
        let [name, more @ ..] = words else {
            return Err(line::wrong(CONNECTION));
        };
        let is_nothing = match meaning(name.text.as_bytes()) {
            does::TRUE => true,
            does::PREFIX => name.text == "exec" && more.is_empty(),
            _ => name.text == "cat" && more.is_empty(),
        };
        match split_once(place, "/") {
            Some((host, port)) if self.reader.is_bash && is_nothing => {
                let asks = Asks::of("bash");
                asks.set_text(does::HOST, host);
                asks.set_text(does::PORT, port);
                asks.add_server("tcp", "", "");
                self.asks = Some(asks);
                Ok(Step::Asks)
            }
            _ => Err(line::wrong(CONNECTION)),
        }
    }

    /// What the command `name` is with these words behind it.
    fn named(
        &mut self,
        meaning: u8,
        name: &'static str,
        words: &[&'static str],
    ) -> Result<Step, Complaint> {
        match (meaning, words) {
            (does::CURL..does::GREP, _) => {
                let table = TABLES[usize::from(meaning - does::CURL)];
                let own = Asks::of(table.name);
                for &(text, variable) in match meaning {
                    does::POSTGRES => &[(does::HOST, "PGHOST"), (does::PORT, "PGPORT")][..],
                    does::MYSQL => &[(does::PORT, "MYSQL_TCP_PORT")],
                    _ => &[],
                } {
                    if let Some(value) = (self.variables)(variable)
                        && let Ok(value) = value.into_string()
                        && !value.is_empty()
                    {
                        let value: &str = value.leak();
                        let complaint = |what| wrong(table.name, variable, Some(value), what);
                        own.take(text, value).map_err(complaint)?;
                    }
                }
                self.asks = Some(asks(own, table, words)?);
                Ok(Step::Asks)
            }
            (does::OWN, _) => {
                let words = words.iter().map(Into::into).collect();
                match super::super::parse_at(words, self.depth, self.variables) {
                    Ok(Parsed::Check(plan, _)) => {
                        self.plan.targets.extend(plan.targets);
                        self.plan.kill = self.plan.kill.take().or(plan.kill);
                        self.check(plan.origin, plan.timeout, plan.timeout, &plan.attempts)?;
                    }
                    Err(usage) => return Err(usage.0.leak()),
                    Ok(_) => return Err(line::wrong("a healthchecker in it that checks nothing")),
                }
                Ok(Step::Done)
            }
            (does::SH, _) => {
                let (line, reader) = line_of(base(name) == "bash", words)?;
                let outer = std::mem::replace(&mut self.reader, reader);
                let step = self.inner_line(line);
                self.reader = outer;
                step
            }
            (does::TRUE | does::FALSE, _) => Ok(Step::Known(meaning == does::TRUE)),
            (does::EXIT, [] | ["$?"]) => Ok(Step::Exit(None)),
            // What is no such number is an error, or another status than 0.
            (does::EXIT, [code]) => {
                let is_ok = number(code).is_ok_and(|code| code % 256 == 0);
                Ok(Step::Exit(Some(is_ok)))
            }
            (does::KILL, _) => {
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

    /// Reads a pipe: what it makes of the check that it begins with is left in `asks`.
    pub fn piped(
        &mut self,
        first: &[Token],
        printed: Printed,
        second: &[Token],
        negated: bool,
    ) -> Result<(), Complaint> {
        let texts = texts(second)?;
        let name = base(texts[0]);
        if !is_grep(name) {
            return Err(cannot_run(
                "sh: only CHECK | grep TEXT is understood of pipes: it cannot run \"",
                name,
            ));
        }
        self.simple(first)?;
        let Some(asks) = &mut self.asks else {
            return Err(line::wrong(ONLY_GREP));
        };
        if !printed.out {
            (asks.prints_body, asks.prints_status) = (false, false);
            asks.set_text(does::FORMAT, "");
        }
        // What a check itself ends with does not count in a pipe but for pipefail.
        asks.given.options.whole &= self.reader.has_pipefail;
        if !(if asks.name == "nc" {
            printed.err
        } else {
            printed.out
        }) {
            asks.says = "";
        }
        asks.prints_head &= printed.out;
        asks.tells_head &= printed.err;
        let own = Asks::of("grep");
        grep::TABLE.read(own, &texts[1..])?;
        match name.as_bytes()[0] {
            b'e' => own.set(does::EXTENDED, true),
            b'f' => own.set(does::FIXED, true),
            _ => {}
        }
        match grep::expect(asks, own, negated) {
            Ok(()) => Ok(()),
            Err(complaint) => {
                let pattern = match own.has(does::PATTERN) {
                    true => Some(own.text(does::PATTERN)),
                    false => own.operands.first().copied(),
                };
                Err(wrong("grep", "", pattern, complaint))
            }
        }
    }

    /// `test`, `[` and `[[`, from behind their name.
    fn test(&mut self, name: &'static str, words: &[Token]) -> Result<Step, Complaint> {
        let mut texts = Vec::with_capacity(words.len());
        let mut output = None;
        for (at, word) in words.iter().enumerate() {
            match word.kind {
                Kind::Output if output.is_none() => output = Some(at),
                Kind::Output => return Err(line::wrong(line::MISPLACED)),
                _ => {}
            }
            texts.push(word.text);
        }
        if name.as_bytes()[0] == b'[' {
            let end = &"]]"[..name.len()];
            if texts.pop() != Some(end) || output == Some(texts.len()) {
                return Err(line::wrong("a [ without its end"));
            }
        }
        match (output, &texts[..]) {
            (None, [what, file])
                if matches!(meaning(what.as_bytes()), does::FILE | does::REGULAR) =>
            {
                let asks = Asks::of("test");
                asks.given.options.regular = meaning(what.as_bytes()) == does::REGULAR;
                // What follows two slashes would be a host.
                let slashes = file.bytes().position(|byte| byte != b'/');
                let rest = &file[slashes.unwrap_or(file.len())..];
                let slash = if rest.len() < file.len() { "/" } else { "" };
                let url = joined(&["file:", slash, &encoded(rest, b'/')], "");
                asks.urls.push(url);
                self.asks = Some(asks);
                Ok(Step::Asks)
            }
            (Some(0), [line, how, value]) => self.compared(line, how, value),
            // The other way round, less would be more.
            (Some(2), [value, how @ ("=" | "==" | "-eq"), line]) => self.compared(line, how, value),
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
        line: &'static str,
        how: &str,
        value: &'static str,
    ) -> Result<Step, Complaint> {
        self.depth += 1;
        let tokens = line::tokens(line, self.depth, self.variables)?;
        let outer = std::mem::replace(&mut self.tokens, tokens);
        if self.depth <= line::MAX_DEPTH {
            let (words, printed) = self.command()?;
            self.take(Kind::Always, "");
            if self.tokens.is_empty() && printed == Printed::default() {
                self.simple(words)?;
            }
        }
        self.tokens = outer;
        self.depth -= 1;
        if let Some(asks) = &mut self.asks {
            // What COMMAND ends with does not count.
            asks.given.options.whole = false;
            let how = meaning(how.as_bytes());
            let equals = how == does::EQUALS;
            let is_status = asks.prints_status
                && !asks.prints_body
                && !asks.prints_head
                && asks.urls.len() == 1;
            if is_status && (equals || how == does::LESS) {
                let list = match number(value) {
                    Ok(100..=999) if equals && value.len() == 3 => value.to_owned(),
                    Ok(end @ 201..) if !equals => joined(&["200-", &(end - 1).to_string()], ""),
                    _ => String::new(),
                };
                return match asks.own("status", &list) {
                    Ok(()) => Ok(Step::Asks),
                    Err(complaint) => Err(wrong("test", "", Some(value), complaint)),
                };
            }
            let is_said = !value.is_empty() && asks.says == value;
            if !is_status && equals && is_said && asks.must_say(value, false) {
                return Ok(Step::Asks);
            }
        }
        Err(line::wrong(line::MISPLACED))
    }
}

fn cannot_run(what: &str, name: &str) -> Complaint {
    // What a variable is set to can be a secret.
    let end = name.bytes().position(|byte| byte == b'=');
    let (name, dots) = match end {
        Some(end) => (&name[..=end], "..."),
        None => (name, ""),
    };
    joined(&[what, &printable(name.as_bytes(), 40), dots, "\""], "").leak()
}

/// The LINE of `sh -c LINE`, from behind the name, and who reads it.
pub fn line_of(is_bash: bool, words: &[&'static str]) -> Result<(&'static str, Reader), Complaint> {
    let mut is_line = false;
    let mut has_pipefail = false;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let [b'-', letters @ ..] = word.as_bytes() else {
            match (is_line, words.next()) {
                (true, None) => {
                    let reader = Reader {
                        is_bash,
                        has_pipefail,
                    };
                    return Ok((word, reader));
                }
                _ => break,
            }
        };
        // Of what -e, -l and -x do, nothing changes what is understood here.
        if !letters.iter().all(|letter| b"celxo".contains(letter)) {
            break;
        }
        is_line |= letters.contains(&b'c');
        if letters.contains(&b'o') {
            has_pipefail = words.next() == Some(&"pipefail");
            if !has_pipefail {
                break;
            }
        }
    }
    let what = "this sh only checks health, and only as sh -c LINE";
    Err(wrong("sh", "", None, what))
}

/// The signal of `kill [-SIGNAL | -s SIGNAL] 1`. KILL does not reach PID 1.
fn signal(words: &[&str]) -> Result<kill::Named, Complaint> {
    let (name, pid) = match *words {
        [pid] => ("TERM", pid),
        [name, pid] => (name.strip_prefix("-").unwrap_or_default(), pid),
        [option, name, pid] if meaning(option.as_bytes()) == does::SIGNAL => (name, pid),
        _ => ("", ""),
    };
    let name = match name {
        _ if pid != "1" => "",
        "1" => "HUP",
        "2" => "INT",
        "3" => "QUIT",
        "15" => "TERM",
        _ => name,
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
