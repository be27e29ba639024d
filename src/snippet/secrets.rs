//! Untrusted bytes and secrets: kept as they came, and made fit to print when they are printed.

use crate::search::find;
use ureq::http::{HeaderName, HeaderValue, header};

/// Untrusted bytes, for a line. They are kept as they came; [`Snippet::text`] alone shows them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Snippet {
    bytes: Vec<u8>,
    room: usize,
}

impl Snippet {
    /// The longest text of a snippet, in bytes, the mark of a cut included.
    pub const MAX: usize = 256;
    /// How much is kept: more than is shown, so that a secret that is cut is known for one.
    const KEPT: usize = 1024;

    /// Keeps the beginning of `bytes`.
    pub fn new(bytes: &[u8]) -> Self {
        Self::at_most(bytes, Self::MAX)
    }

    /// The same, to be shown in at most `room` bytes.
    pub fn at_most(bytes: &[u8], room: usize) -> Self {
        let kept = bytes.len().min(Self::KEPT);
        Snippet {
            bytes: bytes[..kept].to_vec(),
            room: room.min(Self::MAX),
        }
    }

    /// Whether there was nothing.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What may be printed: on one line, without control bytes, cut, and with every secret blackened.
    pub fn text(&self, secrets: &Secrets) -> String {
        if secrets.hide_everything {
            return "(not shown: it could repeat a secret that is too short to be found in it)"
                .into();
        }
        printable(&secrets.blacken(&self.bytes), self.room)
    }
}

// Not derived: what is kept is not fit to be printed.
impl std::fmt::Debug for Snippet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snippet({} bytes)", self.bytes.len())
    }
}

/// `bytes` as text on one line, of at most `max` bytes, where a cut is marked with `...`.
///
/// Control bytes, invalid UTF-8, and characters that reorder or hide text are written `\xNN` or `\u{NNNN}`, a
/// backslash is doubled, so that what is printed can be read in one way only.
pub fn printable(bytes: &[u8], max: usize) -> String {
    // Most texts: nothing to escape, and nothing to cut.
    let plain = |byte: &u8| matches!(byte, b' '..=b'[' | b']'..=b'~');
    if bytes.len() <= max && bytes.iter().all(plain) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut out = String::new();
    // Where the text can end if the mark has to follow.
    let mut room = 0;
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid().chars().map(Ok);
        for piece in valid.chain(chunk.invalid().iter().map(|&b| Err(b))) {
            match piece {
                Ok(c) => escape(c, &mut out),
                Err(byte) => escape_byte(byte, &mut out),
            }
            if out.len() > max {
                out.truncate(room);
                out.push_str("...");
                return out;
            }
            if out.len() + 3 <= max {
                room = out.len();
            }
        }
    }
    out
}

/// However malformed a URL is, or wherever it was put: whatever stands before its last `@` may be secret.
pub fn without_userinfo(text: &[u8]) -> Vec<u8> {
    let Some(at) = text.iter().rposition(|&byte| byte == b'@') else {
        return text.to_vec();
    };
    let scheme = find(&text[..at], b"://");
    let scheme = scheme.map_or(&text[..0], |end| &text[..end + 3]);
    [scheme, b"...", &text[at..]].concat()
}

fn escape(c: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\\' => out.push_str("\\\\"),
        '\0'..='\x1f' | '\x7f' => escape_byte(c as u8, out),
        // C1 controls, invisible and bidirectional formatting, line separators, private use and beyond.
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{e000}'..='\u{f8ff}'
        | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'.. => {
            out.push_str("\\u{");
            let hex = (0..6).rev().map(|i| (c as u32 >> (4 * i)) & 15);
            for digit in hex.skip_while(|&d| d == 0) {
                out.push(hex_digit(digit as u8));
            }
            out.push('}');
        }
        _ => out.push(c),
    }
}

fn escape_byte(byte: u8, out: &mut String) {
    out.push_str("\\x");
    out.push(hex_digit(byte >> 4));
    out.push(hex_digit(byte & 15));
}

fn hex_digit(value: u8) -> char {
    (if value < 10 {
        b'0' + value
    } else {
        b'a' + value - 10
    }) as char
}

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

/// A secret that is shorter could stand anywhere by chance.
const SHORTEST: usize = 4;
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

/// Bytes with escapes resolved, and where in the original each of them begins and ends.
struct View {
    bytes: Vec<u8>,
    from: Vec<(usize, usize)>,
}

impl View {
    fn of(text: &[u8]) -> Self {
        View {
            bytes: text.iter().copied().map(folded).collect(),
            from: (0..text.len()).map(|at| (at, at + 1)).collect(),
        }
    }

    /// One layer of escapes less; none if there is none.
    fn unescaped(&self) -> Option<Self> {
        let mut next = View {
            bytes: Vec::new(),
            from: Vec::new(),
        };
        let mut at = 0;
        while at < self.bytes.len() {
            let (character, length) =
                unescape(&self.bytes[at..]).unwrap_or((Character::Byte(self.bytes[at]), 1));
            let from = (self.from[at].0, self.from[at + length - 1].1);
            match character {
                Character::Byte(byte) => {
                    next.bytes.push(byte);
                    next.from.push(from);
                }
                Character::Char(c) => {
                    for &byte in c.encode_utf8(&mut [0; 4]).as_bytes() {
                        next.bytes.push(folded(byte));
                        next.from.push(from);
                    }
                }
            }
            at += length;
        }
        (next.bytes.len() < self.bytes.len()).then_some(next)
    }

    /// Marks each place of the original where `form` stands, and its beginning at the very end.
    fn mark(&self, form: &[u8], black: &mut [bool]) {
        let mut blacken = |start: usize, end: usize| {
            black[self.from[start].0..self.from[end - 1].1].fill(true);
        };
        let mut from = 0;
        while let Some(at) = find(&self.bytes[from..], form) {
            blacken(from + at, from + at + form.len());
            from += at + form.len();
        }
        let most = form.len().min(self.bytes.len());
        let cut = (SHORTEST..most)
            .rev()
            .find(|&length| self.bytes.ends_with(&form[..length]));
        if let Some(length) = cut {
            blacken(self.bytes.len() - length, self.bytes.len());
        }
    }
}

/// The two alphabets of base64 (RFC 4648), and the two ways to write a blank in a URL, made one.
fn folded(byte: u8) -> u8 {
    match byte {
        b'-' | b' ' => b'+',
        b'_' => b'/',
        byte => byte,
    }
}

enum Character {
    Byte(u8),
    Char(char),
}

/// The escape at the beginning of `text`, and its length: of a URL, of JSON and C, or of HTML.
fn unescape(text: &[u8]) -> Option<(Character, usize)> {
    let hex = |from: usize, to: usize| {
        let digits = std::str::from_utf8(text.get(from..to)?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let byte = |byte: u8, length| Some((Character::Byte(folded(byte)), length));
    match text {
        [b'%', ..] => byte(hex(1, 3)? as u8, 3),
        [b'\\', b'u', ..] => match hex(2, 6)? {
            high @ 0xd800..0xdc00 if text.get(6..8) == Some(b"\\u") => {
                let low = hex(8, 12)?.checked_sub(0xdc00)?;
                Some((
                    Character::Char(char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)?),
                    12,
                ))
            }
            unit => Some((Character::Char(char::from_u32(unit)?), 6)),
        },
        [b'\\', b'x', ..] => byte(hex(2, 4)? as u8, 4),
        [b'\\', b'n', ..] => byte(b'\n', 2),
        [b'\\', b'r', ..] => byte(b'\r', 2),
        [b'\\', b't', ..] => byte(b'\t', 2),
        [b'\\', escaped, ..] => byte(*escaped, 2),
        [b'&', rest @ ..] => {
            let end = rest.iter().take(8).position(|&byte| byte == b';')?;
            let c = match &rest[..end] {
                b"amp" => '&',
                b"lt" => '<',
                b"gt" => '>',
                b"quot" => '"',
                b"apos" => '\'',
                [b'#', b'x' | b'X', ..] => char::from_u32(hex(3, end + 1)?)?,
                [b'#', digits @ ..] => {
                    char::from_u32(std::str::from_utf8(digits).ok()?.parse().ok()?)?
                }
                _ => return None,
            };
            Some((Character::Char(c), end + 2))
        }
        _ => None,
    }
}

/// RFC 4648, in either alphabet, with or without padding.
fn base64_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for &byte in text {
        let sextet = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => return None,
        };
        bits = bits << 6 | u32::from(sextet);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_one_safe_line() {
        let of = |bytes: &[u8]| Snippet::new(bytes).text(&Secrets::default());
        assert_eq!(of(b"plain {\"a\": 1}"), "plain {\"a\": 1}");
        assert_eq!(
            of(b"a\r\n\tb\0\x1b[31m\x7f"),
            "a\\r\\n\\tb\\x00\\x1b[31m\\x7f"
        );
        assert_eq!(of(b"back\\slash"), "back\\\\slash");
        assert_eq!(of(b"\xff\xc3\x28"), "\\xff\\xc3(");
        assert_eq!(of("größe".as_bytes()), "größe");
        assert_eq!(of("a\u{202e}b\u{9b}c".as_bytes()), "a\\u{202e}b\\u{9b}c");
        assert_eq!(of(b""), "");
    }

    #[test]
    fn a_cut_is_marked_and_never_splits_an_escape() {
        for max in 3..40 {
            for text in [
                "é\n\u{202e}\\x".repeat(20),
                "a".repeat(max),
                "\0".repeat(50),
            ] {
                let cut = printable(text.as_bytes(), max);
                assert!(cut.len() <= max, "{max}: {cut:?}");
                let whole = printable(text.as_bytes(), usize::MAX);
                match cut.strip_suffix("...") {
                    Some(kept) => assert!(whole.starts_with(kept)),
                    None => assert_eq!(cut, whole),
                }
            }
        }
    }

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
