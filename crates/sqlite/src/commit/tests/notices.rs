//! What operators are told of, beneath the port: what damage, a crash, a full disk and ten thousand deaths do to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::attributes::SubscribedTo;
use domain::delivery::DeliveryState;
use domain::notice::Notice;

use super::*;
use crate::notices::{incidents, notify_operators};

const MINUTE: Duration = Duration::from_mins(1);

/// A store with an operator, reached by webhook, and one subscription by mail, to which that many messages are in flight.
fn watched(in_flight: u32) -> (TempDir, State) {
    let (folder, mut state) = state();
    let attributes = Attributes { receives: SubscribedTo::Notices, ..Attributes::default() };
    let operator = NewSubscription {
        id: SubscriptionId::new(now(), id(8)),
        endpoint: Endpoint::parse(Protocol::Webhook, "https://operator.example/").unwrap(),
        attributes,
        secret: None,
        confirmation: DeliveryId::new(now(), id(9)),
        now: now(),
    };
    let of_operator = operator.id;
    let (operator, _) = Write::new(1, move |transaction| {
        crate::subscriptions::subscribe::subscribe(transaction.connection, &operator)
    });
    let (yes, _) = Write::new(1, move |transaction| {
        crate::subscriptions::confirm::confirm(transaction.connection, of_operator, 1, false, now())
    });
    done(&mut state, &mut [operator, yes, subscribe(), confirm()]);
    let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1) \
               INSERT INTO deliveries (seq, id, kind, subscription, state, created_at, at) \
               SELECT 1000 + n, randomblob(16), 'notification', 2, 'dead', 0, 0 FROM n WHERE n <= ?1";
    state.connection.execute(sql, [in_flight]).unwrap();
    (folder, state)
}

fn done(state: &mut State, batch: &mut [Write]) {
    let answers = apply(state, batch).answers;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

fn die(state: &State, place: i64, at: Timestamp) {
    incidents::dead(&state.connection, 1_000 + place, DeliveryState::Dead, "550 no such user", at).unwrap();
}

/// How many notices a look at that time makes.
fn notify(state: &mut State, at: Timestamp) -> Result<usize, Error> {
    commit_one(state, move |transaction| notify_operators(transaction, at))
}

/// What notices say, oldest first.
fn notices(state: &State) -> Vec<Notice> {
    let sql = "SELECT notice FROM deliveries WHERE kind = 'notice' ORDER BY seq";
    let mut statement = state.connection.prepare(sql).unwrap();
    let texts = statement.query_map((), |row| row.get::<_, String>(0)).unwrap();
    texts.map(|text| serde_json::from_str(&text.unwrap()).unwrap()).collect()
}

fn number(state: &State, sql: &str) -> i64 {
    state.connection.query_row(sql, (), |row| row.get(0)).unwrap()
}

/// How many steps of SQLite's virtual machine that takes.
fn steps(state: &mut State, work: impl FnOnce(&mut State)) -> u64 {
    let taken = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&taken);
    let count = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        false
    };
    state.connection.progress_handler(1, Some(count)).unwrap();
    work(state);
    state.connection.progress_handler(0, None::<fn() -> bool>).unwrap();
    taken.load(Ordering::Relaxed)
}

#[test]
fn ten_thousand_deaths_are_one_row_one_notice_and_cost_no_more_than_one() {
    let (_folder, mut state) = watched(10_000);
    die(&state, 1, now());
    let one = steps(&mut state, |state| assert_eq!(notify(state, now() + MINUTE).unwrap(), 1));
    let later = now() + MINUTE * 20;
    state.connection.execute_batch("BEGIN").unwrap();
    (1..=10_000).for_each(|place| die(&state, place, later));
    state.connection.execute_batch("COMMIT").unwrap();
    assert_eq!(number(&state, "SELECT count(*) FROM incidents"), 1);
    let all = steps(&mut state, |state| assert_eq!(notify(state, later + MINUTE).unwrap(), 1));
    assert!(all <= one + one / 10, "{all} steps, and {one} for one");
    let Notice::Dead { count, .. } = notices(&state).remove(1) else { panic!() };
    assert_eq!(count, 10_000);
}

#[test]
fn a_look_at_nothing_costs_little_however_much_there_is() {
    let (_folder, mut state) = watched(10_000);
    die(&state, 1, now());
    notify(&mut state, now() + MINUTE).unwrap();
    notify(&mut state, now() + MINUTE).unwrap();
    let nothing = steps(&mut state, |state| assert_eq!(notify(state, now() + MINUTE).unwrap(), 0));
    assert!(nothing < 150, "{nothing} steps");
}

#[test]
fn a_look_that_fails_halfway_is_made_again_and_tells_once() {
    let (_folder, mut state) = watched(1);
    die(&state, 1, now());
    let trouble =
        "CREATE TEMP TRIGGER no BEFORE INSERT ON main.deliveries BEGIN SELECT raise(ABORT, 'no'); END";
    state.connection.execute_batch(trouble).unwrap();
    notify(&mut state, now() + MINUTE).unwrap_err();
    assert_eq!((number(&state, "SELECT sum(count) FROM incidents"), notices(&state)), (1, vec![]));
    state.connection.execute_batch("DROP TRIGGER no").unwrap();
    assert_eq!(notify(&mut state, now() + MINUTE).unwrap(), 1);
    assert_eq!(notify(&mut state, now() + MINUTE * 30).unwrap(), 0);
}

#[test]
fn nothing_ends_without_its_note() {
    let (_folder, mut state) = watched(0);
    let trouble =
        "CREATE TEMP TRIGGER no BEFORE INSERT ON main.incidents BEGIN SELECT raise(ABORT, 'no'); END";
    state.connection.execute_batch(trouble).unwrap();
    let end = |state: &mut State| {
        let ended = SubscriptionId::new(now(), id(1));
        commit_one(state, move |transaction| {
            unsubscribe(transaction.connection, transaction.effects, ended, EndReason::Gone, now())
        })
    };
    end(&mut state).unwrap_err();
    assert_eq!(number(&state, "SELECT count(*) FROM subscriptions WHERE state = 'ended'"), 0);
    state.connection.execute_batch("DROP TRIGGER no").unwrap();
    end(&mut state).unwrap();
    assert_eq!(notify(&mut state, now() + MINUTE).unwrap(), 1);
}

#[test]
fn a_damaged_note_is_lost_alone() {
    let (_folder, mut state) = watched(1);
    for kind in ["ended", "what is this"] {
        let sql = "INSERT INTO incidents VALUES (?1, 'nowhere', 3, ?2, ?2, '{\"notice\":\"', NULL)";
        state.connection.execute(sql, (kind, crate::columns::micros(now()))).unwrap();
    }
    die(&state, 1, now());
    assert_eq!(notify(&mut state, now() + MINUTE).unwrap(), 1);
    assert!(matches!(notices(&state)[..], [Notice::Dead { count: 1, .. }]));
    assert_eq!(number(&state, "SELECT sum(count) FROM incidents"), 0);
}

#[test]
fn quarantined_rows_are_noticed_once_and_together() {
    let (_folder, mut state) = watched(0);
    let quarantine = |state: &State, row: i64, at: Timestamp| {
        let sql = "INSERT INTO quarantine (of_table, row, reason, since) VALUES ('orders', ?1, 'currency: unknown', ?2) \
                   ON CONFLICT DO NOTHING";
        state.connection.execute(sql, (row, crate::columns::micros(at))).unwrap();
    };
    (1..=3).for_each(|row| quarantine(&state, row, now()));
    assert_eq!(notify(&mut state, now()).unwrap(), 0);
    (2..=4).for_each(|row| quarantine(&state, row, now()));
    assert_eq!(notify(&mut state, now() + MINUTE).unwrap(), 1);
    let told_of =
        Notice::Quarantined { count: 4, table: "orders".to_owned(), reason: "currency: unknown".to_owned() };
    assert_eq!(notices(&state), [told_of]);
    assert_eq!(notify(&mut state, now() + MINUTE * 60).unwrap(), 0);
    state.connection.execute("DELETE FROM quarantine", ()).unwrap();
    quarantine(&state, 1, now() + MINUTE * 60);
    assert_eq!(notify(&mut state, now() + MINUTE * 61).unwrap(), 1, "it was mended, and broke again");
}

#[test]
fn a_full_disk_is_told_once_there_is_space() {
    let (_folder, mut state) = watched(0);
    let pages = number(&state, "SELECT * FROM pragma_page_count");
    state.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let many = || (1..=200).map(|number| accept(number, Some(&format!("key-{number}"))).0);
    let impact =
        |state: &mut State, writes: Vec<Write>| commit_all(state, writes).1.map(|(impact, _)| impact);
    assert_eq!(impact(&mut state, many().collect()), Some(FailureImpact::Full));
    // A look finds out by which time it was, and may find that there is no space for that.
    let seen = now() + MINUTE;
    let (look, _) = Write::new(1, move |transaction| notify_operators(transaction, seen));
    assert_eq!(impact(&mut state, [look].into_iter().chain(many()).collect()), Some(FailureImpact::Full));
    assert_eq!(number(&state, "SELECT count(*) FROM incidents"), 0);

    state.connection.pragma_update(None, "max_page_count", pages + 1_000).unwrap();
    let over = seen + MINUTE * 5;
    assert_eq!(notify(&mut state, over).unwrap(), 1);
    assert_eq!(notices(&state), [Notice::DiskFull { since: seen, until: over }]);
    assert_eq!(notify(&mut state, over + MINUTE * 60).unwrap(), 0);
}
