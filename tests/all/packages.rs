//! What a release hands out beside the programs: an image to copy from, Debian packages, licence texts, an SBOM.
//!
//! The scripts take the builds that `.ci/binaries` makes. Here, one of them is the binary under test, and the others are
//! texts, which only have to arrive where they belong.

use crate::support::{Skip, checker, only_if_asked, program, run};
use libtest_mimic::Trial;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

// Below this module, because it starts from the same builds.
mod image;

pub fn trials() -> Vec<Trial> {
    let mut trials = trials![licences];
    let packages = trials![same_twice, a_package_is_one_program, components];
    trials.extend(only_if_asked("needs the nightly toolchain", packages));
    trials.extend(image::trials());
    trials
}

/// A platform, as Rust and as Debian call it.
const PLATFORMS: &[(&str, &str)] = &[
    (NATIVE, "amd64"),
    ("aarch64-unknown-linux-musl", "arm64"),
    ("armv7-unknown-linux-musleabihf", "armhf"),
    ("riscv64gc-unknown-linux-musl", "riscv64"),
    ("i686-unknown-linux-musl", "i386"),
];
const NATIVE: &str = "x86_64-unknown-linux-musl";
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A release has the texts of MIT licences, so each dependency must leave the choice of that one.
fn licences() {
    let tree = tree("{p}\t{l}");
    assert!(tree.contains("ureq v"), "it names dependencies: {tree}");
    for line in tree.lines() {
        let (_, licence) = line.split_once('\t').expect("a tab, as asked for");
        let mut choices = licence.split([' ', '/']);
        let is_choice = choices.any(|choice| choice == "MIT") && !licence.contains("AND");
        assert!(is_choice, "{line}");
    }
}

fn same_twice() -> Result<(), Skip> {
    assert_same(&packages("022")?, &packages("077")?);
    Ok(())
}

/// Asserts that the same files are in both directories.
#[track_caller]
fn assert_same(one: &TempDir, two: &TempDir) {
    let names = |directory: &TempDir| -> BTreeSet<_> {
        let entries = fs::read_dir(directory.path()).expect("a directory");
        entries
            .map(|entry| entry.expect("an entry").file_name())
            .collect()
    };
    assert_eq!(names(one), names(two));
    assert!(names(one).len() > PLATFORMS.len(), "{:?}", names(one));
    for name in names(one) {
        let [one, two] = [one, two].map(|directory| fs::read(directory.path().join(&name)));
        assert!(
            one.expect("a file") == two.expect("a file"),
            "{name:?} differs"
        );
    }
}

fn a_package_is_one_program() -> Result<(), Skip> {
    let directory = packages("022")?;
    let directory = directory.path();
    let version = env!("CARGO_PKG_VERSION");
    for (target, architecture) in PLATFORMS {
        let package = directory.join(format!("healthchecker_{version}_{architecture}.deb"));
        let ask = |question: &str, of: &str| {
            let mut ask = Command::new("dpkg-deb");
            succeed(ask.arg(question).arg(&package).args(of.split_whitespace()))
        };
        assert_eq!(ask("--field", "Architecture"), *architecture);
        assert_eq!(ask("--field", "Version"), version);
        assert_eq!(ask("--field", "Depends"), "");

        let listed = ask("--contents", "");
        let files = listed.lines().filter(|line| !line.starts_with('d'));
        let files = files.map(|line| {
            let words = Vec::from_iter(line.split_whitespace());
            [words[0], words[1], words[words.len() - 1]].join(" ")
        });
        let expected = [
            "-rwxr-xr-x root/root ./usr/bin/healthchecker",
            "-rw-r--r-- root/root ./usr/share/doc/healthchecker/copyright",
        ];
        assert_eq!(Vec::from_iter(files), expected);

        let root = directory.join(architecture);
        ask("--extract", root.to_str().expect("a path in UTF-8"));
        let program = root.join("usr/bin/healthchecker");
        assert_same_file(&program, &build(directory, target));
        if *target == NATIVE {
            run(Command::new(program).arg("--help")).exits(0);
        }
        let copyright = read(&root.join("usr/share/doc/healthchecker/copyright"));
        let texts = read(&directory.join("THIRD-PARTY.txt"));
        assert_eq!(copyright, include_str!("../../LICENSE").to_owned() + &texts);
    }
    Ok(())
}

/// The libraries of the program and of the standard library are in both texts, and those of the tests in neither.
fn components() -> Result<(), Skip> {
    let directory = packages("022")?;
    let texts = read(&directory.path().join("THIRD-PARTY.txt"));
    let sbom = read(&directory.path().join("healthchecker.cdx.json"));
    let sbom: Value = serde_json::from_str(&sbom).expect("JSON");
    assert_eq!(sbom["bomFormat"], "CycloneDX");
    assert_eq!(
        sbom["metadata"]["component"]["version"],
        env!("CARGO_PKG_VERSION")
    );

    let components = sbom["components"].as_array().expect("a list");
    let name = |component: &Value| component["name"].as_str().expect("a name").to_owned();
    let names = BTreeSet::from_iter(components.iter().map(name));
    let libraries = tree("{lib}");
    let is_named = |library: &str| names.iter().any(|name| name.replace('-', "_") == library);
    for library in libraries
        .lines()
        .filter(|library| *library != "healthchecker")
    {
        assert!(is_named(library), "{library}: {names:?}");
    }
    for name in ["rust-std", "musl", "hashbrown"] {
        assert!(names.contains(name), "{name}: {names:?}");
    }
    for name in ["tokio", "proptest", "tempfile"] {
        assert!(!names.contains(name), "{name}: {names:?}");
    }
    for crate_ in components
        .iter()
        .filter(|component| component["purl"].is_string())
    {
        let version = crate_["version"].as_str().expect("a version");
        let heading = format!("\n{}@{version}\n", name(crate_));
        assert!(texts.contains(&heading), "no text: {crate_}");
    }
    // Of each text that is no crate's.
    for words in [
        "The Rust Project Developers",
        "Unicode, Inc.",
        "The compiler-builtins crate is",
        "rust-lang/libm as a whole is",
        "Upstream-Name: musl",
    ] {
        assert!(texts.contains(words), "{words}");
    }
    Ok(())
}

/// What cargo says of the program and each of its dependencies on this platform.
fn tree(format: &str) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "tree",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--no-dedupe",
    ]);
    cargo.args(["--offline", "--locked", "--format", format]);
    succeed(cargo.current_dir(ROOT))
}

fn packages(umask: &str) -> Result<TempDir, Skip> {
    for name in ["dpkg-deb", "jq", "strings"] {
        program(name)?;
    }
    let nightly = fs::read_to_string(Path::new(ROOT).join(".ci/nightly")).unwrap_or_default();
    let nightly = nightly.trim();
    let sysroot = Command::new("rustc")
        .args([&format!("+{nightly}"), "--print", "sysroot"])
        .output();
    let sysroot = sysroot.ok().filter(|output| output.status.success());
    let sysroot = sysroot.map(|output| String::from_utf8(output.stdout).expect("a path in UTF-8"));
    let sources =
        sysroot.map(|sysroot| Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library"));
    if !sources.is_some_and(|sources| sources.exists()) {
        return Err(Skip::new(format!("no toolchain {nightly} with rust-src")));
    }
    made("packages", umask)
}

/// A directory with a build for each platform, and what the script has made of them.
fn made(script: &str, umask: &str) -> Result<TempDir, Skip> {
    let script = Path::new(ROOT).join(".ci").join(script);
    if !script.exists() {
        return Err(Skip::new("the package of the sources has no .ci"));
    }
    let directory = tempfile::tempdir().expect("a directory");
    for (target, _) in PLATFORMS {
        fs::write(build(directory.path(), target), target).expect("a file");
    }
    let native = build(directory.path(), NATIVE);
    fs::copy(checker(), &native).expect("the binary");
    // A debug build has 24 MB with its symbols, and 4 without.
    program("strip")?;
    succeed(Command::new("strip").arg(native));
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("umask {umask} && exec \"$0\" \"$1\"")]);
    shell
        .arg(script)
        .arg(directory.path())
        .env("SOURCE", image::SOURCE);
    succeed(&mut shell);
    Ok(directory)
}

fn build(directory: &Path, target: &str) -> PathBuf {
    directory.join(format!("healthchecker-{target}-smallest"))
}

#[track_caller]
fn assert_same_file(one: &Path, two: &Path) {
    let [bytes, others] = [one, two].map(|file| fs::read(file).expect("a file"));
    assert!(
        bytes == others,
        "{} is not {}",
        one.display(),
        two.display()
    );
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// What the command printed.
#[track_caller]
fn succeed(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{command:?}: {stdout}{stderr}");
    stdout.trim().to_owned()
}
