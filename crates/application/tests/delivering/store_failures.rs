//! A store that fails: nothing is lost, nothing is sent twice, all is done later.

use application::deliver::Event;
use domain::attempt::OutcomeKind;

use crate::fixtures::{Hand, failure, id, ids, mails};

#[test]
fn the_engine_fetches_again_a_second_after_the_store_failed() {
    let mut hand = Hand::new();
    assert!(hand.fetch().is_some());
    hand.tell(Event::Fetched(Err(failure())));
    assert!(hand.asked.is_empty());
    assert_eq!(hand.wakes_in(), Some(1));
    hand.tell(Event::Woken);
    assert!(hand.asked.is_empty(), "not before its time");
    hand.pass(1);
    hand.sent(99, OutcomeKind::Delivered);
    assert!(hand.fetch().is_some(), "whatever it was that woke it");
}

#[test]
fn attempts_that_could_not_be_recorded_are_not_made_and_are_begun_again_in_their_order() {
    let mut hand = Hand::new();
    hand.fetched(mails(1..=5, 1));
    assert_eq!(hand.begin(), [(id(1), 1), (id(2), 1)]);
    hand.tell(Event::Begun(Err(failure())));
    assert!(hand.asked.is_empty());
    assert!(hand.engine.is_idle());
    hand.pass(1);
    hand.tell(Event::Woken);
    assert_eq!(hand.begin(), [(id(1), 1), (id(2), 1)]);
    hand.tell(Event::Begun(Ok(ids([1, 2]))));
    assert_eq!(hand.sends(), ids([1, 2]));
}

#[test]
fn outcomes_that_could_not_be_recorded_are_recorded_later_together_with_those_that_came_since() {
    let mut hand = Hand::new();
    hand.fetched([mails([1, 2], 1), mails([3], 3)].concat());
    hand.begun();
    hand.sent(1, OutcomeKind::Delivered);
    assert_eq!(hand.record().len(), 1);
    hand.sent(2, OutcomeKind::Delivered);
    hand.tell(Event::Recorded(Err(failure())));
    hand.sent(3, OutcomeKind::Unknown);
    assert!(hand.asked.is_empty());
    assert!(!hand.engine.is_idle());
    assert_eq!(hand.wakes_in(), Some(1));
    hand.pass(1);
    hand.tell(Event::Woken);
    let recorded: Vec<_> = hand.recorded().into_iter().map(|finished| finished.delivery).collect();
    assert_eq!(recorded, ids([1, 2, 3]));
    assert!(hand.engine.is_idle());
}

#[test]
fn a_delivery_whose_outcome_is_not_recorded_yet_is_not_sent_again() {
    let mut hand = Hand::new();
    hand.fetched(mails([1], 1));
    hand.begun();
    hand.sent(1, OutcomeKind::Delivered);
    for _ in 0..3 {
        assert_eq!(hand.record().len(), 1);
        hand.tell(Event::Recorded(Err(failure())));
        hand.pass(1);
        hand.tell(Event::Woken);
        assert!(hand.sends().is_empty());
    }
    assert_eq!(hand.recorded().len(), 1);
}

#[test]
fn a_driver_that_is_late_is_woken_at_once() {
    let mut hand = Hand::new();
    hand.fetched(mails([1], 1));
    hand.begun();
    hand.sent(1, OutcomeKind::Delivered);
    hand.record();
    hand.tell(Event::Recorded(Err(failure())));
    hand.pass(2);
    assert_eq!(hand.wakes_in(), Some(0));
    hand.tell(Event::Woken);
    assert_eq!(hand.record().len(), 1);
}
