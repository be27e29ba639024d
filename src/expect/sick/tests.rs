//! Bodies of each kind, written from the specification or the documentation of what sends them.

use super::super::document::unescaped;
use super::*;
use proptest::prelude::*;

mod explained;
mod mistaken;

/// What is found, as the report has it.
fn named(body: &str) -> Vec<String> {
    let found = in_json(body.as_bytes());
    let name = |sick: &Sick| {
        let not = if sick.not.is_empty() {
            String::new()
        } else {
            format!("{}=false", sick.not)
        };
        let state = [sick.name, sick.state, &not].map(str::trim);
        let state: Vec<&str> = state.into_iter().filter(|part| !part.is_empty()).collect();
        match sick.reason {
            "" => state.join(" "),
            reason => format!("{}: {}", state.join(" "), unescaped(reason)),
        }
    };
    found.sick.iter().map(name).collect()
}

#[track_caller]
fn finds(body: &str, expected: &[&str]) {
    assert_eq!(named(body), expected, "{body}");
    // Text that is cut anywhere says nothing that is not there, and does no harm.
    for end in 0..body.len() {
        in_json(&body.as_bytes()[..end]);
    }
}

#[test]
fn spring_boot_actuator() {
    finds(
        r#"{"status":"DOWN","components":{"db":{"status":"DOWN","details":{"error":
            "org.springframework.jdbc.CannotGetJdbcConnectionException: Failed to obtain JDBC Connection"}},
            "diskSpace":{"status":"UP","details":{"total":250790436864,"free":102,"threshold":10485760,"exists":true}},
            "ping":{"status":"UP"},"redis":{"status":"OUT_OF_SERVICE"}}}"#,
        &[
            "db DOWN: org.springframework.jdbc.CannotGetJdbcConnectionException: Failed to obtain JDBC Connection",
            "redis OUT_OF_SERVICE",
        ],
    );
    // Spring Boot 1 and 2.0 say `details`, or put the components beside the status. A composite is not named.
    finds(
        r#"{"status":"DOWN","details":{"db":{"status":"DOWN","details":{"primary":{"status":"UP"},
            "replica":{"status":"DOWN","details":{"error":"timed out"}}}}}}"#,
        &["replica DOWN: timed out"],
    );
    finds(
        r#"{"status":"DOWN","db":{"status":"DOWN","database":"H2","error":"no \"db\"\n here"},"mail":{"status":"UP"}}"#,
        &["db DOWN: no \"db\"\n here"],
    );
    // Nothing that is not known already.
    finds(r#"{"status":"DOWN"}"#, &[]);
    finds(
        r#"{"status":"DOWN","groups":["liveness","readiness"]}"#,
        &[],
    );
    finds(
        r#"{"status":"UP","components":{"db":{"status":"UNKNOWN"}}}"#,
        &[],
    );
}

#[test]
fn microprofile_and_its_like() {
    // MicroProfile Health 4: Quarkus, Helidon, WildFly, Open Liberty, Keycloak.
    finds(
        r#"{"status":"DOWN","checks":[{"name":"Database connections health check","status":"DOWN",
            "data":{"<default>":"Unable to execute the validation check","error":"Connection refused"}},
            {"name":"live","status":"UP"}]}"#,
        &["Database connections health check DOWN: Connection refused"],
    );
    // Vert.x and MicroProfile 1 name by `id` and `outcome`.
    finds(
        r#"{"outcome":"DOWN","checks":[{"id":"disk","status":"DOWN","data":{"reason":"full"}}]}"#,
        &["disk DOWN: full"],
    );
    // Micronaut: the name of the application is in each.
    finds(
        r#"{"name":"accounts","status":"DOWN","details":{"jdbc:postgresql":{"name":"accounts","status":"DOWN",
            "details":{"error":"refused"}},"diskSpace":{"name":"accounts","status":"UP"}}}"#,
        &["jdbc:postgresql DOWN: refused"],
    );
}

#[test]
fn asp_net() {
    // AspNetCore.HealthChecks.UI.Client.
    finds(
        r#"{"status":"Unhealthy","totalDuration":"00:00:00.2","entries":{"sqlserver":{"data":{},"description":null,
            "duration":"00:00:00.1","exception":"A network-related error","status":"Unhealthy","tags":["db"]},
            "cache":{"data":{},"description":"slow","status":"Degraded","tags":[]},"self":{"data":{},"status":"Healthy"}}}"#,
        &["sqlserver Unhealthy: A network-related error"],
    );
    // What is only degraded is named where nothing is worse.
    finds(
        r#"{"status":"Degraded","entries":{"cache":{"description":"slow","status":"Degraded"},"self":{"status":"Healthy"}}}"#,
        &["cache Degraded: slow"],
    );
    finds(
        r#"{"Status":"Unhealthy","HealthChecks":[{"Component":"db","Status":"Unhealthy","Description":"gone"}]}"#,
        &["db Unhealthy: gone"],
    );
    finds(
        r#"{"status":"Unhealthy","errors":[{"key":"sql","value":"Unhealthy"},{"key":"self","value":"Healthy"}]}"#,
        &["sql Unhealthy"],
    );
}

#[test]
fn health_json() {
    // draft-inadarei-api-health-check-06.
    finds(
        r#"{"status":"fail","version":"1","output":"","serviceId":"f03e522f","description":"health of authz service",
            "checks":{"cassandra:responseTime":[{"componentId":"dfd6cf2b","componentType":"datastore","observedValue":250,
            "status":"pass","output":""}],"cassandra:connections":[{"componentId":"dfd6cf2b","status":"warn"}],
            "uptime":[{"status":"pass"}],"db:connections":[{"status":"fail","output":"pool exhausted"}]}}"#,
        &["db:connections fail: pool exhausted"],
    );
    finds(
        r#"{"status":"fail","output":"disk full","description":"x"}"#,
        &["fail: disk full"],
    );
    // A description of the service is no reason.
    finds(
        r#"{"status":"fail","description":"health of authz service"}"#,
        &[],
    );
}

#[test]
fn go_libraries() {
    // hellofresh/health-go.
    finds(
        r#"{"status":"Service Unavailable","timestamp":"2017-01-01T00:00:00Z","failures":{"rabbitmq":
            "failed during RabbitMQ health check","mongodb":"no reachable servers"},"system":{"version":"go1.8"}}"#,
        &[
            "rabbitmq: failed during RabbitMQ health check",
            "mongodb: no reachable servers",
        ],
    );
    // alexliesenfeld/health.
    finds(
        r#"{"status":"down","details":{"database":{"status":"up","timestamp":"2021-07-01T08:05:08Z"},
            "search":{"status":"down","timestamp":"2021-07-01T08:05:08Z","error":"this makes the check fail"}}}"#,
        &["search down: this makes the check fail"],
    );
    // heptiolabs/healthcheck with `?full=1`.
    finds(
        r#"{"goroutine-threshold":"OK","upstream-dep-dns":"lookup upstream.example.com: no such host","x":"connection refused"}"#,
        &[
            "upstream-dep-dns: lookup upstream.example.com: no such host",
            "x: connection refused",
        ],
    );
    // etcd, and InfluxDB 2.
    finds(
        r#"{"health":"false","reason":"RAFT NO LEADER"}"#,
        &["health=false: RAFT NO LEADER"],
    );
    finds(
        r#"{"name":"influxdb","message":"not started","status":"fail","checks":[],"version":"2"}"#,
        &["influxdb fail: not started"],
    );
    // Nomad and Consul.
    finds(
        r#"{"client":{"message":"ok","ok":true},"server":{"message":"no cluster leader","ok":false}}"#,
        &["server ok=false: no cluster leader"],
    );
    finds(
        r#"[{"Node":"a","CheckID":"service:web","Name":"web check","Status":"critical","Output":"refused"},
            {"Node":"a","CheckID":"serfHealth","Name":"Serf","Status":"passing","Output":"Agent alive"}]"#,
        &["web check critical: refused"],
    );
    // Harbor; Grafana.
    finds(
        r#"{"status":"unhealthy","components":[{"name":"redis","status":"unhealthy","error":"gone"},{"name":"db","status":"healthy"}]}"#,
        &["redis unhealthy: gone"],
    );
    finds(
        r#"{"commit":"1","database":"failing","version":"7.0"}"#,
        &["database failing"],
    );
}

#[test]
fn elasticsearch() {
    finds(
        r#"{"status":"red","cluster_name":"x","indicators":{"master_is_stable":{"status":"green","symptom":"stable",
            "details":{}},"disk":{"status":"yellow","symptom":"almost full"},"shards_availability":{"status":"red",
            "symptom":"This cluster has 2 unavailable primary shards.","impacts":[{"id":"1","severity":1,"description":
            "Cannot search."}],"diagnosis":[{"id":"2","cause":"lost","action":"look"}]}}}"#,
        &["shards_availability red: This cluster has 2 unavailable primary shards."],
    );
    // Of the whole cluster, nothing more is known than the body says.
    finds(
        r#"{"cluster_name":"x","status":"red","timed_out":false,"number_of_nodes":1}"#,
        &[],
    );
    finds(
        r#"{"cluster_name":"x","status":"red","indices":{"logs":{"status":"red","shards":{"0":{"status":"green"}}}}}"#,
        &["logs red"],
    );
}

#[test]
fn many_other_kinds() {
    // NestJS terminus lists a component twice.
    finds(
        r#"{"status":"error","info":{"db":{"status":"up"}},"error":{"redis":{"status":"down","message":"refused"}},
            "details":{"db":{"status":"up"},"redis":{"status":"down","message":"refused"}}}"#,
        &["redis down: refused"],
    );
    // Dropwizard.
    finds(
        r#"{"deadlocks":{"healthy":true},"database":{"healthy":false,"message":"no pool","error":{"stack":["a","b"],"message":"x"}}}"#,
        &["database healthy=false: x"],
    );
    // Django's django-health-check; Laravel's spatie/health; Rails' okcomputer; GitLab.
    finds(
        r#"{"Cache backend: default":"working","DatabaseBackend":"unavailable: Database error"}"#,
        &["DatabaseBackend: unavailable: Database error"],
    );
    finds(
        r#"{"finishedAt":1,"checkResults":[{"name":"UsedDiskSpace","label":"Disk","notificationMessage":"almost full",
            "shortSummary":"91%","status":"failed","meta":{"x":91}},{"name":"Db","notificationMessage":"","status":"ok"}]}"#,
        &["UsedDiskSpace failed: almost full"],
    );
    finds(
        r#"{"default":{"message":"fine","success":true},"sidekiq":{"message":"latency","success":false}}"#,
        &["sidekiq success=false: latency"],
    );
    finds(
        r#"{"status":"ok","db_check":[{"status":"failed","message":"unexpected"}],"cache_check":[{"status":"ok"}]}"#,
        &["db_check failed: unexpected"],
    );
    // RabbitMQ; SonarQube; Kong; a Kubernetes condition.
    finds(
        r#"{"status":"failed","reason":"alarms in effect"}"#,
        &["failed: alarms in effect"],
    );
    finds(
        r#"{"health":"RED","causes":[{"message":"no database"}]}"#,
        &["RED: no database"],
    );
    finds(
        r#"{"database":{"reachable":false},"server":{"total_requests":1}}"#,
        &["database reachable=false"],
    );
    finds(
        r#"{"conditions":[{"type":"MemoryPressure","status":"False","reason":"Enough"}]}"#,
        &[],
    );
    // By hand.
    finds(
        r#"{"status":"DOWN","db":"DOWN","cache":"UP"}"#,
        &["db DOWN"],
    );
    finds(
        r#"{"ok":false,"checks":{"db":false,"cache":true}}"#,
        &["db false"],
    );
    finds(r#"{"status":{"db":"error","redis":"ok"}}"#, &["db error"]);
    finds(
        r#"{"data":{"health":{"services":[{"service":"s3","state":"Offline","last_error":"403"}]}}}"#,
        &["s3 Offline: 403"],
    );
    finds(
        r#"{"errors":["no database"],"status":"error"}"#,
        &["error: no database"],
    );
    finds(
        r#"{"failures":[{"name":"db","message":"gone"}]}"#,
        &["db: gone"],
    );
    finds(r#"{"errors":{"db":{"message":"gone"}}}"#, &["db: gone"]);
}

#[test]
fn what_is_not_sick() {
    for body in [
        // The body is shown, as before.
        r#"{"status":"Database unaccessible"}"#,
        r#"{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"no database"}"#,
        r#"{"timestamp":"x","status":503,"error":"Service Unavailable","path":"/error"}"#,
        r#"{"error":"no database","code":14}"#,
        r#"{"level":"error","type":"fail","message":"x"}"#,
        r#"{"initialized":true,"sealed":true,"standby":true}"#,
        r#"{"app":"OK","version":"1.2.3","path":"/error"}"#,
        r#"{"debug":false,"flags":{"trace":false}}"#,
        r#"{"settings":[{"name":"verbose","value":false},{"name":"log","value":"error"}]}"#,
        r#"{"build":{"description":"My app"},"status":"DOWN"}"#,
        r#"{"status":0,"ok":1,"healthy":null}"#,
        "",
        "{",
        "[",
        "}",
        "\"DOWN\"",
        "DOWN",
        "{\"status\":\"DOWN\"",
        "[[[]]",
        "{{{{",
        "{\"a\"",
        "{\"a\":",
        "[,,,:,]",
        "<html>{\"db\":{\"status\":\"DOWN\"}}",
        "\u{feff}{\"db\":{\"status\":\"DOWN\"}}",
    ] {
        finds(body, &[]);
    }
}

#[test]
fn what_is_cut_is_read_as_far_as_it_goes() {
    let body = r#"{"status":"DOWN","components":{"db":{"status":"DOWN","details":{"error":"no connection to the datab"#;
    finds(body, &["db DOWN"]);
    let whole = [br#"{"db":{"status":"DOWN"},"x":""#, &b"\xff"[..]].concat();
    assert_eq!(in_json(&whole).sick.len(), 1);
    // A component at the end of what is looked at, and one behind it.
    let long = |pad: usize| {
        format!(
            r#"{{"pad":"{}","db":{{"status":"DOWN"}}}}"#,
            "x".repeat(pad)
        )
    };
    finds_only(&long(MAX_LOOKED_AT - 100), 1);
    finds_only(&long(MAX_LOOKED_AT), 0);
}

fn finds_only(body: &str, count: usize) {
    assert_eq!(in_json(body.as_bytes()).sick.len(), count);
}

#[test]
fn hostile_bodies_are_bounded() {
    let many: Vec<String> = (0..1000)
        .map(|at| format!(r#""c{at}":{{"status":"DOWN"}}"#))
        .collect();
    let body = format!("{{{}}}", many.join(","));
    let found = in_json(body.as_bytes());
    assert_eq!((found.sick.len(), found.more), (MAX_SICK, 1000 - MAX_SICK));
    let many: Vec<String> = (0..2000).map(|at| format!(r#""k{at}":false"#)).collect();
    let body = format!(r#"{{"checks":{{{}}}}}"#, many.join(","));
    let found = in_json(body.as_bytes());
    assert_eq!((found.sick.len(), found.more), (MAX_SICK, 2000 - MAX_SICK));
    // As many values as are looked at, and more.
    let late = |values: usize| format!(r#"[{}{{"db":{{"status":"DOWN"}}}}]"#, "0,".repeat(values));
    finds_only(&late(MAX_VALUES - 10), 1);
    finds_only(&late(MAX_VALUES), 0);
    for unit in [
        "[",
        "{\"a\":",
        "{\"status\":\"DOWN\",\"a\":",
        "[{\"errors\":{",
        "\"",
        "\\",
        "{\"_____\":\"fail\",",
        "]",
        ",",
        ":",
    ] {
        let body = format!("[{}", unit.repeat(MAX_LOOKED_AT * 2 / unit.len()));
        in_json(body.as_bytes());
    }
    // As deep as is looked, and deeper.
    let nested = |depth: usize| {
        format!(
            "{}{{\"db\":{{\"status\":\"DOWN\"}}}}{}",
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    finds_only(&nested(MAX_DEPTH - 2), 1);
    finds_only(&nested(MAX_DEPTH), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Anything, and anything that is made of the words and marks of such bodies, is read to its end.
    #[test]
    fn anything_is_read(parts in proptest::collection::vec(0..WORDS.len(), 0..60), bytes: Vec<u8>) {
        let text: String = parts.iter().map(|&at| WORDS[at]).collect();
        let found = in_json(text.as_bytes());
        for sick in &found.sick {
            prop_assert!(!sick.name.is_empty() || !sick.reason.is_empty());
            unescaped(sick.reason);
        }
        in_json(&[b"{", &bytes[..]].concat());
    }
}

const WORDS: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"status\":",
    "\"DOWN\"",
    "\"UP\"",
    "\"name\":",
    "\"db\"",
    "\"db\":",
    "\"error\":",
    "\"x\\",
    "\"\\u00",
    "false",
    "true",
    "503",
    " ",
    "\"failures\":",
    "\"checks\":",
    "\"healthy\":",
    "\"timeout\"",
    "\u{e9}",
];
