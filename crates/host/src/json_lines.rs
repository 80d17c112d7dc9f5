//! A JSON object a line: the event's fields and those of the request around it, side by side.
//!
//! The library's own JSON format reads a span's fields back with every event; at tens of thousands of orders a second
//! that costs as much as storing them. Here a span's fields are written once and copied.

use std::fmt::{self, Debug, Write as _};

use application::ports::Clock;
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing::{Event, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::SystemClock;

/// Writes fields as members of a JSON object, without its braces.
#[derive(Debug, Clone, Copy)]
pub struct Members;

/// Writes an event as a line.
#[derive(Debug, Clone, Copy)]
pub struct JsonLines;

impl<'writer> FormatFields<'writer> for Members {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        write_members(writer, true, fields)
    }

    /// What a span learns after it began.
    fn add_fields(&self, current: &'writer mut FormattedFields<Self>, fields: &Record<'_>) -> fmt::Result {
        let first = current.is_empty();
        write_members(current.as_writer(), first, fields)
    }
}

impl<S> FormatEvent<S, Members> for JsonLines
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, Members>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        write!(writer, "{{\"timestamp\":\"{:.6}\",\"level\":\"", SystemClock.now())?;
        writer.write_str(event.metadata().level().as_str())?;
        writer.write_str("\"")?;
        write_members(writer.by_ref(), false, event)?;
        for span in context.event_scope().into_iter().flatten() {
            if let Some(members) =
                span.extensions().get::<FormattedFields<Members>>().filter(|members| !members.is_empty())
            {
                writer.write_str(",")?;
                writer.write_str(members)?;
            }
        }
        writer.write_str("}\n")
    }
}

/// Writes fields as members, of which the `first` has no comma before it.
fn write_members(writer: Writer<'_>, first: bool, fields: impl RecordFields) -> fmt::Result {
    let mut member = Member { writer, written: Ok(()), first };
    fields.record(&mut member);
    member.written
}

/// Writes one member after the other.
struct Member<'writer> {
    writer: Writer<'writer>,
    written: fmt::Result,
    first: bool,
}

impl Member<'_> {
    fn write(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.written.is_ok() {
            let opening = if std::mem::take(&mut self.first) { "\"" } else { ",\"" };
            let name =
                [opening, field.name(), "\":"].into_iter().try_for_each(|part| self.writer.write_str(part));
            self.written = name.and_then(|()| value(&mut self.writer));
        }
    }
}

impl Visit for Member<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.write(field, |writer| string(writer, |text| write!(text, "{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.write(field, |writer| string(writer, |text| text.write_str(value)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.write(field, |writer| write!(writer, "{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.write(field, |writer| write!(writer, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.write(field, |writer| write!(writer, "{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // What JSON has no number for becomes null.
        self.write(field, |writer| write!(writer, "{}", Value::from(value)));
    }
}

/// A JSON string of what is `written` to it.
fn string(writer: &mut Writer<'_>, written: impl FnOnce(&mut Escaped<'_>) -> fmt::Result) -> fmt::Result {
    writer.write_str("\"")?;
    written(&mut Escaped(writer.by_ref()))?;
    writer.write_str("\"")
}

/// Text inside a JSON string.
struct Escaped<'writer>(Writer<'writer>);

impl fmt::Write for Escaped<'_> {
    /// Most texts need no escape and are copied.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
            return self.0.write_str(text);
        }
        let quoted = Value::from(text).to_string();
        self.0.write_str(&quoted[1..quoted.len() - 1])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use domain::Timestamp;
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    fn logged(log: impl FnOnce()) -> Vec<Value> {
        let written: &Mutex<Vec<u8>> = Box::leak(Box::default());
        let subscriber = tracing_subscriber::fmt().fmt_fields(Members).event_format(JsonLines);
        let subscriber = subscriber.with_writer(|| written.make_writer());
        tracing::subscriber::with_default(subscriber.finish(), log);
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn every_line_is_one_object_with_the_fields_of_the_event_and_of_the_spans_around_it() {
        let lines = logged(|| {
            let _request = tracing::info_span!("request", request_id = "abc", path = "/orders").entered();
            let _empty = tracing::info_span!("inner").entered();
            tracing::info!(count = 3, ratio = 0.5, good = true, missing = None::<u32>, "an order {}", "came");
            tracing::warn!(request = "of its own");
        });
        let line = &lines[0];
        assert_eq!((&line["message"], &line["level"]), (&"an order came".into(), &"INFO".into()));
        assert_eq!((&line["request_id"], &line["path"]), (&"abc".into(), &"/orders".into()));
        assert_eq!((&line["count"], &line["ratio"], &line["good"]), (&3.into(), &0.5.into(), &true.into()));
        assert!(line.get("missing").is_none());
        assert!(line["timestamp"].as_str().unwrap().parse::<Timestamp>().is_ok());
        assert_eq!(lines[1]["request"], "of its own");
    }

    #[test]
    fn what_a_span_learns_later_stands_in_the_lines_after_it() {
        let lines = logged(|| {
            let outer = tracing::info_span!("outer", from = "the start", later = tracing::field::Empty);
            let _outer = outer.clone().entered();
            let inner = tracing::info_span!("inner", status = tracing::field::Empty).entered();
            outer.record("later", "that");
            inner.record("status", 200);
            tracing::info!("done");
        });
        let line = &lines[0];
        assert_eq!((&line["from"], &line["later"]), (&"the start".into(), &"that".into()));
        assert_eq!((&line["status"], &line["message"]), (&200.into(), &"done".into()));
    }

    #[test]
    fn a_text_that_would_break_the_line_is_escaped() {
        let hostile = "a \"quote\"\nand {\"another\": \"line\"} \\ \u{1b}[31m";
        let odd: String = ('\0'..'"').chain('\u{7f}'..='\u{ff}').chain(['\u{2028}', '📦']).collect();
        let lines = logged(|| {
            let _request = tracing::info_span!("request", odd).entered();
            tracing::info!(reply = hostile, other = f64::NAN, debug = ?hostile, "{hostile} and {odd}");
        });
        assert_eq!(lines.len(), 1);
        let line = &lines[0];
        assert_eq!((&line["reply"], &line["odd"]), (&hostile.into(), &odd.as_str().into()));
        assert_eq!(line["debug"], format!("{hostile:?}"));
        assert_eq!(line["message"], format!("{hostile} and {odd}"));
        assert!(line["other"].is_null());
    }
}
