//! Suspensions by the program itself: who failed for long and often, and never without a word to the operators.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use domain::failing::{SUSPEND_AFTER, SUSPEND_AT_LEAST};
use domain::retry::LONGEST_DELAY;
use domain::subscription::SubscriptionState;

use super::Promises;

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
            Self { last: at, lasted: before.lasted + gap.min(LONGEST_DELAY), times: before.times + 1 }
        })
    }
}

impl Promises {
    pub(super) fn suspended_by_itself(&mut self, seq: i64) -> Result<()> {
        let failures = self.subscriptions.get(&seq).context("nobody was suspended")?.failures;
        let Failures { lasted, times, .. } = failures.context("who never failed was suspended")?;
        ensure!(
            lasted >= SUSPEND_AFTER && times >= SUSPEND_AT_LEAST,
            "{seq} was suspended after {times} failures in {lasted:?}"
        );
        let operators = self.subscriptions.iter().filter(|(other, subscription)| {
            **other != seq
                && subscription.receives.notices()
                && subscription.state == SubscriptionState::Confirmed
        });
        let operators: BTreeSet<_> = operators.map(|(operator, _)| *operator).collect();
        if !operators.is_empty() {
            self.to_be_told.push(operators);
        }
        Ok(())
    }

    /// Whenever a commit is over in which someone was suspended, an operator is owed a notice; these are owed one.
    pub(super) fn operators_are_told(&mut self, noticed: &[i64]) -> Result<()> {
        for operators in std::mem::take(&mut self.to_be_told) {
            let told = noticed.iter().any(|operator| operators.contains(operator));
            ensure!(told, "a subscription was suspended, and none of {operators:?} is told");
        }
        Ok(())
    }
}
