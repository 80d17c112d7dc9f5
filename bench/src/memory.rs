//! What a running server takes.

use std::fs;

use anyhow::{Context, Result};

use crate::server::Server;

/// Its resident memory in MB (10⁶ bytes).
///
/// # Errors
/// The system does not say.
pub(crate) fn now_mb(server: &Server) -> Result<f64> {
    in_mb(server, "VmRSS:")
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
