//! The program ends: what is in flight is finished, what is begun is handed back, nothing more is begun.

use application::deliver::Event;
use domain::attempt::OutcomeKind;
use domain::delivery::Next;

use crate::fixtures::{CHANNEL_DOWN, Hand, failure, id, ids, mails};

#[test]
fn a_draining_engine_begins_nothing_and_records_what_is_in_flight() {
    let mut hand = Hand::new();
    hand.fetched(mails(1..=6, 1));
    assert_eq!(hand.begun(), ids([1, 2]));
    hand.tell(Event::Drain);
    assert!(!hand.engine.is_idle());
    hand.sent(1, OutcomeKind::Delivered);
    hand.sent(2, OutcomeKind::Unknown);
    assert_eq!(hand.recorded().len(), 1);
    assert_eq!(hand.recorded().len(), 1);
    hand.tell(Event::Woken);
    assert!(hand.asked.is_empty());
    assert!(hand.engine.is_idle());
    assert_eq!(hand.wakes_in(), None);
}

#[test]
fn a_draining_engine_hands_back_what_was_begun_but_not_sent() {
    let mut hand = Hand::new();
    hand.fetched(mails([1, 2], 1));
    assert_eq!(hand.begin().len(), 2);
    hand.tell(Event::Drain);
    assert!(!hand.engine.is_idle());
    hand.tell(Event::Begun(Ok(ids([1]))));
    assert!(hand.sends().is_empty());
    let finished = hand.recorded();
    assert_eq!(finished.len(), 1);
    assert_eq!((finished[0].delivery, finished[0].number), (id(1), 1));
    assert_eq!(finished[0].decision.next, Next::Again(hand.now));
    assert!(!finished[0].decision.uses_attempt);
    assert!(hand.engine.is_idle());
}

#[test]
fn a_draining_engine_records_what_the_store_failed_to_take_once_it_works() {
    let mut hand = Hand::new();
    hand.fetched(mails([1], 1));
    hand.begun();
    hand.tell(Event::Drain);
    hand.sent(1, OutcomeKind::Delivered);
    hand.record();
    hand.tell(Event::Recorded(Err(failure())));
    assert_eq!(hand.wakes_in(), Some(1));
    hand.pass(1);
    hand.tell(Event::Woken);
    assert_eq!(hand.recorded().len(), 1);
    assert!(hand.engine.is_idle());
}

#[test]
fn a_paused_channel_is_not_probed_and_wakes_nobody() {
    let mut hand = Hand::new();
    hand.fetched(mails([1, 2], 1));
    hand.begun();
    hand.sent(1, CHANNEL_DOWN);
    hand.recorded();
    hand.tell(Event::Drain);
    hand.pass(10);
    hand.tell(Event::Woken);
    assert_eq!(hand.probe(), None);
    assert_eq!(hand.wakes_in(), None);
}

#[test]
fn an_answer_that_comes_late_begins_nothing() {
    let mut hand = Hand::new();
    assert!(hand.fetch().is_some());
    hand.tell(Event::Drain);
    hand.fetched(Vec::new());
    hand.tell(Event::Fetched(Ok(application::ports::Due { deliveries: mails([1], 1), next_at: None })));
    assert!(hand.asked.is_empty());
    assert!(hand.engine.is_idle());
}
