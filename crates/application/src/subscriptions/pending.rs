//! Why subscriptions are not confirmed yet.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::delivery::{DeliveryState, WaitReason};
use domain::endpoint::Protocol;
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState};

use crate::ports::{AttemptRecord, DeliveryRecord};
use crate::{App, Error};

/// Why a subscription is not confirmed yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// In a word.
    pub reason: PendingReason,
    /// Its newest confirmation request, if this host sends them itself and there was one.
    pub request: Option<DeliveryRecord>,
}

/// What a pending subscription waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingReason {
    /// Nobody was asked.
    NotAsked,
    /// It was confirmed, or asked for, in the sandbox only, which a real provider replaced since.
    Lapsed,
    /// The request waits for its first attempt, or is under way.
    OnItsWay,
    /// The request waits for its channel, which is paused.
    ChannelPaused,
    /// The request did not get through, or nobody answered, and is tried again.
    NotReached,
    /// The webhook answered with another status than 2xx, and is asked again.
    AnsweredOtherwise,
    /// The webhook answered 2xx without the challenge, and is asked again.
    ChallengeNotAnswered,
    /// The request lies in the sandbox inbox.
    InSandbox,
    /// The request was delivered, and its link was not used.
    NotAnswered,
    /// The request's link no longer works.
    LinkExpired,
    /// The request failed for good, or was taken back.
    GivenUp,
    /// Nobody knows whether the request arrived, and a person decides.
    Held,
}

/// Why each of these subscriptions that is pending is so.
///
/// # Errors
/// The store cannot be read.
pub async fn pending(
    app: &App,
    subscriptions: &[&Subscription],
) -> Result<BTreeMap<SubscriptionId, Pending>, Error> {
    let pending = subscriptions.iter().filter(|one| one.state == SubscriptionState::Pending);
    let ids: Vec<_> = pending.clone().map(|one| one.id).collect();
    let Some(own) = app.local_delivery.as_ref().filter(|_| !ids.is_empty()) else {
        // Somebody else asks, and tells nothing of it.
        let waiting = Pending { reason: PendingReason::NotAnswered, request: None };
        return Ok(ids.into_iter().map(|id| (id, waiting.clone())).collect());
    };
    let requests = own.deliveries.confirmation_requests(ids).await?;
    let mut requests: BTreeMap<_, _> =
        requests.into_iter().map(|request| (request.subscription, request)).collect();
    let now = app.clock.now();
    let why = |one: &&Subscription| {
        // What was asked in the sandbox is over with it.
        let request = requests.remove(&one.id).filter(|_| !one.has_lapsed());
        (one.id, Pending { reason: PendingReason::of(one, request.as_ref(), now), request })
    };
    Ok(pending.map(why).collect())
}

impl Pending {
    /// What is the matter, as far as the request's pause or last attempt says it, and what a person can do.
    #[must_use]
    pub fn advice(&self, now: Timestamp) -> String {
        let advice = self.reason.advice();
        let reply = || self.request.as_ref()?.last_ended()?.reply.as_deref();
        let (matter, said) = match self.reason {
            PendingReason::ChannelPaused => {
                ("No message gets out", self.request.as_ref().and_then(|request| request.pause(now)))
            }
            PendingReason::NotReached => ("The last try failed", reply()),
            PendingReason::AnsweredOtherwise => ("The receiver refused", reply()),
            PendingReason::ChallengeNotAnswered => ("The receiver did not confirm", reply()),
            PendingReason::GivenUp => ("The confirmation request failed for good", reply()),
            _ => ("", None),
        };
        let said = said.and_then(|said| said.lines().next()).map(|said| said.trim_end_matches('.'));
        said.map_or_else(|| advice.to_owned(), |said| format!("{matter} ({said}). {advice}"))
    }
}

impl PendingReason {
    /// Every reason there is.
    pub const ALL: [Self; 12] = [
        Self::NotAsked,
        Self::Lapsed,
        Self::OnItsWay,
        Self::ChannelPaused,
        Self::NotReached,
        Self::AnsweredOtherwise,
        Self::ChallengeNotAnswered,
        Self::InSandbox,
        Self::NotAnswered,
        Self::LinkExpired,
        Self::GivenUp,
        Self::Held,
    ];

    fn of(subscription: &Subscription, request: Option<&DeliveryRecord>, now: Timestamp) -> Self {
        if subscription.has_lapsed() {
            return Self::Lapsed;
        }
        let Some(request) = request else { return Self::NotAsked };
        let is_expired = subscription.confirmation_expires_at.is_some_and(|end| now >= end);
        match request.state {
            DeliveryState::Delivered | DeliveryState::Sandboxed if is_expired => Self::LinkExpired,
            DeliveryState::Sandboxed => Self::InSandbox,
            DeliveryState::Delivered => Self::NotAnswered,
            DeliveryState::Dead | DeliveryState::Cancelled => Self::GivenUp,
            DeliveryState::Held => Self::Held,
            DeliveryState::Pending if request.pause(now).is_some() => Self::ChannelPaused,
            DeliveryState::Pending | DeliveryState::InFlight => {
                let is_webhook = request.endpoint.protocol() == Protocol::Webhook;
                match request.last_ended().map(|attempt| attempt.status.filter(|_| is_webhook)) {
                    None => Self::OnItsWay,
                    Some(None) => Self::NotReached,
                    Some(Some(200..=299)) => Self::ChallengeNotAnswered,
                    Some(Some(_)) => Self::AnsweredOtherwise,
                }
            }
        }
    }

    /// Its name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAsked => "not_asked",
            Self::Lapsed => "lapsed",
            Self::OnItsWay => "on_its_way",
            Self::ChannelPaused => "channel_paused",
            Self::NotReached => "not_reached",
            Self::AnsweredOtherwise => "answered_otherwise",
            Self::ChallengeNotAnswered => "challenge_not_answered",
            Self::InSandbox => "in_sandbox",
            Self::NotAnswered => "not_answered",
            Self::LinkExpired => "link_expired",
            Self::GivenUp => "given_up",
            Self::Held => "held",
        }
    }

    /// What a person can do, where what is the matter was said.
    fn advice(self) -> &'static str {
        match self {
            Self::NotAsked | Self::LinkExpired => "Send the confirmation request again",
            Self::Lapsed => {
                "It was confirmed, or asked for, in the sandbox only, and that lapsed when a real provider was configured: \
                 send the confirmation request, which leaves this machine now"
            }
            Self::OnItsWay => "Wait: the confirmation request is sent by itself",
            Self::ChannelPaused => {
                "Mend that: the confirmation request is sent by itself as soon as messages get out again"
            }
            Self::NotReached => {
                "Mend what stands in the way (the name, the connection, the certificate, silence), if it does not mend itself: the \
                 confirmation request is tried again by itself"
            }
            Self::AnsweredOtherwise => {
                "The receiver must answer 2xx. See that the address is right and lets signed requests in; it is asked again by \
                 itself, and at once if the confirmation request is sent again"
            }
            Self::ChallengeNotAnswered => {
                "The receiver must answer 2xx and repeat the challenge in the member `confirmation` (docs/WEBHOOKS.md); it \
                 is asked again by itself, and at once if the confirmation request is sent again"
            }
            Self::InSandbox => "No provider is configured: open the link in the sandbox inbox",
            Self::NotAnswered => {
                "Ask the receiver to open the link and confirm; if it is lost, send the confirmation request again"
            }
            Self::GivenUp => "Mend what kept the confirmation request from arriving, then send it again",
            Self::Held => {
                "Ask the receiver whether the confirmation request arrived; if it did not, send it again"
            }
        }
    }
}

impl DeliveryRecord {
    /// Why the channel is paused that it waits for.
    #[must_use]
    pub fn pause(&self, now: Timestamp) -> Option<&str> {
        let waits = self.waits_because(now) == Some(WaitReason::ChannelPaused);
        self.channel_pause.as_deref().filter(|_| waits)
    }

    /// Its newest attempt that ended.
    #[must_use]
    pub fn last_ended(&self) -> Option<&AttemptRecord> {
        self.attempts.iter().rev().find(|attempt| attempt.ended_at.is_some())
    }
}
