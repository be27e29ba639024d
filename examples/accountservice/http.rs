//! What the example services have in common: a small server of JSON over HTTP, three pages about its own state, and an
//! end that no client notices.
//!
//! | page | 200 means | whoever asks it |
//! |---|---|---|
//! | `/live` | it can answer. If it cannot, a restart is the cure | restarts it |
//! | `/ready` | that, and it has not been told to stop | sends requests to it, and can do without what is behind it |
//! | `/health` | that, and what it needs for its work works | sends requests to it; people, and monitoring |
//!
//! The first two need no thread but the server's own, so they are answered while every request hangs.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::{Router, serve};
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{io, panic};
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// How many requests may be in work at once: each has a thread, and those that hang keep theirs. More are answered with
/// 503 at once, for a queue would only make them late.
const AT_ONCE: usize = 256;
/// How long requests have to end when the server closes.
const LAST_REQUESTS: Duration = Duration::from_secs(1);
/// A name in JSON, which is all that is ever sent.
const MAX_BODY: usize = 4096;

/// What is asked.
pub struct Question {
    /// The path, without a query.
    pub path: String,
    /// The body of a POST; none for a GET.
    pub body: Option<Vec<u8>>,
}

/// A status and a body.
pub struct Reply(pub u16, pub Value);

impl Reply {
    /// A reply that says what went wrong.
    pub fn error(status: u16, what: impl Into<String>) -> Self {
        Reply(status, json!({ "error": what.into() }))
    }

    fn status(status: u16, word: &str) -> Self {
        Reply(status, json!({ "status": word }))
    }
}

/// The states of a server, in their order.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Serving,
    /// It still serves, and tells those who ask that they should go elsewhere.
    Draining,
    Closing,
}

/// A server, for as long as the value lives.
pub struct Server {
    address: SocketAddr,
    state: watch::Sender<State>,
    serving: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Listens on `listen` and answers each GET and POST with what `answer` has to say, until it is stopped.
    pub fn start(
        listen: SocketAddr,
        answer: impl Fn(&Question) -> Reply + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let failed = |cause: &dyn std::fmt::Display| format!("cannot listen on {listen}: {cause}");
        let listener = TcpListener::bind(listen).map_err(|error| failed(&error))?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        let nonblocking = listener.set_nonblocking(true);
        nonblocking.map_err(|error| failed(&error))?;
        let (state, watched) = watch::channel(State::Serving);
        let pages = Arc::new(Pages {
            answer,
            threads: Arc::new(Semaphore::new(AT_ONCE)),
            state: watched.clone(),
        });
        let serving = thread::spawn(move || serve_until_closing(listener, pages, watched));
        Ok(Server {
            address,
            state,
            serving,
        })
    }

    /// Where it listens: with the port that it got, where it was asked to take port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What makes `/ready` and `/health` 503 when it is called, from any thread. All else is served as before.
    pub fn drainer(&self) -> impl FnOnce() + Send + use<> {
        self.enters(State::Draining)
    }

    /// What makes the server close when it is called, from any thread: it accepts no more connections, and ends when it
    /// has answered the requests that it has, or after a second.
    pub fn closer(&self) -> impl FnOnce() + Send + use<> {
        self.enters(State::Closing)
    }

    fn enters(&self, state: State) -> impl FnOnce() + Send + use<> {
        let sender = self.state.clone();
        move || {
            sender.send_replace(state);
        }
    }

    /// Waits until the server was closed, the requests that it had accepted are answered, and the port is free.
    pub fn wait(self) -> io::Result<()> {
        let result = self.serving.join();
        result.unwrap_or_else(|payload| panic::resume_unwind(payload))
    }
}

fn serve_until_closing<A>(
    listener: TcpListener,
    pages: Arc<Pages<A>>,
    mut state: watch::Receiver<State>,
) -> io::Result<()>
where
    A: Fn(&Question) -> Reply + Send + Sync + 'static,
{
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(AT_ONCE).build()?;
    let result = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let router = Router::new().fallback(move |request| Arc::clone(&pages).reply(request));
        let mut watched = state.clone();
        let closed = async move { closing(&mut watched).await };
        let serving = serve(listener, router).with_graceful_shutdown(closed);
        let serving = tokio::spawn(serving.into_future());
        closing(&mut state).await;
        // A request that hangs would hold this up for ever, and so would a client that connects and asks nothing.
        let _late = timeout(LAST_REQUESTS, serving).await;
        Ok(())
    });
    // The threads of requests that hang are left behind.
    runtime.shutdown_timeout(LAST_REQUESTS);
    result
}

async fn closing(state: &mut watch::Receiver<State>) {
    // An error means that the `Server` has gone, and nobody can end this otherwise.
    let _closing = state.wait_for(|state| *state == State::Closing).await;
}

/// What the server answers with.
struct Pages<A> {
    answer: A,
    threads: Arc<Semaphore>,
    state: watch::Receiver<State>,
}

impl<A> Pages<A>
where
    A: Fn(&Question) -> Reply + Send + Sync + 'static,
{
    async fn reply(self: Arc<Self>, request: Request) -> Response {
        // Here GET is allowed wherever there is a page.
        let allowed = match *request.method() {
            Method::POST => "GET",
            _ => "GET, POST",
        };
        let Reply(status, body) = Arc::clone(&self).answer_to(request).await;
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if status == 405 {
            headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
        }
        if self.is_draining() {
            // The client's next request goes elsewhere.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn answer_to(self: Arc<Self>, request: Request) -> Reply {
        let (head, body) = request.into_parts();
        let path = head.uri.path().to_owned();
        match &*path {
            "/live" => return Reply::status(200, "UP"),
            "/ready" | "/health" if self.is_draining() => return Reply::status(503, "DRAINING"),
            "/ready" => return Reply::status(200, "UP"),
            _ => {}
        }
        let body = match head.method {
            Method::GET => None,
            Method::POST => match to_bytes(body, MAX_BODY).await {
                Ok(body) => Some(body.into()),
                Err(_) => return Reply::error(413, "the body is too long, or incomplete"),
            },
            _ => return Reply::error(405, "only GET and POST are allowed"),
        };
        let Ok(thread) = Arc::clone(&self.threads).try_acquire_owned() else {
            return Reply::error(503, "too many requests at once");
        };
        let answered = spawn_blocking(move || {
            // Until the answer is there, even if the client has gone.
            let _thread = thread;
            (self.answer)(&Question { path, body })
        });
        answered
            .await
            .unwrap_or_else(|_panic| Reply::error(500, "the service failed"))
    }

    fn is_draining(&self) -> bool {
        *self.state.borrow() != State::Serving
    }
}
