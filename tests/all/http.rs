//! HTTP: what is asked, how each reply is judged that a service can give, or something that is none, and how it all ends.
//!
//! Here is what these tests share: a server of replies, and the line that is said of each.

use crate::support::{Run, Server, check, read_request};
use libtest_mimic::Trial;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

mod connection;
mod curl;
mod damage;
mod expectations;
mod framing;
mod head;
mod pieces;
mod redirects;
mod repairs;
mod request;

pub fn trials() -> Vec<Trial> {
    [
        head::trials(),
        framing::trials(),
        expectations::trials(),
        connection::trials(),
        request::trials(),
        redirects::trials(),
        pieces::trials(),
        repairs::trials(),
        curl::trials(),
        damage::trials(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub const AGENT: &str = concat!("healthchecker/", env!("CARGO_PKG_VERSION"));

/// A healthy response.
pub const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nUP";
/// What is said of a service that gave it.
pub const WELL: &str = "healthy: 200 OK in *s";
/// For runs that must wait until it passes.
pub const SHORT: &str = "300ms";
/// When such a run is over.
pub const SHORTLY: Duration = Duration::from_millis(2000);

/// A reply, the options of the check, and what it says: the verdict, and the line without the target's name.
type Row<'a> = (&'a [u8], &'a [&'a str], &'a str);

/// Gives each reply to the checker, and asserts the exit code and all that it prints.
#[track_caller]
pub fn judge(rows: &[Row]) {
    let replies: Vec<Vec<u8>> = rows.iter().map(|row| row.0.to_vec()).collect();
    let server = Server::new(move |connection| {
        let request = String::from_utf8(read_request(connection)).expect("a request in UTF-8");
        let row: usize = request
            .split(['/', ' '])
            .nth(2)
            .and_then(|row| row.parse().ok())
            .expect("the number of a row");
        // A checker that has its verdict may be gone already.
        let _ = connection.write_all(&replies[row]);
    });
    for (row, (_, options, line)) in rows.iter().enumerate() {
        let asked = server.asked();
        said(options, &server.url(&format!("/{row}")), line);
        assert_eq!(server.asked(), asked + 1, "{line}");
    }
}

/// Runs the checker, and asserts the exit code and all that it prints.
#[track_caller]
pub fn said(options: &[&str], url: &str, line: &str) -> Run {
    let run = check(options.iter().chain([&url]));
    says(&run, url, line);
    run
}

#[track_caller]
pub fn says(run: &Run, url: &str, line: &str) {
    let (verdict, rest) = line.split_once(": ").expect("a line with a verdict");
    let whole = format!("{verdict}: {url}: {rest}");
    match verdict {
        "healthy" => run.healthy(&whole),
        _ => run.unhealthy(&whole),
    };
}

/// A server that reads the request and then does as the script says.
pub fn after_request(script: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Server {
    Server::new(move |connection| {
        read_request(connection);
        script(connection);
    })
}

/// Sends, if anybody still listens.
pub fn send(connection: &mut TcpStream, bytes: impl AsRef<[u8]>) {
    let _ = connection.write_all(bytes.as_ref());
}

/// Sends the same for ever, or until nobody listens.
pub fn repeat(connection: &mut TcpStream, bytes: &[u8], pause: Duration) {
    while connection.write_all(bytes).is_ok() {
        std::thread::sleep(pause);
    }
}

/// Waits until the checker has gone: what it saw, it saw while the connection was open.
pub fn hold(connection: &mut TcpStream) {
    let _ = connection.read(&mut [0]);
}
