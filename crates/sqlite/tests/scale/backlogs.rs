//! Long backlogs: ending, suspending, resuming and redriving them, and calling them forward.

use application::ports::{
    Deliveries, DeliveryFilter, DeliveryQueue, Finished, Intent, LocalSubscriptions, Redrivable,
    RedriveSelection, Subscriptions,
};
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::delivery::{Consequence, Decision, DeliveryId, DeliveryState, Next};
use domain::subscription::{EndReason, SuspensionReason};

use crate::store::{HOUR, Large, NOW, all_due, at_most, costs, finished, now, subscription};

/// All that the first subscription was ever told waits.
const BACKLOG: &str = "UPDATE deliveries SET state = 'pending', at = 1 WHERE subscription = 1";
const PENDING: &str = "SELECT count(*) FROM deliveries WHERE subscription = 1 AND state = 'pending'";

#[test]
fn ending_a_subscription_stops_at_once_and_cancels_in_bounded_commits() {
    let large = Large::after(BACKLOG);
    let (ended, cost) = large.run(large.store.unsubscribe(subscription(1), EndReason::Removed, now()));
    ended.unwrap();
    at_most("end: commits before it is answered", cost.commits.len() as u64, 1);
    costs("end: the first commit of 50,000", cost.dearest(), 30, 500 * 200);
    assert_eq!(large.number(PENDING), 49_500);
    assert_eq!(large.run(large.store.due(all_due())).0.unwrap().deliveries, []);
    let id =
        large.deliveries("SELECT id FROM deliveries WHERE subscription = 1 AND state = 'pending' LIMIT 1")[0];
    let intent = Intent { delivery: id, number: 1, at: now() };
    let record = large.run(large.store.delivery(id)).0.unwrap().unwrap();
    assert_eq!((record.state, record.at), (DeliveryState::Cancelled, now()), "it is told so meanwhile");
    let begun = large.store.begin(vec![intent]);
    // Whoever asks for more meanwhile has a turn.
    let (begun, cost) = large.run(begun);
    assert_eq!(begun.unwrap(), []);
    assert!(cost.commits.len() <= 2 && large.number(PENDING) > 40_000, "and nobody waits for the rest");
    let rest = large.rest();
    assert_eq!(large.number(PENDING), 0);
    costs("end: each later commit", rest.dearest(), 20, 1_000 * 200);
}

#[test]
fn a_start_goes_on_cancelling_what_a_crash_left() {
    let ended =
        "UPDATE subscriptions SET state = 'ended', ended_at = 7, end_reason = 'removed' WHERE seq = 1";
    let large = Large::after(&format!("{BACKLOG}; {ended}"));
    costs("end: each commit after a crash", large.rest().dearest(), 20, 1_000 * 200);
    let cancelled = "SELECT count(*) FROM deliveries WHERE subscription = 1 AND state = 'cancelled' \
                     AND cancel_reason = 'subscription_ended' AND at = 7";
    assert_eq!((large.number(PENDING), large.number(cancelled)), (0, 50_000));
}

#[test]
fn suspending_and_confirming_cost_the_same_whatever_waits() {
    let large = Large::after(BACKLOG);
    let (done, cost) = large.run(large.store.suspend(subscription(1), SuspensionReason::Operator, now()));
    done.unwrap();
    costs("suspend: 50,000 wait", cost.dearest(), 20, 800);
    let pending = "UPDATE subscriptions SET state = 'pending', confirmation_expires_at = 1 << 52 WHERE seq = 1; \
                   INSERT INTO deliveries (id, kind, subscription, state, created_at, at) \
                   VALUES (randomblob(16), 'confirmation', 1, 'pending', 3, 3)";
    let large = Large::after(&format!("{BACKLOG}; {pending}"));
    let (due, work) = large.due(all_due());
    assert_eq!(due.deliveries.len(), 1, "only the confirmation request");
    costs("due: a confirmation request before 50,000 that wait for its answer", work, 20, 500);
    let (done, cost) = large.run(large.store.confirm(subscription(1), 1, false, now()));
    done.unwrap();
    costs("confirm: 50,000 wait", cost.dearest(), 20, 1_000);
    assert_eq!(large.due(all_due()).0.deliveries.len(), 32);
}

#[test]
fn deliveries_of_a_recovered_endpoint_become_due_in_bounded_commits_the_oldest_first() {
    let hours_of_failures = "UPDATE subscriptions SET failing_since = 1, failures = 30, retry_at = 1770000000000000 + 60000000 \
         WHERE seq = 1; UPDATE deliveries SET state = 'pending', attempts = 1, attempts_used = 1, \
         at = 1770000000000000 + 3600000000 + abs(random() % 1000000000) WHERE subscription = 1 AND seq <= 2000; \
         INSERT INTO attempts (delivery, number, started_at, ended_at, outcome, used) SELECT seq, 1, 1, 2, 'transient', 1 \
         FROM deliveries WHERE subscription = 1 AND state = 'pending'";
    let large = Large::after(hours_of_failures);
    let well = probe(&large);
    let (done, cost) = large.run(large.store.finish(vec![finished(well, 2, OutcomeKind::Delivered)]));
    done.unwrap();
    at_most("recovery: commits before it is answered", cost.commits.len() as u64, 1);
    costs("recovery: the first commit of 2,000", cost.dearest(), 540, 500 * 120);
    costs("recovery: each later commit", large.rest().dearest(), 2 * 520, 1_000 * 120);
    let (due, _) = large.due(all_due());
    let oldest = large.deliveries(
        "SELECT id FROM deliveries WHERE subscription = 1 AND state = 'pending' ORDER BY seq LIMIT 32",
    );
    assert_eq!(due.deliveries.iter().map(|due| due.id).collect::<Vec<_>>(), oldest);
    let later = large.number(&format!(
        "SELECT count(*) FROM deliveries WHERE subscription = 1 AND at > {NOW} AND state = 'pending'"
    ));
    assert_eq!(later, 0, "all are due");
}

#[test]
fn many_endpoints_that_recover_at_once_share_what_one_commit_bears() {
    let large = Large::after(
        "UPDATE subscriptions SET failing_since = 1, failures = 3 WHERE seq BETWEEN 2 AND 300; \
         UPDATE deliveries SET state = 'pending', at = 1770000000000000 + 3600000000 WHERE subscription BETWEEN 2 AND 300; \
         UPDATE deliveries SET at = 1 WHERE order_seq = 1 AND subscription BETWEEN 2 AND 300",
    );
    let ids =
        large.deliveries("SELECT id FROM deliveries WHERE order_seq = 1 AND subscription BETWEEN 2 AND 300");
    let intents = ids.iter().map(|id| Intent { delivery: *id, number: 1, at: now() }).collect();
    large.run(large.store.begin(intents)).0.unwrap();
    let (done, cost) = large
        .run(large.store.finish(ids.iter().map(|id| finished(*id, 1, OutcomeKind::Delivered)).collect()));
    done.unwrap();
    costs("recovery: 299 endpoints with 9 each at once", cost.dearest(), 299 * 12 + 510, 299 * 600);
    costs("recovery: what they left", large.rest().dearest(), 1_100, 1_000 * 120);
    assert_eq!(large.number("SELECT count(*) FROM deliveries WHERE state = 'pending' AND at > 1770000000000000 AND subscription <= 300"), 0);
}

#[test]
fn many_that_end_at_once_share_what_one_commit_bears() {
    let large = Large::after(
        "UPDATE deliveries SET state = 'pending', at = 1 WHERE subscription BETWEEN 2 AND 300; \
         UPDATE subscriptions SET endpoint = endpoint || '/gone' WHERE seq BETWEEN 2 AND 300",
    );
    let ids =
        large.deliveries("SELECT id FROM deliveries WHERE order_seq = 1 AND subscription BETWEEN 2 AND 300");
    let intents = ids.iter().map(|id| Intent { delivery: *id, number: 1, at: now() }).collect();
    large.run(large.store.begin(intents)).0.unwrap();
    let gone = |id: &DeliveryId| Finished {
        decision: Decision {
            next: Next::Over(DeliveryState::Dead),
            uses_attempt: true,
            consequence: Some(Consequence::EndSubscription(EndReason::Gone)),
        },
        outcome: Outcome::new(OutcomeKind::Permanent(Scope::Endpoint), "410"),
        ..finished(*id, 1, OutcomeKind::Delivered)
    };
    let (done, cost) = large.run(large.store.finish(ids.iter().map(gone).collect()));
    done.unwrap();
    costs("end: 299 subscriptions with 9 waiting each at once", cost.dearest(), 299 * 20, 299 * 1_500);
    assert_eq!(large.run(large.store.due(all_due())).0.unwrap().deliveries, []);
    large.rest();
    let left = "SELECT count(*) FROM deliveries WHERE state = 'pending' AND subscription BETWEEN 2 AND 300";
    assert_eq!(large.number(left), 0);
}

#[test]
fn resuming_answers_at_once_whatever_waits() {
    let large = Large::after(
        "UPDATE subscriptions SET state = 'suspended', suspended_at = 1, suspension_reason = 'operator' WHERE seq = 1; \
         UPDATE deliveries SET state = 'pending', at = 1770000000000000 + 3600000000 WHERE subscription = 1",
    );
    let (done, cost) = large.run(large.store.resume(subscription(1), now()));
    done.unwrap();
    at_most("resume: commits before it is answered", cost.commits.len() as u64, 1);
    costs("resume: the first commit of 50,000", cost.dearest(), 540, 500 * 120);
    costs("resume: each later commit", large.rest().dearest(), 2 * 520, 1_000 * 120);
    assert_eq!(
        large.number("SELECT count(*) FROM deliveries WHERE subscription = 1 AND at > 1770000000000000"),
        0
    );
}

#[test]
fn redriving_and_bringing_back_what_is_due_too_far_ahead_are_bounded_too() {
    let large = Large::after(
        "UPDATE deliveries SET state = 'dead' WHERE subscription = 1; \
         UPDATE deliveries SET at = at + 34560000000000 WHERE state = 'pending' AND subscription > 5000",
    );
    let all = RedriveSelection::Many { state: Redrivable::Dead, filter: DeliveryFilter::default() };
    let (redriven, cost) = large.run(large.store.redrive(all, now()));
    assert_eq!(redriven.unwrap(), 50_000);
    costs("redrive: each commit of 50,000", cost.dearest(), 2 * 500 + 20, 500 * 400);
    let (bounded, cost) = large.run(large.store.bound_due_times(now()));
    assert_eq!(bounded.unwrap(), 10_000, "those that wait for four hundred days");
    assert!(large.number("SELECT max(at) FROM deliveries WHERE state = 'pending'") < NOW + 30 * HOUR);
    costs("bound due times: each commit", cost.dearest(), 4 * 500 + 20, 500 * 800);
}

/// The one that is tried to see whether the endpoint works again.
fn probe(large: &Large) -> DeliveryId {
    let id = large.deliveries(
        "SELECT id FROM deliveries WHERE subscription = 1 AND state = 'pending' ORDER BY at LIMIT 1",
    )[0];
    large.run(large.store.begin(vec![Intent { delivery: id, number: 2, at: now() }])).0.unwrap();
    id
}
