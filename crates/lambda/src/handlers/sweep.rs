//! `sweep`: publishes the orders that the stream left behind, so that no failure of SNS, however long, loses one.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use application::Error;
use application::ports::{Clock, OrderLog, Topic};
use domain::Timestamp;
use domain::order::{LoggedOrder, OrderId};
use lambda_runtime::Diagnostic;
use serde::Serialize;
use serde_json::{Value, json};

use super::failure;

/// Younger orders are the stream's: it may be publishing them right now.
const GRACE: Duration = Duration::from_mins(2);
/// Orders that are published together.
const ROUND: usize = 100;
/// The last round begins so long before Lambda ends the invocation: as long as one call to AWS may take.
const LAST_ROUND: Duration = Duration::from_secs(10);
/// What hangs is given up so long before Lambda ends the invocation, so that it can still say what is left.
const GIVE_UP: Duration = Duration::from_secs(2);

/// Publishes what is still unpublished.
pub(crate) struct Sweep {
    /// What is unpublished.
    pub(crate) log: Arc<dyn OrderLog>,
    /// Where new orders are published.
    pub(crate) topic: Arc<dyn Topic>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
}

/// What came of a sweep.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Swept {
    /// Orders that were published.
    published: usize,
    /// Orders that could not be published.
    failed: usize,
    /// Orders that were seen and are still unpublished, those that failed included; there may be more behind them.
    left: usize,
    /// The age of the oldest of them, in seconds; 0 if there is none.
    oldest_seconds: u64,
}

/// The orders that a sweep has tried so far; each is tried once.
#[derive(Default)]
struct Tried {
    published: HashSet<OrderId>,
    failed: HashSet<OrderId>,
}

impl Sweep {
    /// Publishes in rounds until nothing is left, a round achieves nothing, or the `deadline` is near. Each order is
    /// tried once.
    ///
    /// # Errors
    /// What is unpublished cannot be read.
    pub(crate) async fn sweep(&self, deadline: Timestamp) -> Result<Value, Diagnostic> {
        let swept = self.rounds(deadline).await.map_err(|error| {
            tracing::error!(%error, cause = error.cause(), "what is unpublished cannot be read");
            failure("Sweep", error.to_string())
        })?;
        measure(&swept);
        if swept.left > 0 {
            tracing::warn!(
                left = swept.left,
                oldest_seconds = swept.oldest_seconds,
                "orders are still unpublished"
            );
        }
        Ok(json!(swept))
    }

    async fn rounds(&self, deadline: Timestamp) -> Result<Swept, Error> {
        let mut tried = Tried::default();
        // So many orders the next read may show again: the index is late, or publishing them failed.
        let mut known = 0;
        loop {
            let shown = self.due(ROUND + known).await?;
            let new = shown.iter().filter(|logged| !tried.contains(logged.order.id));
            let next: Vec<_> = new.take(ROUND).cloned().collect();
            if next.is_empty() || self.until(deadline) <= LAST_ROUND {
                return Ok(self.sum_up(&tried, &shown));
            }
            known = next.len() + shown.iter().filter(|logged| tried.contains(logged.order.id)).count();
            let failed = self.publish(&next, deadline).await;
            let achieved = failed.len() < next.len();
            let published = next.iter().map(|logged| logged.order.id).filter(|id| !failed.contains(id));
            tried.published.extend(published);
            tried.failed.extend(failed);
            if !achieved {
                return Ok(self.sum_up(&tried, &shown));
            }
        }
    }

    /// The first unpublished orders that are the sweep's, oldest first.
    async fn due(&self, limit: usize) -> Result<Vec<LoggedOrder>, Error> {
        let mut orders = self.log.unpublished(limit).await?;
        let now = self.clock.now();
        orders.retain(|logged| age(now, logged.order.time) >= GRACE);
        Ok(orders)
    }

    /// Publishes, and answers with the orders that were not published.
    async fn publish(&self, orders: &[LoggedOrder], deadline: Timestamp) -> Vec<OrderId> {
        let patience = self.until(deadline).saturating_sub(GIVE_UP);
        let all = || orders.iter().map(|logged| logged.order.id).collect();
        match tokio::time::timeout(patience, self.topic.publish(orders)).await {
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

    fn until(&self, deadline: Timestamp) -> Duration {
        age(deadline, self.clock.now())
    }

    /// Sums up, given what the last read showed.
    fn sum_up(&self, tried: &Tried, shown: &[LoggedOrder]) -> Swept {
        let mut left = shown.iter().filter(|logged| !tried.published.contains(&logged.order.id)).peekable();
        let oldest = left.peek().map_or(Duration::ZERO, |logged| age(self.clock.now(), logged.order.time));
        Swept {
            published: tried.published.len(),
            failed: tried.failed.len(),
            left: left.count(),
            oldest_seconds: oldest.as_secs(),
        }
    }
}

impl Tried {
    fn contains(&self, id: OrderId) -> bool {
        self.published.contains(&id) || self.failed.contains(&id)
    }
}

/// How long ago `then` was; nothing if it is still to come.
fn age(now: Timestamp, then: Timestamp) -> Duration {
    now.duration_since(then).try_into().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "counts and ages far below 2^52")]
fn measure(swept: &Swept) {
    metrics::counter!("orderbell_publish_failures_total").increment(swept.failed as u64);
    metrics::gauge!("orderbell_orders_unpublished").set(swept.left as f64);
    metrics::gauge!("orderbell_oldest_unpublished_seconds").set(swept.oldest_seconds as f64);
}

#[cfg(test)]
mod tests;
