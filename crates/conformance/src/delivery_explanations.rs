//! What [`Deliveries`](application::ports::Deliveries) promises of what explains a delivery: what people did to it,
//! why it was cancelled, what it waits for.

use application::ports::{
    DeliveryFilter, DropSelection, InterventionKind, InterventionRecord, Redrivable, RedriveSelection,
};
use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::{CancelReason, DeliveryState, Next, WaitReason};
use domain::endpoint::Protocol;
use domain::subscription::{EndReason, SuspensionReason};

use crate::LocalPorts;
use crate::deliveries::hold;
use crate::fixtures::{delivery_id, email, now, order};
use crate::local_ports::finished;

/// Each with the state that it put an end to, and since when that held.
pub async fn what_people_did_to_a_delivery_stays_on_record(ports: &LocalPorts<'_>) {
    let (_, delivery) = ports.in_flight("ada@example.com").await;
    ports.finish(delivery, 1, OutcomeKind::Permanent(Scope::Delivery)).await;
    let died = ports.record(delivery).await;
    assert_eq!(died.interventions, []);
    let redriven = now();
    ports.deliveries.redrive(RedriveSelection::One(delivery), redriven).await.unwrap();
    ports.begin(delivery, 2).await;
    let mut end = finished(delivery, 2, OutcomeKind::Unknown);
    end.decision.next = Next::Over(DeliveryState::Held);
    let held = end.at;
    ports.queue.finish(vec![end]).await.unwrap();
    let again = now();
    let all_held = RedriveSelection::Many { state: Redrivable::Held, filter: DeliveryFilter::default() };
    assert_eq!(ports.deliveries.redrive(all_held, again).await.unwrap(), 1);
    let (kind, dead) = (InterventionKind::Redriven, DeliveryState::Dead);
    let expected = [
        InterventionRecord { kind, at: redriven, state_before: dead, since: died.at },
        InterventionRecord { kind, at: again, state_before: DeliveryState::Held, since: held },
    ];
    assert_eq!(ports.record(delivery).await.interventions, expected);
}

/// Dropped by a person, ended with its subscription, or a confirmation request that is superseded.
pub async fn why_a_delivery_was_cancelled_is_on_record(ports: &LocalPorts<'_>) {
    let reason = async |id| {
        let record = ports.record(id).await;
        record.cancel_reason.map(|reason| (record.state, reason))
    };
    let cancelled = |reason| Some((DeliveryState::Cancelled, reason));
    let dropped = hold(ports, email("held@example.com")).await;
    assert_eq!(reason(dropped).await, None);
    let since = ports.record(dropped).await.at;
    let at = now();
    ports.deliveries.drop_deliveries(DropSelection::One(dropped), at).await.unwrap();
    assert_eq!(reason(dropped).await, cancelled(CancelReason::Dropped));
    let kind = InterventionKind::Dropped;
    let expected = InterventionRecord { kind, at, state_before: DeliveryState::Held, since };
    assert_eq!(ports.record(dropped).await.interventions, [expected]);

    let request = email("bob@example.com");
    let subscription = ports.subscribe(request.clone()).await;
    ports.local_subscriptions.confirm(subscription.id, subscription.generation, false, now()).await.unwrap();
    assert_eq!(reason(request.confirmation).await, cancelled(CancelReason::Superseded));
    let pending = ports.notification(subscription.id).await.id;
    let in_flight = ports.notification(subscription.id).await.id;
    ports.begin(in_flight, 1).await;
    let unpublished = ports.place(order()).await;
    ports.subscriptions.unsubscribe(subscription.id, EndReason::Removed, now()).await.unwrap();
    ports.finish(in_flight, 1, OutcomeKind::Transient(Scope::Delivery)).await;
    ports.publish().await;
    let deliveries = ports.of_order(&unpublished).await;
    let published = deliveries.iter().find(|delivery| delivery.subscription == subscription.id).unwrap().id;
    for delivery in [pending, in_flight, published] {
        assert_eq!(reason(delivery).await, cancelled(CancelReason::SubscriptionEnded));
    }

    let asked = email("eve@example.com");
    let subscription = ports.subscribe(asked.clone()).await;
    ports.begin(asked.confirmation, 1).await;
    ports.subscriptions.resend_confirmation(subscription.id, delivery_id(), now()).await.unwrap();
    ports.finish(asked.confirmation, 1, OutcomeKind::Transient(Scope::Delivery)).await;
    assert_eq!(reason(asked.confirmation).await, cancelled(CancelReason::Superseded));
}

/// Of a delivery alone as in its order's history.
pub async fn what_a_delivery_waits_for_is_told(ports: &LocalPorts<'_>) {
    let subscription = ports.confirmed(email("ada@example.com")).await;
    let order = ports.place(order()).await;
    ports.publish().await;
    let delivery = ports.of_order(&order).await[0].id;
    let waits = async || {
        let record = ports.record(delivery).await;
        assert_eq!(ports.of_order(&order).await.first(), Some(&record));
        (record.waits_because(now()), record.channel_pause)
    };
    assert_eq!(waits().await, (None, None));
    ports.queue.channel_paused(Protocol::Sms, "another channel", now()).await.unwrap();
    assert_eq!(waits().await, (None, None));
    ports.queue.channel_paused(Protocol::Email, "421 busy", now()).await.unwrap();
    assert_eq!(waits().await, (Some(WaitReason::ChannelPaused), Some("421 busy".to_owned())));
    ports.queue.channel_resumed(Protocol::Email, now()).await.unwrap();
    assert_eq!(waits().await, (None, None));
    ports.local_subscriptions.suspend(subscription.id, SuspensionReason::Operator, now()).await.unwrap();
    assert_eq!(waits().await, (Some(WaitReason::SubscriptionSuspended), None));
    ports.local_subscriptions.resume(subscription.id, now()).await.unwrap();
    ports.begin(delivery, 1).await;
    ports.finish(delivery, 1, OutcomeKind::Transient(Scope::Delivery)).await;
    assert_eq!(waits().await, (Some(WaitReason::Retry), None));
}
