//! Keeping messages in the sandbox inbox.

use application::ports::InboxMessage;
use rusqlite::{Connection, params};

use crate::columns::micros;
use crate::failure::Failure;

const REPLACE: &str = "INSERT OR REPLACE INTO inbox (id, protocol, recipient, kind, subject, text, link, kept_at) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

pub(crate) fn keep(connection: &Connection, message: &InboxMessage) -> Result<(), Failure> {
    connection.prepare_cached(REPLACE)?.execute(params![
        message.id.0.as_bytes(),
        message.protocol.name(),
        message.to,
        message.kind.name(),
        message.subject,
        message.text,
        message.link,
        micros(message.at),
    ])?;
    Ok(())
}
