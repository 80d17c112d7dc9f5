//! Orders while the table fails: each is stored once, and its sender is told the truth.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use application::ErrorKind;
use application::ports::{Acceptance, OrderStore};
use aws::{Table, TableOptions};
use host::SystemClock;
use tokio::time::timeout;

use super::emulated::{client, order};
use super::{Given, Happening, cancelled, error, failed, failed_after, key_for, throttled};

const PUT: &str = "PutItem";
const WRITE: &str = "TransactWriteItems";
const GET: &str = "GetItem";

#[tokio::test]
async fn a_throttled_order_is_tried_again() {
    let given = Given::table().await;
    given.proxy.next(PUT, [throttled(), throttled()]);
    let order = order();
    assert_eq!(given.table.accept(order.clone(), None).await.unwrap(), Acceptance::Stored);
    assert_eq!(given.stored().await, [order.id]);
}

#[tokio::test]
async fn an_order_that_stays_throttled_is_refused_for_now_and_not_stored() {
    let given = Given::table().await;
    given.proxy.always(PUT, throttled());
    given.proxy.always(WRITE, cancelled(["None", "ProvisionedThroughputExceeded"]));
    let order = order();
    for key in [None, Some(key_for(&order))] {
        let refused = given.table.accept(order.clone(), key).await.unwrap_err();
        assert_eq!((refused.kind, refused.code), (ErrorKind::Busy, "too_busy"));
        assert!(refused.retry_after.is_some());
    }
    assert_eq!((given.proxy.calls(PUT), given.proxy.calls(WRITE), given.proxy.calls(GET)), (3, 3, 0));
    assert_eq!(given.stored().await, []);
}

#[tokio::test]
async fn an_order_is_stored_once_though_the_answer_to_its_write_is_lost() {
    for lost in [failed_after(), Happening::HungUpAfter, Happening::StalledAfter] {
        let given = Given::table().await;
        given.proxy.next(PUT, [lost.clone()]);
        given.proxy.next(WRITE, [lost.clone()]);
        let (bare, keyed) = (order(), order());
        let key = key_for(&keyed);
        assert_eq!(given.table.accept(bare.clone(), None).await.unwrap(), Acceptance::Stored, "{lost:?}");
        let answer = given.table.accept(keyed.clone(), Some(key.clone())).await.unwrap();
        assert_eq!(answer, Acceptance::Stored, "{lost:?}");
        assert_eq!(given.stored().await.len(), 2, "{lost:?}");
        let repeat = given.table.accept(order(), Some(key)).await.unwrap();
        assert_eq!(repeat, Acceptance::Repeated(keyed.id), "{lost:?}");
    }
}

#[tokio::test]
async fn a_retry_that_finds_its_own_order_is_a_success() {
    let given = Given::table().await;
    given.proxy.next(PUT, [failed_after()]);
    given.proxy.next(WRITE, [failed_after()]);
    given.proxy.always(GET, failed());
    let (bare, keyed) = (order(), order());
    let key = key_for(&keyed);
    assert_eq!(given.table.accept(bare, None).await.unwrap(), Acceptance::Stored);
    assert_eq!(given.table.accept(keyed, Some(key)).await.unwrap(), Acceptance::Stored);
    assert_eq!((given.proxy.calls(PUT), given.proxy.calls(WRITE)), (2, 2));
    assert_eq!(given.stored().await.len(), 2);
}

#[tokio::test]
async fn an_order_whose_write_failed_is_written_again() {
    for happening in [failed(), Happening::Instead(503, "no JSON at all".to_owned())] {
        let given = Given::table().await;
        given.proxy.next(PUT, [happening.clone()]);
        given.proxy.next(WRITE, [happening]);
        let (bare, keyed) = (order(), order());
        let key = key_for(&keyed);
        assert_eq!(given.table.accept(bare.clone(), None).await.unwrap(), Acceptance::Stored);
        assert_eq!(given.table.accept(keyed.clone(), Some(key)).await.unwrap(), Acceptance::Stored);
        assert_eq!(BTreeSet::from_iter(given.stored().await), BTreeSet::from([keyed.id, bare.id]));
    }
}

#[tokio::test]
async fn nobody_is_told_that_an_order_was_not_stored_where_nobody_knows() {
    let given = Given::table().await;
    given.proxy.next(PUT, [failed(), throttled(), throttled()]);
    let failure = given.table.accept(order(), None).await.unwrap_err();
    assert_eq!((failure.kind, failure.code), (ErrorKind::Unavailable, "store_unavailable"));
    assert!(failure.message.contains("not known"), "{failure}");
    assert!(!failure.to_string().contains("secret"), "{failure}");
    assert!(failure.cause().contains("ThrottlingException"), "{}", failure.cause());
}

#[tokio::test]
async fn a_silent_table_is_given_up_within_ten_seconds() {
    let given = Given::table().await;
    for operation in [PUT, WRITE, GET] {
        given.proxy.always(operation, Happening::Stalled);
    }
    let order = order();
    let key = key_for(&order);
    let (bare, keyed) =
        (given.table.accept(order.clone(), None), given.table.accept(order.clone(), Some(key)));
    let both = async { tokio::join!(bare, keyed) };
    let (bare, keyed) = timeout(Duration::from_secs(10), both).await.unwrap();
    for failure in [bare.unwrap_err(), keyed.unwrap_err()] {
        assert_eq!((failure.kind, failure.code), (ErrorKind::Unavailable, "store_unavailable"));
    }
}

#[tokio::test]
async fn a_table_that_cannot_be_reached_is_unavailable() {
    let options = TableOptions { name: "orders".to_owned(), key: "orderId".to_owned() };
    let table = Table::new(client("http://127.0.0.1:9"), options, Arc::new(SystemClock));
    let failures = [
        table.accept(order(), None).await.unwrap_err(),
        table.order(order().id).await.unwrap_err(),
        table.ready().await.unwrap_err(),
    ];
    for failure in failures {
        assert_eq!((failure.kind, failure.code), (ErrorKind::Unavailable, "store_unavailable"));
        assert!(!failure.to_string().contains("127.0.0.1"), "{failure}");
    }
}

#[tokio::test]
async fn a_transaction_that_was_cancelled_for_the_moment_is_tried_again() {
    for reasons in [
        ["TransactionConflict", "None"],
        ["None", "TransactionConflict"],
        ["ThrottlingError", "TransactionConflict"],
        ["ProvisionedThroughputExceeded", "None"],
    ] {
        let given = Given::table().await;
        given.proxy.next(WRITE, [cancelled(reasons)]);
        let order = order();
        let key = key_for(&order);
        let answer = given.table.accept(order.clone(), Some(key)).await.unwrap();
        assert_eq!(answer, Acceptance::Stored, "{reasons:?}");
        assert_eq!(given.stored().await, [order.id], "{reasons:?}");
    }
}

#[tokio::test]
async fn a_transaction_that_can_never_succeed_is_not_tried_again() {
    for reasons in [["ValidationError", "None"], ["TransactionConflict", "ValidationError"]] {
        let given = Given::table().await;
        given.proxy.always(WRITE, cancelled(reasons));
        let order = order();
        let key = key_for(&order);
        let failure = given.table.accept(order, Some(key)).await.unwrap_err();
        assert_eq!((failure.kind, given.proxy.calls(WRITE)), (ErrorKind::Internal, 1), "{reasons:?}");
        assert!(failure.cause().contains("ValidationError"), "{}", failure.cause());
        assert_eq!(given.stored().await, [], "{reasons:?}");
    }
}

#[tokio::test]
async fn an_order_that_meets_its_own_duplicate_is_answered_with_the_first_one() {
    for reasons in [["None", "TransactionConflict"], ["TransactionConflict", "ConditionalCheckFailed"]] {
        let given = Given::table().await;
        let (first, second) = (order(), order());
        let key = key_for(&first);
        given.proxy.always(WRITE, cancelled(reasons));
        let meanwhile = given.itself.accept(first.clone(), Some(key.clone()));
        let (answer, stored) = tokio::join!(given.table.accept(second, Some(key.clone())), meanwhile);
        assert_eq!(stored.unwrap(), Acceptance::Stored);
        assert_eq!(answer.unwrap(), Acceptance::Repeated(first.id), "{reasons:?}");
        assert_eq!(given.stored().await, [first.id]);
    }
}

#[tokio::test]
async fn a_conflict_without_end_is_refused_for_now_within_ten_seconds() {
    let given = Given::table().await;
    given.proxy.always(WRITE, cancelled(["TransactionConflict", "None"]));
    let order = order();
    let key = key_for(&order);
    let answer = timeout(Duration::from_secs(10), given.table.accept(order, Some(key))).await.unwrap();
    assert_eq!(answer.unwrap_err().kind, ErrorKind::Busy);
    assert_eq!(given.stored().await, []);
}

#[tokio::test]
async fn a_transaction_that_is_still_under_way_is_waited_for() {
    let given = Given::table().await;
    given.proxy.next(WRITE, [Happening::After(400, error("TransactionInProgressException"))]);
    let order = order();
    let key = key_for(&order);
    assert_eq!(given.table.accept(order.clone(), Some(key)).await.unwrap(), Acceptance::Stored);
    assert_eq!(given.stored().await, [order.id]);
}

#[tokio::test]
async fn a_table_that_is_closed_to_us_is_unavailable_at_once() {
    for code in ["AccessDeniedException", "ResourceNotFoundException", "ExpiredTokenException"] {
        let given = Given::table().await;
        given.proxy.always(PUT, Happening::Instead(400, error(code)));
        let failure = given.table.accept(order(), None).await.unwrap_err();
        assert_eq!((failure.kind, given.proxy.calls(PUT)), (ErrorKind::Unavailable, 1), "{code}");
        assert!(!failure.to_string().contains("secret"), "{failure}");
    }
}
