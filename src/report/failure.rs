//! The words for why a target is not healthy.

use super::time::{age, limit, time};
use super::words::Words;
use crate::http::MAX_HEAD;
use crate::search::joined;
use crate::snippet::{Snippet, printable};
use crate::verdict::{Failure, NotFollowed, Peer, Phase};
use std::path::Path;
use std::time::Duration;

impl Words<'_> {
    /// What follows the target's name.
    pub fn failure(&self, failure: &Failure) -> String {
        match failure {
            Failure::Refused(peers) => refused(peers),
            Failure::Unreachable { peer, errno } => unreachable(peer, *errno),
            Failure::NotThisMachine(ip) => {
                format!("{ip} is not an address of this machine; nothing was sent")
            }
            Failure::TimedOut { phase, peer } => timed_out(*phase, peer.as_ref(), self.timeout),
            Failure::NotAsked => format!(
                "not asked: the targets before it took all of the {}",
                time(self.timeout)
            ),
            Failure::ClosedEarly { phase, got } => self.closed_early(*phase, got),
            Failure::Reset { phase } => format!("connection reset while {}", doing(*phase)),
            Failure::Io { phase, errno } => {
                format!("{} while {}", system_error(*errno), doing(*phase))
            }
            Failure::NotHttp { got, .. } => self.begins("HTTP", got),
            Failure::WrongProtocol { scheme, got, .. } => self.begins(scheme, got),
            Failure::BadHead { why, got } => {
                format!("malformed HTTP response head ({why}): {}", self.shown(got))
            }
            Failure::LongHead => format!("HTTP response head longer than {} KiB", MAX_HEAD / 1024),
            Failure::Coded(coding) => self.coded(coding),
            Failure::BadBody => "malformed HTTP body: its chunks or its length are wrong".into(),
            Failure::Status {
                got,
                expected,
                redirect: Some((to, why)),
                ..
            } => {
                let why = why.map_or("-L would follow", not_followed);
                let to = match to.is_empty() {
                    true => String::new(),
                    false => format!(" to {}", self.shown(to)),
                };
                let expected = printable(expected.as_bytes(), 80);
                format!("status {got}{to}, expected {expected} ({why})")
            }
            Failure::Status {
                got,
                expected,
                body,
                ..
            } => self.status(*got, expected, body),
            Failure::Redirect { status, to, why } => self.redirect(*status, to, *why),
            Failure::Unexpected(unmet) => self.unmet(unmet),
            Failure::Unavailable(said) => format!("the server says: {}", self.shown(said)),
            Failure::LongReply(bytes) => format!("a reply of more than {} KiB", bytes / 1024),
            Failure::GrpcStatus(status) => grpc_status(*status),
            Failure::NotServing(status) => not_serving(*status),
            Failure::BadCgiHead(page) => self.bad_cgi_head(page),
            Failure::Http2(frame, code, said) => self.http2(frame, *code, said),
            Failure::FastCgiStatus(status) => fastcgi_status(*status),
            Failure::NoScript(body) => self.no_script(body),
            Failure::NoProcess(pid) => format!("there is no process {pid}"),
            Failure::DeadProcess(pid, state) => {
                format!("process {pid} has exited (state {state})")
            }
            Failure::OtherProcess(pid, name) => {
                format!("process {pid} is another program: {}", self.shown(name))
            }
            Failure::NoPid(true) => "the PID file is empty".into(),
            Failure::NoPid(false) => "the PID file holds no PID".into(),
            Failure::File(file, errno) => file_error(file, *errno),
            Failure::Stale(ago, most) => format!(
                "touched {} ago, expected within {}",
                age(*ago),
                limit(*most)
            ),
            Failure::Future(ahead) => future(*ahead),
        }
    }

    fn begins(&self, expected: &str, got: &Snippet) -> String {
        format!("not {expected}: the reply begins with {}", self.shown(got))
    }

    fn coded(&self, coding: &Snippet) -> String {
        let coding = self.shown(coding);
        format!("the body cannot be judged: it is coded as {coding}, which was not asked for")
    }

    fn status(&self, got: u16, expected: &str, body: &Snippet) -> String {
        let body = match body.is_empty() {
            true => String::new(),
            false => self.body_part(body),
        };
        format!(
            "status {got}, expected {}{body}",
            printable(expected.as_bytes(), 80)
        )
    }

    fn redirect(&self, status: u16, to: &Snippet, why: NotFollowed) -> String {
        let (to, why) = (self.shown(to), not_followed(why));
        format!("status {status} redirects to {to}, {why}")
    }

    fn http2(&self, frame: &str, code: u32, said: &Snippet) -> String {
        let said = match said.is_empty() {
            true => String::new(),
            false => format!(": {}", self.shown(said)),
        };
        format!("the server sent {frame}: HTTP/2 error code {code}{said}")
    }

    fn bad_cgi_head(&self, page: &Snippet) -> String {
        let page = self.body_part(page);
        format!("malformed CGI response: no proper Status, Location or Content-Type{page}")
    }

    fn no_script(&self, body: &Snippet) -> String {
        let body = self.body_part(body);
        format!(
            "status 404: FastCGI answers, but nothing is at this path (php-fpm: set ping.path){body}"
        )
    }

    fn closed_early(&self, phase: Phase, got: &Snippet) -> String {
        let closed = format!("connection closed while {}", doing(phase));
        match got.is_empty() {
            true => closed,
            false => format!("{closed}; until then: {}", self.shown(got)),
        }
    }
}

fn not_followed(why: NotFollowed) -> &'static str {
    match why {
        NotFollowed::Elsewhere => "which is not an http URL of this machine",
        NotFollowed::Tls => "which needs TLS, and this program speaks none",
        NotFollowed::TooMany => "after 5 redirects that were followed",
    }
}

fn timed_out(phase: Phase, peer: Option<&Peer>, timeout: Duration) -> String {
    let to = peer.map_or_else(String::new, |peer| joined(&[" to ", &peer_name(peer)], ""));
    let what = match phase {
        Phase::Headers | Phase::Body => "whole response",
        Phase::Judge => "verdict",
        _ => "response",
    };
    // In less, nobody connects to anything.
    let queue = match timeout < Duration::from_millis(1) {
        true => "",
        false => ": its accept queue may be full",
    };
    let doing = doing(phase);
    let (before, doing, after) = match phase {
        Phase::Connect if matches!(peer, Some(Peer::Udp(_))) => {
            ("request sent", &*to, ", waiting for the reply")
        }
        Phase::Connect => ("timed out connecting", &*to, queue),
        Phase::Send | Phase::Greeting => ("connected, ", doing, ""),
        Phase::StatusLine | Phase::Reply => ("connected, request sent, ", doing, ""),
        Phase::Headers => ("connected, request sent, status line read, ", doing, ""),
        Phase::Body => ("connected, request sent, headers read, ", doing, ""),
        Phase::Judge => ("connected, body read, still judging it", "", ""),
    };
    let timeout = time(timeout);
    let parts = [
        "no ", what, " within ", &timeout, ": ", before, doing, after,
    ];
    joined(&parts, "")
}

fn doing(phase: Phase) -> &'static str {
    match phase {
        Phase::Connect => "connecting",
        Phase::Send => "sending the request",
        Phase::StatusLine => "waiting for the status line",
        Phase::Headers => "reading headers",
        Phase::Body => "reading the body",
        Phase::Greeting => "waiting for the greeting",
        Phase::Reply => "waiting for the reply",
        Phase::Judge => "judging the body",
    }
}

fn refused(peers: &[Peer]) -> String {
    let peers: Vec<String> = peers.iter().map(peer_name).collect();
    format!("connection refused at {}", joined(&peers, " and "))
}

fn unreachable(peer: &Peer, errno: i32) -> String {
    let (peer, why) = (peer_name(peer), system_error(errno));
    format!("cannot connect to {peer}: {why}")
}

fn grpc_status(status: u32) -> String {
    let meaning = match status {
        5 => " NOT_FOUND: the health service does not know this service",
        12 => " UNIMPLEMENTED: the server has no health service",
        7 => " PERMISSION_DENIED",
        14 => " UNAVAILABLE",
        16 => " UNAUTHENTICATED",
        _ => "",
    };
    format!("grpc-status {status}{meaning}")
}

fn not_serving(status: u64) -> String {
    let name = match status {
        0 => " UNKNOWN",
        2 => " NOT_SERVING",
        3 => " SERVICE_UNKNOWN",
        _ => "",
    };
    format!("serving status {status}{name}, expected 1 SERVING")
}

fn fastcgi_status(status: u8) -> String {
    let meaning = match status {
        1 => ": it takes one request a connection",
        2 => ": it is overloaded",
        3 => ": it is no responder",
        _ => "",
    };
    format!("FastCGI protocol status {status}{meaning}")
}

fn future(ahead: Duration) -> String {
    let ahead = age(ahead);
    format!("touched {ahead} in the future: a clock has jumped, and the age is unknown")
}

fn file_error(file: &Path, errno: i32) -> String {
    format!("{}: {}", path_name(file), system_error(errno))
}

pub fn peer_name(peer: &Peer) -> String {
    match peer {
        Peer::Tcp(address) => address.to_string(),
        Peer::Udp(address) => address.to_string() + "/udp",
        Peer::Unix(path) => path_name(path),
    }
}

pub fn path_name(path: &Path) -> String {
    printable(path.as_os_str().as_encoded_bytes(), 120)
}

pub fn system_error(errno: i32) -> String {
    std::io::Error::from_raw_os_error(errno).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judging_can_take_too_long() {
        assert_eq!(
            timed_out(Phase::Judge, None, Duration::from_secs(1)),
            "no verdict within 1 s: connected, body read, still judging it"
        );
    }
}
