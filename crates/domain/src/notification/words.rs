//! What a notification says of its own, in each language: a struct, so that no language can lack a word.

use super::facts::FactKind;
use crate::language::{Counted, Language};

/// The built-in words of a notification.
#[derive(Debug)]
pub struct Words {
    /// The first of the recipe's four lines.
    pub received: &'static str,
    /// Before an order's short reference.
    pub order: &'static str,
    /// What the link to an order does.
    pub see_order: &'static str,
    /// Before the order's id.
    pub order_id: &'static str,
    /// Before the customer's name.
    pub customer: &'static str,
    /// Before what was ordered.
    pub product: &'static str,
    /// The same of several.
    pub products: &'static str,
    /// Before a price for each of several.
    pub price_each: &'static str,
    /// Before what has the client's own names.
    pub also_sent: &'static str,
    /// What stands between a label and what it says.
    pub colon: &'static str,
    /// That so many are left out.
    pub more: Counted,
    /// That so many items are, after those that are named; in a text message, too.
    pub more_items: Counted,
    /// The last line of a text message that leaves lines out.
    pub more_lines: &'static str,
    /// What a mail's subject begins with.
    pub subject: &'static str,
    /// Between what was ordered and the customer's name.
    pub for_whom: &'static str,
    pub(super) each: (&'static str, &'static str),
    pub(super) yes: &'static str,
    pub(super) no: &'static str,
    labels: Labels,
}

/// What each kind of fact is called.
#[derive(Debug, Clone, Copy)]
struct Labels {
    quantity: &'static str,
    total: &'static str,
    currency: &'static str,
    wanted_at: &'static str,
    note: &'static str,
    phone: &'static str,
    email: &'static str,
    address: &'static str,
    reference: &'static str,
    language: &'static str,
}

impl Words {
    /// The words of a language.
    #[must_use]
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::De => &GERMAN,
            Language::Fr => &FRENCH,
            Language::Es => &SPANISH,
        }
    }

    /// Those of a text message: one letter beyond the GSM alphabet would halve its room.
    #[must_use]
    pub fn in_gsm(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::De => &GERMAN,
            Language::Fr => &FRENCH,
            Language::Es => &SPANISH_IN_GSM,
        }
    }

    /// What one of the contract's members is called that could not be read; `None`: it is not known.
    pub(super) fn label_of_member(&self, name: &str) -> Option<&'static str> {
        Some(match name {
            "customerName" => self.customer,
            "productName" => self.product,
            "items" => self.products,
            "unitPrice" => self.price_each,
            "quantity" => self.label(FactKind::Quantity),
            "total" => self.label(FactKind::Total),
            "currency" => self.label(FactKind::Currency),
            "deliverAt" => self.label(FactKind::WantedAt),
            "note" => self.label(FactKind::Note),
            "customerPhone" => self.label(FactKind::Phone),
            "customerEmail" => self.label(FactKind::Email),
            "deliveryAddress" => self.label(FactKind::Address),
            "reference" => self.label(FactKind::Reference),
            "locale" => self.label(FactKind::Language),
            _ => return None,
        })
    }

    /// What a kind of fact is called; nothing of one that has the client's own name.
    #[must_use]
    pub fn label(&self, kind: FactKind) -> &'static str {
        let labels = &self.labels;
        match kind {
            FactKind::Quantity => labels.quantity,
            FactKind::Total => labels.total,
            FactKind::Currency => labels.currency,
            FactKind::WantedAt => labels.wanted_at,
            FactKind::Note => labels.note,
            FactKind::Phone => labels.phone,
            FactKind::Email => labels.email,
            FactKind::Address => labels.address,
            FactKind::Reference => labels.reference,
            FactKind::Language => labels.language,
            FactKind::Other => "",
        }
    }
}

static ENGLISH: Words = Words {
    received: "📦 New Order Received!",
    order: "Order",
    see_order: "See the order",
    order_id: "Order ID",
    customer: "Customer",
    product: "Product",
    products: "Products",
    price_each: "Price each",
    also_sent: "Also sent",
    colon: ":",
    more: Counted { one: ("… and ", " more"), other: ("… and ", " more") },
    more_items: Counted { one: ("+", " more item"), other: ("+", " more items") },
    more_lines: "+ more",
    subject: super::SUBJECT,
    for_whom: "for",
    each: ("", " each"),
    yes: "yes",
    no: "no",
    labels: Labels {
        quantity: "Quantity",
        total: "Total",
        currency: "Currency",
        wanted_at: "Wanted at",
        note: "Note",
        phone: "Phone",
        email: "Email",
        address: "Address",
        reference: "Reference",
        language: "Language",
    },
};

static GERMAN: Words = Words {
    received: "📦 Neue Bestellung!",
    order: "Bestellung",
    see_order: "Bestellung ansehen",
    order_id: "Bestell-ID",
    customer: "Kunde",
    product: "Produkt",
    products: "Produkte",
    price_each: "Einzelpreis",
    also_sent: "Weitere Angaben",
    colon: ":",
    more: Counted { one: ("… und ", " weiterer Eintrag"), other: ("… und ", " weitere Einträge") },
    more_items: Counted { one: ("+", " weiterer Artikel"), other: ("+", " weitere Artikel") },
    more_lines: "+ Weiteres",
    subject: "Neue Bestellung",
    for_whom: "für",
    each: ("je ", ""),
    yes: "ja",
    no: "nein",
    labels: Labels {
        quantity: "Menge",
        total: "Gesamt",
        currency: "Währung",
        wanted_at: "Wunschtermin",
        note: "Anmerkung",
        phone: "Telefon",
        email: "E-Mail",
        address: "Adresse",
        reference: "Referenz",
        language: "Sprache",
    },
};

static FRENCH: Words = Words {
    received: "📦 Nouvelle commande reçue\u{202f}!",
    order: "Commande",
    see_order: "Voir la commande",
    order_id: "Identifiant",
    customer: "Client",
    product: "Produit",
    products: "Produits",
    price_each: "Prix unitaire",
    also_sent: "Autres informations",
    colon: "\u{a0}:",
    more: Counted { one: ("… et ", " autre"), other: ("… et ", " autres") },
    more_items: Counted { one: ("+", " autre article"), other: ("+", " autres articles") },
    more_lines: "+ autres infos",
    subject: "Nouvelle commande",
    for_whom: "pour",
    each: ("", " pièce"),
    yes: "oui",
    no: "non",
    labels: Labels {
        quantity: "Quantité",
        total: "Total",
        currency: "Devise",
        wanted_at: "Date souhaitée",
        note: "Remarque",
        phone: "Téléphone",
        email: "E-mail",
        address: "Adresse",
        reference: "Référence",
        language: "Langue",
    },
};

const SPANISH: Words = Words {
    received: "📦 ¡Nuevo pedido recibido!",
    order: "Pedido",
    see_order: "Ver el pedido",
    order_id: "ID del pedido",
    customer: "Cliente",
    product: "Producto",
    products: "Productos",
    price_each: "Precio unitario",
    also_sent: "Otros datos",
    colon: ":",
    more: Counted { one: ("… y ", " más"), other: ("… y ", " más") },
    more_items: Counted { one: ("+", " producto más"), other: ("+", " productos más") },
    more_lines: "+ otros datos",
    subject: "Nuevo pedido",
    for_whom: "para",
    each: ("", " c/u"),
    yes: "sí",
    no: "no",
    labels: Labels {
        quantity: "Cantidad",
        total: "Total",
        currency: "Moneda",
        wanted_at: "Fecha deseada",
        note: "Nota",
        phone: "Teléfono",
        email: "Correo",
        address: "Dirección",
        reference: "Referencia",
        language: "Idioma",
    },
};

static SPANISH_IN_GSM: Words = Words {
    more_items: Counted { one: ("+", " producto"), other: ("+", " productos") },
    yes: "si",
    labels: Labels { address: "Domicilio", ..SPANISH.labels },
    ..SPANISH
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms_text::Alphabet;

    /// By all of its members: a new one does not compile here before it is decided about.
    #[test]
    fn what_a_text_message_says_of_its_own_is_of_the_gsm_alphabet_in_every_language() {
        for language in Language::ALL {
            let Words {
                // Where these are said, 📦 makes it another alphabet anyway.
                received: _,
                order_id: _,
                product: _,
                colon: _,
                // Said in other forms.
                order: _,
                see_order: _,
                products: _,
                price_each: _,
                more: _,
                subject: _,
                for_whom: _,
                each: _,
                customer,
                also_sent,
                more_items,
                more_lines,
                yes,
                no,
                labels,
            } = Words::in_gsm(language);
            let Labels {
                quantity,
                total,
                currency,
                wanted_at,
                note,
                phone,
                email,
                address,
                reference,
                language: of_customer,
            } = labels;
            let counted = [1, 2].map(|number| more_items.of(language, number));
            let said = [
                *customer,
                also_sent,
                more_lines,
                yes,
                no,
                quantity,
                total,
                currency,
                wanted_at,
                note,
                phone,
                email,
                address,
                reference,
                of_customer,
                &counted[0],
                &counted[1],
            ];
            for words in said {
                assert_eq!(Alphabet::of(words), Alphabet::Gsm7, "{words}");
            }
        }
    }
}
