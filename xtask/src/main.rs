//! The project's chores: `cargo xtask test | check | prove | all | simulate | mutations | crash | power-loss | fuzz |
//! gallery | schemathesis | sizes | template | emulators | package | bench`.

mod bench;
mod both;
mod cargo;
mod check;
mod counts;
mod crash;
mod emulators;
mod fuzz;
mod gallery;
mod install;
mod mutations;
mod package;
mod power_loss;
mod prove;
mod runner;
mod schemathesis;
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

use mutations::Wanted;
use power_loss::Cuts;
use steps::{Steps, in_steps};

/// The project's chores.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Chore {
    /// Installs what the tests need, builds, and runs every test.
    Test,
    /// Checks format, sizes, lints, documentation, dependencies and the template, and shows a glance at speed.
    Check {
        /// Only what needs nothing installed: format, sizes and lints.
        #[arg(long)]
        quick: bool,
    },
    /// The long proof: many runs of the simulation, every mutation, kills and power cuts.
    Prove {
        /// Fewer of each.
        #[arg(long)]
        quick: bool,
    },
    /// Everything: `test`, `check` and `prove`, what fails soonest first.
    All,
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
    /// Makes runs of the relay, the engine and the store in a simulated world, and holds the promises against them.
    Simulate {
        /// How many runs.
        #[arg(long, default_value_t = 10_000)]
        seeds: u64,
        /// The first one.
        #[arg(long, default_value_t = 0)]
        first: u64,
        /// Tells only this one, step by step.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Breaks a copy of the program in known ways, and sees each one caught.
    Mutations {
        /// Only the one of this name; may be given several times.
        #[arg(long)]
        only: Vec<String>,
    },
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
    /// Gives what reads others' words input at random.
    Fuzz {
        /// For how long, for each reader.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Keeps twelve people's orders in every form and language, as files and pictures.
    Gallery,
    /// Holds the running program against its `OpenAPI` document, with and without the key.
    Schemathesis {
        /// How many requests, each time.
        #[arg(long, default_value_t = 3_000)]
        cases: usize,
    },
    /// Answers one question about the program's speed, beside what it is compared with; `bench help` lists the questions.
    #[command(disable_help_flag = true)]
    Bench {
        /// The question and its options.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        asked: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let done = match Chore::parse() {
        Chore::Test => in_steps(|steps| test::run(root, steps)),
        Chore::Check { quick } => in_steps(|steps| check(root, steps, quick)),
        Chore::Prove { quick } => in_steps(|steps| prove::run(root, steps, quick)),
        Chore::All => in_steps(|steps| everything(root, steps)),
        Chore::Sizes => sizes::run(root),
        Chore::Template => template::run(root),
        Chore::Emulators { command } => return end(emulators::run(root, &command)),
        Chore::WithinNetwork { command } => return end(emulators::run_within_network(root, &command)),
        Chore::Package { arch } => package::run(root, arch),
        Chore::Simulate { seed: Some(seed), .. } => simulate::run_one(root, seed),
        Chore::Simulate { seeds, first, seed: None } => simulate::run_many(root, seeds, first, false),
        Chore::Mutations { only } => {
            mutations::run(root, &Wanted { only, seeds: mutations::SEEDS, quick: false })
        }
        Chore::Crash { kills } => in_steps(|steps| {
            let tools = test::prepare(root, steps)?;
            crash::run(root, steps, &tools, kills)
        }),
        Chore::PowerLoss { cuts, seed, cut } => in_steps(|steps| {
            let tools = test::prepare(root, steps)?;
            power_loss::run(root, steps, &tools, &Cuts { count: cuts, seed, only: cut })
        }),
        Chore::Gallery => in_steps(|steps| {
            let tools = test::prepare(root, steps)?;
            gallery::run(root, steps, &tools)
        }),
        Chore::Fuzz { seconds } => fuzz::run(root, seconds),
        Chore::Schemathesis { cases } => schemathesis::run(root, cases),
        Chore::Bench { asked } => bench::run(root, &asked),
    };
    end(done.map(|()| ExitCode::SUCCESS))
}

fn check(root: &Path, steps: &mut Steps, quick: bool) -> Result<()> {
    check::at_a_glance(root, steps)?;
    check::thoroughly(root, steps, quick)
}

fn everything(root: &Path, steps: &mut Steps) -> Result<()> {
    check::at_a_glance(root, steps)?;
    test::run(root, steps)?;
    check::thoroughly(root, steps, false)?;
    prove::run(root, steps, false)
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
