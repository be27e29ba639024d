//! curl, as far as it checks health. The names are those of curl 7.88, and of later versions where they have more.

use super::asks::Asks;
use super::table::Table;
use crate::target::Complaint;
use crate::verdict::Failure;

/// Its options.
pub static TABLE: Table = Table {
    names: &["curl"],
    equals: false,
    finish,
    rows: "\
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
D dump-header stream=
c cookie-jar stream=
- stderr stream=
- trace stream=
- trace-ascii stream=
s silent -
S show-error -
v verbose -
# progress-bar -
- progress-meter -
N no-buffer -
q disable -
g globoff -
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
- interface elsewhere",
};

fn finish(asks: &mut Asks) -> Result<(), Complaint> {
    asks.add_urls()?;
    asks.prints_body = !asks.nowhere && !asks.head;
    asks.prints_head |= asks.head;
    if asks.head {
        asks.ask_for_the_head();
    }
    if asks.json {
        asks.add_content_type("json")?;
        asks.add_header("accept", "application/", "json")?;
    } else if asks.options.data.is_some() {
        asks.add_content_type("x-www-form-urlencoded")?;
    }
    asks.no_redirects &= asks.options.follow;
    asks.options.follow &= !asks.no_redirects;
    asks.set_statuses(match (asks.no_redirects, asks.fails) {
        (true, _) => "200-299",
        (_, true) => "200-399",
        // Any response will do.
        _ => "200-999",
    })?;
    asks.pause_for_at_most(600);
    asks.attempts.again = match (asks.all, asks.refused) {
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
