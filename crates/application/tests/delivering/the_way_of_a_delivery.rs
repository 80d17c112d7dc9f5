//! Due, begun, sent, recorded: each step only after the one before is on disk.

use application::deliver::{Action, Event};
use application::ports::{ChannelRules, Concurrency, Due};
use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::{DeliveryKind, DeliveryState, Next};
use domain::endpoint::Protocol;

use crate::fixtures::{Hand, LIMITS, due, hooks, id, ids, mails, start, subscription_of};

#[test]
fn the_engine_fetches_what_is_due_and_waits_if_nothing_is() {
    let mut hand = Hand::new();
    let query = hand.fetch().unwrap();
    assert_eq!(query.now, start());
    assert_eq!(query.skip_protocols, [Protocol::Sms, Protocol::Chat], "there is no such channel here");
    assert!(query.skip_endpoints.is_empty());
    hand.tell(Event::Fetched(Ok(Due::default())));
    assert!(hand.asked.is_empty());
    assert_eq!(hand.wakes_in(), None);
}

#[test]
fn a_confirmation_request_without_a_used_attempt_gives_its_receiver_the_whole_time_to_answer() {
    let mut request = due(1, 1, Protocol::Email);
    (request.kind, request.order, request.attempts) = (DeliveryKind::Confirmation, None, 1);
    subscription_of(&mut request).confirmation_expires_at = Some(start());
    let mut hand = Hand::new();
    hand.fetched(vec![request.clone()]);
    hand.begin();
    hand.tell(Event::Begun(Ok(ids([1]))));
    let Some(Action::Send(sent, 2)) = hand.asked.first() else { panic!("{:?}", hand.asked) };
    assert_eq!(
        sent.subscription.confirmation_expires_at,
        request.subscription.confirmation_expires_if_sent(hand.now)
    );
    assert!(sent.subscription.confirmation_expires_at > Some(start()));
}

#[test]
fn an_attempt_is_recorded_before_it_is_made_and_its_outcome_after() {
    let mut hand = Hand::new();
    hand.fetched(mails([1], 1));
    assert!(hand.sends().is_empty());
    assert_eq!(hand.begin(), [(id(1), 1)]);
    assert!(!hand.engine.is_idle());

    hand.tell(Event::Begun(Ok(ids([1]))));
    assert_eq!(hand.sends(), ids([1]));
    assert!(hand.asked.is_empty());

    hand.sent(1, OutcomeKind::Delivered);
    let finished = hand.record();
    assert_eq!((finished[0].delivery, finished[0].number), (id(1), 1));
    assert_eq!(finished[0].decision.next, Next::Over(DeliveryState::Delivered));
    assert!(!hand.engine.is_idle());

    hand.tell(Event::Recorded(Ok(Vec::new())));
    assert!(hand.engine.is_idle());
    assert!(hand.fetch().is_some(), "what became due meanwhile is asked for");
}

#[test]
fn a_further_attempt_carries_the_next_number_and_the_attempts_used() {
    let mut hand = Hand::new();
    let mut delivery = due(1, 1, Protocol::Email);
    (delivery.attempts, delivery.attempts_used) = (60, 49);
    hand.fetched(vec![delivery]);
    assert_eq!(hand.begin(), [(id(1), 61)]);
    hand.tell(Event::Begun(Ok(ids([1]))));
    hand.sent(1, OutcomeKind::Transient(Scope::Delivery));
    let finished = hand.record();
    assert_eq!(finished[0].number, 61);
    assert_eq!(
        finished[0].decision.next,
        Next::Over(DeliveryState::Dead),
        "the 50th attempt was attempts_used"
    );
}

#[test]
fn a_delivery_that_the_store_did_not_begin_is_not_sent_and_is_fetched_anew() {
    let mut hand = Hand::new();
    hand.fetched(mails([1, 2], 1));
    assert_eq!(hand.begin().len(), 2);
    hand.tell(Event::Begun(Ok(ids([2]))));
    assert_eq!(hand.sends(), ids([2]));
    assert!(hand.fetch().is_some(), "its view of the first was stale");
}

#[test]
fn outcomes_that_come_while_others_are_recorded_follow_in_one_batch() {
    let mut hand = Hand::new();
    hand.fetched(mails([1, 2], 1).into_iter().chain(mails([3], 3)).collect());
    assert_eq!(hand.begun().len(), 3);
    hand.sent(1, OutcomeKind::Delivered);
    hand.sent(2, OutcomeKind::Delivered);
    hand.sent(3, OutcomeKind::Delivered);
    assert_eq!(hand.recorded().len(), 1);
    assert_eq!(hand.recorded().len(), 2);
    assert!(hand.engine.is_idle());
}

#[test]
fn what_is_dropped_while_the_store_looks_goes_out_before_what_it_found_behind_that() {
    let one_by_one = ChannelRules { concurrency: Concurrency { channel: 3, endpoint: 1 }, ..LIMITS };
    let mut hand = Hand::over([(Protocol::Webhook, one_by_one)]);
    let found = |numbers| Event::Fetched(Ok(Due { deliveries: hooks(numbers, 1), next_at: None }));
    hand.fetch();
    hand.tell(found(1..=3));
    let looking = hand.fetch().expect("there may be more");
    assert_eq!(looking.skip_deliveries.len(), 3);
    assert_eq!(hand.begin(), [(id(1), 1)]);
    hand.tell(Event::Begun(Ok(Vec::new())));
    hand.tell(found(4..=5));
    assert_eq!(hand.begin(), [], "2 and 3 come first");
    let again = hand.fetch().expect("they are asked for anew");
    assert!(again.skip_deliveries.is_empty());
    hand.tell(found(2..=5));
    assert_eq!(hand.begin(), [(id(2), 1)]);
}

#[test]
fn a_delivery_in_hand_is_not_taken_in_again_by_a_stale_answer() {
    let mut hand = Hand::new();
    hand.fetch();
    hand.tell(Event::Fetched(Ok(Due { deliveries: mails([1], 1), next_at: None })));
    assert_eq!(hand.begin(), [(id(1), 1)]);
    for _ in 0..2 {
        assert!(hand.fetch().is_some());
        hand.tell(Event::Fetched(Ok(Due { deliveries: mails([1], 1), next_at: None })));
        assert!(hand.fetch().is_none(), "nothing new: no reason to ask again");
        hand.tell(Event::Woken);
    }
    hand.tell(Event::Begun(Ok(ids([1]))));
    assert_eq!(hand.sends(), ids([1]));
    hand.fetched(mails([1], 1));
    assert!(hand.begin().is_empty());
}

#[test]
fn an_answer_from_before_the_outcome_leads_to_an_intent_that_the_store_can_refuse() {
    let mut hand = Hand::new();
    hand.fetched(mails([1], 1));
    assert_eq!(hand.begun(), ids([1]));
    hand.tell(Event::Woken);
    hand.sent(1, OutcomeKind::Unknown);
    hand.recorded();
    assert!(hand.fetch().is_some());
    hand.tell(Event::Fetched(Ok(Due { deliveries: mails([1], 1), next_at: None })));
    assert_eq!(hand.begin(), [(id(1), 1)], "the number says that the view is stale");
    hand.tell(Event::Begun(Ok(Vec::new())));
    assert!(hand.sends().is_empty());
    assert!(hand.fetch().is_some());
}

#[test]
fn an_outcome_that_was_taken_in_already_changes_nothing() {
    let mut hand = Hand::new();
    hand.fetched(mails([1], 1));
    hand.begun();
    hand.sent(1, OutcomeKind::Delivered);
    hand.sent(1, OutcomeKind::Permanent(Scope::Endpoint));
    assert_eq!(hand.recorded().len(), 1);
    assert!(hand.engine.is_idle());
}

#[test]
fn the_engine_is_woken_when_the_next_delivery_falls_due_and_fetches_once() {
    let mut hand = Hand::new();
    hand.fetch();
    let next_at = Some(start() + std::time::Duration::from_secs(30));
    hand.tell(Event::Fetched(Ok(Due { deliveries: Vec::new(), next_at })));
    assert_eq!(hand.wakes_in(), Some(30));
    hand.pass(30);
    hand.tell(Event::Woken);
    assert!(hand.fetch().is_some());
    assert_eq!(hand.wakes_in(), None, "the answer is what it waits for");
    hand.pass(5);
    hand.tell(Event::Woken);
    assert!(hand.fetch().is_none(), "one fetch at a time");
}

#[test]
fn the_next_time_is_never_in_the_past() {
    let mut hand = Hand::new();
    hand.fetch();
    let next_at = Some(start() + std::time::Duration::from_secs(1));
    hand.tell(Event::Fetched(Ok(Due { deliveries: Vec::new(), next_at })));
    hand.pass(10);
    assert_eq!(hand.wakes_in(), Some(0));
    hand.tell(Event::Woken);
    assert!(hand.fetch().is_some());
    assert_eq!(hand.wakes_in(), None);
}

#[test]
fn no_more_is_begun_at_once_than_the_channel_and_the_endpoint_bear() {
    let mut hand = Hand::new();
    hand.fetched(mails(1..=10, 1).into_iter().chain(mails(11..=20, 2)).collect());
    let begun = hand.begun();
    assert_eq!(begun.len(), LIMITS.concurrency.channel);
    assert!(begun.iter().filter(|delivery| **delivery < id(11)).count() <= LIMITS.concurrency.endpoint);
    hand.tell(Event::Woken);
    assert!(hand.begin().is_empty());
    hand.tell(Event::Sent(begun[0], crate::fixtures::sent(OutcomeKind::Delivered)));
    assert_eq!(hand.begin().len(), 1);
}
