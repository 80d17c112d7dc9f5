//! Suspensions by the program itself: who failed for long and often, and never without a word to the operators.

use std::time::Duration;

use anyhow::{Context, Result};
use domain::retry::MAX_DELAY;
use oracle::subscriptions;

use super::{Facts, kept};

/// The failures of an endpoint since something got through to it. The store may count fewer, and never more: what our own
/// end cut short is counted here, too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failures {
    /// When the last one was, in microseconds.
    last: i64,
    /// How long they go on: no time between two of them counts for more than the longest delay.
    lasted: Duration,
    times: u32,
}

impl Failures {
    pub(super) fn again(before: Option<Self>, at: i64) -> Self {
        before.map_or(Self { last: at, lasted: Duration::ZERO, times: 1 }, |before| {
            let gap = Duration::from_micros(u64::try_from(at - before.last).unwrap_or_default());
            Self { last: at, lasted: before.lasted + gap.min(MAX_DELAY), times: before.times + 1 }
        })
    }
}

impl Facts {
    pub(super) fn suspended_by_itself(&mut self, seq: i64) -> Result<()> {
        let failures = self.subscriptions.get(&seq).context("nobody was suspended")?.failures;
        let Failures { lasted, times, .. } = failures.context("who never failed was suspended")?;
        kept(subscriptions::suspended(times, lasted), || format!("subscription {seq}"))?;
        self.notices.suspended = true;
        Ok(())
    }
}
