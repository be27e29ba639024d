//! How the example services begin and end: their options, the signals that stop them, their exit code.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::thread;

/// A program that listens, and has one option of its own.
pub struct Program {
    /// What `--help` prints.
    pub usage: &'static str,
    /// The port where it listens if nothing else is said.
    pub port: u16,
    /// Its own option, without the dashes.
    pub option: &'static str,
    /// The value of that option if nothing else is said.
    pub default: &'static str,
}

/// What the command line says.
pub struct Options {
    /// `--listen`
    pub listen: SocketAddr,
    /// The value of the program's own option.
    pub own: OsString,
}

impl Program {
    /// Starts a service, and waits until a signal has stopped it. `start` returns where it listens, what makes it stop, and
    /// what waits for its end.
    pub fn main<S, W>(
        &self,
        start: impl FnOnce(Options) -> Result<(SocketAddr, S, W), Box<dyn Error>>,
    ) -> ExitCode
    where
        S: FnOnce() + Send + 'static,
        W: FnOnce() -> io::Result<()>,
    {
        exit_code(self.run(start))
    }

    fn run<S, W>(
        &self,
        start: impl FnOnce(Options) -> Result<(SocketAddr, S, W), Box<dyn Error>>,
    ) -> Result<(), Box<dyn Error>>
    where
        S: FnOnce() + Send + 'static,
        W: FnOnce() -> io::Result<()>,
    {
        let Some(options) = self.options()? else {
            print!("{}", self.usage);
            return Ok(());
        };
        // Before it starts: process 1 of a container has no default action, so an early signal would be lost.
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let (address, stop, wait) = start(options)?;
        println!("listening on {address}");
        thread::spawn(move || {
            signals.forever().next();
            stop();
        });
        Ok(wait()?)
    }

    /// What the command line says, or none if it asks for help.
    fn options(&self) -> Result<Option<Options>, Box<dyn Error>> {
        use lexopt::prelude::*;
        let mut options = Options {
            listen: SocketAddr::from(([0, 0, 0, 0], self.port)),
            own: self.default.into(),
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("listen") => {
                    let address = parser.value()?.parse();
                    options.listen = address.map_err(|error| format!("--listen: {error}"))?;
                }
                Long(name) if name == self.option => options.own = parser.value()?,
                Short('h') | Long("help") => return Ok(None),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(Some(options))
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
