//! The log: a JSON object a line on standard output, where Lambda collects it.

use std::fmt;

use domain::Timestamp;
use serde_json::{Map, Value};
use tracing::{Event, Subscriber};
use tracing_serde::fields::AsMap;
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields, MakeWriter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// What the targets of our own lines begin with: the crates' names.
const OURS: [&str; 3] = ["orderbell", "bootstrap", "aws::"];

/// Starts the log.
pub(crate) fn start(filter: Targets) {
    // It fails if there is a log already, which is as good.
    let _ = tracing::subscriber::set_global_default(subscriber(filter, std::io::stdout));
}

/// The spans around an invocation say which request it is and which trace it belongs to.
fn subscriber<W>(filter: Targets, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .fmt_fields(JsonFields::new())
        .event_format(JsonLines)
        .with_writer(writer);
    // A library's lines may hold whatever passes through it: headers, keys, messages.
    let ours = filter_fn(|line| OURS.iter().any(|ours| line.target().starts_with(ours)));
    tracing_subscriber::registry().with(filter).with(lines.with_filter(ours))
}

/// Writes an event as a line: its own fields and those of the spans around it, side by side.
struct JsonLines;

impl<S> FormatEvent<S, JsonFields> for JsonLines
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    #[expect(clippy::disallowed_methods, reason = "a log says when, by the machine's own clock")]
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        for span in context.event_scope().into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<FormattedFields<JsonFields>>() {
                line.extend(serde_json::from_str::<Map<String, Value>>(fields).unwrap_or_default());
            }
        }
        if let Ok(Value::Object(fields)) = serde_json::to_value(event.field_map()) {
            line.extend(fields);
        }
        line.insert("timestamp".to_owned(), format!("{:.6}", Timestamp::now()).into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        writeln!(writer, "{}", Value::Object(line))
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing::level_filters::LevelFilter;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: Targets, log: impl FnOnce()) -> Vec<Value> {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing::subscriber::with_default(subscriber(filter, move || writer.clone()), log);
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn every_line_is_one_object_with_the_request_and_the_trace_that_it_belongs_to() {
        let lines = logged(Targets::new().with_default(LevelFilter::INFO), || {
            let trace = Some("Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700");
            let _around =
                tracing::error_span!("invocation", requestId = "8f5e", xrayTraceId = trace).entered();
            tracing::info!(count = 3, "an order \"{}\"\ncame", "x");
            tracing::debug!("not wanted");
        });
        assert_eq!(lines.len(), 1);
        let line = &lines[0];
        assert_eq!(
            (&line["message"], &line["level"], &line["count"]),
            (&"an order \"x\"\ncame".into(), &"INFO".into(), &3.into())
        );
        assert_eq!(line["requestId"], "8f5e");
        assert_eq!(line["xrayTraceId"], "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700");
        assert!(line["timestamp"].as_str().unwrap().parse::<Timestamp>().is_ok());
    }

    #[test]
    fn a_line_names_its_request_even_where_only_errors_are_logged() {
        let lines = logged(Targets::new().with_default(LevelFilter::ERROR), || {
            let _around = tracing::error_span!("invocation", requestId = "8f5e").entered();
            tracing::error!("it broke");
        });
        assert_eq!(lines[0]["requestId"], "8f5e");
    }
}
