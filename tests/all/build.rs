//! What the binary is made of: one file that needs nothing beside it.

use crate::support::{Skip, checker, only_if_asked};
use libtest_mimic::Trial;
use std::path::PathBuf;
use std::process::Command;

pub fn trials() -> Vec<Trial> {
    let mut trials = trials![
        it_is_linked_statically,
        it_links_no_resolver_and_no_threads,
        an_old_cargo_is_told_which_it_takes,
    ];
    let release = trials![the_release_is_stripped];
    trials.extend(match std::env::var_os("HEALTHCHECKER") {
        Some(_) => release,
        None => only_if_asked("builds for a minute", release),
    });
    trials.extend(only_if_asked(
        "builds all that the program depends on",
        trials![
            a_package_builds_static_or_not_at_all,
            a_build_says_that_it_has_lost_its_flags,
            the_program_builds_without_its_tricks,
        ],
    ));
    trials
}

/// As much of the ELF format (man 5 elf) as the questions below need.
struct Elf {
    is_64: bool,
    bytes: Vec<u8>,
}

const PT_DYNAMIC: u64 = 2;
const PT_INTERP: u64 = 3;
const DT_NEEDED: u64 = 1;
const SHT_SYMTAB: u64 = 2;

impl Elf {
    fn read(path: PathBuf) -> Self {
        let bytes =
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(bytes[..4], *b"\x7fELF", "{}", path.display());
        // Little endian: what every image for Docker is made for, but a few.
        assert_eq!(bytes[5], 1, "{}", path.display());
        Elf {
            is_64: bytes[4] == 2,
            bytes,
        }
    }

    fn number(&self, at: u64, length: usize) -> u64 {
        let at = usize::try_from(at).expect("an offset");
        let mut number = [0; 8];
        number[..length].copy_from_slice(&self.bytes[at..at + length]);
        u64::from_le_bytes(number)
    }

    /// What differs between the format of 32 bits and that of 64.
    fn either<T>(&self, of_32: T, of_64: T) -> T {
        if self.is_64 { of_64 } else { of_32 }
    }

    /// An address, an offset or a size.
    fn word(&self, at: u64) -> u64 {
        self.number(at, self.either(4, 8))
    }

    /// Where each entry is of the table whose offset is at `start`, and whose entries' size and number are at `count`.
    fn table(&self, start: u64, count: u64) -> impl Iterator<Item = u64> {
        let (start, size) = (self.word(start), self.number(count, 2));
        (0..self.number(count + 2, 2)).map(move |at| start + at * size)
    }

    /// Type, offset and size of each segment.
    fn segments(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        let headers = self.table(self.either(28, 32), self.either(42, 54));
        let (offset, size) = self.either((4, 16), (8, 32));
        headers.map(move |at| {
            (
                self.number(at, 4),
                self.word(at + offset),
                self.word(at + size),
            )
        })
    }

    /// Type, link, offset and size of each section.
    fn sections(&self) -> Vec<(u64, u64, u64, u64)> {
        let headers = self.table(self.either(32, 40), self.either(46, 58));
        let (link, offset, size) = self.either((24, 16, 20), (40, 24, 32));
        headers
            .map(|at| {
                (
                    self.number(at + 4, 4),
                    self.number(at + link, 4),
                    self.word(at + offset),
                    self.word(at + size),
                )
            })
            .collect()
    }

    /// The names in the symbol table; none where there is no table.
    fn symbols(&self) -> Option<Vec<&[u8]>> {
        let sections = self.sections();
        let &(_, names, start, size) = sections.iter().find(|(kind, ..)| *kind == SHT_SYMTAB)?;
        let (_, _, names, _) = sections[usize::try_from(names).expect("an index")];
        let name = |at| {
            let text = &self.bytes[(names + self.number(at, 4)) as usize..];
            text.split(|&byte| byte == 0).next().unwrap_or_default()
        };
        let symbols = (start..start + size).step_by(self.either(16, 24));
        Some(symbols.map(name).collect())
    }

    fn contains(&self, text: &str) -> bool {
        self.bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    }
}

/// Holds of every build: `.cargo/config.toml` asks for it in debug builds, too.
fn it_is_linked_statically() {
    assert_static(&Elf::read(checker()));
}

fn assert_static(elf: &Elf) {
    for (kind, offset, size) in elf.segments() {
        assert_ne!(kind, PT_INTERP, "it has an interpreter");
        if kind == PT_DYNAMIC {
            // A static program that is position-independent has one, for its relocations.
            let mut tags = (offset..offset + size)
                .step_by(elf.either(8, 16))
                .map(|at| elf.word(at));
            assert!(tags.all(|tag| tag != DT_NEEDED), "it needs a library");
        }
    }
}

/// A build that is not stripped tells it by its symbols; one that is, by the files that a resolver would read.
fn it_links_no_resolver_and_no_threads() {
    let elf = Elf::read(checker());
    match elf.symbols() {
        Some(symbols) => {
            // There is a table, and it is read right.
            assert!(symbols.contains(&b"main".as_slice()));
            for banned in [
                "getaddrinfo",
                "gethostbyname",
                "gethostbyname_r",
                "res_init",
                "pthread_create",
                "fork",
                "execve",
            ] {
                assert!(!symbols.contains(&banned.as_bytes()), "{banned}");
            }
        }
        None => assert_knows_no_files(&elf),
    }
}

fn assert_knows_no_files(elf: &Elf) {
    assert!(
        elf.contains("/proc/net/tcp"),
        "the file of the hints is there, or this test sees nothing"
    );
    for file in [
        "/etc/hosts",
        "/etc/resolv.conf",
        "/etc/nsswitch.conf",
        "/etc/services",
    ] {
        assert!(!elf.contains(file), "{file}");
    }
}

/// The binary that people get: the one that was named, or what `cargo build --release` makes.
fn the_release_is_stripped() {
    let release = match std::env::var_os("HEALTHCHECKER") {
        Some(named) => named.into(),
        None => built(),
    };
    let elf = Elf::read(release);
    assert!(elf.symbols().is_none(), "it has a symbol table");
    assert_knows_no_files(&elf);
    for (kind, ..) in elf.segments() {
        assert_ne!(kind, PT_INTERP, "it has an interpreter");
    }
    assert_has_no_unwinder(&elf);
}

/// 280 KB for a backtrace that nobody prints. No linker option hides that a symbol is there twice, so a release that links
/// has one definition of each; this asserts that it is not the unwinder's.
fn assert_has_no_unwinder(elf: &Elf) {
    for text in [
        // Where debuggers look for symbols, and so does the standard library's backtrace.
        "/usr/lib/debug/.build-id/",
        // What LLVM's unwinder, which musl's targets link, begins its messages with.
        "libunwind: ",
    ] {
        assert!(!elf.contains(text), "{text}");
    }
}

pub(crate) fn built() -> PathBuf {
    build_for(&[])
}

/// With musl, if there is a toolchain for it.
pub(crate) fn built_with_musl() -> Result<PathBuf, Skip> {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let print = ["--print", "target-libdir", "--target", &target];
    let libraries = Command::new("rustc").args(print).output();
    let libraries = libraries.expect("rustc runs, because cargo has run it");
    match PathBuf::from(String::from_utf8_lossy(&libraries.stdout).trim()).exists() {
        true => Ok(build_for(&["--target", &target])),
        false => Err(Skip::new(format!("no toolchain for {target}"))),
    }
}

fn build_for(target: &[&str]) -> PathBuf {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--release", "--bin", "healthchecker"]);
    build.args(target);
    build.args(["--message-format", "json", "--quiet"]);
    executable(build.current_dir(env!("CARGO_MANIFEST_DIR")))
}

/// What a call of cargo has built, which it tells in JSON.
pub(crate) fn executable(build: &mut Command) -> PathBuf {
    let build = build
        .output()
        .expect("cargo runs, because it has started this");
    let lines = String::from_utf8_lossy(&build.stdout);
    let messages = lines
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let executable = messages
        .filter_map(|message| Some(message["executable"].as_str()?.into()))
        .next_back();
    executable.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&build.stderr)))
}

/// What somebody has who unpacks the package, and what somebody has for whom cargo does: the same files, but for the flags
/// in `.cargo/config.toml`, which cargo reads in a directory that is built and not in one that comes from a registry.
fn a_package_builds_static_or_not_at_all() -> Result<(), Skip> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let directory = directory.path();
    let mut package = cargo(env!("CARGO_MANIFEST_DIR").as_ref());
    package.args([
        "package",
        "--no-verify",
        "--allow-dirty",
        "--offline",
        "--target-dir",
    ]);
    succeed(package.arg(directory.join("made")));
    let name = concat!("healthchecker-", env!("CARGO_PKG_VERSION"));
    let file = directory.join(format!("made/package/{name}.crate"));
    succeed(
        Command::new("tar")
            .arg("-xzf")
            .arg(file)
            .arg("-C")
            .arg(directory),
    );
    let unpacked = directory.join(name);

    // From another directory, and so with the flags of the package.
    let mut installed = cargo(directory);
    installed.args(["install", "--offline", "--locked", "--path"]);
    succeed(
        installed
            .arg(&unpacked)
            .arg("--root")
            .arg(directory.join("out")),
    );
    assert_static(&Elf::read(directory.join("out/bin/healthchecker")));

    // Flags from the environment, whatever they say, take the place of the package's.
    let flagless = |root: &str, target: &str| {
        let mut install = cargo(directory);
        install.args(["install", "--offline", "--locked", "--path"]);
        install.arg(&unpacked).env("RUSTFLAGS", "--cfg=any");
        install.arg("--root").arg(directory.join(root));
        let said = install.args(["--target", target]).output();
        let said = said.expect("cargo runs, because it has started this");
        String::from_utf8_lossy(&said.stderr).into_owned()
    };
    // With glibc, programs are dynamic unless the flags say otherwise, but for the one that takes nothing from glibc.
    let said = flagless(
        "glibc",
        &format!("{}-unknown-linux-gnu", std::env::consts::ARCH),
    );
    if cfg!(target_arch = "x86_64") {
        let installed = directory.join("glibc/bin/healthchecker");
        assert!(installed.exists(), "{said}");
        assert_static(&Elf::read(installed));
    } else {
        let why = "this program would need a libc beside it";
        assert!(said.contains(why), "{said}");
    }

    // musl's is static without flags; and it starts, though the linker was asked to pack its relocations.
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let said = flagless("musl", &target);
    if said.contains("may not be installed") {
        return Err(Skip::new(format!("no build for {target}: {said}")));
    }
    let installed = directory.join("musl/bin/healthchecker");
    assert!(installed.exists(), "{said}");
    let version = Command::new(&installed).arg("--version").output();
    let version = version.expect("it runs where it was built").stdout;
    let version = String::from_utf8_lossy(&version);
    assert!(
        version.contains(&format!("(static, {target})")),
        "{version}"
    );
    let elf = Elf::read(installed);
    assert_static(&elf);
    assert_has_no_unwinder(&elf);
    Ok(())
}

fn a_build_says_that_it_has_lost_its_flags() -> Result<(), Skip> {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let build = |flags: Option<&str>| {
        let mut check = cargo(env!("CARGO_MANIFEST_DIR").as_ref());
        check.args(["check", "--release", "--target", &target]);
        let output = check.envs(flags.map(|flags| ("RUSTFLAGS", flags))).output();
        let output = output.expect("cargo runs, because it has started this");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        output.status.success().then_some(said.clone()).ok_or(said)
    };
    let whole = build(None).map_err(|said| Skip::new(format!("no build for {target}: {said}")))?;
    assert!(!whole.contains("relocation-model"), "{whole}");
    let lost = build(Some("--cfg=any")).expect("the same with fewer flags");
    assert!(
        lost.contains("without -Crelocation-model=static the program is larger"),
        "{lost}"
    );
    Ok(())
}

/// The error of an old cargo names the version that Cargo.toml declares. That it is shown was tried with cargo 1.90.
fn an_old_cargo_is_told_which_it_takes() {
    let config = include_str!("../../.cargo/config.toml");
    let told = concat!(
        "\"--this-needs-Rust-",
        env!("CARGO_PKG_RUST_VERSION"),
        "-or-newer\""
    );
    assert!(config.contains(told), "{told}");
}

/// As `--no-default-features` builds it, with any linkage; the rest of these tests can be run with it, too.
fn the_program_builds_without_its_tricks() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut build = cargo(env!("CARGO_MANIFEST_DIR").as_ref());
    build.args(["build", "--release", "--bin", "healthchecker"]);
    build.args(["--no-default-features", "--message-format", "json"]);
    // Flags from the environment replace those that make it static.
    build.env("RUSTFLAGS", "--cfg=any");
    let program = executable(build.arg("--target-dir").arg(directory.path()));
    let said = Command::new(program).arg("http://127.0.0.1:1/").output();
    let said = said.expect("it runs where it was built");
    assert_eq!(said.status.code(), Some(1));
    let line = String::from_utf8_lossy(&said.stderr);
    assert!(line.contains("connection refused at 127.0.0.1:1"), "{line}");
}

/// Cargo as a person calls it, without what cargo has set for this test.
fn cargo(directory: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(directory);
    for set in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR"] {
        command.env_remove(set);
    }
    command
}

fn succeed(command: &mut Command) {
    let output = command.output().expect("it is installed");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
