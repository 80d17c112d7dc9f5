//! The project's chores: `cargo xtask test | simulate | mutations | sizes | template | emulators | package | crash |
//! power-loss | bench | bench-isolation | bench-waiting | bench-siege | bench-lambda`.

mod bench;
mod cargo;
mod crash;
mod emulators;
mod install;
mod mutations;
mod package;
mod power_loss;
mod simulate;
mod sizes;
mod steps;
mod template;
mod test;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

/// The project's chores.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Chore {
    /// Installs what the tests need and runs every check and every test.
    Test,
    /// Checks the sizes of files and functions.
    Sizes,
    /// Checks the template for AWS with AWS's own tools.
    Template,
    /// Runs a command beside emulators of AWS, in a network of its own.
    Emulators {
        /// The command and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// The inner half of `emulators`, already within the network.
    #[command(hide = true)]
    WithinNetwork {
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// Builds the zip for AWS Lambda.
    Package {
        /// The functions' processor.
        #[arg(long, value_enum, default_value_t = package::Architecture::Arm64)]
        arch: package::Architecture,
    },
    /// Kills the running program again and again, and sees what became of its promises.
    Crash {
        /// How many times.
        #[arg(long, default_value_t = 50)]
        kills: u32,
    },
    /// Tells stories of the relay, the engine and the store in a simulated world, and holds the promises against them.
    Simulate {
        /// How many stories.
        #[arg(long, default_value_t = 10_000)]
        seeds: u64,
        /// The first one.
        #[arg(long, default_value_t = 0)]
        first: u64,
        /// Tells only this one, step by step.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Breaks the program in known ways, one at a time, and sees each one caught.
    Mutations,
    /// Rebuilds the disk as the running program leaves it when the power fails, again and again, and opens it.
    PowerLoss {
        /// How many times the power fails.
        #[arg(long, default_value_t = 200)]
        cuts: u32,
        /// Where it fails and what is lost; by default another each time.
        #[arg(long)]
        seed: Option<u64>,
        /// Only this cut of the seed, in the run that was recorded last.
        #[arg(long, requires = "seed")]
        cut: Option<u32>,
    },
    /// Measures the release build against a bare HTTP echo.
    Bench,
    /// Measures whether an endpoint that hangs and one that fails delay a thousand healthy ones.
    BenchIsolation,
    /// Measures whether thousands of endpoints that wait for a retry delay a healthy one.
    BenchWaiting,
    /// Measures orders and healthy deliveries while everyone else behaves badly at once.
    BenchSiege,
    /// Measures the Lambda program beside a Python function: cold starts, warm latency, memory, the zip.
    BenchLambda,
}

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let done = match Chore::parse() {
        Chore::Test => test::run(root),
        Chore::Sizes => sizes::run(root),
        Chore::Template => template::run(root),
        Chore::Emulators { command } => return end(emulators::run(root, &command)),
        Chore::WithinNetwork { command } => return end(emulators::run_within_network(root, &command)),
        Chore::Package { arch } => package::run(root, arch),
        Chore::Crash { kills } => crash::run(root, kills),
        Chore::Simulate { seeds, first, seed } => simulate::run(root, seeds, first, seed),
        Chore::Mutations => mutations::run(root),
        Chore::PowerLoss { cuts, seed, cut } => power_loss::run(root, cuts, seed, cut),
        Chore::Bench => bench::run(root),
        Chore::BenchIsolation => bench::run_isolation(root),
        Chore::BenchWaiting => bench::run_waiting(root),
        Chore::BenchSiege => bench::run_siege(root),
        Chore::BenchLambda => bench::run_lambda(root),
    };
    end(done.map(|()| ExitCode::SUCCESS))
}

fn end(done: Result<ExitCode>) -> ExitCode {
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
