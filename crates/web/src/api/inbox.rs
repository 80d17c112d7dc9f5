//! `GET /inbox` and `GET /inbox/{id}`: messages that did not leave the machine.

use std::sync::Arc;

use application::inbox;
use application::ports::InboxMessage;
use axum::extract::State;
use axum::response::Response;
use domain::Timestamp;
use domain::delivery::DeliveryId;
use http::{StatusCode, Uri};
use serde::Serialize;

use super::{answer, answer_page};
use crate::access::Admin;
use crate::path_id::Id;
use crate::problem::Problem;
use crate::query::Params;
use crate::router::Web;

#[derive(Serialize)]
struct MessageJson<'a> {
    /// The delivery that it is.
    id: DeliveryId,
    protocol: &'static str,
    to: &'a str,
    kind: &'static str,
    subject: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
    at: Timestamp,
}

impl<'a> MessageJson<'a> {
    fn of(message: &'a InboxMessage) -> Self {
        Self {
            id: message.id,
            protocol: message.protocol.name(),
            to: &message.to,
            kind: message.kind.name(),
            subject: &message.subject,
            text: &message.text,
            link: message.link.as_deref(),
            at: message.at,
        }
    }
}

/// Messages, newest first.
pub(crate) async fn list(_: Admin, State(web): State<Arc<Web>>, uri: Uri) -> Result<Response, Problem> {
    let params = Params::read(&uri, &["limit", "cursor"])?;
    let page = inbox::list(&web.app, params.page()?).await?;
    Ok(answer_page(&page, MessageJson::of))
}

/// One message.
pub(crate) async fn show(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<DeliveryId>,
) -> Result<Response, Problem> {
    let message = inbox::get(&web.app, id).await?;
    Ok(answer(StatusCode::OK, &MessageJson::of(&message)))
}
