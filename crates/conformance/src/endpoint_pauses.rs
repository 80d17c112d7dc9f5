//! What [`DeliveryQueue`](application::ports::DeliveryQueue) promises of endpoints that are left alone for a while, and
//! of those that work again.

use std::time::Duration;

use application::ports::Finished;
use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::{Consequence, Decision, DeliveryId, DeliveryKind, Next};
use domain::endpoint::Protocol;
use domain::receipt::{Receipt, ReceiptStatus};
use domain::retry::MAX_DELAY;
use domain::subscription::{SubscriptionId, SuspensionReason};

use crate::Machine;
use crate::fixtures::{MOMENT, WHILE, email, now, subscription};
use crate::machine::finished;

const FAILED: OutcomeKind = OutcomeKind::Transient(Scope::Endpoint);

/// Whatever goes to it waits until then, and the queue says when that is; others do not wait.
pub async fn an_endpoint_is_left_alone_until_its_pause_is_over(machine: &Machine<'_>) {
    let (ada, delivery) = machine.in_flight("ada@example.com").await;
    let other = machine.notification(ada.id).await.id;
    let until = leave_alone(machine, delivery, WHILE).await;
    leave_alone(machine, in_flight(machine, ada.id).await, WHILE / 2).await;
    let bob = machine.confirmed(email("bob@example.com")).await;
    let fresh = machine.notification(bob.id).await.id;
    let early = machine.due_by(until - MOMENT).await;
    assert_eq!(early.deliveries.iter().map(|due| due.id).collect::<Vec<_>>(), [fresh]);
    assert_eq!(early.next_at, Some(until), "the longer pause stands");
    let due = notifications(machine, until).await;
    assert!(due.contains(&other) && due.contains(&delivery), "{due:?}");
    assert_eq!(machine.record(other).await.at, until, "it says when it is tried");
}

/// One that throttled is not hurried by what was on its way by then.
pub async fn what_had_begun_before_ends_no_pause(machine: &Machine<'_>) {
    let (ada, first) = machine.in_flight("ada@example.com").await;
    let second = in_flight(machine, ada.id).await;
    let other = machine.notification(ada.id).await.id;
    let until = leave_alone(machine, first, WHILE).await;
    machine.finish(second, 1, OutcomeKind::Delivered).await;
    assert_eq!(machine.due_by(until - MOMENT).await.deliveries, []);
    assert!(notifications(machine, until).await.contains(&other));
}

/// All that failed meanwhile is due at once, the oldest first, and so is what only the pause held back.
pub async fn the_first_success_makes_due_what_failed_meanwhile(machine: &Machine<'_>) {
    let (ada, first) = machine.in_flight("ada@example.com").await;
    let mut deliveries = vec![first];
    for _ in 0..3 {
        deliveries.push(in_flight(machine, ada.id).await);
    }
    for delivery in &deliveries {
        fail(machine, *delivery, 1).await;
    }
    let held_back = machine.notification(ada.id).await.id;
    machine.begin(deliveries[3], 2).await;
    leave_alone_at(machine, deliveries[3], 2, WHILE).await;
    assert_eq!(notifications(machine, now()).await, []);
    let well = deliveries.remove(3);
    machine.begin(well, 3).await;
    machine.finish(well, 3, OutcomeKind::Delivered).await;
    let due = notifications(machine, now()).await;
    assert_eq!(due.len(), 4);
    assert!(due.contains(&held_back), "the pause is over");
    let in_order: Vec<_> = due.into_iter().filter(|id| *id != held_back).collect();
    assert_eq!(in_order, deliveries);
}

/// A provider that reports that a message arrived says as much as an answer.
pub async fn a_good_receipt_makes_due_too(machine: &Machine<'_>) {
    let new = subscription(Protocol::Sms, "+4915112345678");
    let (ada, first) = machine.in_flight_to(new).await;
    fail(machine, first, 1).await;
    let second = in_flight(machine, ada.id).await;
    machine.finish(second, 1, OutcomeKind::Transient(Scope::Channel)).await;
    let arrived = Receipt { status: ReceiptStatus::Delivered, reply: String::new(), opted_out: false };
    machine.deliveries.receipt(second, 1, arrived, now()).await.unwrap();
    assert_eq!(notifications(machine, now()).await, [first]);
}

/// What fails while others get through uses its attempts in its own time: it is made due once, and no more.
pub async fn what_fails_by_itself_keeps_its_own_time(machine: &Machine<'_>) {
    let (ada, odd) = machine.in_flight("ada@example.com").await;
    let get_through = async || {
        let other = in_flight(machine, ada.id).await;
        machine.finish(other, 1, OutcomeKind::Delivered).await;
    };
    fail(machine, odd, 1).await;
    get_through().await;
    assert_eq!(notifications(machine, now()).await, [odd], "it might have been the endpoint");
    for number in 2..5 {
        machine.begin(odd, number).await;
        fail(machine, odd, number).await;
        get_through().await;
        assert_eq!(notifications(machine, now()).await, []);
    }
}

/// A person who resumes it says that it works again.
pub async fn resuming_makes_due_whatever_waits(machine: &Machine<'_>) {
    let (ada, first) = machine.in_flight("ada@example.com").await;
    fail(machine, first, 1).await;
    let second = in_flight(machine, ada.id).await;
    leave_alone(machine, second, WHILE).await;
    machine.own_subscriptions.suspend(ada.id, SuspensionReason::Operator, now()).await.unwrap();
    let suspended = machine.due_by(now() + WHILE * 24 * 30).await;
    assert_eq!((suspended.deliveries, suspended.next_at), (vec![], None));
    machine.own_subscriptions.resume(ada.id, now()).await.unwrap();
    assert_eq!(notifications(machine, now()).await, [first, second]);
}

/// However far ahead a clock that jumped has put it, or its endpoint's pause; what is due before stays as it is.
pub async fn nothing_is_due_after_the_latest_time(machine: &Machine<'_>) {
    let (ada, first) = machine.in_flight("ada@example.com").await;
    fail(machine, first, 1).await;
    let (bob, second) = machine.in_flight("bob@example.com").await;
    leave_alone(machine, second, WHILE * 24 * 400).await;
    let soon = in_flight(machine, ada.id).await;
    machine.finish(soon, 1, OutcomeKind::Transient(Scope::Delivery)).await;
    let at = machine.record(soon).await.at;
    let now = now();
    let latest = now + MAX_DELAY;
    assert_eq!(machine.queue.bound_due_times(now).await.unwrap(), 2, "a delivery, and a pause");
    assert_eq!(machine.queue.bound_due_times(now).await.unwrap(), 0);
    assert_eq!(machine.record(soon).await.at, at);
    assert_eq!(machine.due_by(latest).await.deliveries.len(), 5, "all of three orders");
    let third = machine.notification(bob.id).await.id;
    assert!(notifications(machine, latest).await.contains(&third), "the pause ends, too");
}

/// Makes an attempt fail so that the next one is made in five hours.
async fn fail(machine: &Machine<'_>, delivery: DeliveryId, number: u32) {
    let decision = Decision { next: Next::Again(now() + WHILE * 5), uses_attempt: true, consequence: None };
    let failed = Finished { decision, ..finished(delivery, number, FAILED) };
    machine.queue.finish(vec![failed]).await.unwrap();
}

/// Makes a first attempt fail so that its endpoint is left alone; answers until when.
async fn leave_alone(machine: &Machine<'_>, delivery: DeliveryId, pause: Duration) -> domain::Timestamp {
    leave_alone_at(machine, delivery, 1, pause).await
}

async fn leave_alone_at(
    machine: &Machine<'_>,
    delivery: DeliveryId,
    number: u32,
    pause: Duration,
) -> domain::Timestamp {
    let until = now() + pause;
    let consequence = Some(Consequence::PauseEndpoint(until));
    let decision = Decision { next: Next::Again(until), uses_attempt: false, consequence };
    let failed = Finished { decision, ..finished(delivery, number, FAILED) };
    machine.queue.finish(vec![failed]).await.unwrap();
    until
}

async fn in_flight(machine: &Machine<'_>, subscription: SubscriptionId) -> DeliveryId {
    let delivery = machine.notification(subscription).await.id;
    machine.begin(delivery, 1).await;
    delivery
}

async fn notifications(machine: &Machine<'_>, by: domain::Timestamp) -> Vec<DeliveryId> {
    let due = machine.due_by(by).await.deliveries;
    due.iter().filter(|due| due.kind == DeliveryKind::Notification).map(|due| due.id).collect()
}
