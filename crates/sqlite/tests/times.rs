//! Orders are found by their times to the microsecond, though only their ids, which know milliseconds, have an index.

#![expect(clippy::unwrap_used, reason = "what a test asks for outside its own function must not fail either")]

mod opened;

use std::time::Duration;

use application::ports::{OrderQuery, OrderStore, PageRequest};
use domain::Timestamp;
use domain::order::OrderId;
use opened::{open, order_at};
use orderbell_sqlite::Store;

const START: Timestamp = Timestamp::constant(1_769_860_800, 0);

/// A store that took an order at each of these times, one after the other.
async fn with_orders_at(times: &[Timestamp]) -> (tempfile::TempDir, Store, Vec<OrderId>) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut ids = Vec::new();
    for time in times {
        let placed = order_at(*time);
        ids.push(placed.id);
        store.accept(placed, None).await.unwrap();
    }
    (folder, store, ids)
}

async fn found(store: &Store, from: Option<Timestamp>, to: Option<Timestamp>) -> Vec<OrderId> {
    let page = PageRequest { limit: 100, cursor: None };
    let page = store.orders(OrderQuery { from, to, page }).await.unwrap();
    assert_eq!(page.next, None);
    page.items.iter().map(|order| order.id).collect()
}

#[tokio::test]
async fn orders_are_found_by_their_times_even_where_a_clock_leapt() {
    let minute = |minutes| START + Duration::from_mins(minutes);
    let (_folder, store, ids) = with_orders_at(&[0, 600, 2, 1, 603, 4].map(minute)).await;
    assert_eq!(found(&store, Some(minute(1)), Some(minute(5))).await, [ids[5], ids[3], ids[2]]);
    store.close().await;
}

#[tokio::test]
async fn a_time_begins_and_ends_at_its_microsecond_within_a_millisecond() {
    let times = [0, 1, 500, 999, 1_000, 1_001].map(|micros| START + Duration::from_micros(micros));
    let (_folder, store, ids) = with_orders_at(&times).await;
    for (first, from) in times.into_iter().enumerate() {
        for (end, to) in times.into_iter().enumerate() {
            let newest_first: Vec<_> = (first..end).rev().map(|place| ids[place]).collect();
            assert_eq!(found(&store, Some(from), Some(to)).await, newest_first, "{from} to {to}");
        }
        assert_eq!(found(&store, Some(from), None).await.len(), times.len() - first, "from {from}");
        assert_eq!(found(&store, None, Some(from)).await.len(), first, "to {from}");
    }
    store.close().await;
}

#[tokio::test]
async fn no_time_is_too_early_or_too_late() {
    let hour = Duration::from_hours(1);
    let times = [Timestamp::UNIX_EPOCH - hour * 2, Timestamp::UNIX_EPOCH, START, Timestamp::MAX - hour];
    let (_folder, store, ids) = with_orders_at(&times).await;
    let (min, max) = (Some(Timestamp::MIN), Some(Timestamp::MAX));
    assert_eq!(found(&store, min, max).await, [ids[3], ids[2], ids[1], ids[0]]);
    assert_eq!(found(&store, None, Some(Timestamp::UNIX_EPOCH - hour)).await, [ids[0]]);
    assert_eq!(found(&store, Some(Timestamp::UNIX_EPOCH - hour), Some(START)).await, [ids[1]]);
    assert_eq!(found(&store, Some(times[3]), max).await, [ids[3]]);
    assert_eq!(found(&store, max, min).await, []);
    store.close().await;
}
