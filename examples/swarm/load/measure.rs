//! One case: a settled stack, a load, something done to it, and the wait until it has settled again.

use crate::arrivals::{Load, Plan, Tallies};
use crate::cases::Check;
use crate::rotation::Rotation;
use crate::stack::{A, B, Result, Stack};
use std::thread;
use std::time::{Duration, Instant};

/// How long the load runs before anything is done.
const BEFORE: Duration = Duration::from_secs(2);
/// How long nothing may have moved before a stack counts as settled. More than Docker and HAProxy take to notice.
const QUIET: Duration = Duration::from_secs(4);
/// No case takes longer to settle.
const LIMIT: Duration = Duration::from_secs(120);

pub struct Bench {
    pub stack: Stack,
    pub rotation: Rotation,
    pub plan: Plan,
}

/// What came of a case. Times are since something was done, but for the first.
pub struct Measured {
    /// When it was done, since the load began.
    pub done: Duration,
    pub out: Option<Duration>,
    pub settled: Option<Duration>,
    pub tallies: Tallies,
    /// Whether it settled, and what should have happened did.
    pub checked: Result<()>,
}

impl Bench {
    /// Gives B so many replicas, unless it has them, and waits until they serve.
    pub fn scale(&self, replicas: usize) -> Result<()> {
        if self.stack.replicas(B)? == replicas {
            return Ok(());
        }
        self.stack.scale(B, replicas)?;
        self.settle().map(drop)
    }

    pub fn measure(&self, act: impl FnOnce(&Bench) -> Result<Check>) -> Result<Measured> {
        self.settle()?;
        let begun = Instant::now();
        let load = Load::start(self.plan);
        thread::sleep(BEFORE);
        let done = Instant::now();
        let check = act(self);
        let settled = self.settle();
        let tallies = load.stop();

        let since = |time: Instant| time.checked_duration_since(done);
        let checked = check.and_then(|check| check(&self.stack));
        Ok(Measured {
            done: done - begun,
            out: self.rotation.out(done).and_then(since),
            settled: settled.clone().ok().flatten().and_then(since),
            tallies,
            checked: settled.and(checked),
        })
    }

    /// Waits until nothing has moved for a while; since when, if anything had.
    fn settle(&self) -> Result<Option<Instant>> {
        let deadline = Instant::now() + LIMIT;
        let mut moved = None;
        let mut since = Instant::now();
        while since.elapsed() < QUIET {
            thread::sleep(Duration::from_millis(250));
            let why = match self.is_settled() {
                Ok(true) => continue,
                Ok(false) => "a task is not in rotation, or an update is under way".into(),
                // A swarm may be without a leader for a moment.
                Err(error) => error,
            };
            if Instant::now() > deadline {
                return Err(format!("not settled within {LIMIT:?}: {why}"));
            }
            since = Instant::now();
            moved = Some(since);
        }
        Ok(moved.max(self.rotation.changed()))
    }

    /// Whether every task of A and B runs and is in rotation.
    fn is_settled(&self) -> Result<bool> {
        let expected = self.stack.replicas(A)? + self.stack.replicas(B)?;
        Ok(self.rotation.servers() == expected && self.stack.is_settled(expected)?)
    }
}
