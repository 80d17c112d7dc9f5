//! What the host wires up and every use case is given.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::Invalid;
use domain::endpoint::{Endpoint, Protocol};
use domain::link_token::LinkKey;

use crate::Error;
use crate::ports::{Clock, DeliveryRecords, Inbox, OrderStore, OwnTopic, Randomness, SpamMarks, Topic};

/// The application, as one host runs it.
#[derive(Clone)]
pub struct App {
    /// Where orders are stored.
    pub orders: Arc<dyn OrderStore>,
    /// Where orders are published and subscriptions live.
    pub topic: Arc<dyn Topic>,
    /// What only a host that confirms and delivers by itself has; `None` where SNS does.
    pub own_delivery: Option<OwnDelivery>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub randomness: Arc<dyn Randomness>,
    /// How long an idempotency key lives.
    pub idempotency_lifetime: Duration,
}

/// What a host needs to confirm and deliver by itself.
#[derive(Clone)]
pub struct OwnDelivery {
    /// Takes confirmations, suspends and resumes.
    pub topic: Arc<dyn OwnTopic>,
    /// What is owed, what became of it.
    pub records: Arc<dyn DeliveryRecords>,
    /// Which orders are spam.
    pub spam: Arc<dyn SpamMarks>,
    /// Messages that did not leave the machine.
    pub inbox: Arc<dyn Inbox>,
    /// Which channels there are.
    pub channels: BTreeMap<Protocol, ChannelMode>,
    /// Says which endpoints could never be delivered to, such as a webhook in a private network.
    pub endpoint_rule: EndpointRule,
    /// Makes and checks the links in messages.
    pub link_key: LinkKey,
    /// Where links lead: scheme, host and port, without a slash at the end.
    pub public_url: String,
}

/// Refuses an endpoint with a sentence for whoever wants to subscribe it.
pub type EndpointRule = Arc<dyn Fn(&Endpoint) -> Result<(), Invalid> + Send + Sync>;

/// What a protocol's messages go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelMode {
    /// They leave the machine.
    Live,
    /// They are kept in the sandbox inbox.
    Sandbox,
}

impl App {
    /// The parts of a host that delivers by itself.
    ///
    /// # Errors
    /// `not_on_this_host` where another service does.
    pub fn own_delivery(&self) -> Result<&OwnDelivery, Error> {
        self.own_delivery.as_ref().ok_or_else(Error::not_on_this_host)
    }
}
