//! The two signals that a write can raise, blocked in one system call.
//!
//! `unsafe` is needed to call C functions. They are declared here and not by a crate: they are the same on every unix, and
//! the only ones.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::ptr::null_mut;

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

/// Blocks SIGPIPE and SIGXFSZ, so that a failed write returns an error instead of killing the process.
pub fn block_those_of_writes() {
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
