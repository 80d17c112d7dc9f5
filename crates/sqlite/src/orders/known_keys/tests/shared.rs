//! Keys and hashes that several orders share: each finds its own.

use super::*;

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
            assert!(matches!(reused, Acceptance::KeyReused(_)), "{reused:?}");
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
