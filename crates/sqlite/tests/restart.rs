//! What a store still knows after its process ended, in good order or not.

#![expect(clippy::unwrap_used, reason = "what a test asks for outside its own function must not fail either")]

mod opened;

use std::fs;
use std::path::Path;

use application::ports::{Acceptance, Deliveries, DeliveryQueue, Intent, OrderLog, OrderQuery, OrderStore};
use domain::delivery::DeliveryState;
use opened::{due, key, now, open, order, subscribe};

/// A copy of the files as they are on disk at this moment, as a crash would leave them.
fn crashed(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["orderbell.db", "orderbell.db-wal"] {
        fs::copy(folder.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut accepted = Vec::new();
    for number in 0..100 {
        let order = order();
        store.accept(order.clone(), Some(key(&number.to_string()))).await.unwrap();
        accepted.push(order);
    }
    let copy = crashed(folder.path());
    let survivor = open(copy.path());
    let logged = survivor.unpublished(1_000).await.unwrap();
    assert!(logged.iter().map(|logged| logged.order.id).eq(accepted.iter().map(|order| order.id)));
    let retry = survivor.accept(order(), Some(key("7"))).await.unwrap();
    assert_eq!(retry, Acceptance::Repeated(accepted[7].id));
    survivor.close().await;
    store.close().await;
}

#[tokio::test]
async fn keys_survive_a_restart_for_their_lifetime() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut old = order();
    old.time -= key("x").lifetime * 2;
    let fresh = order();
    store.accept(old, Some(key("old"))).await.unwrap();
    store.accept(fresh.clone(), Some(key("fresh"))).await.unwrap();
    store.close().await;

    let store = open(folder.path());
    assert_eq!(store.accept(order(), Some(key("fresh"))).await.unwrap(), Acceptance::Repeated(fresh.id));
    let again = order();
    assert_eq!(store.accept(again.clone(), Some(key("old"))).await.unwrap(), Acceptance::Stored);
    store.close().await;

    let store = open(folder.path());
    assert_eq!(store.accept(order(), Some(key("old"))).await.unwrap(), Acceptance::Repeated(again.id));
    assert_eq!(
        store.orders(OrderQuery::default()).await.unwrap().items.len(),
        1,
        "a limit of 0 is taken as 1"
    );
    store.close().await;
}

#[tokio::test]
async fn an_attempt_that_a_crash_cut_short_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let confirmation = subscribe(&store).await;
    let intent = Intent { delivery: confirmation, number: 1, at: now() };
    assert_eq!(store.begin(vec![intent]).await.unwrap(), [confirmation]);
    let copy = crashed(folder.path());
    let survivor = open(copy.path());
    let interrupted = survivor.interrupted().await.unwrap();
    assert_eq!(
        interrupted.iter().map(|cut| (cut.delivery, cut.number)).collect::<Vec<_>>(),
        [(confirmation, 1)]
    );
    assert_eq!(due(&survivor).await, 0);
    assert_eq!(survivor.delivery(confirmation).await.unwrap().unwrap().state, DeliveryState::InFlight);
    survivor.close().await;
    store.close().await;
}

#[tokio::test]
async fn a_closed_store_answers_so_and_leaves_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.accept(order(), None).await.unwrap();
    store.close().await;
    store.close().await;
    assert_eq!(store.accept(order(), None).await.unwrap_err().code, "shutting_down");
    assert_eq!(store.ready().await.unwrap_err().code, "shutting_down");
    assert_eq!(store.orders(OrderQuery::default()).await.unwrap_err().code, "shutting_down");
    assert!(!folder.path().join("orderbell.db-wal").exists());
}

#[tokio::test]
async fn what_waits_when_the_store_is_closed_is_still_stored() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let placed = order();
    let (accepted, ()) = tokio::join!(store.accept(placed.clone(), None), store.close());
    assert_eq!(accepted.unwrap(), Acceptance::Stored);
    let store = open(folder.path());
    assert_eq!(store.order(placed.id).await.unwrap().map(|order| order.id), Some(placed.id));
    store.close().await;
}
