//! What [`Topic`] promises whoever confirms and delivers: this host, or SNS.

use application::ErrorKind;
use application::ports::{NewSubscription, PageRequest, Published, Subscribed, SubscriptionQuery, Topic};
use domain::attributes::{Attributes, AttributesChange};
use domain::endpoint::Protocol;
use domain::subscription::{EndReason, Subscription, SubscriptionState};

use crate::Outbox;
use crate::given::{delivery_id, email, first_page, now, order, policy, subscription};

const EURO: &str = r#"{"currency":["EUR"],"express":[true]}"#;

/// The log forgets what the topic has.
pub async fn what_was_published_is_not_given_again(outbox: &Outbox<'_>) {
    for _ in 0..12 {
        outbox.place(order()).await;
    }
    assert_eq!(outbox.publish().await.failed, []);
    assert_eq!(outbox.log.unpublished(20).await.unwrap(), []);
}

/// Whoever died before it could tell does it once more.
pub async fn publishing_again_is_harmless(outbox: &Outbox<'_>) {
    outbox.topic.subscribe(email("ada@example.com")).await.unwrap();
    outbox.place(order()).await;
    let orders = outbox.log.unpublished(10).await.unwrap();
    let first = outbox.topic.publish(&orders).await.unwrap();
    assert_eq!(outbox.topic.publish(&orders).await.unwrap(), first);
    assert_eq!((first.failed, outbox.log.unpublished(10).await.unwrap()), (vec![], vec![]));
}

/// Publishing nothing is nothing.
pub async fn an_empty_run_changes_nothing(outbox: &Outbox<'_>) {
    assert_eq!(outbox.topic.publish(&[]).await.unwrap(), Published::default());
}

/// It reads back as it was made.
pub async fn a_subscription_is_found_by_its_id(outbox: &Outbox<'_>) {
    for new in [email("ada@example.com"), subscription(Protocol::Sms, "+4915112345678")] {
        let made = created(outbox.topic, new.clone()).await;
        assert_eq!((&made.endpoint, &made.attributes.filter_policy, made.end), (&new.endpoint, &None, None));
        assert_eq!(outbox.topic.subscription(made.id).await.unwrap(), Some(made));
    }
}

/// An id that was never given names nothing.
pub async fn an_unknown_subscription_takes_no_change(outbox: &Outbox<'_>) {
    let (topic, unknown) = (outbox.topic, email("nobody@example.com").id);
    assert_eq!(topic.subscription(unknown).await.unwrap(), None);
    let errors = [
        topic.change_attributes(unknown, AttributesChange::wanting(None)).await.unwrap_err(),
        topic.unsubscribe(unknown, EndReason::Removed, now()).await.unwrap_err(),
        topic.resend_confirmation(unknown, delivery_id(), now()).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind, error.code), (ErrorKind::NotFound, "subscription_not_found"));
    }
}

/// The same attributes are the same subscription; others are a conflict, and change nothing.
pub async fn an_endpoint_has_one_subscription(outbox: &Outbox<'_>) {
    let wanted = || NewSubscription {
        attributes: Attributes::wanting(Some(policy(EURO))),
        ..email("ada@example.com")
    };
    let made = created(outbox.topic, wanted()).await;
    assert_eq!(outbox.topic.subscribe(wanted()).await.unwrap(), Subscribed::Existing(made.clone()));
    let differing = outbox.topic.subscribe(email("ada@example.com")).await.unwrap();
    assert_eq!(differing, Subscribed::Differs(made.clone()));
    assert_eq!(outbox.topic.subscription(made.id).await.unwrap(), Some(made));
}

/// What was set is what reads back.
pub async fn a_filter_policy_is_kept_changed_and_removed(outbox: &Outbox<'_>) {
    let made = created(outbox.topic, email("ada@example.com")).await;
    for wanted in [Some(policy(EURO)), Some(policy(r#"{"total":[19.90],"sku":["M-1"]}"#)), None] {
        let changed =
            outbox.topic.change_attributes(made.id, AttributesChange::wanting(wanted.clone())).await.unwrap();
        assert_eq!(changed, Subscription { attributes: Attributes::wanting(wanted), ..made.clone() });
        assert_eq!(outbox.topic.subscription(made.id).await.unwrap(), Some(changed));
    }
}

/// An end is an end, and the endpoint is free for another beginning.
pub async fn what_was_ended_is_over(outbox: &Outbox<'_>) {
    let (topic, at) = (outbox.topic, now());
    let made = created(topic, email("ada@example.com")).await;
    let ended = topic.unsubscribe(made.id, EndReason::Removed, at).await.unwrap();
    assert_eq!(ended.state, SubscriptionState::Ended);
    assert_eq!(ended.end.map(|end| (end.at, end.reason)), Some((at, EndReason::Removed)));
    let left = topic.subscription(made.id).await.unwrap();
    assert!(left.is_none_or(|left| left.state == SubscriptionState::Ended));
    created(topic, email("ada@example.com")).await;
}

/// Pages neither repeat nor skip; filters hold.
pub async fn subscriptions_are_listed_once_each(outbox: &Outbox<'_>) {
    let mut all = Vec::new();
    for name in ["ada", "bob", "eve"] {
        all.push(created(outbox.topic, email(&format!("{name}@example.com"))).await);
    }
    let phone = created(outbox.topic, subscription(Protocol::Sms, "+4915112345678")).await;
    let mail = SubscriptionQuery { protocol: Some(Protocol::Email), ..SubscriptionQuery::default() };
    assert_eq!(listed(outbox.topic, &mail).await, sorted(all.clone()));
    all.push(phone);
    assert_eq!(listed(outbox.topic, &SubscriptionQuery::default()).await, sorted(all));
    let bad = PageRequest { cursor: Some("nonsense".to_owned()), ..first_page(10) };
    let error = outbox.topic.subscriptions(SubscriptionQuery { page: bad, ..mail }).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Invalid, "invalid_cursor"));
}

async fn created(topic: &dyn Topic, new: NewSubscription) -> Subscription {
    match topic.subscribe(new).await.unwrap() {
        Subscribed::Created(subscription) => subscription,
        other => panic!("not created but {other:?}"),
    }
}

async fn listed(topic: &dyn Topic, query: &SubscriptionQuery) -> Vec<Subscription> {
    let (mut all, mut page) = (Vec::new(), first_page(3));
    loop {
        let query = SubscriptionQuery { page: page.clone(), ..query.clone() };
        let found = topic.subscriptions(query).await.unwrap();
        all.extend(found.items);
        let Some(next) = found.next else { return sorted(all) };
        page = PageRequest { cursor: Some(next), ..page };
    }
}

fn sorted(mut subscriptions: Vec<Subscription>) -> Vec<Subscription> {
    subscriptions.sort_by_key(|subscription| subscription.id);
    subscriptions
}
