//! How a text message is counted, and made to fit.
//!
//! A text message goes in parts of 140 bytes. One whose characters all stand in the GSM alphabet has 7 bits to a
//! character, any other has 16; several parts are joined by a header of 6 bytes in each (3GPP TS 23.040, 9.2.3.24.1).

use std::fmt;
use std::num::NonZeroU8;

use icu_normalizer::properties::{CanonicalDecompositionBorrowed, Decomposed};
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
    if alphabet.length(text) <= single {
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

/// What a message has room for, the line that it ends with counted in.
#[derive(Debug, Clone, Copy)]
pub struct Room<'a> {
    parts: NonZeroU8,
    bytes: usize,
    link: Option<&'a str>,
}

impl<'a> Room<'a> {
    /// At most so many parts.
    #[must_use]
    pub const fn of(parts: NonZeroU8) -> Self {
        Self { parts, bytes: usize::MAX, link: None }
    }

    /// At most so many bytes of UTF-8, too.
    #[must_use]
    pub const fn within(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    /// With a link on the last line, which is never cut.
    ///
    /// # Errors
    /// The link alone is too long.
    pub fn ending_with<'b>(self, link: &'b str) -> Result<Room<'b>, LinkTooLong>
    where
        'a: 'b,
    {
        let without: Room<'b> = Room { link: None, ..self };
        if without.holds(link) {
            Ok(Room { link: Some(link), ..without })
        } else {
            Err(LinkTooLong { link: parts(link), most: self.parts })
        }
    }

    /// The lines that it ends with once `link` stands before its own.
    pub(crate) fn ending(self, link: &str) -> String {
        self.link.map_or_else(|| link.to_owned(), |own| format!("{link}\n{own}"))
    }

    /// The message that says `text`, and then the link.
    pub(crate) fn message(self, text: &str) -> String {
        match self.link {
            Some(link) if text.is_empty() => link.to_owned(),
            Some(link) => format!("{text}\n{link}"),
            None => text.to_owned(),
        }
    }

    /// Whether the message that says `text` fits.
    pub(crate) fn holds(self, text: &str) -> bool {
        self.bytes_over(text) == 0 && parts(&self.message(text)).count <= self.parts.get().into()
    }

    /// By how many bytes the message that says `text` is too long.
    pub(crate) fn bytes_over(self, text: &str) -> usize {
        self.message(text).len().saturating_sub(self.bytes)
    }

    /// The units of an alphabet that a text has beside the link, however its characters fall into parts: one of two units
    /// may leave one empty at the end of each part but the last.
    pub(crate) fn units(self, alphabet: Alphabet) -> usize {
        let (single, joined) = alphabet.room();
        let parts = usize::from(self.parts.get());
        let all = if parts == 1 { single } else { parts * (joined - 1) + 1 };
        all.saturating_sub(self.link.map_or(0, |link| alphabet.length(link) + 1))
    }
}

/// The message that says `text` and then the room's link. What does not fit is cut off the text between two characters as
/// people see them, and an ellipsis stands there.
#[must_use]
pub fn fitted(text: &str, room: Room<'_>) -> String {
    if room.holds(text) {
        return room.message(text);
    }
    // No character is less than a unit, so that no longer beginning can fit.
    let (longest, _) = Alphabet::Gsm7.room();
    let ends: Vec<usize> = text
        .grapheme_indices(true)
        .take(longest * usize::from(room.parts.get()))
        .map(|(end, _)| end)
        .collect();
    let cut = |end: &usize| {
        let beginning = text[..*end].trim_end();
        format!("{beginning}{}", Alphabet::of(&room.message(beginning)).ellipsis())
    };
    // Where a beginning fits, so does every shorter one.
    let fitting = ends.partition_point(|end| room.holds(&cut(end)));
    room.message(&ends[..fitting].last().map(cut).unwrap_or_default())
}

/// `text` with the typographic characters that would make all of it UCS-2 written as the GSM alphabet has them, as in
/// `5 - "a"...` for `5 – “a”…`, and without those that show nothing. Letters stay: [`with_plain_letters`].
pub(crate) fn with_plain_punctuation(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '‘' | '’' | '‚' | '‛' | '′' | '´' | '`' => plain.push('\''),
            '“' | '”' | '„' | '‟' | '″' | '«' | '»' => plain.push('"'),
            '‐' | '\u{2011}' | '‒' | '–' | '—' | '―' | '−' | '•' => plain.push('-'),
            '…' => plain.push_str("..."),
            '×' => plain.push('x'),
            '\t' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' => plain.push(' '),
            '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}' => {}
            other => plain.push(other),
        }
    }
    plain
}

/// `text` with the letters that the GSM alphabet lacks without their marks, as in `Nuñez` for `Núñez`, where that leaves a letter
/// that it has: a text of twice the length is worth more than an accent.
pub(crate) fn with_plain_letters(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{300}'..='\u{36f}' => {}
            // What Unicode does not take apart.
            'œ' => plain.push_str("oe"),
            'Œ' => plain.push_str("OE"),
            'º' | '°' => plain.push('o'),
            'ª' => plain.push('a'),
            'ı' => plain.push('i'),
            'ł' => plain.push('l'),
            'Ł' => plain.push('L'),
            other => plain.push(plain_letter(other).unwrap_or(other)),
        }
    }
    plain
}

/// The letter of the GSM alphabet that a letter with marks is made of (Unicode's canonical decomposition).
fn plain_letter(c: char) -> Option<char> {
    if septets(c).is_some() {
        return Some(c);
    }
    match CanonicalDecompositionBorrowed::new().decompose(c) {
        Decomposed::Expansion(letter, _) | Decomposed::Singleton(letter) => plain_letter(letter),
        Decomposed::Default => None,
    }
}

impl Alphabet {
    /// The alphabet that `text` has to be written in.
    pub(crate) fn of(text: &str) -> Self {
        if text.chars().all(|c| septets(c).is_some()) { Self::Gsm7 } else { Self::Ucs2 }
    }

    /// The units that one part holds alone, and joined to others.
    fn room(self) -> (usize, usize) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }

    /// The units of a text; of a character that is not of this alphabet, one.
    pub(crate) fn length(self, text: &str) -> usize {
        text.chars().map(|c| self.units(c)).sum()
    }

    fn units(self, c: char) -> usize {
        match self {
            Self::Gsm7 => septets(c).unwrap_or(1),
            Self::Ucs2 => c.len_utf16(),
        }
    }

    /// The GSM alphabet has no ellipsis of its own.
    pub(crate) fn ellipsis(self) -> &'static str {
        match self {
            Self::Gsm7 => "...",
            Self::Ucs2 => "…",
        }
    }
}

/// The septets of a character, if it stands in the GSM alphabet.
fn septets(c: char) -> Option<usize> {
    // Most are, and are not looked for.
    if c.is_ascii_alphanumeric() || BASIC.contains(c) { Some(1) } else { EXTENSION.contains(c).then_some(2) }
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
