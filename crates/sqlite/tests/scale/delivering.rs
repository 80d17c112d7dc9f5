//! What is due, beginning it, finishing it.

use application::ports::{DeliveryQueue, DueQuery, Intent};
use domain::attempt::{OutcomeKind, Scope};

use crate::store::{Large, READY, all_due, at_most, costs, finished, now, subscription};

/// Twenty deliveries to one healthy endpoint.
const TWENTY: &str =
    "UPDATE deliveries SET state = 'pending', at = 1 WHERE subscription = 1 AND order_seq BETWEEN 1 AND 20";
/// A delivery to each ready endpoint.
const ONE_EACH: &str = "UPDATE deliveries SET state = 'pending', at = 1 + seq WHERE order_seq = 1";
const NOBODY_WAITS: &str = "UPDATE deliveries SET state = 'delivered' WHERE subscription > 5000";

#[test]
fn subscriptions_with_nothing_due_cost_nothing() {
    let without = Large::after(&format!("{TWENTY}; {NOBODY_WAITS}"));
    let with = Large::after(TWENTY);
    let (alone, without) = without.due(all_due());
    let (among, with) = with.due(all_due());
    assert_eq!((alone.deliveries.len(), alone.next_at), (20, None));
    assert_eq!(among.deliveries, alone.deliveries, "the same, though ten thousand wait");
    assert!(among.next_at.is_some());
    costs("due: 20 at one endpoint, none waits", without, 20, 2_000);
    costs("due: 20 at one endpoint, 10,000 wait", with, 20, without.steps * 2);
}

#[test]
fn subscriptions_that_may_be_sent_nothing_cost_nothing() {
    let alone = Large::after(&format!("{TWENTY}; {NOBODY_WAITS}")).due(all_due()).1;
    for (what, kept_back) in [
        ("paused endpoints", "SET retry_at = 1770000000000001"),
        ("suspended ones", "SET state = 'suspended', suspended_at = 1, suspension_reason = 'operator'"),
        ("unconfirmed ones", "SET state = 'pending', confirmed_at = NULL"),
        ("ended ones", "SET state = 'ended', ended_at = 1, end_reason = 'removed'"),
    ] {
        let due = "UPDATE deliveries SET at = 1 WHERE subscription > 5000";
        let large =
            Large::after(&format!("{TWENTY}; {due}; UPDATE subscriptions {kept_back} WHERE seq > 5000"));
        large.rest();
        let (due, work) = large.due(all_due());
        assert_eq!(due.deliveries.len(), 20, "{what}");
        costs(&format!("due: 20 at one endpoint, beside 10,000 {what}"), work, 20, alone.steps * 2);
    }
}

#[test]
fn the_due_query_costs_by_what_it_is_asked_for() {
    let large = Large::after(ONE_EACH);
    let (due, work) = large.due(all_due());
    assert_eq!(due.deliveries.len(), 2_500);
    assert!(due.deliveries.is_sorted_by_key(|due| due.due_at), "longest due first");
    costs("due: 2,500 of 5,000 endpoints", work, 5_100, 2_500 * 200);
    let (few, work) = large.due(DueQuery { limit: 100, ..all_due() });
    assert_eq!(few.deliveries.len(), 100);
    costs("due: 100 of 5,000 endpoints", work, 300, 100 * 250);
}

#[test]
fn endpoints_that_are_skipped_cost_a_look_each() {
    let large = Large::after(ONE_EACH);
    let skip_endpoints: Vec<_> = (1..READY).map(subscription).collect();
    let (due, work) = large.due(DueQuery { skip_endpoints, ..all_due() });
    assert_eq!(due.deliveries.len(), 1);
    costs("due: 4,999 of 5,000 skipped", work, 20, 4_999 * 20);
}

#[test]
fn a_backlog_takes_its_share_and_no_more() {
    let large = Large::after("UPDATE deliveries SET state = 'pending', at = 1 WHERE subscription = 1");
    let (due, work) = large.due(all_due());
    assert_eq!(due.deliveries.len(), 32);
    costs("due: 32 of a backlog of 50,000", work, 20, 32 * 200);
}

#[test]
fn an_unreadable_row_hides_nothing_else() {
    let odd = "UPDATE orders SET body = 'x' WHERE seq BETWEEN 1 AND 19; \
               UPDATE subscriptions SET endpoint = 'nowhere', next_at = 0 WHERE seq = 2; \
               UPDATE deliveries SET state = 'pending', at = 2 WHERE order_seq = 10 AND subscription IN (2, 3, 4); \
               UPDATE deliveries SET kind = 'odd' WHERE order_seq = 10 AND subscription = 3";
    let large = Large::after(&format!("{TWENTY}; {odd}"));
    let (due, _) = large.run(large.store.due(all_due()));
    assert_eq!(
        due.unwrap().deliveries.iter().map(|due| due.subscription.id).collect::<Vec<_>>(),
        [subscription(1)]
    );
}

#[test]
fn an_unreadable_order_that_matches_thousands_is_quarantined_once() {
    let odd = "UPDATE orders SET body = 'x' WHERE seq = 1";
    let large = Large::after(&format!("{ONE_EACH}; {odd}"));
    let (due, cost) = large.run(large.store.due(all_due()));
    assert_eq!(due.unwrap().deliveries, []);
    assert_eq!(large.number("SELECT count(*) FROM quarantine"), 1);
    let held = "SELECT count(*) FROM deliveries WHERE order_seq = 1 AND quarantined = 1";
    assert_eq!(large.number(held), READY);
    let each = READY.unsigned_abs();
    costs("quarantined: an order that matches 5,000", cost.dearest(), 3 * each, each * 200);
}

#[test]
fn beginning_and_finishing_cost_the_same_whoever_waits() {
    let large = Large::after(ONE_EACH);
    let ids =
        large.deliveries("SELECT id FROM deliveries WHERE order_seq = 1 AND state = 'pending' LIMIT 500");
    let intents = ids.iter().map(|id| Intent { delivery: *id, number: 1, at: now() }).collect();
    let (begun, cost) = large.run(large.store.begin(intents));
    assert_eq!(begun.unwrap().len(), 500);
    costs("begin: 500 at 500 endpoints", cost.dearest(), 500 * 6, 500 * 350);
    let kinds = [OutcomeKind::Delivered, OutcomeKind::Transient(Scope::Endpoint)];
    let finished =
        ids.iter().zip(kinds.into_iter().cycle()).map(|(id, kind)| finished(*id, 1, kind)).collect();
    let (suspended, cost) = large.run(large.store.finish(finished));
    assert_eq!(suspended.unwrap(), []);
    costs("finish: 500 at 500 endpoints", cost.dearest(), 500 * 6, 500 * 400);
    assert_eq!(
        large.number("SELECT count(*) FROM subscriptions WHERE next_at > 1 AND seq <= 5000 AND failures = 1"),
        250
    );
}

#[test]
fn a_run_at_one_endpoint_looks_after_it_once() {
    let large = Large::after("UPDATE deliveries SET state = 'pending', at = 1 WHERE subscription = 1");
    let ids = large.deliveries("SELECT id FROM deliveries WHERE subscription = 1 ORDER BY seq LIMIT 500");
    let intents = ids.iter().map(|id| Intent { delivery: *id, number: 1, at: now() }).collect();
    let (_, cost) = large.run(large.store.begin(intents));
    costs("begin: 500 at one endpoint", cost.dearest(), 500 * 3 + 10, 500 * 220);
    let finished = ids.iter().map(|id| finished(*id, 1, OutcomeKind::Delivered)).collect();
    let (_, cost) = large.run(large.store.finish(finished));
    costs("finish: 500 at one endpoint", cost.dearest(), 500 * 3 + 10, 500 * 250);
}

#[test]
fn escalating_settles_a_bounded_number_at_a_time() {
    let late = "UPDATE subscriptions SET escalation_minutes = 1, escalation_to = unhex(printf('%032x', 2)) WHERE seq > 2; \
                UPDATE deliveries SET state = 'pending', escalates_at = 5 WHERE subscription > 2";
    let large = Large::after(late);
    let all = large.number("SELECT count(*) FROM deliveries WHERE escalates_at <= 5");
    let (escalated, cost) = large.run(large.store.escalate(now()));
    assert!(escalated.unwrap().next_at.is_some());
    assert_eq!(large.number("SELECT count(*) FROM deliveries WHERE escalates_at <= 5"), all - 500);
    at_most("escalate: commits", cost.commits.len() as u64, 1);
    costs("escalate: 500 of 60,000", cost.dearest(), 500 * 4, 500 * 250);
}
