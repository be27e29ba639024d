//! Real servers from Debian's packages (`.ci/servers` installs them), each asked as the README says: healthy, in a state in
//! which it refuses, and dead. Those that Debian does not have are in `documented`.

mod daemon;
mod databases;
mod documented;
mod messages;
mod names;
mod sessions;
mod stack;
mod web;

use crate::support::{Skip, check, only_if_asked, trial};
use libtest_mimic::Trial;

/// A service of the README's table, and the test that runs its line against the service itself.
pub struct Row {
    service: &'static str,
    /// What follows `HEALTHCHECK CMD` in a Dockerfile.
    line: &'static str,
    proves: &'static str,
    test: fn(&Row) -> Result<(), Skip>,
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    Row { service: "Redis, Valkey", test: databases::redis,
        line: r#"["/healthchecker", "redis://localhost"]"#,
        proves: "it has loaded its data, has room for a client, and answers `PING`" },
    Row { service: "MySQL, MariaDB", test: databases::mariadb,
        line: r#"["/healthchecker", "mysql://localhost"]"#,
        proves: "it has started and greets a client" },
    Row { service: "PostgreSQL", test: databases::postgres,
        line: r#"["/healthchecker", "postgres://localhost"]"#,
        proves: "it has started and recovered, and would authenticate a client" },
    Row { service: "Memcached", test: databases::memcached,
        line: r#"["/healthchecker", "memcached://localhost"]"#,
        proves: "it has room for a client, and answers" },
    Row { service: "RabbitMQ", test: messages::rabbitmq,
        line: r#"["/healthchecker", "amqp://localhost"]"#,
        proves: "it starts AMQP 0-9-1 connections" },
    Row { service: "Mosquitto", test: messages::mosquitto,
        line: r#"["/healthchecker", "mqtt://localhost"]"#,
        proves: "it accepts an MQTT 3.1.1 connection" },
    Row { service: "NATS", test: messages::nats,
        line: r#"["/healthchecker", "nats://localhost"]"#,
        proves: "it has room for a client, and answers `PING`" },
    Row { service: "ZooKeeper", test: messages::zookeeper,
        line: r#"["/healthchecker", "zookeeper://localhost"]"#,
        proves: "it runs; not that it has a quorum" },
    Row { service: "Exim, Postfix", test: sessions::exim,
        line: r#"["/healthchecker", "smtp://localhost"]"#,
        proves: "it greets, and answers `HELO`" },
    Row { service: "Dovecot (IMAP)", test: sessions::dovecot,
        line: r#"["/healthchecker", "imap://localhost"]"#,
        proves: "it greets" },
    Row { service: "Dovecot (POP3)", test: sessions::dovecot,
        line: r#"["/healthchecker", "pop3://localhost"]"#,
        proves: "it greets" },
    Row { service: "vsftpd", test: sessions::vsftpd,
        line: r#"["/healthchecker", "ftp://localhost"]"#,
        proves: "it greets: it has room for a session" },
    Row { service: "OpenSSH", test: sessions::openssh,
        line: r#"["/healthchecker", "ssh://localhost"]"#,
        proves: "it sends its version: it has room for a session" },
    Row { service: "OpenLDAP", test: sessions::slapd,
        line: r#"["/healthchecker", "ldap://localhost"]"#,
        proves: "it answers an anonymous bind" },
    Row { service: "nginx", test: web::nginx,
        line: r#"["/healthchecker", "http://localhost/health"]"#,
        proves: "it answers; with `location = /health { return 200; }`, without asking anything behind it" },
    Row { service: "HAProxy", test: web::haproxy,
        line: r#"["/healthchecker", "http://localhost/health"]"#,
        proves: "with `monitor-uri /health` and `monitor fail if { nbsrv(b) lt 1 }`: it has a healthy server to send traffic to" },
    Row { service: "Apache httpd", test: web::apache,
        line: r#"["/healthchecker", "http://localhost/server-status?auto", "--body", "ServerUptime"]"#,
        proves: "`mod_status` answers" },
    Row { service: "lighttpd", test: web::lighttpd,
        line: r#"["/healthchecker", "http://localhost/health"]"#,
        proves: "it serves the file" },
    Row { service: "Caddy", test: web::caddy,
        line: r#"["/healthchecker", "http://localhost/health"]"#,
        proves: "it answers, and so does what is behind it" },
    Row { service: "Varnish", test: web::varnish,
        line: r#"["/healthchecker", "http://localhost/health"]"#,
        proves: "with a `synth(200)` for `/health` in `vcl_recv`: it runs its VCL" },
    Row { service: "Squid", test: web::squid,
        line: r#"["/healthchecker", "http://localhost:3128/squid-internal-mgr/info"]"#,
        proves: "its cache manager answers" },
    Row { service: "Tomcat", test: web::tomcat,
        line: r#"["/healthchecker", "http://localhost:8080/health", "--json", "status=UP"]"#,
        proves: "with `HealthCheckValve`: it has started, with all its applications" },
    Row { service: "Gunicorn", test: web::gunicorn,
        line: r#"["/healthchecker", "http://localhost:8000/health", "--json", "status=UP"]"#,
        proves: "the application says that it is well" },
    Row { service: "php-fpm", test: web::php_fpm,
        line: r#"["/healthchecker", "fastcgi://localhost/ping"]"#,
        proves: "with `ping.path = /ping`: a worker is free, and answers" },
    Row { service: "Prometheus", test: web::prometheus,
        line: r#"["/healthchecker", "http://localhost:9090/-/ready"]"#,
        proves: "it has read its data, and takes queries" },
    Row { service: "Alertmanager", test: web::alertmanager,
        line: r#"["/healthchecker", "http://localhost:9093/-/ready"]"#,
        proves: "it takes alerts" },
    Row { service: "etcd", test: web::etcd,
        line: r#"["/healthchecker", "http://localhost:2379/health", "--json", "health=true"]"#,
        proves: "it has a leader, and answers a read" },
    Row { service: "InfluxDB 1", test: web::influxdb,
        line: r#"["/healthchecker", "http://localhost:8086/ping"]"#,
        proves: "it answers" },
    Row { service: "stunnel, any TLS", test: web::stunnel,
        line: r#"["/healthchecker", "tls://localhost"]"#,
        proves: "it speaks TLS; the certificate is not looked at" },
    Row { service: "VictoriaMetrics", test: web::victoria_metrics,
        line: r#"["/healthchecker", "http://localhost:8428/health"]"#,
        proves: "it answers; so does VictoriaLogs, at port 9428" },
    Row { service: "ClickHouse", test: databases::clickhouse,
        line: r#"["/healthchecker", "http://localhost:8123/ping", "--body", "Ok."]"#,
        proves: "it answers" },
    Row { service: "Unbound", test: names::unbound,
        line: r#"["/healthchecker", "dns://localhost"]"#,
        proves: "it answers for `localhost`, which it knows by itself; `dns://localhost/example.com`: those whom it asks answer, too" },
    Row { service: "BIND", test: names::bind,
        line: r#"["/healthchecker", "dns://localhost"]"#,
        proves: "the same with Debian's zones; without a zone `localhost` it asks others: name one of its own" },
    Row { service: "dnsmasq, Pi-hole", test: names::dnsmasq,
        line: r#"["/healthchecker", "dns://localhost"]"#,
        proves: "it answers for `localhost`, from `/etc/hosts`" },
    Row { service: "ClamAV", test: names::clamd,
        line: r#"["/healthchecker", "clamd://localhost"]"#,
        proves: "it has loaded its signatures, which takes minutes, and answers `PING`" },
];

/// What is run only if asked for, and why: servers that nobody but root can start, and those that take their time.
const ASKED: &[(&str, &[&str])] = &[
    (
        "needs root",
        &[
            "dovecot__imap_",
            "dovecot__pop3_",
            "exim__postfix",
            "openssh",
            "vsftpd",
        ],
    ),
    (
        "takes seconds",
        &[
            "clamav",
            "etcd",
            "mysql__mariadb",
            "php_fpm",
            "postgresql",
            "rabbitmq",
            "squid",
            "tomcat",
            "varnish",
            "zookeeper",
        ],
    ),
];

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = servers().collect();
    use stack::{haproxy_accepts_its_configuration, prometheus_accepts_its_configuration};
    use web::haproxy_runs_the_checker;
    trials.extend(trials![
        haproxy_runs_the_checker,
        haproxy_accepts_its_configuration,
        prometheus_accepts_its_configuration,
        readme_has_the_table,
    ]);
    for (why, names) in ASKED {
        let is_asked = |trial: &Trial| names.iter().any(|name| trial.name().ends_with(name));
        let (asked, others) = trials.into_iter().partition(is_asked);
        let asked: Vec<Trial> = asked;
        assert_eq!(asked.len(), names.len(), "a name that is none: {names:?}");
        trials = others;
        trials.extend(only_if_asked(why, asked));
    }
    trials
}

fn servers() -> impl Iterator<Item = Trial> {
    TABLE.iter().chain(documented::TABLE).map(|row| {
        let name = row
            .service
            .to_lowercase()
            .replace(|letter: char| !letter.is_alphanumeric(), "_");
        let name = format!("servers::{name}");
        trial(&name, || (row.test)(row))
    })
}

impl Row {
    /// The arguments of the line.
    fn arguments(&self) -> Vec<String> {
        let words: Vec<String> = serde_json::from_str(self.line).expect("the exec form");
        assert_eq!(words[0], "/healthchecker");
        words[1..].to_vec()
    }

    /// The same, with the port where the server is here.
    fn moved(&self, port: u16) -> Vec<String> {
        let mut arguments = self.arguments();
        *target(&mut arguments) = self.name(port);
        arguments
    }

    /// The target, with the port where the server is here.
    fn name(&self, port: u16) -> String {
        let mut arguments = self.arguments();
        let parts: Vec<&str> = target(&mut arguments).splitn(4, '/').collect();
        let host = parts[2].split(':').next().expect("a host");
        let path = parts
            .get(3)
            .map_or(String::new(), |path| format!("/{path}"));
        format!("{}//{host}:{port}{path}", parts[0])
    }

    /// Runs the line, and asserts that it is healthy and says so.
    #[track_caller]
    fn run(&self, port: u16, says: &str) {
        let name = self.name(port);
        check(self.moved(port)).healthy(&format!("healthy: {name}: {says} in * ms"));
    }
}

fn target(arguments: &mut [String]) -> &mut String {
    arguments
        .iter_mut()
        .find(|word| word.contains("://"))
        .expect("a target")
}

/// A service that Debian does not have: its protocol is tested elsewhere, and here that the line means something.
fn elsewhere(row: &Row) -> Result<(), Skip> {
    let port = daemon::free_port();
    let line = format!("unhealthy: {}: connection refused at *", row.name(port));
    check(row.moved(port)).unhealthy(&line);
    Ok(())
}

fn readme_has_the_table() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
    let readme = readme.expect("read README.md");
    for table in [TABLE, documented::TABLE] {
        let rows = table
            .iter()
            .map(|row| format!("| {} | `{}` | {} |\n", row.service, row.line, row.proves));
        let table: String = rows.collect();
        assert!(
            readme.contains(&table),
            "README.md has not exactly this table:\n{table}"
        );
    }
}
