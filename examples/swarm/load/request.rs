//! One request on a connection of its own, and what became of it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The accounts that each replica has.
const ACCOUNTS: std::ops::Range<u32> = 10_000..10_100;
/// Far more than an account has.
const MAX_REPLY: u64 = 64 * 1024;

#[derive(Clone, Copy, Debug)]
pub enum Method {
    Get,
    Post,
}

/// Why a request was lost.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lost {
    /// There was no connection. The error's number.
    Connect(i32),
    /// The connection broke before the reply was whole. The error's number.
    Broken(i32),
    /// The connection was closed before the reply was whole, after so many bytes of it.
    Closed(usize),
    /// The whole reply did not come in time.
    Late(Duration),
    Status(u16),
    /// A 2xx without the account that was asked for.
    Wrong,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = |number: &i32| io::Error::from_raw_os_error(*number);
        match self {
            Lost::Connect(number) => write!(f, "cannot connect: {}", error(number)),
            Lost::Broken(number) => write!(f, "connection broken: {}", error(number)),
            Lost::Closed(0) => write!(f, "closed without a reply"),
            Lost::Closed(bytes) => write!(f, "closed after {bytes} bytes of a reply"),
            Lost::Late(patience) => write!(f, "no whole reply within {patience:?}"),
            Lost::Status(status) => write!(f, "status {status}"),
            Lost::Wrong => write!(f, "a reply without the account"),
        }
    }
}

/// Asks for the account that has the turn. It is never asked again, whatever comes back.
pub async fn ask(
    front: SocketAddr,
    method: Method,
    turn: u32,
    patience: Duration,
) -> Result<(), Lost> {
    let id = ACCOUNTS.start + turn % ACCOUNTS.len() as u32;
    let exchanged = timeout(patience, exchange(front, method, id)).await;
    exchanged.unwrap_or(Err(Lost::Late(patience)))
}

async fn exchange(front: SocketAddr, method: Method, id: u32) -> Result<(), Lost> {
    let number = |error: io::Error| error.raw_os_error().unwrap_or_default();
    let connected = TcpStream::connect(front).await;
    let mut stream = connected.map_err(|error| Lost::Connect(number(error)))?;
    let wrote = stream
        .write_all(request(front, method, id).as_bytes())
        .await;
    wrote.map_err(|error| Lost::Broken(number(error)))?;

    let mut reply = Vec::new();
    let mut limited = stream.take(MAX_REPLY);
    loop {
        // A reply that is whole counts, however the connection ends after it.
        if let Some(judged) = judge(&reply, id, false) {
            return judged;
        }
        match limited.read_buf(&mut reply).await {
            Ok(0) => return judge(&reply, id, true).unwrap_or(Err(Lost::Closed(reply.len()))),
            Ok(_) => {}
            Err(error) => return Err(Lost::Broken(number(error))),
        }
    }
}

fn request(front: SocketAddr, method: Method, id: u32) -> String {
    let rest = format!("/accounts/{id} HTTP/1.1\r\nHost: {front}\r\nConnection: close\r\n");
    match method {
        Method::Get => format!("GET {rest}\r\n"),
        Method::Post => {
            let body = format!(r#"{{"name":"Person_{id}"}}"#);
            let length = body.len();
            format!(
                "POST {rest}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            )
        }
    }
}

/// What the reply says, or none while it is not whole. A reply without a length ends with its connection.
fn judge(reply: &[u8], id: u32, ended: bool) -> Option<Result<(), Lost>> {
    let text = String::from_utf8_lossy(reply);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().unwrap_or(0);
    if !(200..300).contains(&status) {
        return Some(Err(Lost::Status(status)));
    }
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<usize>().ok())?
    });
    let is_whole = match length {
        Some(length) => body.len() >= length,
        None => ended,
    };
    let account = format!(r#""id":"{id}""#);
    let judged = match body.contains(&account) {
        true => Ok(()),
        false => Err(Lost::Wrong),
    };
    is_whole.then_some(judged)
}
