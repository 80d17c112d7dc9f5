//! What speaks a protocol.

mod words;

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind};
use domain::delivery::{DeliveryId, DeliveryKind, UnknownOutcomePolicy};
use domain::endpoint::{Endpoint, Protocol};
use domain::language::{Language, times};
use domain::notice::{self, Notice};
use domain::notification;
use domain::order::Order;
use domain::reader::Reader;
use domain::template::{Unwritten, Written};
use domain::webhook_secret::WebhookSecret;
use words::Words;

/// Sends messages over one protocol. An adapter MUST keep these promises:
///
/// - [`send`](Self::send) always comes to an end, within the channel's own time limits, and never panics.
/// - It answers `Delivered` only if the receiver's side took the message, and `Unknown` whenever it may have.
/// - A repeat of a message carries the same id, so that a receiver can tell.
#[async_trait]
pub trait Channel: Send + Sync {
    /// The protocol it speaks.
    fn protocol(&self) -> Protocol;

    /// How it is used.
    fn rules(&self) -> ChannelRules;

    /// Makes one attempt.
    async fn send(&self, message: &Message) -> Sent;

    /// Finds out, without sending anything, whether a paused channel works again.
    ///
    /// # Errors
    /// What still fails.
    async fn probe(&self) -> Result<(), Outcome>;
}

/// How a channel is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelRules {
    /// How much it does at once.
    pub concurrency: Concurrency,
    /// The most attempts at one endpoint that are recorded together and then made one after the other, each as soon as the
    /// one before it succeeded. So many may be repeated after a crash.
    pub batch: usize,
    /// The most attempts begun in a second; `None`: as many as there are.
    pub max_per_second: Option<NonZeroU32>,
    /// What follows when a message may have arrived or not.
    pub on_unknown: UnknownOutcomePolicy,
}

/// How much a channel does at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concurrency {
    /// Attempts in flight over the whole channel.
    pub channel: usize,
    /// Attempts in flight to one endpoint. With one, its messages arrive in the order in which their orders were
    /// accepted, as long as nothing fails.
    pub endpoint: usize,
}

impl ChannelRules {
    /// Rules without a rate, under which what may have arrived is sent again.
    #[must_use]
    pub fn new(concurrency: Concurrency) -> Self {
        Self { concurrency, batch: 1, max_per_second: None, on_unknown: UnknownOutcomePolicy::Retry }
    }

    /// The most attempts at one endpoint that are recorded ahead of those that are made: with these, a batch. None where a repeat is a person's
    /// choice, or where a rate says when each may begin.
    #[must_use]
    pub fn ahead(self) -> usize {
        let one_by_one = self.on_unknown == UnknownOutcomePolicy::Hold || self.max_per_second.is_some();
        if one_by_one { 0 } else { self.batch.saturating_sub(self.concurrency.endpoint) }
    }
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its outcome.
    pub outcome: Outcome,
    /// The receiver answered a confirmation's challenge itself.
    pub confirmed: bool,
}

/// What tells how it went, and no more.
impl From<Outcome> for Sent {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, confirmed: false }
    }
}

/// The words of who took it, or why it was not taken.
impl From<Result<String, Outcome>> for Sent {
    fn from(answer: Result<String, Outcome>) -> Self {
        answer.map_or_else(|failure| failure, |taken| Outcome::new(OutcomeKind::Delivered, taken)).into()
    }
}

/// A message, ready to be put into a protocol's own form.
#[derive(Debug, Clone)]
pub struct Message {
    /// The delivery: its Message-ID, its `webhook-id`.
    pub id: DeliveryId,
    /// Where it goes.
    pub endpoint: Endpoint,
    /// Sign it, each, for a webhook; the current one comes first.
    pub secrets: Vec<WebhookSecret>,
    /// Where a provider may report what became of the message.
    pub receipt_url: String,
    /// When this attempt is made.
    pub at: Timestamp,
    /// Who reads it.
    pub reader: Reader,
    /// What it says.
    pub content: Content,
}

/// What a message says.
#[derive(Debug, Clone)]
pub enum Content {
    /// A new order.
    Notification {
        /// The order as far as the subscription is shown it; its subject, text and structured form are
        /// [`domain::notification`]'s.
        order: Arc<Order>,
        /// The page of the order; `None` where its link would not work any more.
        order_url: Option<String>,
        /// Ends the subscription.
        unsubscribe_url: String,
        /// What its template says of it, if it has one; or why that says nothing, so that the built-in texts stand.
        written: Result<Written, Unwritten>,
    },
    /// The confirmation request: whether the endpoint's owner wants the subscription.
    Confirmation {
        /// The shop's name, if it has one.
        asked_by: Option<String>,
        /// A page whose button confirms; the request for people.
        confirm_url: String,
        /// What the receiver must repeat; the request for programs.
        challenge: String,
        /// Until when.
        expires_at: Timestamp,
    },
    /// What an operator should know.
    Notice {
        /// What.
        notice: Notice,
        /// The route of the API that tells more: for programs, which send a key along.
        about_url: String,
    },
    /// A trial that an operator asked for.
    Test,
}

impl Content {
    /// The kind of delivery that carries it.
    #[must_use]
    pub fn kind(&self) -> DeliveryKind {
        match self {
            Self::Notification { .. } => DeliveryKind::Notification,
            Self::Confirmation { .. } => DeliveryKind::Confirmation,
            Self::Notice { .. } => DeliveryKind::Notice,
            Self::Test => DeliveryKind::Test,
        }
    }

    /// The subject of a mail: of an order's its template's, or with what was ordered and for whom.
    #[must_use]
    pub fn mail_subject(&self, reader: &Reader) -> Cow<'static, str> {
        match self {
            Self::Notification { written: Ok(Written { subject: Some(subject), .. }), .. } => {
                subject.clone().into()
            }
            Self::Notification { order, .. } => notification::mail_subject(order, reader).into(),
            other => other.subject(reader.language).into(),
        }
    }

    /// Its subject in other forms: of an order's, the recipe's. Notices to the operator are in English, as the program's
    /// commands are.
    #[must_use]
    pub fn subject(&self, language: Language) -> &'static str {
        match self {
            Self::Notification { .. } => notification::SUBJECT,
            Self::Confirmation { .. } => Words::of(language).confirm_subject,
            Self::Notice { .. } => notice::SUBJECT,
            Self::Test => Words::of(language).test_subject,
        }
    }

    /// Its text, without [`link`](Self::link).
    #[must_use]
    pub fn text(&self, reader: &Reader) -> String {
        match self {
            Self::Notification { order, .. } => {
                self.written_text().map_or_else(|| notification::text(order, reader), str::to_owned)
            }
            Self::Confirmation { asked_by, expires_at, .. } => {
                let until = times::moment_in(reader.language, &reader.time_zone, *expires_at);
                let Words { somebody, confirm_text: (before, after), .. } = Words::of(reader.language);
                format!("{}{before}{until}{after}", asked_by.as_deref().unwrap_or(somebody))
            }
            Self::Notice { notice, .. } => notice.text(),
            Self::Test => Words::of(reader.language).test_text.to_owned(),
        }
    }

    /// The text that a template says.
    #[must_use]
    pub fn written_text(&self) -> Option<&str> {
        match self {
            Self::Notification { written: Ok(written), .. } => written.text.as_deref(),
            _ => None,
        }
    }

    /// Why its template says nothing, where that is so.
    #[must_use]
    pub fn unwritten(&self) -> Option<Unwritten> {
        match self {
            Self::Notification { written: Err(why), .. } => Some(*why),
            _ => None,
        }
    }

    /// The page of the order that it tells of.
    #[must_use]
    pub fn order_url(&self) -> Option<&str> {
        match self {
            Self::Notification { order_url, .. } => order_url.as_deref(),
            Self::Confirmation { .. } | Self::Notice { .. } | Self::Test => None,
        }
    }

    /// The link it carries for a person's browser: to confirm or to unsubscribe.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        match self {
            Self::Notification { unsubscribe_url, .. } => Some(unsubscribe_url),
            Self::Confirmation { confirm_url, .. } => Some(confirm_url),
            Self::Notice { .. } | Self::Test => None,
        }
    }
}
