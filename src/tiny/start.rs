//! The entry point, without the runtime of Rust's standard library.
//!
//! That would set up handlers for stack overflows, a guard page and a thread's name, and would open `/dev/null` for a
//! closed stream and abort where there is none: eleven system calls and two ways to fail, for nothing that a check
//! needs. What is left to do is to fetch the arguments and to block two signals.
//!
//! `unsafe` is needed because arguments come as C strings.
#![allow(unsafe_code)]

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStrExt;

/// What the C runtime calls.
///
/// # Safety
/// `arguments` points to `count` C strings that live as long as the program: C promises this of `main`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn main(count: c_int, arguments: *const *const c_char) -> c_int {
    super::signals::block_those_of_writes();
    let mut arguments = (0..usize::try_from(count).unwrap_or(0))
        // SAFETY: see above; `count` bounds the index.
        .map(|at| unsafe { CStr::from_ptr(*arguments.add(at)) }.to_bytes());
    let name = arguments.next().unwrap_or_default();
    let arguments: Vec<OsString> = arguments
        .map(|argument| OsStr::from_bytes(argument).to_owned())
        .collect();
    c_int::from(crate::exit_code(name, arguments))
}
