//! What is to be asked of whom: plain data, valid by construction, no I/O.

use crate::expect::{BodyExpectations, HeaderExpectation, Statuses};
use crate::snippet::Secrets;
use crate::vars::split_once;
use crate::verdict::Reply;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;
use ureq::http::uri::{Parts, Scheme};
use ureq::http::{HeaderName, HeaderValue, Method, Uri};

/// One run: every target must be healthy before the deadline.
#[derive(Debug, Clone)]
pub struct Check {
    /// The targets, in the order in which they are asked.
    pub targets: Vec<Target>,
    /// From the start of the run to its end.
    pub timeout: Duration,
}

/// One service, and what is asked of it.
#[derive(Debug, Clone)]
pub struct Target {
    /// The target as the report names it: a URL without credentials.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// What it is asked.
    pub ask: Ask,
}

/// Where a target listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A port of this machine.
    Tcp(Host, u16),
    /// A unix socket.
    Unix(PathBuf),
}

/// A name or address that can be this machine's. Whether an address really is, only the machine can send:
/// [`crate::net::is_here`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// 127.0.0.1, then ::1. `0.0.0.0` and `[::]` are this too.
    Localhost,
    /// One address.
    Ip(IpAddr),
}

/// How a target is asked.
#[derive(Debug, Clone)]
pub enum Ask {
    /// One HTTP request.
    Http(Box<Http>),
    /// A connection, and what it says if anything is expected of that.
    Tcp {
        /// What to send.
        send: Vec<u8>,
        /// What is expected of the reply.
        expect: BodyExpectations,
    },
    /// A conversation from the table of handshakes.
    Handshake {
        /// Its row.
        row: &'static Handshake,
        /// What is said first, in place of what the row says.
        hello: Option<Vec<u8>>,
    },
    /// A call of `grpc.health.v1.Health/Check`.
    Grpc {
        /// The `:authority`.
        authority: String,
        /// The service that is asked about; empty for the server as a whole.
        service: String,
    },
    /// A FastCGI request for this path and query.
    FastCgi {
        /// The script, with a leading slash.
        script: String,
        /// What follows the `?`.
        query: String,
    },
    /// The process whose PID is in a file.
    Pid {
        /// The file.
        file: PathBuf,
        /// The name that the process must have.
        name: Option<String>,
    },
    /// A file that is touched as long as somebody is well.
    File {
        /// The file.
        file: PathBuf,
        /// How long ago it may have been touched.
        max_age: Option<Duration>,
    },
}

/// One way of asking that needs no code of its own: what to say, and what to hear.
#[derive(Debug)]
pub struct Handshake {
    /// The scheme of its URLs.
    pub scheme: &'static str,
    /// The port where such a server usually listens.
    pub port: u16,
    /// What a healthy verdict proves.
    pub proves: &'static str,
    /// The conversation.
    pub steps: &'static [Step],
    /// What to say at the end of one that went well, so that the server's log stays clean.
    pub goodbye: &'static [u8],
}

/// Something to say, and what to hear.
#[derive(Debug)]
pub struct Step {
    /// The bytes to send; none where the server speaks first.
    pub send: &'static [u8],
    /// The reply.
    pub judge: Judge,
}

/// How a reply is judged.
#[derive(Debug)]
pub enum Judge {
    /// By its first line that is not skipped. A pattern is what the line begins with, and if it ends in a letter or a digit,
    /// then as a word: a blank or the end of the line follows. One that ends in `$` is the whole line. `#` stands for a
    /// digit, and `?` for any character that can be seen.
    Lines(Lines),
    /// By a function, from what has come so far.
    Bytes(fn(&[u8]) -> Reply),
}

/// The lines that a text protocol can answer with.
#[derive(Debug)]
pub struct Lines {
    /// Lines that say nothing yet.
    pub skip: &'static [&'static str],
    /// The server is well.
    pub ok: &'static [&'static str],
    /// It is alive, and wants authentication.
    pub unauthenticated: &'static [&'static str],
    /// It is alive, and does not serve this client.
    pub refused: &'static [&'static str],
    /// It cannot serve.
    pub unavailable: &'static [&'static str],
}

/// An HTTP request and what its response must be.
#[derive(Debug, Clone)]
pub struct Http {
    /// The method.
    pub method: Method,
    /// Scheme, authority and path; no credentials, no fragment.
    pub uri: Uri,
    /// Every header that is not computed. Credentials among them are marked as sensitive.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body to send.
    pub data: Option<String>,
    /// Whether redirects within this machine are followed.
    pub follow: bool,
    /// The healthy statuses.
    pub statuses: Statuses,
    /// What is expected of a header.
    pub header: Option<HeaderExpectation>,
    /// What is expected of the body.
    pub body: BodyExpectations,
}

/// What is wrong with a text of the command line: what follows its name and value in a sentence. A `String` would cost
/// a hundred bytes at each place.
pub type Complaint = &'static str;

/// What is said of a target that has no scheme.
pub const NOT_A_URL: &str = "is not a URL such as http://localhost:8080/health";

/// A URL in its parts, each checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// In lower case.
    pub scheme: String,
    /// User and password, percent-decoded.
    pub credentials: Option<(String, String)>,
    /// The host as it was written, brackets included.
    pub host_text: String,
    /// The host as it is understood.
    pub host: Host,
    /// The port, where one is written.
    pub port: Option<u16>,
    /// Path and query, without a fragment; empty where the URL has neither.
    pub path: String,
}

impl Target {
    /// What the line of this target must not show.
    pub fn secrets(&self) -> Secrets {
        match &self.ask {
            Ask::Http(http) => Secrets::of(&http.headers),
            _ => Secrets::default(),
        }
    }
}

impl Url {
    /// Parses `scheme://[user[:password]@]host[:port][/path][?query][#fragment]`.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        let (scheme, rest) = split_once(text, "://").ok_or(NOT_A_URL)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let path = path.split('#').next().unwrap_or_default();
        let (userinfo, host_port) = match authority.rsplit_once('@') {
            Some((userinfo, host_port)) => (Some(userinfo), host_port),
            None => (None, authority),
        };
        let (host_text, port) = match host_port.rsplit_once(':') {
            // The last colon of `[::1]` is not a port's.
            Some((host, port)) if !port.ends_with(']') => {
                let port = self::port(port).map_err(|_| "has a port that is none (1-65535)")?;
                (host, Some(port))
            }
            _ => (host_port, None),
        };
        if host_text.contains(':') && !host_text.starts_with('[') {
            return Err("has an IPv6 address without brackets: write [::1]");
        }
        let credentials = userinfo.map(|userinfo| {
            let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
            Some((percent_decoded(user)?, percent_decoded(password)?))
        });
        let credentials = match credentials {
            Some(None) => return Err("has a bad %XX in its credentials"),
            Some(decoded) => decoded,
            None => None,
        };
        Ok(Url {
            scheme: scheme.to_ascii_lowercase(),
            credentials,
            host_text: host_text.to_owned(),
            host: host(host_text)?,
            port,
            path: path_and_query(path)?,
        })
    }
}

/// The `http` URL of a place. The authority is the canonical one, so that `0.0.0.0` asks a virtual host `localhost`.
/// None when the http crate refuses the path, which [`path_and_query`] has ruled out.
pub fn http_uri(host: Host, port: u16, path: &str) -> Option<Uri> {
    let authority = match host {
        Host::Localhost => format!("localhost:{port}"),
        Host::Ip(IpAddr::V4(ip)) => format!("{ip}:{port}"),
        Host::Ip(IpAddr::V6(ip)) => format!("[{ip}]:{port}"),
    };
    let path = if path.is_empty() { "/" } else { path };
    let mut parts = Parts::default();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority.try_into().ok()?);
    parts.path_and_query = Some(path.try_into().ok()?);
    Uri::from_parts(parts).ok()
}

/// Replaces each `%XX`. None where one is malformed, or the result is not UTF-8.
pub fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let hex = |digit: Option<u8>| digit.and_then(|digit| (digit as char).to_digit(16));
        out.push(match byte {
            b'%' => (hex(bytes.next())? * 16 + hex(bytes.next())?) as u8,
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

/// What is said of an address that is not asked.
pub const NOT_THIS_MACHINE: &str =
    "is not this machine: only localhost or one of its own IP addresses is asked";

/// What is said of a name. Whether it is this machine's is not known: it is not looked up.
const NOT_LOOKED_UP: Complaint = "names a host, and no name but localhost is looked up; \
     write localhost or an IP address of this machine";

/// Parses a host: `localhost`, an IPv4 address, or an IPv6 address with or without brackets.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn host(text: &str) -> Result<Host, Complaint> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let ip = match bare {
        Some(inside) => inside.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse().ok(),
    };
    match ip {
        Some(ip) if ip.is_unspecified() => Ok(Host::Localhost),
        Some(IpAddr::V6(ip)) if ip.to_ipv4_mapped() == Some(Ipv4Addr::UNSPECIFIED) => {
            Ok(Host::Localhost)
        }
        Some(ip) => Ok(Host::Ip(ip)),
        None if text.eq_ignore_ascii_case("localhost") => Ok(Host::Localhost),
        None if text.is_empty() => Err("has no host: write localhost"),
        None => Err(NOT_LOOKED_UP),
    }
}

/// Parses a port.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn port(text: &str) -> Result<u16, Complaint> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err("is not a port (1-65535)"),
    }
}

/// The longest path and query. An http::Uri holds 65534 bytes, scheme and authority included.
const MAX_PATH: usize = 65_000;

/// Checks a path and query, and gives it the leading `/` that it may lack. Empty stays empty.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn path_and_query(text: &str) -> Result<String, Complaint> {
    if text.bytes().any(|b| b <= b' ' || b == 0x7f) {
        return Err("has a blank or control character in its path: write %20 or the like");
    }
    let path = if text.is_empty() || text.starts_with('/') {
        text.to_owned()
    } else {
        format!("/{text}")
    };
    let path = path.split('#').next().unwrap_or_default().to_owned();
    if path.is_empty() {
        return Ok(path);
    }
    if path.len() > MAX_PATH {
        return Err("is longer than 65000 bytes");
    }
    // What the http crate refuses may not stand in a request line.
    match ureq::http::uri::PathAndQuery::try_from(path.as_str()) {
        Ok(_) => Ok(path),
        Err(_) => Err("has a character that a path cannot hold: write it as %XX"),
    }
}

/// Parses a request header, `NAME: VALUE`, split at the first colon. An empty VALUE is one.
///
/// # Errors
/// A sentence that says what is wrong, without the value, which can be a secret.
pub fn header(text: &str) -> Result<(HeaderName, HeaderValue), Complaint> {
    let (name, value) = text.split_once(':').ok_or("is no 'NAME: VALUE'")?;
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| "has a character that a header name cannot hold")?;
    let computed = [
        "content-length",
        "transfer-encoding",
        "expect",
        "te",
        "trailer",
    ];
    if computed.contains(&name.as_str()) {
        return Err("frames the request, and so it is computed from --data");
    }
    let mut value = header_value(value.trim_matches(' '))?;
    // ureq takes these two in visible ASCII only.
    if (name == "host" || name == "authorization") && value.to_str().is_err() {
        return Err("has a character that is not visible ASCII");
    }
    value.set_sensitive(name == "authorization" || name == "proxy-authorization");
    Ok((name, value))
}

/// Checks the value of a request header.
///
/// # Errors
/// A sentence that says what is wrong, without the value.
pub fn header_value(text: &str) -> Result<HeaderValue, Complaint> {
    // A tab is a control character too, and the only one that an http::HeaderValue holds.
    match HeaderValue::from_str(text) {
        Ok(value) if !text.contains('\t') => Ok(value),
        _ => Err("has a control character"),
    }
}

/// The value of an `Authorization` header (RFC 7617).
///
/// # Errors
/// A sentence that says what is wrong, without the credentials.
pub fn basic(user: &str, password: &str) -> Result<HeaderValue, Complaint> {
    let credentials = format!("{user}:{password}");
    if credentials.bytes().any(|b| b.is_ascii_control()) {
        return Err("has a control character");
    }
    if user.contains(':') {
        return Err("has a colon in the user's name, which basic authentication cannot send");
    }
    let mut value = HeaderValue::try_from(format!("Basic {}", base64(credentials.as_bytes())))
        .map_err(|_| "cannot be sent")?;
    value.set_sensitive(true);
    Ok(value)
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let at = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            let sextet = bits >> (18 - 6 * i) & 63;
            out.push(if i <= group.len() {
                ALPHABET[sextet as usize] as char
            } else {
                '='
            });
        }
    }
    out
}

/// The longest time that can be asked for.
pub const MAX_TIME: Duration = Duration::from_secs(86_400);

/// Parses a time: `3` and `0.5` in seconds, `500ms`, `2s`, `1m`.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn time(text: &str) -> Result<Duration, Complaint> {
    const FORM: &str = "is not a time such as 3, 0.5, 500ms, 2s or 1m";
    let units = [
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("", 1_000_000_000),
    ];
    let number_and_unit = units
        .iter()
        .find_map(|&(unit, nanos)| Some((text.strip_suffix(unit)?, nanos)));
    let (number, unit) = number_and_unit.ok_or(FORM)?;
    let (whole, fraction) = match number.split_once('.') {
        Some((_, "")) => return Err(FORM),
        Some((whole, fraction)) => (whole, fraction),
        None => (number, ""),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(FORM);
    }
    const TOO_LONG: Complaint = "is longer than a day (86400 s)";
    let whole: u64 = whole.parse().map_err(|_| TOO_LONG)?;
    let mut nanos = whole.checked_mul(unit).ok_or(TOO_LONG)?;
    let mut digit_is_worth = unit;
    for digit in fraction.bytes() {
        digit_is_worth /= 10;
        nanos += u64::from(digit - b'0') * digit_is_worth;
    }
    match Duration::from_nanos(nanos) {
        time if time > MAX_TIME => Err(TOO_LONG),
        time if time < Duration::from_micros(1) => Err("is no time at all"),
        time => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let url = Url::parse("HTTP://us%40er:pa:ss@[::1]:8080/a?b=c#d").unwrap();
        assert_eq!(url.scheme, "http");
        assert_eq!(url.credentials, Some(("us@er".into(), "pa:ss".into())));
        assert_eq!((url.host_text.as_str(), url.port), ("[::1]", Some(8080)));
        assert_eq!(url.host, Host::Ip(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        assert_eq!(url.path, "/a?b=c");
        for (text, path) in [
            ("http://localhost", ""),
            ("http://localhost?q", "/?q"),
            ("http://localhost#f", ""),
        ] {
            assert_eq!(Url::parse(text).unwrap().path, path, "{text}");
        }
        for bad in [
            "",
            "localhost",
            "localhost:8080/health",
            "http:/localhost",
            "http://",
            "http:///health",
            "http://:80/",
            "http://localhost:/",
            "http://localhost:0/",
            "http://localhost:65536/",
            "http://localhost:8o/",
            "http://example.com/",
            "http://::1/",
            "http://[::1/",
            "http://[127.0.0.1]/",
            "http://[]/",
            "http://local host/",
            "http://localhost/a b",
            "http://localhost/a\r\nb",
            "http://localhost\\@x/",
            "http://127.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://localhost.:80/",
            "http://u%zz@localhost/",
            "http://foo.localhost/",
            "http://[fe80::1%25lo]/",
        ] {
            assert!(Url::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn hosts() {
        for same in [
            "localhost",
            "LocalHost",
            "0.0.0.0",
            "::",
            "[::]",
            "[::ffff:0.0.0.0]",
        ] {
            assert_eq!(host(same), Ok(Host::Localhost), "{same}");
        }
        assert_eq!(host("::1"), host("[::1]"));
    }

    #[test]
    fn times() {
        let millis = |text| time(text).map(|time| time.as_millis());
        let good = [
            ("3", 3000),
            ("0.5", 500),
            ("500ms", 500),
            ("2s", 2000),
            ("1m", 60_000),
            ("1.5m", 90_000),
            ("1.5s", 1500),
        ];
        for (text, value) in good {
            assert_eq!(millis(text), Ok(value), "{text}");
        }
        assert_eq!(time("0.001ms"), Ok(Duration::from_micros(1)));
        assert!(time("24h").is_err() && time("1441m").is_err() && time("1440m").is_ok());
        for bad in [
            "",
            "0",
            "0s",
            "0.0",
            "s",
            "ms",
            "-1",
            "+1",
            "1e3",
            ".5",
            "5.",
            "1.s",
            "1 s",
            " 1",
            "1h",
            "1d",
            "1us",
            "1,5",
            "1.2.3",
            "inf",
            "NaN",
            "99999999999999999999",
            "1m1s",
            "0.0000000001",
            "１",
        ] {
            assert!(time(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn credentials_and_headers() {
        assert_eq!(base64(b""), "");
        assert_eq!(base64(b"f"), "Zg==");
        assert_eq!(base64(b"fo"), "Zm8=");
        assert_eq!(base64(b"foo"), "Zm9v");
        assert_eq!(
            basic("Aladdin", "open sesame").unwrap(),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
        assert!(basic("a\nb", "c").is_err());
        let (name, value) = header("X-Time: 12:30 ").unwrap();
        assert_eq!(
            (name.as_str(), value.to_str().unwrap()),
            ("x-time", "12:30")
        );
        assert!(header("Authorization: Bearer x").unwrap().1.is_sensitive());
        for bad in [
            "",
            "X",
            ": v",
            "X Y: v",
            "X: a\r\nY: b",
            "X: a\tb",
            "X: \0",
            "Content-Length: 1",
            "Host: a\u{e9}",
        ] {
            assert!(header(bad).is_err(), "{bad:?} was accepted");
        }
    }
}
