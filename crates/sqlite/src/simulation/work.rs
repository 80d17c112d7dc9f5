//! Counting what SQLite does: a measure of work that no clock and no load of the machine changes.

use std::collections::HashMap;
use std::ops::AddAssign;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::trace::{StmtRef, TraceEvent, TraceEventCodes};
use rusqlite::{Connection, StatementStatus};

/// What SQLite did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Statements that were run to their end.
    pub statements: u64,
    /// Steps of its virtual machine.
    pub steps: u64,
    /// Rows that it passed in tables and indexes from their beginning, for want of an index.
    pub scanned: u64,
    /// Times that it sorted rows, for want of an index.
    pub sorts: u64,
    /// Indexes that it made for one statement.
    pub indexes: u64,
}

/// What a connection has done since this was asked last.
#[derive(Debug, Clone, Default)]
pub struct Worked(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    done: Work,
    /// SQLite counts for each statement from its preparation on.
    before: HashMap<String, Work>,
}

impl Worked {
    /// What was done, from which on it counts anew.
    #[must_use]
    pub fn take(&self) -> Work {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).done)
    }

    pub(super) fn watch(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let counts = Arc::clone(&self.0);
        let on_end = move |event: TraceEvent<'_>| {
            if let TraceEvent::Profile(statement, _) = event {
                counts.lock().unwrap_or_else(PoisonError::into_inner).add(&statement);
            }
        };
        connection.trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(on_end))
    }
}

impl Counts {
    fn add(&mut self, statement: &StmtRef<'_>) {
        let count = |status| u64::try_from(statement.get_status(status)).unwrap_or_default();
        let now = Work {
            statements: count(StatementStatus::Run),
            steps: count(StatementStatus::VmStep),
            scanned: count(StatementStatus::FullscanStep),
            sorts: count(StatementStatus::Sort),
            indexes: count(StatementStatus::AutoIndex),
        };
        let before = self.before.insert(statement.sql().into_owned(), now).unwrap_or_default();
        self.done += now.since(before);
    }
}

impl Work {
    /// A statement that was prepared anew counts from its beginning.
    fn since(self, before: Self) -> Self {
        let before = if self.statements < before.statements { Self::default() } else { before };
        Self {
            statements: self.statements.saturating_sub(before.statements),
            steps: self.steps.saturating_sub(before.steps),
            scanned: self.scanned.saturating_sub(before.scanned),
            sorts: self.sorts.saturating_sub(before.sorts),
            indexes: self.indexes.saturating_sub(before.indexes),
        }
    }
}

impl AddAssign for Work {
    fn add_assign(&mut self, more: Self) {
        self.statements += more.statements;
        self.steps += more.steps;
        self.scanned += more.scanned;
        self.sorts += more.sorts;
        self.indexes += more.indexes;
    }
}
