//! curl, as far as it checks health. The names are those of curl 7.88, and of later versions where they have more.

use super::asks::Asks;
use super::rows::{does, rows};
use super::table::Table;
use crate::target::Complaint;
use crate::verdict::Failure;
use ureq::http::Method;

/// Its options.
pub static TABLE: Table = Table {
    name: "curl",
    equals: false,
    finish,
    rows: rows!(
        "\
f fail fail
- fail-with-body fail
- fail-early -
L location follow
- location-trusted follow
- max-redirs redirects=
m max-time time=
- connect-timeout -=
- retry retry=
- retry-delay pause=
- retry-max-time within=
- retry-connrefused refused
- retry-all-errors all
X request method=
I head head
i include include
H header header:
d data data:
- data-ascii data:
- data-binary data:
- data-raw raw:
- data-urlencode urlencode:
- json json:
G get get
u user login:
- oauth2-bearer bearer:
- basic -
A user-agent agent=
e referer referer=
b cookie cookie:
r range range=
- url url=
- unix-socket socket=
4 ipv4 v4
6 ipv6 v6
o output output=
w write-out format=
D dump-header dump=
c cookie-jar stream=
- stderr log=
- trace stream=
- trace-ascii stream=
s silent -
S show-error -
v verbose verbose
# progress-bar -
- progress-meter -
N no-buffer -
q disable -
a append -
l list-only -
g globoff literal
- compressed -
- path-as-is -
- tcp-nodelay -
- keepalive -
- keepalive-time -=
0 http1.0 -
- http1.1 -
- http2 -
- proto -=
- proto-redir -=
- proto-default -=
- noproxy -=
k insecure -
- tlsv1.2 -
- tlsv1.3 -
- cacert -=
E cert -=
- key -=
O remote-name writes
J remote-header-name writes
- output-dir writes
K config reads
T upload-file reads
F form reads
n netrc reads
x proxy elsewhere
- socks5 elsewhere
- resolve elsewhere
- connect-to elsewhere
- interface elsewhere"
    ),
};

fn finish(asks: &mut Asks) -> Result<(), Complaint> {
    asks.add_urls()?;
    let is_head = asks.has(does::HEAD);
    let is_printed = !asks.has(does::NOWHERE);
    asks.prints_body = is_printed && !is_head;
    asks.prints_head = (is_head || asks.has(does::INCLUDE)) && is_printed || asks.has(does::DUMP);
    asks.tells_head = asks.has(does::VERBOSE) && !asks.has(does::LOG);
    if is_head {
        asks.given.options.method.get_or_insert(Method::HEAD);
    } else if asks.given.options.method == Some(Method::HEAD) {
        return Err("-X HEAD waits for a body that never comes: write -I");
    }
    asks.given.options.whole = true;
    if asks.has(does::JSON) {
        asks.add_content_type("json")?;
        asks.add_header("accept: application/json", "")?;
    } else if asks.given.options.data.is_some() {
        asks.add_content_type("x-www-form-urlencoded")?;
    }
    let method = &asks.given.options.method;
    if asks.has(does::FOLLOW)
        && method
            .as_ref()
            .is_some_and(|method| ![Method::GET, Method::HEAD].contains(method))
    {
        return Err("-X with -L asks everywhere with this method, which is not done here");
    }
    let is_strict = asks.has(does::FOLLOW) && asks.has(does::NO_REDIRECTS);
    asks.given.options.follow = asks.has(does::FOLLOW) && !is_strict;
    asks.own(
        "status",
        match (is_strict, asks.has(does::FAIL)) {
            (true, _) => "200-299",
            (_, true) => "200-399",
            // Any response will do.
            _ => "200-999",
        },
    )?;
    asks.pause_for_at_most(600);
    asks.attempts.again = match (asks.has(does::ALL), asks.has(does::REFUSED)) {
        (true, _) => |failure| !matches!(failure, Failure::Unexpected(_)),
        (_, true) => |failure| is_transient(failure) || matches!(failure, Failure::Refused(_)),
        _ => is_transient,
    };
    Ok(())
}

/// What `--retry` is for by itself.
fn is_transient(failure: &Failure) -> bool {
    match failure {
        Failure::TimedOut { .. } => true,
        Failure::Status { got, .. } => matches!(got, 408 | 429 | 500 | 502..=504),
        _ => false,
    }
}
