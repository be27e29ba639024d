//! A check that a Rust service builds in code.

use crate::deadline::Deadline;
use crate::expect::{JsonExpectation, Statuses};
use crate::http::given;
use crate::protocol::{self, Options};
use crate::report;
use crate::run::advise;
use crate::target::Target;
use crate::verdict::{Failure, Health, Outcome};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// One target, and what is expected of it. Built like this, it is valid: what cannot be asked is refused at once.
#[derive(Debug, Clone)]
pub struct Check {
    url: String,
    options: Options,
    target: Target,
    timeout: Duration,
}

/// Why a part of a check is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(String);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Invalid {}

/// What came of a check.
#[derive(Debug)]
pub struct Verdict {
    outcome: Outcome,
    took: Duration,
    line: String,
}

impl Verdict {
    /// Whether the target is healthy.
    pub fn is_healthy(&self) -> bool {
        self.outcome.is_ok()
    }

    /// How long it took.
    pub fn took(&self) -> Duration {
        self.took
    }

    /// The status of an HTTP response, where one came whole enough to be judged.
    pub fn status(&self) -> Option<u16> {
        match &self.outcome {
            Ok(Health::Status(status)) => Some(*status),
            Err(failure) => match **failure {
                Failure::Status { got, .. } | Failure::Redirect { status: got, .. } => Some(got),
                _ => None,
            },
            Ok(_) => None,
        }
    }

    /// The line that the binary would print: untrusted text is escaped in it, and secrets are blackened. It has no line end.
    pub fn line(&self) -> &str {
        &self.line
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

/// Runs a check. It blocks until there is a verdict, at most for the check's timeout.
pub fn run(check: &Check) -> Verdict {
    let deadline = Deadline::after(check.timeout);
    let answer = check.target.ask(&deadline);
    let hint = advise(&check.target, &answer.outcome);
    let line = report::line(&check.target, &answer, hint.as_ref(), check.timeout);
    Verdict {
        outcome: answer.outcome,
        took: answer.took,
        line: line.trim_end().to_owned(),
    }
}

impl Check {
    /// A check of the target that `url` names, as on the command line: `http://localhost:8080/health`, `redis://localhost`,
    /// `file:/run/beat?max-age=10s`. It may take 5 seconds.
    ///
    /// # Errors
    /// What is wrong with the URL. It must name this machine.
    pub fn of(url: &str) -> Result<Self, Invalid> {
        Self::planned(url.to_owned(), Options::default(), crate::cli::TIMEOUT)
    }

    /// A check of `http://localhost:PORT/PATH`.
    ///
    /// # Errors
    /// What is wrong with the path.
    pub fn http(port: u16, path: &str) -> Result<Self, Invalid> {
        let path = crate::target::url::path_and_query(path)
            .map_err(|why| Invalid(format!("path: {why}")))?;
        Self::of(&format!("http://localhost:{port}{path}"))
    }

    fn planned(url: String, options: Options, timeout: Duration) -> Result<Self, Invalid> {
        let shared = Arc::new(options.clone());
        let (target, _) =
            protocol::target(&url, &shared).map_err(|why| Invalid(format!("the URL {why}")))?;
        Ok(Check {
            url,
            options,
            target,
            timeout,
        })
    }

    fn with(
        mut self,
        change: impl FnOnce(&mut Options) -> Result<(), &'static str>,
    ) -> Result<Self, Invalid> {
        change(&mut self.options).map_err(|why| Invalid(format!("the value {why}")))?;
        Self::planned(self.url, self.options, self.timeout)
    }

    /// How long it may take, everything included.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The healthy statuses, such as `200,204` or `2xx` or `200-399`.
    ///
    /// # Errors
    /// What is wrong with the list.
    pub fn status(self, list: &str) -> Result<Self, Invalid> {
        self.with(|options| {
            options.statuses = Some(Statuses::parse(list)?);
            Ok(())
        })
    }

    /// The body contains this text, beside others that were asked for.
    ///
    /// # Errors
    /// That it is empty.
    pub fn body(self, text: &str) -> Result<Self, Invalid> {
        self.with(|options| {
            options.body.body.push(crate::cli::values::not_empty(text)?);
            Ok(())
        })
    }

    /// The body does not contain this text.
    ///
    /// # Errors
    /// That it is empty.
    pub fn body_not(self, text: &str) -> Result<Self, Invalid> {
        self.with(|options| {
            options
                .body
                .body_not
                .push(crate::cli::values::not_empty(text)?);
            Ok(())
        })
    }

    /// The JSON body has `PATH`, or `PATH=VALUE`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn json(self, expectation: &str) -> Result<Self, Invalid> {
        self.with(|options| {
            options.body.json.push(JsonExpectation::parse(expectation)?);
            Ok(())
        })
    }

    /// A request header, `NAME: VALUE`. It is never shown in a line, unless it is known to be harmless.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn header(self, header: &str) -> Result<Self, Invalid> {
        self.with(|options| {
            options.headers.push(given::header(header)?);
            Ok(())
        })
    }

    /// Connects through this unix socket instead of TCP.
    ///
    /// # Errors
    /// That the path is empty, or longer than a socket's can be.
    pub fn unix_socket(self, file: &Path) -> Result<Self, Invalid> {
        self.with(|options| {
            let file = file.to_str().ok_or("is not UTF-8")?;
            options.unix_socket = Some(crate::cli::values::unix_socket(file)?);
            Ok(())
        })
    }
}
