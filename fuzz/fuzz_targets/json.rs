//! JSON, against `serde_json::Value`: what is valid, what is at a path, and what equals a value of the command line.
#![no_main]

use arbitrary::Arbitrary;
use healthchecker_fuzz::{json, json_equals, spell};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const WORDS: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\"a\"",
    b"\"\\u0061\"",
    b"\"0\"",
    b"\"\"",
    b"\"a\":",
    b"\"b\":",
    b"null",
    b"true",
    b"false",
    b"0",
    b"1",
    b"-0",
    b"1.0",
    b"10e-1",
    b"1e999",
    b"9007199254740993",
    b"-",
    b"+",
    b".",
    b"e",
    b"E",
    b" ",
    b"\n",
    b"\\",
    b"\\u",
    b"d83d",
    b"de00",
    b"\\n",
    b"/",
    b"\xc3\xa9",
    b"\"UP\"",
    b"\"status\":",
    b"{\"a\":{\"a\":",
    b"[[",
];
const STEPS: &[&str] = &[
    "a",
    "b",
    "0",
    "1",
    "2",
    "status",
    "",
    "\u{e9}",
    "01",
    "-",
    "+1",
    "a\"",
    "\u{1f600}",
];

fn index(step: &str) -> Option<usize> {
    let digits = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
    let plain = step == "0" || !step.starts_with('0');
    (digits && plain).then(|| step.parse().ok())?
}

fn at<'a>(value: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, step| match value {
        Value::Object(object) => object.get(step),
        Value::Array(array) => array.get(index(step)?),
        _ => None,
    })
}

/// Sign, digits without zeros at either end, and the exponent of the last: the same for the same number.
fn number(text: &str) -> Option<(bool, String, i128)> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0').trim_end_matches('0').to_owned();
    let zeros = all.len() - all.trim_end_matches('0').len();
    let exponent: i128 = exponent.parse().ok()?;
    match digits.is_empty() {
        true => Some((false, digits, 0)),
        false => Some((
            sign,
            digits,
            exponent - fraction.len() as i128 + zeros as i128,
        )),
    }
}

/// None where this does not know.
fn equal(value: &Value, expected: &str) -> Option<bool> {
    let parsed: Option<Value> = serde_json::from_str(expected).ok();
    Some(match (value, parsed) {
        (Value::String(text), _) => text == expected,
        (Value::Number(one), Some(Value::Number(other))) => {
            number(one.as_str())? == number(other.as_str())?
        }
        (Value::Null | Value::Bool(_), Some(parsed)) => *value == parsed,
        _ => false,
    })
}

/// A document: any text, or one that is JSON in one of the ways in which it can be written.
#[derive(Arbitrary, Debug)]
enum Document {
    Text(Vec<u8>),
    Json(Json),
}

#[derive(Arbitrary, Debug)]
enum Json {
    Scalar(u8),
    Array(Vec<Json>),
    Object(Vec<(u8, Json)>),
}

const SCALARS: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "1.0",
    "10e-1",
    "1E+0",
    "2",
    "0.1",
    "9007199254740993",
    "9007199254740992",
    "1e999",
    "\"UP\"",
    "\"1\"",
    "\"\\u0055P\"",
    "\"\"",
    "\"\\ud83d\\ude00\"",
    "\"a\\\"b\"",
    "\"\\\\\"",
    "[]",
    "{}",
];
const NAMES: &[&str] = &[
    "\"a\"",
    "\"\\u0061\"",
    "\"b\"",
    "\"0\"",
    "\"1\"",
    "\"\"",
    "\"01\"",
    "\"status\"",
    "\"\\u00e9\"",
    "\"a\\\"\"",
];

impl Json {
    fn write(&self, out: &mut String) {
        let pick = |list: &[&'static str], at: u8| list[usize::from(at) % list.len()];
        match self {
            Json::Scalar(at) => out.push_str(pick(SCALARS, *at)),
            Json::Array(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at > 0 { " , " } else { "" });
                    item.write(out);
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "\n" });
                    out.push_str(pick(NAMES, *name));
                    out.push_str(if name % 2 == 0 { ": " } else { ":" });
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fuzz_target!(|input: (Vec<u8>, Vec<u8>, Document)| {
    let text = match &input.2 {
        Document::Text(letters) => spell(letters, WORDS),
        Document::Json(json) => {
            let mut text = String::new();
            json.write(&mut text);
            text.into_bytes()
        }
    };
    let path: Vec<String> = input
        .0
        .iter()
        .take(8)
        .map(|&step| STEPS[usize::from(step) % STEPS.len()].to_owned())
        .collect();
    let ours = json(&text, &path);
    let value: Value = match (serde_json::from_slice(&text), ours) {
        (Ok(value), Some(_)) => value,
        (Ok(_), None) => panic!("{:?} is JSON", String::from_utf8_lossy(&text)),
        (Err(_), None) => return,
        // What it cannot hold is JSON nevertheless: half a character, and what nests too deep.
        (Err(error), Some(_)) => {
            let said = error.to_string();
            let known = [
                "surrogate",
                "unexpected end of hex escape",
                "recursion limit",
            ];
            assert!(
                known.iter().any(|known| said.contains(known)),
                "{said}: {:?}",
                String::from_utf8_lossy(&text)
            );
            return;
        }
    };
    let (document, found) = ours.expect("JSON");
    assert_eq!(
        serde_json::from_str::<Value>(document).ok().as_ref(),
        Some(&value)
    );
    let theirs = at(&value, &path);
    let same = found.map(|found| serde_json::from_str::<Value>(found).expect("a value"));
    assert_eq!(same.as_ref(), theirs, "{path:?} in {document}");
    if let (Some(found), Ok(expected), Some(theirs)) =
        (found, String::from_utf8(spell(&input.1, WORDS)), theirs)
        && let Some(equal) = equal(theirs, &expected)
    {
        assert_eq!(
            json_equals(found, &expected),
            equal,
            "{found} and {expected:?}"
        );
    }
});
