//! What lies on disk, read as anyone can: it is an `SQLite` file.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use oracle::deliveries::State;
use oracle::subscriptions;
use rusqlite::{Connection, OpenFlags};

const FILE: &str = "orderbell.db";
const SETTLED: &str = "SELECT count(*) FROM deliveries JOIN attempts ON delivery = seq AND number = attempts
    WHERE state = 'delivered' AND outcome = 'unknown'";
/// What the store holds in the end. Ids are without hyphens.
#[derive(Debug)]
pub(crate) struct Stored {
    /// The orders: customer's name and id.
    pub(crate) orders: Vec<(String, String)>,
    /// Each delivery of an order, by subscription and order.
    pub(crate) deliveries: HashMap<(String, String), Delivery>,
    /// How many attempts of each delivery ended without the receiver's answer, by the delivery's id.
    pub(crate) unheard: HashMap<String, u32>,
    /// The provider's receipts: the delivery's id and the status.
    pub(crate) receipts: HashSet<(String, String)>,
    /// How many deliveries were made, by a receipt alone: no answer had come.
    pub(crate) settled: u32,
}

/// A delivery of an order.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// Its id.
    pub(crate) id: String,
    /// Its state.
    pub(crate) state: State,
    /// The state of its subscription.
    pub(crate) subscription: subscriptions::State,
}

/// The file in a data folder.
pub(crate) fn file(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// Opens a file to read it.
pub(crate) fn open(file: &Path) -> Result<Connection> {
    Ok(Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

fn rows<T>(
    store: &Connection,
    query: &str,
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let mut statement = store.prepare(query)?;
    let rows = statement.query_map((), |row| read(row))?;
    rows.collect::<Result<_, _>>().context("the store")
}

/// The deliveries with an attempt that has no outcome, in what a killed program left. It reads a copy: opening the file
/// itself would repair it before the program does.
pub(crate) fn in_flight(data: &Path) -> Result<Vec<String>> {
    let copies = tempfile::tempdir()?;
    for name in [FILE.to_owned(), format!("{FILE}-wal")] {
        fs::copy(data.join(&name), copies.path().join(&name))?;
    }
    let copy = Connection::open(copies.path().join(FILE))?;
    let query =
        "SELECT lower(hex(deliveries.id)) FROM attempts JOIN deliveries ON deliveries.seq = attempts.delivery
                 WHERE attempts.ended_at IS NULL";
    rows(&copy, query, |row| row.get(0))
}

/// Has the `sqlite3` shell check the file and count the orders.
pub(crate) fn check_with_shell(data: &Path, orders: usize) -> Result<()> {
    let shell = Command::new("sqlite3")
        .arg(file(data))
        .arg("PRAGMA integrity_check; SELECT count(*) FROM orders;")
        .output()
        .context("starting sqlite3; `cargo xtask test` installs it")?;
    let said = String::from_utf8_lossy(&shell.stdout).into_owned();
    ensure!(said == format!("ok\n{orders}\n"), "sqlite3 says {said}, the clients know of {orders} orders");
    Ok(())
}

/// Reads what the store holds once the program has ended.
pub(crate) fn read(data: &Path) -> Result<Stored> {
    let store = open(&file(data))?;
    let two = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let orders =
        rows(&store, "SELECT json_extract(body, '$.customerName'), lower(hex(id)) FROM orders", two)?;
    let deliveries = rows(
        &store,
        "SELECT lower(hex(subscriptions.id)), lower(hex(orders.id)),
                lower(hex(deliveries.id)), deliveries.state, subscriptions.state FROM deliveries
         JOIN subscriptions ON subscriptions.seq = deliveries.subscription
         JOIN orders ON orders.seq = deliveries.order_seq",
        |row| {
            let (id, state, of_subscription): (_, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
            let known = State::ALL.into_iter().find(|known| known.name() == state);
            let states = known.zip(subscriptions::State::named(&of_subscription));
            let (state, subscription) = states.ok_or(rusqlite::Error::InvalidQuery)?;
            Ok(((row.get(0)?, row.get(1)?), Delivery { id, state, subscription }))
        },
    )?;
    let unheard = rows(
        &store,
        "SELECT lower(hex(deliveries.id)), count(*) FROM attempts JOIN deliveries ON deliveries.seq = attempts.delivery
         WHERE attempts.outcome = 'unknown' GROUP BY deliveries.id",
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let of_provider =
        "SELECT lower(hex(id)), status FROM receipts JOIN deliveries ON deliveries.seq = receipts.delivery";
    let receipts = rows(&store, of_provider, two)?.into_iter().collect();
    let settled = store.query_row(SETTLED, (), |row| row.get(0))?;
    Ok(Stored {
        orders,
        deliveries: deliveries.into_iter().collect(),
        unheard: unheard.into_iter().collect(),
        receipts,
        settled,
    })
}
