//! `orderbell audit` of what the kills left: clean; and once a row is deleted by hand, it names that.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use orderbell_e2e::program::Program;

use crate::store;

/// The audit finds nothing; gives what it printed.
pub(crate) fn is_clean(program: &Program) -> Result<String> {
    let audit = program.command(&["audit"])?;
    let printed = String::from_utf8_lossy(&audit.stdout).into_owned();
    ensure!(audit.status.code() == Some(0), "the audit found something: {audit:?}");
    Ok(printed)
}

/// Deletes one delivery by hand and lets the audit name it; gives the line.
pub(crate) fn names_what_is_deleted(program: &Program) -> Result<String> {
    let file = store::file(&program.data());
    let (seq, order, subscription): (i64, String, String) = store::open(&file)?.query_row(
        "SELECT deliveries.seq, lower(hex(orders.id)), lower(hex(subscriptions.id)) FROM deliveries
         JOIN orders ON orders.seq = order_seq JOIN subscriptions ON subscriptions.seq = subscription
         ORDER BY random() LIMIT 1",
        (),
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let delete = format!("DELETE FROM deliveries WHERE seq = {seq}");
    let shell = Command::new("sqlite3").arg(&file).arg(delete).output().context("starting sqlite3")?;
    ensure!(shell.status.success(), "{shell:?}");
    let audit = program.command(&["audit"])?;
    let printed = String::from_utf8_lossy(&audit.stdout).into_owned();
    ensure!(audit.status.code() == Some(1), "the audit did not fail: {audit:?}");
    let names_it = |line: &&str| {
        let plain = line.replace('-', "");
        line.starts_with("missing_delivery") && plain.contains(&order) && plain.contains(&subscription)
    };
    let line = printed.lines().find(names_it);
    line.map(str::to_owned).with_context(|| format!("the audit does not name it:\n{printed}"))
}
