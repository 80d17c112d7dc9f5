//! `POST` and `GET /subscriptions`: who shall be told of orders.

use std::sync::Arc;

use application::ports::SubscriptionQuery;
use application::subscriptions::{self, Subscribe, subscribe};
use axum::extract::State;
use axum::response::Response;
use domain::endpoint::{Endpoint, Protocol};
use domain::subscription::SubscriptionState;
use domain::webhook_secret::WebhookSecret;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode, Uri};

use super::subscription::{SubscriptionJson, answer_with};
use super::{answer_page, attributes};
use crate::access::Admin;
use crate::body::{Members, Whole};
use crate::problem::Problem;
use crate::query::Params;
use crate::router::Web;

/// Subscriptions, newest first.
pub(crate) async fn list(_: Admin, State(web): State<Arc<Web>>, uri: Uri) -> Result<Response, Problem> {
    let params = Params::read(&uri, &["limit", "cursor", "protocol", "state"])?;
    let query = SubscriptionQuery {
        protocol: params
            .value("protocol", "one of email, sms, webhook, chat", |text| Protocol::parse(text).ok())?,
        state: params.value("state", "one of pending, confirmed, suspended, ended", |text| {
            SubscriptionState::ALL.into_iter().find(|state| state.name() == text)
        })?,
        page: params.page()?,
    };
    let page = subscriptions::list(&web.app, query).await?;
    let pending = subscriptions::pending(&web.app, &page.items.iter().collect::<Vec<_>>()).await?;
    let now = web.app.clock.now();
    Ok(answer_page(&page, |one| SubscriptionJson::of(one).because(pending.get(&one.id), now)))
}

/// Makes a subscription: 201 with the secret that was made for its webhook, shown this once; 200 if it was there with the
/// same attributes.
pub(crate) async fn create(
    _: Admin,
    State(web): State<Arc<Web>>,
    Whole(json): Whole,
) -> Result<Response, Problem> {
    let known = [&["protocol", "endpoint", "secret"], attributes::MEMBERS.as_slice()].concat();
    let request = read(&Members::read(&json, &known)?)?;
    let is_known = request.secret.is_some();
    let made = subscribe(&web.app, request).await?;
    let subscription = &made.subscription;
    if !made.created {
        return answer_with(&web, StatusCode::OK, subscription, SubscriptionJson::of(subscription)).await;
    }
    let shown = if is_known {
        SubscriptionJson::of(subscription)
    } else {
        SubscriptionJson::with_secret(subscription)
    };
    let mut response = answer_with(&web, StatusCode::CREATED, subscription, shown).await?;
    if let Ok(location) = HeaderValue::try_from(format!("/subscriptions/{}", subscription.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

fn read(members: &Members<'_>) -> Result<Subscribe, Problem> {
    let protocol = Protocol::parse(&members.required("protocol")?)?;
    let endpoint = Endpoint::parse(protocol, &members.required("endpoint")?)?;
    let secret = members.text("secret")?.map(|secret| WebhookSecret::parse(&secret)).transpose()?;
    Ok(Subscribe { endpoint, attributes: attributes::read(members)?, secret })
}
