//! What the audit names.

use std::collections::HashSet;

use domain::delivery::DeliveryId;
use domain::order::OrderId;
use domain::subscription::SubscriptionId;
use oracle::{Promise, Violation};

use crate::unreadable::{Table, Unreadable};

/// Something in the store that cannot be, by the rules that the program keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// What sort of thing it is.
    pub kind: ExceptionKind,
    /// The order it is about, if it is about one whose id is known.
    pub order: Option<OrderId>,
    /// The subscription it is about, likewise.
    pub subscription: Option<SubscriptionId>,
    /// The delivery it is about, likewise.
    pub delivery: Option<DeliveryId>,
    /// What is wrong, in words. Addresses do not stand in it.
    pub wrong: String,
}

/// The sorts of exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExceptionKind {
    /// A promise was not kept.
    Broken(Promise),
    /// What waits for a subscription is found too late, or never.
    QueueDisagrees,
    /// A row refers to another that is gone.
    DanglingReference,
    /// An idempotency key lives, and is not where it would be looked up.
    KeyNotFound,
    /// The status of an order does not follow from what people did.
    StatusUnexplained,
    /// A row makes no sense to this program: it is, or will be, quarantined.
    Unreadable,
    /// A row is quarantined that can be read by now.
    Quarantined,
}

/// Takes exceptions as they are found.
pub(super) struct Findings<'a> {
    name: &'a mut dyn FnMut(Exception),
    count: u64,
    /// The rows that cannot be read, by their tables and numbers.
    unreadable: HashSet<(&'static str, i64)>,
}

impl Exception {
    /// An exception that is about nothing yet.
    pub(super) fn new(kind: ExceptionKind, wrong: impl Into<String>) -> Self {
        Self { kind, order: None, subscription: None, delivery: None, wrong: wrong.into() }
    }

    pub(super) fn order(self, order: impl Into<Option<OrderId>>) -> Self {
        Self { order: order.into(), ..self }
    }

    pub(super) fn subscription(self, subscription: impl Into<Option<SubscriptionId>>) -> Self {
        Self { subscription: subscription.into(), ..self }
    }

    pub(super) fn delivery(self, delivery: impl Into<Option<DeliveryId>>) -> Self {
        Self { delivery: delivery.into(), ..self }
    }
}

impl ExceptionKind {
    /// Its name for programs, such as `missing_delivery`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Broken(promise) => promise.name(),
            Self::QueueDisagrees => "queue_disagrees",
            Self::DanglingReference => "dangling_reference",
            Self::KeyNotFound => "key_not_found",
            Self::StatusUnexplained => "status_unexplained",
            Self::Unreadable => "unreadable",
            Self::Quarantined => "quarantined",
        }
    }

    /// What to do about it, in words.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Broken(promise) => remedy(promise),
            Self::QueueDisagrees => "start the program anew: it puts that right",
            Self::DanglingReference => "restore the row from a backup, or delete what refers to it",
            Self::Unreadable => {
                "mend the row, or restore it from a backup: what depends on it waits; within a minute of being \
                 mended it goes on"
            }
            Self::Quarantined => "nothing: the program looks again every minute, and at its start",
            Self::StatusUnexplained => "restore status_changes from a backup, or change the status anew",
            Self::KeyNotFound => {
                "stop the program, set idempotency.flushed_through to 0, start it: it looks at every key again"
            }
        }
    }
}

fn remedy(promise: Promise) -> &'static str {
    match promise {
        Promise::MatchedIsDelivered => {
            "stop the program, set relay.published_through below the order's place, start it: it publishes again \
             and makes what is missing"
        }
        Promise::UnmatchedIsNot => {
            "if it is pending, delete it before it is sent; if it was delivered, someone was told whom it did not match"
        }
        Promise::PublishedFirst => {
            "nothing: it is right once the order is published; someone set the relay back"
        }
        Promise::AskedAndConfirmed => {
            "restore the delivery from a backup; if the subscription is pending, send its confirmation again"
        }
        Promise::AttemptsOnRecord => {
            "nothing is sent twice because of it; restore the attempts from a backup if they matter"
        }
        Promise::InFlightIsOpen => {
            "set it to in_flight if an attempt is open: the next start settles that; to pending if none is: it is sent"
        }
        Promise::VersionsWhole => {
            "restore subscription_versions from a backup: they say whom which order matched"
        }
        Promise::AsLastVersion => "set the subscription to what its last version says",
        Promise::StateExplained
        | Promise::OrderStored
        | Promise::StoredOnce
        | Promise::ReceiptKept
        | Promise::RepeatExplained
        | Promise::StateStays
        | Promise::SuspendedWithCause
        | Promise::Escalated
        | Promise::Signed
        | Promise::OperatorsTold => {
            "look at the order's timeline; set the state to dead and redrive it to send it again"
        }
    }
}

impl From<Violation> for Exception {
    fn from(violation: Violation) -> Self {
        Self::new(ExceptionKind::Broken(violation.promise), violation.wrong)
    }
}

impl<'a> Findings<'a> {
    pub(super) fn new(name: &'a mut dyn FnMut(Exception)) -> Self {
        Self { name, count: 0, unreadable: HashSet::new() }
    }

    /// A row that makes no sense: where it lies, and what of it does not.
    pub(super) fn unreadable(&mut self, row: &Unreadable) -> Exception {
        self.unreadable.insert((row.table.name(), row.row));
        let wrong = format!("{} cannot be read: {}", row.place(), row.reason);
        Exception::new(ExceptionKind::Unreadable, wrong)
    }

    /// Whether that row was named as one that cannot be read.
    pub(super) fn has_named(&self, table: &str, row: i64) -> bool {
        let known = Table::ALL.into_iter().find(|known| known.name() == table);
        known.is_some_and(|table| self.unreadable.contains(&(table.name(), row)))
    }

    pub(super) fn add(&mut self, exception: Exception) {
        self.count += 1;
        (self.name)(exception);
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }
}
