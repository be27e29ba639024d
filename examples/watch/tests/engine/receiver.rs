//! Who gets the messages: a server that records, fails or hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use tiny_http::{Response, Server};

/// For something that must come.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Receiver {
    address: String,
    mode: Arc<AtomicU8>,
    texts: mpsc::Receiver<String>,
}

const WORK: u8 = 0;
const FAIL: u8 = 1;
const HANG: u8 = 2;

impl Receiver {
    pub fn start() -> Self {
        let server = Server::http("127.0.0.1:0").expect("listen");
        let address = server.server_addr().to_string();
        let mode = Arc::new(AtomicU8::new(WORK));
        let (sender, texts) = mpsc::channel();
        let served_as = Arc::clone(&mode);
        thread::spawn(move || {
            let mut unanswered = Vec::new();
            for mut request in server.incoming_requests() {
                let mut body = String::new();
                request
                    .as_reader()
                    .read_to_string(&mut body)
                    .expect("a body");
                match served_as.load(Ordering::SeqCst) {
                    WORK => {
                        let value: serde_json::Value = serde_json::from_str(&body).expect("JSON");
                        let text = value["text"].as_str().expect("a text");
                        // Nobody listens once the test is over.
                        let _ = sender.send(text.to_owned());
                        let _ = request.respond(Response::from_string("ok"));
                    }
                    FAIL => drop(request.respond(Response::empty(503))),
                    _ => unanswered.push(request),
                }
            }
        });
        Receiver {
            address,
            mode,
            texts,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}/services/secret", self.address)
    }

    pub fn work(&self) {
        self.mode.store(WORK, Ordering::SeqCst);
    }

    pub fn fail(&self) {
        self.mode.store(FAIL, Ordering::SeqCst);
    }

    pub fn hang(&self) {
        self.mode.store(HANG, Ordering::SeqCst);
    }

    #[track_caller]
    pub fn next(&self) -> String {
        self.texts.recv_timeout(PATIENCE).expect("a message comes")
    }

    /// Asserts that the next message is this one, where `*` stands for anything.
    #[track_caller]
    pub fn receives(&self, pattern: &str) {
        let text = self.next();
        assert!(
            matches(pattern, &text),
            "received {text:?}, expected {pattern:?}"
        );
    }

    #[track_caller]
    pub fn hears_nothing(&self, time: Duration) {
        let text = self.texts.recv_timeout(time);
        assert_eq!(text, Err(RecvTimeoutError::Timeout));
    }
}

/// Whether `text` is `pattern`, where `*` stands for anything.
pub fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, rest)) => text.strip_prefix(before).is_some_and(|text| {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| matches(rest, &text[at..]))
        }),
    }
}
