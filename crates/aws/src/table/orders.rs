//! Orders: stored once, read by their ids or newest first.

use application::ports::{Acceptance, Idempotency, OrderQuery, OrderStore, Page, PageRequest, Readiness};
use application::{Error, ErrorKind};
use async_trait::async_trait;
use domain::order::{Order, OrderId};

use super::failure::{Failure, unread};
use super::item::{self, NEWEST};
use super::merge::{Direction, Merge};
use super::span::Span;
use super::{Table, accept};

/// A page ends with the order that brings its orders' JSON to so many bytes. What Lambda returns has that JSON as a JSON
/// string, which is at most twice as long, and may be 6 MB (developer guide, "Lambda quotas").
const PAGE_BYTES: usize = 2 * 1_024 * 1_024;

#[async_trait]
impl OrderStore for Table {
    async fn accept(&self, order: Order, idempotency: Option<Idempotency>) -> Result<Acceptance, Error> {
        accept::accept(self, &order, idempotency.as_ref()).await
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>, Error> {
        let found = self.get(&id.to_string()).send().await.map_err(|error| unread(&error))?;
        let order = found.item().map(|item| item::order(item, &self.key)).transpose();
        order.map_err(|bad| Failure::from(bad).into_error())
    }

    async fn orders(&self, query: OrderQuery) -> Result<Page<Order>, Error> {
        let limit = query.page.limit.clamp(1, PageRequest::MAX);
        let span = Span::of_times(query.from, query.to);
        let span = match query.page.cursor.as_deref() {
            Some(cursor) => span.before(last_shown(cursor)?),
            None => span,
        };
        let mut found = Merge::new(self, NEWEST, span, Direction::NewestFirst, limit + 1);
        let (mut items, mut bytes) = (Vec::<Order>::new(), 0);
        while let Some(order) = found.next().await? {
            // The ids tell the time only to the millisecond.
            if query.from.is_some_and(|from| order.time < from) || query.to.is_some_and(|to| order.time >= to)
            {
                continue;
            }
            if items.len() == limit || bytes >= PAGE_BYTES {
                let next = items.last().map(|order| order.id.0.simple().to_string());
                return Ok(Page { items, next });
            }
            bytes += serde_json::to_vec(&order).map_err(Error::internal)?.len();
            items.push(order);
        }
        Ok(Page { items, next: None })
    }

    /// Reads an item that is not there, which tells whether the table is, whether its key is the one we know, and whether
    /// we may use it.
    async fn ready(&self) -> Result<Readiness, Error> {
        self.get("ready").send().await.map(|_| Readiness::default()).map_err(|error| unread(&error))
    }
}

/// A cursor is the last id of the page before: all shards go on below it.
fn last_shown(cursor: &str) -> Result<OrderId, Error> {
    let id = cursor.parse().ok().filter(|_| cursor.len() == 32);
    id.ok_or_else(|| Error::new(ErrorKind::Invalid, "invalid_cursor", "cursor is not one of this list"))
}
