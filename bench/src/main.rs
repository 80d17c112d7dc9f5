//! Measures the program as its users run it: how soon it answers, what it takes, and how many durable orders it accepts
//! as a share of what a bare HTTP echo answers on the same machine in the same run.

mod drain;
mod echo;
mod exchange;
mod isolation;
#[cfg(feature = "lambda")]
mod lambda;
mod load;
mod memory;
mod receiver;
mod report;
mod server;
mod siege;
mod start_up;
mod throughput;
mod waiting;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

use report::Figure;
use throughput::Webhook;

/// Measures the program.
#[derive(Parser)]
struct Cli {
    /// The program to measure: a release build of `orderbell`.
    #[arg(long, default_value = "target/release/orderbell")]
    program: PathBuf,
    #[command(subcommand)]
    role: Option<Role>,
}

/// Another part that this program plays.
#[derive(Subcommand)]
enum Role {
    /// Serves the bare echo that the program is compared with.
    Echo,
    /// Measures whether endpoints that hang and fail delay the healthy ones.
    Isolation(isolation::Load),
    /// Measures how fast what waits is told, as a share of what a bare client posts to the same receiver.
    Drain(drain::Load),
    /// Measures whether endpoints that wait for a retry delay a healthy one.
    Waiting(waiting::Load),
    /// Measures what orders and healthy deliveries cost while everyone else behaves badly at once.
    Siege(siege::Siege),
    /// Compares the Lambda program with a Python function; it runs beside the emulators.
    #[cfg(feature = "lambda")]
    Lambda(lambda::Subjects),
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    match cli.role {
        Some(Role::Echo) => return echo::serve(),
        Some(Role::Isolation(load)) => return isolation::compare(&cli.program, load),
        Some(Role::Drain(load)) => return drain::compare(&cli.program, &load),
        Some(Role::Waiting(load)) => return waiting::compare(&cli.program, &load),
        Some(Role::Siege(siege)) => return siege::measure(&cli.program, siege),
        #[cfg(feature = "lambda")]
        Some(Role::Lambda(subjects)) => return lambda::compare(&subjects),
        None => {}
    }
    let mut figures = vec![
        Figure::at_most("start to first answered request, ms", start_up::median_ms(&cli.program)?, 100.0),
        Figure::at_most("resident memory when idle, MB", memory::idle_mb(&cli.program)?, 25.0),
    ];
    for (connections, wanted) in [(64, 0.40), (256, 0.50)] {
        figures.extend(throughput::measure(&cli.program, connections, Webhook::None, Some(wanted))?);
    }
    for connections in [64, 256] {
        figures.extend(throughput::measure(&cli.program, connections, Webhook::One, None)?);
    }
    report::print(&figures)
}
