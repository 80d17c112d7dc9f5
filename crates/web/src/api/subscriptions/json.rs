//! What a subscription looks like in answers, and why it is pending.

use application::ports::DeliveryRecord;
use application::subscriptions::Pending;
use domain::Timestamp;
use domain::delivery::{DeliveryId, DeliveryState, WaitReason};
use domain::subscription::{EndReason, Subscription, SubscriptionId, SubscriptionState};
use serde::Serialize;

use super::attributes::AttributesJson;

/// A subscription as the operator sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubscriptionJson<'a> {
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
    pub(super) fn of(subscription: &'a Subscription) -> Self {
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
            failing_since: subscription.failure_streak.map(|failing| failing.since),
            suspended_at: subscription.suspension.map(|suspension| suspension.at),
            suspension_reason: subscription.suspension.map(|suspension| suspension.reason.name()),
            ended_at: subscription.end.map(|end| end.at),
            end_reason: subscription.end.map(|end| EndReason::name(end.reason)),
            secret: None,
        }
    }

    /// The subscription with its secret, for the one answer that shows it.
    pub(super) fn with_secret(subscription: &'a Subscription) -> Self {
        let secret = subscription.secrets.as_ref().map(|secrets| secrets.current.reveal());
        Self { secret, ..Self::of(subscription) }
    }

    /// With why it is pending, if it is.
    pub(super) fn with_pending(self, pending: Option<&'a Pending>, now: Timestamp) -> Self {
        Self { pending: pending.map(|pending| PendingJson::of(pending, now)), ..self }
    }
}

/// What is said of a subscription while it is pending.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PendingJson<'a> {
    pending_reason: &'static str,
    /// What a person can do.
    pending_advice: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation_request: Option<RequestJson<'a>>,
}

/// The newest confirmation request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestJson<'a> {
    delivery_id: DeliveryId,
    state: &'static str,
    requested_at: Timestamp,
    /// When its newest attempt ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_attempt_at: Option<Timestamp>,
    /// What came of that, in the other side's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<&'a str>,
    /// When it is tried next, while it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_because: Option<&'static str>,
    /// Why the channel that it waits for is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pause_reason: Option<&'a str>,
}

impl<'a> PendingJson<'a> {
    fn of(pending: &'a Pending, now: Timestamp) -> Self {
        Self {
            pending_reason: pending.reason.name(),
            pending_advice: pending.advice(now),
            confirmation_request: pending.request.as_ref().map(|request| RequestJson::of(request, now)),
        }
    }
}

impl<'a> RequestJson<'a> {
    fn of(request: &'a DeliveryRecord, now: Timestamp) -> Self {
        let last = request.last_ended();
        Self {
            delivery_id: request.id,
            state: request.state.name(),
            requested_at: request.created_at,
            last_attempt_at: last.and_then(|attempt| attempt.ended_at),
            reply: last.and_then(|attempt| attempt.reply.as_deref()),
            next_attempt_at: Some(request.at).filter(|_| request.state == DeliveryState::Pending),
            waits_because: request.waits_because(now).map(WaitReason::name),
            pause_reason: request.pause(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use application::subscriptions::PendingReason;
    use domain::attributes::Attributes;
    use domain::endpoint::{Endpoint, Protocol};
    use serde_json::Value;

    use super::*;
    use crate::api::operations::CONTRACT;

    #[test]
    fn the_contract_names_every_reason_to_be_pending() {
        let contract: Value = serde_json::from_str(CONTRACT).unwrap();
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
            failure_streak: None,
            suspension: None,
            end: None,
            secrets: None,
        };
        let answer = serde_json::to_value(SubscriptionJson::of(&known_to_sns)).unwrap();
        let contract: Value = serde_json::from_str(CONTRACT).unwrap();
        let required = contract["components"]["schemas"]["Subscription"]["required"].as_array().unwrap();
        for member in required {
            assert!(answer.get(member.as_str().unwrap()).is_some(), "{member} is not in {answer}");
        }
    }
}
