//! When keys are over: each at its end, in periods that go together, whatever the clock does.

use super::*;
use crate::orders::known_keys::periods::period_of;

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
