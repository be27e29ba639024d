//! What is shown of a service that repeats secrets. Longer than 300 lines because each way to repeat one is a table of rows.

use super::*;
use crate::search::find;
use crate::snippet::{Snippet, printable};

fn secrets(headers: &[(&str, &str)]) -> Secrets {
    let parsed = headers.iter().map(|(name, value)| {
        (
            name.parse().expect("a name"),
            value.parse().expect("a value"),
        )
    });
    Secrets::of(&parsed.collect::<Vec<_>>())
}

#[test]
fn secrets_are_blackened_in_every_form() {
    // admin:hunter2=?
    let secrets = secrets(&[("authorization", "Basic YWRtaW46aHVudGVyMj0/")]);
    for (text, shown) in [
        ("wrong password hunter2=? given", "wrong password *** given"),
        ("hunter2%3D%3f", "***"),
        ("hunter2%253D%253F", "***"),
        ("{\"hunter2\\u003d?\"", "{\"***\""),
        ("\\\\u0068unter2=\\x3f", "***"),
        ("hunter2&#61;&#x3f;", "***"),
        ("h\\unter2", "h\\unter2"),
        ("Basic YWRtaW46aHVudGVyMj0/", "Basic ***"),
        ("YWRtaW46aHVudGVyMj0_", "***"),
        ("YWRtaW46aHVudGVyMj0%2F", "***"),
        ("who is admin?", "who is ***?"),
        ("hunter2=?hunter2=?", "***"),
        ("hunter2=?,hunter2=?", "***,***"),
        // The beginning of one at the end of what came.
        ("password hunt", "password ***"),
        ("password hun", "password hun"),
        ("nothing", "nothing"),
        ("", ""),
    ] {
        assert_eq!(
            Snippet::new(text.as_bytes()).text(&secrets),
            printable(shown.as_bytes(), 256),
            "{text}"
        );
    }
}

#[test]
fn other_headers_hold_secrets_too() {
    let cookie = secrets(&[
        ("cookie", "session=a%3Db0123456; theme=dark"),
        ("accept", "text/html"),
    ]);
    let text = |text: &str| Snippet::new(text.as_bytes()).text(&cookie);
    assert_eq!(text("no session a=b0123456"), "no session ***");
    assert_eq!(text("session=a%3Db0123456; theme=dark"), "***");
    assert_eq!(text("dark text/html"), "*** text/html");
    let key = secrets(&[("x-api-key", "YWJj==")]);
    assert_eq!(Snippet::new(b"YWJj=").text(&key), "***");
}

#[test]
fn a_short_secret_hides_the_text() {
    for (name, value) in [
        ("authorization", "Bearer T"),
        ("x-key", "abc"),
        ("authorization", "Basic YTpi"),
    ] {
        let text = Snippet::new(b"anything").text(&secrets(&[(name, value)]));
        assert!(text.starts_with("(not shown"), "{value}: {text}");
    }
    // The name alone is no secret.
    let named = secrets(&[("authorization", "Basic YTpodW50ZXIy")]);
    assert_eq!(Snippet::new(b"a: hunter2").text(&named), "a: ***");
}

#[track_caller]
fn is_shown(header: (&str, &str), rows: &[(&str, &str)]) {
    let secrets = secrets(&[header]);
    for (text, shown) in rows {
        let blackened = secrets.blacken(text.as_bytes());
        assert_eq!(String::from_utf8_lossy(&blackened), *shown, "{text}");
    }
}

#[test]
fn base64_of_a_secret_is_a_form_of_it() {
    // me:hunter2
    let basic = ("authorization", "Basic bWU6aHVudGVyMg==");
    is_shown(
        basic,
        &[
            ("password aHVudGVyMg== is wrong", "password ***== is wrong"),
            ("password aHVudGVyMg", "password ***"),
            // {"p":"hunter2"}, and with one and two blanks before it: what is not the secret's stays.
            ("eyJwIjoiaHVudGVyMiJ9", "eyJwIjoi***iJ9"),
            ("IHsicCI6Imh1bnRlcjIifQ==", "IHsicCI6Im***IifQ=="),
            ("ICB7InAiOiJodW50ZXIyIn0=", "ICB7InAiOiJ***In0="),
        ],
    );
    // A key that is base64 of s3cr3t-key.
    is_shown(("x-key", "czNjcjN0LWtleQ=="), &[("s3cr3t-key", "***")]);
    is_shown(
        ("authorization", "Basic czNjcjN0LWtleQ"),
        &[("s3cr3t-key", "***")],
    );
}

#[test]
fn escapes_of_either_case_and_of_any_character() {
    is_shown(
        ("x-key", r#"p+a%s\"s[.*]/=&"#),
        &[
            (r#"p+a%s\"s[.*]/=&"#, "***"),
            (r#"p+a%s\\\"s[.*]/=&"#, "***"),
            (r#"p+a%s\\\"s[.*]\/=&"#, "***"),
            ("p%2Ba%25s%5c%22s%5B.*%5d%2F%3D%26", "***"),
            (
                r"\u0070\u002B\u0061\u0025s\u005C\u0022s[.*]\u002F=\u0026",
                "***",
            ),
            (
                r"\u0070\u002b\u0061\u0025s\u005c\u0022s[.*]\u002f=\u0026",
                "***",
            ),
            (r"\x70\x2B\x61%s\x5C\x22s[.*]/=&", "***"),
            ("p+a%s\\&quot;s[.*]/=&amp;", "***"),
            (
                "p&#x2B;a&#37;s&#x5C;&#000034;s[.*]/&#x0000003D;&amp;",
                "***",
            ),
        ],
    );
    is_shown(
        ("x-key", "one two-three"),
        &[("one+two-three", "***"), ("one%20two%2Dthree", "***")],
    );
    // What looks like an escape and is none.
    is_shown(
        ("x-key", "100%+5 sure"),
        &[("100%+5 sure", "***"), ("100%25%2B5+sure", "***")],
    );
}

#[test]
fn other_charsets() {
    // gar\u{e7}on:p\u{e4}\u{df}word, in UTF-8.
    let basic = ("authorization", "Basic Z2Fyw6dvbjpww6TDn3dvcmQ=");
    for echo in [
        "p\u{e4}\u{df}word",
        r"p\u00e4\u00DFword",
        "p%C3%A4%c3%9fword",
        "p&#228;&#xDF;word",
        // Written, or read, in ISO 8859-1.
        "p%E4%DFword",
        r"p\xe4\xDFword",
        "p\u{c3}\u{a4}\u{c3}\u{9f}word",
        r"p\u00c3\u00a4\u00c3\u009fword",
    ] {
        is_shown(basic, &[(echo, "***")]);
    }
    assert_eq!(secrets(&[basic]).blacken(b"p\xe4\xdfword"), b"***");
}

#[test]
fn a_secret_that_is_cut_is_known_by_its_beginning() {
    let key = ("x-key", "hunter2=and/more");
    is_shown(
        key,
        &[
            ("key hunter2=an", "key ***"),
            ("key hunter2%3", "key ***"),
            ("key hunter2%", "key ***"),
            (r"key hunter2\", "key ***"),
            (r"key hunter2\u00", "key ***"),
            ("key hunter2&#x3", "key ***"),
            ("key hunter2%25", "key ***"),
            ("key hunter2%253", "key ***"),
        ],
    );
    // At the end of what is kept, and behind as much as makes that visible.
    let one = "hunter2=and/more ";
    let mut body = one.repeat(100);
    for kept in 1000..1024 {
        body.truncate(kept);
        let shown = Snippet::new(body.as_bytes()).text(&secrets(&[key]));
        assert!(!shown.contains("hunt"), "{kept}: {shown}");
        body = one.repeat(100);
    }
    // Longer than what is kept of a text.
    let long = "0123456789abcdef".repeat(200);
    is_shown(("x-key", &long), &[(&format!("key {long} and"), "key ***")]);
    let escaped: String = long.bytes().map(|byte| format!("%{byte:02x}")).collect();
    is_shown(
        ("x-key", &long),
        &[(&format!("key {escaped} and"), "key ***")],
    );
    is_shown(
        ("x-key", &escaped),
        &[(&format!("key {long} and"), "key ***")],
    );
}

#[test]
fn blanks_and_padding_around_a_secret() {
    // me: pass word =
    let basic = ("authorization", "Basic bWU6IHBhc3Mgd29yZCA9");
    is_shown(basic, &[("pass word =", "***"), (" pass word = ", " *** ")]);
    // me:" hunter2 "
    let basic = ("authorization", "Basic\tbWU6IGh1bnRlcjIg");
    is_shown(
        basic,
        &[("hunter2", "***"), ("hunter2 bWU6IGh1bnRlcjIg", "*** ***")],
    );
    is_shown(
        ("x-key", "hunter2="),
        &[("hunter2=", "***"), ("hunter2", "***")],
    );
    is_shown(("x-key", "====="), &[("x=====x", "x***x")]);
    assert!(secrets(&[("x-key", "==")]).hide_everything());
}

#[test]
fn several_secrets_that_overlap() {
    let both = [
        ("x-one", "hunter2"),
        ("x-two", "my hunter2 key"),
        ("x-three", "abab"),
    ];
    for both in [both, [both[1], both[2], both[0]]] {
        let secrets = secrets(&both);
        for (text, shown) in [
            ("my hunter2 key", "***"),
            ("my hunter2 kex", "my *** kex"),
            ("hunter2 key", "*** key"),
            ("abababab abab", "*** ***"),
            ("my hunter2my hunter2 key", "my ***"),
        ] {
            assert_eq!(secrets.blacken(text.as_bytes()), shown.as_bytes(), "{text}");
        }
    }
}

#[test]
fn parts_of_credentials() {
    is_shown(
        ("authorization", "Bearer first-token,second-token"),
        &[
            ("no second-token", "no ***"),
            ("first-token,second-token", "***"),
        ],
    );
    is_shown(
        (
            "authorization",
            r#"Digest username="me", realm="a, b", response="6629fae49393a05397450978507c4ef1""#,
        ),
        &[("digest 6629fae49393a05397450978507c4ef1", "digest ***")],
    );
}

#[test]
fn a_hostile_command_line_takes_no_time() {
    let name: HeaderName = "x-key".parse().unwrap();
    let headers = |value: &dyn Fn(usize) -> String| -> Vec<(HeaderName, HeaderValue)> {
        (0..100)
            .map(|at| (name.clone(), value(at).parse().unwrap()))
            .collect()
    };
    let long = "a".repeat(100_000);
    let parts = "abcdefg%".repeat(10_000);
    let begun = std::time::Instant::now();
    for headers in [
        headers(&|at| format!("{long}{at}")),
        headers(&|at| format!("{at}{}", parts.replace('%', ";secret"))),
        headers(&|at| format!("{at}{}", "%25".repeat(33_000))),
    ] {
        let secrets = Secrets::of(&headers);
        for text in [
            "a".repeat(1024),
            "%25".repeat(341),
            "abcdefg;secret".repeat(73),
        ] {
            let shown = Snippet::new(text.as_bytes()).text(&secrets);
            assert!(shown.len() <= Snippet::MAX);
        }
    }
    // Seconds without optimisation; minutes without the bound.
    assert!(begun.elapsed() < std::time::Duration::from_secs(30));
}

#[test]
fn decoding_never_panics_and_never_lengthens() {
    use proptest::prelude::*;
    let pieces = prop_oneof![
        Just("%".to_owned()),
        Just("\\u".to_owned()),
        Just("\\".to_owned()),
        Just("&#x".to_owned()),
        Just(";".to_owned()),
        Just("d83d".to_owned()),
        Just("3d".to_owned()),
        Just("secret".to_owned()),
        any::<String>(),
    ];
    proptest!(|(pieces in proptest::collection::vec(pieces, 0..20))| {
        let text = pieces.concat();
        let secrets = secrets(&[("x-key", "secret")]);
        let shown = secrets.blacken(text.as_bytes());
        prop_assert!(find(&shown, b"secret").is_none());
    });
}
