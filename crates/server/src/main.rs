//! The `orderbell` program: takes orders over HTTP, stores each once, and tells everyone who should know.

mod cli;
mod config;
mod descriptors;
mod file_permissions;
mod http_server;
mod keys;
mod logging;
mod operator_socket;
mod prometheus;
mod shutdown;
mod wiring;
mod workers;

use std::process::ExitCode;

/// A request is freed on another thread than it was made on, by the writer: glibc's allocator pays dearly for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
