//! What stands around each page that is in its reader's language: a struct, so that no language can lack a word.

use domain::language::Language;
use http::StatusCode;

/// A title and the sentences below it.
pub(crate) type Said = (&'static str, &'static str);

/// The words of a page's frame.
pub(crate) struct FrameWords {
    pub(crate) language: Language,
    pub(crate) navigation: &'static str,
    pub(crate) order: &'static str,
    pub(crate) console: &'static str,
    not_served: Said,
    wrong: Said,
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

    /// What is said of a failure that is the program's own: whoever reads it can only come again.
    pub(crate) fn failure(&self, status: StatusCode) -> Said {
        if status == StatusCode::NOT_IMPLEMENTED { self.not_served } else { self.wrong }
    }
}

static ENGLISH: FrameWords = FrameWords {
    language: Language::En,
    navigation: "Main",
    order: "Order",
    console: "Console",
    not_served: ("Not served here", "This host does not serve that."),
    wrong: ("Something went wrong", "Try again in a few minutes."),
};

static GERMAN: FrameWords = FrameWords {
    language: Language::De,
    navigation: "Hauptmenü",
    order: "Bestellen",
    console: "Konsole",
    not_served: ("Das geht hier nicht", "Dieses System bietet das nicht an."),
    wrong: ("Etwas ist schiefgegangen", "Versuchen Sie es in ein paar Minuten noch einmal."),
};

static FRENCH: FrameWords = FrameWords {
    language: Language::Fr,
    navigation: "Menu principal",
    order: "Commander",
    console: "Console",
    not_served: ("Pas disponible ici", "Ce système ne propose pas cela."),
    wrong: ("Une erreur s’est produite", "Réessayez dans quelques minutes."),
};

static SPANISH: FrameWords = FrameWords {
    language: Language::Es,
    navigation: "Menú principal",
    order: "Hacer un pedido",
    console: "Consola",
    not_served: ("No disponible aquí", "Este sistema no ofrece eso."),
    wrong: ("Algo ha fallado", "Inténtelo de nuevo dentro de unos minutos."),
};
