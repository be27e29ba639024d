//! One HTTP/1.1 exchange through ureq.
//!
//! ureq builds the request and parses the head of the response. Where a head ends, and what frames a body, is decided
//! here alone: what ureq is shown is one whole, final head without framing fields, and then the bare content, which to it
//! ends with the connection. So there are no two opinions on where a body ends, and a failure keeps its reason.

#[doc(hidden)]
pub mod body;
mod exchange;
#[doc(hidden)]
pub mod head;
mod redirect;
mod transport;

pub use exchange::{Reply, Request, send};
pub use head::MAX_HEAD;
pub use redirect::is_redirect;

use crate::verdict::{Failure, Snippet};

fn bad_head(why: String, head: &[u8]) -> Box<Failure> {
    let got = Snippet::at_most(head, 160);
    Box::new(Failure::BadHead { why, got })
}
