//! A heartbeat file.

use super::conversation::{
    Said::{Healthy, Unhealthy},
    expect,
};
use crate::support::check;
use libtest_mimic::Trial;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

pub fn trials() -> Vec<Trial> {
    trials![
        heartbeats,
        a_clock_that_jumped,
        files_that_cannot_be_read,
        usage,
    ]
}

pub fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, text).expect("write a file");
    file
}

pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Makes a file that was touched at this time.
fn touched(folder: &Path, when: SystemTime) -> String {
    let file = write(folder, "alive", "");
    let opened = fs::File::options().write(true).open(&file);
    opened
        .and_then(|file| file.set_modified(when))
        .expect("set a time");
    format!("file:{}", file.display())
}

fn heartbeats() {
    let folder = folder();
    let ago = |seconds| SystemTime::now() - Duration::from_secs(seconds);
    // The age, the limit, and what is said. A slow machine may be some seconds late.
    for (age, limit, said) in [
        (0, "?max-age=1m", Healthy("touched * ms ago")),
        (0, "?max-age=30", Healthy("touched * ms ago")),
        (20, "?max-age=1m", Healthy("touched 2* s ago")),
        (
            20,
            "?max-age=500ms",
            Unhealthy("touched 2* s ago, expected within 500 ms"),
        ),
        (
            90,
            "?max-age=60s",
            Unhealthy("touched 9* s ago, expected within 60 s"),
        ),
        (
            90,
            "?max-age=1.5m",
            Unhealthy("touched 9* s ago, expected within 90 s"),
        ),
        (90, "?max-age=2.5m", Healthy("touched 9* s ago")),
        (864_000, "", Healthy("touched 10 d ago")),
        (
            864_000,
            "?max-age=1440m",
            Unhealthy("touched 10 d ago, expected within 1 d"),
        ),
        (864_000, "?max-age=11d", Healthy("touched 10 d ago")),
        (
            864_000,
            "?max-age=7d",
            Unhealthy("touched 10 d ago, expected within 7 d"),
        ),
        (
            864_000,
            "?max-age=36h",
            Unhealthy("touched 10 d ago, expected within 36 h"),
        ),
    ] {
        let name = touched(folder.path(), ago(age)) + limit;
        expect(&check([&name]), &name, said);
    }
    let name = touched(folder.path(), SystemTime::now()).replacen(':', "://", 1);
    expect(&check([&name]), &name, Healthy("touched * ms ago"));
    // Older than time itself.
    let epoch = touched(folder.path(), SystemTime::UNIX_EPOCH);
    expect(&check([&epoch]), &epoch, Healthy("touched * ago"));
    // A folder is touched whenever something is made in it.
    let name = format!("file:{}?max-age=1m", folder.path().display());
    expect(&check([&name]), &name, Healthy("touched * ms ago"));
    // What counts is the file that a link leads to.
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(folder.path().join("alive"), &link).expect("a link");
    let name = format!("file:{}?max-age=1m", link.display());
    expect(
        &check([&name]),
        &name,
        Unhealthy("touched * ago, expected within 60 s"),
    );
}

fn a_clock_that_jumped() {
    let folder = folder();
    let name = touched(folder.path(), SystemTime::now() + Duration::from_secs(3600));
    let limited = format!("{name}?max-age=10s");
    check([&limited]).unhealthy(&format!(
        "unhealthy: {limited}: touched 59 min in the future: a clock has jumped, and the age is unknown (*s)"
    ));
    // Without a limit its age does not matter.
    check([&name]).healthy(&format!("healthy: {name}: touched * in *s"));
}

fn files_that_cannot_be_read() {
    let folder = folder();
    let path = folder.path().display();
    write(folder.path(), "alive", "");
    for (rest, error) in [
        ("none", "No such file or directory (os error 2)"),
        ("alive/below", "Not a directory (os error 20)"),
    ] {
        let name = format!("file:{path}/{rest}?max-age=1m");
        check([&name]).unhealthy(&format!("unhealthy: {name}: {path}/{rest}: {error} (*s)"));
    }
}

fn usage() {
    for (target, complaint) in [
        ("file:", "names no file"),
        ("file:?max-age=1m", "names no file"),
        (
            "file://localhost/x",
            "names a host: files are this machine's, as in file:///path",
        ),
        ("file:/x%zz", "has a bad %XX in its path"),
        ("file:/x%00", "has a bad %XX in its path"),
        (
            "file:/x?name=y",
            "has \"?name=y\", where only ?max-age= means something",
        ),
        (
            "file:/x?",
            "has \"?\", where only ?max-age= means something",
        ),
        ("file:/x?max-age=", "has no value after max-age="),
        (
            "file:/x?max-age=1w",
            "has a max-age that is not a time such as 3, 0.5, 500ms, 2s, 1m, 1h or 1d",
        ),
        (
            "file:/x?max-age=-1",
            "has a max-age that is not a time such as 3, 0.5, 500ms, 2s, 1m, 1h or 1d",
        ),
        (
            "file:/x?max-age=0",
            "has a max-age that is too short: at least 1 microsecond",
        ),
        (
            "file:/x?max-age=1m&b",
            "has a max-age that is not a time such as 3, 0.5, 500ms, 2s, 1m, 1h or 1d",
        ),
        (
            "file:/x?max-age=366d",
            "has a max-age that is longer than a year (365d)",
        ),
    ] {
        check([target]).unhealthy(&format!("error: TARGET: \"{target}\" {complaint}"));
    }
}
