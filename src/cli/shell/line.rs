//! A line as `sh -c` takes it: its words, with quotes and variables, and what joins its commands. Pure.
//!
//! What a shell would do with files is refused here: a redirection may lead to a stream or to `/dev/null`. A word with a glob
//! character stays as it is, as in a shell where no file matches.

use super::super::{Usage, Variables};
use super::asks;
use crate::target::Complaint;

/// How deep groups, `$(...)` and defaults may nest. It bounds the recursion.
const MAX_DEPTH: usize = 8;

/// What decides whether a command is run, by the status of those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joint {
    /// `;`, or the first of a list.
    Always,
    /// `&&`
    IfOk,
    /// `||`
    IfNot,
}

/// Commands in order.
pub type List = Vec<(Joint, Pipeline)>;

/// `[!] COMMAND [| COMMAND]...`
#[derive(Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// Whether there is a `!` before it.
    pub negated: bool,
    /// At least one.
    pub commands: Vec<Command>,
}

/// One command, or a list in parentheses or braces.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Its words, and whether its stdout goes past the pipe.
    Simple(Vec<Word>, bool),
    /// Whether `exit` in it ends the group alone, as it does in parentheses.
    Group(List, bool),
}

/// A word, without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// A text.
    Text(&'static str),
    /// `$(LINE)`: what LINE prints.
    Output(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Word(Word),
    /// A redirection of stdout past the pipe.
    Past,
    Joint(Joint),
    Pipe,
    Open,
    Close,
}

/// The message for a `$(...)` anywhere but in a comparison of the status.
pub const MISPLACED: Complaint = "a $(...), which is understood only as in [ \"$(curl -s -o /dev/null -w '%{http_code}' URL)\" = 200 ]";

const NO_COMMAND: Complaint = "no command where one is expected";

/// Reads a line. `depth` is that of the lines that it stands in.
///
/// # Errors
/// What it has that is not understood.
pub fn parse(line: &'static str, depth: usize, variables: Variables) -> Result<List, Complaint> {
    let mut lexer = Lexer {
        rest: line,
        variables,
        depth,
        tokens: Vec::new(),
        word: None,
        is_quoted: false,
        output: None,
        redirection: None,
    };
    lexer.read()?;
    let mut tokens = Tokens(&lexer.tokens);
    let list = tokens.list(depth)?;
    match tokens.0 {
        [] => Ok(list),
        _ => Err("a ) or } without its beginning"),
    }
}

/// The message for what a line has that is not understood.
pub fn wrong(what: Complaint) -> Usage {
    asks::wrong("sh", "the line has", None, what)
}

struct Lexer<'a> {
    rest: &'static str,
    variables: Variables<'a>,
    depth: usize,
    tokens: Vec<Token>,
    /// The word that is being read, if one has begun.
    word: Option<String>,
    /// Whether a part of it was quoted.
    is_quoted: bool,
    /// The `$(...)` in it.
    output: Option<&'static str>,
    /// A redirection that waits for its target: the descriptor, and whether the target is one as well.
    redirection: Option<(u8, bool)>,
}

impl Lexer<'_> {
    fn read(&mut self) -> Result<(), Complaint> {
        loop {
            // Longer ones first.
            let operators = [
                ("\\\n", None),
                ("&&", Some(Token::Joint(Joint::IfOk))),
                ("||", Some(Token::Joint(Joint::IfNot))),
                ("|", Some(Token::Pipe)),
                (";", Some(Token::Joint(Joint::Always))),
                ("(", Some(Token::Open)),
                (")", Some(Token::Close)),
            ];
            let operator = operators
                .into_iter()
                .find_map(|(text, token)| Some((self.rest.strip_prefix(text)?, token)));
            if let Some((rest, token)) = operator {
                self.rest = rest;
                if let Some(token) = token {
                    self.end_word()?;
                    self.end_command()?;
                    self.tokens.push(token);
                }
                continue;
            }
            if self.redirected()? {
                continue;
            }
            let Some(c) = self.next() else { break };
            match c {
                ' ' | '\t' => self.end_word()?,
                '\n' => {
                    self.end_word()?;
                    self.end_command()?;
                    // A line may end after what joins two commands.
                    if let Some(Token::Word(_) | Token::Past | Token::Close) = self.tokens.last() {
                        self.tokens.push(Token::Joint(Joint::Always));
                    }
                }
                '#' if self.word.is_none() => {
                    let end = self.rest.find('\n').unwrap_or(self.rest.len());
                    self.rest = &self.rest[end..];
                }
                '\'' => {
                    let text = self.until('\'')?;
                    self.quoted().push_str(text);
                }
                '"' => self.double_quoted()?,
                '\\' => {
                    let next = self.next().ok_or("a \\ at its end")?;
                    self.quoted().push(next);
                }
                '$' => {
                    let text = self.dollar()?;
                    self.split(&text)?;
                }
                '`' => {
                    let text = self.until('`')?;
                    self.outputs(text)?;
                }
                '&' => return Err("a & that would leave a command running"),
                '~' if self.word.is_none() => return Err("a ~, and this sh has no home"),
                c => self.begun().push(c),
            }
        }
        self.end_word()?;
        self.end_command()
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    /// The word that is being read, or a new one.
    fn begun(&mut self) -> &mut String {
        self.word.get_or_insert_default()
    }

    fn quoted(&mut self) -> &mut String {
        self.is_quoted = true;
        self.begun()
    }

    /// What stands before the next `quote`, which is taken too.
    fn until(&mut self, quote: char) -> Result<&'static str, Complaint> {
        let (text, rest) = self
            .rest
            .split_once(quote)
            .ok_or("a quote without its end")?;
        self.rest = rest;
        Ok(text)
    }

    /// What stands between double quotes; the first one is taken already.
    fn double_quoted(&mut self) -> Result<(), Complaint> {
        self.quoted();
        loop {
            match self.next().ok_or("a \" without its end")? {
                '"' => return Ok(()),
                '$' => {
                    let text = self.dollar()?;
                    self.begun().push_str(&text);
                }
                '`' => {
                    let text = self.until('`')?;
                    self.outputs(text)?;
                }
                '\\' => match self.next() {
                    Some('\n') | None => {}
                    Some(c @ ('$' | '`' | '"' | '\\')) => self.begun().push(c),
                    Some(c) => self.begun().extend(['\\', c]),
                },
                c => self.begun().push(c),
            }
        }
    }

    /// Adds what a variable without quotes holds: a blank in it ends the word.
    fn split(&mut self, text: &str) -> Result<(), Complaint> {
        for c in text.chars() {
            match c {
                ' ' | '\t' | '\n' => self.end_word()?,
                c => self.begun().push(c),
            }
        }
        Ok(())
    }

    /// What stands for a `$`, which is taken already.
    fn dollar(&mut self) -> Result<String, Complaint> {
        let rest = self.rest;
        if let Some(inside) = rest.strip_prefix('(') {
            let end = closing(inside).ok_or("a $( without its end")?;
            self.rest = &inside[end + 1..];
            self.outputs(&inside[..end])?;
            return Ok(String::new());
        }
        if let Some(inside) = rest.strip_prefix('{') {
            let mut depth = 1;
            let end = inside.find(|c| {
                depth += i32::from(c == '{') - i32::from(c == '}');
                depth == 0
            });
            let end = end.ok_or("a ${ without its end")?;
            self.rest = &inside[end + 1..];
            return self.braced(&inside[..end]);
        }
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let name = &rest[..end.unwrap_or(rest.len())];
        match rest.chars().next() {
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                self.rest = &rest[name.len()..];
                self.value(name)
            }
            // For `exit $?`.
            Some('?') => {
                self.rest = &rest[1..];
                Ok("$?".into())
            }
            Some('0'..='9' | '@' | '*' | '#' | '!' | '-' | '$') => {
                Err("a $ with a digit or a sign, which is nothing here")
            }
            _ => Ok("$".into()),
        }
    }

    /// `NAME`, `NAME:-default` or `NAME-default`, as it stands between braces.
    fn braced(&mut self, inside: &'static str) -> Result<String, Complaint> {
        let end = inside.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let (name, more) = inside.split_at(end.unwrap_or(inside.len()));
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err("a ${...} without the name of a variable");
        }
        let is_set = (self.variables)(name).is_some();
        let default = match (more.strip_prefix(":-"), more.strip_prefix('-')) {
            (Some(default), _) => default,
            (None, Some(default)) if !is_set => default,
            (None, Some(_)) => "",
            (None, None) if more.is_empty() => "",
            _ => {
                return Err("a ${...} that is neither ${NAME} nor ${NAME:-default}");
            }
        };
        let value = self.value(name)?;
        if !value.is_empty() {
            return Ok(value);
        }
        // A default can be another variable.
        if default.contains(['"', '\'', '\\', '`']) || self.depth == MAX_DEPTH {
            return Err("a default in ${...} with quotes, or too deep in others");
        }
        let mut text = String::new();
        let mut parts = default;
        self.depth += 1;
        while let Some((before, after)) = parts.split_once('$') {
            let mut inner = Lexer {
                rest: after,
                tokens: Vec::new(),
                word: None,
                output: None,
                redirection: None,
                ..*self
            };
            text.push_str(before);
            text.push_str(&inner.dollar()?);
            if inner.output.is_some() {
                return Err(MISPLACED);
            }
            parts = inner.rest;
        }
        self.depth -= 1;
        text.push_str(parts);
        Ok(text)
    }

    /// What a variable holds. One that is unset is empty, as in a shell.
    fn value(&self, name: &str) -> Result<String, Complaint> {
        let value = (self.variables)(name).unwrap_or_default();
        value
            .into_string()
            .map_err(|_| "a variable whose value is not UTF-8")
    }

    /// Takes a `$(...)` as a part of the word.
    fn outputs(&mut self, line: &'static str) -> Result<(), Complaint> {
        self.quoted();
        match self.output.replace(line) {
            None => Ok(()),
            Some(_) => Err(MISPLACED),
        }
    }

    /// Takes the beginning of a redirection, if it is one.
    fn redirected(&mut self) -> Result<bool, Complaint> {
        const OPERATORS: [(&str, u8); 9] = [
            ("&>>", 1),
            ("&>", 1),
            ("<<", 0),
            ("<&", 0),
            ("<", 0),
            (">>", 1),
            (">|", 1),
            (">&", 1),
            (">", 1),
        ];
        let mut operators = OPERATORS.iter();
        let found =
            operators.find_map(|(text, fd)| Some((self.rest.strip_prefix(text)?, text, fd)));
        let Some((rest, operator, fd)) = found else {
            return Ok(false);
        };
        if *operator == "<<" {
            return Err("a <<, which is nothing here");
        }
        // In `2>`, the word before it is the descriptor.
        let number = match self.word.as_deref().map(str::as_bytes) {
            Some([digit @ b'0'..=b'9']) if !self.is_quoted && !self.rest.starts_with('&') => {
                Some(digit - b'0')
            }
            _ => None,
        };
        match number {
            Some(_) => self.word = None,
            None => self.end_word()?,
        }
        self.end_command()?;
        self.rest = rest;
        self.redirection = Some((number.unwrap_or(*fd), operator.ends_with('&')));
        Ok(true)
    }

    fn end_word(&mut self) -> Result<(), Complaint> {
        self.is_quoted = false;
        let Some(text) = self.word.take() else {
            return Ok(());
        };
        let word = match self.output.take() {
            None => Word::Text(text.leak()),
            Some(line) if text.is_empty() => Word::Output(line),
            Some(_) => return Err(MISPLACED),
        };
        let Some((fd, to_fd)) = self.redirection.take() else {
            self.tokens.push(Token::Word(word));
            return Ok(());
        };
        let Word::Text(target) = word else {
            return Err(MISPLACED);
        };
        match (fd, to_fd, target) {
            (1, true, "2" | "-") | (1, _, "/dev/null" | "/dev/stderr") => {
                self.tokens.push(Token::Past);
                Ok(())
            }
            (_, true, "0" | "1" | "2" | "-")
            | (_, _, "/dev/null" | "/dev/stderr" | "/dev/stdout") => Ok(()),
            (0, ..) => Err("a < from a file, and this sh reads none"),
            _ => Err("a > to a file, and this sh writes none but /dev/null"),
        }
    }

    /// Where a command ends, no redirection may wait for its target.
    fn end_command(&mut self) -> Result<(), Complaint> {
        match self.redirection {
            None => Ok(()),
            Some(_) => Err("a < or > without a file"),
        }
    }
}

/// Where the parenthesis is that closes the one before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    let mut quote = None;
    let mut escaped = false;
    text.find(|c| {
        match (quote, c) {
            _ if escaped => {
                escaped = false;
                return false;
            }
            (None | Some('"'), '\\') => escaped = true,
            (None, '"' | '\'') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        depth == 0
    })
}

/// The tokens that are left.
struct Tokens<'a>(&'a [Token]);

impl Tokens<'_> {
    /// Takes the next token if it is this one.
    fn take(&mut self, wanted: Token) -> bool {
        match self.0 {
            [first, rest @ ..] if *first == wanted => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Reads commands until the list's end, which is `)`, `}` or that of the line, and is not taken.
    fn list(&mut self, depth: usize) -> Result<List, Complaint> {
        if depth > MAX_DEPTH {
            return Err("too many groups in each other");
        }
        let mut list = List::new();
        let mut joint = Joint::Always;
        loop {
            // Nothing follows a `;` that ends the list.
            let is_end = matches!(self.0, [] | [Token::Close | END, ..]);
            if is_end && joint == Joint::Always && !list.is_empty() {
                return Ok(list);
            }
            list.push((joint, self.pipeline(depth)?));
            joint = match self.0 {
                &[Token::Joint(joint), ..] => joint,
                _ => return Ok(list),
            };
            self.0 = &self.0[1..];
        }
    }

    fn pipeline(&mut self, depth: usize) -> Result<Pipeline, Complaint> {
        let negated = self.take(Token::Word(Word::Text("!")));
        let mut commands = vec![self.command(depth)?];
        while self.take(Token::Pipe) {
            commands.push(self.command(depth)?);
        }
        Ok(Pipeline { negated, commands })
    }

    fn command(&mut self, depth: usize) -> Result<Command, Complaint> {
        let is_subshell = self.take(Token::Open);
        if is_subshell || self.take(Token::Word(Word::Text("{"))) {
            let inside = self.list(depth + 1)?;
            if !self.take(if is_subshell { Token::Close } else { END }) {
                return Err("a ( or { without its end");
            }
            while self.take(Token::Past) {}
            return Ok(Command::Group(inside, is_subshell));
        }
        let (mut words, mut past) = (Vec::new(), false);
        loop {
            match self.0 {
                [Token::Word(word), ..] => words.push(*word),
                [Token::Past, ..] => past = true,
                _ => break,
            }
            self.0 = &self.0[1..];
        }
        match words.is_empty() {
            true => Err(NO_COMMAND),
            false => Ok(Command::Simple(words, past)),
        }
    }
}

/// What ends a group in braces.
const END: Token = Token::Word(Word::Text("}"));

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of a line, `/` between them, and what stands between commands.
    fn read(line: &'static str) -> Result<String, Complaint> {
        let variables = |name: &str| match name {
            "PORT" => Some("8080".into()),
            "TWO" => Some(" a  b ".into()),
            "EMPTY" => Some("".into()),
            _ => None,
        };
        parse(line, 0, &variables).map(|list| shown(&list))
    }

    fn shown(list: &List) -> String {
        let mut text = String::new();
        for (joint, pipeline) in list {
            text.push_str(match joint {
                Joint::Always => ";",
                Joint::IfOk => "&&",
                Joint::IfNot => "||",
            });
            text.push_str(if pipeline.negated { "!" } else { "" });
            for (at, command) in pipeline.commands.iter().enumerate() {
                text.push_str(if at > 0 { "|" } else { "" });
                match command {
                    Command::Group(list, true) => text += &format!("({})", shown(list)),
                    Command::Group(list, false) => text += &format!("{{{}}}", shown(list)),
                    Command::Simple(words, past) => {
                        let words = words.iter().map(|word| match word {
                            Word::Text(text) => (*text).to_owned(),
                            Word::Output(line) => format!("$({line})"),
                        });
                        text += &words.collect::<Vec<_>>().join("/");
                        text.push_str(if *past { ">" } else { "" });
                    }
                }
            }
        }
        text
    }

    #[test]
    fn lines_are_read_as_a_shell_does() {
        for (line, expected) in [
            ("a b", ";a/b"),
            ("  a\tb  \n", ";a/b"),
            ("a 'b c' \"d e\" f\\ g", ";a/b c/d e/f g"),
            ("a b'c'\"d\"e ''", ";a/bcde/"),
            (
                "a \"\\$PORT \\\" \\x\" '\\$PORT'",
                ";a/$PORT \" \\x/\\$PORT",
            ),
            ("a \\\nb", ";a/b"),
            ("a # b\nc", ";a;c"),
            ("a b#c", ";a/b#c"),
            (
                "a $PORT ${PORT} \"$PORT\" '$PORT' x${PORT}y",
                ";a/8080/8080/8080/$PORT/x8080y",
            ),
            (
                "a $NONE \"$NONE\" ${NONE:-1} ${EMPTY:-2} ${EMPTY-3} ${NONE-4}",
                ";a//1/2/4",
            ),
            ("a ${NONE:-${PORT}} ${NONE:-${NONE:-x}y}", ";a/8080/xy"),
            ("a $TWO \"$TWO\" x$TWO", ";a/a/b/ a  b /x/a/b"),
            ("a $ $. \"$\"", ";a/$/$./$"),
            ("a || exit $?", ";a||exit/$?"),
            ("a && b || c; d", ";a&&b||c;d"),
            ("a&&b||c;d", ";a&&b||c;d"),
            ("a &&\nb |\nc\n\nd;\n", ";a&&b|c;d"),
            ("! a | b", ";!a|b"),
            ("(a; b) || { c; d; }", ";(;a;b)||{;c;d}"),
            ("a } b", ";a/}/b"),
            ("a > /dev/null 2>&1", ";a>"),
            ("a >/dev/null|b 2>/dev/null", ";a>|b"),
            ("a 2>&1 | b", ";a|b"),
            ("a >&2 1>&2 &>/dev/null < /dev/null", ";a>"),
            ("a >&1 2>/dev/stdout", ";a"),
            ("a2>/dev/null", ";a2>"),
            ("a 12>/dev/null", ";a/12>"),
            (
                "a \"$(b \"c d\" (e) ')')\" `f`",
                ";a/$(b \"c d\" (e) ')')/$(f)",
            ),
            ("a http://h/?b=[c]*", ";a/http://h/?b=[c]*"),
        ] {
            assert_eq!(read(line).as_deref(), Ok(expected), "{line}");
        }
        for line in [
            "a & b", "a | ", "a ||", "'", "\"", "`", "$(", "${", "${PORT", "a >", "a > b", "( a",
            "a )", "{ a", "a $1",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
