//! `POST /receipts/{id}?attempt=N`: what a provider reports of a message that it took. Its signature is the key to this
//! route.

use std::sync::Arc;

use application::{Error, deliveries};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use domain::delivery::DeliveryId;
use http::{HeaderMap, StatusCode, Uri};

use crate::body::RawBody;
use crate::parameters::{Id, Params};
use crate::problem::Problem;
use crate::settings::StatusCallback;
use crate::state::{Routes, Web};

pub(crate) fn routes() -> Routes {
    vec![("/receipts/{id}", post(record))]
}

/// Records a receipt; a report that is no end of the message's way is taken and changes nothing.
async fn record(
    State(web): State<Arc<Web>>,
    Id(id): Id<DeliveryId>,
    uri: Uri,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Response, Problem> {
    let Some(read) = &web.settings.receipts else { return Err(Error::not_on_this_host().into()) };
    // The address that the provider was given, and signs: not the one that a proxy made of it.
    let attempt = Params::read(&uri, &["attempt"])?
        .value("attempt", "a whole number from 1", |text| text.parse().ok().filter(|number| *number > 0))?
        .ok_or_else(|| Problem::invalid("invalid_parameter", "attempt", "attempt must say which attempt"))?;
    let url = format!("{}/receipts/{id}?attempt={attempt}", web.settings.public_url);
    let Ok(receipt) = read(&StatusCallback { url: &url, headers: &headers, body: &body }) else {
        let detail = "The report is not signed by the provider of this host";
        return Err(Problem::new(StatusCode::FORBIDDEN, "invalid_signature", detail));
    };
    if let Some(receipt) = receipt {
        deliveries::record_receipt(&web.app, id, attempt, receipt).await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
