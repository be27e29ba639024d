//! What the example services have in common: a small server of JSON over HTTP, which can be told to stop.

use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{io, panic};
use tiny_http::{Header, Method, Request, Response};

/// A status and a body.
pub struct Reply(pub u16, pub Value);

impl Reply {
    /// A reply that says what went wrong.
    pub fn error(status: u16, what: impl Into<String>) -> Self {
        Reply(status, json!({ "error": what.into() }))
    }
}

/// A server, for as long as the value lives.
pub struct Server {
    address: SocketAddr,
    http: Arc<tiny_http::Server>,
    serving: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Listens on `listen` and answers each GET with what `answer` has to say of its path, until it is stopped.
    pub fn start(
        listen: SocketAddr,
        answer: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let failed = |cause: &dyn std::fmt::Display| format!("cannot listen on {listen}: {cause}");
        let listener = TcpListener::bind(listen).map_err(|error| failed(&error))?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        let http = tiny_http::Server::from_listener(listener, None);
        let http = Arc::new(http.map_err(|error| failed(&error))?);
        let requests = Arc::clone(&http);
        let serving = thread::spawn(move || serve(&requests, &answer));
        Ok(Server {
            address,
            http,
            serving,
        })
    }

    /// Where it listens: with the port that it got, where it was asked to take port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What makes the server stop when it is called, from any thread.
    pub fn stopper(&self) -> impl FnOnce() + Send + use<> {
        let http = Arc::clone(&self.http);
        move || http.unblock()
    }

    /// Waits until the server was stopped, the requests that it had accepted are answered, and the port is free.
    pub fn wait(self) -> io::Result<()> {
        let result = self.serving.join();
        // The listener belongs to a thread of tiny_http, which this wakes and does not wait for. It takes a moment;
        // after a second, somebody else has the port.
        drop(self.http);
        for _ in 0..1000 {
            match TcpListener::bind(self.address) {
                Ok(_) => break,
                Err(_) => thread::sleep(Duration::from_millis(1)),
            }
        }
        result.unwrap_or_else(|payload| panic::resume_unwind(payload))
    }
}

/// Gives each request a thread of its own, so that one that hangs holds up no other.
fn serve(http: &tiny_http::Server, answer: &(impl Fn(&str) -> Reply + Sync)) -> io::Result<()> {
    thread::scope(|scope| {
        loop {
            match http.recv() {
                Ok(request) => {
                    // Where no thread is to be had, the request is dropped, which answers it with 500.
                    let _ = thread::Builder::new()
                        .spawn_scoped(scope, move || respond(request, answer));
                }
                // The errors of accept(2) have a number; the one that says "unblocked" has none.
                Err(error) if error.raw_os_error().is_none() => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    })
}

fn respond(request: Request, answer: &impl Fn(&str) -> Reply) {
    let path = request.url().split('?').next().unwrap_or_default();
    let Reply(status, body) = match request.method() {
        Method::Get => answer(path),
        _ => Reply::error(405, "only GET is allowed"),
    };
    let mut response = Response::from_data(body.to_string())
        .with_status_code(status)
        .with_header(header("Content-Type", "application/json"))
        // A length, however long the body is.
        .with_chunked_threshold(usize::MAX);
    if status == 405 {
        response.add_header(header("Allow", "GET"));
    }
    // An error means that the client has gone, and nobody is left to be told.
    let _ = request.respond(response);
}

fn header(name: &'static str, value: &'static str) -> Header {
    Header::from_bytes(name, value).expect("both are ASCII")
}
