//! Applying a batch of commands in one commit.
//!
//! [`apply`] is synchronous and knows no thread, clock or chance: the [writer](crate::writer) feeds it, and so can a
//! test or a simulation.

mod accept;
mod answer;
mod attempts;
mod bound_due_times;
mod call_forward;
mod cancel_rest;
mod channel_pauses;
mod command;
mod confirm;
mod drop_deliveries;
mod escalate;
mod finish;
mod fits;
mod full_disk;
mod hold_owed;
mod inbox;
mod incidents;
mod interventions;
mod known_keys;
mod next_due;
mod pending;
mod probe;
mod publish;
mod receipt;
mod redrive;
mod release;
mod retry;
mod rotate_secret;
mod send_test;
mod set_aside;
mod spam;
mod subscribe;
mod suspend;
mod tell_operators;
mod transition;

use application::Error;
use rusqlite::Connection;
use transition::last_place;

pub(crate) use accept::{Accept, Hashed};
pub(crate) use answer::Answer;
pub(crate) use command::Command;
pub(crate) use confirm::ONLY_IN_SANDBOX;
use full_disk::FullDisk;
use known_keys::KnownKeys;
pub(crate) use known_keys::read_hashes;
pub(crate) use next_due::NEXT_AT;
pub(crate) use pending::Place;
pub(crate) use publish::{NewDelivery, Publish};
use redrive::AT_ONCE;
pub(crate) use release::Mended;
pub(crate) use spam::SpamCommand;

use crate::failure::{Failure, Reach, refused};

/// All that the writer works on.
#[derive(Debug)]
pub(crate) struct State {
    /// The one connection that writes.
    pub(crate) connection: Connection,
    /// Where idempotency keys are found.
    pub(crate) keys: KnownKeys,
    /// The last place in the log that was given to an order. Others may add orders with the shell, so that it is read
    /// anew in each commit, and take orders away, so that it never falls.
    pub(crate) last_place: i64,
    /// What the last process left to be done.
    pub(crate) rest: Vec<Command>,
    /// Whether the disk was full, of which operators are told once there is space.
    pub(crate) full_disk: FullDisk,
}

impl State {
    /// What an open database holds; about so many idempotency keys are held in memory.
    pub(crate) fn read(connection: Connection, keys_in_memory: usize) -> rusqlite::Result<Self> {
        let keys = KnownKeys::read(&connection, keys_in_memory)?;
        let last_place = keys.last_order();
        find_what_is_due(&connection)?;
        let mut rest = cancel_rest::left(&connection)?;
        rest.extend(spam::left(&connection)?);
        Ok(Self { connection, keys, last_place, rest, full_disk: FullDisk::default() })
    }
}

/// Whatever was changed by hand while no program ran: what is due must be found. Where nothing is wrong, nothing is
/// written, so that a full disk keeps no program from starting.
fn find_what_is_due(connection: &Connection) -> rusqlite::Result<()> {
    match next_due::refresh_all(connection) {
        Ok(0) => Ok(()),
        Ok(subscriptions) => {
            tracing::warn!(
                subscriptions,
                "when they are due next was not as their deliveries say; put right"
            );
            Ok(())
        }
        Err(error) if matches!(Reach::of(&error), Reach::Full | Reach::Locked) => {
            tracing::error!(%error, "what was changed by hand is found by a later start");
            Ok(())
        }
        Err(error) => Err(error),
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
#[derive(Debug)]
pub(crate) struct Effects {
    /// Orders were stored.
    pub(crate) orders: bool,
    /// Deliveries may be due.
    pub(crate) deliveries: bool,
    /// Endpoints are no longer to be left alone.
    pub(crate) hurried: bool,
    /// What is left to be done, in commits of their own, so that new orders need not wait for it. A crash loses it: the
    /// next start finds what matters.
    pub(crate) rest: Vec<Command>,
    /// How many rows this commit may still touch besides those that its commands are about.
    room: usize,
}

impl Default for Effects {
    fn default() -> Self {
        Self { orders: false, deliveries: false, hurried: false, rest: Vec::new(), room: AT_ONCE }
    }
}

/// Applies `batch` in one commit. A command that fails by itself leaves the others alone; if the commit fails, nothing
/// was changed and every command failed.
pub(crate) fn apply(state: &mut State, batch: Vec<Command>) -> Applied {
    let count = batch.len();
    match commit(state, batch) {
        Ok((answers, effects)) => {
            state.keys.committed();
            state.full_disk.committed();
            Applied { answers, effects, failure: None }
        }
        Err(error) => {
            let (reach, detail) = (roll_back(state, &error), error.to_string());
            state.full_disk.failed(reach == Reach::Full);
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
    state.keys.upkeep(&state.connection)?;
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
    // SQLite undoes the statement that stores an order by itself: the frequent case goes without a savepoint.
    let guarded = !matches!(command, Command::Accept(_));
    if guarded {
        execute(&state.connection, "SAVEPOINT command")?;
    }
    let before = effects.rest.len();
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
            effects.rest.truncate(before);
            Err(match failure {
                Failure::Refused(error) => error,
                Failure::Storage(error) => refused(error),
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
