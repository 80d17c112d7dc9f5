//! What the attempts at a delivery, and its receipts, say about the delivery.

use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::DeliveryState;
use domain::receipt::{ReceiptStatus, after_receipt};
use rusqlite::{Connection, Row};

use super::exception::ExceptionKind;
use crate::columns;
use crate::rows;
use crate::unreadable::{Read, Table, read_row};

/// An attempt on record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt {
    pub(super) number: u32,
    /// What came of it; `None` while it is open. Only the name counts: scopes and patience are not read.
    pub(super) outcome: Option<OutcomeKind>,
    pub(super) used: bool,
}

/// What a delivery says of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claims {
    pub(super) state: DeliveryState,
    pub(super) attempts: u32,
    pub(super) attempts_used: u32,
}

/// One of each name.
const OUTCOMES: [OutcomeKind; 6] = [
    OutcomeKind::Delivered,
    OutcomeKind::Sandboxed,
    OutcomeKind::Transient(Scope::Delivery),
    OutcomeKind::Permanent(Scope::Delivery),
    OutcomeKind::Throttled { scope: Scope::Delivery, retry_after: None },
    OutcomeKind::Unknown,
];

/// The attempts at a delivery, or why one of them makes no sense.
pub(super) fn read(snapshot: &Connection, delivery: i64) -> rusqlite::Result<Vec<Read<Attempt>>> {
    let sql = "SELECT number, started_at, ended_at, outcome, scope, used, reply, status FROM attempts \
               WHERE delivery = ? ORDER BY number";
    let mut statement = snapshot.prepare_cached(sql)?;
    let mut found = statement.query([delivery])?;
    let mut attempts = Vec::new();
    while let Some(row) = found.next()? {
        attempts.push(read_row(Table::Attempts, delivery, row, attempt)?);
    }
    Ok(attempts)
}

fn attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    // All of it must be readable, though only a part counts here.
    rows::attempt(row)?;
    let outcome = match columns::time_or_none(row, "ended_at")? {
        Some(_) => Some(columns::named(row, "outcome", &OUTCOMES, OutcomeKind::name)?),
        None => None,
    };
    Ok(Attempt { number: row.get("number")?, outcome, used: row.get("used")? })
}

/// What its provider reported of a delivery. A status that nobody knows explains nothing.
pub(super) fn receipts(snapshot: &Connection, delivery: i64) -> rusqlite::Result<Vec<ReceiptStatus>> {
    let mut statement = snapshot.prepare_cached("SELECT status FROM receipts WHERE delivery = ?")?;
    let status =
        |row: &Row<'_>| Ok(columns::named(row, "status", &ReceiptStatus::ALL, ReceiptStatus::name).ok());
    let found = statement.query_map([delivery], status)?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// What is wrong with a delivery, by its attempts and receipts.
pub(super) fn faults(
    claims: Claims,
    attempts: &[Attempt],
    receipts: &[ReceiptStatus],
) -> Vec<(ExceptionKind, String)> {
    let faults = [
        (ExceptionKind::AttemptsDisagree, miscounted(claims, attempts)),
        (ExceptionKind::InFlightDisagrees, open(claims.state, attempts)),
        (ExceptionKind::StateUnexplained, unexplained(claims.state, attempts, receipts)),
    ];
    faults.into_iter().filter_map(|(kind, wrong)| Some((kind, wrong?))).collect()
}

fn miscounted(claims: Claims, attempts: &[Attempt]) -> Option<String> {
    if attempts.iter().zip(1..).any(|(attempt, number)| attempt.number != number) {
        let numbers: Vec<_> = attempts.iter().map(|attempt| attempt.number.to_string()).collect();
        return Some(format!("its attempts are numbered {}", numbers.join(", ")));
    }
    let made = many(attempts.len());
    if claims.attempts != made {
        return Some(format!("it counts {} attempts, {made} are on record", claims.attempts));
    }
    // Redriving begins the count of what is spent anew, so that it may be less.
    let attempts_used = many(attempts.iter().filter(|attempt| attempt.used).count());
    (claims.attempts_used > attempts_used)
        .then(|| format!("it counts {} attempts used, {attempts_used} are on record", claims.attempts_used))
}

fn many(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn open(state: DeliveryState, attempts: &[Attempt]) -> Option<String> {
    let open = attempts.iter().filter(|attempt| attempt.outcome.is_none()).count();
    let last_is_open = attempts.last().is_some_and(|attempt| attempt.outcome.is_none());
    match state {
        DeliveryState::InFlight if open == 1 && last_is_open => None,
        DeliveryState::InFlight if open == 0 => Some("it is in flight without an open attempt".to_owned()),
        _ if open == 0 => None,
        _ => Some(format!("it is {state} with {open} open attempts")),
    }
}

/// Why nothing on record led to the state. Who may cancel is judged elsewhere.
fn unexplained(state: DeliveryState, attempts: &[Attempt], receipts: &[ReceiptStatus]) -> Option<String> {
    let (possible, came) = match attempts.last().map(|attempt| attempt.outcome) {
        // Whether it is in flight is judged elsewhere.
        Some(None) => return None,
        Some(Some(outcome)) => (left_in(outcome), format!("the last came to {}", outcome.name())),
        None => (&[DeliveryState::Pending][..], "none was made".to_owned()),
    };
    let reported =
        possible.iter().flat_map(|state| receipts.iter().map(|status| after_receipt(*state, *status)));
    let possible: Vec<_> = possible.iter().copied().chain(reported.flatten()).collect();
    let explained = match state {
        DeliveryState::InFlight | DeliveryState::Cancelled => true,
        DeliveryState::Pending => {
            possible.iter().any(|state| state.can_be_redriven() || *state == DeliveryState::Pending)
        }
        state => possible.contains(&state),
    };
    (!explained).then(|| format!("it is {state}, which no attempt explains: {came}"))
}

/// The states in which an attempt's outcome can leave its delivery, before receipts and people change them.
fn left_in(outcome: OutcomeKind) -> &'static [DeliveryState] {
    match outcome {
        OutcomeKind::Delivered => &[DeliveryState::Delivered],
        OutcomeKind::Sandboxed => &[DeliveryState::Sandboxed],
        OutcomeKind::Transient(_) | OutcomeKind::Permanent(_) | OutcomeKind::Throttled { .. } => {
            &[DeliveryState::Pending, DeliveryState::Dead]
        }
        OutcomeKind::Unknown => &[DeliveryState::Pending, DeliveryState::Dead, DeliveryState::Held],
    }
}
