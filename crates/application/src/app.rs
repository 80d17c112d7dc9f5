//! What the host wires up and every use case is given.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::Invalid;
use domain::endpoint::{Endpoint, Protocol};
use domain::link_token::LinkKey;
use domain::shop::Shop;

use crate::Error;
use crate::ports::{
    Clock, Deliveries, Inbox, LocalSubscriptions, OrderStore, Randomness, SpamMarks, StatusChanges,
    Subscriptions,
};
use crate::templates::TemplateBook;

/// The application, as one host runs it.
#[derive(Clone)]
pub struct App {
    /// Where orders are stored.
    pub orders: Arc<dyn OrderStore>,
    /// Where subscriptions live.
    pub subscriptions: Arc<dyn Subscriptions>,
    /// What only a host that confirms and delivers by itself has; `None` where SNS does.
    pub local_delivery: Option<LocalDelivery>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub randomness: Arc<dyn Randomness>,
    /// How long an idempotency key lives.
    pub idempotency_lifetime: Duration,
    /// Whom it works for.
    pub shop: Arc<Shop>,
    /// What operators wrote in place of what it says of an order.
    pub templates: Arc<TemplateBook>,
}

/// What a host needs to confirm and deliver by itself.
#[derive(Clone)]
pub struct LocalDelivery {
    /// Takes confirmations, suspends and resumes.
    pub subscriptions: Arc<dyn LocalSubscriptions>,
    /// What waits to be delivered, and what became of it.
    pub deliveries: Arc<dyn Deliveries>,
    /// Which orders are spam.
    pub spam: Arc<dyn SpamMarks>,
    /// What people made of orders.
    pub statuses: Arc<dyn StatusChanges>,
    /// Messages that did not leave the machine.
    pub inbox: Arc<dyn Inbox>,
    /// Which channels there are.
    pub channels: BTreeMap<Protocol, ChannelMode>,
    /// Says which endpoints could never be delivered to, such as a webhook in a private network.
    pub endpoint_rule: EndpointRule,
    /// The links in messages.
    pub links: Links,
}

/// What links in messages are made of.
#[derive(Clone)]
pub struct Links {
    /// Makes and checks their tokens.
    pub key: LinkKey,
    /// Where they lead: scheme, host and port, without a slash at the end.
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
    pub fn local_delivery(&self) -> Result<&LocalDelivery, Error> {
        self.local_delivery.as_ref().ok_or_else(Error::not_on_this_host)
    }
}
