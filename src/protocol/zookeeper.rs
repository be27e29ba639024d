//! ZooKeeper: <https://zookeeper.apache.org/doc/current/zookeeperAdmin.html#sc_4lw>.

use super::Protocol;
use super::handshake::{Handshake, Judge, Lines, NO_LINES, Step, judge_lines};
use crate::verdict::Reply;

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "zookeeper",
    port: Some(2181),
    proves: "answers ruok: it runs, though it may have no quorum",
    handshake: Some(&HANDSHAKE),
    ..Protocol::CONNECTION
};

static HANDSHAKE: Handshake = Handshake {
    steps: &[Step {
        send: b"ruok",
        judge: Judge::Bytes(imok),
    }],
    goodbye: b"",
};

/// `imok`, which no end of line follows, or a sentence, which one does.
fn imok(received: &[u8]) -> Reply {
    const LINES: Lines = Lines {
        ok: &["imok$"],
        refused: &["ruok is not executed"],
        unavailable: &["This ZooKeeper instance is not currently"],
        ..NO_LINES
    };
    match received {
        b"imok" => Reply::Ok(4),
        _ => judge_lines(received, &LINES),
    }
}
