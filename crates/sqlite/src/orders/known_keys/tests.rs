use application::ports::{Acceptance, Idempotency};
use domain::Timestamp;
use domain::order::OrderId;
use domain::order::idempotency::IdempotencyKey;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;

use super::periods::period_of;
use super::*;
use crate::commit::{State, commit_all, commit_one};
use crate::opening;
use crate::orders::accept::{Accept, Hashed, accept};
use crate::write::Write;

const LIFETIME: Duration = Duration::from_hours(24);
/// So many keys gather in memory here.
const GATHERED: usize = 1_000;
const STORED: Acceptance = Acceptance::Stored;

fn start() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn opened(folder: &TempDir, max_buffered: usize) -> State {
    let connection = opening::open(folder.path()).unwrap().connection;
    State::read(connection, max_buffered).unwrap()
}

fn store(max_buffered: usize) -> (TempDir, State) {
    let folder = tempfile::tempdir().unwrap();
    let state = opened(&folder, max_buffered);
    // Nothing here is about the disk.
    state.connection.pragma_update(None, "synchronous", "off").unwrap();
    (folder, state)
}

fn key(number: u64) -> String {
    format!("key-{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn order(number: u64, key_number: u64, time: Timestamp, lifetime: Duration) -> Accept {
    let mut random = [0; 10];
    random[..8].copy_from_slice(&number.to_be_bytes());
    Accept {
        id: OrderId::new(time, random),
        time,
        body: "{}".to_owned(),
        request_id: String::new(),
        key: Some(Hashed::from(Idempotency {
            scope: String::new(),
            client_digest: None,
            key: IdempotencyKey::parse(&key(key_number)).unwrap(),
            fingerprint: [1; 32],
            lifetime,
        })),
    }
}

/// An order of that content which an anonymous caller at that place sends under the key that all of them use.
fn shared(number: u32, client_digest: u32, content: u32) -> Accept {
    let bytes = |number: u32| std::array::from_fn(|place| number.to_be_bytes()[place % 4]);
    let fingerprint = std::array::from_fn(|place| content.to_be_bytes()[place % 4]);
    let key = IdempotencyKey::parse(&key(0)).unwrap();
    let idempotency = Idempotency {
        scope: String::new(),
        client_digest: Some(bytes(client_digest)),
        key,
        fingerprint,
        lifetime: LIFETIME,
    };
    Accept { key: Some(Hashed::from(idempotency)), ..order(number.into(), 0, start(), LIFETIME) }
}

/// Places orders in one commit.
fn try_to_place(state: &mut State, orders: Vec<Accept>) -> Vec<Result<Acceptance, application::Error>> {
    let (writes, answers): (Vec<_>, Vec<_>) = orders
        .into_iter()
        .map(|order| {
            let (write, answer) = Write::new(1, move |transaction| accept(transaction, &order));
            (write.undoing_itself(), answer)
        })
        .unzip();
    commit_all(state, writes);
    answers.into_iter().map(crate::write::PendingWrite::now).collect()
}

fn place(state: &mut State, orders: Vec<Accept>) -> Vec<Acceptance> {
    try_to_place(state, orders).into_iter().collect::<Result<_, _>>().unwrap()
}

fn maintain(state: &mut State, now: Timestamp) {
    let now = now.as_microsecond();
    commit_one(state, move |transaction| {
        Ok(transaction.keys.maintain(transaction.connection, now, crate::write::MAX_ROWS_PER_WRITE)?)
    })
    .unwrap();
}

/// Places the orders of these numbers, each under the key of its number, a hundred in a commit.
fn fill(state: &mut State, numbers: std::ops::Range<u64>, time: Timestamp) {
    let numbers: Vec<_> = numbers.collect();
    for some in numbers.chunks(100) {
        let answers =
            place(state, some.iter().map(|number| order(*number, *number, time, LIFETIME)).collect());
        assert!(answers.iter().all(|answer| *answer == STORED));
    }
}

/// Whether the key of that number has a place at which it may live then.
fn known(state: &State, number: u64, time: Timestamp) -> bool {
    !state.keys.candidates(&state.connection, hash_at(number), time.as_microsecond()).unwrap().is_empty()
}

fn hash_at(number: u64) -> i64 {
    hash(&[b"", key(number).as_bytes()])
}

fn repeated(state: &mut State, number: u64, time: Timestamp) -> bool {
    let again = place(state, vec![order(number + 1_000_000_000, number, time, LIFETIME)]);
    matches!(again[0], Acceptance::Repeated(_))
}

fn count(state: &State, table: &str) -> i64 {
    state.connection.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0)).unwrap()
}

#[test]
fn memory_is_bounded_however_many_keys_live() {
    let (folder, mut state) = store(GATHERED);
    for number in 0..200 {
        fill(&mut state, number * 100..(number + 1) * 100, start());
        assert!(state.keys.len() <= GATHERED * 3 / 2 + 100, "{} are in memory", state.keys.len());
    }
    for number in [0, 1, 999, 1_000, 10_000, 19_998, 19_999] {
        assert!(repeated(&mut state, number, start()), "{number}");
    }
    assert!(!known(&state, 20_000, start()));
    drop(state);
    let mut state = opened(&folder, GATHERED);
    assert!(state.keys.len() <= GATHERED * 3 / 2 + 100, "a start reads {}", state.keys.len());
    for number in [0, 1, 999, 1_000, 10_000, 19_998, 19_999] {
        assert!(repeated(&mut state, number, start()), "{number}");
    }
}

#[test]
fn keys_that_are_over_are_gone_from_the_disk_as_new_ones_come() {
    let (_folder, mut state) = store(GATHERED);
    let day = Duration::from_hours(25);
    for number in 0..6 {
        let today = start() + day * u32::try_from(number).unwrap();
        fill(&mut state, number * 5_000..(number + 1) * 5_000, today);
        let keys = count(&state, "idempotency_keys");
        assert!(keys <= 10_000 + 300, "{keys} keys are on disk on day {number}");
        let hashes = count(&state, "idempotency_hashes");
        assert!(hashes <= 10_000 + 300, "{hashes} hashes are on disk on day {number}");
    }
}

#[test]
fn an_idle_store_clears_away_what_is_over_a_piece_at_a_time() {
    let (_folder, mut state) = store(GATHERED);
    fill(&mut state, 0..5_000, start());
    let later = start() + Duration::from_hours(49);
    let mut commits = 0;
    while state.keys.needs_maintenance(later.as_microsecond()) {
        let before = count(&state, "idempotency_keys");
        maintain(&mut state, later);
        assert!(before - count(&state, "idempotency_keys") <= 501);
        commits += 1;
        assert!(commits < 100);
    }
    assert_eq!((count(&state, "idempotency_keys"), count(&state, "idempotency_hashes")), (0, 0));
    assert_eq!((state.keys.len(), state.keys.ranges.len()), (0, 0));
}

#[test]
fn a_key_answers_until_its_end_and_not_after_it() {
    let (_folder, mut state) = store(GATHERED);
    fill(&mut state, 0..2_000, start());
    let end = start() + LIFETIME;
    assert!(repeated(&mut state, 7, end - Duration::from_micros(1)));
    assert!(!repeated(&mut state, 7, end));
    assert!(repeated(&mut state, 7, end), "it was stored anew at the end of the first");
    assert_eq!(count(&state, "orders"), 2_001);
}

#[test]
fn a_clock_that_jumps_ahead_for_a_moment_costs_few_keys() {
    let (_folder, mut state) = store(GATHERED);
    fill(&mut state, 0..5_000, start());
    let ahead = start() + Duration::from_hours(400 * 24);
    fill(&mut state, 10_000..10_300, ahead);
    let lost = (0..5_000).filter(|number| !known(&state, *number, start())).count();
    assert!(lost <= 1_000, "{lost} keys are forgotten early");
    assert!(known(&state, 10_000, start()), "what was stored meanwhile is found too");
}

#[test]
fn a_clock_that_is_set_back_makes_no_key_be_forgotten() {
    let (_folder, mut state) = store(GATHERED);
    fill(&mut state, 0..3_000, start());
    let back = start() - Duration::from_hours(48);
    fill(&mut state, 3_000..6_000, back);
    for number in [0, 2_999, 3_000, 5_999] {
        assert!(repeated(&mut state, number, back), "{number}");
    }
}

#[test]
fn a_lifetime_that_was_changed_holds_for_later_orders() {
    let (folder, mut state) = store(GATHERED);
    let hours = |hours| start() + Duration::from_hours(hours);
    place(&mut state, vec![order(1, 1, start(), Duration::from_hours(1))]);
    place(&mut state, vec![order(2, 2, start(), Duration::from_hours(24 * 366))]);
    drop(state);
    let mut state = opened(&folder, GATHERED);
    place(&mut state, vec![order(3, 3, start(), Duration::from_mins(1))]);
    assert!(repeated(&mut state, 3, start() + Duration::from_secs(59)));
    assert!(!repeated(&mut state, 3, start() + Duration::from_mins(1)));
    assert!(!repeated(&mut state, 1, hours(2)));
    assert!(repeated(&mut state, 2, hours(24 * 366 - 1)));
}

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
fn keys_whose_hashes_collide_are_told_apart() {
    let (_folder, mut state) = store(GATHERED);
    fill(&mut state, 0..2, start());
    // As if the first's hash were the second's, in memory and in the index.
    let period = state.keys.ranges.period(1).unwrap();
    let candidates =
        |state: &State, hash| state.keys.candidates(&state.connection, hash, start().as_microsecond());
    let place = KeyEntry { period, hash: hash_at(1), order: 1 };
    state.keys.buffered.insert_unique(identity_hash(&place), place, identity_hash);
    assert_eq!(candidates(&state, hash_at(1)).unwrap().len(), 2);
    state
        .connection
        .execute("INSERT INTO idempotency_hashes VALUES (?, ?, 2)", [period, hash_at(0)])
        .unwrap();
    state.keys.indexed.insert(period, Indexed::unread(None));
    assert_eq!(
        candidates(&state, hash_at(0)).unwrap().iter().map(|place| place.order).collect::<Vec<_>>(),
        [2, 1]
    );
    assert!(repeated(&mut state, 0, start()) && repeated(&mut state, 1, start()));
    assert_eq!(count(&state, "orders"), 2);
}

/// Counts the steps of SQLite's virtual machine from here on.
fn counted_steps(state: &mut State) -> Arc<AtomicU64> {
    let steps = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&steps);
    let tick = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        false
    };
    state.connection.progress_handler(1, Some(tick)).unwrap();
    steps
}

/// Steps of SQLite's virtual machine that accepting one order with a new key takes.
fn steps(state: &mut State, number: u64) -> u64 {
    let steps = counted_steps(state);
    place(state, vec![order(number, number, start(), LIFETIME)]);
    state.connection.progress_handler(0, None::<fn() -> bool>).unwrap();
    steps.load(Ordering::Relaxed)
}

#[test]
fn an_order_with_a_key_costs_no_more_where_many_keys_live() {
    let (_folder, mut state) = store(200);
    fill(&mut state, 0..1_000, start());
    let mean = |state: &mut State, from: u64| {
        (from..from + 1_000).map(|number| steps(state, number)).sum::<u64>() / 1_000
    };
    let few = mean(&mut state, 1_000);
    fill(&mut state, 2_000..60_000, start());
    let many = mean(&mut state, 60_000);
    assert!(many <= few + few / 10, "{many} steps instead of {few}");
}

/// How many of these new keys are looked up in the index on disk, where each takes steps of SQLite's machine.
fn looked_up(state: &mut State, numbers: std::ops::Range<u64>) -> u64 {
    let steps = counted_steps(state);
    let mut looked_up = 0;
    for number in numbers {
        let before = steps.load(Ordering::Relaxed);
        assert!(!known(state, number, start()));
        looked_up += u64::from(steps.load(Ordering::Relaxed) > before);
    }
    state.connection.progress_handler(0, None::<fn() -> bool>).unwrap();
    looked_up
}

#[test]
fn a_new_key_is_hardly_ever_looked_up_on_disk() {
    let (_folder, mut state) = store(200);
    fill(&mut state, 0..10_000, start());
    assert!(count(&state, "idempotency_hashes") > 9_000);
    let some = looked_up(&mut state, 20_000..21_000);
    assert!(some <= 5, "{some} of 1,000");
}

#[test]
fn a_start_reads_the_index_behind_new_orders_or_while_nothing_comes() {
    let (folder, mut state) = store(GATHERED);
    fill(&mut state, 0..10_000, start());
    drop(state);
    let mut state = opened(&folder, GATHERED);
    assert_eq!(looked_up(&mut state, 20_000..20_100), 100, "nothing was read yet");
    assert!((0..10_000).all(|number| known(&state, number, start())));
    fill(&mut state, 10_000..12_000, start());
    let (some, read) = (looked_up(&mut state, 20_000..21_000), count(&state, "idempotency_hashes"));
    assert!((100..900).contains(&some), "{some} of 1,000 while a part of {read} was read");
    assert!((0..12_000).all(|number| known(&state, number, start())));
    let mut commits = 0;
    while state.keys.needs_maintenance(start().as_microsecond()) {
        maintain(&mut state, start());
        commits += 1;
        assert!(commits < 30);
    }
    let some = looked_up(&mut state, 20_000..21_000);
    assert!(some <= 5, "{some} of 1,000");
    assert!((0..12_000).all(|number| known(&state, number, start())));
}

#[test]
fn two_periods_have_filters_and_keys_of_others_are_found_without() {
    let (folder, mut state) = store(100);
    let day = |number: u32| start() + Duration::from_hours(48) * number;
    for number in 0..4 {
        // A clock that jumps back and forth: all these periods may be alive.
        fill(&mut state, u64::from(number) * 1_000..u64::from(number + 1) * 1_000, day(3 - number));
    }
    let filters = |state: &State| state.keys.indexed.values().filter(|indexed| indexed.has_filter()).count();
    assert_eq!(filters(&state), MAX_FILTERS);
    assert!((0..4_000).all(|number| known(&state, number, day(0))));
    drop(state);
    let state = opened(&folder, 100);
    assert_eq!(filters(&state), MAX_FILTERS);
    assert!((0..4_000).all(|number| known(&state, number, day(0))));
}

#[test]
fn orders_out_of_the_order_of_their_times_begin_no_runs() {
    let (folder, mut state) = store(GATHERED);
    // Periods begin at whole days since 1970.
    let midnight = Timestamp::from_second(86_400 * 20_000).unwrap();
    let jitter = |number: u64| Duration::from_millis((number * 7) % 40);
    for number in 0..1_000 {
        let time = midnight - Duration::from_millis(1_000 - 2 * number.min(500)) + jitter(number);
        place(&mut state, vec![order(number, number, time, LIFETIME)]);
    }
    assert_eq!(state.keys.ranges.len(), 2);
    assert!((0..1_000).all(|number| repeated(&mut state, number, midnight)));
    drop(state);
    let mut state = opened(&folder, GATHERED);
    assert_eq!(state.keys.ranges.len(), 2);
    assert!((0..1_000).all(|number| repeated(&mut state, number, midnight)));
}

#[test]
fn a_key_that_lives_long_keeps_none_behind_it_on_disk() {
    let (folder, mut state) = store(GATHERED);
    let year = Duration::from_hours(24 * 366);
    place(&mut state, vec![order(1, 1, start(), year)]);
    fill(&mut state, 10..3_000, start());
    place(&mut state, vec![order(2, 2, start(), year)]);
    fill(&mut state, 3_000..5_000, start());
    drop(state);
    let mut state = opened(&folder, GATHERED);
    let later = start() + Duration::from_hours(49);
    let mut commits = 0;
    while state.keys.needs_maintenance(later.as_microsecond()) {
        maintain(&mut state, later);
        commits += 1;
        assert!(commits < 100);
    }
    assert_eq!((count(&state, "idempotency_keys"), count(&state, "idempotency_periods")), (2, 2));
    assert!(repeated(&mut state, 1, later) && repeated(&mut state, 2, later));
    fill(&mut state, 10_000..10_100, later);
    assert_eq!(count(&state, "idempotency_keys"), 102);
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

#[test]
fn a_period_is_over_when_all_of_its_keys_are_and_two_are_alive() {
    for lifetime in [60, 3_600, 5_400, 86_400, 31_622_400].map(|seconds| seconds * 1_000_000_i64) {
        let now = start().as_microsecond();
        let mut periods = std::collections::BTreeSet::new();
        for ends_at in (0..=1_000).map(|part| now + 1 + (lifetime - 1) / 1_000 * part) {
            let period = period_of(ends_at, lifetime);
            assert!(period * HOUR > ends_at);
            assert!(period * HOUR - ends_at <= lifetime + HOUR, "{lifetime}: it is cleared away in time");
            periods.insert(period);
        }
        assert!(periods.len() <= 2, "{lifetime}: {periods:?}");
    }
}

#[test]
fn a_key_that_thousands_share_costs_each_the_same_and_keeps_their_orders_apart() {
    const MANY: u32 = 5_000;
    let (folder, mut state) = store(GATHERED);
    for first in (0..MANY).step_by(100) {
        let orders = (first..first + 100).map(|number| shared(number, number, number)).collect();
        assert!(place(&mut state, orders).iter().all(|answer| *answer == STORED));
        assert!(state.keys.len() <= GATHERED * 3 / 2 + 200, "{} are in memory", state.keys.len());
    }
    let found = |state: &State, order: &Accept| {
        let key = order.key.as_ref().unwrap();
        let at =
            |hash| state.keys.candidates(&state.connection, hash, start().as_microsecond()).unwrap().len();
        key.hashes.iter().flatten().map(|hash| at(*hash)).sum::<usize>()
    };
    for _ in 0..2 {
        for number in [0, 1, 2_500, MANY - 1] {
            assert_eq!(found(&state, &shared(MANY, number, number)), 2, "its order and its place");
            let retry = place(&mut state, vec![shared(2 * MANY, MANY + number, number)]).remove(0);
            assert!(matches!(retry, Acceptance::Repeated(_)), "{retry:?}");
            let reused = place(&mut state, vec![shared(2 * MANY, number, MANY + number)]).remove(0);
            assert_eq!(reused, Acceptance::KeyReused);
        }
        drop(state);
        state = opened(&folder, GATHERED);
    }
    let later = start() + LIFETIME * 2 + Duration::from_hours(1);
    while state.keys.needs_maintenance(later.as_microsecond()) {
        maintain(&mut state, later);
    }
    assert_eq!((count(&state, "idempotency_keys"), count(&state, "idempotency_hashes")), (0, 0));
}
