//! What no emulator does and the real table does: it throttles, fails after it wrote, cancels, and falls silent.

#[path = "../emulated/mod.rs"]
mod emulated;
mod proxy;
mod reading;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use application::ports::{Idempotency, OrderQuery, OrderStore, PageRequest};
use aws::{Table, TableOptions};
use domain::order::idempotency::IdempotencyKey;
use domain::order::{Order, OrderId};
use emulated::{DYNAMODB_LOCAL, address, client, create};
use host::SystemClock;
use proxy::{Happening, Proxy};

/// A table behind a proxy, and the same table as it is.
struct Given {
    proxy: Proxy,
    table: Table,
    itself: Table,
    name: String,
}

impl Given {
    async fn table() -> Self {
        let upstream = address(DYNAMODB_LOCAL);
        let direct = client(&upstream);
        let proxy = Proxy::before(&upstream).await;
        let options = TableOptions { name: create(&direct).await, key: TableOptions::KEY.to_owned() };
        let table = Table::new(client(&proxy.address), options.clone(), Arc::new(SystemClock));
        let name = options.name.clone();
        Self { proxy, table, itself: Table::new(direct, options, Arc::new(SystemClock)), name }
    }

    /// The orders that are really stored.
    async fn stored(&self) -> Vec<OrderId> {
        let page = PageRequest { limit: 10, cursor: None };
        let found = self
            .itself
            .orders(OrderQuery { page, ..OrderQuery::default() })
            .await
            .expect("the table itself works");
        found.items.iter().map(|order| order.id).collect()
    }
}

/// An error of the table, as it words it.
fn error(code: &str) -> String {
    format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"arn:secret"}}"#)
}

/// The table cannot take more.
fn throttled() -> Happening {
    Happening::Instead(400, error("ThrottlingException"))
}

/// The table failed before it did anything.
fn failed() -> Happening {
    Happening::Instead(500, error("InternalServerError"))
}

/// The table did it, and failed after that.
fn failed_after() -> Happening {
    Happening::After(500, error("InternalServerError"))
}

/// A transaction was cancelled for these reasons, which stand in the order of its actions.
fn cancelled(reasons: [&str; 2]) -> Happening {
    let reasons = reasons.map(|code| format!(r#"{{"Code":"{code}","Message":"arn:secret"}}"#)).join(",");
    Happening::Instead(
        400,
        format!(
            r#"{{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message":"arn:secret","CancellationReasons":[{reasons}]}}"#
        ),
    )
}

fn key_for(order: &Order) -> Idempotency {
    Idempotency {
        scope: String::new(),
        client_digest: Some([1; 16]),
        key: IdempotencyKey::parse(&format!("{:032x}", emulated::random())).expect("a valid key"),
        fingerprint: order.details.fingerprint(),
        lifetime: Duration::from_hours(24),
    }
}
