//! ureq's resolver and connector: one place, whatever ureq asks for, and what the exchange and its transport share.

use super::body::Body;
use super::transport::{Connection, carry};
use crate::deadline::Deadline;
use crate::net::{Opening, Stream, dial};
use crate::target::Place;
use crate::verdict::{Mark, Trace};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use ureq::Error;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout};

/// What the exchange and its transport, which ureq owns, both need.
#[derive(Debug)]
pub struct Shared {
    /// When the exchange has to be over.
    pub deadline: Deadline,
    /// The bytes sent and received, and when.
    pub trace: Trace,
    /// The connection, once it is open.
    pub stream: Option<Arc<Stream>>,
    /// A coding of the body that cannot be undone here.
    pub coding: Option<Vec<u8>>,
    /// What is left to come of the body.
    pub body: Body,
}

/// Connects to `place`; ureq's URL is ignored. It is ureq's resolver and connector in one.
#[derive(Clone)]
pub struct Dialler {
    place: Place,
    /// Whether the request is a HEAD, so that no body follows.
    pub to_head: bool,
    /// At least as long as the longest line of the request.
    longest_line: usize,
    shared: Arc<Mutex<Shared>>,
}

impl Dialler {
    /// Plans an exchange with `place`.
    pub fn new(place: &Place, deadline: &Deadline, to_head: bool, longest_line: usize) -> Self {
        let shared = Shared {
            deadline: *deadline,
            trace: Trace::default(),
            stream: None,
            coding: None,
            body: Body::UntilClose,
        };
        Dialler {
            place: place.clone(),
            to_head,
            longest_line,
            shared: Arc::new(Mutex::new(shared)),
        }
    }

    /// What the exchange has come to so far.
    pub fn shared(&self) -> MutexGuard<'_, Shared> {
        // There is one thread, and so no other that could have panicked.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes in the trace that something was over now.
    pub fn mark(&self, mark: Mark) {
        let mut shared = self.shared();
        let deadline = shared.deadline;
        shared.trace.mark(mark, &deadline);
    }
}

// ureq asks for it, and never uses it.
impl std::fmt::Debug for Dialler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dialler")
    }
}

impl Resolver for Dialler {
    fn resolve(
        &self,
        _: &Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        // `connect` dials the place, not what a URL says.
        Ok(self.empty())
    }
}

impl Connector for Dialler {
    type Out = Connection;

    fn connect(&self, _: &ConnectionDetails, _: Option<()>) -> Result<Option<Connection>, Error> {
        let deadline = self.shared().deadline;
        let stream = Arc::new(dial(&self.place, Opening::ClientFirst, &deadline).map_err(carry)?);
        self.mark(Mark::Connected);
        let mut shared = self.shared();
        shared.trace.peer = Some(stream.peer().clone());
        shared.stream = Some(stream.clone());
        drop(shared);
        Ok(Some(Connection::new(
            stream,
            self.clone(),
            self.longest_line,
        )))
    }
}
