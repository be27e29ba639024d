//! The command line and the environment.

use crate::webhook::Url;
use lexopt::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

pub const USAGE: &str = "\
Usage: watch [OPTIONS]

Follows the health events of the Docker engine: posts a message when a container turns unhealthy or healthy
again, and restarts the containers that the label heal=NAME[,NAME]... of an unhealthy one names.

Options:
      --webhook URL         post {\"text\": ...} there, as to Slack (default: $WEBHOOK; else nothing is posted)
      --webhook-file FILE   read the URL from FILE, such as a secret of Swarm
      --after TIME          restart what is named once the container is unhealthy for TIME (default: 10s)
      --pause TIME          then wait for TIME before the next restart, twice as long after each (default: 1m)
      --most N              restart a container at most N times an hour; 0 for never (default: 3)
      --socket FILE         the engine's socket (default: $DOCKER_HOST, else /var/run/docker.sock)
  -h, --help                print this help

TIME is 10, 0.5, 500ms, 10s, 1m or 1h.
";

pub struct Options {
    pub webhook: Option<Url>,
    pub after: Duration,
    pub pause: Duration,
    pub most: usize,
    pub socket: PathBuf,
}

/// What the arguments and the environment say; none if they ask for help.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Option<Options>, String> {
    // Set and empty is how Compose passes a variable that is not set.
    let variable = |name| environment(name).filter(|value| !value.is_empty());
    let mut webhook = None;
    let mut socket = None;
    let mut after = Duration::from_secs(10);
    let mut pause = Duration::from_secs(60);
    let mut most = 3;

    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        let name = match argument {
            Short('h') | Long("help") => return Ok(None),
            Long(name) => name.to_owned(),
            other => return Err(other.unexpected().to_string()),
        };
        let known = [
            "webhook",
            "webhook-file",
            "after",
            "pause",
            "most",
            "socket",
        ];
        if !known.contains(&name.as_str()) {
            return Err(Long(&name).unexpected().to_string());
        }
        let value = parser.value().map_err(|error| error.to_string())?;
        let text = value.to_string_lossy();
        let wrong = |what: &str| format!("--{name}: {text:?} is not {what}");
        match name.as_str() {
            "webhook" | "webhook-file" if webhook.is_some() => {
                return Err(format!("--{name}: the webhook is given twice"));
            }
            "webhook" => webhook = Some(url("--webhook", &text)?),
            "webhook-file" => {
                let read = std::fs::read_to_string(&value);
                let read = read.map_err(|error| format!("--{name}: {text:?}: {error}"))?;
                webhook = Some(url("--webhook-file", read.trim())?);
            }
            "after" => after = time(&text).ok_or_else(|| wrong("a time"))?,
            "pause" => pause = time(&text).ok_or_else(|| wrong("a time"))?,
            "most" => most = text.parse().map_err(|_| wrong("a number"))?,
            _ => socket = Some(PathBuf::from(&value)),
        }
    }
    if webhook.is_none()
        && let Some(text) = variable("WEBHOOK")
    {
        webhook = Some(url("$WEBHOOK", &text)?);
    }
    let socket = match (socket, variable("DOCKER_HOST")) {
        (Some(socket), _) => socket,
        (None, Some(host)) => match host.strip_prefix("unix://") {
            Some(path) => path.into(),
            None => {
                return Err(format!(
                    "$DOCKER_HOST: {host:?} is not unix://FILE, which is all that is supported"
                ));
            }
        },
        (None, None) => "/var/run/docker.sock".into(),
    };
    Ok(Some(Options {
        webhook,
        after,
        pause,
        most,
        socket,
    }))
}

/// The value is not in the message, because it is a secret.
fn url(option: &str, text: &str) -> Result<Url, String> {
    Url::parse(text).ok_or_else(|| {
        format!("{option}: this is not an http:// or https:// URL (it is not shown)")
    })
}

fn time(text: &str) -> Option<Duration> {
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
    let unit = match &text[number.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    // f64 would take "inf", "1e9" and "-1" as well.
    let is_plain = number
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds = number.parse::<f64>().ok().filter(|_| is_plain)? * unit;
    // So that no deadline overflows.
    (seconds <= 30.0 * 24.0 * 3600.0).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &str, variables: &[(&str, &str)]) -> Result<Option<Options>, String> {
        let arguments = arguments.split_whitespace().map(OsString::from);
        parse(arguments, |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_readme_has_the_usage() {
        let readme = include_str!("../README.md");
        assert!(readme.contains(&format!("```text\n{USAGE}```")));
    }

    #[test]
    fn options_then_variables_then_defaults() {
        let options = parsed("", &[("WEBHOOK", ""), ("DOCKER_HOST", "")]);
        let options = options.expect("valid").expect("no help");
        assert!(options.webhook.is_none());
        assert_eq!(options.socket.to_str(), Some("/var/run/docker.sock"));
        assert_eq!((options.after.as_secs(), options.pause.as_secs()), (10, 60));
        assert_eq!(options.most, 3);

        let variables = [
            ("WEBHOOK", "http://a/"),
            ("DOCKER_HOST", "unix:///run/a.sock"),
        ];
        let options = parsed("", &variables).expect("valid").expect("no help");
        assert_eq!(options.webhook.map(|url| url.host()), Some("a".into()));
        assert_eq!(options.socket.to_str(), Some("/run/a.sock"));

        let line = "--webhook=https://b/c --socket /b.sock --after 0.5 --pause 500ms --most 0";
        let options = parsed(line, &variables).expect("valid").expect("no help");
        assert_eq!(options.webhook.map(|url| url.host()), Some("b".into()));
        assert_eq!(options.socket.to_str(), Some("/b.sock"));
        assert_eq!(options.after, options.pause);
        assert_eq!(options.most, 0);

        assert!(matches!(
            parsed("-h", &[("DOCKER_HOST", "tcp://a")]),
            Ok(None)
        ));
    }

    #[test]
    fn misuse_names_the_option_and_the_value() {
        let cases = [
            ("--after x", r#"--after: "x" is not a time"#),
            ("--after -1", r#"--after: "-1" is not a time"#),
            ("--pause 1e3s", r#"--pause: "1e3s" is not a time"#),
            ("--pause 10000000h", r#"--pause: "10000000h" is not a time"#),
            ("--most -1", r#"--most: "-1" is not a number"#),
            ("--most", "missing argument for option '--most'"),
            ("--polling", "invalid option '--polling'"),
            ("now", r#"unexpected argument "now""#),
            (
                "--webhook-file /none",
                r#"--webhook-file: "/none": No such file or directory (os error 2)"#,
            ),
            (
                "--webhook hooks.slack.com/secret",
                "--webhook: this is not an http:// or https:// URL (it is not shown)",
            ),
            (
                "--webhook http://a --webhook http://b",
                "--webhook: the webhook is given twice",
            ),
        ];
        for (arguments, message) in cases {
            let error = parsed(arguments, &[]).err();
            assert_eq!(error.as_deref(), Some(message), "{arguments}");
        }
        let error = parsed("", &[("DOCKER_HOST", "tcp://a")]).err();
        let message =
            r#"$DOCKER_HOST: "tcp://a" is not unix://FILE, which is all that is supported"#;
        assert_eq!(error.as_deref(), Some(message));
    }
}
