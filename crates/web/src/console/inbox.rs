//! `/console/inbox` and `/console/inbox/{id}`: messages that did not leave the machine.

use std::sync::Arc;

use application::inbox;
use application::ports::{InboxMessage, Page, PageRequest, UnreadableRow};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::Timestamp;
use domain::delivery::DeliveryId;
use http::{StatusCode, Uri};
use url::form_urlencoded;

use super::session::Session;
use crate::pages::{failure_page, page};
use crate::parameters::{Id, Params};
use crate::problem::Problem;
use crate::state::Web;

#[derive(Template)]
#[template(path = "inbox.html")]
struct InboxPage<'a> {
    version: &'a str,
    csrf: String,
    messages: Vec<Row>,
    /// Those that should stand among them and cannot be read.
    unreadable: Vec<UnreadableRow>,
    /// The query of the page after this one.
    older: Option<String>,
}

#[derive(Template)]
#[template(path = "inbox_message.html")]
struct InboxMessagePage<'a> {
    version: &'a str,
    csrf: String,
    message: Row,
}

/// A message as the pages show it.
struct Row {
    id: DeliveryId,
    protocol: &'static str,
    kind: &'static str,
    to: String,
    subject: String,
    text: String,
    /// Only a link of the web is made clickable.
    link: Option<String>,
    /// Of those, too.
    order_url: Option<String>,
    at: String,
}

impl From<InboxMessage> for Row {
    fn from(message: InboxMessage) -> Self {
        let of_the_web = |link: &String| link.starts_with("http://") || link.starts_with("https://");
        Self {
            id: message.id,
            protocol: message.protocol.name(),
            kind: message.kind.name(),
            to: message.to,
            subject: message.subject,
            text: message.text,
            link: message.link.filter(of_the_web),
            order_url: message.order_url.filter(of_the_web),
            at: format_time(message.at),
        }
    }
}

fn format_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The list, newest first.
pub(super) async fn list(session: Session, State(web): State<Arc<Web>>, uri: Uri) -> Response {
    match read(&web, &uri).await {
        Ok(found) => {
            let csrf = session.csrf_token();
            let query = |cursor: String| {
                form_urlencoded::Serializer::new(String::new()).append_pair("cursor", &cursor).finish()
            };
            let (unreadable, older) = (found.unreadable, found.next.map(query));
            let messages = found.items.into_iter().map(Row::from).collect();
            let version = web.settings.version;
            page(StatusCode::OK, &InboxPage { version, csrf, messages, unreadable, older })
        }
        Err(problem) => failure_page(web.settings.version, &problem),
    }
}

async fn read(web: &Web, uri: &Uri) -> Result<Page<InboxMessage>, Problem> {
    let request: PageRequest = Params::read(uri, &["limit", "cursor"])?.page()?;
    Ok(inbox::list(&web.app, request).await?)
}

/// One message, with its link.
pub(super) async fn show(
    session: Session,
    State(web): State<Arc<Web>>,
    id: Result<Id<DeliveryId>, Problem>,
) -> Response {
    let found = match id {
        Ok(Id(id)) => inbox::get(&web.app, id).await.map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    match found {
        Ok(message) => {
            let csrf = session.csrf_token();
            page(
                StatusCode::OK,
                &InboxMessagePage { version: web.settings.version, csrf, message: message.into() },
            )
        }
        Err(problem) => failure_page(web.settings.version, &problem),
    }
}
