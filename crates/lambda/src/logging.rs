//! The log: a JSON object a line on standard output, where Lambda collects it.

use host::{JsonLines, Members};
use tracing::Subscriber;
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};

/// Starts the log, which from here on also tells of panics.
pub(crate) fn start(filter: Targets) {
    // It fails if there is a log already, which is as good.
    let _ = tracing::subscriber::set_global_default(subscriber(filter, std::io::stdout));
    host::tell_of_panics();
}

/// The spans around an invocation say which request it is and which trace it belongs to.
fn subscriber<W>(filter: Targets, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let lines =
        tracing_subscriber::fmt::layer().fmt_fields(Members).event_format(JsonLines).with_writer(writer);
    tracing_subscriber::registry().with(filter).with(lines.with_filter(filter_fn(host::ours)))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use domain::Timestamp;
    use serde_json::Value;
    use tracing::level_filters::LevelFilter;

    use super::*;

    fn logged(filter: Targets, log: impl FnOnce()) -> Vec<Value> {
        let written: &Mutex<Vec<u8>> = Box::leak(Box::default());
        tracing::subscriber::with_default(subscriber(filter, || written.make_writer()), log);
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
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
