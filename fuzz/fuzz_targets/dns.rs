//! What comes in place of a name server's response: it is judged, or it is no response to what was asked; and no part of a
//! healthy response is one.
#![no_main]

use healthchecker_fuzz::{Judged, judge_dns, spell};
use libfuzzer_sys::fuzz_target;

const WORDS: &[&[u8]] = &[
    b"id\x81\x80\0\x01\0\0\0\0\0\0",
    b"id\x85\x80\0\x01\0\x01\0\0\0\0",
    b"id\x83\x80\0\x01\0\x02\0\x01\0\x01",
    b"id\x81\x82\0\0\0\0\0\0\0\0",
    b"\x09localhost\0\0\x01\0\x01",
    b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04\x7f\0\0\x01",
    b"\0\0\x06\0\x01\0\0\0\0\0\x02ab",
    b"\x01a\0",
    b"\0\x01",
    b"\xff",
];
const ASKED: &[u8] = b"id\x01\0\0\x01\0\0\0\0\0\0\x09localhost\0\0\x01\0\x01";

fuzz_target!(|input: &[u8]| {
    let mut response = spell(input, WORDS);
    response.truncate(2000);
    let whole = judge_dns(&response, ASKED);
    assert!(!matches!(whole, Some(Judged::More)));
    if let Some(Judged::Well(length)) = whole {
        assert_eq!(length, response.len());
        let is_truncated = response[2] & 2 != 0;
        for end in 0..response.len() {
            let part = judge_dns(&response[..end], ASKED);
            let fits = matches!(part, None | Some(Judged::Alien));
            assert!(fits || is_truncated, "{end} of {response:?}");
        }
    }
});
