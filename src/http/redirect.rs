//! Redirects: where they lead, and what is asked there.

use super::Request;
use super::request;
use crate::net;
use crate::search::joined;
use crate::snippet::is_harmless;
use crate::target::url::Url;
use crate::target::{Host, Place};
use crate::verdict::NotFollowed;
use ureq::http::{Method, Uri, header};

impl Request {
    /// The request that a redirect asks for, with the method that browsers and curl use for it.
    ///
    /// # Errors
    /// Why it is not followed.
    pub fn redirected(&self, status: u16, to: &[u8]) -> Result<Request, NotFollowed> {
        let to = std::str::from_utf8(to).map_err(|_| NotFollowed::Elsewhere)?;
        // No URL has blanks, and every client takes them.
        let mut url = String::new();
        for character in to.chars() {
            match character {
                ' ' => url.push_str("%20"),
                character => url.push(character),
            }
        }
        let url = Url::parse(&absolute(&self.uri, &url)).map_err(|_| NotFollowed::Elsewhere)?;
        match (url.scheme.as_str(), url.host) {
            ("https", _) => return Err(NotFollowed::Tls),
            ("http", Host::Ip(ip)) if !net::is_here(ip) => return Err(NotFollowed::Elsewhere),
            // A service does not decide what `self` is.
            ("http", Host::Own) => return Err(NotFollowed::Elsewhere),
            ("http", _) => {}
            _ => return Err(NotFollowed::Elsewhere),
        }
        let port = url.port.unwrap_or(80);
        let uri = request::http_uri(url.host, port, &url.path).ok_or(NotFollowed::Elsewhere)?;
        let mut headers = self.headers.clone();
        if uri.authority() != self.uri.authority() {
            // It is another service, which must not be sent the credentials for the first one.
            headers
                .retain(|(name, _)| is_harmless(name.as_str().as_bytes()) && name != header::HOST);
        }
        let keeps = matches!(status, 307 | 308) || self.method == Method::HEAD;
        let becomes_get = !keeps && (status == 303 || self.method == Method::POST);
        let place = match &self.place {
            Place::Unix(path) => Place::Unix(path.clone()),
            Place::Port(..) => Place::Port(url.host, port),
        };
        let (method, data) = match becomes_get {
            true => (Method::GET, None),
            false => (self.method.clone(), self.data.clone()),
        };
        Ok(Request {
            place,
            method,
            uri,
            headers,
            data,
        })
    }
}

/// Whether a response with this status says where else to ask.
pub fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Resolves a reference against an absolute URL (RFC 3986, section 5.2).
fn absolute(base: &Uri, reference: &str) -> String {
    let reference = reference.split('#').next().unwrap_or_default();
    let end_of_path = reference.find('?').unwrap_or(reference.len());
    if reference[..end_of_path]
        .split('/')
        .next()
        .is_some_and(|first| first.contains(':'))
    {
        return reference.to_owned();
    }
    if reference.starts_with("//") {
        return format!("http:{reference}");
    }
    let authority = base
        .authority()
        .map_or("localhost", |authority| authority.as_str());
    let (path, query) = reference.split_at(end_of_path);
    let path = match path {
        "" if query.is_empty() => {
            return base.to_string();
        }
        "" => base.path().to_owned(),
        path if path.starts_with('/') => path.to_owned(),
        path => {
            let directory = base
                .path()
                .rsplit_once('/')
                .map_or("", |(directory, _)| directory);
            format!("{directory}/{path}")
        }
    };
    format!("http://{authority}{}{query}", without_dots(&path))
}

/// RFC 3986, section 5.2.4, for a path that begins with a slash.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", joined(&kept, "/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved() {
        let base: Uri = "http://localhost:8080/a/b/c?d=e".parse().unwrap();
        for (reference, url) in [
            ("/x", "http://localhost:8080/x"),
            ("x", "http://localhost:8080/a/b/x"),
            ("./x", "http://localhost:8080/a/b/x"),
            ("../x?y=/../z", "http://localhost:8080/a/x?y=/../z"),
            ("../../../x/.", "http://localhost:8080/x/"),
            ("..", "http://localhost:8080/a/"),
            ("?q", "http://localhost:8080/a/b/c?q"),
            ("#f", "http://localhost:8080/a/b/c?d=e"),
            ("", "http://localhost:8080/a/b/c?d=e"),
            ("//localhost:9090/x", "http://localhost:9090/x"),
            ("http://example.com/x", "http://example.com/x"),
            ("mailto:a@b", "mailto:a@b"),
        ] {
            assert_eq!(absolute(&base, reference), url, "{reference}");
        }
    }
}
