//! Finding out whether orders could be stored again.

use rusqlite::Connection;

use crate::failure::Failure;

/// As much as some orders take.
const FILL: &str = "INSERT OR REPLACE INTO probe VALUES (1, zeroblob(32768))";

pub(crate) fn fill(connection: &Connection) -> Result<(), Failure> {
    connection.execute(FILL, ())?;
    Ok(())
}

pub(crate) fn clear(connection: &Connection) -> Result<(), Failure> {
    connection.execute("DELETE FROM probe", ())?;
    Ok(())
}
