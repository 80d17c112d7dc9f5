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
}
