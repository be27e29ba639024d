//! Streams that nobody reads, that are read late, or that take nothing more.

use crate::http::OK;
use crate::support::{Server, Skip, checker, command};
use libtest_mimic::Trial;
use std::io::Read;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

pub fn trials() -> Vec<Trial> {
    trials![
        nobody_reads_what_is_printed,
        many_lines_that_nobody_reads,
        a_terminal_that_nobody_reads,
        a_reader_who_is_late,
        a_file_that_may_not_grow,
    ]
}

/// A pipe that is full. Whoever has the other end does not read it.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let flags = rustix::fs::fcntl_getfl(&writer).expect("its flags");
    rustix::fs::fcntl_setfl(&writer, flags | rustix::fs::OFlags::NONBLOCK).expect("set them");
    while rustix::io::write(&writer, &[b'x'; 4096]).is_ok() {}
    rustix::fs::fcntl_setfl(&writer, flags).expect("set them back");
    (reader, writer)
}

/// The line is given up, and the exit code is the answer.
fn nobody_reads_what_is_printed() {
    let server = Server::replying(OK);
    let url = server.url("/");
    for (arguments, code) in [
        (&["-t", "300ms", &url][..], 0),
        (&["-v", "-t", "300ms", &url], 0),
        (&["-t", "300ms", "http://127.0.0.1:1/"], 1),
        (&["-p", "80a"], 1),
        (&["--help"], 0),
    ] {
        let (_reader, writer) = full_pipe();
        let mut child = command(arguments)
            .stdout(writer.try_clone().expect("a descriptor"))
            .stderr(writer)
            .spawn()
            .expect("it runs");
        let begun = Instant::now();
        let status = loop {
            match child.try_wait().expect("wait for it") {
                Some(status) => break status,
                None if begun.elapsed() > Duration::from_secs(20) => {
                    let _ = child.kill();
                    panic!("{arguments:?}: still printing");
                }
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        assert_eq!(status.code(), Some(code), "{arguments:?}: {status}");
    }
}

/// Each line is given up once, and not each for some time more.
fn many_lines_that_nobody_reads() {
    let (_reader, writer) = full_pipe();
    let arguments = ["-t", "200ms"]
        .into_iter()
        .chain(["http://127.0.0.1:1/"; 300]);
    let begun = Instant::now();
    let mut child = command(arguments)
        .stdout(writer.try_clone().expect("a descriptor"))
        .stderr(writer)
        .spawn()
        .expect("it runs");
    assert_eq!(child.wait().expect("its end").code(), Some(1));
    // With 10 ms more for each line it would be 3 s.
    assert!(
        begun.elapsed() < Duration::from_millis(1500),
        "{:?}",
        begun.elapsed()
    );
}

/// Both ends of a terminal: what the person sees, and what the program has.
pub fn terminal() -> Result<(std::os::fd::OwnedFd, std::fs::File), Skip> {
    use rustix::pty::{OpenptFlags, grantpt, ptsname, unlockpt};
    let open = || -> rustix::io::Result<(std::os::fd::OwnedFd, std::fs::File)> {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
        let slave = rustix::fs::open(&*name, flags, rustix::fs::Mode::empty())?;
        Ok((master, slave.into()))
    };
    open().map_err(|errno| Skip::new(format!("no terminal here: {errno}")))
}

/// A terminal says that it is ready when it has room for one byte, and would hold whoever writes more.
fn a_terminal_that_nobody_reads() -> Result<(), Skip> {
    for left in [0, 1, 2, 40, 300, 400] {
        let (master, slave) = terminal()?;
        fill(&slave);
        if left > 0 {
            rustix::io::read(&master, &mut vec![0; left]).expect("there is more than that");
        }
        let mut child = command(["-t", "300ms", "tcp://[::1]:1", "tcp://127.0.0.1:1"])
            .stdout(slave.try_clone().expect("a descriptor"))
            .stderr(slave)
            .spawn()
            .expect("it runs");
        let begun = Instant::now();
        let status = loop {
            match child.try_wait().expect("wait for it") {
                Some(status) => break status,
                None if begun.elapsed() > Duration::from_secs(20) => {
                    let _ = child.kill();
                    panic!("still printing, with {left} bytes of room");
                }
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        assert_eq!(status.code(), Some(1), "{status}");
    }
    Ok(())
}

/// Writes until there is no room.
pub fn fill(file: &std::fs::File) {
    let flags = rustix::fs::fcntl_getfl(file).expect("its flags");
    rustix::fs::fcntl_setfl(file, flags | rustix::fs::OFlags::NONBLOCK).expect("set them");
    while rustix::io::write(file, &[b'x'; 64]).is_ok() {}
    rustix::fs::fcntl_setfl(file, flags).expect("set them back");
}

/// Who reads before the deadline gets the whole line.
fn a_reader_who_is_late() {
    let server = Server::replying(OK);
    let (mut reader, writer) = full_pipe();
    let mut child = command(["-t", "20s", &server.url("/")])
        .stdout(writer)
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    while server.asked() == 0 {
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(100));
    let mut printed = Vec::new();
    reader.read_to_end(&mut printed).expect("read the pipe");
    assert_eq!(child.wait().expect("its end").code(), Some(0));
    let printed = String::from_utf8(printed).expect("text");
    let line = printed.trim_start_matches('x');
    assert!(
        line.starts_with("healthy: ") && line.ends_with("s\n"),
        "{line}"
    );
}

/// A write that would pass the limit raises SIGXFSZ, which kills whoever does not expect it.
fn a_file_that_may_not_grow() {
    let server = Server::replying(OK);
    let file = tempfile::NamedTempFile::new().expect("a file");
    for (arguments, code) in [
        (&[&*server.url("/")][..], 0),
        (&["-v", &server.url("/")], 0),
        (&["http://127.0.0.1:1/"], 1),
        (&["-p", "80a"], 1),
    ] {
        let mut shell = std::process::Command::new("/bin/sh");
        shell
            .env_clear()
            .args(["-c", "ulimit -f 0; exec \"$0\" \"$@\""]);
        shell.arg(checker()).args(arguments);
        let output = || file.reopen().expect("the file");
        let ended = shell.stdout(output()).stderr(output()).status();
        let ended = ended.expect("it runs");
        assert_eq!(ended.code(), Some(code), "{arguments:?}: {ended}");
    }
}
