//! Backups and what is restored from them.

#![expect(clippy::unwrap_used, reason = "what a test asks for outside its own function must not fail either")]

mod opened;

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::Path;

use application::ports::{
    Acceptance, Deliveries, DeliveryQuery, DeliveryQueue, Intent, LocalSubscriptions, OrderLog, OrderQuery,
    OrderStore, PageRequest, Publisher, Redrivable, RedriveSelection, SpamMarks, SpamSelection,
    SubscriptionQuery, Subscriptions,
};
use domain::delivery::{CancelReason, DeliveryState};
use domain::subscription::EndReason;
use opened::{assert_in_order, due, key, now, open, options, order, subscribe};
use orderbell_sqlite::backup::{Backup, CopyError, backup, last, note};
use orderbell_sqlite::restore::{Restored, restore};
use orderbell_sqlite::{OpenError, Store};
use rusqlite::Connection;
use tempfile::TempDir;

fn back_up(data: &Path, file: &Path) -> Result<Backup, CopyError> {
    let kept = [("link.key".to_owned(), vec![7; 64])];
    backup(data, file, &kept, now(), |_, _| {}, |_| {})
}

async fn restored(file: &Path, data: &Path) -> Result<Restored, CopyError> {
    restore(file, data, options(), |exception| panic!("{exception:?}")).await
}

/// An open store with a confirmed subscription, of whose four orders one was published and is in flight, one was
/// published and is pending, and two are not published.
async fn busy() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    subscribe(&store).await;
    let subscription = store.subscriptions(SubscriptionQuery::default()).await.unwrap().items[0].id;
    store.confirm(subscription, 1, false, now()).await.unwrap();
    for number in 0..4 {
        store.accept(order(), Some(key(&number.to_string()))).await.unwrap();
        if number == 1 {
            store.publish(&store.unpublished(10).await.unwrap()).await.unwrap();
        }
    }
    let query = DeliveryQuery { state: Some(DeliveryState::Pending), ..DeliveryQuery::default() };
    let waiting = store.deliveries(query).await.unwrap().items;
    let intent = Intent { delivery: waiting[0].id, number: 1, at: now() };
    assert_eq!(store.begin(vec![intent]).await.unwrap().len(), 1);
    (folder, store)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_backup_of_an_open_store_holds_all_that_was_answered_and_only_its_owner_reads_it() {
    let (data, store) = busy().await;
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("shop.backup");
    let made = back_up(data.path(), &file).unwrap();
    assert_eq!((made.summary.orders, made.summary.exceptions), (4, 0));
    assert_eq!(made.bytes, fs::metadata(&file).unwrap().len());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(names(place.path()), ["shop.backup"], "nothing else is left");
    store.accept(order(), None).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_makes_no_folders() {
    let (data, store) = busy().await;
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("precious");
    fs::write(&file, "precious").unwrap();
    for there in [&file, &data.path().join("orderbell.db")] {
        let refused = back_up(data.path(), there).unwrap_err();
        assert!(matches!(refused, CopyError::Exists(_)), "{refused}");
    }
    let refused = back_up(data.path(), place.path()).unwrap_err();
    assert!(matches!(refused, CopyError::Folder(_)), "{refused}");
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    let refused = back_up(data.path(), &place.path().join("nowhere/shop.backup")).unwrap_err();
    assert!(refused.to_string().contains("nowhere"), "{refused}");
    store.close().await;
}

#[tokio::test]
async fn what_a_backup_that_was_killed_left_is_replaced_by_the_next() {
    let (data, store) = busy().await;
    let place = tempfile::tempdir().unwrap();
    let partial = place.path().join("shop.backup.partial");
    fs::DirBuilder::new().mode(0o700).create(&partial).unwrap();
    for name in ["orderbell.db", "orderbell.db-journal", "orderbell.db-wal", "staging.lock"] {
        fs::write(partial.join(name), "half of a backup").unwrap();
    }
    back_up(data.path(), &place.path().join("shop.backup")).unwrap();
    assert_eq!(names(place.path()), ["shop.backup"]);
    store.close().await;
}

#[tokio::test]
async fn a_foreign_folder_with_the_name_of_the_staging_folder_is_left_as_it_is() {
    let (data, store) = busy().await;
    let place = tempfile::tempdir().unwrap();
    let (file, partial) = (place.path().join("shop.backup"), place.path().join("shop.backup.partial"));
    let victim = place.path().join("victim");
    fs::DirBuilder::new().mode(0o700).create(&victim).unwrap();
    fs::write(victim.join("orderbell.db"), "somebody's").unwrap();
    let is_refused = || {
        let refused = back_up(data.path(), &file).unwrap_err().to_string();
        assert!(refused.contains("in the way"), "{refused}");
        assert_eq!(fs::read_to_string(victim.join("orderbell.db")).unwrap(), "somebody's");
        assert!(!file.exists());
    };
    symlink(&victim, &partial).unwrap();
    is_refused();
    fs::remove_file(&partial).unwrap();
    fs::write(&partial, "a file").unwrap();
    is_refused();
    fs::remove_file(&partial).unwrap();
    fs::rename(&victim, &partial).unwrap();
    symlink(&partial, &victim).unwrap();
    is_refused();
    fs::write(partial.join("staging.lock"), "").unwrap();
    fs::set_permissions(&partial, fs::Permissions::from_mode(0o777)).unwrap();
    is_refused();
    store.close().await;
}

#[tokio::test]
async fn of_two_backups_to_one_file_the_second_is_refused() {
    let (data, store) = busy().await;
    let place = tempfile::tempdir().unwrap();
    let partial = place.path().join("shop.backup.partial");
    fs::DirBuilder::new().mode(0o700).create(&partial).unwrap();
    let first = fs::File::create(partial.join("staging.lock")).unwrap();
    first.lock().unwrap();
    let refused = back_up(data.path(), &place.path().join("shop.backup")).unwrap_err();
    assert!(matches!(refused, CopyError::Store(OpenError::Locked { .. })), "{refused}");
    store.close().await;
}

#[test]
fn a_backup_that_fails_leaves_nothing_behind() {
    let (data, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let refused = back_up(data.path(), &place.path().join("shop.backup")).unwrap_err();
    assert!(matches!(refused, CopyError::Store(OpenError::Missing { .. })), "{refused}");
    fs::write(data.path().join("orderbell.db"), "no database at all, but some text").unwrap();
    let refused = back_up(data.path(), &place.path().join("shop.backup")).unwrap_err();
    assert!(matches!(refused, CopyError::Store(OpenError::Damaged { .. })), "{refused}");
    assert_eq!(names(place.path()), [""; 0]);
}

#[tokio::test]
async fn pending_deliveries_are_held_in_a_restored_store_until_someone_releases_them() {
    let (data, store) = busy().await;
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("shop.backup");
    back_up(data.path(), &file).unwrap();
    let ids: Vec<_> = store
        .orders(OrderQuery { page: page(), ..OrderQuery::default() })
        .await
        .unwrap()
        .items
        .into_iter()
        .collect();
    store.close().await;

    let anew = place.path().join("data");
    let ready = restored(&file, &anew).await.unwrap();
    assert_eq!(
        (ready.held, ready.companion_files.len()),
        (4, 1),
        "two were published, two are published now"
    );
    assert_eq!(ready.companion_files[0], ("link.key".to_owned(), vec![7; 64]));
    assert!(!anew.join("orderbell.db").exists(), "not before it is installed");
    ready.install().unwrap();
    assert_eq!(names(&anew), ["orderbell.db", "orderbell.lock"]);
    assert_eq!(fs::metadata(anew.join("orderbell.db")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_in_order(&anew);
    let waits = "SELECT count(*) FROM subscriptions WHERE next_at IS NOT NULL";
    let waits: i64 =
        Connection::open(anew.join("orderbell.db")).unwrap().query_row(waits, (), |row| row.get(0)).unwrap();
    assert_eq!(waits, 0, "nothing is due to anybody");

    let store = open(&anew);
    assert_eq!(due(&store).await, 0, "nobody is told again by itself");
    assert_eq!(store.orders(OrderQuery { page: page(), ..OrderQuery::default() }).await.unwrap().items, ids);
    assert!(matches!(store.accept(order(), Some(key("3"))).await.unwrap(), Acceptance::Repeated(_)));
    let held = DeliveryQuery { state: Some(DeliveryState::Held), page: page(), ..DeliveryQuery::default() };
    let held = store.deliveries(held).await.unwrap().items;
    assert_eq!(held.len(), 4);
    assert_eq!(store.delivery(held[0].id).await.unwrap().unwrap().interventions[0].kind.name(), "restored");
    let all = RedriveSelection::Many {
        state: Redrivable::Held,
        filter: application::ports::DeliveryFilter::default(),
    };
    assert_eq!(store.redrive(all, now()).await.unwrap(), 4);
    assert_ne!(due(&store).await, 0);
    store.close().await;
    assert_in_order(&anew);
}

/// What was in flight when its order was called spam, or its subscription ended, waits for nobody's decision.
#[tokio::test]
async fn what_nobody_would_be_sent_again_is_cancelled_by_a_restore_and_not_held() {
    for (reason, held) in [(CancelReason::Spam, 3), (CancelReason::SubscriptionEnded, 0)] {
        let (data, store) = busy().await;
        let in_flight = DeliveryQuery { state: Some(DeliveryState::InFlight), ..DeliveryQuery::default() };
        let in_flight = store.deliveries(in_flight).await.unwrap().items.remove(0);
        if reason == CancelReason::Spam {
            store.mark_spam(SpamSelection::One(in_flight.order.unwrap()), now()).await.unwrap();
        } else {
            store.unsubscribe(in_flight.subscription, EndReason::Removed, now()).await.unwrap();
        }
        let place = tempfile::tempdir().unwrap();
        let (file, anew) = (place.path().join("shop.backup"), place.path().join("data"));
        back_up(data.path(), &file).unwrap();
        store.close().await;
        let ready = restored(&file, &anew).await.unwrap();
        assert_eq!(ready.held, held, "{reason:?}");
        ready.install().unwrap();
        assert_in_order(&anew);
        let store = open(&anew);
        let record = store.delivery(in_flight.id).await.unwrap().unwrap();
        assert_eq!((record.state, record.cancel_reason), (DeliveryState::Cancelled, Some(reason)));
        assert_eq!(record.attempts[0].outcome.as_deref(), Some("unknown"));
        assert!(record.interventions.is_empty(), "{record:?}");
        store.close().await;
    }
}

fn page() -> PageRequest {
    PageRequest { limit: 100, cursor: None }
}

#[tokio::test]
async fn what_is_in_the_way_of_a_restore_is_refused_and_left_as_it_is() {
    let (data, store) = busy().await;
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("shop.backup");
    back_up(data.path(), &file).unwrap();
    let refused = restored(&file, data.path()).await.unwrap_err();
    assert!(matches!(refused, CopyError::Store(OpenError::Locked { .. })), "{refused}");
    store.close().await;
    let refused = restored(&file, data.path()).await.unwrap_err();
    assert!(matches!(&refused, CopyError::Exists(path) if path.ends_with("orderbell.db")), "{refused}");
    for suffix in ["-wal", "-shm", "-journal"] {
        let anew = tempfile::tempdir().unwrap();
        let left = anew.path().join(format!("orderbell.db{suffix}"));
        fs::write(&left, "of another database").unwrap();
        let refused = restored(&file, anew.path()).await.unwrap_err();
        assert!(matches!(&refused, CopyError::Exists(path) if *path == left), "{refused}");
        assert_eq!(fs::read(&left).unwrap(), b"of another database");
        assert!(!anew.path().join("orderbell.db").exists());
    }
}

#[tokio::test]
async fn what_is_no_backup_is_refused_and_nothing_is_installed() {
    let (data, store) = busy().await;
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    back_up(data.path(), &path("whole")).unwrap();
    let bytes = fs::read(path("whole")).unwrap();
    fs::write(path("empty"), "").unwrap();
    fs::write(path("text"), "these are not the rows you are looking for\n".repeat(500)).unwrap();
    fs::write(path("half"), &bytes[..bytes.len() / 2]).unwrap();
    let mut torn = bytes.clone();
    let middle = torn.len() / 2;
    torn[middle..middle + 4_096].fill(0xa5);
    fs::write(path("torn"), torn).unwrap();
    Connection::open(path("theirs")).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    fs::write(path("newer"), &bytes).unwrap();
    Connection::open(path("newer")).unwrap().pragma_update(None, "user_version", 99).unwrap();
    fs::create_dir(path("folder")).unwrap();
    // As a program that was killed leaves it.
    fs::copy(data.path().join("orderbell.db"), path("killed")).unwrap();
    fs::copy(data.path().join("orderbell.db-wal"), path("killed-wal")).unwrap();
    for name in ["empty", "text", "half", "torn", "theirs", "newer", "folder", "killed", "nothing"] {
        let anew = path("data");
        let refused =
            restored(&path(name), &anew).await.err().unwrap_or_else(|| panic!("{name} was restored"));
        assert!(refused.to_string().contains(name), "{name}: {refused}");
        let left = if anew.exists() { names(&anew) } else { Vec::new() };
        assert!(left.iter().all(|left| left == "orderbell.lock"), "{name} left {left:?}");
    }
    restored(&path("whole"), &path("data")).await.unwrap().install().unwrap();
    store.close().await;
}

#[test]
fn the_last_backup_is_known_by_the_note_that_it_left() {
    let data = tempfile::tempdir().unwrap();
    assert_eq!(last(data.path()), None);
    let time = now();
    note(data.path(), time).unwrap();
    assert_eq!(last(data.path()), Some(time));
    fs::write(data.path().join("last-backup"), "yesterday").unwrap();
    assert_eq!(last(data.path()), None);
}
