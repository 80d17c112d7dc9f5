//! The `orderbell` program: takes orders over HTTP, stores each once, and tells everyone who should know.

mod cli;
mod config;
mod host;
mod http_server;
mod keys;
mod logging;
mod wiring;
mod workers;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
