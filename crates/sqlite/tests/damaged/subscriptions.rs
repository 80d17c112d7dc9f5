//! Damaged subscriptions and versions: nobody else waits for them, and they are told once they are mended.

use application::ports::{
    Deliveries, DeliveryQuery, DeliveryQueue, PageRequest, RetrySelection, Subscriptions,
};
use domain::attempt::{OutcomeKind, Scope};
use domain::attributes::{Attributes, AttributesChange, Escalation, Minutes, SubscribedTo};
use domain::endpoint::Protocol;
use domain::filter_policy::FilterPolicy;
use orderbell_sqlite::audit::ExceptionKind::{Quarantined, Unreadable};

use crate::opened::{finished, now, order};
use crate::world::World;

/// What can become of a subscription's row.
const DAMAGE: [(&str, &str); 11] = [
    ("id", "x'00'"),
    ("protocol", "'pigeon'"),
    ("endpoint", "CAST(x'ff' AS TEXT)"),
    ("filter_policy", "'{\"k\":[{\"sounds-like\":\"x\"}]}'"),
    ("fields", "'customerName,gossip'"),
    ("receives", "'gossip'"),
    ("state", "'odd'"),
    ("created_at", "9223372036854775807"),
    ("generation", "-1"),
    ("escalation_to", "x'0102'"),
    ("confirmed_at", "-9223372036854775808"),
];

#[tokio::test]
async fn a_damaged_subscription_hides_no_other_and_is_told_once_it_is_mended() {
    for (column, with) in DAMAGE {
        let world = World::new();
        let ada = world.confirmed("ada@example.com").await;
        let bob = world.confirmed("bob@example.com").await;
        let before = world.place().await;
        world.publish().await;
        let mend = world.damage("subscriptions", 1, column, with);
        let after = world.place().await;
        world.publish().await;
        assert_eq!(world.told(bob).await, [before, after], "{column} {with}");
        assert_eq!(world.told(ada).await, []);
        assert_eq!(world.quarantined(), [("subscriptions".to_owned(), 1)], "{column} {with}");
        let named = world.audited();
        let unreadable = named.iter().filter(|named| named.kind == Unreadable).count();
        assert_eq!(unreadable, 1, "{column} {with} {named:?}");
        world.sql(&mend);
        assert_eq!(
            world.audited().iter().map(|named| named.kind).collect::<Vec<_>>(),
            [Quarantined],
            "{column}"
        );
        assert_eq!(world.store.reexamine().await.unwrap(), 1);
        assert_eq!(world.told(ada).await, [before, after], "{column} {with}");
        assert_eq!((world.quarantined(), world.audited()), (vec![], vec![]), "{column} {with}");
        world.store.close().await;
    }
}

#[tokio::test]
async fn where_a_version_cannot_be_read_something_stands_for_each_order_in_its_span() {
    for (column, with) in
        [("state", "'odd'"), ("filter_policy", "'{'"), ("filter_policy", "CAST(x'ff' AS TEXT)")]
    {
        let world = World::new();
        let ada = world.confirmed("ada@example.com").await;
        let bob = world.confirmed("bob@example.com").await;
        let placed = [world.place().await, world.place().await];
        world.sql(&format!(
            "UPDATE subscription_versions SET {column} = {with} WHERE subscription = 1 AND state = 'confirmed'"
        ));
        world.publish().await;
        assert_eq!(world.told(bob).await, placed);
        assert_eq!(world.told(ada).await, []);
        assert_eq!(
            world.count("SELECT count(*) FROM deliveries WHERE quarantined = 1 AND subscription = 1"),
            2
        );
        assert_eq!(world.quarantined(), [("subscription_versions".to_owned(), 1)]);
        assert!(world.audited().iter().all(|named| named.kind == Unreadable), "{:?}", world.audited());
        world.sql(
            "UPDATE subscription_versions SET state = 'confirmed', filter_policy = NULL \
                   WHERE subscription = 1 AND from_seq = (SELECT max(from_seq) FROM subscription_versions)",
        );
        assert_eq!(world.store.reexamine().await.unwrap(), 1);
        assert_eq!(world.told(ada).await, placed);
        assert_eq!((world.quarantined(), world.audited()), (vec![], vec![]));
        world.store.close().await;
    }
}

#[tokio::test]
async fn what_stood_for_an_order_that_nobody_is_owed_is_taken_away_when_the_policy_is_mended() {
    let world = World::new();
    let ada = world.confirmed("ada@example.com").await;
    let policy = FilterPolicy::parse(r#"{"productName":["Keyboard"]}"#).unwrap();
    world.store.change_attributes(ada, AttributesChange::with_filter_policy(Some(policy))).await.unwrap();
    world.sql(
        "UPDATE subscription_versions SET filter_policy = '?' || filter_policy WHERE filter_policy NOTNULL",
    );
    world.place().await;
    let mut keyboard = order();
    keyboard.details =
        domain::order::OrderDetails::parse(br#"{"customerName":"Ada","productName":"Keyboard"}"#).unwrap();
    let wanted = world.place_one(keyboard).await;
    world.publish().await;
    assert_eq!(world.count("SELECT count(*) FROM deliveries WHERE quarantined = 1"), 2);
    // A person who does not see why they wait tries what there is to try.
    let page = PageRequest { limit: 100, cursor: None };
    let all = DeliveryQuery { page, ..DeliveryQuery::default() };
    for delivery in world.store.deliveries(all).await.unwrap().items {
        if delivery.quarantined {
            assert_eq!(world.store.retry(RetrySelection::One(delivery.id), now()).await.unwrap(), 1);
        }
    }
    assert_eq!(world.count("SELECT count(*) FROM interventions"), 2);
    world.sql("UPDATE subscription_versions SET filter_policy = substr(filter_policy, 2) WHERE filter_policy NOTNULL");
    world.store.reexamine().await.unwrap();
    assert_eq!(world.told(ada).await, [wanted]);
    assert_eq!(world.count("SELECT count(*) FROM deliveries WHERE kind = 'notification'"), 1);
    assert_eq!((world.quarantined(), world.audited()), (vec![], vec![]));
    world.store.close().await;
}

#[tokio::test]
async fn six_hundred_damaged_subscriptions_hide_none_behind_them() {
    let world = World::new();
    for number in 0..600 {
        world.confirmed(&format!("s{number}@example.com")).await;
    }
    let last = world.confirmed("last@example.com").await;
    let placed = world.place().await;
    world.publish().await;
    world.sql("UPDATE subscriptions SET protocol = 'x' || protocol WHERE seq <= 600");
    assert_eq!(world.due().await.len(), 1);
    assert_eq!(world.told(last).await, [placed]);
    world.sql("UPDATE subscriptions SET protocol = substr(protocol, 2) WHERE seq <= 600");
    assert_eq!(world.store.reexamine().await.unwrap(), 600);
    assert_eq!(world.due().await.len(), 601);
    assert_eq!(world.audited(), []);
    world.store.close().await;
}

#[tokio::test]
async fn one_attempt_to_a_damaged_subscription_does_not_keep_the_others_from_being_recorded() {
    for (column, with) in DAMAGE {
        let world = World::new();
        world.confirmed("ada@example.com").await;
        world.confirmed("bob@example.com").await;
        world.place().await;
        world.publish().await;
        let due = world.due().await;
        for (_, _, delivery, _) in &due {
            world.begin(*delivery, 1).await;
        }
        world.damage("subscriptions", 1, column, with);
        let gone = OutcomeKind::Permanent(Scope::Endpoint);
        let kinds = [gone, OutcomeKind::Delivered];
        let ends = due.iter().zip(kinds).map(|((_, _, delivery, _), kind)| finished(*delivery, 1, kind));
        world.store.finish(ends.collect()).await.unwrap();
        let open = world.count("SELECT count(*) FROM attempts WHERE ended_at IS NULL");
        assert_eq!(open, 0, "{column} {with}");
        assert_eq!(world.count("SELECT count(*) FROM deliveries WHERE state = 'delivered'"), 1);
        world.store.close().await;
    }
}

#[tokio::test]
async fn a_damaged_delivery_at_the_front_keeps_no_other_from_escalating() {
    let world = World::new();
    let bob = world.confirmed("bob@example.com").await;
    let escalation = Some(Escalation { after_minutes: Minutes::parse("m", 1).unwrap(), to: bob });
    let attributes = Attributes { escalation, ..Attributes::default() };
    world.confirmed_with(Protocol::Email, "ada@example.com", attributes).await;
    for _ in 0..600 {
        world.place().await;
    }
    world.place().await;
    world.sql("DELETE FROM subscription_versions WHERE subscription = 1 AND state = 'confirmed'");
    world.publish().await;
    let late = now() + std::time::Duration::from_mins(2);
    world.sql("UPDATE deliveries SET state = 'x' || state WHERE order_seq <= 600");
    let mut made = 0;
    for _ in 0..4 {
        let escalated = world.store.escalate(late).await.unwrap();
        made += escalated.deliveries;
    }
    assert_eq!(made, 1);
    assert_eq!(world.store.escalate(late).await.unwrap().next_at.filter(|at| *at <= late), None, "it rests");
    world.sql("UPDATE deliveries SET state = substr(state, 2) WHERE order_seq <= 600 AND state LIKE 'x%'");
    world.store.reexamine().await.unwrap();
    for _ in 0..3 {
        made += world.store.escalate(late).await.unwrap().deliveries;
    }
    assert_eq!(made, 601);
    world.store.close().await;
}

#[tokio::test]
async fn an_operator_who_cannot_be_read_keeps_no_other_from_being_told() {
    let world = World::new();
    let notices = Attributes { receives: SubscribedTo::Notices, ..Attributes::default() };
    world.confirmed_with(Protocol::Email, "op1@example.com", notices.clone()).await;
    world.confirmed_with(Protocol::Email, "op2@example.com", notices).await;
    world.confirmed("ada@example.com").await;
    world.place().await;
    world.publish().await;
    world.damage("subscriptions", 1, "protocol", "'pigeon'");
    // FailureStreak for long enough by now.
    world.sql("UPDATE subscriptions SET failing_since = 1, failed_last = 1, failed_for = 1000000000000, failures = 1000 WHERE seq = 3");
    let (_, _, delivery, _) = world.due().await[0];
    world.begin(delivery, 1).await;
    let end = finished(delivery, 1, OutcomeKind::Transient(Scope::Endpoint));
    assert_eq!(world.store.finish(vec![end]).await.unwrap().len(), 1, "it is suspended");
    world.store.notify_operators(now() + std::time::Duration::from_mins(2)).await.unwrap();
    let told = world.count("SELECT count(*) FROM deliveries WHERE kind = 'notice' AND subscription = 2");
    assert_eq!((told, world.quarantined()), (1, vec![("subscriptions".to_owned(), 1)]));
    world.sql("UPDATE subscriptions SET protocol = 'email' WHERE seq = 1");
    world.store.reexamine().await.unwrap();
    let told = world.count(
        "SELECT count(*) FROM deliveries WHERE kind = 'notice' AND subscription = 1 AND quarantined = 0",
    );
    assert_eq!((told, world.quarantined()), (1, vec![]), "told once it is mended");
    world.store.close().await;
}

#[tokio::test]
async fn asking_for_a_damaged_subscription_or_changing_it_names_the_row() {
    let world = World::new();
    let ada = world.confirmed("ada@example.com").await;
    world.damage("subscriptions", 1, "receives", "'gossip'");
    let asked = world.store.subscription(ada).await.unwrap_err();
    let changed =
        world.store.change_attributes(ada, AttributesChange::with_filter_policy(None)).await.unwrap_err();
    for error in [asked, changed] {
        assert_eq!(error.code, "unreadable_row");
        assert!(
            error.message.contains("subscriptions.seq = 1, receives is the unknown name \"gossip\""),
            "{error}"
        );
    }
    world.store.close().await;
}

#[tokio::test]
async fn what_should_escalate_to_somebody_who_cannot_be_named_waits_until_that_is_mended() {
    let world = World::new();
    let bob = world.confirmed("bob@example.com").await;
    let escalation = Some(Escalation { after_minutes: Minutes::parse("m", 1).unwrap(), to: bob });
    let attributes = Attributes { escalation, ..Attributes::default() };
    world.confirmed_with(Protocol::Email, "ada@example.com", attributes).await;
    world.sql("DELETE FROM subscription_versions WHERE subscription = 1 AND state = 'confirmed'");
    world.place().await;
    world.publish().await;
    let late = now() + std::time::Duration::from_mins(2);
    let mend = world.damage("subscriptions", 2, "escalation_to", "x'0102'");
    let escalated = world.store.escalate(late).await.unwrap();
    assert_eq!((escalated.deliveries, escalated.next_at), (0, None), "it rests");
    world.sql(&mend);
    world.store.reexamine().await.unwrap();
    assert_eq!(world.store.escalate(late).await.unwrap().deliveries, 1);
    assert_eq!(world.quarantined(), []);
    world.store.close().await;
}
