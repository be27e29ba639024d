//! What makes the binary small: an allocator that never frees, and an entry point without the standard library's runtime.
//!
//! These files are the only ones with `unsafe` code. Each says why it is sound.

mod heap;
mod start;

/// As much as an ordinary check takes, with room to spare: untouched pages cost nothing.
#[global_allocator]
static HEAP: heap::Heap<heap::Kernel, { 128 * 1024 }> = heap::Heap::new(heap::Kernel);

// A dynamic program would export these functions to the libraries beside it, which do unwind; and on 32-bit ARM the
// standard library refers to others.
#[cfg(all(
    target_os = "linux",
    target_feature = "crt-static",
    not(panic = "unwind"),
    not(target_arch = "arm")
))]
mod unwind;
