//! ZooKeeper.

use super::conversation::{
    Conversation,
    Said::{Healthy, Unhealthy},
    TOO_LONG,
};

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    // zookeeperAdmin.html, "The Four Letter Words": no end of line, and the server closes.
    let mut talk = Conversation::new(
        "zookeeper",
        &[(b"ruok", b"imok")], b"",
    );

    // ZooKeeper 3.8: NopCommand, and AbstractFourLetterCommand's ZK_NOT_SERVING.
    talk.states(&[
        (&[b"ruok is not executed because it is not in the whitelist.\n"],
         Healthy("answers, refuses this client: ruok is not executed because it is not in the whitelist.")),
        (&[b"This ZooKeeper instance is not currently serving requests\n"],
         Unhealthy("the server says: This ZooKeeper instance is not currently serving requests")),
        (&[b"imnotok"], Unhealthy("not zookeeper: the reply begins with imnotok")),
        (&[b"imokay\n"], Unhealthy("not zookeeper: the reply begins with imokay\\n")),
    ]);

    talk.endless(0, b"ruok is not executed", b" because", TOO_LONG);
    // "ruok" begins like "ruok is not executed".
    talk.echo = "connection closed while waiting for the reply; until then: ruok";
    talk.open_ended = true;
    talk
}
