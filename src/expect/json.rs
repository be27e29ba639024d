//! What is expected of a JSON body: something at a path, or a value there. Pure.

use super::{document, sick};
use crate::search::split_once;
use crate::verdict::{Snippet, Unmet};

/// A PATH has at most this many steps, because [`document::at`] recurses once for each.
const MAX_STEPS: usize = 100;

/// What `--json` asks for: something at a path, or a value there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonExpectation {
    path: String,
    steps: Vec<String>,
    value: Option<String>,
}

impl JsonExpectation {
    /// Parses `PATH` or `PATH=VALUE`, split at the first `=`. A PATH that begins with `/` is an RFC 6901 pointer; any other
    /// is keys and indexes joined by dots.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the path or the value.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (path, value) = match text.split_once('=') {
            Some((path, value)) => (path, Some(value.to_owned())),
            None => (text, None),
        };
        if let Some(complaint) = not_meant(path, value.as_deref().unwrap_or_default()) {
            return Err(complaint);
        }
        let (keys, between) = match path.strip_prefix('/') {
            Some(pointer) => (pointer, '/'),
            None => (path, '.'),
        };
        let mut steps = Vec::new();
        for key in keys.split(between) {
            steps.push(match between {
                '/' => unescape(key).ok_or("has a ~ that is neither ~0 nor ~1 (RFC 6901)")?,
                _ if key.is_empty() => {
                    return Err(
                        "is no PATH or PATH=VALUE such as status=UP, checks.0.name or /a~1b",
                    );
                }
                _ => key.to_owned(),
            });
        }
        if steps.len() > MAX_STEPS {
            return Err("has a PATH of more than 100 steps");
        }
        // A string may begin like that, too: `[OK]`, say.
        let is_nested = |value: &String| {
            value.trim_ascii_start().starts_with(['{', '['])
                && document::value(value.as_bytes()).is_some()
        };
        if value.as_ref().is_some_and(is_nested) {
            return Err(
                "has an object or an array as VALUE, which is a string, a number, true, false or null; a member is reached by its path: a.b=1",
            );
        }
        Ok(JsonExpectation {
            path: path.to_owned(),
            steps,
            value,
        })
    }

    pub(super) fn judge(&self, document: &str, body: &[u8]) -> Result<(), Unmet> {
        let path = || self.path.clone();
        match (document::at(document, &self.steps), &self.value) {
            (None, _) => Err(Unmet::JsonLacks {
                path: path(),
                body: sick::kept(body),
            }),
            (Some(found), Some(expected)) if !document::equals(found, expected) => {
                Err(Unmet::JsonDiffers {
                    path: path(),
                    expected: expected.clone(),
                    got: Snippet::new(found.as_bytes()),
                    body: sick::kept(body),
                })
            }
            _ => Ok(()),
        }
    }
}

/// What to write in place of what other tools would understand. A key that looks like it can be reached by a pointer.
fn not_meant(path: &str, value: &str) -> Option<&'static str> {
    const PLAIN: &str =
        "is not written as PATH=VALUE, without quotes, blanks or braces and with one =: status=UP";
    match (path.as_bytes(), value.as_bytes()) {
        ([b'$'] | [b'$', b'.' | b'[', ..] | [b'.' | b'[', ..], _) => Some(
            "begins as for JSONPath or jq: begin with the first key, as in status=UP or checks.0.name",
        ),
        ([.., b'!'], _) => Some("has !=, but only = can be asked for, as in status=UP"),
        (_, [b'=', ..] | [b'"', .., b'"'] | [b'\'', .., b'\'']) => Some(PLAIN),
        ([b'/', ..], _) => None,
        ([b'{' | b'"' | b'\'' | b' ', ..] | [.., b' '], _) => Some(PLAIN),
        (bytes, _) if bytes.contains(&b'[') => Some(
            "has brackets: an index is a step like a key, so write a.0.b for a[0].b, or /a[0] for a key that has them",
        ),
        (bytes, b"") => {
            let colon = bytes.iter().rposition(|&byte| byte == b':')?;
            let word = &path[colon + 1..];
            (word.starts_with([' ', '"']) || sick::is_word(word)).then_some(PLAIN)
        }
        _ => None,
    }
}

/// RFC 6901: `~1` is `/`, `~0` is `~`, and any other `~` is an error.
fn unescape(mut token: &str) -> Option<String> {
    let mut out = String::new();
    while let Some((before, after)) = split_once(token, "~") {
        let (digit, rest) = after.split_at_checked(1)?;
        out.push_str(before);
        out.push_str(match digit {
            "0" => "~",
            "1" => "/",
            _ => return None,
        });
        token = rest;
    }
    out.push_str(token);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deadline::Deadline;
    use crate::expect::BodyExpectations;
    use crate::verdict::Failure;
    use std::time::Duration;

    fn json(expectation: &str, body: &str) -> Result<(), Unmet> {
        let json = vec![JsonExpectation::parse(expectation).unwrap()];
        let expected = BodyExpectations {
            json,
            ..Default::default()
        };
        // Time enough on any machine.
        let ample = Deadline::after(Duration::from_secs(3600));
        let verdict = expected.judge(body.as_bytes(), false, &ample);
        verdict.map_err(|failure| match *failure {
            Failure::Unexpected(unmet) => unmet,
            failure => panic!("{failure:?}"),
        })
    }
    const BODY: &str = r#"{"status":"UP","n":1.0,"big":9007199254740993,"ok":true,"none":null,"a":{"b.c":[10,{"d":"x=y"}]},
            "a/b":{"m~n":"deep"},"o":{"x":1,"y":[2]},"":"empty"}"#;

    #[test]
    fn json_paths_and_values() {
        for met in [
            "status",
            "status=UP",
            "n=1",
            "n=1.0",
            "n=1e0",
            "ok=true",
            "none",
            "none=null",
            "a",
            "/a/b.c/0=10",
            "/a/b.c/1/d=x=y",
            "/a~1b/m~0n=deep",
            "o.y.0=2",
            "big=9007199254740993",
            "/=empty",
            "n=10e-1",
            "n=0.1E+1",
            "n= 1 ",
        ] {
            assert_eq!(json(met, BODY), Ok(()), "{met}");
        }
        for (root, met) in [("[1,2]", "1=2"), ("{\"a\":1,\"a\":2}", "a=2")] {
            assert_eq!(json(met, root), Ok(()), "{met}");
        }
    }

    #[test]
    fn other_paths_and_values_do_not_hold() {
        for unmet in [
            "nothing",
            "status=up",
            "status=",
            "n=2",
            "n=x",
            "ok=false",
            "ok=True",
            "none=",
            "a.b.c",
            "/a/b.c/00",
            "/a/b.c/-",
            "/a/b.c/+1",
            "/a/b.c/2",
            "status.x",
            "big=9007199254740992",
            "o=",
            "o=1",
            "/o/y=2",
            "a=null",
            "n=01",
            "n=+1",
            "n=1.",
            "n=1 1",
        ] {
            assert!(json(unmet, BODY).is_err(), "{unmet}");
        }
    }

    #[test]
    fn names_and_strings_may_be_escaped() {
        let escaped = r#"{"a\"}\\":"\u0041\ud83d\ude00\n,]","\u00e9":[[],{},"\\"]}"#;
        for met in ["a\"}\\=A\u{1f600}\n,]", "/é/2=\\", "/é/1", "/é/0", "/é"] {
            assert_eq!(json(met, escaped), Ok(()), "{met}");
        }
        for unmet in ["/é/3", "/é/0/0", "/é/1/0", "/é=", "/é/2=", "/é/2=\\\\"] {
            assert!(json(unmet, escaped).is_err(), "{unmet}");
        }
    }

    #[test]
    fn what_is_no_json_is_said() {
        for broken in [
            "",
            "UP",
            "{\"status\":\"UP\"",
            "{\"status\":\"UP\"} x",
            "\"UP\u{0}\"",
            "nan",
        ] {
            assert!(
                matches!(json("status=UP", broken), Err(Unmet::NotJson { .. })),
                "{broken:?}"
            );
        }
        let deep = "[".repeat(100_000);
        assert!(matches!(json("0", &deep), Err(Unmet::NotJson { .. })));
        let deep = format!("{deep}{}", "]".repeat(100_000));
        assert_eq!(json("0", &deep), Ok(()));
        assert!(json("0=1", &deep).is_err());
    }

    #[test]
    fn bad_expectations_are_refused() {
        for bad in ["", "=UP", ".", "a.", ".a", "a..b", "/a~", "/a~2", "/~"] {
            assert!(JsonExpectation::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn what_other_tools_understand_is_explained() {
        for (bad, explained) in [
            ("$", "begin with the first key"),
            ("$.status", "begin with the first key"),
            ("$.status=UP", "begin with the first key"),
            ("$['status']", "begin with the first key"),
            (".status", "begin with the first key"),
            (".status == \"UP\"", "begin with the first key"),
            ("[0].a", "begin with the first key"),
            ("a[0].b", "write a.0.b"),
            ("k[a]=1", "or /a[0] for a key that has them"),
            ("$x[0]=1", "or /a[0] for a key that has them"),
            ("a[*]=x", "write a.0.b"),
            ("status=\"UP\"", "is not written as PATH=VALUE"),
            ("ok=\"true\"", "is not written as PATH=VALUE"),
            ("/a/b='x'", "is not written as PATH=VALUE"),
            ("status==UP", "is not written as PATH=VALUE"),
            ("status == UP", "is not written as PATH=VALUE"),
            ("status = UP", "is not written as PATH=VALUE"),
            ("status =UP", "is not written as PATH=VALUE"),
            ("status!=DOWN", "has !="),
            ("status:UP", "is not written as PATH=VALUE"),
            ("status: UP", "is not written as PATH=VALUE"),
            ("status:\"x\"", "is not written as PATH=VALUE"),
            ("{\"status\":\"UP\"}", "is not written as PATH=VALUE"),
            ("\"status\"=UP", "is not written as PATH=VALUE"),
        ] {
            let complaint = JsonExpectation::parse(bad).expect_err(bad);
            assert!(complaint.contains(explained), "{bad}: {complaint}");
        }
        // Keys that there are, values that begin like that, and what a pointer reaches.
        for good in [
            "$schema",
            "cassandra:responseTime",
            "checks.db:connections=1",
            "a b",
            "a=\"",
            "a=x[0]",
            "a= b",
            "/a[0]",
            "/$/x",
            "/ a",
            "a=b=c",
            "a=:UP",
            "/a:UP",
        ] {
            assert!(JsonExpectation::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn json_values_are_scalars() {
        for bad in ["a=[]", "a={}", "a= [1]", "o={\"a\":1,\"b\":2}", "a=\n{}"] {
            let complaint = JsonExpectation::parse(bad).unwrap_err();
            assert!(complaint.contains("true, false or null"), "{bad:?}");
        }
        // What is no JSON is text, whatever it begins with.
        assert_eq!(json("/msg=[OK]", r#"{"msg":"[OK]"}"#), Ok(()));
        assert_eq!(json("msg={x}", r#"{"msg":"{x}"}"#), Ok(()));
        assert!(json("msg=[OK]", r#"{"msg":["OK"]}"#).is_err());
        assert_eq!(json("x=a{", "{\"x\":\"a{\"}"), Ok(()));
        let body = r#"{"o":{"a":1,"a":1},"l":[1],"e":{},"s":"1.0","v":"2.0"}"#;
        for unmet in ["o=", "o=1", "l=1", "e=", "e=null", "s=1", "v=2"] {
            let verdict = json(unmet, body);
            assert!(
                matches!(verdict, Err(Unmet::JsonDiffers { .. })),
                "{unmet}: {verdict:?}"
            );
        }
        assert_eq!(json("s=1.0", body), Ok(()));
        assert_eq!(json("o.b=2", body).unwrap_err(), {
            let (path, body) = ("o.b".into(), Snippet::new(body.as_bytes()));
            Unmet::JsonLacks { path, body }
        });
    }

    #[test]
    fn json_paths_are_bounded() {
        let path = |steps: usize| vec!["0"; steps].join(".");
        assert!(JsonExpectation::parse(&path(101)).is_err());
        assert!(JsonExpectation::parse(&"/a".repeat(101)).is_err());
        // As many steps as there may be, into a document that nests deeper, beside it and below.
        let (open, close) = ("[".repeat(500_000), "]".repeat(500_000));
        let deep = format!("{open}{close}");
        assert_eq!(json(&path(100), &deep), Ok(()));
        assert!(json(&format!("{}=1", path(100)), &deep).is_err());
        let beside = format!("{{\"x\":{deep},\"a\":{{\"y\":{deep},\"b\":\"UP\",\"z\":{deep}}}}}");
        assert_eq!(json("a.b=UP", &beside), Ok(()));
        assert!(json("x.y", &beside).is_err());
    }

    #[test]
    fn half_characters_elsewhere_do_not_matter() {
        let body =
            r#"{"\ud800":"\udc00","a":"\ud800","a":{"\udfff\ud800":1e999,"b":"\ud83d\ude00"}}"#;
        assert_eq!(json("a.b=\u{1f600}", body), Ok(()));
        assert!(matches!(
            json("a.b=\u{fffd}", body),
            Err(Unmet::JsonDiffers { .. })
        ));
        assert!(matches!(json("a.c", body), Err(Unmet::JsonLacks { .. })));
    }
}
