//! Damaged orders: the relay goes on around them, and publishes them once they are mended.

use application::ports::{OrderLog, OrderStore, Publisher, Subscriptions};
use domain::language::Language;
use domain::reader::Reader;
use domain::shop::Shop;
use domain::time_zone::TimeZoneName;
use orderbell_sqlite::audit::ExceptionKind::Unreadable;

use crate::opened::order;
use crate::world::World;

/// What can become of an order's row.
const DAMAGE: [(&str, &str); 8] = [
    ("id", "x'00'"),
    ("id", "x''"),
    ("body", "'{\"customerName\":'"),
    ("body", "'{\"customerName\":7}'"),
    ("body", "CAST(x'ff' AS TEXT)"),
    ("order_time", "9223372036854775807"),
    ("order_time", "-9223372036854775808"),
    ("request_id", "CAST(x'fe' AS TEXT)"),
];

#[tokio::test]
async fn a_damaged_order_hides_no_other_and_is_published_once_it_is_mended() {
    for (column, with) in DAMAGE {
        let world = World::new();
        let ada = world.confirmed("ada@example.com").await;
        let placed = [world.place().await, world.place().await, world.place().await];
        let mend = world.damage("orders", 1, column, with);
        world.publish().await;
        assert_eq!(world.told(ada).await, placed[1..], "{column} {with}");
        assert_eq!(world.quarantined(), [("orders".to_owned(), 1)]);
        assert!(world.audited().iter().all(|named| named.kind == Unreadable), "{:?}", world.audited());
        assert_eq!(world.store.reexamine().await.unwrap(), 0);
        world.sql(&mend);
        assert_eq!(world.store.reexamine().await.unwrap(), 1);
        assert_eq!(world.told(ada).await.len(), 3, "{column} {with}");
        assert_eq!((world.quarantined(), world.audited()), (vec![], vec![]), "{column} {with}");
        world.store.close().await;
    }
}

#[tokio::test]
async fn six_hundred_damaged_orders_at_the_front_hide_none_behind_them() {
    let world = World::new();
    let ada = world.confirmed("ada@example.com").await;
    for _ in 0..600 {
        world.place().await;
    }
    let last = world.place().await;
    world.sql("UPDATE orders SET body = '-' || body WHERE seq <= 600");
    assert_eq!(world.store.unpublished(10).await.unwrap().len(), 1);
    world.publish().await;
    assert_eq!(world.told(ada).await, [last]);
    world.sql("UPDATE orders SET body = substr(body, 2) WHERE seq <= 600");
    assert_eq!(world.store.reexamine().await.unwrap(), 600);
    assert_eq!(world.told(ada).await.len(), 601);
    assert_eq!((world.quarantined(), world.audited()), (vec![], vec![]));
    world.store.close().await;
}

#[tokio::test]
async fn a_thousand_damaged_orders_between_others_leave_none_for_the_next_look() {
    let world = World::new();
    let ada = world.confirmed("ada@example.com").await;
    let mut placed = Vec::new();
    for _ in 0..1_003 {
        placed.push(world.place().await);
    }
    world.sql("UPDATE orders SET body = '-' || body WHERE seq > 1 AND seq <= 1001");
    let found = world.store.unpublished(10).await.unwrap();
    assert_eq!(found.len(), 3, "the relay sleeps once it was given few");
    world.store.publish(&found).await.unwrap();
    assert_eq!(world.told(ada).await, [placed[0], placed[1_001], placed[1_002]]);
    world.store.close().await;
}

#[tokio::test]
async fn an_order_that_is_mended_before_the_relay_passed_it_is_published_in_its_place() {
    let world = World::new();
    let ada = world.confirmed("ada@example.com").await;
    let only = world.place().await;
    let mend = world.damage("orders", 1, "body", "'?'");
    assert!(world.store.unpublished(10).await.unwrap().is_empty());
    world.sql(&mend);
    assert_eq!(world.store.reexamine().await.unwrap(), 1);
    assert_eq!(world.store.unpublished(10).await.unwrap().len(), 1);
    world.publish().await;
    assert_eq!(world.told(ada).await, [only]);
    world.store.close().await;
}

#[tokio::test]
async fn an_order_that_is_damaged_after_it_was_published_waits_with_its_deliveries() {
    let world = World::new();
    let (ada, bob) = (world.confirmed("ada@example.com").await, world.confirmed("bob@example.com").await);
    world.place().await;
    let other = world.place().await;
    world.publish().await;
    let mend = world.damage("orders", 1, "body", "'?'");
    assert_eq!((world.told(ada).await, world.told(bob).await), (vec![other], vec![other]));
    assert_eq!(world.count("SELECT count(*) FROM deliveries WHERE quarantined = 1"), 2);
    world.sql(&mend);
    world.store.reexamine().await.unwrap();
    assert_eq!((world.told(ada).await.len(), world.told(bob).await.len()), (2, 2));
    assert_eq!(world.audited(), []);
    world.store.close().await;
}

#[tokio::test]
async fn a_row_that_is_quarantined_and_taken_away_by_hand_is_forgotten() {
    let world = World::new();
    world.place().await;
    world.place().await;
    world.damage("orders", 1, "body", "'?'");
    world.publish().await;
    world.sql("DELETE FROM orders WHERE seq = 1");
    assert_eq!(world.store.reexamine().await.unwrap(), 1);
    assert_eq!(world.quarantined(), []);
    world.store.close().await;
}

/// The reason goes to the log: it names the column, and quotes nothing of what stands there.
#[tokio::test]
async fn a_reason_names_the_column_and_quotes_nothing() {
    let world = World::new();
    world.place().await;
    world.damage("orders", 1, "body", "'{\"customerName\":\"Ada Lovelace\",\"productName\":7}'");
    world.publish().await;
    let page = world.store.orders(application::ports::OrderQuery::default()).await.unwrap();
    assert!(page.unreadable[0].reason.starts_with("body is not the JSON"), "{:?}", page.unreadable);
    assert!(!page.unreadable[0].reason.contains("Lovelace"));
    assert_eq!(page.unreadable[0].place, "orders.seq = 1");
    world.store.close().await;
}

#[tokio::test]
async fn what_no_rule_of_today_would_take_is_published_and_due_all_the_same() {
    let world = World::new();
    let ada = world.confirmed("ada@example.com").await;
    let placed = world.place_one(order()).await;
    world.sql(
        r#"UPDATE orders SET body = '{"customerName":"","productName":"Mouse","currency":"ANG","note":""}'"#,
    );
    world.sql("UPDATE subscriptions SET endpoint = 'nowhere', max_receives_per_second = 0, escalation_minutes = 1 << 60");
    world.sql("UPDATE subscriptions SET filter_policy = '{}', failures = -1, escalation_to = randomblob(16)");
    world.sql("UPDATE subscription_versions SET filter_policy = '{}'");
    world.sql("UPDATE subscriptions SET language = CAST(x'ff' AS TEXT), time_zone = 'Mars/Olympus_Mons'");
    world.publish().await;
    assert_eq!(world.told(ada).await, [placed]);
    let read = world.store.subscription(ada).await.unwrap().unwrap();
    assert_eq!(read.endpoint.to_string(), "nowhere");
    assert_eq!(read.attributes.max_receives_per_second.map(u32::from), Some(1));
    assert_eq!(read.attributes.escalation.map(|escalation| escalation.after_minutes.get()), Some(u16::MAX));
    let reader = Reader::of(&Shop { language: Language::De, ..Shop::default() }, &read.attributes);
    assert_eq!(
        (reader.language, reader.time_zone.iana_name()),
        (Language::De, Some("UTC")),
        "as the shop has it"
    );
    assert_eq!(
        read.attributes.time_zone,
        Some(TimeZoneName::stored("Mars/Olympus_Mons")),
        "until it is known"
    );
    assert_eq!(world.store.order(placed).await.unwrap().unwrap().details.currency.as_deref(), Some("ANG"));
    assert_eq!((world.quarantined(), world.audited()), (vec![], vec![]));
    world.store.close().await;
}
