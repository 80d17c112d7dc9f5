mod notices;

use std::time::Duration;

use application::ports::{Acceptance, Idempotency, Intent, NewSubscription};
use application::{Error, ErrorKind};
use domain::Timestamp;
use domain::attributes::Attributes;
use domain::delivery::DeliveryId;
use domain::endpoint::{Endpoint, Protocol};
use domain::order::OrderId;
use domain::order::idempotency::IdempotencyKey;
use domain::subscription::{EndReason, SubscriptionId};
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::delivery_queue::attempts::begin;
use crate::opening;
use crate::orders::accept::{Accept, Hashed};
use crate::publishing::publish::{NewDelivery, Publish};
use crate::subscriptions::subscribe::unsubscribe;
use crate::write::{MAX_ROWS_PER_WRITE, PendingWrite};

/// A state of its own on disk.
fn state() -> (TempDir, State) {
    let folder = tempfile::tempdir().unwrap();
    let connection = opening::open(folder.path()).unwrap().connection;
    (folder, State::read(connection, 65_536).unwrap())
}

const LIFETIME: Duration = Duration::from_hours(24);

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn id(number: u8) -> [u8; 10] {
    [number; 10]
}

fn accept(number: u8, key: Option<&str>) -> (Write, PendingWrite<Acceptance>) {
    let key = key.map(|key| Idempotency {
        scope: String::new(),
        client_digest: None,
        key: IdempotencyKey::parse(&format!("{key:0>16}")).unwrap(),
        fingerprint: [1; 32],
        lifetime: LIFETIME,
    });
    let body = r#"{"customerName":"Ada","productName":"Mouse"}"#.to_owned();
    let id = OrderId::new(now(), id(number));
    let order = Accept { id, time: now(), body, request_id: String::new(), key: key.map(Hashed::from) };
    let (write, answer) =
        Write::new(1, move |transaction| crate::orders::accept::accept(transaction, &order));
    (write.undoing_itself(), answer)
}

/// Places orders in one commit.
fn place(
    state: &mut State,
    orders: impl IntoIterator<Item = (Write, PendingWrite<Acceptance>)>,
) -> Vec<Result<Acceptance, Error>> {
    let (writes, answers): (Vec<_>, Vec<_>) = orders.into_iter().unzip();
    commit_all(state, writes);
    answers.into_iter().map(PendingWrite::now).collect()
}

fn subscribe() -> Write {
    let new = NewSubscription {
        id: SubscriptionId::new(now(), id(1)),
        endpoint: Endpoint::parse(Protocol::Email, "ada@example.com").unwrap(),
        attributes: Attributes::default(),
        secret: None,
        confirmation: DeliveryId::new(now(), id(2)),
        now: now(),
    };
    Write::new(1, move |transaction| crate::subscriptions::subscribe::subscribe(transaction.connection, &new))
        .0
}

fn confirm() -> Write {
    let id = SubscriptionId::new(now(), id(1));
    Write::new(1, move |transaction| {
        crate::subscriptions::confirm::confirm(transaction.connection, id, 1, false, now())
    })
    .0
}

fn orders(state: &State) -> i64 {
    state.connection.query_row("SELECT count(*) FROM orders", (), |row| row.get(0)).unwrap()
}

const STORED: Result<Acceptance, ()> = Ok(Acceptance::Stored);

fn plain<T>(answers: Vec<Result<T, Error>>) -> Vec<Result<T, ()>> {
    answers.into_iter().map(|answer| answer.map_err(drop)).collect()
}

#[test]
fn a_bad_write_fails_alone() {
    let (_folder, mut state) = state();
    // The same id twice, and a confirmation of what is not there.
    let (first, again, other) = (accept(1, None), accept(1, None), accept(2, None));
    let mut batch = vec![first.0, again.0, confirm(), other.0];
    let applied = apply(&mut state, &mut batch);
    assert_eq!(plain(applied.answers), [Ok(()), Err(()), Err(()), Ok(())]);
    assert_eq!((applied.effects.orders, applied.effects.deliveries), (true, false));
    assert_eq!(orders(&state), 2);
}

#[test]
fn a_write_that_fails_wakes_nobody_and_leaves_nothing_to_be_done() {
    let (_folder, mut state) = state();
    let (refused, _) = Write::new(1, |transaction: &mut Transaction<'_>| -> Result<(), Failure> {
        let Effects { orders, deliveries, pauses_lifted, follow_ups, row_budget } = &mut *transaction.effects;
        (*orders, *deliveries, *pauses_lifted, *row_budget) = (true, true, true, 0);
        follow_ups.push(FollowUp::new(|_| Ok(())));
        Err(Error::not_found("delivery_not_found", "delivery").into())
    });
    let Effects { orders, deliveries, pauses_lifted, follow_ups, row_budget } =
        apply(&mut state, &mut [refused]).effects;
    assert_eq!(
        (orders, deliveries, pauses_lifted, follow_ups.len(), row_budget),
        (false, false, false, 0, MAX_ROWS_PER_WRITE)
    );
}

#[test]
fn a_write_that_fails_halfway_leaves_nothing_of_itself() {
    let (_folder, mut state) = state();
    state
        .connection
        .execute_batch("CREATE TRIGGER no BEFORE INSERT ON deliveries BEGIN SELECT raise(ABORT, 'no'); END")
        .unwrap();
    let applied = apply(&mut state, &mut [subscribe(), accept(1, None).0]);
    assert_eq!(plain(applied.answers), [Err(()), Ok(())]);
    let left: i64 = state
        .connection
        .query_row("SELECT count(*) FROM subscriptions, subscription_versions", (), |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0);
}

#[test]
fn a_key_counts_at_once_within_its_batch() {
    let (_folder, mut state) = state();
    let answers = place(&mut state, [accept(1, Some("key")), accept(2, Some("key"))]);
    let first = OrderId::new(now(), id(1));
    assert_eq!(plain(answers), [STORED, Ok(Acceptance::Repeated(first))]);
    assert_eq!(orders(&state), 1);
}

#[test]
fn a_change_holds_for_the_orders_after_it_even_within_its_batch() {
    let (_folder, mut state) = state();
    let [one, two, three] = [1, 2, 3].map(|number| accept(number, None).0);
    let applied = apply(&mut state, &mut [one, subscribe(), two, confirm(), three]);
    assert!(applied.answers.iter().all(Result::is_ok));
    let versions: Vec<(i64, Option<i64>, String)> = state
        .connection
        .prepare("SELECT from_seq, to_seq, state FROM subscription_versions ORDER BY from_seq")
        .unwrap()
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(versions, [(2, Some(2), "pending".to_owned()), (3, None, "confirmed".to_owned())]);
}

#[test]
fn a_full_disk_refuses_the_batch_keeps_what_was_acknowledged_and_is_over_when_there_is_space() {
    let (_folder, mut state) = state();
    assert_eq!(plain(place(&mut state, [accept(0, Some("kept"))])), [STORED]);
    let pages: i64 = state.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    state.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let many = || (1..=200).map(|number| accept(number, Some(&format!("key-{number}"))));
    let mut writes: Vec<_> = many().map(|(write, _)| write).collect();
    let applied = apply(&mut state, &mut writes);
    assert_eq!(applied.failure.as_ref().map(|(impact, _)| *impact), Some(FailureImpact::Full));
    assert_eq!(applied.answers.len(), 200);
    for answer in applied.answers {
        let error = answer.unwrap_err();
        assert_eq!((error.kind, error.code), (ErrorKind::StorageFull, "storage_full"));
        assert!(error.retry_after.is_some());
    }
    assert_eq!((orders(&state), applied.effects.orders, applied.effects.deliveries), (1, false, false));
    assert_eq!(state.keys.len(), 1, "keys of orders that were not stored are forgotten");

    state.connection.pragma_update(None, "max_page_count", pages + 1_000).unwrap();
    let answers = place(&mut state, many());
    assert!(plain(answers).iter().all(|answer| *answer == STORED), "the failed keys are free");
    assert_eq!(orders(&state), 201);
}

#[test]
fn someone_elses_lock_refuses_the_batch_and_no_more() {
    let (folder, mut state) = state();
    state.connection.busy_timeout(Duration::ZERO).unwrap();
    let other = Connection::open(folder.path().join("orderbell.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = place(&mut state, [accept(1, Some("key"))]);
    assert_eq!(refused[0].as_ref().unwrap_err().kind, ErrorKind::Busy);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(plain(place(&mut state, [accept(1, Some("key"))])), [STORED]);
}

#[test]
fn a_subscription_that_ended_before_the_write_gets_a_cancelled_delivery() {
    let (_folder, mut state) = state();
    let subscription = SubscriptionId::new(now(), id(1));
    let (end, _) = Write::new(1, move |transaction| {
        unsubscribe(transaction.connection, transaction.effects, subscription, EndReason::Removed, now())
    });
    // What matched was found before the end, and is written after it.
    let delivery = NewDelivery {
        id: DeliveryId::new(now(), id(9)),
        subscription: 1,
        order: domain::order::Seq(1),
        quarantined: false,
    };
    let publish = Publish {
        orders: vec![domain::order::Seq(1)],
        deliveries: vec![delivery],
        hidden: Vec::new(),
        now: now(),
    };
    let (publish, _) = Write::new(1, move |transaction| {
        crate::publishing::publish::publish(transaction.connection, &publish)
    });
    let mut batch = [subscribe(), confirm(), accept(1, None).0, end, publish];
    assert!(apply(&mut state, &mut batch).answers.iter().all(Result::is_ok));
    let intents = vec![Intent { delivery: DeliveryId::new(now(), id(9)), number: 1, at: now() }];
    let begun = commit_one(&mut state, move |transaction| begin(transaction.connection, &intents));
    assert_eq!(begun.unwrap(), []);
    let kept: String = state
        .connection
        .query_row("SELECT state FROM deliveries WHERE kind = 'notification'", (), |row| row.get(0))
        .unwrap();
    assert_eq!(kept, "cancelled");
}

#[test]
fn the_rare_states_are_found_through_their_index() {
    let (_folder, state) = state();
    let sql = format!(
        "EXPLAIN QUERY PLAN SELECT seq FROM deliveries WHERE deliveries.state = 'dead' AND {}",
        crate::schema::RARE_STATES
    );
    let plan: String = state.connection.query_row(&sql, (), |row| row.get("detail")).unwrap();
    assert!(plan.contains("deliveries_by_rare_state"), "{plan}");
}
