//! What a release hands out beside the programs: an image to copy from, Debian packages, licence texts, and what is in it.
//!
//! The scripts take files that `.ci/binaries` makes for each platform. Here, this machine's is the binary under test, and
//! the others only have to arrive where they belong.

use crate::docker::{docker, succeed as engine, tag};
use crate::support::{Skip, checker, only_if_asked, program, run};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

pub fn trials() -> Vec<Trial> {
    let mut trials = trials![licences];
    trials.extend(only_if_asked(
        "needs buildah, skopeo, Docker, Podman, or the nightly toolchain",
        trials![
            the_same_image_twice,
            an_image_is_one_program,
            an_image_in_docker,
            an_image_in_podman,
            the_same_packages_twice,
            a_package_is_one_program,
            components,
        ],
    ));
    trials
}

/// What a platform is called by Rust, in an image, and by Debian.
const PLATFORMS: &[(&str, &str, &str)] = &[
    ("x86_64-unknown-linux-musl", "amd64", "amd64"),
    ("aarch64-unknown-linux-musl", "arm64", "arm64"),
    ("armv7-unknown-linux-musleabihf", "arm/v7", "armhf"),
    ("riscv64gc-unknown-linux-musl", "riscv64", "riscv64"),
    ("i686-unknown-linux-musl", "386", "i386"),
];
/// Of these, `.ci/image` makes images.
const IMAGES: usize = 3;

/// The texts of MIT licences are handed out, so each dependency must be under one, of its choice or ours.
fn licences() {
    let tree = "tree --edges normal --prefix none --format {p}\t{l} --offline --locked";
    let mut cargo = Command::new(env!("CARGO"));
    let tree = succeed(cargo.args(tree.split(' ')).current_dir(ROOT));
    assert!(tree.contains("ureq v"), "it names dependencies: {tree}");
    for line in tree.lines() {
        let (_, licence) = line.split_once('\t').expect("a tab, as asked for");
        // "(*)" follows a dependency that was listed before.
        let mut choices = licence.trim_end_matches(" (*)").split([' ', '/']);
        assert!(choices.any(|choice| choice == "MIT"), "{line}");
        assert!(!licence.contains("AND"), "{line}");
    }
}

fn the_same_image_twice() -> Result<(), Skip> {
    let [one, two] = [image()?, image()?]
        .map(|directory| fs::read(directory.path().join(ARCHIVE)).expect("an archive"));
    assert!(one == two, "the archives differ");
    Ok(())
}

fn an_image_is_one_program() -> Result<(), Skip> {
    let directory = image()?;
    let directory = directory.path();
    succeed(
        Command::new("tar")
            .args(["-xf", ARCHIVE])
            .current_dir(directory),
    );
    let json = |file: &str| -> Value {
        let text = fs::read(directory.join(file)).expect("a file of the image");
        serde_json::from_slice(&text).expect("JSON")
    };
    let blob = |described: &Value| {
        let digest = described["digest"].as_str().expect("a digest");
        format!("blobs/{}", digest.replace(':', "/"))
    };
    let list = |of: &Value| of.as_array().expect("a list").clone();

    let index = json(&blob(&json("index.json")["manifests"][0]));
    let manifests = list(&index["manifests"]);
    assert_eq!(manifests.len(), IMAGES);
    for (manifest, (target, platform, _)) in manifests.iter().zip(PLATFORMS) {
        let mut expected = json!({ "os": "linux", "architecture": platform });
        if let Some((architecture, variant)) = platform.split_once('/') {
            expected = json!({ "os": "linux", "architecture": architecture, "variant": variant });
        }
        assert_eq!(manifest["platform"], expected);
        let manifest = json(&blob(manifest));
        let config = json(&blob(&manifest["config"]));
        assert_eq!(config["architecture"], expected["architecture"]);
        assert_eq!(config["variant"], expected["variant"]);

        let config = &config["config"];
        assert_eq!(config["Entrypoint"], json!(["/healthchecker"]));
        let label = |name: &str| &config["Labels"][format!("org.opencontainers.image.{name}")];
        assert_eq!(*label("title"), "healthchecker");
        assert_eq!(*label("description"), env!("CARGO_PKG_DESCRIPTION"));
        assert_eq!(*label("version"), env!("CARGO_PKG_VERSION"));
        assert_eq!(*label("licenses"), "MIT");
        assert_eq!(*label("source"), SOURCE);
        assert_eq!(
            label("revision").as_str().map(|hash| hash.len() >= 40),
            Some(true)
        );
        assert_eq!(
            label("created").as_str(),
            config_time(&json(&blob(&manifest["config"])))
        );
        for (name, value) in config["Labels"].as_object().expect("labels") {
            assert_eq!(
                manifest["annotations"][name], *value,
                "the annotation {name}"
            );
        }

        let layers = list(&manifest["layers"]);
        assert_eq!(layers.len(), 1, "layers: {layers:?}");
        let layer = directory.join(blob(&layers[0]));
        let tar = |option: &str| {
            let mut tar = Command::new("tar");
            tar.args(["--gzip", "--numeric-owner", option, "--file"])
                .arg(&layer);
            tar
        };
        let listed = succeed(tar("-tv").env("TZ", "UTC"));
        let listed = Vec::from_iter(listed.split_whitespace());
        assert_eq!(
            [listed[0], listed[1], listed[5]],
            ["-rwxr-xr-x", "0/0", "healthchecker"]
        );
        assert_eq!(listed.len(), 6, "one file: {listed:?}");
        let file = tar("-xO").output().expect("tar runs").stdout;
        assert!(
            file == fs::read(build(directory, target)).expect("a build"),
            "{target}"
        );
    }
    Ok(())
}

fn config_time(config: &Value) -> Option<&str> {
    config["created"].as_str()
}

fn an_image_in_docker() -> Result<(), Skip> {
    program("skopeo")?;
    docker(&["version"]).map_err(Skip::new)?;
    let directory = image()?;
    let archive = format!("oci-archive:{}", directory.path().join(ARCHIVE).display());
    let engines = Loaded {
        image: tag("image"),
        copied: tag("copied"),
        volume: tag("tools"),
    };
    let Loaded {
        image,
        copied,
        volume,
    } = &engines;
    let daemon = format!("docker-daemon:{image}:latest");
    succeed(Command::new("skopeo").args(["copy", &archive, &daemon]));

    let version = succeed(Command::new(checker()).arg("--version"));
    assert_eq!(engine(&["run", "--rm", image, "--version"]), version);
    let tools = format!("{volume}:/tools");
    let install = ["--install", "/tools/healthchecker"];
    let said = engine(&[&["run", "--rm", "--volume", &tools, image], &install[..]].concat());
    assert_eq!(said, "installed: /tools/healthchecker");

    fs::write(directory.path().join("Dockerfile"), dockerfile(image)).expect("it is written");
    let context = directory.path().join("context");
    fs::create_dir(&context).expect("a directory");
    let mut build = Command::new("docker");
    // The older builder, as in the tests of the examples.
    build
        .env("DOCKER_BUILDKIT", "0")
        .args(["build", "--tag", copied, "--file"]);
    succeed(build.arg(directory.path().join("Dockerfile")).arg(&context));
    assert_eq!(engine(&["run", "--rm", copied, "--version"]), version);
    Ok(())
}

/// What a test has in the engine, until it ends.
struct Loaded {
    image: String,
    copied: String,
    volume: String,
}

impl Drop for Loaded {
    fn drop(&mut self) {
        let _ = docker(&["rmi", "--force", &self.copied, &self.image]);
        let _ = docker(&["volume", "rm", "--force", &self.volume]);
    }
}

fn an_image_in_podman() -> Result<(), Skip> {
    program("podman")?;
    let directory = image()?;
    let directory = directory.path();
    // A storage of its own; and fewer files and processes than the million that root may not have in every container.
    let storage = [
        "--storage-driver",
        "vfs",
        "--root",
        "storage",
        "--runroot",
        "run",
    ];
    let limits = ["--ulimit", "nofile=256:256", "--ulimit", "nproc=256:256"];
    let tool = |name: &str, arguments: &[&str]| {
        let mut command = Command::new(name);
        succeed(command.args(storage).args(arguments).current_dir(directory))
    };
    let podman = |arguments: &[&str]| tool("podman", arguments);
    let run = ["run", "--rm", "--network", "none"];
    let version = succeed(Command::new(checker()).arg("--version"));

    podman(&["load", "--input", ARCHIVE]);
    let said = podman(&[&run[..], &limits, &["healthchecker", "--version"]].concat());
    assert_eq!(said, version);

    fs::write(directory.join("Containerfile"), dockerfile("healthchecker")).expect("it is written");
    fs::create_dir(directory.join("context")).expect("a directory");
    for name in ["podman", "buildah"] {
        tool(
            name,
            &["build", "--tag", name, "--file", "Containerfile", "context"],
        );
        let said = podman(&[&run[..], &limits, &[name, "--version"]].concat());
        assert_eq!(said, version, "copied by {name}");
    }
    Ok(())
}

fn dockerfile(image: &str) -> String {
    format!(
        "FROM scratch\nCOPY --from={image} /healthchecker /checker\nENTRYPOINT [\"/checker\"]\n"
    )
}

fn the_same_packages_twice() -> Result<(), Skip> {
    let (one, two) = (packages()?, packages()?);
    let names = |directory: &TempDir| -> BTreeSet<_> {
        let entries = fs::read_dir(directory.path()).expect("a directory");
        entries
            .map(|entry| entry.expect("an entry").file_name())
            .collect()
    };
    assert_eq!(names(&one), names(&two));
    // The builds, a package of each, and two texts.
    assert_eq!(names(&one).len(), 2 * PLATFORMS.len() + 2);
    for name in names(&one) {
        let [one, two] = [&one, &two].map(|directory| fs::read(directory.path().join(&name)));
        assert!(
            one.expect("a file") == two.expect("a file"),
            "{name:?} differs"
        );
    }
    Ok(())
}

fn a_package_is_one_program() -> Result<(), Skip> {
    let directory = packages()?;
    let directory = directory.path();
    for (target, _, architecture) in PLATFORMS {
        let version = env!("CARGO_PKG_VERSION");
        let package = directory.join(format!("healthchecker_{version}_{architecture}.deb"));
        let field = |name: &str| {
            succeed(
                Command::new("dpkg-deb")
                    .arg("--field")
                    .arg(&package)
                    .arg(name),
            )
        };
        assert_eq!(field("Architecture"), *architecture);
        assert_eq!(field("Version"), version);
        assert_eq!(field("Depends"), "");
        let listed = succeed(Command::new("dpkg-deb").arg("--contents").arg(&package));
        // Mode and owner, and the name at the end.
        let files = listed
            .lines()
            .filter(|line| !line.starts_with('d'))
            .map(|line| {
                let words = Vec::from_iter(line.split_whitespace());
                [words[0], words[1], words[words.len() - 1]].join(" ")
            });
        assert_eq!(
            Vec::from_iter(files),
            [
                "-rwxr-xr-x root/root ./usr/bin/healthchecker",
                "-rw-r--r-- root/root ./usr/share/doc/healthchecker/copyright",
            ]
        );
        let root = directory.join(architecture);
        succeed(
            Command::new("dpkg-deb")
                .arg("--extract")
                .arg(&package)
                .arg(&root),
        );
        let [installed, built] = [root.join("usr/bin/healthchecker"), build(directory, target)];
        assert!(
            fs::read(&installed).expect("a program") == fs::read(built).expect("a build"),
            "{target}"
        );
        if *target == PLATFORMS[0].0 {
            run(Command::new(installed).arg("--help")).exits(0);
        }
        let copyright = fs::read_to_string(root.join("usr/share/doc/healthchecker/copyright"));
        let copyright = copyright.expect("a text in UTF-8");
        let third = fs::read_to_string(directory.join("THIRD-PARTY.txt")).expect("a text in UTF-8");
        assert_eq!(copyright, include_str!("../../LICENSE").to_owned() + &third);
    }
    Ok(())
}

/// The libraries of the program and of the standard library are named in both texts, and those of the tests in neither.
fn components() -> Result<(), Skip> {
    let directory = packages()?;
    let read =
        |name: &str| fs::read_to_string(directory.path().join(name)).expect("a text in UTF-8");
    let texts = read("THIRD-PARTY.txt");
    let bom: Value = serde_json::from_str(&read("healthchecker.cdx.json")).expect("JSON");
    assert_eq!(bom["bomFormat"], "CycloneDX");
    assert_eq!(
        bom["metadata"]["component"]["version"],
        env!("CARGO_PKG_VERSION")
    );
    let components = bom["components"].as_array().expect("a list");
    let named = |component: &Value| component["name"].as_str().expect("a name").to_owned();
    let names = BTreeSet::from_iter(components.iter().map(named));

    let mut cargo = Command::new(env!("CARGO"));
    cargo.args("tree --edges normal --prefix none --format {lib} --offline --locked".split(' '));
    for library in succeed(cargo.current_dir(ROOT)).lines() {
        let library = library.trim_end_matches(" (*)");
        let named = names.iter().any(|name| name.replace('-', "_") == library);
        assert!(named || library == "healthchecker", "{library}: {names:?}");
    }
    for name in ["rust-std", "musl", "hashbrown"] {
        assert!(names.contains(name), "{name}: {names:?}");
    }
    for name in ["tokio", "proptest", "tempfile"] {
        assert!(!names.contains(name), "{name}: {names:?}");
    }
    for component in components
        .iter()
        .filter(|component| component["purl"].is_string())
    {
        let (name, version) = (
            named(component),
            component["version"].as_str().expect("a version"),
        );
        assert!(
            texts.contains(&format!("\n{name}@{version}\n")),
            "no text of {name}"
        );
        assert_eq!(
            component["hashes"][0]["content"].as_str().map(str::len),
            Some(64),
            "{name}"
        );
    }
    for holder in [
        "Rich Felker",
        "The Rust Project Developers",
        "Unicode, Inc.",
    ] {
        assert!(texts.contains(holder), "{holder}");
    }
    let references = bom["dependencies"].as_array().expect("a list");
    assert_eq!(references.len(), components.len() + 1, "what needs what");
    Ok(())
}

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const ARCHIVE: &str = "healthchecker.oci.tar";
const SOURCE: &str = "https://example.org/healthchecker";

fn build(directory: &Path, target: &str) -> std::path::PathBuf {
    directory.join(format!("healthchecker-{target}-smallest"))
}

/// A directory in which a script has made its files of the builds in it.
fn made(script: &str) -> Result<TempDir, Skip> {
    let script = Path::new(ROOT).join(".ci").join(script);
    if !script.exists() {
        return Err(Skip::new("a package of the sources has no scripts"));
    }
    let directory = tempfile::tempdir().expect("a directory");
    fs::copy(checker(), build(directory.path(), PLATFORMS[0].0)).expect("the binary");
    for (target, ..) in &PLATFORMS[1..] {
        fs::write(build(directory.path(), target), target).expect("a file");
    }
    succeed(
        Command::new(script)
            .arg(directory.path())
            .env("SOURCE", SOURCE),
    );
    Ok(directory)
}

fn image() -> Result<TempDir, Skip> {
    program("buildah")?;
    made("image")
}

fn packages() -> Result<TempDir, Skip> {
    for name in ["dpkg-deb", "jq"] {
        program(name)?;
    }
    let nightly = Command::new("rustc")
        .args(["+nightly", "--print", "sysroot"])
        .output();
    let sysroot = nightly.ok().filter(|output| output.status.success());
    let sysroot = sysroot.ok_or_else(|| Skip::new("there is no nightly toolchain"))?;
    let sysroot = String::from_utf8(sysroot.stdout).expect("a path in UTF-8");
    let library = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/Cargo.lock");
    if !library.exists() {
        return Err(Skip::new("the nightly toolchain has no rust-src"));
    }
    made("packages")
}

/// What the command printed.
fn succeed(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{command:?}: {stdout}{stderr}");
    stdout.trim().to_owned()
}
