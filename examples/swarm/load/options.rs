//! What the command line says.

use crate::arrivals::Plan;
use crate::cases;
use crate::stack::Result;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::Duration;

pub const USAGE: &str = "Usage: load [OPTION]... [CASE]...
       load [OPTION]... --during NAME COMMAND [ARGUMENT]...

Measures the cases whose names contain a CASE, by default all; or one in which COMMAND is run.

  --front ADDRESS:PORT       where requests go (default: 127.0.0.1:8080)
  --statistics ADDRESS:PORT  HAProxy's statistics (default: 127.0.0.1:8404)
  --gets N                   GETs a second (default: 100)
  --posts N                  POSTs a second, at the same time (default: 20)
  --no-heading               only rows, for a table that has begun
";

pub struct Options {
    pub plan: Plan,
    /// Where HAProxy's statistics are.
    pub statistics: SocketAddr,
    pub heading: bool,
    pub what: What,
}

pub enum What {
    /// Those whose names contain one of these, or all if there are none.
    Cases(Vec<String>),
    /// A case by this name, in which this command is run.
    During(String, Vec<OsString>),
}

/// The options, or none if help is asked for.
pub fn options() -> Result<Option<Options>> {
    parse().map_err(|error| error.to_string())
}

fn parse() -> std::result::Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options {
        plan: Plan {
            front: SocketAddr::from(([127, 0, 0, 1], 8080)),
            gets: 100,
            posts: 20,
            patience: Duration::from_secs(5),
        },
        statistics: SocketAddr::from(([127, 0, 0, 1], 8404)),
        heading: true,
        what: What::Cases(Vec::new()),
    };
    let mut names = Vec::new();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("front") => options.plan.front = parser.value()?.parse()?,
            Long("statistics") => options.statistics = parser.value()?.parse()?,
            Long("gets") => options.plan.gets = parser.value()?.parse()?,
            Long("posts") => options.plan.posts = parser.value()?.parse()?,
            Long("no-heading") => options.heading = false,
            Long("during") => {
                let name = parser.value()?.string()?;
                let command = Vec::from_iter(parser.raw_args()?);
                if command.is_empty() || !names.is_empty() {
                    return Err("--during needs a NAME and a COMMAND, and no CASE beside it".into());
                }
                options.what = What::During(name, command);
                return Ok(Some(options));
            }
            Short('h') | Long("help") => return Ok(None),
            Value(name) => {
                let name = name.string()?;
                if !cases::ALL.iter().any(|case| case.name.contains(&name)) {
                    return Err(format!("no case has {name:?} in its name").into());
                }
                names.push(name);
            }
            other => return Err(other.unexpected()),
        }
    }
    options.what = What::Cases(names);
    Ok(Some(options))
}
