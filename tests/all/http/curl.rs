//! The same service asked by the installed curl and by the binary, whose options have curl's names: where they differ, the
//! table says why.

use crate::support::{Run, Server, Skip, check, deaf_port, read_request, runner};
use libtest_mimic::Trial;
use proptest::prelude::*;
use proptest::sample::select;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    trials![
        the_same_verdict_as_curl,
        other_questions,
        redirects_as_curl_follows_them,
        nobody_who_answers,
        generated_replies,
    ]
}

/// What curl asks, whatever the options. Its own configuration and proxies stay out of it.
fn curl(options: &[&str], url: &str) -> Output {
    let mut command = Command::new("curl");
    let quiet = ["-q", "-s", "-o", "/dev/null", "--max-time", "10"];
    command.env_clear().args(quiet).args(options).arg(url);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.output().expect("run curl")
}

/// The version of the installed curl.
fn has_curl() -> Result<String, Skip> {
    match Command::new("curl").arg("--version").output() {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into()),
        _ => Err(Skip::new("no curl")),
    }
}

/// How the checker's verdict relates to `curl -f`.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Verdict {
    /// Both are content.
    Well,
    /// Neither is.
    Ill,
    /// Only the checker is, because of this.
    OnlyOurs(&'static str),
    /// Only curl is, because of this.
    OnlyCurls(&'static str),
}

use Verdict::{Ill, OnlyCurls, OnlyOurs, Well};

impl Verdict {
    fn ours(self) -> bool {
        matches!(self, Well | OnlyOurs(_))
    }

    fn curls(self) -> bool {
        matches!(self, Well | OnlyCurls(_))
    }
}

/// What `curl -f` is content with: every final status below 400.
const FAIL: &[&str] = &["--status", "200-399,101"];
/// The same, and the whole body is read, as curl does: the text is in no body here, and only the end tells that.
const WHOLE: &[&str] = &["--status", "200-399,101", "--body-not", "\u{1}none"];

// Why they differ. Most of what curl puts up with is a reply that another client would read as something else.
const UNREAD: &str = "the status is the verdict, and nothing was asked of the body that is wrong";
const CUT_HEAD: &str = "a head must arrive whole; curl calls even a 503 that was cut off a success";
const STATUS_LINE: &str = "it does not begin with a status line of HTTP/1";
const FIELD_NAME: &str = "no blank may stand before the colon (RFC 9112, section 5.1)";
const LENGTH: &str = "a length is digits, and one past 64 bits is none";
const CHUNK_LINES: &str = "the lines between chunks end in CR LF (RFC 9112, section 7.1)";
const CODED: &str = "what is coded cannot be judged, and curl hands it on as it came";
const NOT_CHUNKED: &str =
    "HTTP/1.0 has no chunks: whether these are some, or text, cannot be known";
const TRAILER: &str = "all content has come, and nobody asks about trailer fields";
const FOLDED: &str =
    "folded lines are joined (RFC 9112, section 5.2), and curl takes the length for a bad one";
const SWITCHES: &str =
    "a 101 is a final response, and curl misses what follows in the other protocol";

/// A service whose reply can be set, and asked by both.
struct Service {
    server: Server,
    reply: Arc<Mutex<Vec<u8>>>,
    /// Whether curl is the one of Debian 12. Another version may agree with the checker where the tables say that they differ.
    is_known: bool,
}

impl Service {
    fn new() -> Result<Self, Skip> {
        let is_known = has_curl()?.starts_with("curl 7.88.");
        let reply: Arc<Mutex<Vec<u8>>> = Arc::default();
        let next = reply.clone();
        let server = Server::new(move |connection| {
            read_request(connection);
            answer(connection, &next.lock().expect("the reply"));
        });
        Ok(Service {
            server,
            reply,
            is_known,
        })
    }

    /// Asks both, and fails unless they answer as `verdict` says. Where both are content, they must name the same status.
    fn compare(
        &self,
        reply: &[u8],
        ours: &[&str],
        curls: &[&str],
        verdict: Verdict,
    ) -> Result<(), String> {
        *self.reply.lock().expect("the reply") = reply.to_vec();
        let url = self.server.url("/");
        let run = check(ours.iter().chain([&"-t", &"10", &&*url]));
        let output = curl(&[&["-f", "-w", "%{http_code}"], curls].concat(), &url);
        let may_agree = !self.is_known && matches!(verdict, OnlyOurs(_) | OnlyCurls(_));
        let as_told = (run.code == Some(0)) == verdict.ours()
            && (may_agree || output.status.success() == verdict.curls());
        let same = verdict != Well || status(&run) == String::from_utf8_lossy(&output.stdout);
        match as_told && same {
            true => Ok(()),
            false => {
                let reply = String::from_utf8_lossy(reply);
                Err(format!(
                    "{verdict:?} after {reply:?}\n  curl {curls:?}: {output:?}\n  {run}"
                ))
            }
        }
    }

    /// The same for a table.
    #[track_caller]
    fn compare_all(&self, ours: &[&str], curls: &[&str], rows: &[(&[u8], Verdict)]) {
        let compared = rows
            .iter()
            .map(|(reply, verdict)| self.compare(reply, ours, curls, *verdict));
        let wrong: Vec<String> = compared.filter_map(Result::err).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// Sends, if anybody still listens; and waits until the other has hung up, so that a reply that is not read to its end is no
/// reset.
fn answer(connection: &mut TcpStream, reply: &[u8]) {
    let _ = connection.write_all(reply);
    let _ = connection.shutdown(std::net::Shutdown::Write);
    while connection.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {}
}

/// The status in a healthy line.
fn status(run: &Run) -> String {
    let said = run.stdout.rsplit(": ").next().unwrap_or_default();
    said.chars().take(3).collect()
}

#[rustfmt::skip]
fn the_same_verdict_as_curl() -> Result<(), Skip> {
    Service::new()?.compare_all(WHOLE, &[], &[
        // Statuses.
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nUP", Well),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nUP", Well),
        (b"HTTP/1.1 200 \nContent-Length: 2\n\nUP", Well),
        (b"HTTP/1.0 200 OK\r\n\r\nUP", Well),
        (b"HTTP/1.1 299 x\r\nContent-Length: 0\r\n\r\n", Well),
        (b"HTTP/1.1 300 x\r\nContent-Length: 0\r\n\r\n", Well),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", Well),
        (b"HTTP/1.1 399 x\r\nContent-Length: 0\r\n\r\n", Well),
        (b"HTTP/1.1 400 x\r\nContent-Length: 0\r\n\r\n", Ill),
        (b"HTTP/1.1 401 x\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", Ill),
        (b"HTTP/1.1 404 x\r\nContent-Length: 2\r\n\r\nno", Ill),
        (b"HTTP/1.1 500 x\r\n\r\nDOWN", Ill),
        (b"HTTP/1.1 503 x\r\nContent-Length: 4\r\n\r\nDOWN", Ill),
        (b"HTTP/1.1 599 x\r\n\r\n", Ill),
        (b"HTTP/1.1 600 x\r\n\r\n", Ill),
        (b"HTTP/1.1 204 x\r\n\r\n", Well),
        (b"HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n", Well),
        (b"HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n", Well),
        (b"HTTP/1.1 205 x\r\nContent-Length: 0\r\n\r\n", Well),
        // Interim responses.
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nUP", Well),
        (b"HTTP/1.1 103 x\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nUP", Well),
        (b"HTTP/1.1 100 x\r\n\r\nHTTP/1.1 102 x\r\n\r\nHTTP/1.1 503 OK\r\n\r\n", Ill),
        (b"HTTP/1.1 100 Continue\r\n\r\n", Ill),
        // Length-delimited bodies.
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Well),
        (b"HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\nUPDOWN", Well),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nUP", Well),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nUP", Ill),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", Ill),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nUP", Ill),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nUP", Ill),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nUP", Ill),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nUP", Well),
        (b"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nUP", Ill),
        (b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nUP", OnlyCurls(LENGTH)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nUP", OnlyCurls(LENGTH)),
        (b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length:\r\n 2\r\n\r\nUP", OnlyOurs(FOLDED)),
        // Chunked bodies.
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nUP\r\n0\r\n\r\n", Well),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: CHUNKED\r\n\r\n2;a=b\r\nUP\r\n0\r\nX-Trailer: y\r\n\r\n", Well),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n2\r\nUP\r\n0\r\n\r\n", Well),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Well),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n02\r\nUP\r\n00\r\n\r\n", Well),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nUP\r\n", Ill),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nUP", Ill),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Ill),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nUP\r\n0\r\n\r\n", Ill),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nUP\r\n0\r\n\r\n", Ill),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nUPX\r\n0\r\n\r\n", Ill),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nUP\n0\n\n", OnlyCurls(CHUNK_LINES)),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", OnlyOurs(TRAILER)),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\njunk", Well),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", OnlyCurls(CODED)),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: frob\r\n\r\n0\r\n\r\n", Ill),
        // Bodies that last until the connection closes.
        (b"HTTP/1.1 200 OK\r\n\r\n", Well),
        (b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\nUP", Well),
        // Fields.
        (b"HTTP/1.1 200 OK\r\nX : a\r\n\r\nUP", OnlyCurls(FIELD_NAME)),
        (b"HTTP/1.1 200 OK\r\nno field\r\n\r\nUP", Ill),
        (b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\nUP", Ill),
        // Codings.
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\nUP", Well),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nUP", OnlyCurls(CODED)),
        (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nUP\r\n0\r\n\r\n", OnlyCurls(NOT_CHUNKED)),
        // No head.
        (b"", Ill),
        (b"HTTP/1.1 200 OK\r\n", OnlyCurls(CUT_HEAD)),
        (b"HTTP/1.1 200 OK\r\nX: y\r\n", OnlyCurls(CUT_HEAD)),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunk", OnlyCurls(CUT_HEAD)),
        (b"HTTP/1.1 200 OK", Ill),
        (b"HTTP/1.1 503 OK\r\nX: y\r\n", OnlyCurls(CUT_HEAD)),
        (b"SSH-2.0-OpenSSH\r\n", Ill),
        (b"<html>UP</html>", Ill),
        (b"HTTP/1.1 20 OK\r\n\r\n", Ill),
        (b"HTTP/1.1 abc OK\r\n\r\n", Ill),
        (b"HTTP/3.7 200 OK\r\n\r\n", Ill),
        (b"HTTP/2 200 OK\r\n\r\nUP", OnlyCurls(STATUS_LINE)),
        (b"HTTP/1.2 200 OK\r\n\r\nUP", Ill),
        (b"http/1.1 200 OK\r\n\r\nUP", OnlyCurls(STATUS_LINE)),
        (b"HTTP/1.1  200 OK\r\n\r\nUP", OnlyCurls(STATUS_LINE)),
        (b"HTTP/1.1 2000 OK\r\n\r\nUP", Ill),
        (b"HTTP/1.1 200OK\r\n\r\nUP", OnlyCurls(STATUS_LINE)),
        (b"HTTP/1.1 099 OK\r\n\r\nUP", Ill),
        (b"HTTP/1.1 199 OK\r\n\r\n", Ill),
        (b"HTTP/1.1 101 OK\r\n\r\n", OnlyOurs(SWITCHES)),
        (b"\r\nHTTP/1.1 200 OK\r\n\r\nUP", Ill),
        (b"junk\r\nHTTP/1.1 200 OK\r\n\r\nUP", Ill),
        (b"ICY 200 OK\r\n\r\nUP", Ill),
    ]);
    Ok(())
}

#[rustfmt::skip]
fn other_questions() -> Result<(), Skip> {
    let service = Service::new()?;
    // The body is not looked at unless something is expected of it.
    service.compare_all(FAIL, &[], &[
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nUP", Well),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nUP", OnlyOurs(UNREAD)),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nUP", OnlyOurs(UNREAD)),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", OnlyOurs(UNREAD)),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nUP", Well),
    ]);
    // Without `-f`, every status will do.
    service.compare_all(&["--status", "101,200-999"], &["--no-fail"], &[
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nUP", Well),
        (b"HTTP/1.1 404 x\r\nContent-Length: 2\r\n\r\nno", Well),
        (b"HTTP/1.1 503 x\r\n\r\nDOWN", Well),
        (b"", Ill),
    ]);
    // To a HEAD comes no body, whatever the head announces.
    service.compare_all(&["--status", "200-399", "-X", "HEAD"], &["-I"], &[
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", Well),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Well),
        (b"HTTP/1.1 200 OK\r\n\r\n", Well),
        (b"HTTP/1.1 404 x\r\nContent-Length: 9\r\n\r\n", Ill),
        (b"HTTP/1.1 200 OK\r\nX: y\r\n", OnlyCurls(CUT_HEAD)),
        (b"", Ill),
    ]);
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let (ours, curls) = ([FAIL, &["-X", method]].concat(), ["-X", method]);
        service.compare_all(&ours, &curls, &[
            (b"HTTP/1.1 201 x\r\nContent-Length: 0\r\n\r\n", Well),
            (b"HTTP/1.1 405 x\r\nContent-Length: 0\r\n\r\n", Ill),
        ]);
    }
    let (ours, curls) = ([FAIL, &["-d", "a=b"]].concat(), ["-d", "a=b"]);
    service.compare_all(&ours, &curls, &[
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nUP", Well),
        (b"HTTP/1.1 400 x\r\nContent-Length: 0\r\n\r\n", Ill),
    ]);
    Ok(())
}

/// A service of which each path is a number of redirects that are still to come; `/loop` leads to itself.
fn redirects_as_curl_follows_them() -> Result<(), Skip> {
    has_curl()?;
    let server = Server::new(|connection| {
        let request = String::from_utf8(read_request(connection)).expect("a request in UTF-8");
        let path = request.split(['/', ' ', '?']).nth(2).unwrap_or_default();
        let (status, rest) = path.split_once('-').unwrap_or((path, ""));
        let location = match rest.parse::<u32>() {
            Ok(0) => "Location: /200\r\n".to_owned(),
            Ok(more) => format!("Location: {status}-{}\r\n", more - 1),
            Err(_) => match rest {
                "loop" => format!("Location: /{path}\r\n"),
                "down" => "Location: ../503\r\n".to_owned(),
                "query" => "Location: 200?a=b#c\r\n".to_owned(),
                "elsewhere" => "Location: ftp://localhost:1/\r\n".to_owned(),
                _ => String::new(),
            },
        };
        answer(
            connection,
            format!("HTTP/1.1 {status} x\r\n{location}Content-Length: 0\r\n\r\n").as_bytes(),
        );
    });
    // The protocols and the number of redirects that the checker follows.
    let curls = ["-f", "-L", "--max-redirs", "5", "--proto-redir", "=http"];
    for status in [301, 302, 303, 307, 308] {
        for (rest, healthy) in [
            ("0", true),
            ("4", true),
            ("5", false),
            ("loop", false),
            ("down", false),
            ("query", true),
            ("elsewhere", false),
            // Without a `Location`, the status is the verdict.
            ("nowhere", true),
        ] {
            let url = server.url(&format!("/{status}-{rest}"));
            let run = check(["-L", "--status", "200-399", "-t", "10", &*url]);
            let output = curl(&curls, &url);
            assert_eq!(run.code == Some(0), healthy, "{run}");
            assert_eq!(output.status.success(), healthy, "{url}: {output:?}");
        }
    }
    Ok(())
}

fn nobody_who_answers() -> Result<(), Skip> {
    has_curl()?;
    let (_socket, port) = deaf_port();
    let refused = format!("http://127.0.0.1:{port}/");
    let resets = Server::new(|connection| {
        read_request(connection);
        let now = Some(Duration::ZERO);
        rustix::net::sockopt::set_socket_linger(connection, now).expect("set SO_LINGER");
    });
    let silent = Server::new(|connection| {
        read_request(connection);
        let _ = connection.read(&mut [0]);
    });
    let drips = Server::new(|connection| {
        read_request(connection);
        let forever = b"HTTP/1.1 200 OK\r\nX: "
            .iter()
            .chain(std::iter::repeat(&b'y'));
        for byte in forever {
            if connection.write_all(&[*byte]).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    for (url, time) in [
        (refused, "10"),
        (resets.url("/"), "10"),
        (silent.url("/"), "0.3"),
        (drips.url("/"), "0.3"),
    ] {
        let run = check(["-t", time, &*url]);
        let output = curl(&["-f", "--max-time", time], &url);
        assert_eq!(run.code, Some(1), "{run}");
        assert!(!output.status.success(), "{url}: {output:?}");
    }
    Ok(())
}

/// Replies that are put together at random, so that most have a head: curl and the checker agree on each.
fn generated_replies() -> Result<(), Skip> {
    let service = Service::new()?;
    let interim = select(vec![
        "",
        "",
        "",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 103 x\r\nX: y\r\n\r\n",
    ]);
    let version = select(vec!["HTTP/1.1", "HTTP/1.1", "HTTP/1.0"]);
    let status = select(vec![
        200u16, 201, 204, 299, 301, 304, 399, 400, 404, 500, 503,
    ]);
    let reason = select(vec![" OK", " ", "", " a b: c"]);
    let fields = prop::collection::vec(
        select(vec![
            "X: y\r\n",
            "Server: a\r\n",
            "Connection: close\r\n",
            "X-Empty:\r\n",
            "X:\tz \r\n",
        ]),
        0..4,
    );
    // A field that frames the body, and the body.
    let framed = prop_oneof![
        (0..6usize, 0..6usize).prop_map(|(length, come)| (
            format!("Content-Length: {length}\r\n"),
            "UPDOWN"[..come].to_owned()
        )),
        (0..6usize).prop_map(|come| (String::new(), "UPDOWN"[..come].to_owned())),
        (prop::collection::vec(1..6usize, 0..3), any::<bool>()).prop_map(|(chunks, ends)| {
            let chunks: String = chunks
                .iter()
                .map(|&length| format!("{length:x}\r\n{}\r\n", &"UPDOWN"[..length]))
                .collect();
            let end = if ends { "0\r\n\r\n" } else { "" };
            ("Transfer-Encoding: chunked\r\n".to_owned(), chunks + end)
        }),
    ];
    let replies = (interim, version, status, reason, fields, framed);
    runner(60)
        .run(
            &replies,
            |(interim, version, status, reason, fields, (framing, body))| {
                // HTTP/1.0 knows no chunks, and here the two differ: curl decodes them nevertheless.
                let version = if framing.starts_with("T") {
                    "HTTP/1.1"
                } else {
                    version
                };
                let reply = format!(
                    "{interim}{version} {status}{reason}\r\n{}{framing}\r\n{body}",
                    fields.concat()
                );
                let output_is_whole = matches!(status, 204 | 304) || is_whole(&framing, &body);
                let verdict = if status < 400 && output_is_whole {
                    Well
                } else {
                    Ill
                };
                service
                    .compare(reply.as_bytes(), WHOLE, &[], verdict)
                    .map_err(TestCaseError::fail)
            },
        )
        .unwrap_or_else(|error| panic!("{error}"));
    Ok(())
}

/// Whether a generated body is as long as its framing says.
fn is_whole(framing: &str, body: &str) -> bool {
    match framing.strip_prefix("Content-Length: ") {
        Some(length) => length
            .trim()
            .parse()
            .is_ok_and(|length: usize| body.len() >= length),
        None => framing.is_empty() || body.ends_with("0\r\n\r\n"),
    }
}
