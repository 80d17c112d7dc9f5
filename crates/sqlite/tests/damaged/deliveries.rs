//! Damaged deliveries, and what happened to them.

use application::ports::{Deliveries, DropSelection, RedriveSelection};
use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::WaitReason;
use orderbell_sqlite::audit::ExceptionKind::Unreadable;

use application::ports::{DeliveryQueue, Intent, Subscriptions};
use domain::attributes::AttributesChange;
use domain::filter_policy::FilterPolicy;
use domain::subscription::EndReason;

use crate::opened::{finished, now};
use crate::world::World;

/// What can become of a delivery's row.
const DAMAGE: [(&str, &str); 7] = [
    ("id", "x'00'"),
    ("kind", "'whim'"),
    ("state", "'lost'"),
    ("notice", "'{'"),
    ("attempts", "-1"),
    ("created_at", "9223372036854775807"),
    ("cancel_reason", "'boredom'"),
];

#[tokio::test]
async fn a_damaged_delivery_hides_no_other_and_is_sent_once_it_is_mended() {
    for (column, with) in DAMAGE {
        let world = World::new();
        let ada = world.confirmed("ada@example.com").await;
        let placed = [world.place().await, world.place().await];
        world.publish().await;
        // The first is the confirmation.
        let mend = world.damage("deliveries", 2, column, with);
        world.store.deliveries(application::ports::DeliveryQuery::default()).await.unwrap();
        assert_eq!(world.told(ada).await.last(), Some(&placed[1]), "{column} {with}");
        let named = world.audited();
        assert!(
            named.iter().any(|named| named.kind == Unreadable && named.wrong.contains("deliveries.seq = 2"))
                || column == "attempts",
            "{column} {with} {named:?}"
        );
        world.sql(&mend);
        world.store.reexamine().await.unwrap();
        assert_eq!(world.told(ada).await, placed, "{column} {with}");
        assert_eq!((world.quarantined(), world.audited()), (vec![], vec![]), "{column} {with}");
        world.store.close().await;
    }
}

/// As between the commit that marks its order and the one that cancels it.
#[tokio::test]
async fn what_waits_for_spam_and_is_not_cancelled_yet_does_not_begin() {
    let world = World::new();
    world.confirmed("ada@example.com").await;
    for _ in 0..2 {
        world.place().await;
    }
    world.publish().await;
    let intents = world.due().await.into_iter().map(|due| Intent { delivery: due.2, number: 1, at: now() });
    let intents: Vec<_> = intents.collect();
    let real = intents[1].delivery;
    world.sql("INSERT INTO spam (order_seq, marked_at) VALUES (1, 1)");
    assert_eq!(world.store.begin(intents).await.unwrap(), [real]);
    assert_eq!(world.count("SELECT count(*) FROM attempts"), 1);
    world.store.close().await;
}

#[tokio::test]
async fn six_hundred_damaged_deliveries_at_the_front_hide_none_behind_them() {
    let world = World::new();
    let ada = world.confirmed("ada@example.com").await;
    for _ in 0..601 {
        world.place().await;
    }
    world.publish().await;
    world.sql("UPDATE deliveries SET kind = 'x' || kind WHERE order_seq <= 600");
    assert_eq!(world.told(ada).await.len(), 1);
    world.deliver().await;
    world.sql("UPDATE deliveries SET kind = substr(kind, 2) WHERE order_seq <= 600");
    assert_eq!(world.store.reexamine().await.unwrap(), 600);
    assert_eq!(world.told(ada).await.len(), 600);
    world.deliver().await;
    assert_eq!((world.quarantined(), world.audited()), (vec![], vec![]));
    world.store.close().await;
}

#[tokio::test]
async fn what_happened_to_a_delivery_is_told_as_far_as_it_can_be_read() {
    let world = World::new();
    world.confirmed("ada@example.com").await;
    let order = world.place().await;
    world.publish().await;
    let (_, _, delivery, _) = world.due().await[0];
    world.begin(delivery, 1).await;
    let dead = finished(delivery, 1, OutcomeKind::Permanent(Scope::Delivery));
    world.store.finish(vec![dead]).await.unwrap();
    world.store.redrive(RedriveSelection::One(delivery), now()).await.unwrap();
    world.begin(delivery, 2).await;
    world.sql("INSERT INTO receipts VALUES (2, 1, 1, 'eaten', 'by the dog', 0)");
    world.sql("UPDATE attempts SET ended_at = 9223372036854775807 WHERE number = 1");
    world.sql("UPDATE interventions SET kind = 'kissed'");
    world.sql("INSERT INTO channel_pauses (protocol, from_at, reason) VALUES ('pigeon', 0, 'ill')");
    let history = world.store.order_history(order).await.unwrap().unwrap();
    let record = &history.deliveries[0];
    assert_eq!((record.attempts.len(), record.receipts.len(), record.interventions.len()), (1, 0, 0));
    let places: Vec<_> = record.unreadable.iter().map(|row| row.place.as_str()).collect();
    assert_eq!(places, ["attempts.delivery = 2", "receipts.delivery = 2", "interventions.delivery = 2"]);
    assert_eq!(history.unreadable[0].place, "channel_pauses.seq = 1");
    assert_eq!(world.quarantined().len(), 4, "seen once, it is quarantined");
    let named: Vec<_> = world.audited().into_iter().map(|named| named.wrong).collect();
    for table in [
        "attempts.delivery = 2",
        "receipts.delivery = 2",
        "interventions.delivery = 2",
        "channel_pauses.seq = 1",
    ] {
        assert!(named.iter().any(|wrong| wrong.starts_with(table)), "{table} in {named:?}");
    }
    // Nothing waits for these.
    world.store.finish(vec![finished(delivery, 2, OutcomeKind::Delivered)]).await.unwrap();
    world.sql("DELETE FROM receipts");
    world.sql("UPDATE attempts SET ended_at = started_at WHERE number = 1");
    world.sql("UPDATE interventions SET kind = 'redriven'");
    world.sql("DELETE FROM channel_pauses");
    assert_eq!(world.store.reexamine().await.unwrap(), 4);
    assert_eq!((world.quarantined(), world.audited()), (vec![], vec![]));
    world.store.close().await;
}

#[tokio::test]
async fn a_delivery_that_waits_for_something_to_be_mended_says_so() {
    let world = World::new();
    let ada = world.confirmed("ada@example.com").await;
    world.place().await;
    world.publish().await;
    let delivery = world.due().await[0].2;
    let mend = world.damage("orders", 1, "body", "'?'");
    assert_eq!(world.told(ada).await, []);
    let record = world.store.delivery(delivery).await.unwrap().unwrap();
    assert_eq!(record.waits_because(now()), Some(WaitReason::Quarantined));
    world.sql(&mend);
    world.store.reexamine().await.unwrap();
    let record = world.store.delivery(delivery).await.unwrap().unwrap();
    assert_eq!(record.waits_because(now()), None);
    world.store.close().await;
}

#[tokio::test]
async fn a_person_who_would_change_what_cannot_be_read_is_told_so() {
    let world = World::new();
    world.confirmed("ada@example.com").await;
    world.place().await;
    world.publish().await;
    let delivery = world.due().await[0].2;
    world.damage("deliveries", 2, "state", "'lost'");
    let redriven = world.store.redrive(RedriveSelection::One(delivery), now()).await.unwrap_err();
    let dropped = world.store.drop_deliveries(DropSelection::One(delivery), now()).await.unwrap_err();
    let shown = world.store.delivery(delivery).await.unwrap_err();
    for error in [redriven, dropped, shown] {
        assert_eq!(error.code, "unreadable_row");
    }
    world.store.close().await;
}

/// Who ended while nobody could say what matched them is told nothing more, as anybody who ended: be it before their
/// orders were published or after.
#[tokio::test]
async fn what_waited_for_a_subscription_that_ended_is_cancelled_or_taken_away() {
    for ends_first in [false, true] {
        let world = World::new();
        let ada = world.confirmed("ada@example.com").await;
        let policy = FilterPolicy::parse(r#"{"productName":["Keyboard"]}"#).unwrap();
        let end = async || world.store.unsubscribe(ada, EndReason::Removed, now()).await.unwrap();
        world.place().await;
        world.store.change_attributes(ada, AttributesChange::with_filter_policy(Some(policy))).await.unwrap();
        world.place().await;
        if ends_first {
            end().await;
        }
        world.sql("UPDATE subscription_versions SET state = 'x' || state WHERE state = 'confirmed'");
        world.publish().await;
        if !ends_first {
            end().await;
        }
        world.sql("UPDATE subscription_versions SET state = substr(state, 2) WHERE state = 'xconfirmed'");
        world.store.reexamine().await.unwrap();
        let left = "SELECT count(*) FROM deliveries WHERE kind = 'notification'";
        assert_eq!(world.count(left), 1, "the second order never matched, {ends_first}");
        let cancelled = format!("{left} AND state = 'cancelled' AND quarantined = 0");
        assert_eq!(world.count(&cancelled), 1, "{ends_first}");
        assert_eq!((world.quarantined(), world.audited()), (vec![], vec![]), "{ends_first}");
        world.store.close().await;
    }
}
