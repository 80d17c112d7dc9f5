//! A subscription as its owner knows it, and what follows from that for an order.

use std::time::Instant;

use domain::endpoint::Protocol;
use oracle::matching::Expected;

use crate::load::Order;

/// What its owner did, and saw, of a subscription.
#[derive(Debug)]
pub(crate) struct Subscription {
    /// Its id.
    pub(crate) id: String,
    /// Over what.
    pub(crate) protocol: Protocol,
    /// The path of its webhook or chat, its mail address or its phone number.
    pub(crate) endpoint: String,
    /// From here on it may have been confirmed; `None`: nobody ever consented.
    pub(crate) consented: Option<Instant>,
    /// From here on it was known to be confirmed.
    pub(crate) confirmed: Option<Instant>,
    /// From here on it may have ended.
    pub(crate) leaving: Option<Instant>,
    /// From here on it was known to have ended.
    pub(crate) left: Option<Instant>,
    /// Its filter policies, one after the other; at first it has none.
    pub(crate) filters: Vec<FilterChange>,
    /// The secrets that it was told; none if the answer that had the first was lost.
    pub(crate) secrets: Vec<String>,
    /// Its deliveries, without hyphens, that were held and sent again at its owner's word.
    pub(crate) redriven: Vec<String>,
    /// How often it was suspended and resumed.
    pub(crate) suspensions: usize,
    /// How many secrets it asked for.
    pub(crate) rotations: usize,
    /// How many tests it asked for.
    pub(crate) tests: usize,
}

/// One change of a subscription's filter policy.
#[derive(Debug)]
pub(crate) struct FilterChange {
    /// From here on the policy may have held.
    pub(crate) asked: Instant,
    /// From here on the policy was known to hold.
    pub(crate) answered: Instant,
    /// Only customers whose names begin so are wanted; `None`: all.
    pub(crate) only: Option<String>,
}

impl Subscription {
    /// Whether an order matched it, as far as its owner can say.
    pub(crate) fn expected(&self, order: &Order) -> Expected<'static> {
        if self.is_matched(order) {
            Expected::Matched
        } else if self.must_not_have(order) {
            Expected::NotMatched("nobody had said yes, or it had ended")
        } else if self.does_not_want(order) {
            Expected::NotMatched("no filter policy that may have held asks for it")
        } else {
            Expected::Unknown
        }
    }

    /// It was confirmed before the order was first posted, was not going before that was answered, and wants it under
    /// every filter policy that may have held.
    fn is_matched(&self, order: &Order) -> bool {
        self.confirmed.is_some_and(|confirmed| confirmed < order.posted)
            && self.leaving.is_none_or(|leaving| order.answered < leaving)
            && self.wants(order).iter().all(|wants| *wants)
    }

    /// Nobody had consented when the order was answered, or it had ended when the order was first posted.
    fn must_not_have(&self, order: &Order) -> bool {
        self.consented.is_none_or(|consented| order.answered < consented)
            || self.left.is_some_and(|left| left < order.posted)
    }

    /// No filter policy that may have held wants the order.
    fn does_not_want(&self, order: &Order) -> bool {
        !self.wants(order).iter().any(|wants| *wants)
    }

    /// Whether the order is wanted, by each filter policy that may have held when it was accepted.
    fn wants(&self, order: &Order) -> Vec<bool> {
        let first = (None, None);
        let begins =
            [first].into_iter().chain(self.filters.iter().map(|it| (Some(it.asked), it.only.as_deref())));
        let ends = self.filters.iter().map(|next| Some(next.answered)).chain([None]);
        begins
            .zip(ends)
            .filter(|((from, _), to)| {
                from.is_none_or(|from| from < order.answered) && to.is_none_or(|to| order.posted < to)
            })
            .map(|((_, only), _)| only.is_none_or(|only| order.key.starts_with(only)))
            .collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::load::tests::order;

    /// A webhook that was confirmed at that time and stays.
    pub(crate) fn confirmed(endpoint: &str, at: Instant) -> Subscription {
        Subscription {
            id: format!("id-of{endpoint}"),
            protocol: Protocol::Webhook,
            endpoint: endpoint.to_owned(),
            consented: Some(at),
            confirmed: Some(at),
            leaving: None,
            left: None,
            filters: Vec::new(),
            secrets: Vec::new(),
            redriven: Vec::new(),
            suspensions: 0,
            rotations: 0,
            tests: 0,
        }
    }

    #[test]
    fn an_order_matches_or_does_not_only_where_every_filter_that_may_have_held_agrees() {
        let start = Instant::now();
        let second = |second| start + Duration::from_secs(second);
        let mut subscription = confirmed("/one", start);
        let only = Some("key-of-b".to_owned());
        subscription.filters = vec![FilterChange { asked: second(10), answered: second(12), only }];
        let judged = |id, posted| {
            let order = order(id, second(posted));
            (subscription.is_matched(&order), subscription.does_not_want(&order))
        };
        assert_eq!(judged("a", 5), (true, false), "before the change everything is wanted");
        assert_eq!(judged("a", 11), (false, false), "during the change nobody knows");
        assert_eq!(judged("b", 11), (true, false), "both wanted it");
        assert_eq!(judged("a", 13), (false, true), "after it only others are wanted");
        assert_eq!(judged("b", 13), (true, false));
    }
}
