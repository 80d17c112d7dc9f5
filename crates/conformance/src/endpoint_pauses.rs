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

use crate::LocalPorts;
use crate::fixtures::{MOMENT, WHILE, email, now, subscription};
use crate::local_ports::finished;

const FAILED: OutcomeKind = OutcomeKind::Transient(Scope::Endpoint);

/// Whatever goes to it waits until then, and the queue says when that is; others do not wait.
pub async fn an_endpoint_is_left_alone_until_its_pause_is_over(ports: &LocalPorts<'_>) {
    let (ada, delivery) = ports.in_flight("ada@example.com").await;
    let other = ports.notification(ada.id).await.id;
    let until = leave_alone(ports, delivery, WHILE).await;
    leave_alone(ports, in_flight(ports, ada.id).await, WHILE / 2).await;
    let bob = ports.confirmed(email("bob@example.com")).await;
    let fresh = ports.notification(bob.id).await.id;
    let early = ports.due_by(until - MOMENT).await;
    assert_eq!(early.deliveries.iter().map(|due| due.id).collect::<Vec<_>>(), [fresh]);
    assert_eq!(early.next_at, Some(until), "the longer pause stands");
    let due = notifications(ports, until).await;
    assert!(due.contains(&other) && due.contains(&delivery), "{due:?}");
    assert_eq!(ports.record(other).await.at, until, "it says when it is tried");
}

/// One that throttled is not hurried by what was on its way by then.
pub async fn what_had_begun_before_ends_no_pause(ports: &LocalPorts<'_>) {
    let (ada, first) = ports.in_flight("ada@example.com").await;
    let second = in_flight(ports, ada.id).await;
    let other = ports.notification(ada.id).await.id;
    let until = leave_alone(ports, first, WHILE).await;
    ports.finish(second, 1, OutcomeKind::Delivered).await;
    assert_eq!(ports.due_by(until - MOMENT).await.deliveries, []);
    assert!(notifications(ports, until).await.contains(&other));
}

/// All that failed meanwhile is due at once, the oldest first, and so is what only the pause held back.
pub async fn the_first_success_makes_due_what_failed_meanwhile(ports: &LocalPorts<'_>) {
    let (ada, first) = ports.in_flight("ada@example.com").await;
    let mut deliveries = vec![first];
    for _ in 0..3 {
        deliveries.push(in_flight(ports, ada.id).await);
    }
    for delivery in &deliveries {
        fail(ports, *delivery, 1).await;
    }
    let held_back = ports.notification(ada.id).await.id;
    ports.begin(deliveries[3], 2).await;
    leave_alone_at(ports, deliveries[3], 2, WHILE).await;
    assert_eq!(notifications(ports, now()).await, []);
    let well = deliveries.remove(3);
    ports.begin(well, 3).await;
    ports.finish(well, 3, OutcomeKind::Delivered).await;
    let due = notifications(ports, now()).await;
    assert_eq!(due.len(), 4);
    assert!(due.contains(&held_back), "the pause is over");
    let in_order: Vec<_> = due.into_iter().filter(|id| *id != held_back).collect();
    assert_eq!(in_order, deliveries);
}

/// A provider that reports that a message arrived says as much as an answer.
pub async fn a_good_receipt_makes_due_too(ports: &LocalPorts<'_>) {
    let new = subscription(Protocol::Sms, "+4915112345678");
    let (ada, first) = ports.in_flight_to(new).await;
    fail(ports, first, 1).await;
    let second = in_flight(ports, ada.id).await;
    ports.finish(second, 1, OutcomeKind::Transient(Scope::Channel)).await;
    let arrived = Receipt { status: ReceiptStatus::Delivered, reply: String::new(), opted_out: false };
    ports.deliveries.receipt(second, 1, arrived, now()).await.unwrap();
    assert_eq!(notifications(ports, now()).await, [first]);
}

/// What fails while others get through uses its attempts in its own time: it is made due once, and no more.
pub async fn what_fails_by_itself_keeps_its_own_time(ports: &LocalPorts<'_>) {
    let (ada, odd) = ports.in_flight("ada@example.com").await;
    let get_through = async || {
        let other = in_flight(ports, ada.id).await;
        ports.finish(other, 1, OutcomeKind::Delivered).await;
    };
    fail(ports, odd, 1).await;
    get_through().await;
    assert_eq!(notifications(ports, now()).await, [odd], "it might have been the endpoint");
    for number in 2..5 {
        ports.begin(odd, number).await;
        fail(ports, odd, number).await;
        get_through().await;
        assert_eq!(notifications(ports, now()).await, []);
    }
}

/// A person who resumes it says that it works again.
pub async fn resuming_makes_due_whatever_waits(ports: &LocalPorts<'_>) {
    let (ada, first) = ports.in_flight("ada@example.com").await;
    fail(ports, first, 1).await;
    let second = in_flight(ports, ada.id).await;
    leave_alone(ports, second, WHILE).await;
    ports.local_subscriptions.suspend(ada.id, SuspensionReason::Operator, now()).await.unwrap();
    let suspended = ports.due_by(now() + WHILE * 24 * 30).await;
    assert_eq!((suspended.deliveries, suspended.next_at), (vec![], None));
    ports.local_subscriptions.resume(ada.id, now()).await.unwrap();
    assert_eq!(notifications(ports, now()).await, [first, second]);
}

/// However far ahead a clock that jumped has put it, or its endpoint's pause; what is due before stays as it is.
pub async fn nothing_is_due_after_the_latest_time(ports: &LocalPorts<'_>) {
    let (ada, first) = ports.in_flight("ada@example.com").await;
    fail(ports, first, 1).await;
    let (bob, second) = ports.in_flight("bob@example.com").await;
    leave_alone(ports, second, WHILE * 24 * 400).await;
    let soon = in_flight(ports, ada.id).await;
    ports.finish(soon, 1, OutcomeKind::Transient(Scope::Delivery)).await;
    let at = ports.record(soon).await.at;
    let now = now();
    let latest = now + MAX_DELAY;
    assert_eq!(ports.queue.bound_due_times(now).await.unwrap(), 2, "a delivery, and a pause");
    assert_eq!(ports.queue.bound_due_times(now).await.unwrap(), 0);
    assert_eq!(ports.record(soon).await.at, at);
    assert_eq!(ports.due_by(latest).await.deliveries.len(), 5, "all of three orders");
    let third = ports.notification(bob.id).await.id;
    assert!(notifications(ports, latest).await.contains(&third), "the pause ends, too");
}

/// Makes an attempt fail so that the next one is made in five hours.
async fn fail(ports: &LocalPorts<'_>, delivery: DeliveryId, number: u32) {
    let decision = Decision { next: Next::Again(now() + WHILE * 5), uses_attempt: true, consequence: None };
    let failed = Finished { decision, ..finished(delivery, number, FAILED) };
    ports.queue.finish(vec![failed]).await.unwrap();
}

/// Makes a first attempt fail so that its endpoint is left alone; answers until when.
async fn leave_alone(ports: &LocalPorts<'_>, delivery: DeliveryId, pause: Duration) -> domain::Timestamp {
    leave_alone_at(ports, delivery, 1, pause).await
}

async fn leave_alone_at(
    ports: &LocalPorts<'_>,
    delivery: DeliveryId,
    number: u32,
    pause: Duration,
) -> domain::Timestamp {
    let until = now() + pause;
    let consequence = Some(Consequence::PauseEndpoint(until));
    let decision = Decision { next: Next::Again(until), uses_attempt: false, consequence };
    let failed = Finished { decision, ..finished(delivery, number, FAILED) };
    ports.queue.finish(vec![failed]).await.unwrap();
    until
}

async fn in_flight(ports: &LocalPorts<'_>, subscription: SubscriptionId) -> DeliveryId {
    let delivery = ports.notification(subscription).await.id;
    ports.begin(delivery, 1).await;
    delivery
}

async fn notifications(ports: &LocalPorts<'_>, by: domain::Timestamp) -> Vec<DeliveryId> {
    let due = ports.due_by(by).await.deliveries;
    due.iter().filter(|due| due.kind == DeliveryKind::Notification).map(|due| due.id).collect()
}
