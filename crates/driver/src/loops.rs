//! The loops that drive the outbox relay (read the log, publish, wait) and escalation (look, again and again, whether
//! something was not delivered in time).

use std::sync::Arc;
use std::time::Duration;

use application::ports::{Clock, DeliveryQueue, Escalated, OrderLog, Publisher};
use application::relay::{Relay, RelayAction, RelayEvent};
use tokio::sync::Notify;

use super::{Runtime, Stop, stopped, until};

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

/// The longest time between two looks: a delivery that is made meanwhile may escalate sooner than all that was known.
const POLL_INTERVAL: Duration = Duration::from_secs(10);

/// Escalates until the program is to end. Each look is one commit, so it may end between any two.
pub async fn run_escalation(
    queue: Arc<dyn DeliveryQueue>,
    clock: Arc<dyn Clock>,
    runtime: Arc<dyn Runtime>,
    mut stop: Stop,
) {
    while !*stop.borrow() {
        let now = clock.now();
        let next = match queue.escalate(now).await {
            Ok(escalated) => {
                report(&escalated);
                escalated.next_at.map(|at| until(at, now))
            }
            Err(error) => {
                tracing::error!(%error, cause = error.cause(), "escalating failed; trying again");
                Some(POLL_INTERVAL)
            }
        };
        tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            () = runtime.sleep_until_due(next, POLL_INTERVAL) => {}
        }
    }
}

fn report(Escalated { deliveries, not_escalated, .. }: &Escalated) {
    if *deliveries > 0 {
        metrics::counter!("orderbell_escalations_total").increment(*deliveries as u64);
        tracing::warn!(deliveries, "escalated: not delivered in time");
    }
    for (delivery_id, to) in not_escalated {
        metrics::counter!("orderbell_escalations_failed_total").increment(1);
        tracing::error!(%delivery_id, subscription_id = %to, "not escalated: the other subscription is not confirmed");
    }
}
