//! Orders: stored once, read by their ids or newest first.

use application::ports::{
    Acceptance, Idempotency, OrderQuery, OrderStore, Page, PageRequest, Readiness, UnreadableRow,
};
use application::{Error, ErrorKind};
use async_trait::async_trait;
use domain::order::{Order, OrderId};

use super::failure::unread;
use super::item::{self, BadItem, NEWEST};
use super::merge::{Direction, IndexEntry, Merge};
use super::span::Span;
use super::{Table, accept};

/// A page ends with the order that brings its orders' JSON to so many bytes. What Lambda returns has that JSON as a JSON
/// string, which is at most twice as long, and may be 6 MB (developer guide, "Lambda quotas").
const PAGE_BYTES: usize = 2 * 1_024 * 1_024;

/// That orders can be told of is not asked: what SNS does not take now stays unpublished, and is told of later.
const READY: Readiness = Readiness {
    last_commit: None,
    vouches_for: "the table can be read; what the topic does not take stays in the table and is announced later",
};

#[async_trait]
impl OrderStore for Table {
    async fn accept(&self, order: Order, idempotency: Option<Idempotency>) -> Result<Acceptance, Error> {
        accept::accept(self, &order, idempotency.as_ref()).await
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>, Error> {
        let found = self.get(&id.to_string()).send().await.map_err(|error| unread(&error))?;
        let order = found.item().map(|item| item::order(item, &self.key)).transpose();
        order.map_err(|bad| {
            let message = format!("What is stored of it cannot be read until it is mended: {bad}");
            Error::new(ErrorKind::Conflict, "unreadable_row", message)
        })
    }

    async fn orders(&self, query: OrderQuery) -> Result<Page<Order>, Error> {
        let limit = query.page.limit.clamp(1, PageRequest::MAX);
        let span = Span::of_times(query.from, query.to);
        let span = match query.page.cursor.as_deref() {
            Some(cursor) => span.before(last_shown(cursor)?),
            None => span,
        };
        let mut found = Merge::new(self, NEWEST, span, Direction::NewestFirst, limit + 1);
        let mut page = Page { items: Vec::new(), unreadable: Vec::new(), next: None };
        let (mut last, mut bytes) = (None, 0);
        while let Some(IndexEntry { id, order }) = found.next().await? {
            // The ids tell the time only to the millisecond.
            let outside = |order: &Order| {
                query.from.is_some_and(|from| order.time < from)
                    || query.to.is_some_and(|to| order.time >= to)
            };
            if order.as_ref().is_ok_and(outside) {
                continue;
            }
            if page.items.len() + page.unreadable.len() == limit || bytes >= PAGE_BYTES {
                page.next = last.map(|id: OrderId| id.0.simple().to_string());
                return Ok(page);
            }
            last = Some(id);
            match order {
                Ok(order) => {
                    bytes += serde_json::to_vec(&order).map_err(Error::internal)?.len();
                    page.items.push(order);
                }
                Err(bad) => page.unreadable.push(unreadable(id, &bad)),
            }
        }
        Ok(page)
    }

    /// Reads an item that is not there, which tells whether the table is, whether its key is the one we know, and whether
    /// we may use it.
    async fn ready(&self) -> Result<Readiness, Error> {
        self.get("ready").send().await.map(|_| READY).map_err(|error| unread(&error))
    }
}

fn unreadable(id: OrderId, bad: &BadItem) -> UnreadableRow {
    let id = id.to_string();
    UnreadableRow { place: format!("the item of order {id}"), id: Some(id), reason: bad.to_string() }
}

/// A cursor is the last id of the page before: all shards go on below it.
fn last_shown(cursor: &str) -> Result<OrderId, Error> {
    let id = cursor.parse().ok().filter(|_| cursor.len() == 32);
    id.ok_or_else(|| Error::new(ErrorKind::Invalid, "invalid_cursor", "cursor is not one of this list"))
}
