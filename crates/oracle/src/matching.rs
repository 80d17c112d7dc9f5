//! Orders × subscriptions: whom an order matched has one delivery of it, and nobody else has.

use crate::{Promise, Violation};

/// Whether an order matched a subscription when it was accepted, as far as the feeder knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected<'a> {
    /// It did.
    Matched,
    /// It did not, and why, in words that follow "the order did not match its subscription".
    NotMatched(&'a str),
    /// Nobody can say.
    Unknown,
}

/// A delivery of an order to a subscription.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// It is there because another was not made in time.
    pub escalated: bool,
    /// It only stands there until somebody can say whether the order matched.
    pub undecided: bool,
}

/// Holds what was found of an order and a subscription against what had to be.
#[must_use]
pub fn judge(expected: Expected<'_>, found: Option<Found>) -> Option<Violation> {
    match (expected, found) {
        (Expected::Matched, None) => {
            Some(Promise::MatchedIsDelivered.broken("the order matched, and there is no delivery"))
        }
        (Expected::NotMatched(why), Some(Found { escalated: false, undecided: false })) => {
            let wrong = format!("the order did not match its subscription: {why}");
            Some(Promise::UnmatchedIsNot.broken(wrong))
        }
        _ => None,
    }
}

/// A delivery of an order that is not published yet.
#[must_use]
pub fn before_publishing() -> Violation {
    Promise::PublishedFirst.broken("it is there before its order was published")
}

/// The relay goes on from where it was, and never back.
#[must_use]
pub fn published(was: i64, before: i64, through: i64) -> Option<Violation> {
    let goes_on = before == was && through > before;
    (!goes_on).then(|| {
        let wrong = format!("the relay, at {was}, went from {before} to {through}");
        Promise::PublishedFirst.broken(wrong)
    })
}

/// What could not be decided is decided: it is released if the order matched or it escalated, and taken away if not.
#[must_use]
pub fn decided(is_released: bool, matched: bool) -> Option<Violation> {
    match (is_released, matched) {
        (true, false) => Some(Promise::UnmatchedIsNot.broken("it is released, and the order did not match")),
        (false, true) => Some(Promise::MatchedIsDelivered.broken("it is taken away, and the order matched")),
        _ => None,
    }
}

/// Whom a late delivery escalates to has a delivery of the order, too.
#[must_use]
pub fn escalated(found: Option<Found>) -> Option<Violation> {
    let wrong = "it is late, and whom it escalates to is not told";
    found.is_none().then(|| Promise::Escalated.broken(wrong))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_an_order_matched_has_a_delivery_and_nobody_else_unless_it_escalated_or_nobody_knows() {
        let promise = |expected, found| judge(expected, found).map(|it| it.promise);
        let (there, why) = (Found::default(), Expected::NotMatched("it had ended"));
        assert_eq!(promise(Expected::Matched, Some(there)), None);
        assert_eq!(promise(Expected::Matched, None), Some(Promise::MatchedIsDelivered));
        assert_eq!(promise(why, None), None);
        assert_eq!(promise(why, Some(there)), Some(Promise::UnmatchedIsNot));
        assert_eq!(promise(why, Some(Found { escalated: true, ..there })), None);
        assert_eq!(promise(why, Some(Found { undecided: true, ..there })), None);
        assert_eq!(promise(Expected::Unknown, Some(there)), None);
        assert_eq!(promise(Expected::Unknown, None), None);
    }

    #[test]
    fn the_relay_goes_on_and_what_was_undecided_follows_what_matched() {
        assert!(published(3, 3, 5).is_none() && published(3, 3, 3).is_some() && published(3, 2, 5).is_some());
        assert!(decided(true, true).is_none() && decided(false, false).is_none());
        assert!(decided(true, false).is_some() && decided(false, true).is_some());
        assert!(escalated(None).is_some() && escalated(Some(Found::default())).is_none());
    }
}
