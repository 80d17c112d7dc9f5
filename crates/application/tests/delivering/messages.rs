//! From a delivery to a message: the words, and links that prove themselves.

use std::sync::Arc;
use std::time::Duration;

use application::Links;
use application::deliver::compose;
use application::ports::{Content, DueDelivery, Message};
use domain::delivery::{DeliveryId, DeliveryKind, UnknownOutcomePolicy};
use domain::endpoint::Protocol;
use domain::fields::Fields;
use domain::language::Language;
use domain::link_token::{LinkKey, LinkToken, ORDER_LINK_LIFETIME, OrderToken, Purpose};
use domain::order::AttributeValue;
use domain::reader::Reader;
use domain::shop::Shop;
use domain::template::{Template, TemplateSource};
use domain::time_zone::{TimeZone, TimeZoneName};
use domain::webhook_secret::{OVERLAP, WebhookSecret, WebhookSecrets};

use crate::fixtures::{due, order, start, subscription_of};

fn key() -> LinkKey {
    LinkKey::new([3; 64])
}

fn links() -> Links {
    Links { key: key(), public_url: "https://shop.example:8443".to_owned() }
}

fn confirmation(generation: u32) -> DueDelivery {
    let mut delivery = due(1, 7, Protocol::Email);
    (delivery.kind, delivery.order) = (DeliveryKind::Confirmation, None);
    subscription_of(&mut delivery).generation = generation;
    delivery
}

fn token<'a>(url: &'a str, page: &str) -> &'a str {
    url.strip_prefix(&format!("https://shop.example:8443/subscriptions/{page}?token=")).unwrap()
}

#[test]
fn a_notification_is_the_seeds_with_a_link_that_unsubscribes_for_ever() {
    let mut delivery = due(1, 7, Protocol::Email);
    subscription_of(&mut delivery).generation = 5;
    let message = compose(&links(), &Shop::default(), None, &delivery, start());
    assert_eq!(message.content.kind(), DeliveryKind::Notification);
    assert_eq!(message.content.subject(Language::En), "New Order Notification");
    let expected = format!("📦 New Order Received!\nOrder ID: {}\nCustomer: Jo\nProduct: Mouse", order().id);
    assert_eq!(message.content.text(&Reader::default()), expected);
    let link = LinkToken::verify(
        token(message.content.link().unwrap(), "unsubscribe"),
        Purpose::Unsubscribe,
        &key(),
    )
    .unwrap();
    assert_eq!((link.subscription, link.generation), (delivery.subscription.id, 0));
    assert!(
        LinkToken::verify(token(message.content.link().unwrap(), "unsubscribe"), Purpose::Confirm, &key())
            .is_err()
    );
}

#[test]
fn a_message_is_for_whoever_reads_it_as_was_chosen_for_the_subscription_or_the_shop() {
    let time_zone = TimeZone::get("Europe/Berlin").unwrap();
    let shop = Shop { language: Language::De, time_zone, ..Shop::default() };
    let reader = |language, time_zone: Option<&str>| {
        let mut delivery = due(1, 7, Protocol::Email);
        let attributes = &mut subscription_of(&mut delivery).attributes;
        (attributes.language, attributes.time_zone) = (language, time_zone.map(TimeZoneName::stored));
        let Message { reader, content, .. } = compose(&links(), &shop, None, &delivery, start());
        let subject = content.mail_subject(&reader).into_owned();
        (subject, reader.time_zone.iana_name().unwrap().to_owned())
    };
    for (language, time_zone, expected) in [
        (None, None, ("Neue Bestellung: Mouse für Jo", "Europe/Berlin")),
        (Some(Language::En), None, ("New Order Notification: Mouse for Jo", "Europe/Berlin")),
        (Some(Language::Es), Some("America/Lima"), ("Nuevo pedido: Mouse para Jo", "America/Lima")),
        (Some(Language::Fr), Some("Nowhere"), ("Nouvelle commande\u{a0}: Mouse pour Jo", "Europe/Berlin")),
    ] {
        let (subject, zone) = reader(language, time_zone);
        assert_eq!((subject.as_str(), zone.as_str()), expected);
    }
}

#[test]
fn a_notification_leads_to_its_orders_page_as_long_as_that_link_works() {
    let mut delivery = due(1, 7, Protocol::Sms);
    delivery.id = DeliveryId::new(start(), [5; 10]);
    let url =
        |at| compose(&links(), &Shop::default(), None, &delivery, at).content.order_url().map(str::to_owned);
    let told = url(start()).unwrap();
    let token = told.strip_prefix("https://shop.example:8443/o/").unwrap();
    assert_eq!(OrderToken::verify(token, &key()).unwrap().delivery, delivery.id);
    assert!("/o/".len() + token.len() <= 60);
    assert_eq!(url(start() + ORDER_LINK_LIFETIME - Duration::from_secs(1)), Some(told.clone()), "a repeat");
    assert_eq!(url(start() + ORDER_LINK_LIFETIME), None);
    assert_eq!(
        compose(&links(), &Shop::default(), None, &confirmation(1), start()).content.order_url(),
        None
    );
}

#[test]
fn only_who_is_not_shown_everything_gets_another_order_than_was_placed() {
    let mut delivery = due(1, 7, Protocol::Webhook);
    let told =
        |delivery: &DueDelivery| match compose(&links(), &Shop::default(), None, delivery, start()).content {
            Content::Notification { order, .. } => order,
            other => panic!("{other:?}"),
        };
    assert!(Arc::ptr_eq(&told(&delivery), delivery.order.as_ref().unwrap()));
    subscription_of(&mut delivery).attributes.fields = Some(Fields::parse(["customerName"]).unwrap());
    for attempts in [0, 1, 20] {
        delivery.attempts = attempts;
        let told = told(&delivery);
        assert_eq!(
            (told.details.customer_name.as_deref(), told.details.products.in_short().as_str()),
            (Some("Jo"), ""),
            "after {attempts} attempts"
        );
    }
}

#[test]
fn a_confirmation_carries_the_newest_link_and_says_until_when_it_works() {
    let delivery = confirmation(2);
    let message = compose(&links(), &Shop::default(), None, &delivery, start());
    assert_eq!(message.content.kind(), DeliveryKind::Confirmation);
    assert!(
        message.content.text(&Reader::default()).contains("confirm by Tue, Mar 3, 2026, 12:00 PM UTC."),
        "{}",
        message.content.text(&Reader::default())
    );
    let link = LinkToken::verify(token(message.content.link().unwrap(), "confirm"), Purpose::Confirm, &key())
        .unwrap();
    assert_eq!((link.subscription, link.generation), (delivery.subscription.id, 2));
    let Content::Confirmation { challenge, confirm_url, .. } = &message.content else {
        panic!("{message:?}")
    };
    assert_eq!(token(confirm_url, "confirm"), challenge);
    assert_ne!(
        compose(&links(), &Shop::default(), None, &confirmation(3), start()).content.link(),
        Some(confirm_url.as_str())
    );
}

#[test]
fn a_repeat_says_the_same_under_the_same_id() {
    let first = compose(&links(), &Shop::default(), None, &due(1, 7, Protocol::Webhook), start());
    let later = start() + std::time::Duration::from_hours(5);
    let again = DueDelivery { attempts: 3, attempts_used: 3, due_at: later, ..due(1, 7, Protocol::Webhook) };
    let again = compose(&links(), &Shop::default(), None, &again, later);
    assert_eq!(
        (first.id, first.content.text(&Reader::default())),
        (again.id, again.content.text(&Reader::default()))
    );
    assert_eq!(first.content.link(), again.content.link());
    assert_eq!(again.at, later);
}

#[test]
fn only_what_goes_to_a_webhook_is_signed_with_its_secret() {
    let mut delivery = due(1, 7, Protocol::Webhook);
    let [old, new] = [1, 2].map(|byte| WebhookSecret::new([byte; 32]));
    let secrets = WebhookSecrets::new(old.clone()).rotated(new.clone(), start());
    subscription_of(&mut delivery).secrets = Some(secrets);
    let signs = |at| compose(&links(), &Shop::default(), None, &delivery, at).secrets;
    assert_eq!(signs(start() + OVERLAP - Duration::from_nanos(1)), [new.clone(), old]);
    assert_eq!(signs(start() + OVERLAP), [new]);
    assert!(
        compose(&links(), &Shop::default(), None, &due(2, 8, Protocol::Email), start()).secrets.is_empty()
    );
}

#[test]
fn only_a_confirmation_has_a_deadline() {
    let delivery = confirmation(1);
    assert_eq!(
        delivery.retry_context(UnknownOutcomePolicy::Retry, 0).deadline,
        delivery.subscription.confirmation_expires_at
    );
    assert_eq!(due(1, 7, Protocol::Email).retry_context(UnknownOutcomePolicy::Retry, 0).deadline, None);
}

#[test]
fn an_order_is_told_in_the_words_of_a_template_or_in_our_own_where_it_says_too_much() {
    let text = |text: &str| TemplateSource { text: Some(text.to_owned()), ..TemplateSource::default() };
    let composed = |template: &str, delivery: &DueDelivery| {
        let template = Template::parse(text(template), Protocol::Email).unwrap();
        compose(&links(), &Shop::default(), Some(&template), delivery, start()).content
    };
    let mut delivery = due(1, 7, Protocol::Email);
    delivery.id = DeliveryId::new(start(), [1; 10]);
    let content =
        composed("{{productName}} for {{customerName}}: {{unsubscribeUrl}} {{orderUrl}}", &delivery);
    let (end, page) = (content.link().unwrap(), content.order_url().unwrap());
    assert_eq!(content.text(&Reader::default()), format!("Mouse for Jo: {end} {page}"));
    assert_eq!(content.mail_subject(&Reader::default()), "New Order Notification: Mouse for Jo");

    subscription_of(&mut delivery).attributes.fields = Some(Fields::parse(["productName"]).unwrap());
    let hidden =
        composed("{{productName}} for {{customerName}}{{^customerName}}nobody{{/customerName}}", &delivery);
    assert_eq!(hidden.text(&Reader::default()), "Mouse for nobody");

    let long = format!("!{{{{#otherFacts}}}}{}{{{{/otherFacts}}}}", "x".repeat(2_000));
    let mut large = order();
    large.details.attributes.extend((0..9_u8).map(|n| (n.to_string(), AttributeValue::Bool(true))));
    delivery = due(1, 7, Protocol::Email);
    delivery.order = Some(Arc::new(large));
    let content = composed(&long, &delivery);
    assert_eq!(content.unwritten().unwrap().to_string(), "its text would have more than 16000 bytes");
    assert!(content.text(&Reader::default()).starts_with("📦 New Order Received!"));

    let request = composed("Bake!", &confirmation(1));
    assert!(!request.text(&Reader::default()).contains("Bake!"), "a request says what is asked");
}
