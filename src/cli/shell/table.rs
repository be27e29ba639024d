//! The options of a command, one row each, and how they are read: as getopt_long and curl do.
//!
//! A row is a line of text, because there are two hundred of them: the letter or `-`, the long name or `-`, and what it does,
//! which is `-` where it changes nothing here. What ends in `=` takes a value, in `:` one that may be secret, and in `?` one
//! that is glued to it or missing.

use super::asks::{Asks, READS, wrong};
use super::rows::does;
use crate::search::joined;
use crate::snippet::printable;
use crate::target::Complaint;

/// The options of one command.
pub struct Table {
    /// What the command is called.
    pub name: &'static str,
    /// The rows, packed by [`rows!`].
    pub rows: &'static [u8],
    /// Whether a value can follow the long name after `=`.
    pub equals: bool,
    /// Puts together what all options said.
    pub finish: fn(&mut Asks) -> Result<(), Complaint>,
}

/// A row, taken apart.
#[derive(Clone, Copy)]
pub struct Row {
    /// The letter, or 0.
    pub letter: u8,
    /// What it does: one of [`does`].
    pub does: u8,
    /// The mark of its value, or 0.
    value: u8,
    /// The long name, or nothing.
    pub long: &'static [u8],
}

/// The row with this letter, or with this long name, or the only one that the name is the beginning of.
pub fn find(mut rows: &'static [u8], letter: u8, name: &[u8]) -> Option<Row> {
    let mut found: Option<Row> = None;
    let mut is_clear = true;
    while let &[short, does, value, length, ref rest @ ..] = rows {
        let (long, more) = rest.split_at(length.into());
        rows = more;
        let row = Row {
            letter: short,
            does,
            value,
            long,
        };
        if letter != 0 && short == letter {
            return Some(row);
        }
        if !name.is_empty() && long.starts_with(name) {
            if long.len() == name.len() {
                return Some(row);
            }
            is_clear &= found.is_none_or(|other| other.does == does);
            found = Some(row);
        }
    }
    found.filter(|_| is_clear)
}

impl Table {
    /// Reads all that follows the command's name.
    ///
    /// # Errors
    /// For the first option that is unknown, or whose value is wrong, or that would do what no check may do.
    pub fn read(&self, asks: &mut Asks, mut words: &[&'static str]) -> Result<(), Complaint> {
        while let Some(word) = next(&mut words) {
            let bytes = word.as_bytes();
            if bytes.len() < 2 || bytes[0] != b'-' {
                asks.operands.push(word);
                continue;
            }
            if bytes == b"--" {
                asks.operands.extend_from_slice(words);
                break;
            }
            if bytes[1] == b'-' {
                let equals = bytes.iter().position(|c| self.equals && *c == b'=');
                let end = equals.unwrap_or(bytes.len());
                let name = &bytes[2..end];
                let mut value = word.get(end + 1..);
                let Some(row) = find(self.rows, 0, name) else {
                    // The opposite of what changes nothing.
                    if let [b'n', b'o', b'-', flag @ ..] = name
                        && let Some(row) = find(self.rows, 0, flag)
                        && row.does == does::NOTHING
                    {
                        continue;
                    }
                    if let Some(end) = bytes.iter().position(|c| *c == b'=')
                        && let Some(row) = find(self.rows, 0, &bytes[2..end])
                    {
                        return Err(self.wrong(
                            row,
                            None,
                            "takes its value behind a blank, and not behind =",
                        ));
                    }
                    return Err(self.unknown("--", name));
                };
                match (row.value, value) {
                    (0 | b'?', None) => value = Some(""),
                    (0, Some(_)) if refused(row.does).is_none() => {
                        return Err(self.wrong(row, None, "takes no value"));
                    }
                    (_, None) => value = next(&mut words),
                    _ => {}
                }
                self.take(asks, row, value)?;
                continue;
            }
            let mut at = 1;
            while let Some(&letter) = bytes.get(at) {
                let Some(row) = find(self.rows, letter, b"") else {
                    return Err(self.unknown("-", &[letter]));
                };
                at += 1;
                let mut value = Some("");
                if row.value != 0 {
                    if at < bytes.len() {
                        value = word.get(at..);
                    } else if row.value != b'?' {
                        value = next(&mut words);
                    }
                    at = bytes.len();
                }
                self.take(asks, row, value)?;
            }
        }
        Ok(())
    }

    fn take(
        &self,
        asks: &mut Asks,
        row: Row,
        value: Option<&'static str>,
    ) -> Result<(), Complaint> {
        let Some(value) = value else {
            return Err(self.wrong(row, None, "needs a value"));
        };
        if let Some(refused) = refused(row.does) {
            return Err(self.wrong(row, None, refused));
        }
        let shown = if row.value == b'=' { value } else { "..." };
        match asks.take(row.does, value) {
            Ok(()) => Ok(()),
            Err(complaint) => Err(self.wrong(row, Some(shown), complaint)),
        }
    }

    fn wrong(&self, row: Row, value: Option<&str>, complaint: &str) -> Complaint {
        match row.long {
            [] => self.about("-", &[row.letter], value, complaint),
            long => self.about("--", long, value, complaint),
        }
    }

    fn unknown(&self, dashes: &str, name: &[u8]) -> Complaint {
        // Only what looks like a name is shown: behind it can stand a secret.
        let other = |c: &u8| !(c.is_ascii_alphanumeric() || b"-.".contains(c));
        let end = name.iter().position(other).unwrap_or(name.len());
        let is_secret = |end: &usize| {
            find(self.rows, 0, &name[..*end])
                .is_some_and(|row| row.value == b':' && row.long.len() == *end)
        };
        let end = (1..end).find(is_secret).unwrap_or(end);
        let what = "no such option, or none that a health check can use";
        self.about(dashes, &name[..end], None, what)
    }

    fn about(&self, dashes: &str, name: &[u8], value: Option<&str>, complaint: &str) -> Complaint {
        let option = joined(&[dashes, &printable(name, 40)], "");
        wrong(self.name, &option, value, complaint)
    }
}

/// Takes the first of `words`.
fn next(words: &mut &[&'static str]) -> Option<&'static str> {
    let (first, rest) = words.split_first()?;
    *words = rest;
    Some(first)
}

/// Why an option that does this is refused, if it is.
pub fn refused(does: u8) -> Option<Complaint> {
    Some(match does {
        does::READS => READS,
        does::WRITES => "would write a file, and nothing is written here",
        does::ELSEWHERE => "would ask another way than the one to this machine",
        does::INVERTED => "finds other lines: write ! CHECK | grep TEXT",
        _ => return None,
    })
}
