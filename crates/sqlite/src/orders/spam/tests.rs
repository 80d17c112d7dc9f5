use application::ports::{Intent, SpamFilter};
use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::order::OrderId;
use tempfile::TempDir;

use super::{begin_sweep, mark_one, sweep, unmark};
use crate::commit::{State, apply, commit_one};
use crate::delivery_queue::attempts::begin;
use crate::opening;
use crate::write::{Effects, FollowUp, Progress, Transaction, Write};

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn opened(folder: &TempDir) -> State {
    let connection = opening::open(folder.path()).unwrap().connection;
    State::read(connection, 1_000).unwrap()
}

/// So many orders, each with deliveries to so many subscriptions.
fn store(orders: u32, subscriptions: u32) -> (TempDir, State) {
    let folder = tempfile::tempdir().unwrap();
    let state = opened(&folder);
    state.connection.pragma_update(None, "synchronous", "off").unwrap();
    let fill = format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {subscriptions}) \
         INSERT INTO subscriptions (seq, id, protocol, endpoint, receives, state, generation, created_at, \
         confirmation_expires_at) SELECT n, randomblob(16), 'email', n || '@example.com', 'orders', 'confirmed', 1, 0, 0 FROM n;
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {orders}) \
         INSERT INTO orders SELECT n, unhex(printf('%032x', n)), n, '{{\"customerName\":\"Mallory\"}}', '' FROM n;
         INSERT INTO deliveries (id, kind, subscription, order_seq, state, created_at, at) \
         SELECT randomblob(16), 'notification', subscriptions.seq, orders.seq, 'pending', 1, 1 FROM orders, subscriptions;"
    );
    state.connection.execute_batch(&fill).unwrap();
    (folder, state)
}

fn count(state: &State, condition: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM deliveries WHERE {condition}");
    state.connection.query_row(&sql, (), |row| row.get(0)).unwrap()
}

fn waiting(state: &State) -> i64 {
    count(state, "state = 'pending'")
}

fn changed_by(state: &mut State, write: Write) -> (u64, Vec<FollowUp>) {
    let before: u64 = state.connection.total_changes();
    let applied = apply(state, &mut [write]);
    assert!(applied.answers[0].is_ok(), "{:?}", applied.answers);
    (state.connection.total_changes() - before, applied.effects.follow_ups)
}

/// Does what the store asks of itself, so many commits at most.
fn go_on(state: &mut State, mut rest: Vec<FollowUp>, most: usize) -> usize {
    for commits in 0..most {
        let Some(follow_up) = rest.pop() else { return commits };
        let (changes, more) = changed_by(state, follow_up.write());
        assert!(changes <= 2_500, "one commit changed {changes} rows");
        rest.extend(more);
    }
    most
}

fn all() -> Write {
    let filter = SpamFilter { customer_name: Some("Mallory".to_owned()), ..SpamFilter::default() };
    let begin = move |transaction: &mut Transaction<'_>| {
        begin_sweep(transaction.connection, transaction.effects, &filter, (0, i64::MAX), now())
    };
    Write::new(1, begin).0
}

fn mark(id: OrderId) -> Write {
    Write::new(1, move |transaction| mark_one(transaction.connection, transaction.effects, id, now())).0
}

#[test]
fn thousands_of_orders_are_marked_a_few_in_each_commit() {
    let (_folder, mut state) = store(4_000, 2);
    let (_, rest) = changed_by(&mut state, all());
    let commits = go_on(&mut state, rest, 1_000);
    assert!((16..60).contains(&commits), "{commits} commits");
    assert_eq!((waiting(&state), count(&state, "cancel_reason = 'spam'")), (0, 8_000));
    assert_eq!(super::left(&state.connection).unwrap().len(), 0);
}

#[test]
fn all_is_marked_before_anything_is_cancelled_and_what_is_marked_begins_no_more() {
    let (_folder, mut state) = store(1_200, 1);
    let (_, mut rest) = changed_by(&mut state, all());
    let unmarked = |state: &State| {
        let sql = "SELECT count(*) FROM orders WHERE seq NOT IN (SELECT order_seq FROM spam)";
        state.connection.query_row(sql, (), |row| row.get::<_, i64>(0)).unwrap()
    };
    while unmarked(&state) > 0 {
        let (_, more) = changed_by(&mut state, rest.pop().unwrap().write());
        rest = more;
        assert_eq!(waiting(&state), 1_200);
    }
    let id = "SELECT id FROM deliveries WHERE order_seq = 1200";
    let id: uuid::Uuid = state.connection.query_row(id, (), |row| crate::columns::uuid(row, "id")).unwrap();
    let intent = Intent { delivery: DeliveryId(id), number: 1, at: now() };
    let begun = commit_one(&mut state, move |transaction| begin(transaction.connection, &[intent])).unwrap();
    assert_eq!(begun, []);
    go_on(&mut state, rest, 100);
    assert_eq!(waiting(&state), 0);
}

#[test]
fn an_order_that_thousands_wait_for_is_cancelled_a_few_in_each_commit() {
    let (_folder, mut state) = store(3, 3_000);
    let id = OrderId(uuid::Uuid::from_u128(2));
    let (changes, rest) = changed_by(&mut state, mark(id));
    assert!(changes <= 2_500, "{changes}");
    assert_eq!(waiting(&state), 9_000 - 500, "the first are cancelled at once");
    let commits = go_on(&mut state, rest, 100);
    assert!((5..=7).contains(&commits), "{commits} commits");
    assert_eq!(count(&state, "state = 'pending' AND order_seq = 2"), 0);
    assert_eq!(waiting(&state), 6_000, "other orders wait on");
}

#[test]
fn a_process_that_dies_half_way_leaves_the_rest_to_the_next() {
    for commits in [0, 1, 2, 3, 7, 12] {
        let (folder, mut state) = store(2_000, 2);
        let (_, rest) = changed_by(&mut state, all());
        go_on(&mut state, rest, commits);
        drop(state);
        let mut state = opened(&folder);
        let rest = std::mem::take(&mut state.follow_ups);
        assert!(!rest.is_empty(), "{commits}");
        go_on(&mut state, rest, 1_000);
        assert_eq!(waiting(&state), 0, "after {commits} commits");
        let asked = sweep(&state.connection, &mut Effects::default(), 1, false).unwrap();
        assert_eq!(asked, Progress { count: 2_000, next: None });
    }
}

#[test]
fn a_mark_that_is_taken_back_half_way_stops_there() {
    let (_folder, mut state) = store(1, 3_000);
    let id = OrderId(uuid::Uuid::from_u128(1));
    let (_, rest) = changed_by(&mut state, mark(id));
    commit_one(&mut state, move |transaction| unmark(transaction.connection, id, now())).unwrap();
    go_on(&mut state, rest, 100);
    assert_eq!(waiting(&state), 2_500);
}

#[test]
fn an_order_that_cannot_be_read_is_nobodys_and_hinders_nothing() {
    let (_folder, mut state) = store(10, 1);
    state.connection.execute("UPDATE orders SET body = 'no JSON' WHERE seq = 5", ()).unwrap();
    let (_, rest) = changed_by(&mut state, all());
    go_on(&mut state, rest, 100);
    assert_eq!(waiting(&state), 1);
    let (_, rest) = changed_by(&mut state, mark(OrderId(uuid::Uuid::from_u128(5))));
    go_on(&mut state, rest, 100);
    assert_eq!(waiting(&state), 0, "by its id it can be marked all the same");
}
