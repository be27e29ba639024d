//! Small files read whole, and what `/proc/PID/stat` says of a process.

use rustix::buffer::spare_capacity;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::path::Path;

/// No stat line and no PID file is longer than this.
pub const LONG: usize = 1024;

/// How many of the kernel's clock ticks are a second, in all that it tells programs: `USER_HZ`.
pub const TICKS: u64 = 100;

/// A file, or at least its first `most` bytes.
///
/// # Errors
/// What the system says.
pub fn read(file: &Path, most: usize) -> Result<Vec<u8>, Errno> {
    // Without NONBLOCK, opening a FIFO would wait for a writer, past any deadline.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let opened = rustix::fs::open(file, flags, Mode::empty())?;
    if FileType::from_raw_mode(rustix::fs::fstat(&opened)?.st_mode) == FileType::Fifo {
        return Err(Errno::INVAL);
    }
    let mut text = Vec::new();
    loop {
        text.reserve(4096);
        let read = rustix::io::read(&opened, spare_capacity(&mut text))?;
        if read == 0 || text.len() >= most {
            return Ok(text);
        }
    }
}

/// A line of `/proc/PID/stat`, see proc(5).
pub struct Stat<'a> {
    /// The program's name, cut to 15 bytes.
    pub name: &'a [u8],
    /// `Z` for a process that has ended, `T` for one that is stopped.
    pub state: u8,
    /// When it was started, in ticks since the machine was.
    pub started: Option<u64>,
}

impl<'a> Stat<'a> {
    /// Reads the line.
    pub fn parse(line: &'a [u8]) -> Self {
        // The name can hold parentheses and blanks itself.
        let open = line
            .iter()
            .position(|&byte| byte == b'(')
            .map_or(0, |at| at + 1);
        let close = line
            .iter()
            .rposition(|&byte| byte == b')')
            .unwrap_or(open)
            .max(open);
        let rest = line.get(close + 2..).unwrap_or_default();
        // The state is field 3.
        let started = rest.split(|&byte| byte == b' ').nth(22 - 3);
        Stat {
            name: &line[open..close],
            state: rest.first().copied().unwrap_or(b'?'),
            started: started.and_then(number),
        }
    }
}

/// A number in decimal digits.
pub fn number<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_with_a_hard_name() {
        let line = b"7 (a b) (c)) S 1 7 7 0 -1 4194560 129 0 0 0 0 0 0 0 20 0 1 0 4711 10 20\n";
        let stat = Stat::parse(line);
        assert_eq!((stat.name, stat.state), (&b"a b) (c)"[..], b'S'));
        assert_eq!(stat.started, Some(4711));
        for broken in [&b""[..], b"7", b"7 (a", b")(", b"7 (a) S 1"] {
            assert_eq!(Stat::parse(broken).started, None);
        }
    }
}
