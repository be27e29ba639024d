//! The load against a server that loses a known number of requests in each way: a counter that is wrong fails here.

use crate::arrivals::{Load, Plan, Tallies};
use crate::request::Lost;
use rustix::net::sockopt;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(2);

/// What a server does with a request.
#[derive(Clone, Copy)]
enum Deed {
    Answer,
    Close,
    Reset,
    CutShort,
    Refuse,
    AnswerAnother,
    Hang,
    /// A whole reply, and then a reset.
    AnswerAndReset,
}

/// The GETs and the POSTs that came.
type Came = Arc<Mutex<BTreeMap<String, usize>>>;

/// Does the deeds in turn with the GETs, and answers the POSTs.
fn server(deeds: &'static [Deed]) -> (SocketAddr, Came) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let came = Came::default();
    let counts = Arc::clone(&came);
    thread::spawn(move || {
        let mut hung = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let (method, id) = read_request(&stream);
            let mut counts = counts.lock().expect("nobody panics with it");
            let turn = counts.entry(method.clone()).or_default();
            let deed = match &*method {
                "GET" => deeds[*turn % deeds.len()],
                _ => Deed::Answer,
            };
            *turn += 1;
            drop(counts);
            if respond(&mut stream, deed, &id) {
                hung.push(stream);
            }
        }
    });
    (address, came)
}

fn read_request(stream: &TcpStream) -> (String, String) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    let mut length = 0;
    reader.read_line(&mut line).expect("a request line");
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).expect("a header");
        if let Some(value) = header.strip_prefix("Content-Length: ") {
            length = value.trim().parse().expect("a number");
        }
        if header == "\r\n" {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).expect("a body");
    let (method, rest) = line.split_once(" /accounts/").expect("a path");
    let (id, _) = rest.split_once(' ').expect("a version");
    (method.to_owned(), id.to_owned())
}

fn reply(status: &str, id: &str) -> String {
    let body = format!(r#"{{"id":"{id}","name":"somebody"}}"#);
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// Whether the connection must stay open.
fn respond(stream: &mut TcpStream, deed: Deed, id: &str) -> bool {
    let whole = reply("200 OK", id);
    let sent = match deed {
        Deed::Answer | Deed::AnswerAndReset => whole.as_str(),
        Deed::CutShort => &whole[..whole.len() - 1],
        Deed::Refuse => &reply("503 Service Unavailable", id),
        Deed::AnswerAnother => &reply("200 OK", "1"),
        Deed::Close | Deed::Reset | Deed::Hang => "",
    };
    stream.write_all(sent.as_bytes()).expect("the client waits");
    if matches!(deed, Deed::Reset | Deed::AnswerAndReset) {
        // Closing it then sends RST.
        sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).expect("an option");
    }
    matches!(deed, Deed::Hang)
}

fn load(front: SocketAddr, gets: u32, posts: u32, duration: Duration) -> Tallies {
    let load = Load::start(Plan {
        front,
        gets,
        posts,
        patience: PATIENCE,
    });
    thread::sleep(duration);
    load.stop()
}

#[test]
fn each_request_is_counted_once_and_for_what_became_of_it() {
    use Deed::*;
    // So many of each in a round: none, one, two, ... so that no two can be mistaken for each other.
    const ROUND: &[Deed] = &[
        Close,
        Answer,
        Reset,
        Reset,
        CutShort,
        CutShort,
        CutShort,
        Refuse,
        Refuse,
        Refuse,
        Refuse,
        AnswerAnother,
        AnswerAnother,
        AnswerAnother,
        AnswerAnother,
        AnswerAnother,
        Hang,
        Hang,
        Hang,
        Hang,
        Hang,
        Hang,
        AnswerAndReset,
        Answer,
        Answer,
    ];
    let (front, came) = server(ROUND);
    let Tallies { gets, posts } = load(front, 100, 25, Duration::from_secs(1));

    // Nothing was sent twice, and nothing that was sent is missing.
    let came = came.lock().expect("nobody panics with it");
    assert_eq!((gets.sent(), posts.sent()), (came["GET"], came["POST"]));
    assert_eq!(posts.lost(), 0);

    let mut expected = BTreeMap::<Lost, usize>::new();
    for turn in 0..gets.sent() {
        let lost = match ROUND[turn % ROUND.len()] {
            Answer | AnswerAndReset => continue,
            Close => Lost::Closed(0),
            Reset => Lost::Broken(rustix::io::Errno::CONNRESET.raw_os_error()),
            CutShort => Lost::Closed(reply("200 OK", "10000").len() - 1),
            Refuse => Lost::Status(503),
            AnswerAnother => Lost::Wrong,
            Hang => Lost::Late(PATIENCE),
        };
        *expected.entry(lost).or_default() += 1;
    }
    let found: BTreeMap<Lost, usize> = gets
        .losses()
        .map(|(lost, times, ..)| (lost.clone(), times))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(gets.lost(), expected.values().sum());
}

#[test]
fn arrivals_do_not_wait_for_answers() {
    let (front, _) = server(&[Deed::Hang]);
    // So few that all tests at once open fewer than the 256 files that macOS allows a process.
    let gets = load(front, 40, 0, Duration::from_secs(1)).gets;
    // Waiting for one would have made it one. A busy machine may sleep longer.
    assert!(gets.sent() >= 38, "{}", gets.sent());
    assert_eq!(gets.lost(), gets.sent());
}

#[test]
fn whoever_is_not_there_loses_all() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let front = listener.local_addr().expect("it is bound");
    drop(listener);
    let gets = load(front, 100, 0, Duration::from_millis(200)).gets;
    let refused = Lost::Connect(rustix::io::Errno::CONNREFUSED.raw_os_error());
    let found = Vec::from_iter(gets.losses().map(|(lost, times, ..)| (lost, times)));
    assert_eq!(found, [(&refused, gets.sent())]);
}
