//! What [`OwnTopic`](application::ports::OwnTopic) promises.

use application::ErrorKind;
use application::ports::Randomness;
use domain::attempt::OutcomeKind;
use domain::delivery::{DeliveryKind, DeliveryState};
use domain::endpoint::Protocol;
use domain::subscription::{EndReason, Subscription, SubscriptionId, SubscriptionState};

use crate::Machine;
use crate::given::{MOMENT, WHILE, delivery_id, email, now, order, subscription, unique};

/// Its time and place are kept, and the question is withdrawn.
pub async fn a_pending_subscription_is_confirmed_by_its_newest_question(machine: &Machine<'_>) {
    let new = email("ada@example.com");
    let made = machine.subscribe(new.clone()).await;
    let at = now();
    let confirmed = machine.own_topic.confirm(made.id, 1, true, at).await.unwrap();
    assert_eq!(confirmed.state, SubscriptionState::Confirmed);
    assert_eq!(confirmed.confirmation.map(|given| (given.at, given.in_sandbox)), Some((at, true)));
    assert_eq!(machine.topic.subscription(made.id).await.unwrap(), Some(confirmed));
    assert_eq!(machine.record(new.confirmation).await.state, DeliveryState::Cancelled);
}

/// Whoever clicks twice sees the same page twice.
pub async fn confirming_a_confirmed_subscription_changes_nothing(machine: &Machine<'_>) {
    let confirmed = machine.confirmed(email("ada@example.com")).await;
    let again = machine.own_topic.confirm(confirmed.id, 1, true, now() + WHILE).await.unwrap();
    assert_eq!(again, confirmed);
}

/// Each way in which a link can be over has its own name.
pub async fn a_link_that_is_over_confirms_nothing(machine: &Machine<'_>) {
    let replaced = machine.subscribe(email("ada@example.com")).await;
    machine.topic.resend_confirmation(replaced.id, delivery_id(), now()).await.unwrap();
    refused(machine, &replaced, 1, now(), "confirmation_replaced").await;

    let expired = machine.subscribe(email("bob@example.com")).await;
    let end = expired.confirmation_expires_at.expect("this host asks by itself");
    refused(machine, &expired, 1, end, "confirmation_expired").await;
    let in_time = end - MOMENT;
    machine.own_topic.confirm(expired.id, 1, false, in_time).await.unwrap();

    let ended = machine.subscribe(email("eve@example.com")).await;
    let ended = machine.topic.unsubscribe(ended.id, EndReason::Removed, now()).await.unwrap();
    refused(machine, &ended, 1, now(), "subscription_ended").await;
}

/// It proved nothing about the endpoint's owner: the question is asked anew, and nothing more is owed meanwhile.
pub async fn a_confirmation_given_in_the_sandbox_lapses(machine: &Machine<'_>) {
    let made = machine.subscribe(email("ada@example.com")).await;
    machine.own_topic.confirm(made.id, 1, true, now()).await.unwrap();
    let owed = machine.notification(made.id).await;
    assert_eq!(lapse(machine, Protocol::Email).await, 1);
    assert_eq!(lapse(machine, Protocol::Email).await, 0);
    let lapsed = machine.topic.subscription(made.id).await.unwrap().unwrap();
    assert_eq!((lapsed.state, lapsed.generation, lapsed.confirmation), (SubscriptionState::Pending, 2, None));
    assert_eq!(machine.due(DeliveryKind::Confirmation).await.len(), 1);

    // What is owed already waits until the endpoint's owner has agreed.
    assert_eq!(machine.due(DeliveryKind::Notification).await, []);
    let meanwhile = machine.place(order()).await;
    refused(machine, &lapsed, 1, now(), "confirmation_replaced").await;
    machine.own_topic.confirm(made.id, 2, false, now()).await.unwrap();
    machine.publish().await;
    assert_eq!(machine.of_order(&meanwhile).await, []);
    let due = machine.due(DeliveryKind::Notification).await;
    assert_eq!(due.iter().map(|delivery| delivery.id).collect::<Vec<_>>(), [owed.id]);
}

/// A question that only the sandbox saw was never asked.
pub async fn a_question_that_only_the_sandbox_saw_is_asked_anew(machine: &Machine<'_>) {
    let new = email("ada@example.com");
    let made = machine.subscribe(new.clone()).await;
    machine.begin(new.confirmation, 1).await;
    machine.finish(new.confirmation, 1, OutcomeKind::Sandboxed).await;
    assert_eq!(machine.due(DeliveryKind::Confirmation).await, []);
    assert_eq!(lapse(machine, Protocol::Email).await, 1);
    let due = machine.due(DeliveryKind::Confirmation).await;
    assert_eq!(due.iter().map(|delivery| delivery.subscription.id).collect::<Vec<_>>(), [made.id]);
    assert_ne!(due[0].id, new.confirmation);
}

/// Real confirmations, other protocols, questions still to be asked and what ended are left alone.
pub async fn only_what_the_sandbox_confirmed_lapses(machine: &Machine<'_>) {
    let live = machine.confirmed(email("ada@example.com")).await;
    let unasked = machine.subscribe(email("bob@example.com")).await;
    let other = machine.subscribe(subscription(Protocol::Sms, "+4915112345678")).await;
    let other = machine.own_topic.confirm(other.id, 1, true, now()).await.unwrap();
    let ended = machine.subscribe(email("eve@example.com")).await;
    machine.own_topic.confirm(ended.id, 1, true, now()).await.unwrap();
    let ended = machine.topic.unsubscribe(ended.id, EndReason::Removed, now()).await.unwrap();
    assert_eq!(lapse(machine, Protocol::Email).await, 0);
    for left in [live, unasked, other, ended] {
        assert_eq!(machine.topic.subscription(left.id).await.unwrap(), Some(left));
    }
}

struct Chance;

impl Randomness for Chance {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(10) {
            chunk.copy_from_slice(&unique()[..chunk.len()]);
        }
    }
}

async fn lapse(machine: &Machine<'_>, protocol: Protocol) -> usize {
    machine.own_topic.lapse_sandbox_confirmations(protocol, &Chance, now()).await.unwrap()
}

async fn refused(
    machine: &Machine<'_>,
    subscription: &Subscription,
    generation: u32,
    at: domain::Timestamp,
    code: &str,
) {
    let id: SubscriptionId = subscription.id;
    let before = machine.topic.subscription(id).await.unwrap();
    let error = machine.own_topic.confirm(id, generation, false, at).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Gone, code));
    assert_eq!(machine.topic.subscription(id).await.unwrap(), before);
}
