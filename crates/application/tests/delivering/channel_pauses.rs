//! A channel that fails as a whole: paused, probed, tried, resumed; no delivery pays for it.

use std::time::Duration;

use application::deliver::Event;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::delivery::Next;
use domain::endpoint::Protocol::{Chat, Email, Sms, Webhook};

use crate::fixtures::{CHANNEL_DOWN, Hand, LIMITS, hooks, id, ids, mails};

/// Two mails of one subscriber and one of another are in flight, two more wait; mail then fails.
fn failing() -> Hand {
    let mut hand = Hand::new();
    hand.fetched([mails([1, 2, 4, 5], 1), mails([3], 3)].concat());
    assert_eq!(hand.begun(), ids([1, 3, 2]));
    hand.sent(1, CHANNEL_DOWN);
    hand
}

fn refusal() -> Event {
    Event::Probed(Email, Err(Outcome::new(OutcomeKind::Permanent(Scope::Channel), "535 no")))
}

#[test]
fn a_failing_channel_is_paused_once_and_uses_no_attempt() {
    let mut hand = failing();
    hand.sent(3, CHANNEL_DOWN);
    hand.sent(2, OutcomeKind::Permanent(Scope::Channel));
    assert_eq!(hand.notes(), [(Email, "paused")]);
    let mut finished = hand.recorded();
    finished.extend(hand.recorded());
    assert_eq!(finished.len(), 3);
    for finished in finished {
        assert!(!finished.decision.uses_attempt);
        assert_eq!(finished.decision.next, Next::Again(hand.now));
    }
    assert!(hand.begin().is_empty());
}

#[test]
fn a_provider_that_throttles_for_ever_is_given_more_and_more_time_and_then_uses_attempts() {
    let kind = OutcomeKind::Throttled { scope: Scope::Channel, retry_after: Some(Duration::ZERO) };
    let mut hand = Hand::new();
    hand.fetched(mails([1], 1));
    assert_eq!(hand.begun(), ids([1]));
    let mut waits = Vec::new();
    let mut attempts_used = Vec::new();
    for _ in 0..12 {
        hand.sent(1, kind);
        attempts_used.push(hand.recorded()[0].decision.uses_attempt);
        hand.fetched(Vec::new());
        let wait = hand.wakes_in().unwrap();
        waits.push(wait);
        hand.pass(wait.unsigned_abs());
        hand.tell(Event::Woken);
        assert_eq!(hand.probe(), Some(Email));
        hand.tell(Event::Probed(Email, Ok(())));
        hand.fetched(mails([1], 1));
        assert_eq!(hand.begun(), ids([1]), "its probe goes well each time");
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300, 300, 300, 300]);
    assert_eq!(attempts_used, [[false; 10].as_slice(), &[true; 2]].concat());
}

#[test]
fn nothing_of_a_paused_channel_is_fetched_or_begun_while_others_go_on() {
    let mut hand = failing();
    hand.recorded();
    let query = hand.fetch().unwrap();
    assert_eq!(query.skip_protocols, [Email, Sms, Chat]);
    hand.tell(Event::Fetched(Ok(application::ports::Due {
        deliveries: [mails([6], 6), hooks([7], 7)].concat(),
        next_at: None,
    })));
    assert_eq!(hand.begun(), ids([7]), "an answer from before the pause brings nothing back");
}

#[test]
fn a_paused_channel_is_probed_less_and_less_often() {
    let mut hand = failing();
    hand.recorded();
    hand.fetched(Vec::new());
    for expected in [2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(hand.wakes_in(), Some(expected));
        hand.pass(expected.unsigned_abs() - 1);
        hand.tell(Event::Woken);
        assert_eq!(hand.probe(), None);
        hand.pass(1);
        hand.tell(Event::Woken);
        assert_eq!(hand.probe(), Some(Email));
        hand.fetched(Vec::new());
        assert_eq!(hand.wakes_in(), None, "the probe's answer is what it waits for");
        hand.tell(Event::Woken);
        assert_eq!(hand.probe(), None, "one probe at a time");
        hand.fetched(Vec::new());
        hand.tell(refusal());
    }
    assert_eq!(hand.notes(), [(Email, "paused")]);
}

/// The failing channel after its other attempts failed too and a probe went well.
fn on_trial() -> Hand {
    let mut hand = failing();
    hand.sent(2, CHANNEL_DOWN);
    hand.sent(3, CHANNEL_DOWN);
    hand.recorded();
    hand.recorded();
    hand.fetched(Vec::new());
    hand.pass(2);
    hand.tell(Event::Woken);
    hand.fetched(Vec::new());
    assert_eq!(hand.probe(), Some(Email));
    hand.tell(Event::Probed(Email, Ok(())));
    assert_eq!(hand.notes(), [(Email, "paused"), (Email, "resumed")]);
    let query = hand.fetch().expect("a fetch");
    assert_eq!(query.skip_protocols, [Sms, Chat], "what waited is asked for again");
    let again = [mails([1, 2, 4, 5], 1), mails([3], 3)].concat();
    hand.tell(Event::Fetched(Ok(application::ports::Due { deliveries: again, next_at: None })));
    hand
}

#[test]
fn after_a_good_probe_one_goes_ahead_and_the_others_follow_its_success() {
    let mut hand = on_trial();
    let ahead = hand.begun();
    assert_eq!(ahead.len(), 1);
    hand.tell(Event::Woken);
    assert!(hand.begin().is_empty());
    hand.tell(Event::Sent(ahead[0], crate::fixtures::sent(OutcomeKind::Delivered)));
    assert_eq!(hand.begun().len(), LIMITS.concurrency.endpoint, "all that the endpoint bears");
}

#[test]
fn a_delivery_that_fails_for_its_own_reasons_shows_that_the_channel_works() {
    let mut hand = on_trial();
    let ahead = hand.begun();
    hand.tell(Event::Sent(ahead[0], crate::fixtures::sent(OutcomeKind::Permanent(Scope::Delivery))));
    assert_eq!(hand.begun().len(), LIMITS.concurrency.endpoint, "all that the endpoint bears");
}

#[test]
fn an_attempt_of_unknown_outcome_does_not_show_that_the_channel_works() {
    let mut hand = on_trial();
    let ahead = hand.begun();
    hand.tell(Event::Sent(ahead[0], crate::fixtures::sent(OutcomeKind::Unknown)));
    assert_eq!(hand.begun().len(), 1, "still one at a time");
}

#[test]
fn a_provider_that_does_not_answer_three_times_in_a_row_is_left_alone_and_an_endpoint_is_not() {
    let mut hand = Hand::new();
    hand.fetched([mails([1], 1), mails([2], 2), mails([3], 3)].concat());
    for number in hand.begun() {
        hand.tell(Event::Sent(number, crate::fixtures::sent(OutcomeKind::Unknown)));
    }
    assert_eq!(hand.notes(), [(Email, "paused")]);
    let mut finished = hand.recorded();
    finished.extend(hand.recorded());
    assert!(
        finished.iter().all(|finished| finished.decision.uses_attempt),
        "what was decided of each stands"
    );

    let mut hand = Hand::new();
    hand.fetched([hooks([1], 1), hooks([2], 2), hooks([3], 3)].concat());
    for number in hand.begun() {
        hand.tell(Event::Sent(number, crate::fixtures::sent(OutcomeKind::Unknown)));
    }
    assert_eq!(hand.notes(), []);
}

#[test]
fn a_delivery_at_which_its_channel_breaks_down_time_and_again_is_tried_on_its_own_schedule() {
    let mut hand = Hand::new();
    for round in 0..7 {
        hand.fetched([mails([1], 1), mails([100 + round], 2)].concat());
        assert_eq!(hand.begun().len(), 2);
        hand.sent(100 + round, OutcomeKind::Delivered);
        hand.sent(1, CHANNEL_DOWN);
        if round == 5 {
            assert_eq!(hand.notes().len(), 5 * 2, "it no longer pauses the channel");
            return;
        }
        hand.recorded();
        hand.recorded();
        hand.pass(2);
        hand.tell(Event::Woken);
        assert_eq!(hand.probe(), Some(Email));
        hand.tell(Event::Probed(Email, Ok(())));
        // Another gets through, and ends the trial.
        hand.fetched(mails([200 + round], 3));
        hand.begun();
        hand.sent(200 + round, OutcomeKind::Delivered);
        hand.recorded();
    }
}

#[test]
fn if_the_one_ahead_meets_the_same_failure_the_channel_is_paused_for_longer() {
    let mut hand = on_trial();
    let ahead = hand.begun();
    hand.tell(Event::Sent(ahead[0], crate::fixtures::sent(CHANNEL_DOWN)));
    assert_eq!(hand.notes(), [(Email, "paused")]);
    hand.recorded();
    hand.fetched(Vec::new());
    assert!(hand.begin().is_empty());
    assert_eq!(hand.wakes_in(), Some(4));
}

#[test]
fn an_attempt_from_before_the_pause_that_gets_through_does_not_end_it() {
    let mut hand = failing();
    hand.sent(2, OutcomeKind::Delivered);
    hand.recorded();
    hand.fetched(Vec::new());
    assert!(hand.begin().is_empty());
    assert_eq!(hand.wakes_in(), Some(2));
}

#[test]
fn a_paused_channels_backlog_takes_no_place_from_another_channel() {
    let mut hand = Hand::new();
    let limit = hand.fetch().unwrap().limit as u128;
    let backlog: Vec<_> = (1..=limit).flat_map(|number| mails([number], 1_000 + number)).collect();
    hand.tell(Event::Fetched(Ok(application::ports::Due { deliveries: backlog, next_at: None })));
    let in_flight = hand.begun();
    hand.fetched(Vec::new());
    for delivery in in_flight {
        hand.tell(Event::Sent(delivery, crate::fixtures::sent(CHANNEL_DOWN)));
    }
    hand.recorded();
    assert_eq!(hand.fetch().unwrap().skip_protocols, [Email, Sms, Chat]);
    hand.tell(Event::Fetched(Ok(application::ports::Due { deliveries: hooks([9_999], 9), next_at: None })));
    assert_eq!(hand.begun(), [id(9_999)]);
    assert_eq!(hand.fetch().map(|query| query.skip_protocols), Some(vec![Email, Sms, Chat]));
}

#[test]
fn two_channels_are_paused_and_probed_apart() {
    let mut hand = failing();
    hand.recorded();
    hand.fetched(hooks([7], 7));
    assert_eq!(hand.begun(), ids([7]));
    hand.pass(1);
    hand.sent(7, CHANNEL_DOWN);
    hand.recorded();
    assert_eq!(hand.fetch(), None, "no channel is left to ask for");
    assert_eq!(hand.wakes_in(), Some(1));
    hand.pass(1);
    hand.tell(Event::Woken);
    assert_eq!((hand.probe(), hand.probe()), (Some(Email), None));
    hand.pass(1);
    hand.tell(Event::Woken);
    assert_eq!(hand.probe(), Some(Webhook));
    hand.tell(Event::Probed(Webhook, Ok(())));
    assert_eq!(hand.fetch().unwrap().skip_protocols, [Email, Sms, Chat]);
}
