//! What people see and do with the `sqlite3` shell while the store is open.

#![expect(clippy::unwrap_used, reason = "what a test asks for outside its own function must not fail either")]

mod opened;

use application::ports::{OrderLog, OrderStore, Publisher};
use opened::{due, open, order, subscribe};
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
               WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT IN ('inbox', 'relay', 'probe')";
    let mut statement = shell.prepare(sql).unwrap();
    let columns = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    for (table, column) in columns.map(Result::unwrap) {
        let (table, column): (String, String) = (table, column);
        assert!(document.contains(&format!("**{table}**")), "{table}");
        let told = document.contains(&format!("`{column}`"));
        let self_explaining =
            ["one", "from_at", "reason", "number", "started_at", "delivery"].contains(&column.as_str());
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
async fn places_left_empty_by_failures_do_not_stop_the_relay() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.accept(order(), None).await.unwrap();
    store.accept(order(), None).await.unwrap();
    shell(&folder).execute("UPDATE orders SET seq = 7 WHERE seq = 2", ()).unwrap();
    assert_eq!(unpublished(&store).await, [1, 7]);
    publish(&store).await;
    assert!(unpublished(&store).await.is_empty());
    store.close().await;
}

#[tokio::test]
async fn the_place_of_an_order_that_someone_took_away_is_not_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.accept(order(), None).await.unwrap();
    store.accept(order(), None).await.unwrap();
    shell(&folder).execute("DELETE FROM orders WHERE seq = 2", ()).unwrap();
    store.accept(order(), None).await.unwrap();
    assert_eq!(unpublished(&store).await, [1, 3]);
    store.close().await;
}

#[tokio::test]
async fn an_order_is_published_though_someone_took_all_before_it_away() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.accept(order(), None).await.unwrap();
    store.accept(order(), None).await.unwrap();
    publish(&store).await;
    shell(&folder).execute("DELETE FROM orders", ()).unwrap();
    store.close().await;

    let store = open(folder.path());
    store.accept(order(), None).await.unwrap();
    assert_eq!(unpublished(&store).await, [3]);
    store.close().await;
}

#[tokio::test]
async fn an_order_comes_after_the_subscriptions_before_it_though_someone_took_orders_away() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.accept(order(), None).await.unwrap();
    subscribe(&store).await;
    shell(&folder).execute("DELETE FROM orders", ()).unwrap();
    store.close().await;

    let store = open(folder.path());
    store.accept(order(), None).await.unwrap();
    let from: i64 =
        shell(&folder).query_row("SELECT from_seq FROM subscription_versions", (), |row| row.get(0)).unwrap();
    assert_eq!(unpublished(&store).await, [from]);
    store.close().await;
}

#[tokio::test]
async fn an_order_that_someone_adds_stops_neither_the_intake_nor_the_relay() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.accept(order(), None).await.unwrap();
    let add = "INSERT INTO orders (id, order_time, body, request_id) \
               SELECT randomblob(16), order_time, body, 'by hand' FROM orders LIMIT 1";
    shell(&folder).execute(add, ()).unwrap();
    store.accept(order(), None).await.unwrap();
    assert_eq!(unpublished(&store).await, [1, 2, 3]);
    publish(&store).await;
    assert!(unpublished(&store).await.is_empty());
    store.close().await;
}

/// The places of the orders that the relay has before it.
async fn unpublished(store: &Store) -> Vec<i64> {
    store.unpublished(10).await.unwrap().iter().map(|logged| logged.seq.0).collect()
}

/// Publishes what is before the relay, one order at a time.
async fn publish(store: &Store) {
    for order in store.unpublished(10).await.unwrap() {
        store.publish(&[order]).await.unwrap();
    }
}

fn shell(folder: &tempfile::TempDir) -> Connection {
    Connection::open(folder.path().join("orderbell.db")).unwrap()
}

async fn with_a_subscription() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    subscribe(&store).await;
    (folder, store)
}
