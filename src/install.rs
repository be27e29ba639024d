//! `--install`: this program as a file elsewhere, for images that cannot be rebuilt. The one place that writes a file.

use crate::proc;
use crate::target::Complaint;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::path::Path;

/// What is wrong with a directory in place of a file.
pub const IS_DIRECTORY: Complaint = "is a directory: name the file, as in /shared/healthchecker";

/// Where the system shows the program that runs.
const OWN: &str = "/proc/self/exe";
/// What everybody may do with a program: read and run it.
const MODE: Mode = Mode::from_raw_mode(0o755);

/// How many names are tried for the file that is renamed: more than a directory has of them.
const MOST: u32 = 1 << 20;

/// What was done.
#[derive(Debug, PartialEq, Eq)]
pub enum Installed {
    /// The file is new, or was replaced.
    Written,
    /// It was there already, byte for byte.
    Unchanged,
}

/// Why the file is not there.
#[derive(Debug, PartialEq, Eq)]
pub enum NotInstalled {
    /// This program cannot be read.
    Source(Errno),
    /// Something is there that is no regular file, and is not replaced.
    Special(FileType),
    /// The file cannot be written.
    Target(Errno),
}

/// Copies this program to `file`. Whoever runs it at the same time finds the old file or the new one, and never half of one.
///
/// # Errors
/// Why the file is not there.
pub fn install(file: &str) -> Result<Installed, NotInstalled> {
    let program = proc::read(Path::new(OWN), usize::MAX).map_err(NotInstalled::Source)?;
    match rustix::fs::lstat(Path::new(file)) {
        Err(Errno::NOENT) => {}
        Err(errno) => return Err(NotInstalled::Target(errno)),
        Ok(found) => {
            let kind = FileType::from_raw_mode(found.st_mode);
            if kind != FileType::RegularFile {
                return Err(NotInstalled::Special(kind));
            }
            if Mode::from_raw_mode(found.st_mode) == MODE
                && found.st_size as u64 == program.len() as u64
                && proc::read(Path::new(file), program.len()).is_ok_and(|bytes| bytes == program)
            {
                return Ok(Installed::Unchanged);
            }
        }
    }
    // Up to the last slash. Without one, it is the working directory.
    let slash = file.bytes().rposition(|byte| byte == b'/');
    let directory = &file[..slash.map_or(0, |at| at + 1)];
    let written = replace(directory, file, &program);
    written.map_err(NotInstalled::Target)?;
    // So that the name, too, survives a power cut. Where a directory cannot be synced, the file is there all the same.
    let directory = if directory.is_empty() { "." } else { directory };
    let opened = proc::open(Path::new(directory), OFlags::RDONLY, Mode::empty());
    let _ = opened.map(rustix::fs::fsync);
    Ok(Installed::Written)
}

/// Writes a file of another name, and renames it to `file`.
fn replace(directory: &str, file: &str, bytes: &[u8]) -> Result<(), Errno> {
    // EXCL follows no link, so nobody can have planted one.
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
    let mut number = 0;
    let (temporary, opened) = loop {
        let temporary = format!("{directory}.healthchecker.{number}");
        match proc::open(Path::new(&temporary), flags, Mode::RUSR | Mode::WUSR) {
            // Another container's, which installs it as well; or it was left behind when its writer was killed.
            Err(Errno::EXIST) if number < MOST => number += 1,
            opened => break (temporary, opened?),
        }
    };
    let done = write(&opened, bytes)
        .and_then(|()| rustix::fs::rename(Path::new(&temporary), Path::new(file)));
    if done.is_err() {
        let _ = rustix::fs::unlink(Path::new(&temporary));
    }
    done
}

fn write(opened: &OwnedFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        let written = rustix::io::write(opened, bytes)?;
        bytes = &bytes[written..];
    }
    // The umask has no say in this.
    rustix::fs::fchmod(opened, MODE)?;
    rustix::fs::fsync(opened)
}
