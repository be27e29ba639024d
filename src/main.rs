//! The pipeline: arguments, check, probe, verdict, report, exit code.

use healthchecker::cli::{self, Command};
use healthchecker::deadline::Deadline;
use healthchecker::report::Report;
use healthchecker::verdict::{HEALTHY, UNHEALTHY};
use healthchecker::{hints, probe};
use std::process::ExitCode;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        Report::new(std::io::stdout(), std::io::stderr())
            .usage(&format!("this is a bug in healthchecker: {panic}"));
        // Without this a panic would end in 101 or in a signal, and Docker knows 0 and 1.
        std::process::exit(UNHEALTHY.into());
    }));
    ExitCode::from(run())
}

fn run() -> u8 {
    let mut report = Report::new(std::io::stdout(), std::io::stderr());
    let (check, style) =
        match cli::parse(std::env::args_os().skip(1), &|name| std::env::var_os(name)) {
            Ok(Command::Check(check, style)) => (check, style),
            Ok(Command::Info(text)) => {
                report.info(&text);
                return HEALTHY;
            }
            Err(usage) => {
                report.usage(&usage.0);
                return UNHEALTHY;
            }
        };
    report.style(style.quiet, style.verbose);
    let deadline = Deadline::after(check.timeout);
    let mut exit = HEALTHY;
    for target in &check.targets {
        let answer = probe::ask(target, &deadline);
        let hint = match &answer.verdict {
            Ok(_) => None,
            Err(failure) => {
                exit = UNHEALTHY;
                hints::advise(failure, |path| std::fs::read_to_string(path).ok())
            }
        };
        report.answer(target, &answer, hint.as_ref(), check.timeout);
    }
    report.end();
    exit
}
