//! What a response must be: parse one expectation, judge one. Pure.

use super::document as json;
use crate::deadline::Deadline;
use crate::search::contains;
use crate::verdict::{Failure, Phase, Snippet, Unmet};

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

/// A PATH has at most this many steps: [`json::at`] nests as deep.
const MAX_STEPS: usize = 100;

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
    /// A sentence that says what is wrong with the path or the value.
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
        if steps.len() > MAX_STEPS {
            return Err("has a PATH of more than 100 steps");
        }
        let is_nested = |value: &String| value.trim_start().starts_with(['{', '[']);
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

    fn judge(&self, document: &str, body: &[u8]) -> Result<(), Unmet> {
        let path = || self.path.clone();
        match (json::at(document, &self.steps), &self.value) {
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
    pub body: Vec<String>,
    /// Texts that it does not contain.
    pub body_not: Vec<String>,
    /// What its JSON says.
    pub json: Vec<JsonExpectation>,
}

impl BodyExpectations {
    /// Whether nothing is expected, so that the body need not be read.
    pub fn is_empty(&self) -> bool {
        self.body.is_empty() && self.body_not.is_empty() && self.json.is_empty()
    }

    /// Begins to judge a body of which nothing has come yet.
    pub fn begin(&self) -> Coming<'_> {
        Coming {
            expected: self,
            missing: self.body.iter().collect(),
            known: 0,
        }
    }

    /// Judges the whole body, or its first [`MAX_BODY`] bytes when it is `bounded`: the first expectation that
    /// does not hold is named. Each takes time linear in the body; the deadline is looked at between them.
    ///
    /// # Errors
    /// [`Failure::Unexpected`], or [`Failure::TimedOut`] while judging.
    pub fn judge(
        &self,
        body: &[u8],
        bounded: bool,
        deadline: &Deadline,
    ) -> Result<(), Box<Failure>> {
        for text in &self.body {
            in_time(deadline, Phase::Judge)?;
            if !contains(body, text) {
                return Err(Unmet::Body {
                    text: text.clone(),
                    bounded,
                    body: Snippet::new(body),
                }
                .into());
            }
        }
        for text in &self.body_not {
            in_time(deadline, Phase::Judge)?;
            if contains(body, text) {
                return Err(body_has(text, body));
            }
        }
        if bounded && !(self.body_not.is_empty() && self.json.is_empty()) {
            return Err(Unmet::BodyTooLong.into());
        }
        if self.json.is_empty() {
            return Ok(());
        }
        in_time(deadline, Phase::Judge)?;
        let Some(document) = json::value(body) else {
            return Err(Unmet::NotJson {
                body: Snippet::new(body),
            }
            .into());
        };
        for expectation in &self.json {
            in_time(deadline, Phase::Judge)?;
            expectation.judge(document, body)?;
        }
        Ok(())
    }
}

/// A body that is judged as it comes, so that what has been searched is not searched again.
#[derive(Debug)]
pub struct Coming<'a> {
    expected: &'a BodyExpectations,
    /// The texts that are expected and have not come.
    missing: Vec<&'a String>,
    /// How much of the body has been searched.
    known: usize,
}

impl Coming<'_> {
    /// Judges `body`, which begins with what it was at the last call: whether every text that is expected is there now.
    /// Nothing is if none is expected.
    ///
    /// # Errors
    /// [`Failure::Unexpected`] for a text that should not be there, or [`Failure::TimedOut`] while the
    /// body is still coming.
    pub fn has_all(&mut self, body: &[u8], deadline: &Deadline) -> Result<bool, Box<Failure>> {
        let known = std::mem::replace(&mut self.known, body.len());
        for text in &self.expected.body_not {
            in_time(deadline, Phase::Body)?;
            if has_come(body, known, text) {
                return Err(body_has(text, body));
            }
        }
        let mut at = 0;
        while let Some(text) = self.missing.get(at) {
            in_time(deadline, Phase::Body)?;
            match has_come(body, known, text) {
                true => _ = self.missing.swap_remove(at),
                false => at += 1,
            }
        }
        Ok(self.missing.is_empty() && !self.expected.body.is_empty())
    }

    /// Judges the same: `Some` when no further byte can change the verdict.
    pub fn judge(&mut self, body: &[u8], deadline: &Deadline) -> Option<Result<(), Box<Failure>>> {
        let only_texts = self.expected.body_not.is_empty() && self.expected.json.is_empty();
        match self.has_all(body, deadline) {
            Ok(all) => (all && only_texts).then_some(Ok(())),
            Err(failure) => Some(Err(failure)),
        }
    }
}

/// Whether `text` is in `body`, of which `known` bytes have been searched for it. It can only end in what is new, and there
/// its last byte must be: else a body that comes byte by byte would cost the length of `text` for each of them.
fn has_come(body: &[u8], known: usize, text: &str) -> bool {
    let new = &body[known..];
    let ends = text.as_bytes().last().is_none_or(|last| new.contains(last));
    let begin = known.saturating_sub(text.len().saturating_sub(1));
    ends && contains(&body[begin..], text)
}

/// Gives up when the deadline has passed.
fn in_time(deadline: &Deadline, phase: Phase) -> Result<(), Box<Failure>> {
    let late = |_| Box::new(Failure::TimedOut { phase, peer: None });
    deadline.remaining().map(drop).map_err(late)
}

fn body_has(text: &str, body: &[u8]) -> Box<Failure> {
    let (text, body) = (text.to_owned(), Snippet::new(body));
    Unmet::BodyNot { text, body }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::time::Duration;

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

    /// Time enough on any machine.
    fn ample() -> Deadline {
        Deadline::after(Duration::from_secs(3600))
    }

    fn unmet(verdict: Result<(), Box<Failure>>) -> Result<(), Unmet> {
        verdict.map_err(|failure| match *failure {
            Failure::Unexpected(unmet) => unmet,
            failure => panic!("{failure:?}"),
        })
    }

    fn json(expectation: &str, body: &str) -> Result<(), Unmet> {
        let json = vec![JsonExpectation::parse(expectation).unwrap()];
        let expected = BodyExpectations {
            json,
            ..Default::default()
        };
        unmet(expected.judge(body.as_bytes(), false, &ample()))
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
            "o.y.0=2",
            "big=9007199254740993",
            "/=empty",
            "n=10e-1",
            "n=0.1E+1",
            "n= 1 ",
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
            "o=",
            "o=1",
            "/o/y=2",
            "a=null",
            "ok=\"true\"",
            "status=\"UP\"",
            "n=01",
            "n=+1",
            "n=1.",
            "n=1 1",
        ] {
            assert!(json(unmet, body).is_err(), "{unmet}");
        }
        for (root, met) in [("[1,2]", "1=2"), ("{\"a\":1,\"a\":2}", "a=2")] {
            assert_eq!(json(met, root), Ok(()), "{met}");
        }
        let escaped = r#"{"a\"}\\":"\u0041\ud83d\ude00\n,]","\u00e9":[[],{},"\\"]}"#;
        for met in ["a\"}\\=A\u{1f600}\n,]", "/é/2=\\", "/é/1", "/é/0", "/é"] {
            assert_eq!(json(met, escaped), Ok(()), "{met}");
        }
        for unmet in ["/é/3", "/é/0/0", "/é/1/0", "/é=", "/é/2=", "/é/2=\\\\"] {
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
        assert!(json("0=1", &deep).is_err());
        for bad in ["", "=UP", ".", "a.", ".a", "a..b", "/a~", "/a~2", "/~"] {
            assert!(JsonExpectation::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn json_values_are_scalars() {
        for bad in [
            "a={",
            "a=[",
            "a={}",
            "a= [1]",
            "o={\"a\":1,\"b\":2}",
            "a=\n{",
        ] {
            let complaint = JsonExpectation::parse(bad).unwrap_err();
            assert!(complaint.contains("true, false or null"), "{bad:?}");
        }
        // A brace further on is text.
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

    #[test]
    fn judging_ends_at_the_deadline() {
        let over = Deadline::after(Duration::ZERO);
        let expected = BodyExpectations {
            body: vec!["UP".into()],
            body_not: vec!["DOWN".into()],
            json: vec![JsonExpectation::parse("a").unwrap()],
        };
        let late = |phase| Box::new(Failure::TimedOut { phase, peer: None });
        for one in [
            BodyExpectations {
                body: expected.body.clone(),
                ..Default::default()
            },
            BodyExpectations {
                body_not: expected.body_not.clone(),
                ..Default::default()
            },
            BodyExpectations {
                json: expected.json.clone(),
                ..Default::default()
            },
            expected,
        ] {
            assert_eq!(one.judge(b"UP", false, &over), Err(late(Phase::Judge)));
            if one.json.is_empty() {
                assert_eq!(
                    one.begin().judge(b"UP", &over),
                    Some(Err(late(Phase::Body)))
                );
            }
        }
    }

    #[test]
    fn bodies_are_judged_as_soon_as_they_can_be() {
        let has = BodyExpectations {
            body: vec!["UP".into(), "ok".into()],
            ..Default::default()
        };
        let ample = ample();
        // How each body comes, and after which of its parts the verdict is fixed.
        for (parts, fixed) in [
            (vec!["status UP", "status UP, ok"], 2),
            (vec!["status U", "status UP, o", "status UP, ok", "more"], 3),
            (vec!["o", "ok", "ok, status U", "ok, status UP"], 4),
            (vec!["UPok"], 1),
        ] {
            let mut coming = has.begin();
            let at = parts
                .iter()
                .position(|body| coming.judge(body.as_bytes(), &ample) == Some(Ok(())));
            assert_eq!(at, Some(fixed - 1), "{parts:?}");
        }
        let lacks = BodyExpectations {
            body_not: vec!["DOWN".into()],
            ..Default::default()
        };
        let mut coming = lacks.begin();
        assert_eq!(coming.judge(b"status DO", &ample), None);
        let verdict = coming.judge(b"status DOWN", &ample).map(unmet);
        assert!(matches!(verdict, Some(Err(Unmet::BodyNot { .. }))));
        assert_eq!(lacks.judge(b"status UP", false, &ample), Ok(()));
        assert_eq!(
            unmet(lacks.judge(b"status UP", true, &ample)),
            Err(Unmet::BodyTooLong)
        );
        assert!(
            matches!(unmet(has.judge(b"UP", true, &ample)), Err(Unmet::Body { text, bounded: true, .. }) if text == "ok")
        );
    }

    proptest! {
        /// However a body is cut into parts, the verdict comes with the first byte that fixes it.
        #[test]
        fn parts_do_not_matter(body in "[ab]{0,30}", texts in vec("[ab]{1,5}", 1..4), cuts in vec(1..6_usize, 0..30), unwanted: bool) {
            let (has, lacks) = match unwanted {
                true => (Vec::new(), texts.clone()),
                false => (texts.clone(), Vec::new()),
            };
            let expected = BodyExpectations { body: has, body_not: lacks, ..Default::default() };
            let (mut coming, ample) = (expected.begin(), ample());
            let mut end = 0;
            for length in cuts {
                end = body.len().min(end + length);
                let part = &body[..end];
                let verdict = coming.judge(part.as_bytes(), &ample);
                let fixed = match unwanted {
                    true => texts.iter().any(|text| part.contains(text)),
                    false => texts.iter().all(|text| part.contains(text)),
                };
                prop_assert_eq!(verdict.is_some(), fixed);
                prop_assert_eq!(verdict.is_some_and(|verdict| verdict.is_err()), fixed && unwanted);
                if fixed {
                    break;
                }
            }
        }
    }

    #[test]
    fn the_last_byte_of_the_bound_counts() {
        let has = BodyExpectations {
            body: vec!["UP".into()],
            ..Default::default()
        };
        let body = [&vec![b'x'; MAX_BODY - 2][..], b"UP"].concat();
        let mut coming = has.begin();
        assert_eq!(coming.judge(&body[..MAX_BODY - 1], &ample()), None);
        assert_eq!(coming.judge(&body, &ample()), Some(Ok(())));
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
