//! A line as `sh -c` takes it: its words, with quotes and variables, and what joins its commands. Pure.
//!
//! What a shell would do with files is refused here: a redirection may lead to a stream or to `/dev/null`. A word with a glob
//! character stays as it is, as in a shell where no file matches.

use super::super::Variables;
use super::asks;
use super::commands::meaning;
use super::rows::does;
use crate::target::Complaint;

/// How deep groups, `$(...)` and defaults may nest, the line itself included. It bounds the recursion.
pub const MAX_DEPTH: u8 = 9;

/// What a part of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A word, without its quotes.
    Word,
    /// `!`, `{` or `}` without quotes, which is more than a word where a command can begin.
    Sign,
    /// A word that is `$(LINE)`: what LINE prints.
    Output,
    /// A redirection: of stdout past a pipe, or of stderr to the descriptor that is its text.
    Past,
    /// A redirection to a connection, as bash opens one: `HOST/PORT`.
    Connection,
    /// `;`, or the end of a line.
    Always,
    /// `&&`
    IfOk,
    /// `||`
    IfNot,
    /// `|`
    Pipe,
    /// `(`
    Open,
    /// `)`
    Close,
}

/// A part of a line.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// The word, or LINE.
    pub text: &'static str,
}

/// The message for a `$(...)` anywhere but in a comparison of the status.
pub const MISPLACED: Complaint = "a $(...), which is understood only as in [ \"$(curl -s -o /dev/null -w '%{http_code}' URL)\" = 200 ]";

/// Reads a line that stands at this depth. What it becomes lasts as long as the program, so that nobody has to own it.
///
/// # Errors
/// What it has that is not understood.
pub fn tokens(
    line: &'static str,
    depth: u8,
    variables: Variables,
) -> Result<&'static [Token], Complaint> {
    let mut lexer = Lexer {
        rest: line.as_bytes(),
        variables,
        depth,
        tokens: Vec::new(),
        word: Vec::new(),
        is_word: false,
        is_quoted: false,
        output: None,
        left: 1 << 16,
        redirection: None,
    };
    match lexer.read() {
        Ok(()) => Ok(lexer.tokens.leak()),
        Err(what) => Err(wrong(what)),
    }
}

/// The message for what a line has that is not understood.
pub fn wrong(what: Complaint) -> Complaint {
    asks::wrong("sh", "the line has", None, what)
}

struct Lexer<'a> {
    rest: &'static [u8],
    variables: Variables<'a>,
    depth: u8,
    tokens: Vec<Token>,
    /// The word that is being read.
    word: Vec<u8>,
    /// Whether it has begun: it can be empty.
    is_word: bool,
    /// Whether a part of it was quoted.
    is_quoted: bool,
    /// The `$(...)` in it.
    output: Option<&'static [u8]>,
    /// So many bytes may still come out of variables.
    left: usize,
    /// A redirection that waits for its target: the descriptor, and whether the target is one as well.
    redirection: Option<(u8, bool)>,
}

impl Lexer<'_> {
    fn read(&mut self) -> Result<(), Complaint> {
        loop {
            let c = self.next();
            match c {
                0 => break,
                b' ' | b'\t' => self.end_word()?,
                b'\n' => {
                    self.end_word()?;
                    self.end_command()?;
                    // A line may end after what joins two commands.
                    let last = self.tokens.last().map(|token| token.kind);
                    if let Some(
                        Kind::Word
                        | Kind::Sign
                        | Kind::Output
                        | Kind::Past
                        | Kind::Connection
                        | Kind::Close,
                    ) = last
                    {
                        self.push(Kind::Always, "");
                    }
                }
                b'&' if self.peek() == b'>' => self.redirected(c)?,
                b'<' | b'>' => self.redirected(c)?,
                b'&' | b'|' | b';' | b'(' | b')' => self.operator(c)?,
                b'#' if !self.is_word => {
                    while !matches!(self.peek(), 0 | b'\n') {
                        self.next();
                    }
                }
                b'\'' => {
                    let text = self.until(b'\'')?;
                    self.quote();
                    self.word.extend_from_slice(text);
                }
                b'"' => self.double_quoted()?,
                b'\\' => match self.next() {
                    0 => return Err("a \\ at its end"),
                    b'\n' => {}
                    c => {
                        self.quote();
                        self.word.push(c);
                    }
                },
                b'~' if !self.is_word => return Err("a ~, and this sh has no home"),
                c => self.other(c, true)?,
            }
        }
        self.end_word()?;
        self.end_command()
    }

    /// The next byte, or 0, which no line has.
    fn peek(&self) -> u8 {
        *self.rest.first().unwrap_or(&0)
    }

    fn next(&mut self) -> u8 {
        let next = self.peek();
        self.rest = self.rest.get(1..).unwrap_or_default();
        next
    }

    fn push(&mut self, kind: Kind, text: &'static str) {
        self.tokens.push(Token { kind, text });
    }

    /// What ends a command.
    fn operator(&mut self, c: u8) -> Result<(), Complaint> {
        let is_double = self.peek() == c;
        let kind = match c {
            b'&' if is_double => Kind::IfOk,
            b'&' => return Err("a & that would leave a command running"),
            b'|' if is_double => Kind::IfNot,
            b'|' => Kind::Pipe,
            b'(' => Kind::Open,
            b')' => Kind::Close,
            _ => Kind::Always,
        };
        if matches!(kind, Kind::IfOk | Kind::IfNot) {
            self.next();
        }
        self.end_word()?;
        self.end_command()?;
        self.push(kind, "");
        Ok(())
    }

    fn quote(&mut self) {
        (self.is_word, self.is_quoted) = (true, true);
    }

    /// What is no quote: a substitution, or a byte of the word.
    fn other(&mut self, c: u8, splits: bool) -> Result<(), Complaint> {
        match c {
            b'$' => self.dollar(splits),
            b'`' => {
                let text = self.until(b'`')?;
                self.outputs(text)
            }
            c => self.put(c, splits),
        }
    }

    /// Adds a byte to the word. Where it comes from a variable without quotes, a blank ends the word.
    fn put(&mut self, byte: u8, splits: bool) -> Result<(), Complaint> {
        if splits && matches!(byte, b' ' | b'\t' | b'\n') {
            return self.end_word();
        }
        self.is_word = true;
        self.word.push(byte);
        Ok(())
    }

    /// Takes so many bytes and the one behind them.
    fn take(&mut self, length: usize) -> &'static [u8] {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.next();
        taken
    }

    /// What stands before the next `quote`, which is taken too.
    fn until(&mut self, quote: u8) -> Result<&'static [u8], Complaint> {
        match self.rest.iter().position(|c| *c == quote) {
            Some(end) => Ok(self.take(end)),
            None => Err("a quote without its end"),
        }
    }

    /// What stands between double quotes; the first one is taken already.
    fn double_quoted(&mut self) -> Result<(), Complaint> {
        self.quote();
        loop {
            match self.next() {
                0 => return Err("a \" without its end"),
                b'"' => return Ok(()),
                b'\\' => match self.next() {
                    b'\n' | 0 => {}
                    c => {
                        if !matches!(c, b'$' | b'`' | b'"' | b'\\') {
                            self.word.push(b'\\');
                        }
                        self.word.push(c);
                    }
                },
                c => self.other(c, false)?,
            }
        }
    }

    /// Adds what stands for a `$`, which is taken already.
    fn dollar(&mut self, splits: bool) -> Result<(), Complaint> {
        match self.peek() {
            b'(' => {
                let line = self.enclosed(b')').ok_or("a $( without its end")?;
                self.outputs(line)
            }
            b'{' => {
                let inside = self.enclosed(b'}').ok_or("a ${ without its end")?;
                self.braced(inside, splits)
            }
            b'0'..=b'9' | b'@' | b'*' | b'#' | b'!' | b'-' | b'$' => {
                Err("a $ with a digit or a sign, which is nothing here")
            }
            b'\'' | b'"' if splits => Err("a $ before a quote, which not every shell understands"),
            _ => match name(self.rest) {
                // As in `exit $?`.
                0 => self.put(b'$', splits),
                end => {
                    let (name, rest) = self.rest.split_at(end);
                    self.rest = rest;
                    self.value(name, splits).map(|_| ())
                }
            },
        }
    }

    /// `NAME`, `NAME:-default` or `NAME-default`, as it stands between braces.
    fn braced(&mut self, inside: &'static [u8], splits: bool) -> Result<(), Complaint> {
        let (name, more) = inside.split_at(name(inside));
        if name.first().is_none_or(u8::is_ascii_digit) {
            return Err("a ${...} without the name of a variable");
        }
        let (is_set, is_empty) = self.value(name, splits)?;
        let default = match more {
            [b':', b'-', default @ ..] => default,
            [b'-', default @ ..] if !is_set => default,
            [b'-', ..] | [] => b"",
            _ => return Err("a ${...} that is neither ${NAME} nor ${NAME:-default}"),
        };
        if !is_empty {
            return Ok(());
        }
        if default.iter().any(|c| b"\"'\\`".contains(c)) || self.depth == MAX_DEPTH {
            return Err("a default in ${...} with quotes, or too deep in others");
        }
        // A default can be another variable.
        self.depth += 1;
        let after = std::mem::replace(&mut self.rest, default);
        loop {
            match self.next() {
                0 => break,
                c => self.other(c, splits)?,
            }
        }
        self.rest = after;
        self.depth -= 1;
        Ok(())
    }

    /// Adds what a variable holds. One that is unset is empty, as in a shell. Returns whether it is set, and is empty.
    fn value(&mut self, name: &'static [u8], splits: bool) -> Result<(bool, bool), Complaint> {
        let value = (self.variables)(text(name)?);
        let bytes = match &value {
            Some(value) => value.as_encoded_bytes(),
            None => b"",
        };
        let left = self.left.checked_sub(bytes.len());
        self.left = left.ok_or("variables with more than 64 KiB in all")?;
        for byte in bytes {
            self.put(*byte, splits)?;
        }
        Ok((value.is_some(), bytes.is_empty()))
    }

    /// Takes what is enclosed in brackets: the next byte, and the closing one.
    fn enclosed(&mut self, close: u8) -> Option<&'static [u8]> {
        let open = self.next();
        let mut depth = 1;
        let mut quote = 0;
        let mut at = 0;
        loop {
            let c = *self.rest.get(at)?;
            match c {
                b'\\' if quote != b'\'' => at += 1,
                _ if quote != 0 => quote = if c == quote { 0 } else { quote },
                b'"' | b'\'' => quote = c,
                _ if c == open => depth += 1,
                _ if c == close => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(self.take(at));
            }
            at += 1;
        }
    }

    /// Takes a `$(...)` as a part of the word.
    fn outputs(&mut self, line: &'static [u8]) -> Result<(), Complaint> {
        self.quote();
        match self.output.replace(line) {
            None => Ok(()),
            Some(_) => Err(MISPLACED),
        }
    }

    /// Takes the rest of the beginning of a redirection, which is `<`, `>` or `&>` and may go on.
    fn redirected(&mut self, first: u8) -> Result<(), Complaint> {
        let mut fd = u8::from(first != b'<');
        // In `2>`, the word before it is the descriptor.
        match self.word[..] {
            [digit @ b'0'..=b'9'] if !self.is_quoted && first != b'&' => {
                fd = digit - b'0';
                self.word.clear();
                self.is_word = false;
            }
            _ => self.end_word()?,
        }
        self.end_command()?;
        if first == b'&' {
            self.next();
            self.push(Kind::Past, "2");
        }
        let second = self.peek();
        if (first, second) == (b'<', b'<') {
            return Err("a <<, which is nothing here");
        }
        let to_fd = first != b'&' && second == b'&';
        if to_fd || second == b'>' || first == b'>' && second == b'|' {
            self.next();
        }
        self.redirection = Some((fd, to_fd));
        Ok(())
    }

    fn end_word(&mut self) -> Result<(), Complaint> {
        let is_quoted = std::mem::take(&mut self.is_quoted);
        if !std::mem::take(&mut self.is_word) {
            return Ok(());
        }
        let word = text(std::mem::take(&mut self.word).leak())?;
        let redirection = self.redirection.take();
        if let Some(line) = self.output.take() {
            if !word.is_empty() || redirection.is_some() {
                return Err(MISPLACED);
            }
            self.push(Kind::Output, text(line)?);
            return Ok(());
        }
        let Some((fd, to_fd)) = redirection else {
            let is_sign = !is_quoted && matches!(word, "!" | "{" | "}");
            self.push(if is_sign { Kind::Sign } else { Kind::Word }, word);
            return Ok(());
        };
        let is_fd = to_fd && matches!(word.as_bytes(), [b'0'..=b'2' | b'-']);
        let where_to = meaning(word.as_bytes());
        if fd == 1
            && (where_to == does::NOWHERE || is_fd && !matches!(word.as_bytes()[0], b'0' | b'1'))
        {
            self.push(Kind::Past, "");
        } else if fd == 2 && (is_fd || where_to == does::NOWHERE) {
            self.push(Kind::Past, if is_fd { word } else { "2" });
        } else if let Some(place) = word.strip_prefix("/dev/tcp/") {
            self.push(Kind::Connection, place);
        } else if !is_fd && !matches!(where_to, does::NOWHERE | does::STDOUT) {
            return Err(match fd {
                0 => "a < from a file, and this sh reads none",
                _ => "a > to a file, and this sh writes none but /dev/null",
            });
        }
        Ok(())
    }

    /// Where a command ends, no redirection may wait for its target.
    fn end_command(&mut self) -> Result<(), Complaint> {
        match self.redirection {
            None => Ok(()),
            Some(_) => Err("a < or > without a file"),
        }
    }
}

/// How long the name is that `text` begins with.
fn name(text: &[u8]) -> usize {
    let other = |c: &u8| !(c.is_ascii_alphanumeric() || *c == b'_');
    text.iter().position(other).unwrap_or(text.len())
}

/// Bytes of the line, or of a variable.
fn text(bytes: &'static [u8]) -> Result<&'static str, Complaint> {
    str::from_utf8(bytes).map_err(|_| "a variable whose value is not UTF-8")
}

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
        tokens(line, 1, &variables).map(shown)
    }

    fn shown(tokens: &[Token]) -> String {
        let mut text = String::new();
        let mut is_behind_word = false;
        for token in tokens {
            let is_word = matches!(token.kind, Kind::Word | Kind::Sign | Kind::Output);
            text += if is_word && is_behind_word { "/" } else { "" };
            is_behind_word = is_word;
            text += &match token.kind {
                Kind::Word | Kind::Sign => token.text.to_owned(),
                Kind::Output => format!("$({})", token.text),
                Kind::Past => format!("{}>", token.text),
                Kind::Connection => format!("<>{}", token.text),
                Kind::Always => ";".into(),
                Kind::IfOk => "&&".into(),
                Kind::IfNot => "||".into(),
                Kind::Pipe => "|".into(),
                Kind::Open => "(".into(),
                Kind::Close => ")".into(),
            };
        }
        text
    }

    #[test]
    fn lines_are_read_as_a_shell_does() {
        for (line, expected) in [
            ("a b", "a/b"),
            ("  a\tb  \n", "a/b;"),
            ("a 'b c' \"d e\" f\\ g", "a/b c/d e/f g"),
            ("a b'c'\"d\"e ''", "a/bcde/"),
            ("a \"\\$PORT \\\" \\x\" '\\$PORT'", "a/$PORT \" \\x/\\$PORT"),
            ("a \\\nb", "a/b"),
            ("a # b\nc", "a;c"),
            ("a b#c", "a/b#c"),
            (
                "a $PORT ${PORT} \"$PORT\" '$PORT' x${PORT}y",
                "a/8080/8080/8080/$PORT/x8080y",
            ),
            (
                "a $NONE \"$NONE\" ${NONE:-1} ${EMPTY:-2} ${EMPTY-3} ${NONE-4}",
                "a//1/2/4",
            ),
            ("a ${NONE:-${PORT}} ${NONE:-${NONE:-x}y}", "a/8080/xy"),
            ("a $TWO \"$TWO\" x$TWO", "a/a/b/ a  b /x/a/b"),
            ("a $ $. \"$\"", "a/$/$./$"),
            ("a || exit $?", "a||exit/$?"),
            ("a && b || c; d", "a&&b||c;d"),
            ("a&&b||c;d", "a&&b||c;d"),
            ("a &&\nb |\nc\n\nd;\n", "a&&b|c;d;"),
            ("! a | b", "!/a|b"),
            ("(a; b) || { c; d; }", "(a;b)||{/c;d;}"),
            ("a } b", "a/}/b"),
            ("a > /dev/null 2>&1", "a>1>"),
            ("a >/dev/null|b 2>/dev/null", "a>|b2>"),
            ("a 2>&1 | b", "a1>|b"),
            ("a >&2 1>&2 &>/dev/null < /dev/null", "a>>2>>"),
            ("a >&1 2>/dev/stdout", "a"),
            ("a2>/dev/null", "a2>"),
            ("a 12>/dev/null", "a/12>"),
            (
                "a \"$(b \"c d\" (e) ')')\" `f`",
                "a/$(b \"c d\" (e) ')')/$(f)",
            ),
            ("a http://h/?b=[c]*", "a/http://h/?b=[c]*"),
        ] {
            assert_eq!(read(line).as_deref(), Ok(expected), "{line}");
        }
        for line in [
            "a & b", "'", "\"", "`", "$(", "${", "${PORT", "a >", "a > b", "a $1",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
