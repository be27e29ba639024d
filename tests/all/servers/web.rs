//! Servers that speak HTTP, FastCGI or TLS.

use super::Row;
use super::daemon::{Daemon, Home, free_port};
use crate::support::{Server, Skip, check};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An application behind the server under test: it says who it is, and answers /health as it is told.
fn application(name: &'static str) -> (Server, Arc<AtomicBool>) {
    let well = Arc::new(AtomicBool::new(true));
    let told = well.clone();
    let server = Server::new(move |connection| {
        let request = crate::support::read_request(connection);
        let status = match request.starts_with(b"GET /health ") && !told.load(Ordering::SeqCst) {
            true => "503 Service Unavailable",
            false => "200 OK",
        };
        let length = name.len();
        let _ = write!(
            connection,
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{name}"
        );
    });
    (server, well)
}

/// What every HTTP server shows: up, asked as the README says, hung, and dead.
fn shows(row: &Row, server: &mut Daemon, port: u16, says: &str) {
    let asked = row.moved(port);
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    server.up(&asked);
    row.run(port, says);
}

fn ends(row: &Row, server: &mut Daemon, port: u16) {
    let asked = row.moved(port);
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    let name = row.name(port);
    server.hangs(&asked, &name);
    server.dies(&asked, &name);
}

pub fn nginx(row: &Row) -> Result<(), Skip> {
    let home = Home::of("www-data")?;
    let (port, tls) = (free_port(), free_port());
    let socket = home.path("s");
    let (certificate, key) = home.certificate()?;
    let (application, _) = application("behind nginx");
    let text = format!(
        "daemon off;\npid {pid};\nerror_log stderr;\nevents {{}}\nhttp {{\n access_log off;\n \
         client_body_temp_path {t}; proxy_temp_path {t}; fastcgi_temp_path {t}; uwsgi_temp_path {t}; scgi_temp_path {t};\n \
         server {{\n  listen 127.0.0.1:{port};\n  listen unix:{socket};\n  location = /health {{ return 200 \"up\\n\"; }}\n  \
         location = /status {{ stub_status; }}\n  location / {{ proxy_pass {behind}; }}\n  location = /gone {{ proxy_pass http://127.0.0.1:1; }}\n }}\n \
         server {{\n  listen 127.0.0.1:{tls} ssl;\n  ssl_certificate {certificate};\n  ssl_certificate_key {key};\n }}\n}}\n",
        pid = home.path("pid"),
        t = home.dir("temporary"),
        behind = application.url(""),
    );
    let file = home.file("nginx.conf", &text);
    let mut server = home.start(
        "nginx",
        &["-c", &file, "-p", &home.path(""), "-e", "stderr"],
    )?;
    shows(row, &mut server, port, "200 OK");
    let url = |path: &str| format!("http://localhost:{port}{path}");
    check([
        "--unix-socket",
        &socket,
        "http://localhost/health",
        "--body",
        "up",
    ])
    .healthy("healthy: http://localhost:80/health: 200 OK in * ms via *");
    check([&url("/status"), "--body", "Active connections"])
        .healthy(&format!("healthy: {}: 200 OK in * ms", url("/status")));
    check([&url("/"), "--body", "behind nginx"])
        .healthy(&format!("healthy: {}: 200 OK in * ms", url("/")));
    check([&url("/gone")]).unhealthy(&format!(
        "unhealthy: {}: status 502, expected 200-299; body: <html>*<title>502 Bad Gateway</title>*",
        url("/gone")
    ));
    // The port with TLS, and what is said of asking either port for the other's protocol.
    check([&format!("tls://localhost:{tls}")])
        .healthy(&format!("healthy: tls://localhost:{tls}: answers in * ms"));
    check([&format!("tls://localhost:{port}")]).unhealthy(&format!(
        "unhealthy: tls://localhost:{port}: not tls: the reply begins with HTTP/1.1 400 Bad Request*; this looks like HTTP (* ms)"
    ));
    check([&format!("http://localhost:{tls}/")]).unhealthy(&format!(
        "unhealthy: http://localhost:{tls}/: status 400, expected 200-299; body: *The plain HTTP request was sent to HTTPS port*"
    ));
    ends(row, &mut server, port);
    Ok(())
}

pub fn haproxy(row: &Row) -> Result<(), Skip> {
    let home = Home::of("haproxy")?;
    let port = free_port();
    let ((one, one_is_well), (two, two_is_well)) = (application("one"), application("two"));
    let socket = home.path("s");
    let text = format!(
        "global\n maxconn 50\ndefaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n option redispatch\n\
         frontend f\n bind 127.0.0.1:{port}\n bind {socket}\n monitor-uri /health\n monitor fail if {{ nbsrv(b) lt 1 }}\n default_backend b\n\
         backend b\n balance roundrobin\n option httpchk GET /health\n default-server inter 100ms fall 1 rise 1\n \
         server one 127.0.0.1:{} check\n server two 127.0.0.1:{} check\n",
        one.port(),
        two.port()
    );
    let file = home.file("haproxy.cfg", &text);
    let mut server = home.start("haproxy", &["-db", "-f", &file])?;
    shows(row, &mut server, port, "200 OK");
    check(["--unix-socket", &socket, "http://localhost/health"])
        .healthy("healthy: http://localhost:80/health: 200 OK in * ms via *");
    let url = format!("http://localhost:{port}/");
    let answers = |name: &str| check([&url, "--body", name]).code == Some(0);
    server.eventually("sending traffic to one", || answers("one"));
    server.eventually("sending traffic to two", || answers("two"));
    // It sends traffic to the healthy ones only.
    one_is_well.store(false, Ordering::SeqCst);
    server.eventually("done with one", || (0..6).all(|_| answers("two")));
    row.run(port, "200 OK");
    two_is_well.store(false, Ordering::SeqCst);
    server.eventually("done with two", || check(row.moved(port)).code == Some(1));
    check(row.moved(port)).unhealthy(&format!(
        "unhealthy: {}: status 503, expected 200-299; body: <html><body><h1>503 Service Unavailable</h1>*",
        row.name(port)
    ));
    check([&url]).exits(1);
    one_is_well.store(true, Ordering::SeqCst);
    server.up(&[&row.name(port)]);
    server.eventually("back with one", || (0..6).all(|_| answers("one")));
    ends(row, &mut server, port);
    Ok(())
}

/// HAProxy asks its backends by running the checker itself.
pub fn haproxy_runs_the_checker() -> Result<(), Skip> {
    let home = Home::of("haproxy")?;
    let port = free_port();
    let ((one, one_is_well), (two, _)) = (application("one"), application("two"));
    let script = home.file(
        "check",
        &format!(
            "#!/bin/sh\nexec {} \"http://$3:$4/health\"\n",
            crate::support::checker().display()
        ),
    );
    let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    std::fs::set_permissions(&script, mode).expect("make it executable");
    let text = format!(
        "global\n maxconn 50\n external-check\n insecure-fork-wanted\ndefaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n\
         frontend f\n bind 127.0.0.1:{port}\n default_backend b\n\
         backend b\n option external-check\n external-check path /usr/bin:/bin\n external-check command {script}\n default-server inter 300ms fall 1 rise 1\n \
         server one 127.0.0.1:{} check\n server two 127.0.0.1:{} check\n",
        one.port(),
        two.port()
    );
    let file = home.file("haproxy.cfg", &text);
    let mut server = home.start("haproxy", &["-db", "-f", &file])?;
    let url = format!("http://localhost:{port}/");
    let answers = |name: &str| check([&url, "--body", name]).code == Some(0);
    server.eventually("sending traffic to one", || answers("one"));
    one_is_well.store(false, Ordering::SeqCst);
    server.eventually("done with one", || (0..6).all(|_| answers("two")));
    Ok(())
}

pub fn apache(row: &Row) -> Result<(), Skip> {
    let home = Home::of("www-data")?;
    let port = free_port();
    let root = home.dir("root");
    home.file("root/health", "up\n");
    let modules = "/usr/lib/apache2/modules";
    let text = format!(
        "ServerName localhost\nListen 127.0.0.1:{port}\nPidFile {}\nDefaultRuntimeDir {}\nErrorLog /dev/stderr\nDocumentRoot {root}\n\
         LoadModule mpm_event_module {modules}/mod_mpm_event.so\nLoadModule authz_core_module {modules}/mod_authz_core.so\n\
         LoadModule status_module {modules}/mod_status.so\n<Location /server-status>\n SetHandler server-status\n</Location>\n\
         <Location /private>\n Require all denied\n</Location>\n",
        home.path("pid"),
        home.dir("run"),
    );
    let file = home.file("apache2.conf", &text);
    let mut server = home.start(
        "apache2",
        &["-d", &home.path(""), "-f", &file, "-DFOREGROUND"],
    )?;
    shows(row, &mut server, port, "200 OK");
    let private = format!("http://localhost:{port}/private");
    check([&private]).unhealthy(&format!(
        "unhealthy: {private}: status 403, expected 200-299; body: *403 Forbidden*"
    ));
    ends(row, &mut server, port);
    Ok(())
}

pub fn lighttpd(row: &Row) -> Result<(), Skip> {
    let home = Home::of("www-data")?;
    let port = free_port();
    let root = home.dir("root");
    let health = home.file("root/health", "up\n");
    let text = format!(
        "server.modules = ( \"mod_status\" )\nserver.document-root = \"{root}\"\nserver.bind = \"127.0.0.1\"\nserver.port = {port}\nstatus.status-url = \"/status\"\n"
    );
    let file = home.file("lighttpd.conf", &text);
    let mut server = home.start("lighttpd", &["-D", "-f", &file])?;
    shows(row, &mut server, port, "200 OK");
    std::fs::remove_file(health).expect("remove the file");
    server.eventually("done with its cache", || {
        check(row.moved(port)).code == Some(1)
    });
    check(row.moved(port)).unhealthy(&format!(
        "unhealthy: {}: status 404, expected 200-299; body: <?xml*",
        row.name(port)
    ));
    let status = format!("http://localhost:{port}/status");
    check([&status]).healthy(&format!("healthy: {status}: 200 OK in * ms"));
    ends(row, &mut server, port);
    Ok(())
}

pub fn caddy(row: &Row) -> Result<(), Skip> {
    let home = Home::of("caddy")?;
    let port = free_port();
    let (application, well) = application("behind caddy");
    let file = home.file(
        "Caddyfile",
        &format!(
            "{{\n admin off\n auto_https off\n}}\nhttp://localhost:{port} {{\n bind 127.0.0.1\n reverse_proxy {}\n}}\n",
            application.url("").trim_start_matches("http://")
        ),
    );
    let mut server = home.start(
        "caddy",
        &["run", "--config", &file, "--adapter", "caddyfile"],
    )?;
    shows(row, &mut server, port, "200 OK");
    well.store(false, Ordering::SeqCst);
    check(row.moved(port)).unhealthy(&format!(
        "unhealthy: {}: status 503, expected 200-299; body: behind caddy (* ms)",
        row.name(port)
    ));
    ends(row, &mut server, port);
    Ok(())
}

pub fn varnish(row: &Row) -> Result<(), Skip> {
    let home = Home::of("vcache")?;
    let (port, behind) = (free_port(), free_port());
    let file = home.file(
        "default.vcl",
        &format!(
            "vcl 4.1;\nbackend default {{ .host = \"127.0.0.1\"; .port = \"{behind}\"; }}\n\
             sub vcl_recv {{ if (req.url == \"/health\") {{ return (synth(200)); }} }}\n"
        ),
    );
    let address = format!("127.0.0.1:{port}");
    let work = home.dir("work");
    let mut server = home.start(
        "varnishd",
        &[
            "-j",
            "none",
            "-F",
            "-a",
            &address,
            "-f",
            &file,
            "-n",
            &work,
            "-s",
            "malloc,8m",
            "-p",
            "vcc_allow_inline_c=off",
        ],
    )?;
    shows(row, &mut server, port, "200 OK");
    // What it should cache is gone.
    let url = format!("http://localhost:{port}/");
    check([&url]).unhealthy(&format!(
        "unhealthy: {url}: status 503, expected 200-299; body: *503 Backend fetch failed*"
    ));
    ends(row, &mut server, port);
    Ok(())
}

pub fn squid(row: &Row) -> Result<(), Skip> {
    let home = Home::of("proxy")?;
    let port = free_port();
    let start = |access: &str| {
        let text = format!(
            "http_port 127.0.0.1:{port}\nvisible_hostname localhost\npid_filename {}\ncache_log /dev/stderr\naccess_log none\ncache_mem 8 MB\n\
             coredump_dir {}\npinger_enable off\nnetdb_filename none\nshutdown_lifetime 0 seconds\n{access}\n",
            home.path("pid"),
            home.path(""),
        );
        let file = home.file("squid.conf", &text);
        // Its shared memory is named after the service.
        home.start(
            "squid",
            &["-N", "-f", &file, "-n", &format!("checked{port}")],
        )
    };
    let mut server = start("http_access allow localhost")?;
    shows(row, &mut server, port, "200 OK");
    server.stop();
    let mut server = start("http_access deny all")?;
    server.eventually("listening", || {
        !check(row.moved(port)).stderr.contains("refused")
    });
    check(row.moved(port)).unhealthy(&format!(
        "unhealthy: {}: status 403, expected 200-299; body: *",
        row.name(port)
    ));
    server.dies(&[&row.name(port)], &row.name(port));
    Ok(())
}

pub fn tomcat(row: &Row) -> Result<(), Skip> {
    let home = Home::of("tomcat")?;
    let port = free_port();
    for name in ["conf", "webapps/ROOT", "work", "temp", "logs"] {
        home.dir(name);
    }
    home.file("webapps/ROOT/index.html", "hello\n");
    home.file("conf/web.xml", "<web-app/>");
    let text = format!(
        "<Server port=\"-1\">\n <Service name=\"Catalina\">\n  <Connector port=\"{port}\" address=\"127.0.0.1\"/>\n  \
         <Engine name=\"Catalina\" defaultHost=\"localhost\">\n   <Valve className=\"org.apache.catalina.valves.HealthCheckValve\"/>\n   \
         <Host name=\"localhost\" appBase=\"webapps\"/>\n  </Engine>\n </Service>\n</Server>\n"
    );
    home.file("conf/server.xml", &text);
    let mut command = home.command("catalina.sh")?;
    command
        .arg("run")
        .env("CATALINA_HOME", "/usr/share/tomcat10")
        .env("CATALINA_BASE", home.path("").trim_end_matches('/'))
        .env(
            "JAVA_OPTS",
            "-Xmx96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        );
    let mut server = home.spawn(&mut command);
    shows(row, &mut server, port, "200 OK");
    let url = format!("http://localhost:{port}/nothing");
    check([&url]).unhealthy(&format!(
        "unhealthy: {url}: status 404, expected 200-299; body: *"
    ));
    ends(row, &mut server, port);
    Ok(())
}

pub fn gunicorn(row: &Row) -> Result<(), Skip> {
    let home = Home::of("www-data")?;
    let port = free_port();
    let socket = home.path("s");
    home.file(
        "app.py",
        "import os\ndef app(environ, start):\n    ill = os.path.exists('ill')\n    start('503 Service Unavailable' if ill else '200 OK', [('Content-Type', 'application/json')])\n    \
         return [b'{\"status\": \"%s\", \"database\": {\"up\": %s}}' % ((b'DOWN', b'false') if ill else (b'UP', b'true'))]\n",
    );
    let (address, by_socket) = (format!("127.0.0.1:{port}"), format!("unix:{socket}"));
    let mut server = home.start("gunicorn", &["-b", &address, "-b", &by_socket, "app:app"])?;
    shows(row, &mut server, port, "200 OK");
    check([
        "--unix-socket",
        &socket,
        "--json",
        "database.up=true",
        "http://localhost/health",
    ])
    .healthy("healthy: http://localhost:80/health: 200 OK in * ms via *");
    home.file("ill", "");
    check(row.moved(port)).unhealthy(&format!(
        "unhealthy: {}: status 503, expected 200-299; database up=false (* ms)",
        row.name(port)
    ));
    ends(row, &mut server, port);
    Ok(())
}

pub fn prometheus(row: &Row) -> Result<(), Skip> {
    let home = Home::of("prometheus")?;
    let port = free_port();
    let address = format!("--web.listen-address=127.0.0.1:{port}");
    let data = format!("--storage.tsdb.path={}", home.dir("data"));
    let file = format!(
        "--config.file={}",
        home.file("prometheus.yml", "global: {}\n")
    );
    let mut server = home.start("prometheus", &[&address, &data, &file])?;
    shows(row, &mut server, port, "200 OK");
    ends(row, &mut server, port);
    Ok(())
}

pub fn alertmanager(row: &Row) -> Result<(), Skip> {
    let home = Home::of("prometheus")?;
    let port = free_port();
    let address = format!("--web.listen-address=127.0.0.1:{port}");
    let data = format!("--storage.path={}", home.dir("data"));
    let text = "route:\n  receiver: nobody\nreceivers:\n- name: nobody\n";
    let file = format!("--config.file={}", home.file("alertmanager.yml", text));
    let mut server = home.start(
        "prometheus-alertmanager",
        &[&address, &data, &file, "--cluster.listen-address="],
    )?;
    shows(row, &mut server, port, "200 OK");
    ends(row, &mut server, port);
    Ok(())
}

pub fn etcd(row: &Row) -> Result<(), Skip> {
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    let port = free_port();
    let (mine, other) = (url(free_port()), url(free_port()));
    let cluster = format!("a={mine},b={other}");
    let start = |home: &Home, name: &str, client: &str, peer: &str| {
        #[rustfmt::skip]
        let arguments = [
            "--name", name, "--data-dir", &home.path("data"), "--unsafe-no-fsync", "--initial-cluster", &cluster,
            "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
        ];
        home.start("etcd", &arguments)
    };
    let (home, other_home) = (Home::of("etcd")?, Home::of("etcd")?);
    let mut server = start(&home, "a", &url(port), &mine)?;
    let mut second = start(&other_home, "b", &url(free_port()), &other)?;
    shows(row, &mut server, port, "200 OK");
    // One half of two has no leader.
    second.stop();
    server.eventually("without a leader", || {
        check(row.moved(port)).code == Some(1)
    });
    check(row.moved(port)).unhealthy(&format!(
        "unhealthy: {}: status 503, expected 200-299; body: {{\"health\":\"false\"*",
        row.name(port)
    ));
    ends(row, &mut server, port);
    Ok(())
}

pub fn influxdb(row: &Row) -> Result<(), Skip> {
    let home = Home::of("influxdb")?;
    let port = free_port();
    let text = format!(
        "reporting-disabled = true\nbind-address = \"127.0.0.1:{}\"\n[meta]\n dir = \"{d}/meta\"\n[data]\n dir = \"{d}/data\"\n wal-dir = \"{d}/wal\"\n\
         [http]\n bind-address = \"127.0.0.1:{port}\"\n",
        free_port(),
        d = home.dir("data"),
    );
    let file = home.file("influxdb.conf", &text);
    let mut server = home.start("influxd", &["-config", &file])?;
    shows(row, &mut server, port, "204 No Content");
    ends(row, &mut server, port);
    Ok(())
}

pub fn php_fpm(row: &Row) -> Result<(), Skip> {
    let home = Home::of("www-data")?;
    let port = free_port();
    let socket = home.path("s");
    let start = |listen: &str, ping: &str| {
        let text = format!(
            "[global]\ndaemonize = no\nerror_log = /dev/stderr\n[www]\nlisten = {listen}\npm = static\npm.max_children = 1\n{ping}\n"
        );
        let file = home.file("fpm.conf", &text);
        home.start("php-fpm8.2", &["-n", "-y", &file])
    };
    let address = format!("127.0.0.1:{port}");
    let mut server = start(&address, "ping.path = /ping")?;
    shows(row, &mut server, port, "answers");
    let url = |path: &str| format!("fastcgi://localhost:{port}{path}");
    // The application's own opinion.
    let script = home.file(
        "health.php",
        "<?php if (isset($_GET['ill'])) { http_response_code(503); } echo 'database: ', $_GET['ill'] ?? 'up';",
    );
    check([&url(&script)]).healthy(&format!("healthy: {}: answers in * ms", url(&script)));
    let ill = url(&format!("{script}?ill=gone"));
    check([&ill]).unhealthy(&format!(
        "unhealthy: {ill}: status 503, expected 200-299; body: database: gone (* ms)"
    ));
    let other = url("/other");
    check([&other]).unhealthy(&format!(
        "unhealthy: {other}: status 404: FastCGI answers, but nothing is at this path (php-fpm: set ping.path); body: File not found.* (* ms)"
    ));
    let other = url("/etc/hostname");
    check([&other]).unhealthy(&format!(
        "unhealthy: {other}: status 403, expected 200-299; body: Access denied.* (* ms)"
    ));
    // Its only worker is busy.
    let slow = url(&home.file("slow.php", "<?php sleep(3);"));
    let busy = std::thread::spawn(move || check(["-t", "1s", &slow]));
    server.eventually("busy", || {
        check([&row.name(port), "-t", "200ms"]).code == Some(1)
    });
    check([&row.name(port), "-t", "200ms"]).unhealthy(&format!(
        "unhealthy: {}: no response within 200 ms: connected, request sent, waiting for the reply",
        row.name(port)
    ));
    busy.join().expect("the slow check").exits(1);
    server.up(&[&row.name(port)]);
    server.dies(&[&row.name(port)], &row.name(port));
    drop(server);
    let mut server = start(&address, "")?;
    server.eventually("listening", || {
        !check(row.moved(port)).stderr.contains("refused")
    });
    check(row.moved(port)).unhealthy(&format!(
        "unhealthy: {}: status 404: FastCGI answers, but nothing is at this path (php-fpm: set ping.path); body: File not found.* (* ms)",
        row.name(port)
    ));
    server.stop();
    let mut server = start(&socket, "ping.path = /ping")?;
    let by_socket = ["--unix-socket", &socket, "fastcgi://localhost/ping"];
    server.up(&by_socket);
    check(by_socket).healthy("healthy: fastcgi://localhost:9000/ping: answers in * ms via *");
    Ok(())
}

pub fn stunnel(row: &Row) -> Result<(), Skip> {
    let home = Home::of("stunnel4")?;
    let port = free_port();
    let (certificate, key) = home.certificate()?;
    let text = format!(
        "foreground = yes\npid =\n[s]\naccept = 127.0.0.1:{port}\nconnect = 127.0.0.1:1\ncert = {certificate}\nkey = {key}\n"
    );
    let file = home.file("stunnel.conf", &text);
    let mut server = home.start("stunnel4", &[&file])?;
    shows(row, &mut server, port, "answers");
    ends(row, &mut server, port);
    drop(server);
    // With no cipher in common it still speaks TLS.
    let p = port.to_string();
    let mut server = home.start(
        "openssl",
        &[
            "s_server", "-accept", &p, "-nocert", "-psk", "00", "-tls1_2", "-4", "-quiet",
        ],
    )?;
    server.up(&[&row.name(port)]);
    row.run(port, "answers, refuses this client: TLS alert 40");
    Ok(())
}

pub fn victoria_metrics(row: &Row) -> Result<(), Skip> {
    let home = Home::of("nobody")?;
    let port = free_port();
    let address = format!("-httpListenAddr=127.0.0.1:{port}");
    let data = format!("-storageDataPath={}", home.dir("data"));
    let mut server = home.start("victoria-metrics", &[&address, &data])?;
    shows(row, &mut server, port, "200 OK");
    ends(row, &mut server, port);
    Ok(())
}
