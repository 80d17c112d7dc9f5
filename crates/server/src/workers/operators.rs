//! Looks, again and again, whether something happened that operators are to be told of.

use std::sync::Arc;
use std::time::Duration;

use application::ErrorKind;
use application::ports::{Clock, DeliveryQueue};
use driver::{Stop, stopped};

/// The time between two looks. What happens is gathered for a minute, so that sooner would serve nobody; a look at
/// nothing is one statement.
const REST: Duration = Duration::from_secs(10);

/// Tells operators until the program ends. Each look is one commit, so it may end between any two.
#[expect(clippy::disallowed_methods, reason = "a shell may wait")]
pub(crate) async fn run(queue: Arc<dyn DeliveryQueue>, clock: Arc<dyn Clock>, mut stop: Stop) {
    while !*stop.borrow() {
        match queue.notify_operators(clock.now()).await {
            Ok(0) => {}
            Ok(made) => {
                metrics::counter!("orderbell_notices_total").increment(made as u64);
                tracing::warn!(notices = made, "notices queued");
            }
            // The writer says it, once.
            Err(error) if error.kind == ErrorKind::StorageFull => {}
            Err(error) => {
                tracing::error!(%error, cause = error.cause(), "telling operators failed; trying again");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(REST) => {}
            () = stopped(&mut stop) => break,
        }
    }
}
