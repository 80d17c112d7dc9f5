//! A host's orders, their log and where they are published, whoever delivers.

use application::ports::{OrderLog, OrderStore, Published, Publisher};
use domain::order::Order;

/// The ports that an order passes from its acceptance until it is published.
#[derive(Clone, Copy)]
pub struct Outbox<'a> {
    /// Where orders are stored.
    pub orders: &'a dyn OrderStore,
    /// The same orders, as a log.
    pub log: &'a dyn OrderLog,
    /// Where they are published.
    pub publisher: &'a dyn Publisher,
}

impl<'a> Outbox<'a> {
    /// A store that is all of them.
    pub fn of<S: OrderStore + OrderLog + Publisher>(store: &'a S) -> Self {
        Self { orders: store, log: store, publisher: store }
    }

    pub(crate) async fn place(&self, order: Order) -> Order {
        self.orders.accept(order.clone(), None).await.unwrap();
        order
    }

    /// Publishes everything that is not yet published.
    pub(crate) async fn publish(&self) -> Published {
        let orders = self.log.unpublished(1_000).await.unwrap();
        self.publisher.publish(&orders).await.unwrap()
    }
}
