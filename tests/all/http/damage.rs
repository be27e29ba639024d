//! Replies that are damaged at random, or no replies at all: asked in-process, and some of them through the binary as well.

use super::OK;
use super::pieces::{Changing, End, WHOLE, Whole, sound};
use crate::support::{Run, check, runner};
use libtest_mimic::Trial;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    trials![
        fragments_never_confuse,
        damage_never_confuses,
        damage_never_confuses_the_binary,
    ]
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
