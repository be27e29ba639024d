//! Command lines: an option's spellings mean the same, what is wrong is said in one line that can be printed, and nothing
//! that was given as a secret is in it.
#![no_main]

use arbitrary::Arbitrary;
use healthchecker_fuzz::{Parsed, assert_line, assert_printable, help, parse, spell};
use libfuzzer_sys::fuzz_target;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::sync::LazyLock;

const WORDS: &[&[u8]] = &[
    b"-",
    b"--",
    b"=",
    b":",
    b",",
    b"/",
    b"@",
    b".",
    b" ",
    b"\n",
    b"\0",
    b"\xff",
    b"\xc3\xa9",
    b"${",
    b"}",
    b"$${",
    b"${PORT}",
    b"${NONE}",
    b"${NONE:-1}",
    b"0",
    b"1",
    b"80",
    b"8080",
    b"65536",
    b"200-299",
    b"2xx",
    b"5s",
    b"500ms",
    b"1m",
    b"localhost",
    b"127.0.0.1",
    b"::1",
    b"[::1]",
    b"192.0.2.1",
    b"http://",
    b"http://localhost",
    b"tcp://localhost:1",
    b"redis://",
    b"grpc://localhost:1/a",
    b"postgres://a@localhost/b",
    b"fastcgi://localhost/ping",
    b"pid:",
    b"file:",
    b"?name=",
    b"?max-age=1s",
    b"GET",
    b"HEAD",
    b"X-A: b",
    b"Host: a",
    b"Authorization: x",
    b"a.b.0",
    b"status=UP",
    b"\\r\\n",
    b"\\x",
    b"health",
    b"quiet",
    b"verbose",
    b"help",
    b"port",
    b"user",
    b"header",
    b"timeout",
    b"q",
    b"v",
    b"u",
];

/// What stands for a secret: no vocabulary holds it.
const SECRET: &str = "hunter2";

/// An option of `--help`.
struct Row {
    short: Option<char>,
    long: String,
    takes_value: bool,
}

static OPTIONS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let help = help();
    let rows = help.lines().filter_map(|line| {
        let (names, rest) = line.get(2..)?.split_once("--")?;
        let short = match names.as_bytes() {
            [b'-', letter, b',', b' '] => Some(char::from(*letter)),
            [b' ', b' ', b' ', b' '] => None,
            _ => return None,
        };
        let (long, value) = rest.split_once(' ')?;
        Some(Row {
            short,
            long: long.to_owned(),
            takes_value: !value.starts_with(' '),
        })
    });
    let rows: Vec<Row> = rows.collect();
    assert!(rows.len() > 15, "{help}");
    rows
});

#[derive(Arbitrary, Debug)]
enum Piece {
    Option(u8, Vec<u8>),
    Secret(u8, Vec<u8>, Vec<u8>),
    Userinfo(Vec<u8>, Vec<u8>),
    Argument(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
struct Input {
    pieces: Vec<Piece>,
    spellings: Vec<u8>,
    port: Option<Vec<u8>>,
}

fn word(letters: &[u8]) -> Vec<u8> {
    // No argument holds a NUL.
    spell(letters, WORDS)
        .into_iter()
        .filter(|&byte| byte != 0)
        .collect()
}

/// An option in one of the ways in which it can be written; the same one at least for 0.
fn spelt(row: &Row, value: &[u8], spelling: u8) -> Vec<Vec<u8>> {
    let long = row.long.as_bytes();
    if !row.takes_value {
        return vec![match (spelling % 3, row.short) {
            (1, _) => [b"-", long].concat(),
            (2, Some(short)) => format!("-{short}").into_bytes(),
            _ => [b"--", long].concat(),
        }];
    }
    match (spelling % 6, row.short) {
        (1, _) => vec![[b"--", long].concat(), value.to_vec()],
        (2, _) => vec![[b"-", long, b"=", value].concat()],
        (3, _) => vec![[b"-", long].concat(), value.to_vec()],
        (4, Some(short)) => vec![format!("-{short}").into_bytes(), value.to_vec()],
        (5, Some(short)) if value.first().is_some_and(u8::is_ascii_digit) => {
            vec![[format!("-{short}").as_bytes(), value].concat()]
        }
        _ => vec![[b"--", long, b"=", value].concat()],
    }
}

fn arguments(pieces: &[Piece], spellings: &mut dyn Iterator<Item = u8>) -> Vec<OsString> {
    let mut all = Vec::new();
    for piece in pieces {
        let secret_rows = || {
            OPTIONS
                .iter()
                .filter(|row| ["user", "header", "data", "send"].contains(&&*row.long))
        };
        match piece {
            Piece::Option(at, letters) => {
                // Help and version are no matter of a check.
                let rows = || {
                    OPTIONS
                        .iter()
                        .filter(|row| row.long != "help" && row.long != "version")
                };
                let row = rows()
                    .nth(usize::from(*at) % rows().count())
                    .expect("a row");
                all.extend(spelt(row, &word(letters), spellings.next().unwrap_or(0)));
            }
            Piece::Secret(at, before, after) => {
                let row = secret_rows()
                    .nth(usize::from(*at) % 4)
                    .expect("four such rows");
                let value = [&word(before), SECRET.as_bytes(), &word(after)].concat();
                all.extend(spelt(row, &value, spellings.next().unwrap_or(0)));
            }
            Piece::Userinfo(before, after) => {
                // The last `@` is where userinfo ends, in a path as well.
                all.push(
                    [
                        b"http://a:",
                        &*word(before),
                        SECRET.as_bytes(),
                        b"@",
                        &word(after),
                    ]
                    .concat(),
                );
            }
            Piece::Argument(letters) => all.push(word(letters)),
        }
    }
    all.into_iter().map(OsString::from_vec).collect()
}

fuzz_target!(|input: Input| {
    let port = input
        .port
        .as_deref()
        .map(|letters| OsString::from_vec(word(letters)));
    let variables: Vec<(&str, OsString)> = port.into_iter().map(|value| ("PORT", value)).collect();
    let plain = arguments(&input.pieces, &mut std::iter::empty());
    let parsed = parse(&plain, &variables);
    // Where a raw argument begins with a dash, it can take the option behind it for its value, or end the options.
    let may_be_a_value = input
        .pieces
        .iter()
        .any(|piece| matches!(piece, Piece::Argument(letters) if word(letters).starts_with(b"-")));
    match &parsed {
        Parsed::Error(line) => {
            assert_line(line);
            assert!(may_be_a_value || !line.contains(SECRET), "{line}{plain:?}");
        }
        // Alone, in two arguments or in one.
        Parsed::Install(_) => assert!(plain.len() <= 2, "{plain:?}"),
        Parsed::Info(_) => assert_eq!(plain.len(), 1, "{plain:?}"),
        Parsed::Check { names, shown } => {
            assert!(!names.is_empty());
            for name in names {
                assert!(may_be_a_value || !name.contains(SECRET), "{name}");
                // Of files any character can be part of the name, and the report makes it printable.
                if !name.starts_with("pid:") && !name.starts_with("file:") {
                    assert!(!name.contains(char::is_control), "{name:?}");
                }
            }
            assert!(!shown.contains("Some([])"), "{shown}");
        }
    }
    if !may_be_a_value {
        let other = arguments(&input.pieces, &mut input.spellings.iter().copied());
        assert_eq!(parse(&other, &variables), parsed, "{other:?} and {plain:?}");
    }
    if let Parsed::Info(text) = parsed {
        text.lines().for_each(assert_printable);
    }
});
