//! What the program says of whom it works for.

mod logo;

use std::fmt;
use std::sync::Arc;

use crate::Invalid;
use crate::language::Language;
use crate::time_zone::TimeZone;
use crate::visible::is_invisible;

pub use logo::{Logo, MAX_LOGO, MAX_LOGO_PIXELS};

/// The longest name of a shop, in characters: it stands in text messages.
pub const MAX_SHOP_NAME: usize = 60;
/// The longest imprint, in characters.
pub const MAX_IMPRINT: usize = 1_000;

/// The shop that orders are placed at: one to a deployment.
#[derive(Debug, Clone)]
pub struct Shop {
    /// What it is called: on one line.
    pub name: Option<String>,
    /// Who is responsible for it, on one line or several: what the law asks for below mails and pages.
    pub imprint: Option<String>,
    /// What it is known by, above mails and on pages.
    pub logo: Option<Arc<Logo>>,
    /// That of its buttons, in mails and on pages.
    pub color: Color,
    /// What it says everything in, unless somebody chose another language for themselves.
    pub language: Language,
    /// What its times are told in.
    pub time_zone: TimeZone,
}

/// A color that white words can be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color([u8; 3]);

/// Without a name, in the indigo of the bell, in English, and in UTC.
impl Default for Shop {
    fn default() -> Self {
        Self {
            name: None,
            imprint: None,
            logo: None,
            color: Color([0x4f, 0x46, 0xe5]),
            language: Language::default(),
            time_zone: TimeZone::UTC,
        }
    }
}

impl Shop {
    /// Whether it chose its color: the built-in one is another in the dark.
    #[must_use]
    pub fn has_own_color(&self) -> bool {
        self.color != Self::default().color
    }
}

/// Reads a shop's name.
///
/// # Errors
/// `invalid_name`, with the limits.
pub fn shop_name(text: &str) -> Result<String, Invalid> {
    let name = text.trim();
    if name.chars().all(is_invisible)
        || name.chars().any(char::is_control)
        || name.chars().count() > MAX_SHOP_NAME
    {
        let message = format!("must be on one line, of at most {MAX_SHOP_NAME} characters that people see");
        return Err(Invalid::new("invalid_name", "shop.name", message));
    }
    Ok(name.to_owned())
}

/// Reads a shop's imprint.
///
/// # Errors
/// `invalid_imprint`, with the limits.
pub fn imprint(text: &str) -> Result<String, Invalid> {
    let imprint = text.trim();
    let is_shown = |c: char| c == '\n' || !c.is_control();
    if imprint.chars().all(is_invisible)
        || !imprint.chars().all(is_shown)
        || imprint.chars().count() > MAX_IMPRINT
    {
        let message =
            format!("must say something in at most {MAX_IMPRINT} characters, on one line or several");
        return Err(Invalid::new("invalid_imprint", "shop.imprint", message));
    }
    Ok(imprint.to_owned())
}

impl Color {
    /// Reads a color such as `#4f46e5`.
    ///
    /// # Errors
    /// `invalid_color` where it is none, or where white words on it have a contrast below 4.5.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = |message| Invalid::new("invalid_color", "shop.color", message);
        let digits = text
            .trim()
            .strip_prefix('#')
            .filter(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let part = |start: usize| u8::from_str_radix(digits?.get(start..start + 2)?, 16).ok();
        let parts = (part(0), part(2), part(4));
        let (Some(red), Some(green), Some(blue)) = parts else {
            return Err(invalid("must be # and six hexadecimal digits, such as #4f46e5"));
        };
        let color = Self([red, green, blue]);
        // The least contrast of words with what they stand on (WCAG 2.2, 1.4.3).
        if color.contrast_with_white() < 4.5 {
            return Err(invalid("is too light: the white words of a button could not be read on it"));
        }
        Ok(color)
    }

    /// WCAG 2.2, "contrast ratio" and "relative luminance".
    fn contrast_with_white(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
    }
}

/// As CSS has it.
impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_color_is_one_that_white_words_can_be_read_on() {
        for color in ["#4f46e5", "#000000", "#B00020", " #767676 "] {
            assert_eq!(Color::parse(color).unwrap().to_string(), color.trim().to_ascii_lowercase());
        }
        for color in ["#777777", "#ffffff", "#ffcc00"] {
            assert!(Color::parse(color).unwrap_err().message.contains("too light"), "{color}");
        }
        for none in ["", "#fff", "indigo", "#4f46e", "#4f46e55", "4f46e5", "#+f46e5", "#é46e5", "#4f46e5;x"]
        {
            assert!(Color::parse(none).unwrap_err().message.contains("six hexadecimal digits"), "{none}");
        }
    }

    #[test]
    fn a_name_is_one_line_and_an_imprint_may_be_several() {
        assert_eq!(shop_name(" Café Größing ").unwrap(), "Café Größing");
        assert_eq!(imprint("Café Größing\nMain St 1\n").unwrap(), "Café Größing\nMain St 1");
        for bad in ["", " ", "\u{200b}", "a\nb", "a\u{7}", &"x".repeat(MAX_SHOP_NAME + 1)] {
            assert!(shop_name(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "\n", "a\u{7}", &"x".repeat(MAX_IMPRINT + 1)] {
            assert!(imprint(bad).is_err(), "{bad:?}");
        }
    }
}
