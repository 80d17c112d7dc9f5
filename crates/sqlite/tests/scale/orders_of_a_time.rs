//! Lists of the orders of a time, whatever the clock did.

use application::ports::{OrderQuery, OrderStore, PageRequest, SpamFilter, SpamMarks, SpamSelection};
use domain::Timestamp;
use orderbell_sqlite::simulation::Work;

use crate::lists::{long, orders};
use crate::store::{Large, at_most, costs, made_by, now};

/// The page, where the one before it ended, and what a connection asks on its first read.
const STATEMENTS: u64 = 4;

type Bounds = (Option<Timestamp>, Option<Timestamp>);

fn at(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap()
}

fn query((from, to): Bounds, cursor: Option<String>) -> OrderQuery {
    OrderQuery { from, to, page: PageRequest { limit: 50, cursor } }
}

/// Until the time in the middle, from it on, and between the first quarter and the third.
fn bounds(orders: i64) -> [(&'static str, Bounds); 3] {
    let of = |n: i64| Some(at(1_769_000_000_000_000 + n * 360_000));
    [
        ("before", (None, of(orders / 2))),
        ("from", (of(orders / 2), None)),
        ("from and before", (of(orders / 4), of(orders / 4 * 3))),
    ]
}

/// What the first pages cost, of 50 each.
fn pages(large: &Large, bounds: Bounds) -> Vec<Work> {
    let (mut cursor, mut works) = (None, Vec::new());
    for _ in 0..4 {
        let (found, work) = large.read(large.store.orders(query(bounds, cursor)));
        let found = found.unwrap();
        assert_eq!(found.items.len(), 50);
        cursor = found.next;
        works.push(work);
    }
    works
}

#[test]
fn a_page_of_a_time_costs_the_same_among_a_million_orders_as_among_a_thousand() {
    let (_folder, short) = made_by(&orders(1_000, "1769000000000000 + n * 360000"));
    let (few, many) = (Large::looking_at(&short), Large::looking_at(long()));
    for ((what, of_few), (_, of_many)) in bounds(1_000).into_iter().zip(bounds(1_000_000)) {
        let costs_of = pages(&few, of_few).into_iter().zip(pages(&many, of_many));
        for (page, (few, many)) in costs_of.enumerate() {
            let what = format!("orders: page {page} {what} a time, of 1,000,000");
            costs(&what, many, STATEMENTS, 51 * 30);
            at_most(&format!("{what}: steps beside 1,000"), many.steps, few.steps + few.steps / 10);
        }
    }
}

#[test]
fn it_costs_the_same_where_the_clock_leapt_back_and_forth_for_every_thousand_orders() {
    let leaping = "1769000000000000 + n * 360000 - (n / 1000 % 7) * 31536000000000";
    let (_folder, file) = made_by(&orders(100_000, leaping));
    let large = Large::looking_at(&file);
    for years in 0..6 {
        let time = Some(at(1_769_000_000_000_000 + 50_000 * 360_000 - years * 31_536_000_000_000));
        for bounds in [(None, time), (time, None)] {
            for work in pages(&large, bounds) {
                costs("orders: a page of a time among leaps", work, STATEMENTS, 51 * 30);
            }
        }
    }
}

#[test]
fn where_the_clock_stood_still_a_page_looks_at_some_and_the_next_one_goes_on() {
    // One millisecond, and within it one microsecond for each hundred orders.
    let (_folder, file) = made_by(&orders(50_000, "1769000000000000 + n / 100"));
    let large = Large::looking_at(&file);
    for (part, wanted) in
        [((None, Some(at(1_769_000_000_000_005))), 499), ((Some(at(1_769_000_000_000_495)), None), 501)]
    {
        let (mut seen, mut cursor, mut pages) = (Vec::new(), None, 0);
        loop {
            let (found, work) = large.read(large.store.orders(query(part, cursor)));
            let found = found.unwrap();
            costs("orders: a page of a part of a millisecond", work, STATEMENTS, 2_000 * 25);
            seen.extend(found.items.into_iter().map(|order| order.id));
            (cursor, pages) = (found.next, pages + 1);
            if cursor.is_none() {
                break;
            }
        }
        let found = seen.len();
        seen.dedup();
        assert_eq!((found, seen.len()), (wanted, wanted));
        at_most("orders: pages of a part of a millisecond with 50,000", pages, 50_000 / 2_000 + 12);
    }
}

#[test]
fn the_writer_looks_at_no_ids_to_find_the_orders_of_a_time_that_are_spam() {
    let (_folder, file) = made_by(&orders(100_000, "1769000000000000 + n * 360000"));
    let large = Large::looking_at(&file);
    let of = |n: i64| Some(at(1_769_000_000_000_000 + n * 360_000));
    let customer_name = Some("Nobody".to_owned());
    let filter = SpamFilter { from: of(1), to: of(90_000), customer_name, ..SpamFilter::default() };
    let (marked, cost) = large.run(large.store.mark_spam(SpamSelection::Many(filter), now()));
    assert_eq!(marked.unwrap(), 0);
    at_most("orders: a commit of a marking by a time: steps", cost.dearest().steps, 500 * 200);
}
