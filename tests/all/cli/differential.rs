//! Lines as people have written them, each run by a real dash with a real curl, GNU's wget and BusyBox's, and by the binary as
//! `sh`: both verdicts are the same, or the table says why not.
//!
//! In each line, 8080 becomes the port of a server, and `health` the state that it is in.

use crate::support::{
    Run, Server, Skip, checker, deaf_port, only_if_asked, program, read_request, run,
};
use libtest_mimic::Trial;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use tempfile::TempDir;

pub fn trials() -> Vec<Trial> {
    only_if_asked("takes half a minute", trials![the_same_verdicts])
}

/// The states of the service in which each line is tried. `301` leads to a page that is there.
const ALWAYS: &[&str] = &["200", "301", "500", "refused", "cut"];
/// Those of which each line is tried in two, and one that differs in all. `302` leads away; `405` answers GET alone.
const SOMETIMES: &[&str] = &["204", "302", "401", "404", "405", "503", "empty"];

/// Whose verdict is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Program {
    Curl,
    Gnu,
    BusyBox,
}

use Program::{BusyBox, Curl, Gnu};

/// Lines of programs, and in which states the verdicts differ, and why.
struct Table {
    programs: &'static [Program],
    lines: &'static [(&'static str, &'static str, &'static str)],
}

const DEAD: &str =
    "what is ill or does not answer is not healthy because a text is not in its answer";
const BOTH: &str = "both URLs must be healthy, where curl exits with what came of the last";
const STRICT: &str = "the status line is asked for, and not any line with this number in it";

#[rustfmt::skip]
const TABLES: &[Table] = &[
    Table { programs: &[Curl], lines: &[
        ("curl -f http://localhost:8080/health || exit 1", "", ""),
        ("curl -f http://localhost:8080/health", "", ""),
        ("curl --fail http://localhost:8080/health || exit 1", "", ""),
        ("curl --fail --silent --show-error http://localhost:8080/health || exit 1", "", ""),
        ("curl -fsS http://localhost:8080/health", "", ""),
        ("curl -fail http://localhost:8080/health", "", ""),
        ("curl -sSf http://localhost:8080/health > /dev/null || exit 1", "", ""),
        ("curl -sf http://localhost:8080/health >/dev/null 2>&1 || exit 1", "", ""),
        ("curl -sf http://localhost:8080/health 1>/dev/null 2>/dev/null", "", ""),
        ("curl -sf http://localhost:8080/health >&2 || exit 1", "", ""),
        ("curl -sf http://localhost:8080/health 1>&2||exit 1", "", ""),
        ("curl http://localhost:8080/health || exit 1", "", ""),
        ("curl localhost:8080/health", "", ""),
        ("curl -s localhost:8080/health || exit 1", "", ""),
        ("curl -f localhost:8080/health || exit 1", "", ""),
        ("curl -f 127.0.0.1:8080/health || exit 1", "", ""),
        ("curl -f http://127.0.0.1:8080/health || false", "", ""),
        ("curl -f http://0.0.0.0:8080/health || exit 1", "", ""),
        ("curl -sfLo /dev/null http://localhost:8080/health", "", ""),
        ("curl -fsSLo /dev/null http://localhost:8080/health || exit 1", "", ""),
        ("curl -L -f http://localhost:8080/health || exit 1", "", ""),
        ("curl -fL --max-redirs 0 http://localhost:8080/health || exit 1", "", ""),
        ("curl --location --fail http://localhost:8080/health || exit 1", "", ""),
        ("curl -f -s -o /dev/null http://localhost:8080/health", "", ""),
        ("curl -f -s -o/dev/null http://localhost:8080/health", "", ""),
        ("curl -fs --output /dev/null http://localhost:8080/health", "", ""),
        ("curl -fso - http://localhost:8080/health", "", ""),
        ("curl --fail-with-body -s http://localhost:8080/health", "", ""),
        ("curl -f -m 5 http://localhost:8080/health || exit 1", "", ""),
        ("curl -fm5 http://localhost:8080/health || exit 1", "", ""),
        ("curl -f --max-time 5 http://localhost:8080/health || exit 1", "", ""),
        ("curl --fail --max-t 2.5 http://localhost:8080/health || exit 1", "", ""),
        ("curl --connect-timeout 2 -f http://localhost:8080/health || exit 1", "", ""),
        ("curl --fail --connect-timeout 5 --max-time 10 --silent http://localhost:8080/health || exit 1", "", ""),
        ("curl --silent --fail --retry 0 http://localhost:8080/health", "", ""),
        ("curl --sil --show-e --fail http://localhost:8080/health", "", ""),
        ("curl http://localhost:8080/health -f", "", ""),
        ("curl http://localhost:8080/health --fail -s || exit 1", "", ""),
        ("curl --url http://localhost:8080/health -f", "", ""),
        ("curl -f -- http://localhost:8080/health", "", ""),
        ("curl -k -f http://localhost:8080/health || exit 1", "", ""),
        ("curl --insecure -sf http://localhost:8080/health || exit 1", "", ""),
        ("curl -kfsS http://localhost:8080/health || exit 1", "", ""),
        ("curl -4 -f http://localhost:8080/health || exit 1", "", ""),
        ("curl -f4sS --noproxy '*' http://localhost:8080/health", "", ""),
        ("curl -6 -f http://localhost:8080/health || exit 1", "", ""),
        ("curl --ipv4 --fail http://localhost:8080/health || exit 1", "", ""),
        ("curl --http1.1 -f http://localhost:8080/health", "", ""),
        ("curl -N -f http://localhost:8080/health", "", ""),
        ("curl -v -f http://localhost:8080/health || exit 1", "", ""),
        ("curl -# -f http://localhost:8080/health || exit 1", "", ""),
        ("curl --no-progress-meter -f http://localhost:8080/health || exit 1", "", ""),
        ("curl --compressed -f http://localhost:8080/health", "", ""),
        ("curl -q -g -f 'http://localhost:8080/health?a=1'", "", ""),
        ("curl -I -f http://localhost:8080/health || exit 1", "", ""),
        ("curl -sfI http://localhost:8080/health", "", ""),
        ("curl --head --silent --fail http://localhost:8080/health || exit 1", "", ""),
        ("curl -I http://localhost:8080/health", "", ""),
        ("curl -i http://localhost:8080/health", "", ""),
        ("curl -fi http://localhost:8080/health", "", ""),
        ("curl -X GET -f http://localhost:8080/health || exit 1", "", ""),
        ("curl -XGET --fail http://localhost:8080/health || exit 1", "", ""),
        ("curl -f -XPOST http://localhost:8080/health", "", ""),
        ("curl -f -X POST -d '{\"a\":1}' -H 'Content-Type: application/json' http://localhost:8080/health", "", ""),
        ("curl -f --request OPTIONS http://localhost:8080/health", "", ""),
        ("curl -f -d a=b -d c=d http://localhost:8080/health", "", ""),
        ("curl -f --data-raw '@x' http://localhost:8080/health", "", ""),
        ("curl -f --data-urlencode 'q=a b' -G http://localhost:8080/health", "", ""),
        ("curl -f --json '{}' http://localhost:8080/health", "", ""),
        ("curl -fG -d a=b http://localhost:8080/health", "", ""),
        ("curl -f -H 'Host: example.com' http://localhost:8080/health", "", ""),
        ("curl -f -H \"Host: example.com\" -H \"X-Forwarded-Proto: https\" http://localhost:8080/health || exit 1", "", ""),
        ("curl -f -H 'Accept:' -H 'X-Empty;' http://localhost:8080/health", "", ""),
        ("curl -fsS -u user:password http://localhost:8080/health", "", ""),
        ("curl -f http://user:password@localhost:8080/health", "", ""),
        ("curl -f -A 'Docker Health Check' http://localhost:8080/health", "", ""),
        ("curl -f -A docker -e http://localhost/ -b 'a=b; c=d' http://localhost:8080/health", "", ""),
        ("curl -f --oauth2-bearer token http://localhost:8080/health", "", ""),
        ("curl -sf -w '%{http_code}' http://localhost:8080/health", "", ""),
        ("curl -sf -w \"\\n\" http://localhost:8080/health || exit 1", "", ""),
        ("curl -f --proto '=http,https' http://localhost:8080/health", "", ""),
        ("curl -f -D - http://localhost:8080/health", "", ""),
        ("curl -f -c /dev/null http://localhost:8080/health", "", ""),
        ("curl -f --stderr - http://localhost:8080/health", "", ""),
        ("curl -fr 0-1 http://localhost:8080/health", "", ""),
        ("curl -f http://localhost:8080/health http://localhost:8080/200", "401 404 500 503 empty cut", BOTH),
        ("curl -f http://localhost:8080/200 http://localhost:8080/health", "", ""),
        ("curl -f http://localhost:8080/health#top", "", ""),
        ("curl -f HTTP://LOCALHOST:8080/health", "", ""),
        ("curl -f \"http://localhost:8080/health?full=true&x=y\" || exit 1", "", ""),
        ("curl -f http://localhost:8080/health?a=[1] -g || exit 1", "", ""),
        ("curl -f 'http://localhost:8080/health?a[]=1&b[]=2' || exit 1", "", ""),
        ("curl -s http://localhost:8080/health | grep -qE 'UP|OK'", "", ""),
        ("curl -s http://localhost:8080/health | grep -q 'green\\|yellow\\|UP'", "", ""),
        ("curl -s http://localhost:8080/health | grep -E '\"status\":\"(UP|green)\"' || exit 1", "", ""),
        ("curl -s http://localhost:8080/health | grep '\"status\":\"\\(green\\|yellow\\)\"'", "", ""),
        ("! curl -sf http://localhost:8080/health | grep -E 'DOWN|red'", "401 404 500 503 empty refused cut", DEAD),
        ("curl -v http://localhost:8080/health 2>&1 | grep '< HTTP/1.1 200 OK'", "", ""),
        ("curl -s -w '\\n%{http_code}\\n' http://localhost:8080/health | grep 200 || exit 1", "", ""),
        ("bash -c ': > /dev/tcp/localhost/8080' || exit 1", "", ""),
        ("timeout 5s bash -c ':> /dev/tcp/127.0.0.1/8080' || exit 1", "", ""),
        ("bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080' || exit 1", "", ""),
        ("bash -c 'cat < /dev/null > /dev/tcp/localhost/8080'", "", ""),
        ("bash -c '</dev/tcp/localhost/8080'", "", ""),
        ("bash -c '(echo > /dev/tcp/localhost/8080) >/dev/null 2>&1'", "", ""),
        ("curl -gf 'http://localhost:8080/health?a={b}' || exit 1", "", ""),
        ("curl -f http://localhost:$APP_PORT/health || exit 1", "", ""),
        ("curl -f http://localhost:${APP_PORT}/health || exit 1", "", ""),
        ("curl -f http://localhost:${APP_PORT:-3000}/health || exit 1", "", ""),
        ("curl -f \"http://localhost:${APP_PORT:-3000}${APP_PATH:-/}\" || exit 1", "", ""),
        ("curl -f http://localhost:${NO_PORT:-8080}/health || exit 1", "", ""),
        ("curl -f http://localhost:${NO_PORT:-${APP_PORT:-1}}/health || exit 1", "", ""),
        ("curl -f http://localhost:${NO_PORT-8080}/health || exit 1", "", ""),
        ("curl $CURL_OPTIONS http://localhost:8080/health", "", ""),
        ("curl -f http://localhost:8080/health$NOTHING || exit 1", "", ""),
        ("curl -f 'http://localhost:8080/health' || exit 1", "", ""),
        ("curl -f http://local\"host:8080\"/'health' || exit 1", "", ""),
        ("curl -f http://localhost:8080\\/health || exit 1", "", ""),
        ("curl -f \\\n    http://localhost:8080/health \\\n    || exit 1", "", ""),
        ("curl -f\thttp://localhost:8080/health   ||\texit 1\n", "", ""),
        ("  curl -f http://localhost:8080/health ||\n  exit 1", "", ""),
        ("curl -f http://localhost:8080/health || exit 1 # the tutorial's", "", ""),
        ("curl -f http://localhost:8080/health || exit 2", "", ""),
        ("curl -f http://localhost:8080/health || (exit 1)", "", ""),
        ("curl -f http://localhost:8080/health || { exit 1; }", "", ""),
        ("curl -f http://localhost:8080/health || (echo unhealthy && exit 1)", "", ""),
        ("curl -f http://localhost:8080/health || { echo 'unhealthy' >&2; exit 1; }", "", ""),
        ("curl -f http://localhost:8080/health && exit 0 || exit 1", "", ""),
        ("curl -f http://localhost:8080/health && echo ok || exit 1", "", ""),
        ("(curl -f http://localhost:8080/health) || exit 1", "", ""),
        ("curl -f http://localhost:8080/health; exit $?", "", ""),
        ("curl -f http://localhost:8080/health || exit $?", "", ""),
        ("curl -f http://localhost:8080/health;", "", ""),
        ("exec curl -f http://localhost:8080/health", "", ""),
        ("exec curl -fsS http://localhost:8080/health > /dev/null", "", ""),
        ("timeout 5 curl -f http://localhost:8080/health || exit 1", "", ""),
        ("timeout -s KILL 5s curl -f http://localhost:8080/health", "", ""),
        ("no_proxy=localhost curl -f http://localhost:8080/health || exit 1", "", ""),
        ("http_proxy= HTTPS_PROXY='' curl -f http://localhost:8080/health", "", ""),
        ("sh -c 'curl -f http://localhost:8080/health || exit 1'", "", ""),
        ("sh -c \"curl -f http://localhost:$APP_PORT/health\" || exit 1", "", ""),
        ("curl -f http://localhost:8080/health && curl -f http://localhost:8080/200", "", ""),
        ("curl -s http://localhost:8080/health && curl -f http://localhost:8080/health || exit 1", "", ""),
        ("curl -f http://localhost:8080/200 > /dev/null && curl -f http://localhost:8080/health > /dev/null || exit 1", "", ""),
        ("test -f /etc/passwd && curl -f http://localhost:8080/health", "", ""),
        ("[ -f /etc/passwd ] && [ -e /etc ] && curl -f http://localhost:8080/health || exit 1", "", ""),
        ("test -f /etc && curl -f http://localhost:8080/health", "", ""),
        ("nc -z localhost 8080 || exit 1", "", ""),
        ("nc -zv 127.0.0.1 8080", "", ""),
        ("nc -z -w 2 localhost 8080 && curl -f http://localhost:8080/health", "", ""),
        ("nc -w2 -z localhost 8080 > /dev/null 2>&1", "", ""),
        ("curl -s http://localhost:8080/health | grep UP", "", ""),
        ("curl -s http://localhost:8080/health | grep -q UP", "", ""),
        ("curl -s http://localhost:8080/health | grep -q '\"status\":\"UP\"' || exit 1", "", ""),
        ("curl -s http://localhost:8080/health | grep -q \"\\\"status\\\":\\\"UP\\\"\"", "", ""),
        ("curl -s http://localhost:8080/health | grep -c UP", "", ""),
        ("curl -s http://localhost:8080/health | grep -F '{\"status\":\"UP\"}'", "", ""),
        ("curl -s http://localhost:8080/health | grep -qi 'up'", "", ""),
        ("curl -s http://localhost:8080/health | grep -i -q DOWN", "", ""),
        ("curl -s http://localhost:8080/health | grep -E UP > /dev/null", "", ""),
        ("curl -sS http://localhost:8080/health 2>&1 | grep -s UP", "", ""),
        ("curl -s http://localhost:8080/health | egrep UP", "", ""),
        ("curl -s http://localhost:8080/health | fgrep -q UP", "", ""),
        ("curl -s http://localhost:8080/health | grep -e UP", "", ""),
        ("curl -s http://localhost:8080/health | grep --quiet --fixed-strings UP", "", ""),
        ("curl -f http://localhost:8080/health | grep -q UP", "", ""),
        ("curl -fs http://localhost:8080/health|grep -q UP||exit 1", "", ""),
        ("curl -s http://localhost:8080/health | grep -q DOWN", "", ""),
        ("curl -fs http://localhost:8080/health | grep -q DOWN", "", ""),
        ("curl -sL http://localhost:8080/health | grep -q UP", "", ""),
        ("! curl -s http://localhost:8080/health | grep -q DOWN", "empty refused cut", DEAD),
        ("! curl -fs http://localhost:8080/health | grep -q DOWN", "401 404 500 503 empty refused cut", DEAD),
        ("curl -sI http://localhost:8080/health | grep -q '200 OK'", "", ""),
        ("curl -s -I http://localhost:8080/health | grep 'HTTP/1.1 200'", "", ""),
        ("curl -s -i http://localhost:8080/health | grep '^HTTP/1\\.1 200'", "", ""),
        ("curl -sv http://localhost:8080/health 2>&1 | grep '200 OK'", "", ""),
        ("curl -s -o /dev/null -D - http://localhost:8080/health | grep '200 OK'", "", ""),
        ("[ \"$(curl -o /dev/null --silent --head --write-out '%{http_code}' http://localhost:8080/health)\" = 200 ]", "", ""),
        ("[ 200 -eq $(curl -s -o /dev/null -w '%{http_code}' http://localhost:8080/health) ] || exit 1", "", ""),
        ("curl -f http://localhost:8080/health || exit -1", "", ""),
        ("curl -f http://localhost:8080/health || exit 70000", "", ""),
        ("curl -f http://localhost:8080/health || exit 1\r\n", "", ""),
        ("curl -f -m .5 http://localhost:8080/health || exit 1", "", ""),
        ("nc -zv 127.0.0.1 8080 2>&1 | grep -q succeeded", "", ""),
        ("curl -s --head http://localhost:8080/health | grep 200", "301", STRICT),
        ("curl -s -w 'status=%{http_code}' http://localhost:8080/health | grep -q status=200", "", ""),
        ("curl -s -o /dev/null -w 'HTTP_CODE:%{http_code}\\n' http://localhost:8080/health | grep '^HTTP_CODE:200$'", "", ""),
        ("curl -s -w ' %{http_code} %{time_total}\\n' http://localhost:8080/health | grep ' 200 '", "", ""),
        ("curl -si http://localhost:8080/health | grep OK", "", ""),
        ("curl -si http://localhost:8080/health | grep -i 'content-length: 16'", "", ""),
        ("curl -sI http://localhost:8080/health | grep -i 'connection: close' || exit 1", "", ""),
        ("curl -sI http://localhost:8080/health | grep 'HTTP/1.1 2'", "", ""),
        ("curl -sI http://localhost:8080/health | grep '200 Ok'", "", ""),
        ("curl -fsI http://localhost:8080/health | grep 404", "", ""),
        ("curl -fsi http://localhost:8080/health | grep 404", "", ""),
        ("curl -fsv http://localhost:8080/health 2>&1 | grep '404 Not Found'", "", ""),
        ("curl -fsI http://localhost:8080/health | grep -i 'www-auth'", "", ""),
        ("curl -sI http://localhost:8080/health | grep 'HTTP/2 200'", "", ""),
        ("curl -s -D - http://localhost:8080/health | grep -qi location", "", ""),
        ("bash -o pipefail -c 'curl -s http://localhost:8080/health | grep UP'", "", ""),
        ("bash -eo pipefail -c 'curl -fsS http://localhost:8080/health | grep -q UP' || exit 1", "", ""),
        ("curl -sIL http://localhost:8080/health | grep -q '200 OK'", "", ""),
        ("curl -s -o /dev/null -w '%{http_code}' http://localhost:8080/health | grep 200", "", ""),
        ("curl -s -o /dev/null -w \"%{http_code}\" http://localhost:8080/health | grep -q '^200$' || exit 1", "", ""),
        ("curl -s -o /dev/null -w '%{http_code}' http://localhost:8080/health | grep -qE '200|204|301'", "", ""),
        ("test \"$(curl -s -o /dev/null -w '%{http_code}' http://localhost:8080/health)\" = 200", "", ""),
        ("test \"$(curl -s -o /dev/null -w '%{http_code}' http://localhost:8080/health)\" = \"401\"", "", ""),
        ("[ \"$(curl -s -o /dev/null -w \"%{http_code}\" http://localhost:8080/health)\" = \"200\" ] || exit 1", "", ""),
        ("[ $(curl -sLo /dev/null -w '%{http_code}\\n' http://localhost:8080/health) -eq 200 ]", "", ""),
        ("[ `curl -s -o /dev/null -w '%{http_code}' http://localhost:8080/health` -eq 200 ] || exit 1", "", ""),
        ("[ \"200\" = \"$(curl -so /dev/null -w '%{response_code}' http://localhost:8080/health)\" ]", "", ""),
        ("[ \"$(curl -s -o /dev/null -w '%{http_code}' http://localhost:8080/health)\" -lt 400 ]", "empty refused", "there is no status, and 000 is less than 400"),
    ] },
    Table { programs: &[Gnu, BusyBox], lines: &[
        ("wget -q --spider http://localhost:8080/health || exit 1", "", ""),
        ("wget --spider -q http://localhost:8080/health", "", ""),
        ("wget --quiet --spider http://localhost:8080/health || exit 1", "", ""),
        ("wget --spider http://127.0.0.1:8080/health || exit 1", "", ""),
        ("wget --no-verbose --spider http://127.0.0.1:8080/health || exit 1", "", ""),
        ("wget -nv -t1 --spider http://127.0.0.1:8080/health || exit 1", "", ""),
        ("wget --no-verbose --tries=1 --spider http://127.0.0.1:8080/health || exit 1", "", ""),
        ("wget -q -t 1 --spider http://127.0.0.1:8080/health || exit 1", "", ""),
        ("wget -qO- http://127.0.0.1:8080/health", "", ""),
        ("wget -qO- http://127.0.0.1:8080/health || exit 1", "", ""),
        ("wget -q -O - http://127.0.0.1:8080/health > /dev/null || exit 1", "", ""),
        ("wget -qO - http://127.0.0.1:8080/health >/dev/null 2>&1", "", ""),
        ("wget -O- -q http://127.0.0.1:8080/health || false", "", ""),
        ("wget -O /dev/null http://127.0.0.1:8080/health || exit 1", "", ""),
        ("wget -q -O /dev/null 127.0.0.1:8080/health || exit 1", "", ""),
        ("wget -qO /dev/null --header 'Host: example.com' http://127.0.0.1:8080/health", "", ""),
        ("wget -q --header='Accept: application/json' -O - http://127.0.0.1:8080/health", "", ""),
        ("wget --output-document=/dev/null --quiet http://127.0.0.1:8080/health", "", ""),
        ("wget --output-document=- http://127.0.0.1:8080/health 2>/dev/null", "", ""),
        ("wget -S --spider http://127.0.0.1:8080/health", "", ""),
        ("wget --server-response --spider --quiet http://127.0.0.1:8080/health 2>&1", "", ""),
        ("wget --no-check-certificate -q --spider http://127.0.0.1:8080/health", "", ""),
        ("wget -U health -q -O - http://127.0.0.1:8080/health", "", ""),
        ("wget --user-agent=health -qO- http://127.0.0.1:8080/health", "", ""),
        ("wget -Y off -q -O - http://127.0.0.1:8080/health", "", ""),
        ("wget --post-data='a=b' -q -O - http://127.0.0.1:8080/health", "", ""),
        ("wget -o /dev/null -O /dev/null http://127.0.0.1:8080/health", "", ""),
        ("wget http://127.0.0.1:8080/health -q --spider", "", ""),
        ("wget -q -c --spider http://127.0.0.1:8080/health", "", ""),
        ("wget -q http://127.0.0.1:8080/health -O - || exit 1", "", ""),
        ("true && wget -q --spider http://localhost:8080/health", "", ""),
        ("wget -q --spider http://localhost:$APP_PORT/health || exit 1", "", ""),
        ("wget -q --spider \"http://localhost:${APP_PORT:-80}/health\" || exit 1", "", ""),
        ("wget -q --spider http://localhost:8080/health && exit 0 || exit 1", "", ""),
        ("exec wget -q --spider http://localhost:8080/health", "", ""),
        ("timeout 5 wget -q --spider http://localhost:8080/health", "", ""),
        ("wget -qO- http://127.0.0.1:8080/health | grep -q UP", "", ""),
        ("wget -qO- http://127.0.0.1:8080/health | grep UP || exit 1", "", ""),
        ("wget -q -O - http://127.0.0.1:8080/health | grep '\"status\":\"UP\"' || exit 1", "", ""),
        ("wget -O - http://127.0.0.1:8080/health 2>/dev/null | grep -qi '\"up\"'", "", ""),
        ("wget -qO- http://127.0.0.1:8080/health | grep -q DOWN", "", ""),
        ("! wget -qO- http://127.0.0.1:8080/health | grep -q DOWN", "302 401 404 500 503 empty refused cut", DEAD),
        ("wget -q --spider http://127.0.0.1:8080/200 http://127.0.0.1:8080/health", "", ""),
        ("wget -q --spider http://127.0.0.1:8080/health http://127.0.0.1:8080/200", "", ""),
        ("wget -S --spider http://127.0.0.1:8080/health 2>&1 | grep 'HTTP/1.1 200'", "", ""),
    ] },
    Table { programs: &[Gnu], lines: &[
        ("wget --spider -q -T 5 -t 1 http://localhost:8080/health", "", ""),
        ("wget -q -T5 -t1 -O /dev/null http://localhost:8080/health || exit 1", "", ""),
        ("wget --quiet --tries=1 --timeout=5 --spider http://localhost:8080/health || exit 1", "", ""),
        ("wget --quiet --tries=1 --no-check-certificate --spider http://localhost:8080/health", "", ""),
        ("wget --quiet --tries 1 --timeout 5 --output-document - http://localhost:8080/health", "", ""),
        ("wget --qui --tri=1 --spi http://localhost:8080/health", "", ""),
        ("wget -nv --tries=1 -O- http://localhost:8080/health", "", ""),
        ("wget -qt1 --no-proxy --spider http://localhost:8080/health", "", ""),
        ("wget -q -t 1 --method=POST --body-data='{}' -O - http://localhost:8080/health", "", ""),
        ("wget -q -t 1 --user=me --password=secret -O - http://localhost:8080/health", "", ""),
        ("wget -q -t 1 --max-redirect=0 -O - http://localhost:8080/health", "", ""),
        ("wget -q -t 1 --read-timeout=5 --connect-timeout=5 --spider http://localhost:8080/health", "", ""),
        ("wget -q -t 1 --no-hsts --no-cache --no-cookies --spider http://localhost:8080/health", "", ""),
        ("wget -q -t 1 -4 --content-on-error -O - http://localhost:8080/health | grep -q UP", "", ""),
        ("wget -q -t 1 -e use_proxy=no -e robots=off --spider http://localhost:8080/health", "", ""),
        ("wget -t 1 http://localhost:8080/health", "", ""),
        ("wget -t 1 -O - http://localhost:8080/health 2>&1 | grep -q '200 OK'", "", ""),
        ("wget --tries=1 --spider http://localhost:8080/health 2>&1 | grep '200 OK' || exit 1", "405", "HEAD is refused, and GET is not"),
        ("wget -q -t 1 --delete-after http://localhost:8080/health", "", ""),
    ] },
    Table { programs: &[BusyBox], lines: &[
        ("busybox wget -q --spider http://localhost:8080/health", "", ""),
        ("busybox wget -qO- http://localhost:8080/health | grep UP", "", ""),
        ("wget http://localhost:8080/health", "", ""),
        ("wget --proxy off -q -O - http://localhost:8080/health", "", ""),
    ] },
];

/// The programs that a line finds.
struct Tools {
    folder: TempDir,
    dash: PathBuf,
}

impl Tools {
    fn of(wget: &str) -> Result<Self, Skip> {
        let folder = TempDir::new().expect("a temporary folder");
        let link = |name: &str, target: &Path| {
            symlink(target, folder.path().join(name)).expect("a symbolic link");
        };
        for name in [
            "bash", "cat", "curl", "grep", "egrep", "fgrep", "timeout", "nc", "busybox",
        ] {
            link(name, &program(name)?);
        }
        link("wget", &program(wget)?);
        link("sh", &program("dash")?);
        Ok(Tools {
            folder,
            dash: program("dash")?,
        })
    }

    /// Runs a line with these programs alone, in a folder of its own, because wget writes there what it fetches.
    fn run(&self, shell: &Path, line: &str, variables: &[(&str, &str)]) -> Run {
        let cwd = TempDir::new().expect("a temporary folder");
        let mut command = Command::new(shell);
        command.env_clear().env("PATH", self.folder.path());
        command
            .envs(variables.iter().copied())
            .current_dir(cwd.path());
        let run = run(command.args(["-c", line]));
        if shell != self.dash {
            let left = fs::read_dir(cwd.path()).expect("a folder").count();
            assert_eq!(left, 0, "it has written a file: {run}");
        }
        run
    }
}

fn service() -> Server {
    Server::new(|connection| {
        let request = String::from_utf8(read_request(connection)).expect("a request in UTF-8");
        let (method, rest) = request.split_once(' ').unwrap_or_default();
        let state = rest.split(['/', ' ', '?']).nth(1).unwrap_or_default();
        let (status, field, body) = match state {
            "empty" => return,
            "200" | "cut" => ("200 OK", "", "{\"status\":\"UP\"}\n"),
            "204" => ("204 No Content", "", ""),
            "301" => ("301 Moved Permanently", "Location: /200\r\n", "moved\n"),
            // Nothing listens there, and nothing but wget would go there.
            "302" => ("302 Found", "Location: ftp://127.0.0.1:1/x\r\n", "moved\n"),
            "405" if method != "HEAD" => ("200 OK", "", "{\"status\":\"UP\"}\n"),
            "401" => (
                "401 Unauthorized",
                "WWW-Authenticate: Basic realm=\"a\"\r\n",
                "who?\n",
            ),
            "404" => ("404 Not Found", "", "nothing\n"),
            "405" => ("405 Method Not Allowed", "", "no\n"),
            "500" => ("500 Internal Server Error", "", "{\"status\":\"DOWN\"}\n"),
            _ => ("503 Service Unavailable", "", "{\"status\":\"DOWN\"}\n"),
        };
        let length = match status {
            "204 No Content" => String::new(),
            _ if state == "cut" => "Content-Length: 100\r\n".into(),
            _ => format!("Content-Length: {}\r\n", body.len()),
        };
        let body = if method == "HEAD" { "" } else { body };
        let reply = format!("HTTP/1.1 {status}\r\n{field}{length}Connection: close\r\n\r\n{body}");
        let _ = connection.write_all(reply.as_bytes());
        let _ = connection.shutdown(std::net::Shutdown::Write);
        while connection.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {}
    })
}

/// Why the two differ whatever the line.
fn differs(program: Program, line: &str, state: &str) -> Option<&'static str> {
    match (program, state) {
        (Gnu, "405") if line.contains("--spi") => {
            Some("GET is asked, as BusyBox does, because a service that refuses HEAD is well")
        }
        _ => None,
    }
}

/// What cannot be compared, and why.
fn is_left_out(program: Program, line: &str, state: &str) -> bool {
    let is_once = line.contains("-t") || line.contains("tri");
    // GNU's wget would ask twenty times, with pauses.
    program == Gnu && matches!(state, "empty" | "cut") && !is_once
}

fn the_same_verdicts() -> Result<(), Skip> {
    let (gnu, busybox) = (Tools::of("wget")?, Tools::of("busybox")?);
    let sh = TempDir::new().expect("a temporary folder");
    let sh = (sh.path().join("sh"), sh);
    symlink(checker(), &sh.0).expect("a symbolic link");
    let server = service();
    let (_socket, deaf) = deaf_port();
    let lines: usize = TABLES.iter().map(|table| table.lines.len()).sum();
    assert!(lines >= 150, "{lines} lines");
    let mut runs = Vec::new();
    for table in TABLES {
        for &program in table.programs {
            for (at, row) in table.lines.iter().enumerate() {
                let some = (0..SOMETIMES.len())
                    .filter(|number| !row.2.is_empty() || (number + at) % 4 == 0)
                    .map(|number| SOMETIMES[number]);
                let states = ALWAYS.iter().copied().chain(some);
                runs.extend(states.map(|state| (program, row, state)));
            }
        }
    }
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let compare = || {
        while let Some(&(program, &(line, states, why), state)) =
            runs.get(next.fetch_add(1, Ordering::Relaxed))
        {
            if is_left_out(program, line, state) {
                continue;
            }
            let port = if state == "refused" {
                deaf
            } else {
                server.port()
            }
            .to_string();
            let text = line.replace("8080", &port).replace("health", state);
            let path = format!("/{state}");
            let variables = [
                ("APP_PORT", &*port),
                ("APP_PATH", &path),
                ("CURL_OPTIONS", "-f -s"),
            ];
            let tools = if program == BusyBox { &busybox } else { &gnu };
            let real = tools.run(&tools.dash, &text, &variables);
            let ours = tools.run(&sh.0, &text, &variables);
            let (ours_is_well, real_is_well) = (ours.code == Some(0), real.code == Some(0));
            let is_told = states.split(' ').any(|told| told == state) && !why.is_empty()
                || differs(program, line, state).is_some();
            let is_refused = ours.stderr.starts_with("error: ");
            if (ours_is_well == real_is_well) == is_told || is_refused {
                let mut wrong = wrong.lock().expect("what is wrong");
                wrong.push(format!("{program:?}, {state}: {line}\n{ours}\n{real}\n"));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(compare);
        }
    });
    let wrong = wrong.into_inner().expect("what is wrong");
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        runs.len(),
        wrong.join("\n")
    );
    Ok(())
}
