//! What a post says around an order or a request, in each language: a struct, so that no language can lack a word.

use domain::language::Language;

/// The words of a post beside those of a notification.
pub(super) struct Words {
    /// Before an order's short reference.
    pub(super) new_order: &'static str,
    /// What the link does that confirms.
    pub(super) confirm: &'static str,
    pub(super) unsubscribe: &'static str,
    /// Before where the rest of an order that was cut is.
    pub(super) longer: &'static str,
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
    new_order: "New Order",
    confirm: "Confirm the subscription",
    unsubscribe: "Unsubscribe this chat",
    longer: "This order is longer than a message. See all of it:",
};

static GERMAN: Words = Words {
    new_order: "Neue Bestellung",
    confirm: "Abonnement bestätigen",
    unsubscribe: "Abonnement dieses Chats beenden",
    longer: "Diese Bestellung ist länger als eine Nachricht. So sehen Sie sie vollständig:",
};

static FRENCH: Words = Words {
    new_order: "Nouvelle commande",
    confirm: "Confirmer l’abonnement",
    unsubscribe: "Désabonner ce canal",
    longer: "Cette commande est plus longue qu’un message. Pour la voir en entier\u{a0}:",
};

static SPANISH: Words = Words {
    new_order: "Nuevo pedido",
    confirm: "Confirmar la suscripción",
    unsubscribe: "Dar de baja este chat",
    longer: "Este pedido es más largo que un mensaje. Para verlo completo:",
};
