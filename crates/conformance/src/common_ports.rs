//! What publishing and subscribing promise, whoever confirms and delivers: this host, or SNS.

use application::ErrorKind;
use application::ports::{
    NewSubscription, OrderLog, OrderStore, PageRequest, Published, Publisher, Subscribed, SubscriptionQuery,
    Subscriptions,
};
use domain::attributes::{Attributes, AttributesChange};
use domain::endpoint::Protocol;
use domain::subscription::{EndReason, Subscription, SubscriptionState};

use crate::Outbox;
use crate::fixtures::{delivery_id, email, first_page, now, order, policy, subscription};

/// The ports that every host has.
#[derive(Clone, Copy)]
pub struct CommonPorts<'a> {
    /// What an order passes until it is published.
    pub outbox: Outbox<'a>,
    /// Where subscriptions live.
    pub subscriptions: &'a dyn Subscriptions,
}

impl<'a> CommonPorts<'a> {
    /// A store that is all of them.
    pub fn of<S: OrderStore + OrderLog + Publisher + Subscriptions>(store: &'a S) -> Self {
        Self { outbox: Outbox::of(store), subscriptions: store }
    }
}

const EURO: &str = r#"{"currency":["EUR"],"express":[true]}"#;

/// The log forgets what the topic has.
pub async fn what_was_published_is_not_given_again(host: &CommonPorts<'_>) {
    let outbox = host.outbox;
    for _ in 0..12 {
        outbox.place(order()).await;
    }
    assert_eq!(outbox.publish().await.failed, []);
    assert_eq!(outbox.log.unpublished(20).await.unwrap(), []);
}

/// Whoever died before it could tell does it once more.
pub async fn publishing_again_is_harmless(host: &CommonPorts<'_>) {
    let outbox = host.outbox;
    host.subscriptions.subscribe(email("ada@example.com")).await.unwrap();
    outbox.place(order()).await;
    let orders = outbox.log.unpublished(10).await.unwrap();
    let first = outbox.publisher.publish(&orders).await.unwrap();
    assert_eq!(outbox.publisher.publish(&orders).await.unwrap(), first);
    assert_eq!((first.failed, outbox.log.unpublished(10).await.unwrap()), (vec![], vec![]));
}

/// Publishing nothing is nothing.
pub async fn an_empty_run_changes_nothing(host: &CommonPorts<'_>) {
    assert_eq!(host.outbox.publisher.publish(&[]).await.unwrap(), Published::default());
}

/// It reads back as it was made.
pub async fn a_subscription_is_found_by_its_id(host: &CommonPorts<'_>) {
    for new in [email("ada@example.com"), subscription(Protocol::Sms, "+4915112345678")] {
        let made = created(host.subscriptions, new.clone()).await;
        assert_eq!((&made.endpoint, &made.attributes.filter_policy, made.end), (&new.endpoint, &None, None));
        assert_eq!(host.subscriptions.subscription(made.id).await.unwrap(), Some(made));
    }
}

/// An id that was never given names nothing.
pub async fn an_unknown_subscription_takes_no_change(host: &CommonPorts<'_>) {
    let (subscriptions, unknown) = (host.subscriptions, email("nobody@example.com").id);
    assert_eq!(subscriptions.subscription(unknown).await.unwrap(), None);
    let errors = [
        subscriptions
            .change_attributes(unknown, AttributesChange::with_filter_policy(None))
            .await
            .unwrap_err(),
        subscriptions.unsubscribe(unknown, EndReason::Removed, now()).await.unwrap_err(),
        subscriptions.resend_confirmation(unknown, delivery_id(), now()).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind, error.code), (ErrorKind::NotFound, "subscription_not_found"));
    }
}

/// The same attributes are the same subscription; others are a conflict, and change nothing.
pub async fn an_endpoint_has_one_subscription(host: &CommonPorts<'_>) {
    let wanted = || NewSubscription {
        attributes: Attributes::with_filter_policy(Some(policy(EURO))),
        ..email("ada@example.com")
    };
    let made = created(host.subscriptions, wanted()).await;
    assert_eq!(host.subscriptions.subscribe(wanted()).await.unwrap(), Subscribed::Existing(made.clone()));
    let differing = host.subscriptions.subscribe(email("ada@example.com")).await.unwrap();
    assert_eq!(differing, Subscribed::Differs(made.clone()));
    assert_eq!(host.subscriptions.subscription(made.id).await.unwrap(), Some(made));
}

/// What was set is what reads back.
pub async fn a_filter_policy_is_kept_changed_and_removed(host: &CommonPorts<'_>) {
    let made = created(host.subscriptions, email("ada@example.com")).await;
    for wanted in [Some(policy(EURO)), Some(policy(r#"{"total":[19.90],"sku":["M-1"]}"#)), None] {
        let changed = host
            .subscriptions
            .change_attributes(made.id, AttributesChange::with_filter_policy(wanted.clone()))
            .await
            .unwrap();
        assert_eq!(
            changed,
            Subscription { attributes: Attributes::with_filter_policy(wanted), ..made.clone() }
        );
        assert_eq!(host.subscriptions.subscription(made.id).await.unwrap(), Some(changed));
    }
}

/// An end is an end, and the endpoint is free for another beginning.
pub async fn what_was_ended_is_over(host: &CommonPorts<'_>) {
    let (subscriptions, at) = (host.subscriptions, now());
    let made = created(subscriptions, email("ada@example.com")).await;
    let ended = subscriptions.unsubscribe(made.id, EndReason::Removed, at).await.unwrap();
    assert_eq!(ended.state, SubscriptionState::Ended);
    assert_eq!(ended.end.map(|end| (end.at, end.reason)), Some((at, EndReason::Removed)));
    let left = subscriptions.subscription(made.id).await.unwrap();
    assert!(left.is_none_or(|left| left.state == SubscriptionState::Ended));
    created(subscriptions, email("ada@example.com")).await;
}

/// Pages neither repeat nor skip; filters hold.
pub async fn subscriptions_are_listed_once_each(host: &CommonPorts<'_>) {
    let mut all = Vec::new();
    for name in ["ada", "bob", "eve"] {
        all.push(created(host.subscriptions, email(&format!("{name}@example.com"))).await);
    }
    let phone = created(host.subscriptions, subscription(Protocol::Sms, "+4915112345678")).await;
    let mail = SubscriptionQuery { protocol: Some(Protocol::Email), ..SubscriptionQuery::default() };
    assert_eq!(listed(host.subscriptions, &mail).await, sorted(all.clone()));
    all.push(phone);
    assert_eq!(listed(host.subscriptions, &SubscriptionQuery::default()).await, sorted(all));
    let bad = PageRequest { cursor: Some("nonsense".to_owned()), ..first_page(10) };
    let error = host.subscriptions.subscriptions(SubscriptionQuery { page: bad, ..mail }).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Invalid, "invalid_cursor"));
}

async fn created(subscriptions: &dyn Subscriptions, new: NewSubscription) -> Subscription {
    match subscriptions.subscribe(new).await.unwrap() {
        Subscribed::Created(subscription) => subscription,
        other => panic!("not created but {other:?}"),
    }
}

async fn listed(subscriptions: &dyn Subscriptions, query: &SubscriptionQuery) -> Vec<Subscription> {
    let (mut all, mut page) = (Vec::new(), first_page(3));
    loop {
        let query = SubscriptionQuery { page: page.clone(), ..query.clone() };
        let found = subscriptions.subscriptions(query).await.unwrap();
        all.extend(found.items);
        let Some(next) = found.next else { return sorted(all) };
        page = PageRequest { cursor: Some(next), ..page };
    }
}

fn sorted(mut subscriptions: Vec<Subscription>) -> Vec<Subscription> {
    subscriptions.sort_by_key(|subscription| subscription.id);
    subscriptions
}
