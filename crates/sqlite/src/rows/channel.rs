//! The rows of channels: their pauses, and what the sandbox kept.

use application::ports::{ChannelPause, InboxMessage};
use domain::delivery::DeliveryId;
use rusqlite::Row;

use super::{kind, protocol};
use crate::columns;

/// What [`pause`] reads of the table `channel_pauses`.
pub(crate) const PAUSE_COLUMNS: &str = "seq, protocol, from_at, to_at, reason";

/// What [`message`] reads of the table `inbox`.
pub(crate) const MESSAGE_COLUMNS: &str =
    "seq, id, protocol, recipient, kind, subject, text, order_url, link, kept_at";

/// The pause in a row that has [`PAUSE_COLUMNS`].
pub(crate) fn pause(row: &Row<'_>) -> rusqlite::Result<ChannelPause> {
    Ok(ChannelPause {
        protocol: protocol(row)?,
        from: columns::time(row, "from_at")?,
        to: columns::time_or_none(row, "to_at")?,
        reason: row.get("reason")?,
    })
}

/// The message in a row that has [`MESSAGE_COLUMNS`].
pub(crate) fn message(row: &Row<'_>) -> rusqlite::Result<InboxMessage> {
    Ok(InboxMessage {
        id: DeliveryId(columns::uuid(row, "id")?),
        protocol: protocol(row)?,
        to: row.get("recipient")?,
        kind: kind(row, "kind")?,
        subject: row.get("subject")?,
        text: row.get("text")?,
        order_url: row.get("order_url")?,
        link: row.get("link")?,
        at: columns::time(row, "kept_at")?,
    })
}
