//! `--install`: a copy of the program, whole or not at all, and what it replaces.

use crate::support::{Run, Skip, check, checker, command, run};
use libtest_mimic::Trial;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

pub fn trials() -> Vec<Trial> {
    trials![
        a_new_file,
        what_is_the_same_stays,
        what_differs_is_replaced,
        what_is_no_file_stays,
        places_that_are_not_there,
        another_user,
        a_full_disk,
        a_read_only_disk,
        many_at_once,
        names_that_are_taken,
        without_proc,
    ]
}

fn install(file: &Path) -> Run {
    check(["--install", file.to_str().expect("a path in UTF-8")])
}

/// Asserts that the file is the program, and that nothing else is in its directory.
#[track_caller]
fn is_whole(file: &Path, files: usize) {
    assert_eq!(
        fs::read(file).expect("it is there"),
        fs::read(checker()).expect("the binary")
    );
    let mode = fs::metadata(file).expect("it is there").mode();
    assert_eq!(mode & 0o7777, 0o755);
    assert_eq!(count(file.parent().expect("a directory")), files);
}

fn count(directory: &Path) -> usize {
    fs::read_dir(directory).expect("a directory").count()
}

fn a_new_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("checker");
    install(&file).healthy(&format!("installed: {}", file.display()));
    is_whole(&file, 1);
    // It is a program.
    let version = run(Command::new(&file).arg("--version"));
    assert!(
        version.exits(0).stdout.starts_with("healthchecker "),
        "{version}"
    );
    // Whatever the umask, and from the working directory.
    let script = "umask 077; cd \"$1\" && exec \"$0\" --install here";
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", script])
        .arg(checker())
        .arg(directory.path());
    run(&mut shell).healthy("installed: here");
    is_whole(&directory.path().join("here"), 2);
}

fn what_is_the_same_stays() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("checker");
    install(&file).exits(0);
    let before = fs::metadata(&file).expect("it is there").ino();
    let same = format!("installed: {} is this program already", file.display());
    install(&file).healthy(&same);
    assert_eq!(fs::metadata(&file).expect("it is there").ino(), before);
    is_whole(&file, 1);
}

fn what_differs_is_replaced() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("checker");
    let line = format!("installed: {}", file.display());
    let program = fs::read(checker()).expect("the binary");
    let mut other = program.clone();
    *other.last_mut().expect("a byte") ^= 1;
    for (bytes, mode) in [(&b"old"[..], 0o755), (&other, 0o755), (&program, 0o644)] {
        fs::write(&file, bytes).expect("a file");
        fs::set_permissions(&file, Permissions::from_mode(mode)).expect("a mode");
        install(&file).healthy(&line);
        is_whole(&file, 1);
    }
    // A program that runs can be replaced, too: this one by itself.
    fs::set_permissions(&file, Permissions::from_mode(0o744)).expect("a mode");
    run(Command::new(&file).arg("--install").arg(&file)).healthy(&line);
    is_whole(&file, 1);
}

fn what_is_no_file_stays() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    fs::write(at("target"), "precious").expect("a file");
    symlink("target", at("link")).expect("a link");
    symlink("nowhere", at("dangling")).expect("a link");
    fs::create_dir(at("folder")).expect("a directory");
    rustix::fs::mkfifoat(rustix::fs::CWD, at("fifo"), rustix::fs::Mode::RUSR).expect("a FIFO");
    for (name, complaint) in [
        ("link", "is a symbolic link: name the file that it leads to"),
        (
            "dangling",
            "is a symbolic link: name the file that it leads to",
        ),
        (
            "folder",
            "is a directory: name the file, as in /shared/healthchecker",
        ),
        ("fifo", "is no regular file, and is not replaced"),
    ] {
        let file = at(name);
        install(&file).unhealthy(&format!(
            "error: --install: \"{}\" {complaint}",
            file.display()
        ));
    }
    assert_eq!(fs::read(at("target")).expect("it is there"), b"precious");
    assert_eq!(count(directory.path()), 5);
    install(Path::new("/dev/null"))
        .unhealthy("error: --install: \"/dev/null\" is no regular file, and is not replaced");
}

fn places_that_are_not_there() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    fs::write(at("file"), "").expect("a file");
    for (name, complaint) in [
        (
            "none/checker",
            "No such file or directory (os error 2); make its directory, or mount a volume there",
        ),
        ("file/checker", "Not a directory (os error 20)"),
    ] {
        let file = at(name);
        install(&file).unhealthy(&format!(
            "error: --install: \"{}\" cannot be written: {complaint}",
            file.display()
        ));
    }
    assert_eq!(count(directory.path()), 1);
}

fn another_user() -> Result<(), Skip> {
    if !rustix::process::geteuid().is_root() {
        return Err(Skip::new("only root can become another user"));
    }
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("checker");
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("a mode");
    // Where the binary is may be closed to others.
    let copy = directory.path().join("copy");
    install(&copy).exits(0);
    let mut command = Command::new(crate::support::program("setpriv")?);
    command
        .args(["--reuid", "65532", "--clear-groups"])
        .arg(&copy);
    command.arg("--install").arg(&file);
    run(&mut command).unhealthy(&format!(
        "error: --install: \"{}\" cannot be written: Permission denied (os error 13); its directory must be writable for this user",
        file.display()
    ));
    assert_eq!(count(directory.path()), 1);
    Ok(())
}

/// Runs a script with the binary as `$0`, on a file system of 100 KiB at /tmp.
fn on_a_small_disk(script: &str) -> Result<Run, Skip> {
    let mut command = Command::new(crate::support::program("unshare")?);
    command.args(["--user", "--map-root-user", "--mount", "sh", "-euc"]);
    // The binary may be in /tmp itself.
    command.arg(format!(
        "exec 9< \"$0\"; mount -t tmpfs -o size=100k none /tmp; {script}"
    ));
    let run = run(command.arg(checker()));
    match run.stderr.starts_with("unshare: ") || run.stderr.starts_with("mount: ") {
        true => Err(Skip::new(format!(
            "no file system of its own here: {}",
            run.stderr
        ))),
        false => Ok(run),
    }
}

fn a_full_disk() -> Result<(), Skip> {
    let run = on_a_small_disk("/proc/self/fd/9 --install /tmp/checker || ls -A /tmp")?;
    assert_eq!(run.exits(0).stdout, "", "{run}");
    assert_eq!(
        run.stderr,
        "error: --install: \"/tmp/checker\" cannot be written: No space left on device (os error 28)\n",
    );
    Ok(())
}

fn a_read_only_disk() -> Result<(), Skip> {
    let run = on_a_small_disk("mount -o remount,ro /tmp; /proc/self/fd/9 --install /tmp/checker")?;
    run.unhealthy("error: --install: \"/tmp/checker\" cannot be written: Read-only file system (os error 30); mount a volume there");
    Ok(())
}

/// Two containers that share a volume. Both succeed, and whoever runs the file finds a whole one.
fn many_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("checker");
    for _ in 0..2 {
        fs::write(&file, "old").expect("a file");
        let mut all: Vec<_> = (0..4)
            .map(|_| {
                let mut command = command(["--install".as_ref(), file.as_os_str()]);
                command.stdout(Stdio::null()).spawn().expect("it runs")
            })
            .collect();
        for child in &mut all {
            assert!(child.wait().expect("its end").success());
        }
        is_whole(&file, 1);
    }
}

/// What was left behind by one that was killed, or planted by somebody, is neither written to nor followed.
fn names_that_are_taken() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    fs::write(at("precious"), "precious").expect("a file");
    symlink("precious", at(".healthchecker.0")).expect("a link");
    fs::write(at(".healthchecker.1"), "half of one").expect("a file");
    // However many there are.
    for number in 2..300 {
        fs::write(at(&format!(".healthchecker.{number}")), "").expect("a file");
    }
    let file = at("checker");
    install(&file).healthy(&format!("installed: {}", file.display()));
    is_whole(&file, 302);
    assert_eq!(fs::read(at("precious")).expect("it is there"), b"precious");
    assert_eq!(
        fs::read(at(".healthchecker.1")).expect("it is there"),
        b"half of one"
    );
}

/// What cannot be read is this program, and not what is to be written.
fn without_proc() -> Result<(), Skip> {
    let run = on_a_small_disk("mount -t tmpfs none /proc; exec \"$0\" --install /tmp/x")?;
    run.unhealthy("error: --install: this program cannot be read from /proc/self/exe: No such file or directory (os error 2)");
    Ok(())
}
