//! How far new orders give way to telling.

use std::num::NonZeroU32;
use std::time::Duration;

use application::deliver::Event;
use application::ports::{ChannelRules, Concurrency, DueDelivery};
use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::UnknownOutcomePolicy;
use domain::endpoint::Protocol;

use crate::fixtures::{Hand, hooks, sent, subscription_of};

const RULES: ChannelRules = ChannelRules {
    concurrency: Concurrency { channel: 4, endpoint: 1 },
    batch: 4,
    max_per_second: None,
    on_unknown: UnknownOutcomePolicy::Retry,
};
/// How long putting attempts on record takes here.
const COMMIT: Duration = Duration::from_millis(4);
const QUICK: Duration = Duration::from_micros(100);

/// The most that orders give way for a row, while a receiver takes so long for each of these.
fn given_way(
    rules: ChannelRules,
    waiting: Vec<DueDelivery>,
    took: Duration,
    outcome: OutcomeKind,
) -> Duration {
    let mut hand = Hand::over([(Protocol::Webhook, rules)]);
    hand.fetched(waiting);
    let mut most = Duration::ZERO;
    for _ in 0..20 {
        let begun: Vec<_> = hand.begin().into_iter().map(|(delivery, _)| delivery).collect();
        hand.now += COMMIT;
        if !begun.is_empty() {
            hand.tell(Event::Begun(Ok(begun)));
        }
        while let Some(delivery) = hand.sends().pop() {
            hand.now += took;
            hand.tell(Event::Sent(delivery, sent(outcome)));
            most = most.max(hand.engine.orders_give_way(hand.now));
        }
        hand.recorded();
    }
    most
}

#[test]
fn orders_give_way_while_messages_wait_for_one_who_takes_them_sooner_than_they_are_on_record() {
    assert!(given_way(RULES, hooks(1..=9, 1), QUICK, OutcomeKind::Delivered) > Duration::ZERO);
}

#[test]
fn orders_give_no_way_to_a_receiver_that_is_slow_or_fails_or_has_nothing_more_waiting() {
    for (waiting, took, outcome) in [
        (9, COMMIT, OutcomeKind::Delivered),
        (9, Duration::from_secs(6), OutcomeKind::Delivered),
        (9, QUICK, OutcomeKind::Transient(Scope::Endpoint)),
        (9, QUICK, OutcomeKind::Transient(Scope::Channel)),
        (9, QUICK, OutcomeKind::Unknown),
        (1, QUICK, OutcomeKind::Delivered),
    ] {
        let given_way = given_way(RULES, hooks(1..=waiting, 1), took, outcome);
        assert_eq!(given_way, Duration::ZERO, "{waiting} {took:?} {outcome:?}");
    }
}

#[test]
fn orders_give_no_way_to_what_waits_for_a_rate_of_its_endpoint_or_channel() {
    let mut rated = hooks(1..=9, 1);
    for delivery in &mut rated {
        subscription_of(delivery).attributes.max_receives_per_second = NonZeroU32::new(1_000);
    }
    assert_eq!(given_way(RULES, rated, QUICK, OutcomeKind::Delivered), Duration::ZERO);
    let rules = ChannelRules { max_per_second: NonZeroU32::new(1_000), ..RULES };
    assert_eq!(given_way(rules, hooks(1..=9, 1), QUICK, OutcomeKind::Delivered), Duration::ZERO);
}
