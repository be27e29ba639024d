//! How HTTP is judged: every reply that a service, or something that is none, can give.

use crate::support::{Server, check};
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    trials![healthy]
}

fn healthy() {
    let server = Server::replying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nUP");
    check([&server.url("/health")]).healthy(&format!(
        "healthy: {}: 200 OK in * ms",
        server.url("/health")
    ));
}
