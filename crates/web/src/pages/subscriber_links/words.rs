//! What the pages behind a message's links say, in each language: a struct, so that no language can lack a word.

use domain::language::Language;
use http::StatusCode;

use crate::pages::words::Said;
use crate::problem::Problem;

/// The words of these pages.
pub(super) struct Words {
    pub(super) ask_to_confirm: Said,
    pub(super) confirm: &'static str,
    pub(super) confirmed: &'static str,
    pub(super) confirmed_already: Said,
    pub(super) ask_to_unsubscribe: Said,
    pub(super) unsubscribe: &'static str,
    pub(super) unsubscribed: &'static str,
    pub(super) unsubscribed_already: Said,
    invalid_link: Said,
    replaced_link: Said,
    expired_link: Said,
    ended: Said,
    unknown: Said,
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

    /// What is said of a link that does nothing; nothing of what concerns the program.
    pub(super) fn of_problem(&self, problem: &Problem) -> Option<Said> {
        let said = match (problem.status, problem.code) {
            (StatusCode::BAD_REQUEST, "invalid_token") => self.invalid_link,
            (StatusCode::GONE, "confirmation_replaced") => self.replaced_link,
            (StatusCode::GONE, "confirmation_expired") => self.expired_link,
            (StatusCode::GONE, _) => self.ended,
            (StatusCode::NOT_FOUND, _) => self.unknown,
            _ => return None,
        };
        Some(said)
    }
}

static ENGLISH: Words = Words {
    ask_to_confirm: (
        "Confirm your subscription",
        "New orders will be announced to this address. If you did not ask for it, close this page.",
    ),
    confirm: "Confirm",
    confirmed: "Subscription confirmed",
    confirmed_already: (
        "Already confirmed",
        "Nothing more is needed: new orders are announced to this address.",
    ),
    ask_to_unsubscribe: ("Unsubscribe", "No more orders will be announced to this address."),
    unsubscribe: "Unsubscribe",
    unsubscribed: "Unsubscribed",
    unsubscribed_already: (
        "Already unsubscribed",
        "This subscription has ended: no more orders are announced to this address.",
    ),
    invalid_link: ("This link is not valid", "Perhaps a part of it is missing: copy all of it."),
    replaced_link: (
        "This link is no longer valid",
        "A newer confirmation was sent; use the link in that one.",
    ),
    expired_link: ("This link is no longer valid", "The confirmation has expired; ask for a new one."),
    ended: ("This link is no longer valid", "The subscription has ended."),
    unknown: ("Not found", "There is no such subscription."),
};

static GERMAN: Words = Words {
    ask_to_confirm: (
        "Abonnement bestätigen",
        "Neue Bestellungen werden an diese Adresse gemeldet. Wenn Sie das nicht angefordert haben, schließen Sie diese Seite.",
    ),
    confirm: "Bestätigen",
    confirmed: "Abonnement bestätigt",
    confirmed_already: (
        "Schon bestätigt",
        "Sie müssen nichts weiter tun: Neue Bestellungen werden an diese Adresse gemeldet.",
    ),
    ask_to_unsubscribe: ("Abbestellen", "An diese Adresse werden dann keine Bestellungen mehr gemeldet."),
    unsubscribe: "Abbestellen",
    unsubscribed: "Abbestellt",
    unsubscribed_already: (
        "Schon abbestellt",
        "Dieses Abonnement ist beendet: An diese Adresse werden keine Bestellungen mehr gemeldet.",
    ),
    invalid_link: (
        "Dieser Link ist ungültig",
        "Vielleicht fehlt ein Teil davon: Kopieren Sie ihn vollständig.",
    ),
    replaced_link: (
        "Dieser Link gilt nicht mehr",
        "Es wurde eine neuere Nachricht geschickt; verwenden Sie den Link darin.",
    ),
    expired_link: (
        "Dieser Link gilt nicht mehr",
        "Die Frist zum Bestätigen ist abgelaufen; fordern Sie einen neuen Link an.",
    ),
    ended: ("Dieser Link gilt nicht mehr", "Das Abonnement ist beendet."),
    unknown: ("Nicht gefunden", "Dieses Abonnement gibt es nicht."),
};

static FRENCH: Words = Words {
    ask_to_confirm: (
        "Confirmer l’abonnement",
        "Les nouvelles commandes seront signalées à cette adresse. Si vous n’avez rien demandé, fermez cette page.",
    ),
    confirm: "Confirmer",
    confirmed: "Abonnement confirmé",
    confirmed_already: (
        "Déjà confirmé",
        "Il n’y a plus rien à faire\u{a0}: les nouvelles commandes sont signalées à cette adresse.",
    ),
    ask_to_unsubscribe: ("Se désabonner", "Plus aucune commande ne sera signalée à cette adresse."),
    unsubscribe: "Se désabonner",
    unsubscribed: "Désabonnement effectué",
    unsubscribed_already: (
        "Désabonnement déjà effectué",
        "Cet abonnement est terminé\u{a0}: plus aucune commande n’est signalée à cette adresse.",
    ),
    invalid_link: (
        "Ce lien n’est pas valable",
        "Il en manque peut-être une partie\u{a0}: copiez-le en entier.",
    ),
    replaced_link: (
        "Ce lien n’est plus valable",
        "Un message plus récent a été envoyé\u{202f}; utilisez le lien qui s’y trouve.",
    ),
    expired_link: (
        "Ce lien n’est plus valable",
        "Le délai de confirmation est écoulé\u{202f}; demandez un nouveau lien.",
    ),
    ended: ("Ce lien n’est plus valable", "L’abonnement est terminé."),
    unknown: ("Introuvable", "Cet abonnement n’existe pas."),
};

static SPANISH: Words = Words {
    ask_to_confirm: (
        "Confirmar la suscripción",
        "Los avisos de nuevos pedidos se enviarán a esta dirección. Si no lo ha solicitado, cierre esta página.",
    ),
    confirm: "Confirmar",
    confirmed: "Suscripción confirmada",
    confirmed_already: (
        "Ya está confirmada",
        "No hace falta nada más: los avisos de nuevos pedidos se envían a esta dirección.",
    ),
    ask_to_unsubscribe: ("Darse de baja", "No se enviarán más avisos de pedidos a esta dirección."),
    unsubscribe: "Darse de baja",
    unsubscribed: "Se ha dado de baja",
    unsubscribed_already: (
        "Ya se dio de baja",
        "Esta suscripción ha terminado: no se envían más avisos de pedidos a esta dirección.",
    ),
    invalid_link: ("Este enlace no es válido", "Quizá falte una parte: cópielo entero."),
    replaced_link: (
        "Este enlace ya no es válido",
        "Se envió un mensaje más reciente; use el enlace que contiene.",
    ),
    expired_link: (
        "Este enlace ya no es válido",
        "El plazo para confirmar ha vencido; pida un enlace nuevo.",
    ),
    ended: ("Este enlace ya no es válido", "La suscripción ha terminado."),
    unknown: ("No encontrada", "Esta suscripción no existe."),
};
