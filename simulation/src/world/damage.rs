//! Damage: one column of a row says nothing any more, behind SQLite's back, and is mended later.

use std::time::Duration;

use anyhow::{Context, Result};
use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::{ScheduledEvent, World};
use crate::process::{Stage, TaskOutput};
use crate::scenario::Action;

/// What can be damaged, in which rows, and what then stands there: still telling the ledger what it was, where its
/// triggers copy it.
struct Place {
    table: &'static str,
    /// Together they name a row.
    key: (&'static str, &'static str),
    column: &'static str,
    becomes: Becomes,
    /// Rows of which the program would have to be told that they are damaged stay whole: those that it is working on, and
    /// those that a query leaves out once the column is damaged.
    only: &'static str,
}

#[derive(Clone, Copy)]
enum Becomes {
    /// A byte is missing.
    Short,
    /// It is no name, and no JSON.
    ColumnError,
    /// It is no UTF-8.
    NoText,
}

/// A damaged column.
#[derive(Debug)]
pub(super) struct Damage {
    table: &'static str,
    keys: (&'static str, &'static str),
    row: (i64, i64),
    column: &'static str,
    was: Value,
    is: Value,
}

const SEQ: (&str, &str) = ("seq", "0");
const SPAN: (&str, &str) = ("subscription", "from_seq");
const ANY: &str = "1";
const PLACES: [Place; 12] = [
    place("orders", SEQ, "id", Becomes::Short, ANY),
    place("orders", SEQ, "body", Becomes::ColumnError, ANY),
    place("orders", SEQ, "request_id", Becomes::NoText, ANY),
    place("subscriptions", SEQ, "id", Becomes::Short, ANY),
    place("subscriptions", SEQ, "filter_policy", Becomes::ColumnError, ANY),
    place("subscriptions", SEQ, "receives", Becomes::ColumnError, "receives = 'orders'"),
    place("subscription_versions", SPAN, "state", Becomes::ColumnError, ANY),
    place("subscription_versions", SPAN, "filter_policy", Becomes::ColumnError, ANY),
    place("deliveries", SEQ, "id", Becomes::Short, "state <> 'in_flight'"),
    place("deliveries", SEQ, "kind", Becomes::ColumnError, "kind <> 'confirmation' AND state = 'pending'"),
    place("deliveries", SEQ, "notice", Becomes::ColumnError, "state = 'pending'"),
    place("deliveries", SEQ, "cancel_reason", Becomes::ColumnError, ANY),
];
/// How long damage lasts, in seconds.
const LASTING: [u64; 4] = [1, 100, 3_600, 40_000];
/// The longest time between two looks at what is quarantined.
const REST: Duration = Duration::from_mins(10);

const fn place(
    table: &'static str,
    key: (&'static str, &'static str),
    column: &'static str,
    becomes: Becomes,
    only: &'static str,
) -> Place {
    Place { table, key, column, becomes, only }
}

impl World<'_> {
    /// Damages a column of a row, if there is one, and plans its mending.
    pub(super) fn damage_a_row(&mut self) -> Result<()> {
        let place = &PLACES[self.rng.below(PLACES.len())];
        let chance = u32::try_from(self.rng.below(60_000))?;
        let damage = self.behind_its_back(|connection| damage(connection, place, chance))?;
        let Some(damage) = damage else { return Ok(()) };
        self.say(|| format!("  damaged: {damage:?}"));
        self.coverage.happened(format!("damaged {}.{}", damage.table, damage.column));
        self.damaged.push(damage);
        let after = Duration::from_secs(self.rng.pick(&LASTING));
        self.plan(after, ScheduledEvent::Action(Action::MendRow));
        self.plan_to_reexamine();
        Ok(())
    }

    /// Somebody mends what was damaged first.
    pub(super) fn mend_a_row(&mut self) -> Result<()> {
        if !self.damaged.is_empty() {
            let damage = self.damaged.remove(0);
            self.say(|| format!("  mended: {damage:?}"));
            self.behind_its_back(|connection| damage.mend(connection))?;
        }
        Ok(())
    }

    pub(super) fn mend_every_row(&mut self) -> Result<()> {
        while !self.damaged.is_empty() {
            self.mend_a_row()?;
        }
        self.plan_to_reexamine();
        Ok(())
    }

    /// The host's worker that looks at what is quarantined: at its start, and again and again.
    pub(super) fn reexamine(&mut self) -> Result<()> {
        let process = self.process()?;
        let store = process.store.store();
        process.tasks.spawn("reexamine", async move { TaskOutput::Reexamined(store.reexamine().await) });
        self.notify_operators()
    }

    pub(super) fn reexamined(&mut self, answer: Result<usize, application::Error>) -> Result<()> {
        match answer {
            Ok(mended) => self.coverage.happened_often("released rows", mended),
            Err(error) => self.expect_trouble(&error)?,
        }
        self.plan_to_reexamine();
        Ok(())
    }

    /// Looks again as long as there can be anything to see.
    pub(super) fn plan_to_reexamine(&mut self) {
        let Some(process) = self.process.as_ref().filter(|process| process.stage != Stage::Starting) else {
            return;
        };
        let sql = "SELECT EXISTS (SELECT 1 FROM quarantine)";
        let count = |connection: &Connection| connection.query_row(sql, (), |row| row.get(0));
        let quarantined = process.store.look(count).is_some_and(|any| any.unwrap_or(true));
        let planned = self.coming.values().any(|event| matches!(event, ScheduledEvent::Reexamine));
        if !planned && (quarantined || !self.damaged.is_empty()) {
            let after = self.rng.up_to(REST);
            self.plan(after, ScheduledEvent::Reexamine);
        }
    }

    /// Changes the database so that no trigger sees it: neither the program's nor the ledger's.
    fn behind_its_back<T>(&mut self, change: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let unseen = |connection: &Connection| {
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
            let changed = change(connection);
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true)?;
            changed
        };
        let changed = match (&self.process, &self.disk) {
            (Some(process), _) => process.store.look(unseen).context("no store")?,
            (None, Some(disk)) => unseen(disk.connection()),
            (None, None) => anyhow::bail!("there is no disk"),
        };
        Ok(changed?)
    }
}

fn damage(connection: &Connection, place: &Place, chance: u32) -> rusqlite::Result<Option<Damage>> {
    let Place { table, key, column, becomes, only } = place;
    let is = match becomes {
        Becomes::Short => format!("substr({column}, 1, 15)"),
        Becomes::ColumnError => format!("'?' || {column}"),
        Becomes::NoText => format!("CAST(x'ff' AS TEXT) || {column}"),
    };
    // As blobs: what is no UTF-8 could not be read otherwise.
    let sql = format!(
        "SELECT {}, {}, {column}, CAST({is} AS BLOB), count(*) OVER () AS rows FROM {table} \
         WHERE {column} IS NOT NULL AND hex(substr(CAST({column} AS BLOB), 1, 1)) NOT IN ('3F', 'FF') \
         AND length(CAST({column} AS BLOB)) <> 15 AND ({only}) ORDER BY 1, 2",
        key.0, key.1
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(())?;
    let mut left = None;
    while let Some(row) = rows.next()? {
        let left = left.get_or_insert(chance % row.get::<_, u32>("rows")?);
        if *left > 0 {
            *left -= 1;
            continue;
        }
        let is = row.get::<_, Vec<u8>>(3)?;
        let damage = Damage {
            table,
            keys: *key,
            row: (row.get(0)?, row.get(1)?),
            column,
            was: row.get(2)?,
            is: Value::Blob(is),
        };
        drop(rows);
        damage.put(connection, &damage.is, &damage.was)?;
        return Ok(Some(damage));
    }
    Ok(None)
}

impl Damage {
    fn mend(&self, connection: &Connection) -> rusqlite::Result<()> {
        self.put(connection, &self.was, &self.is)?;
        // Whoever mends it by hand does so with the program's triggers, of which this is the one that matters.
        connection.execute("UPDATE version_changes SET times = times + 1", ()).map(drop)
    }

    /// Nothing is done where the program wrote something else meanwhile.
    fn put(&self, connection: &Connection, value: &Value, instead_of: &Value) -> rusqlite::Result<()> {
        let Self { table, keys, row, column, was, .. } = self;
        let kind = if matches!(was, Value::Blob(_)) { "BLOB" } else { "TEXT" };
        let sql = format!(
            "UPDATE {table} SET {column} = CAST(?3 AS {kind}) WHERE {} = ?1 AND {} = ?2 \
             AND CAST({column} AS BLOB) = CAST(?4 AS BLOB)",
            keys.0, keys.1
        );
        connection.prepare(&sql)?.execute(params![row.0, row.1, value, instead_of])?;
        Ok(())
    }
}
