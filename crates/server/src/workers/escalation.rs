//! Looks, again and again, whether something was not delivered in time and escalates.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{Clock, DeliveryQueue, Escalated};

use super::{Stop, stopped};

/// The longest time between two looks: what is owed meanwhile may escalate sooner than all that was known.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// Escalates until the program ends. Each look is one commit, so it may end between any two.
#[expect(clippy::disallowed_methods, reason = "a shell may wait")]
pub(crate) async fn run(queue: Arc<dyn DeliveryQueue>, clock: Arc<dyn Clock>, mut stop: Stop) {
    while !*stop.borrow() {
        let now = clock.now();
        let escalated = queue.escalate(now).await.unwrap_or_else(|error| {
            tracing::error!(%error, cause = error.cause(), "escalating failed; trying again");
            Escalated::default()
        });
        report(&escalated);
        let rest = escalated.next_at.map(|at| Duration::try_from(at.duration_since(now)).unwrap_or_default());
        tokio::select! {
            () = tokio::time::sleep(rest.unwrap_or(LONGEST_REST).min(LONGEST_REST)) => {}
            () = stopped(&mut stop) => break,
        }
    }
}

fn report(Escalated { owed, stranded, .. }: &Escalated) {
    if *owed > 0 {
        metrics::counter!("orderbell_escalations_total").increment(*owed as u64);
        tracing::warn!(owed, "escalated: not delivered in time");
    }
    for (delivery_id, to) in stranded {
        metrics::counter!("orderbell_escalations_stranded_total").increment(1);
        tracing::error!(%delivery_id, subscription_id = %to, "not escalated: the other subscription is not confirmed");
    }
}
