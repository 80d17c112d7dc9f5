//! What commands answer.

use application::Error;
use application::ports::{Acceptance, Subscribed};
use domain::delivery::DeliveryId;
use domain::subscription::Subscription;

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
    /// To redriving, publishing and lapsing: how many; and where the next ones begin, if there may be more.
    Count { count: usize, next: Option<i64> },
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
        !matches!(self, Self::Count { count: 0, .. })
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

    pub(crate) fn counted(self) -> Result<(usize, Option<i64>), Error> {
        if let Self::Count { count, next } = self { Ok((count, next)) } else { self.unexpected() }
    }

    pub(crate) fn done(self) -> Result<(), Error> {
        if self == Self::Done { Ok(()) } else { self.unexpected() }
    }

    /// The defect that a command was answered as another would be.
    fn unexpected<T>(&self) -> Result<T, Error> {
        Err(Error::internal(format!("unexpected answer {self:?}")))
    }
}
