//! Brokers, and ZooKeeper.

use super::Row;
use super::daemon::{Home, free_port, hold};
use crate::support::{Skip, check};
use std::io::{Read, Write};
use std::net::TcpStream;

/// What a server's log may say of a client that came and went.
fn no_complaint(line: &str) -> bool {
    let line = line.to_lowercase();
    let complaints = [
        "error", "warn", "denied", "abort", "reset", "fail", "invalid", "fatal", "protocol",
        "exceeded",
    ];
    !complaints.iter().any(|word| line.contains(word))
}

pub fn mosquitto(row: &Row) -> Result<(), Skip> {
    let home = Home::of("mosquitto")?;
    let port = free_port();
    let socket = home.path("s");
    let url = format!("mqtt://localhost:{port}");
    let by_socket = ["--unix-socket", &socket, "mqtt://localhost"];
    let start = |more: &str| {
        let text = format!("log_dest stderr\nlog_type all\nlistener {port} 127.0.0.1\n{more}\n");
        let file = home.file("conf", &text);
        home.start("mosquitto", &["-c", &file])
    };
    let mut server = start(&format!("listener 0 {socket}\nallow_anonymous true"))?;
    server.up(&[&url]);
    server.logs_only(no_complaint, || {
        row.run(port, "answers");
        check(by_socket).healthy("healthy: mqtt://localhost:1883: answers in * ms via *");
    });
    server.hangs(&[&url], &url);
    server.dies(&[&url], &url);
    drop(server);

    let passwords = home.file("passwords", "");
    let mut server = start(&format!("allow_anonymous false\npassword_file {passwords}"))?;
    server.up(&[&url]);
    server.logs_only(no_complaint, || {
        row.run(port, "answers, wants authentication: not authorized")
    });
    server.stop();

    // It hangs up on those who are too many. The first client must be the one that stays: this version counts one that
    // has left as fewer than none.
    let mut server = start("max_connections 1\nallow_anonymous true")?;
    let mut client = None;
    server.eventually("listening", || {
        client = TcpStream::connect(("127.0.0.1", port)).ok();
        client.is_some()
    });
    let mut client = client.expect("a client");
    client
        .write_all(b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01a")
        .expect("send");
    let _ = client.read(&mut [0; 4]).expect("receive");
    check([&url]).unhealthy(&format!(
        "unhealthy: {url}: connection * while waiting for the reply; it may speak TLS: try tls:// (* ms)"
    ));
    Ok(())
}

pub fn nats(row: &Row) -> Result<(), Skip> {
    let home = Home::of("nats")?;
    let port = free_port();
    let url = format!("nats://localhost:{port}");
    let start = |more: &str| {
        let file = home.file("conf", &format!("host: 127.0.0.1\nport: {port}\n{more}\n"));
        home.start("nats-server", &["-D", "-c", &file])
    };
    let mut server = start("")?;
    server.up(&[&url]);
    server.logs_only(no_complaint, || row.run(port, "answers"));
    server.hangs(&[&url], &url);
    server.dies(&[&url], &url);
    drop(server);

    let mut server = start("authorization { user: a, password: b }")?;
    server.up(&[&url]);
    row.run(
        port,
        "answers, wants authentication: -ERR 'Authorization Violation'",
    );
    server.stop();

    let mut server = start("max_connections: 1")?;
    server.up(&[&url]);
    let mut clients = Vec::new();
    let run = server.full(&[&url], || {
        clients.push(hold(port, b"CONNECT {\"verbose\":true}\r\n"));
    });
    run.unhealthy(&format!(
        "unhealthy: {url}: the server says: -ERR 'maximum connections exceeded' (* ms)"
    ));
    Ok(())
}

pub fn rabbitmq(row: &Row) -> Result<(), Skip> {
    let home = Home::of("rabbitmq")?;
    let (port, distribution, mapper) = (free_port(), free_port(), free_port().to_string());
    // The Erlang machine would start it for good.
    let _mapper = home.start("epmd", &["-address", "127.0.0.1", "-port", &mapper])?;
    let config = home.file(
        "rabbitmq.conf",
        &format!("listeners.tcp.1 = 127.0.0.1:{port}\n"),
    );
    let mut command = home.command("rabbitmq-server")?;
    command
        .env("RABBITMQ_CONFIG_FILE", config.trim_end_matches(".conf"))
        .env("RABBITMQ_NODENAME", "checked@localhost")
        .env("RABBITMQ_DIST_PORT", distribution.to_string())
        .env(
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "-kernel inet_dist_use_interface {127,0,0,1} +S 1 +A 16",
        )
        .env("ERL_EPMD_PORT", &mapper)
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_MNESIA_BASE", home.dir("data"))
        .env("RABBITMQ_LOGS", "-")
        .env("RABBITMQ_LOG_BASE", home.dir("logs"))
        .env(
            "RABBITMQ_ENABLED_PLUGINS_FILE",
            home.file("plugins", "[].\n"),
        )
        .env("LANG", "C.UTF-8");
    let mut server = home.spawn(&mut command);
    let url = format!("amqp://localhost:{port}");
    server.up(&[&url]);
    row.run(port, "answers");
    server.hangs(&[&url], &url);
    server.dies(&[&url], &url);
    Ok(())
}

pub fn zookeeper(row: &Row) -> Result<(), Skip> {
    let home = Home::of("zookeeper")?;
    Home::needs("/usr/share/java/zookeeper.jar")?;
    let port = free_port();
    let url = format!("zookeeper://localhost:{port}");
    let data = home.dir("data");
    home.file("data/myid", "1\n");
    let start = |more: &str| {
        let text = format!(
            "tickTime=2000\ninitLimit=5\nsyncLimit=2\ndataDir={data}\nclientPort={port}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n{more}\n"
        );
        let file = home.file("zoo.cfg", &text);
        home.start(
            "java",
            &[
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                "/usr/share/java/*",
                "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                &file,
            ],
        )
    };
    let mut server = start("4lw.commands.whitelist=ruok,srvr")?;
    server.up(&[&url]);
    row.run(port, "answers");
    let served = [
        "--send",
        "srvr",
        "--body",
        "Mode: ",
        &format!("tcp://localhost:{port}"),
    ];
    server.eventually("serving", || check(served).code == Some(0));
    check(served).healthy(&format!("healthy: tcp://localhost:{port}: * in * ms"));
    server.hangs(&[&url], &url);
    server.dies(&[&url], &url);
    drop(server);

    // Its own default; and alone in a quorum of three, of which ruok says nothing.
    let quorum: String = (1..=3)
        .map(|id| format!("server.{id}=127.0.0.1:{}:{}\n", free_port(), free_port()))
        .collect();
    let mut server = start(&quorum)?;
    server.up(&[&url]);
    row.run(
        port,
        "answers, refuses this client: ruok is not executed because it is not in the whitelist.",
    );
    server.eventually("asked", || {
        check(served).stderr.contains("not currently serving")
    });
    check(served).unhealthy(&format!(
        "unhealthy: tcp://localhost:{port}: body lacks \"Mode: \"; body: This ZooKeeper instance is not currently serving requests* (* ms)"
    ));
    Ok(())
}
