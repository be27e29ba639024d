//! The image: what is in it, and that Docker and Podman can copy from it.

use super::{NATIVE, assert_same, assert_same_file, build, made, read, succeed};
use crate::docker::{docker, succeed as engine, tag};
use crate::support::{Skip, checker, only_if_asked, program};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

pub fn trials() -> Vec<Trial> {
    let trials = trials![same_twice, it_is_one_program, in_docker, in_podman];
    only_if_asked("needs buildah, Docker and Podman", trials)
}

/// A platform as Rust calls it, and in an image.
const PLATFORMS: &[(&str, &str)] = &[
    (NATIVE, r#"{"architecture":"amd64","os":"linux"}"#),
    (
        "aarch64-unknown-linux-musl",
        r#"{"architecture":"arm64","os":"linux"}"#,
    ),
    (
        "armv7-unknown-linux-musleabihf",
        r#"{"architecture":"arm","os":"linux","variant":"v7"}"#,
    ),
];

/// A place of the sources, as whoever publishes the image names it.
pub const SOURCE: &str = "https://example.org/healthchecker";
const ARCHIVE: &str = "healthchecker.oci.tar";

fn image(umask: &str) -> Result<TempDir, Skip> {
    program("buildah")?;
    made("image", umask)
}

fn same_twice() -> Result<(), Skip> {
    assert_same(&image("022")?, &image("077")?);
    Ok(())
}

fn it_is_one_program() -> Result<(), Skip> {
    let directory = image("022")?;
    let directory = directory.path();
    succeed(
        Command::new("tar")
            .args(["-xf", ARCHIVE])
            .current_dir(directory),
    );
    let index = described(
        directory,
        &json_of(&directory.join("index.json"))["manifests"][0],
    );
    let manifests = index["manifests"].as_array().expect("a list");
    assert_eq!(manifests.len(), PLATFORMS.len());
    for (manifest, (target, platform)) in manifests.iter().zip(PLATFORMS) {
        assert_eq!(manifest["platform"].to_string(), *platform);
        let manifest = described(directory, manifest);
        let config = described(directory, &manifest["config"]);
        for (name, value) in serde_json::from_str::<Value>(platform)
            .expect("JSON")
            .as_object()
            .expect("an object")
        {
            assert_eq!(config[name], *value, "{name}");
        }
        assert_eq!(config["config"]["Entrypoint"], json!(["/healthchecker"]));
        for (name, value) in [
            ("title", "healthchecker"),
            ("description", env!("CARGO_PKG_DESCRIPTION")),
            ("version", env!("CARGO_PKG_VERSION")),
            ("licenses", "MIT"),
            ("source", SOURCE),
            ("created", config["created"].as_str().expect("a time")),
        ] {
            let name = format!("org.opencontainers.image.{name}");
            assert_eq!(config["config"]["Labels"][&name], value, "{name}");
            assert_eq!(manifest["annotations"][&name], value, "{name}");
        }
        assert_one_program(directory, &manifest["layers"], target);
    }
    Ok(())
}

fn assert_one_program(directory: &Path, layers: &Value, target: &str) {
    assert_eq!(layers.as_array().map(Vec::len), Some(1), "{layers}");
    let layer = blob(&layers[0]);
    let tar = |does: &str| {
        let mut tar = Command::new("tar");
        succeed(
            tar.args(["--gzip", "--numeric-owner", does, "--file", &layer])
                .current_dir(directory),
        )
    };
    // Mode, owner, size, day, time and name; and the same of nothing else.
    let listed = tar("-tv");
    let listed = Vec::from_iter(listed.split_whitespace());
    assert_eq!(
        [listed[0], listed[1], listed[5]],
        ["-rwxr-xr-x", "0/0", "healthchecker"]
    );
    assert_eq!(listed.len(), 6, "{listed:?}");
    tar("-x");
    assert_same_file(&directory.join("healthchecker"), &build(directory, target));
}

/// The file that holds what a descriptor describes.
fn blob(descriptor: &Value) -> String {
    let digest = descriptor["digest"].as_str().expect("a digest");
    format!("blobs/{}", digest.replace(':', "/"))
}

fn described(directory: &Path, descriptor: &Value) -> Value {
    json_of(&directory.join(blob(descriptor)))
}

fn json_of(file: &Path) -> Value {
    serde_json::from_str(&read(file)).expect("JSON")
}

/// Writes a Dockerfile as the README has it, and an empty directory beside it.
fn dockerfile(directory: &Path, image: &str) {
    let text =
        format!("FROM scratch\nCOPY --from={image} /healthchecker /copy\nENTRYPOINT [\"/copy\"]\n");
    fs::write(directory.join("Dockerfile"), text).expect("it is written");
    fs::create_dir(directory.join("empty")).expect("a directory");
}

fn version() -> String {
    succeed(Command::new(checker()).arg("--version"))
}

/// What a test has in the engine, until it ends.
struct Engine {
    image: String,
    copy: String,
    volume: String,
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = docker(&["image", "rm", "--force", &self.copy, &self.image]);
        let _ = docker(&["volume", "rm", "--force", &self.volume]);
    }
}

fn in_docker() -> Result<(), Skip> {
    program("skopeo")?;
    docker(&["version"]).map_err(Skip::new)?;
    let directory = image("022")?;
    let directory = directory.path();
    let [image, copy, volume] = ["image", "copy", "tools"].map(tag);
    let here = Engine {
        image,
        copy,
        volume,
    };
    let archive = format!("oci-archive:{ARCHIVE}");
    let daemon = format!("docker-daemon:{}:latest", here.image);
    succeed(
        Command::new("skopeo")
            .args(["copy", &archive, &daemon])
            .current_dir(directory),
    );
    assert_eq!(
        engine(&["run", "--rm", &here.image, "--version"]),
        version()
    );

    let volume = format!("{}:/tools", here.volume);
    let installs = [
        "--volume",
        &volume,
        &here.image,
        "--install",
        "/tools/healthchecker",
    ];
    let said = engine(&[&["run", "--rm"], &installs[..]].concat());
    assert_eq!(said, "installed: /tools/healthchecker");

    dockerfile(directory, &here.image);
    // The older builder, as in the tests of the examples.
    let mut build = Command::new("docker");
    build
        .env("DOCKER_BUILDKIT", "0")
        .args(["build", "--tag", &here.copy]);
    succeed(
        build
            .args(["--file", "Dockerfile", "empty"])
            .current_dir(directory),
    );
    assert_eq!(engine(&["run", "--rm", &here.copy, "--version"]), version());
    Ok(())
}

fn in_podman() -> Result<(), Skip> {
    program("podman")?;
    let directory = image("022")?;
    let directory = directory.path();
    // A storage of its own, as buildah takes it, too.
    let storage = [
        "--storage-driver",
        "vfs",
        "--root",
        "storage",
        "--runroot",
        "run",
    ];
    let tool = |name: &str, arguments: &[&str]| {
        let mut tool = Command::new(name);
        succeed(tool.args(storage).args(arguments).current_dir(directory))
    };
    // Podman asks for a million files and processes, which root may not have in every container.
    let limits = ["--ulimit", "nofile=256:256", "--ulimit", "nproc=256:256"];
    let run = |image: &str| {
        let run = ["run", "--rm", "--network", "none"];
        tool(
            "podman",
            &[&run[..], &limits, &[image, "--version"]].concat(),
        )
    };
    tool("podman", &["load", "--input", ARCHIVE]);
    assert_eq!(run("healthchecker"), version());

    dockerfile(directory, "healthchecker");
    for builder in ["podman", "buildah"] {
        tool(
            builder,
            &["build", "--tag", builder, "--file", "Dockerfile", "empty"],
        );
        assert_eq!(run(builder), version(), "{builder}");
    }
    Ok(())
}
