//! Rows that cannot be read, each told apart from the others and from a file that cannot be read.

pub(crate) mod quarantine;
pub(crate) mod reexamine;
pub(crate) mod release;

use application::ports::UnreadableRow;
use application::{Error, ErrorKind};
use rusqlite::Row;

use crate::columns::ColumnError;

/// The tables whose rows can be quarantined. What belongs to a subscription or a delivery is known by that one's `seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Table {
    /// Orders.
    Orders,
    /// Subscriptions.
    Subscriptions,
    /// The versions of a subscription.
    SubscriptionVersions,
    /// Deliveries.
    Deliveries,
    /// The attempts at a delivery.
    Attempts,
    /// The receipts of a delivery.
    Receipts,
    /// What people did to a delivery.
    Interventions,
    /// Pauses of channels.
    ChannelPauses,
    /// The sandbox inbox.
    Inbox,
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Where it lies.
    pub(crate) table: Table,
    /// Its `seq`, or that of the subscription or delivery that it belongs to.
    pub(crate) row: i64,
    /// Which column, and what is wrong with it. Nothing of what stands there.
    pub(crate) reason: String,
}

/// What a row says, or that it says nothing.
pub(crate) type Read<T> = Result<T, Unreadable>;

impl Table {
    /// Every one.
    pub(crate) const ALL: [Self; 9] = [
        Self::Orders,
        Self::Subscriptions,
        Self::SubscriptionVersions,
        Self::Deliveries,
        Self::Attempts,
        Self::Receipts,
        Self::Interventions,
        Self::ChannelPauses,
        Self::Inbox,
    ];

    /// Its name in the schema.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Subscriptions => "subscriptions",
            Self::SubscriptionVersions => "subscription_versions",
            Self::Deliveries => "deliveries",
            Self::Attempts => "attempts",
            Self::Receipts => "receipts",
            Self::Interventions => "interventions",
            Self::ChannelPauses => "channel_pauses",
            Self::Inbox => "inbox",
        }
    }

    /// The column that its rows are known by.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::SubscriptionVersions => "subscription",
            Self::Attempts | Self::Receipts | Self::Interventions => "delivery",
            Self::Orders | Self::Subscriptions | Self::Deliveries | Self::ChannelPauses | Self::Inbox => {
                "seq"
            }
        }
    }
}

impl Unreadable {
    /// Where it lies, such as `orders.seq = 7`.
    pub(crate) fn place(&self) -> String {
        format!("{}.{} = {}", self.table.name(), self.table.key(), self.row)
    }

    /// Its entry in a list, with the id of what the list shows in its place, where that is known.
    pub(crate) fn listed(&self, id: Option<String>) -> UnreadableRow {
        UnreadableRow { id, place: self.place(), reason: self.reason.clone() }
    }
}

/// What is asked for, or asked to change, cannot be read.
impl From<Unreadable> for Error {
    fn from(unreadable: Unreadable) -> Self {
        let message = format!(
            "What is stored of it cannot be read and is quarantined until it is mended: {}, {}",
            unreadable.place(),
            unreadable.reason
        );
        Self::new(ErrorKind::Conflict, "unreadable_row", message)
    }
}

/// Reads a row that is known by `row` in its table. An error is the file's, not the row's.
pub(crate) fn read_row<T>(
    table: Table,
    number: i64,
    row: &Row<'_>,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Read<T>> {
    read(row).map(Ok).or_else(|error| {
        let reason = why(row, &error).ok_or(error)?;
        Ok(Err(Unreadable { table, row: number, reason }))
    })
}

/// Whether an error says that a row makes no sense, and not that the file cannot be read.
pub(crate) fn is_of_a_row(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    matches!(
        error,
        FromSqlConversionFailure(..) | InvalidColumnType(..) | IntegralValueOutOfRange(..) | Utf8Error(..)
    )
}

/// Which column cannot be read, and why; `None` if the error is not the row's own.
pub(crate) fn why(row: &Row<'_>, error: &rusqlite::Error) -> Option<String> {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    let (column, fault) = match error {
        FromSqlConversionFailure(column, _, fault) => {
            let fault =
                fault.downcast_ref::<ColumnError>().map_or("not what belongs there", |fault| &fault.0);
            (*column, fault)
        }
        InvalidColumnType(column, _, rusqlite::types::Type::Null) => (*column, "empty"),
        InvalidColumnType(column, ..) => (*column, "of the wrong type"),
        IntegralValueOutOfRange(column, _) => (*column, "a number out of range"),
        Utf8Error(column, _) => (*column, "a text that is not UTF-8"),
        _ => return None,
    };
    let name = row.as_ref().column_name(column).unwrap_or("a column");
    Some(format!("{name} is {fault}"))
}
