//! What holds of every protocol: nothing that a server says, or leaves unsaid, confuses a check of it.
//!
//! The file of a protocol has its conversation, the states that its servers tell of, and what is special about it.
//! [`CONVERSATIONS`] names it.

use crate::support::{SLACK, Server, check, deaf_port, lines, reset, runner};
use conversation::{
    Conversation, Fake, Manner, POLITE,
    Said::{Healthy, Unhealthy},
    State, escaped, expect, handshakes, hex, on_unix_socket, target, waiting_for,
};
use healthchecker::cli::{self, Command};
use healthchecker::deadline::Deadline;
use healthchecker::protocol::handshake::Judge;
use healthchecker::protocol::{self, Protocol, Takes};
use healthchecker::report;
use healthchecker::run::Attempt;
use healthchecker::verdict::Reply;
use libtest_mimic::Trial;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

mod amqp;
mod cassandra;
mod clamd;
pub mod conversation;
mod dns;
mod fastcgi;
mod file;
mod ftp;
mod grpc;
mod imap;
mod kafka;
mod ldap;
mod memcached;
mod mongodb;
mod mqtt;
mod mysql;
mod nats;
mod pid;
mod pop3;
mod postgres;
mod redis;
mod smtp;
mod ssh;
mod tcp;
mod tls;
mod zookeeper;

/// How the servers of each protocol talk, in the order of the help.
const CONVERSATIONS: &[fn() -> Conversation] = &[
    redis::conversation,
    postgres::conversation,
    mysql::conversation,
    amqp::conversation,
    memcached::conversation,
    smtp::conversation,
    ldap::conversation,
    zookeeper::conversation,
    mongodb::conversation,
    mqtt::conversation,
    nats::conversation,
    kafka::conversation,
    cassandra::conversation,
    clamd::conversation,
    ssh::conversation,
    ftp::conversation,
    pop3::conversation,
    imap::conversation,
    tls::conversation,
];

pub fn trials() -> Vec<Trial> {
    let mut trials = trials![
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
        unix_sockets,
        several_targets,
        usage_errors_send_nothing,
        no_reply_breaks_a_probe,
    ];
    // Those that have tests of their own.
    trials.extend(tcp::trials());
    trials.extend(grpc::trials());
    trials.extend(fastcgi::trials());
    trials.extend(pid::trials());
    trials.extend(file::trials());
    trials.extend(postgres::trials());
    trials.extend(tls::trials());
    trials.extend(dns::trials());
    trials
}

fn conversations() -> Vec<Conversation> {
    CONVERSATIONS
        .iter()
        .map(|conversation| conversation())
        .collect()
}

/// Every state of every protocol.
fn states(all: &[Conversation]) -> impl Iterator<Item = (&Conversation, &State)> {
    all.iter()
        .flat_map(|row| row.states.iter().map(move |state| (row, state)))
}

fn every_row_has_a_conversation() {
    let tested: Vec<_> = conversations().iter().map(|row| row.scheme).collect();
    let rows: Vec<_> = handshakes().map(|(scheme, _)| scheme).collect();
    assert_eq!(tested, rows);
}

/// The rows of all protocols that connect to a server.
fn connecting() -> impl Iterator<Item = &'static Protocol> {
    let rows = protocol::ALL.iter().copied();
    rows.filter(|row| row.takes.contains(&Takes::Connection))
}

/// What follows a host and port in the URLs of a protocol: nothing, or a path that it may or must have.
fn path(row: &Protocol) -> &'static str {
    let rest = row.rest.trim_start_matches("//HOST:PORT");
    if rest.contains('/') { "/ping" } else { "" }
}

/// A target of this protocol on 127.0.0.1.
fn url(row: &Protocol, port: u16) -> String {
    format!("{}://127.0.0.1:{port}{}", row.scheme, path(row))
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

/// Whoever speaks the protocol hears the goodbye too, unless it waits for a password.
fn every_state_of_a_server() {
    for (row, state) in states(&conversations()) {
        let steps = row.answered(state);
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

/// A server that speaks TLS hangs up on what it does not understand.
fn hint_of_tls(row: &Conversation) -> &'static str {
    match row.steps[0].0.is_empty() || ["tls", "fastcgi"].contains(&row.scheme) {
        true => "",
        false => "; it may speak TLS: try tls://",
    }
}

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
                    0 if step == 0 => hint_of_tls(&row).to_owned(),
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
    // Nor does it matter to what is not healthy.
    for (row, state) in states(&conversations()) {
        if row.may_go_on(&state.replies[0]) {
            continue;
        }
        let steps = row.answered(state);
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
    for (row, state) in states(&conversations()) {
        let handshake = handshakes().find(|(scheme, _)| *scheme == row.scheme);
        let Judge::Bytes(judge) = handshake.expect("a row of the table").1.steps[0].judge else {
            continue;
        };
        let reply = &state.replies[0];
        if row.may_go_on(reply) {
            continue;
        }
        let alien = matches!(state.said, Unhealthy(text) if text.starts_with("not "));
        for end in 1..reply.len() {
            let seen = judge(&reply[..end]);
            let fits = seen == Reply::Incomplete || alien && seen == Reply::WrongProtocol;
            assert!(fits, "{}: {seen:?}: {}", row.scheme, escaped(&reply[..end]));
        }
        let seen = judge(reply);
        let fits = match seen {
            Reply::WrongProtocol => alien,
            // What comes behind a reply is no part of it.
            Reply::Ok(bytes) => bytes == reply.len() && matches!(state.said, Healthy("answers")),
            Reply::Incomplete => false,
            _ => !alien,
        };
        assert!(fits, "{}: {seen:?}: {}", row.scheme, escaped(reply));
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
            if row.lines_first && reply.is_ascii() && !reply.contains(&0) {
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
            expect(&check([&name]), &name, Unhealthy(row.echo));
        }
    }
}

fn endless_replies() {
    for row in conversations() {
        assert!(!row.endless.is_empty(), "{}", row.scheme);
        for endless in &row.endless {
            let steps = row.steps.clone();
            let answers = endless.answers;
            let (start, more) = (endless.start.clone(), endless.more.repeat(1000));
            let server = Server::new(move |connection| {
                for (at, (question, answer)) in steps.iter().enumerate().take(answers + 1) {
                    let mut words = vec![0; question.len()];
                    let _ = connection.read_exact(&mut words);
                    let _ = connection.write_all(if at < answers { answer } else { &start });
                }
                while connection.write_all(&more).is_ok() {}
            });
            let name = target(&server, row.scheme);
            let run = check([&name]);
            run.within(Duration::from_secs(3));
            expect(&run, &name, Unhealthy(endless.said));
        }
    }
}

/// The verdict is fixed, whatever else is said for ever, and the goodbye does not wait for the end of it.
fn floods_behind_the_reply() {
    for row in conversations().iter().filter(|row| !row.open_ended) {
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
            let hint = if half { "" } else { hint_of_tls(&row) };
            check([&name]).unhealthy(&format!(
                "unhealthy: {name}: connection reset while waiting for {}{hint} (*s)",
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
    for row in conversations().iter().filter(|row| !row.full.is_empty()) {
        let words = row.full;
        for _ in 0..10 {
            let server = Server::new(|connection| {
                let _ = connection.write_all(words);
            });
            let name = target(&server, row.scheme);
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
    let conversations = conversations();
    // Those that judge whatever comes have nothing to compare it with, and HTTP has a test of its own.
    for row in connecting().filter(|row| !row.takes.contains(&Takes::Text)) {
        for (other, reply) in OTHERS {
            let conversation = conversations.iter().find(|own| own.scheme == row.scheme);
            let is_asked = conversation.is_none_or(|own| !own.steps[0].0.is_empty());
            // It hangs up at once, as these do.
            let server = Server::new(move |connection| {
                if is_asked {
                    let _ = connection.read(&mut [0; 4096]);
                }
                let _ = connection.write_all(reply);
            });
            let name = url(row, server.port());
            let run = check([&name]);
            if row.signature.as_ref().is_some_and(|own| own.name == other) {
                let said = conversation.and_then(|own| own.said_of(reply));
                expect(&run, &name, said.expect("a reply of its conversation"));
            } else {
                run.unhealthy(&format!(
                    "unhealthy: {name}: not {}: the reply begins with {}; this looks like {other} (*s)",
                    row.scheme,
                    escaped(reply)
                ));
            }
        }
    }
}

fn nothing_listens() {
    let (_taken, port) = deaf_port();
    for row in connecting() {
        let name = url(row, port);
        check([&name]).unhealthy(&format!(
            "unhealthy: {name}: connection refused at 127.0.0.1:{port}; *listen* (*s)"
        ));
    }
}

fn unix_sockets() {
    let folder = tempfile::tempdir().expect("a folder");
    for row in conversations() {
        let file = folder.path().join(row.scheme);
        let heard = on_unix_socket(&file, row.steps.clone());
        let option = format!("--unix-socket={}", file.display());
        let name = format!("{}://localhost", row.scheme);
        let run = check([&option, &name]);
        run.healthy(&format!(
            "healthy: {name}:*: answers in * ms via {}",
            file.display()
        ));
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
        let file_name = file.display();
        check([&format!("--unix-socket={file_name}"), "redis://localhost"]).unhealthy(&format!(
            "unhealthy: redis://localhost:6379: the server says: -ERR max number of clients reached (* ms) via {file_name}",
        ));
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
    .healthy(&format!(
        "healthy: tcp://localhost: accepts connections in * ms via {}",
        file.display()
    ));
    assert_eq!(heard.recv().expect("an end").expect("a polite end"), b"hi");
}

fn several_targets() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let server = |scheme: &'static str, reply: &'static [u8]| {
        let asked = asked.clone();
        Server::new(move |connection| {
            asked.lock().expect("the list").push(scheme);
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
        &[
            format!("healthy: {http_name}: 204 No Content in *s"),
            format!("healthy: {memcached_name}: answers in *s"),
            format!("healthy: {file_name}: touched * ago in *s"),
            format!("healthy: {tcp_name}: accepts connections in *s"),
        ],
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

#[rustfmt::skip]
fn usage_errors_send_nothing() {
    let server = Server::untouched();
    let port = server.port();
    // Each option, and what it belongs to.
    let options = [
        ("--status=200", Takes::Http),
        ("--json=status=UP", Takes::Http),
        ("--expect-header=X-A", Takes::Http),
        ("--method=GET", Takes::Http),
        ("--header=X-A: b", Takes::Http),
        ("--data=x", Takes::Http),
        ("--user=a:b", Takes::Http),
        ("--user-agent=me", Takes::Http),
        ("--location", Takes::Http),
        ("--body=x", Takes::Text),
        ("--body-not=x", Takes::Text),
        ("--send=x", Takes::Send),
        ("--unix-socket=/run/x", Takes::Connection),
    ];
    let conversations = conversations();
    let http = server.url("/");
    for row in protocol::ALL.iter().filter(|row| !row.takes.contains(&Takes::Http)) {
        let scheme = row.scheme;
        let connects = row.has_authority();
        let name = &if connects { url(row, port) } else { format!("{scheme}:/run/alive") };
        for (option, belongs) in options {
            let long = option.split('=').next().expect("a name");
            if !row.takes.contains(&belongs) {
                check([option, name]).unhealthy(&format!("error: {long}: means nothing to a target of the kind {scheme}"));
            }
        }
        // One target that is wrong keeps all from being asked.
        check([&http, name, "x"]).unhealthy("error: TARGET: \"x\" is not a URL *");
        check(["--spare=1s", &http, name]).unhealthy("error: --spare: means nothing without --kill");
        check(["--install=/nowhere/x", name]).unhealthy("error: --install: works only alone: nothing is checked");
        // And an option that means nothing to any of them, which are named once each.
        check(["--json=x", name, name]).unhealthy(&format!("error: --json: means nothing to a target of the kind {scheme}"));
        for option in ["--port=1", "--host=localhost", "--path=/x"] {
            let long = option.split('=').next().expect("a name");
            check([option, name]).unhealthy(&format!("error: {long}: the target says that already; give one or the other"));
        }
        if !connects {
            continue;
        }
        let at = |authority: &str| name.replace("127.0.0.1", authority);
        let run = check([at("me:secret@127.0.0.1")]);
        let conversation = conversations.iter().find(|own| own.scheme == scheme);
        let of_a_password = conversation.and_then(|own| own.of_a_password);
        let complaint = match of_a_password {
            Some(complaint) => complaint.to_owned(),
            None => format!("has credentials, which mean nothing to {scheme}"),
        };
        run.unhealthy(&format!("error: TARGET: \"{}\" {complaint}", at("...@127.0.0.1")));
        check([at("192.0.2.1")]).unhealthy("error: TARGET: \"192.0.2.1\" is not this machine: only localhost or one of its own IP addresses is asked");
        check([at("example.com")]).unhealthy(&format!(
            "error: TARGET: \"{}\" names a host, and no name but localhost is looked up; *",
            at("example.com")
        ));
        if path(row).is_empty() && of_a_password.is_none() {
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

/// All that a healthy server of this protocol says.
fn healthy_reply(row: &Protocol) -> Vec<u8> {
    let conversations = conversations();
    match (
        row.scheme,
        conversations.iter().find(|own| own.scheme == row.scheme),
    ) {
        (_, Some(own)) => own
            .steps
            .iter()
            .flat_map(|(_, answer)| answer.clone())
            .collect(),
        ("fastcgi", _) => fastcgi::fastcgi_reply(b"Content-type: text/plain\r\n\r\npong"),
        ("grpc", _) => hex("000000040000000000 000006040000000000 000400010000"),
        _ => Vec::new(),
    }
}

/// No reply makes a probe panic or outlive its deadline, and what is said of it is one line.
fn no_reply_breaks_a_probe() {
    use proptest::prelude::*;
    // The server says what it is told to say, to whoever comes.
    let script: Arc<Mutex<Vec<u8>>> = Arc::default();
    let words = script.clone();
    let server = Server::new(move |connection| {
        let reply = words.lock().expect("the reply").clone();
        let _ = connection.write_all(&reply);
        let _ = connection.shutdown(std::net::Shutdown::Write);
        let _ = connection.read_to_end(&mut Vec::new());
    });
    // HTTP has tests of its own.
    let rows = connecting().filter(|row| !row.takes.contains(&Takes::Http));
    let starts: Vec<(String, Vec<u8>)> = rows
        .map(|row| (url(row, server.port()), healthy_reply(row)))
        .collect();
    let count = starts.len();
    let strategy = (
        0..count,
        any::<prop::sample::Index>(),
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        prop::collection::vec(any::<u8>(), 0..80),
    );
    let timeout = Duration::from_millis(500);
    let outcome = runner(500).run(&strategy, |(row, end, changes, more)| {
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
        is_answered(target, expectation, timeout)
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// That a target is asked within a time, whatever comes of it, and that there is one line to say of it.
fn is_answered(
    target: &str,
    option: Option<&str>,
    timeout: Duration,
) -> Result<(), proptest::test_runner::TestCaseError> {
    use proptest::prop_assert;
    let arguments = [target].into_iter().chain(option);
    let Ok(Command::Check(check, _)) = cli::parse(arguments.map(Into::into).collect(), &|_| None)
    else {
        panic!("{target} is no target")
    };
    let begun = Instant::now();
    let answer = check.targets[0].ask(&Deadline::after(timeout));
    prop_assert!(begun.elapsed() < timeout + SLACK, "{target}: {answer:?}");
    let line = report::line(&check.targets[0], &answer, None, &Attempt::only(timeout));
    prop_assert!(line.len() <= 512 && line.ends_with('\n'), "{line}");
    let controls = line.bytes().filter(|byte| byte.is_ascii_control());
    prop_assert!(controls.count() == 1, "{line:?}");
    Ok(())
}
