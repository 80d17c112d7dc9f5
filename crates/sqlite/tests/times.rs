//! Orders are found by their times to the microsecond, though only their ids, which know milliseconds, have an index, and
//! whatever the clock did.

#![expect(clippy::unwrap_used, reason = "what a test asks for outside its own function must not fail either")]

mod opened;

use std::time::Duration;

use application::ErrorKind;
use application::ports::{OrderQuery, OrderStore, PageRequest};
use domain::Timestamp;
use domain::order::{Order, OrderId};
use opened::{open, order_at};
use orderbell_sqlite::Store;
use proptest::prelude::*;

const START: Timestamp = Timestamp::constant(1_769_860_800, 0);

/// A store that took an order at each of these times, one after the other.
async fn with_orders_at(times: &[Timestamp]) -> (tempfile::TempDir, Store, Vec<Order>) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let orders: Vec<_> = times.iter().map(|time| order_at(*time)).collect();
    for order in &orders {
        store.accept(order.clone(), None).await.unwrap();
    }
    (folder, store, orders)
}

/// A page of so many, from behind that cursor.
fn page(limit: usize, cursor: Option<String>) -> PageRequest {
    PageRequest { limit, cursor }
}

/// All pages of a list of a time, one after another.
async fn listed(store: &Store, from: Option<Timestamp>, to: Option<Timestamp>, limit: usize) -> Vec<OrderId> {
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        let query = OrderQuery { from, to, page: page(limit, cursor) };
        let found = store.orders(query).await.unwrap();
        assert!(found.items.len() <= limit);
        assert!(
            found.next.is_none() || found.items.len() == limit,
            "only where time stood still a page is short"
        );
        ids.extend(found.items.iter().map(|order| order.id));
        cursor = found.next;
        if cursor.is_none() {
            return ids;
        }
    }
}

/// Those of these orders that are of a time, as whoever looks at each of them finds them: by their ids, which begin with
/// the milliseconds.
fn picked(orders: &[Order], from: Option<Timestamp>, to: Option<Timestamp>) -> Vec<OrderId> {
    let is_of_it = |time| from.is_none_or(|from| from <= time) && to.is_none_or(|to| time < to);
    let of_it = orders.iter().filter(|order| is_of_it(order.time));
    let mut ids: Vec<_> = of_it.map(|order| order.id).collect();
    ids.sort_unstable();
    ids.reverse();
    ids
}

#[tokio::test]
async fn orders_are_found_by_their_times_even_where_a_clock_leapt() {
    let minute = |minutes| START + Duration::from_mins(minutes);
    let (_folder, store, orders) = with_orders_at(&[0, 600, 2, 1, 603, 4].map(minute)).await;
    let found = listed(&store, Some(minute(1)), Some(minute(5)), 100).await;
    assert_eq!(found, [5, 2, 3].map(|place| orders[place].id), "the latest first");
    store.close().await;
}

#[tokio::test]
async fn a_time_begins_and_ends_at_its_microsecond_within_a_millisecond() {
    let times = [0, 1, 500, 999, 1_000, 1_001].map(|micros| START + Duration::from_micros(micros));
    let (_folder, store, orders) = with_orders_at(&times).await;
    for from in times.map(Some).into_iter().chain([None]) {
        for to in times.map(Some).into_iter().chain([None]).filter(|to| from.is_some() || to.is_some()) {
            assert_eq!(listed(&store, from, to, 100).await, picked(&orders, from, to), "{from:?} to {to:?}");
        }
    }
    store.close().await;
}

#[tokio::test]
async fn no_time_is_too_early_or_too_late() {
    let hour = Duration::from_hours(1);
    let times = [Timestamp::UNIX_EPOCH - hour * 2, Timestamp::UNIX_EPOCH, START, Timestamp::MAX - hour];
    let (_folder, store, orders) = with_orders_at(&times).await;
    let (min, max) = (Some(Timestamp::MIN), Some(Timestamp::MAX));
    let found = async |from, to| {
        let found = listed(&store, from, to, 100).await;
        assert_eq!(found, picked(&orders, from, to), "{from:?} to {to:?}");
        found.len()
    };
    assert_eq!(found(min, max).await, 4);
    assert_eq!(found(None, Some(Timestamp::UNIX_EPOCH - hour)).await, 1);
    assert_eq!(found(Some(Timestamp::UNIX_EPOCH - hour), Some(START)).await, 1);
    assert_eq!(found(Some(times[3]), max).await, 1);
    assert_eq!(found(max, min).await, 0);
    store.close().await;
}

#[tokio::test]
async fn a_cursor_that_names_no_order_is_refused() {
    let (_folder, store, _) = with_orders_at(&[START, START + Duration::from_mins(1)]).await;
    for cursor in ["nonsense", "3", "0", "-1"] {
        let query = OrderQuery { from: Some(START), to: None, page: page(1, Some(cursor.to_owned())) };
        let error = store.orders(query).await.unwrap_err();
        assert_eq!((error.kind, error.code), (ErrorKind::Invalid, "invalid_cursor"), "{cursor}");
    }
    store.close().await;
}

#[tokio::test]
async fn an_order_that_cannot_be_read_is_named_in_its_place_among_those_of_its_time() {
    let minute = |minutes| START + Duration::from_mins(minutes);
    let (folder, store, orders) = with_orders_at(&[0, 1, 2, 3].map(minute)).await;
    let connection = rusqlite::Connection::open(folder.path().join("orderbell.db")).unwrap();
    connection.execute("UPDATE orders SET body = '' WHERE seq = 2", ()).unwrap();
    let (mut told, mut cursor) = (Vec::new(), None);
    loop {
        let query = OrderQuery { from: None, to: Some(minute(3)), page: page(1, cursor) };
        let found = store.orders(query).await.unwrap();
        told.push(found.items.first().map(|order| order.id.to_string()));
        told.extend(found.unreadable.into_iter().map(|row| row.id));
        cursor = found.next;
        if cursor.is_none() {
            break;
        }
    }
    let id = |place: usize| Some(orders[place].id.to_string());
    assert_eq!(told, [id(2), None, id(1), id(0)]);
    store.close().await;
}

/// Microseconds around a few moments that are hours and years apart, so that many share a millisecond.
fn time() -> impl Strategy<Value = Timestamp> {
    const HOUR: i64 = 3_600_000_000;
    let moments = [0, 1, HOUR, HOUR * 24 * 365, HOUR * -24 * 365 * 10, HOUR * -24 * 365 * 60];
    let micros = prop_oneof![Just(0), Just(999), Just(1_000), -2_500..2_500_i64];
    (prop::sample::select(moments.to_vec()), micros).prop_map(|(moment, micros)| {
        Timestamp::from_microsecond(START.as_microsecond() + moment + micros).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn page_after_page_each_order_of_a_time_stands_once_however_the_clock_jumped(
        times in prop::collection::vec(time(), 0..40),
        asked in prop::collection::vec((prop::option::of(time()), prop::option::of(time()), 1..12_usize), 30),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_folder, store, orders) = with_orders_at(&times).await;
            for (from, to, limit) in asked {
                let found = listed(&store, from, to, limit).await;
                if from.is_some() || to.is_some() {
                    prop_assert_eq!(found, picked(&orders, from, to), "{:?} to {:?}, {} a page", from, to, limit);
                } else {
                    let newest_first: Vec<_> = orders.iter().rev().map(|order| order.id).collect();
                    prop_assert_eq!(found, newest_first);
                }
            }
            store.close().await;
            Ok(())
        })?;
    }
}
