//! What a crash or a commit that fails leaves: no key without its order, and none forgotten.

use super::*;
use crate::orders::known_keys::periods::period_of;

#[test]
fn a_crash_at_any_commit_loses_no_key() {
    let (folder, mut state) = store(100);
    for round in 0..60 {
        fill(&mut state, round * 50..(round + 1) * 50, start());
        // The process dies: only what is on disk is left.
        drop(state);
        state = opened(&folder, 100);
        for number in [round * 50, round * 50 + 49, round * 25, round] {
            assert!(repeated(&mut state, number, start()), "{number} in round {round}");
        }
    }
    assert!(count(&state, "idempotency_hashes") > 2_000, "most are in the index");
}

#[test]
fn a_commit_that_fails_leaves_what_is_known_as_it_was() {
    let (_folder, mut state) = store(100);
    fill(&mut state, 0..450, start());
    let known_before = state.keys.len();
    state.connection.execute_batch(
        "CREATE TEMP TRIGGER no BEFORE INSERT ON main.idempotency_hashes BEGIN SELECT raise(ROLLBACK, 'no'); END",
    ).unwrap();
    let mut failed = 0;
    for number in 450..900 {
        failed +=
            usize::from(try_to_place(&mut state, vec![order(number, number, start(), LIFETIME)])[0].is_err());
    }
    assert!(failed > 0);
    assert!(state.keys.len() < known_before + 450);
    state.connection.execute_batch("DROP TRIGGER no").unwrap();
    let stored = count(&state, "orders");
    for number in 0..900 {
        place(&mut state, vec![order(number + 10_000, number, start(), LIFETIME)]);
    }
    assert_eq!(count(&state, "orders"), 900, "{stored} were stored, and each of the others once now");
}

#[test]
fn the_place_of_an_order_that_was_rolled_back_is_behind_the_marker_of_none() {
    let (folder, mut state) = store(10);
    state.connection.commit_hook(Some(|| true)).unwrap();
    for number in 0..50 {
        assert!(try_to_place(&mut state, vec![order(number, number, start(), LIFETIME)])[0].is_err());
    }
    state.connection.commit_hook(None::<fn() -> bool>).unwrap();
    fill(&mut state, 100..130, start());
    fill(&mut state, 130..160, start());
    let last: i64 = state.connection.query_row("SELECT max(seq) FROM orders", (), |row| row.get(0)).unwrap();
    let marker: i64 =
        state.connection.query_row("SELECT flushed_through FROM idempotency", (), |row| row.get(0)).unwrap();
    assert!(0 < marker && marker <= last, "{marker} of {last}");
    drop(state);
    let mut state = opened(&folder, 10);
    assert!((100..160).all(|number| repeated(&mut state, number, start())));
}

#[test]
fn a_run_that_was_rolled_back_is_begun_anew() {
    let (folder, mut state) = store(GATHERED);
    place(&mut state, vec![order(1, 1, start(), LIFETIME)]);
    let later = start() + Duration::from_hours(48);
    state.connection.commit_hook(Some(|| true)).unwrap();
    assert!(try_to_place(&mut state, vec![order(2, 2, later, LIFETIME)])[0].is_err());
    state.connection.commit_hook(None::<fn() -> bool>).unwrap();
    assert_eq!(state.keys.ranges.len(), 1);
    place(&mut state, vec![order(3, 3, later, LIFETIME)]);
    assert_eq!(count(&state, "idempotency_periods"), 2);
    drop(state);
    let mut state = opened(&folder, GATHERED);
    assert!(repeated(&mut state, 3, later));
}

#[test]
fn a_key_that_cannot_be_stored_takes_its_order_with_it_and_the_next_has_its_place() {
    let (folder, mut state) = store(GATHERED);
    let ahead = start() + Duration::from_hours(480);
    state
        .connection
        .execute_batch(
            "CREATE TEMP TRIGGER no BEFORE INSERT ON main.idempotency_keys WHEN new.ends_at > 1701000000000000 \
             BEGIN SELECT raise(ABORT, 'no'); END",
        )
        .unwrap();
    let orders = vec![order(1, 1, ahead, LIFETIME), order(2, 2, start(), LIFETIME)];
    let answers = try_to_place(&mut state, orders);
    assert!(answers[0].is_err() && answers[1].is_ok(), "{answers:?}");
    assert_eq!((count(&state, "orders"), count(&state, "idempotency_periods")), (1, 1));
    assert_eq!(state.keys.ranges.len(), 1);
    drop(state);
    let mut state = opened(&folder, GATHERED);
    assert!(repeated(&mut state, 2, start()));
    let end = (start() + LIFETIME).as_microsecond();
    assert_eq!(state.keys.ranges.period(1), Some(period_of(end, 86_400_000_000)));
}
