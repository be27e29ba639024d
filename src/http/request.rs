//! A request, and its parts as people write them: method, header, credentials, and the URI of a place.

use crate::base64::base64_padded;
use crate::target::{Complaint, Host, Place};
use std::net::IpAddr;
use ureq::http::uri::{Parts, Scheme};
use ureq::http::{HeaderName, HeaderValue, Method, Uri, header};

/// A request, and where it goes.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where it is sent, whatever the URI says.
    pub place: Place,
    /// The method.
    pub method: Method,
    /// Scheme, authority and path.
    pub uri: Uri,
    /// The headers, but for those that ureq computes.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub data: Option<String>,
}

/// Parses a method.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn method(text: &str) -> Result<Method, Complaint> {
    match Method::from_bytes(text.as_bytes()) {
        Ok(Method::CONNECT) => Err("is for proxies, and cannot check health"),
        Ok(method) => Ok(method),
        Err(_) => Err("is not a method such as GET or HEAD"),
    }
}

/// Parses `USER:PASSWORD`, and returns the value of its `Authorization` header.
///
/// # Errors
/// A sentence that says what is wrong, without the credentials.
pub fn user(text: &str) -> Result<HeaderValue, Complaint> {
    let (user, password) = text
        .split_once(':')
        .ok_or("has no colon between user and password")?;
    basic(user, password)
}

/// Request headers that can be given once.
pub const SINGLE: [HeaderName; 4] = [
    header::HOST,
    header::AUTHORIZATION,
    header::USER_AGENT,
    header::CONNECTION,
];

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
    let mut value =
        HeaderValue::try_from(format!("Basic {}", base64_padded(credentials.as_bytes())))
            .map_err(|_| "cannot be sent")?;
    value.set_sensitive(true);
    Ok(value)
}

/// The `http` URL of a place. The authority is the canonical one, so that `0.0.0.0` asks a virtual host `localhost`.
/// None when the http crate refuses the path, which [`path_and_query`](crate::target::url::path_and_query) has ruled out.
// Inlined into its three callers, it would cost 600 bytes.
#[inline(never)]
pub fn http_uri(host: Host, port: u16, path: &str) -> Option<Uri> {
    let authority = match host {
        Host::Localhost | Host::Own => format!("localhost:{port}"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_and_headers() {
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
