//! What makes the binary small, with the feature `tiny`, which is a default: an allocator that never frees, an entry
//! point without the standard library's runtime, and no unwinder.
//!
//! With `--no-default-features` it has none of them, and is an ordinary Rust program: to compare with, to debug, or for a
//! platform where one of them does not work. Its verdicts and its lines are the same; but the standard library aborts where
//! no memory is left, and where a standard stream is closed and there is no `/dev/null`.
//!
//! These files are the only ones with `unsafe` code. Each says why it is sound.

#[cfg(feature = "tiny")]
mod heap;
#[cfg(no_libc)]
mod no_libc;
pub mod signals;
#[cfg(feature = "tiny")]
mod start;

// A dynamic program would export these functions to the libraries beside it, which do unwind.
#[cfg(all(
    feature = "tiny",
    target_os = "linux",
    any(target_feature = "crt-static", no_libc),
    not(panic = "unwind")
))]
mod unwind;

/// As much as an ordinary check takes, with room to spare: untouched pages cost nothing.
#[cfg(feature = "tiny")]
#[global_allocator]
static HEAP: heap::Heap<heap::Kernel, { 128 * 1024 }> = heap::Heap::new(heap::Kernel);
