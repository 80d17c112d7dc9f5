//! Starting with much in the store.

use crate::lists::long;
use crate::store::{Large, READY, WAITING, all_due, costs};

#[test]
fn a_start_looks_at_each_subscription_once_and_at_no_order() {
    let large = Large::after("");
    costs("start: 15,000 subscriptions put right", large.start, 10, 15_000 * 50);
    let large = Large::looking_at(long());
    costs("start: 1,000,000 orders", large.start, 10, 200);
}

#[test]
fn a_start_puts_right_what_was_changed_by_hand() {
    let large = Large::after(
        "UPDATE subscriptions SET next_at = NULL; \
         UPDATE deliveries SET state = 'pending', at = 1 WHERE order_seq = 2",
    );
    let (due, _) = large.due(all_due());
    assert_eq!(due.deliveries.len(), 2_500);
    assert!(due.next_at.is_some());
    assert_eq!(large.number("SELECT count(*) FROM subscriptions WHERE next_at IS NOT NULL"), READY + WAITING);
}
