//! An endpoint that fails is tried as one: with a backoff of its own, whatever waits for it.

use std::collections::BTreeMap;
use std::time::Duration;

use application::deliver::Event;
use application::ports::{Due, DueDelivery};
use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::{Consequence, DeliveryId, Next};
use domain::endpoint::Protocol;
use domain::failure_streak::FailureStreak;
use domain::subscription::SubscriptionId;
use uuid::Uuid;

use crate::fixtures::{Hand, due, hooks, id, ids, sent, start, subscription_of};

const DOWN: OutcomeKind = OutcomeKind::Transient(Scope::Endpoint);

/// An endpoint of which two deliveries just failed, and four wait.
fn failed_twice() -> Hand {
    let mut hand = Hand::new();
    hand.fetched(hooks(1..=6, 1));
    assert_eq!(hand.begun(), ids([1, 2]));
    hand.sent(1, DOWN);
    assert_eq!(hand.recorded()[0].decision.consequence, None, "one failure may be that delivery's");
    assert_eq!(hand.begun(), ids([3]));
    hand.sent(2, DOWN);
    hand
}

/// An endpoint that failed three times, so that nothing is sent there for two seconds.
fn paused() -> Hand {
    let mut hand = failed_twice();
    hand.sent(3, DOWN);
    while !hand.recorded().is_empty() {}
    hand.fetched(Vec::new());
    hand
}

/// Deliveries as the store has them of an endpoint that failed so many times.
fn known(numbers: impl IntoIterator<Item = u128>, failures: u32) -> Vec<DueDelivery> {
    let failing = (0..failures).fold(None, |before, _| Some(FailureStreak::after_failure(before, start())));
    let known = |mut delivery: DueDelivery| {
        subscription_of(&mut delivery).failure_streak = failing;
        delivery
    };
    hooks(numbers, 1).into_iter().map(known).collect()
}

#[test]
fn from_its_second_failure_in_a_row_on_it_is_left_alone_and_each_delivery_keeps_its_own_schedule() {
    let mut hand = failed_twice();
    let decision = hand.recorded().remove(0).decision;
    assert_eq!(decision.consequence, Some(Consequence::PauseEndpoint(hand.now + Duration::from_secs(1))));
    assert_eq!(decision.next, Next::Again(hand.now + Duration::from_secs(5)));
    assert!(decision.uses_attempt);
    assert!(hand.begun().is_empty(), "three wait");
}

#[test]
fn its_pause_grows_while_it_fails_and_one_attempt_is_made_after_each() {
    let mut hand = paused();
    let mut pauses = Vec::new();
    for (number, failures) in (10..16).zip(3..) {
        let pause = hand.wakes_in().unwrap();
        pauses.push(pause);
        hand.pass(pause.unsigned_abs());
        hand.tell(Event::Woken);
        hand.fetched(known(number * 10..number * 10 + 4, failures));
        let begun = hand.begun();
        assert_eq!(begun.len(), 1, "it is tried as one");
        hand.tell(Event::Sent(begun[0], sent(DOWN)));
        while !hand.recorded().is_empty() {}
        hand.fetched(Vec::new());
    }
    assert_eq!(pauses, [2, 4, 8, 16, 32, 64]);
}

#[test]
fn its_first_success_ends_that_and_what_waits_is_asked_for() {
    let mut hand = paused();
    hand.pass(2);
    hand.tell(Event::Woken);
    hand.fetched(known(4..=8, 3));
    assert_eq!(hand.begun(), ids([4]));
    hand.sent(4, OutcomeKind::Delivered);
    assert_eq!(hand.begun(), ids([5, 6]), "as many at once as ever");
    assert_eq!(hand.recorded().len(), 1);
    assert!(hand.fetch().is_some(), "the store makes due what waits there");
    hand.sent(5, DOWN);
    assert_eq!(hand.recorded()[0].decision.consequence, None, "it begins anew");
}

#[test]
fn after_a_pause_another_delivery_is_tried_than_those_that_failed() {
    let mut hand = paused();
    hand.pass(2);
    hand.tell(Event::Woken);
    let mut again = known([1, 3, 4, 5], 3);
    (again[0].attempts, again[1].attempts) = (2, 1);
    hand.fetched(again);
    assert_eq!(hand.begun(), ids([4]));
}

#[test]
fn one_poisonous_delivery_does_not_keep_the_others_of_its_endpoint_waiting() {
    let mut hand = Hand::new();
    let (mut waiting, mut calls) = (hooks(1..=100, 1), BTreeMap::<DeliveryId, u32>::new());
    let mut seconds = 0;
    while waiting.len() > 1 {
        hand.tell(Event::Woken);
        hand.fetched(waiting.iter().take(16).cloned().collect());
        for delivery in hand.begun() {
            *calls.entry(delivery).or_default() += 1;
            let kind = if delivery == id(1) { DOWN } else { OutcomeKind::Delivered };
            hand.tell(Event::Sent(delivery, sent(kind)));
            if delivery != id(1) {
                waiting.retain(|waiting| waiting.id != delivery);
            }
            hand.recorded();
        }
        hand.pass(1);
        seconds += 1;
        assert!(seconds < 200, "{} wait still", waiting.len());
    }
    assert!(calls.iter().all(|(delivery, calls)| *delivery == id(1) || *calls == 1));
}

#[test]
fn a_stored_failure_streak_counts() {
    let mut hand = Hand::new();
    hand.fetched(known([1, 2], 5));
    assert_eq!(hand.begun(), ids([1]), "it is tried as one");
    hand.sent(1, DOWN);
    let pause = Consequence::PauseEndpoint(hand.now + Duration::from_secs(16));
    assert_eq!(hand.recorded()[0].decision.consequence, Some(pause));
}

#[test]
fn a_person_can_have_a_failing_endpoint_tried_at_once() {
    let mut hand = paused();
    assert_eq!(hand.wakes_in(), Some(2));
    hand.tell(Event::PausesLifted);
    assert!(hand.fetch().unwrap().skip_endpoints.is_empty());
    hand.tell(Event::Fetched(Ok(Due { deliveries: hooks([4], 1), next_at: None })));
    assert_eq!(hand.begun(), ids([4]));
}

/// A store with thousands of deliveries that are due, to endpoints that are dead; each call takes no time.
struct Outage {
    hand: Hand,
    waiting: BTreeMap<SubscriptionId, Vec<DueDelivery>>,
    calls: BTreeMap<SubscriptionId, u32>,
}

impl Outage {
    fn new(endpoints: u128, each: u128) -> Self {
        let backlog = |endpoint: u128| {
            let numbers = endpoint * 100_000..endpoint * 100_000 + each;
            let hooks = numbers.map(|number| due(number, endpoint, Protocol::Webhook)).collect::<Vec<_>>();
            (hooks[0].subscription.id, hooks)
        };
        let waiting = (1..=endpoints).map(backlog).collect();
        Self { hand: Hand::new(), waiting, calls: BTreeMap::new() }
    }

    /// Does all that is to be done now.
    fn settle(&mut self) {
        loop {
            if let Some(query) = self.hand.fetch() {
                let due = self.waiting.iter().filter(|(id, _)| !query.skip_endpoints.contains(id));
                let due = due.flat_map(|(_, all)| all.iter().filter(|due| due.due_at <= query.now).take(16));
                let deliveries = due.take(query.limit).cloned().collect();
                self.hand.tell(Event::Fetched(Ok(Due { deliveries, next_at: None })));
                continue;
            }
            let begun = self.hand.begun();
            for delivery in &begun {
                self.hand.tell(Event::Sent(*delivery, sent(DOWN)));
            }
            let finished = self.hand.recorded();
            for finished in &finished {
                self.take_in(finished.delivery, finished.decision.next);
            }
            if begun.is_empty() && finished.is_empty() {
                return;
            }
        }
    }

    fn take_in(&mut self, delivery: DeliveryId, next: Next) {
        let endpoint = SubscriptionId(Uuid::from_u128(delivery.0.as_u128() / 100_000));
        *self.calls.entry(endpoint).or_default() += 1;
        for waiting in self.waiting.get_mut(&endpoint).into_iter().flatten() {
            let before = waiting.subscription.failure_streak;
            subscription_of(waiting).failure_streak =
                Some(FailureStreak::after_failure(before, self.hand.now));
            if waiting.id != delivery {
                continue;
            }
            waiting.attempts += 1;
            waiting.attempts_used += 1;
            if let Next::Again(at) = next {
                waiting.due_at = at;
            }
        }
    }

    fn pass(&mut self, seconds: u64) {
        let end = self.hand.now + Duration::from_secs(seconds);
        while self.hand.now < end {
            self.settle();
            let next = self.hand.engine.wake_at(self.hand.now).unwrap_or(end);
            self.hand.now = next.max(self.hand.now + Duration::from_secs(1)).min(end);
            self.hand.tell(Event::Woken);
        }
    }
}

#[test]
fn dead_endpoints_with_thousands_of_deliveries_due_are_called_a_few_times_in_an_hour() {
    let mut outage = Outage::new(20, 1_000);
    outage.pass(3_600);
    for (endpoint, calls) in &outage.calls {
        // Nine doublings take eight minutes; then one in five minutes.
        assert!((12..=24).contains(calls), "{endpoint} was called {calls} times");
    }
    assert_eq!(outage.calls.len(), 20);
}

#[test]
fn the_whole_outage_makes_as_many_calls_whether_ten_or_a_thousand_wait_for_each() {
    let calls = |each| {
        let mut outage = Outage::new(3, each);
        outage.pass(600);
        outage.calls.values().sum::<u32>()
    };
    assert_eq!(calls(1_000), calls(100));
}
