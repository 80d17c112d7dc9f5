//! How a text message is counted, and made to fit.
//!
//! A text message goes in parts of 140 bytes. One whose characters all stand in the GSM alphabet has 7 bits to a
//! character, any other has 16; several parts are joined by a header of 6 bytes in each (3GPP TS 23.040, 9.2.3.24.1).

use std::fmt;
use std::num::NonZeroU8;

use unicode_segmentation::UnicodeSegmentation;

/// The GSM 7 bit default alphabet, each character one septet (3GPP TS 23.038, 6.2.1). Its escape is no character.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Its extension: each character an escape and a septet (3GPP TS 23.038, 6.2.1.1).
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// In what a text message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// GSM 7 bit: up to 160 septets in one part, 153 in each of several.
    Gsm7,
    /// UCS-2, as UTF-16: up to 70 units in one part, 67 in each of several.
    Ucs2,
}

/// What a text message takes, and is charged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// In what it is written: one character outside the GSM alphabet makes all of it UCS-2.
    pub alphabet: Alphabet,
    /// How many parts it goes in; at least 1.
    pub count: usize,
}

/// The link alone takes more parts than a message may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkTooLong {
    /// The parts that the link takes.
    pub link: Parts,
    /// The parts that a message may have.
    pub most: NonZeroU8,
}

/// Counts what `text` takes. No character is split between two parts, so that a part may have room left.
#[must_use]
pub fn parts(text: &str) -> Parts {
    let alphabet = Alphabet::of(text);
    let (single, joined) = alphabet.room();
    if text.chars().map(|c| alphabet.units(c)).sum::<usize>() <= single {
        return Parts { alphabet, count: 1 };
    }
    let (mut count, mut used) = (1, 0);
    for units in text.chars().map(|c| alphabet.units(c)) {
        if used + units > joined {
            (count, used) = (count + 1, 0);
        }
        used += units;
    }
    Parts { alphabet, count }
}

/// The message that says `text` and then, on a line of its own, `link`, in at most `most` parts. What does not fit is
/// cut off the text between two characters as people see them, and an ellipsis stands there; the link is never cut.
///
/// # Errors
/// The link alone is too long.
pub fn fitted(text: &str, link: Option<&str>, most: NonZeroU8) -> Result<String, LinkTooLong> {
    let tail = link.map_or_else(String::new, |link| format!("\n{link}"));
    let fits = |message: &String| parts(message).count <= most.get().into();
    if let Some(whole) = Some(format!("{text}{tail}")).filter(fits) {
        return Ok(whole);
    }
    // No character is less than a unit, so that no longer beginning can fit.
    let (longest, _) = Alphabet::Gsm7.room();
    let beginnings: Vec<&str> = text
        .grapheme_indices(true)
        .take(longest * usize::from(most.get()))
        .map(|(end, _)| text[..end].trim_end())
        .collect();
    let cut = beginnings.iter().rev().map(|beginning| {
        let ellipsis = Alphabet::of(&format!("{beginning}{tail}")).ellipsis();
        format!("{beginning}{ellipsis}{tail}")
    });
    let link = link.unwrap_or_default();
    cut.chain([link.to_owned()]).find(fits).ok_or_else(|| LinkTooLong { link: parts(link), most })
}

impl Alphabet {
    /// The alphabet that `text` has to be written in.
    fn of(text: &str) -> Self {
        if text.chars().all(|c| septets(c).is_some()) { Self::Gsm7 } else { Self::Ucs2 }
    }

    /// The units that one part holds alone, and joined to others.
    fn room(self) -> (usize, usize) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }

    fn units(self, c: char) -> usize {
        match self {
            Self::Gsm7 => septets(c).unwrap_or_default(),
            Self::Ucs2 => c.len_utf16(),
        }
    }

    /// The GSM alphabet has no ellipsis of its own.
    fn ellipsis(self) -> &'static str {
        match self {
            Self::Gsm7 => "...",
            Self::Ucs2 => "…",
        }
    }
}

/// The septets of a character, if it stands in the GSM alphabet.
fn septets(c: char) -> Option<usize> {
    if BASIC.contains(c) { Some(1) } else { EXTENSION.contains(c).then_some(2) }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alphabet = match self.alphabet {
            Alphabet::Gsm7 => "GSM-7",
            Alphabet::Ucs2 => "UCS-2",
        };
        let parts = if self.count == 1 { "part" } else { "parts" };
        write!(f, "{} {parts} of {alphabet}", self.count)
    }
}

impl fmt::Display for LinkTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its link alone takes {}, and a message may have {}", self.link, self.most)
    }
}

impl std::error::Error for LinkTooLong {}

#[cfg(test)]
mod tests;
