//! Attempts at one endpoint that are recorded together, and made one after the other.

use std::num::NonZeroU32;

use application::deliver::Event;
use application::ports::{ChannelRules, Concurrency, DueDelivery};
use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::{DeliveryKind, Next, UnknownOutcomePolicy};
use domain::endpoint::Protocol;

use crate::fixtures::{CHANNEL_DOWN, Hand, failure, hooks, id, ids, start, subscription_of};

const RULES: ChannelRules = ChannelRules {
    concurrency: Concurrency { channel: 4, endpoint: 1 },
    batch: 4,
    max_per_second: None,
    on_unknown: UnknownOutcomePolicy::Retry,
};

/// An engine whose webhook took its first message at once, so that others may be recorded ahead.
fn going_well(rules: ChannelRules, deliveries: Vec<DueDelivery>) -> Hand {
    let mut hand = Hand::over([(Protocol::Webhook, rules)]);
    hand.fetched(deliveries);
    assert_eq!(hand.begun(), ids([1]), "nobody knows yet how long it takes");
    hand.sent(1, OutcomeKind::Delivered);
    hand
}

#[test]
fn a_webhook_that_takes_messages_at_once_has_the_next_ones_recorded_together_and_sent_one_after_the_other() {
    let mut hand = going_well(RULES, hooks(1..=9, 1));
    let batch = hand.begin();
    assert_eq!(batch, [(id(2), 1), (id(3), 1), (id(4), 1), (id(5), 1)], "one to be sent, three ahead");
    hand.tell(Event::Begun(Ok(ids([2, 3, 4, 5]))));
    for number in 2..=4 {
        assert_eq!(hand.sends(), ids([number]), "one at a time, in order");
        hand.sent(number, OutcomeKind::Delivered);
    }
    assert_eq!(hand.sends(), ids([5]));
    let next: Vec<_> = hand.begin().into_iter().map(|(delivery, _)| delivery).collect();
    assert!(next.starts_with(&ids([6])), "more are recorded while these are sent: {next:?}");
}

#[test]
fn what_is_recorded_ahead_is_taken_back_unsent_unused_and_due_as_it_was_once_one_fails() {
    for kind in [
        OutcomeKind::Transient(Scope::Endpoint),
        OutcomeKind::Unknown,
        OutcomeKind::Permanent(Scope::Delivery),
    ] {
        let mut hand = going_well(RULES, hooks(1..=5, 1));
        hand.recorded();
        hand.begin();
        hand.tell(Event::Begun(Ok(ids([2, 3, 4, 5]))));
        assert_eq!(hand.sends(), ids([2]));
        hand.sent(2, kind);
        assert_eq!(hand.sends(), [], "{kind:?}");
        let finished = hand.recorded();
        assert_eq!(finished.iter().map(|it| it.delivery).collect::<Vec<_>>(), ids([2, 3, 4, 5]));
        for taken_back in &finished[1..] {
            assert_eq!(taken_back.decision.next, Next::Again(start()));
            assert!(!taken_back.decision.uses_attempt && taken_back.blameless);
            assert!(taken_back.outcome.reply.starts_with("Not sent"), "{taken_back:?}");
        }
        assert!(hand.fetch().is_some(), "they are found again");
    }
}

#[test]
fn a_webhook_that_takes_its_time_has_fewer_recorded_ahead_and_one_that_is_slow_none() {
    for (milliseconds, ahead) in [(0, 3), (80, 3), (120, 2), (200, 1), (300, 0)] {
        let mut hand = Hand::over([(Protocol::Webhook, RULES)]);
        hand.fetched(hooks(1..=9, 1));
        assert_eq!(hand.begun(), ids([1]));
        hand.now += std::time::Duration::from_millis(milliseconds);
        hand.sent(1, OutcomeKind::Delivered);
        assert_eq!(hand.begin().len(), 1 + ahead, "{milliseconds} ms");
    }
}

#[test]
fn nothing_is_recorded_ahead_where_a_repeat_is_a_persons_choice_or_a_rate_says_when() {
    let held = ChannelRules { on_unknown: UnknownOutcomePolicy::Hold, ..RULES };
    assert_eq!(going_well(held, hooks(1..=9, 1)).begin(), [(id(2), 1)]);
    let paced = ChannelRules { max_per_second: NonZeroU32::new(1_000), ..RULES };
    assert_eq!(going_well(paced, hooks(1..=9, 1)).begin(), [(id(2), 1)]);
    let mut limited = hooks(1..=9, 1);
    for delivery in &mut limited[1..] {
        subscription_of(delivery).attributes.max_receives_per_second = NonZeroU32::new(1_000);
    }
    assert_eq!(going_well(RULES, limited).begin(), [(id(2), 1)]);
    let mut tests = hooks(1..=9, 1);
    tests[2].kind = DeliveryKind::Test;
    assert_eq!(going_well(RULES, tests).begin(), [(id(2), 1)], "what is behind it waits, too");
}

#[test]
fn what_is_recorded_ahead_takes_no_room_of_the_channel_and_others_have_their_turn() {
    let narrow = ChannelRules { concurrency: Concurrency { channel: 2, endpoint: 1 }, ..RULES };
    let mut deliveries = hooks(1..=8, 1);
    deliveries.extend(hooks(11..=18, 2));
    let mut hand = Hand::over([(Protocol::Webhook, narrow)]);
    hand.fetched(deliveries);
    assert_eq!(hand.begun(), ids([1, 11]));
    hand.sent(1, OutcomeKind::Delivered);
    hand.sent(11, OutcomeKind::Delivered);
    assert_eq!(hand.begun(), ids([2]), "the other's is begun with the next commit");
    assert_eq!(hand.begun(), ids([12]));
    for (one, other) in (2..=4).zip(12..) {
        hand.sent(one, OutcomeKind::Delivered);
        hand.sent(other, OutcomeKind::Delivered);
        assert_eq!(hand.sends(), ids([one + 1, other + 1]), "one of each at a time");
    }
}

#[test]
fn an_endpoint_that_takes_several_at_once_has_no_more_on_record_than_a_batch() {
    for (at_once, ahead) in [(2, 2), (4, 0), (8, 0)] {
        let rules = ChannelRules { concurrency: Concurrency { channel: 64, endpoint: at_once }, ..RULES };
        let mut hand = Hand::over([(Protocol::Webhook, rules)]);
        hand.fetched(hooks(1..=40, 1));
        let first = hand.begun();
        assert_eq!(first.len(), at_once);
        for delivery in &first {
            hand.tell(Event::Sent(*delivery, crate::fixtures::sent(OutcomeKind::Delivered)));
        }
        let mut open = Vec::new();
        loop {
            let begins: Vec<_> = hand.begin().into_iter().map(|(delivery, _)| delivery).collect();
            if begins.is_empty() {
                break;
            }
            open.extend(begins.iter().copied());
            hand.tell(Event::Begun(Ok(begins)));
        }
        assert_eq!((hand.sends().len(), open.len()), (at_once, at_once + ahead), "{at_once} at once");
    }
}

#[test]
fn an_endpoint_whose_batch_is_made_gives_way_to_others_that_wait() {
    let narrow = ChannelRules { concurrency: Concurrency { channel: 1, endpoint: 1 }, ..RULES };
    let mut deliveries = hooks(1..=8, 1);
    deliveries.extend(hooks(11..=18, 2));
    let mut hand = Hand::over([(Protocol::Webhook, narrow)]);
    hand.fetched(deliveries);
    let mut order = Vec::new();
    while order.len() < 16 {
        let sends = hand.begun();
        assert_eq!(sends.len(), 1, "{order:?}");
        for delivery in sends {
            order.push(delivery);
            hand.tell(Event::Sent(delivery, crate::fixtures::sent(OutcomeKind::Delivered)));
        }
        hand.recorded();
    }
    // One of each first, of which nobody knew yet how long it takes; then four of each in turn, while any are left.
    assert_eq!(order, ids([1, 11, 2, 3, 4, 5, 12, 13, 14, 15, 6, 7, 8, 16, 17, 18]));
}

#[test]
fn a_pause_of_the_channel_and_the_programs_end_take_back_what_is_recorded_ahead() {
    let lined_up = || {
        let mut hand = going_well(RULES, hooks(1..=5, 1));
        hand.recorded();
        hand.begin();
        hand.tell(Event::Begun(Ok(ids([2, 3, 4, 5]))));
        assert_eq!(hand.sends(), ids([2]));
        hand
    };
    let mut paused = lined_up();
    paused.sent(2, CHANNEL_DOWN);
    assert_eq!((paused.recorded().len(), paused.sends()), (4, Vec::new()));

    let mut ending = lined_up();
    ending.tell(Event::Drain);
    assert!(!ending.engine.is_idle());
    ending.sent(2, OutcomeKind::Delivered);
    let finished: usize =
        std::iter::repeat_with(|| ending.recorded().len()).take_while(|count| *count > 0).sum();
    assert_eq!((finished, ending.sends()), (4, Vec::new()));
    assert!(ending.engine.is_idle());
}

#[test]
fn a_batch_that_is_recorded_once_its_endpoint_failed_or_the_program_ends_is_not_sent() {
    let mut failed = going_well(RULES, hooks(1..=6, 1));
    failed.recorded();
    failed.begin();
    failed.tell(Event::Begun(Ok(ids([2, 3, 4, 5]))));
    failed.sent(2, OutcomeKind::Delivered);
    failed.sent(3, OutcomeKind::Delivered);
    let more = failed.begin();
    assert_eq!(more, [(id(6), 1)]);
    assert_eq!(failed.sends(), ids([2, 3, 4]));
    failed.sent(4, OutcomeKind::Transient(Scope::Endpoint));
    failed.tell(Event::Begun(Ok(ids([6]))));
    assert_eq!(failed.sends(), []);
    failed.recorded();
    let taken_back = failed.recorded();
    assert!(taken_back.iter().any(|it| it.delivery == id(6) && !it.decision.uses_attempt), "{taken_back:?}");
}

#[test]
fn a_batch_that_the_store_did_not_take_is_begun_again_in_its_order() {
    let mut hand = going_well(RULES, hooks(1..=5, 1));
    hand.recorded();
    let batch = hand.begin();
    hand.tell(Event::Begun(Err(failure())));
    assert_eq!(hand.sends(), []);
    hand.pass(1);
    hand.tell(Event::Woken);
    let again: Vec<_> = hand.begin();
    assert_eq!(again, batch);
}

#[test]
fn what_is_no_longer_pending_falls_out_of_its_batch_and_nothing_behind_it_is_lost() {
    let mut hand = going_well(RULES, hooks(1..=5, 1));
    hand.recorded();
    hand.begin();
    hand.tell(Event::Begun(Ok(ids([2, 3, 5]))));
    assert_eq!(hand.sends(), ids([2]));
    hand.sent(2, OutcomeKind::Delivered);
    for number in [3, 5] {
        assert_eq!(hand.sends(), ids([number]), "in their order");
        hand.sent(number, OutcomeKind::Delivered);
    }
}

#[test]
fn a_batch_goes_on_in_its_order_where_one_takes_longer_than_the_last_and_the_next_is_smaller() {
    let mut hand = going_well(RULES, hooks(1..=9, 1));
    hand.recorded();
    hand.begin();
    hand.tell(Event::Begun(Ok(ids([2, 3, 4, 5]))));
    for number in 2..=5 {
        assert_eq!(hand.sends(), ids([number]), "nothing overtakes it");
        hand.now += std::time::Duration::from_millis(300);
        hand.sent(number, OutcomeKind::Delivered);
        hand.recorded();
    }
    assert_eq!(hand.begin(), [(id(6), 1)], "alone");
}

#[test]
fn a_commit_that_takes_long_says_nothing_of_the_endpoint() {
    let mut hand = going_well(RULES, hooks(1..=9, 1));
    hand.recorded();
    hand.begin();
    hand.now += std::time::Duration::from_secs(3);
    hand.tell(Event::Begun(Ok(ids([2, 3, 4, 5]))));
    for number in 2..=4 {
        hand.sent(number, OutcomeKind::Delivered);
        hand.recorded();
    }
    assert_eq!(hand.begin().len(), 2, "more are recorded ahead");
}

#[test]
fn an_endpoint_that_refuses_now_and_then_has_few_recorded_ahead_until_it_takes_several() {
    let mut hand = going_well(ChannelRules { batch: 16, ..RULES }, hooks(1..=60, 1));
    hand.recorded();
    let first = hand.begin();
    assert_eq!(first.len(), 16);
    hand.tell(Event::Begun(Ok(first.iter().map(|(delivery, _)| *delivery).collect())));
    hand.sent(2, OutcomeKind::Permanent(Scope::Delivery));
    hand.recorded();
    let mut ahead = Vec::new();
    for _ in 0..4 {
        let begins = hand.begin();
        ahead.push(begins.len() - 1);
        hand.tell(Event::Begun(Ok(begins.iter().map(|(delivery, _)| *delivery).collect())));
        for (delivery, _) in begins {
            hand.tell(Event::Sent(delivery, crate::fixtures::sent(OutcomeKind::Delivered)));
            hand.recorded();
        }
    }
    assert!(ahead[0] == 0 && ahead[1] == 1 && ahead[3] <= 15, "{ahead:?}");
}
