//! Why a subscription is pending, in JSON.

use application::ports::DeliveryRecord;
use application::subscriptions::Pending;
use domain::Timestamp;
use domain::delivery::{DeliveryId, DeliveryState, WaitReason};
use serde::Serialize;

/// What is said of a subscription while it is pending.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PendingJson<'a> {
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
    pub(super) fn of(pending: &'a Pending, now: Timestamp) -> Self {
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
