//! The entry point, without the runtime of Rust's standard library.
//!
//! That would set up handlers for stack overflows, a guard page and a thread's name, and would open `/dev/null` for a
//! closed stream and abort where there is none: eleven system calls and two ways to fail, for nothing that a check
//! needs. What is left to do is to fetch the arguments and to block two signals.
//!
//! One of the two users of `unsafe`: arguments come as C strings.
#![allow(unsafe_code)]

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::ptr::null_mut;

// Declared here and not by a crate: they are the same on every unix, and these are the only foreign functions.
unsafe extern "C" {
    fn sigemptyset(set: *mut SignalSet) -> c_int;
    fn sigaddset(set: *mut SignalSet, number: c_int) -> c_int;
    fn sigprocmask(how: c_int, set: *const SignalSet, old: *mut SignalSet) -> c_int;
}

/// At least as large and as aligned as any system's `sigset_t`: Linux has the largest, 128 bytes.
#[repr(C, align(16))]
struct SignalSet([u8; 128]);

/// The same on every unix.
const SIGPIPE: c_int = 13;
/// The same on every unix but Linux for MIPS, where 31 is.
const SIGXFSZ: c_int = 25;
/// Linux numbers it 0, and the other unixes 1.
const SIG_BLOCK: c_int = if cfg!(any(target_os = "linux", target_os = "android")) {
    0
} else {
    1
};

/// Keeps what is printed from killing the process before it has its exit code: a closed pipe, or a file that is as long as
/// it may be. A blocked signal stays pending, and the write returns an error. Blocking takes one system call for both.
fn block_signals_of_writes() {
    let mut set = SignalSet([0; 128]);
    // SAFETY: the set is large enough for every system's `sigset_t`, see above, is initialised by the first call, and is
    // only read by the last one, which takes a null pointer for "not wanted".
    unsafe {
        sigemptyset(&mut set);
        sigaddset(&mut set, SIGPIPE);
        sigaddset(&mut set, SIGXFSZ);
        sigprocmask(SIG_BLOCK, &set, null_mut());
    }
}

/// What the C runtime calls.
///
/// # Safety
/// `arguments` points to `count` C strings that live as long as the program: C promises this of `main`.
#[unsafe(no_mangle)]
unsafe extern "C" fn main(count: c_int, arguments: *const *const c_char) -> c_int {
    block_signals_of_writes();
    let arguments: Vec<OsString> = (1..usize::try_from(count).unwrap_or(0))
        // SAFETY: see above; `count` bounds the index.
        .map(|at| unsafe { CStr::from_ptr(*arguments.add(at)) })
        .map(|argument| OsStr::from_bytes(argument.to_bytes()).to_owned())
        .collect();
    c_int::from(crate::run(arguments))
}
