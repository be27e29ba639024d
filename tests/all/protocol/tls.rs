//! TLS, whatever is spoken inside it.

use super::conversation::{
    Conversation,
    Said::{Healthy, Unhealthy},
    expect, handshakes, hex,
};
use crate::support::{Ends, Skip, check, program};
use libtest_mimic::Trial;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

pub fn trials() -> Vec<Trial> {
    trials![real_tls,]
}

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    let (_, tls) = handshakes().find(|(scheme, _)| *scheme == "tls").expect("the row of TLS");
    let hello = tls.steps[0].send;
    // RFC 8448, section 3: the ServerHello of the trace; RFC 8446, section 6.1: close_notify.
    let mut talk = Conversation::new(
        "tls",
        &[(hello, &hex(SERVER_HELLO))], &hex("15 0303 0002 0100"),
    );

    let server_hello = |right: &str, wrong: &str| {
        assert_eq!(SERVER_HELLO.matches(right).count(), 1, "{right}");
        hex(&SERVER_HELLO.replace(right, wrong))
    };
    // RFC 8446, section 6: handshake_failure, protocol_version; a level that is none; RFC 8446, section 4: a
    // ClientHello from the wrong side.
    talk.states(&[
        (&[&hex("15 0303 0002 0228")], Healthy("answers, refuses this client: TLS alert 40")),
        (&[&hex("15 0301 0002 0246")], Healthy("answers, refuses this client: TLS alert 70")),
        (&[&hex("15 0303 0002 0328")], Unhealthy("not tls: *")),
        (&[&hex("16 0303 0004 01 000000")], Unhealthy("not tls: *")),
        (&[&hex("16 0303 ffff 02 000000")], Unhealthy("not tls: *")),
        (&[&hex("16 0200 0004 02 000000")], Unhealthy("not tls: *")),
        // Section 6.2: whom we are is refused, and the name that we ask for; and with TLS 1.2 the latter can be a warning.
        (&[&hex("15 0303 0002 0270")], Healthy("answers, refuses this client: TLS alert 112")),
        (&[&hex("15 0303 0002 0170")], Healthy("answers, refuses this client: TLS alert 112")),
        (&[&hex("15 0303 0002 0274")], Healthy("answers, refuses this client: TLS alert 116")),
        (&[&hex("15 0303 0002 0278")], Healthy("answers, refuses this client: TLS alert 120")),
        // What has nothing to do with the client; alerts that a proper ClientHello never meets with; the end; and unknown ones.
        (&[&hex("15 0303 0002 0250")], Unhealthy("the server says: TLS alert 80, internal_error")),
        (&[&hex("15 0303 0002 020a")], Unhealthy("the server says: TLS alert 10")),
        (&[&hex("15 0303 0002 0232")], Unhealthy("the server says: TLS alert 50")),
        (&[&hex("15 0303 0002 0100")], Unhealthy("the server says: TLS alert 0")),
        (&[&hex("15 0303 0002 02ff")], Unhealthy("the server says: TLS alert 255")),
        // A ServerHello of one byte, one without a body, and one that is longer than its record.
        (&[&hex("16 0303 0001 02")], Unhealthy("not tls: *")),
        (&[&hex("16 0303 0004 02 000000")], Unhealthy("not tls: *")),
        (&[&server_hello("16 0303 005a", "16 0303 0059")], Unhealthy("not tls: *")),
        // A version that is none, a session id and extensions that are too long, a compression that was not offered.
        (&[&server_hello("000056 0303", "000056 0304")], Unhealthy("not tls: *")),
        (&[&server_hello("000056 0303", "000056 0203")], Unhealthy("not tls: *")),
        (&[&server_hello("28 00 1301", "28 30 1301")], Unhealthy("not tls: *")),
        (&[&server_hello("1301 00 002e", "1301 01 002e")], Unhealthy("not tls: *")),
        (&[&server_hello("1301 00 002e", "1301 00 002f")], Unhealthy("not tls: *")),
        (&[&server_hello("1301 00 002e", "1301 00 002d")], Unhealthy("not tls: *")),
        // TLS 1.2 without extensions, and the next message in the same record.
        (&[&hex(&format!("16 0303 002e 02 000026 0303 {} 00 c02f 00 0e 000000", "5a".repeat(32)))], Healthy("answers")),
    ]);

    talk.endless(0, b"\x16\x03\x03\xff\xff\x02", b"\0", "not tls: *");
    talk
}

const SERVER_HELLO: &str = "16 0303 005a 02 000056 0303 \
    a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e26928 00 1301 00 002e \
    0033 0024 001d 0020 c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f \
    002b 0002 0304";

/// OpenSSL as a server: every version, a client certificate required, and nothing in common with us.
fn real_tls() -> Result<(), Skip> {
    let folder = tempfile::tempdir().expect("a folder");
    let program = program("openssl")?;
    let openssl = |arguments: &[&str]| {
        let mut command = std::process::Command::new(&program);
        command
            .args(arguments)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command
    };
    let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key -out certificate -days 1 -subj /CN=localhost";
    match openssl(&request.split(' ').collect::<Vec<_>>()).status() {
        Ok(status) if status.success() => {}
        other => {
            return Err(Skip::new(format!(
                "openssl makes no certificate: {other:?}"
            )));
        }
    }
    for (options, said) in [
        ("", Healthy("answers")),
        ("-tls1_3", Healthy("answers")),
        ("-tls1_2", Healthy("answers")),
        ("-Verify 1", Healthy("answers")),
        // It wants a curve that we do not offer, or offers ciphers that do not go with its certificate.
        (
            "-tls1_3 -groups P-521",
            Healthy("answers, refuses this client: TLS alert 40"),
        ),
        (
            "-tls1_2 -cipher AES128-SHA",
            Healthy("answers, refuses this client: TLS alert 40"),
        ),
    ] {
        let command = format!("s_server -accept 127.0.0.1:0 -key key -cert certificate {options}");
        let arguments: Vec<_> = command.split_ascii_whitespace().collect();
        let mut server = Ends(openssl(&arguments).spawn().expect("openssl"));
        // It says where it listens, and goes on to say more, so that the pipe has to stay.
        let mut said_by_openssl = BufReader::new(server.0.stdout.take().expect("a pipe")).lines();
        let name = loop {
            let Some(Ok(line)) = said_by_openssl.next() else {
                return Err(Skip::new(format!("openssl {command}: it does not listen")));
            };
            if let Some(address) = line.strip_prefix("ACCEPT ") {
                break format!("tls://{address}");
            }
        };
        expect(&check([&name]), &name, said);
        // It is still there for the next one.
        expect(&check([&name]), &name, said);
    }
    Ok(())
}
