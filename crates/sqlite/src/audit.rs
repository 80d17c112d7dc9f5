//! Reconciling the store with itself: orders × the subscriptions they match = deliveries in a known state.
//!
//! Everything is read within one transaction that only reads, so that it is one moment's truth though the program goes
//! on writing. Nobody waits for it, and no lock keeps the writer out. But as long as it lasts, SQLite cannot begin its
//! log (`orderbell.db-wal`) anew: the log grows by what is written meanwhile, and keeps that size until the program
//! closes the file.
//!
//! Whom an order matched is asked of [`domain::subscription::matches`], not of the statements that published it. Rows are
//! read one at a time: what is held in memory are the subscriptions and their versions, not orders or deliveries.

mod attempts;
mod deliveries;
mod exception;
mod in_order;
mod keys;
mod matched;
mod quarantine;
mod queue;
mod references;
mod status;
mod subscriptions;
mod summary;

use std::path::Path;

use domain::Timestamp;
use rusqlite::Connection;

pub use exception::{Exception, ExceptionKind};
pub use summary::{ByState, Queue, Summary, Waiting};

use crate::OpenError;
use crate::opening::{open_to_audit, sqlite_error};
use exception::Findings;

/// Audits the store in `folder` as it is at this moment, whether a program runs on it or not, and hands each exception
/// to `name` as it is found. `now` is what waiting times are measured by.
///
/// # Errors
/// The store cannot be opened, or a part of its file cannot be read. A row that makes no sense is an exception instead.
pub fn audit(folder: &Path, now: Timestamp, mut name: impl FnMut(Exception)) -> Result<Summary, OpenError> {
    let (file, mut connection) = open_to_audit(folder)?;
    let mut findings = Findings::new(&mut name);
    reconcile(&mut connection, now, &mut findings).map_err(|error| sqlite_error(&file, error))
}

fn reconcile(
    connection: &mut Connection,
    now: Timestamp,
    findings: &mut Findings<'_>,
) -> rusqlite::Result<Summary> {
    let snapshot = connection.transaction()?;
    let subscriptions = subscriptions::check(&snapshot, findings)?;
    let orders = matched::check(&snapshot, &subscriptions, findings)?;
    let deliveries = deliveries::check(&snapshot, &subscriptions, now, findings)?;
    queue::check(&snapshot, findings)?;
    references::check(&snapshot, &subscriptions, findings)?;
    quarantine::check(&snapshot, findings)?;
    keys::check(&snapshot, now, findings)?;
    status::check(&snapshot, findings)?;
    Ok(Summary {
        orders: orders.stored,
        subscriptions: subscriptions.len() as u64,
        matched: orders.matched,
        escalated: orders.escalated,
        notifications: deliveries.notifications,
        others: deliveries.others,
        waiting: Waiting { unpublished: orders.unpublished, ..deliveries.waiting },
        exceptions: findings.count(),
    })
}
