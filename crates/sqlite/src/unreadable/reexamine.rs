//! Looking again at what was quarantined: what was mended is released, and what waited for it is sent.

use application::Error;
use application::ports::Publisher;
use domain::order::LoggedOrder;
use rusqlite::{Connection, OptionalExtension, params};

use crate::Store;
use crate::failure::unreadable as unread;
use crate::rows::{self, ORDER_COLUMNS};
use crate::unreadable::Table;
use crate::unreadable::release::{Mended, release};
use crate::write::Transaction;

/// How many rows one turn looks at.
const ROWS_PER_TURN: usize = 500;

/// Where the next turn goes on: behind this row.
type RowKey = (String, i64);

/// What one turn found.
#[derive(Default)]
struct Turn {
    mended: Vec<Mended>,
    /// Those of the mended orders that the relay has passed.
    passed: Vec<LoggedOrder>,
    next: Option<RowKey>,
    /// How many are quarantined in all.
    count: i64,
}

impl Store {
    /// Looks at every row that is quarantined, and releases those that can be read again. Answers how many those were.
    ///
    /// # Errors
    /// What the store says; what was not released is looked at again the next time.
    pub async fn reexamine(&self) -> Result<usize, Error> {
        let (mut released, mut place) = (0, Some(RowKey::default()));
        while let Some(after) = place {
            let turn = self.read_for_work(move |connection| look(connection, &after).map_err(unread)).await?;
            #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
            metrics::gauge!("orderbell_rows_quarantined").set(turn.count as f64);
            self.publish(&turn.passed).await?;
            for mended in &turn.mended {
                // One that is not released keeps none of the others waiting.
                match self.release(*mended).await {
                    Ok(()) => released += 1,
                    Err(error) => tracing::error!(
                        %error, cause = error.cause(), table = mended.table.name(), row = mended.row,
                        "what can be read again could not be released; trying again"
                    ),
                }
            }
            place = turn.next;
        }
        Ok(released)
    }

    async fn release(&self, mended: Mended) -> Result<(), Error> {
        let now = self.options.clock.now();
        let release = move |transaction: &mut Transaction<'_>, after| {
            let released = release(transaction.connection, transaction.effects, mended, after, now)?;
            transaction.effects.deliveries |= released.count > 0;
            Ok(released)
        };
        self.write_parts(i64::MIN, release).await.map(drop)
    }
}

fn look(connection: &Connection, (table, row): &RowKey) -> rusqlite::Result<Turn> {
    let sql =
        "SELECT of_table, row FROM quarantine WHERE (of_table, row) > (?, ?) ORDER BY of_table, row LIMIT ?";
    let limit = i64::try_from(ROWS_PER_TURN).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    let places: Vec<RowKey> = statement
        .query_map(params![table, row, limit], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let count: i64 = connection.query_row("SELECT count(*) FROM quarantine", (), |row| row.get(0))?;
    let mut turn = Turn { count, ..Turn::default() };
    for (name, row) in &places {
        // One of a table that this version does not have stays where it is.
        let Some(table) = Table::ALL.into_iter().find(|table| table.name() == name) else { continue };
        if rows::examine(connection, table, *row)?.is_err() {
            continue;
        }
        let passed = if table == Table::Orders { passed(connection, *row)? } else { None };
        turn.mended.push(Mended { table, row: *row, published: passed.is_some() });
        turn.passed.extend(passed);
    }
    turn.next = places.into_iter().nth(ROWS_PER_TURN - 1);
    Ok(turn)
}

/// An order that the relay has passed, and so will not publish.
fn passed(connection: &Connection, order: i64) -> rusqlite::Result<Option<LoggedOrder>> {
    let sql = format!(
        "SELECT {ORDER_COLUMNS} FROM orders WHERE seq = ? AND seq <= (SELECT published_through FROM relay)"
    );
    let order = connection.prepare_cached(&sql)?.query_row([order], rows::order).optional()?;
    Ok(order)
}
