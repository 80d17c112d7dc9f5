//! Rows that make no sense: each is named, and the others are audited all the same.

use oracle::Promise::MatchedIsDelivered;
use orderbell_sqlite::audit::ExceptionKind::{self, Broken, DanglingReference, Unreadable};

use crate::fixtures::{History, audited, kinds};

/// What is named after `sql` damaged a row; that what else is wrong is found as well.
async fn named_after(sql: &str, beside: &[ExceptionKind]) -> String {
    let history = History::new().await;
    let named = history.after(sql);
    assert_eq!(kinds(&named), [&[Unreadable], beside].concat(), "{named:?}");
    named[0].wrong.clone()
}

#[tokio::test]
async fn an_order_whose_body_is_no_order() {
    let history = History::new().await;
    history.shell().execute("DELETE FROM deliveries WHERE seq = 4", ()).unwrap();
    let named = history.after("UPDATE orders SET body = '{\"customerName\":' WHERE seq = 4");
    assert_eq!(kinds(&named), [Unreadable, Broken(MatchedIsDelivered)]);
    assert_eq!(named[0].order, Some(history.orders[3]));
    assert!(named[0].wrong.starts_with("orders.seq = 4 cannot be read"), "{:?}", named[0]);
    assert_eq!(audited(history.folder.path()).0.orders, 6);
}

#[tokio::test]
async fn an_id_that_is_none() {
    let wrong = named_after("UPDATE orders SET id = x'00' WHERE seq = 6", &[]).await;
    assert!(wrong.starts_with("orders.seq = 6 "), "{wrong}");
    let wrong = named_after("UPDATE deliveries SET id = x'00' WHERE seq = 4", &[]).await;
    assert!(wrong.starts_with("deliveries.seq = 4 "), "{wrong}");
}

#[tokio::test]
async fn a_delivery_in_an_unknown_state() {
    let wrong = named_after("UPDATE deliveries SET state = 'lost' WHERE seq = 4", &[]).await;
    assert!(wrong.contains("deliveries.seq = 4") && wrong.contains("lost"), "{wrong}");
}

#[tokio::test]
async fn an_attempt_with_an_unknown_outcome() {
    let wrong =
        named_after("UPDATE attempts SET outcome = 'odd' WHERE delivery = 2 AND number = 1", &[]).await;
    assert!(wrong.contains("attempt") && wrong.contains("odd"), "{wrong}");
}

#[tokio::test]
async fn a_subscription_over_an_unknown_protocol() {
    let wrong = named_after("UPDATE subscriptions SET protocol = 'pigeon'", &[]).await;
    assert!(wrong.starts_with("subscriptions.seq = 1 cannot be read"), "{wrong}");
}

#[tokio::test]
async fn a_version_in_an_unknown_state_leaves_open_what_matches() {
    let history = History::new().await;
    history.shell().execute("DELETE FROM deliveries WHERE seq = 4", ()).unwrap();
    let named = history.after("UPDATE subscription_versions SET state = 'odd' WHERE from_seq = 3");
    assert_eq!(kinds(&named), [Unreadable]);
    assert_eq!(named[0].subscription, Some(history.subscription));
    assert_eq!(audited(history.folder.path()).0.matched, 0);
}

#[tokio::test]
async fn a_row_that_is_unreadable_and_refers_to_what_is_gone_is_named_for_both() {
    let history = History::new().await;
    history.shell().execute("DELETE FROM orders WHERE seq = 5", ()).unwrap();
    let named = history.after("UPDATE deliveries SET kind = 'odd' WHERE seq = 4");
    assert_eq!(kinds(&named), [Unreadable, DanglingReference]);
}
