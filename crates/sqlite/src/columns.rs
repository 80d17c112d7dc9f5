//! How values stand in columns: times as microseconds, ids as 16 bytes, names as text.

use std::error::Error;

use domain::Timestamp;
use rusqlite::types::{FromSql, Type};
use rusqlite::{Row, RowIndex};
use uuid::Uuid;

/// A time as its column has it: microseconds since 1970-01-01 UTC.
pub(crate) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// The time in a column.
pub(crate) fn time(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Timestamp> {
    read(row, column, Timestamp::from_microsecond)
}

/// The time in a column that may be empty.
pub(crate) fn time_or_none(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    if is_null(row, column)? { Ok(None) } else { time(row, column).map(Some) }
}

/// The id in a column.
pub(crate) fn uuid(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Uuid> {
    read(row, column, |bytes: [u8; 16]| Ok::<_, uuid::Error>(Uuid::from_bytes(bytes)))
}

/// The id in a column that may be empty.
pub(crate) fn uuid_or_none(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Uuid>> {
    if is_null(row, column)? { Ok(None) } else { uuid(row, column).map(Some) }
}

/// The value in a column that holds one of the names in `all`.
pub(crate) fn named<T: Copy>(
    row: &Row<'_>,
    column: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> rusqlite::Result<T> {
    read(row, column, |text: String| {
        all.iter().copied().find(|value| name(*value) == text).ok_or_else(|| format!("unknown name {text:?}"))
    })
}

/// Whether a column is empty.
pub(crate) fn is_null(row: &Row<'_>, column: &str) -> rusqlite::Result<bool> {
    Ok(row.get_ref(column)?.data_type() == Type::Null)
}

/// What `parse` makes of a column.
pub(crate) fn read<S: FromSql, T, E: Into<Box<dyn Error + Send + Sync>>>(
    row: &Row<'_>,
    column: impl RowIndex,
    parse: impl FnOnce(S) -> Result<T, E>,
) -> rusqlite::Result<T> {
    let index = column.idx(row.as_ref())?;
    let wrong = |error: E| rusqlite::Error::FromSqlConversionFailure(index, Type::Text, error.into());
    parse(row.get(index)?).map_err(wrong)
}
