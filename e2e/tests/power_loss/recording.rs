//! A run of the program under strace, recorded in a folder so that it can be replayed as often as one likes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use orderbell_e2e::program::{Program, new_home};
use orderbell_e2e::receiver::Receiver;
use orderbell_e2e::wait;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::load::{self, Order};
use crate::strace::{is_whole, tracer};
use crate::subscribers::Receivers;
use crate::trace::Trace;

/// How often the program is started: the second time on what the first one left.
const LIVES: usize = 2;

const TABLES: [&str; 9] = [
    "orders",
    "subscriptions",
    "subscription_versions",
    "deliveries",
    "attempts",
    "receipts",
    "interventions",
    "channel_pauses",
    "inbox",
];

/// What was recorded.
#[derive(Debug)]
pub(crate) struct Recording {
    /// What the program did.
    pub(crate) trace: Trace,
    /// What was answered.
    pub(crate) answers: Answers,
}

/// What the program's clients know in the end.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answers {
    /// The folder in which the program ran.
    home: PathBuf,
    /// Every order, each answered.
    pub(crate) orders: Vec<Order>,
    /// The deliveries that the provider reported on, in the order in which that was answered.
    pub(crate) reported: Vec<String>,
    /// The key files in the data folder and what they hold.
    pub(crate) keys: Vec<(String, Vec<u8>)>,
}

/// Runs the program and records it in `folder`, in place of what was there.
pub(crate) async fn record(folder: &Path) -> Result<()> {
    let _nothing_there = fs::remove_dir_all(folder);
    fs::create_dir_all(folder)?;
    let trace = trace_file(folder);
    let home = new_home()?;
    let mut answers =
        Answers { home: home.path().to_owned(), orders: Vec::new(), reported: Vec::new(), keys: Vec::new() };
    let receivers =
        Receivers { web: Arc::new(Receiver::start().await?), twilio: Arc::new(Receiver::start().await?) };
    let mut program = Program::start_in(home, load::settings(&receivers.twilio), tracer(&trace)).await?;
    for life in 1..=LIVES {
        let (orders, reported) = load::run(&program, &receivers, life).await?;
        answers.orders.extend(orders);
        answers.reported.extend(reported);
        let process = program.id();
        ensure!(program.terminate().await?.success(), "the program did not end in good order");
        wait::until("strace has written everything", async || {
            Ok(is_whole(&fs::read(&trace)?, process).then_some(()))
        })
        .await?;
        if life < LIVES {
            program.restart().await?;
        }
    }
    ensure_all_written(&program)?;
    for key in ["admin.key", "link.key"] {
        answers.keys.push((key.to_owned(), fs::read(program.data().join(key))?));
    }
    Ok(fs::write(answers_file(folder), serde_json::to_vec(&answers)?)?)
}

/// A table that the load does not write is one that the cuts say nothing about.
fn ensure_all_written(program: &Program) -> Result<()> {
    let store = Connection::open(program.data().join("orderbell.db"))?;
    for table in TABLES {
        let rows: i64 = store.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0))?;
        ensure!(rows > 0, "the load wrote nothing into {table}");
    }
    Ok(())
}

/// Reads what was recorded in `folder`.
pub(crate) fn read(folder: &Path) -> Result<Recording> {
    let read = |file: PathBuf| fs::read(&file).with_context(|| format!("no recording: {}", file.display()));
    let answers: Answers = serde_json::from_slice(&read(answers_file(folder))?)?;
    let text = String::from_utf8(read(trace_file(folder))?)?;
    let trace = Trace::parse(&text, answers.home.to_str().context("a path in UTF-8")?)?;
    Ok(Recording { trace, answers })
}

fn trace_file(folder: &Path) -> PathBuf {
    folder.join("trace.txt")
}

fn answers_file(folder: &Path) -> PathBuf {
    folder.join("answers.json")
}
