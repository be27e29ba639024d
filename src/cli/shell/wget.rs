//! wget, as far as it checks health: GNU's and BusyBox's, because a line does not say for which one it was written.
//!
//! They differ in little. `--spider` is asked with GET, as BusyBox does: GNU's HEAD is refused by services that are well. All
//! of 2xx is healthy, as to GNU; BusyBox takes 205 and above for errors, and 307 for a success that it does not follow. A
//! time limit is the deadline, where GNU counts each phase by itself. And a line without `-t` has one attempt, as with BusyBox:
//! GNU's twenty take longer than any health check may. What is fetched is written nowhere, so a URL alone is a check.

use super::asks::Asks;
use super::rows::{does, rows};
use super::table::Table;
use crate::http::request;
use crate::target::Complaint;
use crate::verdict::Failure;

/// Its options.
pub static TABLE: Table = Table {
    name: "wget",
    equals: true,
    finish,
    rows: rows!(
        "\
- spider head
q quiet quiet
n - noise=
- no-verbose quiet
v verbose -
d debug -
S server-response include
O output-document output=
o output-file log=
- append-output log=
T timeout time=
- read-timeout time=
- connect-timeout -=
- dns-timeout -=
t tries tries=
- waitretry pause=
w wait -=
- retry-connrefused refused
- max-redirect redirects=
- header header:
U user-agent agent=
- referer referer=
- user user=
- http-user user=
- password password:
- http-password password:
- auth-no-challenge -
- method method=
- post-data raw:
- body-data raw:
Y proxy -=
- no-proxy -
- no-check-certificate -
- no-hsts -
- no-cache -
- no-cookies -
- no-dns-cache -
- no-http-keep-alive -
- no-config -
- content-on-error -
- trust-server-names -
- ca-certificate -=
- secure-protocol -=
- progress -=
- show-progress -
- delete-after -
c continue -
4 inet4-only v4
6 inet6-only v6
e execute execute:
N timestamping -
P directory-prefix writes
i input-file reads
- post-file reads
- body-file reads
- load-cookies reads
- save-cookies writes
- bind-address elsewhere"
    ),
};

fn finish(asks: &mut Asks) -> Result<(), Complaint> {
    asks.add_urls()?;
    asks.prints_body = asks.has(does::STDOUT) && !asks.has(does::HEAD);
    // GNU's tells the status also without -S.
    asks.tells_head = (asks.has(does::INCLUDE) || !asks.has(does::QUIET)) && !asks.has(does::LOG);
    asks.given.options.follow = !asks.has(does::NO_REDIRECTS);
    asks.given.options.whole = !asks.has(does::HEAD);
    let user = asks.text(does::USER);
    if !user.is_empty() {
        let header = request::basic(user, asks.text(does::PASSWORD));
        let header = header
            .map_err(|_| "--user and --password: a colon in the name, or a control character")?;
        asks.given.options.user = Some(header);
    }
    if asks.given.options.data.is_some() {
        asks.add_content_type("x-www-form-urlencoded")?;
    }
    asks.pause_for_at_most(10);
    asks.attempts.again = match asks.has(does::REFUSED) {
        true => |failure| is_broken(failure) || matches!(failure, Failure::Refused(_)),
        false => is_broken,
    };
    Ok(())
}

/// Whether there was no whole response. GNU's wget asks again then, and never because of a status.
fn is_broken(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::TimedOut { .. }
            | Failure::ClosedEarly { .. }
            | Failure::Reset { .. }
            | Failure::Io { .. }
    )
}
