//! Each promise, broken: the verdict sees it.

use std::time::{Duration, Instant};

use super::*;
use crate::load::tests::order;
use crate::store::Delivery;
use crate::subscription::FilterChange;
use crate::subscription::tests::confirmed;

/// A webhook's message; its delivery's id is made of both.
pub(crate) fn receipt(path: &str, order: &str) -> Receipt {
    Receipt {
        protocol: Protocol::Webhook,
        endpoint: path.to_owned(),
        delivery: Some(format!("{path}{order}")),
        order: Some(order.to_owned()),
        signed: None,
    }
}

pub(crate) fn nothing_stored() -> Stored {
    Stored {
        orders: Vec::new(),
        deliveries: HashMap::new(),
        unheard: HashMap::new(),
        receipts: HashSet::new(),
        settled: 0,
    }
}

pub(crate) fn nothing_seen() -> Evidence {
    Evidence {
        orders: Vec::new(),
        subscriptions: Vec::new(),
        killings: Vec::new(),
        callbacks: Vec::new(),
        dropped_lines: Vec::new(),
        mail_troubles: Troubles::default(),
        release: Release::default(),
        receipts: Vec::new(),
    }
}

fn judge(orders: Vec<Order>, subscriptions: Vec<Subscription>, receipts: Vec<Receipt>) -> Verdict {
    Verdict::of(&Evidence { orders, subscriptions, receipts, ..nothing_seen() }, &nothing_stored(), 0)
}

fn undelivered(verdict: &Verdict) -> (usize, usize) {
    (verdict.matched[&Protocol::Webhook], verdict.count(Promise::MatchedIsDelivered))
}

fn stored(state: State) -> Delivery {
    Delivery { id: "d".to_owned(), state, subscription: oracle::subscriptions::State::Confirmed }
}

#[test]
fn an_order_that_is_not_in_the_store_is_lost() {
    assert_eq!(
        judge(vec![order("a", Instant::now())], Vec::new(), Vec::new()).count(Promise::OrderStored),
        1
    );
}

#[test]
fn an_order_that_is_in_the_store_under_two_ids_is_stored_twice() {
    let mut stored = nothing_stored();
    stored.orders = vec![("key-of-a".to_owned(), "a".to_owned()), ("key-of-a".to_owned(), "b".to_owned())];
    let evidence = Evidence { orders: vec![order("a", Instant::now())], ..nothing_seen() };
    let verdict = Verdict::of(&evidence, &stored, 0);
    let count = |promise| verdict.count(promise);
    assert_eq!((count(Promise::OrderStored), count(Promise::StoredOnce)), (0, 1));
}

#[test]
fn what_a_confirmed_subscription_did_not_get_is_undelivered() {
    let start = Instant::now();
    let orders =
        || vec![order("a", start + Duration::from_secs(1)), order("b", start + Duration::from_secs(2))];
    let subscriptions = || vec![confirmed("/one", start)];
    assert_eq!(undelivered(&judge(orders(), subscriptions(), vec![receipt("/one", "a")])), (2, 1));
    let both = vec![receipt("/one", "a"), receipt("/one", "b")];
    assert_eq!(undelivered(&judge(orders(), subscriptions(), both)), (2, 0));
}

#[test]
fn what_an_unconfirmed_subscription_got_is_a_broken_promise() {
    let start = Instant::now();
    let never = Subscription { consented: None, confirmed: None, ..confirmed("/one", start) };
    let later = confirmed("/two", start + Duration::from_mins(1));
    let receipts = vec![receipt("/one", "a"), receipt("/two", "a")];
    assert_eq!(
        judge(vec![order("a", start)], vec![never, later], receipts).count(Promise::UnmatchedIsNot),
        2
    );
}

#[test]
fn what_a_filter_did_not_want_is_a_broken_promise() {
    let start = Instant::now();
    let only = Some("another".to_owned());
    let filters = vec![FilterChange { asked: start, answered: start, only }];
    let subscription = Subscription { filters, ..confirmed("/one", start) };
    let orders = vec![order("a", start + Duration::from_secs(1))];
    assert_eq!(
        judge(orders, vec![subscription], vec![receipt("/one", "a")]).count(Promise::UnmatchedIsNot),
        1
    );
}

#[test]
fn what_is_held_needs_a_cause_and_what_a_person_dropped_is_not_missing() {
    let start = Instant::now();
    let mut stored = nothing_stored();
    stored.deliveries.insert(("idof/one".to_owned(), "a".to_owned()), self::stored(State::Cancelled));
    let mut evidence = Evidence {
        orders: vec![order("a", start + Duration::from_secs(1))],
        subscriptions: vec![confirmed("/one", start)],
        release: Release { dropped: vec!["d".to_owned()], ..Release::default() },
        ..nothing_seen()
    };
    let verdict = Verdict::of(&evidence, &stored, 0);
    let unexplained = |verdict: &Verdict| verdict.count(Promise::StateExplained);
    assert_eq!((unexplained(&verdict), verdict.given_up, undelivered(&verdict)), (1, 1, (1, 0)));
    evidence.dropped_lines.push("d".to_owned());
    assert_eq!(unexplained(&Verdict::of(&evidence, &stored, 0)), 0);
    evidence.release.dropped.clear();
    assert_eq!(undelivered(&Verdict::of(&evidence, &stored, 0)), (1, 1), "nobody dropped it");
}

#[test]
fn what_was_sent_again_must_be_delivered() {
    let mut stored = nothing_stored();
    stored.deliveries.insert(("one".to_owned(), "a".to_owned()), self::stored(State::Dead));
    let release = Release { revived: vec!["d".to_owned()], ..Release::default() };
    let verdict = Verdict::of(&Evidence { release, ..nothing_seen() }, &stored, 0);
    assert_eq!(verdict.count(Promise::MatchedIsDelivered), 1);
    let nobody_did = Verdict::of(&nothing_seen(), &stored, 0);
    assert_eq!(nobody_did.count(Promise::MatchedIsDelivered), 0);
    stored.deliveries.insert(("one".to_owned(), "a".to_owned()), self::stored(State::Cancelled));
    let release = Release { redriven: vec!["d".to_owned()], ..Release::default() };
    let cancelled = Verdict::of(&Evidence { release, ..nothing_seen() }, &stored, 0);
    assert_eq!(cancelled.count(Promise::MatchedIsDelivered), 1);
}

#[test]
fn a_report_that_was_taken_and_is_not_in_the_store_is_lost() {
    let report = || Callback { delivery: "d".to_owned(), status: "failed" };
    let evidence = Evidence { callbacks: vec![report()], ..nothing_seen() };
    let mut stored = nothing_stored();
    assert_eq!(Verdict::of(&evidence, &stored, 0).count(Promise::ReceiptKept), 1);
    stored.receipts.insert(("d".to_owned(), "failed".to_owned()));
    assert_eq!(Verdict::of(&evidence, &stored, 0).count(Promise::ReceiptKept), 0);
}

#[test]
fn what_still_waits_when_all_is_done_and_another_id_when_repeated_are_broken_promises() {
    let mut stored = nothing_stored();
    stored.deliveries.insert(("one".to_owned(), "a".to_owned()), self::stored(State::Held));
    stored.orders = vec![("key-of-a".to_owned(), "a".to_owned())];
    let repeated = Order { repeated: Some("b".to_owned()), ..order("a", Instant::now()) };
    let verdict = Verdict::of(&Evidence { orders: vec![repeated], ..nothing_seen() }, &stored, 0);
    let broken: Vec<_> = verdict.broken.iter().map(|(_, violation)| violation.promise).collect();
    assert_eq!(broken, [Promise::OrderStored, Promise::MatchedIsDelivered]);
    assert!(verdict.accept(0).is_err());
}
