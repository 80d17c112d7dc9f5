//! `/subscriptions`: who shall be told of orders. What subscribers do with the links they are sent:
//! `pages/subscriber_links.rs`.

mod attributes;
mod json;
mod test_filter;

use std::sync::Arc;

use application::ports::SubscriptionQuery;
use application::subscriptions::{self, Subscribe};
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use domain::attributes::AttributesChange;
use domain::endpoint::{Endpoint, Protocol};
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState};
use domain::webhook_secret::WebhookSecret;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode, Uri};
use serde_json::json;

use self::json::SubscriptionJson;
use super::{json_response, page_response};
use crate::access::Admin;
use crate::body::{Members, RawBody};
use crate::parameters::{Id, Params};
use crate::problem::Problem;
use crate::state::{Routes, Web};

pub(crate) fn routes() -> Routes {
    vec![
        ("/subscriptions", get(list).post(create)),
        ("/subscriptions/{id}", get(show).patch(change).delete(remove)),
        ("/subscriptions/{id}/confirmation", post(resend_confirmation)),
        ("/subscriptions/{id}/suspend", post(suspend)),
        ("/subscriptions/{id}/resume", post(resume)),
        ("/subscriptions/{id}/rotate-secret", post(rotate_secret)),
        ("/subscriptions/{id}/test", post(send_test)),
        ("/subscriptions/test-filter", post(test_filter::test_filter)),
    ]
}

/// Answers with a subscription, as it is `shown`, and why it is pending.
async fn subscription_response(
    web: &Web,
    status: StatusCode,
    subscription: &Subscription,
    shown: SubscriptionJson<'_>,
) -> Result<Response, Problem> {
    let pending = subscriptions::pending(&web.app, &[subscription]).await?;
    Ok(json_response(status, &shown.with_pending(pending.get(&subscription.id), web.app.clock.now())))
}

/// Subscriptions, newest first.
async fn list(_: Admin, State(web): State<Arc<Web>>, uri: Uri) -> Result<Response, Problem> {
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
    Ok(page_response(&page, |one| SubscriptionJson::of(one).with_pending(pending.get(&one.id), now)))
}

/// Makes a subscription: 201 with the secret that was made for its webhook, shown this once; 200 if it was there with the
/// same attributes.
async fn create(_: Admin, State(web): State<Arc<Web>>, RawBody(json): RawBody) -> Result<Response, Problem> {
    let known = [&["protocol", "endpoint", "secret"], attributes::MEMBERS.as_slice()].concat();
    let request = subscribe_request(&Members::read(&json, &known)?)?;
    let is_known = request.secret.is_some();
    let made = subscriptions::subscribe(&web.app, request).await?;
    let subscription = &made.subscription;
    if !made.created {
        return subscription_response(&web, StatusCode::OK, subscription, SubscriptionJson::of(subscription))
            .await;
    }
    let shown = if is_known {
        SubscriptionJson::of(subscription)
    } else {
        SubscriptionJson::with_secret(subscription)
    };
    let mut response = subscription_response(&web, StatusCode::CREATED, subscription, shown).await?;
    if let Ok(location) = HeaderValue::try_from(format!("/subscriptions/{}", subscription.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

fn subscribe_request(members: &Members<'_>) -> Result<Subscribe, Problem> {
    let protocol = Protocol::parse(&members.required("protocol")?)?;
    let endpoint = Endpoint::parse(protocol, &members.required("endpoint")?)?;
    let secret = members.text("secret")?.map(|secret| WebhookSecret::parse(&secret)).transpose()?;
    Ok(Subscribe { endpoint, attributes: attributes::read(members)?, secret })
}

/// One subscription.
async fn show(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
) -> Result<Response, Problem> {
    let found = subscriptions::get(&web.app, id).await?;
    subscription_response(&web, StatusCode::OK, &found, SubscriptionJson::of(&found)).await
}

/// Sets or, with `null`, takes away attributes. Nothing else of a subscription can change.
async fn change(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
    RawBody(json): RawBody,
) -> Result<Response, Problem> {
    let known = [&["protocol", "endpoint"], attributes::MEMBERS.as_slice()].concat();
    let members = Members::read(&json, &known)?;
    for name in ["protocol", "endpoint", "receives"] {
        if members.raw(name).is_some() {
            let detail = format!("{name} cannot be changed: end this subscription and make another");
            return Err(Problem::invalid("immutable_field", name, detail));
        }
    }
    let change = attributes::read_change(&members)?;
    if change == AttributesChange::default() {
        let detail = "filterPolicy, maxReceivesPerSecond, escalation, fields, language or timeZone must be given; null takes one away";
        return Err(Problem::invalid("missing_field", "filterPolicy", detail));
    }
    let changed = subscriptions::change(&web.app, id, change).await?;
    subscription_response(&web, StatusCode::OK, &changed, SubscriptionJson::of(&changed)).await
}

/// Ends a subscription; ending one that ended already changes nothing.
async fn remove(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
) -> Result<Response, Problem> {
    let ended = subscriptions::remove(&web.app, id).await?;
    subscription_response(&web, StatusCode::OK, &ended, SubscriptionJson::of(&ended)).await
}

/// Sends the confirmation again; the links sent before die.
async fn resend_confirmation(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
) -> Result<Response, Problem> {
    let pending = subscriptions::resend_confirmation(&web.app, id).await?;
    subscription_response(&web, StatusCode::ACCEPTED, &pending, SubscriptionJson::of(&pending)).await
}

/// Lets the deliveries of a confirmed subscription wait; they are made all the same.
async fn suspend(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
) -> Result<Response, Problem> {
    let suspended = subscriptions::suspend(&web.app, id).await?;
    Ok(json_response(StatusCode::OK, &SubscriptionJson::of(&suspended)))
}

/// Sends to a suspended subscription again.
async fn resume(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
) -> Result<Response, Problem> {
    let resumed = subscriptions::resume(&web.app, id).await?;
    Ok(json_response(StatusCode::OK, &SubscriptionJson::of(&resumed)))
}

/// Makes a new secret for a webhook and shows it this once. The old one signs too for 24 hours.
async fn rotate_secret(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
) -> Result<Response, Problem> {
    let rotated = subscriptions::rotate_secret(&web.app, id).await?;
    subscription_response(&web, StatusCode::OK, &rotated, SubscriptionJson::with_secret(&rotated)).await
}

/// Makes a test for a confirmed subscription. What becomes of it: `GET /deliveries/{id}`.
async fn send_test(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
) -> Result<Response, Problem> {
    let delivery_id = subscriptions::send_test(&web.app, id).await?;
    Ok(json_response(StatusCode::ACCEPTED, &json!({ "deliveryId": delivery_id })))
}
