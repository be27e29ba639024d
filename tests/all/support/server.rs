//! A scripted server that must be asked.

use super::{SKIPS, Skip, note, program};
use libtest_mimic::Trial;
use rustix::net::{self, AddressFamily, SocketType, sockopt};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    trials![
        a_server_ends_with_its_value,
        a_server_may_be_unasked_when_a_test_is_skipped,
    ]
}

/// A server on a free port of 127.0.0.1 that runs a script on each connection. Dropping it panics if it was never
/// asked: a test of a reply that nobody fetched tests nothing.
///
/// It ends with its value, and so do its connections. A script that waits, waits for the other side: `wait_for_end`, or
/// any read without a time limit, returns when either the checker or the server is gone.
pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    /// Accepts, and waits for the threads of all connections in the end.
    thread: Option<JoinHandle<()>>,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
    may_be_unasked: bool,
}

#[derive(Default)]
struct State {
    asked: AtomicUsize,
    /// The connections whose scripts run.
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    connections: Vec<(usize, TcpStream)>,
    /// Who calls to tell that it is over.
    last_caller: Option<SocketAddr>,
}

impl Server {
    /// Runs `script` for each connection, in a thread of its own.
    pub fn new(script: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::on(
            TcpListener::bind("127.0.0.1:0").expect("bind a free port"),
            script,
        )
    }

    /// The same on a listener that the test made.
    pub fn on(
        listener: TcpListener,
        script: impl Fn(&mut TcpStream) + Send + Sync + 'static,
    ) -> Self {
        note(&listener);
        let address = listener.local_addr().expect("the address of a listener");
        let state = Arc::<State>::default();
        let shared = state.clone();
        let thread = thread::spawn(move || shared.serve(&listener, &script));
        Server {
            address,
            state,
            thread: Some(thread),
            received: Arc::default(),
            may_be_unasked: false,
        }
    }

    /// Reads a request, keeps it, sends `reply` and closes.
    pub fn replying(reply: impl Into<Vec<u8>>) -> Self {
        let reply = reply.into();
        let received: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let kept = received.clone();
        let mut server = Self::new(move |connection| {
            let request = read_request(connection);
            kept.lock().expect("the requests").push(request);
            // A checker that has its verdict may be gone already.
            let _ = connection.write_all(&reply);
        });
        server.received = received;
        server
    }

    /// A server that nothing may be sent to: asserts on drop that it was never asked.
    pub fn untouched() -> Self {
        let mut server = Self::new(|_| {});
        server.may_be_unasked = true;
        server
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// `http://127.0.0.1:PORT` followed by `path`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many connections there were.
    pub fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// The requests that `replying` has read.
    pub fn requests(&self) -> Vec<String> {
        let received = self.received.lock().expect("the requests");
        received
            .iter()
            .map(|request| String::from_utf8_lossy(request).into_owned())
            .collect()
    }

    /// What a test has to be told when it drops this.
    fn complaint(&self) -> Option<&'static str> {
        match (self.asked(), self.may_be_unasked) {
            (0, false) if SKIPS.get() == 0 => Some("the server was never asked"),
            (1.., true) => Some("something was sent"),
            _ => None,
        }
    }

    /// Ends the listener, the connections and all threads; whether every script came to its end.
    fn end(&mut self) -> std::io::Result<bool> {
        // From an address that is known before the call, so that it is told from those that wait to be accepted.
        let family = match self.address.ip() {
            IpAddr::V4(_) => AddressFamily::INET,
            IpAddr::V6(_) => AddressFamily::INET6,
        };
        let socket = net::socket(family, SocketType::STREAM, None)?;
        net::bind(&socket, &SocketAddr::new(self.address.ip(), 0))?;
        let caller = net::getsockname(&socket).and_then(SocketAddr::try_from)?;
        self.state.open.lock().expect("the connections").last_caller = Some(caller);
        // Where nobody listens any more, the thread has ended already.
        let _ = net::connect(&socket, &self.address);
        // No port is kept busy for a minute by the end of a connection that carried nothing.
        let _ = sockopt::set_socket_linger(&socket, Some(Duration::ZERO));
        let thread = self.thread.take();
        Ok(thread.is_none_or(|thread| thread.join().is_ok()))
    }
}

impl State {
    fn serve(&self, listener: &TcpListener, script: &(dyn Fn(&mut TcpStream) + Send + Sync)) {
        thread::scope(|scope| {
            let mut failure = None;
            for number in 0.. {
                let (mut connection, caller) = match listener.accept() {
                    Ok(accepted) => accepted,
                    Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                    Err(error) => {
                        failure = Some(error);
                        break;
                    }
                };
                let another = connection.try_clone().expect("the same connection");
                note(&another);
                let mut open = self.open.lock().expect("the connections");
                if open.last_caller == Some(caller) {
                    break;
                }
                open.connections.push((number, another));
                drop(open);
                self.asked.fetch_add(1, Ordering::SeqCst);
                scope.spawn(move || {
                    let _closed = Closed(self, number);
                    script(&mut connection);
                });
            }
            let open = self.open.lock().expect("the connections");
            for (_, connection) in &open.connections {
                let _ = connection.shutdown(Shutdown::Both);
            }
            assert!(failure.is_none(), "accept: {failure:?}");
        });
    }
}

/// Closes the server's own descriptor of a connection when its script has ended, also by a panic: the connection is
/// closed with its last one.
struct Closed<'a>(&'a State, usize);

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        let mut open = self.0.open.lock().expect("the connections");
        open.connections.retain(|(number, _)| *number != self.1);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let ended = self.end();
        if thread::panicking() {
            return;
        }
        let well = ended.expect("the server ends");
        assert!(well, "a script of the server has panicked");
        assert_eq!(self.complaint(), None, "{}", self.url("/"));
    }
}

/// Reads nothing, and returns when the server ends: what it has shut down takes no bytes, not even none.
pub fn wait_for_end(connection: &TcpStream) {
    // Nothing can be written to a connection that the server has shut down.
    let mut connection = connection;
    while connection.write(&[]).is_ok() {
        thread::sleep(Duration::from_millis(5));
    }
}

fn a_server_ends_with_its_value() {
    let (tell, ended) = std::sync::mpsc::channel();
    let server = Server::new(move |connection| {
        let tell = tell.clone();
        let mut first = [0];
        connection.read_exact(&mut first).expect("a byte");
        match first {
            [b'r'] => drop(connection.read_to_end(&mut Vec::new())),
            [b's'] => while connection.write_all(&[0; 4096]).is_ok() {},
            _ => wait_for_end(connection),
        }
        tell.send(()).expect("the test waits");
    });
    let mut clients = Vec::new();
    for manner in [b'r', b's', b'w'] {
        let mut client = TcpStream::connect(server.address).expect("connect");
        client.write_all(&[manner]).expect("send");
        clients.push(client);
    }
    while server.asked() < 3 {
        thread::sleep(Duration::from_millis(1));
    }
    assert!(ended.try_recv().is_err(), "they wait");
    // That nobody listens now cannot be asked: another test may have got the port, or a process that another test is
    // about to start may still hold a copy of the listener.
    drop(server);
    assert_eq!(ended.try_iter().count(), 3, "all scripts have ended");
    for mut client in clients {
        let _ = client.read_to_end(&mut Vec::new());
    }
}

fn a_server_may_be_unasked_when_a_test_is_skipped() {
    let skipped = || -> Result<(), Skip> {
        let _server = Server::new(|_| {});
        program("a program that does not exist").map(drop)
    };
    assert!(skipped().is_err());
    let mut server = Server::new(|_| {});
    assert_eq!(server.complaint(), Some("the server was never asked"));
    server.may_be_unasked = true;
    assert_eq!(server.complaint(), None);
}

/// Reads an HTTP request with the body that its Content-Length announces. There is no time limit: a checker ends, and so
/// does the server. A socket that has one fails a read when the process was stopped and goes on, as by a snapshot of the
/// machine, even where no signal is handled; see signal(7).
pub fn read_request(connection: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if request.len() >= end + 4 + length.unwrap_or(0usize) {
                return request;
            }
        }
        match connection.read(&mut buffer) {
            Ok(0) | Err(_) => return request,
            Ok(read) => request.extend_from_slice(&buffer[..read]),
        }
    }
}
