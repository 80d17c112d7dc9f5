//! The log: text for a terminal, JSON otherwise, on standard error.

mod json_lines;

use std::io::{BufWriter, IsTerminal};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use self::json_lines::{JsonLines, Members};
use crate::config::LogFormat;

/// Lines that may wait to be written. When whoever reads the log falls further behind than that, the program waits for
/// it: no line is dropped.
const WAITING_LINES: usize = 16_384;

/// Lines that wait together are written together, so many bytes at once at the most.
const BUFFER: usize = 64 * 1024;

/// Starts the log. What waits is written when the guard is dropped.
pub(crate) fn start(filter: EnvFilter, format: LogFormat) -> WorkerGuard {
    let builder = NonBlockingBuilder::default().lossy(false).buffered_lines_limit(WAITING_LINES);
    let (writer, guard) = builder.finish(BufWriter::with_capacity(BUFFER, std::io::stderr()));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    match format {
        LogFormat::Auto if std::io::stderr().is_terminal() => log.with_target(false).init(),
        LogFormat::Text => log.with_target(false).with_ansi(false).init(),
        LogFormat::Auto | LogFormat::Json => {
            log.fmt_fields(Members).event_format(JsonLines).init();
        }
    }
    guard
}
