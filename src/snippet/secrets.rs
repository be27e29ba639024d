//! Secrets: which values are secret, and in which forms a service may repeat them.

use super::base64::base64_decoded;
use super::escapes::View;
use ureq::http::{HeaderName, HeaderValue, header};

/// Request headers whose values are no secrets. Everything else may be one.
const HARMLESS: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-language",
    "content-length",
    "content-type",
    "date",
    "dnt",
    "forwarded",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "keep-alive",
    "max-forwards",
    "origin",
    "pragma",
    "range",
    "referer",
    "traceparent",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
    "x-requested-with",
];

/// Whether the value of this request header is no secret.
pub fn is_harmless(name: &[u8]) -> bool {
    HARMLESS
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// A shorter secret could stand anywhere by chance.
pub const SHORTEST: usize = 4;
/// A part of a header's value that is as long as this is taken for a secret by itself, as a session's key in a cookie is.
const LONG_PART: usize = 8;
/// How many layers of escapes are looked through, as in a URL inside of JSON inside of JSON.
const LAYERS: usize = 3;

/// What nothing may print, in each form in which a service may repeat it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    forms: Vec<Vec<u8>>,
    /// Whether one is too short to be found in a text.
    hide_everything: bool,
}

// Not derived: they are secrets.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.forms.len())
    }
}

impl Secrets {
    /// Those in the headers of a request: the values of all but the harmless ones.
    pub fn of(headers: &[(HeaderName, HeaderValue)]) -> Self {
        let mut secrets = Secrets::default();
        for (name, value) in headers {
            if !is_harmless(name.as_str().as_bytes()) {
                let credentials = [header::AUTHORIZATION, header::PROXY_AUTHORIZATION];
                match credentials.contains(name) {
                    true => secrets.add_credentials(value.as_bytes()),
                    false => secrets.add_value(value.as_bytes()),
                }
            }
        }
        secrets
    }

    /// `SCHEME TOKEN`: the token, and if it is basic authentication, what it stands for (RFC 7617).
    fn add_credentials(&mut self, value: &[u8]) {
        let token = match value.iter().position(|&byte| byte == b' ') {
            Some(blank) => value[blank + 1..].trim_ascii(),
            None => value,
        };
        self.add(token);
        let Some(decoded) = base64_decoded(token) else {
            return;
        };
        let Some(colon) = decoded.iter().position(|&byte| byte == b':') else {
            return;
        };
        match (&decoded[..colon], &decoded[colon + 1..]) {
            // Some services take a key for the name of a user who has no password.
            (user, b"") => self.add(user),
            (user, password) => {
                self.add(password);
                // A name is no secret, but a short one would hide everything.
                if user.len() >= SHORTEST {
                    self.add(user);
                }
            }
        }
    }

    /// A header's value, and the long parts of it.
    fn add_value(&mut self, value: &[u8]) {
        self.add(value);
        for part in value.split(|byte| b" ,;=:\"".contains(byte)) {
            if part.len() >= LONG_PART && part.len() < value.len() {
                self.add(part);
            }
        }
    }

    fn add(&mut self, secret: &[u8]) {
        // Padding comes and goes.
        let secret = &secret[..secret.len()
            - secret
                .iter()
                .rev()
                .take_while(|&&byte| byte == b'=')
                .count()];
        match secret.len() {
            0 => {}
            1..SHORTEST => self.hide_everything = true,
            _ => {
                let mut view = View::of(secret);
                for _ in 0..LAYERS {
                    if view.bytes.len() >= SHORTEST && !self.forms.contains(&view.bytes) {
                        self.forms.push(view.bytes.clone());
                    }
                    match view.unescaped() {
                        Some(next) => view = next,
                        None => return,
                    }
                }
            }
        }
    }

    /// Whether one of them is too short to be found in a text, so that no text may be shown.
    pub fn hide_everything(&self) -> bool {
        self.hide_everything
    }

    /// `text` with every secret in it replaced by `***`, whatever escapes it is written with.
    pub fn blacken(&self, text: &[u8]) -> Vec<u8> {
        if self.forms.is_empty() {
            return text.to_vec();
        }
        let mut black = vec![false; text.len()];
        let mut view = Some(View::of(text));
        for _ in 0..=LAYERS {
            let Some(seen) = view else { break };
            for form in &self.forms {
                seen.mark(form, &mut black);
            }
            view = seen.unescaped();
        }
        let mut out = Vec::with_capacity(text.len());
        for (at, &byte) in text.iter().enumerate() {
            if !black[at] {
                out.push(byte);
            } else if at == 0 || !black[at - 1] {
                out.extend_from_slice(b"***");
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use super::*;

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
        assert_eq!(text("dark text/html"), "dark text/html");
        let key = secrets(&[("x-api-key", "YWJj==")]);
        assert_eq!(Snippet::new(b"YWJj=").text(&key), "***=");
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
}
