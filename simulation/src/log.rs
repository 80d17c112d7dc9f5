//! What the program logs: it is part of a run's trace, and held against.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// What was logged and is not yet heard.
pub(crate) struct Log {
    lines: Mutex<Vec<Line>>,
    listens_to: LevelFilter,
}

/// An event, in words.
pub(crate) struct Line {
    pub(crate) level: Level,
    pub(crate) words: String,
}

impl Log {
    /// One that hears everything, or errors alone.
    pub(crate) fn new(everything: bool) -> Arc<Self> {
        let listens_to = if everything { LevelFilter::TRACE } else { LevelFilter::ERROR };
        Arc::new(Self { lines: Mutex::default(), listens_to })
    }

    /// What was logged since this was last asked.
    pub(crate) fn take(&self) -> Vec<Line> {
        std::mem::take(&mut self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Line {
    /// Whether it tells of something that the program wanted of its store and did not get, but for what is damaged there.
    pub(crate) fn is_failure(&self) -> bool {
        let fails = self.level == Level::ERROR && self.words.contains("trying again");
        fails && !self.words.contains("unreadable_row")
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= self.listens_to
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.listens_to)
    }

    fn event(&self, event: &Event<'_>) {
        let mut words = Words(String::new());
        event.record(&mut words);
        let line = Line { level: *event.metadata().level(), words: words.0 };
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}
