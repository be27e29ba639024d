//! What is to be asked: a target, valid by construction. Nothing here asks the machine.

use crate::deadline::Deadline;
use crate::snippet::Secrets;
use crate::verdict::Answer;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

pub mod place;
pub mod time;
pub mod url;

pub use place::{Host, Place};

/// What is wrong with a text that a person wrote: what follows its name and value in a sentence. A `String` would cost a
/// hundred bytes at each place.
pub type Complaint = &'static str;

/// One service, and how it is asked.
#[derive(Debug, Clone)]
pub struct Target {
    name: String,
    probe: Arc<dyn Probe + Send + Sync>,
    limit: Duration,
}

/// A way to ask one service.
pub trait Probe: Debug {
    /// Asks, and judges the answer.
    fn ask(&self, deadline: &Deadline) -> Answer;

    /// Where it connects to; none for what it looks at without connecting.
    fn place(&self) -> Option<&Place> {
        None
    }

    /// What must not be printed.
    fn secrets(&self) -> &Secrets {
        Secrets::NONE
    }

    /// Whether it speaks first and without TLS, so that a server that speaks TLS would hang up.
    fn may_meet_tls(&self) -> bool {
        false
    }
}

impl Target {
    /// A target that `probe` asks. `name` is a URL without credentials.
    pub fn new(name: String, probe: impl Probe + Send + Sync + 'static) -> Self {
        Target {
            name,
            probe: Arc::new(probe),
            limit: Duration::MAX,
        }
    }

    /// The target as the report names it: a URL without credentials.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens; none for what is not connected to.
    pub fn place(&self) -> Option<&Place> {
        self.probe.place()
    }

    /// Asks it, under a deadline for everything.
    pub fn ask(&self, deadline: &Deadline) -> Answer {
        self.probe.ask(deadline)
    }

    /// Gives it no more than this of the time that all have.
    pub fn limit_to(&mut self, limit: Duration) {
        self.limit = self.limit.min(limit);
    }

    /// How long it may take of the time that all have.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Whether a server that speaks TLS would hang up on it.
    pub fn may_meet_tls(&self) -> bool {
        self.probe.may_meet_tls()
    }

    /// What its line must not show.
    pub fn secrets(&self) -> &Secrets {
        self.probe.secrets()
    }
}
