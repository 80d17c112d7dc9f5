//! What stands around each page that is in its reader's language: a struct, so that no language can lack a word.

use domain::language::Language;

/// The words of a page's frame.
pub(crate) struct FrameWords {
    pub(crate) language: Language,
    pub(crate) navigation: &'static str,
    pub(crate) order: &'static str,
    pub(crate) console: &'static str,
}

impl FrameWords {
    /// The words of a language.
    pub(crate) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::De => &GERMAN,
            Language::Fr => &FRENCH,
            Language::Es => &SPANISH,
        }
    }
}

static ENGLISH: FrameWords =
    FrameWords { language: Language::En, navigation: "Main", order: "Order", console: "Console" };
static GERMAN: FrameWords =
    FrameWords { language: Language::De, navigation: "Hauptmenü", order: "Bestellen", console: "Konsole" };
static FRENCH: FrameWords = FrameWords {
    language: Language::Fr,
    navigation: "Menu principal",
    order: "Commander",
    console: "Console",
};
static SPANISH: FrameWords = FrameWords {
    language: Language::Es,
    navigation: "Menú principal",
    order: "Hacer un pedido",
    console: "Consola",
};
