//! What one command of a line asks: targets, and what is expected of them.

use super::super::contradictions::MAX_TIMES;
use super::super::{Usage, shown};
use crate::expect::Statuses;
use crate::http::request;
use crate::protocol::Options;
use crate::run::Attempts;
use crate::search::{contains, joined, split_once};
use crate::target::{Complaint, place, time};
use std::ffi::OsStr;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use ureq::http::Method;

/// How long a command may take that says nothing of it: as long as Docker waits for a check.
const PATIENCE: Duration = Duration::from_secs(30);

/// The message for what would be read.
pub const READS: Complaint = "would read a file, and nothing is read here";

const NUMBER: Complaint = "is no number";

/// What one command asks, as far as its words say. All its targets are asked the same.
pub struct Asks {
    /// The command, for messages.
    pub name: &'static str,
    /// Its words that are no options.
    pub operands: Vec<&'static str>,
    /// The targets, as URLs.
    pub urls: Vec<String>,
    /// What is asked of them.
    pub options: Options,
    /// The deadline, where one is said.
    pub time: Option<Duration>,
    /// When they are asked again.
    pub attempts: Attempts,
    /// What it prints itself where all is well.
    pub says: &'static str,
    /// Its stdout has the body of a response.
    pub prints_body: bool,
    /// Its output has the head, and so the status line.
    pub prints_head: bool,
    /// Its stdout has the status alone.
    pub prints_status: bool,

    // What options said that is put together only when all are known.
    /// `curl -f`
    pub fails: bool,
    /// `curl -G`: the data are the query.
    pub get: bool,
    /// `curl --json`
    pub json: bool,
    /// `curl -I`, `wget --spider`
    pub head: bool,
    /// The output goes to stdout.
    pub stdout: bool,
    /// The output goes nowhere.
    pub nowhere: bool,
    /// No redirect is followed, and none is well.
    pub no_redirects: bool,
    /// It is asked again where the connection was refused.
    pub refused: bool,
    /// It is asked again after any failure.
    pub all: bool,
    /// `nc -z`
    pub zero: bool,
    /// `grep -F`
    pub fixed: bool,
    /// `grep -E`
    pub extended: bool,
    /// `grep -e`
    pub pattern: Option<&'static str>,
    /// Where a server is, and who asks.
    pub host: &'static str,
    pub port: &'static str,
    pub user: &'static str,
    pub password: &'static str,
    pub database: &'static str,
}

impl Asks {
    /// What `name` asks, before its words are read.
    pub fn of(name: &'static str) -> Self {
        Asks {
            name,
            operands: Vec::new(),
            urls: Vec::new(),
            options: Options::default(),
            time: None,
            attempts: Attempts::ONE,
            says: "",
            prints_body: false,
            prints_head: false,
            prints_status: false,
            fails: false,
            get: false,
            json: false,
            head: false,
            stdout: false,
            nowhere: false,
            no_redirects: false,
            refused: false,
            all: false,
            zero: false,
            fixed: false,
            extended: false,
            pattern: None,
            host: "",
            port: "",
            user: "",
            password: "",
            database: "",
        }
    }

    /// Takes one option: the last column of the tables says what it does.
    ///
    /// # Errors
    /// What is wrong with its value.
    pub fn take(&mut self, does: &str, value: &'static str) -> Result<(), Complaint> {
        let options = &mut self.options;
        let may_be_file = matches!(does, "data" | "json" | "header" | "format");
        if may_be_file && value.starts_with('@') {
            return Err(READS);
        }
        match does {
            "fail" => self.fails = true,
            "follow" => options.follow = true,
            "redirects" => match value {
                "0" => self.no_redirects = true,
                "-1" | "5" => {}
                _ if number(value)? < 5 => {
                    return Err("is neither 0 nor at least 5, which is how many are followed here");
                }
                _ => {}
            },
            "time" => self.time = limit(value)?,
            "within" => self.attempts.within = limit(value)?,
            "pause" => {
                self.attempts.pause = limit(value)?.unwrap_or_default();
                self.attempts.longest = self.attempts.pause;
            }
            // The first attempt is no other one.
            "retry" => self.attempts.most = u32::from(number(value)?) + 1,
            "tries" => {
                self.attempts.most = match value {
                    "0" | "inf" => u32::MAX,
                    _ => number(value)?.into(),
                }
            }
            "refused" => self.refused = true,
            "all" => self.all = true,
            "method" => options.method = Some(request::method(value)?),
            "head" => self.head = true,
            "include" => self.prints_head = true,
            "header" => return self.header(value),
            "data" | "raw" => self.add_data(value, "&"),
            "urlencode" => return self.urlencode(value),
            "json" => {
                self.json = true;
                self.add_data(value, "");
            }
            "get" => self.get = true,
            "login" => options.user = Some(request::user(value)?),
            "bearer" => return self.add_header("authorization", "Bearer ", value),
            "agent" => options.user_agent = Some(request::header_value(value)?),
            "referer" => return self.add_header("referer", "", value),
            "cookie" if !value.contains('=') => return Err(READS),
            "cookie" => return self.add_header("cookie", "", value),
            "range" => return self.add_header("range", "bytes=", value),
            "url" => self.operands.push(value),
            "socket" => options.unix_socket = Some(place::unix_socket(value)?),
            "v4" => options.only = Some(Ipv4Addr::LOCALHOST.into()),
            "v6" => options.only = Some(Ipv6Addr::LOCALHOST.into()),
            "output" | "stream" => {
                let (to_stdout, to_nowhere) = match value {
                    "-" | "/dev/stdout" => (true, false),
                    "/dev/null" | "/dev/stderr" => (false, true),
                    _ => return Err("would be written, and nothing but /dev/null is written here"),
                };
                if does == "output" {
                    (self.stdout, self.nowhere) = (to_stdout, to_nowhere);
                }
            }
            "format" => {
                let format = value.trim_ascii_end();
                let format = format.strip_suffix("\\n").unwrap_or(format);
                self.prints_status = matches!(format, "%{http_code}" | "%{response_code}");
            }
            "noise" if value == "v" => {}
            "noise" => return Err("is nothing that a health check can use; -nv is"),
            "execute" if !value.starts_with("use_proxy=") && !value.starts_with("robots=") => {
                return Err("is a setting that is not known here");
            }
            "zero" => self.zero = true,
            "fixed" => self.fixed = true,
            "extended" => self.extended = true,
            "nocase" => options.body.any_case = true,
            "pattern" if self.pattern.is_some() => {
                return Err("is a second text: only one is searched");
            }
            "pattern" => self.pattern = Some(value),
            "host" => self.host = value,
            "port" => {
                place::port(value)?;
                self.port = value;
            }
            "user" => self.user = value,
            "password" => self.password = value,
            "database" => self.database = value,
            _ => {}
        }
        Ok(())
    }

    /// How long it may take.
    pub fn patience(&self) -> Duration {
        self.time.unwrap_or(PATIENCE)
    }

    /// Sets the healthy statuses.
    pub fn set_statuses(&mut self, list: &str) -> Result<(), Complaint> {
        self.options.statuses = Some(Statuses::parse(list)?);
        Ok(())
    }

    /// Sets the pauses between attempts, where no option did.
    pub fn pause_for_at_most(&mut self, longest: u64) {
        if self.attempts.pause.is_zero() {
            self.attempts.pause = Duration::from_secs(1);
            self.attempts.longest = Duration::from_secs(longest);
        }
    }

    /// Sets the method HEAD, unless another was given.
    pub fn ask_for_the_head(&mut self) {
        self.options.method.get_or_insert(Method::HEAD);
    }

    /// `NAME: VALUE`; `NAME;` has an empty value, and `NAME:` takes away what curl would send by itself.
    fn header(&mut self, text: &str) -> Result<(), Complaint> {
        match text.split_once(':') {
            Some((_, value)) if value.trim_ascii().is_empty() => Ok(()),
            Some((name, value)) => self.add_header(name, "", value),
            None => match text.strip_suffix(';') {
                Some(name) => self.add_header(name, "", ""),
                None => Ok(()),
            },
        }
    }

    /// Adds a request header. Its value is two texts.
    pub fn add_header(&mut self, name: &str, start: &str, rest: &str) -> Result<(), Complaint> {
        let text = joined(&[name, ": ", start, rest.trim_ascii()], "");
        let (name, value) = request::header(&text)?;
        let headers = &mut self.options.headers;
        let is_given = headers.iter().any(|(given, _)| *given == name);
        if is_given && request::SINGLE.contains(&name) || headers.len() == MAX_TIMES {
            return Err("is a header that can be given once");
        }
        headers.push((name, value));
        Ok(())
    }

    /// Says what the data are, unless a header does.
    pub fn add_content_type(&mut self, kind: &str) -> Result<(), Complaint> {
        let mut headers = self.options.headers.iter();
        match headers.any(|(given, _)| given == "content-type") {
            true => Ok(()),
            false => self.add_header("content-type", "application/", kind),
        }
    }

    /// Adds request data, after what is there already.
    fn add_data(&mut self, text: &str, between: &str) {
        let data = self.options.data.take();
        self.options.data = Some(match &data {
            Some(data) => joined(&[data, between, text], ""),
            None => text.to_owned(),
        });
    }

    /// `CONTENT`, `=CONTENT` or `NAME=CONTENT`, of which CONTENT is encoded.
    fn urlencode(&mut self, text: &str) -> Result<(), Complaint> {
        let data = match text.split_once('=') {
            Some(("", content)) => encoded(content, b'~'),
            Some((name, content)) => joined(&[name, "=", &encoded(content, b'~')], ""),
            None if text.contains('@') => return Err(READS),
            None => encoded(text, b'~'),
        };
        self.add_data(&data, "&");
        Ok(())
    }

    /// Makes the operands targets, as curl and wget do: `http://` can be left out.
    pub fn add_urls(&mut self) -> Result<(), Complaint> {
        if self.operands.is_empty() {
            return Err("needs a URL");
        }
        for &operand in &self.operands {
            let mut url = operand;
            // curl takes an empty port for none, and braces for several URLs.
            let is_curl = self.name == "curl";
            if is_curl && url.contains(['{', '}']) {
                return Err("a brace in a URL is for several: write each");
            }
            let mut start = "http://";
            if let Some((scheme, rest)) = split_once(url, "://")
                && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
            {
                if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
                    return Err("only http:// URLs are asked here");
                }
                (start, url) = operand.split_at(operand.len() - rest.len());
            }
            let end = url.find(['/', '?', '#']).unwrap_or(url.len());
            let (authority, path) = url.split_at(end);
            let authority = match authority.strip_suffix(':') {
                Some(host) if is_curl => host,
                _ => authority,
            };
            let mut parts = vec![start, authority, path];
            if self.get
                && let Some(data) = &self.options.data
            {
                parts.extend([if path.contains('?') { "&" } else { "?" }, data]);
            }
            self.urls.push(joined(&parts, ""));
        }
        if self.get {
            self.options.data = None;
        }
        Ok(())
    }

    /// Adds a target of another protocol, at the host and port that were said.
    pub fn add_server(&mut self, scheme: &str, user: &str, rest: &str) {
        let (host, port) = (self.host, self.port);
        let host = if host.is_empty() { "localhost" } else { host };
        let (open, close) = match host.contains(':') && !host.starts_with('[') {
            true => ("[", "]"),
            false => ("", ""),
        };
        let at = if user.is_empty() { "" } else { "@" };
        let colon = if port.is_empty() { "" } else { ":" };
        let parts = [
            scheme, "://", user, at, open, host, close, colon, port, rest,
        ];
        self.urls.push(joined(&parts, ""));
    }

    /// Whether it prints this text where all is well, and then expects that it does. redis-cli exits with 0 where the server
    /// wants a password, so that PONG is more.
    pub fn must_say(&mut self, text: &str, any_case: bool) -> bool {
        let lower = |text: &str| match any_case {
            true => text.to_ascii_lowercase(),
            false => text.to_owned(),
        };
        let is_said = contains(lower(self.says).as_bytes(), &lower(text));
        if is_said && self.name == "redis-cli" {
            self.ask_for_pong("");
        }
        is_said
    }

    /// Expects PONG of Redis, after a login if there is one.
    pub fn ask_for_pong(&mut self, login: &str) {
        if self.options.send.is_none() {
            self.urls.clear();
            self.add_server("tcp", "", "");
            // The server closes then, so that an error is known at once.
            let send = joined(&[login, "PING\r\nQUIT\r\n"], "");
            self.options.send = Some(send.into_bytes());
            self.options.body.body.push("+PONG".into());
        }
    }
}

/// The message for what is wrong with `option` of `command`, where that is not empty, or with its value.
pub fn wrong(command: &str, option: &str, value: Option<&str>, complaint: &str) -> Usage {
    let value = value.map(|value| joined(&["\"", &shown(OsStr::new(value)), "\" "], ""));
    let value = value.as_deref().unwrap_or_default();
    let colon = if option.is_empty() { "" } else { ": " };
    Usage(joined(
        &[command, ": ", option, colon, value, complaint],
        "",
    ))
}

/// A number that no line needs to be larger than 65535.
pub fn number(text: &str) -> Result<u16, Complaint> {
    text.parse().map_err(|_| NUMBER)
}

/// A time; 0 is none, as it is to curl and wget.
fn limit(text: &str) -> Result<Option<Duration>, Complaint> {
    match !text.is_empty() && text.bytes().all(|byte| b"0.".contains(&byte)) {
        true => Ok(None),
        false => time::parse(text).map(Some),
    }
}

/// `text` as a part of a URL: without what means something there, but for `kept`.
pub fn encoded(text: &str, kept: u8) -> String {
    let mut url = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || byte == kept {
            url.push(byte.into());
            continue;
        }
        url.push('%');
        for digit in [byte >> 4, byte & 15] {
            url.push(char::from_digit(digit.into(), 16).unwrap_or_default());
        }
    }
    url
}
