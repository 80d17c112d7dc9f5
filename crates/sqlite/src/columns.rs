//! How values stand in columns: times as microseconds, ids as 16 bytes, names as text.
//!
//! What cannot be read is told without what stands there: a reason goes to logs, which hold only our own words.

use std::error::Error;

use domain::Timestamp;
use rusqlite::types::{FromSql, Type, ValueRef};
use rusqlite::{Row, RowIndex};
use uuid::Uuid;

/// Why a column cannot be decoded; it quotes nothing but a short name.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ColumnError(pub(crate) String);

/// The longest name that a reason quotes.
const MAX_QUOTED_NAME: usize = 24;

/// A time as its column has it: microseconds since 1970-01-01 UTC.
pub(crate) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// The time in a column.
pub(crate) fn time(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Timestamp> {
    read(row, column, |micros| {
        Timestamp::from_microsecond(micros).map_err(|_| ColumnError("no time of any calendar".to_owned()))
    })
}

/// The time in a column that may be empty.
pub(crate) fn time_or_none(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Option<Timestamp>> {
    if is_null(row, column)? { Ok(None) } else { time(row, column).map(Some) }
}

/// The id in a column.
pub(crate) fn uuid(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Uuid> {
    let index = column.idx(row.as_ref())?;
    // Without a copy: the relay reads the id of every order.
    let ValueRef::Blob(bytes) = row.get_ref(index)? else {
        return row.get::<_, [u8; 16]>(index).map(Uuid::from_bytes);
    };
    Uuid::from_slice(bytes).map_err(|_| {
        let wrong = ColumnError(format!("an id of {} bytes, not 16", bytes.len()));
        rusqlite::Error::FromSqlConversionFailure(index, Type::Blob, wrong.into())
    })
}

/// The id in a column that may be empty.
pub(crate) fn uuid_or_none(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Uuid>> {
    if is_null(row, column)? { Ok(None) } else { uuid(row, column).map(Some) }
}

/// The text in a column that may be empty, if it is one.
pub(crate) fn text_or_none<'a>(row: &'a Row<'_>, column: &str) -> rusqlite::Result<Option<&'a str>> {
    Ok(row.get_ref(column)?.as_str_or_null().ok().flatten())
}

/// A count in a column: one beyond what can be counted is the nearest that can.
pub(crate) fn count(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<u32> {
    Ok(u32::try_from(row.get::<_, i64>(column)?.max(0)).unwrap_or(u32::MAX))
}

/// The value in a column that holds one of the names in `all`.
pub(crate) fn named<T: Copy>(
    row: &Row<'_>,
    column: impl RowIndex,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> rusqlite::Result<T> {
    let index = column.idx(row.as_ref())?;
    // Without a copy, as most are.
    if let ValueRef::Text(text) = row.get_ref(index)?
        && let Some(value) = all.iter().copied().find(|value| name(*value).as_bytes() == text)
    {
        return Ok(value);
    }
    read(row, index, |text: String| {
        all.iter().copied().find(|value| name(*value) == text).ok_or_else(|| unknown_name(&text))
    })
}

/// As [`named`], of a column that may be empty.
pub(crate) fn named_or_none<T: Copy>(
    row: &Row<'_>,
    column: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> rusqlite::Result<Option<T>> {
    if is_null(row, column)? { Ok(None) } else { named(row, column, all, name).map(Some) }
}

/// The value in a column that holds JSON.
pub(crate) fn json<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    column: impl RowIndex,
) -> rusqlite::Result<T> {
    let index = column.idx(row.as_ref())?;
    // Without a copy, as most are.
    if let ValueRef::Text(text) = row.get_ref(index)?
        && let Ok(value) = serde_json::from_slice(text)
    {
        return Ok(value);
    }
    read(row, index, |text: String| {
        // What serde says of wrong data may quote it.
        serde_json::from_str(&text).map_err(|wrong| {
            let (line, place) = (wrong.line(), wrong.column());
            ColumnError(format!("not the JSON that belongs there, at line {line}, column {place}"))
        })
    })
}

/// A name that this program does not know. A name says nothing of anybody; what is no name may.
fn unknown_name(text: &str) -> ColumnError {
    let is_name =
        text.len() <= MAX_QUOTED_NAME && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    ColumnError(if is_name { format!("the unknown name {text:?}") } else { "no known name".to_owned() })
}

/// Whether a column is empty.
pub(crate) fn is_null(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<bool> {
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
