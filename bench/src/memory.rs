//! What the program takes when it has nothing to do.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::exchange::exchange;
use crate::server::Server;

const IDLE: Duration = Duration::from_secs(5);

/// Its resident memory in MB (10⁶ bytes), some seconds after its first order.
///
/// # Errors
/// It does not start, or the system does not say.
pub(crate) fn idle_mb(program: &Path) -> Result<f64> {
    let server = Server::program(program)?;
    exchange(
        server.address,
        "POST",
        "/create-order",
        None,
        r#"{"customerName":"First","productName":"Bell"}"#,
    )?;
    thread::sleep(IDLE);
    in_mb(&server, "VmRSS:")
}

/// The most resident memory that it took so far, in MB (10⁶ bytes).
///
/// # Errors
/// The system does not say.
pub(crate) fn peak_mb(server: &Server) -> Result<f64> {
    in_mb(server, "VmHWM:")
}

/// Source: proc(5), `/proc/[pid]/status`.
fn in_mb(server: &Server, what: &'static str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix(what)).context(what)?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024.0 / 1e6)
}
