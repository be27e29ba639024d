//! Surroundings that a health check may find itself in: no files, no memory, no processes, nobody to talk to. In each,
//! healthy is still 0, and anything else still 1.

use crate::support::{
    Run, Server, Skip, checker, command, only_if_asked, program, read_request, run,
};
use libtest_mimic::Trial;
use std::fs;
use std::io::{PipeWriter, Read, Write};
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub fn trials() -> Vec<Trial> {
    let root = trials![
        no_files_at_all,
        no_more_processes,
        read_only_root_and_unknown_user,
        no_network,
    ];
    let mut trials = trials![
        full_device,
        closed_streams,
        closed_pipe,
        proxy_variables,
        strange_environment,
        no_name,
        no_working_directory,
        little_memory,
        few_descriptors,
        it_starts_no_thread,
        it_reads_no_file,
        listeners_are_found_without_a_walk,
        the_last_acknowledgement_travels_with_the_request,
    ];
    trials.extend(only_if_asked("needs root", root));
    trials
}

/// Whether what was printed can be seen.
#[derive(Clone, Copy, PartialEq)]
enum Speech {
    Heard,
    Lost,
}

/// Runs the checker as `surround` wraps it, in each of the ways in which it can end.
#[track_caller]
fn survives(speech: Speech, surround: impl Fn(&[&str]) -> Command) {
    let well = Server::replying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nUP");
    let ill = Server::replying("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nDOWN");
    let (well, ill) = (well.url("/health"), ill.url("/health"));
    let heard = speech == Speech::Heard;
    let check = |arguments: &[&str], code: i32, line: &str| {
        let run = run(&mut surround(arguments));
        run.exits(code);
        match (heard, code) {
            (true, 0) => run.healthy(line),
            (true, _) => run.unhealthy(line),
            (false, _) => &run,
        };
    };
    check(&[&well], 0, &format!("healthy: {well}: 200 OK in * ms"));
    check(
        &[&ill],
        1,
        &format!("unhealthy: {ill}: status 503, expected 200-299; body: DOWN (*)"),
    );
    check(
        &["--port", "80a"],
        1,
        "error: --port: \"80a\" is not a port (1-65535)",
    );
    check(
        &["-t", "200ms", "http://127.0.0.1:1/"],
        1,
        "unhealthy: http://127.0.0.1:1/: connection refused at 127.0.0.1:1*",
    );
    // These say more than a line; only the code is looked at.
    for (arguments, code) in [
        (&["--help"][..], 0),
        (&["-v", &well], 0),
        (&["-v", &ill], 1),
        (&["-q", &ill], 1),
    ] {
        run(&mut surround(arguments)).exits(code);
    }
}

/// The checker by way of a shell, which does `before` to itself and then becomes it.
fn shell(before: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("/bin/sh");
    command
        .env_clear()
        .args(["-c", &format!("{before}; exec \"$0\" \"$@\"")]);
    command.arg(checker()).args(arguments);
    command
}

fn full_device() -> Result<(), Skip> {
    if !Path::new("/dev/full").exists() {
        return Err(Skip::new("there is no /dev/full"));
    }
    for redirection in [
        "exec >/dev/full",
        "exec 2>/dev/full",
        "exec >/dev/full 2>&1",
    ] {
        survives(Speech::Lost, |arguments| shell(redirection, arguments));
    }
    Ok(())
}

fn closed_streams() {
    for redirection in [
        "exec >&-",
        "exec 2>&-",
        "exec >&- 2>&-",
        "exec <&- >&- 2>&-",
    ] {
        survives(Speech::Lost, |arguments| shell(redirection, arguments));
    }
    survives(Speech::Heard, |arguments| shell("exec <&-", arguments));
    // A socket takes the number of a closed stream: what is reported must not go to the service.
    for line in ["-v", "-b UP -v", "-b nope"] {
        let server = Server::replying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nUP");
        let url = server.url("/");
        let arguments: Vec<&str> = line.split(' ').chain([&*url, &*url]).collect();
        run(&mut shell("exec >&- 2>&-", &arguments));
        for request in server.requests() {
            let whole = request.starts_with("GET / HTTP/1.1\r\n") && request.ends_with("\r\n\r\n");
            assert!(whole, "{request}");
        }
    }
}

/// With SIGPIPE as Docker leaves it, and ignored, as many a supervisor does.
fn closed_pipe() {
    let nobody_reads = || -> PipeWriter { std::io::pipe().expect("a pipe").1 };
    let well = Server::replying("HTTP/1.1 200 OK\r\n\r\n");
    for trap in ["true", "trap '' PIPE"] {
        for (arguments, code) in [
            (&[&*well.url("/")][..], 0),
            (&["-v", &well.url("/")], 0),
            (&["--help"], 0),
            (&["http://127.0.0.1:1/"], 1),
            (&["--port", "80a"], 1),
        ] {
            let mut command = shell(trap, arguments);
            let ended = command
                .stdout(nobody_reads())
                .stderr(nobody_reads())
                .status()
                .expect("it runs");
            assert_eq!(ended.code(), Some(code), "{trap}: {arguments:?}: {ended}");
        }
    }
}

fn proxy_variables() {
    let proxy = Server::untouched();
    for proxy in [&*proxy.url("/"), "socks5://example.com", "nonsense", "://"] {
        survives(Speech::Heard, |arguments| {
            let mut command = command(arguments);
            for name in ["http_proxy", "https_proxy", "all_proxy"] {
                command.env(name, proxy).env(name.to_uppercase(), proxy);
            }
            command
        });
    }
}

fn strange_environment() {
    survives(Speech::Heard, |arguments| command(arguments));
    survives(Speech::Heard, |arguments| {
        let mut command = command(arguments);
        let bytes = std::ffi::OsStr::from_bytes(b"\xff\n");
        command
            .env(bytes, bytes)
            .env("PORT", bytes)
            .env("PATH", "")
            .env("HOME", "/nowhere");
        command
            .env("RUST_BACKTRACE", "full")
            .env("RUST_LOG", "trace")
            .env("RUST_MIN_STACK", "nonsense");
        command
            .env("LANG", "tr_TR.UTF-8")
            .env("TZ", "/etc/passwd")
            .env("MALLOC_ARENA_MAX", "x");
        command
    });
}

fn no_name() {
    survives(Speech::Heard, |arguments| {
        let mut command = command(arguments);
        command.arg0("");
        command
    });
}

fn no_working_directory() {
    survives(Speech::Heard, |arguments| {
        let gone = tempfile::tempdir().expect("a directory");
        shell(
            &format!("cd '{0}' && rmdir '{0}'", gone.keep().display()),
            arguments,
        )
    });
}

/// A copy of the checker where anybody can reach it, alone in a directory.
fn alone() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let readable = |path: &Path| {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("its mode")
    };
    readable(directory.path());
    let copy = directory.path().join("healthchecker");
    fs::copy(checker(), &copy).expect("a copy of the checker");
    readable(&copy);
    directory
}

/// Skips a test whose tool cannot do here what it has to do: for want of the tool, or of the privilege.
fn needs(tool: &[&str]) -> Result<(), Skip> {
    let tried = Command::new(program(tool[0])?)
        .args(&tool[1..])
        .stdin(Stdio::null())
        .output()
        .expect("a program runs");
    match tried.status.success() {
        true => Ok(()),
        false => Err(Skip::new(format!(
            "{}: {}",
            tool.join(" "),
            String::from_utf8_lossy(&tried.stderr).trim()
        ))),
    }
}

fn wrapped(words: &[&str], program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    // The wrapper is found, and what it finds is not.
    let path = "/usr/sbin:/usr/bin:/sbin:/bin";
    command
        .env_clear()
        .env("PATH", path)
        .args(&words[1..])
        .arg(program)
        .args(arguments);
    command
}

/// No /proc, no /etc, no /dev, no other file: a scratch image without what Docker mounts into it.
fn no_files_at_all() -> Result<(), Skip> {
    needs(&["chroot", "/", "true"])?;
    let root = alone();
    let root_path = root.path().to_str().expect("a path in UTF-8");
    let program = Path::new("/healthchecker");
    survives(Speech::Heard, |arguments| {
        wrapped(&["chroot", root_path], program, arguments)
    });
    // Nor is there a /dev/null to open in place of a stream, without which the standard library's runtime aborts.
    if !cfg!(feature = "tiny") {
        return Ok(());
    }
    for redirection in ["exec >&-", "exec 2>&-", "exec <&- >&- 2>&-"] {
        let script = format!("{redirection}; exec chroot \"$0\" \"$@\"");
        let words = ["sh", "-c", &script, root_path];
        survives(Speech::Lost, |arguments| {
            wrapped(&words, program, arguments)
        });
    }
    Ok(())
}

const NOBODY: [&str; 6] = [
    "setpriv",
    "--reuid",
    "54321",
    "--regid",
    "54321",
    "--clear-groups",
];

/// `--pids-limit` reached: this process is the last that its user may have.
fn no_more_processes() -> Result<(), Skip> {
    let limit = [&NOBODY[..], &["prlimit", "--nproc=1"]].concat();
    needs(&[&limit[..], &["true"]].concat())?;
    let directory = alone();
    survives(Speech::Heard, |arguments| {
        wrapped(&limit, &directory.path().join("healthchecker"), arguments)
    });
    Ok(())
}

/// 16 MiB of address space; the debug build, its size included, lives in that, too.
fn little_memory() {
    survives(Speech::Heard, |arguments| {
        shell("ulimit -v 16384", arguments)
    });
    // Bodies as long as any that is searched, in which everything is found at the end, or nothing is.
    let text = "x".repeat(3 << 20);
    let array = format!("[{}1]", "0,".repeat((1 << 19) - 20));
    let array_in_object = format!("{{\"a\":{array}}}");
    let object = format!("{{{}\"a\":1}}", "\"\":0,".repeat((1 << 20) / 5 - 20));
    let deep = format!("{}{}", "[".repeat(1 << 19), "]".repeat(1 << 19));
    let deep_path = format!("--json={}", vec!["0"; 100].join("."));
    for (body, option, code) in [
        (&text, "--body=UP", 1),
        (&text, "--body-not=UP", 1),
        (&array, "--json=524268=1", 0),
        (&array, "--json=a=1", 1),
        (&object, "--json=a=1", 0),
        (&object, "--json=0.0", 1),
        (&array_in_object, "--json=a=0", 1),
        (&array_in_object, "--json=a.524260=1", 1),
        (&deep, "--json=0.0.0", 0),
        (&deep, "--json=0=0", 1),
        (&deep, &deep_path, 0),
    ] {
        let server = Server::replying(format!("HTTP/1.1 200 OK\r\n\r\n{body}"));
        run(&mut shell("ulimit -v 16384", &[option, &server.url("/")])).exits(code);
    }
    // Any number of interim responses takes the memory of one.
    let server = Server::new(|connection| {
        read_request(connection);
        let many = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(100);
        for _ in 0..5000 {
            let _ = connection.write_all(many.as_bytes());
        }
        let _ = connection.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
    });
    let url = server.url("/");
    run(&mut shell("ulimit -v 16384", &["-t", "20s", &url]))
        .healthy(&format!("healthy: {url}: 204 No Content in *s"));
    // What is read byte by byte is not copied for each of them: 20,000 copies would be 200 MB.
    let server = Server::new(|connection| {
        let _ = connection.set_nodelay(true);
        for _ in 0..20_000 {
            let _ = connection.write_all(b"x");
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_micros(20) {}
        }
    });
    let target = server.url("").replacen("http", "tcp", 1);
    run(&mut shell("ulimit -v 16384", &["--body=UP", &target]))
        .unhealthy("unhealthy: tcp://*: body lacks \"UP\"; body: xxx*... (*s)");
}

/// The standard streams and one socket are all that it opens.
fn few_descriptors() {
    survives(Speech::Heard, |arguments| shell("ulimit -n 4", arguments));
    let run = run(&mut shell("ulimit -n 3", &["http://127.0.0.1:1/"]));
    run.unhealthy(
        "unhealthy: http://127.0.0.1:1/: cannot connect to 127.0.0.1:1: * (os error 24) (*)",
    );
}

fn read_only_root_and_unknown_user() -> Result<(), Skip> {
    let script =
        "mount --bind \"$1\" \"$1\" && mount -o remount,ro,bind \"$1\" && shift && exec \"$@\"";
    let wrapper = ["unshare", "--mount", "sh", "-c", script, "sh"];
    let root = alone();
    let root_path = root.path().to_str().expect("a path in UTF-8");
    let words = [
        &wrapper[..],
        &[root_path],
        &["chroot", "--userspec=54321:54321", "--groups=", root_path],
    ]
    .concat();
    needs(&[&wrapper[..], &[root_path], &NOBODY, &["true"]].concat())?;
    survives(Speech::Heard, |arguments| {
        wrapped(&words, Path::new("/healthchecker"), arguments)
    });
    Ok(())
}

/// Not even loopback: unhealthy, with a reason, and at once.
fn no_network() -> Result<(), Skip> {
    needs(&["unshare", "--net", "true"])?;
    for arguments in [
        &["-p", "1"][..],
        &["http://127.0.0.1:1/"],
        &["http://[::1]:1/"],
    ] {
        let patient = [&["-t", "20"], arguments].concat();
        let run = run(&mut wrapped(&["unshare", "--net"], &checker(), &patient));
        run.unhealthy("unhealthy: *: cannot connect to *: * (os error *) (*)")
            .within(Duration::from_secs(2));
    }
    let elsewhere = run(&mut wrapped(
        &["unshare", "--net"],
        &checker(),
        &["http://10.0.0.1/"],
    ));
    elsewhere.unhealthy("error: TARGET: \"10.0.0.1\" is not this machine: *");
    Ok(())
}

/// While it waits for a service that has accepted and says nothing.
fn it_starts_no_thread() -> Result<(), Skip> {
    if !Path::new("/proc/self/task").exists() {
        return Err(Skip::new("there is no /proc to count threads in"));
    }
    let server = Server::new(|connection| drop(connection.read_to_end(&mut Vec::new())));
    let mut command = command(["-t", "20s", &server.url("/")]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let begun = Instant::now();
    while server.asked() == 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "it never connects"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    // Connected, it is still on its way to waiting.
    std::thread::sleep(Duration::from_millis(100));
    let threads = fs::read_dir(format!("/proc/{}/task", child.id()))
        .expect("its threads")
        .count();
    assert_eq!(threads, 1);
    // Which closes the connection.
    drop(server);
    assert_eq!(child.wait().expect("its end").code(), Some(1));
    Ok(())
}

/// The kernel is asked for those that listen; only where it cannot be asked so is its list of all connections read.
fn listeners_are_found_without_a_walk() -> Result<(), Skip> {
    needs(&["strace", "-f", "-o", "/dev/null", "true"])?;
    let _listener = TcpListener::bind("127.0.0.1:0").expect("bind a free port");
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let log_name = log.path().to_str().expect("a path in UTF-8");
    let traced = |inject: &[&str], hint: &str| {
        let words = ["strace", "-f", "-qq", "-e", "signal=none", "-o", log_name];
        let words = [&words[..], &["-e", "trace=socket,read"], inject].concat();
        let run = run(&mut wrapped(&words, &checker(), &["http://127.0.0.1:1/"]));
        run.unhealthy(&format!(
            "unhealthy: http://127.0.0.1:1/: connection refused at 127.0.0.1:1{hint} (* ms)"
        ));
        fs::read_to_string(&log).expect("what strace wrote")
    };
    const HINT: &str = "; listening here: *";
    let calls = traced(&[], HINT);
    let netlink = calls.lines().find(|call| call.contains("AF_NETLINK"));
    if netlink.expect("it is asked").contains("= -1") {
        return Err(Skip::new(format!("no netlink here: {calls}")));
    }
    // The standard library's runtime looks for its stack in a file.
    assert!(
        !calls.contains("read(") || !cfg!(feature = "tiny"),
        "{calls}"
    );
    // The first socket is the check's own.
    let no_netlink = ["-e", "inject=socket:error=EPROTONOSUPPORT:when=2+"];
    let calls = traced(&no_netlink, HINT);
    assert!(
        calls.contains("INJECTED") && calls.contains("read("),
        "{calls}"
    );
    // Where neither can be done, that nothing listens would be a lie.
    traced(
        &[&no_netlink[..], &["-e", "inject=read:error=EIO"]].concat(),
        "",
    );
    Ok(())
}

/// Where the first word is the client's; a server that speaks first would have to wait for it.
fn the_last_acknowledgement_travels_with_the_request() -> Result<(), Skip> {
    needs(&["strace", "-f", "-o", "/dev/null", "true"])?;
    let server = Server::new(|connection| drop(connection.write_all(b"220 well")));
    let address = server.url("");
    let address = address.trim_start_matches("http://");
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let log_name = log.path().to_str().expect("a path in UTF-8");
    let calls = "trace=connect,setsockopt";
    for (scheme, more, joins) in [
        ("http", None, true),
        ("grpc", None, true),
        ("redis", None, true),
        ("postgres", None, true),
        ("tcp", Some("--send=x"), true),
        ("tcp", None, false),
        ("smtp", None, false),
        ("nats", None, false),
    ] {
        let target = format!("{scheme}://{address}");
        let words = ["strace", "-f", "-qq", "-e", calls, "-o", log_name];
        let arguments: Vec<&str> = more.into_iter().chain([target.as_str()]).collect();
        run(&mut wrapped(&words, &checker(), &arguments));
        let log = fs::read_to_string(&log).expect("what strace wrote");
        let (before, _) = log.split_once("connect(").expect("it connects");
        assert_eq!(
            before.contains("TCP_QUICKACK, [0]"),
            joins,
            "{target}: {log}"
        );
    }
    Ok(())
}

/// What libc and Rust's runtime look at before `main`, and nothing else; no process or thread is made either.
fn it_reads_no_file() -> Result<(), Skip> {
    needs(&["strace", "-f", "-o", "/dev/null", "true"])?;
    const BEFORE_MAIN: [&str; 4] = [
        "execve(",
        "readlink(\"/proc/self/exe\"",
        "/proc/self/maps\"",
        "newfstatat(3, \"\"",
    ];
    let server = Server::replying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nUP");
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("log");
    let log_name = log.to_str().expect("a path in UTF-8");
    let calls = "trace=%file,openat2,clone,clone3,fork,vfork";
    let words = [
        "strace",
        "-f",
        "-qq",
        "-e",
        calls,
        "-e",
        "signal=none",
        "-o",
        log_name,
    ];
    let traced = |arguments: &[&str]| -> (Run, Vec<String>) {
        let run = run(&mut wrapped(&words, &checker(), arguments));
        let log = fs::read_to_string(&log).expect("what strace wrote");
        assert!(log.contains("execve("), "strace sees nothing: {log}");
        let calls = log
            .lines()
            .filter(|call| !BEFORE_MAIN.iter().any(|known| call.contains(known)));
        (run, calls.map(str::to_owned).collect())
    };
    for more in [
        &[][..],
        &["-v"],
        &["-L"],
        &["-b", "UP"],
        &["-t", "1s", "-u", "a:b"],
    ] {
        let url = server.url("/");
        let (run, calls) = traced(&[more, &[&url]].concat());
        run.exits(0);
        assert!(calls.is_empty(), "{run}\n{calls:#?}");
    }
    // Where it does read a file, this test sees it.
    let (run, calls) = traced(&["http://127.0.0.1:1/"]);
    run.exits(1);
    assert!(
        calls.iter().any(|call| call.contains("/proc/net/tcp")),
        "{run}\n{calls:#?}"
    );
    assert!(
        calls
            .iter()
            .all(|call| call.contains("/proc/net/tcp") || call.contains(", \"\", ")),
        "{run}\n{calls:#?}"
    );
    Ok(())
}
