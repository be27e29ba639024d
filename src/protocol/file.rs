//! For a worker without a port: a file that it touches regularly.

use super::{Asked, Protocol};
use crate::deadline::Deadline;
use crate::snippet::{printable, without_userinfo};
use crate::target::url::percent_decoded;
use crate::target::{Probe, Target, time};
use crate::verdict::{Answer, Failure, Health, Outcome};
use rustix::fs::FileType;
use rustix::io::Errno;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The row of this protocol.
pub static PROTOCOL: Protocol = Protocol {
    scheme: "file",
    rest: "PATH[?max-age=TIME]",
    proves: "PATH exists and was touched within TIME",
    takes: &[],
    plan,
    ..Protocol::CONNECTION
};

fn plan(asked: &Asked) -> Result<Target, String> {
    let named = Named::parse(asked.rest, "max-age=")?;
    let max_age = named.value.map(time::parse).transpose();
    let probe = FileProbe {
        file: named.file,
        regular: asked.options.regular,
        max_age: max_age.map_err(|complaint| format!("has a max-age that {complaint}"))?,
    };
    let target = format!("{}:{}", asked.protocol.scheme, asked.rest);
    Ok(Target::new(target, probe))
}

#[derive(Debug)]
struct FileProbe {
    file: PathBuf,
    /// Whether it must be a regular file.
    regular: bool,
    /// How long ago it may have been touched.
    max_age: Option<Duration>,
}

impl Probe for FileProbe {
    fn ask(&self, deadline: &Deadline) -> Answer {
        Answer::of(deadline, || {
            heartbeat(&self.file, self.regular, self.max_age)
        })
    }
}

/// A file, as in `file:PATH?max-age=TIME`, and the value of the one key that its scheme knows. A file can also be written as
/// in `file:///PATH`.
pub struct Named<'a> {
    /// The file, percent-decoded.
    pub file: PathBuf,
    /// The value behind the key, if it is there.
    pub value: Option<&'a str>,
}

impl<'a> Named<'a> {
    /// Parses what follows the scheme's colon. `key` ends in `=`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(rest: &'a str, key: &str) -> Result<Self, String> {
        let (file, query) = match rest.split_once('?') {
            Some((file, query)) => (file, Some(query)),
            None => (rest, None),
        };
        let file = match file.strip_prefix("//") {
            Some(absolute) if absolute.starts_with('/') => absolute,
            Some(_) => {
                return Err("names a host: files are this machine's, as in file:///path".into());
            }
            None => file,
        };
        let file = percent_decoded(file)
            .filter(|file| !file.contains('\0'))
            .ok_or("has a bad %XX in its path")?;
        if file.is_empty() {
            return Err("names no file".into());
        }
        let value = match query.map(|query| query.strip_prefix(key).ok_or(query)) {
            Some(Err(query)) => {
                let query = printable(&without_userinfo(query.as_bytes()), 80);
                return Err(format!(
                    "has \"?{query}\", where only ?{key} means something"
                ));
            }
            Some(Ok("")) => return Err(format!("has no value after {key}")),
            Some(Ok(value)) => Some(value),
            None => None,
        };
        Ok(Named {
            file: file.into(),
            value,
        })
    }
}

/// Whether `file` is there, is one if it must be, and was touched within `max_age` if that is given.
fn heartbeat(file: &Path, regular: bool, max_age: Option<Duration>) -> Outcome {
    let data = rustix::fs::stat(file).map_err(|errno| failure(file, errno))?;
    if regular && !FileType::from_raw_mode(data.st_mode).is_file() {
        return Err(failure(file, Errno::ISDIR));
    }
    // A time before 1970 counts as 1970.
    let seconds = u64::try_from(data.st_mtime).unwrap_or(0);
    // This has 64 bits everywhere. On 32-bit musl the standard library's clock has 32, and fails from 2038 on.
    let touched = SystemTime::UNIX_EPOCH + Duration::new(seconds, data.st_mtime_nsec as u32);
    let age = match (SystemTime::now().duration_since(touched), max_age) {
        (Ok(age), _) => age,
        // Without a limit its age does not matter.
        (Err(_), None) => Duration::ZERO,
        (Err(ahead), Some(_)) => return Err(Box::new(Failure::Future(ahead.duration()))),
    };
    match max_age {
        Some(limit) if age > limit => Err(Box::new(Failure::Stale(age, limit))),
        _ => Ok(Health::Touched(age)),
    }
}

/// The failure for a file that cannot be read.
pub fn failure(file: &Path, errno: Errno) -> Box<Failure> {
    Box::new(Failure::File(file.to_owned(), errno.raw_os_error()))
}
