//! The languages that the built-in texts are written in.

pub mod numbers;
mod plurals;
pub mod times;

pub use plurals::Counted;

use crate::Invalid;

/// A language that everything built in is said in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// German.
    De,
    /// French.
    Fr,
    /// Spanish.
    Es,
}

impl Language {
    /// All that there are.
    pub const ALL: [Self; 4] = [Self::En, Self::De, Self::Fr, Self::Es];

    /// Its name, which is its tag (BCP 47), in settings, the API and the store, and in the `lang` of pages and mails.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Es => "es",
        }
    }

    /// The language of a tag such as `de` or `de-AT`, by its primary subtag (BCP 47, 2.2.1), in letters of either case.
    /// `None` of any other language, and of what is no tag.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let is_subtag = |subtag: &str| {
            (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let primary = tag.split('-').next().filter(|_| tag.split('-').all(is_subtag))?;
        Self::ALL.into_iter().find(|language| language.name().eq_ignore_ascii_case(primary))
    }

    /// Reads what is chosen as `field`.
    ///
    /// # Errors
    /// `invalid_language`, naming the field and the languages.
    pub fn parse(field: &str, tag: &str) -> Result<Self, Invalid> {
        let message = || format!("{field} must be {}", Self::CHOICES);
        Self::of_tag(tag).ok_or_else(|| Invalid::new("invalid_language", field, message()))
    }

    /// What can be chosen, in words.
    pub const CHOICES: &str = "en, de, fr or es, or a tag that begins so, such as de-AT";
}
