//! The Pods for Kubernetes, of which there is no cluster here.

use std::process::Command;
use std::sync::Arc;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::super::{Images, run, trial};
use super::EXAMPLE;
use crate::support::Skip;

pub(super) fn trials(images: &Arc<Images>) -> Vec<Trial> {
    vec![trial(
        images,
        "docker::inject::pods::are_consistent",
        |_| are_consistent(),
    )]
}

/// What a schema would not find: that the probe's program is in a volume which the Pod has, and that it may be run.
fn are_consistent() -> Result<(), Skip> {
    let json = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    run(Command::new("python3").args(["-c", "import yaml"])).map_err(Skip::new)?;
    for (file, source) in [
        ("pod-configmap.yml", "configMap"),
        ("pod-init.yml", "emptyDir"),
        ("pod-image.yml", "image"),
    ] {
        let path = format!("{EXAMPLE}/{file}");
        let pod = run(Command::new("python3").args(["-c", json, &path]));
        let pod: Value = serde_json::from_str(&pod.unwrap_or_else(|why| panic!("{why}")))
            .expect("python prints JSON");
        let spec = &pod["spec"];
        let [volume, service] = [&spec["volumes"][0], &spec["containers"][0]];
        assert!(volume[source].is_object(), "{file}");
        let mount = &service["volumeMounts"][0];
        assert_eq!(mount["name"], volume["name"], "{file}");
        let program = format!(
            "{}/healthchecker",
            mount["mountPath"].as_str().expect("a path")
        );
        for probe in ["livenessProbe", "readinessProbe"] {
            let probe = &service[probe];
            assert_eq!(probe["exec"]["command"][0], program, "{file}");
            // Longer than the checker's own.
            assert!(probe["timeoutSeconds"].as_u64() > Some(5), "{file}");
        }
        match source {
            "configMap" => assert_eq!(volume[source]["defaultMode"], 0o555, "{file}"),
            "emptyDir" => {
                let init = &spec["initContainers"][0];
                assert_eq!(init["args"], json!(["--install", program]), "{file}");
                assert_eq!(init["volumeMounts"][0]["mountPath"], mount["mountPath"]);
            }
            _ => assert!(volume[source]["reference"].is_string(), "{file}"),
        }
    }
    Ok(())
}
