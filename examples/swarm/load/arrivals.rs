//! The load: requests that come at a fixed rate, whether or not those before them were answered.
//!
//! A load that waits for answers asks less of a system that is slow, and so does not see what its users would.

use crate::request::{self, Method};
use crate::tally::Tally;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// What is asked, of whom, and how often.
#[derive(Clone, Copy)]
pub struct Plan {
    pub front: SocketAddr,
    /// Requests a second.
    pub gets: u32,
    pub posts: u32,
    /// After this, a client gives up. Longer than HAProxy's own patience, or nobody would learn what it says.
    pub patience: Duration,
}

/// What became of a load.
pub struct Tallies {
    pub gets: Tally,
    pub posts: Tally,
}

/// A load that runs in a thread of its own until it is stopped.
pub struct Load {
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<Tallies>,
}

impl Load {
    pub fn start(plan: Plan) -> Self {
        let stopped = Arc::<AtomicBool>::default();
        let until = Arc::clone(&stopped);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime needs a few descriptors");
            runtime.block_on(async {
                let (gets, posts) = tokio::join!(
                    arrive(plan, Method::Get, plan.gets, &until),
                    arrive(plan, Method::Post, plan.posts, &until),
                );
                Tallies { gets, posts }
            })
        });
        Load { stopped, thread }
    }

    /// Sends nothing more, and waits until everything sent is answered or lost.
    pub fn stop(self) -> Tallies {
        self.stopped.store(true, Ordering::Relaxed);
        self.thread.join().expect("the load does not panic")
    }
}

async fn arrive(plan: Plan, method: Method, rate: u32, stopped: &AtomicBool) -> Tally {
    let mut tally = Tally::default();
    let mut open = JoinSet::new();
    let start = Instant::now();
    for turn in 0.. {
        if rate == 0 || stopped.load(Ordering::Relaxed) {
            break;
        }
        // From the start, so that a late wake-up delays one request and not all that follow.
        let due = start + Duration::from_secs(1) * turn / rate;
        sleep_until(due).await;
        open.spawn(async move {
            let result = request::ask(plan.front, method, turn, plan.patience).await;
            (due - start, due.elapsed(), result)
        });
        while let Some(answer) = open.try_join_next() {
            count(&mut tally, answer);
        }
    }
    while let Some(answer) = open.join_next().await {
        count(&mut tally, answer);
    }
    tally
}

type Answer = (Duration, Duration, Result<(), request::Lost>);

fn count(tally: &mut Tally, answer: Result<Answer, tokio::task::JoinError>) {
    let (due, took, result) = answer.expect("a request does not panic");
    tally.count(due, took, result);
}
