//! What [`LocalSubscriptions`](application::ports::LocalSubscriptions) promises.

use application::ErrorKind;
use application::ports::{InboxMessage, Intent};
use domain::attempt::OutcomeKind;
use domain::delivery::{DeliveryKind, DeliveryState};
use domain::endpoint::Protocol;
use domain::subscription::{EndReason, Subscription, SubscriptionId, SubscriptionState, SuspensionReason};
use domain::webhook_secret::WebhookSecret;

use crate::LocalPorts;
use crate::fixtures::{MOMENT, WHILE, delivery_id, email, now, order, subscription};

/// Its time and place are kept, and the confirmation request is withdrawn.
pub async fn a_pending_subscription_is_confirmed_by_its_newest_request(ports: &LocalPorts<'_>) {
    let new = email("ada@example.com");
    let made = ports.subscribe(new.clone()).await;
    let at = now();
    let confirmed = ports.local_subscriptions.confirm(made.id, 1, true, at).await.unwrap();
    assert_eq!(confirmed.state, SubscriptionState::Confirmed);
    assert_eq!(confirmed.confirmation.map(|given| (given.at, given.in_sandbox)), Some((at, true)));
    assert_eq!(ports.subscriptions.subscription(made.id).await.unwrap(), Some(confirmed));
    assert_eq!(ports.record(new.confirmation).await.state, DeliveryState::Cancelled);
}

/// Whoever clicks twice sees the same page twice.
pub async fn confirming_a_confirmed_subscription_changes_nothing(ports: &LocalPorts<'_>) {
    let confirmed = ports.confirmed(email("ada@example.com")).await;
    let again = ports.local_subscriptions.confirm(confirmed.id, 1, true, now() + WHILE).await.unwrap();
    assert_eq!(again, confirmed);
}

/// Each way in which a link can be over has its own name.
pub async fn a_link_that_is_over_confirms_nothing(ports: &LocalPorts<'_>) {
    let replaced = ports.subscribe(email("ada@example.com")).await;
    ports.subscriptions.resend_confirmation(replaced.id, delivery_id(), now()).await.unwrap();
    refused(ports, &replaced, 1, now(), "confirmation_replaced").await;

    let expired = ports.subscribe(email("bob@example.com")).await;
    let end = expired.confirmation_expires_at.expect("this host asks by itself");
    refused(ports, &expired, 1, end, "confirmation_expired").await;
    let in_time = end - MOMENT;
    ports.local_subscriptions.confirm(expired.id, 1, false, in_time).await.unwrap();

    let ended = ports.subscribe(email("eve@example.com")).await;
    let ended = ports.subscriptions.unsubscribe(ended.id, EndReason::Removed, now()).await.unwrap();
    refused(ports, &ended, 1, now(), "subscription_ended").await;
}

/// It proved nothing about the endpoint's owner: nothing is sent, and nothing more is made, until somebody asks anew.
pub async fn a_confirmation_given_in_the_sandbox_lapses(ports: &LocalPorts<'_>) {
    let made = ports.subscribe(email("ada@example.com")).await;
    ports.local_subscriptions.confirm(made.id, 1, true, now()).await.unwrap();
    let waiting = ports.notification(made.id).await;
    assert_eq!(lapse(ports, Protocol::Email).await, 1);
    assert_eq!(lapse(ports, Protocol::Email).await, 0);
    let lapsed = ports.subscriptions.subscription(made.id).await.unwrap().unwrap();
    assert_eq!((lapsed.state, lapsed.generation, lapsed.confirmation), (SubscriptionState::Pending, 1, None));
    assert_eq!(ports.due(DeliveryKind::Confirmation).await, []);

    // What was made already waits until the endpoint's owner has agreed.
    assert_eq!(ports.due(DeliveryKind::Notification).await, []);
    let meanwhile = ports.place(order()).await;
    refused(ports, &lapsed, 1, now(), "confirmation_expired").await;
    ports.subscriptions.resend_confirmation(made.id, delivery_id(), now()).await.unwrap();
    assert_eq!(ports.due(DeliveryKind::Confirmation).await.len(), 1);
    refused(ports, &lapsed, 1, now(), "confirmation_replaced").await;
    ports.local_subscriptions.confirm(made.id, 2, false, now()).await.unwrap();
    ports.publish().await;
    assert_eq!(ports.of_order(&meanwhile).await, []);
    let due = ports.due(DeliveryKind::Notification).await;
    assert_eq!(due.iter().map(|delivery| delivery.id).collect::<Vec<_>>(), [waiting.id]);
}

/// It was never asked, and is not asked before somebody says so.
pub async fn a_confirmation_request_that_only_the_sandbox_saw_lapses(ports: &LocalPorts<'_>) {
    let new = email("ada@example.com");
    let made = ports.subscribe(new.clone()).await;
    ports.begin(new.confirmation, 1).await;
    ports.finish(new.confirmation, 1, OutcomeKind::Sandboxed).await;
    assert_eq!(ports.due(DeliveryKind::Confirmation).await, []);
    assert_eq!(lapse(ports, Protocol::Email).await, 1);
    assert_eq!(lapse(ports, Protocol::Email).await, 0);
    assert_eq!(ports.due(DeliveryKind::Confirmation).await, []);
    refused(ports, &made, 1, now(), "confirmation_expired").await;
    // Nor when the machine's clock is a day behind.
    refused(ports, &made, 1, now() - 24 * WHILE, "confirmation_expired").await;
    ports.subscriptions.resend_confirmation(made.id, delivery_id(), now()).await.unwrap();
    let due = ports.due(DeliveryKind::Confirmation).await;
    assert_eq!(due.iter().map(|delivery| delivery.subscription.id).collect::<Vec<_>>(), [made.id]);
    assert_ne!(due[0].id, new.confirmation);
}

/// A crash can hide that the sandbox kept a confirmation request; it can be answered from there all the same.
pub async fn a_confirmation_request_that_the_sandbox_keeps_lapses_though_its_outcome_is_unknown(
    ports: &LocalPorts<'_>,
) {
    let new = email("ada@example.com");
    ports.subscribe(new.clone()).await;
    ports.begin(new.confirmation, 1).await;
    let kept = InboxMessage {
        id: new.confirmation,
        protocol: Protocol::Email,
        to: "ada@example.com".to_owned(),
        kind: DeliveryKind::Confirmation,
        subject: "Confirm".to_owned(),
        text: "Confirm".to_owned(),
        order_url: None,
        link: None,
        at: now(),
    };
    ports.inbox.keep(kept).await.unwrap();
    ports.finish(new.confirmation, 1, OutcomeKind::Unknown).await;
    assert_eq!(lapse(ports, Protocol::Email).await, 1);
    assert_eq!(lapse(ports, Protocol::Email).await, 0);
}

/// Real confirmations, other protocols, requests still to be sent and what ended are left alone.
pub async fn only_what_the_sandbox_confirmed_lapses(ports: &LocalPorts<'_>) {
    let live = ports.confirmed(email("ada@example.com")).await;
    let unasked = ports.subscribe(email("bob@example.com")).await;
    let other = ports.subscribe(subscription(Protocol::Sms, "+4915112345678")).await;
    let other = ports.local_subscriptions.confirm(other.id, 1, true, now()).await.unwrap();
    let ended = ports.subscribe(email("eve@example.com")).await;
    ports.local_subscriptions.confirm(ended.id, 1, true, now()).await.unwrap();
    let ended = ports.subscriptions.unsubscribe(ended.id, EndReason::Removed, now()).await.unwrap();
    assert_eq!(lapse(ports, Protocol::Email).await, 0);
    for left in [live, unasked, other, ended] {
        assert_eq!(ports.subscriptions.subscription(left.id).await.unwrap(), Some(left));
    }
}

async fn lapse(ports: &LocalPorts<'_>, protocol: Protocol) -> usize {
    ports.local_subscriptions.lapse_sandbox_confirmations(protocol, now()).await.unwrap()
}

async fn refused(
    ports: &LocalPorts<'_>,
    subscription: &Subscription,
    generation: u32,
    at: domain::Timestamp,
    code: &str,
) {
    let id: SubscriptionId = subscription.id;
    let before = ports.subscriptions.subscription(id).await.unwrap();
    let error = ports.local_subscriptions.confirm(id, generation, false, at).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Gone, code));
    assert_eq!(ports.subscriptions.subscription(id).await.unwrap(), before);
}

/// Orders go on matching it, and wait with what was pending already until it is resumed.
pub async fn a_suspended_subscription_is_owed_orders_and_sent_none(ports: &LocalPorts<'_>) {
    let subscription = ports.confirmed(email("ada@example.com")).await;
    let before = ports.notification(subscription.id).await;
    let suspend =
        async || ports.local_subscriptions.suspend(subscription.id, SuspensionReason::Operator, now()).await;
    let suspended = suspend().await.unwrap();
    assert_eq!(suspended.state, SubscriptionState::Suspended);
    assert_eq!(suspended.suspension.map(|suspension| suspension.reason), Some(SuspensionReason::Operator));
    assert_eq!(suspend().await.unwrap(), suspended, "it is suspended already");
    let meanwhile = ports.notification(subscription.id).await;
    assert!(ports.due(DeliveryKind::Notification).await.is_empty());
    let intent = Intent { delivery: before.id, number: 1, at: now() };
    assert!(
        ports.queue.begin(vec![intent]).await.unwrap().is_empty(),
        "who fetched it before begins it no more"
    );

    let resumed = ports.local_subscriptions.resume(subscription.id, now()).await.unwrap();
    assert_eq!((resumed.state, resumed.suspension), (SubscriptionState::Confirmed, None));
    assert_eq!(ports.local_subscriptions.resume(subscription.id, now()).await.unwrap(), resumed);
    let due: Vec<_> = ports.due(DeliveryKind::Notification).await.into_iter().map(|due| due.id).collect();
    assert_eq!(due, [before.id, meanwhile.id]);
}

/// Each reason has its own name, and nothing is changed.
pub async fn what_is_not_confirmed_is_neither_suspended_nor_tested(ports: &LocalPorts<'_>) {
    let (reason, pending) = (SuspensionReason::Operator, ports.subscribe(email("ada@example.com")).await);
    let code = |refusal: Result<Subscription, application::Error>| refusal.unwrap_err().code;
    assert_eq!(code(ports.local_subscriptions.suspend(pending.id, reason, now()).await), "not_confirmed");
    assert_eq!(code(ports.local_subscriptions.resume(pending.id, now()).await), "not_confirmed");
    assert_eq!(
        code(ports.local_subscriptions.send_test(pending.id, delivery_id(), now()).await),
        "not_confirmed"
    );
    assert_eq!(ports.subscriptions.subscription(pending.id).await.unwrap(), Some(pending.clone()));
    ports.subscriptions.unsubscribe(pending.id, EndReason::Removed, now()).await.unwrap();
    assert_eq!(
        code(ports.local_subscriptions.suspend(pending.id, reason, now()).await),
        "subscription_ended"
    );
    assert_eq!(
        code(ports.local_subscriptions.send_test(pending.id, delivery_id(), now()).await),
        "subscription_ended"
    );
    let suspended = ports.confirmed(email("bob@example.com")).await;
    ports.local_subscriptions.suspend(suspended.id, reason, now()).await.unwrap();
    let test = ports.local_subscriptions.send_test(suspended.id, delivery_id(), now()).await;
    assert_eq!(code(test), "subscription_suspended");
}

/// The new one signs first; the old one is kept beside it for a while.
pub async fn a_secret_is_replaced_and_the_old_one_kept_for_a_while(ports: &LocalPorts<'_>) {
    let hook = ports.confirmed(subscription(Protocol::Webhook, "https://example.com/hook")).await;
    let (old, new, at) = (hook.secrets.expect("a secret").current, WebhookSecret::new([9; 32]), now());
    let rotated = ports.local_subscriptions.rotate_secret(hook.id, new.clone(), at).await.unwrap();
    assert_eq!(rotated.secrets.as_ref().map(|secrets| secrets.at(at)), Some(vec![new, old]));
    assert_eq!(ports.subscriptions.subscription(hook.id).await.unwrap(), Some(rotated));
    let mail = ports.confirmed(email("ada@example.com")).await;
    let refusal =
        ports.local_subscriptions.rotate_secret(mail.id, WebhookSecret::new([9; 32]), at).await.unwrap_err();
    assert_eq!((refusal.kind, refusal.code), (ErrorKind::Conflict, "no_secret"));
}

/// It is pending like any other message, and tells of no order.
pub async fn a_test_is_owed_to_a_confirmed_subscription(ports: &LocalPorts<'_>) {
    let subscription = ports.confirmed(email("ada@example.com")).await;
    let test = delivery_id();
    ports.local_subscriptions.send_test(subscription.id, test, now()).await.unwrap();
    let due = ports.due(DeliveryKind::Test).await;
    assert_eq!((due.len(), due[0].id, &due[0].order), (1, test, &None));
}
