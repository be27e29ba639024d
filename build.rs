//! The target's name for `--version`.
//!
//! Whether a program is static is asked in the source, with `cfg(target_feature)`: for musl, `CARGO_CFG_TARGET_FEATURE`
//! lacks a crt-static that nobody set.

fn main() {
    let of_cargo = |name| std::env::var(name).expect("cargo sets it for every build script");
    println!("cargo::rerun-if-changed=build.rs");
    println!(
        "cargo::rustc-env=HEALTHCHECKER_TARGET={}",
        of_cargo("TARGET")
    );
}
