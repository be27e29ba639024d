//! What became of all requests of one kind.

use crate::request::Lost;
use std::collections::BTreeMap;
use std::time::Duration;

/// Every request is in here once: answered or lost.
#[derive(Default)]
pub struct Tally {
    /// How long each answer took, from when its request was due.
    answered: Vec<Duration>,
    /// When those that were lost had been due, since the load began.
    lost: BTreeMap<Lost, Vec<Duration>>,
}

impl Tally {
    pub fn count(&mut self, due: Duration, took: Duration, result: Result<(), Lost>) {
        match result {
            Ok(()) => self.answered.push(took),
            Err(lost) => self.lost.entry(lost).or_default().push(due),
        }
    }

    pub fn sent(&self) -> usize {
        self.answered.len() + self.lost()
    }

    pub fn lost(&self) -> usize {
        self.lost.values().map(Vec::len).sum()
    }

    /// Each reason, how often, and the first and last time that a request was due which it befell.
    pub fn losses(&self) -> impl Iterator<Item = (&Lost, usize, Duration, Duration)> {
        self.lost.iter().filter_map(|(lost, dues)| {
            let (first, last) = (dues.iter().min()?, dues.iter().max()?);
            Some((lost, dues.len(), *first, *last))
        })
    }

    /// The time within which this share of the answers came: 0.5 is the median, 1 the slowest. None without answers.
    pub fn within(&self, share: f64) -> Option<Duration> {
        let mut sorted = self.answered.clone();
        sorted.sort_unstable();
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.max(1) - 1).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_answers_alone() {
        let mut tally = Tally::default();
        assert_eq!(tally.within(0.5), None);
        for ms in (1..=100).rev() {
            tally.count(Duration::ZERO, Duration::from_millis(ms), Ok(()));
        }
        tally.count(
            Duration::from_secs(1),
            Duration::from_secs(9),
            Err(Lost::Wrong),
        );
        for (share, ms) in [(0.0, 1), (0.5, 50), (0.99, 99), (1.0, 100)] {
            assert_eq!(tally.within(share), Some(Duration::from_millis(ms)));
        }
        assert_eq!((tally.sent(), tally.lost()), (101, 1));
    }
}
