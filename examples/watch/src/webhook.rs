//! Messages on their way to people, in a thread of their own: whatever the webhook does, nothing else waits for it.

use crate::log::{complain, say};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;
use ureq::Agent;
use ureq::http::Uri;

/// So many messages may wait. More come only while the webhook is down, and then they are old news.
const QUEUE: usize = 100;
/// For one attempt, DNS and TLS included.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Before the second attempt, the third, and the fourth, which is the last.
const PAUSES: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(9),
];

/// The URL, which lets whoever has it post: it is never printed.
#[derive(Clone)]
pub struct Url(String);

impl Url {
    pub fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let is_http = ["http", "https"].contains(&uri.scheme_str()?);
        (is_http && !uri.host()?.is_empty()).then(|| Url(text.to_owned()))
    }

    /// As much of it as may be shown.
    pub fn host(&self) -> String {
        let uri: Uri = self.0.parse().unwrap_or_default();
        uri.host().unwrap_or_default().to_owned()
    }
}

pub struct Webhook {
    queue: SyncSender<String>,
    /// Disconnected once the thread has ended.
    ended: Receiver<()>,
}

impl Webhook {
    pub fn start(url: Url) -> Self {
        Self::with_pauses(url, TIMEOUT, PAUSES)
    }

    fn with_pauses(url: Url, timeout: Duration, pauses: [Duration; 3]) -> Self {
        let (queue, messages) = mpsc::sync_channel::<String>(QUEUE);
        let (end, ended) = mpsc::sync_channel(0);
        thread::spawn(move || {
            // Dropped with the thread.
            let _end: SyncSender<()> = end;
            let agent: Agent = Agent::config_builder()
                .timeout_global(Some(timeout))
                .http_status_as_error(false)
                // A redirected POST would arrive as a GET, without its message.
                .max_redirects(0)
                .max_redirects_will_error(false)
                .build()
                .into();
            for message in messages {
                deliver(&agent, &url, &message, pauses);
            }
        });
        Webhook { queue, ended }
    }

    /// Leaves a message to be posted. Never waits.
    pub fn post(&self, body: String) {
        if self.queue.try_send(body).is_err() {
            complain(&format!(
                "webhook: a message is dropped: {QUEUE} wait already"
            ));
        }
    }

    /// Waits for what is on its way, for no longer than this.
    pub fn finish(self, patience: Duration) {
        drop(self.queue);
        if self.ended.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            complain("webhook: messages are dropped: there is no time left");
        }
    }
}

fn deliver(agent: &Agent, url: &Url, message: &str, pauses: [Duration; 3]) {
    let mut pauses = pauses.into_iter();
    loop {
        let (why, may_help) = match attempt(agent, url, message) {
            Ok(()) => return say("webhook: posted"),
            Err(why) => why,
        };
        match pauses.next() {
            Some(pause) if may_help => {
                let seconds = pause.as_secs_f64();
                complain(&format!("webhook: {why}; again in {seconds} s"));
                thread::sleep(pause);
            }
            _ => return complain(&format!("webhook: a message is dropped: {why}")),
        }
    }
}

/// Posts once. Else why it failed, and whether it may help to try again.
fn attempt(agent: &Agent, url: &Url, message: &str) -> Result<(), (String, bool)> {
    let request = agent.post(&url.0).content_type("application/json");
    match request.send(message) {
        Ok(response) => match response.status().as_u16() {
            200..=299 => Ok(()),
            // Too many requests, or trouble on their side. Else it is the URL or the message that is wrong.
            status => Err((format!("status {status}"), status == 429 || status >= 500)),
        },
        Err(ureq::Error::Timeout(_)) => Err(("timed out".into(), true)),
        // The other errors might quote the URL.
        Err(ureq::Error::Io(error)) => Err((error.to_string(), true)),
        Err(ureq::Error::HostNotFound) => Err((format!("no such host: {}", url.host()), true)),
        Err(error) => Err((error.to_string().replace(&url.0, "(the URL)"), true)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::time::Instant;
    use tiny_http::{Response, Server};

    const SOON: [Duration; 3] = [Duration::from_millis(1); 3];
    const LONG: Duration = Duration::from_secs(20);

    fn url(address: impl std::fmt::Display) -> Url {
        Url::parse(&format!("http://{address}/services/T0/B0/secret")).expect("a URL")
    }

    /// Answers the requests with these statuses, and returns their bodies.
    fn receiver(statuses: &'static [u16]) -> (Url, thread::JoinHandle<Vec<String>>) {
        let server = Server::http("127.0.0.1:0").expect("listen");
        let url = url(server.server_addr());
        let thread = thread::spawn(move || {
            let answer = |&status| {
                let mut request = server.recv().expect("a request");
                let mut body = String::new();
                let reader = request.as_reader();
                reader.read_to_string(&mut body).expect("a body");
                let response = Response::empty(status).with_header(
                    "Location: http://127.0.0.1:1/"
                        .parse::<tiny_http::Header>()
                        .expect("a header"),
                );
                request.respond(response).expect("respond");
                body
            };
            statuses.iter().map(answer).collect()
        });
        (url, thread)
    }

    #[test]
    fn tries_again_while_it_may_help() {
        let (url, receiver) = receiver(&[500, 429, 200, 404, 302, 503, 503, 503, 503, 200]);
        let webhook = Webhook::with_pauses(url, LONG, SOON);
        for body in ["a", "b", "c", "d", "e"] {
            webhook.post(body.into());
        }
        let bodies = receiver.join().expect("the receiver");
        assert_eq!(bodies.concat(), "aaabcdddde");
        webhook.finish(LONG);
    }

    #[test]
    fn a_webhook_that_hangs_holds_up_nobody() {
        // It accepts, and never answers.
        let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
        let address = listener.local_addr().expect("an address");
        let begun = Instant::now();
        let webhook = Webhook::with_pauses(url(address), LONG, SOON);
        for _ in 0..QUEUE + 10 {
            webhook.post("a".into());
        }
        webhook.finish(Duration::from_millis(10));
        assert!(begun.elapsed() < LONG / 2, "{:?}", begun.elapsed());
        // Its thread waits on, and would otherwise be refused.
        std::mem::forget(listener);
    }

    #[test]
    fn errors_do_not_show_the_url() {
        let agent = Agent::new_with_defaults();
        // Port 0 cannot be connected to.
        let attempts = [url("127.0.0.1:0"), url("no-such-host.invalid")];
        for url in attempts {
            let (why, _) = attempt(&agent, &url, "a").expect_err("nobody listens there");
            assert!(!why.contains("secret"), "{why}");
        }
    }

    #[test]
    fn what_is_a_url() {
        assert!(Url::parse("https://hooks.slack.com/services/a/b/c").is_some());
        for text in [
            "",
            "hooks.slack.com",
            "ftp://a/",
            "http://",
            "/a",
            "http://a b/",
        ] {
            assert!(Url::parse(text).is_none(), "{text}");
        }
    }
}
