//! The commands that ask a server of another protocol.

use super::asks::{Asks, encoded, has_any};
use super::rows::{does, rows};
use super::table::Table;
use crate::search::joined;
use crate::target::Complaint;

pub static NC: Table = Table {
    name: "nc",
    equals: false,
    finish: nc,
    rows: rows!(
        "\
z zero zero
v verbose verbose
n nodns -
4 - v4
6 - v6
w wait time=
q - -="
    ),
};

pub static REDIS: Table = Table {
    name: "redis-cli",
    equals: false,
    finish: redis_cli,
    rows: rows!(
        "\
h - host=
p - port=
a pass password:
- user user=
s - socket=
n - -=
t - time=
- no-auth-warning -
- raw -
e - fail"
    ),
};

pub static POSTGRES: Table = Table {
    name: "pg_isready",
    equals: true,
    finish: pg_isready,
    rows: rows!(
        "\
h host host=
p port port=
U username user=
d dbname database=
t timeout time=
q quiet -"
    ),
};

pub static MYSQL: Table = Table {
    name: "mysqladmin",
    equals: true,
    finish: mysqladmin,
    rows: rows!(
        "\
h host host=
P port port=
u user -=
p password -?
S socket socket=
s silent -
v verbose -
- protocol -=
- connect-timeout time=
- connect_timeout time=
- skip-ssl -
- no-defaults -
- defaults-file reads
- defaults-extra-file reads"
    ),
};

fn nc(asks: &mut Asks) -> Result<(), Complaint> {
    let (true, &[host, port]) = (asks.has(does::ZERO), &asks.operands[..]) else {
        return Err("only `nc -z HOST PORT` is understood");
    };
    if asks.has(does::VERBOSE) {
        asks.says = "succeeded! open";
    }
    asks.set_text(does::HOST, host);
    asks.set_text(does::PORT, port);
    asks.add_server("tcp", "", "");
    Ok(())
}

fn redis_cli(asks: &mut Asks) -> Result<(), Complaint> {
    let is_ping = matches!(asks.operands[..], [ping] if ping.eq_ignore_ascii_case("ping"));
    let (user, password) = (asks.text(does::USER), asks.text(does::PASSWORD));
    // They are words of one line of the protocol.
    let is_word = |byte: u8| byte.is_ascii_graphic() && !b"\"'".contains(&byte);
    let are_words = [user, password]
        .iter()
        .all(|word| word.bytes().all(is_word));
    if !is_ping || !are_words {
        return Err("only `redis-cli ping` is understood, and no password with blanks or quotes");
    }
    default_port(asks, "6379");
    asks.says = "PONG";
    asks.add_server("redis", "", "");
    if !password.is_empty() || asks.has(does::FAIL) {
        // Only PONG shows that the password is right. With -e, an error is none.
        let blank = if user.is_empty() { "" } else { " " };
        let login = joined(&["AUTH ", user, blank, password, "\r\n"], "");
        asks.ask_for_pong(if password.is_empty() { "" } else { &login });
    }
    Ok(())
}

fn default_port(asks: &mut Asks, port: &'static str) {
    if asks.text(does::PORT).is_empty() {
        asks.set_text(does::PORT, port);
    }
}

fn pg_isready(asks: &mut Asks) -> Result<(), Complaint> {
    let database = asks.text(does::DATABASE);
    if !asks.operands.is_empty() || has_any(database, b"=:") {
        return Err("takes no operand, and with -d no more than a name");
    }
    let host = asks.text(does::HOST);
    if host.starts_with('/') {
        default_port(asks, "5432");
        let socket = joined(&[host, "/.s.PGSQL.", asks.text(does::PORT)], "");
        asks.own("unix-socket", &socket)?;
        asks.set_text(does::HOST, "");
    }
    let slash = if database.is_empty() { "" } else { "/" };
    let path = joined(&[slash, &encoded(database, b'~')], "");
    asks.says = "accepting connections";
    asks.add_server("postgres", &encoded(asks.text(does::USER), b'~'), &path);
    Ok(())
}

fn mysqladmin(asks: &mut Asks) -> Result<(), Complaint> {
    if !matches!(asks.operands[..], ["ping"]) {
        return Err("only `mysqladmin ping` is understood");
    }
    asks.says = "mysqld is alive";
    asks.add_server("mysql", "", "");
    Ok(())
}
