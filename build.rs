//! The target's name for `--version`, and what the linker must be told for musl.
//!
//! The latter is not in `.cargo/config.toml`, because cargo reads none of a package that it fetches from a registry, and
//! because whoever sets `RUSTFLAGS` replaces all the flags that stand there. Whether a program is static is asked in
//! the source, with `cfg(target_feature)`: for musl, `CARGO_CFG_TARGET_FEATURE` lacks a crt-static that nobody set.

fn main() {
    let of_cargo = |name| std::env::var(name).expect("cargo sets it for every build script");
    println!("cargo::rerun-if-changed=build.rs");
    println!(
        "cargo::rustc-env=HEALTHCHECKER_TARGET={}",
        of_cargo("TARGET")
    );
    if of_cargo("CARGO_CFG_TARGET_ENV") == "musl" {
        // src/tiny/start.rs takes the place of a function of libunwind, so there are two of this name. Both linkers that make
        // musl programs, gcc and rust-lld, understand the option in this form.
        println!("cargo::rustc-link-arg-bins=-zmuldefs");
    }
}
