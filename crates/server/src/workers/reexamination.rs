//! Looks, at start and then every minute, whether rows that were quarantined can be read again.

use std::time::Duration;

use driver::{Stop, stopped};
use sqlite::Store;

/// The time between two looks: so long at most does what somebody mended wait.
const REST: Duration = Duration::from_mins(1);

/// Looks until the program ends. Each row is released in commits of its own, so it may end between any two.
#[expect(clippy::disallowed_methods, reason = "a shell may wait")]
pub(crate) async fn run(store: Store, mut stop: Stop) {
    while !*stop.borrow() {
        match store.reexamine().await {
            Ok(0) => {}
            Ok(mended) => tracing::warn!(mended, "quarantined rows released"),
            Err(error) => {
                tracing::error!(%error, cause = error.cause(), "re-reading quarantined rows failed; trying again");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(REST) => {}
            () = stopped(&mut stop) => break,
        }
    }
}
