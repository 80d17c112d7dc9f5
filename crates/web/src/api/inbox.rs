//! `/inbox`: messages that did not leave the machine.

use std::sync::Arc;

use application::inbox;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use domain::delivery::DeliveryId;
use http::{StatusCode, Uri};

use super::{json_response, page_response};
use crate::access::Admin;
use crate::parameters::{Id, Params};
use crate::problem::Problem;
use crate::state::{Routes, Web};

pub(crate) fn routes() -> Routes {
    vec![("/inbox", get(list)), ("/inbox/{id}", get(show))]
}

/// Messages, newest first.
async fn list(_: Admin, State(web): State<Arc<Web>>, uri: Uri) -> Result<Response, Problem> {
    let params = Params::read(&uri, &["limit", "cursor"])?;
    let page = inbox::list(&web.app, params.page()?).await?;
    Ok(page_response(&page, |message| message))
}

/// One message.
async fn show(_: Admin, State(web): State<Arc<Web>>, Id(id): Id<DeliveryId>) -> Result<Response, Problem> {
    let message = inbox::get(&web.app, id).await?;
    Ok(json_response(StatusCode::OK, &message))
}
