//! The target's name for `--version`; how the program is linked, where a flag in `.cargo/config.toml` could not say it, because
//! cargo does not read that file in a package from a registry, and RUSTFLAGS replaces what it says.
//!
//! Whether a program is static is asked in the source, with `cfg(target_feature)`: for musl, `CARGO_CFG_TARGET_FEATURE`
//! lacks a crt-static that nobody set. Whether it has a fixed address cannot be asked there.

use std::env::var;
use std::path::Path;
use std::process::Command;

fn main() {
    let of_cargo = |name| var(name).expect("cargo sets it for every build script");
    let target = of_cargo("TARGET");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=HEALTHCHECKER_TARGET={target}");
    println!("cargo::rustc-check-cfg=cfg(no_libc)");
    if of_cargo("PROFILE") != "release" || var("CARGO_FEATURE_TINY").is_err() {
        return;
    }
    if target == "x86_64-unknown-linux-gnu" {
        link_without_libc(&of_cargo("OUT_DIR"));
    }
    if of_cargo("CARGO_CFG_TARGET_ENV") != "musl" {
        return;
    }
    let flags = of_cargo("CARGO_ENCODED_RUSTFLAGS");
    // Not with any linker: some read no such scripts. On 32-bit ARM, other tables are in the place of these.
    if flags.contains("linker=rust-lld") && of_cargo("CARGO_CFG_TARGET_ARCH") != "arm" {
        let script = Path::new(&of_cargo("CARGO_MANIFEST_DIR")).join("src/tiny/no_unwinder.ld");
        println!("cargo::rerun-if-changed={}", script.display());
        println!("cargo::rustc-link-arg-bins=-T{}", script.display());
    }
    // .cargo/config.toml has the flag for every target of musl's.
    if flags.contains("relocation-model") {
        return;
    }
    // The table by which the program relocates itself takes 35 KB, and packed 1 KB. musl reads packed ones from 1.2.4 on;
    // Rust 1.93 brought 1.2.5.
    if minor_version(&of_cargo("RUSTC")) >= Some(93) {
        println!("cargo::rustc-link-arg-bins=-zpack-relative-relocs");
    }
    println!(
        "cargo::warning=without -Crelocation-model=static the program is larger, and relocates itself at each start, and another \
         processor's is not linked without -Clinker=rust-lld: a package from a registry has no .cargo/config.toml, and RUSTFLAGS \
         replaces its flags, so give both in RUSTFLAGS"
    );
}

/// Links the program, and nothing else of this package, with src/tiny/no_libc.rs in place of a C library: where the standard
/// library's ones are looked for, empty ones are found first. It has a fixed address and an entry point of its own.
fn link_without_libc(directory: &str) {
    println!("cargo::rustc-cfg=no_libc");
    for name in [
        "c", "dl", "gcc", "gcc_eh", "gcc_s", "m", "pthread", "rt", "util",
    ] {
        let library = Path::new(directory).join(format!("lib{name}.a"));
        std::fs::write(library, "!<arch>\n").expect("the directory is there to be written to");
    }
    println!("cargo::rustc-link-arg-bins=-L{directory}");
    // What -znorelro leaves out, a loader would protect, and there is none.
    for argument in ["-static", "-no-pie", "-nostartfiles", "-znorelro"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}

/// The 95 of `rustc 1.95.0 (...)`.
fn minor_version(rustc: &str) -> Option<u32> {
    let said = Command::new(rustc).arg("--version").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    said.split('.').nth(1)?.parse().ok()
}
