//! A store whose files are no longer where they were: it acknowledges nothing more.

#![expect(clippy::unwrap_used, reason = "what a test asks for outside its own function must not fail either")]

mod opened;

use std::fs;
use std::path::Path;
use std::time::Duration;

use application::ports::OrderStore;
use opened::{open, order};

/// What the store says to an order, once this was done to its folder; and why it ended.
async fn after(done: impl FnOnce(&Path)) -> (&'static str, String) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let store = open(&data);
    store.accept(order(), None).await.unwrap();
    done(&data);
    // Without an order, too: the writer looks after its files while nothing comes.
    let why = store.failed().await;
    let refused = store.accept(order(), None).await.unwrap_err();
    assert_eq!(store.ready().await.unwrap_err().code, "store_failed");
    store.close().await;
    (refused.code, why)
}

#[tokio::test]
async fn a_folder_that_was_deleted_ends_the_store() {
    let (code, why) = after(|data| fs::remove_dir_all(data).unwrap()).await;
    assert_eq!(code, "store_failed");
    assert!(why.contains("orderbell.db is no longer the file that was opened"), "{why}");
}

#[tokio::test]
async fn a_database_that_was_moved_or_replaced_ends_the_store() {
    let moved = |data: &Path| fs::rename(data.join("orderbell.db"), data.join("orderbell.db.old")).unwrap();
    let replaced = |data: &Path| {
        fs::copy(data.join("orderbell.db"), data.join("copy.db")).unwrap();
        fs::rename(data.join("copy.db"), data.join("orderbell.db")).unwrap();
    };
    let away = |data: &Path| fs::rename(data, data.with_extension("old")).unwrap();
    for why in [after(moved).await.1, after(replaced).await.1, after(away).await.1] {
        assert!(why.contains("orderbell.db is no longer the file that was opened"), "{why}");
    }
}

#[tokio::test]
async fn what_sqlite_and_the_lock_store_companion_files_it_is_watched_too() {
    for name in ["orderbell.db-wal", "orderbell.db-shm", "orderbell.lock"] {
        let (_, why) = after(|data| fs::remove_file(data.join(name)).unwrap()).await;
        assert!(why.contains(name), "{why}");
    }
}

#[tokio::test]
async fn an_order_that_went_into_a_file_that_is_gone_is_not_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.accept(order(), None).await.unwrap();
    fs::remove_file(folder.path().join("orderbell.db")).unwrap();
    let mut acknowledged = 0;
    // The files are looked at ten times a second.
    while store.accept(order(), None).await.is_ok() {
        acknowledged += 1;
        assert!(acknowledged < 100_000, "all of them are acknowledged");
    }
    assert!(!store.failed().await.is_empty());
    store.close().await;
}

#[tokio::test]
async fn other_files_in_the_folder_may_come_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for number in 0..2 {
        fs::write(folder.path().join("note"), number.to_string()).unwrap();
        store.accept(order(), None).await.unwrap();
        fs::remove_file(folder.path().join("note")).unwrap();
        // Long enough that the writer looks after its files.
        let failed = tokio::time::timeout(Duration::from_millis(1_200), store.failed()).await;
        assert!(failed.is_err(), "{failed:?}");
    }
    store.ready().await.unwrap();
    store.close().await;
}
