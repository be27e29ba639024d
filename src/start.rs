//! The entry point, without the runtime of Rust's standard library.
//!
//! That would set up handlers for stack overflows, a guard page and a thread's name, and would open `/dev/null` for a
//! closed stream and abort where there is none: eleven system calls and two ways to fail, for nothing that a check
//! needs. What is left to do is to fetch the arguments and to ignore SIGPIPE.
//!
//! One of the two users of `unsafe`: arguments come as C strings.
#![allow(unsafe_code)]

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStrExt;

// Declared here and not by a crate: C's `signal` is the same on every unix, and this is the only foreign function.
unsafe extern "C" {
    fn signal(number: c_int, handler: usize) -> usize;
}

/// The same on every unix.
const SIGPIPE: c_int = 13;
const SIG_IGN: usize = 1;

/// What the C runtime calls.
///
/// # Safety
/// `arguments` points to `count` C strings that live as long as the program: C promises this of `main`.
#[unsafe(no_mangle)]
unsafe extern "C" fn main(count: c_int, arguments: *const *const c_char) -> c_int {
    // SAFETY: a handler that is no function cannot be unsound. A closed pipe must not kill a check before it has its
    // exit code.
    unsafe { signal(SIGPIPE, SIG_IGN) };
    let arguments: Vec<OsString> = (1..usize::try_from(count).unwrap_or(0))
        // SAFETY: see above; `count` bounds the index.
        .map(|at| unsafe { CStr::from_ptr(*arguments.add(at)) })
        .map(|argument| OsStr::from_bytes(argument.to_bytes()).to_owned())
        .collect();
    c_int::from(crate::run(arguments))
}

/// Says that there is no stack to walk, in place of libunwind's function of this name.
///
/// The standard library's own panic message, which ours replaces, can have a backtrace, and so every program links what
/// parses DWARF, inflates it and demangles names: 200 KB. Where the optimiser sees that no frame is ever shown to the
/// callback, all of it goes. Only where nothing unwinds, and where build.rs tells the linker that there are two of this
/// name.
#[cfg(all(target_env = "musl", target_feature = "crt-static", panic = "abort"))]
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Backtrace(_callback: *const (), _argument: *mut ()) -> c_int {
    // _URC_END_OF_STACK
    5
}
