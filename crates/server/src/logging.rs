//! The log: text for a terminal, JSON otherwise, on standard error. Logging never waits for whoever reads it.

mod json_lines;
mod line_queue;

use std::io::{self, IsTerminal};
use std::panic;
use std::sync::Arc;

use domain::Timestamp;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use self::json_lines::{JsonLines, Members};
use self::line_queue::LineQueue;
use crate::config::LogFormat;

/// Counts the lines that could not be written.
pub(crate) const DROPPED: &str = "orderbell_log_lines_dropped_total";

/// The log that was started; clones share it.
#[derive(Clone)]
pub(crate) struct Log(Arc<LineQueue>);

/// Writes what was logged last when it is dropped, as a panic does too.
pub(crate) struct LastLines(Log);

/// Starts the log, which from here on also tells of panics.
///
/// # Errors
/// The system gives no thread.
pub(crate) fn start(filter: EnvFilter, format: LogFormat) -> io::Result<(Log, LastLines)> {
    let is_json = match format {
        LogFormat::Auto => !io::stderr().is_terminal(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let log = Log(LineQueue::start(io::stderr(), if is_json { lost_as_json } else { lost_as_text })?);
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(log.clone());
    match format {
        _ if is_json => lines.fmt_fields(Members).event_format(JsonLines).init(),
        LogFormat::Auto => lines.with_target(false).init(),
        LogFormat::Text | LogFormat::Json => lines.with_target(false).with_ansi(false).init(),
    }
    // The library's own would write to standard error itself, and wait for whoever reads that.
    panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        tracing::error!(at, "panicked: {}", panic.payload_as_str().unwrap_or("no word"));
    }));
    Ok((log.clone(), LastLines(log)))
}

impl Drop for LastLines {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Log {
    /// Writes a line for people, in no form but its own.
    pub(crate) fn say(&self, line: &str) {
        self.0.push(format!("{line}\n").as_bytes());
    }

    /// Waits until all that was logged is written, or cannot be written in a second. What is logged later is lost.
    pub(crate) fn end(&self) {
        self.0.end();
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl io::Write for Log {
    /// Takes a whole line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lost_as_text(lines: u64) -> String {
    format!("{:.6}  WARN {lines} lines of the log were dropped\n", now())
}

fn lost_as_json(lines: u64) -> String {
    let message = format!("{lines} lines of the log were dropped");
    format!(
        "{{\"timestamp\":\"{:.6}\",\"level\":\"WARN\",\"message\":\"{message}\",\"lines\":{lines}}}\n",
        now()
    )
}

#[expect(clippy::disallowed_methods, reason = "a log says when, by the machine's own clock")]
fn now() -> Timestamp {
    Timestamp::now()
}
