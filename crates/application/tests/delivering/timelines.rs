//! One order's timeline: what happened, in its order, and why some were not told.

use domain::attributes::SubscribedTo;
use std::time::Duration;

use application::orders::{EventKind, Timeline, timeline_of};
use application::ports::{
    AttemptRecord, ChannelPause, DeliveryRecord, InterventionKind, InterventionRecord, OrderHistory, Page,
    ReceiptRecord, SpamMark, UnmatchedSubscriptions,
};
use domain::Timestamp;
use domain::delivery::{CancelReason, DeliveryKind, DeliveryState, WaitReason};
use domain::endpoint::Protocol;
use domain::filter_policy::FilterPolicy;
use domain::order::{LoggedOrder, Seq};
use domain::order::{OrderStatus, StatusChange, Way};
use domain::receipt::ReceiptStatus;
use domain::subscription::{SkipReason, Subscription, SubscriptionState, Version};

use crate::fixtures::{id, order, start, subscription};

fn at(seconds: u64) -> Timestamp {
    start() + Duration::from_secs(seconds)
}

fn order_history(deliveries: Vec<DeliveryRecord>, pauses: Vec<ChannelPause>) -> OrderHistory {
    let order = LoggedOrder { seq: Seq(5), order: order() };
    let page = Page { items: Vec::new(), unreadable: Vec::new(), next: None };
    let unmatched = UnmatchedSubscriptions { order, published: true, page };
    OrderHistory { unmatched, counts: Vec::new(), deliveries, pauses, unreadable: Vec::new() }
}

fn delivery(
    protocol: Protocol,
    state: DeliveryState,
    ended: u64,
    attempts: Vec<AttemptRecord>,
) -> DeliveryRecord {
    let subscriber = subscription(1, protocol);
    DeliveryRecord {
        receipts: Vec::new(),
        escalated_from: None,
        not_escalated_at: None,
        notice: None,
        interventions: Vec::new(),
        cancel_reason: None,
        subscription_state: subscriber.state,
        channel_pause: None,
        quarantined: false,
        unreadable: Vec::new(),
        id: id(1),
        kind: DeliveryKind::Notification,
        subscription: subscriber.id,
        endpoint: subscriber.endpoint,
        order: Some(order().id),
        state,
        created_at: at(1),
        at: at(ended),
        attempts_used: 1,
        attempts,
    }
}

fn attempt(number: u32, started: u64, ended: Option<u64>) -> AttemptRecord {
    AttemptRecord {
        number,
        started_at: at(started),
        ended_at: ended.map(at),
        outcome: ended.map(|_| "transient".to_owned()),
        scope: None,
        used: true,
        reply: None,
        status: None,
    }
}

fn pause(from: u64, to: Option<u64>) -> ChannelPause {
    ChannelPause { protocol: Protocol::Email, from: at(from), to: to.map(at), reason: "535 no".to_owned() }
}

/// Each event in a word, with its second.
fn told(timeline: &Timeline) -> Vec<(i64, String)> {
    let word = |kind: &EventKind| match kind {
        EventKind::Accepted => "accepted".to_owned(),
        EventKind::Matched => "matched".to_owned(),
        EventKind::Attempt(attempt) => format!("attempt {}", attempt.number),
        EventKind::ChannelPaused { protocol, reason } => format!("{protocol} paused: {reason}"),
        EventKind::ChannelResumed { protocol } => format!("{protocol} resumed"),
        EventKind::Receipt(receipt) => format!("receipt {}", receipt.status.name()),
        EventKind::Ended(state) => state.to_string(),
        EventKind::Redriven => "redriven".to_owned(),
        EventKind::Restored => "restored".to_owned(),
        EventKind::Retried => "retried".to_owned(),
        EventKind::NotEscalated => "not escalated".to_owned(),
        EventKind::MarkedSpam => "marked spam".to_owned(),
        EventKind::UnmarkedSpam => "unmarked spam".to_owned(),
        EventKind::StatusChanged(change) => format!("{} by a person", change.status),
        EventKind::Cancelled(None) => "cancelled".to_owned(),
        EventKind::Cancelled(Some(reason)) => format!("cancelled: {}", reason.name()),
    };
    timeline
        .events
        .iter()
        .map(|event| (event.at.duration_since(start()).as_secs(), word(&event.kind)))
        .collect()
}

fn words(events: &[(i64, &str)]) -> Vec<(i64, String)> {
    events.iter().map(|(at, word)| (*at, (*word).to_owned())).collect()
}

#[test]
fn a_timeline_shows_a_delivery_from_acceptance_to_its_end() {
    let attempts = vec![attempt(1, 2, Some(3)), attempt(2, 12, Some(14))];
    let delivered = delivery(Protocol::Email, DeliveryState::Delivered, 14, attempts);
    let timeline = timeline_of(order_history(vec![delivered], Vec::new()));
    assert_eq!(
        told(&timeline),
        words(&[(0, "accepted"), (1, "matched"), (3, "attempt 1"), (14, "attempt 2"), (14, "delivered")])
    );
    assert_eq!(timeline.events[0].delivery, None);
    assert!(timeline.events[1..].iter().all(|event| event.delivery == Some(0)));
}

#[test]
fn a_pending_delivery_has_no_end_in_the_timeline_and_an_attempt_in_flight_stands_where_it_began() {
    let waiting = delivery(Protocol::Email, DeliveryState::Pending, 600, vec![attempt(1, 2, Some(3))]);
    assert_eq!(
        told(&timeline_of(order_history(vec![waiting], Vec::new()))),
        words(&[(0, "accepted"), (1, "matched"), (3, "attempt 1")])
    );
    let in_flight = delivery(Protocol::Email, DeliveryState::InFlight, 2, vec![attempt(1, 2, None)]);
    assert_eq!(
        told(&timeline_of(order_history(vec![in_flight], Vec::new()))),
        words(&[(0, "accepted"), (1, "matched"), (2, "attempt 1")])
    );
}

#[test]
fn every_end_is_told() {
    for state in [
        DeliveryState::Delivered,
        DeliveryState::Sandboxed,
        DeliveryState::Held,
        DeliveryState::Dead,
        DeliveryState::Cancelled,
    ] {
        let timeline =
            timeline_of(order_history(vec![delivery(Protocol::Sms, state, 9, Vec::new())], Vec::new()));
        assert_eq!(told(&timeline).pop(), Some((9, state.to_string())));
    }
}

fn intervention(kind: InterventionKind, was: DeliveryState, since: u64, done: u64) -> InterventionRecord {
    InterventionRecord { kind, at: at(done), state_before: was, since: at(since) }
}

#[test]
fn a_redriven_delivery_keeps_its_earlier_ends_in_the_timeline() {
    let attempts = vec![attempt(1, 2, Some(3)), attempt(2, 21, Some(22)), attempt(3, 51, Some(52))];
    let mut delivered = delivery(Protocol::Sms, DeliveryState::Delivered, 52, attempts);
    let failed =
        ReceiptRecord { attempt: 2, at: at(40), status: ReceiptStatus::Failed, reply: String::new() };
    delivered.receipts = vec![failed];
    delivered.interventions = vec![
        intervention(InterventionKind::Redriven, DeliveryState::Held, 3, 20),
        intervention(InterventionKind::Redriven, DeliveryState::Dead, 40, 50),
    ];
    let expected = [
        (0, "accepted"),
        (1, "matched"),
        (3, "attempt 1"),
        (3, "held"),
        (20, "redriven"),
        (22, "attempt 2"),
        (40, "receipt failed"),
        (40, "dead"),
        (50, "redriven"),
        (52, "attempt 3"),
        (52, "delivered"),
    ];
    assert_eq!(told(&timeline_of(order_history(vec![delivered], Vec::new()))), words(&expected));
}

#[test]
fn a_retried_delivery_is_in_the_timeline_and_had_come_to_no_end() {
    let attempts = vec![attempt(1, 2, Some(3)), attempt(2, 21, Some(22))];
    let mut delivered = delivery(Protocol::Sms, DeliveryState::Delivered, 22, attempts);
    delivered.interventions = vec![intervention(InterventionKind::Retried, DeliveryState::Pending, 600, 20)];
    let expected = [
        (0, "accepted"),
        (1, "matched"),
        (3, "attempt 1"),
        (20, "retried"),
        (22, "attempt 2"),
        (22, "delivered"),
    ];
    assert_eq!(told(&timeline_of(order_history(vec![delivered], Vec::new()))), words(&expected));
}

#[test]
fn a_delivery_that_could_not_escalate_is_in_the_timeline() {
    let mut late = delivery(Protocol::Email, DeliveryState::Pending, 90, vec![attempt(1, 2, Some(3))]);
    late.not_escalated_at = Some(at(60));
    let expected = [(0, "accepted"), (1, "matched"), (3, "attempt 1"), (60, "not escalated")];
    assert_eq!(told(&timeline_of(order_history(vec![late], Vec::new()))), words(&expected));
}

#[test]
fn a_dropped_delivery_was_held_in_the_timeline_and_every_cancellation_says_why() {
    let mut dropped = delivery(Protocol::Sms, DeliveryState::Cancelled, 20, vec![attempt(1, 2, Some(3))]);
    dropped.interventions = vec![intervention(InterventionKind::Dropped, DeliveryState::Held, 3, 20)];
    dropped.cancel_reason = Some(CancelReason::Dropped);
    let mut ended = delivery(Protocol::Sms, DeliveryState::Cancelled, 30, Vec::new());
    ended.cancel_reason = Some(CancelReason::SubscriptionEnded);
    let expected = [
        (0, "accepted"),
        (1, "matched"),
        (1, "matched"),
        (3, "attempt 1"),
        (3, "held"),
        (20, "cancelled: dropped"),
        (30, "cancelled: subscription_ended"),
    ];
    assert_eq!(told(&timeline_of(order_history(vec![dropped, ended], Vec::new()))), words(&expected));
}

#[test]
fn only_what_is_pending_waits_and_says_for_what() {
    let mut waiting = delivery(Protocol::Email, DeliveryState::Pending, 60, Vec::new());
    assert_eq!(waiting.waits_because(at(59)), Some(WaitReason::Retry));
    assert_eq!(waiting.waits_because(at(60)), None, "it is due");
    waiting.channel_pause = Some("535 no".to_owned());
    assert_eq!(waiting.waits_because(at(60)), Some(WaitReason::ChannelPaused));
    waiting.subscription_state = SubscriptionState::Suspended;
    assert_eq!(waiting.waits_because(at(60)), Some(WaitReason::SubscriptionSuspended));
    waiting.quarantined = true;
    assert_eq!(waiting.waits_because(at(60)), Some(WaitReason::Quarantined));
    for over in DeliveryState::ALL.into_iter().filter(|state| *state != DeliveryState::Pending) {
        waiting.state = over;
        assert_eq!(waiting.waits_because(at(0)), None, "{over}");
    }
}

#[test]
fn a_timeline_of_several_deliveries_is_in_order_of_time() {
    let mail = delivery(Protocol::Email, DeliveryState::Delivered, 20, vec![attempt(1, 19, Some(20))]);
    let hook = delivery(Protocol::Webhook, DeliveryState::Delivered, 4, vec![attempt(1, 2, Some(4))]);
    let timeline = timeline_of(order_history(vec![mail, hook], Vec::new()));
    let places: Vec<_> = timeline.events.iter().map(|event| event.delivery).collect();
    assert_eq!(places, [None, Some(0), Some(1), Some(1), Some(1), Some(0), Some(0)]);
}

#[test]
fn a_pause_that_the_order_waited_for_is_told_after_the_attempt_that_met_it() {
    let attempts = vec![attempt(1, 2, Some(3)), attempt(2, 61, Some(62))];
    let delivered = delivery(Protocol::Email, DeliveryState::Delivered, 62, attempts);
    let timeline = timeline_of(order_history(vec![delivered], vec![pause(3, Some(60))]));
    assert_eq!(
        told(&timeline),
        words(&[
            (0, "accepted"),
            (1, "matched"),
            (3, "attempt 1"),
            (3, "email paused: 535 no"),
            (60, "email resumed"),
            (62, "attempt 2"),
            (62, "delivered")
        ])
    );
}

#[test]
fn a_pause_that_began_before_the_order_is_told_and_one_that_lasts_has_no_end() {
    let waiting = delivery(Protocol::Email, DeliveryState::Pending, 1, Vec::new());
    let mut early = pause(0, None);
    early.from = start() - Duration::from_secs(30);
    assert_eq!(
        told(&timeline_of(order_history(vec![waiting], vec![early]))),
        words(&[(-30, "email paused: 535 no"), (0, "accepted"), (1, "matched")])
    );
}

#[test]
fn pauses_that_did_not_touch_the_order_are_not_told() {
    let delivered = delivery(Protocol::Email, DeliveryState::Delivered, 10, vec![attempt(1, 9, Some(10))]);
    let hook = delivery(Protocol::Webhook, DeliveryState::Pending, 1, Vec::new());
    let mut before = pause(0, Some(0));
    before.from = start() - Duration::from_secs(30);
    let timeline =
        timeline_of(order_history(vec![delivered, hook], vec![before, pause(11, Some(20)), pause(30, None)]));
    assert!(told(&timeline).iter().all(|(_, word)| !word.contains("email")), "{:?}", told(&timeline));
}

fn version(subscriber: &Subscription, from: i64, to: Option<i64>, state: SubscriptionState) -> Version {
    Version {
        subscription: subscriber.id,
        from: Seq(from),
        to: to.map(Seq),
        state,
        filter_policy: None,
        receives: SubscribedTo::Orders,
    }
}

#[test]
fn a_timeline_says_why_each_subscription_did_not_match_at_acceptance() {
    use SubscriptionState::{Confirmed, Ended, Pending, Suspended};
    let subscribers: Vec<_> = (1..=6).map(|number| subscription(number, Protocol::Email)).collect();
    let pads = FilterPolicy::parse(r#"{"productName":["Pad"]}"#).unwrap();
    let versions = vec![
        Some(version(&subscribers[0], 1, Some(5), Confirmed)),
        Some(version(&subscribers[1], 1, Some(5), Pending)),
        Some(version(&subscribers[2], 5, None, Ended)),
        None,
        Some(Version { filter_policy: Some(pads), ..version(&subscribers[4], 5, None, Confirmed) }),
        Some(version(&subscribers[5], 5, None, Suspended)),
    ];
    let mut history = order_history(Vec::new(), Vec::new());
    history.unmatched.page.items = subscribers.iter().cloned().zip(versions).collect();
    let reasons: Vec<_> = timeline_of(history)
        .not_matched
        .items
        .into_iter()
        .map(|(subscription, why)| (subscription.id.0.as_u128(), why))
        .collect();
    assert_eq!(reasons.len(), 4);
    assert_eq!(reasons[0], (2, SkipReason::NotConfirmed));
    assert_eq!(reasons[1], (3, SkipReason::Ended));
    assert_eq!(reasons[2], (4, SkipReason::NotYetSubscribed));
    assert!(matches!(&reasons[3], (5, SkipReason::FilterPolicy { mismatch }) if mismatch.found == ["Mouse"]));
}

#[test]
fn a_mark_as_spam_stands_among_the_events_and_so_does_its_end() {
    let waiting = || delivery(Protocol::Email, DeliveryState::Pending, 9, Vec::new());
    let mark = SpamMark { marked_at: at(5), unmarked_at: None };
    let marked = timeline_of(order_history(vec![waiting()], Vec::new())).marked(mark);
    assert_eq!(marked.spam_since, Some(at(5)));
    assert_eq!(told(&marked), words(&[(0, "accepted"), (1, "matched"), (5, "marked spam")]));
    let mark = SpamMark { unmarked_at: Some(at(7)), ..mark };
    let unmarked = timeline_of(order_history(vec![waiting()], Vec::new())).marked(mark);
    assert_eq!(unmarked.spam_since, None);
    let events = [(0, "accepted"), (1, "matched"), (5, "marked spam"), (7, "unmarked spam")];
    assert_eq!(told(&unmarked), words(&events));
}

#[test]
fn what_people_made_of_the_order_stands_among_what_happened() {
    let attempts = vec![attempt(1, 2, Some(5))];
    let delivered = delivery(Protocol::Email, DeliveryState::Delivered, 5, attempts);
    let change = |status, seconds| StatusChange { status, at: at(seconds), who: None, way: Way::Operator };
    let changes = vec![change(OrderStatus::Acknowledged, 3), change(OrderStatus::Completed, 9)];
    let timeline = timeline_of(order_history(vec![delivered], Vec::new())).with_changes(changes.clone());
    let told = told(&timeline);
    let places = ["acknowledged by a person", "attempt 1", "completed by a person"]
        .map(|word| told.iter().position(|(_, told)| told == word).unwrap());
    assert!(places.is_sorted(), "{told:?}");
    assert_eq!(timeline.change.as_ref(), changes.last());
}
