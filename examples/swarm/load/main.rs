//! Breaks the running stack while it is under load, counts what is lost, and prints the table.
//!
//! ```text
//! examples/swarm/up
//! cargo run --example load
//! cargo run --example load -- --during 'a case of my own' docker kill CONTAINER
//! ```
//!
//! The load is open: requests come at a fixed rate whether or not those before were answered, each on a connection of
//! its own, and what is lost is never sent again. The table goes to stdout, what was lost when and why to stderr. The exit
//! code is 1 if a GET was lost where none may be, or if something else did not go as it must, twice; 2 if a case could not be
//! measured.

#![allow(clippy::print_stdout, clippy::print_stderr)] // A program's own main may print.

mod arrivals;
mod cases;
mod measure;
mod options;
mod request;
mod rotation;
mod stack;
mod table;
mod tally;
#[cfg(test)]
mod tests;

use cases::Case;
use measure::{Bench, Measured};
use options::{Options, USAGE, What};
use rotation::Rotation;
use stack::{Result, Stack};
use std::ffi::OsString;
use std::process::{Command, ExitCode};
use table::Row;

fn main() -> ExitCode {
    let result = options::options().and_then(|options| match options {
        Some(options) => run(options),
        None => {
            print!("{USAGE}");
            Ok(true)
        }
    });
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether everything that was promised was kept.
fn run(options: Options) -> Result<bool> {
    let bench = Bench {
        stack: Stack::named(),
        rotation: Rotation::follow(options.statistics),
        plan: options.plan,
    };
    if options.heading {
        println!("{}", table::HEADING);
    }
    match &options.what {
        What::Cases(names) => cases(&bench, names),
        What::During(name, command) => {
            let measured = bench.measure(|_| {
                execute(command)?;
                Ok(Box::new(|_| Ok(())))
            })?;
            Ok(kept(name, None, measured))
        }
    }
}

fn cases(bench: &Bench, names: &[String]) -> Result<bool> {
    let is_chosen = |case: &&Case| {
        names.is_empty() || names.iter().any(|name| case.name.contains(name.as_str()))
    };
    let mut all_kept = true;
    let mut notes = String::from(cases::POSTS);
    for case in cases::ALL.iter().filter(is_chosen) {
        let is_kept = |name: &str| -> Result<bool> {
            bench.scale(case.replicas)?;
            Ok(kept(name, case.excuse, bench.measure(case.act)?))
        };
        // One more time, because a machine that stands still for a moment loses requests, too. Both are in the table.
        all_kept &= is_kept(case.name)? || is_kept(&format!("{}, again", case.name))?;
        if let Some(excuse) = case.excuse {
            notes += &format!("\n- {}: {excuse}.", case.name);
        }
    }
    println!("\n{notes}");
    bench.scale(cases::REPLICAS)?;
    Ok(all_kept)
}

fn execute(command: &[OsString]) -> Result<()> {
    // Its output would stand in the middle of the table.
    let status = Command::new(&command[0])
        .args(&command[1..])
        .stdout(std::io::stderr())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

/// Prints a row, and what there is to say of it; whether the case kept what is promised.
fn kept(name: &str, excuse: Option<&str>, measured: Measured) -> bool {
    println!(
        "{}",
        Row {
            name,
            measured: &measured
        }
    );
    let Measured {
        done,
        tallies,
        checked,
        ..
    } = &measured;
    let losses = [("GET", &tallies.gets), ("POST", &tallies.posts)];
    let losses = losses
        .map(|(kind, tally)| table::losses(kind, tally, *done))
        .concat();
    let is_lossless = excuse.is_some() || tallies.gets.lost() == 0;
    if !losses.is_empty() {
        eprint!("{name}:\n{losses}");
    }
    if !is_lossless {
        eprintln!("error: {name}: a GET was lost, and none may be");
    }
    if let Err(error) = checked {
        eprintln!("error: {name}: {error}");
    }
    is_lossless && checked.is_ok()
}
