//! The table: orders and idempotency records, and what is known of their publication.

mod accept;
mod failure;
mod idempotency_record;
pub(crate) mod item;
mod lease;
mod log;
mod merge;
mod orders;
mod published_marker;
mod shard;
mod span;
mod templates;
mod write;

use std::sync::Arc;

use application::ports::Clock;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::get_item::builders::GetItemFluentBuilder;

pub use item::BadItem;
pub(crate) use item::Item;
pub use log::Unpublished;

/// The table that orders are stored in.
///
/// It has one string key. An order's is its bare UUID, an idempotency record's is `idem#…`; `kind` tells them apart. Its
/// indexes `newest` and `unpublished` are spread over 20 shards, and may be missing: orders are taken and read by their
/// ids all the same.
#[derive(Clone)]
pub struct Table {
    client: Client,
    name: Arc<str>,
    key: Arc<str>,
    clock: Arc<dyn Clock>,
}

/// Which table.
#[derive(Debug, Clone)]
pub struct TableOptions {
    /// Its name or ARN.
    pub name: String,
    /// The name of its key attribute: none of [`ATTRIBUTES`](Self::ATTRIBUTES).
    pub key: String,
}

impl TableOptions {
    /// The key attribute of a table that our own template makes.
    pub const KEY: &str = "orderId";

    /// The attributes that orders and idempotency records have besides their key.
    pub const ATTRIBUTES: [&str; 18] = [
        item::KIND,
        item::ORDER_TIME,
        item::CUSTOMER_NAME,
        item::PRODUCT_NAME,
        item::DETAILS,
        item::REQUEST_ID,
        item::NEWEST,
        item::UNPUBLISHED,
        published_marker::PUBLISHED_AT,
        published_marker::MESSAGE_ID,
        idempotency_record::ORDER_ID,
        idempotency_record::FINGERPRINT,
        idempotency_record::PLACED_AT,
        idempotency_record::EXPIRES_AT,
        lease::LEASE_HOLDER,
        lease::LEASED_UNTIL,
        templates::TEMPLATE,
        templates::SET_AT,
    ];
}

impl Table {
    /// The table, through a client as [`connect::clients`](crate::connect::clients) makes it: its time-outs bound
    /// every call.
    #[must_use]
    pub fn new(client: Client, options: TableOptions, clock: Arc<dyn Clock>) -> Self {
        Self { client, name: options.name.into(), key: options.key.into(), clock }
    }

    /// A read of the item under that key, as the last write left it.
    fn get(&self, key: &str) -> GetItemFluentBuilder {
        let get = self.client.get_item().table_name(&*self.name).consistent_read(true);
        get.key(&*self.key, item::text(key))
    }
}
