//! The production drivers, relay, engine, use cases and store in a simulated world: one thread, one seeded clock and
//! chance.
//!
//! Each seed is a run: people place orders, subscribe and go; receivers hang, flap and lie; channels, disks and clocks
//! fail; the process dies at any of its steps and starts again. What SQLite itself recorded, what clients were told and
//! what arrived is held against the promises of the design.

mod channel;
mod coverage;
mod facts;
mod ledger;
mod log;
mod process;
mod receivers;
mod rng;
mod runner;
mod scenario;
mod seed_queue;
mod simulated_runtime;
mod tasks;
mod world;

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::thread;

use clap::Parser;

/// Runs seeds and holds the promises against what happens.
#[derive(Parser)]
struct Arguments {
    /// How many runs.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first one.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Runs this one, step by step.
    #[arg(long)]
    seed: Option<u64>,
    /// On how many threads, each with worlds of its own; by default, on every core.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Does not ask that every transition be covered: for few runs.
    #[arg(long)]
    partial: bool,
}

fn main() -> ExitCode {
    let Arguments { seeds, first, seed, threads, partial } = Arguments::parse();
    let every_core = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let told = match seed {
        Some(seed) => runner::run_seed(seed),
        None => runner::run_all(
            first..first.saturating_add(seeds),
            threads.map_or_else(every_core, NonZeroUsize::get),
            partial,
        ),
    };
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
