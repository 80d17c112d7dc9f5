//! The database's schema and its versions.

use rusqlite::{Connection, TransactionBehavior};

/// Marks the file as Orderbell's (`PRAGMA application_id`): "obel" in ASCII.
const APPLICATION_ID: i64 = 0x6f62_656c;

/// The schema, a file for each noun. Times are microseconds since 1970-01-01 UTC; ids are the 16 bytes of a UUID. See
/// `docs/SCHEMA.md`.
const SCHEMA: &[&str] = &[
    include_str!("schema/orders.sql"),
    include_str!("schema/idempotency.sql"),
    include_str!("schema/subscriptions.sql"),
    include_str!("schema/deliveries.sql"),
    include_str!("schema/spam.sql"),
    include_str!("schema/status.sql"),
    include_str!("schema/channels.sql"),
    include_str!("schema/probe.sql"),
    include_str!("schema/quarantine.sql"),
    include_str!("schema/incidents.sql"),
    include_str!("schema/templates.sql"),
];

/// Each brings the schema from one version to the next, from version 1 on. Never edit one that was released, nor
/// [`SCHEMA`] once it was.
const MIGRATIONS: &[&str] = &[];

/// The newest schema that this program knows.
pub(crate) const LATEST: i64 = 1;

/// The condition of the index `deliveries_by_rare_state`: SQLite takes it for a query that repeats this.
pub(crate) const RARE_STATES: &str = "deliveries.state <> 'pending' AND deliveries.state <> 'delivered'";

/// Likewise, of the index `deliveries_by_subscription_and_last_state`.
pub(crate) const LAST_STATES: &str =
    "deliveries.state <> 'pending' AND deliveries.state <> 'delivered' AND deliveries.state <> 'in_flight'";

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// It is empty, or of a schema that this program knows.
    Us,
    /// A newer program made it, with this schema.
    Newer(i64),
    /// Another program made it.
    Another,
}

/// Reads whose file it is, without changing it.
pub(crate) fn owner(connection: &Connection) -> rusqlite::Result<Owner> {
    let version = pragma(connection, "user_version")?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    Ok(match pragma(connection, "application_id")? {
        APPLICATION_ID if version > LATEST => Owner::Newer(version),
        APPLICATION_ID => Owner::Us,
        0 if version == 0 && tables == 0 => Owner::Us,
        _ => Owner::Another,
    })
}

/// The schema's version; 0: there is none yet.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    pragma(connection, "user_version")
}

/// Brings the schema to [`LATEST`], in one transaction.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let version = pragma(connection, "user_version")?;
    if version == LATEST {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let parts = if version == 0 { SCHEMA } else { later(version) };
    for part in parts {
        transaction.execute_batch(part)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", LATEST)?;
    transaction.commit()
}

/// The migrations that a database of that version has not seen.
fn later(version: i64) -> &'static [&'static str] {
    usize::try_from(version - 1).ok().and_then(|seen| MIGRATIONS.get(seen..)).unwrap_or_default()
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_database_is_brought_to_the_latest_schema_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert_eq!(owner(&connection).unwrap(), Owner::Us);
        assert_eq!(i64::try_from(MIGRATIONS.len() + 1), Ok(LATEST));
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
        assert_eq!(pragma(&connection, "user_version").unwrap(), LATEST);
        assert_eq!(owner(&connection).unwrap(), Owner::Us);
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing_behind() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE inbox (x)").unwrap();
        migrate(&mut connection).unwrap_err();
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0)).unwrap();
        assert_eq!((tables, pragma(&connection, "user_version").unwrap()), (1, 0));
    }

    #[test]
    fn the_file_of_another_program_is_told_from_ours() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
        assert_eq!(owner(&connection).unwrap(), Owner::Another);
    }
}
