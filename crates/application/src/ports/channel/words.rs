//! What a message that is about no order says, in each language: a struct, so that no language can lack a word.

use domain::language::Language;

/// The words of the confirmation request and of the test.
pub(super) struct Words {
    pub(super) confirm_subject: &'static str,
    /// Who asks, where the shop has no name.
    pub(super) somebody: &'static str,
    /// After who asks, and after the time until which the link works.
    pub(super) confirm_text: (&'static str, &'static str),
    pub(super) test_subject: &'static str,
    /// As a text message, too: in the GSM alphabet.
    pub(super) test_text: &'static str,
}

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::De => &GERMAN,
            Language::Fr => &FRENCH,
            Language::Es => &SPANISH,
        }
    }
}

static ENGLISH: Words = Words {
    confirm_subject: "Confirm your subscription to new orders",
    somebody: "Someone",
    confirm_text: (
        " asked for this address to be told of new orders.\nTo receive them, open the link below and confirm by ",
        ".\nIf it was not you, do nothing: you will not hear from us.",
    ),
    test_subject: "Test of your subscription to new orders",
    test_text: "This is a test: messages about new orders reach you here.",
};

static GERMAN: Words = Words {
    confirm_subject: "Bestätigen Sie Ihr Abonnement für neue Bestellungen",
    somebody: "Jemand",
    confirm_text: (
        " hat darum gebeten, neue Bestellungen an diese Adresse zu melden.\nUm sie zu erhalten, öffnen Sie den Link \
         unten und bestätigen Sie bis ",
        ".\nWenn Sie das nicht waren, brauchen Sie nichts zu tun: Sie hören dann nicht wieder von uns.",
    ),
    test_subject: "Test Ihres Abonnements für neue Bestellungen",
    test_text: "Dies ist ein Test: Nachrichten über neue Bestellungen erreichen Sie hier.",
};

static FRENCH: Words = Words {
    confirm_subject: "Confirmez votre abonnement aux nouvelles commandes",
    somebody: "Quelqu’un",
    confirm_text: (
        " a demandé que les nouvelles commandes soient signalées à cette adresse.\nPour les recevoir, ouvrez le lien \
         ci-dessous et confirmez avant le ",
        ".\nSi ce n’était pas vous, ne faites rien\u{a0}: vous n’entendrez plus parler de nous.",
    ),
    test_subject: "Test de votre abonnement aux nouvelles commandes",
    test_text: "Ceci est un test. Les messages sur les nouvelles commandes vous parviennent ici.",
};

static SPANISH: Words = Words {
    confirm_subject: "Confirme su suscripción a los nuevos pedidos",
    somebody: "Alguien",
    confirm_text: (
        " ha solicitado que se envíen avisos de nuevos pedidos a esta dirección.\nPara recibirlos, abra el enlace de abajo \
         y confirme antes del ",
        ".\nSi no fue usted, no haga nada: no volverá a saber de nosotros.",
    ),
    test_subject: "Prueba de su suscripción a los nuevos pedidos",
    test_text: "Esto es una prueba: los avisos de nuevos pedidos le llegan por este medio.",
};
