//! What [`DeliveryQueue::escalate`](application::ports::DeliveryQueue::escalate) promises.

use application::ports::{DeliveryQuery, Escalated, NewSubscription, RedriveSelection};
use domain::attempt::OutcomeKind;
use domain::attributes::{Attributes, Escalation, Minutes};
use domain::delivery::DeliveryKind;
use domain::receipt::{Receipt, ReceiptStatus};

use crate::Machine;
use crate::given::{MOMENT, WHILE, email, now, policy, text};

/// To another subscription too, once, whatever its own filter policy says; what was delivered does not escalate.
pub async fn what_is_not_delivered_in_time_escalates(machine: &Machine<'_>) {
    let dollars = Attributes::wanting(Some(policy(r#"{"currency":["USD"]}"#)));
    let second = machine.confirmed(NewSubscription { attributes: dollars, ..email("bob@example.com") }).await;
    let after_minutes = Minutes::parse("", 15).unwrap();
    let escalation = Some(Escalation { after_minutes, to: second.id });
    let attributes = Attributes { escalation, ..Attributes::default() };
    let first = machine.confirmed(NewSubscription { attributes, ..email("ada@example.com") }).await;
    let made = machine.notification(first.id).await;
    machine.begin(made.id, 1).await;
    machine.finish(made.id, 1, OutcomeKind::Delivered).await;
    let late = machine.notification(first.id).await;
    let due = late.created_at + after_minutes.duration();
    let escalate = async |at| machine.queue.escalate(at).await.unwrap();
    assert_eq!(escalate(due - MOMENT).await, Escalated { next_at: Some(due), ..Escalated::default() });
    assert_eq!(escalate(due).await, Escalated { owed: 1, ..Escalated::default() });
    assert_eq!(escalate(due + WHILE).await, Escalated::default());
    let of_second = DeliveryQuery { subscription: Some(second.id), ..DeliveryQuery::default() };
    let owed = machine.records.deliveries(of_second).await.unwrap().items;
    let owed: Vec<_> = owed.iter().filter(|owed| owed.kind == DeliveryKind::Notification).collect();
    assert_eq!(owed.len(), 1);
    assert_eq!((owed[0].order, owed[0].escalated_from), (late.order, Some(late.id)));
}

/// The provider took it, and reported later that it did not arrive: that is no delivery in time.
pub async fn what_did_not_arrive_after_all_escalates(machine: &Machine<'_>) {
    let dollars = Attributes::wanting(Some(policy(r#"{"currency":["USD"]}"#)));
    let second = machine.confirmed(NewSubscription { attributes: dollars, ..email("bob@example.com") }).await;
    let after_minutes = Minutes::parse("", 15).unwrap();
    let escalation = Some(Escalation { after_minutes, to: second.id });
    let attributes = Attributes { escalation, ..Attributes::default() };
    let first = machine.confirmed(NewSubscription { attributes, ..text("+4915112345678") }).await;
    let made = machine.notification(first.id).await;
    machine.begin(made.id, 1).await;
    machine.finish(made.id, 1, OutcomeKind::Delivered).await;
    let undelivered = Receipt::new(ReceiptStatus::Failed, "30005");
    machine.records.receipt(made.id, 1, undelivered.clone(), now()).await.unwrap();
    let due = made.created_at + after_minutes.duration();
    assert_eq!(machine.queue.escalate(due - MOMENT).await.unwrap().next_at, Some(due));
    assert_eq!(machine.queue.escalate(due).await.unwrap().owed, 1);

    machine.records.redrive(RedriveSelection::One(made.id), due).await.unwrap();
    machine.begin(made.id, 2).await;
    machine.finish(made.id, 2, OutcomeKind::Delivered).await;
    machine.records.receipt(made.id, 2, undelivered, due).await.unwrap();
    assert_eq!(machine.queue.escalate(due + WHILE).await.unwrap(), Escalated::default(), "once");
}

/// Nobody who did not confirm, or has ended, is told in another's place.
pub async fn an_escalation_to_nobody_confirmed_leads_nowhere(machine: &Machine<'_>) {
    let pending = machine.subscribe(email("bob@example.com")).await;
    let after_minutes = Minutes::parse("", 1).unwrap();
    let escalation = Some(Escalation { after_minutes, to: pending.id });
    let attributes = Attributes { escalation, ..Attributes::default() };
    let first = machine.confirmed(NewSubscription { attributes, ..email("ada@example.com") }).await;
    let late = machine.notification(first.id).await;
    let escalated = machine.queue.escalate(late.created_at + WHILE).await.unwrap();
    assert_eq!((escalated.owed, escalated.stranded), (0, vec![(late.id, pending.id)]), "and says so");
    assert!(machine.record(late.id).await.stranded_at.is_some());
    assert!(machine.due(DeliveryKind::Notification).await.iter().all(|due| due.id == late.id));
}
