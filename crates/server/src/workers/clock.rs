//! Watches the clock, and mends what was planned by it where it had to be set.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{Clock, DeliveryQueue};
use driver::{Stop, stopped};
use host::SteadyClock;
use tokio::sync::Notify;

/// The time between two looks: a jump must be seen to have held.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Watches until the program ends. Where the clock jumped, no due time is left too far ahead, and the engine, rung by
/// `pending`, looks at what is due now.
#[expect(clippy::disallowed_methods, reason = "a worker may wait")]
pub(crate) async fn run(
    clock: Arc<SteadyClock>,
    queue: Arc<dyn DeliveryQueue>,
    pending: Arc<Notify>,
    mut stop: Stop,
) {
    let jumps = metrics::counter!("orderbell_clock_jumps_total");
    let mut to_mend = false;
    while !*stop.borrow() {
        tokio::select! {
            () = tokio::time::sleep(POLL_INTERVAL) => {}
            () = stopped(&mut stop) => break,
        }
        let now = clock.now();
        if let Some(by) = clock.take_jump() {
            jumps.increment(1);
            tracing::warn!(seconds = by.as_secs(), "the machine's clock was set, and is followed");
            to_mend = true;
        }
        if to_mend {
            to_mend = !is_mended(&*queue, now).await;
            pending.notify_one();
        }
    }
}

async fn is_mended(queue: &dyn DeliveryQueue, now: domain::Timestamp) -> bool {
    match queue.bound_due_times(now).await {
        Ok(bounded) => {
            tracing::info!(bounded, "deliveries that were due too far ahead are due sooner");
            true
        }
        Err(error) => {
            tracing::error!(%error, cause = error.cause(), "due times could not be bounded; trying again");
            false
        }
    }
}
