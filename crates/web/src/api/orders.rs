//! `GET /orders` and `GET /orders/{id}`: what was ordered, and what became of it.

use std::sync::Arc;

use application::ports::OrderQuery;
use application::{Error, ErrorKind, queries};
use axum::extract::State;
use axum::response::Response;
use domain::Timestamp;
use domain::order::{Order, OrderId};
use http::{StatusCode, Uri};
use serde::Serialize;

use super::{answer, answer_page};
use crate::access::Admin;
use crate::path_id::Id;
use crate::problem::Problem;
use crate::query::Params;
use crate::router::Web;

pub(crate) mod not_owed;
mod timeline;

use timeline::TimelineJson;

/// An order as it is listed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderJson<'a> {
    #[serde(flatten)]
    order: &'a Order,
    request_id: &'a str,
}

impl<'a> OrderJson<'a> {
    fn of(order: &'a Order) -> Self {
        Self { order, request_id: &order.request_id }
    }
}

/// Orders, newest first.
pub(crate) async fn list(_: Admin, State(web): State<Arc<Web>>, uri: Uri) -> Result<Response, Problem> {
    let params = Params::read(&uri, &["limit", "cursor", "from", "to"])?;
    let time = |name| {
        params.value(name, "a time such as 2026-01-31T12:00:00Z", |text| text.parse::<Timestamp>().ok())
    };
    let query = OrderQuery { from: time("from")?, to: time("to")?, page: params.page()? };
    let page = queries::orders(&web.app, query).await?;
    Ok(answer_page(&page, OrderJson::of))
}

/// One order with its timeline; without it on a host where SNS delivers.
pub(crate) async fn show(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<OrderId>,
) -> Result<Response, Problem> {
    match queries::order_timeline(&web.app, id).await {
        Ok(timeline) => Ok(answer(StatusCode::OK, &TimelineJson::of(&timeline, web.app.clock.now()))),
        Err(Error { kind: ErrorKind::NotOnThisHost, .. }) => {
            let order = queries::order(&web.app, id).await?;
            Ok(answer(StatusCode::OK, &OrderJson::of(&order)))
        }
        Err(error) => Err(error.into()),
    }
}
