//! What many keys cost: bounded memory, and hardly a look at the disk for a new one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

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
