//! Databases and caches.

use super::Row;
use super::daemon::{Home, free_port, hold};
use crate::support::{Skip, check};
use std::io::{Read, Write};
use std::net::TcpStream;

pub fn redis(row: &Row) -> Result<(), Skip> {
    let home = Home::of("redis")?;
    let port = free_port();
    let (p, socket) = (port.to_string(), home.path("s"));
    let arguments = |more: &[&'static str]| {
        let all = [
            "--port",
            &p,
            "--bind",
            "127.0.0.1",
            "--unixsocket",
            &socket,
            "--enable-debug-command",
            "local",
        ];
        all.iter()
            .map(|&text| text.to_owned())
            .chain(more.iter().map(|&text| text.to_owned()))
            .collect::<Vec<_>>()
    };
    let start = |more: &[&'static str]| {
        let all = arguments(more);
        home.start(
            "redis-server",
            &all.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    };
    let mut server = start(&[])?;
    let url = format!("redis://localhost:{port}");
    server.up(&[&url]);
    let say = |line: &str| hold(port, format!("{line}\r\n").as_bytes());

    let by_socket = ["--unix-socket", &socket, "redis://localhost"];
    server.logs_only(
        |_| false,
        || {
            row.run(port, "answers");
            check(by_socket).healthy("healthy: redis://localhost:6379: answers in * ms via *");
            // An answer without authentication is one all the same.
            say("CONFIG SET requirepass secret");
            check([&url]).healthy(&format!(
                "healthy: {url}: answers, wants authentication: -NOAUTH Authentication required. in * ms"
            ));
            let mut admin = say("AUTH secret");
            let _ = admin.write_all(b"CONFIG SET requirepass \"\"\r\nCONFIG SET maxclients 1\r\n");
            let _ = admin.read(&mut [0; 100]);
            std::thread::sleep(std::time::Duration::from_millis(50));
            check([&url]).unhealthy(&format!(
                "unhealthy: {url}: the server says: -ERR max number of clients reached (* ms)"
            ));
            let _ = admin.write_all(b"CONFIG SET maxclients 100\r\n");
            let _ = admin.read(&mut [0; 100]);
        },
    );
    // A replica that has lost its master, and may not serve old data.
    say("CONFIG SET replica-serve-stale-data no");
    say("REPLICAOF 127.0.0.1 1");
    check([&url]).unhealthy(&format!(
        "unhealthy: {url}: the server says: -MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'. (* ms)"
    ));
    say("REPLICAOF NO ONE");
    server.hangs(&[&url], &url);

    // It loads what it saved, slowly.
    say("DEBUG POPULATE 20000");
    say("SAVE");
    server.dies(&[&url], &url);
    check(by_socket).exits(1);
    let mut server = start(&[
        "--key-load-delay",
        "500",
        "--loading-process-events-interval-bytes",
        "1024",
    ])?;
    let mut said = String::new();
    server.eventually("loading", || {
        let run = check([&url]);
        said = run.stderr.clone();
        run.code == Some(1) && !said.contains("refused")
    });
    assert!(
        said.starts_with(&format!(
            "unhealthy: {url}: the server says: -LOADING Redis is loading the dataset in memory ("
        )),
        "{said}"
    );
    Ok(())
}

pub fn mariadb(row: &Row) -> Result<(), Skip> {
    let home = Home::of("mysql")?;
    let port = free_port();
    let socket = home.path("s");
    let data = format!("--datadir={}", home.path("data"));
    // As Debian's and as the official image's: root by a second way of authentication, or by password only.
    home.run(
        "mariadb-install-db",
        &[
            "--no-defaults",
            &data,
            "--auth-root-authentication-method=socket",
            "--skip-test-db",
        ],
    )?;
    let (port_option, socket_option, pid) = (
        format!("--port={port}"),
        format!("--socket={socket}"),
        format!("--pid-file={}", home.path("pid")),
    );
    let start = |more: &[&'static str]| {
        let mut all = vec![
            "--no-defaults",
            &data,
            &port_option,
            &socket_option,
            &pid,
            "--bind-address=127.0.0.1",
            "--max-connections=10",
            "--connect-timeout=60",
            "--innodb-buffer-pool-size=8M",
            "--innodb-log-file-size=4M",
        ];
        all.extend(more);
        home.start("mariadbd", &all)
    };
    let url = format!("mysql://localhost:{port}");
    let by_socket = ["--unix-socket", &socket, "mysql://localhost"];
    let mut server = start(&[])?;
    server.up(&[&url]);
    server.logs_only(
        |_| false,
        || {
            for _ in 0..5 {
                row.run(port, "answers");
                check(by_socket).healthy("healthy: mysql://localhost:3306: answers in * ms via *");
            }
        },
    );
    // One more than the limit is let in, because it might be the administrator.
    let clients: Vec<TcpStream> = (0..11).map(|_| hold(port, b"")).collect();
    check([&url]).unhealthy(&format!(
        "unhealthy: {url}: the server says: 1040 Too many connections (* ms)"
    ));
    drop(clients);
    server.up(&[&url]);
    server.hangs(&[&url], &url);
    server.dies(&[&url], &url);
    drop(server);

    // Without names of hosts, nobody is let in from 127.0.0.1 here.
    let mut server = start(&["--skip-name-resolve"])?;
    server.up(&[&url]);
    check([&url]).healthy(&format!(
        "healthy: {url}: answers, refuses this client: 1130 Host '127.0.0.1' is not allowed to connect to this MariaDB server in * ms"
    ));
    server.logs_only(
        |_| false,
        || {
            check(by_socket).healthy("healthy: mysql://localhost:3306: answers in * ms via *");
        },
    );
    server.stop();
    // Somebody repairs it: every name is accepted.
    let mut server = start(&["--skip-grant-tables"])?;
    server.up(&by_socket);
    check(by_socket).healthy("healthy: mysql://localhost:3306: answers in * ms via *");
    Ok(())
}

/// StartupMessage of the user postgres.
const STARTUP: &[u8] = b"\0\0\0\x17\0\x03\0\0user\0postgres\0\0";

pub fn postgres(row: &Row) -> Result<(), Skip> {
    let home = Home::of("postgres")?;
    let port = free_port();
    let password = home.file("password", "secret\n");
    let data = home.path("data");
    let initdb = [
        "-D",
        &data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "--no-sync",
        "--locale=C",
        "--pwfile",
        &password,
    ];
    home.run("initdb", &initdb)?;
    let (p, directory) = (port.to_string(), home.path(""));
    let directory = directory.trim_end_matches('/');
    let start = |more: &[&'static str]| {
        let mut all = vec!["-D", &data, "-p", &p, "-k", directory, "-F"];
        for setting in [
            "listen_addresses=127.0.0.1",
            "max_connections=4",
            "superuser_reserved_connections=0",
            "max_wal_senders=0",
        ]
        .iter()
        .chain(more)
        {
            all.extend(["-c", setting]);
        }
        home.start("postgres", &all)
    };
    let socket = home.path(&format!(".s.PGSQL.{port}"));
    let url = format!("postgres://localhost:{port}");
    let by_socket = ["--unix-socket", &socket, "postgres://localhost"];
    let mut server = start(&[])?;
    server.up(&[&url]);
    server.logs_only(
        |_| false,
        || {
            for _ in 0..5 {
                row.run(port, "answers");
                check(by_socket)
                    .healthy("healthy: postgres://localhost:5432: answers in * ms via *");
            }
        },
    );
    let sick = |what: &str| {
        format!("unhealthy: postgres://localhost:{port}: the server says: {what} (* ms)")
    };
    {
        let mut clients = Vec::new();
        let run = server.full(&[&url], || clients.push(hold(port, STARTUP)));
        run.unhealthy(&sick("53300 sorry, too many clients already"));
    }
    server.eventually("free again", || check([&url]).code == Some(0));

    // Each way of asking for a password.
    for method in ["scram-sha-256", "md5", "password"] {
        home.file(
            "data/pg_hba.conf",
            &format!("local all all {method}\nhost all all 127.0.0.1/32 {method}\n"),
        );
        server.signal("HUP");
        server.eventually("reloaded", || {
            check([&url]).stdout.contains("authentication")
        });
        server.logs_only(
            |_| false,
            || {
                for _ in 0..5 {
                    row.run(port, "answers, wants authentication");
                    check(by_socket).healthy(
                        "healthy: postgres://localhost:5432: answers, wants authentication in * ms via *",
                    );
                }
            },
        );
    }
    // Nobody is let in from there.
    home.file("data/pg_hba.conf", "local all all trust\n");
    server.signal("HUP");
    server.eventually("closed", || check([&url]).stdout.contains("28000"));
    row.run(port, "answers, wants authentication: 28000 no pg_hba.conf entry for host \"127.0.0.1\", user \"postgres\", database \"postgres\", no encryption");
    server.hangs(&[&url], &url);

    // A smart shutdown waits for the last client.
    let connection = std::os::unix::net::UnixStream::connect(&socket);
    let mut connection = connection.expect("connect to the socket");
    connection.write_all(STARTUP).expect("send");
    let _ = connection.read(&mut [0; 4096]).expect("receive");
    server.signal("TERM");
    server.eventually("shutting down", || check([&url]).code == Some(1));
    check([&url]).unhealthy(&sick("57P03 the database system is shutting down"));
    drop(connection);
    server.dies(&[&url], &url);

    // A standby that nobody may ask.
    home.file("data/standby.signal", "");
    let mut server = start(&["hot_standby=off"])?;
    server.eventually("starting", || check([&url]).stderr.contains("57P03"));
    check([&url]).unhealthy(&sick("57P03 the database system is *"));
    Ok(())
}

pub fn memcached(row: &Row) -> Result<(), Skip> {
    let home = Home::of("memcache")?;
    let port = free_port();
    let (p, socket) = (port.to_string(), home.path("s"));
    let mut server = home.start(
        "memcached",
        &[
            "-l",
            "127.0.0.1",
            "-p",
            &p,
            "-U",
            "0",
            "-t",
            "1",
            "-c",
            "20",
        ],
    )?;
    let url = format!("memcached://localhost:{port}");
    server.up(&[&url]);
    server.logs_only(|_| false, || row.run(port, "answers"));
    {
        let mut clients = Vec::new();
        let run = server.full(&[&url], || {
            clients.push(TcpStream::connect(("127.0.0.1", port)).expect("connect"));
        });
        run.unhealthy(&format!(
            "unhealthy: {url}: the server says: ERROR Too many open connections (* ms)"
        ));
    }
    server.up(&[&url]);
    server.hangs(&[&url], &url);
    server.dies(&[&url], &url);
    let users = home.file("users", "someone:secret\n");
    let mut server = home.start(
        "memcached",
        &["-l", "127.0.0.1", "-p", &p, "-c", "100", "-Y", &users],
    )?;
    server.up(&[&url]);
    row.run(
        port,
        "answers, wants authentication: CLIENT_ERROR unauthenticated",
    );
    server.stop();
    let mut server = home.start("memcached", &["-c", "100", "-s", &socket])?;
    let by_socket = ["--unix-socket", &socket, "memcached://localhost"];
    server.up(&by_socket);
    check(by_socket).healthy("healthy: memcached://localhost:11211: answers in * ms via *");
    Ok(())
}

pub fn clickhouse(row: &Row) -> Result<(), Skip> {
    let home = Home::of("clickhouse")?;
    let port = free_port();
    let folder = home.dir("data");
    home.file(
        "users.xml",
        "<yandex><profiles><default/></profiles><users><default><password/><networks><ip>::/0</ip></networks><profile>default</profile>\
         <quota>default</quota></default></users><quotas><default/></quotas></yandex>",
    );
    let file = home.file(
        "config.xml",
        &format!(
            "<yandex><logger><level>warning</level><console>1</console></logger><http_port>{port}</http_port><listen_host>127.0.0.1</listen_host>\
             <path>{folder}/</path><tmp_path>{folder}/tmp/</tmp_path><user_files_path>{folder}/files/</user_files_path>\
             <users_config>users.xml</users_config><mark_cache_size>1048576</mark_cache_size><default_profile>default</default_profile>\
             <default_database>default</default_database></yandex>"
        ),
    );
    let file = format!("--config-file={file}");
    let mut server = home.start("clickhouse-server", &[&file])?;
    let (asked, name) = (row.moved(port), row.name(port));
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    server.up(&asked);
    row.run(port, "200 OK");
    server.hangs(&asked, &name);
    server.dies(&asked, &name);
    Ok(())
}
