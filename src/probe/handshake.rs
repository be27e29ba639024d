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

/// Replies of SMTP and FTP that say no, in one line or in several.
const ERRORS: &[&str] = &["4##", "4##-", "5##", "5##-"];

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
            well: &["VERSION ?"], unauthenticated: &["CLIENT_ERROR unauthenticated"],
            sick: &["ERROR", "SERVER_ERROR", "CLIENT_ERROR"], ..NONE }) }],
        goodbye: b"quit\r\n",
    },
    // RFC 5321, sections 3.1 and 4.2. Some servers drop clients that talk before the last line of the banner.
    Handshake {
        scheme: "smtp", port: 25,
        proves: "greets and answers HELO: it takes mail sessions",
        steps: &[
            Step { say: b"", hear: Hear::Lines(Lines { skip: &["220-"], well: &["220"], sick: ERRORS, ..NONE }) },
            Step { say: b"HELO localhost\r\n", hear: Hear::Lines(Lines { skip: &["25#-"], well: &["25#"], sick: ERRORS, ..NONE }) },
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
            Step { say: b"", hear: Hear::Lines(Lines { well: &["INFO {"], sick: &["-ERR "], ..NONE }) },
            Step { say: b"CONNECT {\"verbose\":false}\r\nPING\r\n", hear: Hear::Lines(Lines {
                skip: &["INFO {", "PING$", "+OK$"], well: &["PONG$"],
                unauthenticated: &["-ERR 'Authorization Violation'$", "-ERR 'Authentication"],
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
    // https://github.com/apache/cassandra/blob/trunk/doc/native_protocol_v4.spec: OPTIONS, which is answered before
    // authentication, by ScyllaDB too.
    Handshake {
        scheme: "cassandra", port: 9042,
        proves: "answers OPTIONS: it takes clients",
        steps: &[Step { say: b"\x04\0\0\0\x05\0\0\0\0", hear: Hear::Bytes(cassandra) }],
        goodbye: b"",
    },
    // https://linux.die.net/man/8/clamd
    Handshake {
        scheme: "clamav", port: 3310,
        proves: "answers PING: it takes sessions",
        steps: &[Step { say: b"zPING\0", hear: Hear::Bytes(clamav) }],
        goodbye: b"",
    },
    // RFC 4253, section 4.2
    Handshake {
        scheme: "ssh", port: 22,
        proves: "sends its version: it takes connections",
        steps: &[Step { say: b"", hear: Hear::Bytes(ssh) }],
        // A version, and SSH_MSG_DISCONNECT by the application (section 11.1): of less, sshd writes an error to its log.
        goodbye: b"SSH-2.0-healthchecker\r\n\0\0\0\x14\x06\x01\0\0\0\x0b\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    },
    // RFC 959, section 5.4
    Handshake {
        scheme: "ftp", port: 21,
        proves: "greets: it takes sessions",
        steps: &[Step { say: b"", hear: Hear::Lines(Lines { skip: &["120"], well: &["220", "220-"], sick: ERRORS, ..NONE }) }],
        goodbye: b"QUIT\r\n",
    },
    // RFC 1939, section 4
    Handshake {
        scheme: "pop3", port: 110,
        proves: "greets: it takes sessions",
        steps: &[Step { say: b"", hear: Hear::Lines(Lines { well: &["+OK"], sick: &["-ERR"], ..NONE }) }],
        goodbye: b"QUIT\r\n",
    },
    // RFC 3501, section 7.1
    Handshake {
        scheme: "imap", port: 143,
        proves: "greets: it takes sessions",
        steps: &[Step { say: b"", hear: Hear::Lines(Lines { well: &["* OK", "* PREAUTH"], sick: &["* BYE"], ..NONE }) }],
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
        match judge(talk.heard(), step) {
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

/// What has come so far amounts to this.
#[doc(hidden)]
pub fn judge(heard: &[u8], step: &Step) -> Seen {
    match &step.hear {
        // No bytes yet: wait for more. The judges may look at the first one.
        _ if heard.is_empty() => Seen::More,
        Hear::Lines(lines) => judge_lines(heard, lines),
        Hear::Bytes(judge) => judge(heard),
    }
}

/// Judges by the first line that is not skipped, once it is whole.
fn judge_lines(heard: &[u8], lines: &Lines) -> Seen {
    let mut start = 0;
    loop {
        let rest = &heard[start..];
        let end = rest.iter().position(|&byte| byte == b'\n');
        let line = &rest[..end.unwrap_or(rest.len())];
        // A CR can only be the end of a line that one of these patterns fits.
        let (line, whole) = match line.strip_suffix(b"\r") {
            Some(line) => (line, true),
            None => (line, end.is_some()),
        };
        let any = |patterns: &[&str]| patterns.iter().any(|pattern| fits(line, whole, pattern));
        let said = || Snippet::at_most(line, 200);
        let Some(end) = end else {
            let possible = any(lines.skip)
                || any(lines.well)
                || any(lines.unauthenticated)
                || any(lines.unwelcome)
                || any(lines.sick);
            return if possible { Seen::More } else { Seen::Alien };
        };
        if any(lines.well) {
            return Seen::Well(start + end + 1);
        } else if any(lines.unauthenticated) {
            return Seen::Refuses(Refusal::Unauthenticated, said());
        } else if any(lines.unwelcome) {
            return Seen::Refuses(Refusal::Unwelcome, said());
        } else if any(lines.skip) {
            start += end + 1;
        } else if any(lines.sick) {
            return Seen::Sick(said());
        } else {
            return Seen::Alien;
        }
    }
}

/// Whether `line`, as far as it has come, is what `pattern` of [`Lines`] asks for.
fn fits(line: &[u8], whole: bool, pattern: &str) -> bool {
    let wanted = pattern.strip_suffix('$').unwrap_or(pattern).as_bytes();
    let shared = line.iter().zip(wanted).all(|(byte, wanted)| match wanted {
        b'#' => byte.is_ascii_digit(),
        b'?' => byte.is_ascii_graphic(),
        _ => byte == wanted,
    });
    shared
        && match (line.get(wanted.len()), pattern.as_bytes().last()) {
            (None, _) => !whole || line.len() == wanted.len(),
            (Some(_), Some(b'$')) => false,
            (Some(next), Some(b'#' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z')) => *next == b' ',
            _ => true,
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

/// What follows a field whose length is in the four bytes before it.
fn behind_field(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_at_checked(4)?;
    rest.get(be32(length)..)
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
        [b'R', rest @ ..] if rest.len() < 8 => Seen::More,
        [b'R', rest @ ..] => authentication(be32(&rest[4..]), rest, length()),
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
            let Some(fields) = strings(&rest[4..length()]) else {
                return Seen::Alien;
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
                [b'2', b'8', _, _, _] => Seen::Refuses(Refusal::Unauthenticated, said),
                b"3D000" => Seen::Refuses(Refusal::Unwelcome, said),
                _ => Seen::Sick(said),
            }
        }
        _ => Seen::Alien,
    }
}

/// What an Authentication message with `code` says. `rest` begins with its length, which counts itself.
fn authentication(code: usize, rest: &[u8], length: usize) -> Seen {
    match (code, length) {
        (0, 8) => return Seen::Well(1 + length),
        // Kerberos, a password as it is, SCM, GSS, SSPI; crypt with two bytes of salt, MD5 with four; SASL. Each is how
        // the server asks who this is.
        (2 | 3 | 6 | 7 | 9, 8) | (4, 10) | (5, 12) | (10, _) => {}
        _ => return Seen::Alien,
    }
    match rest.get(8..length) {
        None => Seen::More,
        Some(mechanisms) if code == 10 && strings(mechanisms).is_none() => Seen::Alien,
        Some(_) => Seen::Refuses(Refusal::Unauthenticated, Snippet::default()),
    }
}

/// A list of strings that each end with a zero byte, as does the list: what is before its last string's end, so that it can
/// be split at the zero bytes.
fn strings(list: &[u8]) -> Option<&[u8]> {
    let strings = list.strip_suffix(b"\0\0")?;
    let mut each = strings.split(|&byte| byte == 0);
    each.all(|string| !string.is_empty()).then_some(strings)
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
        return if greets(packet).is_some() {
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

/// Reads a HandshakeV10 from behind its first byte. None when it is malformed.
fn greets(packet: &[u8]) -> Option<()> {
    let end = packet.iter().position(|&byte| byte == 0)?;
    let (version, rest) = packet.split_at(end + 1);
    // The thread's id and the scramble's first part, a filler, and half of the capabilities.
    let [filler, _, secure, more @ ..] = rest.get(12..)? else {
        return None;
    };
    // What old servers leave out: character set, status, the other capabilities, the scramble's length, reserved bytes.
    // With CLIENT_SECURE_CONNECTION, the scramble's second part follows.
    let enough = match more.get(..16) {
        None => more.is_empty() && secure & 0x80 == 0,
        Some(_) if secure & 0x80 == 0 => true,
        Some(fixed) => more.len() - 16 >= usize::from(fixed[5]).saturating_sub(8).max(13),
    };
    (version[0].is_ascii_digit() && *filler == 0 && enough).then_some(())
}

/// Connection.Start, or the version that the server would speak.
fn amqp(heard: &[u8]) -> Seen {
    // Frame type 1 on channel 0, and behind the length class 10, method 10, version 0-9; 0xce is where it ends.
    if begins(heard, b"\x01\0\0") {
        let Some(rest) = heard.get(7..) else {
            return Seen::More;
        };
        let length = be32(&heard[3..]);
        if !(6..=16 * 1024).contains(&length) || !begins(rest, b"\0\x0a\0\x0a\0\x09") {
            return Seen::Alien;
        }
        return match rest.get(..length + 1) {
            None => Seen::More,
            // The server's properties, its mechanisms, and its locales.
            Some([_, _, _, _, _, _, fields @ .., 0xce])
                if (0..3).try_fold(fields, |fields, _| behind_field(fields)) == Some(&[]) =>
            {
                Seen::Well(length + 8)
            }
            Some(_) => Seen::Alien,
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

/// The tags and contents of elements that fill `bytes`.
fn elements(mut bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut elements = Vec::new();
    while !bytes.is_empty() {
        let (tag, contents, length) = ber(bytes).ok()??;
        elements.push((tag, contents));
        bytes = &bytes[length..];
    }
    Some(elements)
}

/// BindResponse, or the notice of disconnection that a server sends instead.
fn ldap(heard: &[u8]) -> Seen {
    if heard[0] != 0x30 {
        return Seen::Alien;
    }
    let (message, length) = match ber(heard) {
        Ok(Some((_, message, length))) => (message, length),
        Ok(None) => return Seen::More,
        Err(()) => return Seen::Alien,
    };
    // LDAPMessage and LDAPResult (RFC 4511, sections 4.1.1 and 4.1.9). What is added behind their fields, controls or a
    // referral, must be ignored.
    let result = || {
        let message = elements(message)?;
        // INTEGER, and [APPLICATION 1] BindResponse or [APPLICATION 24] ExtendedResponse.
        let [(2, id), (operation, response), ..] = message[..] else {
            return None;
        };
        let response = elements(response)?;
        // ENUMERATED, and the strings matchedDN and diagnosticMessage.
        let [(10, code), (4, _), (4, text), ..] = response[..] else {
            return None;
        };
        // BER writes no more bytes than it takes.
        let minimal = matches!((code.len(), be32(code)), (1, _) | (2..=4, 128..));
        let proper = matches!((operation, id), (0x61, [1]) | (0x78, [0])) && minimal;
        proper.then(|| (operation, be32(code), text))
    };
    match result() {
        Some((0x61, 0, _)) => Seen::Well(length),
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
    let Some(message) = heard.get(16..length) else {
        return Seen::More;
    };
    // Flags, and a section of kind 0: the document, and behind it a checksum if the lowest flag is set. The other flags of
    // the lower half are either unknown, and then must not be set, or say that more replies come.
    let checksum = match le32(message) & 0xffff {
        0 => 0,
        1 => 4,
        _ => return Seen::Alien,
    };
    let document = match &message[4..message.len() - checksum] {
        [0, document @ ..] => bson(document),
        _ => None,
    };
    let Some(document) = document else {
        return Seen::Alien;
    };
    let field = |wanted: &[u8]| document.iter().find(|(_, name, _)| *name == wanted);
    let number = |name: &[u8]| match *field(name)? {
        (0x01, _, value) => Some(f64::from_le_bytes(value.try_into().ok()?)),
        (0x10, _, value) => Some(f64::from(i32::from_le_bytes(value.try_into().ok()?))),
        (0x08, _, value) => Some(f64::from(*value.first()?)),
        _ => None,
    };
    let text = match field(b"errmsg") {
        Some((0x02, _, [_, _, _, _, text @ .., 0])) => text,
        _ => &b""[..],
    };
    match (number(b"ok"), number(b"code").unwrap_or(0.0) as u32) {
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

/// The type, name and value of an element of a BSON document.
type Bson<'a> = (u8, &'a [u8], &'a [u8]);

/// The top-level elements of a BSON document (bsonspec.org) that fills `document`.
fn bson(document: &[u8]) -> Option<Vec<Bson<'_>>> {
    let (length, mut rest) = document.split_at_checked(4)?;
    if le32(length) != document.len() {
        return None;
    }
    let mut elements = Vec::new();
    loop {
        let (&kind, named) = rest.split_first()?;
        if kind == 0 {
            return named.is_empty().then_some(elements);
        }
        let end = named.iter().position(|&byte| byte == 0)?;
        let (name, value) = (&named[..end], &named[end + 1..]);
        // Strings and documents end with a zero byte, which their length counts; a document's counts itself, too.
        let (more, least) = match kind {
            0x02 | 0x0d | 0x0e => (4usize, 5),
            0x03 | 0x04 => (0, 5),
            0x05 => (5, 0),
            _ => (0, 0),
        };
        let length = match kind {
            0x01 | 0x09 | 0x11 | 0x12 => 8,
            0x02..=0x05 | 0x0d | 0x0e => more.saturating_add(le32(value.get(..4)?)),
            0x06 | 0x0a | 0x7f | 0xff => 0,
            0x07 => 12,
            0x08 => 1,
            0x10 => 4,
            0x13 => 16,
            _ => return None,
        };
        let (value, behind) = value.split_at_checked(length)?;
        if least > 0 && (length < least || !value.ends_with(&[0])) {
            return None;
        }
        elements.push((kind, name, value));
        rest = behind;
    }
}

/// CONNACK of MQTT 3.1.1, or of 5.0 from a broker that speaks no older version.
fn mqtt(heard: &[u8]) -> Seen {
    let refuses = |refusal, what: &str| Seen::Refuses(refusal, Snippet::new(what.as_bytes()));
    // No flag may be set: the header's are reserved, and so are the acknowledgement's but for one, which says that there is
    // a session, where we ask for a clean one.
    match heard {
        [0x20] | [0x20, 2..=127] | [0x20, 2..=127, 0] => return Seen::More,
        // MQTT 5.0 adds properties, and their length.
        [0x20, 3..=127, 0, 0x80..=0xff] => return Seen::More,
        [
            0x20,
            length @ 3..=127,
            0,
            0x80..=0xff,
            properties,
            rest @ ..,
        ] if *properties == *length - 3 => {
            if rest.len() < usize::from(*properties) {
                return Seen::More;
            }
        }
        [0x20, 2, 0, _, ..] => {}
        _ => return Seen::Alien,
    }
    match (heard[1], heard[3]) {
        (2, 0) => Seen::Well(4),
        (2, 1) | (3.., 0x84) => refuses(Refusal::Unwelcome, "does not speak MQTT 3.1.1"),
        (2, 2) | (3.., 0x85) => refuses(Refusal::Unwelcome, "wants a client identifier"),
        (2, 4) | (3.., 0x86) => refuses(Refusal::Unauthenticated, "bad user name or password"),
        (2, 5) | (3.., 0x87) => refuses(Refusal::Unauthenticated, "not authorized"),
        (2, 3) | (3.., 0x88) => Seen::Sick(Snippet::new(b"server unavailable")),
        (_, code) => Seen::Sick(Snippet::new(format!("return code {code}").as_bytes())),
    }
}

/// The header of a response to correlation id 1, its error code, and the list of APIs.
fn kafka(heard: &[u8]) -> Seen {
    // A list of some dozens of APIs, six bytes each. Its end must come before that of listening, `MAX_REPLY`.
    let length = be32(heard);
    if heard.len() >= 4 && !(10..=0x7fff).contains(&length)
        || !begins(heard.get(4..).unwrap_or_default(), b"\0\0\0\x01")
    {
        return Seen::Alien;
    }
    let Some([high, low, count @ ..]) = heard.get(8..14) else {
        return Seen::More;
    };
    let list = length - 10;
    if be32(count).checked_mul(6) != Some(list) {
        return Seen::Alien;
    }
    if heard.len() < 4 + length {
        return Seen::More;
    }
    match u16::from_be_bytes([*high, *low]) {
        // 35 is UNSUPPORTED_VERSION, with which a broker answers a version that it does not know any more.
        0 | 35 => Seen::Well(4 + length),
        code => Seen::Sick(Snippet::new(format!("error code {code}").as_bytes())),
    }
}

/// SUPPORTED, or ERROR, in the version that was asked in or in one that the server speaks.
fn cassandra(heard: &[u8]) -> Seen {
    // A response without flags on stream 0.
    let possible = matches!(heard[0], 0x81..=0x8f)
        && begins(&heard[1..], b"\0\0\0")
        && matches!(heard.get(4), None | Some(0 | 6));
    if !possible {
        return Seen::Alien;
    }
    let Some(rest) = heard.get(9..) else {
        return Seen::More;
    };
    let length = be32(&heard[5..]);
    if length > 16 * 1024 {
        return Seen::Alien;
    }
    let Some(body) = rest.get(..length) else {
        return Seen::More;
    };
    if heard[4] == 6 {
        return match (heard[0], multimap(body)) {
            (0x83..=0x85, Some(())) => Seen::Well(9 + length),
            _ => Seen::Alien,
        };
    }
    let text = body.get(4..).and_then(|mut text| short_string(&mut text));
    let (code, Some(text)) = (be32(body), text) else {
        return Seen::Alien;
    };
    let said = coded(code.to_string().as_bytes(), text);
    match code {
        // Protocol error: of a request as simple as this, the version is all that can be wrong.
        0x0a => Seen::Refuses(Refusal::Unwelcome, said),
        0x100 => Seen::Refuses(Refusal::Unauthenticated, said),
        _ => Seen::Sick(said),
    }
}

/// Reads a string multimap that fills `bytes`. None when it is malformed.
fn multimap(mut bytes: &[u8]) -> Option<()> {
    let bytes = &mut bytes;
    for _ in 0..short(bytes)? {
        short_string(bytes)?;
        for _ in 0..short(bytes)? {
            short_string(bytes)?;
        }
    }
    bytes.is_empty().then_some(())
}

/// A number of two bytes, which is taken from `bytes`.
fn short(bytes: &mut &[u8]) -> Option<usize> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u16::from_be_bytes(*number).into())
}

/// A string and its length in two bytes, which are taken from `bytes`.
fn short_string<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = short(bytes)?;
    let (string, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(string)
}

/// `PONG` and a zero byte.
fn clamav(heard: &[u8]) -> Seen {
    const PONG: &[u8] = b"PONG\0";
    match (begins(heard, PONG), heard.len() < PONG.len()) {
        (true, true) => Seen::More,
        (true, false) => Seen::Well(PONG.len()),
        (false, _) => Seen::Alien,
    }
}

/// `SSH-protoversion-softwareversion` (RFC 4253, section 4.2), and the lines that may come before it.
fn ssh(heard: &[u8]) -> Seen {
    // 1.99 is 2.0 for clients that speak 1.5 only (section 5.1).
    const LINES: Lines = Lines {
        well: &["SSH-2.0-?", "SSH-1.99-?"],
        sick: &["SSH-#.#-?", "Exceeded MaxStartups", "Not allowed"],
        ..NONE
    };
    let mut start = 0;
    loop {
        let rest = &heard[start..];
        match judge_lines(rest, &LINES) {
            Seen::Alien => {}
            Seen::Well(bytes) => return Seen::Well(start + bytes),
            seen => return seen,
        }
        let end = rest.iter().position(|&byte| byte == b'\n');
        if rest.starts_with(b"SSH-") || !is_text(&rest[..end.unwrap_or(rest.len())]) {
            return Seen::Alien;
        }
        match (end, Protocol::of(heard)) {
            (_, Some(other)) if other != Protocol::Ssh => return Seen::Alien,
            (None, _) => return Seen::More,
            (Some(end), _) => start += end + 1,
        }
    }
}

/// Whether `line` is UTF-8 as far as it has come, without control bytes but for those that set text.
fn is_text(line: &[u8]) -> bool {
    let valid = match std::str::from_utf8(line) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    valid
        && line
            .iter()
            .all(|byte| *byte >= b' ' || matches!(byte, b'\t' | b'\r' | 0x1b))
}

/// A record with a ServerHello, or with an alert.
fn tls(heard: &[u8]) -> Seen {
    match heard {
        // Handshake, version 3.x, a length.
        [0x16, 3, 0..=4, high, low, message @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            match message.get(..length) {
                _ if length > 0x4000 || !begins(message, &[2]) => Seen::Alien,
                None => Seen::More,
                Some(message) if server_hello(message).is_some() => Seen::Well(5 + length),
                Some(_) => Seen::Alien,
            }
        }
        [0x15, 3, 0..=4, 0, 2, 1 | 2, code, ..] => alert(*code),
        [0x16, rest @ ..] if rest.len() < 4 && begins(rest, b"\x03") => Seen::More,
        [0x15, rest @ ..] if rest.len() < 6 && begins(rest, b"\x03") => Seen::More,
        _ => Seen::Alien,
    }
}

/// Reads a ServerHello (RFC 8446, section 4.1.3; RFC 5246, section 7.4.1.3). None when it is malformed.
fn server_hello(message: &[u8]) -> Option<()> {
    let [2, high, middle, low, rest @ ..] = message else {
        return None;
    };
    let hello = rest.get(..be32(&[0, *high, *middle, *low]))?;
    let [3, 1..=3, rest @ ..] = hello else {
        return None;
    };
    // The random, and a session id of up to 32 bytes.
    let (&session, rest) = rest.get(32..)?.split_first()?;
    // The cipher, no compression, and what may follow: extensions and their length.
    let [_, _, 0, extensions @ ..] = rest.get(usize::from(session)..)? else {
        return None;
    };
    let whole = match extensions {
        [] => true,
        [high, low, rest @ ..] => usize::from(u16::from_be_bytes([*high, *low])) == rest.len(),
        _ => false,
    };
    (session <= 32 && whole).then_some(())
}

/// What an alert in answer to a ClientHello says of the server (RFC 8446, section 6, and RFC 5246, section 7.2, for those
/// of TLS 1.2). Its level does not matter.
fn alert(code: u8) -> Seen {
    let what = match code {
        // "Unrelated to the peer or the correctness of the protocol".
        80 => "TLS alert 80, internal_error".to_owned(),
        code => format!("TLS alert {code}"),
    };
    let what = Snippet::new(what.as_bytes());
    match code {
        // The server knows what it wants, and does not get it from this client: parameters, a certificate, a version, an
        // extension, a name, a key, an application protocol.
        40 | 42..=49 | 70 | 71 | 86 | 109 | 110 | 112 | 115 | 116 | 120 => {
            Seen::Refuses(Refusal::Unwelcome, what)
        }
        // unexpected_message, decode_error and the like, which proper ends never meet with; the end of the connection;
        // and codes that nobody knows.
        _ => Seen::Sick(what),
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

    /// What is judged of a part of a reply is judged of the whole. The fuzz target `handshake` asks the same of any.
    #[test]
    fn verdicts_do_not_change_when_more_comes() {
        let judge = |scheme: &str, reply: &[u8]| {
            let row = TABLE.iter().find(|row| row.scheme == scheme).unwrap();
            super::judge(reply, &row.steps[0])
        };
        for (scheme, reply) in [
            ("redis", &b"-NOAUTH x\r\n\r\n"[..]),
            ("redis", b"+PONG\r\n-"),
            ("postgres", b"R\0\0\0\x08\0\0\0\0R"),
            ("amqp", b"AMQP\0\0\x09\x01AMQP"),
            ("mqtt", b"\x20\x03\0\x84\0\x20"),
            (
                "zookeeper",
                b"ruok is not executed because it is not in the whitelist.\n\n",
            ),
        ] {
            let whole = judge(scheme, reply);
            assert_ne!(whole, Seen::More, "{scheme}");
            for end in 0..reply.len() {
                let part = judge(scheme, &reply[..end]);
                assert!(part == Seen::More || part == whole, "{scheme} after {end}");
            }
        }
        // The exception: nothing marks the end of `imok`, so that what follows is a matter of time.
        assert_eq!(judge("zookeeper", b"imok"), Seen::Well(4));
        assert_eq!(judge("zookeeper", b"imok0\r\n\r\n"), Seen::Alien);
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

    #[test]
    fn patterns() {
        // What a pattern fits as a whole line, and what it cannot be the beginning of.
        for (pattern, fitting, others) in [
            ("+OK$", &["+OK"][..], &["+OK ", "+OKAY", "-OK"][..]),
            (
                "+OK",
                &["+OK", "+OK then"],
                &["+OKAY", "+OK-", "+OK\t", "+K"],
            ),
            ("-", &["-", "-ERR", "- "], &["+"]),
            ("4##", &["421", "421 no"], &["42x", "4211", "421-no", "521"]),
            ("4##-", &["421-", "421-no"], &["4211-", "421 no"]),
            ("V ?", &["V 1", "V x y"], &["V  1", "V \t", "V \u{1}"]),
        ] {
            // A row's patterns live as long as the program.
            let well = Box::leak(Box::new([pattern]));
            let lines = Lines { well, ..NONE };
            for line in fitting {
                for end in ["\n", "\r\n"] {
                    let whole = [line, end].concat();
                    let whole = whole.as_bytes();
                    assert_eq!(judge_lines(whole, &lines), Seen::Well(whole.len()));
                    for part in 1..whole.len() {
                        let seen = judge_lines(&whole[..part], &lines);
                        assert_eq!(seen, Seen::More, "{pattern}: {line}, {part} bytes");
                    }
                }
            }
            for line in others {
                let seen = judge_lines(line.as_bytes(), &lines);
                assert_eq!(seen, Seen::Alien, "{pattern}: {line}");
            }
            // A line that ends before its pattern does, even if its LF has not come yet.
            let short = &pattern.as_bytes()[..1];
            if pattern.len() > 1 {
                for end in [&b"\r"[..], b"\n"] {
                    let seen = judge_lines(&[short, end].concat(), &lines);
                    assert_eq!(seen, Seen::Alien, "{pattern}");
                }
            }
        }
    }

    #[test]
    fn lines_before_the_version_of_ssh() {
        for (heard, seen) in [
            (&b"SSH-2.0-x\r\n\0\0\x04\x34"[..], Seen::Well(11)),
            (b"hi\nSSH-2.0-x\n", Seen::Well(13)),
            (b"hi\nSSH-2.0-x", Seen::More),
            (b"hi\nSSH-", Seen::More),
            (b"hi\n", Seen::More),
            (b"hi", Seen::More),
            ("Gr\u{fc}".as_bytes().split_last().unwrap().1, Seen::More),
            (b"\x1b[1mhi\x1b[0m\tyou\r\n", Seen::More),
            (b"hi\0", Seen::Alien),
            (b"Gr\xfc\xdfe\n", Seen::Alien),
            (b"hi\nSSH-2", Seen::More),
            (b"hi\nSSH-x", Seen::Alien),
            (b"hi\nSSH-2.0\r\nSSH-2.0-x\r\n", Seen::Alien),
            (b"HTTP/1.1 400 Bad Request\r\n", Seen::Alien),
            (b"HTTP", Seen::More),
        ] {
            assert_eq!(ssh(heard), seen, "{}", heard.escape_ascii());
        }
    }

    /// Every judge, given anything, answers.
    #[test]
    fn judges_never_panic() {
        use proptest::prelude::*;
        proptest!(|(heard in proptest::collection::vec(any::<u8>(), 1..64), start in 0usize..16)| {
            let starts: [&[u8]; 16] = [b"", b"R\0\0\0\x08", b"E\0\0\0\x20", b"\x20\0\0\0\xff", b"\x30\x0c\x02\x01\x01\x61",
                b"\x24\0\0\0\x01\0\0\0\x01\0\0\0\xdd\x07\0\0\0\0\0\0\0", b"\x20\x02", b"\x01\0\0\0\0\0\x04", b"\x20\x7f\0\xff\xff", b"\x20\x10\0\x87", b"R\0\0\0\x10\0\0\0\x0a",
                b"\x16\x03\x03\0\x2e\x02\0\0\x26\x03\x03", b"\0\0\0\x10\0\0\0\x01\0\0\0\0\0", b"\x84\0\0\0\x06\0\0\0\x10",
                b"\x01\0\0\0\0\0\x20\0\x0a\0\x0a\0\x09\0\0\0", b"\x20\0\0\0\x0a8.0\0"];
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
