//! Deliveries, subscriptions and an engine that is driven by hand.

use application::ports::ChannelRules;
use domain::attributes::Attributes;
use domain::delivery::UnknownOutcomePolicy;
use std::sync::Arc;
use std::time::Duration;

use application::Error;
use application::deliver::{Action, Engine, Event};
use application::ports::{Concurrency, Due, DueDelivery, DueQuery, Finished, Sent};
use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::delivery::{DeliveryId, DeliveryKind};
use domain::endpoint::{Endpoint, Protocol};
use domain::order::{Order, OrderDetails, OrderId};
use domain::retry::Jitter;
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState};
use uuid::Uuid;

pub(crate) const LIMITS: ChannelRules = ChannelRules {
    concurrency: Concurrency { channel: 3, endpoint: 2 },
    batch: 1,
    max_per_second: None,
    on_unknown: UnknownOutcomePolicy::Retry,
};
pub(crate) const NO_JITTER: Jitter = Jitter(u16::MAX / 2 + 1);

pub(crate) fn start() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn subscription(number: u128, protocol: Protocol) -> Subscription {
    let endpoint = match protocol {
        Protocol::Email => format!("s{number}@example.com"),
        Protocol::Sms => format!("+49151{number:07}"),
        Protocol::Webhook | Protocol::Chat => format!("https://s{number}.example.com/hook"),
    };
    Subscription {
        id: SubscriptionId(Uuid::from_u128(number)),
        endpoint: Endpoint::parse(protocol, &endpoint).unwrap(),
        attributes: Attributes::default(),
        state: SubscriptionState::Confirmed,
        generation: 1,
        created_at: Some(start()),
        confirmation_expires_at: Some(start() + Duration::from_hours(48)),
        confirmation: None,
        failure_streak: None,
        suspension: None,
        end: None,
        secrets: None,
    }
}

pub(crate) fn order() -> Order {
    let details = OrderDetails::parse(br#"{"customerName":"Jo","productName":"Mouse"}"#).unwrap();
    Order { id: OrderId(Uuid::from_u128(1)), time: start(), details, request_id: "request-1".to_owned() }
}

/// The delivery of that number to the subscription of that number, due for its first attempt.
pub(crate) fn due(number: u128, subscriber: u128, protocol: Protocol) -> DueDelivery {
    DueDelivery {
        id: id(number),
        kind: DeliveryKind::Notification,
        subscription: Arc::new(subscription(subscriber, protocol)),
        order: Some(Arc::new(order())),
        notice: None,
        attempts: 0,
        attempts_used: 0,
        due_at: start(),
    }
}

/// The subscription that a delivery goes to, to be changed.
pub(crate) fn subscription_of(delivery: &mut DueDelivery) -> &mut Subscription {
    Arc::make_mut(&mut delivery.subscription)
}

pub(crate) fn mails(numbers: impl IntoIterator<Item = u128>, subscriber: u128) -> Vec<DueDelivery> {
    numbers.into_iter().map(|number| due(number, subscriber, Protocol::Email)).collect()
}

pub(crate) fn hooks(numbers: impl IntoIterator<Item = u128>, subscriber: u128) -> Vec<DueDelivery> {
    numbers.into_iter().map(|number| due(number, subscriber, Protocol::Webhook)).collect()
}

pub(crate) fn id(number: u128) -> DeliveryId {
    DeliveryId(Uuid::from_u128(number))
}

pub(crate) fn ids(numbers: impl IntoIterator<Item = u128>) -> Vec<DeliveryId> {
    numbers.into_iter().map(id).collect()
}

pub(crate) fn sent(kind: OutcomeKind) -> Sent {
    Sent { outcome: Outcome::new(kind, "as it was said"), confirmed: false }
}

pub(crate) fn throttled(seconds: u64) -> OutcomeKind {
    OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: Some(Duration::from_secs(seconds)) }
}

pub(crate) const CHANNEL_DOWN: OutcomeKind = OutcomeKind::Transient(Scope::Channel);

/// An engine, its clock, and what it asked for and was not answered yet.
pub(crate) struct Hand {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    pub(crate) asked: Vec<Action>,
}

impl Hand {
    /// An engine over mail and webhooks that was woken and asked what is due.
    pub(crate) fn new() -> Self {
        Self::over([(Protocol::Email, LIMITS), (Protocol::Webhook, LIMITS)])
    }

    /// The same over these channels.
    pub(crate) fn over(channels: impl IntoIterator<Item = (Protocol, ChannelRules)>) -> Self {
        let mut hand = Self { engine: Engine::new(channels), now: start(), asked: Vec::new() };
        hand.tell(Event::Woken);
        hand
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.asked.extend(self.engine.on(event, self.now, NO_JITTER));
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    /// Answers the pending fetch with these, and every further one with nothing.
    pub(crate) fn fetched(&mut self, deliveries: Vec<DueDelivery>) {
        let mut answer = Due { deliveries, next_at: None };
        while self.fetch().is_some() {
            self.tell(Event::Fetched(Ok(std::mem::take(&mut answer))));
        }
    }

    /// What the engine asks of the store, if it does.
    pub(crate) fn fetch(&mut self) -> Option<DueQuery> {
        self.take(|action| match action {
            Action::Fetch(query) => Ok(query),
            other => Err(other),
        })
    }

    /// Which attempts, of which number, the engine wants to begin.
    pub(crate) fn begin(&mut self) -> Vec<(DeliveryId, u32)> {
        let intents = self.take(|action| match action {
            Action::Begin(intents) => Ok(intents),
            other => Err(other),
        });
        intents.unwrap_or_default().into_iter().map(|intent| (intent.delivery, intent.number)).collect()
    }

    /// Records whatever the engine wants to begin, and answers what it sends now.
    pub(crate) fn begun(&mut self) -> Vec<DeliveryId> {
        let intents = self.begin();
        if !intents.is_empty() {
            self.tell(Event::Begun(Ok(intents.into_iter().map(|(delivery, _)| delivery).collect())));
        }
        self.sends()
    }

    /// What the engine wants to send.
    pub(crate) fn sends(&mut self) -> Vec<DeliveryId> {
        let mut sends = Vec::new();
        while let Some(delivery) = self.take(|action| match action {
            Action::Send(delivery, _) => Ok(delivery.id),
            other => Err(other),
        }) {
            sends.push(delivery);
        }
        sends
    }

    /// What the engine wants to record.
    pub(crate) fn record(&mut self) -> Vec<Finished> {
        let finished = self.take(|action| match action {
            Action::Record(finished) => Ok(finished),
            other => Err(other),
        });
        finished.unwrap_or_default()
    }

    /// Records what the engine wants to record, and answers it; what is due then is for the test to say.
    pub(crate) fn recorded(&mut self) -> Vec<Finished> {
        let finished = self.record();
        if !finished.is_empty() {
            self.tell(Event::Recorded(Ok(Vec::new())));
        }
        finished
    }

    pub(crate) fn sent(&mut self, number: u128, kind: OutcomeKind) {
        self.tell(Event::Sent(id(number), sent(kind)));
    }

    pub(crate) fn probe(&mut self) -> Option<Protocol> {
        self.take(|action| match action {
            Action::Probe(protocol) => Ok(protocol),
            other => Err(other),
        })
    }

    /// The pauses and resumptions that the engine noted.
    pub(crate) fn notes(&mut self) -> Vec<(Protocol, &'static str)> {
        let mut notes = Vec::new();
        while let Some(note) = self.take(|action| match action {
            Action::NotePause(protocol, _) => Ok((protocol, "paused")),
            Action::NoteResume(protocol) => Ok((protocol, "resumed")),
            other => Err(other),
        }) {
            notes.push(note);
        }
        notes
    }

    /// Seconds until the engine wants to be woken.
    pub(crate) fn wakes_in(&self) -> Option<i64> {
        self.engine.wake_at(self.now).map(|at| at.duration_since(self.now).as_secs())
    }

    fn take<T>(&mut self, pick: impl Fn(Action) -> Result<T, Action>) -> Option<T> {
        let mut found = None;
        for action in std::mem::take(&mut self.asked) {
            if found.is_some() {
                self.asked.push(action);
                continue;
            }
            match pick(action) {
                Ok(picked) => found = Some(picked),
                Err(other) => self.asked.push(other),
            }
        }
        found
    }
}

pub(crate) fn failure() -> Error {
    Error::internal("the disk is gone")
}
