//! The sandbox inbox, as people look at it.

use domain::delivery::DeliveryId;

use crate::ports::{InboxMessage, Page, PageRequest};
use crate::{App, Error};

/// One message in the sandbox inbox.
///
/// # Errors
/// `NotFound` with `message_not_found`; `not_on_this_host` where SNS delivers.
pub async fn get(app: &App, id: DeliveryId) -> Result<InboxMessage, Error> {
    let found = app.local_delivery()?.inbox.message(id).await?;
    found.ok_or_else(|| Error::not_found("message_not_found", "message"))
}

/// The sandbox inbox, newest first.
///
/// # Errors
/// `invalid_cursor`; `not_on_this_host` where SNS delivers.
pub async fn list(app: &App, page: PageRequest) -> Result<Page<InboxMessage>, Error> {
    app.local_delivery()?.inbox.messages(page).await
}
