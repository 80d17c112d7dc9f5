//! What lies on disk, read as anyone can: it is an `SQLite` file.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use orderbell_e2e::program::Program;
use orderbell_e2e::wait;
use rusqlite::{Connection, OpenFlags};

const FILE: &str = "orderbell.db";

/// What the store holds in the end. Ids are without hyphens.
#[derive(Debug)]
pub(crate) struct Stored {
    /// The orders: customer's name and id.
    pub(crate) orders: Vec<(String, String)>,
    /// The state of each delivery of an order, by subscription and order.
    pub(crate) deliveries: HashMap<(String, String), String>,
    /// How many attempts of each delivery ended without the receiver's answer, by the delivery's id.
    pub(crate) unheard: HashMap<String, u32>,
    /// The notifications in the inbox: recipient and text.
    pub(crate) inbox: Vec<(String, String)>,
}

fn file(data: &Path) -> PathBuf {
    data.join(FILE)
}

fn open(file: &Path) -> Result<Connection> {
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

/// Waits until every order is published and every notification came to its end. Retries that are due only after
/// minutes are made due at once, while the program is down: nothing else would come of waiting. Answers how many.
pub(crate) async fn deliver_all_that_is_owed(program: &mut Program) -> Result<usize> {
    let data = program.data();
    wait::until("what is due soon is delivered", async || {
        let soon = "at < (unixepoch() + 60) * 1000000";
        Ok((owed(&data, soon)? == 0).then_some(()))
    })
    .await?;
    program.terminate().await?;
    let store = Connection::open(file(&data))?;
    let hastened = store.execute(
        "UPDATE deliveries SET at = unixepoch() * 1000000 WHERE state = 'pending' AND kind = 'notification'",
        (),
    )?;
    drop(store);
    program.restart().await?;
    wait::until("everything is delivered", async || Ok((owed(&data, "true")? == 0).then_some(()))).await?;
    Ok(hastened)
}

/// How many orders are unpublished and how many notifications not at their end, among those due as the condition says.
fn owed(data: &Path, due: &str) -> Result<i64> {
    let query = format!(
        "SELECT (SELECT ifnull(max(seq), 0) FROM orders) - (SELECT published_through FROM relay)
              + (SELECT count(*) FROM deliveries
                 WHERE kind = 'notification' AND state IN ('pending', 'in_flight') AND {due})"
    );
    Ok(open(&file(data))?.query_row(&query, (), |row| row.get(0))?)
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
        "SELECT lower(hex(subscriptions.id)), lower(hex(orders.id)), deliveries.state FROM deliveries
         JOIN subscriptions ON subscriptions.seq = deliveries.subscription
         JOIN orders ON orders.seq = deliveries.order_seq",
        |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)),
    )?;
    let unheard = rows(
        &store,
        "SELECT lower(hex(deliveries.id)), count(*) FROM attempts JOIN deliveries ON deliveries.seq = attempts.delivery
         WHERE attempts.outcome IN ('unknown', 'transient') GROUP BY deliveries.id",
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let inbox = rows(&store, "SELECT recipient, text FROM inbox WHERE kind = 'notification'", two)?;
    let (deliveries, unheard) = (deliveries.into_iter().collect(), unheard.into_iter().collect());
    Ok(Stored { orders, deliveries, unheard, inbox })
}
