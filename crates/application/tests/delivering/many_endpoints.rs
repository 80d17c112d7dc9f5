//! The work for one event does not grow with the endpoints that the engine holds.

use std::time::Duration;

use application::deliver::{Action, Engine, Event};
use application::ports::{ChannelRules, Concurrency, Due, DueDelivery};
use domain::attempt::OutcomeKind;
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;

use crate::fixtures::{Hand, LIMITS, due, hooks, id, mails, sent, subscription_of, throttled};

const HELD: u128 = 10_000;
/// What one event may look at: the queue that it concerns, and a few that follow it.
const FEW: u64 = 16;

/// An engine that may send to all of these at once.
fn wide() -> Hand {
    let rules = ChannelRules { concurrency: Concurrency { channel: 20_000, endpoint: 2 }, ..LIMITS };
    let engine = Engine::new([(Protocol::Email, LIMITS), (Protocol::Webhook, rules)]);
    let mut hand = Hand { engine, now: crate::fixtures::start(), asked: Vec::new() };
    hand.tell(Event::Woken);
    hand
}

/// One delivery to each of them, of the numbers from 100,000 on.
fn one_each(range: std::ops::Range<u128>) -> Vec<DueDelivery> {
    range.map(|number| due(100_000 + number, 100_000 + number, Protocol::Webhook)).collect()
}

/// Begins all that may begin, and answers what is sent: thousands at once.
fn begun(hand: &mut Hand) -> Vec<DeliveryId> {
    let begun = hand.begin().into_iter().map(|(delivery, _)| delivery).collect();
    hand.tell(Event::Begun(Ok(begun)));
    let (sends, rest): (Vec<_>, Vec<_>) =
        std::mem::take(&mut hand.asked).into_iter().partition(|action| matches!(action, Action::Send(..)));
    hand.asked = rest;
    let sent = |action| if let Action::Send(delivery, _) = action { Some(delivery.id) } else { None };
    sends.into_iter().filter_map(sent).collect()
}

/// An engine in which so many endpoints ask for a Retry-After of a day.
fn holding(count: u128) -> Hand {
    let mut hand = wide();
    hand.fetched(one_each(0..count));
    for delivery in begun(&mut hand) {
        hand.tell(Event::Sent(delivery, sent(throttled(86_400))));
    }
    while !hand.recorded().is_empty() {}
    hand.fetched(Vec::new());
    hand
}

/// What the events of a healthy endpoint's deliveries look at, at most, each.
fn visits_of_a_healthy_endpoint(hand: &mut Hand) -> u64 {
    let mut most = 0;
    let mut measured = |hand: &mut Hand, event: Event| {
        let before = hand.engine.queues_scanned();
        hand.tell(event);
        most = most.max(hand.engine.queues_scanned() - before);
    };
    for number in 1..=20 {
        measured(hand, Event::Woken);
        assert!(hand.fetch().is_some());
        measured(hand, Event::Fetched(Ok(Due { deliveries: mails([number], 7), next_at: None })));
        let begun: Vec<DeliveryId> = hand.begin().into_iter().map(|(delivery, _)| delivery).collect();
        assert_eq!(begun, [id(number)]);
        measured(hand, Event::Begun(Ok(begun)));
        hand.sends();
        measured(hand, Event::Sent(id(number), sent(OutcomeKind::Delivered)));
        assert_eq!(hand.record().len(), 1);
        measured(hand, Event::Recorded(Ok(Vec::new())));
        while hand.fetch().is_some() {
            measured(hand, Event::Fetched(Ok(Due::default())));
        }
    }
    most
}

#[test]
fn paused_endpoints_cost_nothing() {
    let alone = visits_of_a_healthy_endpoint(&mut holding(0));
    let among_many = visits_of_a_healthy_endpoint(&mut holding(HELD));
    assert!(among_many <= FEW, "{among_many}");
    assert_eq!(among_many, alone);
}

#[test]
fn endpoints_with_attempts_in_flight_cost_nothing() {
    let mut hand = wide();
    hand.fetched(one_each(0..HELD));
    assert_eq!(begun(&mut hand).len() as u128, HELD);
    hand.fetched(Vec::new());
    assert!(visits_of_a_healthy_endpoint(&mut hand) <= FEW);
}

#[test]
fn rate_limited_endpoints_cost_nothing() {
    let mut hand = wide();
    let twice = one_each(0..HELD).into_iter().flat_map(|delivery| {
        let more =
            DueDelivery { id: DeliveryId::derived(delivery.due_at, &[delivery.id.0]), ..delivery.clone() };
        [delivery, more]
    });
    let slow = twice.map(|mut delivery| {
        subscription_of(&mut delivery).attributes.max_receives_per_second = std::num::NonZeroU32::new(1);
        delivery
    });
    hand.fetched(slow.collect());
    for delivery in begun(&mut hand) {
        hand.tell(Event::Sent(delivery, sent(OutcomeKind::Delivered)));
    }
    while !hand.recorded().is_empty() {}
    assert!(visits_of_a_healthy_endpoint(&mut hand) <= FEW);
}

#[test]
fn endpoints_that_wait_for_a_busy_channel_cost_nothing() {
    let mut hand = Hand::new();
    hand.fetched(one_each(0..2_000));
    assert_eq!(hand.begun().len(), 3);
    assert!(visits_of_a_healthy_endpoint(&mut hand) <= FEW);
}

#[test]
fn failed_endpoints_cost_nothing_once_they_are_recorded() {
    let mut hand = wide();
    hand.fetched(one_each(0..HELD));
    for delivery in begun(&mut hand) {
        hand.tell(Event::Sent(delivery, sent(OutcomeKind::Transient(domain::attempt::Scope::Endpoint))));
    }
    while !hand.recorded().is_empty() {}
    hand.fetched(Vec::new());
    assert!(visits_of_a_healthy_endpoint(&mut hand) <= FEW);
}

#[test]
fn the_store_is_told_to_skip_no_more_than_a_thousand_that_are_paused() {
    let mut hand = holding(HELD);
    hand.tell(Event::Woken);
    assert_eq!(hand.fetch().unwrap().skip_endpoints.len(), 1_000);
    hand.tell(Event::Fetched(Ok(Due { deliveries: one_each(0..HELD), next_at: None })));
    assert!(hand.begin().is_empty(), "what comes back of the others is left alone");
}

#[test]
fn a_pause_of_the_channel_looks_only_at_those_for_which_something_waits() {
    let mut hand = holding(HELD);
    hand.tell(Event::Woken);
    hand.fetched(hooks([1, 2, 3, 4], 1));
    let in_flight = hand.begun();
    let before = hand.engine.queues_scanned();
    hand.tell(Event::Sent(in_flight[0], sent(crate::fixtures::CHANNEL_DOWN)));
    assert!(hand.engine.queues_scanned() - before <= FEW);
}

#[test]
fn all_pauses_are_over_if_the_clock_is_set_to_before_they_began() {
    let mut hand = holding(100);
    hand.now -= Duration::from_hours(24 * 400);
    hand.tell(Event::Woken);
    assert!(hand.fetch().unwrap().skip_endpoints.is_empty());
    hand.tell(Event::Fetched(Ok(Due { deliveries: one_each(0..100), next_at: None })));
    assert_eq!(hand.begin().len(), 100);
}
