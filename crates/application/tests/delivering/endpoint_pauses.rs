//! Pauses of endpoints: one that throttles is given its time; one that is gone is left alone.

use application::deliver::Event;
use application::ports::Due;
use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::{Consequence, Next};
use domain::endpoint::Protocol;
use domain::subscription::EndReason;

use crate::fixtures::{Hand, hooks, id, ids, throttled};

/// Of one endpoint two hooks are in flight and four wait, of another one is in flight; the first asks for 100 s.
fn throttled_endpoint() -> Hand {
    let mut hand = Hand::new();
    hand.fetched([hooks(1..=6, 1), hooks([11], 11)].concat());
    assert_eq!(hand.begun(), ids([1, 11, 2]));
    hand.sent(1, throttled(100));
    hand
}

#[test]
fn a_throttled_endpoint_is_left_alone_until_its_time_and_others_go_on() {
    let mut hand = throttled_endpoint();
    let until = hand.now + std::time::Duration::from_secs(100);
    let finished = hand.recorded();
    assert!(!finished[0].decision.uses_attempt);
    assert_eq!(finished[0].decision.next, Next::Again(until));
    assert!(hand.begin().is_empty());
    let query = hand.fetch().unwrap();
    assert_eq!(query.skip_endpoints, [hooks([1], 1)[0].subscription.id]);
    let stale = [hooks([3, 4], 1), hooks([12], 11)].concat();
    hand.tell(Event::Fetched(Ok(Due { deliveries: stale, next_at: None })));
    assert_eq!(hand.begun(), ids([12]));
}

#[test]
fn deliveries_of_a_paused_endpoint_are_fetched_when_its_pause_ends() {
    let mut hand = throttled_endpoint();
    hand.sent(2, OutcomeKind::Delivered);
    hand.sent(11, OutcomeKind::Delivered);
    hand.recorded();
    hand.recorded();
    hand.fetched(Vec::new());
    assert_eq!(hand.wakes_in(), Some(100));
    hand.pass(99);
    hand.tell(Event::Woken);
    assert_eq!(hand.fetch().unwrap().skip_endpoints.len(), 1);
    hand.tell(Event::Fetched(Ok(Due::default())));
    hand.pass(1);
    hand.tell(Event::Woken);
    assert!(hand.fetch().unwrap().skip_endpoints.is_empty());
    hand.tell(Event::Fetched(Ok(Due { deliveries: hooks(1..=6, 1), next_at: None })));
    assert_eq!(hand.begun(), ids([1, 2]));
}

#[test]
fn the_end_of_its_pause_is_not_missed_if_something_else_happens_at_that_moment() {
    let mut hand = throttled_endpoint();
    hand.recorded();
    assert_eq!(hand.fetch().unwrap().skip_endpoints.len(), 1);
    hand.pass(100);
    hand.tell(Event::Fetched(Ok(Due::default())));
    assert!(hand.fetch().unwrap().skip_endpoints.is_empty());
}

#[test]
fn its_longest_wish_counts() {
    let mut hand = throttled_endpoint();
    hand.sent(2, throttled(10));
    assert_eq!(hand.wakes_in(), Some(100));
}

#[test]
fn a_channel_whose_endpoints_are_all_paused_is_asked_for_more() {
    let mut hand = Hand::new();
    for round in 0..40_u128 {
        let (first, endpoint) = (1_000 + round * 16, 100 + round);
        assert!(hand.fetch().is_some(), "after {round} endpoints");
        let deliveries = hooks(first..first + 16, endpoint);
        hand.tell(Event::Fetched(Ok(Due { deliveries, next_at: None })));
        for delivery in hand.begun() {
            hand.tell(Event::Sent(delivery, crate::fixtures::sent(throttled(86_400))));
        }
        hand.recorded();
        hand.recorded();
        assert!(hand.begin().is_empty());
    }
    assert_eq!(hand.fetch().unwrap().skip_endpoints.len(), 40);
    let late =
        (0..40_u128).flat_map(|round| hooks(1_000 + round * 16..1_016 + round * 16, 100 + round)).collect();
    hand.tell(Event::Fetched(Ok(Due { deliveries: late, next_at: None })));
    hand.tell(Event::Woken);
    let query = hand.fetch().unwrap();
    assert_eq!(
        query.skip_protocols,
        [Protocol::Sms, Protocol::Chat],
        "a late answer brings back nothing that is paused"
    );
}

#[test]
fn a_receiver_that_is_gone_ends_its_subscription_and_nothing_more_is_sent_to_it() {
    let mut hand = Hand::new();
    hand.fetched(hooks(1..=9, 1));
    assert_eq!(hand.begun(), ids([1, 2]));
    hand.sent(1, OutcomeKind::Permanent(Scope::Endpoint));
    let finished = hand.recorded();
    assert_eq!(finished[0].decision.consequence, Some(Consequence::EndSubscription(EndReason::Gone)));
    hand.sent(2, OutcomeKind::Delivered);
    hand.recorded();
    hand.fetched(Vec::new());
    assert!(hand.begun().is_empty());
    assert!(hand.engine.is_idle());
}

#[test]
fn a_delivery_being_begun_as_its_endpoint_is_paused_keeps_its_place() {
    let mut hand = Hand::new();
    hand.fetched(hooks(1..=6, 1));
    assert_eq!(hand.begun(), ids([1, 2]));
    hand.sent(1, OutcomeKind::Delivered);
    assert_eq!(hand.begin(), [(id(3), 1)]);
    hand.sent(2, throttled(100));
    hand.tell(Event::Begun(Err(crate::fixtures::failure())));
    hand.pass(1);
    hand.tell(Event::Woken);
    assert!(hand.begin().is_empty());
    hand.pass(100);
    hand.tell(Event::Woken);
    assert_eq!(hand.begin(), [(id(3), 1)]);
}
