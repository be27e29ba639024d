//! A day in the life of a service, as the checker sees it.
//!
//! ```text
//! cargo run --release --example demo
//! ```
//!
//! Starts the accountservice in this process, on a free port and with a new database, lets one mishap after the other
//! happen to it, and shows what `healthchecker` makes of each: the command line as one would type it, the line that
//! it prints, and its exit code. Fails if one of them is not what it should be. It takes a second and leaves
//! nothing behind.

#![allow(clippy::print_stdout, clippy::print_stderr)] // A program's own main may print.

#[path = "../accountservice/program.rs"]
#[expect(dead_code, reason = "it ends as the services do, and begins otherwise")]
mod program;
#[path = "../accountservice/service.rs"]
mod service;

use healthchecker::cli::{self, Command, Usage};
use healthchecker::report::Report;
use healthchecker::run;
use healthchecker::verdict::{HEALTHY, UNHEALTHY};
use service::Service;
use std::error::Error;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

fn main() -> ExitCode {
    program::exit_code(a_day())
}

fn a_day() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let database = directory.path().join("accounts.redb");
    let service = Service::start(SocketAddr::from(([127, 0, 0, 1], 0)), &database)?;
    let address = service.address();
    let port = &*address.port().to_string();
    let shell = Shell { port };
    let switch = |healthy| format!("http://localhost:{port}/testability/healthy/{healthy}");

    let heading = "A service has started, and it is well.";
    shell.shows(heading, &["-p", port], HEALTHY, "200 OK")?;

    let heading =
        format!("More can be asked of it, and variables need no shell. DEMO_PORT is {port}.");
    let line = ["--port", "${DEMO_PORT:-8080}", "--json", "status=UP"];
    shell.shows(&heading, &line, HEALTHY, "200 OK")?;

    shell.run(&[&switch(false)])?;
    let heading = "It was made ill, with GET /testability/healthy/false.";
    shell.shows(heading, &["-p", port], UNHEALTHY, "status 503")?;

    shell.run(&[&switch(true)])?;
    let heading = "It was made well again.";
    shell.shows(heading, &["-p", port], HEALTHY, "200 OK")?;

    // Emptied, not removed: a file that is open outlives its name.
    File::create(&database)?;
    let heading = "Its database is gone: what was in the file is lost.";
    shell.shows(heading, &["-p", port], UNHEALTHY, "Database unaccessible")?;

    service.hang();
    let heading = "It hangs: it accepts connections, and never answers.";
    let line = ["-p", port, "-t", "500ms"];
    shell.shows(heading, &line, UNHEALTHY, "no response within 500 ms")?;

    stop(service)?;
    let heading = "It was stopped: nothing listens on its port.";
    shell.shows(heading, &["-p", port], UNHEALTHY, "connection refused")?;

    fs::remove_file(&database)?;
    let service = Service::start(address, &database)?;
    let heading = "It is back, on the same port, with a new database.";
    shell.shows(heading, &["-p", port], HEALTHY, "200 OK")?;

    Ok(stop(service)?)
}

fn stop(service: Service) -> io::Result<()> {
    service.closer()();
    service.wait()
}

/// Where the checker is run, with the one variable that is set there.
struct Shell<'a> {
    port: &'a str,
}

impl Shell<'_> {
    /// Runs the checker and shows it at work. An error if it does not end with `code`, or gives another reason.
    fn shows(
        &self,
        heading: &str,
        arguments: &[&str],
        code: u8,
        reason: &str,
    ) -> Result<(), Box<dyn Error>> {
        let typed: Vec<String> = arguments.iter().copied().map(quoted).collect();
        let (line, got) = self.run(arguments)?;
        let mut out = io::stdout();
        writeln!(out, "{heading}\n")?;
        writeln!(out, "    $ healthchecker {}", typed.join(" "))?;
        writeln!(out, "    {line}")?;
        writeln!(out, "    exit code {got}\n")?;
        if got != code || !line.contains(reason) {
            return Err(format!("expected \"{reason}\" and exit code {code}").into());
        }
        Ok(())
    }

    /// What `main` of the checker does: the line that it prints, and its exit code.
    fn run(&self, arguments: &[&str]) -> Result<(String, u8), Box<dyn Error>> {
        let variables = |name: &str| (name == "DEMO_PORT").then(|| self.port.into());
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let check = match cli::parse(arguments, &variables) {
            Ok(Command::Check(check, _)) => check,
            Ok(Command::Info(text) | Command::Install(text)) | Err(Usage(text)) => {
                return Err(text.into());
            }
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut report = Report::new(&mut out, &mut err);
        let (targets, timeout) = (&check.targets, check.timeout);
        let attempts = &check.attempts;
        let healthy = run::until_healthy(targets, timeout, attempts, |target, answer, attempt| {
            let hint = run::advise(target, answer);
            report.answer(target, answer, hint.as_ref(), attempt);
        });
        let exit = if healthy { HEALTHY } else { UNHEALTHY };
        report.end();
        out.append(&mut err);
        Ok((String::from_utf8(out)?.trim_end().into(), exit))
    }
}

/// An argument as a shell has to be given it.
fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=".contains(c);
    match argument.chars().all(plain) {
        true => argument.to_owned(),
        false => format!("'{argument}'"),
    }
}
