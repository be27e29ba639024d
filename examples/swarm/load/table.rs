//! The rows of the table, in Markdown.

use crate::measure::Measured;
use crate::tally::Tally;
use std::fmt;
use std::time::Duration;

pub const HEADING: &str = "\
| case | out of rotation after | settled after | GETs | lost | median | 99 % | slowest | POSTs | lost |
|---|---|---|---|---|---|---|---|---|---|";

pub struct Row<'a> {
    pub name: &'a str,
    pub measured: &'a Measured,
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { name, measured } = self;
        let (gets, posts) = (&measured.tallies.gets, &measured.tallies.posts);
        let (out, settled) = (seconds(measured.out), seconds(measured.settled));
        write!(f, "| {name} | {out} | {settled} ")?;
        write!(f, "| {} | {} ", gets.sent(), gets.lost())?;
        for share in [0.5, 0.99, 1.0] {
            write!(f, "| {} ", milliseconds(gets.within(share)))?;
        }
        write!(f, "| {} | {} |", posts.sent(), posts.lost())
    }
}

/// What was lost, a line for each reason; the times are from when something was done to the stack.
pub fn losses(kind: &str, tally: &Tally, done: Duration) -> String {
    let since = |time: Duration| time.as_secs_f64() - done.as_secs_f64();
    let line = |(lost, times, first, last)| {
        let (first, last) = (since(first), since(last));
        format!("  {times} {kind}s lost: {lost} (sent from {first:+.2} s to {last:+.2} s)\n")
    };
    tally.losses().map(line).collect()
}

fn seconds(time: Option<Duration>) -> String {
    time.map_or("-".into(), |time| format!("{:.1} s", time.as_secs_f64()))
}

fn milliseconds(time: Option<Duration>) -> String {
    time.map_or("-".into(), |time| format!("{} ms", time.as_millis()))
}
