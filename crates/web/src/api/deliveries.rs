//! `GET /deliveries` and `GET /deliveries/{id}`: what is owed, and what became of it.

use std::sync::Arc;

use application::deliveries;
use application::ports::{AttemptRecord, DeliveryQuery, DeliveryRecord, InterventionRecord, ReceiptRecord};
use axum::extract::State;
use axum::response::Response;
use domain::Timestamp;
use domain::delivery::{CancelReason, DeliveryId, DeliveryState, WaitReason};
use domain::notice::Notice;
use domain::order::OrderId;
use domain::subscription::SubscriptionId;
use http::{StatusCode, Uri};
use serde::Serialize;

use super::unreadable::UnreadableJson;
use super::{answer, answer_page};
use crate::access::Admin;
use crate::path_id::Id;
use crate::problem::Problem;
use crate::query::Params;
use crate::router::Web;

/// A delivery with its attempts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveryJson<'a> {
    delivery_id: DeliveryId,
    kind: &'static str,
    subscription_id: SubscriptionId,
    protocol: &'static str,
    endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<OrderId>,
    state: &'static str,
    created_at: Timestamp,
    /// What it waits for, while it is pending and not simply due.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_because: Option<&'static str>,
    /// Why the channel that it waits for is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pause_reason: Option<&'a str>,
    /// Why it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_reason: Option<&'static str>,
    /// When it is tried next, while it is pending; when it came to its state, otherwise.
    at: Timestamp,
    /// Attempts that count against the schedule.
    attempts_used: u32,
    attempts: Vec<AttemptJson<'a>>,
    /// What its provider reported after it took the message.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    receipts: Vec<ReceiptJson<'a>>,
    /// What people did to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    interventions: Vec<InterventionJson>,
    /// What of all this cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<UnreadableJson<'a>>,
    /// The delivery that was not made in time, for which this one is owed too.
    #[serde(skip_serializing_if = "Option::is_none")]
    escalated_from: Option<DeliveryId>,
    /// When it should have escalated, and the other subscription was not confirmed, or no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_escalated_at: Option<Timestamp>,
    /// What a notice says.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<&'a Notice>,
}

/// A provider's report.
#[derive(Serialize)]
pub(crate) struct ReceiptJson<'a> {
    /// Which attempt it is about.
    attempt: u32,
    at: Timestamp,
    status: &'static str,
    reply: &'a str,
}

/// Something that a person did to a delivery.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InterventionJson {
    at: Timestamp,
    kind: &'static str,
    /// The state that it put an end to.
    state_before: &'static str,
    /// Since when the delivery had been in that state.
    since: Timestamp,
}

/// One attempt.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttemptJson<'a> {
    number: u32,
    started_at: Timestamp,
    /// `null` while it is in flight, as `outcome` is.
    ended_at: Option<Timestamp>,
    outcome: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    used: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}

impl<'a> DeliveryJson<'a> {
    pub(crate) fn of(delivery: &'a DeliveryRecord, now: Timestamp) -> Self {
        let waits_because = delivery.waits_because(now);
        let is_paused = waits_because == Some(WaitReason::ChannelPaused);
        Self {
            delivery_id: delivery.id,
            kind: delivery.kind.name(),
            subscription_id: delivery.subscription,
            protocol: delivery.endpoint.protocol().name(),
            endpoint: delivery.endpoint.to_string(),
            order_id: delivery.order,
            state: delivery.state.name(),
            waits_because: waits_because.map(WaitReason::name),
            pause_reason: delivery.channel_pause.as_deref().filter(|_| is_paused),
            cancel_reason: delivery.cancel_reason.map(CancelReason::name),
            created_at: delivery.created_at,
            at: delivery.at,
            attempts_used: delivery.attempts_used,
            attempts: delivery.attempts.iter().map(AttemptJson::of).collect(),
            receipts: delivery.receipts.iter().map(ReceiptJson::of).collect(),
            interventions: delivery.interventions.iter().map(InterventionJson::of).collect(),
            unreadable: UnreadableJson::of(&delivery.unreadable),
            escalated_from: delivery.escalated_from,
            not_escalated_at: delivery.stranded_at,
            notice: delivery.notice.as_ref(),
        }
    }
}

impl<'a> ReceiptJson<'a> {
    fn of(receipt: &'a ReceiptRecord) -> Self {
        let ReceiptRecord { attempt, at, status, reply } = receipt;
        Self { attempt: *attempt, at: *at, status: status.name(), reply }
    }
}

impl InterventionJson {
    fn of(intervention: &InterventionRecord) -> Self {
        let InterventionRecord { kind, at, state_before, since } = intervention;
        Self { at: *at, kind: kind.name(), state_before: state_before.name(), since: *since }
    }
}

impl<'a> AttemptJson<'a> {
    pub(crate) fn of(attempt: &'a AttemptRecord) -> Self {
        Self {
            number: attempt.number,
            started_at: attempt.started_at,
            ended_at: attempt.ended_at,
            outcome: attempt.outcome.as_deref(),
            scope: attempt.scope.as_deref(),
            used: attempt.attempts_used,
            reply: attempt.reply.as_deref(),
            status: attempt.status,
        }
    }
}

/// Deliveries, newest first.
pub(crate) async fn list(_: Admin, State(web): State<Arc<Web>>, uri: Uri) -> Result<Response, Problem> {
    let params = Params::read(&uri, &["limit", "cursor", "state", "subscription", "order"])?;
    let states = "one of pending, in_flight, delivered, sandboxed, held, dead, cancelled";
    let query = DeliveryQuery {
        state: params.value("state", states, |text| {
            DeliveryState::ALL.into_iter().find(|state| state.name() == text)
        })?,
        subscription: params.value("subscription", "a UUID", |text| text.parse().ok())?,
        order: params.value("order", "a UUID", |text| text.parse().ok())?,
        page: params.page()?,
    };
    let page = deliveries::list(&web.app, query).await?;
    let now = web.app.clock.now();
    Ok(answer_page(&page, |delivery| DeliveryJson::of(delivery, now)))
}

/// One delivery.
pub(crate) async fn show(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<DeliveryId>,
) -> Result<Response, Problem> {
    let delivery = deliveries::get(&web.app, id).await?;
    Ok(answer(StatusCode::OK, &DeliveryJson::of(&delivery, web.app.clock.now())))
}
