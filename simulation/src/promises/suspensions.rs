//! Suspensions by the program itself: who failed for long and often, and never without a word to the operators.

use anyhow::{Context, Result, ensure};
use domain::failing::{SUSPEND_AFTER, SUSPEND_AT_LEAST};

use super::Promises;

/// The failures of an endpoint since something got through to it. The store may count fewer, and never more: what our own
/// end cut short is counted here, too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failures {
    /// The earliest time that any clock showed at one of them, in microseconds.
    since: i64,
    times: u32,
}

impl Failures {
    pub(super) fn again(before: Option<Self>, at: i64) -> Self {
        before.map_or(Self { since: at, times: 1 }, |before| Self {
            since: before.since.min(at),
            times: before.times + 1,
        })
    }
}

impl Promises {
    pub(super) fn suspended_by_itself(&mut self, seq: i64, at: i64) -> Result<()> {
        let failures = self.subscriptions.get(&seq).context("nobody was suspended")?.failures;
        let Failures { since, times } = failures.context("who never failed was suspended")?;
        let long = i128::from(at - since) >= SUSPEND_AFTER.as_micros();
        ensure!(
            long && times >= SUSPEND_AT_LEAST,
            "{seq} was suspended after {times} failures since {since}"
        );
        self.notices.suspended = true;
        Ok(())
    }
}
