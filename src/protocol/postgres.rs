//! PostgreSQL: <https://www.postgresql.org/docs/current/protocol-message-formats.html>.

use super::bytes::{be32, coded};
use super::handshake::{self, Handshake, Judge, Step};
use super::{Asked, Protocol};
use crate::snippet::Secrets;
use crate::target::Target;
use crate::target::url::percent_decoded;
use crate::verdict::{Refusal, Reply, Snippet};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "postgres",
    aliases: &["postgresql"],
    port: Some(5432),
    proves: "would authenticate a client (as USER@HOST/DATABASE): it has started and recovered, with room for one",
    plan,
    handshake: Some(&HANDSHAKE),
    ..Protocol::CONNECTION
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[Step {
        // StartupMessage 3.0 for the user postgres.
        send: b"\0\0\0\x17\0\x03\0\0user\0postgres\0\0",
        judge: Judge::Bytes(reply),
    }],
    // Terminate.
    goodbye: b"X\0\0\0\x04",
};

/// A URL can name a role and a database.
fn plan(asked: &Asked) -> Result<Target, String> {
    let mut located = asked.located()?;
    let (user, password) = located.credentials.take().unwrap_or_default();
    if !password.is_empty() {
        return Err(
            "has a password, and nobody logs in: the user's name is all that is sent".into(),
        );
    }
    let path = std::mem::take(&mut located.path);
    let database = path.trim_start_matches('/');
    if user.is_empty() && database.is_empty() {
        return Ok(handshake::target(
            asked,
            &HANDSHAKE,
            located,
            None,
            Secrets::default(),
        ));
    }
    if database.contains(['?', '/']) {
        return Err("has more than a database in its path".into());
    }
    let secrets = Secrets::of_name(&user);
    let user = if user.is_empty() { "postgres" } else { &user };
    let control = |c: char| c.is_ascii_control();
    let database = percent_decoded(database)
        .filter(|database| !user.contains(control) && !database.contains(control))
        .ok_or("has a control character or a bad %XX in its user or database")?;
    let first = startup(user, &database);
    located.name.push_str(path.trim_end_matches('/'));
    Ok(handshake::target(
        asked,
        &HANDSHAKE,
        located,
        Some(first),
        secrets,
    ))
}

/// PostgreSQL's StartupMessage 3.0. Without a `database`, the one named like the user is asked for.
fn startup(user: &str, database: &str) -> Vec<u8> {
    let mut message = [b"\0\x03\0\0user\0", user.as_bytes(), b"\0"].concat();
    if !database.is_empty() {
        message.extend_from_slice(&[b"database\0", database.as_bytes(), b"\0"].concat());
    }
    message.push(0);
    // The length counts itself.
    [&(message.len() as u32 + 4).to_be_bytes()[..], &message].concat()
}

/// AuthenticationXXX, or ErrorResponse with its fields.
fn reply(received: &[u8]) -> Reply {
    let length = || be32(&received[1..]);
    match received {
        [b'R' | b'E', rest @ ..] if rest.len() < 4 => Reply::Incomplete,
        [b'R', ..] if !(8..=4096).contains(&length()) => Reply::WrongProtocol,
        [b'R', rest @ ..] if rest.len() < 8 => Reply::Incomplete,
        [b'R', rest @ ..] => authentication(be32(&rest[4..]), rest, length()),
        // A server that cannot fork says why in the old form: a text without a length.
        [b'E', rest @ ..] if length() > 16 * 1024 => {
            match rest.iter().position(|&byte| byte == 0) {
                Some(end) if rest[..end].is_ascii() => {
                    Reply::Unavailable(Snippet::at_most(&rest[..end], 200))
                }
                None if rest.is_ascii() => Reply::Incomplete,
                _ => Reply::WrongProtocol,
            }
        }
        [b'E', ..] if length() < 5 => Reply::WrongProtocol,
        [b'E', rest @ ..] if rest.len() < length() => Reply::Incomplete,
        [b'E', rest @ ..] => {
            let Some(fields) = strings(&rest[4..length()]) else {
                return Reply::WrongProtocol;
            };
            let field = |kind: u8| {
                let mut fields = fields.split(|&byte| byte == 0);
                fields
                    .find_map(|field| field.strip_prefix(&[kind]))
                    .unwrap_or_default()
            };
            let (code, text) = (field(b'C'), field(b'M'));
            let said = coded(code, text);
            match code {
                [b'2', b'8', _, _, _] => Reply::Refused(Refusal::Unauthenticated, said),
                b"3D000" => Reply::Refused(Refusal::Unwelcome, said),
                _ => Reply::Unavailable(said),
            }
        }
        _ => Reply::WrongProtocol,
    }
}

/// What an Authentication message with `code` says. `rest` begins with its length, which counts itself.
fn authentication(code: usize, rest: &[u8], length: usize) -> Reply {
    match (code, length) {
        (0, 8) => return Reply::Ok(1 + length),
        // Kerberos, a password as it is, SCM, GSS, SSPI; crypt with two bytes of salt, MD5 with four; SASL. Each is how
        // the server asks who this is.
        (2 | 3 | 6 | 7 | 9, 8) | (4, 10) | (5, 12) | (10, _) => {}
        _ => return Reply::WrongProtocol,
    }
    match rest.get(8..length) {
        None => Reply::Incomplete,
        Some(mechanisms) if code == 10 && strings(mechanisms).is_none() => Reply::WrongProtocol,
        Some(_) => Reply::Refused(Refusal::Unauthenticated, Snippet::default()),
    }
}

/// A list of strings that each end with a zero byte, as does the list: what is before its last string's end, so that it can
/// be split at the zero bytes.
fn strings(list: &[u8]) -> Option<&[u8]> {
    let strings = list.strip_suffix(b"\0\0")?;
    let mut each = strings.split(|&byte| byte == 0);
    each.all(|string| !string.is_empty()).then_some(strings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_lengths_they_claim() {
        assert_eq!(HANDSHAKE.steps[0].send, startup("postgres", ""));
        assert_eq!(be32(&startup("a", "b")), startup("a", "b").len());
    }
}
