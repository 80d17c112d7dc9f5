//! The database's schema and its versions.

use rusqlite::{Connection, TransactionBehavior};

/// Marks the file as Orderbell's (`PRAGMA application_id`): "obel" in ASCII.
const APPLICATION_ID: i64 = 0x6f62_656c;

/// Each brings the schema from the version that is its index to the next one. Never edit one that was released.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001_orders_and_deliveries.sql"),
    include_str!("schema/0002_operating_deliveries.sql"),
];

/// The newest schema that this program knows.
pub(crate) const LATEST: i64 = 2;

/// The condition of the index `deliveries_by_rare_state`: SQLite takes it for a query that repeats this.
pub(crate) const RARE_STATES: &str =
    "deliveries.state IN ('in_flight', 'sandboxed', 'held', 'dead', 'cancelled')";

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
    for migration in MIGRATIONS.iter().skip(usize::try_from(version).unwrap_or(0)) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", LATEST)?;
    transaction.commit()
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
        assert_eq!(i64::try_from(MIGRATIONS.len()), Ok(LATEST));
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
        assert_eq!(pragma(&connection, "user_version").unwrap(), LATEST);
        assert_eq!(owner(&connection).unwrap(), Owner::Us);
    }

    #[test]
    fn what_was_cancelled_before_reasons_were_kept_gets_its_own() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(MIGRATIONS[0]).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        let subscribe = "INSERT INTO subscriptions (id, protocol, endpoint, state, generation, created_at, \
                         confirmation_expires_at, ended_at) VALUES (randomblob(16), 'email', ?, ?, 1, 0, 0, ?)";
        connection.execute(subscribe, ("a", "ended", 7)).unwrap();
        connection.execute(subscribe, ("b", "confirmed", None::<i64>)).unwrap();
        for (kind, subscription, state, at) in [
            ("notification", 1, "cancelled", 7),
            ("confirmation", 1, "cancelled", 7),
            ("confirmation", 1, "cancelled", 6),
            ("confirmation", 2, "cancelled", 9),
            ("notification", 2, "dead", 9),
        ] {
            let owe = "INSERT INTO deliveries (id, kind, subscription, state, created_at, at) \
                       VALUES (randomblob(16), ?, ?, ?, 0, ?)";
            connection.execute(owe, (kind, subscription, state, at)).unwrap();
        }
        migrate(&mut connection).unwrap();
        let mut reasons = connection.prepare("SELECT cancel_reason FROM deliveries ORDER BY seq").unwrap();
        let reasons: Vec<Option<String>> =
            reasons.query_map((), |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        let (ended, over) = (Some("subscription_ended"), Some("question_over"));
        let reasons: Vec<_> = reasons.iter().map(Option::as_deref).collect();
        assert_eq!(reasons, [ended, ended, over, over, None]);
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
