//! Small files read whole, and what `/proc/PID/stat` says of a process.

use rustix::buffer::spare_capacity;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::path::Path;

/// No stat line and no PID file is longer than this.
pub const LONG: usize = 1024;

/// How many of the kernel's clock ticks are a second, in all that it tells programs: `USER_HZ`.
pub const TICKS: u64 = 100;

/// Opens a file. One function, because each other kind of path would make another.
///
/// # Errors
/// What the system says.
#[inline(never)]
pub fn open(file: &Path, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    rustix::fs::open(file, flags | OFlags::CLOEXEC, mode)
}

/// A file, or at least its first `most` bytes.
///
/// # Errors
/// What the system says.
pub fn read(file: &Path, most: usize) -> Result<Vec<u8>, Errno> {
    // Without NONBLOCK, opening a FIFO would wait for a writer, past any deadline.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK;
    let opened = open(file, flags, Mode::empty())?;
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
        let open = line.iter().position(|&byte| byte == b'(');
        let open = open.map_or(0, |at| at + 1);
        let close = line.iter().rposition(|&byte| byte == b')');
        let close = close.unwrap_or(open).max(open);
        let rest = line.get(close + 2..).unwrap_or_default();
        Stat {
            name: &line[open..close],
            // The state is field 3.
            state: rest.first().copied().unwrap_or(b'?'),
            started: number_at(rest, 22 - 3, 10),
        }
    }
}

/// The number that begins a text, in digits of this radix.
pub fn number(text: &[u8], radix: u32) -> Option<u64> {
    let mut number: Option<u64> = None;
    for &byte in text {
        let Some(digit) = char::from(byte).to_digit(radix) else {
            break;
        };
        let higher = number.unwrap_or(0).checked_mul(radix.into())?;
        number = Some(higher.checked_add(digit.into())?);
    }
    number
}

/// The number behind so many blanks.
pub fn number_at(mut text: &[u8], blanks: usize, radix: u32) -> Option<u64> {
    for _ in 0..blanks {
        text = after(text, b' ')?;
    }
    number(text, radix)
}

/// The number behind `name`, with which a line begins.
pub fn number_of(mut text: &[u8], name: &str, radix: u32) -> Option<u64> {
    while !text.starts_with(name.as_bytes()) {
        text = after(text, b'\n')?;
    }
    number(&text[name.len()..], radix)
}

fn after(text: &[u8], mark: u8) -> Option<&[u8]> {
    let at = text.iter().position(|&byte| byte == mark)?;
    Some(&text[at + 1..])
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

    #[test]
    fn numbers_end_where_their_digits_do() {
        for (text, radix, value) in [
            ("42.99", 10, Some(42)),
            ("ff\n", 16, Some(255)),
            ("18446744073709551615", 10, Some(u64::MAX)),
            ("18446744073709551616", 10, None),
            ("max", 10, None),
            ("-1", 10, None),
            ("", 10, None),
        ] {
            assert_eq!(number(text.as_bytes(), radix), value, "{text}");
        }
        assert_eq!(number_of(b"ab 1\nb 2\nb 3\n", "b ", 10), Some(2));
        assert_eq!(number_of(b"ab 1\n", "b ", 10), None);
        assert_eq!(number_at(b"1 2", 2, 10), None);
    }
}
