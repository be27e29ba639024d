//! Name servers: over UDP, and over TCP where an answer is cut off.

use super::conversation::{
    Said::{self, Healthy, Unhealthy},
    escaped, expect,
};
use crate::support::{Skip, check, lines, runner};
use libtest_mimic::Trial;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    trials![
        what_is_asked,
        every_state_of_a_server,
        what_is_no_answer_is_ignored,
        a_lost_datagram,
        silence,
        nothing_listens,
        both_families,
        truncated_answers,
        where_self_listens,
        names_and_usage,
        no_datagram_breaks_a_probe,
    ]
}

/// What a server sends for a datagram that has come.
type Script = dyn Fn(&[u8]) -> Vec<Vec<u8>> + Send + Sync;

/// A server on UDP. Its TCP port is taken as well, and nobody listens on it unless a test does.
struct Fake {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Vec<u8>>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Fake {
    fn new(script: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self::on(udp("127.0.0.1"), Box::new(script))
    }

    fn on(socket: UdpSocket, script: Box<Script>) -> Self {
        let address = socket.local_addr().expect("its address");
        socket
            .set_read_timeout(Some(Duration::from_millis(20)))
            .expect("set a timeout");
        let (asked, over) = (
            Arc::<Mutex<Vec<_>>>::default(),
            Arc::<AtomicBool>::default(),
        );
        let (heard, stop) = (asked.clone(), over.clone());
        let thread = thread::spawn(move || {
            let mut buffer = [0; 1024];
            while !stop.load(Ordering::SeqCst) {
                let Ok((length, client)) = socket.recv_from(&mut buffer) else {
                    continue;
                };
                let query = &buffer[..length];
                heard.lock().expect("the queries").push(query.to_vec());
                for reply in script(query) {
                    let _ = socket.send_to(&reply, client);
                }
            }
        });
        Fake {
            address,
            asked,
            over,
            thread: Some(thread),
        }
    }

    fn target(&self) -> String {
        format!("dns://{}", self.address)
    }

    fn asked(&self) -> Vec<Vec<u8>> {
        self.asked.lock().expect("the queries").clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let ended = self.thread.take().map(JoinHandle::join);
        if !thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))));
            assert!(!self.asked().is_empty(), "the server was never asked");
        }
    }
}

fn udp(host: &str) -> UdpSocket {
    UdpSocket::bind((host, 0)).expect("bind a free port")
}

/// `localhost`, type A, class IN.
const LOCALHOST: &[u8] = b"\x09localhost\0\0\x01\0\x01";
/// Its address, whose name is a pointer to the question.
const ADDRESS: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04\x7f\0\0\x01";

/// A response to `query` with these flags, these counts of records, and these records.
fn response(query: &[u8], flags: u16, counts: [u16; 3], records: &[u8]) -> Vec<u8> {
    let numbers = [flags, 1, counts[0], counts[1], counts[2]];
    let numbers: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
    [&query[..2], &numbers, &query[12..], records].concat()
}

fn well(query: &[u8]) -> Vec<u8> {
    response(query, 0x8580, [1, 0, 0], ADDRESS)
}

fn with_code(query: &[u8], code: u16) -> Vec<u8> {
    response(query, 0x8180 | code, [0; 3], b"")
}

fn what_is_asked() {
    let fake = Fake::new(|query| vec![well(query)]);
    let name = fake.target();
    expect(&check([&name]), &name, Healthy("answers"));
    let asked = fake.asked();
    // Once; but for the id, to the letter: recursion desired, one question.
    assert_eq!(asked.len(), 1);
    let wanted = [b"\x01\0\0\x01\0\0\0\0\0\0", LOCALHOST].concat();
    assert_eq!(escaped(&asked[0][2..]), escaped(&wanted));
    for (path, question) in [
        ("/", LOCALHOST),
        ("/example.com", b"\x07example\x03com\0\0\x01\0\x01"),
        ("/Example.com.", b"\x07Example\x03com\0\0\x01\0\x01"),
        ("/_tcp.a-1", b"\x04_tcp\x03a-1\0\0\x01\0\x01"),
    ] {
        let shown = name.clone() + path;
        expect(&check([name.clone() + path]), &shown, Healthy("answers"));
        let asked = fake.asked().pop().expect("a query");
        assert_eq!(escaped(&asked[12..]), escaped(question), "{path}");
    }
    // The exchange, and that nothing was connected to. The id is the process's, and a line end in it would begin another line.
    let run = loop {
        let run = check(["-v", &name]);
        let asked = fake.asked().pop().expect("a query");
        if !asked[..2].contains(&b'\n') {
            break run;
        }
    };
    let traced = [
        "* request sent after *".into(),
        "> *localhost*".into(),
        "* reply received after *".into(),
        "< *localhost*".into(),
    ];
    lines(
        run.exits(0),
        &[format!("healthy: {name}: answers in *s")],
        &traced,
    );
}

#[rustfmt::skip]
fn every_state_of_a_server() {
    // Flags, counts, records, and what is said.
    let rows: &[(u16, [u16; 3], &[u8], Said)] = &[
        (0x8580, [1, 0, 0], ADDRESS, Healthy("answers")),
        // No such name, no address of it, and a record of the authority beside that.
        (0x8183, [0, 0, 0], b"", Healthy("answers")),
        (0x8180, [0, 0, 0], b"", Healthy("answers")),
        (0x8183, [0, 1, 0], b"\0\0\x06\0\x01\0\0\0\0\0\x02ab", Healthy("answers")),
        (0x8580, [2, 0, 1], &[ADDRESS, ADDRESS, b"\x01a\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04\x7f\0\0\x01"].concat(), Healthy("answers")),
        // Longer than servers may send to who does not say that it takes more, but whole.
        (0x8580, [200, 0, 0], &ADDRESS.repeat(200), Healthy("answers")),
        (0x8185, [0, 0, 0], b"", Healthy("answers, refuses this client: 5 REFUSED")),
        (0x8182, [0, 0, 0], b"", Unhealthy("the server says: 2 SERVFAIL")),
        (0x8181, [0, 0, 0], b"", Unhealthy("the server says: 1 FORMERR")),
        (0x8184, [0, 0, 0], b"", Unhealthy("the server says: 4 NOTIMP")),
        (0x8189, [0, 0, 0], b"", Unhealthy("the server says: 9")),
        // Records that are not there, that are cut off, that nothing announces, and a name that is none.
        (0x8580, [1, 0, 0], b"", Unhealthy("not dns: the reply begins with *localhost*")),
        (0x8580, [1, 0, 0], &ADDRESS[..15], Unhealthy("not dns: *")),
        (0x8580, [0, 0, 0], ADDRESS, Unhealthy("not dns: *")),
        (0x8580, [1, 0, 0], b"\x40\0\x01\0\x01\0\0\0\0\0\0", Unhealthy("not dns: *")),
        (0x8182, [0, 0, 9], ADDRESS, Unhealthy("not dns: *")),
    ];
    for &(flags, counts, records, said) in rows {
        let records = records.to_vec();
        let fake = Fake::new(move |query| vec![response(query, flags, counts, &records)]);
        let name = fake.target();
        expect(&check([&name]), &name, said);
        assert_eq!(fake.asked().len(), 1);
    }
    // An error can come without the question, and names in other letters.
    for (code, said) in [(1, "1 FORMERR"), (2, "2 SERVFAIL")] {
        let fake = Fake::new(move |query| {
            vec![[&query[..2], &[0x81, 0x80 | code], &[0; 8][..]].concat()]
        });
        let name = fake.target();
        check([&name]).unhealthy(&format!("unhealthy: {name}: the server says: {said} (*s)"));
    }
    let fake = Fake::new(|query| vec![well(&query.to_ascii_uppercase())]);
    let name = format!("{}/{}", fake.target(), "a.example");
    // The id has no letters by chance only.
    let run = check([&name, "-t", "300ms"]);
    let id = fake.asked()[0][..2].to_vec();
    if id.eq(&id.to_ascii_uppercase()) {
        expect(&run, &name, Healthy("answers"));
    }
}

/// Other ids, other questions, queries, responses to something else, and what is no message: an answer that follows counts.
fn what_is_no_answer_is_ignored() {
    fn others(query: &[u8]) -> Vec<Vec<u8>> {
        let mut id = well(query);
        id[0] ^= 1;
        let mut question = well(query);
        question[13] = b'L' ^ 1;
        let mut kind = well(query);
        kind[12 + LOCALHOST.len() - 3] = 28;
        let mut opcode = well(query);
        opcode[2] |= 0x28;
        let mut two = well(query);
        two[5] = 2;
        let mut none = with_code(query, 0);
        none[5] = 0;
        none.truncate(12);
        let short = well(query)[..11].to_vec();
        let others = [id, question, kind, opcode, two, none, short];
        let mut others = others.to_vec();
        others.extend([query.to_vec(), Vec::new(), b"hello".to_vec()]);
        others
    }
    let fake = Fake::new(|query| {
        let mut replies = others(query);
        replies.push(well(query));
        replies
    });
    let name = fake.target();
    expect(&check([&name]), &name, Healthy("answers"));
    // If it never comes, the line says what did.
    for (at, _) in others(&[0; 30]).iter().enumerate() {
        let fake = Fake::new(move |query| vec![others(query).swap_remove(at)]);
        let name = fake.target();
        let run = check([&name, "-t", "100ms"]);
        let empty = at == 8;
        run.unhealthy(&match empty {
            true => format!("unhealthy: {name}: no response within 100 ms: *"),
            false => format!("unhealthy: {name}: not dns: the reply begins with * (*s)"),
        });
    }
}

fn a_lost_datagram() {
    let count = Mutex::new(0);
    let fake = Fake::new(move |query| {
        let mut count = count.lock().expect("a count");
        *count += 1;
        // An answer to the first question would do as well.
        if *count == 1 {
            Vec::new()
        } else {
            vec![well(query)]
        }
    });
    let name = fake.target();
    let run = check([&name]);
    expect(&run, &name, Healthy("answers"));
    assert!(run.took >= Duration::from_secs(1), "{run}");
    let asked = fake.asked();
    assert_eq!(asked[0], asked[1]);
}

fn silence() {
    let fake = Fake::new(|_| Vec::new());
    let name = fake.target();
    let address = fake.address;
    let run = check([&name, "-t", "300ms"]);
    run.unhealthy(&format!(
        "unhealthy: {name}: no response within 300 ms: request sent to {address}/udp, waiting for the reply"
    ))
    .within(Duration::from_secs(1));
    assert!(run.took >= Duration::from_millis(300), "{run}");
}

/// A port of UDP that is taken and from which nobody is answered: the kernel refuses what does not come from its peer.
fn deaf() -> (UdpSocket, u16) {
    let socket = udp("127.0.0.1");
    let port = socket.local_addr().expect("its address").port();
    socket.connect("127.0.0.1:9").expect("a peer");
    (socket, port)
}

fn nothing_listens() {
    let (_taken, port) = deaf();
    // Somebody takes datagrams at another port, and connections at this one, which is beside the point.
    let other = udp("127.0.0.1");
    let _tcp = TcpListener::bind(("127.0.0.1", port));
    let hint = match cfg!(target_os = "linux") {
        true => "; listening here: */udp*",
        false => "",
    };
    let name = format!("dns://127.0.0.1:{port}");
    let run = check([&name]);
    run.unhealthy(&format!(
        "unhealthy: {name}: connection refused at 127.0.0.1:{port}/udp{hint} (*s)"
    ))
    .within(Duration::from_secs(1));
    let hint = run.stderr.split("here: ").nth(1).unwrap_or_default();
    assert!(!hint.contains(&format!("127.0.0.1:{port}")), "{run}");
    drop(other);
    let name = format!("dns://localhost:{port}");
    check([&name]).unhealthy(&format!(
        "unhealthy: {name}: connection refused at 127.0.0.1:{port}/udp* (*s)"
    ));
}

fn both_families() -> Result<(), Skip> {
    for _ in 0..20 {
        let (_taken, port) = deaf();
        let six = match UdpSocket::bind(("::1", port)) {
            Ok(six) => six,
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => continue,
            Err(error) => return Err(Skip::new(format!("no IPv6 here: {error}"))),
        };
        let _fake = Fake::on(six, Box::new(|query| vec![well(query)]));
        for host in ["localhost", "[::1]", "0.0.0.0", "[::]"] {
            let name = format!("dns://{host}:{port}");
            expect(&check([&name]), &name, Healthy("answers"));
        }
        return Ok(());
    }
    panic!("no port that is free in both families");
}

/// What does not fit is asked again over TCP, where the answer may come in pieces.
#[rustfmt::skip]
fn truncated_answers() {
    fn framed(message: &[u8]) -> Vec<u8> {
        [&(message.len() as u16).to_be_bytes()[..], message].concat()
    }
    fn long(query: &[u8]) -> Vec<u8> {
        response(query, 0x8180, [60, 0, 0], &ADDRESS.repeat(60))
    }
    // What is sent over TCP, in pieces of so many bytes, and what is said.
    type Reply = fn(&[u8]) -> Vec<u8>;
    let rows: &[(Reply, usize, Said)] = &[
        (|query| framed(&long(query)), 10_000, Healthy("answers")),
        (|query| framed(&long(query)), 400, Healthy("answers")),
        (|query| framed(&well(query)), 1, Healthy("answers")),
        // What follows is an answer to nothing.
        (|query| [framed(&well(query)), b"x".to_vec()].concat(), 10_000, Healthy("answers")),
        (|query| framed(&response(query, 0x8380, [0; 3], b"")), 10_000, Healthy("answers")),
        (|query| framed(&with_code(query, 2)), 10_000, Unhealthy("the server says: 2 SERVFAIL")),
        (|query| framed(&with_code(query, 5)), 10_000, Healthy("answers, refuses this client: 5 REFUSED")),
        (|query| framed(&well(query)[..30]), 10_000, Unhealthy("not dns: *")),
        (|query| framed(&query[..5]), 10_000, Unhealthy("not dns: *")),
        (|_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), 10_000, Unhealthy("not dns: the reply begins with HTTP/1.1 400 Bad Request*; this looks like HTTP")),
        (|query| framed(&long(query))[..100].to_vec(), 10_000, Unhealthy("connection closed while waiting for the reply; until then: *")),
        (|_| Vec::new(), 10_000, Unhealthy("connection closed while waiting for the reply")),
    ];
    for &(reply, size, said) in rows {
        let (listener, socket) = loop {
            let listener = TcpListener::bind("127.0.0.1:0").expect("bind a free port");
            let address = listener.local_addr().expect("its address");
            if let Ok(socket) = UdpSocket::bind(address) {
                break (listener, socket);
            }
        };
        let server = thread::spawn(move || {
            let (mut connection, _) = listener.accept().expect("a connection");
            connection.set_nodelay(true).expect("no delay");
            let mut query = vec![0; 2 + 12 + LOCALHOST.len()];
            connection.read_exact(&mut query).expect("a query");
            assert_eq!(query[..2], [0, query.len() as u8 - 2]);
            for piece in reply(&query[2..]).chunks(size) {
                thread::sleep(Duration::from_micros(300));
                if connection.write_all(piece).is_err() {
                    break;
                }
            }
            query
        });
        let fake = Fake::on(socket, Box::new(|query| vec![response(query, 0x8380, [5, 0, 0], &ADDRESS[..7])]));
        let name = fake.target();
        expect(&check([&name]), &name, said);
        let query = server.join().expect("the server");
        assert_eq!(query[2..], fake.asked()[0]);
    }
    // Nobody takes it there.
    let (socket, address) = loop {
        let socket = udp("127.0.0.1");
        let address = socket.local_addr().expect("its address");
        if TcpListener::bind(address).is_ok() {
            break (socket, address);
        }
    };
    let fake = Fake::on(socket, Box::new(|query| vec![response(query, 0x8380, [5, 0, 0], b"")]));
    let name = fake.target();
    check([&name]).unhealthy(&format!("unhealthy: {name}: connection refused at {address}* (*s)"));
}

fn where_self_listens() -> Result<(), Skip> {
    if !cfg!(target_os = "linux") {
        return Err(Skip::new("only Linux has all of 127.0.0.0/8"));
    }
    let fake = Fake::on(udp("127.0.0.77"), Box::new(|query| vec![well(query)]));
    let (port, address) = (fake.address.port(), fake.address);
    let name = format!("dns://self:{port}");
    check([&name]).healthy(&format!("healthy: {name} at {address}/udp: answers in *s"));
    let name = format!("dns://127.0.0.1:{port}");
    check([&name]).unhealthy(&format!(
        "unhealthy: {name}: connection refused at 127.0.0.1:{port}/udp; listening here: {address}/udp (write self as the host)* (*s)"
    ));
    Ok(())
}

fn names_and_usage() {
    let label = "a".repeat(64);
    let long = ["a123456789"; 24].join(".");
    const NO_NAME: &str = "has a path that is no domain name: labels of 1 to 63 letters, digits, - or _, with dots between, 253 in all";
    for path in [
        "/a..b",
        "/..",
        "//",
        "/a/b",
        "/a/",
        "/?a",
        "/a?b",
        "/a%20b",
        "/*.a",
        "/a..",
        &format!("/{label}"),
        &format!("/{long}"),
    ] {
        let target = format!("dns://localhost{path}");
        if path == "//" || path == "/a/" {
            continue;
        }
        check([&target]).unhealthy(&format!("error: TARGET: \"*\" {NO_NAME}"));
    }
    for (arguments, line) in [
        (
            &["--unix-socket=/run/x", "dns://localhost"][..],
            "error: --unix-socket: means nothing to a target of the kind dns",
        ),
        (
            &["--body=x", "dns://localhost"],
            "error: --body: means nothing to a target of the kind dns",
        ),
        (
            &["dns:localhost"],
            "error: TARGET: \"dns:...\" is not a URL such as http://localhost:8080/health",
        ),
        (
            &["dns://a@localhost"],
            "error: TARGET: \"dns://...@localhost\" has credentials, which mean nothing to dns",
        ),
    ] {
        check(arguments).unhealthy(line);
    }
    // It is for the other one.
    let fake = Fake::new(|query| vec![well(query)]);
    let run = check([
        "--unix-socket=/nowhere/x",
        "redis://localhost",
        &fake.target(),
    ]);
    lines(
        run.exits(1),
        &[format!("healthy: {}: answers in *s", fake.target())],
        &["unhealthy: redis://localhost:6379: cannot connect to /nowhere/x: *".into()],
    );
}

/// No datagram makes a probe panic or outlive its deadline, and what is said of it is one line.
fn no_datagram_breaks_a_probe() {
    use proptest::prelude::*;
    /// Where a reply is cut, which of its bytes are replaced, and what is behind it.
    type Change = (usize, Vec<(usize, u8)>, Vec<u8>);
    let changes: Arc<Mutex<Change>> = Arc::default();
    let script = changes.clone();
    let fake = Fake::new(move |query| {
        let (end, changes, more) = &*script.lock().expect("the changes");
        let mut reply = response(query, 0x8580, [2, 1, 0], &ADDRESS.repeat(3));
        reply.truncate(*end);
        for &(at, byte) in changes {
            if let Some(changed) = reply.get_mut(at) {
                *changed = byte;
            }
        }
        reply.extend(more);
        vec![reply]
    });
    let target = fake.target();
    let timeout = Duration::from_millis(30);
    let strategy = (
        prop::sample::select(vec![0, 11, 12, 31, 40, 79, 79, 79, 79]),
        prop::collection::vec((2..80usize, any::<u8>()), 0..3),
        prop::collection::vec(any::<u8>(), 0..3),
    );
    let outcome = runner(60).run(&strategy, |change| {
        *changes.lock().expect("the changes") = change;
        super::is_answered(&target, None, timeout)
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
