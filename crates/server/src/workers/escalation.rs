//! Looks, again and again, whether something was not delivered in time and escalates.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{Clock, DeliveryQueue};

use super::{Stop, stopped};

/// The longest time between two looks: what is owed meanwhile may escalate sooner than all that was known.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// Escalates until the program ends. Each look is one commit, so it may end between any two.
#[expect(clippy::disallowed_methods, reason = "a shell may wait")]
pub(crate) async fn run(queue: Arc<dyn DeliveryQueue>, clock: Arc<dyn Clock>, mut stop: Stop) {
    while !*stop.borrow() {
        let now = clock.now();
        let next = queue.escalate(now).await.unwrap_or_else(|error| {
            tracing::error!(%error, cause = error.cause(), "escalating failed; trying again");
            None
        });
        let rest = next.map(|at| Duration::try_from(at.duration_since(now)).unwrap_or_default());
        tokio::select! {
            () = tokio::time::sleep(rest.unwrap_or(LONGEST_REST).min(LONGEST_REST)) => {}
            () = stopped(&mut stop) => break,
        }
    }
}
