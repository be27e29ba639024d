//! Which name and which reason are chosen, where a body has several.

use super::finds;

#[test]
fn the_reason_that_explains_most() {
    for (body, expected) in [
        // Spring's composite of discovery clients: an error further in is better than a description.
        (
            r#"{"discoveryClient":{"description":"Eureka Client","status":"DOWN","details":{"error":"no eureka"}}}"#,
            &["discoveryClient DOWN: no eureka"][..],
        ),
        // A code or a class says less than the sentence beside it, whichever comes first.
        (
            r#"{"db":{"status":"error","error":"ECONNREFUSED","message":"connect to 10.0.0.5 refused"}}"#,
            &["db error: connect to 10.0.0.5 refused"],
        ),
        (
            r#"{"db":{"status":"DOWN","message":"no route","exception":"java.net.ConnectException"}}"#,
            &["db DOWN: no route"],
        ),
        (
            r#"{"db":{"status":"DOWN","error":"ECONNREFUSED"}}"#,
            &["db DOWN: ECONNREFUSED"],
        ),
        (
            r#"{"status":"error","error":"Service Unavailable","message":"db pool exhausted"}"#,
            &["error: db pool exhausted"],
        ),
        (r#"{"status":"fail","error":"Internal Server Error"}"#, &[]),
        // Prometheus and its kin: the kind of an error is no component.
        (
            r#"{"status":"error","errorType":"unavailable","error":"Ingester not ready"}"#,
            &["error: Ingester not ready"],
        ),
        // The state and the reason in one text.
        (
            r#"{"db":{"status":"DOWN: connection refused"},"x":{"status":"UP: fine"}}"#,
            &["db DOWN: connection refused"],
        ),
        (r#"{"db":{"status":"soon: DOWN"}}"#, &[]),
        // The service knows what its components do not say.
        (
            r#"{"status":"unhealthy","service":"app","database":"disconnected","error":"no such host"}"#,
            &["database disconnected", "app unhealthy: no such host"],
        ),
        (
            r#"{"status":"unhealthy","database":"disconnected","message":"Welcome to the app"}"#,
            &["database disconnected"],
        ),
        (
            r#"{"status":"DOWN","error":"see below","db":{"status":"DOWN","error":"refused"}}"#,
            &["db DOWN: refused"],
        ),
    ] {
        finds(body, expected);
    }
}

#[test]
fn the_name_that_is_its_own() {
    for (body, expected) in [
        (
            r#"{"checks":[{"id":"postgres-main","type":"datastore","status":"fail"}]}"#,
            &["postgres-main fail"][..],
        ),
        (
            r#"{"checks":[{"type":"datastore","id":"postgres-main","status":"fail"}]}"#,
            &["postgres-main fail"],
        ),
        (
            r#"{"checks":[{"label":"db","status":"DOWN"},{"label":"mq","status":"DOWN"}]}"#,
            &["db DOWN", "mq DOWN"],
        ),
        (
            r#"{"targets":[{"url":"http://a:1","status":"fail"},{"url":"http://b:1","status":"ok"}]}"#,
            &["http://a:1 fail"],
        ),
        // Two of one name that are ill of different things.
        (
            r#"{"eu":{"db":{"status":"DOWN","error":"refused"}},"us":{"db":{"status":"DOWN","error":"disk full"}}}"#,
            &["db DOWN: refused", "db DOWN: disk full"],
        ),
        (
            r#"{"details":{"db":{"status":"down","message":"x"}},"error":{"db":{"status":"down","message":"x"}}}"#,
            &["db down: x"],
        ),
    ] {
        finds(body, expected);
    }
}

#[test]
fn the_ones_that_matter() {
    for (body, expected) in [
        // What a component that is well can do without.
        (
            r#"{"es":{"status":"UP","details":{"nodes":[{"name":"n1","status":"down"}]}},"db":{"status":"DOWN"}}"#,
            &["db DOWN"][..],
        ),
        // That something bad is not so is good, and a name that ends in `red` is no word.
        (
            r#"{"checks":{"db_connected":false,"queue_backlog_exceeded":false,"maintenance":false}}"#,
            &["db_connected false"],
        ),
        (
            r#"{"checks":{"db":true,"eureka_registered":false}}"#,
            &["eureka_registered false"],
        ),
        // Settings, and the past.
        (
            r#"{"tier":"critical","impact":"major","status":"unhealthy","db":"gone"}"#,
            &[],
        ),
        (
            r#"{"name":"db","status":"ok","previousStatus":"fail","lastStatus":"down"}"#,
            &[],
        ),
        // A time or a version beside components is none, and says nothing against the text of an error.
        (
            r#"{"status":"error","db":"connection refused","cache":"ok","time":"2024-01-01T00:00:00Z"}"#,
            &["db: connection refused"],
        ),
        (
            r#"{"services":{"db":"connection refused","cache":"failed","web":"ok","uptime":"3d"}}"#,
            &["db: connection refused", "cache failed"],
        ),
        // One that has an error has failed, if it is among components.
        (
            r#"{"checks":{"billing":{"ms":3,"error":"dial refused"},"users":{"ms":3,"error":null}}}"#,
            &["billing: dial refused"],
        ),
        (r#"{"billing":{"error":"dial refused"}}"#, &[]),
        // Other words.
        (
            r#"{"redis":{"status":"DEGRADED"},"env":{"status":"PROBLEM","message":"Missing env"}}"#,
            &["env PROBLEM: Missing env"],
        ),
        (
            r#"[{"name":"mysql","pass":false,"errorMessage":"dial tcp"},{"name":"env","pass":true}]"#,
            &["mysql pass=false: dial tcp"],
        ),
        (
            r#"{"containers":[{"name":"web","state":"exited"},{"name":"db","state":"running"}]}"#,
            &["web exited"],
        ),
    ] {
        finds(body, expected);
    }
}

/// Several words say more than none, if they stand in the component.
#[test]
fn what_else_is_said() {
    for (body, expected) in [
        (
            r#"{"status":"DOWN","checks":[{"name":"PostgreSQL","status":"DOWN","data":{"<default>":"Connection refused: db/10.0.0.2:5432"}}]}"#,
            &["PostgreSQL DOWN: Connection refused: db/10.0.0.2:5432"][..],
        ),
        (
            r#"[{"component":"db","healthy":false,"details":"pool timed out","checkedAt":"Fri, 27 Nov 2026"}]"#,
            &["db healthy=false: pool timed out"],
        ),
        (
            r#"{"db":{"status":"DOWN","response":"502 Bad Gateway","time":"27 Nov 2026"}}"#,
            &["db DOWN: 502 Bad Gateway"],
        ),
        (
            r#"{"db":{"status":"DOWN","note":"in the cellar","error":"refused"}}"#,
            &["db DOWN: refused"],
        ),
        (
            r#"{"name":"sink","tasks":[{"id":0,"state":"FAILED","trace":"ConnectException: no way"}]}"#,
            &["tasks FAILED: ConnectException: no way"],
        ),
        (r#"{"status":"DOWN","note":"in the cellar"}"#, &[]),
        // What is around it is not explained by it.
        (
            r#"{"status":"error","error":{"redis":"connect ECONNREFUSED"}}"#,
            &[],
        ),
        // A mode is no state, and the last time is not now.
        (
            r#"{"status":"error","message":"no leader","mode":"offline"}"#,
            &["error: no leader"],
        ),
        (
            r#"{"status":"starting","db":{"status":"UP"},"lastBackup":"failed"}"#,
            &[],
        ),
        (
            r#"{"checks":{"needsMigration":false,"is_rate_limited":false,"paused":false,"db":"down"}}"#,
            &["db down"],
        ),
    ] {
        finds(body, expected);
    }
}
