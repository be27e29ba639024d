//! One HTTP/1.1 exchange through ureq.
//!
//! ureq builds the request and parses the head of the response. Where a head ends, and how a body is framed, is decided
//! here alone: ureq is shown one whole, final head without framing fields, and then the content without its framing, which
//! ureq reads until the connection ends. So a body cannot end in two places, and a failure keeps its reason.
//!
//! The replies that ureq 3.5.1 reads wrongly, and where each is repaired, are listed in `tests/all/http/repairs.rs`, with a test
//! that fails when ureq does not need the repair any more.

pub mod body;
mod dialler;
mod exchange;
pub mod framing;
pub mod head;
mod redirect;
pub mod request;
mod transport;

pub use exchange::{Response, send};
pub use head::MAX_HEAD;
pub use redirect::is_redirect;
pub use request::Request;

use crate::verdict::{Failure, Snippet};

fn bad_head(why: String, head: &[u8]) -> Box<Failure> {
    let got = Snippet::at_most(head, 160);
    Box::new(Failure::BadHead { why, got })
}
