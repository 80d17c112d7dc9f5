//! The log: text for a terminal, JSON otherwise, on standard error. Logging never waits for whoever reads it.

mod json_lines;
mod line_queue;

use std::any::Any;
use std::io::{self, IsTerminal};
use std::panic;
use std::sync::Arc;

use domain::Timestamp;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Filter, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry};

use self::json_lines::{JsonLines, Members};
use self::line_queue::LineQueue;
use crate::config::LogFormat;

/// What the targets of our own lines begin with: each crate's name does.
const OURS: &str = "orderbell";
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
    // The library's own would write to standard error itself, and wait for whoever reads that.
    panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        tracing::error!(at, "panicked: {}", own_words(panic.payload()));
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

/// What a panic says, if nothing was put into it: a message that was made up may quote what it broke at.
pub(crate) fn own_words(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("its words may quote data and are not told")
}

/// Of Orderbell's own lines, those that the filter wants. A library's may hold whatever passes through it: headers, keys,
/// messages.
fn wanted(filter: EnvFilter) -> impl Filter<Registry> {
    filter.and(filter_fn(|line| line.target().starts_with(OURS)))
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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Mutex;

    use super::*;

    /// What was written.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_librarys_lines_are_written_at_no_level() {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer =
            fmt::layer().with_writer(move || writer.clone()).with_filter(wanted(EnvFilter::new("trace")));
        tracing::subscriber::with_default(Registry::default().with(layer), || {
            tracing::error!(target: "hyper::proto", "theirs: x-api-key");
            tracing::error!(target: "aws_smithy_runtime::client", "theirs: a signature");
            tracing::warn!(target: "log", "theirs: a header");
            tracing::trace!(target: "rustls::client", "theirs: a name");
            tracing::trace!(target: "orderbell_web::observe", "ours");
        });
        let written = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(written.contains("ours") && !written.contains("theirs"), "{written}");
    }

    #[test]
    fn of_a_panic_only_words_that_nothing_was_put_into_are_told() {
        let name = "Jane";
        for (payload, told) in [
            (Box::new("no place") as Box<dyn Any + Send>, "no place"),
            (Box::new(format!("no place for {name}")), "its words may quote data and are not told"),
            (Box::new(7), "its words may quote data and are not told"),
        ] {
            assert_eq!(own_words(&*payload), told);
        }
    }
}
