//! Variables in values, which exec-form HEALTHCHECK has no shell to replace; and secrets, which often come in them.

use super::{VALUED, Valued, Variables, parse, parse_in, targets, words};
use crate::support::{Server, command, matches, run};
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    trials![
        variables_are_replaced,
        variables_are_replaced_in_every_option,
        a_value_never_becomes_an_option,
        what_cannot_be_replaced_is_named,
        secrets_are_never_printed,
    ]
}

fn variables_are_replaced() {
    let variables: Variables = &[
        ("PORT", b"8080"),
        ("P", b"6767"),
        ("EMPTY", b""),
        ("TWICE", b"${P}"),
        ("DOLLARS", b"$${P}"),
        ("URL", b"http://localhost:9090/u"),
        ("_x9", b"y"),
    ];
    #[rustfmt::skip]
    const ROWS: &[(&str, &str)] = &[
        ("http://localhost:${P}/", "http://localhost:6767/"),
        ("${URL}", "http://localhost:9090/u"),
        ("${URL}/${P}${P}?${_x9}", "http://localhost:9090/u/67676767?y"),
        ("http://localhost:${UNSET:-1234}/", "http://localhost:1234/"),
        ("http://localhost:${EMPTY:-1234}/", "http://localhost:1234/"),
        ("http://localhost:${P:-1234}/", "http://localhost:6767/"),
        ("http://localhost${UNSET:-}/", "http://localhost:80/"),
        ("http://localhost/${UNSET:-:-}", "http://localhost:80/:-"),
        ("http://localhost/${UNSET:-a$b{c}d", "http://localhost:80/a$b{cd"),
        // Once.
        ("http://localhost/${TWICE}", "http://localhost:80/${P}"),
        ("http://localhost/${DOLLARS}", "http://localhost:80/$${P}"),
        // Any other dollar stays.
        ("http://localhost/$P/$(P)/$/$$/$1", "http://localhost:80/$P/$(P)/$/$$/$1"),
        ("http://localhost/$${P}", "http://localhost:80/${P}"),
        ("http://localhost/$$${P}", "http://localhost:80/$${P}"),
        ("http://localhost/$${", "http://localhost:80/${"),
        ("http://localhost/$${P:-x}", "http://localhost:80/${P:-x}"),
    ];
    for &(target, expected) in ROWS {
        assert_eq!(
            targets(&[target], variables),
            Ok(vec![expected.into()]),
            "{target}"
        );
    }
    // The name of an option is no value.
    let complaint = targets(&["--${P}=80"], variables).unwrap_err();
    assert_eq!(complaint, "--...: no such option (--help lists them)");

    let server = Server::replying("HTTP/1.1 200 OK\r\n\r\n");
    let port = server.port().to_string();
    let mut command = command(["--port", "${CHECK_PORT:-1}", "--path=/${WHAT:-ready}"]);
    run(command.env("CHECK_PORT", &port)).healthy(&format!(
        "healthy: http://localhost:{port}/ready: 200 OK in *"
    ));
}

fn variables_are_replaced_in_every_option() {
    for row in VALUED {
        let Valued { long, good, .. } = row;
        let target: Vec<String> = row.target.map(str::to_owned).into_iter().collect();
        let said = [target.clone(), vec![format!("--{long}={good}")]].concat();
        let expected = format!("{:?}", parse(&said));
        for spelling in [
            vec![format!("--{long}"), "${V}".into()],
            vec![format!("-{long}=${{V}}")],
            vec![format!("-{long}=${{NONE:-{good}}}")],
        ] {
            let arguments = [target.clone(), spelling].concat();
            let parsed = parse_in(&arguments, &[("V", good.as_bytes())]);
            assert_eq!(format!("{parsed:?}"), expected, "{arguments:?}");
        }
    }
}

fn a_value_never_becomes_an_option() {
    let nasty: Variables = &[
        ("Q", b"--quiet"),
        ("H", b"--help"),
        ("TWO", b"http://localhost:1/ http://localhost:2/"),
        ("END", b"--"),
    ];
    #[rustfmt::skip]
    const ROWS: &[(&str, &str)] = &[
        ("${Q}", "TARGET: \"--quiet\" is not a URL *"),
        ("${H}", "TARGET: \"--help\" is not a URL *"),
        ("${END}", "TARGET: \"--\" is not a URL *"),
        ("${TWO}", "TARGET: \"http://localhost:1/ http://localhost:2/\" has a blank *"),
        ("-p ${H}", "--port: \"--help\" is not a port *"),
        ("-t ${Q}", "--timeout: \"--quiet\" is not a time *"),
    ];
    for &(line, complaint) in ROWS {
        let said = targets(&words(line), nasty).unwrap_err();
        assert!(matches(complaint, &said), "{line}: {said}");
    }
    run(command(["${H}"]).env("H", "--help")).unhealthy("error: TARGET: \"--help\" is not a URL *");
}

fn what_cannot_be_replaced_is_named() {
    let variables: Variables = &[("EMPTY", b""), ("BYTES", b"\xff"), ("P", b"80")];
    #[rustfmt::skip]
    const ROWS: &[(&str, &str)] = &[
        ("-p ${NONE}", "--port: ${NONE} is unset or empty; *"),
        ("-p ${EMPTY}", "--port: ${EMPTY} is unset or empty; *"),
        ("-p ${BYTES}", "--port: the value of $BYTES is not UTF-8"),
        ("-p ${P", "--port: \"${\" without \"}\"*"),
        ("-p ${", "--port: \"${\" without \"}\"*"),
        ("-p ${}", "--port: \"\" in ${...} is not the name of a variable*"),
        ("-p ${P:80}", "--port: \"P:80\" in ${...} is not the name of a variable*"),
        ("-p ${P-80}", "--port: \"P-80\" in ${...} is not the name of a variable*"),
        ("-p ${1P}", "--port: \"1P\" in ${...} is not the name of a variable*"),
        ("-p ${P_}", "--port: \"P \" in ${...} is not the name of a variable*"),
        ("-p ${${P}}", "--port: \"${P\" in ${...} is not the name of a variable*"),
        ("-p ${NONE:-${P}}", "--port: the default of ${NONE:-...} holds another ${, *"),
        ("-p ${P}${NONE}", "--port: ${NONE} is unset or empty; *"),
        ("http://localhost:${NONE}/", "TARGET: ${NONE} is unset or empty; *"),
        ("${NONE}", "TARGET: ${NONE} is unset or empty; *"),
        ("http://localhost:${P/", "TARGET: \"${\" without \"}\"*"),
        // In what may be a secret: named where the reference stands alone, so that it surely is one.
        ("-u me:${NONE}", "--user: ${NONE} is unset or empty; *"),
        ("-u ${NONE}:x", "--user: ${NONE} is unset or empty; *"),
        ("-H X:_${BYTES}", "--header: the value of $BYTES is not UTF-8"),
        ("-H Authorization:_Bearer_${NONE}", "--header: ${NONE} is unset or empty; *"),
        ("-H Cookie:a=${NONE};b=1", "--header: ${NONE} is unset or empty; *"),
        ("-d ${NONE},${P}", "--data: ${NONE} is unset or empty; *"),
        ("http://me:${NONE}@localhost/", "TARGET: ${NONE} is unset or empty; *"),
        ("http://me:x@localhost/${NONE}", "TARGET: ${NONE} is unset or empty; *"),
        ("-u a:pa${word}ss", "--user: a ${...} in the value is unset or empty; write $${ for a literal ${"),
        ("-u a:pa${word}", "--user: a ${...} in the value is unset or empty; write $${ for a literal ${"),
        ("-u a:${word}ss", "--user: a ${...} in the value is unset or empty; write $${ for a literal ${"),
        ("-u a:${P}${word}", "--user: a ${...} in the value is unset or empty; *"),
        ("-u a:$$${word}$${word}${word}", "--user: a ${...} in the value is unset or empty; *"),
        ("-d pa${word}ss", "--data: a ${...} in the value is unset or empty; *"),
        ("-H X:_pa${BYTES}ss", "--header: the value of a ${...} in it is not UTF-8; write $${ for a literal ${"),
        ("-u a:${NONE:-${P}}", "--user: the default of a ${...} holds another ${, *"),
        ("-u a:pa${NONE:-${P}ss", "--user: the default of a ${...} holds another ${, *"),
        ("http://me:pa${word}ss@localhost/", "TARGET: a ${...} in the value is unset or empty; *"),
        ("--path http://me:pa${word}ss@localhost/", "--path: a ${...} in the value is unset or empty; *"),
        // Elsewhere always.
        ("--path /a${NONE}b", "--path: ${NONE} is unset or empty; *"),
    ];
    for &(line, complaint) in ROWS {
        let said = targets(&words(line), variables).unwrap_err();
        assert!(matches(complaint, &said), "{line}: {said}");
    }
    run(&mut command(["-p", "${NONE}"])).unhealthy("error: --port: ${NONE} is unset or empty; *");
}

/// Malformed, misplaced, contradictory: each has a secret where secrets belong, or where a tired person would put it.
const MISTAKES: &[&str] = &[
    "http://me:hunter2@localhost:80a/",
    "http://me:hunter2@localhost:/",
    "http://me:hunter2@example.com/",
    "http://me:hunter2@192.0.2.1/",
    "http://me:hunter2@/",
    "http://me:hunter2@",
    "http://me:hunter2@localhost/_",
    "http://me:hunter2@localhost/a`",
    "http://me:hunter2/x@localhost/",
    "http://me:hunter2?x@localhost/",
    "http://me:hunter2%zz@localhost/",
    "http://me:hunter2%0a@localhost/",
    "http://a%3Ame:hunter2@localhost/",
    "http://me:${hunter2!}@localhost/",
    "http://me:${hunter2@localhost/",
    "http:me:hunter2@localhost/",
    "me:hunter2@localhost/",
    "https://me:hunter2@localhost/",
    "redis://:hunter2@localhost/",
    "ws://me:hunter2@localhost/",
    "http://me:hunter2@localhost/ --port 80",
    "-p http://me:hunter2@localhost/",
    "--host me:hunter2@localhost",
    "--host http://me:hunter2@localhost",
    "-t http://me:hunter2@localhost/",
    "--status me:hunter2@localhost",
    "--path http://me:hunter2@localhost/_",
    "--body-not a:hunter2@b -b a:hunter2@b",
    "--http://me:hunter2@localhost/",
    "-http://me:hunter2@localhost/",
    "--user:me:hunter2",
    "--header:Authorization:hunter2",
    "-uhunter2",
    "--user hunter2",
    "-u hunter2\u{1}:x",
    "-u me:hunter2\u{1}",
    "-u me:${hunter2!}",
    "-u me:${hunter2",
    "-u me:x${hunter2}x",
    "-H Authorization:_x${hunter2}x",
    "http://me:x${hunter2}x@localhost/",
    "-phunter2",
    "-dhunter2",
    "-d=hunter2",
    "-Hhunter2:x",
    "-user:hunter2",
    "-password=hunter2",
    "-Authorization:hunter2",
    "-u me:hunter2 -u me:hunter2",
    "-u me:hunter2 -H Authorization:_hunter2",
    "-u me:hunter2 http://me:hunter2@localhost/",
    "-H Authorization:_hunter2 http://me:hunter2@localhost/",
    "-H Authorization_hunter2",
    "-H Author_ization:_hunter2",
    "-H Authorization:_hunter2\u{7f}",
    "-H Authorization:_größe_hunter2",
    "-H Authorization:_hunter2 -H Authorization:_hunter2",
    "-u ${CREDENTIALS}\u{1}",
    "-d ${hunter2!}",
    "-H X:_${hunter2!}",
];

fn secrets_are_never_printed() {
    let open = Server::replying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nUP");
    let ill = Server::replying("HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nNO");
    let redirecting =
        Server::replying("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n");
    let junk = Server::replying("what?");
    let mut lines: Vec<String> = MISTAKES.iter().map(|&line| line.to_owned()).collect();
    // Well-formed, whatever comes of it: healthy, wrong, refused, redirected, no HTTP; with the exchange shown.
    for url in [
        open.url("/"),
        ill.url("/"),
        redirecting.url("/"),
        junk.url("/"),
        "http://127.0.0.1:1/".into(),
    ] {
        let with_userinfo = url.replace("http://", "http://me:hunter2@");
        for secret in [
            with_userinfo,
            format!("-u me:hunter2 {url}"),
            format!("-u ${{CREDENTIALS}} {url}"),
            format!("-H Authorization:_Basic_bWU6aHVudGVyMg== {url}"),
            format!("-H AUTHORIZATION:hunter2 {url}"),
            format!("-H Proxy-Authorization:_hunter2 {url}"),
        ] {
            lines.extend(["", "-L", "-b nope", "-v", "-vL"].map(|more| format!("{secret} {more}")));
        }
    }
    for line in lines {
        let run = run(command(words(&line)).env("CREDENTIALS", "me:hunter2"));
        let said = format!("{}{}", run.stdout, run.stderr);
        // In the clear, even if cut, and in Base64.
        for secret in ["hunter", "unter2", "bWU6", "aHVudGVyMg", "Basic"] {
            assert!(!said.contains(secret), "{secret} in {run}");
        }
        assert!(run.code == Some(0) || run.code == Some(1), "{run}");
        assert!(!said.is_empty(), "{run}");
    }
}
