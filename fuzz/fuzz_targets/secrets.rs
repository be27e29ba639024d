//! What is printed of a service's text: nothing of a secret in the forms in which services repeat one, on one line, and cut.
#![no_main]

use arbitrary::Arbitrary;
use healthchecker_fuzz::{assert_printable, blackened, spell};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Header {
    Basic(String),
    Bearer,
    Key,
    Cookie,
}

#[derive(Arbitrary, Debug)]
struct Input {
    header: Header,
    secret: Vec<u8>,
    letters: Vec<u8>,
}

fn percent(secret: &[u8]) -> String {
    secret.iter().map(|byte| format!("%{byte:02X}")).collect()
}

fn some_percent(secret: &[u8]) -> Vec<u8> {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    secret
        .iter()
        .flat_map(|&byte| {
            if safe(byte) {
                vec![byte]
            } else {
                format!("%{byte:02x}").into_bytes()
            }
        })
        .collect()
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    bits.chunks(6)
        .map(|six| {
            let value = (0..6).fold(0, |value, at| {
                value << 1 | usize::from(*six.get(at).unwrap_or(&0))
            });
            char::from(ALPHABET[value])
        })
        .collect()
}

/// Whether this form stands in a text. Behind the beginning of an escape it is not: what follows belongs to that.
fn contains(text: &[u8], form: &[u8]) -> bool {
    let escape = |at: usize| {
        text[at.saturating_sub(3)..at]
            .iter()
            .any(|byte| b"%\\".contains(byte))
    };
    let mut places = text.windows(form.len()).enumerate();
    places.any(|(at, window)| window == form && !escape(at))
}

fuzz_target!(|input: Input| {
    // Without what a header's value cannot hold, what `***` itself could be, and what begins an escape: whether such a one
    // stands in a text depends on who reads it. Folded characters are compared as one by design.
    let plain = |byte: &u8| byte.is_ascii_graphic() && !b"*%\\&=-_+/,;:\"".contains(byte);
    let secret: Vec<u8> = input
        .secret
        .iter()
        .copied()
        .filter(plain)
        .take(60)
        .collect();
    if secret.len() < 4 {
        return;
    }
    let in_base64;
    let (name, value) = match &input.header {
        Header::Basic(user) => {
            let user: String = user
                .chars()
                .filter(|c| c.is_ascii_alphanumeric())
                .take(20)
                .collect();
            in_base64 = base64(&[user.as_bytes(), b":", &secret].concat());
            ("authorization", format!("Basic {in_base64}").into_bytes())
        }
        Header::Bearer => {
            in_base64 = base64(&secret);
            ("authorization", [b"Bearer ", &secret[..]].concat())
        }
        Header::Key => {
            in_base64 = base64(&secret);
            ("x-api-key", secret.clone())
        }
        Header::Cookie => {
            if secret.len() < 8 {
                return;
            }
            in_base64 = base64(&secret);
            ("cookie", [b"theme=dark; session=", &secret[..]].concat())
        }
    };
    let percent = percent(&secret);
    let twice = percent.replace('%', "%25");
    let some = some_percent(&secret);
    let unicode: String = secret.iter().map(|byte| format!("\\u{byte:04x}")).collect();
    let hex: String = secret.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    let html: String = secret.iter().map(|byte| format!("&#{byte};")).collect();
    let (half, rest) = secret.split_at(secret.len() / 2);
    let words: &[&[u8]] = &[
        &secret,
        percent.as_bytes(),
        twice.as_bytes(),
        &some,
        unicode.as_bytes(),
        hex.as_bytes(),
        html.as_bytes(),
        in_base64.as_bytes(),
        half,
        rest,
        b"%",
        b"\\",
        b"&",
        b";",
        b"\"",
        b" ",
        b"a",
        b"\n",
        b"%2",
        b"\\u",
        b"\xff",
        "\u{202e}".as_bytes(),
        b"***",
    ];
    let text = spell(&input.letters, words);
    let Some((shown, black)) = blackened(name, &value, &text) else {
        return;
    };
    assert!(shown.len() <= 256, "{} bytes", shown.len());
    assert_printable(&shown);
    if shown.starts_with("(not shown") {
        return;
    }
    let has_escapes = shown.contains('\\');
    let mut forms = vec![
        &secret[..],
        percent.as_bytes(),
        twice.as_bytes(),
        &some,
        unicode.as_bytes(),
        hex.as_bytes(),
        html.as_bytes(),
    ];
    if let Header::Basic(_) = input.header {
        forms.push(in_base64.as_bytes());
    }
    for form in forms {
        assert!(
            !contains(&black, form),
            "{:?} of {:?}",
            String::from_utf8_lossy(&black),
            String::from_utf8_lossy(&text)
        );
        // The `3` of an escape `\xb3` can be the first letter of one by chance.
        assert!(
            has_escapes || !contains(shown.as_bytes(), form),
            "{shown:?} of {:?}",
            String::from_utf8_lossy(&text)
        );
    }
});
