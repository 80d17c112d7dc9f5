//! What a server or a store holds, made harmless to the terminal that shows it.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with every harmful character written as `\u001b`. Line breaks and tabs stay. It may be JSON: its strings hold
/// these characters where its form does not, and the same notation stands for them there.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_harmful(c) {
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Whether a terminal obeys the character (C0 and C1 controls, DEL), or shows what follows it in another order or line
/// than it stands in (Unicode's `Bidi_Control`, U+2028, U+2029).
fn is_harmful(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        other => other.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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
            assert_eq!(harmless(text), shown);
        }
    }

    #[test]
    fn json_stays_the_same_json() {
        let note = "\u{0}\u{1b}\u{7f}\u{80}\u{9b}\u{9f}\u{202e}\u{2069}\n\t\"\\";
        let value = json!({ "note": note, "\u{9b}": [note] });
        let printed = format!("{value:#}");
        let shown = harmless(&printed);
        assert!(!shown.contains(is_harmful), "{shown}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
    }
}
