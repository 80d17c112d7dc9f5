//! What a mail says around an order or a request, in each language: a struct, so that no language can lack a word.

use domain::language::{Counted, Language};

/// The words of a mail beside those of a notification.
pub(super) struct Words {
    /// The button that confirms.
    pub(super) confirm: &'static str,
    /// Before the link of that button.
    pub(super) button_fails: &'static str,
    /// Why it was sent.
    pub(super) why: &'static str,
    pub(super) unsubscribe: &'static str,
    /// Before where the rest of an order that was cut is.
    pub(super) longer: &'static str,
    /// After the first products.
    pub(super) more_products: Counted,
    /// Where so many characters were cut.
    pub(super) more_characters: Counted,
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
    confirm: "Confirm the subscription",
    button_fails: "If the button does not work, open this link:",
    why: "You get this since this address is subscribed to new orders.",
    unsubscribe: "Unsubscribe",
    longer: "This order is longer than a mail. See all of it:",
    more_products: Counted { one: ("and ", " more"), other: ("and ", " more") },
    more_characters: Counted { one: ("… (", " more character)"), other: ("… (", " more characters)") },
};

static GERMAN: Words = Words {
    confirm: "Abonnement bestätigen",
    button_fails: "Falls der Knopf nicht funktioniert, öffnen Sie diesen Link:",
    why: "Sie erhalten diese Nachricht, weil für diese Adresse neue Bestellungen abonniert sind.",
    unsubscribe: "Abbestellen",
    longer: "Diese Bestellung ist länger als eine E-Mail. So sehen Sie sie vollständig:",
    more_products: Counted { one: ("und ", " weiteres Produkt"), other: ("und ", " weitere Produkte") },
    more_characters: Counted { one: ("… (", " weiteres Zeichen)"), other: ("… (", " weitere Zeichen)") },
};

static FRENCH: Words = Words {
    confirm: "Confirmer l’abonnement",
    button_fails: "Si le bouton ne fonctionne pas, ouvrez ce lien\u{a0}:",
    why: "Vous recevez ce message car cette adresse est abonnée aux nouvelles commandes.",
    unsubscribe: "Se désabonner",
    longer: "Cette commande est plus longue qu’un e-mail. Pour la voir en entier\u{a0}:",
    more_products: Counted { one: ("et ", " autre"), other: ("et ", " autres") },
    more_characters: Counted {
        one: ("… (encore ", " caractère)"), other: ("… (encore ", " caractères)")
    },
};

static SPANISH: Words = Words {
    confirm: "Confirmar la suscripción",
    button_fails: "Si el botón no funciona, abra este enlace:",
    why: "Recibe este mensaje porque esta dirección está suscrita a los nuevos pedidos.",
    unsubscribe: "Darse de baja",
    longer: "Este pedido es más largo que un correo. Para verlo completo:",
    more_products: Counted { one: ("y ", " más"), other: ("y ", " más") },
    more_characters: Counted { one: ("… (", " carácter más)"), other: ("… (", " caracteres más)") },
};
