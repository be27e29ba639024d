//! `${NAME}` and `${NAME:-default}`, against an implementation that goes through the text character by character.
#![no_main]

use healthchecker_fuzz::{Unexpanded, expand, spell};
use libfuzzer_sys::fuzz_target;

const WORDS: &[&[u8]] = &[
    b"$",
    b"{",
    b"}",
    b"${",
    b"$${",
    b":-",
    b"-",
    b":",
    b"PORT",
    b"EMPTY",
    b"NONE",
    b"BYTES",
    b"TRICKY",
    b"_",
    b"0",
    b"a",
    b" ",
    b"${PORT}",
    b"${NONE:-",
    b"\xc3\xa9",
];

fn lookup(name: &str) -> Option<Result<String, ()>> {
    match name {
        "PORT" => Some(Ok("8080".into())),
        "TRICKY" => Some(Ok("${PORT} $${ }".into())),
        "BYTES" => Some(Err(())),
        _ => None,
    }
}

fn expected(text: &[char]) -> Result<String, Unexpanded> {
    match text {
        [] => Ok(String::new()),
        ['$', '$', '{', rest @ ..] => Ok("${".to_owned() + &expected(rest)?),
        ['$', '{', rest @ ..] => {
            let end = rest
                .iter()
                .position(|&c| c == '}')
                .ok_or(Unexpanded::Unclosed)?;
            let value = value(&rest[..end].iter().collect::<String>())?;
            Ok(value + &expected(&rest[end + 1..])?)
        }
        [c, rest @ ..] => Ok(c.to_string() + &expected(rest)?),
    }
}

fn value(inside: &str) -> Result<String, Unexpanded> {
    let (name, default) = match inside.find(":-") {
        Some(at) => (&inside[..at], Some(&inside[at + 2..])),
        None => (inside, None),
    };
    let is_name = name
        .char_indices()
        .all(|(at, c)| c == '_' || c.is_ascii_alphabetic() || at > 0 && c.is_ascii_digit());
    match (lookup(name), default) {
        _ if name.is_empty() || !is_name => Err(Unexpanded::NotAName(name.into())),
        (_, Some(default)) if default.contains("${") => Err(Unexpanded::Nested(name.into())),
        (Some(Err(())), _) => Err(Unexpanded::NotUtf8(name.into())),
        (Some(Ok(value)), _) => Ok(value),
        (None, Some(default)) => Ok(default.into()),
        (None, None) => Err(Unexpanded::Unset(name.into())),
    }
}

fuzz_target!(|input: &[u8]| {
    let Ok(text) = String::from_utf8(spell(input, WORDS)) else {
        return;
    };
    if text.len() > 1000 {
        return;
    }
    let characters: Vec<char> = text.chars().collect();
    assert_eq!(expand(&text, &lookup), expected(&characters), "{text:?}");
});
