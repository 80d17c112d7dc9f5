//! Publishing an order in the request that places it, as a function of a few lines does. Only `cargo xtask bench lambda`
//! asks for it, to compare like with like; the program that is released is built without it, for what it does here is
//! lost with a process that dies between the two calls.

use std::sync::Arc;

use application::Error;
use application::ports::{Acceptance, Idempotency, OrderQuery, OrderStore, Page, Readiness};
use async_trait::async_trait;
use domain::order::{Order, OrderId};

/// The variable that asks for it, by not being empty. Built in but not asked for, nothing changes: the tests run so.
const VARIABLE: &str = "ORDERBELL_PUBLISH_IN_REQUEST";

/// The store that also publishes, if the environment asks for it.
pub(crate) fn if_asked(
    environment: impl Fn(&str) -> Option<String>,
    orders: Arc<dyn OrderStore>,
    topic: &Arc<aws::Topic>,
) -> Arc<dyn OrderStore> {
    match environment(VARIABLE).filter(|value| !value.is_empty()) {
        Some(_) => Arc::new(PublishInRequest { orders, topic: Arc::clone(topic) }),
        None => orders,
    }
}

struct PublishInRequest {
    orders: Arc<dyn OrderStore>,
    topic: Arc<aws::Topic>,
}

#[async_trait]
impl OrderStore for PublishInRequest {
    /// Stores, publishes and marks. `Internal` for an order that is stored and was not published: a comparison must not
    /// take it for done.
    async fn accept(&self, order: Order, idempotency: Option<Idempotency>) -> Result<Acceptance, Error> {
        let acceptance = self.orders.accept(order.clone(), idempotency).await?;
        if acceptance == Acceptance::Stored && !self.topic.publish_new(&[&order]).await.is_empty() {
            return Err(Error::internal("the order is stored and was not published"));
        }
        Ok(acceptance)
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>, Error> {
        self.orders.order(id).await
    }

    async fn orders(&self, query: OrderQuery) -> Result<Page<Order>, Error> {
        self.orders.orders(query).await
    }

    async fn ready(&self) -> Result<Readiness, Error> {
        self.orders.ready().await
    }
}
