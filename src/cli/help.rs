//! The texts of `--help` and `--version`.

use super::options::OPTIONS;
use crate::protocol;

/// The text of `--help`.
pub fn help() -> String {
    let mut text = String::from(
        "Usage: healthchecker [OPTIONS] [TARGET]...\n\n\
         Asks each TARGET on this machine whether it is well, prints one line for it, and exits with 0 if all\n\
         are healthy and with 1 otherwise. A TARGET is a URL such as http://localhost:8080/health; without one,\n\
         --host, --port and --path say what to ask.\n\nOptions:\n",
    );
    for row in OPTIONS {
        let short = row
            .short
            .map_or("    ".into(), |short| format!("-{short}, "));
        let option = format!("{short}--{} {}", row.long, row.value);
        text.push_str(&format!("  {:<36}{}\n", option.trim_ascii_end(), row.help));
    }
    text.push_str("\nTargets, with their default ports, and what healthy proves:\n");
    for protocol in protocol::ALL {
        text.push_str(&format!("  {:<36}{}", protocol.form(), protocol.proves));
        for alias in protocol.aliases {
            text.push_str("; also ");
            text.push_str(alias);
            text.push_str("://");
        }
        text.push('\n');
    }
    text.push_str(
        "\nLong options also work with one dash (-port=8080). ${NAME} and ${NAME:-default} in a value or TARGET are\n\
         replaced from the environment; $${ is a literal ${.\n",
    );
    text
}

/// The text of `--version`: what it is, and whether it needs a libc beside it.
pub fn version() -> String {
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    const TARGET: &str = env!("HEALTHCHECKER_TARGET");
    let linkage = if cfg!(any(target_feature = "crt-static", no_libc)) {
        "static"
    } else {
        "dynamic"
    };
    format!("healthchecker {VERSION} ({linkage}, {TARGET})\n")
}
