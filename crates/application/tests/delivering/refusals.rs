//! Refusals of which nobody knows yet whom they are about; and how long the dead are asked for.

use std::collections::{BTreeMap, BTreeSet};

use application::deliver::Event;
use application::ports::{Due, DueDelivery, Finished};
use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::{DeliveryId, DeliveryState, Next};
use domain::endpoint::Protocol::Email;

use crate::fixtures::{Hand, id, mails, sent};

const NO_SUCH_USER: OutcomeKind = OutcomeKind::Permanent(Scope::Delivery);
const NOT_CLEAR: OutcomeKind = OutcomeKind::Permanent(Scope::Unclear);

/// Mail over a relay, and a store that holds it: each delivery's time, as the engine decided.
struct Shop {
    hand: Hand,
    pending: BTreeMap<DeliveryId, DueDelivery>,
    over: BTreeMap<DeliveryId, DeliveryState>,
    attempts_used: BTreeMap<DeliveryId, u32>,
    in_flight: BTreeSet<DeliveryId>,
    attempts: u32,
}

impl Shop {
    fn owing(deliveries: Vec<DueDelivery>) -> Self {
        let pending = deliveries.into_iter().map(|delivery| (delivery.id, delivery)).collect();
        let (over, attempts_used, in_flight) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { hand: Hand::new(), pending, over, attempts_used, in_flight, attempts: 0 }
    }

    /// Lets the engine work for so many seconds; `says` is the relay's word on each delivery at each second.
    fn passes(&mut self, seconds: u64, says: impl Fn(DeliveryId, u64) -> OutcomeKind) {
        for second in 0..seconds {
            self.hand.tell(Event::Woken);
            for _ in 0..20 {
                self.answer(|delivery| says(delivery, second));
            }
            self.hand.pass(1);
        }
    }

    fn answer(&mut self, says: impl Fn(DeliveryId) -> OutcomeKind) {
        while let Some(query) = self.hand.fetch() {
            let due = |delivery: &&DueDelivery| {
                delivery.due_at <= query.now
                    && !self.in_flight.contains(&delivery.id)
                    && !query.skip_endpoints.contains(&delivery.subscription.id)
            };
            let deliveries = self.pending.values().filter(due).cloned().collect();
            self.hand.tell(Event::Fetched(Ok(Due { deliveries, next_at: None })));
        }
        if self.hand.probe() == Some(Email) {
            self.hand.tell(Event::Probed(Email, Ok(())));
        }
        for delivery in self.hand.begun() {
            self.attempts += 1;
            self.in_flight.insert(delivery);
            self.hand.tell(Event::Sent(delivery, sent(says(delivery))));
        }
        for finished in self.hand.recorded() {
            self.record(&finished);
        }
    }

    fn record(&mut self, finished: &Finished) {
        self.in_flight.remove(&finished.delivery);
        *self.attempts_used.entry(finished.delivery).or_default() +=
            u32::from(finished.decision.uses_attempt);
        match finished.decision.next {
            Next::Over(state) => {
                self.pending.remove(&finished.delivery);
                self.over.insert(finished.delivery, state);
            }
            Next::Again(at) => {
                if let Some(delivery) = self.pending.get_mut(&finished.delivery) {
                    (delivery.due_at, delivery.attempts) = (at, finished.number);
                }
            }
        }
    }

    fn ended(&self, state: DeliveryState) -> Vec<DeliveryId> {
        self.over.iter().filter(|(_, over)| **over == state).map(|(id, _)| *id).collect()
    }
}

fn to_each(recipients: impl IntoIterator<Item = u128>) -> Vec<DueDelivery> {
    recipients.into_iter().flat_map(|recipient| mails([recipient], recipient)).collect()
}

#[test]
fn twenty_orders_while_the_relay_refuses_everyone_for_three_seconds_all_arrive_and_no_attempt_is_used() {
    for orders in [to_each(1..=20), mails(1..=20, 1), [mails(1..=10, 1), mails(11..=20, 2)].concat()] {
        let mut shop = Shop::owing(orders);
        shop.passes(120, |_, second| if second < 3 { NOT_CLEAR } else { OutcomeKind::Delivered });
        assert_eq!(shop.ended(DeliveryState::Delivered).len(), 20, "{:?}", shop.over);
        assert!(
            shop.attempts_used.values().all(|attempts_used| *attempts_used == 1),
            "the attempt that got through, alone"
        );
    }
}

#[test]
fn a_relay_that_refuses_everyone_is_asked_less_and_less() {
    let mut shop = Shop::owing(to_each(1..=200));
    shop.passes(300, |_, _| NOT_CLEAR);
    assert!(shop.attempts < 30, "{}", shop.attempts);
    assert!(shop.over.is_empty(), "{:?}", shop.over);
}

#[test]
fn three_dead_addresses_do_not_keep_mail_from_the_others_and_die() {
    for refusal in [NO_SUCH_USER, NOT_CLEAR] {
        let mut shop = Shop::owing(to_each(1..=13));
        let dead = |delivery| delivery <= id(3);
        shop.passes(10, |delivery, _| if dead(delivery) { refusal } else { OutcomeKind::Delivered });
        assert_eq!(shop.ended(DeliveryState::Delivered).len(), 10, "{:?}", shop.over);
        shop.passes(20, |_, _| refusal);
        assert_eq!(shop.ended(DeliveryState::Dead), [id(1), id(2), id(3)]);
        assert!(shop.attempts <= 10 + 3 * 3, "{}", shop.attempts);
    }
}

#[test]
fn where_there_are_only_dead_addresses_they_die_after_three_rounds_and_the_channel_works_on() {
    for refusal in [NO_SUCH_USER, NOT_CLEAR] {
        let mut shop = Shop::owing(to_each(1..=5));
        shop.passes(600, |_, _| refusal);
        assert_eq!(shop.ended(DeliveryState::Dead).len(), 5, "{:?}", shop.pending.keys());
        assert!(shop.attempts <= 5 * 3, "{}", shop.attempts);
        shop.pending.extend(to_each([9]).into_iter().map(|delivery| (delivery.id, delivery)));
        shop.passes(60, |_, _| OutcomeKind::Delivered);
        assert_eq!(shop.ended(DeliveryState::Delivered), [id(9)]);
    }
}

#[test]
fn after_a_row_of_refusals_another_recipient_is_asked_first() {
    let mut hand = Hand::new();
    hand.fetched(to_each([1, 2, 3]));
    for delivery in hand.begun() {
        hand.tell(Event::Sent(delivery, sent(NOT_CLEAR)));
    }
    assert_eq!(hand.notes(), [(Email, "paused")]);
    hand.recorded();
    hand.recorded();
    hand.pass(2);
    hand.tell(Event::Woken);
    assert_eq!(hand.probe(), Some(Email));
    hand.tell(Event::Probed(Email, Ok(())));
    hand.fetched(to_each([3, 4]));
    assert_eq!(hand.begun(), [id(4)]);
}

#[test]
fn a_clear_refusal_of_one_recipient_is_final_at_once() {
    let mut shop = Shop::owing(to_each([1]));
    shop.passes(1, |_, _| NO_SUCH_USER);
    assert_eq!((shop.ended(DeliveryState::Dead), shop.attempts), (vec![id(1)], 1));
}
