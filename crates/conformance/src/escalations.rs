//! What [`DeliveryQueue::escalate`](application::ports::DeliveryQueue::escalate) promises.

use std::time::Duration;

use application::ports::{DeliveryQuery, Escalated, NewSubscription, RedriveSelection};
use domain::attempt::OutcomeKind;
use domain::attributes::{Attributes, Escalation, Minutes};
use domain::delivery::DeliveryKind;
use domain::receipt::{Receipt, ReceiptStatus};
use domain::subscription::{EndReason, SubscriptionId};

use crate::LocalPorts;
use crate::fixtures::{MOMENT, WHILE, email, now, policy, text};

/// Within which deliveries must be made here.
const IN_TIME: Duration = Duration::from_mins(15);

/// A confirmed subscription that wants no order by itself.
async fn escalation_target(ports: &LocalPorts<'_>) -> SubscriptionId {
    let attributes = Attributes::with_filter_policy(Some(policy(r#"{"currency":["USD"]}"#)));
    ports.confirmed(NewSubscription { attributes, ..email("bob@example.com") }).await.id
}

/// A confirmed subscription that escalates to another.
async fn escalating(ports: &LocalPorts<'_>, new: NewSubscription, to: SubscriptionId) -> SubscriptionId {
    let after_minutes = Minutes::parse("", IN_TIME.as_secs() / 60).unwrap();
    let escalation = Some(Escalation { after_minutes, to });
    ports
        .confirmed(NewSubscription { attributes: Attributes { escalation, ..Attributes::default() }, ..new })
        .await
        .id
}

/// To another subscription too, once, whatever its own filter policy says; what was delivered does not escalate.
pub async fn what_is_not_delivered_in_time_escalates(ports: &LocalPorts<'_>) {
    let second = escalation_target(ports).await;
    let first = escalating(ports, email("ada@example.com"), second).await;
    let made = ports.notification(first).await;
    ports.begin(made.id, 1).await;
    ports.finish(made.id, 1, OutcomeKind::Delivered).await;
    let late = ports.notification(first).await;
    let due = late.created_at + IN_TIME;
    let escalate = async |at| ports.queue.escalate(at).await.unwrap();
    assert_eq!(escalate(due - MOMENT).await, Escalated { next_at: Some(due), ..Escalated::default() });
    assert_eq!(escalate(due).await, Escalated { deliveries: 1, ..Escalated::default() });
    assert_eq!(escalate(due + WHILE).await, Escalated::default());
    let of_second = DeliveryQuery { subscription: Some(second), ..DeliveryQuery::default() };
    let escalated_deliveries = ports.deliveries.deliveries(of_second).await.unwrap().items;
    let escalated_deliveries: Vec<_> =
        escalated_deliveries.iter().filter(|delivery| delivery.kind == DeliveryKind::Notification).collect();
    assert_eq!(escalated_deliveries.len(), 1);
    assert_eq!(
        (escalated_deliveries[0].order, escalated_deliveries[0].escalated_from),
        (late.order, Some(late.id))
    );
}

/// The provider took it, and reported later that it did not arrive: that is no delivery in time.
pub async fn what_did_not_arrive_after_all_escalates(ports: &LocalPorts<'_>) {
    let second = escalation_target(ports).await;
    let first = escalating(ports, text("+4915112345678"), second).await;
    let made = ports.notification(first).await;
    ports.begin(made.id, 1).await;
    ports.finish(made.id, 1, OutcomeKind::Delivered).await;
    let undelivered = Receipt::new(ReceiptStatus::Failed, "30005");
    ports.deliveries.receipt(made.id, 1, undelivered.clone(), now()).await.unwrap();
    let due = made.created_at + IN_TIME;
    assert_eq!(ports.queue.escalate(due - MOMENT).await.unwrap().next_at, Some(due));
    assert_eq!(ports.queue.escalate(due).await.unwrap().deliveries, 1);

    ports.deliveries.redrive(RedriveSelection::One(made.id), due).await.unwrap();
    ports.begin(made.id, 2).await;
    ports.finish(made.id, 2, OutcomeKind::Delivered).await;
    ports.deliveries.receipt(made.id, 2, undelivered, due).await.unwrap();
    assert_eq!(ports.queue.escalate(due + WHILE).await.unwrap(), Escalated::default(), "once");
}

/// Nobody who did not confirm, or has ended, is told in another's place.
pub async fn an_escalation_to_nobody_confirmed_leads_nowhere(ports: &LocalPorts<'_>) {
    let pending = ports.subscribe(email("bob@example.com")).await;
    let first = escalating(ports, email("ada@example.com"), pending.id).await;
    let late = ports.notification(first).await;
    let escalated = ports.queue.escalate(late.created_at + IN_TIME).await.unwrap();
    assert_eq!(
        (escalated.deliveries, escalated.not_escalated),
        (0, vec![(late.id, pending.id)]),
        "and says so"
    );
    assert!(ports.record(late.id).await.not_escalated_at.is_some());
    assert!(ports.due(DeliveryKind::Notification).await.iter().all(|due| due.id == late.id));
}

/// One that ended is told nothing, even if the order matched it by itself before.
pub async fn an_escalation_to_one_that_ended_leads_nowhere(ports: &LocalPorts<'_>) {
    let ended = ports.confirmed(email("bob@example.com")).await.id;
    let first = escalating(ports, email("ada@example.com"), ended).await;
    let late = ports.notification(first).await;
    ports.subscriptions.unsubscribe(ended, EndReason::Removed, now()).await.unwrap();
    let escalated = ports.queue.escalate(late.created_at + IN_TIME).await.unwrap();
    assert_eq!((escalated.deliveries, escalated.not_escalated), (0, vec![(late.id, ended)]));
}

/// A clock that was wrong puts off no escalation for longer than the longest time until one.
pub async fn nothing_escalates_later_than_the_longest_time_until_an_escalation(ports: &LocalPorts<'_>) {
    let second = escalation_target(ports).await;
    let first = escalating(ports, email("ada@example.com"), second).await;
    ports.notification(first).await;
    let long_ago = now() - Duration::from_hours(400 * 24);
    assert!(ports.queue.bound_due_times(long_ago).await.unwrap() > 0);
    let next_at = ports.queue.escalate(long_ago).await.unwrap().next_at;
    assert_eq!(next_at, Some(long_ago + Minutes::LONGEST));
}
