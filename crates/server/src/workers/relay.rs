//! The shell around the relay: reads the log, publishes, waits.

use std::sync::Arc;

use application::ports::{OrderLog, Publisher};
use application::relay::{Relay, RelayAction, RelayEvent};
use tokio::sync::Notify;

use super::{Stop, stopped};

/// Publishes what is stored until the program ends. Each turn is one commit, so it may end between any two.
#[expect(clippy::disallowed_methods, reason = "a shell may wait")]
pub(crate) async fn run(
    log: Arc<dyn OrderLog>,
    publisher: Arc<dyn Publisher>,
    stored: Arc<Notify>,
    mut stop: Stop,
) {
    let mut relay = Relay::default();
    let mut event = RelayEvent::Woken;
    while !*stop.borrow() {
        event = match relay.on(event) {
            RelayAction::Read(limit) => RelayEvent::Read(log.unpublished(limit).await),
            RelayAction::Publish(orders) => RelayEvent::Published(publisher.publish(&orders).await),
            RelayAction::Rest => {
                tokio::select! {
                    () = stored.notified() => RelayEvent::Woken,
                    () = stopped(&mut stop) => break,
                }
            }
            RelayAction::Wait(delay) => {
                tokio::select! {
                    () = tokio::time::sleep(delay) => RelayEvent::Woken,
                    () = stopped(&mut stop) => break,
                }
            }
        };
    }
}
