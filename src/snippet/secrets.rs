//! Secrets: which values are secret, and in which forms a service may repeat them.

use super::escapes::View;
use super::{KEPT, is_harmless};
use crate::base64::{base64_decoded, base64_encoded};
use ureq::http::{HeaderName, HeaderValue, header};

/// A shorter secret could stand anywhere by chance.
pub const SHORTEST: usize = 4;
/// A part of a header's value that is as long as this is taken for a secret by itself, as a session's key in a cookie is.
const LONG_PART: usize = 8;
/// How many layers of escapes are looked through, as in a URL inside of JSON inside of JSON.
const LAYERS: usize = 3;
/// How much is looked for: the bytes of all forms, and [`FORM`] for each. It bounds what a hostile command line can cost.
const MOST: usize = 128 * 1024;
/// What a form costs whatever its length.
const FORM: usize = 128;

/// What nothing may print, in each form in which a service may repeat it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    forms: Vec<Form>,
    /// What the forms cost, against [`MOST`].
    cost: usize,
    /// Whether one is too short to be found in a text.
    has_short: bool,
}

/// One way to write a secret, without escapes.
#[derive(Clone, PartialEq, Eq)]
struct Form {
    bytes: Vec<u8>,
    /// Whether only the beginning of the secret is kept. What follows it in a text may be the rest.
    is_cut: bool,
}

// Not derived: they are secrets.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.forms.len())
    }
}

impl Secrets {
    /// Where there are none.
    pub const NONE: &Secrets = &Secrets {
        forms: Vec::new(),
        cost: 0,
        has_short: false,
    };

    /// A name that may be shown nowhere, if it is long enough to be found.
    pub fn of_name(name: &str) -> Self {
        let mut secrets = Secrets::default();
        if name.len() >= SHORTEST {
            secrets.add(name.as_bytes());
        }
        secrets
    }

    /// Those in the headers of a request: the values of all but the harmless ones.
    pub fn of(headers: &[(HeaderName, HeaderValue)]) -> Self {
        let mut secrets = Secrets::default();
        secrets.add_headers(headers.iter().map(|(name, value)| (name, value)));
        secrets
    }

    /// Those in more headers.
    pub fn add_headers<'a>(
        &mut self,
        headers: impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)>,
    ) {
        for (name, value) in headers {
            if !is_harmless(name.as_str().as_bytes()) {
                let credentials = [header::AUTHORIZATION, header::PROXY_AUTHORIZATION];
                match credentials.contains(name) {
                    true => self.add_credentials(value.as_bytes()),
                    false => self.add_value(value.as_bytes()),
                }
            }
        }
    }

    /// `SCHEME TOKEN`: the token, and if it is basic authentication, what it stands for (RFC 7617).
    fn add_credentials(&mut self, value: &[u8]) {
        let value = value.trim_ascii();
        let token = match value.iter().position(u8::is_ascii_whitespace) {
            Some(blank) => value[blank + 1..].trim_ascii(),
            None => value,
        };
        self.add_value(token);
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
        for item in value.split(|byte| b",;".contains(byte)) {
            // Of `NAME=VALUE` and `SCHEME VALUE` the value, and of anything else what is long.
            let mut least = LONG_PART;
            for part in item.trim_ascii().split(|byte| b" =:\"".contains(byte)) {
                if self.are_too_many() {
                    return;
                }
                if part.len() >= least && part.len() < value.len() {
                    self.add(part);
                }
                least = SHORTEST;
            }
        }
    }

    fn add(&mut self, secret: &[u8]) {
        if self.are_too_many() {
            return;
        }
        let secret = secret.trim_ascii();
        let padding = secret.iter().rev().take_while(|&&byte| byte == b'=');
        let bare = &secret[..secret.len() - padding.count()];
        match (secret.len(), bare.len()) {
            (0, _) => {}
            (1..SHORTEST, _) | (_, 1..SHORTEST) => self.has_short = true,
            (_, 0) => self.add_long(secret),
            (same, bare) if same == bare => self.add_long(secret),
            // Services may add or drop base64 padding.
            _ => {
                self.add_long(secret);
                self.add_long(bare);
            }
        }
    }

    /// A secret that is long enough to be found: as it is, decoded, and encoded.
    fn add_long(&mut self, secret: &[u8]) {
        let is_cut = secret.len() > KEPT;
        let secret = &secret[..secret.len().min(KEPT)];
        self.add_text(secret, is_cut);
        let decoded = base64_decoded(secret).and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(text) = decoded.filter(|text| !text.contains(char::is_control)) {
            self.add_text(text.as_bytes(), is_cut);
        }
        self.add_form(View::of(&base64_encoded(secret)).bytes, is_cut);
        // Inside of something longer, its bits begin at one of three places in a character.
        for before in 0..3_usize {
            let whole = base64_encoded(&[&vec![0; before], secret].concat());
            let (start, end) = ((before * 8).div_ceil(6), (before + secret.len()) * 8 / 6);
            self.add_form(View::of(&whole[start..end]).bytes, is_cut);
        }
    }

    /// A text in UTF-8, in ISO 8859-1, and in UTF-8 where the one has been taken for the other.
    fn add_text(&mut self, text: &[u8], is_cut: bool) {
        self.add_unescaped(text, is_cut);
        if text.is_ascii() {
            return;
        }
        let mistaken: String = text.iter().copied().map(char::from).collect();
        self.add_unescaped(mistaken.as_bytes(), is_cut);
        // What is cut can end inside of a character.
        let chunk = text.utf8_chunks().next();
        let chars = chunk.map(|chunk| chunk.valid().chars()).into_iter();
        let latin: Result<Vec<u8>, _> = chars.flatten().map(u8::try_from).collect();
        if let Ok(latin) = latin {
            self.add_unescaped(&latin, is_cut);
        }
    }

    /// A text that may have escapes itself.
    fn add_unescaped(&mut self, text: &[u8], is_cut: bool) {
        let mut view = View::of(text);
        for _ in 0..LAYERS {
            let next = view.unescaped();
            self.add_form(view.bytes, is_cut);
            match next {
                Some(next) => view = next,
                None => return,
            }
        }
    }

    fn add_form(&mut self, bytes: Vec<u8>, is_cut: bool) {
        let form = Form { bytes, is_cut };
        if form.bytes.len() >= SHORTEST && !self.are_too_many() && !self.forms.contains(&form) {
            self.cost += form.bytes.len() + FORM;
            self.forms.push(form);
        }
    }

    /// Whether there are more than are looked for.
    fn are_too_many(&self) -> bool {
        self.cost > MOST
    }

    /// Whether no text may be shown, because a secret could be in it and not be found.
    pub fn hide_everything(&self) -> bool {
        self.has_short || self.are_too_many()
    }

    /// The beginning of `text`, as much as a [`Snippet`](super::Snippet) keeps, with every secret in it replaced by `***`,
    /// whatever escapes it is written with.
    pub fn blacken(&self, text: &[u8]) -> Vec<u8> {
        let text = &text[..text.len().min(KEPT)];
        if self.are_too_many() {
            return b"***".to_vec();
        }
        if self.forms.is_empty() {
            return text.to_vec();
        }
        let mut black = vec![false; text.len()];
        let mut view = Some(View::of(text));
        for _ in 0..=LAYERS {
            let Some(seen) = view else { break };
            for form in &self.forms {
                seen.mark(&form.bytes, form.is_cut, &mut black);
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
mod tests;
