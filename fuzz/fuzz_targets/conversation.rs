//! Whole conversations of every protocol, through a unix socket: the verdict is the same whether the reply comes at once or in
//! pieces, its line can be printed, and a service is well only if it said what every such service says.
#![no_main]

use healthchecker_fuzz::{ask, assert_line, conversations, pieces, spell};
use libfuzzer_sys::fuzz_target;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

const WORDS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b" ",
    b"\0",
    b"\xff",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 503 No\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 2\r\n",
    b"Content-Length: ",
    b"X: y\r\n",
    b"\r\n\r\n",
    b"UP",
    b"2\r\nUP\r\n",
    b"0\r\n\r\n",
    b"{\"status\":\"UP\"}",
    b"f\r\n{\"status\":\"UP\"}\r\n",
    b"1",
    b"9",
    // HTTP/2: SETTINGS, its acknowledgement, PING, HEADERS with a status of 200, a message that says SERVING, trailers.
    b"\0\0\0\x04\0\0\0\0\0",
    b"\0\0\0\x04\x01\0\0\0\0",
    b"\0\0\x08\x06\0\0\0\0\0abcdefgh",
    b"\0\0\x01\x01\x04\0\0\0\x01\x88",
    b"\0\0\x01\x01\x05\0\0\0\x01\x88",
    b"\0\0\x07\0\0\0\0\0\x01\0\0\0\0\x02\x08\x01",
    b"\0\0\x0f\x01\x05\0\0\0\x01\x40\x0bgrpc-status\x010",
    b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0",
    b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08",
    // FastCGI: output with a head and a body, and the end of the request.
    b"\x01\x06\0\x01\0\x1d\x03\0Content-Type: text/plain\r\n\r\nX\0\0\0",
    b"\x01\x03\0\x01\0\x08\0\0\0\0\0\0\0\0\0\0",
    b"\x01\x06\0\x01\0\x13\0\0Status: 404 x\r\n\r\nno",
    b"\x01\x07\0\x01\0\0\0\0",
    b"+PONG\r\n",
    b"-NOAUTH x\r\n",
    b"R\0\0\0\x08\0\0\0\0",
    b"VERSION 1\r\n",
    b"220 a\r\n",
    b"250 a\r\n",
    b"imok",
    b"INFO {}\r\n",
    b"PONG\r\n",
    b"+OK\r\n",
    b"* OK x\r\n",
    b"SSH-2.0-x\r\n",
    b"PONG\0",
    b"\x20\x02\0\0",
    b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\0\x04\0\x04\0",
];

/// What the service sends next, in pieces.
static NEXT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

static SOCKET: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = std::env::temp_dir().join(format!("healthchecker-fuzz-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).expect("bind a unix socket");
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            serve(connection);
        }
    });
    path
});

fn serve(mut connection: UnixStream) {
    let pieces = NEXT.lock().expect("the reply").clone();
    let many = pieces.len() > 1;
    for piece in pieces {
        // A checker that has its verdict may be gone already.
        if connection.write_all(&piece).is_err() {
            break;
        }
        if many {
            // Long enough for the checker to read this before the next piece comes, unless the machine is busy.
            std::thread::sleep(Duration::from_micros(50));
        }
    }
    let _ = connection.shutdown(std::net::Shutdown::Write);
    let _ = connection.read_to_end(&mut Vec::new());
}

/// What is asked, and without what at its beginning no reply of a service that is well can do. The options are those that make
/// a reply's body count.
const OTHERS: [(&[&str], &[&[u8]]); 7] = [
    (&["http://localhost/"], &[b"HTTP/1."]),
    (&["http://localhost/", "-b", "UP"], &[b"HTTP/1."]),
    (&["http://localhost/", "-j", "status=UP"], &[b"HTTP/1."]),
    (&["http://localhost/", "--body-not", "DOWN"], &[b"HTTP/1."]),
    (&["grpc://localhost:1"], &[b"\0"]),
    (&["tcp://localhost:1", "-b", "UP"], &[b""]),
    (&["fastcgi://localhost/ping"], &[b"\x01"]),
];

/// The same for the rows of the table; a new one has nothing here.
fn beginnings(scheme: &str) -> &'static [&'static [u8]] {
    match scheme {
        "redis" => &[b"+PONG", b"-NOAUTH", b"-NOPERM", b"-DENIED"],
        "postgres" => &[b"R\0\0", b"E\0\0"],
        "memcached" => &[b"VERSION ", b"CLIENT_ERROR unauthenticated"],
        "smtp" | "ftp" => &[b"220", b"120"],
        "ldap" => &[b"\x30"],
        "amqp" => &[b"\x01\0\0"],
        "zookeeper" => &[b"imok", b"ruok is not executed"],
        "mqtt" => &[b"\x20"],
        "nats" => &[b"INFO {"],
        "kafka" => &[b"\0\0"],
        "clamav" => &[b"PONG"],
        "pop3" => &[b"+OK"],
        "imap" => &[b"* OK", b"* PREAUTH"],
        "tls" => &[b"\x15\x03", b"\x16\x03"],
        _ => &[b""],
    }
}

fuzz_target!(|input: (u8, Vec<u8>, Vec<u8>)| {
    let (at, letters, cuts) = input;
    let table = conversations();
    let mut reply = spell(&letters, WORDS);
    reply.truncate(16 * 1024);
    let cuts = &cuts[..cuts.len().min(6)];
    let url;
    let at = usize::from(at) % (OTHERS.len() + table.len());
    let (arguments, beginnings) = match OTHERS.get(at) {
        Some((arguments, beginnings)) => (arguments.to_vec(), *beginnings),
        None => {
            let (scheme, _) = table[at - OTHERS.len()];
            url = format!("{scheme}://localhost");
            (vec![&*url], beginnings(scheme))
        }
    };
    let asked = |pieces: Vec<Vec<u8>>| {
        *NEXT.lock().expect("the reply") = pieces;
        let (line, kind, comparable) = ask(&arguments, &SOCKET);
        assert_line(&line);
        assert!(kind != "late", "{line}");
        if matches!(kind, "well" | "refuses") {
            assert!(
                beginnings
                    .iter()
                    .any(|beginning| reply.starts_with(beginning)),
                "{line} after {:?}",
                String::from_utf8_lossy(&reply)
            );
        }
        // Without the time at its end.
        let end = line
            .rfind(if matches!(kind, "well" | "refuses") {
                " in "
            } else {
                " ("
            })
            .unwrap_or(line.len());
        (kind, comparable.then(|| line[..end].to_owned()))
    };
    // `imok` is a whole reply without a line's end: what follows it is part of a reply only if it comes with it.
    if arguments == ["zookeeper://localhost"] && reply.starts_with(b"imok") && reply.len() > 4 {
        return;
    }
    let at_once = asked(vec![reply.clone()]);
    let in_pieces = asked(
        pieces(&reply, cuts)
            .into_iter()
            .map(<[u8]>::to_vec)
            .collect(),
    );
    assert_eq!(
        in_pieces,
        at_once,
        "{arguments:?}: {:?} in {cuts:?}",
        String::from_utf8_lossy(&reply)
    );
});
