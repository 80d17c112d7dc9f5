//! What someone's hand, or a defect, did to rows that are still readable: each is named.

use application::ports::{OrderStore, Subscriptions};
use domain::delivery::DeliveryState;
use domain::order::OrderId;
use domain::subscription::EndReason;
use oracle::Promise::{
    AsLastVersion, AskedAndConfirmed, AttemptsOnRecord, InFlightIsOpen, MatchedIsDelivered, PublishedFirst,
    StateExplained, UnmatchedIsNot, VersionsWhole,
};
use orderbell_sqlite::audit::{Exception, ExceptionKind};
use orderbell_sqlite::{Options, Store};

use crate::fixtures::{History, audited, kinds};
use crate::opened::{key, now, open, options, order, subscribe};
use ExceptionKind::{Broken, DanglingReference, KeyNotFound, QueueDisagrees};

fn one_of(kind: ExceptionKind, named: &[Exception]) -> &Exception {
    let mut found = named.iter().filter(|exception| exception.kind == kind);
    let one = found.next().unwrap_or_else(|| panic!("no {kind:?} in {named:?}"));
    assert_eq!(found.next(), None);
    one
}

#[tokio::test]
async fn a_delivery_that_was_deleted_is_named_by_its_order_and_its_subscription() {
    let history = History::new().await;
    let named = history.after("DELETE FROM deliveries WHERE seq = 4");
    assert_eq!(kinds(&named), [Broken(MatchedIsDelivered)]);
    assert_eq!(
        (named[0].order, named[0].subscription),
        (Some(history.orders[4]), Some(history.subscription))
    );
    assert!(named[0].wrong.contains("place 5"), "{:?}", named[0]);
}

#[tokio::test]
async fn attempts_at_a_delivery_that_was_deleted_are_named_beside_it() {
    let history = History::new().await;
    let named = history.after("DELETE FROM deliveries WHERE seq = 2");
    assert_eq!(kinds(&named), [Broken(MatchedIsDelivered), DanglingReference]);
    assert!(named[1].wrong.contains("deliveries.seq = 2") && named[1].wrong.contains("2 attempts"));
}

#[tokio::test]
async fn a_delivery_of_an_order_that_is_not_owed_is_named_with_the_reason() {
    let history = History::new().await;
    let add = "INSERT INTO deliveries (id, kind, subscription, order_seq, state, created_at, at) \
               SELECT randomblob(16), 'notification', 1, orders.seq, 'pending', 0, 1 << 52 FROM orders WHERE seq <= 2";
    let named = history.after(add);
    assert_eq!(kinds(&named), [Broken(UnmatchedIsNot), Broken(UnmatchedIsNot)]);
    let told: Vec<_> = named.iter().map(|exception| (exception.order, exception.delivery)).collect();
    let expected = [(history.orders[0], history.delivery(5)), (history.orders[1], history.delivery(6))];
    assert_eq!(told, expected.map(|(order, delivery)| (Some(order), Some(delivery))));
    assert!(named[0].wrong.ends_with("it was not there yet"), "{:?}", named[0]);
    assert!(named[1].wrong.ends_with("it was not confirmed"), "{:?}", named[1]);
}

#[tokio::test]
async fn a_filter_policy_that_does_not_match_owes_nothing() {
    let history = History::new().await;
    let policy = r#"SET filter_policy = '{"currency":["EUR"]}'"#;
    history.shell().execute(&format!("UPDATE subscriptions {policy}"), ()).unwrap();
    let named = history.after(&format!("UPDATE subscription_versions {policy} WHERE from_seq = 3"));
    assert_eq!(kinds(&named), [Broken(UnmatchedIsNot); 3]);
    assert!(named[0].wrong.ends_with("its filter policy does not match"), "{:?}", named[0]);
}

#[tokio::test]
async fn deliveries_of_orders_that_the_relay_has_yet_to_publish_are_named() {
    let history = History::new().await;
    assert_eq!(
        history.after("UPDATE relay SET published_through = 4"),
        [],
        "it may be publishing the next one"
    );
    let named = history.after("UPDATE relay SET published_through = 3");
    assert_eq!(kinds(&named), [Broken(PublishedFirst)]);
    assert_eq!((named[0].order, named[0].delivery), (Some(history.orders[4]), Some(history.delivery(4))));
    assert_eq!(audited(history.folder.path()).0.waiting.unpublished.count, 3);
}

#[tokio::test]
async fn an_order_that_was_deleted_is_named_by_what_refers_to_it() {
    let history = History::new().await;
    let named = history.after("DELETE FROM orders WHERE seq = 4");
    assert_eq!(kinds(&named), [DanglingReference]);
    assert_eq!(
        (named[0].delivery, named[0].subscription),
        (Some(history.delivery(3)), Some(history.subscription))
    );
    assert!(named[0].wrong.contains("order (place 4)"), "{:?}", named[0]);
}

/// Orders 7 to 9 have keys, which a start moved into the index.
async fn with_keys() -> (History, Vec<OrderId>) {
    let history = History::new().await;
    let store = open(history.folder.path());
    let mut keyed = Vec::new();
    for number in 7..=9 {
        let order = order();
        keyed.push(order.id);
        store.accept(order, Some(key(&number.to_string()))).await.unwrap();
    }
    store.close().await;
    let store = Store::open(history.folder.path(), Options { keys_in_memory: 2, ..options() }).unwrap();
    store.close().await;
    (history, keyed)
}

#[tokio::test]
async fn a_key_whose_hash_was_deleted_is_named_by_its_order() {
    let (history, keyed) = with_keys().await;
    assert_eq!(audited(history.folder.path()).1, []);
    let named = history.after("DELETE FROM idempotency_hashes WHERE order_seq = 8");
    assert_eq!(kinds(&named), [KeyNotFound]);
    assert_eq!((named[0].kind.name(), named[0].order), ("key_not_found", Some(keyed[1])));
    assert!(named[0].wrong.contains("place 8"), "{:?}", named[0]);
}

#[tokio::test]
async fn a_key_that_has_another_hash_order_or_period_is_named() {
    for wrong in [
        "UPDATE idempotency_hashes SET hash = hash + 1 WHERE order_seq = 9",
        "UPDATE idempotency_hashes SET order_seq = 90 WHERE order_seq = 9",
        "UPDATE idempotency_hashes SET period = period + 24 WHERE order_seq = 9",
        "UPDATE idempotency_keys SET key = 'another-key-12345' WHERE order_seq = 9",
    ] {
        let (history, keyed) = with_keys().await;
        let named = history.after(wrong);
        assert_eq!(kinds(&named), [KeyNotFound], "{wrong}");
        assert_eq!(named[0].order, Some(keyed[2]));
    }
    let (history, _) = with_keys().await;
    assert_eq!(kinds(&history.after("DELETE FROM idempotency_periods")), [KeyNotFound; 3]);
}

#[tokio::test]
async fn a_key_that_is_over_need_not_be_found() {
    let (history, _) = with_keys().await;
    history.shell().execute("DELETE FROM idempotency_hashes", ()).unwrap();
    assert_eq!(history.after("UPDATE idempotency_keys SET ends_at = 1"), []);
}

#[tokio::test]
async fn a_subscription_that_was_deleted_is_named_by_what_refers_to_it() {
    let history = History::new().await;
    let named = history.after("DELETE FROM subscriptions");
    assert_eq!(kinds(&named), [DanglingReference; 5], "four deliveries and its versions");
    assert!(named[4].wrong.contains("subscriptions.seq = 1"), "{:?}", named[4]);
}

#[tokio::test]
async fn a_delivery_that_escalated_from_one_that_is_gone_is_named() {
    let history = History::new().await;
    let named = history.after("UPDATE deliveries SET escalated_from = 99 WHERE seq = 4");
    assert_eq!(kinds(&named), [DanglingReference]);
    assert_eq!(named[0].wrong, "the delivery that it escalated from is gone");
}

#[tokio::test]
async fn a_receipt_of_a_delivery_that_is_gone_is_named() {
    let history = History::new().await;
    let named = history.after("INSERT INTO receipts VALUES (99, 1, 1, 'failed', '30003', 0)");
    assert_eq!(kinds(&named), [DanglingReference]);
    assert_eq!(named[0].wrong, "row of receipts refers to a row of deliveries that is gone");
}

#[tokio::test]
async fn a_delivery_that_escalated_from_another_order_does_not_match() {
    let history = History::new().await;
    let store = open(history.folder.path());
    store.unsubscribe(history.subscription, EndReason::Removed, now()).await.unwrap();
    subscribe(&store).await;
    store.close().await;
    let add = "INSERT INTO deliveries (id, kind, subscription, order_seq, state, created_at, at, escalated_from) \
               VALUES (randomblob(16), 'notification', 2, 5, 'pending', 0, 0, 4)";
    assert_eq!(history.after(add), []);
    let summary = audited(history.folder.path()).0;
    assert_eq!((summary.matched, summary.escalated), (3, 1));
    let named = history.after("UPDATE deliveries SET escalated_from = 3 WHERE escalated_from = 4");
    assert_eq!(kinds(&named), [Broken(UnmatchedIsNot)]);
}

#[tokio::test]
async fn a_reference_to_what_is_gone_is_named_in_any_table() {
    let history = History::new().await;
    let shell = history.shell();
    shell.execute_batch("CREATE TABLE later (x INTEGER REFERENCES deliveries (seq))").unwrap();
    let named = history.after("INSERT INTO later VALUES (99)");
    assert_eq!(kinds(&named), [DanglingReference]);
    assert_eq!(named[0].wrong, "row 1 of later refers to a row of deliveries that is gone");
}

#[tokio::test]
async fn a_delivery_in_flight_without_an_open_attempt_is_named() {
    let history = History::new().await;
    let named = history.after("UPDATE deliveries SET state = 'in_flight' WHERE seq = 2");
    assert_eq!(kinds(&named), [Broken(InFlightIsOpen)]);
    assert_eq!((named[0].delivery, named[0].order), (Some(history.delivery(2)), Some(history.orders[2])));
}

#[tokio::test]
async fn an_open_attempt_at_a_delivery_that_is_not_in_flight_is_named() {
    let history = History::new().await;
    let named = history.after("UPDATE deliveries SET state = 'pending' WHERE seq = 3");
    assert_eq!(kinds(&named), [Broken(InFlightIsOpen)]);
    assert_eq!(named[0].wrong, "it is pending with 1 open attempts");
}

#[tokio::test]
async fn attempts_that_are_not_numbered_from_one_are_named() {
    let history = History::new().await;
    let named = history.after("UPDATE attempts SET number = 5 WHERE delivery = 2 AND number = 2");
    assert_eq!(kinds(&named), [Broken(AttemptsOnRecord)]);
    assert_eq!(named[0].wrong, "its attempts are numbered 1, 5");
}

#[tokio::test]
async fn a_deliverys_own_counts_must_be_those_of_its_attempts() {
    let history = History::new().await;
    let named = history.after("UPDATE deliveries SET attempts = 7 WHERE seq = 2");
    assert_eq!(
        (kinds(&named), named[0].wrong.as_str()),
        (vec![Broken(AttemptsOnRecord)], "it counts 7 attempts, 2 are on record")
    );
    let named = history.after("UPDATE deliveries SET attempts = 2, attempts_used = 9 WHERE seq = 2");
    assert_eq!(kinds(&named), [Broken(AttemptsOnRecord)]);
    let named = history.after("UPDATE deliveries SET attempts_used = 0 WHERE seq = 2");
    assert_eq!(named, [], "redriving begins that count anew");
}

#[tokio::test]
async fn a_state_that_no_attempt_explains_is_named() {
    let history = History::new().await;
    for state in ["delivered", "sandboxed", "held", "dead", "cancelled"] {
        let named = history.after(&format!("UPDATE deliveries SET state = '{state}' WHERE seq = 4"));
        assert_eq!(kinds(&named), [Broken(StateExplained)], "{state}");
        assert_eq!(named[0].delivery, Some(history.delivery(4)));
    }
    history.shell().execute("UPDATE deliveries SET state = 'pending' WHERE seq = 4", ()).unwrap();
    for state in ["pending", "sandboxed", "held", "dead"] {
        let named = history.after(&format!("UPDATE deliveries SET state = '{state}' WHERE seq = 2"));
        assert_eq!(kinds(&named), [Broken(StateExplained)], "{state} though it was delivered");
    }
}

#[tokio::test]
async fn a_receipt_or_a_person_explains_what_no_attempt_does() {
    let history = History::new().await;
    let becomes = |state: &str| {
        kinds(&history.after(&format!("UPDATE deliveries SET state = '{state}' WHERE seq = 2")))
    };
    assert_eq!(becomes("dead"), [Broken(StateExplained)], "it was delivered");
    history.shell().execute("INSERT INTO receipts VALUES (2, 1, 1, 'failed', '30003', 0)", ()).unwrap();
    assert_eq!(becomes("dead"), [Broken(StateExplained)], "that was another attempt");
    history.shell().execute("UPDATE receipts SET attempt = 2", ()).unwrap();
    assert_eq!(becomes("dead"), [], "and then reported as undelivered");
    assert_eq!(becomes("delivered"), [Broken(StateExplained)], "it was not");
    assert_eq!(becomes("pending"), [], "and redriven");
    assert_eq!(becomes("held"), [Broken(StateExplained)]);
    history
        .shell()
        .execute("UPDATE attempts SET outcome = 'unknown' WHERE delivery = 2 AND number = 2", ())
        .unwrap();
    assert_eq!(becomes("held"), [Broken(StateExplained)], "its provider knows that it did not arrive");
    history.shell().execute("UPDATE receipts SET attempt = 1", ()).unwrap();
    assert_eq!(becomes("held"), [], "nobody knows whether it arrived");
    let dropped = "INSERT INTO interventions VALUES (2, 1, 'dropped', 0, 'held', 0)";
    history.shell().execute(dropped, ()).unwrap();
    history.shell().execute("UPDATE deliveries SET cancel_reason = 'dropped' WHERE seq = 2", ()).unwrap();
    assert_eq!(becomes("cancelled"), [], "a person dropped it");
    history.shell().execute("UPDATE deliveries SET cancel_reason = NULL WHERE seq = 2", ()).unwrap();
    assert_eq!(becomes("delivered"), [Broken(StateExplained)]);
    history.shell().execute("INSERT INTO receipts VALUES (2, 2, 1, 'delivered', '', 0)", ()).unwrap();
    assert_eq!(becomes("delivered"), [], "the provider says so");
    assert_eq!(becomes("held"), [Broken(StateExplained)], "and nothing that was decided since counts");
}

#[tokio::test]
async fn a_cancellation_that_nothing_explains_is_named() {
    let history = History::new().await;
    let cancelled = |reason: &str| {
        let set =
            format!("UPDATE deliveries SET state = 'cancelled', cancel_reason = {reason} WHERE seq = 4");
        let named = history.after(&set);
        assert_eq!(kinds(&named), [Broken(StateExplained)], "{reason}");
        named[0].wrong.clone()
    };
    assert_eq!(cancelled("NULL"), "it is cancelled, and why is not on record");
    assert_eq!(cancelled("'dropped'"), "it was dropped, and that a person did so is not on record");
    assert!(cancelled("'subscription_ended'").ends_with("which has not ended"));
    assert_eq!(cancelled("'superseded'"), "it is cancelled as a confirmation request, and is none");
    let named = history.after("UPDATE deliveries SET state = 'pending' WHERE seq = 4");
    assert_eq!(named[0].wrong, "it has a reason for being cancelled, and is not");
    let named = history.after("UPDATE deliveries SET cancel_reason = 'boredom' WHERE seq = 4");
    one_of(ExceptionKind::Unreadable, &named);
}

#[tokio::test]
async fn an_intervention_in_a_delivery_that_is_gone_is_named() {
    let history = History::new().await;
    let named = history.after("INSERT INTO interventions VALUES (99, 1, 'redriven', 0, 'dead', 0)");
    assert_eq!(kinds(&named), [DanglingReference]);
    assert_eq!(named[0].wrong, "row of interventions refers to a row of deliveries that is gone");
}

#[tokio::test]
async fn a_message_of_the_wrong_kind_is_named() {
    let history = History::new().await;
    let named = history.after("UPDATE deliveries SET kind = 'notification' WHERE seq = 1");
    one_of(Broken(StateExplained), &named);
    one_of(Broken(AskedAndConfirmed), &named);
}

#[tokio::test]
async fn versions_that_overlap_or_leave_orders_out_are_named() {
    let history = History::new().await;
    let named = history.after("UPDATE subscription_versions SET to_seq = 4 WHERE from_seq = 2");
    assert_eq!(one_of(Broken(VersionsWhole), &named).subscription, Some(history.subscription));
    let named = history.after("UPDATE subscription_versions SET to_seq = NULL WHERE from_seq = 2");
    one_of(Broken(VersionsWhole), &named);
    history.shell().execute("UPDATE subscription_versions SET to_seq = 2 WHERE from_seq = 2", ()).unwrap();
    assert_eq!(audited(history.folder.path()).1, []);
    let named = history.after("UPDATE subscription_versions SET from_seq = 4 WHERE from_seq = 3");
    one_of(Broken(VersionsWhole), &named);
    let named = history.after("UPDATE subscription_versions SET to_seq = 9 WHERE from_seq = 4");
    one_of(Broken(VersionsWhole), &named);
    let named = history.after("DELETE FROM subscription_versions");
    assert_eq!(one_of(Broken(VersionsWhole), &named).wrong, "it has no version");
}

#[tokio::test]
async fn a_subscription_that_is_not_as_its_last_version_says_is_named() {
    let history = History::new().await;
    let named = history.after("UPDATE subscriptions SET state = 'suspended'");
    assert_eq!(kinds(&named), [Broken(AsLastVersion)]);
    assert_eq!(
        (named[0].subscription, named[0].wrong.as_str()),
        (Some(history.subscription), "it is suspended, its last version confirmed")
    );
    history.shell().execute("UPDATE subscriptions SET state = 'confirmed'", ()).unwrap();
    let named = history.after(r#"UPDATE subscriptions SET filter_policy = '{"currency":["EUR"]}'"#);
    assert_eq!(kinds(&named), [Broken(AsLastVersion)]);
}

#[tokio::test]
async fn a_confirmation_that_was_deleted_is_named_by_its_subscription() {
    let history = History::new().await;
    history.shell().execute("DELETE FROM attempts WHERE delivery = 1", ()).unwrap();
    let named = history.after("DELETE FROM deliveries WHERE seq = 1");
    assert_eq!(kinds(&named), [Broken(AskedAndConfirmed)]);
    assert_eq!(named[0].subscription, Some(history.subscription));
}

#[tokio::test]
async fn what_waits_and_is_found_too_late_is_named_by_its_subscription_and_put_right_by_a_start() {
    let history = History::new().await;
    for damage in [
        "UPDATE subscriptions SET next_at = NULL",
        "UPDATE subscriptions SET next_at = next_at + 1",
        "UPDATE deliveries SET at = at - 1000000 WHERE seq = 4",
        "UPDATE deliveries SET quarantined = 1 WHERE seq = 4; UPDATE deliveries SET quarantined = 0, at = 5 WHERE seq = 4",
    ] {
        history.shell().execute_batch(damage).unwrap();
        let named = audited(history.folder.path()).1;
        assert_eq!(kinds(&named), [QueueDisagrees], "{damage}");
        assert_eq!(named[0].subscription, Some(history.subscription));
        open(history.folder.path()).close().await;
        assert_eq!(audited(history.folder.path()).1, [], "{damage}");
    }
}

#[tokio::test]
async fn what_waits_for_an_ended_subscription_counts_as_cancelled_and_is_cancelled_by_a_start() {
    let history = History::new().await;
    let store = open(history.folder.path());
    store.unsubscribe(history.subscription, EndReason::Removed, now()).await.unwrap();
    store.close().await;
    let left = "UPDATE deliveries SET state = 'pending', cancel_reason = NULL WHERE seq = 4";
    assert_eq!(history.after(left), [], "the process died before it came to that one");
    let cancelled = |folder: &std::path::Path| {
        let by_state = audited(folder).0.notifications;
        by_state.into_iter().find(|(state, _)| *state == DeliveryState::Cancelled).unwrap().1
    };
    assert_eq!(cancelled(history.folder.path()), 1);
    open(history.folder.path()).close().await;
    let sql = "SELECT state || ' ' || cancel_reason FROM deliveries WHERE seq = 4";
    let now: String = history.shell().query_row(sql, (), |row| row.get(0)).unwrap();
    assert_eq!((now.as_str(), cancelled(history.folder.path())), ("cancelled subscription_ended", 1));
}
