//! Who is dialled, and what is said of a connection that does not come about: the families of localhost, the addresses of
//! this machine, unix sockets, refusals, full queues.

use crate::http::{AGENT, OK, SHORT, SHORTLY, WELL, said, send};
use crate::protocol::conversation::{Said::Healthy, expect};
use crate::support::{Server, Skip, check, deaf_port, full_unix_socket, read_request};
use libtest_mimic::Trial;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc;
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    trials![
        ipv4_only,
        ipv6_only,
        both_families,
        addresses_of_this_machine,
        own_address,
        self_where_nobody_listens,
        self_and_everybody,
        self_is_not_for_a_service_to_say,
        a_refusal_says_where_else,
        unix_sockets,
        refused,
        unreachable,
        full_accept_queue,
        full_accept_queue_of_a_unix_socket,
        only_ipv6,
        a_unix_socket_that_accepts_nobody,
    ]
}

fn ipv4_only() {
    let server = Server::replying(OK);
    let port = server.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "0.0.0.0",
        "[::]",
        "[::ffff:127.0.0.1]",
    ] {
        said(&[], &format!("http://{host}:{port}/"), WELL);
    }
    for host in ["127.0.0.1", "localhost", "0.0.0.0", "::", "[::]"] {
        let port = port.to_string();
        check(["--host", host, "--port", &port]).healthy("healthy: http://*/health: 200 OK in *s");
    }
}

/// A port where nothing listens on 127.0.0.1, and a listener on the same port of ::1.
fn ipv6_listener() -> Result<(impl Drop, TcpListener), Skip> {
    for _ in 0..20 {
        let (socket, port) = deaf_port();
        match TcpListener::bind(("::1", port)) {
            Ok(listener) => return Ok((socket, listener)),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(Skip::new(format!("no IPv6 here: {error}"))),
        }
    }
    panic!("no port that is free in both families");
}

fn ipv6_only() -> Result<(), Skip> {
    let (_socket, listener) = ipv6_listener()?;
    let server = Server::on(listener, |connection| {
        read_request(connection);
        send(connection, OK);
    });
    let port = server.port();
    for host in ["localhost", "[::1]", "[::]", "0.0.0.0", "[0:0::1]"] {
        said(&[], &format!("http://{host}:{port}/"), WELL);
    }
    let line = format!("unhealthy: connection refused at 127.0.0.1:{port}*(*s)");
    said(&[], &format!("http://127.0.0.1:{port}/"), &line);
    Ok(())
}

fn both_families() -> Result<(), Skip> {
    for _ in 0..20 {
        let first = TcpListener::bind("127.0.0.1:0").expect("bind a free port");
        let port = first
            .local_addr()
            .expect("the address of a listener")
            .port();
        let second = match TcpListener::bind(("::1", port)) {
            Ok(second) => second,
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => continue,
            Err(error) => return Err(Skip::new(format!("no IPv6 here: {error}"))),
        };
        let reply = |body: &'static str| {
            move |connection: &mut TcpStream| {
                read_request(connection);
                send(connection, format!("HTTP/1.1 200 OK\r\n\r\n{body}"));
            }
        };
        let servers = [
            Server::on(first, reply("four")),
            Server::on(second, reply("six")),
        ];
        let url = |host: &str| format!("http://{host}:{port}/");
        said(&["-b", "four"], &url("localhost"), WELL);
        assert_eq!(servers[1].asked(), 0, "both were asked");
        said(&["-b", "six"], &url("[::1]"), WELL);
        return Ok(());
    }
    panic!("no port that is free in both families");
}

fn addresses_of_this_machine() -> Result<(), Skip> {
    // Sends nothing: it asks the routing table for this machine's address.
    let probe = UdpSocket::bind("0.0.0.0:0").expect("bind a UDP socket");
    let ip = match probe
        .connect("198.51.100.1:9")
        .and_then(|()| probe.local_addr())
    {
        Ok(address) if address.ip() != Ipv4Addr::UNSPECIFIED => address.ip(),
        _ => return Err(Skip::new("this machine has no address but its loopback")),
    };
    let listener = TcpListener::bind((ip, 0)).expect("bind an address of this machine");
    let server = Server::on(listener, |connection| {
        read_request(connection);
        send(connection, OK);
    });
    said(&[], &server.url("/"), WELL);
    Ok(())
}

/// A server on an address that is neither 127.0.0.1 nor ::1, as Kafka on the container's own: what to call, and the server.
fn elsewhere() -> Result<(u16, Server), Skip> {
    if !cfg!(target_os = "linux") {
        return Err(Skip::new(
            "only Linux says who listens, and has all of 127.0.0.0/8",
        ));
    }
    let listener = TcpListener::bind("127.0.0.77:0").expect("bind a free port");
    let server = Server::on(listener, |connection| {
        let request = read_request(connection);
        // What it is called by.
        let request = String::from_utf8_lossy(&request).into_owned();
        let host = request.lines().find(|line| line.starts_with("host: "));
        let host = host.unwrap_or_default();
        let reply = match request.starts_with("GET /moved ") {
            true => "HTTP/1.1 302 Found\r\nLocation: there\r\nContent-Length: 0\r\n\r\n".to_owned(),
            false => format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{host}",
                host.len()
            ),
        };
        send(connection, reply);
    });
    Ok((server.port(), server))
}

fn own_address() -> Result<(), Skip> {
    let (port, _server) = elsewhere()?;
    let called = format!("host: 127.0.0.77:{port}");
    for host in ["self", "SELF"] {
        let url = format!("http://{host}:{port}/");
        let line = format!("healthy: {url} at 127.0.0.77:{port}: 200 OK in *s");
        check(["-b", &called, &url]).healthy(&line);
    }
    let line = format!("healthy: http://self:{port}/health at 127.0.0.77:{port}: 200 OK in *s");
    check(["--host", "self", "--port", &port.to_string()]).healthy(&line);
    // What is given replaces it.
    let url = format!("http://self:{port}/");
    let line = format!("healthy: {url} at *: 200 OK in *s");
    check(["-b", "host: me", "-H", "Host: me", &url]).healthy(&line);
    check(["-b", "UP", &url]).unhealthy(&format!(
        "unhealthy: {url} at 127.0.0.77:{port}: body lacks \"UP\"; body: {called} (*s)"
    ));
    let moved = format!("http://self:{port}/moved");
    let line = format!("healthy: {moved} at 127.0.0.77:{port}: 200 OK* in *s");
    check(["-L", "-b", &called, &moved]).healthy(&line);
    let name = format!("tcp://self:{port}");
    check([&name]).healthy(&format!(
        "healthy: {name} at 127.0.0.77:{port}: accepts connections in *s"
    ));
    Ok(())
}

/// Then it is localhost, and what is said is what is said of that.
fn self_where_nobody_listens() {
    let (_socket, port) = deaf_port();
    let name = format!("tcp://self:{port}");
    let line = format!("unhealthy: {name}: connection refused at 127.0.0.1:{port}* (*s)");
    check([&name]).unhealthy(&line);
    for (arguments, line) in [
        (
            &["--unix-socket=/run/x", "tcp://self:1"][..],
            "error: TARGET: \"tcp://self:1\" names self, and a unix socket has no address: write localhost",
        ),
        (
            &["--unix-socket=/run/x", "--host=self"],
            "error: --host: names self, and a unix socket has no address: write localhost",
        ),
        (
            &["tcp://self"],
            "error: TARGET: \"tcp://self\" needs a port",
        ),
        (
            &["http://self.local/"],
            "error: TARGET: \"http://self.local/\" names a host, and no name but localhost is looked up; *",
        ),
    ] {
        check(arguments).unhealthy(line);
    }
}

fn self_and_everybody() -> Result<(), Skip> {
    if !cfg!(target_os = "linux") {
        return Err(Skip::new("only Linux says who listens"));
    }
    let listener = TcpListener::bind("0.0.0.0:0").expect("bind a free port");
    let port = listener.local_addr().expect("its address").port();
    let name = format!("tcp://self:{port}");
    check([&name]).healthy(&format!(
        "healthy: {name} at 127.0.0.1:{port}: accepts connections in *s"
    ));
    Ok(())
}

fn self_is_not_for_a_service_to_say() -> Result<(), Skip> {
    let (port, untouched) = elsewhere()?;
    let to = format!("http://self:{port}/");
    let reply = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
    let server = Server::replying(reply);
    let line = format!(
        "unhealthy: status 302 redirects to {to}, which is not an http URL of this machine (*s)"
    );
    said(&["-L"], &server.url("/"), &line);
    assert_eq!(untouched.asked(), 0);
    // So that it was asked.
    said(&[], &format!("http://127.0.0.77:{port}/"), WELL);
    Ok(())
}

fn a_refusal_says_where_else() -> Result<(), Skip> {
    let (port, _server) = elsewhere()?;
    let here = format!("listening here: 127.0.0.77:{port} (write self as the host)");
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("http://{host}:{port}/");
        let line = format!("unhealthy: connection refused at 127.0.0.1:{port}*; {here}* (*s)");
        said(&[], &url, &line);
    }
    said(&[], &format!("http://127.0.0.77:{port}/"), WELL);
    Ok(())
}

/// A server on a unix socket that tells what it was asked. It lives as long as the first value.
pub fn unix_server(
    script: impl Fn(&mut UnixStream) + Send + 'static,
) -> (impl Drop, String, mpsc::Receiver<String>) {
    let directory = tempfile::tempdir().expect("make a directory");
    let file = directory.path().join("socket");
    let listener = UnixListener::bind(&file).expect("bind a unix socket");
    let (tell, requests) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let mut buffer = [0; 4096];
            let read = connection.read(&mut buffer).expect("read the request");
            // It is over when somebody hangs up without a word.
            if read == 0 {
                return;
            }
            let _ = tell.send(String::from_utf8_lossy(&buffer[..read]).into_owned());
            script(&mut connection);
        }
    });
    let file = file.to_str().expect("a path in UTF-8").to_owned();
    let server = UnixServer {
        directory,
        thread: Some(thread),
    };
    (server, file, requests)
}

struct UnixServer {
    directory: tempfile::TempDir,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for UnixServer {
    fn drop(&mut self) {
        drop(UnixStream::connect(self.directory.path().join("socket")));
        let ended = self.thread.take().map(std::thread::JoinHandle::join);
        assert!(std::thread::panicking() || matches!(ended, Some(Ok(()))));
    }
}

fn unix_sockets() {
    let (_server, file, requests) = unix_server(|connection| {
        let _ = connection.write_all(OK);
    });
    check(["--unix-socket", &file]).healthy(&format!(
        "healthy: http://localhost:80/health: 200 OK in * ms via {file}"
    ));
    let request = format!(
        "GET /health HTTP/1.1\r\naccept: */*\r\nhost: localhost\r\nuser-agent: {AGENT}\r\nconnection: close\r\naccept-encoding: identity\r\n\r\n"
    );
    assert_eq!(requests.recv().as_deref(), Ok(&*request));
    let options = ["--unix-socket", &file, "-b", "DOWN"];
    said(
        &options,
        "http://localhost:8080/x",
        &format!("unhealthy: body lacks \"DOWN\"; body: UP (* ms) via {file}"),
    );
    assert!(
        requests
            .recv()
            .expect("a request")
            .contains("\r\nhost: localhost:8080\r\n")
    );

    let (_server, file, _requests) = unix_server(|connection| {
        let _ = connection.read(&mut [0]);
    });
    let options = ["--unix-socket", &file, "-t", "300ms"];
    let line = format!(
        "unhealthy: no response within 300 ms: connected, request sent, waiting for the status line via {file}"
    );
    said(&options, "http://localhost:80/", &line).within(Duration::from_secs(2));

    let (_server, file, _requests) = unix_server(|_| {});
    let line = format!(
        "unhealthy: connection closed while waiting for the status line; it may speak TLS: try tls:// (* ms) via {file}"
    );
    said(&["--unix-socket", &file], "http://localhost:80/", &line);
}

fn refused() {
    let (_socket, port) = deaf_port();
    let hint = match cfg!(target_os = "linux") {
        true => "; listening here: *",
        false => "",
    };
    // So that there is something to name.
    let _server = TcpListener::bind("127.0.0.1:0").expect("bind a free port");
    said(
        &[],
        &format!("http://127.0.0.1:{port}/"),
        &format!("unhealthy: connection refused at 127.0.0.1:{port}{hint} (*s)"),
    );
    said(
        &[],
        &format!("http://localhost:{port}/"),
        &format!("unhealthy: connection refused at 127.0.0.1:{port}*{hint} (*s)"),
    );
    let directory = tempfile::tempdir().expect("make a directory");
    let file = directory.path().join("socket");
    drop(UnixListener::bind(&file).expect("bind a unix socket"));
    let file = file.to_str().expect("a path in UTF-8");
    said(
        &["--unix-socket", file],
        "http://localhost:80/",
        &format!("unhealthy: connection refused at {file} (*s)"),
    );
}

fn unreachable() {
    said(
        &["--unix-socket", "/nowhere/socket"],
        "http://localhost:80/",
        "unhealthy: cannot connect to /nowhere/socket: No such file or directory (os error 2) (*s)",
    );
    // Of a net that is for documentation only (RFC 5737).
    let line = "error: TARGET: \"198.51.100.1\" is not this machine: *";
    check(["http://198.51.100.1:80/"]).unhealthy(line);
}

fn full_accept_queue() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind a free port");
    rustix::net::listen(&listener, 0).expect("shorten the queue");
    let address = listener.local_addr().expect("the address of a listener");
    let mut queue = Vec::new();
    while let Ok(connection) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
        queue.push(connection);
    }
    let line = format!(
        "unhealthy: no response within 300 ms: timed out connecting to {address}: its accept queue may be full"
    );
    said(&["-t", SHORT], &format!("http://{address}/"), &line).within(SHORTLY);
}

fn full_accept_queue_of_a_unix_socket() {
    let directory = tempfile::tempdir().expect("make a directory");
    let file = directory.path().join("socket");
    let _full = full_unix_socket(&file);
    let file = file.to_str().expect("a path in UTF-8");
    let line = format!(
        "unhealthy: no response within 300 ms: timed out connecting to {file}: its accept queue may be full"
    );
    let options = ["-t", SHORT, "--unix-socket", file];
    said(&options, "http://localhost:80/", &line).within(SHORTLY);
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

/// On a unix socket `connect` waits while the queue of the listener is full.
fn a_unix_socket_that_accepts_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("full");
    let _full = full_unix_socket(&file);
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
