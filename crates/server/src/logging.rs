//! The log: text for a terminal, JSON otherwise, on standard error. Logging never waits for whoever reads it.

mod line_queue;

use std::io::{self, IsTerminal};
use std::sync::Arc;

use application::ports::Clock;
use host::{JsonLines, Members, SystemClock};
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Filter, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry};

use self::line_queue::LineQueue;
use crate::config::LogFormat;

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
    let lines = fmt::layer().with_writer(log.clone());
    let begun = Registry::default();
    match format {
        _ if is_json => {
            begun.with(lines.fmt_fields(Members).event_format(JsonLines).with_filter(wanted(filter))).init();
        }
        LogFormat::Auto => begun.with(lines.with_target(false).with_filter(wanted(filter))).init(),
        LogFormat::Text | LogFormat::Json => {
            begun.with(lines.with_target(false).with_ansi(false).with_filter(wanted(filter))).init();
        }
    }
    host::tell_of_panics();
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

/// Of Orderbell's own lines, those that the filter wants.
fn wanted(filter: EnvFilter) -> impl Filter<Registry> {
    filter.and(filter_fn(host::ours))
}

fn lost_as_text(lines: u64) -> String {
    format!("{:.6}  WARN {lines} lines of the log were dropped\n", SystemClock.now())
}

fn lost_as_json(lines: u64) -> String {
    let message = format!("{lines} lines of the log were dropped");
    format!(
        "{{\"timestamp\":\"{:.6}\",\"level\":\"WARN\",\"message\":\"{message}\",\"lines\":{lines}}}\n",
        SystemClock.now()
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_librarys_lines_are_written_at_no_level() {
        let written: &Mutex<Vec<u8>> = Box::leak(Box::default());
        let layer =
            fmt::layer().with_writer(|| written.make_writer()).with_filter(wanted(EnvFilter::new("trace")));
        tracing::subscriber::with_default(Registry::default().with(layer), || {
            tracing::error!(target: "hyper::proto", "theirs: x-api-key");
            tracing::error!(target: "aws_smithy_runtime::client", "theirs: a signature");
            tracing::warn!(target: "log", "theirs: a header");
            tracing::trace!(target: "rustls::client", "theirs: a name");
            tracing::trace!(target: "orderbell_web::observe", "ours");
        });
        let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        assert!(written.contains("ours") && !written.contains("theirs"), "{written}");
    }
}
