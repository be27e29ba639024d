//! The pipeline: arguments, check, probe, verdict, report, exit code.
#![cfg_attr(feature = "tiny", no_main)]

use healthchecker::cli::{self, Command};
use healthchecker::install::install;
use healthchecker::report;
use healthchecker::run;
use healthchecker::starved::Watch;
use healthchecker::verdict::{HEALTHY, UNHEALTHY};
use std::ffi::OsString;

mod tiny;

// An error, because cargo shows no warning of a package from a registry, and glibc's targets are dynamic by default, but for
// the one that takes nothing from glibc. A debug build may be dynamic.
#[cfg(all(
    target_os = "linux",
    feature = "tiny",
    not(any(target_feature = "crt-static", no_libc, debug_assertions))
))]
compile_error!(
    "this program would need a libc beside it, and would not start in an image that has none. To build a static one, add \
     `--target aarch64-unknown-linux-musl` (after `rustup target add aarch64-unknown-linux-musl`), or, with glibc, set \
     RUSTFLAGS='-Ctarget-feature=+crt-static' and add `--target aarch64-unknown-linux-gnu`; likewise for other machines. \
     RUSTFLAGS replaces the flags in .cargo/config.toml. To build a program as the target and the flags have it, add `--no-default-features`"
);

#[cfg(not(feature = "tiny"))]
fn main() -> std::process::ExitCode {
    tiny::signals::block_those_of_writes();
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    exit_code(name.as_encoded_bytes(), arguments.collect()).into()
}

/// Runs the check that `arguments` describe to a program of this name.
fn exit_code(name: &[u8], arguments: Vec<OsString>) -> u8 {
    report_panics();
    let mut report = report::standard();
    let (plan, style) = match cli::called(name, arguments, &|name| std::env::var_os(name)) {
        Ok(Command::Check(plan, style)) => (plan, style),
        Ok(Command::Info(text)) => {
            report.info(&text);
            return HEALTHY;
        }
        Ok(Command::Install(file)) => {
            let is_there = report.install(&file, &install(&file));
            return if is_there { HEALTHY } else { UNHEALTHY };
        }
        Err(usage) => {
            report.usage(&usage.0);
            return UNHEALTHY;
        }
    };
    if let Some(ip) = run::elsewhere(&plan.targets) {
        report.elsewhere(plan.origin, ip);
        return UNHEALTHY;
    }
    report.style(style.quiet, style.verbose);
    let killer = plan.kill.map(|kill| (kill, Watch::begin()));
    if killer.is_some() {
        report.expect_kill();
    }
    let (targets, timeout) = (&plan.targets, plan.timeout);
    let healthy = run::until_healthy(
        targets,
        timeout,
        &plan.attempts,
        |target, answer, attempt| {
            if !attempt.is_last {
                return report.status(target, answer, attempt);
            }
            report.give_up_at(attempt.deadline);
            let advice = || run::advise(target, answer);
            let hint = report.has_room().then(advice).flatten();
            report.answer(target, answer, hint.as_ref(), attempt);
        },
    );
    report.end();
    if let (false, Some((kill, watch))) = (healthy, killer) {
        report.kill(&kill, &kill.send(&watch));
    }
    if healthy { HEALTHY } else { UNHEALTHY }
}

/// A panic would end in 101 or in a signal, and Docker defines only 0 and 1.
fn report_panics() {
    // Where a panic aborts at once, the hook is never called.
    #[cfg(not(panic = "immediate-abort"))]
    #[expect(clippy::exit, reason = "a panic hook cannot return an exit code")]
    std::panic::set_hook(Box::new(|panic| {
        let said = healthchecker::snippet::printable(panic.to_string().as_bytes(), 256);
        report::standard().usage(&format!("this is a bug in healthchecker: {said}"));
        std::process::exit(UNHEALTHY.into());
    }));
}
