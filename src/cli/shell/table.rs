//! The options of a command, one row each, and how they are read: as getopt_long and curl do.
//!
//! A row is a line of text, because there are two hundred of them, and structs would be larger than all that they hold: the
//! letter or `-`, the long name or `-`, and what it does, which is `-` where it changes nothing here. What ends in `=` takes
//! a value, in `:` one that may be secret, and in `?` one that is glued to it or missing.

use super::super::Usage;
use super::asks::{Asks, READS, wrong};
use crate::search::joined;
use crate::snippet::printable;
use crate::target::Complaint;

/// The options of one command.
pub struct Table {
    /// What the command is called.
    pub names: &'static [&'static str],
    /// A row each.
    pub rows: &'static str,
    /// Whether a value can follow the long name after `=`.
    pub equals: bool,
    /// Puts together what all options said.
    pub finish: fn(&mut Asks) -> Result<(), Complaint>,
}

/// A row, taken apart.
#[derive(Clone, Copy)]
pub struct Row {
    /// The letter, or `-`.
    pub letter: &'static str,
    /// The long name, or `-`.
    pub long: &'static str,
    /// What it does, without the mark of its value.
    pub does: &'static str,
    value: u8,
}

impl Table {
    /// The option with this letter, or with this long name, or the only one that the name is the beginning of.
    pub fn find(&self, letter: &str, name: &str) -> Option<Row> {
        let mut found: Option<Row> = None;
        let mut is_clear = true;
        for line in self.rows.split('\n') {
            let (short, rest) = line.split_once(' ')?;
            let (long, does) = rest.split_once(' ')?;
            let value = *does.as_bytes().last()?;
            let has_value = b"=:?".contains(&value);
            let row = Row {
                letter: short,
                long,
                does: &does[..does.len() - usize::from(has_value)],
                value: if has_value { value } else { 0 },
            };
            if short == letter && letter != "-" || long == name {
                return Some(row);
            }
            if !name.is_empty() && long.starts_with(name) {
                is_clear &= found.is_none_or(|other| other.does == row.does);
                found = Some(row);
            }
        }
        found.filter(|_| is_clear)
    }

    /// Reads all that follows the command's name.
    ///
    /// # Errors
    /// For the first option that is unknown, or whose value is wrong, or that would do what no check may do.
    pub fn read(&self, asks: &mut Asks, words: &[&'static str]) -> Result<(), Usage> {
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            if word == "--" {
                asks.operands.extend(words);
                break;
            }
            if let Some(long) = word.strip_prefix("--") {
                let (name, value) = match long.split_once('=') {
                    Some((name, value)) if self.equals => (name, Some(value)),
                    _ => (long, None),
                };
                let row = match (self.find("", name), name.strip_prefix("no-")) {
                    (Some(row), _) => row,
                    // The opposite of what changes nothing.
                    (None, Some(flag))
                        if self.find("", flag).is_some_and(|row| row.does == "-") =>
                    {
                        continue;
                    }
                    (None, _) => return Err(self.unknown("--", name)),
                };
                let value = match (row.value, value) {
                    (0 | b'?', None) => Some(""),
                    (0, Some(_)) if refused(row.does).is_none() => {
                        return Err(self.wrong(&row, None, "takes no value"));
                    }
                    (_, None) => words.next(),
                    (_, value) => value,
                };
                self.take(asks, &row, value)?;
                continue;
            }
            let mut letters = match word.strip_prefix('-') {
                Some(letters) if !letters.is_empty() => letters,
                _ => {
                    asks.operands.push(word);
                    continue;
                }
            };
            while let Some(first) = letters.chars().next() {
                let (letter, rest) = letters.split_at(first.len_utf8());
                let row = self
                    .find(letter, "")
                    .ok_or_else(|| self.unknown("-", letter))?;
                letters = rest;
                let value = match row.value {
                    0 => Some(""),
                    b'=' | b':' if letters.is_empty() => words.next(),
                    _ => Some(std::mem::take(&mut letters)),
                };
                self.take(asks, &row, value)?;
            }
        }
        Ok(())
    }

    fn take(&self, asks: &mut Asks, row: &Row, value: Option<&'static str>) -> Result<(), Usage> {
        let refused = match (value, refused(row.does)) {
            (None, _) => Some("needs a value"),
            (_, refused) => refused,
        };
        if let Some(refused) = refused {
            return Err(self.wrong(row, None, refused));
        }
        let value = value.unwrap_or_default();
        let shown = match row.value {
            b'=' => value,
            _ => "...",
        };
        asks.take(row.does, value)
            .map_err(|complaint| self.wrong(row, Some(shown), complaint))
    }

    fn wrong(&self, row: &Row, value: Option<&str>, complaint: &str) -> Usage {
        let (dashes, name) = match row.long {
            "-" => ("-", row.letter),
            long => ("--", long),
        };
        wrong(
            self.names[0],
            &joined(&[dashes, name], ""),
            value,
            complaint,
        )
    }

    fn unknown(&self, dashes: &str, name: &str) -> Usage {
        // Only what looks like a name is shown: behind it can stand a secret.
        let end = name
            .bytes()
            .position(|c| !(c.is_ascii_alphabetic() || c == b'-'));
        let name = printable(&name.as_bytes()[..end.unwrap_or(name.len())], 40);
        let what = "no such option, or none that a health check can use";
        wrong(self.names[0], &joined(&[dashes, &name], ""), None, what)
    }
}

/// Why an option that does this is refused, if it is.
pub fn refused(does: &str) -> Option<Complaint> {
    Some(match does {
        "reads" => READS,
        "writes" => "would write a file, and nothing is written here",
        "elsewhere" => "would ask another way than the one to this machine",
        _ => return None,
    })
}
