//! `GET`, `PATCH`, `DELETE /subscriptions/{id}` and `POST /subscriptions/{id}/confirmation`: one
//! subscription.

use std::sync::Arc;

use application::change_filter_policy::change_filter_policy;
use application::queries;
use application::unsubscribe::remove_subscription;
use axum::extract::State;
use axum::response::Response;
use domain::Timestamp;
use domain::subscription::{EndReason, Subscription, SubscriptionId, SubscriptionState};
use http::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;

use super::answer;
use super::subscriptions::filter_policy;
use crate::access::Admin;
use crate::body::{Members, Whole};
use crate::path_id::Id;
use crate::problem::Problem;
use crate::router::Web;

/// A subscription as the operator sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionJson<'a> {
    subscription_id: SubscriptionId,
    protocol: &'static str,
    endpoint: String,
    filter_policy: Option<&'a RawValue>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Timestamp>,
    /// While it is pending: until when the newest link works.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation_expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_at: Option<Timestamp>,
    /// The confirmation proves nothing: its link was read in the sandbox inbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_in_sandbox: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

impl<'a> SubscriptionJson<'a> {
    /// The subscription without its secret.
    pub(crate) fn of(subscription: &'a Subscription) -> Self {
        let pending = subscription.state == SubscriptionState::Pending;
        let policy = subscription.filter_policy.as_ref();
        Self {
            subscription_id: subscription.id,
            protocol: subscription.endpoint.protocol().name(),
            endpoint: subscription.endpoint.to_string(),
            filter_policy: policy.and_then(|policy| serde_json::from_str(policy.as_str()).ok()),
            state: subscription.state.name(),
            created_at: subscription.created_at,
            confirmation_expires_at: subscription.confirmation_expires_at.filter(|_| pending),
            confirmed_at: subscription.confirmation.map(|given| given.at),
            confirmed_in_sandbox: subscription.confirmation.map(|given| given.in_sandbox),
            ended_at: subscription.end.map(|end| end.at),
            end_reason: subscription.end.map(|end| EndReason::name(end.reason)),
            secret: None,
        }
    }

    /// The subscription with its secret, for the one answer that shows it.
    pub(crate) fn with_secret(subscription: &'a Subscription) -> Self {
        let secret = subscription.secret.as_ref().map(domain::webhook_secret::WebhookSecret::reveal);
        Self { secret, ..Self::of(subscription) }
    }
}

fn answer_with(status: StatusCode, subscription: &Subscription) -> Response {
    answer(status, &SubscriptionJson::of(subscription))
}

/// One subscription.
pub(crate) async fn show(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
) -> Result<Response, Problem> {
    let found = queries::subscription(&web.app, id).await?;
    Ok(answer_with(StatusCode::OK, &found))
}

/// Sets or, with `null`, removes the filter policy. Nothing else of a subscription can change.
pub(crate) async fn change(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
    Whole(json): Whole,
) -> Result<Response, Problem> {
    let members = Members::read(&json, &["filterPolicy", "protocol", "endpoint"])?;
    for name in ["protocol", "endpoint"] {
        if members.raw(name).is_some() {
            let detail = format!("{name} cannot be changed: end this subscription and make another");
            return Err(Problem::invalid("immutable_field", name, detail));
        }
    }
    let Some(policy) = members.raw("filterPolicy") else {
        return Err(Problem::invalid(
            "missing_field",
            "filterPolicy",
            "filterPolicy is missing; null removes it",
        ));
    };
    let changed = change_filter_policy(&web.app, id, filter_policy(Some(policy))?).await?;
    Ok(answer_with(StatusCode::OK, &changed))
}

/// Ends a subscription; ending one that ended already changes nothing.
pub(crate) async fn remove(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
) -> Result<Response, Problem> {
    let ended = remove_subscription(&web.app, id).await?;
    Ok(answer_with(StatusCode::OK, &ended))
}

/// Sends the confirmation again; the links sent before die.
pub(crate) async fn resend_confirmation(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
) -> Result<Response, Problem> {
    let pending = application::resend_confirmation::resend_confirmation(&web.app, id).await?;
    Ok(answer_with(StatusCode::ACCEPTED, &pending))
}
