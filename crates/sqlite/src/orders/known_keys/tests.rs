mod cost;
mod failures;
mod lifetimes;
mod shared;

use std::time::Duration;

use application::ports::{Acceptance, Idempotency};
use domain::Timestamp;
use domain::order::OrderId;
use domain::order::idempotency::IdempotencyKey;
use tempfile::TempDir;

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
