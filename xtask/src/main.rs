//! The project's chores: `cargo xtask test | sizes | crash | bench`.

mod bench;
mod cargo;
mod crash;
mod install;
mod sizes;
mod steps;
mod test;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

/// The project's chores.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Chore {
    /// Installs what the tests need and runs every check and every test.
    Test,
    /// Checks the sizes of files and functions.
    Sizes,
    /// Kills the running program again and again, and sees what became of its promises.
    Crash {
        /// How many times.
        #[arg(long, default_value_t = 50)]
        kills: u32,
    },
    /// Measures the release build against a bare HTTP echo.
    Bench,
}

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let done = match Chore::parse() {
        Chore::Test => test::run(root),
        Chore::Sizes => sizes::run(root),
        Chore::Crash { kills } => crash::run(root, kills),
        Chore::Bench => bench::run(root),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
