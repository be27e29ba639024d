//! The target's name for `--version`, and a warning where the flags in `.cargo/config.toml` were lost.
//!
//! Whether a program is static is asked in the source, with `cfg(target_feature)`: for musl, `CARGO_CFG_TARGET_FEATURE`
//! lacks a crt-static that nobody set. Whether it has a fixed address cannot be asked there.
//!
//! And a release for x86-64 with glibc is linked without glibc; src/tiny/no_libc.rs says why.

use std::env::var;
use std::path::Path;

fn main() {
    let of_cargo = |name| var(name).expect("cargo sets it for every build script");
    println!("cargo::rerun-if-changed=build.rs");
    println!(
        "cargo::rustc-env=HEALTHCHECKER_TARGET={}",
        of_cargo("TARGET")
    );
    let is_tiny = of_cargo("PROFILE") == "release" && var("CARGO_FEATURE_TINY").is_ok();
    println!("cargo::rustc-check-cfg=cfg(no_libc)");
    let is_for_glibc = of_cargo("TARGET") == "x86_64-unknown-linux-gnu";
    if is_tiny && is_for_glibc {
        link_without_libc(&of_cargo("OUT_DIR"));
    }
    let is_for_musl = of_cargo("CARGO_CFG_TARGET_ENV") == "musl";
    // On 32-bit ARM, unwinding is another thing.
    if is_tiny && (is_for_glibc || is_for_musl) && of_cargo("CARGO_CFG_TARGET_ARCH") != "arm" {
        let script = Path::new(&of_cargo("CARGO_MANIFEST_DIR")).join("src/tiny/no_unwinder.ld");
        println!("cargo::rerun-if-changed={}", script.display());
        println!("cargo::rustc-link-arg-bins=-T{}", script.display());
    }
    let flags = of_cargo("CARGO_ENCODED_RUSTFLAGS");
    // The targets for which .cargo/config.toml has the flag.
    let configured = of_cargo("CARGO_CFG_TARGET_ENV") == "musl"
        && matches!(&*of_cargo("CARGO_CFG_TARGET_ARCH"), "x86_64" | "aarch64");
    if configured && is_tiny && !flags.contains("relocation-model") {
        println!(
            "cargo::warning=without -Crelocation-model=static the program is 30 KB larger: RUSTFLAGS replaces the flags in \
             .cargo/config.toml, so add it there"
        );
    }
}

/// Links the program, and nothing else of this package, with empty libraries in place of those that the standard library
/// names, at a fixed address, with its own entry point, and without asking for memory that would be protected by a loader.
fn link_without_libc(directory: &str) {
    println!("cargo::rustc-cfg=no_libc");
    for name in [
        "c", "dl", "gcc", "gcc_eh", "gcc_s", "m", "pthread", "rt", "util",
    ] {
        let library = Path::new(directory).join(format!("lib{name}.a"));
        std::fs::write(library, "!<arch>\n").expect("the directory is there to be written to");
    }
    let directory = format!("-L{directory}");
    for argument in [
        "-static",
        "-no-pie",
        "-nostartfiles",
        "-Wl,-z,norelro",
        &directory,
    ] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}
