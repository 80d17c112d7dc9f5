//! Whether a text shows anything to a person, and whether it is what is shown.

/// Whether `c` shows nothing by itself: white space, controls, and what Unicode has fonts leave out
/// (`Default_Ignorable_Code_Point` in DerivedCoreProperties.txt, the blank Braille pattern, and the marks of annotations).
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Whether `c` turns the direction of what follows it: Unicode's bidirectional embeddings, overrides and isolates.
pub(crate) fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` with each character that turns the direction of what follows it (Unicode's bidirectional embeddings, overrides
/// and isolates) written out, as `[U+202E]`: it can no longer make one name look like another.
#[must_use]
pub fn with_overrides_shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if turns_direction(c) {
            shown.extend(format!("[U+{:04X}]", u32::from(c)).chars());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_the_direction_is_written_out_and_the_rest_stays() {
        for (text, shown) in [
            ("\u{202e}exe", "[U+202E]exe"),
            ("a\u{2066}b\u{2069}", "a[U+2066]b[U+2069]"),
            ("\u{202d}\u{202c}", "[U+202D][U+202C]"),
            ("\u{202a}a\u{202b}", "[U+202A]a[U+202B]"),
            ("evil\u{202e}gpj.exe", "evil[U+202E]gpj.exe"),
            ("\u{2067}\u{2068}", "[U+2067][U+2068]"),
            ("\u{200f}\u{61c}", "\u{200f}\u{61c}"),
            ("مريم 👩\u{200d}🚀", "مريم 👩\u{200d}🚀"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
        ] {
            assert_eq!(with_overrides_shown(text), shown);
        }
    }
}
