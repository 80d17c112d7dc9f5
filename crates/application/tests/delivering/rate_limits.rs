//! An endpoint that wants no more than so many messages in a second.

use std::num::NonZeroU32;

use application::deliver::Event;
use domain::attempt::OutcomeKind;

use crate::fixtures::{Hand, ids, mails, subscription_of};

#[test]
fn a_turn_that_came_while_nobody_looked_is_not_forgotten() {
    let mut hand = Hand::new();
    let mut slow = mails([1, 2], 1);
    for delivery in &mut slow {
        subscription_of(delivery).attributes.max_receives_per_second = NonZeroU32::new(1);
    }
    hand.fetched(slow);
    assert_eq!(hand.begun(), ids([1]));
    // Whoever waits asks later than the engine was told last: the second's turn has come by then.
    hand.pass(2);
    assert_eq!(hand.wakes_in(), Some(0));
    hand.tell(Event::Woken);
    assert_eq!(hand.begun(), ids([2]));
}

#[test]
fn a_cancelled_delivery_uses_no_rate_of_those_behind_it() {
    let mut hand = Hand::new();
    let limited = |numbers: std::ops::Range<u128>| {
        let mut mails = mails(numbers, 1);
        for delivery in &mut mails {
            subscription_of(delivery).attributes.max_receives_per_second = NonZeroU32::new(1);
        }
        mails
    };
    hand.fetched(limited(1..9));
    assert_eq!(hand.begun(), ids([1]));
    hand.sent(1, OutcomeKind::Delivered);
    hand.pass(1);
    hand.tell(Event::Woken);
    hand.fetched(Vec::new());
    assert_eq!(hand.begin().len(), 1);
    hand.tell(Event::Begun(Ok(Vec::new())));
    hand.fetched(limited(20..21));
    hand.pass(1);
    hand.tell(Event::Woken);
    hand.fetched(Vec::new());
    assert_eq!(hand.begun(), ids([20]));
}
