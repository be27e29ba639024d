//! Every step of every conversation: what is judged of a part of a reply does not change when the rest comes.
#![no_main]

use healthchecker_fuzz::{Judged, conversations, judge, spell};
use libfuzzer_sys::fuzz_target;

/// Of all protocols: the fuzzer mixes them.
const WORDS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b" ",
    b"-",
    b"\0",
    b"\0\0\0",
    b"\0\0\0\x01",
    b"\xff",
    b"+PONG\r\n",
    b"-NOAUTH x\r\n",
    b"-LOADING x\r\n",
    b"-ERR ",
    b"R\0\0\0\x08\0\0\0\0",
    b"R\0\0\0\x0c\0\0\0\x05abcd",
    b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0",
    b"E\0\0\0",
    b"SFATAL\0C57P03\0Mno\0\0",
    b"\x0a8.0\0",
    b"\0\0\0\x0a",
    b"\xff\x15\x04#08004Too many",
    b"\x01\0\0\0\0\0\x1a\0\x0a\0\x0a\0\x09\0\0\0\0\0\0\0\x05PLAIN\0\0\0\x05en_US\xce",
    b"AMQP\0\0\x09\x01",
    b"AMQP",
    b"VERSION 1\r\n",
    b"SERVER_ERROR x\r\n",
    b"CLIENT_ERROR unauthenticated\r\n",
    b"220",
    b"220-a\r\n",
    b"220 a\r\n",
    b"250 ok\r\n",
    b"250-x\r\n",
    b"421 x\r\n",
    b"554-no\r\n",
    b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\0\x04\0\x04\0",
    b"\x30\x84\0\0\0",
    b"\x30\x81",
    b"\x02\x01\x01",
    b"\x61",
    b"\x0a\x01",
    b"\x04\0",
    b"imok",
    b"This ZooKeeper instance is not currently serving requests\n",
    b"ruok is not executed because it is not in the whitelist.\n",
    b"\x2d\0\0\0\x07\0\0\0\x01\0\0\0\xdd\x07\0\0",
    b"\0\0\0\0\0",
    b"\x01ok\0\0\0\0\0\0\0\xf0\x3f\0",
    b"\x11\0\0\0\x01ok\0\0\0\0\0\0\0\xf0\x3f\0",
    b"\x10code\0\x0d\0\0\0",
    b"\x20\x02\0\0",
    b"\x20\x02\0\x05",
    b"\x20\x03\0\x84\0",
    b"INFO {}\r\n",
    b"PONG\r\n",
    b"-ERR 'Authorization Violation'\r\n",
    b"+OK\r\n",
    b"\0\0\0\x0a\0\0\0\x01\0\0\0\0\0\0",
    b"\0\0\0\x10\0\0\0\x01\0\0\0\0\0\x01\0\x12\0\0\0\0",
    b"\x84\0\0\0\x06\0\0\0\x02\0\0",
    b"\x84\0\0\0\0\0\0\0\x08\0\0\0\x01\0\x02no",
    b"PONG\0",
    b"SSH-2.0-x\r\n",
    b"SSH-1.99-x\r\n",
    b"hello\r\n",
    b"+OK x\r\n",
    b"* OK x\r\n",
    b"* BYE x\r\n",
    b"* PREAUTH\r\n",
    b"\x15\x03\x01\0\x02\x02\x28",
    b"\x16\x03\x03\0\x2a\x02\0\0\x26\x03\x03",
];

/// Of what is not text, the pieces may end inside of a word that then becomes another one.
fn may_change(scheme: &str, heard: &[u8]) -> bool {
    // `imok` is the whole reply: no line's end follows it.
    scheme == "zookeeper" && heard == b"imok"
}

fuzz_target!(|input: (u8, Vec<u8>)| {
    let (at, letters) = input;
    let steps: Vec<(&str, usize)> = conversations()
        .into_iter()
        .flat_map(|(scheme, steps)| (0..steps).map(move |step| (scheme, step)))
        .collect();
    let (scheme, step) = steps[usize::from(at) % steps.len()];
    let mut heard = spell(&letters, WORDS);
    heard.truncate(2000);
    let mut known: Option<(usize, Judged)> = None;
    // A long reply is looked at in fewer places: this is quadratic.
    let stride = heard.len() / 200 + 1;
    for end in (0..=heard.len()).filter(|end| end % stride == 0 || *end == heard.len()) {
        let judged = judge(scheme, step, &heard[..end]);
        if let Judged::Well(bytes) = judged {
            assert!((1..=end).contains(&bytes), "{scheme}: {bytes} of {end}");
        }
        match &known {
            Some((at, known)) => {
                assert_eq!(
                    judged,
                    *known,
                    "{scheme}, step {step}: {:?} after {at} and after {end}",
                    String::from_utf8_lossy(&heard)
                );
            }
            None if judged != Judged::More && !may_change(scheme, &heard[..end]) => {
                known = Some((end, judged))
            }
            None => {}
        }
    }
});
