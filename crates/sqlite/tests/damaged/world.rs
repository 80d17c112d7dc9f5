//! A store with subscribers, whose rows are damaged and mended by hand while it is open.

use application::ports::{
    DeliveryQueue, DueQuery, Intent, LocalSubscriptions, NewSubscription, OrderLog, OrderStore, Publisher,
    Subscriptions,
};
use domain::attempt::OutcomeKind;
use domain::attributes::Attributes;
use domain::delivery::DeliveryId;
use domain::endpoint::{Endpoint, Protocol};
use domain::order::{Order, OrderId};
use domain::subscription::SubscriptionId;
use orderbell_sqlite::Store;
use orderbell_sqlite::audit::{Exception, audit};
use rusqlite::{Connection, Params};
use tempfile::TempDir;
use uuid::Uuid;

use crate::opened::{finished, now, open, order};

/// A store and a shell beside it.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) store: Store,
    shell: Connection,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let shell = Connection::open(folder.path().join("orderbell.db")).unwrap();
        shell.pragma_update(None, "foreign_keys", false).unwrap();
        shell.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        Self { folder, store, shell }
    }

    /// Closes the store and opens it anew.
    pub(crate) async fn restarted(self) -> Self {
        self.store.close().await;
        Self { store: open(self.folder.path()), ..self }
    }

    /// Changes rows by hand.
    pub(crate) fn sql(&self, sql: &str) {
        self.sql_with(sql, ());
    }

    pub(crate) fn sql_with(&self, sql: &str, parameters: impl Params) {
        assert_ne!(self.shell.execute(sql, parameters).unwrap(), 0, "nothing was changed by {sql}");
    }

    /// One number.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        self.shell.query_row(sql, (), |row| row.get(0)).unwrap()
    }

    /// The tables and numbers of what is quarantined.
    pub(crate) fn quarantined(&self) -> Vec<(String, i64)> {
        let mut statement = self.shell.prepare("SELECT of_table, row FROM quarantine ORDER BY 1, 2").unwrap();
        statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }

    /// Damages a table's row, and answers what mends it.
    pub(crate) fn damage(&self, table: &str, row: i64, column: &str, with: &str) -> String {
        let was: String = self
            .shell
            .query_row(&format!("SELECT quote({column}) FROM {table} WHERE rowid = {row}"), (), |row| {
                row.get(0)
            })
            .unwrap();
        self.sql(&format!("UPDATE {table} SET {column} = {with} WHERE rowid = {row}"));
        format!("UPDATE {table} SET {column} = {was} WHERE rowid = {row}")
    }

    /// A confirmed subscription; the row's `seq` follows the order of making.
    pub(crate) async fn confirmed(&self, address: &str) -> SubscriptionId {
        self.confirmed_with(Protocol::Email, address, Attributes::default()).await
    }

    pub(crate) async fn confirmed_with(
        &self,
        protocol: Protocol,
        endpoint: &str,
        attributes: Attributes,
    ) -> SubscriptionId {
        let id = SubscriptionId(Uuid::from_bytes(rand_bytes()));
        let new = NewSubscription {
            id,
            endpoint: Endpoint::parse(protocol, endpoint).unwrap(),
            attributes,
            secret: None,
            confirmation: DeliveryId(Uuid::from_bytes(rand_bytes())),
            now: now(),
        };
        self.store.subscribe(new).await.unwrap();
        self.store.confirm(id, 1, false, now()).await.unwrap();
        id
    }

    pub(crate) async fn place(&self) -> OrderId {
        self.place_one(order()).await
    }

    pub(crate) async fn place_one(&self, order: Order) -> OrderId {
        let id = order.id;
        self.store.accept(order, None).await.unwrap();
        id
    }

    /// Publishes all that the log gives, a few at a time.
    pub(crate) async fn publish(&self) {
        loop {
            let orders = self.store.unpublished(10).await.unwrap();
            if orders.is_empty() {
                return;
            }
            self.store.publish(&orders).await.unwrap();
        }
    }

    /// What is due of notifications: to whom, of which order.
    pub(crate) async fn due(&self) -> Vec<(SubscriptionId, OrderId, DeliveryId, u32)> {
        let (skip_endpoints, skip_protocols) = (Vec::new(), Vec::new());
        let query = DueQuery {
            now: now(),
            per_endpoint: 2_000,
            limit: 5_000,
            skip_deliveries: [].into(),
            skip_endpoints,
            skip_protocols,
        };
        let due = self.store.due(query).await.unwrap();
        due.deliveries
            .into_iter()
            .filter_map(|due| Some((due.subscription.id, due.order?.id, due.id, due.attempts)))
            .collect()
    }

    /// The orders that are due to be told to somebody, in order.
    pub(crate) async fn told(&self, to: SubscriptionId) -> Vec<OrderId> {
        let due = self.due().await;
        due.into_iter().filter(|(subscription, ..)| *subscription == to).map(|(_, order, ..)| order).collect()
    }

    /// Delivers all that is due.
    pub(crate) async fn deliver(&self) {
        for (_, _, delivery, attempts) in self.due().await {
            self.begin(delivery, attempts + 1).await;
            self.store.finish(vec![finished(delivery, attempts + 1, OutcomeKind::Delivered)]).await.unwrap();
        }
    }

    pub(crate) async fn begin(&self, delivery: DeliveryId, number: u32) {
        let begun = self.store.begin(vec![Intent { delivery, number, at: now() }]).await.unwrap();
        assert_eq!(begun, [delivery]);
    }

    /// What the audit names.
    pub(crate) fn audited(&self) -> Vec<Exception> {
        let mut named = Vec::new();
        audit(self.folder.path(), now(), |exception| named.push(exception)).unwrap();
        named
    }
}

fn rand_bytes() -> [u8; 16] {
    use std::hash::{BuildHasher, RandomState};
    let (one, two) = (RandomState::new().hash_one(1), RandomState::new().hash_one(2));
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&one.to_ne_bytes());
    bytes[8..].copy_from_slice(&two.to_ne_bytes());
    bytes
}
