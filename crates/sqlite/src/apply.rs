//! Applying a batch of commands in one commit.
//!
//! [`apply`] is synchronous and knows no thread, clock or chance: the [writer](crate::writer) feeds it, and so can a
//! test or a simulation.

mod accept;
mod answer;
mod attempts;
mod bound_due_times;
mod channel_pauses;
mod command;
mod confirm;
mod drop_deliveries;
mod escalate;
mod finish;
mod fits;
mod inbox;
mod interventions;
mod known_keys;
mod pending;
mod publish;
mod receipt;
mod redrive;
mod retry;
mod rotate_secret;
mod send_test;
mod subscribe;
mod suspend;
mod tell_operators;
mod transition;

use std::time::Duration;

use accept::remembered;
use application::Error;
use domain::Timestamp;
use rusqlite::Connection;
use transition::last_place;

pub(crate) use accept::Accept;
pub(crate) use answer::Answer;
pub(crate) use command::Command;
pub(crate) use confirm::ONLY_IN_SANDBOX;
use known_keys::KnownKeys;
pub(crate) use pending::Place;
pub(crate) use publish::{NewDelivery, Publish};

use crate::failure::{Failure, Reach};

/// All that the writer works on.
#[derive(Debug)]
pub(crate) struct State {
    /// The one connection that writes.
    pub(crate) connection: Connection,
    /// The idempotency keys that may live.
    pub(crate) keys: KnownKeys,
    /// The last place in the log that was given to an order. Others may add orders with the shell, so that it is read
    /// anew in each commit, and take orders away, so that it never falls.
    pub(crate) last_place: i64,
}

impl State {
    /// What an open database holds; `lifetime` is that of idempotency keys.
    pub(crate) fn read(connection: Connection, now: Timestamp, lifetime: Duration) -> rusqlite::Result<Self> {
        let keys = remembered(&connection, now, lifetime)?;
        Ok(Self { connection, keys, last_place: 0 })
    }
}

/// What came of a batch.
#[derive(Debug)]
pub(crate) struct Applied {
    /// One answer for each command, in order. All of them hold once this is returned: they are on disk.
    pub(crate) answers: Vec<Result<Answer, Error>>,
    /// What others should be told.
    pub(crate) effects: Effects,
    /// Why the batch failed as a whole, and how far that reaches.
    pub(crate) failure: Option<(Reach, String)>,
}

/// What a batch did that others wait for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Effects {
    /// Orders were stored.
    pub(crate) orders: bool,
    /// Deliveries may be due.
    pub(crate) deliveries: bool,
    /// Endpoints are no longer to be left alone.
    pub(crate) hurried: bool,
}

/// Applies `batch` in one commit. A command that fails by itself leaves the others alone; if the commit fails, nothing
/// was changed and every command failed.
pub(crate) fn apply(state: &mut State, batch: Vec<Command>) -> Applied {
    let count = batch.len();
    match commit(state, batch) {
        Ok((answers, effects)) => {
            state.keys.committed();
            Applied { answers, effects, failure: None }
        }
        Err(error) => {
            let (reach, detail) = (roll_back(state, &error), error.to_string());
            let answers = (0..count).map(|_| Err(reach.error(&detail))).collect();
            Applied { answers, effects: Effects::default(), failure: Some((reach, detail)) }
        }
    }
}

fn commit(state: &mut State, batch: Vec<Command>) -> rusqlite::Result<(Vec<Result<Answer, Error>>, Effects)> {
    let mut effects = Effects::default();
    execute(&state.connection, "BEGIN IMMEDIATE")?;
    state.last_place = last_place(&state.connection)?.max(state.last_place);
    let answers = batch
        .into_iter()
        .map(|command| alone(state, &mut effects, command))
        .collect::<rusqlite::Result<_>>()?;
    execute(&state.connection, "COMMIT")?;
    Ok((answers, effects))
}

fn roll_back(state: &mut State, error: &rusqlite::Error) -> Reach {
    state.keys.rolled_back();
    // SQLite rolls back by itself after some errors.
    if state.connection.is_autocommit() || execute(&state.connection, "ROLLBACK").is_ok() {
        Reach::of(error)
    } else {
        Reach::Broken
    }
}

/// Applies one command so that, if it fails, nothing of it stays. An error here is the whole batch's.
fn alone(
    state: &mut State,
    effects: &mut Effects,
    command: Command,
) -> rusqlite::Result<Result<Answer, Error>> {
    // Storing an order is one statement, which SQLite undoes by itself: the frequent case goes without a savepoint.
    let guarded = !matches!(command, Command::Accept(_));
    if guarded {
        execute(&state.connection, "SAVEPOINT command")?;
    }
    let answer = match command.apply(state, effects) {
        Ok(answer) => Ok(answer),
        Err(Failure::Storage(error))
            if state.connection.is_autocommit() || Reach::of(&error) != Reach::Command =>
        {
            return Err(error);
        }
        Err(failure) => {
            if guarded {
                execute(&state.connection, "ROLLBACK TO command")?;
            }
            Err(match failure {
                Failure::Refused(error) => error,
                Failure::Storage(error) => Error::internal(error),
            })
        }
    };
    if guarded {
        execute(&state.connection, "RELEASE command")?;
    }
    Ok(answer)
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute(()).map(drop)
}

#[cfg(test)]
mod tests;
