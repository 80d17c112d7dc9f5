//! Drives the outbox relay: reads the log, publishes, waits.

use std::sync::Arc;

use application::ports::{OrderLog, Publisher};
use application::relay::{Relay, RelayAction, RelayEvent};
use tokio::sync::Notify;

use super::{Runtime, Stop, stopped};

/// Publishes what is stored until the program is to end. Each turn is one commit, so it may end between any two.
/// `stored` is rung when orders were stored.
pub async fn run_relay(
    log: Arc<dyn OrderLog>,
    publisher: Arc<dyn Publisher>,
    stored: Arc<Notify>,
    runtime: Arc<dyn Runtime>,
    mut stop: Stop,
) {
    let mut relay = Relay::default();
    let mut event = RelayEvent::Woken;
    while !*stop.borrow() {
        event = match relay.on(event) {
            RelayAction::Read(limit) => RelayEvent::Read(log.unpublished(limit).await),
            RelayAction::Publish(orders) => RelayEvent::Published(publisher.publish(&orders).await),
            RelayAction::AwaitOrders => {
                tokio::select! {
                    biased;
                    () = stopped(&mut stop) => break,
                    () = stored.notified() => RelayEvent::Woken,
                }
            }
            RelayAction::Wait(time) => {
                tokio::select! {
                    biased;
                    () = stopped(&mut stop) => break,
                    () = runtime.sleep(time) => RelayEvent::Woken,
                }
            }
        };
    }
}
