//! Name servers, and ClamAV's daemon.

use super::Row;
use super::daemon::{Daemon, Home, free_port, free_port_and_twin};
use crate::support::{Skip, check};

/// As many addresses as do not fit into a datagram.
fn many(record: impl Fn(usize) -> String) -> String {
    (1..=60).map(record).collect()
}

/// What holds of each: it answers for localhost by itself, for what it has over TCP too, and, where nobody else can be asked,
/// with what such a server says.
fn shows(row: &Row, server: &mut Daemon, port: u16, nobody_to_ask: &str) {
    let name = row.name(port);
    server.up(&[&name]);
    row.run(port, "answers");
    let ask = |path: &str| (format!("{name}/{path}"), check([format!("{name}/{path}")]));
    for path in ["one.test", "many.test", "none.test"] {
        let (name, run) = ask(path);
        run.healthy(&format!("healthy: {name}: answers in * ms"));
    }
    let (name, run) = ask("example.com");
    match nobody_to_ask.starts_with("the server") {
        true => run.unhealthy(&format!("unhealthy: {name}: {nobody_to_ask} (* ms)")),
        false => run.healthy(&format!("healthy: {name}: {nobody_to_ask} in * ms")),
    };
}

fn ends(row: &Row, server: &mut Daemon, port: u16) {
    let name = row.name(port);
    server.hangs(&[&name], &name);
    server.dies(&[&name], &name);
}

pub fn unbound(row: &Row) -> Result<(), Skip> {
    let home = Home::of("unbound")?;
    let port = free_port_and_twin();
    let start = |more: &str| {
        let text = format!(
            "server:\n username: \"\"\n chroot: \"\"\n directory: \"{}\"\n pidfile: \"\"\n interface: 127.0.0.1\n port: {port}\n \
             do-daemonize: no\n use-syslog: no\n do-not-query-localhost: no\n outbound-msg-retry: 1\n {more}\n\
             remote-control:\n control-enable: no\nforward-zone:\n name: \".\"\n forward-addr: 127.0.0.1@1\n",
            home.path("")
        );
        let file = home.file("unbound.conf", &text);
        home.start("unbound", &["-d", "-c", &file])
    };
    let records = many(|n| format!(" local-data: \"many.test. A 192.0.2.{n}\"\n"));
    let mut server = start(&format!(
        "local-zone: \"test.\" static\n local-data: \"one.test. A 192.0.2.1\"\n{records}"
    ))?;
    shows(row, &mut server, port, "the server says: 2 SERVFAIL");
    ends(row, &mut server, port);
    drop(server);
    let mut server = start("access-control: 127.0.0.0/8 refuse")?;
    server.up(&[&row.name(port)]);
    row.run(port, "answers, refuses this client: 5 REFUSED");
    Ok(())
}

pub fn bind(row: &Row) -> Result<(), Skip> {
    let home = Home::of("bind")?;
    let port = free_port_and_twin();
    let directory = home.dir("work");
    let records = many(|n| format!("many A 192.0.2.{n}\n"));
    let zone = |name: &str, records: &str| {
        let text = format!("$TTL 60\n@ SOA a b 1 1h 1h 1h 1h\n@ NS a\na A 192.0.2.1\n{records}");
        let file = home.file(name, &text);
        format!("zone \"{name}\" {{ type master; file \"{file}\"; }};\n")
    };
    let zones = zone("localhost", "@ A 127.0.0.1\n")
        + &zone("test", &format!("one A 192.0.2.1\n{records}"));
    let start = |options: &str, zones: &str| {
        let text = format!(
            "options {{ directory \"{directory}\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; pid-file none; \
             session-keyfile none; dnssec-validation no; {options} }};\ncontrols {{ }};\n{zones}"
        );
        let file = home.file("named.conf", &text);
        home.start("named", &["-g", "-n", "1", "-c", &file])
    };
    let forward = "forward only; forwarders { 127.0.0.1 port 1; };";
    let mut server = start(forward, &zones)?;
    shows(row, &mut server, port, "the server says: 2 SERVFAIL");
    ends(row, &mut server, port);
    drop(server);
    // One that answers for its own zones only.
    let mut server = start("recursion no;", "")?;
    server.up(&[&row.name(port)]);
    row.run(port, "answers, refuses this client: 5 REFUSED");
    Ok(())
}

pub fn dnsmasq(row: &Row) -> Result<(), Skip> {
    let home = Home::of("dnsmasq")?;
    let port = free_port_and_twin();
    let hosts = many(|n| format!("192.0.2.{n} many.test\n"));
    let hosts = home.file(
        "hosts",
        &format!("127.0.0.1 localhost\n192.0.2.1 one.test\n{hosts}"),
    );
    let text = format!(
        "port={port}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\naddn-hosts={hosts}\nlocal=/test/\nlog-facility=-\n\
         user=\npid-file={}\n",
        home.path("pid")
    );
    let file = home.file("dnsmasq.conf", &text);
    let mut server = home.start("dnsmasq", &["-k", "-C", &file])?;
    // It has nobody to ask, and says so.
    let refuses = "answers, refuses this client: 5 REFUSED";
    shows(row, &mut server, port, refuses);
    ends(row, &mut server, port);
    Ok(())
}

pub fn clamd(row: &Row) -> Result<(), Skip> {
    let home = Home::of("clamav")?;
    let port = free_port();
    let socket = home.path("s");
    home.dir("signatures");
    // One signature is enough for it to start: that of the file that is a virus by agreement.
    home.file(
        "signatures/one.hdb",
        "44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-Signature\n",
    );
    let text = format!(
        "Foreground yes\nDatabaseDirectory {}\nTCPSocket {port}\nTCPAddr 127.0.0.1\nLocalSocket {socket}\n",
        home.path("signatures")
    );
    let file = home.file("clamd.conf", &text);
    let mut server = home.start("clamd", &["--config-file", &file])?;
    let name = row.name(port);
    server.up(&[&name]);
    server.logs_only(
        |_| false,
        || {
            row.run(port, "answers");
            let by_socket = ["--unix-socket", &socket, "clamd://localhost"];
            check(by_socket).healthy("healthy: clamd://localhost:3310: answers in * ms via *");
        },
    );
    let http = format!("http://localhost:{port}/");
    check([&http]).unhealthy(&format!(
        "unhealthy: {http}: not HTTP: the reply begins with UNKNOWN COMMAND\\n* (* ms)"
    ));
    ends(row, &mut server, port);
    Ok(())
}
