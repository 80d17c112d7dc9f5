//! `sweep`: publishes the orders that the stream left behind, so that no failure of SNS, however long, loses one.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use application::Error;
use application::ports::{Clock, Publisher, Randomness};
use async_trait::async_trait;
use aws::Unpublished;
use domain::Timestamp;
use domain::order::{LoggedOrder, OrderId};
use lambda_runtime::Diagnostic;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::failure;

/// The minimum age of an order that the sweep publishes. Younger ones are the stream's: it gives records up when they are 10
/// minutes old, and its function takes 2 at most (`deploy/aws/template.yaml`). Two that publish the same order at once would
/// both find it without its mark.
const MIN_AGE: Duration = Duration::from_mins(15);
/// How many orders are published together.
const ROUND_SIZE: usize = 100;
/// The last round begins so long before Lambda ends the invocation: as long as one call to AWS may take.
const LAST_ROUND_BEFORE_END: Duration = Duration::from_secs(10);
/// The time kept for reporting: what hangs is given up so long before Lambda ends the invocation, so that it can still say
/// what is left.
const REPORTING_TIME: Duration = Duration::from_secs(2);

/// The orders that are not yet published, to be gone through from the oldest to the newest.
#[async_trait]
pub(crate) trait Backlog: Send + Sync {
    /// The first `limit` of them behind that order, or of all, and what cannot be read on the way.
    async fn unpublished(&self, after: Option<OrderId>, limit: usize) -> Result<Unpublished, Error>;

    /// Lets `holder` alone go through them until then, unless somebody else does; whether it may.
    async fn take_lease(&self, holder: &str, until: Timestamp) -> Result<bool, Error>;

    /// Lets others go through them before that time.
    async fn end_lease(&self, holder: &str) -> Result<(), Error>;
}

#[async_trait]
impl Backlog for aws::Table {
    async fn unpublished(&self, after: Option<OrderId>, limit: usize) -> Result<Unpublished, Error> {
        self.unpublished_after(after, limit).await
    }

    async fn take_lease(&self, holder: &str, until: Timestamp) -> Result<bool, Error> {
        self.take_lease("sweep", holder, until).await
    }

    async fn end_lease(&self, holder: &str) -> Result<(), Error> {
        self.end_lease("sweep", holder).await
    }
}

/// Publishes what is still unpublished.
pub(crate) struct Sweep {
    /// What is unpublished.
    pub(crate) backlog: Arc<dyn Backlog>,
    /// Where new orders are published.
    pub(crate) publisher: Arc<dyn Publisher>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Tells two sweeps apart.
    pub(crate) randomness: Arc<dyn Randomness>,
}

/// What a sweep did.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct SweepReport {
    /// Orders that were published.
    published: usize,
    /// Orders that could not be published.
    failed: usize,
    /// Orders that cannot be read; they are published once they are mended.
    unreadable: usize,
    /// Orders that were seen and are still unpublished, those that failed or cannot be read included; there may be more
    /// behind them.
    left: usize,
    /// The age of the oldest of them, in seconds; 0 if there is none.
    oldest_seconds: u64,
}

impl Sweep {
    /// Goes through what is unpublished, in rounds, until its end or until the `deadline` is near. Each order is tried
    /// once, and none that fails holds up those behind it, however many fail.
    ///
    /// The schedule may say so twice, and two sweeps at once would both find an order without its mark: where another
    /// one is on its way, this one leaves all to it. One that dies holds up the next ones until its `deadline`.
    ///
    /// # Errors
    /// What is unpublished cannot be read, or the table does not say whether another sweep is on its way.
    pub(crate) async fn sweep(&self, deadline: Timestamp) -> Result<Value, Diagnostic> {
        let holder = format!("{:032x}", u128::from_ne_bytes(self.randomness.bytes()));
        let failed = |error: Error| {
            tracing::error!(%error, cause = error.cause(), "reading unpublished orders failed");
            failure("Sweep", error.to_string())
        };
        if !self.backlog.take_lease(&holder, deadline).await.map_err(failed)? {
            tracing::info!("another sweep is on its way");
            return Ok(json!({ "leftToAnother": true }));
        }
        let swept = self.rounds(deadline).await;
        if let Err(error) = self.backlog.end_lease(&holder).await {
            tracing::warn!(%error, cause = error.cause(), "the sweep's lease ends by itself");
        }
        let swept = swept.map_err(failed)?;
        record_metrics(&swept);
        if swept.left > 0 {
            tracing::warn!(
                left = swept.left,
                unreadable = swept.unreadable,
                oldest_seconds = swept.oldest_seconds,
                "orders are still unpublished"
            );
        }
        Ok(json!(swept))
    }

    async fn rounds(&self, deadline: Timestamp) -> Result<SweepReport, Error> {
        let (mut swept, mut after) = (SweepReport::default(), None);
        // What is behind the last order of a round is met again in the next one.
        let (mut damaged, mut invalid_keys) = (BTreeSet::new(), BTreeSet::new());
        // A read that does not end in time is the end as well: what was swept until then is still to be said.
        while let Ok(due) = timeout(self.timeout(deadline), self.due(after)).await {
            let Unpublished { orders: due, unreadable, invalid_keys: met } = due?;
            damaged.extend(unreadable);
            invalid_keys.extend(met);
            let Some(last) = due.last() else { break };
            after = Some(last.order.id);
            if self.until(deadline) <= LAST_ROUND_BEFORE_END {
                self.count_left(due.iter().map(|logged| logged.order.time), &mut swept);
                break;
            }
            let failed = self.publish(&due, deadline).await;
            let (left, published): (Vec<_>, Vec<_>) =
                due.into_iter().partition(|logged| failed.contains(&logged.order.id));
            swept.published += published.len();
            swept.failed += left.len();
            self.count_left(left.iter().map(|logged| logged.order.time), &mut swept);
        }
        self.count_left(damaged.iter().map(|id| id.time()), &mut swept);
        swept.unreadable = damaged.len() + invalid_keys.len();
        swept.left += invalid_keys.len();
        Ok(swept)
    }

    /// The next unpublished orders that are the sweep's, oldest first.
    async fn due(&self, after: Option<OrderId>) -> Result<Unpublished, Error> {
        let mut unpublished = self.backlog.unpublished(after, ROUND_SIZE).await?;
        let now = self.clock.now();
        unpublished.orders.retain(|logged| is_due(now, logged.order.time));
        unpublished.unreadable.retain(|id| is_due(now, id.time()));
        Ok(unpublished)
    }

    /// Publishes, and answers with the orders that were not published.
    async fn publish(&self, orders: &[LoggedOrder], deadline: Timestamp) -> Vec<OrderId> {
        let all = || orders.iter().map(|logged| logged.order.id).collect();
        match timeout(self.timeout(deadline), self.publisher.publish(orders)).await {
            Ok(Ok(published)) => published.failed,
            Ok(Err(error)) => {
                tracing::error!(%error, cause = error.cause(), orders = orders.len(), "publishing failed");
                all()
            }
            Err(_) => {
                tracing::error!(orders = orders.len(), "publishing did not end in time");
                all()
            }
        }
    }

    /// Counts what stays unpublished, by the times of its orders.
    fn count_left(&self, times: impl ExactSizeIterator<Item = Timestamp>, swept: &mut SweepReport) {
        swept.left += times.len();
        let oldest = times.map(|time| age(self.clock.now(), time)).max();
        swept.oldest_seconds = swept.oldest_seconds.max(oldest.unwrap_or_default().as_secs());
    }

    fn until(&self, deadline: Timestamp) -> Duration {
        age(deadline, self.clock.now())
    }

    fn timeout(&self, deadline: Timestamp) -> Duration {
        self.until(deadline).saturating_sub(REPORTING_TIME)
    }
}

/// Whether an order of that time is the sweep's. One of a time that is far ahead, as damage leaves it, would never grow
/// old.
fn is_due(now: Timestamp, time: Timestamp) -> bool {
    age(now, time) >= MIN_AGE || age(time, now) >= MIN_AGE
}

/// How long ago `then` was; nothing if it is still to come.
fn age(now: Timestamp, then: Timestamp) -> Duration {
    now.duration_since(then).try_into().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "counts and ages far below 2^52")]
fn record_metrics(swept: &SweepReport) {
    metrics::counter!("orderbell_publish_failures_total").increment(swept.failed as u64);
    metrics::gauge!("orderbell_rows_quarantined").set(swept.unreadable as f64);
    metrics::gauge!("orderbell_orders_unpublished").set(swept.left as f64);
    metrics::gauge!("orderbell_oldest_unpublished_seconds").set(swept.oldest_seconds as f64);
}

#[cfg(test)]
mod tests;
