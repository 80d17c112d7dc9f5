//! The sandbox inbox.

use application::Error;
use application::ports::{Inbox, InboxMessage, Page, PageRequest};
use async_trait::async_trait;
use domain::delivery::DeliveryId;
use rusqlite::{OptionalExtension, Row};

use super::all;
use crate::Store;
use crate::apply::Command;
use crate::columns;
use crate::failure::unreadable;
use crate::paging::Window;
use crate::rows;

const COLUMNS: &str = "seq, id, protocol, recipient, kind, subject, text, link, kept_at";

#[async_trait]
impl Inbox for Store {
    async fn keep(&self, message: InboxMessage) -> Result<(), Error> {
        self.write(Command::Keep(Box::new(message))).await?.done()
    }

    async fn message(&self, id: DeliveryId) -> Result<Option<InboxMessage>, Error> {
        self.read(move |connection| {
            let sql = format!("SELECT {COLUMNS} FROM inbox WHERE id = ?");
            let mut statement = connection.prepare_cached(&sql).map_err(unreadable)?;
            statement.query_row([id.0.as_bytes()], message).optional().map_err(unreadable)
        })
        .await
    }

    async fn messages(&self, page: PageRequest) -> Result<Page<InboxMessage>, Error> {
        let window = Window::of(&page)?;
        self.read(move |connection| {
            let sql = format!("SELECT {COLUMNS} FROM inbox WHERE seq < ? ORDER BY seq DESC LIMIT ?");
            let statement = connection.prepare_cached(&sql).map_err(unreadable)?;
            let read = |row: &Row<'_>| Ok((row.get("seq")?, message(row)?));
            Ok(window.page(all(statement, [window.before, window.rows()], read).map_err(unreadable)?))
        })
        .await
    }
}

fn message(row: &Row<'_>) -> rusqlite::Result<InboxMessage> {
    Ok(InboxMessage {
        id: DeliveryId(columns::uuid(row, "id")?),
        protocol: rows::protocol(row)?,
        to: row.get("recipient")?,
        kind: rows::kind(row)?,
        subject: row.get("subject")?,
        text: row.get("text")?,
        link: row.get("link")?,
        at: columns::time(row, "kept_at")?,
    })
}
