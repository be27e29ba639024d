//! Replies in pieces, cut off, damaged at random, or no replies at all: asked in-process, for there are thousands, and
//! some of them through the binary as well.

use crate::http::OK;
use crate::support::{Run, SLACK, Server, check, read_request};
use healthchecker::cli::{self, Command};
use healthchecker::deadline::Deadline;
use healthchecker::report;
use healthchecker::verdict::{Failure, Health, Phase, Unmet};
use libtest_mimic::Trial;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub fn trials() -> Vec<Trial> {
    trials![
        split_at_every_byte,
        byte_by_byte,
        cut_at_every_byte,
        silent_after_every_byte,
        fragments_never_confuse,
        damage_never_confuses,
        damage_never_confuses_the_binary,
    ]
}

/// A healthy reply with the body `{"s":"UP"}`, in the parts that matter.
struct Whole {
    /// Until this has come, there is nothing to judge.
    head: &'static str,
    /// After this, `UP` is known to be there.
    until_text: &'static str,
    /// After this, the body is known to be whole; none if only the connection's end tells.
    until_end: &'static str,
    rest: &'static str,
}

const WHOLE: [Whole; 6] = [
    Whole {
        head: "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 10\r\n\r\n",
        until_text: "{\"s\":\"UP",
        until_end: "\"}",
        rest: "",
    },
    Whole {
        head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        until_text: "7;name=\"a long value\"\r\n{\"s\":\"U\r\n1\r\nP",
        until_end: "\r\n02\r\n\"}\r\n0\r\n",
        rest: "X-Trailer: y\r\n\r\n",
    },
    Whole {
        head: "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n",
        until_text: "{\"s\":\"UP",
        until_end: "\"}",
        rest: "",
    },
    Whole {
        head: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        until_text: "{\"s\":\"UP",
        until_end: "\"}",
        rest: "",
    },
    Whole {
        head: "HTTP/1.1 200\nContent-Length: 10\n\n",
        until_text: "{\"s\":\"UP",
        until_end: "\"}",
        rest: "",
    },
    Whole {
        head: "HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\n\tc\r\nContent-Length:\r\n 10\r\n\r\n",
        until_text: "{\"s\":\"UP",
        until_end: "\"}",
        rest: "no part of the body",
    },
];

impl Whole {
    fn bytes(&self) -> Vec<u8> {
        [self.head, self.until_text, self.until_end, self.rest]
            .concat()
            .into_bytes()
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Close,
    Reset,
    Hold,
}

/// The pieces of a reply, the pause between them, and what follows.
type Script = (Vec<Vec<u8>>, Duration, End);

/// A server whose next reply can be set.
struct Changing {
    server: Server,
    next: Arc<Mutex<Script>>,
}

impl Changing {
    fn new() -> Self {
        let nothing: Script = (Vec::new(), Duration::ZERO, End::Close);
        let next = Arc::new(Mutex::new(nothing));
        let script = next.clone();
        let server = Server::new(move |connection| {
            let (pieces, pause, end) = script.lock().expect("the reply").clone();
            connection.set_nodelay(true).expect("set TCP_NODELAY");
            read_request(connection);
            for (at, piece) in pieces.iter().enumerate() {
                if at > 0 {
                    std::thread::sleep(pause);
                }
                // A checker that has its verdict may be gone already.
                let _ = connection.write_all(piece);
            }
            match end {
                End::Close => {}
                End::Reset => {
                    let now = Some(Duration::ZERO);
                    let _ = rustix::net::sockopt::set_socket_linger(connection, now);
                }
                End::Hold => {
                    let _ = connection.read(&mut [0]);
                }
            }
        });
        Changing { server, next }
    }

    fn replies(&self, pieces: Vec<Vec<u8>>, pause: Duration, end: End) {
        *self.next.lock().expect("the reply") = (pieces, pause, end);
    }

    /// Asks the library, and holds what it answers against what must be true of every answer.
    #[track_caller]
    fn ask(&self, options: &[&str], timeout: Duration) -> Result<Health, Failure> {
        let time = format!("{}ms", timeout.as_millis());
        let url = self.server.url("/");
        let arguments = ["-t", &time, &url]
            .into_iter()
            .chain(options.iter().copied());
        let arguments = arguments.map(Into::into).collect();
        let Ok(Command::Check(check, _)) = cli::parse(arguments, &|_| None) else {
            panic!("not understood: {options:?}");
        };
        let target = &check.targets[0];
        let begun = Instant::now();
        let answer = target.ask(&Deadline::after(check.timeout));
        let took = begun.elapsed();
        assert!(took < timeout + SLACK, "took {took:?}");
        sound(&report::line(target, &answer, None, check.timeout));
        answer.outcome.map_err(|failure| *failure)
    }
}

/// One line that can be printed, whatever the service said.
#[track_caller]
fn sound(line: &str) {
    let text = line.strip_suffix('\n').expect("a line's end");
    assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
    assert!(line.len() <= 512, "{} bytes: {text}", line.len());
}

const OPTIONS: [&[&str]; 4] = [&[], &["-b", "UP"], &["-j", "s=UP"], &["--body-not", "DOWN"]];
const LONG: Duration = Duration::from_secs(5);

fn split_at_every_byte() {
    let service = Changing::new();
    for whole in WHOLE {
        let reply = whole.bytes();
        for at in 1..reply.len() {
            let pieces = vec![reply[..at].to_vec(), reply[at..].to_vec()];
            service.replies(pieces, Duration::from_micros(500), End::Close);
            let options = OPTIONS[at % OPTIONS.len()];
            let verdict = service.ask(options, LONG);
            assert_eq!(
                verdict,
                Ok(Health::Status(200)),
                "{} at {at}, {options:?}",
                whole.head
            );
        }
    }
    let ill = b"HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nDOWN";
    for at in 1..ill.len() {
        let pieces = vec![ill[..at].to_vec(), ill[at..].to_vec()];
        service.replies(pieces, Duration::from_micros(500), End::Close);
        let verdict = service.ask(&["-b", "DOWN"], LONG);
        assert!(
            matches!(verdict, Err(Failure::Status { got: 503, .. })),
            "{verdict:?} at {at}"
        );
    }
}

fn byte_by_byte() {
    let service = Changing::new();
    for whole in WHOLE {
        for options in OPTIONS {
            let pieces = whole.bytes().into_iter().map(|byte| vec![byte]).collect();
            service.replies(pieces, Duration::ZERO, End::Close);
            let verdict = service.ask(options, LONG);
            assert_eq!(
                verdict,
                Ok(Health::Status(200)),
                "{}, {options:?}",
                whole.head
            );
        }
    }
}

fn cut_at_every_byte() {
    let service = Changing::new();
    for whole in WHOLE {
        let reply = whole.bytes();
        let text = whole.head.len() + whole.until_text.len();
        let known = text + whole.until_end.len();
        let delimited = whole.head.contains("Content-Length") || whole.head.contains("chunked");
        for at in 0..reply.len() {
            for (options, enough) in [
                (OPTIONS[0], whole.head.len()),
                (OPTIONS[1], text),
                (OPTIONS[2], known),
            ] {
                for end in [End::Close, End::Reset] {
                    service.replies(vec![reply[..at].to_vec()], Duration::ZERO, end);
                    let verdict = service.ask(options, LONG);
                    let context =
                        format!("{verdict:?}: {} at {at}, {options:?}, {end:?}", whole.head);
                    let phase = match at {
                        _ if at >= whole.head.len() => Phase::Body,
                        // A 1xx response that ended leaves the status line to be waited for.
                        _ if whole.head[..at]
                            .rsplit("\n\r\n")
                            .next()
                            .is_some_and(|head| head.contains('\n')) =>
                        {
                            Phase::Headers
                        }
                        _ => Phase::StatusLine,
                    };
                    let expected = match &verdict {
                        Ok(health) => *health == Health::Status(200) && at >= enough,
                        _ if at >= enough => false,
                        Err(Failure::ClosedEarly { phase: then, .. }) => {
                            *then == phase && end == End::Close
                        }
                        Err(Failure::Reset { phase: then }) => *then == phase && end == End::Reset,
                        // Without a length, a body that was cut is one that says less.
                        Err(Failure::Unexpected(Unmet::Body { .. } | Unmet::NotJson { .. })) => {
                            !delimited && phase == Phase::Body
                        }
                        Err(_) => false,
                    };
                    assert!(expected, "{context}");
                }
            }
        }
    }
}

fn silent_after_every_byte() {
    let service = Changing::new();
    let (reply, head) = (WHOLE[1].bytes(), WHOLE[1].head.len());
    for at in 0..reply.len() - WHOLE[1].rest.len() {
        service.replies(vec![reply[..at].to_vec()], Duration::ZERO, End::Hold);
        let verdict = service.ask(OPTIONS[2], Duration::from_millis(30));
        assert!(
            matches!(verdict, Err(Failure::TimedOut { .. } | Failure::NotAsked)),
            "{verdict:?} at {at} of {head}"
        );
    }
}

/// What replies are made of, and what they had better not be made of.
const VOCABULARY: [&[u8]; 48] = [
    b"HTTP/1.1 ",
    b"HTTP/1.0 ",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 100 \r\n\r\n",
    b"HTTP/2 ",
    b"200",
    b"503",
    b"302",
    b"204",
    b"100",
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b":",
    b"\0",
    b"\x7f",
    b"\xff",
    b"\xef\xbb\xbf",
    b"Content-Length: ",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 2\r\n",
    b"Location: ",
    b"Location: /x\r\n",
    b"Connection: close\r\n",
    b"Content-Type: text/html; charset=\r\n",
    b"X: y\r\n",
    b"-1",
    b"0",
    b"1",
    b"2",
    b"a",
    b"+2",
    b"0x2",
    b"18446744073709551616",
    b"ffffffffffffffff",
    b"0\r\n\r\n",
    b"2\r\nUP\r\n",
    b"2;a=b\r\n",
    b"UP",
    b"{\"s\":\"UP\"}",
    b"[[[[",
    b"http://[::1]:0/",
    b"//",
    b"X-A: \xe2\x80\xae\r\n",
    b"junk",
];

const ALL_OPTIONS: [&[&str]; 10] = [
    &[],
    &["-b", "UP"],
    &["--body-not", "UP"],
    &["-j", "s=UP"],
    &["-b", "UP", "-j", "s"],
    &["--expect-header", "X-A: b"],
    &["--status", "200-599"],
    &["-X", "HEAD"],
    &["-d", "data"],
    &["-L"],
];

fn in_pieces(reply: &[u8], cuts: &[Index]) -> Vec<Vec<u8>> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(reply.len() + 1)).collect();
    cuts.extend([0, reply.len()]);
    cuts.sort();
    cuts.windows(2)
        .map(|cut| reply[cut[0]..cut[1]].to_vec())
        .collect()
}

fn runner(cases: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

fn fragments_never_confuse() {
    let service = Changing::new();
    let noise = prop::collection::vec(any::<u8>(), 0..20);
    let fragment = prop_oneof![
        9 => select(&VOCABULARY[..]).prop_map(<[u8]>::to_vec),
        1 => noise,
    ];
    let reply = prop::collection::vec(fragment, 0..40);
    // Most begin well, or they would all be judged by their first byte.
    let begin = select(vec![
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: ",
    ]);
    let cuts = prop::collection::vec(any::<Index>(), 0..3);
    let cases = (begin, reply, cuts, select(&ALL_OPTIONS[..]));
    runner(400)
        .run(&cases, |(begin, reply, cuts, options)| {
            let reply = [begin.as_bytes(), &reply.concat()].concat();
            service.replies(in_pieces(&reply, &cuts), Duration::ZERO, End::Close);
            let _ = service.ask(options, Duration::from_millis(300));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

#[derive(Debug, Clone)]
enum Damage {
    Truncate(Index),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize, usize),
}

impl Damage {
    fn apply(&self, reply: &mut Vec<u8>) {
        let at = |index: &Index| index.index(reply.len() + 1);
        match self {
            Damage::Truncate(index) => reply.truncate(at(index)),
            Damage::Flip(index, bits) => {
                let at = at(index);
                if let Some(byte) = reply.get_mut(at) {
                    *byte ^= bits;
                }
            }
            Damage::Insert(index, bytes) => {
                let at = at(index);
                reply.splice(at..at, bytes.iter().copied());
            }
            Damage::Remove(index, length) => {
                let at = at(index);
                reply.drain(at..reply.len().min(at + length));
            }
            Damage::Repeat(index, length, times) => {
                let at = at(index);
                let part = reply[at..reply.len().min(at + length)].repeat(*times);
                reply.splice(at..at, part);
            }
        }
    }
}

/// A valid reply that was damaged, in pieces, and options.
fn damaged() -> impl Strategy<Value = (Vec<Vec<u8>>, &'static [&'static str])> {
    let mut valid: Vec<Vec<u8>> = WHOLE.iter().map(Whole::bytes).collect();
    valid.extend([
        OK.to_vec(),
        b"HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nDOWN".to_vec(),
        b"HTTP/1.1 302 Found\r\nLocation: /x\r\nX-A: b\r\n\r\n".to_vec(),
        b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
    ]);
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..8),
        select(&VOCABULARY[..]).prop_map(<[u8]>::to_vec),
    ];
    let damage = prop_oneof![
        1 => any::<Index>().prop_map(Damage::Truncate),
        4 => (any::<Index>(), 1..=255u8).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        4 => (any::<Index>(), bytes).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        2 => (any::<Index>(), 1..9usize).prop_map(|(at, length)| Damage::Remove(at, length)),
        2 => (any::<Index>(), 1..30usize, 2..300usize)
            .prop_map(|(at, length, times)| Damage::Repeat(at, length, times)),
    ];
    let damages = prop::collection::vec(damage, 1..5);
    let cuts = prop::collection::vec(any::<Index>(), 0..4);
    (select(valid), damages, cuts, select(&ALL_OPTIONS[..])).prop_map(
        |(mut reply, damages, cuts, options)| {
            damages.iter().for_each(|damage| damage.apply(&mut reply));
            (in_pieces(&reply, &cuts), options)
        },
    )
}

fn damage_never_confuses() {
    let service = Changing::new();
    runner(600)
        .run(
            &(damaged(), any::<bool>()),
            |((pieces, options), resets)| {
                let end = if resets { End::Reset } else { End::Close };
                service.replies(pieces, Duration::ZERO, end);
                let _ = service.ask(options, Duration::from_millis(300));
                Ok(())
            },
        )
        .unwrap_or_else(|error| panic!("{error}"));
}

fn damage_never_confuses_the_binary() {
    let service = Changing::new();
    let url = service.server.url("/");
    runner(100)
        .run(&damaged(), |(pieces, options)| {
            service.replies(pieces, Duration::ZERO, End::Close);
            let run = check(options.iter().copied().chain(["-t", "300ms", &*url]));
            let run: &Run = run.within(Duration::from_secs(2));
            match run.code {
                Some(0) => run.healthy(&format!("healthy: {url}: *")),
                _ => run.unhealthy(&format!("unhealthy: {url}: *")),
            };
            sound(&(run.stdout.clone() + &run.stderr));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
