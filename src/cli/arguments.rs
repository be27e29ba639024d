//! Arguments to options with their values as they were written, and targets.

use super::options::{Given, Kind, OPTIONS, Row};
use super::{Usage, shell};
use crate::search::joined;
use crate::snippet::printable;
use Kind::{Flag, Info, Line, Many, One};
use lexopt::Arg;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// The text that an argument asks for. Only where it is alone: `-h HOST` is what pg_isready, redis-cli and mysqladmin take,
/// and printing the help exits with 0, which would be healthy for ever.
pub fn info(argument: &[u8]) -> Option<fn() -> String> {
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

/// An option, and its value as it was written.
pub type Written = (&'static Row, Option<OsString>);

/// Splits the arguments into options with their raw values, and targets. A misplaced -h or -V is reported before
/// other errors.
pub fn split(arguments: Vec<OsString>) -> Result<(Vec<Written>, Vec<OsString>), Usage> {
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
                // Not known to happen: it means a value that nobody took, and each is taken above or by `with_value`.
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
        (One(_) | Line(_) | Many(_), None) => match parser.value() {
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

/// Takes the next argument if it begins with one dash, and is a long option in Go's form (`-port` or `-port=80`) or an
/// error. It is read as a whole name, because letter by letter `-url=...` would be `-u rl=...`. It is read here, because
/// rewriting the arguments up front would corrupt values that begin with a dash.
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

/// Whether this is a bundle of flags, or one option whose value is the next argument, or is glued to it and cannot be taken
/// for the rest of a name.
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

/// The error for a one-dash argument that is neither a name nor a short option; or the row of --help or --version, which
/// `split` then refuses.
fn misread(body: &[u8], name: &[u8]) -> Result<Written, Usage> {
    if name.contains(&b' ') {
        return Err(no_such("-", &String::from_utf8_lossy(name)));
    }
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
/// Says how to write it. The value is shown only where it would be accepted, and is no secret.
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

/// The error for an unknown option. Only what looks like a name is shown: it can hold a secret, as in `--user:me:secret`, and
/// in `-asecret1`, which is redis-cli's form.
fn no_such(dashes: &str, name: &str) -> Usage {
    let in_one_word = find(|row| {
        name.split_once(' ')
            .is_some_and(|(long, _)| row.long == long)
    });
    let long = &name[..name.find('=').unwrap_or(name.len())];
    let instead = match dashes {
        "--" => shell::instead_of(0, long),
        _ => None,
    };
    let hint = match (in_one_word, instead, nearest(name.as_bytes())) {
        (Some(row), ..) => joined(
            &[
                "; write two words: \"--",
                row.long,
                "\", \"",
                row.value,
                "\"",
            ],
            "",
        ),
        (None, Some(instead), _) => instead,
        (None, None, Some(row)) => format!("; did you mean --{}?", row.long),
        (None, None, None) => others(dashes, name).unwrap_or(" (--help lists them)".into()),
    };
    let ends = |c: char| !(c.is_ascii_alphabetic() || c == '-' || c == '_');
    let end = match name.find(ends) {
        None => name.len(),
        // Too short for a secret.
        Some(_) if name.len() < 4 && name.is_ascii() => name.len(),
        // In `-asecret1`, the letters before the digit may be a password. Before a `=` or the like stands a name.
        Some(at)
            if name[at..].starts_with(|c: char| c.is_ascii_alphanumeric() || !c.is_ascii()) =>
        {
            usize::from(name.starts_with(|c: char| c.is_ascii()))
        }
        Some(at) => at,
    };
    let (name, rest) = name.split_at(end);
    let name = printable(name.as_bytes(), 40);
    let more = if rest.is_empty() { "" } else { "..." };
    Usage(format!("{dashes}{name}{more}: no such option{hint}"))
}

/// What to write instead of the first letter of a bundle that is curl's or wget's.
fn others(dashes: &str, name: &str) -> Option<String> {
    let first = name.bytes().position(|letter| short(letter).is_none())?;
    let letter = name.as_bytes()[first];
    // In small letters it is rather a word, such as `-foo`.
    let is_word = name.len() > 2 && name.bytes().all(|letter| letter.is_ascii_lowercase());
    match dashes {
        "-" if !is_word => shell::instead_of(letter, ""),
        _ => None,
    }
}

/// The option whose long name differs from a misspelt one by one or two letters.
fn nearest(name: &[u8]) -> Option<&'static Row> {
    // Bounds the work: no name of an option comes near this length.
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
