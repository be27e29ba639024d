//! A TARGET, or the options in place of one, to what is asked.

use super::{Given, Usage, Variables, shown, unbraced};
use crate::check::{self, Ask, Host, Http, Place, Target, Url};
use crate::expect::BodyExpectations;
use crate::probe::handshake;
use crate::vars::split_once;
use std::ffi::OsStr;
use ureq::http::{HeaderValue, Method, header};

/// A kind of target.
pub struct Scheme {
    /// Its name, before the colon.
    pub name: &'static str,
    /// What follows the scheme, for those whose default port does not say it.
    rest: &'static str,
    port: Option<u16>,
    /// What a healthy verdict proves.
    pub proves: &'static str,
}

impl Scheme {
    /// How such a target is written.
    pub fn form(&self) -> String {
        match self.port {
            Some(port) => format!("{}://HOST[:{port}]{}", self.name, self.rest),
            None => format!("{}:{}", self.name, self.rest),
        }
    }
}

const fn scheme(
    name: &'static str,
    port: Option<u16>,
    rest: &'static str,
    proves: &'static str,
) -> Scheme {
    Scheme {
        name,
        rest,
        port,
        proves,
    }
}

/// The schemes with a probe of their own; the others are the rows of [`handshake::TABLE`].
const OWN: &[Scheme] = &[
    scheme("http", Some(80), "[/PATH]", "the response is as expected"),
    scheme(
        "tcp",
        None,
        "//HOST:PORT",
        "it listens, though perhaps it never accepts; with --body, it replies so",
    ),
    scheme(
        "grpc",
        None,
        "//HOST:PORT[/SERVICE]",
        "grpc.health.v1 says SERVING",
    ),
    scheme(
        "fastcgi",
        Some(9000),
        "/PATH",
        "the application answers PATH with a 2xx (php-fpm: ping.path)",
    ),
    scheme(
        "pid",
        None,
        "FILE[?name=NAME]",
        "the process whose PID is in FILE runs, as NAME",
    ),
    scheme(
        "file",
        None,
        "PATH[?max-age=TIME]",
        "PATH exists and was touched within TIME",
    ),
];

/// Every scheme.
pub fn all() -> impl Iterator<Item = Scheme> {
    let own = OWN
        .iter()
        .map(|row| scheme(row.name, row.port, row.rest, row.proves));
    own.chain(
        handshake::TABLE
            .iter()
            .map(|row| scheme(row.scheme, Some(row.port), "", row.proves)),
    )
}

/// The target that `--host`, `--port` and `--path` describe.
///
/// # Errors
/// [`Usage`].
pub fn from_options(given: &Given, variables: Variables) -> Result<Target, Usage> {
    let port = match (
        given.port,
        variables("PORT").filter(|port| !port.is_empty()),
    ) {
        (Some(port), _) => port,
        (None, Some(text)) => check::port(&text.to_string_lossy())
            .map_err(|complaint| Usage(format!("$PORT: \"{}\" {complaint}", shown(&text))))?,
        (None, None) => 80,
    };
    let (text, host) = given
        .host
        .clone()
        .unwrap_or(("localhost".into(), Host::Localhost));
    let bare_v6 = text.contains(':') && !text.starts_with('[');
    let text = if bare_v6 { format!("[{text}]") } else { text };
    let path = given.path.clone().unwrap_or("/health".into());
    http_target(given, &text, host, port, &path, None)
        .map_err(|complaint| Usage(format!("--path: {complaint}")))
}

/// The target that a URL describes.
///
/// # Errors
/// [`Usage`].
pub fn from_url(text: &str, given: &Given) -> Result<Target, Usage> {
    parse(text, given).map_err(|complaint| {
        Usage(format!(
            "TARGET: \"{}\" {complaint}{}",
            shown(OsStr::new(text)),
            unbraced(text)
        ))
    })
}

fn parse(text: &str, given: &Given) -> Result<Target, String> {
    if let Some((name @ ("pid" | "file"), rest)) = text.split_once(':') {
        return local(name, rest);
    }
    // The scheme comes first: that `unix:///x` has no host is not what is wrong with it.
    let (name, _) = split_once(text, "://").ok_or(check::NOT_A_URL)?;
    if name.eq_ignore_ascii_case("https") {
        return Err("needs TLS, which this program does not speak: ask the port that speaks plain HTTP, or tls://".into());
    }
    let Some(scheme) = all().find(|scheme| scheme.name.eq_ignore_ascii_case(name)) else {
        return Err("has a scheme that is not known (--help lists them)".into());
    };
    let url = Url::parse(text)?;
    if scheme.name == "http" {
        return http_url(&url, given);
    }
    let postgres = scheme.name == "postgres";
    match &url.credentials {
        Some((_, password)) if postgres && !password.is_empty() => {
            return Err(
                "has a password, and nobody logs in: the user's name is all that is sent".into(),
            );
        }
        Some(_) if !postgres => {
            return Err(format!(
                "has credentials, which mean nothing to {}",
                scheme.name
            ));
        }
        _ => {}
    }
    let port = url.port.or(scheme.port);
    let port = match (port, &given.unix_socket) {
        (Some(port), _) => port,
        // Only the socket counts.
        (None, Some(_)) => 0,
        (None, None) => return Err("needs a port".into()),
    };
    let host_port = if port == 0 {
        url.host_text.clone()
    } else {
        format!("{}:{port}", url.host_text)
    };
    let mut name = format!("{}://{host_port}", scheme.name);
    let hello = if postgres {
        postgres_hello(&url)?
    } else {
        None
    };
    if hello.is_some() {
        name.push_str(url.path.trim_end_matches('/'));
    }
    let ask = match scheme.name {
        "grpc" => {
            let service = url.path.trim_start_matches('/').to_owned();
            if service.len() > 1024 {
                return Err("has a service name longer than 1024 bytes".into());
            }
            if !service.is_empty() {
                name = format!("{name}/{service}");
            }
            Ask::Grpc {
                authority: host_port,
                service,
            }
        }
        "fastcgi" => {
            let (script, query) = url.path.split_once('?').unwrap_or((&url.path, ""));
            if script.len() < 2 {
                return Err("needs a path, such as php-fpm's ping.path".into());
            }
            name.push_str(&url.path);
            Ask::FastCgi {
                script: script.to_owned(),
                query: query.to_owned(),
            }
        }
        other if !postgres && !matches!(url.path.as_str(), "" | "/") => {
            return Err(format!("has a path, which means nothing to {other}"));
        }
        "tcp" => Ask::Tcp {
            send: given.send.clone().unwrap_or_default(),
            // What is expected of a JSON body is expected of HTTP alone.
            expect: BodyExpectations {
                json: Vec::new(),
                ..given.body.clone()
            },
        },
        other => match handshake::TABLE.iter().find(|row| row.scheme == other) {
            Some(row) => Ask::Handshake { row, hello },
            None => return Err("has a scheme that is not known".into()),
        },
    };
    Ok(Target {
        name,
        place: place(given, url.host, port),
        ask,
    })
}

/// What is said to a PostgreSQL when the URL names a role or a database; else what its row says will do.
fn postgres_hello(url: &Url) -> Result<Option<Vec<u8>>, &'static str> {
    let database = url.path.trim_start_matches('/');
    if url.credentials.is_none() && database.is_empty() {
        return Ok(None);
    }
    if database.contains(['?', '/']) {
        return Err("has more than a database in its path");
    }
    let control = |c: char| c.is_ascii_control();
    let user = url
        .credentials
        .as_ref()
        .map_or("postgres", |(user, _)| user);
    match check::percent_decoded(database) {
        Some(database) if !user.contains(control) && !database.contains(control) => {
            Ok(Some(handshake::postgres_startup(user, &database)))
        }
        _ => Err("has a control character or a bad %XX in its user or database"),
    }
}

fn place(given: &Given, host: Host, port: u16) -> Place {
    match &given.unix_socket {
        Some(file) => Place::Unix(file.clone()),
        None => Place::Tcp(host, port),
    }
}

/// `pid:FILE?name=NAME` and `file:PATH?max-age=TIME`; a file can also be written as in `file:///PATH`.
fn local(scheme: &str, rest: &str) -> Result<Target, String> {
    let (file, query) = match rest.split_once('?') {
        Some((file, query)) => (file, Some(query)),
        None => (rest, None),
    };
    let file = match file.strip_prefix("//") {
        Some(absolute) if absolute.starts_with('/') => absolute,
        Some(_) => return Err("names a host: files are this machine's, as in file:///path".into()),
        None => file,
    };
    let file = check::percent_decoded(file)
        .filter(|file| !file.contains('\0'))
        .ok_or("has a bad %XX in its path")?;
    if file.is_empty() {
        return Err("names no file".into());
    }
    let key = if scheme == "pid" { "name=" } else { "max-age=" };
    let value = match query.map(|query| query.strip_prefix(key).ok_or(query)) {
        Some(Err(query)) => {
            return Err(format!(
                "has \"?{}\", where only ?{key} means something",
                shown(OsStr::new(query))
            ));
        }
        Some(Ok("")) => return Err(format!("has no value after {key}")),
        Some(Ok(value)) => Some(value),
        None => None,
    };
    let name = format!("{scheme}:{rest}");
    let ask = match scheme {
        "pid" => {
            let name = value
                .map(|name| check::percent_decoded(name).ok_or("has a bad %XX in its name"))
                .transpose()?;
            Ask::Pid {
                file: file.into(),
                name,
            }
        }
        _ => {
            let bad = |complaint| format!("has a max-age that {complaint}");
            Ask::File {
                file: file.into(),
                max_age: value.map(check::time).transpose().map_err(bad)?,
            }
        }
    };
    // It is nowhere that one could connect to; the place is not looked at.
    Ok(Target {
        name,
        place: Place::Tcp(Host::Localhost, 0),
        ask,
    })
}

fn http_url(url: &Url, given: &Given) -> Result<Target, String> {
    let authorization = match &url.credentials {
        Some(_) if given.user.is_some() => return Err("has credentials, and so has --user".into()),
        Some(_)
            if given
                .headers
                .iter()
                .any(|(name, _)| name == header::AUTHORIZATION) =>
        {
            return Err("has credentials, and so has --header".into());
        }
        Some((user, password)) => Some(check::basic(user, password)?),
        None => None,
    };
    let port = url.port.unwrap_or(80);
    Ok(http_target(
        given,
        &url.host_text,
        url.host,
        port,
        &url.path,
        authorization,
    )?)
}

/// Replaces the escapes of `--send`.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn unescape(text: &str) -> Result<Vec<u8>, &'static str> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        let hex = |digit: Option<u8>| digit.and_then(|digit| (digit as char).to_digit(16));
        out.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'r') => b'\r',
                Some(b'n') => b'\n',
                Some(b't') => b'\t',
                Some(b'0') => 0,
                Some(b'\\') => b'\\',
                Some(b'x') => match (hex(bytes.next()), hex(bytes.next())) {
                    (Some(high), Some(low)) => (high * 16 + low) as u8,
                    _ => return Err("has a \\x that is not followed by two hexadecimal digits"),
                },
                _ => return Err("has an escape that is none of \\r \\n \\t \\0 \\xHH \\\\"),
            },
            byte => byte,
        });
    }
    if out.is_empty() {
        Err("is nothing to send")
    } else {
        Ok(out)
    }
}

fn http_target(
    given: &Given,
    host_text: &str,
    host: Host,
    port: u16,
    path: &str,
    authorization: Option<HeaderValue>,
) -> Result<Target, &'static str> {
    let uri = check::http_uri(host, port, path).ok_or("cannot stand in a request")?;
    let path = if path.is_empty() { "/" } else { path };
    let agent = HeaderValue::from_static(concat!("healthchecker/", env!("CARGO_PKG_VERSION")));
    let computed = [
        (
            header::USER_AGENT,
            Some(given.user_agent.clone().unwrap_or(agent)),
        ),
        (header::CONNECTION, Some(HeaderValue::from_static("close"))),
        // What is expected of a body is looked for in the text itself.
        (
            header::ACCEPT_ENCODING,
            Some(HeaderValue::from_static("identity")),
        ),
        (header::AUTHORIZATION, authorization.or(given.user.clone())),
    ];
    // What is computed gives way to what is given; what is given twice is sent twice.
    let mut headers = given.headers.clone();
    for (name, value) in computed {
        if let (Some(value), false) = (value, given.headers.iter().any(|(given, _)| *given == name))
        {
            headers.push((name, value));
        }
    }
    let default_method = if given.data.is_some() {
        Method::POST
    } else {
        Method::GET
    };
    Ok(Target {
        name: format!("http://{host_text}:{port}{path}"),
        place: place(given, host, port),
        ask: Ask::Http(Box::new(Http {
            method: given.method.clone().unwrap_or(default_method),
            uri,
            headers,
            data: given.data.clone(),
            follow: given.follow,
            statuses: given.statuses.clone().unwrap_or_default(),
            header: given.expect_header.clone(),
            body: given.body.clone(),
        })),
    })
}
