//! A store in order.

use application::ports::{DeliveryQueue, Subscriptions};
use domain::delivery::DeliveryState;
use domain::endpoint::Protocol;
use domain::subscription::EndReason;
use oracle::Promise;
use orderbell_sqlite::OpenError;
use orderbell_sqlite::audit::{ExceptionKind, audit};
use rusqlite::Connection;

use crate::fixtures::{History, audited, kinds, place, publish};
use crate::opened::{now, open};

#[tokio::test]
async fn an_ordinary_history_is_in_order_and_counted() {
    let history = History::new().await;
    let (summary, named) = audited(history.folder.path());
    assert_eq!(named, []);
    assert_eq!((summary.orders, summary.subscriptions, summary.matched), (6, 1, 3));
    let some = |counts: &[(DeliveryState, u64)]| -> Vec<_> {
        counts.iter().filter(|(_, count)| *count > 0).copied().collect()
    };
    let expected = [(DeliveryState::Pending, 1), (DeliveryState::InFlight, 1), (DeliveryState::Delivered, 1)];
    assert_eq!(some(&summary.notifications), expected);
    assert_eq!(some(&summary.others), [(DeliveryState::Delivered, 1)]);
    assert_eq!((summary.waiting.unpublished.count, summary.waiting.due.count), (1, 1));
    assert!(summary.waiting.unpublished.since.is_some_and(|since| since <= now()));
}

#[tokio::test]
async fn a_store_in_use_is_audited_as_it_is_at_that_moment() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    place(&store).await;
    assert_eq!(audited(folder.path()).0.orders, 1);
    place(&store).await;
    assert_eq!(audited(folder.path()).0.waiting.unpublished.count, 2);
    publish(&store).await;
    assert_eq!(audited(folder.path()).0.waiting.unpublished.count, 0);
    store.close().await;
    assert_eq!(audited(folder.path()).1, []);
    open(folder.path()).close().await;
}

#[tokio::test]
async fn what_is_written_while_it_runs_does_not_change_what_it_sees() {
    let history = History::new().await;
    history.shell().execute("UPDATE subscriptions SET generation = 2", ()).unwrap();
    history.shell().execute("UPDATE subscription_versions SET to_seq = 1 WHERE from_seq = 2", ()).unwrap();
    let mut named = Vec::new();
    let shell = history.shell();
    audit(history.folder.path(), now(), |exception| {
        shell.execute("DELETE FROM deliveries", ()).unwrap();
        named.push(exception);
    })
    .unwrap();
    assert_eq!(
        kinds(&named),
        [ExceptionKind::Broken(Promise::VersionsWhole), ExceptionKind::Broken(Promise::AskedAndConfirmed)]
    );
    assert!(audited(history.folder.path()).1.len() > named.len());
}

#[tokio::test]
async fn what_waits_is_told_with_what_it_waits_for() {
    let history = History::new().await;
    let store = open(history.folder.path());
    let waiting = || audited(history.folder.path()).0.waiting;
    store.channel_paused(Protocol::Email, "421", now()).await.unwrap();
    assert_eq!((waiting().channel_paused.count, waiting().due.count), (1, 0));
    store.channel_resumed(Protocol::Email, now()).await.unwrap();
    assert_eq!((waiting().channel_paused.count, waiting().due.count), (0, 1));
    let shell = history.shell();
    shell.execute("UPDATE deliveries SET at = at + 3600000000 WHERE seq = 4", ()).unwrap();
    assert_eq!((waiting().later.count, waiting().due.count), (1, 0));
    store.channel_missing(Protocol::Email, now()).await.unwrap();
    assert_eq!((waiting().channel_paused.count, waiting().later.count), (1, 0));
    assert_eq!(waiting().channel_paused.since, None, "it is not due yet");
    store.channel_resumed(Protocol::Email, now()).await.unwrap();
    shell.execute("UPDATE subscriptions SET state = 'suspended'", ()).unwrap();
    assert_eq!((waiting().suspended.count, waiting().later.count), (1, 0));
    shell.execute("UPDATE subscriptions SET state = 'pending'", ()).unwrap();
    assert_eq!((waiting().unconfirmed.count, waiting().later.count), (1, 0));
    store.close().await;
}

#[tokio::test]
async fn a_subscription_that_ended_is_owed_what_came_before_and_its_cancelled_deliveries_are_in_order() {
    let history = History::new().await;
    let store = open(history.folder.path());
    store.unsubscribe(history.subscription, EndReason::Unsubscribed, now()).await.unwrap();
    place(&store).await;
    publish(&store).await;
    store.close().await;
    let (summary, named) = audited(history.folder.path());
    assert_eq!(named, []);
    assert_eq!(summary.matched, 4, "order 6 was accepted before the end, order 7 after it");
}

#[test]
fn a_folder_without_a_store_is_refused_and_left_empty() {
    let folder = tempfile::tempdir().unwrap();
    let refused = audit(folder.path(), now(), |_| {}).unwrap_err();
    assert!(matches!(refused, OpenError::Missing { .. }), "{refused:?}");
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[tokio::test]
async fn a_store_of_another_version_is_refused() {
    let history = History::new().await;
    let refused = |version: i64| {
        let shell = Connection::open(history.folder.path().join("orderbell.db")).unwrap();
        shell.pragma_update(None, "user_version", version).unwrap();
        audit(history.folder.path(), now(), |_| {}).unwrap_err()
    };
    assert!(matches!(refused(99), OpenError::Newer { .. }));
    assert!(matches!(refused(0), OpenError::Older { .. }));
}
