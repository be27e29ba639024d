//! Services that Debian does not have: each line is tried against a scripted server, which answers as the project documents it.

use super::{Row, elsewhere};
use crate::support::{Server, Skip, check};

#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    Row { service: "Kafka", test: elsewhere,
        line: r#"["/healthchecker", "kafka://self"]"#,
        proves: "the broker answers `ApiVersions`; `self`, because `PLAINTEXT://kafka:9092` binds no loopback; not over SASL or TLS" },
    Row { service: "Cassandra, Scylla", test: elsewhere,
        line: r#"["/healthchecker", "cassandra://localhost"]"#,
        proves: "it answers `OPTIONS`: it takes clients" },
    Row { service: "MongoDB", test: elsewhere,
        line: r#"["/healthchecker", "mongodb://localhost"]"#,
        proves: "it answers `ping`" },
    Row { service: "gRPC services", test: elsewhere,
        line: r#"["/healthchecker", "grpc://localhost:50051"]"#,
        proves: "its health service says `SERVING`" },
    Row { service: "Temporal", test: elsewhere,
        line: r#"["/healthchecker", "grpc://localhost:7233/temporal.api.workflowservice.v1.WorkflowService"]"#,
        proves: "its frontend says `SERVING`" },
    Row { service: "Spring Boot", test: |row| answers(row, OK, r#"{"status":"UP"}"#, &[(ILL, r#"{"status":"DOWN"}"#)]),
        line: r#"["/healthchecker", "http://localhost:8080/actuator/health/liveness", "--json", "status=UP"]"#,
        proves: "the application runs; `/actuator/health` is ill with its database, which no restart of it cures" },
    Row { service: "RabbitMQ, with management", test: |row| answers(row, OK, r#"{"status":"ok"}"#, &[(ILL, r#"{"status":"failed","reason":"resource alarm(s) in effect"}"#)]),
        line: r#"["/healthchecker", "-u", "guest:guest", "http://localhost:15672/api/health/checks/local-alarms"]"#,
        proves: "it is not short of memory or disk" },
    Row { service: "Elasticsearch, OpenSearch", test: |row| answers(row, OK, r#"{"status":"yellow","timed_out":false}"#, &[("408 Request Timeout", r#"{"status":"red","timed_out":true}"#)]),
        line: r#"["/healthchecker", "http://localhost:9200/_cluster/health?wait_for_status=yellow&timeout=1s"]"#,
        proves: "no primary shard is missing; only with security off, which means TLS otherwise" },
    Row { service: "MinIO", test: |row| answers(row, OK, "", &[(ILL, "")]),
        line: r#"["/healthchecker", "http://localhost:9000/minio/health/live"]"#,
        proves: "it runs; `/minio/health/cluster`: with a quorum to write" },
    Row { service: "Keycloak", test: |row| answers(row, OK, r#"{"status":"UP","checks":[]}"#, &[(ILL, r#"{"status":"DOWN","checks":[]}"#)]),
        line: r#"["/healthchecker", "http://localhost:9000/health/ready", "--json", "status=UP"]"#,
        proves: "it has started, with its database; needs `KC_HEALTH_ENABLED=true`, and `KC_HTTP_MANAGEMENT_SCHEME=http` beside TLS" },
    Row { service: "Vault, OpenBao", test: vault,
        line: r#"["/healthchecker", "--status", "200,429,472,473", "http://localhost:8200/v1/sys/health"]"#,
        proves: "it is unsealed, active or on standby; with 501 and 503 as well: it runs" },
    Row { service: "Consul", test: |row| answers(row, OK, "\"10.1.10.12:8300\"", &[(OK, "\"\"")]),
        line: r#"["/healthchecker", "--body", ":8300", "http://localhost:8500/v1/status/leader"]"#,
        proves: "there is a leader; the status is 200 without one, too" },
    Row { service: "CouchDB", test: |row| answers(row, OK, r#"{"status":"ok","seeds":{}}"#, &[("404 Object Not Found", r#"{"status":"maintenance_mode"}"#)]),
        line: r#"["/healthchecker", "--json", "status=ok", "http://localhost:5984/_up"]"#,
        proves: "it runs, and is not in maintenance" },
    Row { service: "InfluxDB 2", test: |row| answers(row, OK, r#"{"name":"influxdb","message":"ready for queries and writes","status":"pass"}"#, &[]),
        line: r#"["/healthchecker", "--json", "status=pass", "http://localhost:8086/health"]"#,
        proves: "it answers; it says no more than that" },
    Row { service: "Grafana", test: |row| answers(row, OK, r#"{"database":"ok","version":"11.0.0"}"#, &[(ILL, r#"{"database":"failing"}"#)]),
        line: r#"["/healthchecker", "--json", "database=ok", "http://localhost:3000/api/health"]"#,
        proves: "it runs, with its database" },
    Row { service: "Loki, Tempo, Mimir", test: |row| answers(row, OK, "ready\n", &[(ILL, "Ingester not ready: waiting for 15s after being ready\n")]),
        line: r#"["/healthchecker", "http://localhost:3100/ready"]"#,
        proves: "all its modules are ready, some 15 s after the start; Tempo's port is 3200, Mimir's 8080" },
    Row { service: "Alloy", test: |row| answers(row, OK, "Alloy is ready.\n", &[(ILL, "config error\n")]),
        line: r#"["/healthchecker", "http://localhost:12345/-/ready"]"#,
        proves: "it has loaded its configuration" },
    Row { service: "OpenTelemetry Collector", test: |row| answers(row, OK, r#"{"status":"Server available"}"#, &[(ILL, r#"{"status":"Server not available"}"#)]),
        line: r#"["/healthchecker", "http://localhost:13133/"]"#,
        proves: "with the extension `health_check`: its pipelines run" },
    Row { service: "Traefik", test: |row| answers(row, OK, "OK", &[(ILL, "Service Unavailable")]),
        line: r#"["/healthchecker", "http://localhost:8080/ping"]"#,
        proves: "with `--ping`: it runs, and is not shutting down" },
    Row { service: "Envoy", test: |row| answers(row, OK, "LIVE\n", &[(ILL, "PRE_INITIALIZING\n"), (OK, "DRAINING\n")]),
        line: r#"["/healthchecker", "--body", "LIVE", "http://localhost:9901/ready"]"#,
        proves: "with the admin interface: it has started, and is not draining" },
    Row { service: "CoreDNS", test: |row| answers(row, OK, "OK", &[(ILL, "kubernetes")]),
        line: r#"["/healthchecker", "http://localhost:8181/ready"]"#,
        proves: "with the plugin `ready`: all plugins are; `dns://localhost` asks it for a name, maybe of others" },
    Row { service: "Nextcloud", test: |row| answers(row, OK, r#"{"installed":true,"maintenance":false,"needsDbUpgrade":false}"#, &[
            (OK, r#"{"installed":true,"maintenance":true,"needsDbUpgrade":false}"#), (OK, r#"{"installed":false,"maintenance":false}"#)]),
        line: r#"["/healthchecker", "-j", "installed=true", "-j", "maintenance=false", "http://localhost/status.php"]"#,
        proves: "it is installed, and not in maintenance; of an image with FPM, ask `fastcgi://localhost/ping`" },
    Row { service: "Gitea, Forgejo", test: |row| answers(row, OK, r#"{"status":"pass","checks":{}}"#, &[(ILL, r#"{"status":"fail","checks":{}}"#)]),
        line: r#"["/healthchecker", "--json", "status=pass", "http://localhost:3000/api/healthz"]"#,
        proves: "it runs, with its database and its cache" },
    Row { service: "Ghost", test: ghost,
        line: r#"["/healthchecker", "-H", "X-Forwarded-Proto: https", "http://localhost:2368/ghost/api/admin/site/"]"#,
        proves: "it has started; without the header it redirects to its own name, if that has https" },
    Row { service: "Zitadel", test: |row| answers(row, OK, "ok", &[("412 Precondition Failed", "")]),
        line: r#"["/healthchecker", "http://localhost:8080/debug/ready"]"#,
        proves: "it has started, with its database" },
    Row { service: "authentik", test: |row| answers(row, "204 No Content", "", &[(ILL, "")]),
        line: r#"["/healthchecker", "http://localhost:9000/-/health/ready/"]"#,
        proves: "the server is ready, with its database; an outpost: `http://localhost:9300/outpost.goauthentik.io/ping`" },
    Row { service: "Meilisearch", test: |row| answers(row, OK, r#"{"status":"available"}"#, &[]),
        line: r#"["/healthchecker", "--json", "status=available", "http://localhost:7700/health"]"#,
        proves: "it answers" },
    Row { service: "Qdrant", test: |row| answers(row, OK, "all shards are ready", &[(ILL, "some shards are not ready")]),
        line: r#"["/healthchecker", "http://localhost:6333/readyz"]"#,
        proves: "all its shards are ready" },
];

const OK: &str = "200 OK";
const ILL: &str = "503 Service Unavailable";

fn reply(status: &str, more: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// Healthy where the service answers like this, to what the line asks for; unhealthy where it answers otherwise.
fn answers(row: &Row, status: &str, body: &str, others: &[(&str, &str)]) -> Result<(), Skip> {
    let server = Server::replying(reply(status, "", body));
    row.run(server.port(), status);
    let name = row.name(server.port());
    let path = name.splitn(4, '/').last().expect("a path");
    let request = server.requests().remove(0);
    assert!(
        request.starts_with(&format!("GET /{path} HTTP/1.1\r\n")),
        "{request}"
    );
    for (status, body) in others {
        let server = Server::replying(reply(status, "", body));
        let name = row.name(server.port());
        let said = match *status {
            OK => "*".to_owned(),
            status => format!("status {}, expected *", &status[..3]),
        };
        check(row.moved(server.port())).unhealthy(&format!("unhealthy: {name}: {said} (* ms)"));
    }
    Ok(())
}

/// Sealed and not initialised are ill; on standby, it redirects what clients ask, and does its part.
fn vault(row: &Row) -> Result<(), Skip> {
    let body = |sealed: bool| format!(r#"{{"initialized":true,"sealed":{sealed},"standby":true}}"#);
    let ill = [
        (ILL, &*body(true)),
        ("501 Not Implemented", r#"{"initialized":false}"#),
    ];
    for status in ["200 OK", "429 Too Many Requests"] {
        answers(row, status, &body(false), &ill)?;
    }
    for status in ["472", "473"] {
        let server = Server::replying(reply(&format!("{status} x"), "", &body(false)));
        row.run(server.port(), status);
    }
    Ok(())
}

fn ghost(row: &Row) -> Result<(), Skip> {
    let moved = "Location: https://blog.example/ghost/api/admin/site/\r\n";
    let server = Server::new(move |connection| {
        let request = crate::support::read_request(connection);
        let request = String::from_utf8_lossy(&request).to_lowercase();
        let answer = match request.contains("\r\nx-forwarded-proto: https\r\n") {
            true => reply(OK, "", r#"{"site":{"title":"a","version":"5.0"}}"#),
            false => reply("301 Moved Permanently", moved, ""),
        };
        let _ = std::io::Write::write_all(connection, answer.as_bytes());
    });
    row.run(server.port(), "200 OK");
    let name = row.name(server.port());
    check([&name]).unhealthy(&format!(
        "unhealthy: {name}: status 301*, expected 200-299* (* ms)"
    ));
    Ok(())
}
