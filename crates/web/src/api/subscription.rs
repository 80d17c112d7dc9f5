//! `GET`, `PATCH`, `DELETE /subscriptions/{id}` and `POST /subscriptions/{id}/confirmation`: one
//! subscription.

use std::sync::Arc;

use application::subscriptions::{self, Pending};
use axum::extract::State;
use axum::response::Response;
use domain::Timestamp;
use domain::attributes::AttributesChange;
use domain::subscription::{EndReason, Subscription, SubscriptionId, SubscriptionState};
use http::StatusCode;
use serde::Serialize;

use super::answer;
use super::attributes::{self, AttributesJson};
use super::pending::PendingJson;
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
    #[serde(flatten)]
    attributes: AttributesJson<'a>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Timestamp>,
    /// Why it is pending, while it is.
    #[serde(flatten)]
    pending: Option<PendingJson<'a>>,
    /// While it is pending: until when the newest link works.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation_expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_at: Option<Timestamp>,
    /// The confirmation proves nothing: its link was read in the sandbox inbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_in_sandbox: Option<bool>,
    /// When an attempt failed first since one succeeded last.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspension_reason: Option<&'static str>,
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
        Self {
            subscription_id: subscription.id,
            protocol: subscription.endpoint.protocol().name(),
            endpoint: subscription.endpoint.to_string(),
            attributes: AttributesJson::of(&subscription.attributes),
            state: subscription.state.name(),
            pending: None,
            created_at: subscription.created_at,
            confirmation_expires_at: subscription
                .confirmation_expires_at
                .filter(|_| pending && !subscription.has_lapsed()),
            confirmed_at: subscription.confirmation.map(|given| given.at),
            confirmed_in_sandbox: subscription.confirmation.map(|given| given.in_sandbox),
            failing_since: subscription.failing.map(|failing| failing.since),
            suspended_at: subscription.suspension.map(|suspension| suspension.at),
            suspension_reason: subscription.suspension.map(|suspension| suspension.reason.name()),
            ended_at: subscription.end.map(|end| end.at),
            end_reason: subscription.end.map(|end| EndReason::name(end.reason)),
            secret: None,
        }
    }

    /// The subscription with its secret, for the one answer that shows it.
    pub(crate) fn with_secret(subscription: &'a Subscription) -> Self {
        let secret = subscription.secrets.as_ref().map(|secrets| secrets.current.reveal());
        Self { secret, ..Self::of(subscription) }
    }

    /// With why it is pending, if it is.
    pub(crate) fn because(self, pending: Option<&'a Pending>, now: Timestamp) -> Self {
        Self { pending: pending.map(|pending| PendingJson::of(pending, now)), ..self }
    }
}

/// Answers with a subscription, as it is `shown`, and why it is pending.
pub(super) async fn answer_with(
    web: &Web,
    status: StatusCode,
    subscription: &Subscription,
    shown: SubscriptionJson<'_>,
) -> Result<Response, Problem> {
    let pending = subscriptions::pending(&web.app, &[subscription]).await?;
    Ok(answer(status, &shown.because(pending.get(&subscription.id), web.app.clock.now())))
}

/// One subscription.
pub(crate) async fn show(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
) -> Result<Response, Problem> {
    let found = subscriptions::get(&web.app, id).await?;
    answer_with(&web, StatusCode::OK, &found, SubscriptionJson::of(&found)).await
}

/// Sets or, with `null`, takes away attributes. Nothing else of a subscription can change.
pub(crate) async fn change(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
    Whole(json): Whole,
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
        let detail = "filterPolicy, maxReceivesPerSecond or escalation must be given; null takes one away";
        return Err(Problem::invalid("missing_field", "filterPolicy", detail));
    }
    let changed = subscriptions::change(&web.app, id, change).await?;
    answer_with(&web, StatusCode::OK, &changed, SubscriptionJson::of(&changed)).await
}

/// Ends a subscription; ending one that ended already changes nothing.
pub(crate) async fn remove(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
) -> Result<Response, Problem> {
    let ended = subscriptions::remove(&web.app, id).await?;
    answer_with(&web, StatusCode::OK, &ended, SubscriptionJson::of(&ended)).await
}

/// Sends the confirmation again; the links sent before die.
pub(crate) async fn resend_confirmation(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
) -> Result<Response, Problem> {
    let pending = application::subscriptions::resend_confirmation(&web.app, id).await?;
    answer_with(&web, StatusCode::ACCEPTED, &pending, SubscriptionJson::of(&pending)).await
}

#[cfg(test)]
mod tests {
    use application::subscriptions::PendingReason;
    use domain::attributes::Attributes;
    use domain::endpoint::{Endpoint, Protocol};
    use serde_json::Value;

    use super::*;
    use crate::api::openapi;

    #[test]
    fn the_contract_names_every_reason_to_be_pending() {
        let contract: Value = serde_json::from_str(openapi::DOCUMENT).unwrap();
        let named = &contract["components"]["schemas"]["Subscription"]["properties"]["pendingReason"]["enum"];
        assert_eq!(*named, serde_json::json!(PendingReason::ALL.map(PendingReason::name)));
    }

    #[test]
    fn what_is_unknown_of_a_subscription_is_not_required_by_the_contract() {
        let known_to_sns = Subscription {
            id: "0199b1f4-8f7e-7cc3-98c8-5ac0bd17d1c6".parse().unwrap(),
            endpoint: Endpoint::parse(Protocol::Email, "jo@example.com").unwrap(),
            attributes: Attributes::default(),
            state: SubscriptionState::Confirmed,
            generation: 1,
            created_at: None,
            confirmation_expires_at: None,
            confirmation: None,
            failing: None,
            suspension: None,
            end: None,
            secrets: None,
        };
        let answer = serde_json::to_value(SubscriptionJson::of(&known_to_sns)).unwrap();
        let contract: Value = serde_json::from_str(openapi::DOCUMENT).unwrap();
        let required = contract["components"]["schemas"]["Subscription"]["required"].as_array().unwrap();
        for member in required {
            assert!(answer.get(member.as_str().unwrap()).is_some(), "{member} is not in {answer}");
        }
    }
}
