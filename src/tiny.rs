//! What makes the binary small: an allocator that never frees, and an entry point without the standard library's runtime.
//!
//! These two files are the only ones with `unsafe` code. Each says above every `unsafe` why it is sound.

mod alloc;
mod start;
