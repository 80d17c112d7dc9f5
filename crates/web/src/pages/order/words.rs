//! What an order's page says around the order, in each language: a struct, so that no language can lack a word.

use domain::language::Language;

use crate::pages::words::Said;

/// The words of the page beside those of a notification.
pub(super) struct Words {
    /// Before the time at which it was accepted.
    pub(super) accepted: &'static str,
    /// What the page asks for, before and after a person says it.
    pub(super) nobody_yet: &'static str,
    pub(super) acknowledged: &'static str,
    /// Before the name of who did, or before whom the link was sent to.
    pub(super) by: &'static str,
    pub(super) by_link_to: &'static str,
    /// What is to be ticked, and the button, to acknowledge it.
    pub(super) acknowledge: Said,
    /// The same, to take that back.
    pub(super) take_back: Said,
    /// The label of the field for a name.
    pub(super) your_name: &'static str,
    pub(super) over: Said,
    pub(super) expired: Said,
    pub(super) ended: Said,
    pub(super) invalid: Said,
    pub(super) not_here: Said,
    pub(super) not_shown: Said,
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
    accepted: "Received",
    nobody_yet: "Nobody has acknowledged this order yet.",
    acknowledged: "Acknowledged",
    by: "by",
    by_link_to: "by the link sent to",
    acknowledge: ("I have seen this order", "Acknowledge"),
    take_back: ("I am not dealing with this order", "Take back"),
    your_name: "Your name (optional)",
    over: ("This order is done", "It was completed or cancelled: its links show it no more."),
    expired: ("This link has expired", "Links to orders work for 30 days."),
    ended: ("This subscription has ended", "Its links show no orders any more."),
    invalid: ("This link is not valid", "Open it from the message once more, or copy all of it."),
    not_here: ("There is no such order here", "The message tells what was ordered."),
    not_shown: (
        "This order cannot be shown at present",
        "It is kept, and whoever looks after this system can mend it. The message tells what was ordered.",
    ),
};

static GERMAN: Words = Words {
    accepted: "Eingegangen",
    nobody_yet: "Noch niemand hat diese Bestellung bestätigt.",
    acknowledged: "Bestätigt:",
    by: "von",
    by_link_to: "über den Link an",
    acknowledge: ("Ich habe diese Bestellung gesehen", "Bestätigen"),
    take_back: ("Ich kümmere mich nicht um diese Bestellung", "Zurücknehmen"),
    your_name: "Ihr Name (optional)",
    over: (
        "Diese Bestellung ist abgeschlossen",
        "Sie wurde erledigt oder storniert; ihre Links zeigen sie nicht mehr.",
    ),
    expired: ("Dieser Link ist abgelaufen", "Links zu Bestellungen gelten 30 Tage."),
    ended: ("Dieses Abonnement ist beendet", "Seine Links zeigen keine Bestellungen mehr."),
    invalid: (
        "Dieser Link ist ungültig",
        "Öffnen Sie ihn noch einmal aus der Nachricht oder kopieren Sie ihn vollständig.",
    ),
    not_here: ("Diese Bestellung gibt es hier nicht", "In der Nachricht steht, was bestellt wurde."),
    not_shown: (
        "Diese Bestellung lässt sich zurzeit nicht anzeigen",
        "Sie bleibt gespeichert, und wer dieses System betreut, kann sie wiederherstellen. In der Nachricht steht, was bestellt \
         wurde.",
    ),
};

static FRENCH: Words = Words {
    accepted: "Reçue le",
    nobody_yet: "Personne n’a encore pris cette commande en compte.",
    acknowledged: "Prise en compte\u{a0}:",
    by: "par",
    by_link_to: "par le lien envoyé à",
    acknowledge: ("J’ai vu cette commande", "Prendre en compte"),
    take_back: ("Je ne m’occupe pas de cette commande", "Annuler la prise en compte"),
    your_name: "Votre nom (facultatif)",
    over: (
        "Cette commande est terminée",
        "Elle a été traitée ou annulée\u{a0}: ses liens ne l’affichent plus.",
    ),
    expired: ("Ce lien a expiré", "Les liens vers les commandes sont valables 30 jours."),
    ended: ("Cet abonnement a pris fin", "Ses liens n’affichent plus de commandes."),
    invalid: ("Ce lien n’est pas valable", "Ouvrez-le à nouveau depuis le message, ou copiez-le en entier."),
    not_here: ("Cette commande n’existe pas ici", "Le message indique ce qui a été commandé."),
    not_shown: (
        "Cette commande ne peut pas être affichée pour le moment",
        "Elle est conservée, et la personne qui s’occupe de ce système peut la rétablir. Le message indique ce qui a été \
         commandé.",
    ),
};

static SPANISH: Words = Words {
    accepted: "Recibido",
    nobody_yet: "Nadie ha confirmado todavía este pedido.",
    acknowledged: "Confirmado:",
    by: "por",
    by_link_to: "por el enlace enviado a",
    acknowledge: ("He visto este pedido", "Confirmar"),
    take_back: ("No me ocupo de este pedido", "Retirar la confirmación"),
    your_name: "Su nombre (opcional)",
    over: ("Este pedido está cerrado", "Se completó o se canceló: sus enlaces ya no lo muestran."),
    expired: ("Este enlace ha caducado", "Los enlaces a los pedidos funcionan durante 30 días."),
    ended: ("Esta suscripción ha terminado", "Sus enlaces ya no muestran pedidos."),
    invalid: ("Este enlace no es válido", "Ábralo de nuevo desde el mensaje o cópielo entero."),
    not_here: ("Este pedido no existe aquí", "El mensaje dice qué se pidió."),
    not_shown: (
        "Este pedido no se puede mostrar por ahora",
        "Está guardado, y quien se ocupa de este sistema puede recuperarlo. El mensaje dice qué se pidió.",
    ),
};
