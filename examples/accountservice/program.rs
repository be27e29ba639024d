//! How the example services begin and end: their options, the signals that stop them, their exit code.
//!
//! The first SIGTERM or SIGINT makes the service drain: its health turns 503, so that whoever sends requests sends them
//! elsewhere, and until `--drain` is over it answers those that come all the same. Then it closes, and exits with 0.
//! A second signal ends it at once.

use healthchecker::target::time;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

/// A program that listens, and has options of its own.
pub struct Program {
    /// What `--help` prints.
    pub usage: &'static str,
    /// The port where it listens if nothing else is said.
    pub port: u16,
    /// Its own options, without the dashes, and the value of each if nothing else is said.
    pub own: &'static [(&'static str, &'static str)],
}

/// What the command line says.
pub struct Options {
    /// `--listen`
    pub listen: SocketAddr,
    drain: Duration,
    own: Vec<(&'static str, OsString)>,
}

impl Options {
    /// The value of one of the program's own options.
    pub fn own(&self, name: &str) -> &OsStr {
        let option = self.own.iter().find(|(own, _)| *own == name);
        &option.expect("the program names it in `own`").1
    }
}

/// A service that has started.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Makes its health 503, and nothing else.
    pub drain: Box<dyn FnOnce() + Send>,
    /// Makes it end.
    pub close: Box<dyn FnOnce() + Send>,
    /// Waits for its end.
    pub wait: Box<dyn FnOnce() -> io::Result<()>>,
}

impl Program {
    /// Starts a service, and waits until a signal has stopped it.
    pub fn main(
        &self,
        start: impl FnOnce(&Options) -> Result<Running, Box<dyn Error>>,
    ) -> ExitCode {
        exit_code(self.run(start))
    }

    fn run(
        &self,
        start: impl FnOnce(&Options) -> Result<Running, Box<dyn Error>>,
    ) -> Result<(), Box<dyn Error>> {
        let Some(options) = self.options()? else {
            print!("{}", self.usage);
            return Ok(());
        };
        // Before it starts: process 1 of a container has no default action, so an early signal would be lost.
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let service = start(&options)?;
        println!("listening on {}", service.address);
        thread::spawn(move || {
            let mut signals = signals.forever();
            signals.next();
            (service.drain)();
            thread::spawn(move || {
                thread::sleep(options.drain);
                (service.close)();
            });
            if let Some(signal) = signals.next() {
                // As a shell reports a program that a signal ended.
                low_level::exit(128 + signal);
            }
        });
        Ok((service.wait)()?)
    }

    /// What the command line says, or none if it asks for help.
    fn options(&self) -> Result<Option<Options>, Box<dyn Error>> {
        use lexopt::prelude::*;
        let own = self.own.iter();
        let mut options = Options {
            listen: SocketAddr::from(([0, 0, 0, 0], self.port)),
            drain: Duration::from_secs(3),
            own: own.map(|&(name, default)| (name, default.into())).collect(),
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Short('h') | Long("help") => return Ok(None),
                Long("listen") => {
                    let address = parser.value()?.parse();
                    options.listen = address.map_err(|error| format!("--listen: {error}"))?;
                }
                Long("drain") => options.drain = time("drain", &parser.value()?)?,
                Long(name) => match options.own.iter_mut().find(|own| own.0 == name) {
                    Some(own) => own.1 = parser.value()?,
                    None => return Err(Long(name).unexpected().into()),
                },
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(Some(options))
    }
}

/// The value of an option, written as the checker's times are. Here it may be 0.
pub fn time(option: &str, value: &OsStr) -> Result<Duration, String> {
    let text = value.to_string_lossy();
    match &*text {
        "0" | "0s" => Ok(Duration::ZERO),
        text => time::parse(text).map_err(|why| format!("--{option}: \"{text}\" {why}")),
    }
}

/// The exit code of a program that has ended so, after saying what went wrong.
pub fn exit_code(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
