//! Applying a batch of writes in one commit.
//!
//! [`apply`] is synchronous and knows no thread, clock or chance: the [writer](crate::writer) feeds it, and so can a
//! test or a simulation.

use application::Error;
use rusqlite::Connection;

use crate::commit_health::FullDisk;
use crate::delivery_queue::next_due;
use crate::failure::{Failure, FailureImpact, refused};
use crate::orders::known_keys::KnownKeys;
use crate::orders::spam;
use crate::subscriptions::transition;
use crate::subscriptions::transition::last_seq;
use crate::write::{Effects, FollowUp, Transaction, Write};

/// All that the writer works on.
#[derive(Debug)]
pub(crate) struct State {
    /// The one connection that writes.
    pub(crate) connection: Connection,
    /// Where idempotency keys are found.
    pub(crate) keys: KnownKeys,
    /// The last place in the log that was given to an order. Others may add orders with the shell, so that it is read
    /// anew in each commit, and take orders away, so that it never falls.
    pub(crate) last_seq: i64,
    /// What the last process left to be done.
    pub(crate) follow_ups: Vec<FollowUp>,
    /// Whether the disk was full, of which operators are told once there is space.
    pub(crate) full_disk: FullDisk,
}

impl State {
    /// What an open database holds; about so many idempotency keys are held in memory.
    pub(crate) fn read(connection: Connection, keys_in_memory: usize) -> rusqlite::Result<Self> {
        let keys = KnownKeys::read(&connection, keys_in_memory)?;
        let last_seq = keys.last_order();
        repair_next_at(&connection)?;
        let mut follow_ups = transition::left_to_cancel(&connection)?;
        follow_ups.extend(spam::left(&connection)?);
        Ok(Self { connection, keys, last_seq, follow_ups, full_disk: FullDisk::default() })
    }
}

/// Repairs `next_at` of all subscriptions, whatever was changed by hand while no program ran. Where nothing is wrong,
/// nothing is written, so that a full disk keeps no program from starting.
fn repair_next_at(connection: &Connection) -> rusqlite::Result<()> {
    match next_due::refresh_all(connection) {
        Ok(0) => Ok(()),
        Ok(subscriptions) => {
            tracing::warn!(subscriptions, "next_at was inconsistent; repaired");
            Ok(())
        }
        Err(error) if matches!(FailureImpact::of(&error), FailureImpact::Full | FailureImpact::Locked) => {
            tracing::error!(%error, "next_at could not be repaired; a later start does it");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// What came of a batch.
#[derive(Debug)]
pub(crate) struct Applied {
    /// Whether each of the writes was made, in order. Those hold once this is returned: they are on disk.
    pub(crate) answers: Vec<Result<(), Error>>,
    /// What others should be told.
    pub(crate) effects: Effects,
    /// Why the batch failed as a whole, and how far that reaches.
    pub(crate) failure: Option<(FailureImpact, String)>,
}

/// Applies `batch` in one commit. A write that fails by itself leaves the others alone; if the commit fails, nothing was
/// changed and every write failed.
pub(crate) fn apply(state: &mut State, batch: &mut [Write]) -> Applied {
    match commit(state, batch) {
        Ok((answers, effects)) => {
            state.keys.committed();
            state.full_disk.committed();
            Applied { answers, effects, failure: None }
        }
        Err(error) => {
            let (impact, detail) = (roll_back(state, &error), error.to_string());
            state.full_disk.failed(impact == FailureImpact::Full);
            let answers = batch.iter().map(|_| Err(impact.error(&detail))).collect();
            Applied { answers, effects: Effects::default(), failure: Some((impact, detail)) }
        }
    }
}

fn commit(state: &mut State, batch: &mut [Write]) -> rusqlite::Result<(Vec<Result<(), Error>>, Effects)> {
    let mut effects = Effects::default();
    execute(&state.connection, "BEGIN IMMEDIATE")?;
    state.last_seq = last_seq(&state.connection)?.max(state.last_seq);
    let answers = batch
        .iter_mut()
        .map(|write| apply_in_savepoint(state, &mut effects, write))
        .collect::<rusqlite::Result<_>>()?;
    state.keys.maintain_if_due(&state.connection)?;
    execute(&state.connection, "COMMIT")?;
    Ok((answers, effects))
}

fn roll_back(state: &mut State, error: &rusqlite::Error) -> FailureImpact {
    state.keys.rolled_back();
    // SQLite rolls back by itself after some errors.
    if state.connection.is_autocommit() || execute(&state.connection, "ROLLBACK").is_ok() {
        FailureImpact::of(error)
    } else {
        FailureImpact::Broken
    }
}

/// Applies one write so that, if it fails, nothing of it stays, nor does it wake anybody. An error here is the whole
/// batch's.
fn apply_in_savepoint(
    state: &mut State,
    effects: &mut Effects,
    write: &mut Write,
) -> rusqlite::Result<Result<(), Error>> {
    let guarded = !write.undoes_itself();
    if guarded {
        execute(&state.connection, "SAVEPOINT one_write")?;
    }
    let before = effects.savepoint();
    let State { connection, keys, last_seq, full_disk, .. } = state;
    let mut transaction = Transaction { connection, keys, last_seq, full_disk, effects };
    let answer = match write.apply(&mut transaction) {
        Ok(()) => Ok(()),
        Err(Failure::Storage(error))
            if state.connection.is_autocommit() || FailureImpact::of(&error) != FailureImpact::Write =>
        {
            return Err(error);
        }
        Err(failure) => {
            if guarded {
                execute(&state.connection, "ROLLBACK TO one_write")?;
            }
            effects.roll_back_to(before);
            Err(match failure {
                Failure::Refused(error) => error,
                Failure::Storage(error) => refused(error),
            })
        }
    };
    if guarded {
        execute(&state.connection, "RELEASE one_write")?;
    }
    Ok(answer)
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute(()).map(drop)
}

/// Makes writes in one commit and answers them, as the writer does.
#[cfg(test)]
pub(crate) fn commit_all(
    state: &mut State,
    mut writes: Vec<Write>,
) -> (Effects, Option<(FailureImpact, String)>) {
    let Applied { answers, effects, failure } = apply(state, &mut writes);
    for (write, answer) in writes.into_iter().zip(answers) {
        write.answer(answer);
    }
    (effects, failure)
}

/// Makes one write in a commit of its own.
#[cfg(test)]
pub(crate) fn commit_one<T: Send + 'static>(
    state: &mut State,
    write: impl FnOnce(&mut Transaction<'_>) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Error> {
    let (write, answer) = Write::new(1, write);
    commit_all(state, vec![write]);
    answer.now()
}

#[cfg(test)]
mod tests;
