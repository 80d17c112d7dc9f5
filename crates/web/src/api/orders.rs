//! `GET /orders` and `GET /orders/{id}`: what was ordered, and what became of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use application::orders;
use application::ports::{OrderQuery, Telling};
use application::{Error, ErrorKind};
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

pub(crate) mod not_matched;
pub(crate) mod spam;
mod timeline;

use timeline::TimelineJson;

/// An order as it is listed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderJson<'a> {
    #[serde(flatten)]
    order: &'a Order,
    request_id: &'a str,
    /// Since when a person calls it spam.
    #[serde(skip_serializing_if = "Option::is_none")]
    spam_since: Option<Timestamp>,
}

impl<'a> OrderJson<'a> {
    fn of(order: &'a Order, spam_since: Option<Timestamp>) -> Self {
        Self { order, request_id: &order.request_id, spam_since }
    }
}

/// An order as it is listed with how far its telling has come.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToldJson<'a> {
    #[serde(flatten)]
    order: OrderJson<'a>,
    #[serde(flatten)]
    telling: Option<TellingJson>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TellingJson {
    published: bool,
    /// How many deliveries there are in each state.
    tally: BTreeMap<&'static str, usize>,
    /// Whether all were counted.
    tally_is_whole: bool,
}

impl TellingJson {
    fn of(telling: &Telling) -> Self {
        let tally = telling.tally.iter().map(|(state, count)| (state.name(), *count)).collect();
        Self { published: telling.published, tally, tally_is_whole: telling.is_whole }
    }
}

/// Orders, newest first; with `include=tally` each with how far its telling has come, where this host does that itself.
pub(crate) async fn list(_: Admin, State(web): State<Arc<Web>>, uri: Uri) -> Result<Response, Problem> {
    let params = Params::read(&uri, &["limit", "cursor", "from", "before", "include"])?;
    let time = |name| {
        params.value(name, "a time such as 2026-01-31T12:00:00Z", |text| text.parse::<Timestamp>().ok())
    };
    let query = OrderQuery { from: time("from")?, to: time("before")?, page: params.page()? };
    let tally = params.value("include", "tally", |text| (text == "tally").then_some(()))?;
    let page = orders::list(&web.app, query).await?;
    let spam = orders::spam_among(&web.app, &page.items).await?;
    let mut telling = BTreeMap::new();
    if tally.is_some() && web.app.own_delivery.is_some() {
        let all = orders::telling(&web.app, &page.items).await?;
        telling.extend(page.items.iter().map(|order| order.id).zip(all));
    }
    Ok(answer_page(&page, |order| ToldJson {
        order: OrderJson::of(order, spam.get(&order.id).copied()),
        telling: telling.get(&order.id).map(TellingJson::of),
    }))
}

/// One order with its timeline; without it on a host where SNS delivers.
pub(crate) async fn show(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<OrderId>,
) -> Result<Response, Problem> {
    order_history(&web, id).await
}

async fn order_history(web: &Web, id: OrderId) -> Result<Response, Problem> {
    match orders::timeline(&web.app, id).await {
        Ok(timeline) => Ok(answer(StatusCode::OK, &TimelineJson::of(&timeline, web.app.clock.now()))),
        Err(Error { kind: ErrorKind::NotOnThisHost, .. }) => {
            let order = orders::get(&web.app, id).await?;
            Ok(answer(StatusCode::OK, &OrderJson::of(&order, None)))
        }
        Err(error) => Err(error.into()),
    }
}
