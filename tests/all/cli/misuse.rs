//! What is refused: with exit code 1, in one line that names the option and the value, and before anything is sent.

use super::{FLAGS, VALUED, Valued, meaning, parse, targets, texts, words};
use crate::support::{Server, command, matches, run};
use healthchecker::cli::Usage;
use libtest_mimic::Trial;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

pub fn trials() -> Vec<Trial> {
    trials![
        misuse_is_named_and_nothing_is_sent,
        misuse_of_every_option,
        a_target_says_it_all,
        control_bytes_reach_no_wire,
        only_this_machine_is_asked,
        nothing_is_sent_if_the_last_target_is_wrong,
        bytes_that_are_no_text,
        more_than_a_thousand,
    ]
}

/// Each line is given as it is to the binary; whatever it would ask, were it not refused, is a server that must not
/// be asked: at PORT, or by default.
#[rustfmt::skip]
const MISUSE: &[(&str, &str)] = &[
    // Values.
    ("-p 0", "--port: \"0\" is not a port (1-65535)"),
    ("-p 65536", "--port: \"65536\" is not a port (1-65535)"),
    ("-p -80", "--port: \"-80\" is not a port (1-65535)"),
    ("-p +80", "--port: \"+80\" is not a port (1-65535)"),
    ("-p 80_", "--port: \"80 \" is not a port (1-65535)"),
    ("-p 8e1", "--port: \"8e1\" is not a port (1-65535)"),
    ("-p 0x50", "--port: \"0x50\" is not a port (1-65535)"),
    ("-p 80,81", "--port: \"80,81\" is not a port (1-65535)"),
    ("-p :80", "--port: \":80\" is not a port (1-65535)"),
    ("-p ８０", "--port: \"８０\" is not a port (1-65535)"),
    ("-p 99999999999999999999", "--port: \"99999999999999999999\" is not a port (1-65535)"),
    ("--port=", "--port: \"\" is not a port (1-65535)"),
    ("-port=", "--port: \"\" is not a port (1-65535)"),
    ("-p $PORT", "--port: \"$PORT\" is not a port (1-65535); a variable is written ${NAME}"),
    ("-t 0", "--timeout: \"0\" is too short: at least 1 microsecond"),
    ("-t 0.0ms", "--timeout: \"0.0ms\" is too short: at least 1 microsecond"),
    ("-t -1", "--timeout: \"-1\" is not a time such as 3, 0.5, 500ms, 2s, 1m, 1h or 1d"),
    ("-t 5S", "--timeout: \"5S\" is not a time *"),
    ("-t 1e3", "--timeout: \"1e3\" is not a time *"),
    ("-t inf", "--timeout: \"inf\" is not a time *"),
    ("-t 1m30s", "--timeout: \"1m30s\" is not a time *"),
    ("-t 2w", "--timeout: \"2w\" is not a time *"),
    ("-t 366d", "--timeout: \"366d\" is longer than a year (365d)"),
    ("-t .5", "--timeout: \".5\" is not a time *"),
    ("--timeout=", "--timeout: \"\" is not a time *"),
    ("--wait 0", "--wait: \"0\" is too short: at least 1 microsecond"),
    ("--wait=", "--wait: \"\" is not a time *"),
    ("--wait 1m --wait 1m", "--wait: given twice"),
    ("--kill 15", "--kill: \"15\" is none of TERM, INT, QUIT, HUP, USR1, USR2 and KILL"),
    ("--kill STOP", "--kill: \"STOP\" is none of *"),
    ("--kill SIG", "--kill: \"SIG\" is none of *"),
    ("--kill=", "--kill: \"\" is none of *"),
    ("--kill", "--kill: needs a value: SIGNAL"),
    ("--kill TERM --kill TERM", "--kill: given twice"),
    ("--spare 1m", "--spare: means nothing without --kill"),
    ("--kill TERM --spare 1w", "--spare: \"1w\" is not a time *"),
    ("--kill TERM --spare=", "--spare: \"\" is not a time *"),
    ("--install=", "--install: \"\" is empty: write the path of a file"),
    ("--install /shared/", "--install: \"/shared/\" is a directory: name the file, as in /shared/healthchecker"),
    ("--install /nowhere/x -q", "--install: works only alone: nothing is checked"),
    ("--install /nowhere/x --kill TERM", "--install: works only alone: nothing is checked"),
    ("--install /nowhere/x http://localhost:PORT/", "--install: works only alone: nothing is checked"),
    ("--install /nowhere/x --install /nowhere/x", "--install: given twice"),
    ("--status=", "--status: \"\" is no list of statuses such as 200, 2xx or 200-399,404"),
    ("--status 200,", "--status: \"200,\" is no list of statuses *"),
    ("--status 200,_204", "--status: \"200, 204\" is no list of statuses *"),
    ("--status 299-200", "--status: \"299-200\" has a range that ends before it begins"),
    ("--status 1000", "--status: \"1000\" is no list of statuses *"),
    ("--status 1xx", "--status: \"1xx\" has a 1xx status*"),
    ("--status 100", "--status: \"100\" has a 1xx status*"),
    ("--status 200,101-102", "--status: \"200,101-102\" has a 1xx status*"),
    ("--status OK", "--status: \"OK\" is no list of statuses *"),
    ("-X get/", "--method: \"get/\" is not a method such as GET or HEAD"),
    ("--method=", "--method: \"\" is not a method such as GET or HEAD"),
    ("-X CONNECT", "--method: \"CONNECT\" is for proxies, and cannot check health"),
    ("-json=", "--json: \"\" is no PATH or PATH=VALUE *"),
    ("-j =UP", "--json: \"=UP\" is no PATH *"),
    ("-j a={}", "--json: \"a={}\" has an object or an array as VALUE, which is a string, a number, true, false or null; a member is reached by its path: a.b=1"),
    ("-j o={\"a\":1,\"b\":2}", "--json: \"o={*}\" has an object or an array as VALUE*"),
    ("-j a=[0,1]", "--json: \"a=[0,1]\" has an object or an array as VALUE*"),
    ("-j a=_[]", "--json: \"a= []\" has an object or an array as VALUE*"),
    ("-j /a~2", "--json: \"/a~2\" has a ~ that is neither ~0 nor ~1 (RFC 6901)"),
    ("--expect-header=", "--expect-header: \"\" is no NAME*"),
    ("--expect-header :_x", "--expect-header: \": x\" is no NAME*"),
    ("-header=", "--header: the value is no 'NAME: VALUE'"),
    ("-H :x", "--header: the value has a character that a header name cannot hold"),
    ("-H X_A:_b", "--header: the value has a character that a header name cannot hold"),
    ("-H X-A_:_b", "--header: the value has a character that a header name cannot hold"),
    ("-H Content-Length:1", "--header: the value frames the request, and so it is computed from --data"),
    ("-H transfer-encoding:chunked", "--header: the value frames the request*"),
    ("-H Host:größe", "--header: the value has a character that is not visible ASCII"),
    ("--user=", "--user: the value has no colon between user and password"),
    ("--unix-socket=", "--unix-socket: \"\" is empty: write the path of a socket"),
    ("--host=", "--host: \"\" has no host: write localhost"),
    ("--host localhost:8080", "--host: \"localhost:8080\" is more than a host: *"),
    ("--host http://localhost", "--host: \"http://localhost\" is more than a host: *"),
    ("--path /a<b", "--path: \"/a<b\" has a character that a path cannot hold: write it as %XX"),
    // Missing, doubled, unknown.
    ("--port", "--port: needs a value: PORT"),
    ("-p", "--port: needs a value: PORT"),
    ("-port", "--port: needs a value: PORT"),
    ("-H", "--header: needs a value: 'NAME: VALUE'"),
    ("-p 80 -p 80", "--port: given twice"),
    ("-p80 -port=80", "--port: given twice"),
    ("--status 200 --status 404", "--status: given twice"),
    ("-t1 --timeout 2", "--timeout: given twice"),
    ("--bogus", "--bogus: no such option (--help lists them)"),
    ("--bogus=1", "--bogus: no such option (--help lists them)"),
    ("--Port=80", "--Port: no such option; did you mean --port?"),
    ("--por=80", "--por: no such option; did you mean --port?"),
    ("--body-not-", "--body-not-: no such option; did you mean --body-not?"),
    ("---port=80", "---port: no such option; did you mean --port?"),
    ("--haeder X", "--haeder: no such option; did you mean --header?"),
    ("--timeot=1", "--timeot: no such option; did you mean --timeout?"),
    ("--exp-header X", "--exp-header: no such option (--help lists them)"),
    ("-locaton", "-locaton: no such option; did you mean --location?"),
    ("--=x", "--: no such option (--help lists them)"),
    ("-=x", "-: no such option (--help lists them)"),
    ("-foo", "-foo: no such option (--help lists them)"),
    ("-f", "-f: no such option; it is curl's: leave it out, a status of 400 or more is unhealthy anyway"),
    ("-1", "-1: no such option (--help lists them)"),
    ("-qz", "-qz: no such option (--help lists them)"),
    ("-q=1", "-q: takes no value"),
    ("--quiet=1", "--quiet: takes no value"),
    ("-quiet=true", "--quiet: takes no value"),
    ("--location= -p80", "--location: takes no value"),
    ("-qL=1", "-qL: takes no value"),
    // A value that is glued to its option's letter, and begins with no digit: as likely a misspelt name.
    ("-url=http://localhost:PORT/", "-u...: no such option; write -u USER:PASSWORD"),
    ("-debug", "-d...: no such option; write -d TEXT"),
    ("-bUP", "-bUP: no such option; write -b UP"),
    ("-b=UP", "-b=UP: no such option; write -b UP"),
    ("-b", "--body: needs a value: TEXT"),
    ("-p=80", "-p=80: no such option; write -p 80"),
    ("-p=", "-p...: no such option; write -p PORT"),
    ("-t=1.5", "-t=1.5: no such option; write -t 1.5"),
    ("-t.5", "-t...: no such option; write -t TIME"),
    ("-u=", "-u...: no such option; write -u USER:PASSWORD"),
    ("-Xget", "-Xget: no such option; write -X get"),
    ("-XGET/", "-X...: no such option; write -X METHOD"),
    ("-HHost:x", "-H...: no such option; write -H 'NAME: VALUE'"),
    ("-jstatus=UP", "-j...: no such option; write -j PATH[=VALUE]"),
    // In mysql's form, a password.
    ("-phunter2", "-p...: no such option; write -p PORT"),
    ("-ahunter2", "-a...: no such option; it is curl's: leave it out"),
    ("-password=hunter2", "-p...: no such option; write -p PORT"),
    ("-qp", "-qp: no such option; write -q -p PORT"),
    ("-qp8080", "-qp8080: no such option; write -q -p 8080"),
    ("-qvL8", "-q...: no such option (--help lists them)"),
    ("-prot=80", "-p...: no such option; did you mean --port? Else write -p PORT"),
    ("-usre=me:hunter2", "-u...: no such option; did you mean --user? Else write -u USER:PASSWORD"),
    // Each of these would be a call for help, and so healthy, if it were read letter by letter.
    ("-hots=127.0.0.1", "-hots: no such option; did you mean --host?"),
    ("-hello", "-hello: no such option; did you mean --help?"),
    ("-check", "-c...: no such option; write -c LINE"),
    ("-Version", "-Version: no such option; did you mean --version?"),
    ("-V1", "-V1: no such option (--help lists them)"),
    ("-hpath=/x", "-hpath: no such option; did you mean --path?"),
    ("--hel", "--hel: no such option; did you mean --help?"),
    ("--port --help", "--port: \"--help\" is not a port (1-65535)"),
    ("-port -h", "--port: \"-h\" is not a port (1-65535)"),
    ("-- --help", "TARGET: \"--help\" is not a URL such as http://localhost:8080/health"),
    // Targets.
    ("localhost", "TARGET: \"localhost\" is not a URL such as http://localhost:8080/health"),
    ("localhost:PORT/health", "TARGET: \"localhost:PORT/health\" is not a URL *"),
    ("//localhost:PORT/", "TARGET: \"//localhost:PORT/\" is not a URL *"),
    ("http:/localhost:PORT/", "TARGET: \"http:/localhost:PORT/\" is not a URL *"),
    ("PORT", "TARGET: \"PORT\" is not a URL *"),
    ("/health", "TARGET: \"/health\" is not a URL *"),
    ("-", "TARGET: \"-\" is not a URL *"),
    ("://localhost:PORT/", "TARGET: \"://localhost:PORT/\" has a scheme that is not known *"),
    ("ws://localhost:PORT/", "TARGET: \"ws://localhost:PORT/\" has a scheme that is not known *"),
    ("httpx://localhost:PORT/", "TARGET: \"httpx://localhost:PORT/\" has a scheme that is not known *"),
    ("unix:///run/x.sock", "TARGET: \"unix:///run/x.sock\" has a scheme that is not known *"),
    ("https://localhost:PORT/", "TARGET: \"https://localhost:PORT/\" needs TLS, which this program does not speak: ask the port that speaks plain HTTP, or tls://"),
    ("HTTPS://localhost:PORT/", "TARGET: \"HTTPS://localhost:PORT/\" needs TLS, which this program does not speak: ask the port that speaks plain HTTP, or tls://"),
    ("http://", "TARGET: \"http://\" has no host: write localhost"),
    ("http://:PORT/", "TARGET: \"http://:PORT/\" has no host: write localhost"),
    ("http:///health", "TARGET: \"http:///health\" has no host: write localhost"),
    ("http://localhost:/", "TARGET: \"http://localhost:/\" has a bad port: write 1-65535"),
    ("http://localhost:0/", "TARGET: \"http://localhost:0/\" has a bad port: write 1-65535"),
    ("http://localhost:PORT0/", "TARGET: \"http://localhost:PORT0/\" has a bad port: write 1-65535"),
    ("http://localhost:http/", "TARGET: \"http://localhost:http/\" has a bad port: write 1-65535"),
    // The host was forgotten, and this is a user and a password.
    ("http://user:hunter2", "TARGET: \"http://user:...\" has a bad port: write 1-65535"),
    ("http://localhost:$PORT/", "TARGET: * has a bad port: write 1-65535; a variable is written ${NAME}"),
    ("http://::1:PORT/", "TARGET: \"http://::1:PORT/\" has an IPv6 address without brackets: write [::1]"),
    ("http://localhost:PORT/a_b", "TARGET: \"http://localhost:PORT/a b\" has a blank or control character*"),
    ("http://localhost:PORT/a`", "TARGET: \"http://localhost:PORT/a`\" has a character that a path cannot hold*"),
    ("http://a%zz@localhost:PORT/", "TARGET: \"http://...@localhost:PORT/\" has a bad %XX in its credentials"),
    ("http://a%3Ab:c@localhost:PORT/", "TARGET: \"http://...@localhost:PORT/\" has a colon in the user's name*"),
    ("tcp://localhost", "TARGET: \"tcp://localhost\" needs a port"),
    ("tcp://localhost:PORT/x", "TARGET: \"tcp://localhost:PORT/x\" has a path, which means nothing to tcp"),
    ("tcp://a:b@localhost:PORT", "TARGET: \"tcp://...@localhost:PORT\" has credentials, which mean nothing to tcp"),
    ("file://localhost/x", "TARGET: \"file://localhost/x\" names a host*"),
    ("file:", "TARGET: \"file:\" names no file"),
    ("pid:/x?max-age=1", "TARGET: \"pid:/x?max-age=1\" has \"?max-age=1\", where only ?name= means something"),
    ("file:/x?max-age=1w", "TARGET: \"file:/x?max-age=1w\" has a max-age that is not a time *"),
    // Contradictions, and options that mean nothing here.
    ("-q -v", "--verbose: contradicts --quiet"),
    ("-vq", "--verbose: contradicts --quiet"),
    ("-X HEAD -b UP", "--method: \"HEAD\" asks for no body, and something is expected of the body"),
    ("-X HEAD --body-not DOWN", "--method: \"HEAD\" asks for no body*"),
    ("-j status=UP -X HEAD", "--method: \"HEAD\" asks for no body*"),
    ("-b UPPER --body-not UP", "--body-not: \"UP\" contradicts --body"),
    ("-u a:b -H Authorization:_c", "--header: Authorization contradicts --user"),
    ("-A a -H user-agent:_b", "--header: User-Agent contradicts --user-agent"),
    ("-H Host:_a -H host:_b", "--header: host given twice"),
    ("-H Authorization:_a -H authorization:_b", "--header: authorization given twice"),
    ("-u a:b http://c:d@localhost:PORT/", "TARGET: \"http://...@localhost:PORT/\" has credentials, and so has --user"),
    ("-H Authorization:_a http://c:d@localhost:PORT/", "TARGET: * has credentials, and so has --header"),
    ("http://localhost:PORT/ -p PORT", "--port: the target says that already; give one or the other"),
    ("http://localhost:PORT/ --path /x", "--path: the target says that already; give one or the other"),
    ("--host localhost http://localhost:PORT/", "--host: the target says that already; give one or the other"),
    ("--send x", "--send: means nothing to a target of the kind http"),
    ("http://localhost:PORT/ file:/x http://localhost:PORT/ --send x", "--send: means nothing to a target of the kind http or file"),
    ("file:/x pid:/x redis://localhost:PORT --json x", "--json: means nothing to a target of the kind file or pid or redis"),
    ("tcp://localhost:PORT --status 200", "--status: means nothing to a target of the kind tcp"),
    ("tcp://localhost:PORT -L", "--location: means nothing to a target of the kind tcp"),
    ("redis://localhost:PORT -b x", "--body: means nothing to a target of the kind redis"),
    ("file:/x --unix-socket /y", "--unix-socket: means nothing to a target of the kind file"),
    ("tcp://localhost:PORT -j x", "--json: means nothing to a target of the kind tcp"),
    ("http://localhost:PORT/ tcp://localhost:PORT -X HEAD -b x", "--method: \"HEAD\" asks for no body*"),
    ("postgres://a%0ab@localhost:PORT", "TARGET: * has a control character or a bad %XX in its user or database"),
    ("postgres://a@localhost:PORT/b%7f", "TARGET: * has a control character or a bad %XX in its user or database"),
];

fn misuse_is_named_and_nothing_is_sent() {
    let server = Server::untouched();
    let port = server.port().to_string();
    for (line, expected) in MISUSE {
        // `$PORT` stays as it is.
        let put = |text: &str| {
            let text = text.replace("$PORT", "\0").replace("PORT", &port);
            text.replace('\0', "$PORT")
        };
        // The placeholder of the value's kind in "needs a value: PORT" does, too.
        let expected = match expected.ends_with(" PORT") {
            true => expected.to_string(),
            false => put(expected),
        };
        let arguments: Vec<String> = line
            .split(' ')
            .map(|word| put(&word.replace('_', " ")))
            .collect();
        let mut command = command(&arguments);
        run(command.env("PORT", &port)).unhealthy(&format!("error: {expected}"));
    }
    // An argument of nothing.
    let mut command = command([""]);
    run(command.env("PORT", &port)).unhealthy("error: TARGET: \"\" is not a URL *");
}

fn misuse_of_every_option() {
    #[track_caller]
    fn complains<S: AsRef<OsStr>>(arguments: &[S], expected: &str) {
        let complaint = targets(arguments, &[]).unwrap_err();
        assert!(
            matches(expected, &complaint),
            "{:?}: {complaint}",
            texts(arguments)
        );
    }
    for row in VALUED {
        let Valued { long, good, .. } = row;
        let target = row.target.unwrap_or("--quiet");
        if let Some((bad, complaint)) = row.bad {
            complains(&[target, &format!("--{long}"), bad], complaint);
            complains(&[target, &format!("-{long}={bad}")], complaint);
        }
        let needs = format!("--{long}: needs a value: *");
        complains(&[target, &format!("--{long}")], &needs);
        complains(&[target, &format!("-{long}")], &needs);
        if let Some(short) = row.short {
            complains(&[target, &format!("-{short}")], &needs);
            complains(
                &[target, &format!("-L{short}")],
                &format!("-L{short}: no such option; write -L -{short} *"),
            );
            complains(
                &[target, &format!("-{short}:")],
                &format!("-{short}...: no such option; write -{short} *"),
            );
        }
        let twice = [
            target,
            &format!("--{long}"),
            good,
            &format!("-{long}={good}"),
        ];
        match row.repeatable {
            true => drop(meaning(&twice)),
            false => complains(&twice, &format!("--{long}: given twice")),
        }
        let bytes = |text: &str| OsString::from_vec([text.as_bytes(), b"\xff"].concat());
        let not_utf8 = format!("--{long}: the value is not UTF-8");
        complains(
            &[
                OsString::from(target),
                format!("--{long}").into(),
                bytes("x"),
            ],
            &not_utf8,
        );
        complains(
            &[OsString::from(target), bytes(&format!("--{long}="))],
            &not_utf8,
        );
        complains(
            &[OsString::from(target), bytes(&format!("-{long}="))],
            &not_utf8,
        );
        if let Some(short) = row.short {
            complains(
                &[OsString::from(target), bytes(&format!("-{short}1"))],
                &not_utf8,
            );
        }
    }
    for &(short, long) in FLAGS {
        complains(
            &[format!("--{long}=1")],
            &format!("--{long}: takes no value"),
        );
        complains(&[format!("-{long}=")], &format!("--{long}: takes no value"));
        complains(
            &[format!("-{short}=1")],
            &format!("-{short}: takes no value"),
        );
    }
}

fn a_target_says_it_all() {
    for option in [
        "--port=80",
        "-p80",
        "--path=/",
        "--host=localhost",
        "-host=localhost",
    ] {
        for target in [
            "http://localhost:1/",
            "tcp://localhost:1",
            "file:/x",
            "http://",
        ] {
            for arguments in [[option, target], [target, option]] {
                let complaint = targets(&arguments, &[]).unwrap_err();
                let expected = "--*: the target says that already; give one or the other";
                assert!(matches(expected, &complaint), "{arguments:?}: {complaint}");
            }
        }
    }
}

fn control_bytes_reach_no_wire() {
    for byte in (0..=0x1f).chain([0x7f]) {
        let c = char::from(byte);
        // `^` stands for the byte, and a value follows its option after a `_`.
        let lines = "--path_/a^b --path_/a?^ --host_localhost^ --host_^127.0.0.1 --port_80^ --method_GET^ \
            --header_X^A:b --header_X-A:b^c --header_X-A:^ --header_Authorization:^ --user_me^:pass --user_me:pass^ \
            --user-agent_a^ --expect-header_X-A:b^c --expect-header_X^A --timeout_1^ \
            http://localhost/a^b http://localhost^/ http://localhost:80^/ http://me:pa^ss@localhost/ ht^tp://localhost/ \
            http://me:pa%XXss@localhost/ http://me%XX:pass@localhost/";
        for line in lines.split_ascii_whitespace() {
            let put = |word: &str| {
                word.replace('^', &c.to_string())
                    .replace("XX", &format!("{byte:02x}"))
            };
            let arguments: Vec<String> = line.split('_').map(put).collect();
            match parse(&arguments) {
                Err(Usage(complaint)) => {
                    assert!(!complaint.contains(char::is_control), "{complaint:?}")
                }
                Ok(command) => panic!("{arguments:?}: {command:?}"),
            }
        }
    }
    // By way of a variable, too, and as the binary sees it.
    let server = Server::untouched();
    let port = server.port().to_string();
    #[rustfmt::skip]
    const ROWS: &[([&str; 2], &str)] = &[
        (["--path", "/x${X}"], "error: --path: \"/x\\r\\nX-Injected: 1\" has a blank or control character*"),
        (["--header", "A: ${X}"], "error: --header: the value has a control character"),
        (["--header", "A${X}: b"], "error: --header: the value has a character that a header name cannot hold"),
        (["--method", "GET${X}"], "error: --method: \"GET\\r\\nX-Injected: 1\" is not a method*"),
        (["--host", "localhost${X}"], "error: --host: \"localhost\\r\\nX-Injected: 1\" names a host*"),
        (["--user", "me:${X}"], "error: --user: the value has a control character"),
        (["--user-agent", "${X}"], "error: --user-agent: \"\\r\\nX-Injected: 1\" has a control character"),
    ];
    for &(arguments, complaint) in ROWS {
        let mut command = command(arguments);
        run(command.env("PORT", &port).env("X", "\r\nX-Injected: 1")).unhealthy(complaint);
    }
}

fn only_this_machine_is_asked() {
    for here in words(
        "localhost LOCALHOST 127.0.0.1 127.255.255.254 0.0.0.0 [::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] \
         [::ffff:0.0.0.0]",
    ) {
        assert!(targets(&[format!("http://{here}/")], &[]).is_ok(), "{here}");
        assert!(targets(&["--host", &here], &[]).is_ok(), "{here}");
    }
    // Names, even those that are this machine's in many a hosts file; spellings that inet_aton reads as 127.0.0.1, and
    // ones that nobody should; addresses of others: documentation, metadata services, multicast, broadcast.
    let names = "example.com localhost. localhost.localdomain foo.localhost ip6-localhost host.docker.internal \
        xn--lcalhost-54a ⓛocalhost localhost%00 local_host [localhost] * lo unix 0 ::1%lo";
    let spellings = "127.1 127.0.1 2130706433 0x7f000001 0x7f.1 0177.0.0.1 017700000001 127.0.0.01 127.0.0.1. \
        127.0.0.1_ １２７.0.0.1 127.0.0.256 [127.0.0.1] [::1 ::1] [::1%25lo] []";
    let addresses = "192.0.2.1 198.51.100.7 169.254.169.254 224.0.0.1 255.255.255.255 [2001:db8::1] [ff02::1] \
        [::ffff:192.0.2.1] [::2] [::127.0.0.1] [64:ff9b::7f00:1]";
    for elsewhere in words(addresses) {
        // The command line alone cannot tell: the routing table can, before anything is sent.
        let url = format!("http://{elsewhere}/");
        for (origin, arguments) in [
            ("TARGET", &[&*url][..]),
            ("--host", &["--host", &elsewhere]),
        ] {
            let line = format!("error: {origin}: \"*\" is not this machine: *");
            run(&mut command(arguments)).unhealthy(&line);
        }
    }
    for elsewhere in [names, spellings].into_iter().flat_map(words) {
        for arguments in [
            vec![format!("http://{elsewhere}/")],
            vec!["--host".into(), elsewhere.clone()],
        ] {
            let complaint = targets(&arguments, &[]);
            let complaint = complaint.expect_err(&elsewhere);
            let names_it =
                complaint.starts_with("TARGET: \"") || complaint.starts_with("--host: \"");
            assert!(names_it, "{arguments:?}: {complaint}");
        }
    }
    let server = Server::untouched();
    let put = |text: &str| text.replace("PORT", &server.port().to_string());
    // What is a name may well be this machine's: nobody has looked.
    let address = "is not this machine: only localhost or one of its own IP addresses is asked";
    let name = "names a host, and no name but localhost is looked up; write localhost, an IP address of this machine, or self: the address that is listened on";
    for (host, shown, complaint) in [
        ("192.0.2.1", "192.0.2.1", address),
        ("127.1", "http://127.1:PORT/", name),
        ("2130706433", "http://2130706433:PORT/", name),
        ("example.com", "http://example.com:PORT/", name),
        ("db", "http://db:PORT/", name),
        ("127.0.0.1:PORT@192.0.2.1", "192.0.2.1", address),
        (
            "127.0.0.1:PORT\\@example.com",
            "http://...@example.com:PORT/",
            name,
        ),
    ] {
        let line = format!("error: TARGET: \"{shown}\" {complaint}");
        run(&mut command([put(&format!("http://{host}:PORT/"))])).unhealthy(&put(&line));
    }
}

fn nothing_is_sent_if_the_last_target_is_wrong() {
    let server = Server::untouched();
    for wrong in [
        "https://localhost/",
        "http://example.com/",
        "http://192.0.2.1/",
        "localhost",
        "-foo",
    ] {
        let run = run(&mut command([&server.url("/"), wrong]));
        assert!(run.exits(1).stderr.starts_with("error: "), "{run}");
    }
}

fn bytes_that_are_no_text() {
    #[rustfmt::skip]
    const ROWS: &[(&[&[u8]], &str)] = &[
        (&[b"\xff"], "TARGET: the value is not UTF-8"),
        (&[b"http://localhost/\xff"], "TARGET: the value is not UTF-8"),
        (&[b"-p", b"80\xff"], "--port: the value is not UTF-8"),
        (&[b"-port=80\xff"], "--port: the value is not UTF-8"),
        // These begin with the letter of --help.
        (&[b"-host=\xff"], "--host: the value is not UTF-8"),
        (&[b"-header=\xff"], "--header: the value is not UTF-8"),
        (&[b"-h\xff"], "--help: works only alone: -h is help; the host is --host"),
        (&[b"-\xff"], "-...: no such option (--help lists them)"),
        (&[b"--\xff=1"], "--...: no such option (--help lists them)"),
        (&[b"--port\xff=1"], "--p...: no such option (--help lists them)"),
        (&[b"-q\xff"], "-q...: no such option (--help lists them)"),
        (&[b"--quiet=\xff"], "--quiet: takes no value"),
        (&[b"-u\xff"], "-u...: no such option; write -u USER:PASSWORD"),
        (&[b"-p8\xff"], "--port: the value is not UTF-8"),
    ];
    for &(arguments, complaint) in ROWS {
        let arguments = arguments.iter().copied().map(OsStr::from_bytes);
        run(&mut command(arguments)).unhealthy(&format!("error: {complaint}"));
    }
}

fn more_than_a_thousand() {
    for row in VALUED.iter().filter(|row| row.repeatable) {
        let Valued { long, good, .. } = row;
        let option = format!("--{long}={good}");
        let mut arguments = vec![option.as_str(); 1000];
        arguments.extend(row.target);
        meaning(&arguments);
        arguments.push(&option);
        let complaint = targets(&arguments, &[]).unwrap_err();
        assert_eq!(complaint, format!("--{long}: given more than 1000 times"));
    }
    let mut urls = vec!["http://localhost:1/"; 1000];
    assert_eq!(targets(&urls, &[]).map(|names| names.len()), Ok(1000));
    urls.push("tcp://localhost:1");
    assert_eq!(
        targets(&urls, &[]).unwrap_err(),
        "TARGET: given more than 1000 times"
    );
    // Whether a text contradicts another is asked of each pair, and so the count is limited before.
    let pairs = |count| -> Vec<String> {
        let numbers = 0..count;
        numbers
            .flat_map(|n| [format!("-b{n}x"), format!("--body-not={n}y")])
            .collect()
    };
    meaning(&pairs(1000));
    let complaint = targets(&pairs(50_000), &[]).unwrap_err();
    assert_eq!(complaint, "--body: given more than 1000 times");
}
