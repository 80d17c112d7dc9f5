//! Finding out whether orders could be stored again.

use rusqlite::Connection;

use super::Answer;
use crate::failure::Failure;

/// As much as some orders take.
const FILL: &str = "INSERT OR REPLACE INTO probe VALUES (1, zeroblob(32768))";

pub(super) fn fill(connection: &Connection) -> Result<Answer, Failure> {
    connection.execute(FILL, ())?;
    Ok(Answer::Done)
}

pub(super) fn clear(connection: &Connection) -> Result<Answer, Failure> {
    connection.execute("DELETE FROM probe", ())?;
    Ok(Answer::Done)
}
