//! Pages of long lists.

use std::path::Path;
use std::sync::OnceLock;

use application::ports::{Deliveries, DeliveryProgress, DeliveryQuery, OrderQuery, OrderStore, PageRequest};
use domain::delivery::DeliveryState;
use domain::order::OrderId;
use tempfile::TempDir;
use uuid::Uuid;

use crate::store::{Large, costs, made_by, subscription};

fn page() -> PageRequest {
    PageRequest { limit: 50, cursor: None }
}

/// Each record takes four statements, and three to find the page.
const STATEMENTS: u64 = 51 * 4 + 5;

#[test]
fn a_page_of_deliveries_costs_the_same_by_whatever_it_is_chosen() {
    let large =
        Large::after("UPDATE deliveries SET state = 'pending' WHERE seq % 20000 = 3 AND order_seq > 10");
    let order = Some(OrderId(Uuid::from_u128(3)));
    for (what, query, wanted) in [
        ("all", DeliveryQuery::default(), 50),
        (
            "of one subscription",
            DeliveryQuery { subscription: Some(subscription(1)), ..DeliveryQuery::default() },
            50,
        ),
        ("of one order", DeliveryQuery { order, ..DeliveryQuery::default() }, 50),
        (
            "of one order to one subscription",
            DeliveryQuery { order, subscription: Some(subscription(7)), ..DeliveryQuery::default() },
            1,
        ),
    ] {
        for state in [None].into_iter().chain(DeliveryState::ALL.map(Some)) {
            let query = DeliveryQuery { state, page: page(), ..query.clone() };
            let (found, work) = large.read(large.store.deliveries(query));
            let found = found.unwrap();
            let name = state.map_or("any", DeliveryState::name);
            if state.is_none() || state == Some(DeliveryState::Delivered) {
                assert_eq!(found.items.len(), wanted, "{what}, {name}");
            }
            assert!(found.items.iter().all(|record| state.is_none_or(|state| record.state == state)));
            // To an order, as many as there are subscriptions; to the rest, the newest are near.
            let steps = if what.starts_with("of one order") { 5_000 * 40 } else { 20_000 * 25 };
            costs(&format!("deliveries: {what}, {name}"), work, STATEMENTS, steps);
        }
    }
}

#[test]
fn the_few_dead_of_many_delivered_are_found_at_once() {
    let large = Large::after("");
    let query = DeliveryQuery {
        subscription: Some(subscription(1)),
        state: Some(DeliveryState::Dead),
        page: page(),
        ..DeliveryQuery::default()
    };
    let (found, work) = large.read(large.store.deliveries(query));
    assert_eq!(found.unwrap().items.len(), 10);
    costs("deliveries: 10 dead of 50,000", work, STATEMENTS, 10 * 400);
}

#[test]
fn a_page_that_has_to_look_far_is_short_and_the_next_one_goes_on() {
    let far =
        "UPDATE deliveries SET state = iif(order_seq <= 60, 'delivered', 'dead') WHERE subscription = 1";
    let large = Large::after(far);
    let mut query = DeliveryQuery {
        subscription: Some(subscription(1)),
        state: Some(DeliveryState::Delivered),
        page: page(),
        ..DeliveryQuery::default()
    };
    let mut found = Vec::new();
    loop {
        let (page, work) = large.read(large.store.deliveries(query.clone()));
        let page = page.unwrap();
        costs("deliveries: a look far back", work, STATEMENTS, 20_000 * 12);
        found.extend(page.items.into_iter().map(|record| record.id));
        let Some(next) = page.next else { break };
        query.page.cursor = Some(next);
    }
    let all = "SELECT id FROM deliveries WHERE subscription = 1 AND order_seq <= 60 ORDER BY seq DESC";
    assert_eq!(found, large.deliveries(all));
}

#[test]
fn waiting_deliveries_are_listed_newest_first_however_many_wait() {
    for (few, sql) in
        [(true, ""), (false, "UPDATE deliveries SET state = 'pending', at = 1 WHERE subscription = 1")]
    {
        let large = Large::after(sql);
        let mut query =
            DeliveryQuery { state: Some(DeliveryState::Pending), page: page(), ..DeliveryQuery::default() };
        let mut found = Vec::new();
        for _ in 0..3 {
            let (page, work) = large.read(large.store.deliveries(query.clone()));
            costs(
                if few { "deliveries: 10,000 wait" } else { "deliveries: 60,000 wait" },
                work,
                STATEMENTS,
                20_000 * 25,
            );
            let page = page.unwrap();
            found.extend(page.items.into_iter().map(|record| record.id));
            query.page.cursor = page.next;
        }
        let all = "SELECT id FROM deliveries WHERE state = 'pending' ORDER BY seq DESC LIMIT 150";
        assert_eq!(found, large.deliveries(all));
    }
}

/// Makes so many orders, all of them published, each at the time that this gives for its place `n`, in microseconds.
pub(crate) fn orders(count: u32, time: &str) -> [String; 1] {
    [format!(
        "WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many LIMIT {count}) \
         INSERT INTO orders (seq, id, order_time, body, request_id) SELECT n, \
         unhex(printf('%012x7%019x', ({time}) / 1000, n)), {time}, \
         '{{\"customerName\":\"Ada\",\"productName\":\"Mouse\"}}', '' FROM many; \
         UPDATE relay SET published_through = {count}"
    )]
}

/// A million orders, an hour of them for each 10,000.
pub(crate) fn long() -> &'static Path {
    static FILE: OnceLock<(TempDir, std::path::PathBuf)> = OnceLock::new();
    &FILE.get_or_init(|| made_by(&orders(1_000_000, "1769000000000000 + n * 360000"))).1
}

#[test]
fn a_page_of_a_million_orders_costs_the_same_as_of_ten() {
    let large = Large::looking_at(long());
    for cursor in [None, Some("500000"), Some("10")] {
        let query = OrderQuery {
            page: PageRequest { limit: 50, cursor: cursor.map(str::to_owned) },
            ..OrderQuery::default()
        };
        let (found, work) = large.read(large.store.orders(query));
        assert!(!found.unwrap().items.is_empty());
        costs("orders: a page of 1,000,000", work, 3, 50 * 30);
    }
}

#[test]
fn how_far_delivery_has_come_is_counted_at_a_bounded_cost_however_many_are_told() {
    let large = Large::after("");
    for orders in [1, 20, 100] {
        // Ten match thousands.
        let of = (0..orders).map(|place| OrderId(Uuid::from_u128(1 + place % 10))).collect();
        let (told, work) = large.read(large.store.delivery_progress(of));
        let told = told.unwrap();
        let share = DeliveryProgress::COUNTED / told.len();
        for progress in told {
            let counted: usize = progress.counts.iter().map(|(_, count)| count).sum();
            assert_eq!((counted, progress.is_whole), (share.min(5_000), share > 5_000));
        }
        let statements = u64::try_from(orders).unwrap() * 3 + 2;
        costs(
            "orders: how far their delivery has come",
            work,
            statements,
            DeliveryProgress::COUNTED as u64 * 40,
        );
    }
}

#[test]
fn the_newest_confirmation_request_is_found_at_once_however_many_deliveries_there_are() {
    let asked = "INSERT INTO deliveries (id, subscription, kind, state, created_at, at) SELECT randomblob(16), seq, \
                 'confirmation', 'delivered', 1, 1 FROM subscriptions, (VALUES (1), (2), (3)) WHERE seq <= 50";
    let large = Large::after(asked);
    let (found, work) = large.read(large.store.confirmation_requests((1..=50).map(subscription).collect()));
    assert_eq!(found.unwrap().len(), 50);
    costs("subscriptions: why 50 are pending", work, STATEMENTS, 50 * 400);
}
