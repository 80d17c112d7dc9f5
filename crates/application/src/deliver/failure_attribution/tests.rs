//! Whose failures and refusals count as the channel's.

use domain::Timestamp;

use super::*;

const CHANNEL: OutcomeKind = OutcomeKind::Transient(Scope::Channel);
const DEAD: OutcomeKind = OutcomeKind::Permanent(Scope::Delivery);
const UNCLEAR: OutcomeKind = OutcomeKind::Permanent(Scope::Unclear);
const ASKED_AGAIN: OutcomeKind =
    OutcomeKind::Throttled { scope: Scope::Delivery, retry_after: Some(MIN_RETRY_AFTER) };

/// The message of that number to the recipient of that number.
fn message(number: u8, recipient: u8) -> AttemptSubject {
    AttemptSubject {
        delivery: DeliveryId::derived(Timestamp::UNIX_EPOCH, &[uuid::Uuid::from_u128(number.into())]),
        recipient: SubscriptionId::new(Timestamp::UNIX_EPOCH, [recipient; 10]),
        has_provider: true,
    }
}

fn judged(attribution: &mut FailureAttribution, subject: AttemptSubject, kind: OutcomeKind) -> OutcomeKind {
    attribution.attribute(subject, Outcome::new(kind, "550 no")).kind
}

#[test]
fn a_delivery_at_which_a_working_channel_breaks_down_again_and_again_is_at_fault() {
    let mut attribution = FailureAttribution::default();
    let mut kinds = (0..8).map(|_| {
        attribution.record_answer();
        judged(&mut attribution, message(1, 1), CHANNEL)
    });
    assert!(kinds.by_ref().take(5).all(|kind| kind == CHANNEL));
    assert!(kinds.all(|kind| kind == OutcomeKind::Transient(Scope::Delivery)));
}

#[test]
fn nobody_is_at_fault_where_a_channel_works_for_nobody() {
    let mut attribution = FailureAttribution::default();
    attribution.record_answer();
    for _ in 0..20 {
        assert_eq!(judged(&mut attribution, message(1, 1), CHANNEL), CHANNEL);
    }
}

#[test]
fn three_recipients_refused_in_a_row_are_taken_for_our_failure_and_a_success_in_between_ends_the_row() {
    let mut attribution = FailureAttribution::default();
    let kinds: Vec<_> = (1..=5).map(|n| judged(&mut attribution, message(n, n), DEAD)).collect();
    assert_eq!(kinds, [DEAD, DEAD, CHANNEL, CHANNEL, CHANNEL]);
    judged(&mut attribution, message(9, 9), OutcomeKind::Delivered);
    assert_eq!(judged(&mut attribution, message(6, 6), DEAD), DEAD);
    assert_eq!(judged(&mut attribution, message(7, 7), DEAD), DEAD);
}

#[test]
fn three_refusals_of_one_recipient_are_no_row() {
    let mut attribution = FailureAttribution::default();
    for number in 1..=9 {
        assert_eq!(judged(&mut attribution, message(number, 1), DEAD), DEAD);
    }
}

#[test]
fn a_refusal_in_three_rounds_is_believed() {
    let mut attribution = FailureAttribution::default();
    let mut round = |numbers: &[u8]| -> Vec<_> {
        numbers.iter().map(|n| judged(&mut attribution, message(*n, *n), DEAD)).collect()
    };
    assert_eq!(round(&[1, 2, 3, 4]), [DEAD, DEAD, CHANNEL, CHANNEL]);
    assert_eq!(round(&[3, 4]), [CHANNEL, CHANNEL]);
    assert_eq!(round(&[3, 4]), [DEAD, DEAD]);
    assert_eq!(round(&[5]), [DEAD], "the row is over");
}

#[test]
fn a_refusal_that_is_not_clear_is_asked_for_again_before_it_is_believed() {
    let mut attribution = FailureAttribution::default();
    let mut kinds = (0..3).map(|_| judged(&mut attribution, message(1, 1), UNCLEAR));
    assert_eq!(kinds.next(), Some(ASKED_AGAIN));
    assert_eq!(kinds.next(), Some(ASKED_AGAIN));
    assert_eq!(kinds.next(), Some(DEAD));
    let streak: Vec<_> = (2..=4).map(|n| judged(&mut attribution, message(n, n), UNCLEAR)).collect();
    assert_eq!(streak, [ASKED_AGAIN, ASKED_AGAIN, CHANNEL]);
}

#[test]
fn a_refusal_is_believed_at_once_where_others_were_served_since_the_last_one() {
    let mut attribution = FailureAttribution::default();
    assert_eq!(judged(&mut attribution, message(1, 1), UNCLEAR), ASKED_AGAIN);
    for number in 10..20 {
        judged(&mut attribution, message(9, 9), OutcomeKind::Delivered);
        assert_eq!(judged(&mut attribution, message(number, 1), UNCLEAR), DEAD);
    }
    assert_eq!(judged(&mut attribution, message(20, 1), UNCLEAR), ASKED_AGAIN, "nobody was served since");
    judged(&mut attribution, message(20, 1), OutcomeKind::Delivered);
    assert_eq!(judged(&mut attribution, message(21, 1), UNCLEAR), ASKED_AGAIN, "it was served itself");
}

#[test]
fn an_endpoint_that_is_its_own_server_is_believed() {
    let mut attribution = FailureAttribution::default();
    for number in 1..=9 {
        let subject = AttemptSubject { has_provider: false, ..message(number, number) };
        assert_eq!(judged(&mut attribution, subject, DEAD), DEAD);
    }
}

#[test]
fn recipients_at_whom_the_channel_failed_are_held_back_until_it_serves_anyone() {
    let mut attribution = FailureAttribution::default();
    judged(&mut attribution, message(1, 1), CHANNEL);
    judged(&mut attribution, message(2, 2), OutcomeKind::Transient(Scope::Delivery));
    assert!(
        attribution.failed_at(message(1, 1).recipient) && !attribution.failed_at(message(2, 2).recipient)
    );
    judged(&mut attribution, message(2, 2), OutcomeKind::Delivered);
    assert!(!attribution.failed_at(message(1, 1).recipient));
}
