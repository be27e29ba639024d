//! Untrusted bytes and secrets: kept as they came, and made fit to print when they are printed.

mod secrets;

pub use secrets::*;
