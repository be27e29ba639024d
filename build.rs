//! The target's name for `--version`, and a warning where the flags in `.cargo/config.toml` were lost.
//!
//! Whether a program is static is asked in the source, with `cfg(target_feature)`: for musl, `CARGO_CFG_TARGET_FEATURE`
//! lacks a crt-static that nobody set. Whether it has a fixed address cannot be asked there.

use std::env::var;

fn main() {
    let of_cargo = |name| var(name).expect("cargo sets it for every build script");
    println!("cargo::rerun-if-changed=build.rs");
    println!(
        "cargo::rustc-env=HEALTHCHECKER_TARGET={}",
        of_cargo("TARGET")
    );
    let flags = of_cargo("CARGO_ENCODED_RUSTFLAGS");
    // The targets for which .cargo/config.toml has the flag.
    let configured = of_cargo("CARGO_CFG_TARGET_ENV") == "musl"
        && matches!(&*of_cargo("CARGO_CFG_TARGET_ARCH"), "x86_64" | "aarch64");
    let wanted =
        configured && of_cargo("PROFILE") == "release" && var("CARGO_FEATURE_TINY").is_ok();
    if wanted && !flags.contains("relocation-model") {
        println!(
            "cargo::warning=without -Crelocation-model=static the program is 30 KB larger: RUSTFLAGS replaces the flags in \
             .cargo/config.toml, so add it there"
        );
    }
}
