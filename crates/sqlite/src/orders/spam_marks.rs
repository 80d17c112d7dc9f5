//! Which orders are spam.

use std::collections::BTreeMap;

use application::Error;
use application::ports::{SpamMark, SpamMarks, SpamSelection};
use async_trait::async_trait;
use domain::Timestamp;
use domain::order::OrderId;
use rusqlite::{Connection, OptionalExtension};

use crate::Store;
use crate::columns;
use crate::failure::unreadable;
use crate::orders::spam::{begin_sweep, mark_one, sweep, unmark};
use crate::write::{AT_ONCE, Transaction};

const MARK: &str =
    "SELECT marked_at, unmarked_at FROM spam JOIN orders ON orders.seq = order_seq WHERE orders.id = ?";

#[async_trait]
impl SpamMarks for Store {
    async fn mark_spam(&self, selection: SpamSelection, now: Timestamp) -> Result<usize, Error> {
        let filter = match selection {
            SpamSelection::One(id) => {
                let mark = move |transaction: &mut Transaction<'_>| {
                    mark_one(transaction.connection, transaction.effects, id, now)
                };
                return self.write(AT_ONCE, mark).await;
            }
            SpamSelection::Many(filter) => filter,
        };
        // The store goes through them by itself: whoever asked may go, and so may this process.
        let begin = move |transaction: &mut Transaction<'_>| {
            begin_sweep(transaction.connection, transaction.effects, &filter, now)
        };
        let number = self.write(1, begin).await?;
        loop {
            let go_on = move |transaction: &mut Transaction<'_>| {
                sweep(transaction.connection, transaction.effects, number, false)
            };
            let marked = self.write(AT_ONCE, go_on).await?;
            if marked.next.is_none() {
                return Ok(marked.count);
            }
        }
    }

    async fn unmark_spam(&self, id: OrderId, now: Timestamp) -> Result<(), Error> {
        self.write(1, move |transaction| unmark(transaction.connection, id, now)).await
    }

    async fn spam_marks(&self, ids: Vec<OrderId>) -> Result<BTreeMap<OrderId, SpamMark>, Error> {
        self.read(move |connection| marks(connection, &ids).map_err(unreadable)).await
    }
}

/// A mark that cannot be read is none.
fn marks(connection: &Connection, ids: &[OrderId]) -> rusqlite::Result<BTreeMap<OrderId, SpamMark>> {
    let mut statement = connection.prepare_cached(MARK)?;
    let mut marks = BTreeMap::new();
    for id in ids {
        let mark = statement.query_row([id.0.as_bytes()], |row| {
            let marked_at = columns::time(row, "marked_at");
            let unmarked_at = columns::time_or_none(row, "unmarked_at");
            Ok(marked_at.and_then(|marked_at| Ok(SpamMark { marked_at, unmarked_at: unmarked_at? })).ok())
        });
        marks.extend(mark.optional()?.flatten().map(|mark| (*id, mark)));
    }
    Ok(marks)
}
