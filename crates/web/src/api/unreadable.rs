//! Rows that cannot be read, in their place among those that can.

use application::ports::UnreadableRow;
use serde::Serialize;

/// A row that cannot be read.
#[derive(Serialize)]
pub(crate) struct UnreadableJson<'a> {
    /// The id of what it is, where that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    /// Where it lies.
    place: &'a str,
    /// What is wrong with it.
    reason: &'a str,
}

impl<'a> UnreadableJson<'a> {
    /// Each of them.
    pub(crate) fn of(rows: &'a [UnreadableRow]) -> Vec<Self> {
        let one =
            |row: &'a UnreadableRow| Self { id: row.id.as_deref(), place: &row.place, reason: &row.reason };
        rows.iter().map(one).collect()
    }
}
