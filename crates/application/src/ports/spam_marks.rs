//! Which orders a person said are spam.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::Timestamp;
use domain::order::OrderId;

use crate::Error;

/// Keeps the marks, and what follows from them. An adapter MUST keep these promises:
///
/// - What waits for a marked order is cancelled, in commits of bounded size, whatever becomes of the process meanwhile; an
///   attempt that is under way comes to its end and is not made again.
/// - From then on nothing of the order begins to wait: nothing that is published, escalates or is sent again by a person.
/// - Of a marking by filter, each order that had been accepted when it was asked for is looked at, be it by a later process.
#[async_trait]
pub trait SpamMarks: Send + Sync {
    /// Marks orders; those that are marked already stay so. Answers how many were marked. `NotFound` with `order_not_found`,
    /// if one is meant that is not there.
    async fn mark_spam(&self, selection: SpamSelection, now: Timestamp) -> Result<usize, Error>;

    /// Takes an order's mark back, if it has one. What was cancelled stays cancelled. `NotFound` with `order_not_found`.
    async fn unmark_spam(&self, id: OrderId, now: Timestamp) -> Result<(), Error>;

    /// The marks that these orders have or had.
    async fn spam_marks(&self, ids: Vec<OrderId>) -> Result<BTreeMap<OrderId, SpamMark>, Error>;
}

/// An order's mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpamMark {
    /// When a person marked it last.
    pub marked_at: Timestamp,
    /// When that was taken back.
    pub unmarked_at: Option<Timestamp>,
}

impl SpamMark {
    /// Since when the order is spam, if it still is.
    #[must_use]
    pub fn since(self) -> Option<Timestamp> {
        self.unmarked_at.is_none().then_some(self.marked_at)
    }
}

/// Which orders are spam.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpamSelection {
    /// This one.
    One(OrderId),
    /// All that fit.
    Many(SpamFilter),
}

/// Which orders are meant: those that fit all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpamFilter {
    /// Accepted at or after this time.
    pub from: Option<Timestamp>,
    /// Accepted before this time.
    pub to: Option<Timestamp>,
    /// Of a customer of exactly this name.
    pub customer_name: Option<String>,
    /// Of this mail address.
    pub customer_email: Option<String>,
    /// Of this phone number.
    pub customer_phone: Option<String>,
}
