//! Each form of a message in each language.

use application::ports::{Channel, Content, Message};
use domain::endpoint::Protocol;
use domain::language::Language;
use domain::order::{Order, OrderDetails, ShortReference};
use domain::reader::Reader;
use domain::sms_text::parts;
use domain::time_zone::TimeZone;
use serde_json::{Value, json};

use crate::chat::{chat, post};
use crate::fixtures::{UNSUBSCRIBE, confirmation, message, notification_of, order, text_message};
use crate::http_receiver::{Reaction, Receiver};
use crate::mail_form::{html, received, text};
use crate::mail_of_an_order::{assert_well_formed, shown};
use crate::sms::{made, twilio};

fn reader(language: Language) -> Reader {
    Reader { language, time_zone: TimeZone::get("Europe/Berlin").unwrap() }
}

/// What a customer wrote stays as it is, in whatever language.
fn bakery() -> Order {
    let json = json!({
        "customerName": "مريم", "items": [
            {"productName": "Brot", "quantity": 1200, "unitPrice": "1234.50"}, {"productName": "Pad", "quantity": 1},
        ],
        "total": "1481400.00", "currency": "EUR", "note": "Zweimal klingeln", "deliverAt": "2026-12-24T12:30:00Z",
        "customerPhone": "+4915112345678", "attributes": {"express": true},
    });
    Order { details: OrderDetails::parse(json.to_string().as_bytes()).unwrap(), ..order("Jo", "Mouse") }
}

fn in_language(message: Message, language: Language) -> Message {
    Message { reader: reader(language), ..message }
}

async fn mail(content: Content, language: Language) -> Vec<u8> {
    received(&in_language(message(Protocol::Email, "jane@example.com", content), language)).await
}

#[tokio::test]
async fn a_mail_about_an_order_is_in_its_readers_language_and_the_customers_words_are_in_theirs() {
    let order = bakery();
    let (id, reference) = (order.id, ShortReference::of(order.id));
    for (language, expected) in [
        (
            Language::De,
            format!(
                "📦 Neue Bestellung!\nBestell-ID: {id}\nKunde: مريم\nProdukt: 1.200 × Brot, 1 × Pad\n\n\
                 - 1.200 × Brot, je 1.234,50\u{a0}€\n- 1 × Pad\n\nGesamt: 1.481.400,00\u{a0}€\n\
                 Wunschtermin: Do., 24.12.2026, 13:30\nAnmerkung: Zweimal klingeln\nTelefon: +4915112345678\n\
                 Weitere Angaben:\n    express: ja\n\nBestellung {reference}\n\n-- \nAbbestellen: {UNSUBSCRIBE}\n"
            ),
        ),
        (
            Language::Fr,
            format!(
                "📦 Nouvelle commande reçue\u{202f}!\nIdentifiant\u{a0}: {id}\nClient\u{a0}: مريم\n\
                 Produit\u{a0}: 1\u{202f}200 × Brot, 1 × Pad\n\n- 1\u{202f}200 × Brot, 1\u{202f}234,50\u{a0}€ pièce\n\
                 - 1 × Pad\n\nTotal\u{a0}: 1\u{202f}481\u{202f}400,00\u{a0}€\n\
                 Date souhaitée\u{a0}: jeu. 24/12/2026, 13:30\nRemarque\u{a0}: Zweimal klingeln\n\
                 Téléphone\u{a0}: +4915112345678\nAutres informations\u{a0}:\n    express: oui\n\nCommande {reference}\n\n-- \n\
                 Se désabonner\u{a0}: {UNSUBSCRIBE}\n"
            ),
        ),
        (
            Language::Es,
            format!(
                "📦 ¡Nuevo pedido recibido!\nID del pedido: {id}\nCliente: مريم\nProducto: 1200 × Brot, 1 × Pad\n\n\
                 - 1200 × Brot, 1234,50\u{a0}€ c/u\n- 1 × Pad\n\nTotal: 1.481.400,00\u{a0}€\n\
                 Fecha deseada: jue, 24/12/2026, 13:30\nNota: Zweimal klingeln\nTeléfono: +4915112345678\n\
                 Otros datos:\n    express: sí\n\nPedido {reference}\n\n-- \nDarse de baja: {UNSUBSCRIBE}\n"
            ),
        ),
    ] {
        let mail = mail(notification_of(order.clone()), language).await;
        assert_eq!(text(&mail), expected);
        let html = html(&mail);
        assert!(html.contains(&format!("<html lang=\"{}\" dir=\"ltr\">", language.name())), "{html}");
        assert!(html.contains("<bdi>مريم</bdi>"), "{html}");
        assert_well_formed(&html);
    }
}

#[tokio::test]
async fn the_html_of_an_order_is_in_its_readers_language_to_the_last_line() {
    let order = bakery();
    for (language, expected) in [
        (
            Language::De,
            [
                "📦 Neue Bestellung!",
                "1.200 × Brot, 1 × Pad",
                "Kunde|مريم",
                "Gesamt|1.481.400,00\u{a0}€",
                "Wunschtermin|Do., 24.12.2026, 13:30",
                "Menge|Produkt|Einzelpreis",
                "1.200|Brot|1.234,50\u{a0}€",
                "1|Pad",
                "Anmerkung|Zweimal klingeln",
                "Telefon|+4915112345678",
                "Bestell-ID|",
                "Weitere Angaben",
                "express|ja",
                "Sie erhalten diese Nachricht, weil für diese Adresse neue Bestellungen abonniert sind. Abbestellen",
            ],
        ),
        (
            Language::Fr,
            [
                "📦 Nouvelle commande reçue\u{202f}!",
                "1\u{202f}200 × Brot, 1 × Pad",
                "Client|مريم",
                "Total|1\u{202f}481\u{202f}400,00\u{a0}€",
                "Date souhaitée|jeu. 24/12/2026, 13:30",
                "Quantité|Produit|Prix unitaire",
                "1\u{202f}200|Brot|1\u{202f}234,50\u{a0}€",
                "1|Pad",
                "Remarque|Zweimal klingeln",
                "Téléphone|+4915112345678",
                "Identifiant|",
                "Autres informations",
                "express|oui",
                "Vous recevez ce message car cette adresse est abonnée aux nouvelles commandes. Se désabonner",
            ],
        ),
        (
            Language::Es,
            [
                "📦 ¡Nuevo pedido recibido!",
                "1200 × Brot, 1 × Pad",
                "Cliente|مريم",
                "Total|1.481.400,00\u{a0}€",
                "Fecha deseada|jue, 24/12/2026, 13:30",
                "Cantidad|Producto|Precio unitario",
                "1200|Brot|1234,50\u{a0}€",
                "1|Pad",
                "Nota|Zweimal klingeln",
                "Teléfono|+4915112345678",
                "ID del pedido|",
                "Otros datos",
                "express|sí",
                "Recibe este mensaje porque esta dirección está suscrita a los nuevos pedidos. Darse de baja",
            ],
        ),
    ] {
        let lines = shown(&html(&mail(notification_of(order.clone()), language).await));
        for (line, expected) in lines.iter().zip(&expected) {
            assert!(line == expected || (expected.ends_with('|') && line.starts_with(expected)), "{line}");
        }
        assert_eq!(lines.len(), expected.len(), "{lines:?}");
    }
}

#[tokio::test]
async fn what_does_not_fit_into_a_mail_is_said_to_be_more_in_its_readers_language() {
    let items: Vec<_> = (0..5_000).map(|n| json!({"productName": format!("Item {n}")})).collect();
    let json = json!({"customerName": "Jo", "items": items, "note": "x".repeat(100_000)});
    let details = OrderDetails::parse(json.to_string().as_bytes()).unwrap();
    let order = Order { details, ..order("Jo", "Mouse") };
    for (language, said) in [
        (Language::De, [" weitere Zeichen)", "\n… und ", "Diese Bestellung ist länger als eine E-Mail."]),
        (Language::Fr, [" caractères)", "\n… et ", "Cette commande est plus longue qu’un e-mail."]),
        (Language::Es, [" caracteres más)", "\n… y ", "Este pedido es más largo que un correo."]),
    ] {
        let mail = mail(notification_of(order.clone()), language).await;
        assert!(mail.len() < 100_000, "{}", mail.len());
        let text = text(&mail);
        for said in said {
            assert!(text.contains(said), "{said}");
        }
    }
}

#[tokio::test]
async fn a_confirmation_request_is_in_the_language_and_by_the_clock_of_whoever_is_asked() {
    for (language, subject, until, button) in [
        (
            Language::En,
            "Confirm your subscription to new orders",
            "confirm by Wed, Mar 4, 2026, 6:06\u{a0}AM.",
            "Confirm the subscription",
        ),
        (
            Language::De,
            "Bestätigen Sie Ihr Abonnement für neue Bestellungen",
            "bestätigen Sie bis Mi., 04.03.2026, 06:06.",
            "Abonnement bestätigen",
        ),
        (
            Language::Fr,
            "Confirmez votre abonnement aux nouvelles commandes",
            "confirmez avant le mer. 04/03/2026, 06:06.",
            "Confirmer l’abonnement",
        ),
        (
            Language::Es,
            "Confirme su suscripción a los nuevos pedidos",
            "confirme antes del mié, 4/3/2026, 06:06.",
            "Confirmar la suscripción",
        ),
    ] {
        let mail = mail(confirmation(), language).await;
        assert!(text(&mail).contains(until), "{}", text(&mail));
        let html = html(&mail);
        assert!(html.contains(&format!("<title>{subject}</title>")) && html.contains(button), "{html}");
        assert!(html.contains(&format!("lang=\"{}\"", language.name())), "{html}");
    }
}

async fn posted(content: Content, language: Language) -> Value {
    let receiver = Receiver::start([Reaction::Answer("200 OK", "ok".to_owned())]).await;
    chat().send(&in_language(post(&receiver, content), language)).await;
    receiver.received().remove(0).json()
}

#[tokio::test]
async fn a_chat_is_told_in_its_own_language() {
    let order = bakery();
    for (language, header, words) in [
        (
            Language::De,
            "Neue Bestellung",
            [
                "*Produkte*",
                "*Bestell-ID*",
                "*Kunde*",
                "*Wunschtermin*",
                "*Weitere Angaben*",
                "|Abonnement dieses Chats beenden>",
            ],
        ),
        (
            Language::Fr,
            "Nouvelle commande",
            [
                "*Produits*",
                "*Identifiant*",
                "*Client*",
                "*Date souhaitée*",
                "*Autres informations*",
                "|Désabonner ce canal>",
            ],
        ),
        (
            Language::Es,
            "Nuevo pedido",
            [
                "*Productos*",
                "*ID del pedido*",
                "*Cliente*",
                "*Fecha deseada*",
                "*Otros datos*",
                "|Dar de baja este chat>",
            ],
        ),
    ] {
        let post = posted(notification_of(order.clone()), language).await;
        let reference = ShortReference::of(order.id);
        assert_eq!(post["blocks"][0]["text"]["text"], format!("{header} {reference}"));
        let blocks = post["blocks"].to_string();
        for words in words {
            assert!(blocks.contains(words), "{words}: {blocks}");
        }
    }
}

/// The text that a provider is given.
async fn texted(content: Content, language: Language) -> String {
    let receiver = Receiver::start([made("1")]).await;
    twilio(&receiver.api()).send(&in_language(text_message(content), language)).await;
    receiver.received().remove(0).form().remove("Body").unwrap()
}

#[tokio::test]
async fn a_text_message_is_in_its_readers_language_and_in_the_gsm_alphabet() {
    let mut order = bakery();
    order.details.customer_name = Some("Zoé Müller".to_owned());
    let reference = ShortReference::of(order.id);
    for (language, expected) in [
        (
            Language::De,
            "1.200 x Brot, 1 x Pad\nKunde: Zoé Müller\nAnmerkung: Zweimal klingeln\nGesamt: 1.481.400,00 €\n\
             Telefon: +4915112345678\nWunschtermin: Do., 24.12.2026, 13:30\nWeitere Angaben: express: ja",
        ),
        (
            Language::Fr,
            "1 200 x Brot, 1 x Pad\nClient: Zoé Müller\nRemarque: Zweimal klingeln\nTotal: 1 481 400,00 €\n\
             Téléphone: +4915112345678\nDate souhaitée: jeu. 24/12/2026, 13:30\nAutres informations: express: oui",
        ),
        (
            Language::Es,
            "1200 x Brot, 1 x Pad\nCliente: Zoé Müller\nNota: Zweimal klingeln\nTotal: 1.481.400,00 €\n\
             Teléfono: +4915112345678\nFecha deseada: jue, 24/12/2026, 13:30\nOtros datos: express: si",
        ),
    ] {
        let said = texted(notification_of(order.clone()), language).await;
        assert_eq!(said, format!("{reference}: {expected}"));
        assert_eq!(parts(&said).to_string(), "2 parts of GSM-7");
    }
}

#[tokio::test]
async fn requests_and_tests_by_text_message_take_as_few_parts_in_every_language() {
    for language in Language::ALL {
        let said = texted(Content::Test, language).await;
        assert_eq!(parts(&said).to_string(), "1 part of GSM-7", "{said}");
        // On a Saturday: `sáb`.
        let Content::Confirmation { confirm_url, challenge, .. } = confirmation() else { unreachable!() };
        let asked_by = None;
        let expires_at = "2026-03-07T05:06:00Z".parse().unwrap();
        let said =
            texted(Content::Confirmation { asked_by, confirm_url, challenge, expires_at }, language).await;
        assert_eq!(parts(&said).to_string(), "1 part of GSM-7", "{said}");
    }
}
