//! Plain TCP: a port that is open, and what is sent and expected there.

use super::conversation::{
    Fake, POLITE,
    Said::{self, Healthy, Unhealthy},
    escaped, expect, target,
};
use crate::support::{Server, check, reset};
use libtest_mimic::Trial;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    trials![tcp, what_tcp_sends,]
}

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
        // That a text does not come is known at the end, however the reply is cut.
        (&["--body=OK", "--body-not=ERROR"], &[b"OK\nERROR\n"], Unhealthy("body contains \"ERROR\"; body: OK\\nERROR\\n")),
        (&["--body=OK", "--body-not=ERROR"], &[b"OK\n", b"ERR", b"OR\n"], Unhealthy("body contains \"ERROR\"; body: OK\\nERROR\\n")),
        (&["--body=OK", "--body-not=ERROR"], &[b"OK\n", b"bye\n"], Healthy("accepts connections")),
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
