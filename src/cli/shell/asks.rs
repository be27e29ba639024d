//! What one command of a line asks: targets, and what is expected of them.

use super::super::contradictions::{MAX_TIMES, doubled};
use super::super::options::{Given, Kind, OPTIONS};
use super::super::shown;
use super::commands::meaning;
use super::rows::{TEXTS, VALUES, does};
use crate::run::Attempts;
use crate::search::{contains, joined, split_once};
use crate::target::{Complaint, place, time};
use std::ffi::OsStr;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

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
    pub given: Given,
    /// The deadline, where one is said.
    pub time: Option<Duration>,
    /// When they are asked again.
    pub attempts: Attempts,
    /// What it prints itself where all is well.
    pub says: &'static str,
    /// Its stdout has the body of a response.
    pub prints_body: bool,
    /// Its stdout has the status alone.
    pub prints_status: bool,
    /// Its stdout has the head of a response.
    pub prints_head: bool,
    /// Its stderr has it, after other characters.
    pub tells_head: bool,
    /// What options said that is put together only when all are known, by their numbers.
    texts: [&'static str; TEXTS],
    /// A bit for each text and flag that was given.
    flags: u32,
}

impl Asks {
    /// What `name` asks, before its words are read. It lasts as long as the program, so that nobody has to own it.
    pub fn of(name: &'static str) -> &'static mut Self {
        Box::leak(Box::new(Asks {
            name,
            operands: Vec::new(),
            urls: Vec::new(),
            given: Given::default(),
            time: None,
            attempts: Attempts::ONE,
            says: "",
            prints_body: false,
            prints_status: false,
            prints_head: false,
            tells_head: false,
            texts: [""; TEXTS],
            flags: 0,
        }))
    }

    /// Whether this text or flag was given.
    pub fn has(&self, flag: u8) -> bool {
        self.flags >> flag & 1 == 1
    }

    /// Sets a flag.
    pub fn set(&mut self, flag: u8, is_set: bool) {
        self.flags = self.flags & !(1 << flag) | u32::from(is_set) << flag;
    }

    /// The text with this number, which is empty where none was given.
    pub fn text(&self, number: u8) -> &'static str {
        self.texts[usize::from(number)]
    }

    /// Sets a text.
    pub fn set_text(&mut self, number: u8, text: &'static str) {
        self.texts[usize::from(number)] = text;
    }

    /// Takes one option: the last column of the tables says what it does.
    ///
    /// # Errors
    /// What is wrong with its value.
    pub fn take(&mut self, does: u8, value: &'static str) -> Result<(), Complaint> {
        let may_be_file = matches!(does, does::DATA | does::JSON | does::HEADER | does::FORMAT);
        if may_be_file && value.as_bytes().first() == Some(&b'@') {
            return Err(READS);
        }
        if does == does::PORT {
            place::port(value)?;
        }
        if does == does::PATTERN && self.has(does) {
            return Err("is a second text: only one is searched");
        }
        if let Some(text) = self.texts.get_mut(usize::from(does)) {
            *text = value;
        }
        if does < VALUES {
            self.set(does, true);
        }
        match does {
            does::TIME | does::WITHIN | does::PAUSE => {
                let time = self.limit(value)?;
                match does {
                    does::TIME => self.time = time,
                    does::WITHIN => self.attempts.within = time,
                    _ => {
                        self.attempts.pause = time.unwrap_or_default();
                        self.attempts.longest = self.attempts.pause;
                    }
                }
            }
            does::REDIRECTS if value == "-1" => {}
            does::TRIES if value == "inf" => self.attempts.most = u32::MAX,
            does::RETRY | does::TRIES | does::REDIRECTS => match (does, number(value)?) {
                // The first attempt is no other one.
                (does::RETRY, number) => self.attempts.most = u32::from(number) + 1,
                (does::TRIES, 0) => self.attempts.most = u32::MAX,
                (does::TRIES, number) => self.attempts.most = number.into(),
                (_, 0) => self.set(does::NO_REDIRECTS, true),
                (_, ..5) => {
                    return Err("is neither 0 nor at least 5, which is how many are followed here");
                }
                _ => {}
            },
            does::HEADER => return self.header(value),
            does::JSON => self.add_data(value, ""),
            does::DATA | does::RAW => self.add_data(value, "&"),
            does::URLENCODE => return self.urlencode(value),
            does::METHOD | does::LOGIN | does::AGENT | does::SOCKET => {
                let long = match does {
                    does::METHOD => "method",
                    does::LOGIN => "user",
                    does::AGENT => "user-agent",
                    _ => "unix-socket",
                };
                return self.own(long, value);
            }
            does::COOKIE if !has_any(value, b"=") => return Err(READS),
            does::BEARER | does::REFERER | does::RANGE | does::COOKIE => {
                let start = match does {
                    does::BEARER => "authorization: Bearer ",
                    does::REFERER => "referer: ",
                    does::RANGE => "range: bytes=",
                    _ => "cookie: ",
                };
                return self.add_header(start, value);
            }
            does::URL => self.operands.push(value),
            does::V4 => self.given.options.only = Some(Ipv4Addr::LOCALHOST.into()),
            does::V6 => self.given.options.only = Some(Ipv6Addr::LOCALHOST.into()),
            does::OUTPUT | does::STREAM | does::LOG | does::DUMP => {
                let to_stdout = value == "-" || meaning(value.as_bytes()) == does::STDOUT;
                if !to_stdout && meaning(value.as_bytes()) != does::NOWHERE {
                    return Err("would be written, and nothing but /dev/null is written here");
                }
                if does == does::OUTPUT {
                    self.set(does::STDOUT, to_stdout);
                    self.set(does::NOWHERE, !to_stdout);
                }
                if does == does::DUMP {
                    self.set(does, to_stdout);
                }
            }
            does::FORMAT => {
                let format = value.strip_prefix("\\n").unwrap_or(value);
                let format = format.strip_suffix("\\n").unwrap_or(format);
                self.prints_status = matches!(format, "%{http_code}" | "%{response_code}");
            }
            does::NOISE if value != "v" => {
                return Err("is nothing that a health check can use; -nv is");
            }
            does::NOISE => self.set(does::QUIET, true),
            does::EXECUTE if !value.starts_with("use_proxy=") && !value.starts_with("robots=") => {
                return Err("is a setting that is not known here");
            }
            _ => {}
        }
        Ok(())
    }

    /// How long each target may take.
    pub fn patience(&self) -> Duration {
        self.time.unwrap_or(PATIENCE)
    }

    /// A time; 0 is none, as it is to curl and wget. GNU's wget alone knows units, and `.5` is a number.
    fn limit(&self, text: &str) -> Result<Option<Duration>, Complaint> {
        if !text.is_empty() && text.bytes().all(|byte| b"0.".contains(&byte)) {
            return Ok(None);
        }
        let time = time::parse(&joined(&["0", text], ""))?;
        let has_unit = text.ends_with(|last: char| last.is_ascii_alphabetic());
        match has_unit && (self.name != "wget" || text.ends_with("ms")) {
            true => Err("is no number of seconds"),
            false => Ok(Some(time)),
        }
    }

    /// Takes what one of our own options says, which has a value.
    pub fn own(&mut self, long: &str, value: &str) -> Result<(), Complaint> {
        match OPTIONS
            .iter()
            .find(|row| row.long == long)
            .map(|row| &row.kind)
        {
            Some(Kind::One(set) | Kind::Many(set)) => set(&mut self.given, value),
            _ => Ok(()),
        }
    }

    /// Sets the pauses between attempts, where no option did.
    pub fn pause_for_at_most(&mut self, longest: u64) {
        if self.attempts.pause.is_zero() {
            self.attempts.pause = Duration::from_secs(1);
            self.attempts.longest = Duration::from_secs(longest);
        }
    }

    /// `NAME: VALUE`; `NAME;` has an empty value, and `NAME:` takes away what curl would send by itself.
    fn header(&mut self, text: &str) -> Result<(), Complaint> {
        if let Some((name, value)) = split_once(text, ":") {
            return match value.trim_ascii().is_empty() {
                true => Ok(()),
                false => self.add_header(&text[..=name.len()], value),
            };
        }
        match text.strip_suffix(';') {
            Some(name) => self.add_header(name, ":"),
            None => Ok(()),
        }
    }

    /// Adds a request header, `NAME: VALUE`. It is two texts.
    pub fn add_header(&mut self, start: &str, rest: &str) -> Result<(), Complaint> {
        self.own("header", &joined(&[start, rest.trim_ascii()], ""))?;
        let headers = &self.given.options.headers;
        match doubled(headers).is_some() || headers.len() > MAX_TIMES {
            true => Err("is a header that can be given once"),
            false => Ok(()),
        }
    }

    /// Says what the data are, unless a header does.
    pub fn add_content_type(&mut self, kind: &str) -> Result<(), Complaint> {
        let mut headers = self.given.options.headers.iter();
        match headers.any(|(given, _)| given == "content-type") {
            true => Ok(()),
            false => self.add_header("content-type: application/", kind),
        }
    }

    /// Adds request data, after what is there already.
    fn add_data(&mut self, text: &str, between: &str) {
        let is_first = self.given.options.data.is_none();
        let data = self.given.options.data.get_or_insert_default();
        data.push_str(if is_first { "" } else { between });
        data.push_str(text);
    }

    /// `CONTENT`, `=CONTENT` or `NAME=CONTENT`, of which CONTENT is encoded.
    fn urlencode(&mut self, text: &str) -> Result<(), Complaint> {
        let (name, content) = match split_once(text, "=") {
            Some((name, content)) => (&text[..name.len() + usize::from(!name.is_empty())], content),
            None if has_any(text, b"@") => return Err(READS),
            None => ("", text),
        };
        self.add_data(name, "&");
        self.add_data(&encoded(content, b'~'), "");
        Ok(())
    }

    /// Makes the operands targets, as curl and wget do: `http://` can be left out.
    pub fn add_urls(&mut self) -> Result<(), Complaint> {
        if self.operands.is_empty() {
            return Err("needs a URL");
        }
        if self.operands.len() > super::MAX_COMMANDS {
            return Err("has more than 64 URLs");
        }
        for &operand in &self.operands {
            let mut url = operand;
            if matches!(operand, "||" | "&&" | "|" | ">") {
                return Err(
                    "has || or > as a word, which is for a shell: write the line as one text, sh -c LINE",
                );
            }
            let is_curl = self.name == "curl";
            let mut start = "http://";
            if let Some((scheme, rest)) = split_once(url, "://")
                && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
            {
                if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
                    return Err("only http:// URLs are asked here");
                }
                (start, url) = operand.split_at(operand.len() - rest.len());
            }
            let end = url.bytes().position(|byte| b"/?#".contains(&byte));
            let (authority, path) = url.split_at(end.unwrap_or(url.len()));
            if is_curl && !self.has(does::LITERAL) && is_several(path) {
                return Err("has {} or [] in a URL: write each, or -g");
            }
            // curl takes an empty port for none.
            let authority = match authority.strip_suffix(':') {
                Some(host) if is_curl => host,
                _ => authority,
            };
            let mut text = joined(&[start, authority, path], "");
            if self.has(does::GET)
                && let Some(data) = &self.given.options.data
            {
                text.push_str(if has_any(path, b"?") { "&" } else { "?" });
                text.push_str(data);
            }
            self.urls.push(text);
        }
        if self.has(does::GET) {
            self.given.options.data = None;
        }
        Ok(())
    }

    /// Adds a target of another protocol, at the host and port that were said.
    pub fn add_server(&mut self, scheme: &str, user: &str, rest: &str) {
        let (host, port) = (self.text(does::HOST), self.text(does::PORT));
        let host = if host.is_empty() { "localhost" } else { host };
        let is_bare = has_any(host, b":") && !host.starts_with('[');
        let (open, close) = if is_bare { ("[", "]") } else { ("", "") };
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
        let (mut says, mut text) = (self.says.to_owned(), text.to_owned());
        if any_case {
            says.make_ascii_lowercase();
            text.make_ascii_lowercase();
        }
        let is_said = contains(says.as_bytes(), &text);
        if is_said && self.name == "redis-cli" {
            self.ask_for_pong("");
        }
        is_said
    }

    /// Expects PONG of Redis, after a login if there is one.
    pub fn ask_for_pong(&mut self, login: &str) {
        if self.given.options.send.is_none() {
            self.urls.clear();
            self.add_server("tcp", "", "");
            // The server closes then, so that an error is known at once.
            let send = joined(&[login, "PING\r\nQUIT\r\n"], "");
            self.given.options.send = Some(send.into_bytes());
            self.given.options.body.body.push("+PONG".into());
        }
    }
}

/// The message for what is wrong with `option` of `command`, where that is not empty, or with its value.
pub fn wrong(command: &str, option: &str, value: Option<&str>, complaint: &str) -> Complaint {
    let value = value.map(|value| joined(&["\"", &shown(OsStr::new(value)), "\" "], ""));
    let value = value.as_deref().unwrap_or_default();
    let colon = if option.is_empty() { "" } else { ": " };
    joined(&[command, ": ", option, colon, value, complaint], "").leak()
}

/// A number that no line needs to be larger than 65535.
pub fn number(text: &str) -> Result<u16, Complaint> {
    text.parse().map_err(|_| NUMBER)
}

/// Whether one of these bytes is in the text.
pub fn has_any(text: &str, bytes: &[u8]) -> bool {
    text.bytes().any(|byte| bytes.contains(&byte))
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
            url.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    url
}

/// Whether curl takes the text for several: it has braces, or brackets but an empty pair.
fn is_several(text: &str) -> bool {
    let mut is_open = false;
    text.bytes().chain([0]).any(|byte| {
        let is_odd = is_open != (byte == b']') || matches!(byte, b'{' | b'}');
        is_open = byte == b'[';
        is_odd
    })
}
