//! What a response must be: parse one expectation, judge one. No I/O; the clock is read.

mod body;
pub mod document;
mod header;
mod json;
mod number;
pub mod sick;
mod status;

pub use body::{BodyExpectations, Coming, MAX_BODY, text_to_find};
pub use header::HeaderExpectation;
pub use json::JsonExpectation;
pub use status::Statuses;
