//! What a server or a store holds, as a person is shown it: in words, by the clock of this machine, and harmless to the
//! terminal.

use std::borrow::Cow;
use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// The text with every harmful character written as `\u001b`. Line breaks and tabs stay. It may be JSON: its strings hold
/// these characters where its form does not, and the same notation stands for them there.
pub(super) fn terminal_safe(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe_for_terminal) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe_for_terminal(c) {
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Whether a terminal obeys the character (C0 and C1 controls, DEL), or shows what follows it in another order or line
/// than it stands in (Unicode's `Bidi_Control`, U+2028, U+2029).
fn is_unsafe_for_terminal(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        other => other.is_control(),
    }
}

/// Members that are times.
const TIMES: [&str; 13] = [
    "/at",
    "/since",
    "/orderTime",
    "/createdAt",
    "/confirmedAt",
    "/confirmationExpiresAt",
    "/confirmationRequest/requestedAt",
    "/confirmationRequest/lastAttemptAt",
    "/confirmationRequest/nextAttemptAt",
    "/suspendedAt",
    "/failingSince",
    "/startedAt",
    "/endedAt",
];

/// Members that are names of ours.
const NAMES: [&str; 9] = [
    "/event",
    "/outcome",
    "/state",
    "/stateBefore",
    "/kind",
    "/pendingReason",
    "/confirmationRequest/waitsBecause",
    "/suspensionReason",
    "/endReason",
];

/// A member of an answer as a person reads it: times by this machine's clock, names in words.
pub(super) fn member(answer: &Value, pointer: &str) -> String {
    let text = cell(answer.pointer(pointer));
    // A reason may be a provider's own words, which are left as they are.
    let is_name = || text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    if TIMES.contains(&pointer) {
        local_time(&text)
    } else if NAMES.contains(&pointer) || (pointer == "/reason" && is_name()) {
        text.replace('_', " ")
    } else {
        text
    }
}

/// A number of things, as in "1 order" and "2 orders".
pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

/// The time in this machine's zone, to the second; what is no time, as it is.
pub(super) fn local_time(text: &str) -> String {
    in_zone(text, TimeZone::system())
}

fn in_zone(text: &str, zone: TimeZone) -> String {
    let time = text.parse::<Timestamp>().map(|time| time.to_zoned(zone));
    time.map_or_else(|_| text.to_owned(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// A value as a person reads it.
pub(super) fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        for (text, shown) in [
            ("\u{1b}]0;owned\u{7}", "\\u001b]0;owned\\u0007"),
            ("\u{9b}31m", "\\u009b31m"),
            ("\rover", "\\u000dover"),
            ("\u{7f}\u{8}", "\\u007f\\u0008"),
            ("a\u{202e}b\u{2066}c\u{200f}", "a\\u202eb\\u2066c\\u200f"),
            ("one\u{2028}line", "one\\u2028line"),
            ("Zoë 👩\u{200d}🍳 שלום\tok\n", "Zoë 👩\u{200d}🍳 שלום\tok\n"),
        ] {
            assert_eq!(terminal_safe(text), shown);
        }
    }

    #[test]
    fn json_stays_the_same_json() {
        let note = "\u{0}\u{1b}\u{7f}\u{80}\u{9b}\u{9f}\u{202e}\u{2069}\n\t\"\\";
        let value = json!({ "note": note, "\u{9b}": [note] });
        let printed = format!("{value:#}");
        let shown = terminal_safe(&printed);
        assert!(!shown.contains(is_unsafe_for_terminal), "{shown}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
    }

    #[test]
    fn times_are_told_to_the_second_where_the_reader_is() {
        let zone = TimeZone::fixed(tz::offset(2));
        assert_eq!(in_zone("2026-11-30T23:15:09.123456Z", zone.clone()), "2026-12-01 01:15:09");
        assert_eq!(in_zone("no time", zone), "no time");
    }
}
