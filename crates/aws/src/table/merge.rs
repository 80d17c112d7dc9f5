//! The orders of an index, in the order of their ids over all of its shards.

use std::collections::{BTreeSet, VecDeque};

use application::Error;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use domain::order::{Order, OrderId};
use futures_util::future::join_all;

use super::failure::unread;
use super::item::{self, BadItem, Item};
use super::span::Span;
use super::{Table, shard};

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    NewestFirst,
    OldestFirst,
}

/// Reads a little of every shard at a time, and gives the orders one by one.
pub(super) struct Merge<'a> {
    table: &'a Table,
    index: &'static str,
    span: Span,
    direction: Direction,
    /// How many items of a shard are read at a time.
    step: i32,
    shards: Vec<Shard>,
    /// The keys of items that are no ids.
    invalid_keys: BTreeSet<String>,
}

/// How far a shard was read.
struct Shard {
    name: String,
    found: VecDeque<IndexEntry>,
    remaining: Remaining,
}

/// What an item of the index says.
pub(super) struct IndexEntry {
    /// The order's id, which is the item's key.
    pub(super) id: OrderId,
    /// The order; or why the item, which is marked as one, is none.
    pub(super) order: Result<Order, BadItem>,
}

/// What of a shard is still unread.
enum Remaining {
    All,
    After(Item),
    Nothing,
}

impl<'a> Merge<'a> {
    /// The orders of `span`, of which about `wanted` will be asked for.
    pub(super) fn new(
        table: &'a Table,
        index: &'static str,
        span: Span,
        direction: Direction,
        wanted: usize,
    ) -> Self {
        let remaining = || if span.is_empty() { Remaining::Nothing } else { Remaining::All };
        let shards =
            shard::all().map(|name| Shard { name, found: VecDeque::new(), remaining: remaining() }).collect();
        // An even share, and some more since no share is quite even.
        let share = wanted as u64 / shard::SHARDS + 4;
        Self {
            table,
            index,
            span,
            direction,
            step: i32::try_from(share).unwrap_or(i32::MAX),
            shards,
            invalid_keys: BTreeSet::new(),
        }
    }

    /// The keys of the items that were met and are no ids.
    pub(super) fn into_strays(self) -> BTreeSet<String> {
        self.invalid_keys
    }

    /// The next order, or item that is none.
    pub(super) async fn next(&mut self) -> Result<Option<IndexEntry>, Error> {
        while self.shards.iter().any(Shard::is_short) {
            self.read_on().await?;
        }
        let heads = self.shards.iter_mut().filter(|shard| !shard.found.is_empty());
        let id = |shard: &&mut Shard| shard.found.front().map(|found| found.id);
        let first = match self.direction {
            Direction::NewestFirst => heads.max_by_key(id),
            Direction::OldestFirst => heads.min_by_key(id),
        };
        Ok(first.and_then(|shard| shard.found.pop_front()))
    }

    /// Reads on in the shards of which no order is at hand.
    async fn read_on(&mut self) -> Result<(), Error> {
        let short: Vec<_> = self.shards.iter().enumerate().filter(|(_, shard)| shard.is_short()).collect();
        let answers = join_all(short.iter().map(|(_, shard)| self.query(shard))).await;
        let places: Vec<_> = short.iter().map(|(place, _)| *place).collect();
        for (place, answer) in places.into_iter().zip(answers) {
            self.invalid_keys.extend(self.shards[place].take(answer?, &self.table.key));
        }
        Ok(())
    }

    async fn query(&self, shard: &Shard) -> Result<QueryOutput, Error> {
        let query = self.table.client.query().table_name(&*self.table.name).index_name(self.index);
        let query = query.key_condition_expression("#shard = :shard AND #key BETWEEN :first AND :last");
        let query = query.expression_attribute_names("#shard", self.index);
        let query = query.expression_attribute_names("#key", &*self.table.key);
        let query = query.expression_attribute_values(":shard", item::text(&shard.name));
        let query = query.expression_attribute_values(":first", item::text(self.span.first_key()));
        let query = query.expression_attribute_values(":last", item::text(self.span.last_key()));
        let query = query.scan_index_forward(self.direction == Direction::OldestFirst).limit(self.step);
        let after =
            if let Remaining::After(position) = &shard.remaining { Some(position.clone()) } else { None };
        query.set_exclusive_start_key(after).send().await.map_err(|error| unread(&error))
    }
}

impl Shard {
    fn is_short(&self) -> bool {
        self.found.is_empty() && !matches!(self.remaining, Remaining::Nothing)
    }

    /// Takes in what was read, and answers the keys that are no ids. An item that is not an order has its place among
    /// them, and hides none.
    fn take(&mut self, answer: QueryOutput, key: &str) -> Vec<String> {
        let mut invalid_keys = Vec::new();
        self.remaining = answer.last_evaluated_key.map_or(Remaining::Nothing, Remaining::After);
        for found in answer.items.unwrap_or_default() {
            let order = item::order(&found, key);
            let text = item::string(&found, key).unwrap_or_default();
            if let Err(bad) = &order {
                tracing::error!(order_id = text, cause = %bad, "an item is marked as an order and is none");
            }
            match item::id(&found, key) {
                Ok(id) => self.found.push_back(IndexEntry { id, order }),
                Err(_) => invalid_keys.push(text.to_owned()),
            }
        }
        invalid_keys
    }
}
