//! Which of an order's items a policy wants.

use super::clause::{Clause, all_hold};
use super::message::Message;
use super::{FilterPolicy, FilterPolicyScope};
use crate::order::Order;

/// Where a notification has its items.
const ITEMS: &str = "data.items";

impl FilterPolicy {
    /// Whether it tells items apart: whatever way an order may meet it, something is asked of an item.
    #[must_use]
    pub fn asks_of_items(&self) -> bool {
        self.scope == FilterPolicyScope::MessageBody && ask_of_items(&self.clauses)
    }

    /// For each of the order's items, whether the policy would want the order if it had no other. A policy that does not
    /// tell items apart wants none.
    #[must_use]
    pub fn wanted_items(&self, order: &Order) -> Vec<bool> {
        let items = &order.details.products.items;
        let Message::Body(body) = Message::of_order(self.scope, order) else {
            return vec![false; items.len()];
        };
        let asks = self.asks_of_items();
        let (rest, each) = body.element_by_element(ITEMS);
        let wants =
            |element| asks && all_hold(&self.clauses, &Message::Element { rest: &rest, element, of: ITEMS });
        each.iter().map(wants).collect()
    }
}

fn ask_of_items(clauses: &[Clause]) -> bool {
    clauses.iter().any(|clause| match clause {
        Clause::Key { path, .. } => path.strip_prefix(ITEMS).is_some_and(|within| within.starts_with('.')),
        Clause::Or { alternatives, .. } => alternatives.iter().all(|one| ask_of_items(one)),
    })
}
