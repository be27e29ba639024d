//! A process, by its PID file.

use super::conversation::{Said::Unhealthy, expect};
use super::file::{folder, write};
use crate::support::{Ends, check, command, run};
use libtest_mimic::Trial;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    trials![
        a_process_runs,
        names_of_processes,
        a_process_that_ended,
        what_is_no_pid,
        pid_files_that_cannot_be_read,
        usage,
    ]
}

/// A process that waits for nothing, under a name of the test's choice: a process is called after the file that it runs.
fn worker(folder: &Path, name: &str) -> Ends {
    let file = folder.join(name);
    fs::copy("/bin/sleep", &file).expect("copy a program");
    // Another test that forks just now holds the copy open for writing, until it runs its own program.
    let child = loop {
        match Command::new(&file).arg("60").stdin(Stdio::null()).spawn() {
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                thread::sleep(Duration::from_millis(1));
            }
            spawned => break spawned.expect("start a program"),
        }
    };
    Ends(child)
}

fn a_process_runs() {
    let folder = folder();
    let worker = worker(folder.path(), "worker");
    let pid = worker.0.id();
    // With and without an end of line, and as PostgreSQL writes its own, with more lines behind.
    for text in [
        format!("{pid}"),
        format!("{pid}\n"),
        format!(" {pid} \r\n"),
        format!("{pid}\n/var/lib/postgresql/15/main\n1700000000\n5432\n"),
    ] {
        let file = write(folder.path(), "pid", text);
        for form in ["pid:", "pid://"] {
            let name = format!("{form}{}", file.display());
            check([&name]).healthy(&format!("healthy: {name}: process {pid} runs in *s"));
        }
    }
    // A relative path, and one with a blank.
    let file = write(folder.path(), "a pid", pid.to_string());
    let name = format!("pid:{}", file.display()).replace(' ', "%20");
    check([&name]).healthy(&format!("healthy: {name}: process {pid} runs in *s"));
    let mut relative = command(["pid:pid"]);
    run(relative.current_dir(folder.path()))
        .healthy(&format!("healthy: pid:pid: process {pid} runs in *s"));
}

fn names_of_processes() {
    let folder = folder();
    // The program's name, what is asked for, and whether that is it: the kernel keeps 15 bytes of a name.
    for (program, asked, is_it) in [
        ("worker", "worker", true),
        ("worker", "work", false),
        ("worker", "workers", false),
        ("worker", "Worker", false),
        ("a-very-long-program-name", "a-very-long-program-name", true),
        ("a-very-long-program-name", "a-very-long-pro", true),
        (
            "a-very-long-program-name",
            "a-very-long-program-namesake",
            true,
        ),
        ("a-very-long-program-name", "a-very-long-pr", false),
        ("two words", "two%20words", true),
        ("two words", "two", false),
        (") R (", ")%20R%20(", true),
        (") Z 1 (x", "%29%20Z%201%20%28x", true),
        ("((()", "((()", true),
        ("größe", "größe", true),
        ("größe", "gr%C3%B6%C3%9Fe", true),
    ] {
        let worker = worker(folder.path(), program);
        let pid = worker.0.id();
        let file = write(folder.path(), ".pid", pid.to_string());
        let name = format!("pid:{}?name={asked}", file.display());
        let run = check([&name]);
        if is_it {
            run.healthy(&format!("healthy: {name}: process {pid} runs in *s"));
        } else {
            let comm = &program[..program.len().min(15)];
            run.unhealthy(&format!(
                "unhealthy: {name}: process {pid} is another program: {comm} (*s)"
            ));
        }
        fs::remove_file(folder.path().join(program)).expect("remove a program");
    }
}

fn a_process_that_ended() {
    let folder = folder();
    let mut worker = worker(folder.path(), "worker");
    let pid = worker.0.id();
    let file = write(folder.path(), "pid", pid.to_string());
    let name = format!("pid:{}", file.display());
    worker.0.kill().expect("kill a child");
    // Nobody has waited for it: `kill(pid, 0)` would still find it.
    let zombie = || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a zombie");
        stat.contains(") Z ")
    };
    while !zombie() {
        thread::sleep(Duration::from_millis(1));
    }
    for name in [
        name.clone(),
        format!("{name}?name=worker"),
        format!("{name}?name=other"),
    ] {
        check([&name]).unhealthy(&format!(
            "unhealthy: {name}: process {pid} has exited (state Z) (*s)"
        ));
    }
    worker.0.wait().expect("reap the child");
    check([&name]).unhealthy(&format!(
        "unhealthy: {name}: there is no process {pid} (*s)"
    ));
}

/// What is in such a file can be a secret, and is not shown.
fn what_is_no_pid() {
    let folder = folder();
    let long = "9".repeat(5000);
    for (text, said) in [
        (&b""[..], "the PID file is empty"),
        (b"\n", "the PID file holds no PID"),
        (b"0\n", "the PID file holds no PID"),
        (b"-1\n", "the PID file holds no PID"),
        (b"12 34\n", "the PID file holds no PID"),
        (b"0x10", "the PID file holds no PID"),
        (b"1e3", "the PID file holds no PID"),
        (b"nginx", "the PID file holds no PID"),
        (b"\x1b[2J\xff\0", "the PID file holds no PID"),
        (b"4294967296", "the PID file holds no PID"),
        (b"99999999999999999999999", "the PID file holds no PID"),
        (long.as_bytes(), "the PID file holds no PID"),
        // The kernel gives away at most 2^22 of them.
        (b"4294967295\n", "there is no process 4294967295"),
        (b"4194305", "there is no process 4194305"),
    ] {
        let file = write(folder.path(), "pid", text);
        let name = format!("pid:{}", file.display());
        expect(&check([&name]), &name, Unhealthy(said));
    }
}

fn pid_files_that_cannot_be_read() {
    let folder = folder();
    let path = folder.path().display();
    let name = format!("pid:{path}/none");
    check([&name]).unhealthy(&format!(
        "unhealthy: {name}: {path}/none: No such file or directory (os error 2) (*s)"
    ));
    let name = format!("pid:{path}");
    check([&name]).unhealthy(&format!(
        "unhealthy: {name}: {path}: Is a directory (os error 21) (*s)"
    ));
    // A pipe that nobody writes to would hold us for ever.
    let pipe = rustix::fs::mknodat(
        rustix::fs::CWD,
        folder.path().join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    );
    pipe.expect("make a pipe");
    let name = format!("pid:{path}/pipe");
    check([&name])
        .unhealthy(&format!(
            "unhealthy: {name}: {path}/pipe: Invalid argument (os error 22) (*s)"
        ))
        .within(Duration::from_secs(3));
}

fn usage() {
    for (target, complaint) in [
        ("pid:", "names no file"),
        (
            "pid://host/x",
            "names a host: files are this machine's, as in file:///path",
        ),
        ("pid:/x?name=%f", "has a bad %XX in its name"),
        ("pid:/x?name=", "has no value after name="),
        (
            "pid:/x?max-age=1m",
            "has \"?max-age=1m\", where only ?name= means something",
        ),
    ] {
        check([target]).unhealthy(&format!("error: TARGET: \"{target}\" {complaint}"));
    }
}
