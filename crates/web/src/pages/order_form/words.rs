//! What the order form says, in each language: a struct, so that no language can lack a word.

use domain::language::Language;

/// The words of the order form.
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) lead: &'static str,
    pub(super) your_name: &'static str,
    pub(super) product: &'static str,
    pub(super) quantity: &'static str,
    pub(super) optional: &'static str,
    pub(super) note: &'static str,
    pub(super) your_key: &'static str,
    pub(super) place: &'static str,
    pub(super) no_script: &'static str,
    /// Around the protocols whose messages stay on this machine, before the link to the inbox, and that link's name.
    pub(super) sandboxed: (&'static str, &'static str, &'static str),
    pub(super) and: &'static str,
    /// What the form's script says.
    pub(super) script: ScriptWords,
}

/// What the form's script says.
pub(super) struct ScriptWords {
    /// Before the order's reference.
    pub(super) placed: &'static str,
    pub(super) no_number: &'static str,
    /// Around the most that can be ordered.
    pub(super) out_of_range: (&'static str, &'static str),
    pub(super) missing: &'static str,
    pub(super) correct_it: &'static str,
    /// At a field that the server refuses, whose own words are English; empty where these are right.
    pub(super) refused: &'static str,
    /// At a key that is none of this server's.
    pub(super) wrong_key: &'static str,
    pub(super) not_placed: &'static str,
    /// Where it is not placed now, and may be soon.
    pub(super) too_busy: &'static str,
    pub(super) no_answer: &'static str,
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
    title: "Place an order",
    lead: "It is stored, and everyone who should know is told.",
    your_name: "Your name",
    product: "Product",
    quantity: "Quantity",
    optional: "optional",
    note: "Note",
    your_key: "Your key",
    place: "Place order",
    no_script: "This form needs JavaScript. Programs post JSON to /create-order.",
    sandboxed: ("Messages by ", " stay on this machine: read them in the ", "inbox"),
    and: "and",
    script: ScriptWords {
        placed: "Order placed. Its reference is",
        no_number: "The quantity must be a whole number",
        out_of_range: ("The quantity must be between 1 and ", ""),
        missing: "Please fill this in",
        correct_it: "Please correct the marked field.",
        refused: "",
        wrong_key: "This key is not known here",
        not_placed: "The order was not placed.",
        too_busy: "The order was not placed: it cannot be taken at present. Try again in a moment.",
        no_answer: "There was no answer. Try again: the order will not be placed twice.",
    },
};

static GERMAN: Words = Words {
    title: "Bestellen",
    lead: "Die Bestellung wird gespeichert, und wer davon wissen soll, erfährt es.",
    your_name: "Ihr Name",
    product: "Produkt",
    quantity: "Menge",
    optional: "optional",
    note: "Anmerkung",
    your_key: "Ihr Schlüssel",
    place: "Bestellung aufgeben",
    no_script: "Dieses Formular braucht JavaScript. Programme senden JSON an /create-order.",
    sandboxed: ("Nachrichten per ", " bleiben auf diesem Rechner: Sie stehen im ", "Posteingang"),
    and: "und",
    script: ScriptWords {
        placed: "Die Bestellung ist eingegangen. Die Nummer lautet",
        no_number: "Die Menge muss eine ganze Zahl sein",
        out_of_range: ("Die Menge muss zwischen 1 und ", " liegen"),
        missing: "Bitte füllen Sie dieses Feld aus",
        correct_it: "Bitte korrigieren Sie das markierte Feld.",
        refused: "Diese Eingabe wird nicht angenommen",
        wrong_key: "Dieser Schlüssel ist hier nicht bekannt",
        not_placed: "Die Bestellung wurde nicht aufgenommen.",
        too_busy: "Die Bestellung wurde nicht aufgenommen: Das ist gerade nicht möglich. Versuchen Sie es gleich noch einmal.",
        no_answer: "Es kam keine Antwort. Versuchen Sie es noch einmal: Es wird nicht doppelt bestellt.",
    },
};

static FRENCH: Words = Words {
    title: "Passer une commande",
    lead: "La commande est enregistrée, et toutes les personnes concernées sont prévenues.",
    your_name: "Votre nom",
    product: "Produit",
    quantity: "Quantité",
    optional: "facultatif",
    note: "Remarque",
    your_key: "Votre clé",
    place: "Commander",
    no_script: "Ce formulaire nécessite JavaScript. Les programmes envoient du JSON à /create-order.",
    sandboxed: (
        "Les messages par ",
        " restent sur cet ordinateur\u{a0}: lisez-les dans la ",
        "boîte de réception",
    ),
    and: "et",
    script: ScriptWords {
        placed: "Commande enregistrée sous le numéro",
        no_number: "La quantité doit être un nombre entier",
        out_of_range: ("La quantité doit être comprise entre 1 et ", ""),
        missing: "Veuillez remplir ce champ",
        correct_it: "Veuillez corriger le champ indiqué.",
        refused: "Cette valeur n’est pas acceptée",
        wrong_key: "Cette clé n’est pas connue ici",
        not_placed: "La commande n’a pas été enregistrée.",
        too_busy: "La commande n’a pas été enregistrée\u{a0}: elle ne peut pas être prise pour le moment. Réessayez dans un instant.",
        no_answer: "Aucune réponse. Réessayez\u{a0}: la commande ne sera pas enregistrée deux fois.",
    },
};

static SPANISH: Words = Words {
    title: "Hacer un pedido",
    lead: "El pedido se guarda y se avisa a todas las personas que deben saberlo.",
    your_name: "Su nombre",
    product: "Producto",
    quantity: "Cantidad",
    optional: "opcional",
    note: "Nota",
    your_key: "Su clave",
    place: "Hacer el pedido",
    no_script: "Este formulario necesita JavaScript. Los programas envían JSON a /create-order.",
    sandboxed: ("Los mensajes por ", " se quedan en este equipo: léalos en la ", "bandeja de entrada"),
    and: "y",
    script: ScriptWords {
        placed: "Pedido realizado. Su referencia es",
        no_number: "La cantidad debe ser un número entero",
        out_of_range: ("La cantidad debe estar entre 1 y ", ""),
        missing: "Rellene este campo",
        correct_it: "Corrija el campo marcado.",
        refused: "Este valor no se acepta",
        wrong_key: "Esta clave no se conoce aquí",
        not_placed: "El pedido no se ha realizado.",
        too_busy: "El pedido no se ha realizado: ahora no se pueden aceptar pedidos. Inténtelo de nuevo en un momento.",
        no_answer: "No hubo respuesta. Inténtelo de nuevo: el pedido no se duplicará.",
    },
};
