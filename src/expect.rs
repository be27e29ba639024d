//! What a response must be: parse one expectation, judge one. Pure.

use crate::json;
use crate::verdict::{Snippet, Unmet};

/// At most this many bytes of a body are searched.
pub const MAX_BODY: usize = 1 << 20;

/// What `--status` accepts: a list of inclusive ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses {
    ranges: Vec<(u16, u16)>,
    text: String,
}

impl Default for Statuses {
    fn default() -> Self {
        Statuses {
            ranges: vec![(200, 299)],
            text: "200-299".into(),
        }
    }
}

impl Statuses {
    /// Parses `200`, `2xx`, `200-399`, or several of these joined by `,`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the list.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let ranges = text.split(',').map(range).collect::<Result<Vec<_>, _>>()?;
        Ok(Statuses {
            ranges,
            text: text.to_owned(),
        })
    }

    /// Whether `status` is in the list.
    pub fn contains(&self, status: u16) -> bool {
        self.ranges
            .iter()
            .any(|&(low, high)| (low..=high).contains(&status))
    }

    /// The list as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn range(item: &str) -> Result<(u16, u16), &'static str> {
    const FORM: &str = "is no list of statuses such as 200, 2xx or 200-399,404";
    let code = |text: &str| match text.as_bytes() {
        [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9'] => text.parse::<u16>().map_err(|_| FORM),
        _ => Err(FORM),
    };
    let (low, high) = match (item.split_once('-'), item.as_bytes()) {
        (Some((low, high)), _) => (code(low)?, code(high)?),
        (None, [hundreds @ b'1'..=b'9', b'x' | b'X', b'x' | b'X']) => {
            let low = u16::from(hundreds - b'0') * 100;
            (low, low + 99)
        }
        (None, _) => (code(item)?, code(item)?),
    };
    if low > high {
        Err("has a range that ends before it begins")
    } else if high < 200 && (low, high) != (101, 101) {
        Err("has a 1xx status: but for 101, those announce a response and are never judged")
    } else {
        Ok((low, high))
    }
}

/// What `--json` asks for: something at a path, or a value there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonExpectation {
    path: String,
    steps: Vec<String>,
    value: Option<String>,
}

impl JsonExpectation {
    /// Parses `PATH` or `PATH=VALUE`, split at the first `=`. A PATH that begins with `/` is an RFC 6901 pointer,
    /// another one is keys and indexes joined by dots.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the path.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (path, value) = match text.split_once('=') {
            Some((path, value)) => (path, Some(value.to_owned())),
            None => (text, None),
        };
        let steps = match path.strip_prefix('/') {
            Some(pointer) => pointer.split('/').map(unescape).collect::<Option<Vec<_>>>(),
            None if path.split('.').all(|key| !key.is_empty()) => {
                Some(path.split('.').map(str::to_owned).collect())
            }
            None => {
                return Err("is no PATH or PATH=VALUE such as status=UP, checks.0.name or /a~1b");
            }
        };
        let steps = steps.ok_or("has a ~ that is neither ~0 nor ~1 (RFC 6901)")?;
        Ok(JsonExpectation {
            path: path.to_owned(),
            steps,
            value,
        })
    }

    fn judge(&self, document: &str, body: &[u8]) -> Result<(), Unmet> {
        let mut found = Some(document);
        for step in &self.steps {
            found = found.and_then(|value| json::child(value, step));
        }
        let path = || self.path.clone();
        match (found, &self.value) {
            (None, _) => Err(Unmet::JsonLacks {
                path: path(),
                body: Snippet::new(body),
            }),
            (Some(found), Some(expected)) if !json::equals(found, expected) => {
                Err(Unmet::JsonDiffers {
                    path: path(),
                    expected: expected.clone(),
                    got: Snippet::new(found.as_bytes()),
                })
            }
            _ => Ok(()),
        }
    }
}

/// RFC 6901: `~1` is `/`, `~0` is `~`, and no other `~` may stand.
fn unescape(token: &str) -> Option<String> {
    let mut parts = token.split('~');
    let mut out = parts.next()?.to_owned();
    for part in parts {
        let (digit, rest) = part.split_at_checked(1)?;
        out.push(match digit {
            "0" => '~',
            "1" => '/',
            _ => return None,
        });
        out.push_str(rest);
    }
    Some(out)
}

/// What `--expect-header` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderExpectation {
    /// The name as it was given; names are compared without case.
    pub name: String,
    /// The value, without the blanks around it; none asks for the header alone.
    pub value: Option<String>,
}

impl HeaderExpectation {
    /// Judges the values that came under the name.
    ///
    /// # Errors
    /// [`Unmet`], when there is none, or none equal to the value expected.
    pub fn judge<'a>(&self, values: impl IntoIterator<Item = &'a [u8]>) -> Result<(), Unmet> {
        let mut values = values.into_iter();
        let Some(first) = values.next() else {
            return Err(Unmet::HeaderLacks {
                name: self.name.clone(),
            });
        };
        let mut all = std::iter::once(first).chain(values);
        match &self.value {
            Some(expected) if !all.any(|value| value.trim_ascii() == expected.as_bytes()) => {
                Err(Unmet::HeaderDiffers {
                    name: self.name.clone(),
                    expected: expected.clone(),
                    got: Snippet::new(first),
                })
            }
            _ => Ok(()),
        }
    }
}

/// What is expected of a body: all of it must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BodyExpectations {
    /// Texts that it contains.
    pub has: Vec<String>,
    /// Texts that it does not contain.
    pub lacks: Vec<String>,
    /// What its JSON says.
    pub json: Vec<JsonExpectation>,
}

impl BodyExpectations {
    /// Whether nothing is expected, so that the body need not be read.
    pub fn is_empty(&self) -> bool {
        self.has.is_empty() && self.lacks.is_empty() && self.json.is_empty()
    }

    /// Judges the part of the body that has come so far: `Some` when no further byte can change the verdict.
    /// `known` bytes at its beginning were there at an earlier call and are not searched again.
    pub fn judge_part(&self, body: &[u8], known: usize) -> Option<Result<(), Unmet>> {
        if let Some(text) = self.unwanted(body, known) {
            return Some(Err(body_has(text, body)));
        }
        let fixed = self.lacks.is_empty() && self.json.is_empty() && self.has_all(body, known);
        fixed.then_some(Ok(()))
    }

    /// A text that should not be there, and is since the body had `known` bytes.
    pub fn unwanted(&self, body: &[u8], known: usize) -> Option<&String> {
        self.lacks
            .iter()
            .find(|text| contains(fresh(body, known, text), text))
    }

    /// Whether every text that is expected is there, one of them since the body had `known` bytes. The whole is searched
    /// only when something new was found: else a long body would be, for each of its parts.
    pub fn has_all(&self, body: &[u8], known: usize) -> bool {
        let is_new = |text: &String| contains(fresh(body, known, text), text);
        self.has.iter().any(is_new) && self.has.iter().all(|text| contains(body, text))
    }

    /// Judges the whole body, or its first [`MAX_BODY`] bytes when it is `bounded`: the first expectation that
    /// does not hold is named.
    ///
    /// # Errors
    /// [`Unmet`].
    pub fn judge(&self, body: &[u8], bounded: bool) -> Result<(), Unmet> {
        if let Some(text) = self.has.iter().find(|text| !contains(body, text)) {
            return Err(Unmet::BodyLacks {
                text: text.clone(),
                bounded,
                body: Snippet::new(body),
            });
        }
        if let Some(text) = self.lacks.iter().find(|text| contains(body, text)) {
            return Err(body_has(text, body));
        }
        if bounded && !(self.lacks.is_empty() && self.json.is_empty()) {
            return Err(Unmet::BodyTooLong);
        }
        if self.json.is_empty() {
            return Ok(());
        }
        let Some(document) = json::value(body) else {
            return Err(Unmet::NotJson {
                body: Snippet::new(body),
            });
        };
        self.json
            .iter()
            .try_for_each(|expectation| expectation.judge(document, body))
    }
}

fn body_has(text: &str, body: &[u8]) -> Unmet {
    Unmet::BodyHas {
        text: text.to_owned(),
        body: Snippet::new(body),
    }
}

/// Where `text` would be that was not there when the body had `known` bytes.
fn fresh<'a>(body: &'a [u8], known: usize, text: &str) -> &'a [u8] {
    &body[known.saturating_sub(text.len())..]
}

/// Whether `needle` is somewhere in `haystack`.
pub fn contains(haystack: &[u8], needle: &str) -> bool {
    needle.is_empty()
        || haystack
            .windows(needle.len())
            .any(|window| window == needle.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses() {
        let in_list = |list: &str, status| Statuses::parse(list).unwrap().contains(status);
        assert!(in_list("200", 200) && !in_list("200", 201));
        assert!(in_list("2xx", 200) && in_list("2XX", 299) && !in_list("2xx", 300));
        assert!(in_list("200-399", 302) && !in_list("200-399", 400));
        assert!(in_list("200,404,5xx", 404) && in_list("200,404,5xx", 503));
        assert!(in_list("100-599", 204));
        assert!(Statuses::default().contains(299) && !Statuses::default().contains(199));
        for bad in [
            "",
            ",",
            "200,",
            ",200",
            "abc",
            "20",
            "2000",
            "099",
            "000",
            "2x",
            "2x0",
            "x00",
            "xx",
            "0xx",
            "200-",
            "-200",
            "399-200",
            "200--399",
            "200 ",
            " 200",
            "200, 204",
            "+200",
            "2xx-3xx",
            "1xx",
            "100",
            "101-199",
            "２００",
            "200;204",
            "1e2",
        ] {
            assert!(Statuses::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }

    fn json(expectation: &str, body: &str) -> Result<(), Unmet> {
        let json = vec![JsonExpectation::parse(expectation).unwrap()];
        BodyExpectations {
            json,
            ..Default::default()
        }
        .judge(body.as_bytes(), false)
    }

    #[test]
    fn json_paths_and_values() {
        let body = r#"{"status":"UP","n":1.0,"big":9007199254740993,"ok":true,"none":null,"a":{"b.c":[10,{"d":"x=y"}]},
            "a/b":{"m~n":"deep"},"o":{"x":1,"y":[2]},"":"empty"}"#;
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
            r#"o={ "y": [2], "x": 1 }"#,
            "o.y.0=2",
            "big=9007199254740993",
            "/=empty",
            r#"a={"b.c":[1e1,{"d":"x=y"}]}"#,
            "n=10e-1",
            "n=0.1E+1",
        ] {
            assert_eq!(json(met, body), Ok(()), "{met}");
        }
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
            "o={}",
            "o=",
        ] {
            assert!(json(unmet, body).is_err(), "{unmet}");
        }
        for (root, met) in [("[1,2]", "1=2"), ("{\"a\":1,\"a\":2}", "a=2")] {
            assert_eq!(json(met, root), Ok(()), "{met}");
        }
        let escaped = r#"{"a\"}\\":"\u0041\ud83d\ude00\n,]","\u00e9":[[],{},"\\"]}"#;
        for met in [
            "a\"}\\=A\u{1f600}\n,]",
            "/é/2=\\",
            "/é/1={}",
            "/é= [ [ ] , { } , \"\\u005c\" ] ",
        ] {
            assert_eq!(json(met, escaped), Ok(()), "{met}");
        }
        for unmet in ["/é/3", "/é/0/0", "/é=[[],{}]", "/é=[{},[],\"\\\\\"]"] {
            assert!(json(unmet, escaped).is_err(), "{unmet}");
        }
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
        assert!(json(&format!("0={deep}"), &deep).is_err());
        for bad in ["", "=UP", ".", "a.", ".a", "a..b", "/a~", "/a~2", "/~"] {
            assert!(JsonExpectation::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn bodies_are_judged_as_soon_as_they_can_be() {
        let has = BodyExpectations {
            has: vec!["UP".into(), "ok".into()],
            ..Default::default()
        };
        assert_eq!(has.judge_part(b"status UP", 0), None);
        assert_eq!(has.judge_part(b"status UP, ok", 9), Some(Ok(())));
        assert_eq!(has.judge_part(b"ok, status UP", 12), Some(Ok(())));
        let lacks = BodyExpectations {
            lacks: vec!["DOWN".into()],
            ..Default::default()
        };
        assert_eq!(lacks.judge_part(b"status DO", 0), None);
        assert!(matches!(
            lacks.judge_part(b"status DOWN", 9),
            Some(Err(Unmet::BodyHas { .. }))
        ));
        assert_eq!(lacks.judge(b"status UP", false), Ok(()));
        assert_eq!(lacks.judge(b"status UP", true), Err(Unmet::BodyTooLong));
        assert!(
            matches!(has.judge(b"UP", true), Err(Unmet::BodyLacks { text, bounded: true, .. }) if text == "ok")
        );
    }

    #[test]
    fn headers() {
        let expect = |value: Option<&str>| HeaderExpectation {
            name: "X-A".into(),
            value: value.map(str::to_owned),
        };
        let came: [&[u8]; 2] = [b"one", b" two "];
        assert!(expect(None).judge(came).is_ok());
        assert!(expect(Some("two")).judge(came).is_ok());
        assert!(matches!(
            expect(Some("Two")).judge(came),
            Err(Unmet::HeaderDiffers { .. })
        ));
        assert!(matches!(
            expect(None).judge([]),
            Err(Unmet::HeaderLacks { .. })
        ));
        assert!(expect(Some("")).judge([b"".as_slice()]).is_ok());
    }
}
