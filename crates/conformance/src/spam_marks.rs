//! What [`SpamMarks`](application::ports::SpamMarks) promises.

use std::time::Duration;

use application::ErrorKind;
use application::ports::{
    DeliveryFilter, NewSubscription, Redrivable, RedriveSelection, SpamFilter, SpamMark, SpamSelection,
};
use domain::attempt::{OutcomeKind, Scope};
use domain::attributes::{Attributes, Escalation, Minutes};
use domain::delivery::{CancelReason, DeliveryKind, DeliveryState};
use domain::order::{Order, OrderId};
use domain::receipt::{Receipt, ReceiptStatus};

use crate::LocalPorts;
use crate::fixtures::{WHILE, email, now, order, order_of, policy, text, unique};

const CANCELLED: (DeliveryState, Option<CancelReason>) = (DeliveryState::Cancelled, Some(CancelReason::Spam));

async fn mark(ports: &LocalPorts<'_>, id: OrderId) -> usize {
    ports.spam.mark_spam(SpamSelection::One(id), now()).await.unwrap()
}

async fn mark_many(ports: &LocalPorts<'_>, filter: SpamFilter) -> usize {
    ports.spam.mark_spam(SpamSelection::Many(filter), now()).await.unwrap()
}

async fn mark_of(ports: &LocalPorts<'_>, id: OrderId) -> Option<SpamMark> {
    ports.spam.spam_marks(vec![id]).await.unwrap().get(&id).copied()
}

/// How far the deliveries of an order have come, and why.
async fn states(ports: &LocalPorts<'_>, order: &Order) -> Vec<(DeliveryState, Option<CancelReason>)> {
    let deliveries = ports.of_order(order).await;
    deliveries.iter().map(|delivery| (delivery.state, delivery.cancel_reason)).collect()
}

fn of(customer: &str, email: &str) -> Order {
    order_of(&format!(r#"{{"customerName":"{customer}","productName":"Mouse","customerEmail":"{email}"}}"#))
}

/// Pending or held; what was delivered stays so, and other orders are told.
pub async fn what_waits_for_spam_is_cancelled(ports: &LocalPorts<'_>) {
    let mut subscriptions = Vec::new();
    for name in ["ada", "bob", "eve"] {
        subscriptions.push(ports.confirmed(email(&format!("{name}@example.com"))).await);
    }
    let (spam, real) = (ports.place(order()).await, ports.place(order()).await);
    ports.publish().await;
    let delivered = ports.of_order(&spam).await[0].id;
    ports.begin(delivered, 1).await;
    ports.finish(delivered, 1, OutcomeKind::Delivered).await;
    assert_eq!(mark(ports, spam.id).await, 1);
    assert_eq!(states(ports, &spam).await, [(DeliveryState::Delivered, None), CANCELLED, CANCELLED]);
    let due = ports.due(DeliveryKind::Notification).await;
    assert_eq!(due.len(), 3);
    assert!(due.iter().all(|due| due.order.as_ref().is_some_and(|order| order.id == real.id)));
    assert_eq!(mark(ports, spam.id).await, 0, "it is marked already");
}

/// An attempt that is under way comes to its end, and is not made again, nor held for anybody to decide about.
pub async fn what_is_in_flight_for_spam_is_not_tried_again(ports: &LocalPorts<'_>) {
    let over = |state| (state, None);
    for (number, (kind, expected)) in [
        (OutcomeKind::Delivered, over(DeliveryState::Delivered)),
        (OutcomeKind::Sandboxed, over(DeliveryState::Sandboxed)),
        (OutcomeKind::Permanent(Scope::Delivery), over(DeliveryState::Dead)),
        (OutcomeKind::Permanent(Scope::Channel), CANCELLED),
        (OutcomeKind::Transient(Scope::Delivery), CANCELLED),
        (OutcomeKind::Transient(Scope::Endpoint), CANCELLED),
        (OutcomeKind::Transient(Scope::Channel), CANCELLED),
        (OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: None }, CANCELLED),
        (OutcomeKind::Unknown, CANCELLED),
    ]
    .into_iter()
    .enumerate()
    {
        let (_, flying) = ports.in_flight(&format!("ada{number}@example.com")).await;
        mark(ports, ports.record(flying).await.order.unwrap()).await;
        assert_eq!(ports.record(flying).await.state, DeliveryState::InFlight);
        ports.finish(flying, 1, kind).await;
        let record = ports.record(flying).await;
        assert_eq!((record.state, record.cancel_reason), expected, "{kind:?}");
    }
    let (_, flying) = ports.in_flight("bob@example.com").await;
    mark(ports, ports.record(flying).await.order.unwrap()).await;
    ports.finish_unknown(flying, 1).await;
    let record = ports.record(flying).await;
    assert_eq!((record.state, record.cancel_reason), CANCELLED);
}

/// What its provider said of it before its outcome was known counts for more: it is there, or it is not.
pub async fn what_a_provider_reported_of_spam_counts(ports: &LocalPorts<'_>) {
    for (number, status, state) in [
        ("+4915112345678", ReceiptStatus::Delivered, DeliveryState::Delivered),
        ("+4915112345679", ReceiptStatus::Failed, DeliveryState::Dead),
    ] {
        let (_, flying) = ports.in_flight_to(text(number)).await;
        mark(ports, ports.record(flying).await.order.unwrap()).await;
        ports.deliveries.receipt(flying, 1, Receipt::new(status, "as it went"), now()).await.unwrap();
        ports.finish_unknown(flying, 1).await;
        let record = ports.record(flying).await;
        assert_eq!((record.state, record.cancel_reason), (state, None), "{status:?}");
    }
}

/// The relay may be behind.
pub async fn spam_that_is_published_later_is_told_to_nobody(ports: &LocalPorts<'_>) {
    ports.confirmed(email("ada@example.com")).await;
    let spam = ports.place(order()).await;
    mark(ports, spam.id).await;
    ports.publish().await;
    assert_eq!(states(ports, &spam).await, [CANCELLED]);
    assert!(ports.due(DeliveryKind::Notification).await.is_empty());
}

/// Neither what waits nor what is in flight when its time is over.
pub async fn spam_never_escalates(ports: &LocalPorts<'_>) {
    let nothing = Attributes::with_filter_policy(Some(policy(r#"{"currency":["USD"]}"#)));
    let escalation_target =
        ports.confirmed(NewSubscription { attributes: nothing, ..email("bob@example.com") }).await;
    let after_minutes = Minutes::parse("", 15).unwrap();
    let escalation = Some(Escalation { after_minutes, to: escalation_target.id });
    let attributes = Attributes { escalation, ..Attributes::default() };
    let first = ports.confirmed(NewSubscription { attributes, ..email("ada@example.com") }).await;
    let (waiting, flying) = (ports.notification(first.id).await, ports.notification(first.id).await);
    ports.begin(flying.id, 1).await;
    for delivery in [&waiting, &flying] {
        mark(ports, delivery.order.unwrap()).await;
    }
    let escalated = ports.queue.escalate(now() + Duration::from_hours(1)).await.unwrap();
    assert_eq!((escalated.deliveries, escalated.not_escalated.len()), (0, 0));
}

/// One dead delivery, and all of them.
pub async fn what_is_dead_of_spam_is_not_sent_again_until_the_mark_is_taken_back(ports: &LocalPorts<'_>) {
    let subscription = ports.confirmed(email("ada@example.com")).await;
    let dead = ports.notification(subscription.id).await;
    ports.kill(dead.id).await;
    let (spam, one) = (dead.order.unwrap(), RedriveSelection::One(dead.id));
    mark(ports, spam).await;
    let refused = ports.deliveries.redrive(one.clone(), now()).await.unwrap_err();
    assert_eq!((refused.kind, refused.code), (ErrorKind::Conflict, "order_is_spam"));
    let all = RedriveSelection::Many { state: Redrivable::Dead, filter: DeliveryFilter::default() };
    assert_eq!(ports.deliveries.redrive(all, now()).await.unwrap(), 0);
    ports.spam.unmark_spam(spam, now()).await.unwrap();
    assert_eq!(ports.deliveries.redrive(one, now()).await.unwrap(), 1);
}

/// It sends nothing by itself, and the order can be marked again.
pub async fn a_mark_can_be_taken_back(ports: &LocalPorts<'_>) {
    ports.confirmed(email("ada@example.com")).await;
    let spam = ports.place(order()).await;
    ports.publish().await;
    assert_eq!(mark_of(ports, spam.id).await, None);
    let marked_at = now();
    ports.spam.mark_spam(SpamSelection::One(spam.id), marked_at).await.unwrap();
    assert_eq!(mark_of(ports, spam.id).await, Some(SpamMark { marked_at, unmarked_at: None }));
    let unmarked_at = now();
    for _ in 0..2 {
        ports.spam.unmark_spam(spam.id, unmarked_at).await.unwrap();
        let mark = SpamMark { marked_at, unmarked_at: Some(unmarked_at) };
        assert_eq!(mark_of(ports, spam.id).await, Some(mark));
    }
    assert_eq!(states(ports, &spam).await, [CANCELLED]);
    assert_eq!(mark(ports, spam.id).await, 1);
    assert_eq!(mark_of(ports, spam.id).await.unwrap().unmarked_at, None);
}

/// An order that nobody knows.
pub async fn what_is_not_there_is_not_spam(ports: &LocalPorts<'_>) {
    let id = order().id;
    let refusals = [
        ports.spam.mark_spam(SpamSelection::One(id), now()).await.unwrap_err(),
        ports.spam.unmark_spam(id, now()).await.unwrap_err(),
    ];
    for refused in refusals {
        assert_eq!((refused.kind, refused.code), (ErrorKind::NotFound, "order_not_found"));
    }
    let filter = SpamFilter { customer_name: Some("Nobody".to_owned()), ..SpamFilter::default() };
    assert_eq!(mark_many(ports, filter).await, 0);
}

/// By time, name and address, each exactly; those that come later are not meant.
pub async fn spam_is_marked_by_what_it_is(ports: &LocalPorts<'_>) {
    let early = ports.place(of("Mallory", "m@example.com")).await;
    let before = now() + WHILE;
    let late =
        Order { id: OrderId::new(before, unique()), time: before, ..of("Mallory", "other@example.com") };
    let late = ports.place(late).await;
    let other = ports.place(of("Mallory Smith", "m@example.com")).await;
    let text = |text: &str| Some(text.to_owned());
    let none = SpamFilter::default();
    for (filter, expected) in [
        (SpamFilter { customer_name: text("mallory"), ..none.clone() }, vec![]),
        (SpamFilter { customer_phone: text("+4915112345678"), ..none.clone() }, vec![]),
        (SpamFilter { from: Some(before), to: Some(before), ..none.clone() }, vec![]),
        (SpamFilter { from: Some(before), customer_email: text("m@example.com"), ..none.clone() }, vec![]),
        (SpamFilter { customer_name: text("Mallory"), to: Some(before), ..none.clone() }, vec![early.id]),
        (SpamFilter { customer_name: text("Mallory"), ..none.clone() }, vec![early.id, late.id]),
        (SpamFilter { customer_email: text("m@example.com"), ..none.clone() }, vec![early.id, other.id]),
        (SpamFilter { from: Some(before), ..none }, vec![late.id]),
    ] {
        assert_eq!(mark_many(ports, filter.clone()).await, expected.len(), "{filter:?}");
        for id in [early.id, late.id, other.id] {
            let since = mark_of(ports, id).await.and_then(SpamMark::since);
            assert_eq!(since.is_some(), expected.contains(&id), "{filter:?}");
            ports.spam.unmark_spam(id, now()).await.unwrap();
        }
    }
    let after = ports.place(of("Mallory", "m@example.com")).await;
    assert_eq!(mark_of(ports, after.id).await, None);
}

/// More than one commit takes on, and a mark that was there before.
pub async fn any_number_of_orders_can_be_spam(ports: &LocalPorts<'_>) {
    const MANY: usize = 1_250;
    ports.confirmed(email("ada@example.com")).await;
    let mut orders = Vec::new();
    for _ in 0..MANY {
        orders.push(ports.place(of("Mallory", "m@example.com")).await);
    }
    let real = ports.place(order()).await;
    for _ in 0..2 {
        ports.publish().await;
    }
    mark(ports, orders[700].id).await;
    let filter = SpamFilter { customer_name: Some("Mallory".to_owned()), ..SpamFilter::default() };
    assert_eq!(mark_many(ports, filter.clone()).await, MANY - 1);
    assert_eq!(mark_many(ports, filter).await, 0);
    // The next command of the same kind is behind what the store asks of itself.
    while ports.due_by(now() + WHILE).await.deliveries.len() > 1 {
        mark(ports, orders[0].id).await;
    }
    assert_eq!(states(ports, &orders[MANY - 1]).await, [CANCELLED]);
    assert_eq!(states(ports, &real).await, [(DeliveryState::Pending, None)]);
}
