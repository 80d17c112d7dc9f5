//! What publishing and [`Subscriptions`](application::ports::Subscriptions) promise on a host that delivers by itself.

use std::collections::BTreeSet;

use application::ErrorKind;
use application::ports::{NewSubscription, PageRequest, Subscribed, SubscriptionQuery};
use domain::attributes::{Attributes, AttributesChange};
use domain::delivery::{DeliveryKind, DeliveryState};
use domain::endpoint::Protocol;
use domain::fields::Fields;
use domain::filter_policy::{FilterPolicy, FilterPolicyScope};
use domain::language::Language;
use domain::subscription::{
    CONFIRMATION_LIFETIME, EndReason, Subscription, SubscriptionId, SubscriptionState,
};
use domain::time_zone::TimeZoneName;
use domain::webhook_secret::WebhookSecrets;

use crate::LocalPorts;
use crate::fixtures::{WHILE, delivery_id, email, first_page, now, order, order_of, policy, subscription};

const EURO: &str = r#"{"currency":["EUR"]}"#;
const EURO_IN_BODY: &str = r#"{"data":{"currency":["EUR"]}}"#;
const IN_EURO: &str = r#"{"customerName":"Ada","productName":"Mouse","currency":"EUR"}"#;
const IN_DOLLAR: &str = r#"{"customerName":"Ada","productName":"Mouse","currency":"USD"}"#;

/// It reads back as it was made, with nothing but its confirmation request pending.
pub async fn a_new_subscription_is_pending_and_owed_its_confirmation(ports: &LocalPorts<'_>) {
    let new = NewSubscription {
        attributes: Attributes::with_filter_policy(Some(policy(EURO))),
        ..subscription(Protocol::Webhook, "https://example.com/a")
    };
    let made = ports.subscribe(new.clone()).await;
    assert_eq!((made.id, &made.endpoint, &made.attributes), (new.id, &new.endpoint, &new.attributes));
    assert_eq!(
        (made.state, made.generation, made.secrets.clone()),
        (SubscriptionState::Pending, 1, new.secret.clone().map(WebhookSecrets::new))
    );
    assert_eq!(made.created_at, Some(new.now));
    assert_eq!(made.confirmation_expires_at, Some(new.now + CONFIRMATION_LIFETIME));
    assert_eq!((made.confirmation, made.end), (None, None));
    assert_eq!(ports.subscriptions.subscription(made.id).await.unwrap(), Some(made.clone()));
    let due = ports.due_by(new.now).await.deliveries;
    assert_eq!(due.len(), 1);
    assert_eq!(
        (due[0].id, due[0].kind, &due[0].order),
        (new.confirmation, DeliveryKind::Confirmation, &None)
    );
    assert_eq!(*due[0].subscription, made);
}

/// It reads back wherever a subscription is read, and a change that would show items which nothing tells apart is refused.
pub async fn what_of_an_order_is_shown_is_kept_and_changed(ports: &LocalPorts<'_>) {
    let fields = |names: &str| Some(Fields::parse(names.split(',')).unwrap());
    let of_items = r#"{"data":{"items":{"sku":["M-1"]}}}"#;
    let filter_policy = Some(FilterPolicy::parse_in(FilterPolicyScope::MessageBody, of_items).unwrap());
    let attributes =
        Attributes { filter_policy, fields: fields("note,matchingItems"), ..Attributes::default() };
    let made =
        ports.subscribe(NewSubscription { attributes: attributes.clone(), ..email("ada@example.com") }).await;
    assert_eq!(made.attributes, attributes);
    assert_eq!(ports.due_by(now()).await.deliveries[0].subscription.attributes, attributes);
    let change = |change| ports.subscriptions.change_attributes(made.id, change);
    let refused = change(AttributesChange::with_filter_policy(None)).await.unwrap_err();
    assert_eq!((refused.kind, refused.code), (ErrorKind::Invalid, "invalid_fields"));
    assert_eq!(ports.subscriptions.subscription(made.id).await.unwrap(), Some(made.clone()));
    for fields in [fields("items"), None] {
        let to = AttributesChange { fields: Some(fields.clone()), ..AttributesChange::default() };
        let changed = change(to).await.unwrap();
        assert_eq!(changed.attributes, Attributes { fields, ..attributes.clone() });
        assert_eq!(ports.subscriptions.subscription(made.id).await.unwrap(), Some(changed));
    }
}

/// Both read back wherever a subscription is read, and hold until they are changed or taken away.
pub async fn what_a_subscription_is_told_in_is_kept_and_changed(ports: &LocalPorts<'_>) {
    let time_zone = Some(TimeZoneName::parse("timeZone", "Europe/Berlin").unwrap());
    let attributes = Attributes { language: Some(Language::De), time_zone, ..Attributes::default() };
    let made =
        ports.subscribe(NewSubscription { attributes: attributes.clone(), ..email("ada@example.com") }).await;
    assert_eq!(made.attributes, attributes);
    assert_eq!(ports.due_by(now()).await.deliveries[0].subscription.attributes, attributes);
    let to = AttributesChange { language: Some(Some(Language::Fr)), ..AttributesChange::default() };
    let changed = ports.subscriptions.change_attributes(made.id, to).await.unwrap();
    assert_eq!(changed.attributes, Attributes { language: Some(Language::Fr), ..attributes });
    let to = AttributesChange { language: Some(None), time_zone: Some(None), ..AttributesChange::default() };
    let changed = ports.subscriptions.change_attributes(made.id, to).await.unwrap();
    assert_eq!(changed.attributes, Attributes::default());
    assert_eq!(ports.subscriptions.subscription(made.id).await.unwrap(), Some(changed));
}

/// An id that was never given names nothing.
pub async fn an_unknown_subscription_is_not_there(ports: &LocalPorts<'_>) {
    let unknown = email("nobody@example.com").id;
    assert_eq!(ports.subscriptions.subscription(unknown).await.unwrap(), None);
    let errors = [
        ports
            .subscriptions
            .change_attributes(unknown, AttributesChange::with_filter_policy(None))
            .await
            .unwrap_err(),
        ports.subscriptions.unsubscribe(unknown, EndReason::Removed, now()).await.unwrap_err(),
        ports.subscriptions.resend_confirmation(unknown, delivery_id(), now()).await.unwrap_err(),
        ports.local_subscriptions.confirm(unknown, 1, false, now()).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind, error.code), (ErrorKind::NotFound, "subscription_not_found"));
    }
}

/// Nothing changes, and nobody is asked twice.
pub async fn subscribing_again_finds_the_same_subscription(ports: &LocalPorts<'_>) {
    let made = ports.subscribe(email("ada@example.com")).await;
    let again = ports.subscriptions.subscribe(email("ada@example.com")).await.unwrap();
    assert_eq!(again, Subscribed::Existing(made.clone()));
    let differing = NewSubscription {
        attributes: Attributes::with_filter_policy(Some(policy(EURO))),
        ..email("ada@example.com")
    };
    assert_eq!(ports.subscriptions.subscribe(differing).await.unwrap(), Subscribed::Differs(made));
    assert_eq!(ports.due(DeliveryKind::Confirmation).await.len(), 1);
}

/// What ended stays ended; the new one begins from the start.
pub async fn an_endpoint_whose_subscription_ended_can_be_subscribed_anew(ports: &LocalPorts<'_>) {
    let old = ports.confirmed(email("ada@example.com")).await;
    ports.subscriptions.unsubscribe(old.id, EndReason::Unsubscribed, now()).await.unwrap();
    let new = ports.subscribe(email("ada@example.com")).await;
    assert_ne!(new.id, old.id);
    assert_eq!(new.state, SubscriptionState::Pending);
}

/// Nobody is notified who did not confirm: not of the orders before, and not of those meanwhile.
pub async fn only_orders_accepted_after_the_confirmation_match(ports: &LocalPorts<'_>) {
    let before = ports.place(order()).await;
    let subscription = ports.subscribe(email("ada@example.com")).await;
    let meanwhile = ports.place(order()).await;
    ports.local_subscriptions.confirm(subscription.id, 1, false, now()).await.unwrap();
    let after = ports.place(order()).await;
    let published = ports.publish().await;
    assert_eq!((published.deliveries, published.unmatched), (1, vec![before.id, meanwhile.id]));
    assert_eq!(matched_by(ports, &after).await, [subscription.id]);
    assert_eq!(matched_by(ports, &meanwhile).await, []);
}

/// One delivery for each subscription and order, however often the orders are published.
pub async fn an_order_is_owed_once_however_often_it_is_published(ports: &LocalPorts<'_>) {
    let ada = ports.confirmed(email("ada@example.com")).await;
    let bob = ports.confirmed(email("bob@example.com")).await;
    let placed = [ports.place(order()).await, ports.place(order()).await];
    let orders = ports.log.unpublished(10).await.unwrap();
    for _ in 0..3 {
        let published = ports.publisher.publish(&orders).await.unwrap();
        assert_eq!((published.deliveries, published.unmatched), (4, vec![]));
    }
    for order in &placed {
        assert_eq!(matched_by(ports, order).await, [ada.id, bob.id]);
    }
    assert_eq!(ports.log.unpublished(10).await.unwrap(), []);
}

/// Publishing what was published long ago does not set the log back.
pub async fn the_log_never_goes_backwards(ports: &LocalPorts<'_>) {
    ports.place(order()).await;
    let old = ports.log.unpublished(10).await.unwrap();
    ports.publish().await;
    ports.place(order()).await;
    ports.publish().await;
    ports.publisher.publish(&old).await.unwrap();
    assert_eq!(ports.log.unpublished(10).await.unwrap(), []);
}

/// An order that is left out would never be published: the whole run is refused instead.
pub async fn a_run_that_leaves_an_order_out_is_refused(ports: &LocalPorts<'_>) {
    for _ in 0..3 {
        ports.place(order()).await;
    }
    let orders = ports.log.unpublished(10).await.unwrap();
    let with_a_hole = [orders[0].clone(), orders[2].clone()];
    for run in [&orders[1..], &with_a_hole[..]] {
        assert_eq!(ports.publisher.publish(run).await.unwrap_err().kind, ErrorKind::Internal);
        assert_eq!(ports.log.unpublished(10).await.unwrap(), orders);
    }
}

/// Only subscriptions that match get a delivery; the rest is named.
pub async fn a_filter_policy_decides_what_matches(ports: &LocalPorts<'_>) {
    let new = NewSubscription {
        attributes: Attributes::with_filter_policy(Some(policy(EURO))),
        ..email("ada@example.com")
    };
    let subscription = ports.confirmed(new).await;
    let of_the_body = FilterPolicy::parse_in(FilterPolicyScope::MessageBody, EURO_IN_BODY).unwrap();
    let attributes = Attributes::with_filter_policy(Some(of_the_body));
    let new = NewSubscription { attributes, ..email("bob@example.com") };
    let by_body = ports.confirmed(new).await;
    let wanted = ports.place(order_of(IN_EURO)).await;
    let unwanted = ports.place(order_of(IN_DOLLAR)).await;
    let published = ports.publish().await;
    assert_eq!((published.deliveries, published.unmatched), (2, vec![unwanted.id]));
    let matched: BTreeSet<_> = matched_by(ports, &wanted).await.into_iter().collect();
    assert_eq!(matched, [subscription.id, by_body.id].into());
}

/// What was accepted before a change is published as if there had been none, however late.
pub async fn a_changed_filter_policy_holds_for_later_orders_only(ports: &LocalPorts<'_>) {
    let subscription = ports.confirmed(email("ada@example.com")).await;
    let before = ports.place(order_of(IN_DOLLAR)).await;
    let changed = ports
        .subscriptions
        .change_attributes(subscription.id, AttributesChange::with_filter_policy(Some(policy(EURO))))
        .await
        .unwrap();
    assert_eq!(
        changed,
        Subscription {
            attributes: Attributes::with_filter_policy(Some(policy(EURO))),
            ..subscription.clone()
        }
    );
    let after = ports.place(order_of(IN_DOLLAR)).await;
    ports
        .subscriptions
        .change_attributes(subscription.id, AttributesChange::with_filter_policy(None))
        .await
        .unwrap();
    let at_last = ports.place(order_of(IN_DOLLAR)).await;
    assert_eq!(ports.publish().await.unmatched, [after.id]);
    assert_eq!(matched_by(ports, &before).await, [subscription.id]);
    assert_eq!(matched_by(ports, &at_last).await, [subscription.id]);
}

/// A change is refused once there is nobody left who could want anything.
pub async fn an_ended_subscription_takes_no_change(ports: &LocalPorts<'_>) {
    let id = ports.confirmed(email("ada@example.com")).await.id;
    ports.subscriptions.unsubscribe(id, EndReason::Removed, now()).await.unwrap();
    let errors = [
        ports
            .subscriptions
            .change_attributes(id, AttributesChange::with_filter_policy(Some(policy(EURO))))
            .await
            .unwrap_err(),
        ports.subscriptions.resend_confirmation(id, delivery_id(), now()).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind, error.code), (ErrorKind::Conflict, "subscription_ended"));
    }
}

/// What is pending is cancelled, whatever its kind; the first reason stays.
pub async fn unsubscribing_ends_what_is_pending(ports: &LocalPorts<'_>) {
    let ada = ports.confirmed(email("ada@example.com")).await;
    let bob = ports.confirmed(email("bob@example.com")).await;
    let delivery = ports.notification(ada.id).await;
    let at = now();
    let ended = ports.subscriptions.unsubscribe(ada.id, EndReason::Unsubscribed, at).await.unwrap();
    assert_eq!(ended.state, SubscriptionState::Ended);
    assert_eq!(ended.end.map(|end| (end.at, end.reason)), Some((at, EndReason::Unsubscribed)));
    assert_eq!(ports.record(delivery.id).await.state, DeliveryState::Cancelled);
    let again = ports.subscriptions.unsubscribe(ada.id, EndReason::Removed, at + WHILE).await.unwrap();
    assert_eq!(again, ended);
    let due = ports.due(DeliveryKind::Notification).await;
    assert_eq!(due.iter().map(|delivery| delivery.subscription.id).collect::<Vec<_>>(), [bob.id]);

    let pending = ports.subscribe(email("eve@example.com")).await;
    ports.subscriptions.unsubscribe(pending.id, EndReason::Removed, now()).await.unwrap();
    assert_eq!(ports.due(DeliveryKind::Confirmation).await, []);
}

/// An order that was accepted before the end matches, and its delivery is cancelled at once: it is seen, and nothing is
/// sent.
pub async fn an_order_published_after_the_end_is_cancelled(ports: &LocalPorts<'_>) {
    let subscription = ports.confirmed(email("ada@example.com")).await;
    let before = ports.place(order()).await;
    ports.subscriptions.unsubscribe(subscription.id, EndReason::Removed, now()).await.unwrap();
    let after = ports.place(order()).await;
    ports.publish().await;
    let deliveries = ports.of_order(&before).await;
    assert_eq!(
        deliveries.iter().map(|delivery| delivery.state).collect::<Vec<_>>(),
        [DeliveryState::Cancelled]
    );
    assert_eq!(matched_by(ports, &after).await, []);
    assert_eq!(ports.due(DeliveryKind::Notification).await, []);
}

/// The new confirmation request takes the old one's place, and has all its time.
pub async fn a_confirmation_can_be_sent_again(ports: &LocalPorts<'_>) {
    let new = email("ada@example.com");
    let made = ports.subscribe(new.clone()).await;
    let (again, later) = (delivery_id(), new.now + WHILE);
    let asked = ports.subscriptions.resend_confirmation(made.id, again, later).await.unwrap();
    let renewed = Subscription {
        generation: 2,
        confirmation_expires_at: Some(later + CONFIRMATION_LIFETIME),
        ..made.clone()
    };
    assert_eq!(asked, renewed);
    let due = ports.due_by(later).await.deliveries;
    assert_eq!(
        due.iter().map(|delivery| (delivery.id, delivery.subscription.generation)).collect::<Vec<_>>(),
        [(again, 2)]
    );
    assert_eq!(ports.record(new.confirmation).await.state, DeliveryState::Cancelled);

    ports.local_subscriptions.confirm(made.id, 2, false, later).await.unwrap();
    let error = ports.subscriptions.resend_confirmation(made.id, delivery_id(), later).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Conflict, "already_confirmed"));
}

/// Newest first; pages neither repeat nor skip; filters hold together.
pub async fn subscriptions_are_listed_newest_first(ports: &LocalPorts<'_>) {
    let ada = ports.confirmed(email("ada@example.com")).await.id;
    let bob = ports.subscribe(email("bob@example.com")).await.id;
    let hook = ports.confirmed(subscription(Protocol::Webhook, "https://example.com/a")).await.id;
    let all = SubscriptionQuery::default();
    assert_eq!(listed(ports, &all).await, [hook, bob, ada]);
    let mail = SubscriptionQuery { protocol: Some(Protocol::Email), ..SubscriptionQuery::default() };
    assert_eq!(listed(ports, &mail).await, [bob, ada]);
    let confirmed_mail = SubscriptionQuery { state: Some(SubscriptionState::Confirmed), ..mail };
    assert_eq!(listed(ports, &confirmed_mail).await, [ada]);
}

async fn listed(ports: &LocalPorts<'_>, query: &SubscriptionQuery) -> Vec<SubscriptionId> {
    let (mut ids, mut page) = (Vec::new(), first_page(1));
    loop {
        let query = SubscriptionQuery { page: page.clone(), ..query.clone() };
        let found = ports.subscriptions.subscriptions(query).await.unwrap();
        ids.extend(found.items.into_iter().map(|subscription| subscription.id));
        let Some(next) = found.next else { return ids };
        page = PageRequest { cursor: Some(next), ..page };
    }
}

async fn matched_by(ports: &LocalPorts<'_>, order: &domain::order::Order) -> Vec<SubscriptionId> {
    ports.of_order(order).await.iter().map(|delivery| delivery.subscription).collect()
}
