//! The orders as a log.

use application::Error;
use application::ports::OrderLog;
use async_trait::async_trait;
use domain::order::LoggedOrder;

use super::all;
use crate::Store;
use crate::failure::unreadable;
use crate::rows::{self, ORDER_COLUMNS};

#[async_trait]
impl OrderLog for Store {
    async fn unpublished(&self, limit: usize) -> Result<Vec<LoggedOrder>, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read_for_work(move |connection| {
            let sql = format!(
                "SELECT {ORDER_COLUMNS} FROM orders WHERE seq > (SELECT published_through FROM relay) \
                 ORDER BY seq LIMIT ?"
            );
            connection
                .prepare_cached(&sql)
                .and_then(|statement| all(statement, [limit], rows::order))
                .map_err(unreadable)
        })
        .await
    }
}
