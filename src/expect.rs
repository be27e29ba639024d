//! What a response must be: parse one expectation, judge one. Pure.

mod body;
mod document;

pub use body::*;
