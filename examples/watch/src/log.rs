//! One line for each thing done, on stdout, and for each that went wrong, on stderr. A log that cannot be written, such
//! as a closed pipe, keeps nobody from healing.

use std::io::{self, Write};

pub fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

pub fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
