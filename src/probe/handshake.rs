//! Servers that are asked with a few constant bytes: one row a protocol, and the small judges of the binary ones.
//!
//! "Well" is a proper answer. A server that answers properly and refuses this client is alive; one that says it cannot
//! serve is not healthy. Replies are judged from what has come so far, by whole fields.

use super::Talk;
use crate::check::{Handshake, Hear, Lines, Step};
use crate::verdict::{Failure, Health, Phase, Protocol, Refusal, Seen, Snippet, Verdict};

const NONE: Lines = Lines {
    skip: &[],
    well: &[],
    unauthenticated: &[],
    unwelcome: &[],
    sick: &[],
};

/// Every protocol that fits a row. A new one is a row here, and nothing elsewhere.
#[rustfmt::skip]
pub const TABLE: &[Handshake] = &[
    // https://redis.io/docs/latest/develop/reference/protocol-spec/
    Handshake {
        scheme: "redis", port: 6379,
        proves: "answers PING: it has loaded its data and accepts clients",
        steps: &[Step { say: b"PING\r\n", hear: Hear::Lines(Lines {
            well: &["+PONG$"], unauthenticated: &["-NOAUTH"], unwelcome: &["-NOPERM", "-DENIED"], sick: &["-"], ..NONE }) }],
        goodbye: b"",
    },
    // https://www.postgresql.org/docs/current/protocol-message-formats.html: StartupMessage 3.0 for the user postgres.
    Handshake {
        scheme: "postgres", port: 5432,
        proves: "would authenticate a client (as USER@HOST/DATABASE): it has started and recovered, with room for one",
        steps: &[Step { say: b"\0\0\0\x17\0\x03\0\0user\0postgres\0\0", hear: Hear::Bytes(postgres) }],
        // Terminate.
        goodbye: b"X\0\0\0\x04",
    },
    // https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
    Handshake {
        scheme: "mysql", port: 3306,
        proves: "greets: it has started and has room for a client",
        steps: &[Step { say: b"", hear: Hear::Bytes(mysql) }],
        // HandshakeResponse41 that announces connection attributes and ends before them, and COM_QUIT for a server to
        // which that is no mistake. MariaDB warns in its log of a client that leaves without a name, and of one whose
        // name it denies, but not of one that breaks off in between; and this user, which it has had since 10.4, has no
        // second way of authentication that it would try then.
        goodbye: b"\x2d\0\0\x01\0\x82\x10\0\0\x80\0\x01\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0mariadb.sys\0\0\x01\0\0\0\x01",
    },
    // https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf, section 2.2.4
    Handshake {
        scheme: "amqp", port: 5672,
        proves: "starts an AMQP 0-9-1 connection",
        steps: &[Step { say: b"AMQP\0\0\x09\x01", hear: Hear::Bytes(amqp) }],
        goodbye: b"",
    },
    // https://github.com/memcached/memcached/blob/master/doc/protocol.txt
    Handshake {
        scheme: "memcached", port: 11211,
        proves: "answers the version command: it accepts clients",
        steps: &[Step { say: b"version\r\n", hear: Hear::Lines(Lines {
            well: &["VERSION "], unauthenticated: &["CLIENT_ERROR unauthenticated"],
            sick: &["ERROR", "SERVER_ERROR", "CLIENT_ERROR"], ..NONE }) }],
        goodbye: b"quit\r\n",
    },
    // RFC 5321, sections 3.1 and 4.2. Some servers drop clients that talk before the last line of the banner.
    Handshake {
        scheme: "smtp", port: 25,
        proves: "greets and answers HELO: it takes mail sessions",
        steps: &[
            Step { say: b"", hear: Hear::Lines(Lines { skip: &["220-"], well: &["220 ", "220$"], sick: &["4", "5"], ..NONE }) },
            Step { say: b"HELO localhost\r\n", hear: Hear::Lines(Lines { skip: &["250-"], well: &["25"], sick: &["4", "5"], ..NONE }) },
        ],
        goodbye: b"QUIT\r\n",
    },
    // RFC 4511, sections 4.2 and 4.3: an anonymous bind, and the unbind.
    Handshake {
        scheme: "ldap", port: 389,
        proves: "answers an anonymous bind",
        steps: &[Step { say: b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0", hear: Hear::Bytes(ldap) }],
        goodbye: b"\x30\x05\x02\x01\x02\x42\0",
    },
    // https://zookeeper.apache.org/doc/current/zookeeperAdmin.html#sc_4lw
    Handshake {
        scheme: "zookeeper", port: 2181,
        proves: "answers ruok: it runs, though it may have no quorum",
        steps: &[Step { say: b"ruok", hear: Hear::Bytes(zookeeper) }],
        goodbye: b"",
    },
    // https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/: OP_MSG {ping: 1, $db: "admin"}.
    Handshake {
        scheme: "mongodb", port: 27017,
        proves: "answers the ping command",
        steps: &[Step {
            say: b"\x33\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\x1e\0\0\0\x10ping\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0",
            hear: Hear::Bytes(mongodb) }],
        goodbye: b"",
    },
    // https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/: CONNECT with a clean session and no client id, DISCONNECT.
    Handshake {
        scheme: "mqtt", port: 1883,
        proves: "accepts an MQTT 3.1.1 connection",
        steps: &[Step { say: b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0", hear: Hear::Bytes(mqtt) }],
        goodbye: b"\xe0\0",
    },
    // https://docs.nats.io/reference/reference-protocols/nats-protocol
    Handshake {
        scheme: "nats", port: 4222,
        proves: "answers PING: it accepts clients",
        steps: &[
            Step { say: b"", hear: Hear::Lines(Lines { well: &["INFO "], sick: &["-ERR "], ..NONE }) },
            Step { say: b"CONNECT {\"verbose\":false}\r\nPING\r\n", hear: Hear::Lines(Lines {
                skip: &["INFO ", "PING$", "+OK$"], well: &["PONG$"],
                unauthenticated: &["-ERR 'Authorization Violation'", "-ERR 'Authentication"],
                unwelcome: &["-ERR 'Secure Connection"], sick: &["-ERR "] }) },
        ],
        goodbye: b"",
    },
    // https://kafka.apache.org/protocol: ApiVersions v0, which every broker answers before authentication.
    Handshake {
        scheme: "kafka", port: 9092,
        proves: "answers ApiVersions: the broker accepts requests",
        steps: &[Step { say: b"\0\0\0\x0a\0\x12\0\0\0\0\0\x01\xff\xff", hear: Hear::Bytes(kafka) }],
        goodbye: b"",
    },
    // RFC 4253, section 4.2
    Handshake {
        scheme: "ssh", port: 22,
        proves: "sends its version: it takes connections",
        steps: &[Step { say: b"", hear: Hear::Lines(Lines { well: &["SSH-"], sick: &["Exceeded MaxStartups", "Not allowed"], ..NONE }) }],
        // A version, and SSH_MSG_DISCONNECT by the application (section 11.1): of less, sshd writes an error to its log.
        goodbye: b"SSH-2.0-healthchecker\r\n\0\0\0\x14\x06\x01\0\0\0\x0b\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    },
    // RFC 959, section 5.4
    Handshake {
        scheme: "ftp", port: 21,
        proves: "greets: it takes sessions",
        steps: &[Step { say: b"", hear: Hear::Lines(Lines { skip: &["120"], well: &["220 ", "220-", "220$"], sick: &["4", "5"], ..NONE }) }],
        goodbye: b"QUIT\r\n",
    },
    // RFC 1939, section 4
    Handshake {
        scheme: "pop3", port: 110,
        proves: "greets: it takes sessions",
        steps: &[Step { say: b"", hear: Hear::Lines(Lines { well: &["+OK$", "+OK "], sick: &["-ERR"], ..NONE }) }],
        goodbye: b"QUIT\r\n",
    },
    // RFC 3501, section 7.1
    Handshake {
        scheme: "imap", port: 143,
        proves: "greets: it takes sessions",
        steps: &[Step { say: b"", hear: Hear::Lines(Lines { well: &["* OK ", "* OK$", "* PREAUTH"], sick: &["* BYE"], ..NONE }) }],
        goodbye: b"a LOGOUT\r\n",
    },
    // RFC 8446, section 4.1.2: a ClientHello for TLS 1.2 and 1.3. Nothing secret is sent, and so the random and the key
    // share are constants. The goodbye is a close_notify.
    Handshake {
        scheme: "tls", port: 443,
        proves: "speaks TLS: the certificate is not looked at",
        steps: &[Step { say: CLIENT_HELLO, hear: Hear::Bytes(tls) }],
        goodbye: b"\x15\x03\x03\0\x02\x01\0",
    },
];

const CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x00\xb8\x01\x00\x00\xb4\x03\x03healthchecker asks: who is there\0\
    \0\x1e\x13\x01\x13\x02\x13\x03\xc0\x2b\xc0\x2f\xc0\x2c\xc0\x30\xcc\xa9\xcc\xa8\xc0\x13\xc0\x14\0\x9c\0\x9d\0\x2f\0\x35\x01\0\
    \0\x6d\
    \0\0\0\x0e\0\x0c\0\0\x09localhost\
    \0\x0a\0\x08\0\x06\0\x1d\0\x17\0\x18\
    \0\x0b\0\x02\x01\0\
    \0\x0d\0\x12\0\x10\x04\x03\x08\x04\x04\x01\x05\x03\x08\x05\x05\x01\x08\x06\x06\x01\
    \0\x2b\0\x05\x04\x03\x04\x03\x03\
    \0\x33\0\x26\0\x24\0\x1d\0\x20\x09\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// PostgreSQL's StartupMessage 3.0. Without a `database`, the one named like the user is asked for.
pub fn postgres_startup(user: &str, database: &str) -> Vec<u8> {
    let mut message = [b"\0\x03\0\0user\0", user.as_bytes(), b"\0"].concat();
    if !database.is_empty() {
        message.extend_from_slice(&[b"database\0", database.as_bytes(), b"\0"].concat());
    }
    message.push(0);
    // The length counts itself.
    [&(message.len() as u32 + 4).to_be_bytes()[..], &message].concat()
}

/// Goes through the steps of `handshake`, with `hello` in place of what its first one says.
pub fn ask(talk: &mut Talk, handshake: &'static Handshake, mut hello: Option<&[u8]>) -> Verdict {
    for step in handshake.steps {
        talk.say(hello.take().unwrap_or(step.say))?;
        let phase = if step.say.is_empty() {
            Phase::Greeting
        } else {
            Phase::Reply
        };
        if let Some(refused) = hear(talk, step, phase, handshake)? {
            return Ok(refused);
        }
    }
    // Not to one that refused: PostgreSQL, which waits for a password, would log a protocol violation.
    talk.part_with(handshake.goodbye);
    Ok(Health::Answers)
}

/// Listens until the step is judged: nothing if the next one may follow.
fn hear(
    talk: &mut Talk,
    step: &Step,
    phase: Phase,
    handshake: &'static Handshake,
) -> Result<Option<Health>, Box<Failure>> {
    loop {
        let heard = talk.heard();
        let seen = match &step.hear {
            // Nothing is told by silence, and the judges may look at the first byte.
            _ if heard.is_empty() => Seen::More,
            Hear::Lines(lines) => judge_lines(heard, lines),
            Hear::Bytes(judge) => judge(heard),
        };
        match seen {
            Seen::Well(bytes) => {
                talk.used(bytes);
                return Ok(None);
            }
            Seen::Refuses(refusal, said) => return Ok(Some(Health::Refuses(refusal, said))),
            Seen::Sick(said) => {
                talk.part_with(handshake.goodbye);
                return Err(Box::new(Failure::Sick(said)));
            }
            Seen::Alien => {
                return Err(Box::new(Failure::Alien {
                    scheme: handshake.scheme,
                    got: Snippet::at_most(talk.heard(), 100),
                    like: Protocol::of(talk.heard()),
                }));
            }
            Seen::More if talk.listen(phase)? => {}
            Seen::More => return Err(talk.closed(phase)),
        }
    }
}

/// Judges by the first line that is not skipped, once it is whole.
fn judge_lines(heard: &[u8], lines: &Lines) -> Seen {
    let mut start = 0;
    loop {
        let rest = &heard[start..];
        let (line, next) = match rest.iter().position(|&byte| byte == b'\n') {
            Some(end) => (&rest[..end], start + end + 1),
            None => {
                let all = [
                    lines.skip,
                    lines.well,
                    lines.unauthenticated,
                    lines.unwelcome,
                    lines.sick,
                ];
                let possible = all.iter().copied().flatten().any(|pattern| {
                    match pattern.strip_suffix('$') {
                        // Only a CR may follow.
                        Some(whole) => {
                            rest.len() <= whole.len() + 1 && begins(rest, whole.as_bytes())
                        }
                        None => begins(rest, pattern.as_bytes()),
                    }
                });
                return if possible { Seen::More } else { Seen::Alien };
            }
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let any = |patterns: &[&str]| {
            patterns
                .iter()
                .any(|pattern| match pattern.strip_suffix('$') {
                    Some(whole) => line == whole.as_bytes(),
                    None => line.starts_with(pattern.as_bytes()),
                })
        };
        let said = || Snippet::at_most(line, 200);
        if any(lines.well) && !any(lines.skip) {
            return Seen::Well(next);
        } else if any(lines.unauthenticated) {
            return Seen::Refuses(Refusal::Unauthenticated, said());
        } else if any(lines.unwelcome) {
            return Seen::Refuses(Refusal::Unwelcome, said());
        } else if any(lines.skip) {
            start = next;
        } else if any(lines.sick) {
            return Seen::Sick(said());
        } else {
            return Seen::Alien;
        }
    }
}

/// Whether `heard` can still become what begins with `expected`.
fn begins(heard: &[u8], expected: &[u8]) -> bool {
    heard
        .iter()
        .zip(expected)
        .all(|(came, expected)| came == expected)
}

fn be32(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take(4)
        .fold(0, |value, &byte| value << 8 | usize::from(byte))
}

fn le32(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take(4)
        .rev()
        .fold(0, |value, &byte| value << 8 | usize::from(byte))
}

/// A code and the text of the server, if it has one.
fn coded(code: &[u8], text: &[u8]) -> Snippet {
    Snippet::at_most([code, b" ", text].concat().trim_ascii(), 200)
}

/// AuthenticationXXX, or ErrorResponse with its fields.
fn postgres(heard: &[u8]) -> Seen {
    let length = || be32(&heard[1..]);
    match heard {
        [b'R' | b'E', rest @ ..] if rest.len() < 4 => Seen::More,
        [b'R', ..] if !(8..=4096).contains(&length()) => Seen::Alien,
        [b'R', rest @ ..] if rest.len() < length() => Seen::More,
        [b'R', rest @ ..] => match be32(&rest[4..]) {
            0 => Seen::Well(heard.len()),
            // Kerberos, passwords, GSS, SSPI, SASL: each is how the server asks who this is.
            2..=7 | 9 | 10 => Seen::Refuses(Refusal::Unauthenticated, Snippet::default()),
            _ => Seen::Alien,
        },
        // A server that cannot fork says why in the old form: a text without a length.
        [b'E', rest @ ..] if length() > 16 * 1024 => {
            match rest.iter().position(|&byte| byte == 0) {
                Some(end) if rest[..end].is_ascii() => {
                    Seen::Sick(Snippet::at_most(&rest[..end], 200))
                }
                None if rest.is_ascii() => Seen::More,
                _ => Seen::Alien,
            }
        }
        [b'E', ..] if length() < 5 => Seen::Alien,
        [b'E', rest @ ..] if rest.len() < length() => Seen::More,
        [b'E', rest @ ..] => {
            let fields = || rest[4..length()].split(|&byte| byte == 0);
            let field = |kind: u8| {
                fields()
                    .find_map(|field| field.strip_prefix(&[kind]))
                    .unwrap_or_default()
            };
            let (code, text) = (field(b'C'), field(b'M'));
            let said = coded(code, text);
            match code {
                [b'2', b'8', ..] => Seen::Refuses(Refusal::Unauthenticated, said),
                b"3D000" => Seen::Refuses(Refusal::Unwelcome, said),
                _ => Seen::Sick(said),
            }
        }
        _ => Seen::Alien,
    }
}

/// HandshakeV10 or ERR_Packet, as the first packet.
fn mysql(heard: &[u8]) -> Seen {
    if heard.len() < 5 {
        return if heard.len() == 4 && heard[3] != 0 {
            Seen::Alien
        } else {
            Seen::More
        };
    }
    let length = le32(&heard[..3]);
    let (sequence, kind) = (heard[3], heard[4]);
    if sequence != 0 || !matches!(kind, 10 | 0xff) || !(3..=4096).contains(&length) {
        return Seen::Alien;
    }
    let Some(packet) = heard.get(5..4 + length) else {
        return Seen::More;
    };
    if kind == 10 {
        let version = packet.split(|&byte| byte == 0).next().unwrap_or_default();
        let proper =
            version.len() < packet.len() && version.first().is_some_and(u8::is_ascii_digit);
        return if proper {
            Seen::Well(4 + length)
        } else {
            Seen::Alien
        };
    }
    let code = u16::from_le_bytes([packet[0], packet[1]]);
    let text = match &packet[2..] {
        [b'#', _, _, _, _, _, text @ ..] => text,
        text => text,
    };
    let said = coded(code.to_string().as_bytes(), text);
    match code {
        1045 => Seen::Refuses(Refusal::Unauthenticated, said),
        1130 => Seen::Refuses(Refusal::Unwelcome, said),
        _ => Seen::Sick(said),
    }
}

/// Connection.Start, or the version that the server would speak.
fn amqp(heard: &[u8]) -> Seen {
    // Frame type 1 on channel 0, and behind the length class 10, method 10; 0xce is where it ends.
    if begins(heard, b"\x01\0\0") {
        let (length, method) = match heard {
            [_, _, _, frame @ ..] if frame.len() >= 8 => (be32(frame), &frame[4..8]),
            _ => return Seen::More,
        };
        return match heard.get(length + 7) {
            _ if method != [0, 10, 0, 10] || !(4..=16 * 1024).contains(&length) => Seen::Alien,
            Some(0xce) => Seen::Well(length + 8),
            Some(_) => Seen::Alien,
            None => Seen::More,
        };
    }
    match (begins(heard, b"AMQP"), heard.get(4..8)) {
        (true, Some([id, major, minor, patch])) => {
            let offer = format!("offers protocol AMQP {id}.{major}.{minor}.{patch} only");
            Seen::Sick(Snippet::new(offer.as_bytes()))
        }
        (true, _) => Seen::More,
        (false, _) => Seen::Alien,
    }
}

/// `imok`, which no end of line follows, or a sentence, which one does.
fn zookeeper(heard: &[u8]) -> Seen {
    const LINES: Lines = Lines {
        well: &["imok$"],
        unwelcome: &["ruok is not executed"],
        sick: &["This ZooKeeper instance is not currently"],
        ..NONE
    };
    match heard {
        b"imok" => Seen::Well(4),
        _ => judge_lines(heard, &LINES),
    }
}

/// A BER element: its tag, its contents, and its whole length.
type Ber<'a> = (u8, &'a [u8], usize);

/// The element at the beginning: `Ok(None)` if it is not whole.
fn ber(bytes: &[u8]) -> Result<Option<Ber<'_>>, ()> {
    let [tag, first, rest @ ..] = bytes else {
        return Ok(None);
    };
    let (length, header) = match first {
        0..=0x7f => (usize::from(*first), 2),
        // Active Directory writes four bytes whatever the length.
        0x81..=0x84 => {
            let count = usize::from(first & 0x7f);
            let Some(digits) = rest.get(..count) else {
                return Ok(None);
            };
            (
                digits
                    .iter()
                    .fold(0, |value, &byte| value << 8 | usize::from(byte)),
                2 + count,
            )
        }
        _ => return Err(()),
    };
    if length > 16 * 1024 {
        return Err(());
    }
    Ok(bytes
        .get(header..header + length)
        .map(|contents| (*tag, contents, header + length)))
}

/// BindResponse, or the notice of disconnection that a server sends instead.
fn ldap(heard: &[u8]) -> Seen {
    if heard[0] != 0x30 {
        return Seen::Alien;
    }
    let message = match ber(heard) {
        Ok(Some((_, message, _))) => message,
        Ok(None) => return Seen::More,
        Err(()) => return Seen::Alien,
    };
    let result = || {
        let (id_tag, id, length) = ber(message).ok()??;
        let (operation, response, _) = ber(&message[length..]).ok()??;
        let (code_tag, code, length) = ber(response).ok()??;
        let (_, _, dn) = ber(&response[length..]).ok()??;
        let (_, text, _) = ber(&response[length + dn..]).ok()??;
        // INTEGER, [APPLICATION 1] BindResponse or [APPLICATION 24] ExtendedResponse, ENUMERATED.
        let proper = id_tag == 2 && code_tag == 10 && (operation, id) == (0x61, &[1])
            || (operation, id) == (0x78, &[0]);
        proper.then_some((operation, be32(code), text))
    };
    match result() {
        Some((0x61, 0, _)) => Seen::Well(heard.len()),
        Some((0x61, code @ (48 | 53), text)) => Seen::Refuses(
            Refusal::Unauthenticated,
            coded(code.to_string().as_bytes(), text),
        ),
        Some((_, code, text)) => Seen::Sick(coded(format!("result code {code}").as_bytes(), text)),
        None => Seen::Alien,
    }
}

/// OP_MSG in answer to request 1, with `ok: 1.0` in its document.
fn mongodb(heard: &[u8]) -> Seen {
    // Seven bytes of a TLS alert are enough to tell that they are none of this.
    let length = le32(heard);
    if heard.len() >= 4 && !(26..=48 * 1024).contains(&length) {
        return Seen::Alien;
    }
    let Some(header) = heard.get(..16) else {
        return Seen::More;
    };
    if le32(&header[8..]) != 1 || le32(&header[12..]) != 2013 {
        return Seen::Alien;
    }
    // Flags, and a section of kind 0: the document.
    let Some(message) = heard.get(16..length) else {
        return Seen::More;
    };
    if message[4] != 0 {
        return Seen::Alien;
    }
    let document = &message[5..];
    let number = |name: &str| match bson(document, name)? {
        (0x01, value) => Some(f64::from_le_bytes(value.try_into().ok()?)),
        (0x10, value) => Some(f64::from(i32::from_le_bytes(value.try_into().ok()?))),
        (0x08, value) => Some(f64::from(*value.first()?)),
        _ => None,
    };
    let text = match bson(document, "errmsg") {
        Some((0x02, [_, _, _, _, text @ .., 0])) => text,
        _ => b"",
    };
    match (number("ok"), number("code").unwrap_or(0.0) as u32) {
        (Some(1.0), _) => Seen::Well(length),
        // error_codes.yml: Unauthorized, AuthenticationFailed.
        (Some(0.0), code @ (13 | 18)) => Seen::Refuses(
            Refusal::Unauthenticated,
            coded(code.to_string().as_bytes(), text),
        ),
        (Some(0.0), code) => Seen::Sick(coded(code.to_string().as_bytes(), text)),
        _ => Seen::Alien,
    }
}

/// The type and value of a top-level element of a BSON document (bsonspec.org).
fn bson<'a>(document: &'a [u8], wanted: &str) -> Option<(u8, &'a [u8])> {
    let mut rest = document.get(4..)?;
    loop {
        let (&kind, named) = rest.split_first()?;
        let end = named.iter().position(|&byte| byte == 0)?;
        let (name, value) = (&named[..end], &named[end + 1..]);
        let length = match kind {
            0x01 | 0x09 | 0x11 | 0x12 => 8,
            0x02 => 4 + le32(value.get(..4)?),
            0x03 | 0x04 => le32(value.get(..4)?),
            0x05 => 5 + le32(value.get(..4)?),
            0x07 => 12,
            0x08 => 1,
            0x0a => 0,
            0x10 => 4,
            0x13 => 16,
            _ => return None,
        };
        let value_and_rest = value.split_at_checked(length)?;
        if name == wanted.as_bytes() {
            return Some((kind, value_and_rest.0));
        }
        rest = value_and_rest.1;
    }
}

/// CONNACK of MQTT 3.1.1, or of 5.0 from a broker that speaks no older version.
fn mqtt(heard: &[u8]) -> Seen {
    let [kind, length, _, code, ..] = heard else {
        let possible = heard[0] == 0x20
            && heard
                .get(1)
                .is_none_or(|&length| (2..128).contains(&length));
        return if possible { Seen::More } else { Seen::Alien };
    };
    let refuses = |refusal, what: &str| Seen::Refuses(refusal, Snippet::new(what.as_bytes()));
    match (kind, length, code) {
        (0x20, 2, 0) => Seen::Well(4),
        (0x20, 2, 1) | (0x20, 3..128, 0x84) => {
            refuses(Refusal::Unwelcome, "does not speak MQTT 3.1.1")
        }
        (0x20, 2, 2) | (0x20, 3..128, 0x85) => {
            refuses(Refusal::Unwelcome, "wants a client identifier")
        }
        (0x20, 2, 4) | (0x20, 3..128, 0x86) => {
            refuses(Refusal::Unauthenticated, "bad user name or password")
        }
        (0x20, 2, 5) | (0x20, 3..128, 0x87) => refuses(Refusal::Unauthenticated, "not authorized"),
        (0x20, 2, 3) | (0x20, 3..128, 0x88) => Seen::Sick(Snippet::new(b"server unavailable")),
        (0x20, 2..128, code) => Seen::Sick(Snippet::new(format!("return code {code}").as_bytes())),
        _ => Seen::Alien,
    }
}

/// The header of a response to correlation id 1, and its error code.
fn kafka(heard: &[u8]) -> Seen {
    // A list of some dozens of APIs, six bytes each. Its end must come before that of listening, `MAX_REPLY`.
    // 35 is UNSUPPORTED_VERSION, with which a broker answers a version that it does not know any more.
    if !begins(heard.get(4..).unwrap_or_default(), b"\0\0\0\x01") {
        return Seen::Alien;
    }
    match heard {
        [_, _, _, _, _, _, _, _, high, low, ..] => {
            match (be32(heard), u16::from_be_bytes([*high, *low])) {
                (length @ 6..=0x7fff, _) if heard.len() < 4 + length => Seen::More,
                (6..=0x7fff, 0 | 35) => Seen::Well(heard.len()),
                (6..=0x7fff, code) => {
                    Seen::Sick(Snippet::new(format!("error code {code}").as_bytes()))
                }
                _ => Seen::Alien,
            }
        }
        _ => Seen::More,
    }
}

/// A record with a ServerHello, or with an alert.
fn tls(heard: &[u8]) -> Seen {
    match heard {
        // Handshake, version 3.x, a length, ServerHello.
        [0x16, 3, 0..=4, high @ 0..=0x40, low, 2, ..] => {
            let whole = 5 + usize::from(u16::from_be_bytes([*high, *low]));
            if heard.len() < whole {
                Seen::More
            } else {
                Seen::Well(heard.len())
            }
        }
        [0x15, 3, 0..=4, 0, 2, 1 | 2, code, ..] => Seen::Refuses(
            Refusal::Unwelcome,
            Snippet::new(format!("TLS alert {code}").as_bytes()),
        ),
        [0x16, rest @ ..] if rest.len() < 5 && begins(rest, b"\x03") => Seen::More,
        [0x15, rest @ ..] if rest.len() < 6 && begins(rest, b"\x03") => Seen::More,
        _ => Seen::Alien,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sound() {
        for row in TABLE {
            assert!(
                !row.steps.is_empty() && row.port > 0 && !row.proves.is_empty(),
                "{}",
                row.scheme
            );
            assert_eq!(
                TABLE
                    .iter()
                    .filter(|other| other.scheme == row.scheme)
                    .count(),
                1,
                "{}",
                row.scheme
            );
        }
    }

    /// The lengths that stand inside the constant messages.
    #[test]
    fn messages_have_the_lengths_they_claim() {
        assert_eq!(CLIENT_HELLO.len(), 5 + 0xb8);
        let said =
            |scheme: &str| TABLE.iter().find(|row| row.scheme == scheme).unwrap().steps[0].say;
        assert_eq!(said("postgres"), postgres_startup("postgres", ""));
        assert_eq!(
            be32(&postgres_startup("a", "b")),
            postgres_startup("a", "b").len()
        );
        assert_eq!(le32(said("mongodb")), said("mongodb").len());
        assert_eq!(be32(said("kafka")), said("kafka").len() - 4);
        assert_eq!(usize::from(said("mqtt")[1]), said("mqtt").len() - 2);
        assert_eq!(usize::from(said("ldap")[1]), said("ldap").len() - 2);
        let quit = TABLE
            .iter()
            .find(|row| row.scheme == "mysql")
            .unwrap()
            .goodbye;
        assert_eq!(le32(&quit[..3]) + 4 + 5, quit.len());
    }

    /// Every judge, given anything, answers.
    #[test]
    fn judges_never_panic() {
        use proptest::prelude::*;
        proptest!(|(heard in proptest::collection::vec(any::<u8>(), 1..64), start in 0usize..8)| {
            let starts: [&[u8]; 8] = [b"", b"R\0\0\0\x08", b"E\0\0\0\x20", b"\x20\0\0\0\xff", b"\x30\x0c\x02\x01\x01\x61",
                b"\x24\0\0\0\x01\0\0\0\x01\0\0\0\xdd\x07\0\0\0\0\0\0\0", b"\x20\x02", b"\x01\0\0\0\0\0\x04"];
            let heard = [starts[start], &heard].concat();
            for row in TABLE {
                for step in row.steps {
                    match &step.hear {
                        Hear::Lines(lines) => drop(judge_lines(&heard, lines)),
                        Hear::Bytes(judge) => drop(judge(&heard)),
                    }
                }
            }
        });
    }
}
