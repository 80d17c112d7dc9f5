//! What commands answer.

use application::Error;
use application::ports::{Acceptance, Escalated, Subscribed};
use domain::delivery::DeliveryId;
use domain::subscription::{Subscription, SubscriptionId};

use super::Place;

/// What one command answers. Which it is follows from the command.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    /// To accepting an order.
    Accepted(Acceptance),
    /// To subscribing.
    Subscribed(Box<Subscribed>),
    /// To any change of a subscription: what it is now.
    Subscription(Box<Subscription>),
    /// To beginning attempts: which were recorded.
    Begun(Vec<DeliveryId>),
    /// To finishing attempts: whom that suspended.
    Suspended(Vec<SubscriptionId>),
    /// To escalating: what became of it.
    Escalated(Escalated),
    /// To redriving, dropping, bounding, publishing and lapsing: how many; and where the next ones begin, if there may be more.
    Count { count: usize, next: Option<i64> },
    /// To retrying and dropping what is pending: how many; and where the next ones begin, if there may be more.
    Pending { count: usize, next: Option<Place> },
    /// To everything else.
    Done,
}

impl Answer {
    /// So many, and that is all of them.
    pub(super) fn count(count: usize) -> Self {
        Self::Count { count, next: None }
    }

    /// Whether deliveries may be due because of it.
    pub(super) fn may_make_due(&self) -> bool {
        match self {
            Self::Count { count, .. } | Self::Pending { count, .. } => *count > 0,
            Self::Escalated(escalated) => escalated.owed > 0,
            _ => true,
        }
    }

    pub(crate) fn accepted(self) -> Result<Acceptance, Error> {
        if let Self::Accepted(acceptance) = self { Ok(acceptance) } else { self.unexpected() }
    }

    pub(crate) fn subscribed(self) -> Result<Subscribed, Error> {
        if let Self::Subscribed(subscribed) = self { Ok(*subscribed) } else { self.unexpected() }
    }

    pub(crate) fn subscription(self) -> Result<Subscription, Error> {
        if let Self::Subscription(subscription) = self { Ok(*subscription) } else { self.unexpected() }
    }

    pub(crate) fn begun(self) -> Result<Vec<DeliveryId>, Error> {
        if let Self::Begun(begun) = self { Ok(begun) } else { self.unexpected() }
    }

    pub(crate) fn suspended(self) -> Result<Vec<SubscriptionId>, Error> {
        if let Self::Suspended(suspended) = self { Ok(suspended) } else { self.unexpected() }
    }

    pub(crate) fn escalated(self) -> Result<Escalated, Error> {
        if let Self::Escalated(escalated) = self { Ok(escalated) } else { self.unexpected() }
    }

    pub(crate) fn counted(self) -> Result<(usize, Option<i64>), Error> {
        if let Self::Count { count, next } = self { Ok((count, next)) } else { self.unexpected() }
    }

    pub(crate) fn counted_pending(self) -> Result<(usize, Option<Place>), Error> {
        if let Self::Pending { count, next } = self { Ok((count, next)) } else { self.unexpected() }
    }

    pub(crate) fn done(self) -> Result<(), Error> {
        if self == Self::Done { Ok(()) } else { self.unexpected() }
    }

    /// The defect that a command was answered as another would be.
    fn unexpected<T>(&self) -> Result<T, Error> {
        Err(Error::internal(format!("unexpected answer {self:?}")))
    }
}
