//! Words in a body that are not about the health of what they stand in.

use super::finds;

/// What is well is not called sick because of a word in its settings, its data or its past.
#[test]
fn healthy_components_are_not_named() {
    for (body, expected) in [
        (
            r#"{"status":"UP","maintenance":"false","version":"1"}"#,
            &[][..],
        ),
        (
            r#"{"status":"UP","theme":"dark","ui":{"color":"red","alert":"red"},"mode":"no"}"#,
            &[],
        ),
        (r#"{"message":"success","mode":"critical"}"#, &[]),
        (
            r#"{"components":{"rabbit":{"status":"UP","details":{"blocked":"false","tls":"no"}},"db":{"status":"DOWN","details":{"error":"x"}}}}"#,
            &["db DOWN: x"],
        ),
        (
            r#"{"mongo":{"status":"UP","details":{"replica":"down","primary":"up"}},"db":{"status":"DOWN"}}"#,
            &["db DOWN"],
        ),
        // The same before the state is known, and deeper than the data.
        (
            r#"{"entries":{"m":{"data":{"replica":"down","primary":"up"},"status":"Healthy"},"db":{"status":"Unhealthy"}}}"#,
            &["db Unhealthy"],
        ),
        (
            r#"{"m":{"status":"UP","nodes":{"a":"down","b":"up"}},"db":{"status":"DOWN"}}"#,
            &["db DOWN"],
        ),
        // Go and Python can sort the members.
        (
            r#"{"m":{"history":[{"status":"down"}],"lastFailure":{"status":"down"},"nodes":{"a":"down","b":"up"},"status":"UP"},"x":{"status":"DOWN"}}"#,
            &["x DOWN"],
        ),
        // A wrapper is no component, and what holds the components has them.
        (
            r#"{"data":{"status":"ok","checks":{"a":"down","b":"up"}}}"#,
            &["a down"],
        ),
        (
            r#"{"status":"success","data":{"a":"down","b":"up"}}"#,
            &["a down"],
        ),
        (
            r#"{"status":{"code":503,"shuttingDown":false,"db":"down"}}"#,
            &["db down"],
        ),
        (r#"{"status":{"code":503,"readOnly":false}}"#, &[]),
        (r#"{"checks":{"isDown":false,"db":false}}"#, &["db false"]),
        (r#"{"checks":{"db":false,"cache":"ok"}}"#, &["db false"]),
        (
            r#"{"checks":{"db":"no","cache":"stopped","x":"yes"}}"#,
            &["db no", "cache stopped"],
        ),
        (
            r#"{"a":{"status":"up","previous":{"status":"down"},"history":[{"status":"down"}],"lastFailure":{"status":"down"}},"b":{"status":"down"}}"#,
            &["b down"],
        ),
        (
            r#"{"a":{"status":"down","lastFailure":{"status":"down"},"lastError":{"message":"x"}}}"#,
            &["a down: x"],
        ),
        (
            r#"{"status":"DOWN","history":{"status":"DOWN"},"matching":{"status":"UP"}}"#,
            &["history DOWN"],
        ),
        (
            r#"{"db":{"status":"DOWN"},"errors":{"docs":"https://x/y","count":"0"}}"#,
            &["db DOWN"],
        ),
        (
            r#"{"errors":{"db":"none","s3":"timeout","x":"no"}}"#,
            &["s3 timeout"],
        ),
        (
            r#"{"errors":{"db":"dial tcp://db:5432: refused"}}"#,
            &["db: dial tcp://db:5432: refused"],
        ),
        (
            r#"{"db":"ok","redis":"ok","errorPage":"/error.html","timeoutPolicy":"timeout 5s"}"#,
            &[],
        ),
        (r#"{"db":"ok","mode":"failover"}"#, &[]),
        (r#"{"db":"ok","name":"error service"}"#, &[]),
        (r#"{"db":"ok","help":"https://x/timeout"}"#, &[]),
        (
            r#"{"db":"ok","redis":"ConnectionError: x","s3":"no such host"}"#,
            &["redis: ConnectionError: x", "s3: no such host"],
        ),
    ] {
        finds(body, expected);
    }
}

/// The component, its reason and its count are not lost to other words.
#[test]
fn causes_are_not_hidden() {
    for (body, expected) in [
        (
            r#"{"checks":[{"name":"db","status":"DOWN","data":{"ssl":"no","pool":"failed","error":"refused"}}]}"#,
            &["db DOWN: refused"][..],
        ),
        // Strapi, Feathers and others: the type of an error. The body is shown, with the message.
        (
            r#"{"data":null,"error":{"status":503,"name":"ServiceUnavailable","message":"db gone"}}"#,
            &[],
        ),
        (
            r#"{"name":"Unavailable","message":"db gone","code":503,"className":"unavailable","errors":{}}"#,
            &[],
        ),
        (
            r#"{"errorCode":"SERVICE_UNAVAILABLE","message":"db gone"}"#,
            &[],
        ),
        (
            r#"{"httpStatus":"SERVICE_UNAVAILABLE","statusText":"Service Unavailable"}"#,
            &[],
        ),
        (
            r#"{"reasonPhrase":"Service Unavailable","phrase":"Service Unavailable"}"#,
            &[],
        ),
        // Laminas and Liip; Mattermost.
        (
            r#"{"checks":[{"checkName":"db","message":"Could not talk to database","status":1,"status_name":"check_result_critical"}],"globalStatus":"KO"}"#,
            &[],
        ),
        (
            r#"{"status":"OK","database_status":"UNHEALTHY","filestore_status":"OK"}"#,
            &["database_status UNHEALTHY"],
        ),
        // Logstash: the state is in an object of its own.
        (
            r#"{"status":"red","indicators":{"main":{"status":"red","symptom":"not healthy","details":{"status":{"state":"TERMINATED"}}}}}"#,
            &["main red: not healthy"],
        ),
        // py-healthcheck; Artifactory; Kibana 7; Akka.
        (
            r#"{"status":"failure","results":[{"checker":"redis","output":"gone","passed":false},{"checker":"db","output":"ok","passed":true}]}"#,
            &["redis passed=false: gone"],
        ),
        (
            r#"{"services":[{"service_id":"jfrt@1","node_id":"a","state":"UNHEALTHY","message":""}]}"#,
            &["jfrt@1 UNHEALTHY"],
        ),
        (
            r#"{"status":{"overall":{"state":"green"},"statuses":[{"id":"plugin:es@7","message":"no","state":"red"},{"id":"x","state":"green"}]}}"#,
            &["plugin:es@7 red"],
        ),
        (
            r#"{"members":[{"node":"akka://a@b:1","status":"Down"},{"node":"akka://a@c:1","status":"Up"}]}"#,
            &["akka://a@b:1 Down"],
        ),
        (
            r#"{"db":{"status":"FAULT","err":"refused"},"s3":{"status":"TERMINATED"}}"#,
            &["db FAULT: refused", "s3 TERMINATED"],
        ),
    ] {
        finds(body, expected);
    }
}
