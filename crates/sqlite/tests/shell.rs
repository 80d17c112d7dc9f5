//! What people see and do with the `sqlite3` shell while the store is open.

#![expect(clippy::unwrap_used, reason = "what a test asks for outside its own function must not fail either")]

mod opened;

use std::time::Duration;

use application::ports::{
    DeliveryQueue, DueQuery, NewSubscription, OrderLog, OrderQuery, OrderStore, PageRequest, Topic,
};
use domain::delivery::DeliveryId;
use domain::endpoint::{Endpoint, Protocol};
use domain::subscription::SubscriptionId;
use opened::{now, open, options, order, order_at};
use orderbell_sqlite::Store;
use rusqlite::Connection;

#[tokio::test]
async fn the_documented_questions_are_answered() {
    let document = include_str!("../../../docs/SCHEMA.md");
    let (folder, store) = with_a_subscription().await;
    store.accept(order(), None).await.unwrap();
    let shell = shell(&folder);
    let queries = document.split("```sql").nth(1).unwrap().split("```").next().unwrap();
    let mut answers = 0;
    for query in queries.split_terminator(';').filter(|query| query.contains("SELECT")) {
        let mut statement = shell.prepare(query).unwrap();
        let mut rows = statement.query(()).unwrap();
        while rows.next().unwrap().is_some() {
            answers += 1;
        }
    }
    assert_eq!(answers, 3, "an order, a pending confirmation, the relay's lag");
    store.close().await;
}

#[tokio::test]
async fn every_table_and_column_is_documented() {
    let document = include_str!("../../../docs/SCHEMA.md");
    let (folder, store) = with_a_subscription().await;
    let shell = shell(&folder);
    let sql = "SELECT m.name, p.name FROM sqlite_schema m, pragma_table_info(m.name) p \
               WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT IN ('inbox', 'relay')";
    let mut statement = shell.prepare(sql).unwrap();
    let columns = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    for (table, column) in columns.map(Result::unwrap) {
        let (table, column): (String, String) = (table, column);
        assert!(document.contains(&format!("**{table}**")), "{table}");
        let short = column.strip_prefix("idempotency").unwrap_or(&column);
        let told = document.contains(&format!("`{column}`")) || document.contains(&format!("`{short}`"));
        let self_explaining =
            ["from_at", "reason", "number", "started_at", "delivery"].contains(&column.as_str());
        assert!(told || self_explaining, "{table}.{column}");
    }
    store.close().await;
}

#[tokio::test]
async fn the_deliveries_of_a_suspended_subscription_wait() {
    let (folder, store) = with_a_subscription().await;
    assert_eq!(due(&store).await, 1);
    shell(&folder).execute("UPDATE subscriptions SET state = 'suspended'", ()).unwrap();
    assert_eq!(due(&store).await, 0);
    store.close().await;
}

#[tokio::test]
async fn orders_are_found_by_their_times_even_where_a_clock_leapt() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let start = now();
    let mut ids = Vec::new();
    for minutes in [0, 600, 2, 1, 603, 4] {
        let placed = order_at(start + Duration::from_mins(minutes));
        ids.push(placed.id);
        store.accept(placed, None).await.unwrap();
    }
    let page = PageRequest { limit: 10, cursor: None };
    let (from, to) = (start + Duration::from_mins(1), start + Duration::from_mins(5));
    let found = store.orders(OrderQuery { from: Some(from), to: Some(to), page }).await.unwrap();
    let found: Vec<_> = found.items.iter().map(|order| order.id).collect();
    assert_eq!(found, [ids[5], ids[3], ids[2]]);
    store.close().await;
}

#[tokio::test]
async fn places_left_empty_by_failures_do_not_stop_the_relay() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.accept(order(), None).await.unwrap();
    store.accept(order(), None).await.unwrap();
    shell(&folder).execute("UPDATE orders SET seq = 7 WHERE seq = 2", ()).unwrap();
    let logged = store.unpublished(10).await.unwrap();
    assert_eq!(logged.iter().map(|logged| logged.seq.0).collect::<Vec<_>>(), [1, 7]);
    for order in logged {
        store.publish(&[order]).await.unwrap();
    }
    assert_eq!(store.unpublished(10).await.unwrap(), []);
    store.close().await;
}

fn shell(folder: &tempfile::TempDir) -> Connection {
    Connection::open(folder.path().join("orderbell.db")).unwrap()
}

async fn with_a_subscription() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let randomness = options().randomness;
    let new = NewSubscription {
        id: SubscriptionId::new(now(), randomness.bytes()),
        endpoint: Endpoint::parse(Protocol::Email, "ada@example.com").unwrap(),
        filter_policy: None,
        secret: None,
        confirmation: DeliveryId::new(now(), randomness.bytes()),
        now: now(),
    };
    store.subscribe(new).await.unwrap();
    (folder, store)
}

async fn due(store: &Store) -> usize {
    let (skip_endpoints, skip_protocols) = (Vec::new(), Vec::new());
    let query = DueQuery { now: now(), per_endpoint: 10, limit: 10, skip_endpoints, skip_protocols };
    store.due(query).await.unwrap().deliveries.len()
}
