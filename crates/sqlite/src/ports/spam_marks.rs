//! Which orders are spam.

use std::collections::BTreeMap;

use application::Error;
use application::ports::{SpamMark, SpamMarks, SpamSelection};
use async_trait::async_trait;
use domain::Timestamp;
use domain::order::OrderId;
use rusqlite::{Connection, OptionalExtension};

use crate::Store;
use crate::apply::{Command, SpamCommand};
use crate::columns;
use crate::failure::unreadable;

const MARK: &str =
    "SELECT marked_at, unmarked_at FROM spam JOIN orders ON orders.seq = order_seq WHERE orders.id = ?";

#[async_trait]
impl SpamMarks for Store {
    async fn mark_spam(&self, selection: SpamSelection, now: Timestamp) -> Result<usize, Error> {
        let filter = match selection {
            SpamSelection::One(id) => {
                return Ok(self.write(Command::Spam(SpamCommand::Mark { id, now })).await?.counted()?.0);
            }
            SpamSelection::Many(filter) => Box::new(filter),
        };
        // The store goes through them by itself: whoever asked may go, and so may this process.
        let (mut marked, mut next) =
            self.write(Command::Spam(SpamCommand::BeginSweep { filter, now })).await?.counted()?;
        while let Some(sweep) = next {
            (marked, next) =
                self.write(Command::Spam(SpamCommand::Sweep { sweep, unasked: false })).await?.counted()?;
        }
        Ok(marked)
    }

    async fn unmark_spam(&self, id: OrderId, now: Timestamp) -> Result<(), Error> {
        self.write(Command::Spam(SpamCommand::Unmark { id, now })).await?.counted().map(drop)
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
