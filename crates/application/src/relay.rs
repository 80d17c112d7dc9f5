//! The outbox relay, which publishes what the log holds: a state machine that is told what happened and says what to do
//! next.
//!
//! It reads the orders behind the cursor and hands them to the topic, which advances the cursor in the same commit. It
//! remembers nothing that a restart could lose.

use std::time::Duration;

use domain::order::LoggedOrder;

use crate::Error;
use crate::ports::Published;

/// How many orders are published in one commit.
pub const BATCH_SIZE: usize = 1_000;

/// Orders that come within this time of each other are published together while they come fast: a round of its own for
/// each commit would take a tenth of the machine under load.
const BATCH_WINDOW: Duration = Duration::from_millis(5);
/// So many orders in one round come fast; where fewer do, each is published at once.
const MANY_ORDERS: usize = 32;
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// The relay between the log and the topic.
#[derive(Debug, Default)]
pub struct Relay {
    failures: u32,
    /// How many orders were read last.
    read: usize,
}

/// What the relay is told.
#[derive(Debug)]
pub enum RelayEvent {
    /// It starts, orders may have been stored, or the backoff it asked for is over.
    Woken,
    /// What the log answered.
    Read(Result<Vec<LoggedOrder>, Error>),
    /// What the topic answered.
    Published(Result<Published, Error>),
}

/// What the relay asks for.
#[derive(Debug, PartialEq)]
pub enum RelayAction {
    /// Read up to this many orders from the log.
    Read(usize),
    /// Publish these.
    Publish(Vec<LoggedOrder>),
    /// Nothing is left: wait until orders are stored.
    AwaitOrders,
    /// Wait this long, for more orders to come or for what failed to work again.
    Wait(Duration),
}

impl Relay {
    /// Takes in what happened and says what to do next.
    pub fn on(&mut self, event: RelayEvent) -> RelayAction {
        match event {
            RelayEvent::Woken => RelayAction::Read(BATCH_SIZE),
            RelayEvent::Read(Ok(orders)) if orders.is_empty() => {
                self.failures = 0;
                RelayAction::AwaitOrders
            }
            RelayEvent::Read(Ok(orders)) => {
                self.read = orders.len();
                RelayAction::Publish(orders)
            }
            RelayEvent::Published(Ok(published)) if !published.failed.is_empty() => {
                report(&published);
                self.wait(&Error::internal(format!("{} orders were not published", published.failed.len())))
            }
            RelayEvent::Published(Ok(published)) => {
                self.failures = 0;
                report(&published);
                match self.read {
                    // More wait already.
                    BATCH_SIZE.. => RelayAction::Read(BATCH_SIZE),
                    MANY_ORDERS.. => RelayAction::Wait(BATCH_WINDOW),
                    _ => RelayAction::AwaitOrders,
                }
            }
            RelayEvent::Read(Err(error)) | RelayEvent::Published(Err(error)) => self.wait(&error),
        }
    }

    fn wait(&mut self, error: &Error) -> RelayAction {
        let backoff = FIRST_BACKOFF.saturating_mul(1 << self.failures.min(10)).min(MAX_BACKOFF);
        self.failures += 1;
        tracing::error!(%error, cause = error.cause(), "publishing failed; trying again");
        RelayAction::Wait(backoff)
    }
}

fn report(published: &Published) {
    metrics::counter!("orderbell_notifications_total").increment(published.deliveries as u64);
    let unmatched = &published.unmatched;
    if let (Some(first), Some(last)) = (unmatched.first(), unmatched.last()) {
        metrics::counter!("orderbell_orders_unmatched_total").increment(unmatched.len() as u64);
        tracing::warn!(count = unmatched.len(), %first, %last, "orders that matched no subscription");
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::order::{Order, OrderDetails, OrderId, Seq};

    use super::*;

    fn failure() -> Error {
        Error::internal("the disk is gone")
    }

    #[test]
    fn the_relay_gathers_orders_that_come_fast_until_nothing_is_left() {
        let mut relay = Relay::default();
        assert_eq!(relay.on(RelayEvent::Woken), RelayAction::Read(BATCH_SIZE));
        relay.on(RelayEvent::Read(Ok((1..=32).map(logged).collect())));
        assert_eq!(
            relay.on(RelayEvent::Published(Ok(Published::default()))),
            RelayAction::Wait(BATCH_WINDOW)
        );
        assert_eq!(relay.on(RelayEvent::Woken), RelayAction::Read(BATCH_SIZE));
        assert_eq!(relay.on(RelayEvent::Read(Ok(Vec::new()))), RelayAction::AwaitOrders);
    }

    #[test]
    fn orders_that_come_one_by_one_are_published_at_once() {
        let mut relay = Relay::default();
        relay.on(RelayEvent::Read(Ok((1..32).map(logged).collect())));
        assert_eq!(relay.on(RelayEvent::Published(Ok(Published::default()))), RelayAction::AwaitOrders);
    }

    #[test]
    fn a_backlog_is_published_without_a_pause() {
        let mut relay = Relay::default();
        relay.on(RelayEvent::Read(Ok((1..=1_000).map(logged).collect())));
        assert_eq!(relay.on(RelayEvent::Published(Ok(Published::default()))), RelayAction::Read(BATCH_SIZE));
    }

    fn logged(seq: i64) -> LoggedOrder {
        let details = OrderDetails::parse(br#"{"customerName":"Jo","productName":"Mouse"}"#).unwrap();
        let id = OrderId::new(Timestamp::UNIX_EPOCH, [1; 10]);
        let order = Order { id, time: Timestamp::UNIX_EPOCH, details, request_id: String::new() };
        LoggedOrder { seq: Seq(seq), order }
    }

    #[test]
    fn the_relay_publishes_what_it_read_and_reads_it_anew_if_that_failed() {
        let mut relay = Relay::default();
        let orders = || vec![logged(1), logged(2)];
        assert_eq!(relay.on(RelayEvent::Read(Ok(orders()))), RelayAction::Publish(orders()));
        assert_eq!(relay.on(RelayEvent::Published(Err(failure()))), RelayAction::Wait(FIRST_BACKOFF));
        assert_eq!(relay.on(RelayEvent::Woken), RelayAction::Read(BATCH_SIZE));
    }

    #[test]
    fn reading_well_does_not_shorten_the_wait_for_a_topic_that_keeps_failing() {
        let mut relay = Relay::default();
        let mut wait = || {
            relay.on(RelayEvent::Read(Ok(vec![logged(1)])));
            relay.on(RelayEvent::Published(Err(failure())))
        };
        assert_eq!(wait(), RelayAction::Wait(FIRST_BACKOFF));
        assert_eq!(wait(), RelayAction::Wait(FIRST_BACKOFF * 2));
    }

    #[test]
    fn the_relay_waits_longer_after_each_failure_and_begins_anew_after_a_success() {
        let mut relay = Relay::default();
        let mut waits: Vec<_> = (0..9).map(|_| relay.on(RelayEvent::Read(Err(failure())))).collect();
        assert_eq!(waits.remove(0), RelayAction::Wait(FIRST_BACKOFF));
        assert_eq!(waits.pop(), Some(RelayAction::Wait(MAX_BACKOFF)));
        relay.on(RelayEvent::Read(Ok(Vec::new())));
        assert_eq!(relay.on(RelayEvent::Published(Err(failure()))), RelayAction::Wait(FIRST_BACKOFF));
    }
}
