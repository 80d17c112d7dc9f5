//! Which orders of an index are wanted, by their ids.

use domain::Timestamp;
use domain::order::OrderId;
use uuid::Uuid;

/// All ids from the first to the last, these two included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: OrderId,
    pub(super) last: OrderId,
}

impl Span {
    /// Every id.
    pub(super) const ALL: Self = Self { first: OrderId(Uuid::nil()), last: OrderId(Uuid::max()) };

    /// The ids of the orders of a time, as [`OrderId::of_times`] has them.
    pub(super) fn of_times(from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        let (first, below) = OrderId::of_times(from, to);
        let span = Self { first, ..Self::ALL };
        below.map_or(span, |below| span.before(below))
    }

    /// What of it comes before `id`.
    pub(super) fn before(self, id: OrderId) -> Self {
        match id.0.as_u128().checked_sub(1) {
            Some(last) => Self { last: self.last.min(OrderId(Uuid::from_u128(last))), ..self },
            None => Self { first: Self::ALL.last, last: Self::ALL.first },
        }
    }

    /// What of it comes after `id`.
    pub(super) fn after(self, id: OrderId) -> Self {
        match id.0.as_u128().checked_add(1) {
            Some(first) => Self { first: self.first.max(OrderId(Uuid::from_u128(first))), ..self },
            None => Self { first: Self::ALL.last, last: Self::ALL.first },
        }
    }

    /// The least key of it: with the least id begins all that a key can be.
    pub(super) fn first_key(self) -> String {
        if self.first == Self::ALL.first { "\u{0}".to_owned() } else { self.first.to_string() }
    }

    /// The greatest key of it: with the greatest id ends all that a key can be.
    pub(super) fn last_key(self) -> String {
        if self.last == Self::ALL.last { "\u{10ffff}".to_owned() } else { self.last.to_string() }
    }

    pub(super) fn is_empty(self) -> bool {
        self.first > self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    #[test]
    fn a_time_spans_the_ids_that_may_be_of_it() {
        let span = Span::of_times(Some(at(5)), Some(at(7)));
        for (millis, within) in [(4, false), (5, true), (6, true), (7, true), (8, false)] {
            let id = OrderId::new(at(millis), [255; 10]);
            assert_eq!((span.first..=span.last).contains(&id), within, "{millis}");
        }
        assert_eq!(Span::of_times(None, None), Span::ALL);
        assert_eq!(Span::of_times(None, Some(Timestamp::MAX)), Span::ALL);
    }

    #[test]
    fn nothing_comes_before_the_least_id_or_after_the_greatest() {
        assert!(Span::ALL.before(Span::ALL.first).is_empty());
        assert!(Span::ALL.after(Span::ALL.last).is_empty());
        assert!(Span::of_times(Some(at(9)), Some(at(3))).is_empty());
        assert!(!Span::of_times(None, Some(Timestamp::MIN)).is_empty());
    }
}
