//! The sandbox inbox.

use application::Error;
use application::ports::{Inbox, InboxMessage, Page, PageRequest};
use async_trait::async_trait;
use domain::delivery::DeliveryId;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::Store;
use crate::columns::micros;
use crate::failure::{Failure, unreadable};
use crate::paging::{Listed, Window};
use crate::rows::all;
use crate::rows::{self, MESSAGE_COLUMNS};
use crate::unreadable::{Read, Table, read_row};

const REPLACE: &str = "INSERT OR REPLACE INTO inbox (id, protocol, recipient, kind, subject, text, order_url, link, kept_at) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

#[async_trait]
impl Inbox for Store {
    async fn keep(&self, message: InboxMessage) -> Result<(), Error> {
        self.write(1, move |transaction| keep(transaction.connection, &message)).await
    }

    async fn message(&self, id: DeliveryId) -> Result<Option<InboxMessage>, Error> {
        self.read(move |connection| {
            let sql = format!("SELECT {MESSAGE_COLUMNS} FROM inbox WHERE id = ?");
            let mut statement = connection.prepare_cached(&sql).map_err(unreadable)?;
            statement.query_row([id.0.as_bytes()], message).optional().map_err(unreadable)
        })
        .await?
        .transpose()
        .map_err(Error::from)
    }

    async fn messages(&self, page: PageRequest) -> Result<Page<InboxMessage>, Error> {
        let window = Window::of(&page)?;
        let read = move |connection: &Connection| {
            let sql = format!("SELECT {MESSAGE_COLUMNS} FROM inbox WHERE seq < ? ORDER BY seq DESC LIMIT ?");
            let statement = connection.prepare_cached(&sql).map_err(unreadable)?;
            let listed = |row: &Row<'_>| Ok(Listed::of(row.get("seq")?, row, "id", message(row)?));
            let found = all(statement, [window.before, window.rows()], listed).map_err(unreadable)?;
            Ok(window.page(found))
        };
        self.read_quarantining(read).await
    }
}

fn message(row: &Row<'_>) -> rusqlite::Result<Read<InboxMessage>> {
    read_row(Table::Inbox, row.get("seq")?, row, rows::message)
}

fn keep(connection: &Connection, message: &InboxMessage) -> Result<(), Failure> {
    connection.prepare_cached(REPLACE)?.execute(params![
        message.id.0.as_bytes(),
        message.protocol.name(),
        message.to,
        message.kind.name(),
        message.subject,
        message.text,
        message.order_url,
        message.link,
        micros(message.at),
    ])?;
    Ok(())
}
