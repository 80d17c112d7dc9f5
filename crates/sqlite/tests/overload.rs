//! What the store answers when it cannot keep up, or cannot go on.

#![expect(clippy::unwrap_used, reason = "what a test asks for outside its own function must not fail either")]

mod opened;

use std::path::Path;
use std::process::Command;

use application::ErrorKind;
use application::ports::{Acceptance, OrderStore};
use opened::{open, options, order};
use orderbell_sqlite::{Options, Store};
use rusqlite::Connection;
use tokio::task::{JoinSet, yield_now};

#[tokio::test]
async fn an_order_too_many_is_refused_at_once_and_nothing_of_it_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Options { waiting_orders: 1, ..options() }).unwrap();
    // Someone at the shell holds the write lock, so that the writer waits.
    let shell = Connection::open(folder.path().join("orderbell.db")).unwrap();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut taken = JoinSet::new();
    let place = |store: Store| async move { store.accept(order(), None).await.unwrap() };
    taken.spawn(place(store.clone()));
    yield_now().await;
    // The writer takes the first, and waits with it for the lock.
    while store.ready().await.is_err() {
        yield_now().await;
    }
    taken.spawn(place(store.clone()));
    yield_now().await;
    let refused = store.accept(order(), None).await.unwrap_err();
    assert_eq!((refused.kind, refused.code), (ErrorKind::Busy, "too_busy"));
    assert!(refused.retry_after.is_some());
    assert_eq!(store.ready().await.unwrap_err().code, "too_busy");
    shell.execute_batch("COMMIT").unwrap();
    assert_eq!(taken.join_all().await, [Acceptance::Stored, Acceptance::Stored]);
    let stored: i64 = shell.query_row("SELECT count(*) FROM orders", (), |row| row.get(0)).unwrap();
    assert_eq!(stored, 2);
    store.close().await;
}

#[tokio::test]
async fn a_store_that_someone_else_locks_is_not_ready_until_it_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.accept(order(), None).await.unwrap();
    assert!(store.ready().await.unwrap().last_commit.is_some());
    let shell = Connection::open(folder.path().join("orderbell.db")).unwrap();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.accept(order(), None).await.unwrap_err();
    assert_eq!((refused.kind, refused.code), (ErrorKind::Busy, "too_busy"));
    let unready = store.ready().await.unwrap_err();
    assert_eq!((unready.kind, unready.code), (ErrorKind::Busy, "locked"));
    assert!(unready.message.contains("the last commit was at 20"), "{unready}");
    shell.execute_batch("COMMIT").unwrap();
    // Nobody places an order: the store finds out by itself.
    while store.ready().await.is_err() {
        yield_now().await;
    }
    assert_eq!(store.accept(order(), None).await.unwrap(), Acceptance::Stored);
    store.close().await;
}

const FOLDER: &str = "ORDERBELL_TEST_FAILING_FOLDER";

#[tokio::test]
async fn a_disk_that_fails_ends_the_store_and_loses_nothing_acknowledged() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return on_a_disk_that_fails(Path::new(&folder)).await;
    }
    // This test again, in a process that may write only a little to any file: the kernel then fails its writes.
    let folder = tempfile::tempdir().unwrap();
    let name = "a_disk_that_fails_ends_the_store_and_loses_nothing_acknowledged";
    let script = format!("trap '' XFSZ; ulimit -f 500; exec \"$0\" --exact {name}");
    let test = std::env::current_exe().unwrap();
    let status =
        Command::new("sh").arg("-c").arg(script).arg(test).env(FOLDER, folder.path()).status().unwrap();
    assert!(status.success());
    assert!(folder.path().join("orderbell.db").exists(), "the test was not run again");
}

async fn on_a_disk_that_fails(folder: &Path) {
    let store = open(folder);
    let mut acknowledged = 0;
    let failure = loop {
        match store.accept(order(), None).await {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 100_000, "the disk never failed");
    };
    assert_eq!((failure.kind, failure.code), (ErrorKind::Unavailable, "store_failed"));
    assert!(!store.failed().await.is_empty());
    assert_eq!(store.accept(order(), None).await.unwrap_err().code, "store_failed");
    assert_eq!(store.ready().await.unwrap_err().code, "store_failed");
    store.close().await;
    let shell = Connection::open(folder.join("orderbell.db")).unwrap();
    let stored: i64 = shell.query_row("SELECT count(*) FROM orders", (), |row| row.get(0)).unwrap();
    assert_eq!(stored, acknowledged);
}
