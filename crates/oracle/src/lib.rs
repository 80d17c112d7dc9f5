//! The promises of the design, held against recorded facts.
//!
//! Four feeders have facts: the audit what a store holds, the simulation what SQLite recorded of each commit and what
//! receivers saw, the kills and the power cuts what clients and receivers saw beside what was left on the disk. Each states
//! them in this crate's own words and asks here what is wrong; nobody judges for himself.
//!
//! Nothing here depends on what it judges, not even on the types of `domain`: a rule that is wrong there is not wrong here
//! for the same reason. Every function judges the facts about one thing, so that whoever reads millions of them holds one at
//! a time.

pub mod deliveries;
pub mod intake;
pub mod matching;
pub mod notices;
pub mod receptions;
pub mod subscriptions;

/// Something that cannot be if every promise was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The promise that was not kept.
    pub promise: Promise,
    /// What is wrong, in words that follow the name of whom it is about: "it is dead, which no attempt explains".
    pub wrong: String,
}

/// What is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Promise {
    /// An order that was answered is stored, as it was sent and under the id that was answered.
    OrderStored,
    /// Nothing is stored twice under one key.
    StoredOnce,
    /// Whom an order matched has a delivery of it, and one.
    MatchedIsDelivered,
    /// Whom an order did not match has none.
    UnmatchedIsNot,
    /// Nobody is sent an order before it was published.
    PublishedFirst,
    /// Attempts are numbered from 1 and counted right; each stands on record before its message leaves.
    AttemptsOnRecord,
    /// What is in flight, and only that, has one attempt without an outcome, the last.
    InFlightIsOpen,
    /// Attempts, receipts and people led to a delivery's state.
    StateExplained,
    /// What a provider reported is on record.
    ReceiptKept,
    /// A message comes again only where nobody knew whether it had come, or a person wanted it.
    RepeatExplained,
    /// Everyone is asked once a generation, and nobody is told who did not say yes.
    AskedAndConfirmed,
    /// A subscription's versions follow one another without a gap.
    VersionsWhole,
    /// A subscription is as its last version says.
    AsLastVersion,
    /// What was answered of a subscription stays so.
    StateStays,
    /// Who is suspended by the program failed for long and often.
    SuspendedWithCause,
    /// What is not delivered in time is delivered to the escalation's target, too.
    Escalated,
    /// What is signed is signed with a secret that the receiver was told.
    Signed,
    /// What operators are to be told of is noted in the commit in which it happens, and told.
    OperatorsTold,
}

impl Promise {
    /// What a violation of it is called by programs, such as `missing_delivery`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderStored => "order_lost",
            Self::StoredOnce => "stored_twice",
            Self::MatchedIsDelivered => "missing_delivery",
            Self::UnmatchedIsNot => "not_matched",
            Self::PublishedFirst => "not_published",
            Self::AttemptsOnRecord => "attempts_disagree",
            Self::InFlightIsOpen => "in_flight_disagrees",
            Self::StateExplained => "state_unexplained",
            Self::ReceiptKept => "receipt_lost",
            Self::RepeatExplained => "repeat_unexplained",
            Self::AskedAndConfirmed => "confirmations_disagree",
            Self::VersionsWhole => "versions_broken",
            Self::AsLastVersion => "subscription_disagrees",
            Self::StateStays => "state_lost",
            Self::SuspendedWithCause => "suspended_without_cause",
            Self::Escalated => "not_escalated",
            Self::Signed => "wrongly_signed",
            Self::OperatorsTold => "operators_not_told",
        }
    }

    /// A violation of it.
    pub fn broken(self, wrong: impl Into<String>) -> Violation {
        Violation { promise: self, wrong: wrong.into() }
    }
}
