//! Measures the program as its users run it, one question at a time, beside what it is compared with: `cargo xtask bench`.

mod bare_client;
mod drain;
mod echo;
mod exchange;
mod glance;
mod intake;
mod isolation;
#[cfg(feature = "lambda")]
mod lambda;
mod latency;
mod load;
mod mail;
mod memory;
mod order_id;
mod peers;
mod published;
mod reads;
mod receiver;
mod report;
mod server;
mod siege;
mod size;
mod stored;
mod subscribers;
mod telling;
mod waiting;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Answers one question about the program's speed on this machine. Each runs what it compares in turn, several times, and
/// prints medians, the least and the most of them. A timing never fails it.
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
#[command(
    after_help = "`lambda`, asked beside emulators of AWS, compares the Lambda program with a Python function: 5 minutes."
)]
struct Cli {
    /// The program to measure: a release build of `orderbell`
    #[arg(long, default_value = "target/release/orderbell")]
    program: PathBuf,
    /// Writes the answer to this file, too
    #[arg(long, global = true)]
    json: Option<PathBuf>,
    #[command(subcommand)]
    question: Question,
}

/// What is asked. The times are those of two cores, at the default load.
#[derive(Subcommand)]
enum Question {
    /// How many durable orders are taken with nobody to tell, beside a bare HTTP echo? 90 s
    Intake(intake::Load),
    /// How much is told while clients bring as many orders as are taken, beside a bare client? 80 s
    Telling(telling::Load),
    /// How soon is an accepted order told, at steady rates? 2 minutes
    Latency(latency::Load),
    /// How fast is told what waits, beside a bare client, and what do orders notice of that? 2 minutes
    Drain(drain::Load),
    /// How fast is handed over mail that waits, beside Postfix's own client? A minute
    Mail(mail::Load),
    /// How soon are lists, orders and timelines read in a store of ten million while orders come? 2 minutes, 3 GB of disk
    Reads(reads::Load),
    /// What do the program, its start and its memory take? 30 s
    Size(size::Load),
    /// Do two endpoints that hang and fail delay a thousand healthy ones? 5 minutes
    Isolation(isolation::Load),
    /// Do thousands of endpoints that wait for a retry delay a healthy one? A minute
    Waiting(waiting::Load),
    /// What do orders and healthy deliveries notice while everyone else behaves badly at once? 2 minutes
    Siege(siege::Siege),
    /// How does the Lambda program compare with a Python function? 5 minutes
    #[cfg(feature = "lambda")]
    Lambda(lambda::Subjects),
    /// How do others do the same work in the same run? 15 minutes
    Peers(peers::Comparison),
    /// A few seconds' look at what is taken and told, which judges nothing
    Glance,
    /// Draws the answers kept as JSON, and writes their tables into the page about them
    Report(published::Place),
    /// Serves the bare echo that the program is compared with.
    #[command(hide = true)]
    Echo,
}

fn main() -> Result<()> {
    let Cli { program, json, question } = Cli::parse();
    let report = match question {
        Question::Intake(load) => intake::measure(&program, &load)?,
        Question::Telling(load) => telling::measure(&program, &load)?,
        Question::Latency(load) => latency::measure(&program, &load)?,
        Question::Drain(load) => drain::measure(&program, &load)?,
        Question::Mail(load) => mail::measure(&program, &load)?,
        Question::Reads(load) => reads::measure(&program, &load)?,
        Question::Size(load) => size::measure(&program, &load)?,
        Question::Isolation(load) => isolation::measure(&program, load)?,
        Question::Waiting(load) => waiting::measure(&program, &load)?,
        Question::Siege(siege) => siege::measure(&program, siege)?,
        Question::Peers(comparison) => peers::measure(&program, &comparison)?,
        #[cfg(feature = "lambda")]
        Question::Lambda(subjects) => return lambda::compare(&subjects),
        Question::Glance => glance::measure(&program)?,
        Question::Report(place) => return published::publish(&place),
        Question::Echo => return echo::serve(),
    };
    report.show(json.as_deref())
}
