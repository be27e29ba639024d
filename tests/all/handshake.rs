//! Servers that do not speak HTTP, as scripted ones: the bytes of both sides, every state that a server can tell of, and
//! everything that can go wrong in between. Where bytes come from is said beside them.

use crate::support::{Run, SLACK, Server, Skip, check, matches, program};
use healthchecker::cli::{self, Command};
use healthchecker::deadline::Deadline;
use healthchecker::protocol;
use healthchecker::protocol::handshake::{Handshake, Judge};
use healthchecker::report;
use healthchecker::snippet::printable;
use healthchecker::verdict::Reply;
use libtest_mimic::Trial;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

pub fn trials() -> Vec<Trial> {
    trials![
        postgres_users_and_databases,
        every_row_has_a_conversation,
        both_sides_of_every_conversation,
        every_state_of_a_server,
        hang_up_after_each_prefix,
        a_byte_at_a_time,
        no_verdict_before_its_time,
        silence_and_drips,
        garbage,
        endless_replies,
        floods_behind_the_reply,
        resets,
        a_reset_after_the_reply_does_not_undo_it,
        other_protocols_are_named,
        nothing_listens,
        only_ipv6,
        unix_sockets,
        a_unix_socket_that_accepts_nobody,
        several_targets,
        several_targets_share_the_deadline,
        tcp,
        what_tcp_sends,
        usage_errors_send_nothing,
        real_tls,
        no_reply_breaks_a_probe,
        fastcgi,
        fastcgi_a_byte_at_a_time,
    ]
}

/// The protocols that are a few constant bytes.
fn handshakes() -> impl Iterator<Item = (&'static str, &'static Handshake)> {
    let rows = protocol::ALL.iter();
    rows.filter_map(|row| Some((row.scheme, row.handshake?)))
}

// --- Conversations ---------------------------------------------------------------------------------------------------

/// What one side says and the other answers, in turn.
pub type Steps = Vec<(Vec<u8>, Vec<u8>)>;

/// How a healthy server and the checker talk.
struct Conversation {
    scheme: &'static str,
    steps: Steps,
    goodbye: Vec<u8>,
}

fn conversation(scheme: &'static str, steps: &[(&[u8], &[u8])], goodbye: &[u8]) -> Conversation {
    Conversation {
        scheme,
        steps: steps
            .iter()
            .map(|(said, answered)| (said.to_vec(), answered.to_vec()))
            .collect(),
        goodbye: goodbye.to_vec(),
    }
}

impl Conversation {
    /// The same questions, as many as are answered, with other answers.
    fn answered(&self, replies: &[Vec<u8>]) -> Steps {
        let questions = self.steps.iter().map(|(question, _)| question.clone());
        questions.zip(replies.iter().cloned()).collect()
    }
}

/// `"00000017 0003"`: bytes as specifications write them.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|digit| (digit as char).to_digit(16).expect("a hexadecimal digit") as u8)
        .collect();
    assert_eq!(digits.len() % 2, 0, "{text}");
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// One conversation with each row of the table.
#[rustfmt::skip]
fn conversations() -> Vec<Conversation> {
    let (_, tls) = handshakes().find(|(scheme, _)| *scheme == "tls").expect("the row of TLS");
    let hello = tls.steps[0].send;
    vec![
        // https://redis.io/docs/latest/commands/ping/
        conversation("redis", &[(b"PING\r\n", b"+PONG\r\n")], b""),
        // https://www.postgresql.org/docs/current/protocol-message-formats.html: AuthenticationOk; Terminate.
        conversation("postgres", &[(b"\0\0\0\x17\0\x03\0\0user\0postgres\0\0", &postgres(b'R', &hex("00000000")))], &hex("58 00000004")),
        // The greeting is the example of dev.mysql.com/doc/dev/mysql-server, page_protocol_connection_phase_packets_
        // protocol_handshake_v10.html; the goodbye is a HandshakeResponse41 and COM_QUIT.
        conversation("mysql", &[(b"", &mysql(0, &hex(MYSQL_GREETING)))], &[
            hex("2d000001 00821000 00800001 21"), vec![0; 23], b"mariadb.sys\0\0".to_vec(), hex("01000000 01"),
        ].concat()),
        // amqp0-9-1.pdf, sections 2.3.5 and 1.4.2.1: Connection.Start as RabbitMQ sends it, shortened.
        conversation("amqp", &[(b"AMQP\0\0\x09\x01", &amqp())], b""),
        // memcached's doc/protocol.txt
        conversation("memcached", &[(b"version\r\n", b"VERSION 1.6.18\r\n")], b"quit\r\n"),
        // RFC 5321, appendix D.1
        conversation(
            "smtp",
            &[
                (b"", b"220 foo.com Simple Mail Transfer Service Ready\r\n"),
                (b"HELO localhost\r\n", b"250 foo.com greets localhost\r\n"),
            ],
            b"QUIT\r\n",
        ),
        // RFC 4511, section 4.2.2
        conversation("ldap", &[(&hex("300c020101600702010304008000"), &hex("300c 020101 6107 0a0100 0400 0400"))], &hex("30050201024200")),
        // zookeeperAdmin.html, "The Four Letter Words": no end of line, and the server closes.
        conversation("zookeeper", &[(b"ruok", b"imok")], b""),
        // The wire protocol's OP_MSG, with the reply that every MongoDB gives to ping.
        conversation(
            "mongodb",
            &[(
                &hex(
                    "33000000 01000000 00000000 dd070000 00000000 00 1e000000 1070696e6700 01000000 \
                      02 24646200 06000000 61646d696e00 00",
                ),
                &op_msg(1, 0, &double("ok", 1.0)),
            )],
            b"",
        ),
        // MQTT 3.1.1, section 3.2
        conversation("mqtt", &[(&hex("100c00044d5154540402003c0000"), &hex("20020000"))], &hex("e000")),
        // https://docs.nats.io/reference/reference-protocols/nats-protocol
        conversation("nats", &[(b"", NATS_INFO), (b"CONNECT {\"verbose\":false}\r\nPING\r\n", b"PONG\r\n")], b""),
        // https://kafka.apache.org/protocol#The_Messages_ApiVersions: version 0, with two of a broker's APIs.
        conversation("kafka", &[(&hex("0000000a 0012 0000 00000001 ffff"), &kafka(1, 0))], b""),
        // OpenSSH on Debian 12
        conversation("ssh", &[(b"", b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")],
            &[&b"SSH-2.0-healthchecker\r\n"[..], &hex("00000014 06 01 0000000b 00000000 00000000 000000000000")].concat()),
        // vsftpd
        conversation("ftp", &[(b"", b"220 (vsFTPd 3.0.3)\r\n")], b"QUIT\r\n"),
        // Dovecot
        conversation("pop3", &[(b"", b"+OK Dovecot (Debian) ready.\r\n")], b"QUIT\r\n"),
        conversation("imap", &[(b"", b"* OK [CAPABILITY IMAP4rev1 IDLE STARTTLS AUTH=PLAIN] Dovecot ready.\r\n")], b"a LOGOUT\r\n"),
        // RFC 8448, section 3: the ServerHello of the trace; RFC 8446, section 6.1: close_notify.
        conversation("tls", &[(hello, &hex(SERVER_HELLO))], &hex("15 0303 0002 0100")),
    ]
}

const NATS_INFO: &[u8] = b"INFO {\"server_id\":\"Zk0GQ3JBSrg3oyxCRRlE09\",\"version\":\"2.10.7\",\"proto\":1,\"max_payload\":1048576}\r\n";

const MYSQL_GREETING: &str = "0a 352e352e322d6d3200 0b000000 6476484049 2d434a 00 fff7 08 0200 0000 00 \
    00000000000000000000 2a34647c635a776b345e5d3a 00";

const SERVER_HELLO: &str = "16 0303 005a 02 000056 0303 \
    a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e26928 00 1301 00 002e \
    0033 0024 001d 0020 c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f \
    002b 0002 0304";

/// A message of PostgreSQL: its type, its length, its content.
fn postgres(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32 + 4).to_be_bytes();
    [&[kind], &length[..], content].concat()
}

/// An ErrorResponse; the fields' kinds are in the documentation's section "Error and Notice Message Fields".
fn postgres_error(code: &str, message: &str) -> Vec<u8> {
    let fields = format!(
        "SFATAL\0VFATAL\0C{code}\0M{message}\0Fpostmaster.c\0L2345\0RProcessStartupPacket\0\0"
    );
    postgres(b'E', fields.as_bytes())
}

fn mysql(sequence: u8, content: &[u8]) -> Vec<u8> {
    let [low, middle, high, _] = (content.len() as u32).to_le_bytes();
    [&[low, middle, high, sequence], content].concat()
}

fn mysql_error(code: u16, text: &str) -> Vec<u8> {
    mysql(
        0,
        &[&[0xff], &code.to_le_bytes()[..], text.as_bytes()].concat(),
    )
}

fn amqp_frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&[kind, 0, 0], &length[..], payload, &[0xce]].concat()
}

fn amqp() -> Vec<u8> {
    let product = b"\x07productS\0\0\0\x08RabbitMQ";
    let start = [
        &b"\0\x0a\0\x0a\0\x09"[..],
        &(product.len() as u32).to_be_bytes(),
        product,
        b"\0\0\0\x0ePLAIN AMQPLAIN",
        b"\0\0\0\x05en_US",
    ];
    amqp_frame(1, &start.concat())
}

/// An OP_MSG with one document, whose elements are given.
fn op_msg(answers: u32, flags: u32, elements: &[u8]) -> Vec<u8> {
    let document = [
        &(elements.len() as u32 + 5).to_le_bytes()[..],
        elements,
        &[0],
    ]
    .concat();
    let checksum: &[u8] = if flags & 1 == 1 {
        b"\xde\xad\xbe\xef"
    } else {
        b""
    };
    let length = 16 + 4 + 1 + document.len() + checksum.len();
    [
        &(length as u32).to_le_bytes()[..],
        &77u32.to_le_bytes(),
        &answers.to_le_bytes(),
        &2013u32.to_le_bytes(),
        &flags.to_le_bytes(),
        &[0],
        &document,
        checksum,
    ]
    .concat()
}

fn double(name: &str, value: f64) -> Vec<u8> {
    [&[1], name.as_bytes(), &[0], &value.to_le_bytes()[..]].concat()
}

fn int32(name: &str, value: i32) -> Vec<u8> {
    [&[0x10], name.as_bytes(), &[0], &value.to_le_bytes()[..]].concat()
}

fn utf8(name: &str, value: &str) -> Vec<u8> {
    let length = value.len() as u32 + 1;
    [
        &[2],
        name.as_bytes(),
        &[0],
        &length.to_le_bytes()[..],
        value.as_bytes(),
        &[0],
    ]
    .concat()
}

/// What MongoDB answers when it does not do what it is asked: the fields of a command's error.
fn mongodb_error(code: i32, name: &str, text: &str) -> Vec<u8> {
    op_msg(
        1,
        0,
        &[
            double("ok", 0.0),
            utf8("errmsg", text),
            int32("code", code),
            utf8("codeName", name),
        ]
        .concat(),
    )
}

fn kafka(correlation: u32, error: u16) -> Vec<u8> {
    // Produce 0 to 9, and ApiVersions 0 to 3.
    let apis = hex("00000002 0000 0000 0009 0012 0000 0003");
    let content = [&correlation.to_be_bytes()[..], &error.to_be_bytes(), &apis].concat();
    [&(content.len() as u32).to_be_bytes()[..], &content].concat()
}

/// A BindResponse with a resultCode and a diagnosticMessage.
fn ldap(code: u8, text: &str) -> Vec<u8> {
    let result = [
        &[0x0a, 1, code, 0x04, 0, 0x04, text.len() as u8],
        text.as_bytes(),
    ]
    .concat();
    let response = [&[2, 1, 1, 0x61, result.len() as u8], &result[..]].concat();
    [&[0x30, response.len() as u8], &response[..]].concat()
}

// --- Servers ---------------------------------------------------------------------------------------------------------

/// One end of a connection, whatever kind.
pub trait Line: Read + Write {
    fn patience(&self, patience: Duration);
}

impl Line for TcpStream {
    fn patience(&self, patience: Duration) {
        self.set_read_timeout(Some(patience))
            .expect("set a timeout");
    }
}

impl Line for UnixStream {
    fn patience(&self, patience: Duration) {
        self.set_read_timeout(Some(patience))
            .expect("set a timeout");
    }
}

/// How a server keeps to its steps.
#[derive(Clone, Copy, Default)]
pub struct Manner {
    /// A byte at a time.
    pub bytewise: bool,
    /// It stops in this step after so many bytes of its answer.
    pub cut: Option<(usize, usize)>,
    /// It hangs up at the end; otherwise it waits for the other side to do so.
    pub hangs_up: bool,
}

pub const POLITE: Manner = Manner {
    bytewise: false,
    cut: None,
    hangs_up: false,
};

/// Plays the server's part, and returns all that the other side said. An error is a word out of turn, or what the
/// system said: a connection that was reset, or one that was not closed.
fn converse(line: &mut impl Line, steps: &Steps, manner: Manner) -> io::Result<Vec<u8>> {
    let mut heard = Vec::new();
    for (at, (question, answer)) in steps.iter().enumerate() {
        if question.is_empty() {
            // Nobody talks before the greeting.
            line.patience(Duration::from_millis(5));
            match line.read(&mut [0; 1]) {
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                read => return Err(io::Error::other(format!("before the greeting: {read:?}"))),
            }
        }
        line.patience(Duration::from_secs(5));
        let mut words = vec![0; question.len()];
        line.read_exact(&mut words)?;
        heard.extend(words);
        let end = match manner.cut {
            Some((step, end)) if step == at => end,
            _ => answer.len(),
        };
        match manner.bytewise {
            true => answer[..end].iter().try_for_each(|byte| {
                thread::sleep(Duration::from_micros(300));
                line.write_all(&[*byte])
            })?,
            false => line.write_all(&answer[..end])?,
        }
        if manner.cut.is_some_and(|(step, _)| step == at) {
            break;
        }
    }
    if !manner.hangs_up {
        line.read_to_end(&mut heard)?;
    }
    Ok(heard)
}

/// A server that keeps to its steps, and tells what it heard.
pub struct Fake {
    pub server: Server,
    heard: Receiver<io::Result<Vec<u8>>>,
}

impl Fake {
    pub fn new(steps: Steps, manner: Manner) -> Self {
        let (tell, heard) = mpsc::channel();
        let server = Server::new(move |connection| {
            let _ = connection.set_nodelay(true);
            let _ = tell.send(converse(connection, &steps, manner));
        });
        Fake { server, heard }
    }

    /// The target's URL.
    pub fn target(&self, scheme: &str) -> String {
        target(&self.server, scheme)
    }

    /// All that one connection said, once that is over.
    #[track_caller]
    pub fn heard(&self) -> Vec<u8> {
        let heard = self.heard.recv_timeout(Duration::from_secs(10));
        heard
            .expect("a connection that ends")
            .unwrap_or_else(|error| panic!("the server heard no proper conversation: {error}"))
    }
}

fn target(server: &Server, scheme: &str) -> String {
    format!("{scheme}://127.0.0.1:{}", server.port())
}

/// What is expected of a line.
#[derive(Clone, Copy)]
pub enum Said {
    Healthy(&'static str),
    Unhealthy(&'static str),
}

use Said::{Healthy, Unhealthy};

#[track_caller]
pub fn expect(run: &Run, name: &str, said: Said) {
    match said {
        Healthy(text) => run.healthy(&format!("healthy: {name}: {text} in *s")),
        Unhealthy(text) => run.unhealthy(&format!("unhealthy: {name}: {text} (*s)")),
    };
}

fn escaped(bytes: &[u8]) -> String {
    printable(bytes, 100)
}

fn waiting_for(steps: &Steps, step: usize) -> &'static str {
    if steps[step].0.is_empty() {
        "the greeting"
    } else {
        "the reply"
    }
}

// --- The table -------------------------------------------------------------------------------------------------------

fn every_row_has_a_conversation() {
    let tested: Vec<_> = conversations().iter().map(|row| row.scheme).collect();
    let rows: Vec<_> = handshakes().map(|(scheme, _)| scheme).collect();
    assert_eq!(tested, rows);
}

/// The server waits for us to close, so that it sees whether we do it politely.
fn both_sides_of_every_conversation() {
    for row in conversations() {
        let fake = Fake::new(row.steps.clone(), POLITE);
        let name = fake.target(row.scheme);
        expect(&check([&name]), &name, Healthy("answers"));
        let said: Vec<_> = row
            .steps
            .iter()
            .map(|(question, _)| &question[..])
            .collect();
        assert_eq!(
            escaped(&fake.heard()),
            escaped(&[&said.concat()[..], &row.goodbye].concat()),
            "{}",
            row.scheme
        );
    }
}

/// What a server answers, step by step, and what is said of it.
struct State {
    scheme: &'static str,
    replies: Vec<Vec<u8>>,
    said: Said,
}

fn add(states: &mut Vec<State>, scheme: &'static str, rows: &[(&[&[u8]], Said)]) {
    states.extend(rows.iter().map(|(replies, said)| State {
        scheme,
        replies: replies.iter().map(|reply| reply.to_vec()).collect(),
        said: *said,
    }));
}

/// The states that servers tell of, and what only comes near one, for every row.
#[rustfmt::skip]
fn states() -> Vec<State> {
    const AUTHENTICATION: Said = Healthy("answers, wants authentication");
    let mut states = Vec::new();

    // Redis 7.2, src/server.c, createSharedObjects(), and src/networking.c.
    add(&mut states, "redis", &[
        (&[b"-NOAUTH Authentication required.\r\n"], Healthy("answers, wants authentication: -NOAUTH Authentication required.")),
        (&[b"-NOPERM User app has no permissions to run the 'ping' command\r\n"],
         Healthy("answers, refuses this client: -NOPERM User app has no permissions to run the 'ping' command")),
        (&[b"-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. In this mode connections are only accepted from the loopback interface. If you want to connect from external computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode\r\n"],
         Healthy("answers, refuses this client: -DENIED Redis is running in protected mode because protected mode is enabled *...")),
        (&[b"-LOADING Redis is loading the dataset in memory\r\n"],
         Unhealthy("the server says: -LOADING Redis is loading the dataset in memory")),
        (&[b"-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n"],
         Unhealthy("the server says: -MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.")),
        (&[b"-ERR max number of clients reached\r\n"], Unhealthy("the server says: -ERR max number of clients reached")),
        (&[b"-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n"],
         Unhealthy("the server says: -BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.")),
        (&[b"-MISCONF \x1b[31mred\xff\\\r\n"], Unhealthy("the server says: -MISCONF \\x1b[31mred\\xff\\\\")),
        (&[b"+PONG\n"], Healthy("answers")),
        (&[b"+PONGO\r\n"], Unhealthy("not redis: the reply begins with +PONGO\\r\\n")),
        (&[b"+PONG \r\n"], Unhealthy("not redis: the reply begins with +PONG \\r\\n")),
        (&[b"+pong\r\n"], Unhealthy("not redis: the reply begins with +pong\\r\\n")),
        (&[b"$4\r\nPONG\r\n"], Unhealthy("not redis: the reply begins with $4\\r\\nPONG\\r\\n")),
        (&[b"\r\n+PONG\r\n"], Unhealthy("not redis: the reply begins with \\r\\n+PONG\\r\\n")),
        // Other errors, whose names begin like those of a refusal; and a CR that ends no line.
        (&[b"-NOAUTHx\r\n"], Unhealthy("the server says: -NOAUTHx")),
        (&[b"-NOPERMISSION now\r\n"], Unhealthy("the server says: -NOPERMISSION now")),
        (&[b"-DENIEDBYALL\r\n"], Unhealthy("the server says: -DENIEDBYALL")),
        (&[b"+PONG\r\r\n"], Unhealthy("not redis: the reply begins with +PONG\\r\\r\\n")),
    ]);

    // protocol-message-formats.html: AuthenticationXXX; and the texts of src/backend/libpq/auth.c and
    // src/backend/postmaster/postmaster.c of PostgreSQL 16.
    let code = |code: u32, more: &[u8]| postgres(b'R', &[&code.to_be_bytes()[..], more].concat());
    for (number, more) in [
        (2, &b""[..]),
        (3, b""),
        (5, b"salt"),
        (6, b""),
        (7, b""),
        (9, b""),
        (10, b"SCRAM-SHA-256\0\0"),
        (10, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"),
    ] {
        add(&mut states, "postgres", &[(&[&code(number, more)], AUTHENTICATION)]);
    }
    // The documentation gives each its length, and the mechanisms of SASL an end.
    for (number, more) in [
        (0, &b"\0"[..]),
        (3, b"\0"),
        (5, b"sal"),
        (5, b"salty"),
        (7, b"\0\0\0\0"),
        (10, b""),
        (10, b"\0"),
        (10, b"\0\0"),
        (10, b"SCRAM-SHA-256\0"),
        (10, b"SCRAM-SHA-256"),
        (10, b"SCRAM-SHA-256\0\0\0"),
        (10, b"SCRAM-SHA-256\0\0x"),
    ] {
        add(&mut states, "postgres", &[(&[&code(number, more)], Unhealthy("not postgres: *"))]);
    }
    add(&mut states, "postgres", &[
        (&[&postgres_error("28000", "no pg_hba.conf entry for host \"127.0.0.1\", user \"postgres\", no encryption")],
         Healthy("answers, wants authentication: 28000 no pg_hba.conf entry for host \"127.0.0.1\", user \"postgres\", no encryption")),
        (&[&postgres_error("28P01", "password authentication failed for user \"postgres\"")],
         Healthy("answers, wants authentication: 28P01 password authentication failed for user \"postgres\"")),
        (&[&postgres_error("3D000", "database \"postgres\" does not exist")],
         Healthy("answers, refuses this client: 3D000 database \"postgres\" does not exist")),
        (&[&postgres_error("57P03", "the database system is starting up")],
         Unhealthy("the server says: 57P03 the database system is starting up")),
        (&[&postgres_error("57P03", "the database system is shutting down")],
         Unhealthy("the server says: 57P03 the database system is shutting down")),
        (&[&postgres_error("57P03", "the database system is not yet accepting connections")],
         Unhealthy("the server says: 57P03 the database system is not yet accepting connections")),
        (&[&postgres_error("53300", "sorry, too many clients already")], Unhealthy("the server says: 53300 sorry, too many clients already")),
        (&[&postgres_error("XX000", "a\r\nb\x1b[2J")], Unhealthy("the server says: XX000 a\\r\\nb\\x1b[2J")),
        // Fields without an end, and a code that is none of class 28.
        (&[&postgres(b'E', b"SFATAL\0C28000\0Mno entry")], Unhealthy("not postgres: *")),
        (&[&postgres(b'E', b"SFATAL\0C28000\0Mno entry\0")], Unhealthy("not postgres: *")),
        (&[&postgres(b'E', b"SFATAL\0C28000\0\0Mno entry\0\0")], Unhealthy("not postgres: *")),
        (&[&postgres(b'E', b"SFATAL\0C28\0Mno entry\0\0")], Unhealthy("the server says: 28 no entry")),
        // report_fork_failure_to_client(): the old form, without a length.
        (&[b"Ecould not fork new process for connection: Resource temporarily unavailable\n\0"],
         Unhealthy("the server says: could not fork new process for connection: Resource temporarily unavailable\\n")),
        // What answers an SSLRequest is no answer to this.
        (&[b"N"], Unhealthy("not postgres: the reply begins with N")),
        (&[b"S"], Unhealthy("not postgres: the reply begins with S")),
        // AuthenticationSASLContinue, out of turn; and an AuthenticationOk that is too short or too long to be one.
        (&[&code(11, b"")], Unhealthy("not postgres: the reply begins with R\\x00\\x00\\x00\\x08\\x00\\x00\\x00\\x0b")),
        (&[b"R\0\0\0\x04\0\0\0\0"], Unhealthy("not postgres: the reply begins with R\\x00\\x00\\x00\\x04\\x00\\x00\\x00\\x00")),
        (&[b"R\x7f\xff\xff\xff\0\0\0\0"], Unhealthy("not postgres: the reply begins with R\\x7f\\xff\\xff\\xff\\x00\\x00\\x00\\x00")),
    ]);

    // The texts of sql/share/errmsg-utf8.txt; since MySQL 5.5 a SQL state may stand before one.
    add(&mut states, "mysql", &[
        (&[&mysql_error(1045, "#28000Access denied for user 'user'@'localhost' (using password: NO)")],
         Healthy("answers, wants authentication: 1045 Access denied for user 'user'@'localhost' (using password: NO)")),
        (&[&mysql_error(1130, "Host '127.0.0.1' is not allowed to connect to this MariaDB server")],
         Healthy("answers, refuses this client: 1130 Host '127.0.0.1' is not allowed to connect to this MariaDB server")),
        (&[&mysql_error(1040, "Too many connections")], Unhealthy("the server says: 1040 Too many connections")),
        (&[&mysql_error(1040, "#08004Too many connections")], Unhealthy("the server says: 1040 Too many connections")),
        (&[&mysql_error(1129, "Host '127.0.0.1' is blocked because of many connection errors; unblock with 'mariadb-admin flush-hosts'")],
         Unhealthy("the server says: 1129 Host '127.0.0.1' is blocked because of many connection errors; unblock with 'mariadb-admin flush-hosts'")),
        (&[&mysql_error(1053, "Server shutdown in progress")], Unhealthy("the server says: 1053 Server shutdown in progress")),
        (&[&mysql_error(1041, "")], Unhealthy("the server says: 1041")),
        // Protocol 9, a packet out of sequence, a version that does not end or is none, and the X protocol's notice.
        (&[&mysql(0, b"\x095.0\0")], Unhealthy("not mysql: *")),
        (&[&mysql(1, &hex(MYSQL_GREETING))], Unhealthy("not mysql: *")),
        (&[&mysql(0, b"\x0a8.0.36")], Unhealthy("not mysql: *")),
        (&[&mysql(0, b"\x0a\0\x0b\0\0\0")], Unhealthy("not mysql: *")),
        // Nothing behind the version; a filler that is not 0; a scramble's second part, or the reserved bytes, cut off.
        (&[&mysql(0, b"\x0a8.0.36\0")], Unhealthy("not mysql: *")),
        (&[&mysql(0, &hex(&MYSQL_GREETING.replace("434a 00 fff7", "434a 01 fff7")))], Unhealthy("not mysql: *")),
        (&[&mysql(0, &hex(MYSQL_GREETING)[..40])], Unhealthy("not mysql: *")),
        (&[&mysql(0, &hex(MYSQL_GREETING)[..30])], Unhealthy("not mysql: *")),
        // Without capabilities for more, nothing more need follow.
        (&[&mysql(0, &hex("0a 342e302e3330 00 0b000000 6476484049 2d434a 00 2c20 08 0200 00000000000000000000000000"))], Healthy("answers")),
        (&[&mysql(0, &hex("0a 332e32332e3439 00 0b000000 6476484049 2d434a 00 2c20"))], Healthy("answers")),
        (&[&hex("05000000 0b 08051a00")], Unhealthy("not mysql: the reply begins with \\x05\\x00\\x00\\x00\\x0b\\x08\\x05\\x1a\\x00")),
    ]);

    // Section 4.2.2: a server that does not speak the version says which it speaks, and closes. RabbitMQ before 4.0
    // offers 0-9-1, one without the plug-in for 1.0 too; 3 is the protocol of SASL.
    let close = amqp_frame(1, b"\0\x0a\0\x32\x01\x40\x09FORBIDDEN\0\0\0\0");
    let heartbeat = amqp_frame(8, b"");
    let mut bad_end = amqp();
    *bad_end.last_mut().expect("a frame") = 0;
    add(&mut states, "amqp", &[
        (&[b"AMQP\0\x01\0\0"], Unhealthy("the server says: offers protocol AMQP 0.1.0.0 only")),
        (&[b"AMQP\x03\x01\0\0"], Unhealthy("the server says: offers protocol AMQP 3.1.0.0 only")),
        (&[&close], Unhealthy("not amqp: *")),
        (&[&heartbeat], Unhealthy("not amqp: *")),
        (&[&bad_end], Unhealthy("not amqp: *")),
        // Connection.Start of another version; fields that are longer or shorter than the frame; and none.
        (&[&amqp_frame(1, &hex("000a000a 0800 00000000 00000005 504c41494e 00000005 656e5f5553"))], Unhealthy("not amqp: *")),
        (&[&amqp_frame(1, &hex("000a000a 0009 00000001 00000005 504c41494e 00000005 656e5f5553"))], Unhealthy("not amqp: *")),
        (&[&amqp_frame(1, &hex("000a000a 0009 00000000 00000005 504c41494e 00000006 656e5f5553"))], Unhealthy("not amqp: *")),
        (&[&amqp_frame(1, &hex("000a000a 0009 00000000 00000005 504c41494e 00000005 656e5f5553 00"))], Unhealthy("not amqp: *")),
        (&[&amqp_frame(1, &hex("000a000a 0009 00000000 00000005 504c41494e"))], Unhealthy("not amqp: *")),
        (&[&amqp_frame(1, &hex("000a000a"))], Unhealthy("not amqp: *")),
        (&[&hex("01 0000 ffffffff 000a000a")], Unhealthy("not amqp: *")),
        (&[b"AMQX\0\0\x09\x01"], Unhealthy("not amqp: the reply begins with AMQX\\x00\\x00\\t\\x01")),
    ]);

    // memcached 1.6: memcached.c and proto_text.c
    add(&mut states, "memcached", &[
        (&[b"CLIENT_ERROR unauthenticated\r\n"], Healthy("answers, wants authentication: CLIENT_ERROR unauthenticated")),
        (&[b"ERROR Too many open connections\r\n"], Unhealthy("the server says: ERROR Too many open connections")),
        (&[b"SERVER_ERROR out of memory\r\n"], Unhealthy("the server says: SERVER_ERROR out of memory")),
        (&[b"ERROR\r\n"], Unhealthy("the server says: ERROR")),
        (&[b"VERSION\r\n"], Unhealthy("not memcached: the reply begins with VERSION\\r\\n")),
        (&[b"VERSION \r\n"], Unhealthy("not memcached: the reply begins with VERSION \\r\\n")),
        (&[b"ERRORS\r\n"], Unhealthy("not memcached: the reply begins with ERRORS\\r\\n")),
        (&[b"CLIENT_ERROR unauthenticatedly\r\n"], Unhealthy("the server says: CLIENT_ERROR unauthenticatedly")),
    ]);

    // RFC 5321, sections 4.2.1 (several lines), 3.1 (554) and 4.2.2; texts of Postfix and Exim.
    let banner = b"220 mail.example.com ESMTP Postfix\r\n";
    add(&mut states, "smtp", &[
        (&[b"220-mail.example.com ESMTP Exim 4.96\r\n220-We do not authorize the use of this system\r\n220 to send spam.\r\n", b"250-mail.example.com Hello localhost\r\n250 HELP\r\n"],
         Healthy("answers")),
        (&[b"220\r\n", b"250\r\n"], Healthy("answers")),
        (&[b"421 4.3.2 All server ports are busy\r\n"], Unhealthy("the server says: 421 4.3.2 All server ports are busy")),
        (&[b"554 5.7.1 No SMTP service here\r\n"], Unhealthy("the server says: 554 5.7.1 No SMTP service here")),
        (&[b"554-mail.example.com\r\n554 Your access to this mail system has been rejected\r\n"],
         Unhealthy("the server says: 554-mail.example.com")),
        (&[banner, b"451 4.3.0 Temporary system problem. Try again later\r\n"],
         Unhealthy("the server says: 451 4.3.0 Temporary system problem. Try again later")),
        (&[banner, b"501 Syntactically invalid HELO argument(s)\r\n"], Unhealthy("the server says: 501 Syntactically invalid HELO argument(s)")),
        (&[banner, b"354 Go on\r\n"], Unhealthy("not smtp: the reply begins with 354 Go on\\r\\n")),
        // A reply code is three digits, and then a blank, a hyphen or the end of the line.
        (&[banner, b"251\r\n"], Healthy("answers")),
        (&[banner, b"25\r\n"], Unhealthy("not smtp: the reply begins with 25\\r\\n")),
        (&[banner, b"25 ok\r\n"], Unhealthy("not smtp: the reply begins with 25 ok\\r\\n")),
        (&[banner, b"25x ok\r\n"], Unhealthy("not smtp: the reply begins with 25x ok\\r\\n")),
        (&[banner, b"2550 ok\r\n"], Unhealthy("not smtp: the reply begins with 2550 ok\\r\\n")),
        (&[banner, b"250x-ok\r\n"], Unhealthy("not smtp: the reply begins with 250x-ok\\r\\n")),
        (&[banner, b"55 no\r\n"], Unhealthy("not smtp: the reply begins with 55 no\\r\\n")),
        (&[b"42 is the answer\r\n"], Unhealthy("not smtp: the reply begins with 42 is the answer\\r\\n")),
        (&[b"5540 no\r\n"], Unhealthy("not smtp: the reply begins with 5540 no\\r\\n")),
        (&[b"554\r\n"], Unhealthy("the server says: 554")),
        (&[b"* OK ready\r\n"], Unhealthy("not smtp: the reply begins with * OK ready\\r\\n")),
    ]);

    // RFC 4511, appendix A.1; texts of OpenLDAP 2.5's servers/slapd/bind.c and connection.c.
    add(&mut states, "ldap", &[
        // Active Directory's lengths of four bytes; BER allows one and two as well.
        (&[&hex("3084 00000010 020101 6184 00000007 0a0100 0400 0400")], Healthy("answers")),
        (&[&hex("3081 0c 020101 6107 0a0100 0400 0400")], Healthy("answers")),
        (&[&hex("3082 000c 020101 6107 0a0100 0400 0400")], Healthy("answers")),
        (&[&ldap(48, "anonymous bind disallowed")], Healthy("answers, wants authentication: 48 anonymous bind disallowed")),
        (&[&ldap(53, "authentication required")], Healthy("answers, wants authentication: 53 authentication required")),
        (&[&ldap(53, "")], Healthy("answers, wants authentication: 53")),
        (&[&ldap(51, "")], Unhealthy("the server says: result code 51")),
        (&[&ldap(52, "shutting down")], Unhealthy("the server says: result code 52 shutting down")),
        (&[&ldap(2, "historical protocol version requested, use LDAPv3 instead")],
         Unhealthy("the server says: result code 2 historical protocol version requested, use LDAPv3 instead")),
        // Two bytes of result code: 256 is not 0.
        (&[&hex("300d 020101 6108 0a020100 0400 0400")], Unhealthy("the server says: result code 256")),
        // Section 4.4.1, the notice of disconnection: unavailable.
        (&[&[&hex("3026 020100 7821 0a0134 0400 0402 6279 8a16")[..], b"1.3.6.1.4.1.1466.20036"].concat()],
         Unhealthy("the server says: result code 52 by")),
        // Another message id, another operation, and a length beyond reason.
        (&[&hex("300c 020102 6107 0a0100 0400 0400")], Unhealthy("not ldap: *")),
        (&[&hex("300c 020101 6507 0a0100 0400 0400")], Unhealthy("not ldap: *")),
        (&[&hex("3084 7fffffff 020101")], Unhealthy("not ldap: the reply begins with 0\\x84\\x7f\\xff\\xff\\xff\\x02\\x01\\x01")),
        (&[&hex("3080 020101 6107 0a0100 0400 0400 0000")], Unhealthy("not ldap: *")),
        // A result code without a byte, of five bytes, and of two where one would do; one that is no ENUMERATED.
        (&[&hex("300b 020101 6106 0a00 0400 0400")], Unhealthy("not ldap: *")),
        (&[&hex("3010 020101 610b 0a050100000000 0400 0400")], Unhealthy("not ldap: *")),
        (&[&hex("300d 020101 6108 0a020000 0400 0400")], Unhealthy("not ldap: *")),
        (&[&hex("300c 020101 6107 020100 0400 0400")], Unhealthy("not ldap: *")),
        // Strings that are none, elements that reach beyond what holds them, and one that is missing.
        (&[&hex("300c 020101 6107 0a0100 0200 0400")], Unhealthy("not ldap: *")),
        (&[&hex("300c 020101 6107 0a0100 0400 0200")], Unhealthy("not ldap: *")),
        (&[&hex("300c 020101 6107 0a0100 0400 0401")], Unhealthy("not ldap: *")),
        (&[&hex("300c 020101 6108 0a0100 0400 0400")], Unhealthy("not ldap: *")),
        (&[&hex("300a 020101 6105 0a0100 0400")], Unhealthy("not ldap: *")),
        (&[&hex("300e 020101 6107 0a0100 0400 0400 8701")], Unhealthy("not ldap: *")),
        // Section 4: what is added at the end must be ignored. Here controls, and serverSaslCreds.
        (&[&hex("3010 020101 6109 0a0100 0400 0400 8700 a000")], Healthy("answers")),
        // A notice of disconnection whose id or code are of another type.
        (&[&hex("300c 040100 7807 0a0134 0400 0400")], Unhealthy("not ldap: *")),
        (&[&hex("300c 020100 7807 020134 0400 0400")], Unhealthy("not ldap: *")),
    ]);

    // ZooKeeper 3.8: NopCommand, and AbstractFourLetterCommand's ZK_NOT_SERVING.
    add(&mut states, "zookeeper", &[
        (&[b"ruok is not executed because it is not in the whitelist.\n"],
         Healthy("answers, refuses this client: ruok is not executed because it is not in the whitelist.")),
        (&[b"This ZooKeeper instance is not currently serving requests\n"],
         Unhealthy("the server says: This ZooKeeper instance is not currently serving requests")),
        (&[b"imnotok"], Unhealthy("not zookeeper: the reply begins with imnotok")),
        (&[b"imokay\n"], Unhealthy("not zookeeper: the reply begins with imokay\\n")),
    ]);

    // The codes are those of src/mongo/base/error_codes.yml.
    let nested = [&b"\x03topology\0"[..], &(double("ok", 0.0).len() as u32 + 5).to_le_bytes(), &double("ok", 0.0), &[0], &double("ok", 1.0)].concat();
    let document = |document: &[u8]| {
        let length = (document.len() as u32 + 21).to_le_bytes();
        [&length[..], &hex("4d000000 01000000 dd070000 00000000 00"), document].concat()
    };
    let mut no_checksum = op_msg(1, 0, &double("ok", 1.0));
    no_checksum[16] = 1;
    add(&mut states, "mongodb", &[
        (&[&op_msg(1, 0, &int32("ok", 1))], Healthy("answers")),
        (&[&op_msg(1, 0, b"\x08ok\0\x01")], Healthy("answers")),
        (&[&op_msg(1, 1, &double("ok", 1.0))], Healthy("answers")),
        (&[&op_msg(1, 0, &nested)], Healthy("answers")),
        (&[&mongodb_error(13, "Unauthorized", "command ping requires authentication")],
         Healthy("answers, wants authentication: 13 command ping requires authentication")),
        (&[&mongodb_error(18, "AuthenticationFailed", "Authentication failed.")],
         Healthy("answers, wants authentication: 18 Authentication failed.")),
        (&[&mongodb_error(11600, "InterruptedAtShutdown", "interrupted at shutdown")],
         Unhealthy("the server says: 11600 interrupted at shutdown")),
        (&[&mongodb_error(91, "ShutdownInProgress", "The server is in quiesce mode and will shut down")],
         Unhealthy("the server says: 91 The server is in quiesce mode and will shut down")),
        (&[&op_msg(1, 0, &double("ok", 0.0))], Unhealthy("the server says: 0")),
        // An answer to somebody else, a number that is neither, none at all, and the reply of the old protocol.
        (&[&op_msg(2, 0, &double("ok", 1.0))], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 0, &double("ok", 2.0))], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 0, &utf8("ok", "1"))], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 0, &double("okay", 1.0))], Unhealthy("not mongodb: *")),
        // A document that is longer or shorter than the message, that has no end, or more behind its end; elements that
        // do not fit; a checksum that is announced and not there; and flags that must not be set.
        (&[&document(&[&hex("14000000")[..], &double("ok", 1.0), &[0]].concat())], Unhealthy("not mongodb: *")),
        (&[&document(&[&hex("12000000")[..], &double("ok", 1.0), &[0]].concat())], Unhealthy("not mongodb: *")),
        (&[&document(&[&hex("10000000")[..], &double("ok", 1.0)].concat())], Unhealthy("not mongodb: *")),
        (&[&document(&[&hex("15000000")[..], &double("ok", 1.0), &[0, 0, 0, 0, 0]].concat())], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 0, &[&double("ok", 1.0)[..], b"\x02a\0\x09\0\0\0b\0"].concat())], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 0, &[&double("ok", 1.0)[..], b"\x02a\0\x02\0\0\0bc"].concat())], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 0, &[&double("ok", 1.0)[..], b"\x02a\0\0\0\0\0"].concat())], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 0, &[&double("ok", 1.0)[..], b"\x03a\0\x04\0\0\0"].concat())], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 0, &[&double("ok", 1.0)[..], b"\x99a\0"].concat())], Unhealthy("not mongodb: *")),
        (&[&no_checksum], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 2, &double("ok", 1.0))], Unhealthy("not mongodb: *")),
        (&[&op_msg(1, 0x1_0000, &double("ok", 1.0))], Healthy("answers")),
        (&[&op_msg(1, 0, &[&b"\x0aa\0\x07b\0"[..], &[7; 12], b"\x05c\0\x03\0\0\0\0abc", &double("ok", 1.0)].concat())], Healthy("answers")),
        (&[&hex("24000000 4d000000 01000000 01000000 08000000 0000000000000000 00000000 00000000")], Unhealthy("not mongodb: *")),
    ]);

    // MQTT 3.1.1, table 3.1; the others are MQTT 5.0, table 3-1, from brokers that speak nothing older.
    add(&mut states, "mqtt", &[
        (&[&hex("20020001")], Healthy("answers, refuses this client: does not speak MQTT 3.1.1")),
        (&[&hex("20020002")], Healthy("answers, refuses this client: wants a client identifier")),
        (&[&hex("20020003")], Unhealthy("the server says: server unavailable")),
        (&[&hex("20020004")], Healthy("answers, wants authentication: bad user name or password")),
        (&[&hex("20020005")], Healthy("answers, wants authentication: not authorized")),
        (&[&hex("20020006")], Unhealthy("the server says: return code 6")),
        (&[&hex("2003008400")], Healthy("answers, refuses this client: does not speak MQTT 3.1.1")),
        (&[&hex("2003008700")], Healthy("answers, wants authentication: not authorized")),
        (&[&hex("2003008800")], Unhealthy("the server says: server unavailable")),
        (&[&hex("2003009700")], Unhealthy("the server says: return code 151")),
        // PINGRESP, and a CONNACK without a return code.
        (&[&hex("d000")], Unhealthy("not mqtt: the reply begins with \\xd0\\x00")),
        (&[&hex("2001 00")], Unhealthy("not mqtt: the reply begins with  \\x01\\x00")),
        // Flags that are reserved, in the header and in the acknowledgement; a session where a clean one was asked for.
        (&[&hex("21020000")], Unhealthy("not mqtt: the reply begins with !\\x02\\x00\\x00")),
        (&[&hex("20020100")], Unhealthy("not mqtt: *")),
        (&[&hex("20020200")], Unhealthy("not mqtt: *")),
        (&[&hex("2002ff00")], Unhealthy("not mqtt: *")),
        (&[&hex("20020105")], Unhealthy("not mqtt: *")),
        (&[&hex("2003018700")], Unhealthy("not mqtt: *")),
        // MQTT 5.0, section 3.2.2.3: properties, and their length. It says nothing good of a client of 3.1.1.
        (&[&hex("2006008703 1f0000")], Healthy("answers, wants authentication: not authorized")),
        (&[&hex("2003008701")], Unhealthy("not mqtt: *")),
        (&[&hex("20040087 0000")], Unhealthy("not mqtt: *")),
        (&[&hex("2003000000")], Unhealthy("not mqtt: *")),
    ]);

    // nats-server 2.10, server/errors.go
    add(&mut states, "nats", &[
        (&[NATS_INFO, b"+OK\r\nPING\r\nPONG\r\n"], Healthy("answers")),
        (&[NATS_INFO, &[NATS_INFO, b"PONG\r\n"].concat()], Healthy("answers")),
        (&[NATS_INFO, b"-ERR 'Authorization Violation'\r\n"], Healthy("answers, wants authentication: -ERR 'Authorization Violation'")),
        (&[NATS_INFO, b"-ERR 'Authentication Timeout'\r\n"], Healthy("answers, wants authentication: -ERR 'Authentication Timeout'")),
        (&[NATS_INFO, b"-ERR 'Secure Connection - TLS Required'\r\n"],
         Healthy("answers, refuses this client: -ERR 'Secure Connection - TLS Required'")),
        (&[NATS_INFO, b"-ERR 'maximum connections exceeded'\r\n"], Unhealthy("the server says: -ERR 'maximum connections exceeded'")),
        (&[b"-ERR 'maximum connections exceeded'\r\n"], Unhealthy("the server says: -ERR 'maximum connections exceeded'")),
        (&[NATS_INFO, b"MSG a 1 0\r\n\r\n"], Unhealthy("not nats: the reply begins with MSG a 1 0\\r\\n\\r\\n")),
        (&[b"INFO \r\n"], Unhealthy("not nats: the reply begins with INFO \\r\\n")),
        (&[NATS_INFO, b"-ERR 'Authorization Violations'\r\n"], Unhealthy("the server says: -ERR 'Authorization Violations'")),
        (&[NATS_INFO, b"-ERR 'Authentications'\r\n"], Unhealthy("the server says: -ERR 'Authentications'")),
    ]);

    // https://kafka.apache.org/protocol#protocol_error_codes: 35 is UNSUPPORTED_VERSION, with an empty list.
    add(&mut states, "kafka", &[
        (&[&hex("0000000a 00000001 0023 00000000")], Healthy("answers")),
        (&[&kafka(1, 42)], Unhealthy("the server says: error code 42")),
        (&[&kafka(2, 0)], Unhealthy("not kafka: *")),
        (&[&hex("00000004 00000001 0000")], Unhealthy("not kafka: the reply begins with \\x00\\x00\\x00\\x04\\x00\\x00\\x00\\x01\\x00\\x00")),
        (&[&hex("7fffffff 00000001 0000")], Unhealthy("not kafka: *")),
        // A list that is longer or shorter than the message, and none.
        (&[&hex("00000010 00000001 0000 00000002 000000000009")], Unhealthy("not kafka: *")),
        (&[&hex("00000010 00000001 0000 00000000 000000000009")], Unhealthy("not kafka: *")),
        (&[&hex("00000011 00000001 0000 00000001 000000000009 00")], Unhealthy("not kafka: *")),
        (&[&hex("0000000f 00000001 0000 00000001 0000000000")], Unhealthy("not kafka: *")),
        (&[&hex("00000006 00000001 0000")], Unhealthy("not kafka: *")),
        (&[&hex("0000000a 00000001 0023 00000001")], Unhealthy("not kafka: *")),
        (&[&hex("00000010 00000001 0023 00000001 001200000003")], Healthy("answers")),
    ]);


    // OpenSSH's sshd.c, and RFC 4253, section 5.1.
    add(&mut states, "ssh", &[
        (&[b"SSH-1.99-Cisco-1.25\n"], Healthy("answers")),
        (&[b"Exceeded MaxStartups\r\n"], Unhealthy("the server says: Exceeded MaxStartups")),
        (&[b"Not allowed at this time\r\n"], Unhealthy("the server says: Not allowed at this time")),
        // Section 4.2: SSH-protoversion-softwareversion, of protocol 2.0; and lines before it.
        (&[b"SSH-\r\n"], Unhealthy("not ssh: the reply begins with SSH-\\r\\n*")),
        (&[b"SSH-2.0\r\n"], Unhealthy("not ssh: the reply begins with SSH-2.0\\r\\n*")),
        (&[b"SSH-2.0-\r\n"], Unhealthy("not ssh: the reply begins with SSH-2.0-\\r\\n*")),
        (&[b"SSH-2.0- OpenSSH\r\n"], Unhealthy("not ssh: the reply begins with SSH-2.0- OpenSSH\\r\\n*")),
        (&[b"SSH-2.0x-OpenSSH\r\n"], Unhealthy("not ssh: the reply begins with SSH-2.0x-OpenSSH\\r\\n*")),
        (&[b"SSH-1.5-1.2.27\r\n"], Unhealthy("the server says: SSH-1.5-1.2.27")),
        (&[b"SSH-3.0-Future\r\n"], Unhealthy("the server says: SSH-3.0-Future")),
        (&["Private system.\r\nGrüße\n\r\nSSH-2.0-OpenSSH_9.2p1\r\n".as_bytes()], Healthy("answers")),
        (&[b"Private system.\r\nExceeded MaxStartups\r\n"], Unhealthy("the server says: Exceeded MaxStartups")),
        (&[b"Private system.\r\nSSH-2.0-\r\n"], Unhealthy("not ssh: the reply begins with Private system.\\r\\nSSH-2.0-\\r\\n")),
        (&[b"Private system.\r\n\0\0\0\r\n"], Unhealthy("not ssh: the reply begins with Private system.*")),
    ]);
    // RFC 959, section 5.4; texts of vsftpd, ProFTPD and Pure-FTPd.
    add(&mut states, "ftp", &[
        (&[b"220---------- Welcome to Pure-FTPd ----------\r\n220 You will be disconnected.\r\n"], Healthy("answers")),
        (&[b"120 Service ready in 2 minutes.\r\n220 Now.\r\n"], Healthy("answers")),
        (&[b"421 There are too many connected users, please try later.\r\n"], Unhealthy("the server says: 421 There are too many connected users, please try later.")),
        (&[b"500 OOPS: vsftpd: refusing to run\r\n"], Unhealthy("the server says: 500 OOPS: vsftpd: refusing to run")),
        (&[b"2200 what\r\n"], Unhealthy("not ftp: the reply begins with 2200 what\\r\\n")),
        (&[b"1200 what\r\n"], Unhealthy("not ftp: the reply begins with 1200 what\\r\\n")),
        (&[b"42 what\r\n"], Unhealthy("not ftp: the reply begins with 42 what\\r\\n")),
        (&[b"5000 what\r\n"], Unhealthy("not ftp: the reply begins with 5000 what\\r\\n")),
        (&[b"421-Too many\r\n421 users\r\n"], Unhealthy("the server says: 421-Too many")),
    ]);
    // RFC 1939, section 4; RFC 3206.
    add(&mut states, "pop3", &[
        (&[b"+OK\r\n"], Healthy("answers")),
        (&[b"-ERR [SYS/TEMP] try again\r\n"], Unhealthy("the server says: -ERR [SYS/TEMP] try again")),
        (&[b"+OKAY\r\n"], Unhealthy("not pop3: the reply begins with +OKAY\\r\\n")),
        (&[b"-ERROR\r\n"], Unhealthy("not pop3: the reply begins with -ERROR\\r\\n")),
    ]);
    // RFC 3501, sections 7.1.4 and 7.1.5.
    add(&mut states, "imap", &[
        (&[b"* PREAUTH IMAP4rev1 server logged in as Smith\r\n"], Healthy("answers")),
        (&[b"* BYE Too many connections\r\n"], Unhealthy("the server says: * BYE Too many connections")),
        (&[b"* OKAY\r\n"], Unhealthy("not imap: the reply begins with * OKAY\\r\\n")),
        (&[b"* NO thanks\r\n"], Unhealthy("not imap: the reply begins with * NO thanks\\r\\n")),
        (&[b"* PREAUTHx\r\n"], Unhealthy("not imap: the reply begins with * PREAUTHx\\r\\n")),
        (&[b"* BYEBYE\r\n"], Unhealthy("not imap: the reply begins with * BYEBYE\\r\\n")),
    ]);
    let server_hello = |right: &str, wrong: &str| {
        assert_eq!(SERVER_HELLO.matches(right).count(), 1, "{right}");
        hex(&SERVER_HELLO.replace(right, wrong))
    };
    // RFC 8446, section 6: handshake_failure, protocol_version; a level that is none; RFC 8446, section 4: a
    // ClientHello from the wrong side.
    add(&mut states, "tls", &[
        (&[&hex("15 0303 0002 0228")], Healthy("answers, refuses this client: TLS alert 40")),
        (&[&hex("15 0301 0002 0246")], Healthy("answers, refuses this client: TLS alert 70")),
        (&[&hex("15 0303 0002 0328")], Unhealthy("not tls: *")),
        (&[&hex("16 0303 0004 01 000000")], Unhealthy("not tls: *")),
        (&[&hex("16 0303 ffff 02 000000")], Unhealthy("not tls: *")),
        (&[&hex("16 0200 0004 02 000000")], Unhealthy("not tls: *")),
        // Section 6.2: whom we are is refused, and the name that we ask for; and with TLS 1.2 the latter can be a warning.
        (&[&hex("15 0303 0002 0270")], Healthy("answers, refuses this client: TLS alert 112")),
        (&[&hex("15 0303 0002 0170")], Healthy("answers, refuses this client: TLS alert 112")),
        (&[&hex("15 0303 0002 0274")], Healthy("answers, refuses this client: TLS alert 116")),
        (&[&hex("15 0303 0002 0278")], Healthy("answers, refuses this client: TLS alert 120")),
        // What has nothing to do with the client; alerts that a proper ClientHello never meets with; the end; and unknown ones.
        (&[&hex("15 0303 0002 0250")], Unhealthy("the server says: TLS alert 80, internal_error")),
        (&[&hex("15 0303 0002 020a")], Unhealthy("the server says: TLS alert 10")),
        (&[&hex("15 0303 0002 0232")], Unhealthy("the server says: TLS alert 50")),
        (&[&hex("15 0303 0002 0100")], Unhealthy("the server says: TLS alert 0")),
        (&[&hex("15 0303 0002 02ff")], Unhealthy("the server says: TLS alert 255")),
        // A ServerHello of one byte, one without a body, and one that is longer than its record.
        (&[&hex("16 0303 0001 02")], Unhealthy("not tls: *")),
        (&[&hex("16 0303 0004 02 000000")], Unhealthy("not tls: *")),
        (&[&server_hello("16 0303 005a", "16 0303 0059")], Unhealthy("not tls: *")),
        // A version that is none, a session id and extensions that are too long, a compression that was not offered.
        (&[&server_hello("000056 0303", "000056 0304")], Unhealthy("not tls: *")),
        (&[&server_hello("000056 0303", "000056 0203")], Unhealthy("not tls: *")),
        (&[&server_hello("28 00 1301", "28 30 1301")], Unhealthy("not tls: *")),
        (&[&server_hello("1301 00 002e", "1301 01 002e")], Unhealthy("not tls: *")),
        (&[&server_hello("1301 00 002e", "1301 00 002f")], Unhealthy("not tls: *")),
        (&[&server_hello("1301 00 002e", "1301 00 002d")], Unhealthy("not tls: *")),
        // TLS 1.2 without extensions, and the next message in the same record.
        (&[&hex(&format!("16 0303 002e 02 000026 0303 {} 00 c02f 00 0e 000000", "5a".repeat(32)))], Healthy("answers")),
    ]);
    states
}

/// Whoever speaks the protocol hears the goodbye too, unless it waits for a password.
fn every_state_of_a_server() {
    let conversations = conversations();
    for state in states() {
        let row = conversations
            .iter()
            .find(|row| row.scheme == state.scheme)
            .expect("a row of the table");
        let steps = row.answered(&state.replies);
        let mut wanted: Vec<u8> = steps
            .iter()
            .flat_map(|(question, _)| question.clone())
            .collect();
        let silent = match state.said {
            Healthy(text) => text != "answers",
            Unhealthy(text) => text.starts_with("not "),
        };
        if !silent {
            wanted.extend(&row.goodbye);
        }
        let fake = Fake::new(steps, POLITE);
        let name = fake.target(row.scheme);
        expect(&check([&name]), &name, state.said);
        let heard = fake.heard();
        // A greeting was proper before something else was not.
        let after_a_step = state.replies.len() > 1 && heard.ends_with(&row.goodbye);
        assert!(
            heard == wanted || after_a_step,
            "{}: {:?}: {}",
            row.scheme,
            state.replies,
            escaped(&heard)
        );
    }
}

// --- What can go wrong, for every row --------------------------------------------------------------------------------

fn hang_up_after_each_prefix() {
    for row in conversations() {
        for (step, (_, answer)) in row.steps.iter().enumerate() {
            for end in 0..answer.len() {
                let manner = Manner {
                    cut: Some((step, end)),
                    hangs_up: true,
                    ..POLITE
                };
                let fake = Fake::new(row.steps.clone(), manner);
                let name = fake.target(row.scheme);
                let until_then = match end {
                    0 => String::new(),
                    _ => format!("; until then: {}", escaped(&answer[..end])),
                };
                check([&name]).unhealthy(&format!(
                    "unhealthy: {name}: connection closed while waiting for {}{until_then} (*s)",
                    waiting_for(&row.steps, step)
                ));
            }
        }
    }
}

fn a_byte_at_a_time() {
    for row in conversations() {
        let manner = Manner {
            bytewise: true,
            ..POLITE
        };
        let fake = Fake::new(row.steps.clone(), manner);
        let name = fake.target(row.scheme);
        expect(&check([&name]), &name, Healthy("answers"));
        fake.heard();
    }
    // Nor does it matter to what is not healthy. (`imok` is all that ZooKeeper says, and no end of line follows it: whether
    // it is `imokay` is a matter of time.)
    let conversations = conversations();
    let unlike = |state: &State| !state.replies[0].starts_with(b"imok");
    for state in states().into_iter().filter(unlike) {
        let row = conversations
            .iter()
            .find(|row| row.scheme == state.scheme)
            .expect("a row of the table");
        let steps = row.answered(&state.replies);
        let manner = Manner {
            bytewise: true,
            ..POLITE
        };
        let fake = Fake::new(steps, manner);
        let name = fake.target(row.scheme);
        match state.said {
            // As soon as it cannot be the protocol any more, nobody waits for the rest of it.
            Unhealthy(text) if text.starts_with("not ") => expect(
                &check([&name]),
                &name,
                Unhealthy("not *: the reply begins with *"),
            ),
            said => expect(&check([&name]), &name, said),
        }
    }
}

/// As long as a reply can still become another, it is incomplete: one that is healthy or unhealthy is so with its last byte,
/// and one of another protocol is never healthy on the way there.
fn no_verdict_before_its_time() {
    for state in states() {
        let row = handshakes().find(|(scheme, _)| *scheme == state.scheme);
        let Judge::Bytes(judge) = row.expect("a row of the table").1.steps[0].judge else {
            continue;
        };
        let reply = &state.replies[0];
        // Nothing marks the end of `imok` but that nothing follows.
        if reply.starts_with(b"imok") {
            continue;
        }
        let alien = matches!(state.said, Unhealthy(text) if text.starts_with("not "));
        for end in 1..reply.len() {
            let seen = judge(&reply[..end]);
            let fits = seen == Reply::Incomplete || alien && seen == Reply::WrongProtocol;
            assert!(
                fits,
                "{}: {seen:?}: {}",
                state.scheme,
                escaped(&reply[..end])
            );
        }
        let seen = judge(reply);
        let fits = match seen {
            Reply::WrongProtocol => alien,
            // What comes behind a reply is no part of it.
            Reply::Ok(bytes) => bytes == reply.len() && matches!(state.said, Healthy("answers")),
            Reply::Incomplete => false,
            _ => !alien,
        };
        assert!(fits, "{}: {seen:?}: {}", state.scheme, escaped(reply));
    }
}

/// A server that says nothing, one that stops in the middle, and one that would take for ever.
fn silence_and_drips() {
    let rows = conversations();
    let kinds = ["silence", "half", "drip"];
    let all: Vec<_> = rows
        .iter()
        .flat_map(|row| kinds.map(|kind| (row, kind)))
        .collect();
    // Some at a time, because each takes a while, and several descriptors.
    for some in all.chunks(6) {
        thread::scope(|scope| {
            for &(row, kind) in some {
                scope.spawn(move || silent_or_dripping(row, kind));
            }
        });
    }
}

fn silent_or_dripping(row: &Conversation, kind: &'static str) {
    let (question, answer) = row.steps[0].clone();
    let server = Server::new(move |connection| {
        let mut words = vec![0; question.len()];
        let _ = connection.read_exact(&mut words);
        match kind {
            "half" => drop(connection.write_all(&answer[..answer.len() / 2])),
            "drip" => {
                for byte in &answer[..answer.len() - 1] {
                    thread::sleep(Duration::from_millis(130));
                    if connection.write_all(&[*byte]).is_err() {
                        break;
                    }
                }
            }
            _ => {}
        }
        let _ = connection.read_to_end(&mut words);
    });
    let name = target(&server, row.scheme);
    let sent = if row.steps[0].0.is_empty() {
        ""
    } else {
        "request sent, "
    };
    let run = check(["-t", "300ms", &name]);
    run.unhealthy(&format!(
        "unhealthy: {name}: no response within 300 ms: connected, {sent}waiting for {}",
        waiting_for(&row.steps, 0)
    ))
    .within(Duration::from_secs(3));
    assert!(run.took >= Duration::from_millis(300), "{run}");
}

fn garbage() {
    let garbage: [&[u8]; 6] = [
        b"\xde\xad\xbe\xef\x00\xff\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10",
        &[0; 40],
        &[0xff; 40],
        b"\r\n\r\n\r\n\r\n\r\n\r\n",
        b"What do you want from me?\r\n",
        b"{\"status\":\"UP\",\"text\":\"\\u0000\"}",
    ];
    for row in conversations() {
        for reply in garbage {
            let question = row.steps[0].0.clone();
            // RFC 4253, section 4.2: an SSH server may send other lines first.
            if row.scheme == "ssh" && reply.is_ascii() && !reply.contains(&0) {
                continue;
            }
            let fake = Fake::new(vec![(question.clone(), reply.to_vec())], POLITE);
            let name = fake.target(row.scheme);
            check([&name]).unhealthy(&format!(
                "unhealthy: {name}: not {}: the reply begins with {} (*s)",
                row.scheme,
                escaped(reply)
            ));
            // Nothing of our protocol is said to what does not speak it.
            assert_eq!(escaped(&fake.heard()), escaped(&question), "{name}");
        }
        // A server that echoes is alive, and yet nothing of what it should be.
        let question = &row.steps[0].0;
        if !question.is_empty() {
            let manner = Manner {
                hangs_up: true,
                ..POLITE
            };
            let fake = Fake::new(vec![(question.clone(), question.clone())], manner);
            let name = fake.target(row.scheme);
            let said = match row.scheme {
                // The echo of a version is an offer of it, and "ruok" begins like "ruok is not executed".
                "amqp" => "the server says: offers protocol AMQP 0.0.9.1 only",
                "zookeeper" => "connection closed while waiting for the reply; until then: ruok",
                _ => "not *: the reply begins with *",
            };
            expect(&check([&name]), &name, Unhealthy(said));
        }
    }
}

/// What a server can go on with for ever, behind so many proper answers, and what is said of it.
#[expect(
    clippy::type_complexity,
    reason = "a table, whose columns the line above names"
)]
#[rustfmt::skip]
fn endless_replies() {
    const LONG: &str = "a reply of more than 64 KiB";
    let mysql_start = [&hex("00100000 0a")[..], b"8.0"].concat();
    let rows: &[(&str, usize, &[u8], &[u8], &str)] = &[
        ("redis", 0, b"+PONG", b"G", "not redis: the reply begins with +PONGG*"),
        ("redis", 0, b"-LOADING", b" and loading", LONG),
        ("postgres", 0, b"E", b"could not fork ", LONG),
        ("postgres", 0, b"R\0\0\x10\0\0\0\0\0", b"R", "not postgres: *"),
        ("postgres", 0, b"R\0\0\x10\0\0\0\0\x0a", b"R", "not postgres: *"),
        ("mysql", 0, &mysql_start, b"x", "not mysql: *"),
        ("amqp", 0, b"\x01\0\0\0\0\x40\0\0\x0a\0\x0a", b"\xcd", "not amqp: *"),
        ("memcached", 0, b"VERSION ", b"1.6.", LONG),
        ("smtp", 0, b"", b"220-and another line\r\n", LONG),
        ("smtp", 1, b"", b"250-and another line\r\n", LONG),
        ("ldap", 0, b"\x30\x82\x3f\xff\x02\x01\x01", b"\0", "not ldap: *"),
        ("zookeeper", 0, b"ruok is not executed", b" because", LONG),
        ("mongodb", 0, b"\xff\xbf\0\0\0\0\0\0\x01\0\0\0\xdd\x07\0\0\0\0\0\0\0", b"\x01", "not mongodb: *"),
        ("mqtt", 0, b"\x20\x7f", b"\0", "not mqtt: *"),
        ("nats", 0, b"INFO ", b"{", LONG),
        ("nats", 1, b"", b"INFO {}\r\nPING\r\n", LONG),
        ("kafka", 0, b"\0\0\x7f\xff\0\0\0\x01\0\x2a", b"\0", "not kafka: *"),
        ("ssh", 0, b"SSH-2.0-", b"2.0", LONG),
        ("ssh", 0, b"", b"another line\r\n", LONG),
        ("ftp", 0, b"", b"120 soon\r\n", LONG),
        ("pop3", 0, b"+OK", b" soon", LONG),
        ("imap", 0, b"* OK", b" soon", LONG),
        ("tls", 0, b"\x16\x03\x03\xff\xff\x02", b"\0", "not tls: *"),
    ];
    let conversations = conversations();
    for row in &conversations {
        assert!(rows.iter().any(|(scheme, ..)| *scheme == row.scheme), "{}", row.scheme);
    }
    for &(scheme, answers, start, more, said) in rows {
        let row = conversations.iter().find(|row| row.scheme == scheme);
        let steps = row.expect("a row of the table").steps.clone();
        let (start, more) = (start.to_vec(), more.repeat(1000));
        let server = Server::new(move |connection| {
            for (at, (question, answer)) in steps.iter().enumerate().take(answers + 1) {
                let mut words = vec![0; question.len()];
                let _ = connection.read_exact(&mut words);
                let _ = connection.write_all(if at < answers { answer } else { &start });
            }
            while connection.write_all(&more).is_ok() {}
        });
        let name = target(&server, scheme);
        let run = check([&name]);
        run.within(Duration::from_secs(3));
        match said {
            "answers" => run
                .healthy(&format!("healthy: {name}: answers in *s"))
                .exits(0),
            said => run.unhealthy(&format!("unhealthy: {name}: {said} (*s)")),
        };
    }
}

/// The verdict is fixed, whatever else is said for ever, and the goodbye does not wait for the end of it.
fn floods_behind_the_reply() {
    // Nothing marks the end of `imok` but that nothing follows.
    let marked = |row: &Conversation| row.scheme != "zookeeper";
    for row in conversations().into_iter().filter(marked) {
        let steps = row.steps.clone();
        let server = Server::new(move |connection| {
            for (question, answer) in &steps {
                let mut words = vec![0; question.len()];
                let _ = connection.read_exact(&mut words);
                let _ = connection.write_all(answer);
            }
            while connection.write_all(&[b'x'; 1000]).is_ok() {}
        });
        let name = target(&server, row.scheme);
        let run = check([&name]);
        run.within(Duration::from_secs(3));
        expect(&run, &name, Healthy("answers"));
    }
}

/// Closes with a reset, which is what a crash looks like.
fn reset(connection: &TcpStream) {
    rustix::net::sockopt::set_socket_linger(connection, Some(Duration::ZERO)).expect("SO_LINGER");
}

fn resets() {
    for row in conversations() {
        for half in [false, true] {
            let (question, answer) = row.steps[0].clone();
            let server = Server::new(move |connection| {
                let mut words = vec![0; question.len()];
                let _ = connection.read_exact(&mut words);
                if half {
                    let _ = connection.write_all(&answer[..answer.len() / 2]);
                }
                reset(connection);
            });
            let name = target(&server, row.scheme);
            check([&name]).unhealthy(&format!(
                "unhealthy: {name}: connection reset while waiting for {} (*s)",
                waiting_for(&row.steps, 0)
            ));
        }
    }
}

/// Data first, error second.
fn a_reset_after_the_reply_does_not_undo_it() {
    for row in conversations() {
        let steps = row.steps.clone();
        let server = Server::new(move |connection| {
            for (question, answer) in &steps {
                let mut words = vec![0; question.len()];
                let _ = connection.read_exact(&mut words);
                let _ = connection.write_all(answer);
            }
            reset(connection);
        });
        let name = target(&server, row.scheme);
        expect(&check([&name]), &name, Healthy("answers"));
    }
    // A server that is full says so before it is asked, and its kernel resets the connection when we ask.
    for (scheme, words) in [
        ("redis", &b"-ERR max number of clients reached\r\n"[..]),
        ("memcached", b"ERROR Too many open connections\r\n"),
    ] {
        for _ in 0..10 {
            let server = Server::new(|connection| {
                let _ = connection.write_all(words);
            });
            let name = target(&server, scheme);
            let said = String::from_utf8_lossy(words);
            check([&name]).unhealthy(&format!(
                "unhealthy: {name}: the server says: {} (*s)",
                said.trim_end()
            ));
        }
    }
}

/// What an HTTP server says to a request that is none, nginx 1.22; an alert of TLS: protocol_version; an SSH banner.
const OTHERS: [(&str, &[u8]); 3] = [
    (
        "HTTP",
        b"HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\nConnection: close\r\n\r\n",
    ),
    ("TLS", b"\x15\x03\x01\0\x02\x02\x46"),
    ("SSH", b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"),
];

fn other_protocols_are_named() {
    let mut questions: Vec<(&str, String)> = handshakes()
        .map(|(scheme, _)| (scheme, String::new()))
        .collect();
    questions.push(("grpc", String::new()));
    questions.push(("fastcgi", "/ping".into()));
    for (other, reply) in OTHERS {
        for (scheme, path) in &questions {
            // It hangs up at once, as these do.
            let server = Server::new(move |connection| {
                connection.patience(Duration::from_millis(20));
                let _ = connection.read(&mut [0; 4096]);
                let _ = connection.write_all(reply);
            });
            let name = format!("{}{path}", target(&server, scheme));
            let run = check([&name]);
            match (*scheme, other) {
                ("ssh", "SSH") => expect(&run, &name, Healthy("answers")),
                ("tls", "TLS") => expect(
                    &run,
                    &name,
                    Healthy("answers, refuses this client: TLS alert 70"),
                ),
                _ => {
                    run.unhealthy(&format!(
                        "unhealthy: {name}: not {scheme}: the reply begins with {}; this looks like {other} (*s)",
                        escaped(reply)
                    ));
                }
            }
        }
    }
}

/// A port of 127.0.0.1 that is taken, so that no other test gets it, and that nobody listens on.
fn deaf_port() -> (OwnedFd, u16) {
    use rustix::net;
    let family = net::AddressFamily::INET;
    let socket = net::socket(family, net::SocketType::STREAM, None).expect("a socket");
    net::bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).expect("bind a free port");
    let address = net::getsockname(&socket).and_then(SocketAddr::try_from);
    (socket, address.expect("its address").port())
}

fn nothing_listens() {
    let (_taken, port) = deaf_port();
    for (scheme, _) in handshakes() {
        let name = format!("{scheme}://127.0.0.1:{port}");
        check([&name]).unhealthy(&format!(
            "unhealthy: {name}: connection refused at 127.0.0.1:{port}; *listen* (*s)"
        ));
    }
}

/// `localhost` is ::1 as well.
fn only_ipv6() -> Result<(), Skip> {
    // The same port of 127.0.0.1 is taken, so that no other test gets it, and nobody listens on it.
    if TcpListener::bind("[::1]:0").is_err() {
        return Err(Skip::new("this machine has no IPv6"));
    }
    let (_taken, listener) = loop {
        let (taken, port) = deaf_port();
        if let Ok(listener) = TcpListener::bind(("::1", port)) {
            break (taken, listener);
        }
    };
    let server = Server::on(listener, |connection| {
        let _ = connection.read(&mut [0; 100]);
        let _ = connection.write_all(b"VERSION 1.6.18\r\n");
    });
    for host in ["localhost", "[::1]", "0.0.0.0", "[::]"] {
        let name = format!("memcached://{host}:{}", server.port());
        expect(&check([&name]), &name, Healthy("answers"));
    }
    Ok(())
}

// --- Unix sockets, several targets -----------------------------------------------------------------------------------

/// Plays the server's part on a unix socket, once.
fn on_unix_socket(file: &Path, steps: Steps) -> Receiver<io::Result<Vec<u8>>> {
    let listener = UnixListener::bind(file).expect("bind a unix socket");
    let (tell, heard) = mpsc::channel();
    thread::spawn(move || {
        let (mut connection, _) = listener.accept().expect("a connection");
        let _ = tell.send(converse(&mut connection, &steps, POLITE));
    });
    heard
}

fn unix_sockets() {
    let folder = tempfile::tempdir().expect("a folder");
    for row in conversations() {
        let file = folder.path().join(row.scheme);
        let heard = on_unix_socket(&file, row.steps.clone());
        let option = format!("--unix-socket={}", file.display());
        let name = format!("{}://localhost", row.scheme);
        let run = check([&option, &name]);
        run.healthy(&format!("healthy: {name}:*: answers in *s"));
        let heard = heard.recv_timeout(Duration::from_secs(5)).expect("an end");
        let heard = heard.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(heard.ends_with(&row.goodbye), "{name}: {}", escaped(&heard));
    }
    // A server that is full says so and closes without reading, which a unix socket tells as a broken pipe.
    for _ in 0..10 {
        let file = folder.path().join("full");
        let listener = UnixListener::bind(&file).expect("bind a unix socket");
        let server = thread::spawn(move || {
            let (mut connection, _) = listener.accept().expect("a connection");
            let _ = connection.write_all(b"-ERR max number of clients reached\r\n");
        });
        check([&format!("--unix-socket={}", file.display()), "redis://localhost"]).unhealthy(
            "unhealthy: redis://localhost:6379: the server says: -ERR max number of clients reached (*s)",
        );
        server.join().expect("the server");
        std::fs::remove_file(&file).expect("remove the socket");
    }
    let gone = folder.path().join("gone");
    check([
        &format!("--unix-socket={}", gone.display()),
        "redis://localhost",
    ])
    .unhealthy(&format!(
        "unhealthy: redis://localhost:6379: cannot connect to {}: No such file or directory (os error 2) (*s)",
        gone.display()
    ));
    drop(UnixListener::bind(&gone));
    check([
        &format!("--unix-socket={}", gone.display()),
        "postgres://localhost",
    ])
    .unhealthy(&format!(
        "unhealthy: postgres://localhost:5432: connection refused at {} (*s)",
        gone.display()
    ));
    // Only the socket counts, and so it needs no port.
    let file = folder.path().join("tcp");
    let heard = on_unix_socket(&file, vec![(b"hi".to_vec(), b"hello".to_vec())]);
    check([
        &format!("--unix-socket={}", file.display()),
        "--send=hi",
        "--body=hello",
        "tcp://localhost",
    ])
    .healthy("healthy: tcp://localhost: accepts connections in *s");
    assert_eq!(heard.recv().expect("an end").expect("a polite end"), b"hi");
}

/// On a unix socket `connect` waits while the queue of the listener is full.
fn a_unix_socket_that_accepts_nobody() {
    use rustix::net;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("full");
    let address = net::SocketAddrUnix::new(&file).expect("an address");
    let socket = || {
        let kind = net::SocketType::STREAM;
        net::socket_with(
            net::AddressFamily::UNIX,
            kind,
            net::SocketFlags::NONBLOCK,
            None,
        )
    };
    let listener = socket().expect("a socket");
    net::bind(&listener, &address).expect("bind a unix socket");
    net::listen(&listener, 0).expect("listen");
    let mut waiting = Vec::new();
    loop {
        let client = socket().expect("a socket");
        let connected = net::connect(&client, &address);
        waiting.push(client);
        if connected.is_err() {
            break;
        }
    }
    let run = check([
        "-t",
        "300ms",
        "--unix-socket",
        &file.display().to_string(),
        "redis://localhost",
    ]);
    run.unhealthy(&format!(
        "unhealthy: redis://localhost:6379: no response within 300 ms: timed out connecting to {}: its accept queue may be full",
        file.display()
    ))
    .within(Duration::from_secs(3));
}

/// Each line of a stream matches.
#[track_caller]
fn lines(run: &Run, stream: &str, expected: &[String]) {
    let said: Vec<_> = stream.lines().collect();
    assert_eq!(said.len(), expected.len(), "{run}");
    for (line, expected) in said.iter().zip(expected) {
        assert!(matches(expected, line), "expected: {expected}\n{run}");
    }
}

fn several_targets() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let server = |scheme: &'static str, reply: &'static [u8]| {
        let asked = asked.clone();
        Server::new(move |connection| {
            asked.lock().expect("the list").push(scheme);
            connection.patience(Duration::from_millis(50));
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(reply);
        })
    };
    let http = server("http", b"HTTP/1.1 204 No Content\r\n\r\n");
    let redis = server(
        "redis",
        b"-LOADING Redis is loading the dataset in memory\r\n",
    );
    let memcached = server("memcached", b"VERSION 1.6.18\r\n");
    let zookeeper = server("zookeeper", b"no");
    let tcp = server("tcp", b"");
    let folder = tempfile::tempdir().expect("a folder");
    let file = format!("file:{}?max-age=1m", folder.path().display());
    let pid = format!("pid:{}/none", folder.path().display());
    let targets = [
        http.url("/"),
        target(&redis, "redis"),
        target(&memcached, "memcached"),
        file,
        pid,
        target(&zookeeper, "zookeeper"),
        target(&tcp, "tcp"),
    ];
    let run = check(&targets);
    run.exits(1);
    let [
        http_name,
        redis_name,
        memcached_name,
        file_name,
        pid_name,
        zookeeper_name,
        tcp_name,
    ] = &targets;
    lines(
        &run,
        &run.stdout,
        &[
            format!("healthy: {http_name}: 204 No Content in *s"),
            format!("healthy: {memcached_name}: answers in *s"),
            format!("healthy: {file_name}: touched * ago in *s"),
            format!("healthy: {tcp_name}: accepts connections in *s"),
        ],
    );
    lines(
        &run,
        &run.stderr,
        &[
            format!(
                "unhealthy: {redis_name}: the server says: -LOADING Redis is loading the dataset in memory (*s)"
            ),
            format!(
                "unhealthy: {pid_name}: {}/none: No such file or directory (os error 2) (*s)",
                folder.path().display()
            ),
            format!("unhealthy: {zookeeper_name}: not zookeeper: the reply begins with no (*s)"),
        ],
    );
    // The last one may not be through its accept yet.
    let asked = asked.lock().expect("the list").clone();
    assert!(
        ["http", "redis", "memcached", "zookeeper", "tcp"].starts_with(&asked) && asked.len() >= 4,
        "{asked:?}"
    );
    let run = check([http_name, memcached_name, tcp_name]);
    run.exits(0);
    assert_eq!(
        (run.stdout.lines().count(), run.stderr.as_str()),
        (3, ""),
        "{run}"
    );
    while tcp.asked() < 2 {
        thread::sleep(Duration::from_millis(1));
    }
}

fn several_targets_share_the_deadline() {
    let fake = Fake::new(vec![(b"PING\r\n".to_vec(), b"+PONG\r\n".to_vec())], POLITE);
    let silent = Server::new(|connection| drop(connection.read_to_end(&mut Vec::new())));
    let never = Server::untouched();
    let [well, stuck, unasked] = [
        fake.target("redis"),
        target(&silent, "mysql"),
        target(&never, "memcached"),
    ];
    let run = check(["-t", "400ms", &well, &stuck, &unasked, "file:/"]);
    run.exits(1).within(Duration::from_secs(3));
    lines(
        &run,
        &run.stdout,
        &[format!("healthy: {well}: answers in *s")],
    );
    lines(
        &run,
        &run.stderr,
        &[
            format!(
                "unhealthy: {stuck}: no response within 400 ms: connected, waiting for the greeting"
            ),
            format!(
                "unhealthy: {unasked}: not asked: the targets before it took all of the 400 ms"
            ),
            "unhealthy: file:/: not asked: the targets before it took all of the 400 ms".into(),
        ],
    );
}

// --- tcp:// ----------------------------------------------------------------------------------------------------------

#[rustfmt::skip]
fn tcp() {
    // A bare open, even where nobody accepts.
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind a free port");
    let name = format!("tcp://{}", listener.local_addr().expect("its address"));
    expect(&check([&name]), &name, Healthy("accepts connections"));

    // What is asked, what comes in which pieces, and what is said of it.
    #[expect(clippy::type_complexity, reason = "a table, whose columns the line above names")]
    let rows: &[(&[&str], &[&[u8]], Said)] = &[
        (&["--body=READY"], &[b"220 REA", b"DY\r\n"], Healthy("accepts connections")),
        (&["--body=READY", "--body=220"], &[b"R", b"E", b"A", b"D", b"Y 2", b"20"], Healthy("accepts connections")),
        (&["--send=x", "--body=y"], &[b"y"], Healthy("accepts connections")),
        (&["--body=READY"], &[b"BUSY\n"], Unhealthy("body lacks \"READY\"; body: BUSY\\n")),
        (&["--body=READY"], &[], Unhealthy("body lacks \"READY\"; the body is empty")),
        (&["--body=a", "--body=b"], &[b"a"], Unhealthy("body lacks \"b\"; body: a")),
        (&["--body-not=ERR"], &[b"+OK\n"], Healthy("accepts connections")),
        (&["--body-not=ERR"], &[b"-E", b"RR\n"], Unhealthy("body contains \"ERR\"; body: -ERR\\n")),
        (&["--body=+OK", "--body-not=ERR"], &[b"-ERR\n"], Unhealthy("*ERR*")),
        (&["--body=\u{1b}"], &[b"\x1b[2J"], Healthy("accepts connections")),
    ];
    for (options, pieces, said) in rows {
        let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.to_vec()).collect();
        let server = Server::new(move |connection| {
            let _ = connection.set_nodelay(true);
            for piece in &pieces {
                let _ = connection.write_all(piece);
                thread::sleep(Duration::from_millis(5));
            }
            let _ = connection.shutdown(std::net::Shutdown::Write);
            let _ = connection.read_to_end(&mut Vec::new());
        });
        let name = target(&server, "tcp");
        expect(&check([options, &[&name[..]][..]].concat()), &name, *said);
    }

    // One that keeps the connection open: what it said so far tells more than that the time is up.
    let server = Server::new(|connection| {
        let _ = connection.write_all(b"-ERR not now\r\n");
        let _ = connection.read_to_end(&mut Vec::new());
    });
    let name = target(&server, "tcp");
    check(["-t", "200ms", "--body=+OK", &name])
        .unhealthy(&format!("unhealthy: {name}: body lacks \"+OK\"; body: -ERR not now\\r\\n (*s)"))
        .within(Duration::from_secs(3));
    // That a text never comes cannot be known before the end.
    check(["-t", "200ms", "--body-not=+OK", &name]).unhealthy(&format!(
        "unhealthy: {name}: no response within 200 ms: connected, waiting for the greeting"
    ));
    let silent = Server::new(|connection| drop(connection.read_to_end(&mut Vec::new())));
    let name = target(&silent, "tcp");
    check(["-t", "200ms", "--send=hi", "--body=+OK", &name]).unhealthy(&format!(
        "unhealthy: {name}: no response within 200 ms: connected, request sent, waiting for the reply"
    ));
    let endless = Server::new(|connection| while connection.write_all(&[b'x'; 4096]).is_ok() {});
    let name = target(&endless, "tcp");
    expect(&check(["--body=y", &name]), &name, Unhealthy("a reply of more than 64 KiB"));
    // The verdict is fixed by what came before the reset.
    let broken = Server::new(|connection| {
        let _ = connection.write_all(b"READY");
        reset(connection);
    });
    let name = target(&broken, "tcp");
    expect(&check(["--body=READY", &name]), &name, Healthy("accepts connections"));
    expect(&check(["--body=STEADY", &name]), &name, Unhealthy("body lacks \"STEADY\"; body: READY"));
}

#[rustfmt::skip]
fn what_tcp_sends() {
    let rows: &[(&str, &[u8])] = &[
        ("PING\\r\\n", b"PING\r\n"),
        ("\\t\\0\\\\\\x41\\xfF\\x00", b"\t\0\\A\xff\0"),
        ("\\\\n", b"\\n"),
        ("plain: größe", "plain: größe".as_bytes()),
        ("\\x0d\\x0a", b"\r\n"),
    ];
    for (text, bytes) in rows {
        let fake = Fake::new(vec![(bytes.to_vec(), b"ok".to_vec())], POLITE);
        let name = fake.target("tcp");
        let run = check(["--send", text, "--body=ok", &name]);
        expect(&run, &name, Healthy("accepts connections"));
        assert_eq!(escaped(&fake.heard()), escaped(bytes));
    }
    let server = Server::untouched();
    let name = target(&server, "tcp");
    for (text, complaint) in [
        ("\\", "has an escape that is none of \\r \\n \\t \\0 \\xHH \\\\"),
        ("\\q", "has an escape that is none of \\r \\n \\t \\0 \\xHH \\\\"),
        ("\\x4", "has a \\x that is not followed by two hexadecimal digits"),
        ("\\xg0", "has a \\x that is not followed by two hexadecimal digits"),
        ("", "is nothing to send"),
    ] {
        let run = check(["--send", text, &name]);
        run.unhealthy(&format!("error: --send: the value {complaint}"));
    }
}

// --- Usage -----------------------------------------------------------------------------------------------------------

#[rustfmt::skip]
fn usage_errors_send_nothing() {
    let server = Server::untouched();
    let port = server.port();
    let mut schemes: Vec<(&str, String)> = handshakes().map(|(scheme, _)| (scheme, format!("{scheme}://127.0.0.1:{port}")))
        .collect();
    let grpc = format!("grpc://127.0.0.1:{port}/svc");
    let fastcgi = format!("fastcgi://127.0.0.1:{port}/ping");
    let tcp = format!("tcp://127.0.0.1:{port}");
    for (scheme, own) in [
        ("grpc", grpc),
        ("fastcgi", fastcgi),
        ("tcp", tcp),
        ("pid", "pid:/run/app.pid".into()),
        ("file", "file:/run/alive".into()),
    ] {
        schemes.push((scheme, own));
    }
    let options = [
        "--status=200",
        "--json=status=UP",
        "--expect-header=X-A",
        "--method=GET",
        "--header=X-A: b",
        "--data=x",
        "--user=a:b",
        "--user-agent=me",
        "--location",
        "--body=x",
        "--body-not=x",
        "--send=x",
        "--unix-socket=/run/x",
    ];
    let http = server.url("/");
    for (scheme, name) in &schemes {
        for option in options {
            let long = option.split('=').next().expect("a name");
            let means_something = match long {
                "--body" | "--body-not" | "--send" => *scheme == "tcp",
                "--unix-socket" => !matches!(*scheme, "pid" | "file"),
                _ => false,
            };
            if !means_something {
                check([option, name]).unhealthy(&format!("error: {long}: means nothing to a target of the kind {scheme}"));
            }
        }
        // One target that is wrong keeps all from being asked.
        check([&http, name, "x"]).unhealthy("error: TARGET: \"x\" is not a URL *");
        // And an option that means nothing to any of them, which are named once each.
        check(["--json=x", name, name]).unhealthy(&format!("error: --json: means nothing to a target of the kind {scheme}"));
        for option in ["--port=1", "--host=localhost", "--path=/x"] {
            let long = option.split('=').next().expect("a name");
            check([option, name]).unhealthy(&format!("error: {long}: the target says that already; give one or the other"));
        }
        if matches!(*scheme, "pid" | "file") {
            continue;
        }
        let at = |authority: &str| name.replace("127.0.0.1", authority);
        let run = check([at("me:secret@127.0.0.1")]);
        let complaint = match *scheme {
            "postgres" => "has a password, and nobody logs in: the user's name is all that is sent".to_owned(),
            _ => format!("has credentials, which mean nothing to {scheme}"),
        };
        run.unhealthy(&format!("error: TARGET: \"{}\" {complaint}", at("...@127.0.0.1")));
        check([at("192.0.2.1")]).unhealthy("error: TARGET: \"192.0.2.1\" is not this machine: only localhost or one of its own IP addresses is asked");
        check([at("example.com")]).unhealthy(&format!(
            "error: TARGET: \"{}\" names a host, and no name but localhost is looked up; *",
            at("example.com")
        ));
        if !matches!(*scheme, "grpc" | "fastcgi" | "postgres") {
            for path in ["/0", "/?db=0", "?x"] {
                check([format!("{name}{path}")]).unhealthy(&format!("error: TARGET: \"{name}{path}\" has a path, which means nothing to {scheme}"));
            }
        }
    }
    for (arguments, line) in [
        (&["tcp://localhost"][..], "error: TARGET: \"tcp://localhost\" needs a port"),
        (&["grpc://localhost"], "error: TARGET: \"grpc://localhost\" needs a port"),
        (&["fastcgi://localhost:9000"], "error: TARGET: \"fastcgi://localhost:9000\" needs a path, such as php-fpm's ping.path"),
        (&["fastcgi://localhost:9000/"], "error: TARGET: \"fastcgi://localhost:9000/\" needs a path, such as php-fpm's ping.path"),
        (&["tcp://localhost:0"], "error: TARGET: \"tcp://localhost:0\" has a bad port: write 1-65535"),
        (&["redis://localhost:65536"], "error: TARGET: \"redis://localhost:65536\" has a bad port: write 1-65535"),
        (&["redis:localhost:6379"], "error: TARGET: \"redis:localhost:6379\" is not a URL such as http://localhost:8080/health"),
        (&["oracle://localhost"], "error: TARGET: \"oracle://localhost\" has a scheme that is not known (--help lists them)"),
        (&["--body=a", "--body-not=a", "tcp://localhost:1"], "error: --body-not: \"a\" contradicts --body"),
    ] {
        check(arguments).unhealthy(line);
    }
}

// --- TLS -------------------------------------------------------------------------------------------------------------

/// A process that ends with the test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// OpenSSL as a server: every version, a client certificate required, and nothing in common with us.
fn real_tls() -> Result<(), Skip> {
    let folder = tempfile::tempdir().expect("a folder");
    let program = program("openssl")?;
    let openssl = |arguments: &[&str]| {
        let mut command = std::process::Command::new(&program);
        command
            .args(arguments)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command
    };
    let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key -out certificate -days 1 -subj /CN=localhost";
    match openssl(&request.split(' ').collect::<Vec<_>>()).status() {
        Ok(status) if status.success() => {}
        other => {
            return Err(Skip::new(format!(
                "openssl makes no certificate: {other:?}"
            )));
        }
    }
    for (options, said) in [
        ("", Healthy("answers")),
        ("-tls1_3", Healthy("answers")),
        ("-tls1_2", Healthy("answers")),
        ("-Verify 1", Healthy("answers")),
        // It wants a curve that we do not offer, or offers ciphers that do not go with its certificate.
        (
            "-tls1_3 -groups P-521",
            Healthy("answers, refuses this client: TLS alert 40"),
        ),
        (
            "-tls1_2 -cipher AES128-SHA",
            Healthy("answers, refuses this client: TLS alert 40"),
        ),
    ] {
        let command = format!("s_server -accept 127.0.0.1:0 -key key -cert certificate {options}");
        let arguments: Vec<_> = command.split_ascii_whitespace().collect();
        let mut server = Ends(openssl(&arguments).spawn().expect("openssl"));
        // It says where it listens, and goes on to say more, so that the pipe has to stay.
        let mut said_by_openssl = BufReader::new(server.0.stdout.take().expect("a pipe")).lines();
        let name = loop {
            let Some(Ok(line)) = said_by_openssl.next() else {
                return Err(Skip::new(format!("openssl {command}: it does not listen")));
            };
            if let Some(address) = line.strip_prefix("ACCEPT ") {
                break format!("tls://{address}");
            }
        };
        expect(&check([&name]), &name, said);
        // It is still there for the next one.
        expect(&check([&name]), &name, said);
    }
    Ok(())
}

// --- Anything at all -------------------------------------------------------------------------------------------------

/// No reply makes a probe panic or outlive its deadline, and what is said of it is one line.
fn no_reply_breaks_a_probe() {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};
    // The server says what it is told to say, to whoever comes.
    let script: Arc<Mutex<Vec<u8>>> = Arc::default();
    let words = script.clone();
    let server = Server::new(move |connection| {
        let reply = words.lock().expect("the reply").clone();
        let _ = connection.write_all(&reply);
        let _ = connection.shutdown(std::net::Shutdown::Write);
        let _ = connection.read_to_end(&mut Vec::new());
    });
    let address = format!("127.0.0.1:{}", server.port());
    let mut starts: Vec<(String, Vec<u8>)> = conversations()
        .iter()
        .map(|row| {
            let replies: Vec<_> = row.steps.iter().map(|(_, answer)| &answer[..]).collect();
            (format!("{}://{address}", row.scheme), replies.concat())
        })
        .collect();
    starts.push((
        format!("fastcgi://{address}/ping"),
        fastcgi_reply(b"Content-type: text/plain\r\n\r\npong"),
    ));
    starts.push((
        format!("grpc://{address}"),
        hex("000000040000000000 000006040000000000 000400010000"),
    ));
    starts.push((format!("tcp://{address}"), Vec::new()));
    let count = starts.len();
    let strategy = (
        0..count,
        any::<prop::sample::Index>(),
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        prop::collection::vec(any::<u8>(), 0..80),
    );
    let timeout = Duration::from_millis(500);
    let mut runner = TestRunner::new(Config {
        cases: 500,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&strategy, |(row, end, changes, more)| {
        let (target, valid) = &starts[row];
        let mut reply = valid[..end.index(valid.len() + 1)].to_vec();
        for (at, byte) in changes {
            if !reply.is_empty() {
                let at = at.index(reply.len());
                reply[at] = byte;
            }
        }
        reply.extend(more);
        *script.lock().expect("the reply") = reply;
        let expectation = target.starts_with("tcp").then_some("--body=x");
        let arguments = ["-t", "500ms", target].into_iter().chain(expectation);
        let Ok(Command::Check(check, _)) =
            cli::parse(arguments.map(Into::into).collect(), &|_| None)
        else {
            panic!("{target} is no target")
        };
        let begun = Instant::now();
        let answer = check.targets[0].ask(&Deadline::after(timeout));
        prop_assert!(begun.elapsed() < timeout + SLACK, "{target}: {answer:?}");
        let line = report::line(&check.targets[0], &answer, None, timeout);
        prop_assert!(line.len() <= 512 && line.ends_with('\n'), "{line}");
        prop_assert!(
            line.bytes().filter(|byte| byte.is_ascii_control()).count() == 1,
            "{line:?}"
        );
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

// --- FastCGI ---------------------------------------------------------------------------------------------------------

/// A record, with padding: the specification's section 3.3.
fn record(kind: u8, content: &[u8], padding: u8) -> Vec<u8> {
    let [high, low] = (content.len() as u16).to_be_bytes();
    [
        &[1, kind, 0, 1, high, low, padding, 0][..],
        content,
        &vec![0xaa; padding.into()],
    ]
    .concat()
}

const STDOUT: u8 = 6;
const STDERR: u8 = 7;

fn end_request(protocol_status: u8) -> Vec<u8> {
    record(3, &[0, 0, 0, 0, protocol_status, 0, 0, 0], 0)
}

/// As php-fpm answers: the page in one record, padded to eight bytes, and the end.
fn fastcgi_reply(page: &[u8]) -> Vec<u8> {
    let padding = (8 - page.len() % 8) % 8;
    [record(STDOUT, page, padding as u8), end_request(0)].concat()
}

/// The request that `fastcgi://127.0.0.1:PORT/ping?full` makes.
fn fastcgi_request(script: &str, query: &str) -> Vec<u8> {
    let uri = [script, if query.is_empty() { "" } else { "?" }, query].concat();
    let params: Vec<u8> = [
        ("SCRIPT_NAME", script),
        ("SCRIPT_FILENAME", script),
        ("REQUEST_URI", &uri),
        ("QUERY_STRING", query),
        ("REQUEST_METHOD", "GET"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("GATEWAY_INTERFACE", "CGI/1.1"),
    ]
    .iter()
    .flat_map(|(name, value)| {
        [
            &[name.len() as u8, value.len() as u8],
            name.as_bytes(),
            value.as_bytes(),
        ]
        .concat()
    })
    .collect();
    // FCGI_BEGIN_REQUEST for a responder that may close, FCGI_PARAMS and its end, and an empty FCGI_STDIN.
    [
        record(1, &[0, 1, 0, 0, 0, 0, 0, 0], 0),
        record(4, &params, 0),
        record(4, &[], 0),
        record(5, &[], 0),
    ]
    .concat()
}

const PONG: &[u8] =
    b"X-Powered-By: PHP/8.2.7\r\nContent-type: text/plain;charset=UTF-8\r\nCache-Control: no-cache\r\n\r\npong";
const NOT_FOUND: &[u8] =
    b"Status: 404 Not Found\r\nX-Powered-By: PHP/8.2.7\r\nContent-type: text/html; charset=UTF-8\r\n\r\nFile not found.\n";

#[rustfmt::skip]
fn fastcgi() {
    let two_records: Vec<u8> = [
        record(STDERR, b"PHP message: hello", 6),
        record(STDOUT, &PONG[..20], 255),
        record(STDOUT, &PONG[20..], 0),
        record(STDOUT, b"", 0),
        record(STDERR, b"", 0),
        end_request(0),
    ].concat();
    let denied = [
        record(STDERR, b"Access to the script '/ping' has been denied (see security.limit_extensions)", 0),
        fastcgi_reply(b"Status: 403 Forbidden\r\nContent-type: text/html; charset=UTF-8\r\n\r\nAccess denied.\n"),
    ].concat();
    let mut other_version = end_request(0);
    other_version[0] = 2;
    let mut other_request = end_request(0);
    other_request[3] = 2;
    let rows: &[(Vec<u8>, Said)] = &[
        (fastcgi_reply(PONG), Healthy("answers")),
        (two_records, Healthy("answers")),
        (fastcgi_reply(b"Status: 204 No Content\n\n"), Healthy("answers")),
        ([record(STDERR, b"Primary script unknown", 2), fastcgi_reply(NOT_FOUND)].concat(), Unhealthy("status 404: FastCGI answers, but nothing is at this path (php-fpm: set ping.path); body: File not found.\\n*")),
        (denied, Unhealthy("status 403, expected 200-299; body: Access denied.\\n")),
        (fastcgi_reply(b"status: 503 Service Unavailable\r\n\r\n"), Unhealthy("status 503, expected 200-299")),
        (fastcgi_reply(b"Status: 500\r\n\r\nfatal"), Unhealthy("status 500, expected 200-299; body: fatal")),
        // protocolStatus: FCGI_CANT_MPX_CONN, FCGI_OVERLOADED, FCGI_UNKNOWN_ROLE.
        (end_request(1), Unhealthy("FastCGI protocol status 1: it takes one request a connection")),
        (end_request(2), Unhealthy("FastCGI protocol status 2: it is overloaded")),
        (end_request(3), Unhealthy("FastCGI protocol status 3: it is no responder")),
        (end_request(9), Unhealthy("FastCGI protocol status 9")),
        // RFC 3875, sections 6.2.2 to 6.2.4: a redirect without a status of its own is a 302, and one with a document has it.
        (fastcgi_reply(b"Location: http://localhost/login\r\n\r\n"), Unhealthy("status 302, expected 200-299*")),
        (fastcgi_reply(b"Location: /login\n\n"), Unhealthy("status 302, expected 200-299*")),
        (fastcgi_reply(b"location:/login\r\nContent-Type: text/plain\r\n\r\nmoved"), Unhealthy("status 302, expected 200-299; body: moved*")),
        (fastcgi_reply(b"Status: 201 Created\r\nLocation: /new\r\n\r\n"), Healthy("answers")),
        // RFC 3875, section 2.2: a line ends in LF or CR LF, and so does the one that ends the head.
        (fastcgi_reply(b"Content-Type: text/plain\n\r\npong"), Healthy("answers")),
        (fastcgi_reply(b"Content-Type: text/plain\r\n\npong"), Healthy("answers")),
        (fastcgi_reply(b"Content-Type: text/plain\n\npong\r\n\r\n"), Healthy("answers")),
        (fastcgi_reply(b"Status: 500 No\n\r\nfatal"), Unhealthy("status 500, expected 200-299; body: fatal")),
        // Section 6.3.3: three digits, and a reason.
        (fastcgi_reply(b"Status: 200\r\n\r\n"), Healthy("answers")),
        (fastcgi_reply(b"Status: 2000 OK\r\n\r\n"), Unhealthy("status 0, expected 200-299")),
        (fastcgi_reply(b"Status: +20 OK\r\n\r\n"), Unhealthy("status 0, expected 200-299")),
        (fastcgi_reply(b"Status: 20\r\n\r\n"), Unhealthy("status 0, expected 200-299")),
        // Section 6.3: one of Content-Type, Location and Status at least, and none twice.
        (fastcgi_reply(b"X-Powered-By: PHP/8.2.7\r\n\r\npong"), Unhealthy("status 0, expected 200-299; body: pong")),
        (fastcgi_reply(b"\r\n\r\npong"), Unhealthy("status 0, expected 200-299; body: \\r\\npong")),
        (fastcgi_reply(b"Status: 200 OK\r\nStatus: 503 No\r\n\r\n"), Unhealthy("status 0, expected 200-299")),
        // FCGI_EndRequestBody has eight bytes.
        ([record(STDOUT, PONG, 4), record(3, &[0; 4], 0)].concat(), Unhealthy("not fastcgi: *")),
        ([record(STDOUT, PONG, 4), record(3, &[0; 5], 0)].concat(), Unhealthy("not fastcgi: *")),
        // No response at all, and one whose head has no end.
        (end_request(0), Unhealthy("status 0, expected 200-299")),
        (fastcgi_reply(b"Content-type: text/plain\r\n"), Unhealthy("status 0, expected 200-299; body: Content-type: text/plain\\r\\n")),
        // No END_REQUEST.
        (record(STDOUT, PONG, 0), Unhealthy("connection closed while waiting for the reply")),
        ([record(STDOUT, PONG, 4), end_request(0)[..12].to_vec()].concat(),
         Unhealthy("connection closed while waiting for the reply; until then: \\x01\\x03\\x00\\x01\\x00\\x08\\x00\\x00\\x00\\x00\\x00\\x00")),
        // Another version, another request, and FCGI_UNKNOWN_TYPE.
        (other_version, Unhealthy("not fastcgi: the reply begins with \\x02\\x03*")),
        (other_request, Unhealthy("not fastcgi: the reply begins with \\x01\\x03\\x00\\x02*")),
        (record(11, &[0; 8], 0), Unhealthy("not fastcgi: the reply begins with \\x01\\x0b*")),
    ];
    for (reply, said) in rows {
        let manner = Manner {
            hangs_up: true,
            ..POLITE
        };
        let question = fastcgi_request("/ping", "");
        let fake = Fake::new(vec![(question.clone(), reply.clone())], manner);
        let name = format!("{}/ping", fake.target("fastcgi"));
        expect(&check([&name]), &name, *said);
        assert_eq!(escaped(&fake.heard()), escaped(&question));
    }
    let question = fastcgi_request("/status.php", "json&full");
    let fake = Fake::new(vec![(question.clone(), fastcgi_reply(PONG))], POLITE);
    let name = format!("{}/status.php?json&full", fake.target("fastcgi"));
    expect(&check([&name]), &name, Healthy("answers"));
    assert!(fake.heard() == question);
    // Over a unix socket, as php-fpm is usually reached.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("fpm.sock");
    let heard = on_unix_socket(&file, vec![(fastcgi_request("/ping", ""), fastcgi_reply(PONG))]);
    check([&format!("--unix-socket={}", file.display()), "fastcgi://localhost/ping"])
    .healthy("healthy: fastcgi://localhost:9000/ping: answers in *s");
    assert!(heard.recv().expect("an end").is_ok());
    // Silence, and an endless page.
    let silent = Server::new(|connection| drop(connection.read_to_end(&mut Vec::new())));
    let name = format!("{}/ping", target(&silent, "fastcgi"));
    check(["-t", "200ms", &name]).unhealthy(&format!("unhealthy: {name}: no response within 200 ms: connected, request sent, waiting for the reply"));
    let endless = Server::new(|connection| {
        while connection
            .write_all(&record(STDOUT, &[b'x'; 999], 1))
            .is_ok()
        {}
    });
    let name = format!("{}/ping", target(&endless, "fastcgi"));
    expect(&check([&name]), &name, Unhealthy("a reply of more than 64 KiB"));
}

/// A reply that is split anywhere is the same reply, and one that ends there is none.
fn fastcgi_a_byte_at_a_time() {
    let reply = [
        record(STDERR, b"note", 4),
        record(STDOUT, b"Content-type: text/plain\r\n", 6),
        record(STDOUT, b"\r\npong", 2),
        end_request(0),
    ]
    .concat();
    let question = fastcgi_request("/ping", "");
    let manner = Manner {
        bytewise: true,
        ..POLITE
    };
    let fake = Fake::new(vec![(question.clone(), reply.clone())], manner);
    let name = format!("{}/ping", fake.target("fastcgi"));
    expect(&check([&name]), &name, Healthy("answers"));
    for end in 0..reply.len() {
        let (first, second) = reply.split_at(end);
        let steps = vec![
            (question.clone(), first.to_vec()),
            (vec![], second.to_vec()),
        ];
        let fake = Fake::new(steps, POLITE);
        let name = format!("{}/ping", fake.target("fastcgi"));
        expect(&check([&name]), &name, Healthy("answers"));
        fake.heard();
    }
    for end in 0..reply.len() {
        let manner = Manner {
            cut: Some((0, end)),
            hangs_up: true,
            ..POLITE
        };
        let fake = Fake::new(vec![(question.clone(), reply.clone())], manner);
        let name = format!("{}/ping", fake.target("fastcgi"));
        // The last three bytes of END_REQUEST are reserved, and yet they belong to it.
        expect(
            &check([&name]),
            &name,
            Unhealthy("connection closed while waiting for the reply*"),
        );
    }
}

/// A role and a database of one's own: the official image with POSTGRES_USER has no role "postgres", and would log a
/// complaint about each check.
fn postgres_users_and_databases() {
    for (user, path, startup) in [
        ("app@", "", &b"\0\0\0\x12\0\x03\0\0user\0app\0\0"[..]),
        (
            "a%40b@",
            "/shop",
            b"\0\0\0\x20\0\x03\0\0user\0a@b\0database\0shop\0\0",
        ),
        (
            "",
            "/shop",
            b"\0\0\0\x25\0\x03\0\0user\0postgres\0database\0shop\0\0",
        ),
    ] {
        let server = Server::new(move |connection| {
            let mut heard = vec![0; startup.len()];
            connection
                .read_exact(&mut heard)
                .expect("a startup message");
            let said: &[u8] = if heard == startup {
                b"R\0\0\0\x08\0\0\0\0"
            } else {
                b"?"
            };
            let _ = connection.write_all(said);
        });
        let port = server.port();
        check([format!("postgres://{user}localhost:{port}{path}")]).healthy(&format!(
            "healthy: postgres://localhost:{port}{path}: answers in * ms"
        ));
    }
    let server = Server::untouched();
    for (bad, path) in [
        ("app:secret@", ""),
        ("a%00b@", ""),
        ("a%zz@", ""),
        ("", "/a%00"),
        ("", "/a?b=c"),
        ("", "/a/b"),
    ] {
        let run = check([format!("postgres://{bad}localhost:{}{path}", server.port())]);
        run.exits(1);
        assert!(
            run.stderr.starts_with("error: TARGET: ") && !run.stderr.contains("secret"),
            "{run}"
        );
    }
}
