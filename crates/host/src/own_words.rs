//! The log's allow-list: our own targets, and of a panic only a literal message, which nothing was put into.

use std::any::Any;
use std::panic;

use tracing::Metadata;

/// What the targets of our own lines begin with: the names of the crates, and of the program on Lambda.
const OURS: [&str; 3] = ["orderbell", "bootstrap", "aws::"];

/// Whether a line is Orderbell's own. A library's may hold whatever passes through it: headers, keys, messages.
#[must_use]
pub fn ours(line: &Metadata<'_>) -> bool {
    OURS.iter().any(|ours| line.target().starts_with(ours))
}

/// Has the log tell of panics from here on. The library's own hook writes to standard error itself, in whatever words,
/// and waits for whoever reads that.
pub fn tell_of_panics() {
    panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        tracing::error!(target: "orderbell", at, "panicked: {}", own_words(panic.payload()));
    }));
}

/// What a panic says, if nothing was put into it: a message that was made up may quote what it broke at.
#[must_use]
pub fn own_words(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("its words may quote data and are not told")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::Value;
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;
    use crate::{JsonLines, Members};

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

    #[test]
    fn a_panic_is_a_line_of_the_log_that_says_where_and_repeats_no_data() {
        let written: &Mutex<Vec<u8>> = Box::leak(Box::default());
        let subscriber = tracing_subscriber::fmt().fmt_fields(Members).event_format(JsonLines);
        let subscriber = subscriber.with_writer(|| written.make_writer());
        let before = panic::take_hook();
        tell_of_panics();
        tracing::subscriber::with_default(subscriber.finish(), || {
            let name = "Jane";
            panic::catch_unwind(|| panic!("no place for {name}")).unwrap_err();
        });
        panic::set_hook(before);
        let line: Value = serde_json::from_slice(&written.lock().unwrap()).unwrap();
        assert_eq!(line["message"], "panicked: its words may quote data and are not told");
        assert!(line["at"].as_str().unwrap().contains("own_words.rs:"), "{line}");
    }
}
