//! A store with a short history, and what the audit says about it.

use std::path::Path;

use application::ports::{
    DeliveryQueue, DueQuery, Intent, LocalSubscriptions, OrderLog, OrderStore, Publisher, SubscriptionQuery,
    Subscriptions,
};
use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::DeliveryId;
use domain::order::OrderId;
use domain::subscription::SubscriptionId;
use orderbell_sqlite::Store;
use orderbell_sqlite::audit::{Exception, ExceptionKind, Summary, audit};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::opened::{finished, now, open, order, subscribe};

/// A closed store. Orders 1 and 2 were accepted before the one subscription was confirmed. Delivery 1 is the
/// confirmation; 2 tells of order 3 and was delivered at its second attempt; 3, of order 4, is in flight; 4, of order 5,
/// is pending. Order 6 is not published.
pub(crate) struct History {
    pub(crate) folder: TempDir,
    pub(crate) orders: Vec<OrderId>,
    pub(crate) subscription: SubscriptionId,
}

impl History {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let mut orders = vec![place(&store).await];
        let confirmation = subscribe(&store).await;
        let subscription = store.subscriptions(SubscriptionQuery::default()).await.unwrap().items[0].id;
        orders.push(place(&store).await);
        publish(&store).await;
        attempt(&store, confirmation, 1, OutcomeKind::Delivered).await;
        store.confirm(subscription, 1, false, now()).await.unwrap();
        for _ in 3..=5 {
            orders.push(place(&store).await);
        }
        publish(&store).await;
        orders.push(place(&store).await);
        let due_deliveries = due(&store).await;
        attempt(&store, due_deliveries[0], 1, OutcomeKind::Transient(Scope::Delivery)).await;
        attempt(&store, due_deliveries[0], 2, OutcomeKind::Delivered).await;
        store.begin(vec![Intent { delivery: due_deliveries[1], number: 1, at: now() }]).await.unwrap();
        store.close().await;
        Self { folder, orders, subscription }
    }

    /// The `sqlite3` shell in the hands of someone who knows what they do.
    pub(crate) fn shell(&self) -> Connection {
        let shell = Connection::open(self.folder.path().join("orderbell.db")).unwrap();
        shell.pragma_update(None, "foreign_keys", false).unwrap();
        shell
    }

    /// What the audit names after `sql` was run by hand.
    pub(crate) fn after(&self, sql: &str) -> Vec<Exception> {
        let changed = self.shell().execute(sql, ()).unwrap();
        assert_ne!(changed, 0, "nothing was changed by {sql}");
        audited(self.folder.path()).1
    }

    /// The id of a delivery.
    pub(crate) fn delivery(&self, seq: i64) -> DeliveryId {
        let id: [u8; 16] = self
            .shell()
            .query_row("SELECT id FROM deliveries WHERE seq = ?", [seq], |row| row.get(0))
            .unwrap();
        DeliveryId(uuid::Uuid::from_bytes(id))
    }
}

/// What the audit counts, and what it names.
pub(crate) fn audited(folder: &Path) -> (Summary, Vec<Exception>) {
    let mut named = Vec::new();
    let summary = audit(folder, now(), |exception| named.push(exception)).unwrap();
    assert_eq!(summary.exceptions, named.len() as u64);
    (summary, named)
}

pub(crate) fn kinds(named: &[Exception]) -> Vec<ExceptionKind> {
    named.iter().map(|exception| exception.kind).collect()
}

pub(crate) async fn place(store: &Store) -> OrderId {
    let order = order();
    store.accept(order.clone(), None).await.unwrap();
    order.id
}

pub(crate) async fn publish(store: &Store) {
    let orders = store.unpublished(100).await.unwrap();
    store.publish(&orders).await.unwrap();
}

/// Makes an attempt that comes to this.
pub(crate) async fn attempt(store: &Store, delivery: DeliveryId, number: u32, kind: OutcomeKind) {
    store.begin(vec![Intent { delivery, number, at: now() }]).await.unwrap();
    store.finish(vec![finished(delivery, number, kind)]).await.unwrap();
}

async fn due(store: &Store) -> Vec<DeliveryId> {
    let query = DueQuery {
        now: now(),
        per_endpoint: 10,
        limit: 10,
        skip_deliveries: [].into(),
        skip_endpoints: Vec::new(),
        skip_protocols: Vec::new(),
    };
    store.due(query).await.unwrap().deliveries.iter().map(|due| due.id).collect()
}
