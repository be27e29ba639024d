//! A check that a Rust service builds in code.

use crate::deadline::DEFAULT_TIMEOUT;
use crate::expect::{JsonExpectation, Statuses, text_to_find};
use crate::http::request;
use crate::protocol::{self, Options};
use crate::report;
use crate::run::{Attempt, advise};
use crate::target::{Target, place};
use crate::verdict::{Failure, Health, Outcome};
use std::fmt;
use std::path::Path;
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

    /// The HTTP status, if it decided the verdict.
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
    let attempt = Attempt::only(check.timeout);
    let answer = check.target.ask(&attempt.deadline);
    let hint = advise(&check.target, &answer);
    let line = report::line(&check.target, &answer, hint.as_ref(), &attempt);
    Verdict {
        outcome: answer.outcome,
        took: answer.took,
        line: line.trim_ascii_end().to_owned(),
    }
}

impl Check {
    /// A check of the target that `url` names, as on the command line: `http://localhost:8080/health`, `redis://localhost`,
    /// `file:/run/beat?max-age=10s`. It may take 5 seconds.
    ///
    /// # Errors
    /// What is wrong with the URL. An address of another machine is reported by [`run`], before anything is sent.
    pub fn of(url: &str) -> Result<Self, Invalid> {
        Self::planned(url.to_owned(), Options::default(), DEFAULT_TIMEOUT)
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
        let shared = options.clone().shared();
        let (target, protocol) =
            protocol::target(&url, &shared).map_err(|why| Invalid(format!("the URL {why}")))?;
        // Nothing is silently ignored: an expectation that nobody looks at would be met for ever.
        if let Some(what) = options.means_nothing_to(protocol) {
            let scheme = protocol.scheme;
            return Err(Invalid(format!(
                "{what}: has no effect on {scheme} targets"
            )));
        }
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
            options.body.body.push(text_to_find(text)?);
            Ok(())
        })
    }

    /// The body does not contain this text.
    ///
    /// # Errors
    /// That it is empty.
    pub fn body_not(self, text: &str) -> Result<Self, Invalid> {
        self.with(|options| {
            options.body.body_not.push(text_to_find(text)?);
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
            let (name, value) = request::header(header)?;
            let is_given = options.headers.iter().any(|(given, _)| *given == name);
            if is_given && request::SINGLE.contains(&name) {
                return Err("is a header that can be given once");
            }
            options.headers.push((name, value));
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
            options.unix_socket = Some(place::unix_socket(file)?);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_ignored_is_refused() {
        let of = |url: &str| Check::of(url).expect("a URL");
        for (refused, why) in [
            (
                of("redis://localhost").body("NEVER"),
                "body: has no effect on redis targets",
            ),
            (
                of("redis://localhost").status("503"),
                "status: has no effect on redis targets",
            ),
            (
                of("file:/run/beat").body("x"),
                "body: has no effect on file targets",
            ),
            (
                of("tcp://localhost:1").json("a"),
                "json: has no effect on tcp targets",
            ),
            (
                of("pid:/run/x.pid").unix_socket(Path::new("/run/x")),
                "unix_socket: has no effect on pid targets",
            ),
            (
                of("http://localhost/").body(""),
                "the value is empty: write the text to look for",
            ),
        ] {
            assert_eq!(refused.expect_err(why).to_string(), why);
        }
        let twice = of("http://localhost/")
            .header("Authorization: a")
            .expect("a header");
        assert!(twice.clone().header("authorization: b").is_err());
        assert!(
            twice
                .header("X-A: 1")
                .expect("a header")
                .header("X-A: 2")
                .is_ok()
        );
        assert!(Check::of("http://db/").is_err());
        assert!(Check::http(80, "/a b").is_err());
    }

    #[test]
    fn another_machine_is_not_asked() {
        let verdict = run(&Check::of("http://192.0.2.1/").expect("a URL"));
        assert_eq!(verdict.status(), None);
        let line = verdict.line();
        assert!(
            line.contains("192.0.2.1 is not an address of this machine; nothing was sent"),
            "{line}"
        );
    }
}
