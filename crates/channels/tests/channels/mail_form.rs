//! What stands in a mail.

use std::sync::Arc;

use application::ports::{Channel, Content, Message};
use domain::attempt::OutcomeKind;
use domain::delivery::DeliveryKind;
use domain::endpoint::Protocol;
use domain::order::ShortReference;
use domain::reader::Reader;
use domain::shop::{Color, Logo, Shop};
use domain::template::Written;
use mail_parser::{MessageParser, MimeHeaders};
use orderbell_channels::email::{Email, Sender, SmtpSettings};

use crate::fixtures::{
    CONFIRM, UNSUBSCRIBE, confirmation, linked_notification_of, mail, message, notice, notification,
    notification_of, order, plain_relay,
};
use crate::smtp_peer::{Peer, Script};

pub(crate) async fn received(message: &Message) -> Vec<u8> {
    received_from(message, "Orderbell <orders@shop.example>").await
}

async fn received_from(message: &Message, from: &str) -> Vec<u8> {
    let peer = Peer::start(Script::default()).await;
    let settings = SmtpSettings { from: Sender::parse(from).unwrap(), ..plain_relay(peer.port) };
    let sent = Email::new(settings).unwrap().send(message).await;
    assert_eq!(sent.outcome.kind, OutcomeKind::Delivered, "{}", sent.outcome.reply);
    peer.mails().remove(0)
}

/// A header's raw value, unfolded.
fn header(mail: &[u8], name: &str) -> Option<String> {
    let mail = MessageParser::new().parse(mail)?.into_owned();
    Some(mail.header_raw(name)?.replace("\r\n", "").trim().to_owned())
}

pub(crate) fn text(mail: &[u8]) -> String {
    MessageParser::new().parse(mail).unwrap().body_text(0).unwrap().replace("\r\n", "\n")
}

pub(crate) fn html(mail: &[u8]) -> String {
    MessageParser::new().parse(mail).unwrap().body_html(0).unwrap().replace("\r\n", "\n")
}

#[tokio::test]
async fn a_notification_begins_with_the_orders_text_character_for_character() {
    let order = order("José <b>& Søn", "Wireless \"Mouse\" = 1,5 €. Ünïcode ✓");
    let expected = domain::notification::text(&order, &Reader::default());
    let reference = ShortReference::of(order.id);
    let mail = received(&message(Protocol::Email, "jane@example.com", notification_of(order))).await;
    let said = text(&mail);
    assert_eq!(said, format!("{expected}\n\nOrder {reference}\n\n-- \nUnsubscribe: {UNSUBSCRIBE}\n"));
    assert!(mail.is_ascii(), "a relay without 8BITMIME must understand it");
}

/// A shop with a name of its own.
fn cafe() -> Shop {
    Shop {
        name: Some("Café <Größing>".to_owned()),
        imprint: Some("Café Größing GmbH\nMain St 1, Springfield".to_owned()),
        color: Color::parse("#B00020").unwrap(),
        ..Shop::default()
    }
}

#[tokio::test]
async fn a_mail_says_whose_it_is_and_an_answer_goes_to_the_customer_or_else_to_the_shop() {
    let mut with_customer = order("Jo", "Mouse");
    with_customer.details.customer_email = Some("jo@example.com".to_owned());
    let Content::Confirmation { confirm_url, challenge, expires_at, .. } = confirmation() else {
        unreachable!()
    };
    let asked_by = Some("Café <Größing>".to_owned());
    for (content, reply_to, has_button) in [
        (linked_notification_of(order("Jo", "Mouse")), "answers@shop.example", true),
        (notification_of(with_customer), "Jo <jo@example.com>", false),
        (
            Content::Confirmation { asked_by, confirm_url, challenge, expires_at },
            "answers@shop.example",
            true,
        ),
        (Content::Test, "answers@shop.example", false),
    ] {
        let peer = Peer::start(Script::default()).await;
        let reply_address = Some(Sender::parse("answers@shop.example").unwrap());
        let settings =
            SmtpSettings { shop: Arc::new(cafe()), reply_to: reply_address, ..plain_relay(peer.port) };
        let is_request = content.kind() == DeliveryKind::Confirmation;
        let sent = message(Protocol::Email, "jane@example.com", content);
        assert_eq!(Email::new(settings).unwrap().send(&sent).await.outcome.kind, OutcomeKind::Delivered);
        let mail = peer.mails().remove(0);
        assert_eq!(header(&mail, "Reply-To").unwrap().replace('"', ""), reply_to);
        let (text, html) = (text(&mail), html(&mail));
        assert!(text.ends_with("\nCafé Größing GmbH\nMain St 1, Springfield\n"), "{text}");
        assert!(html.contains(">Café &#60;Größing&#62;</p>"), "{html}");
        assert!(html.contains(">Café Größing GmbH<br>Main St 1, Springfield</p>"), "{html}");
        assert_eq!(html.contains("background:#b00020"), has_button, "{html}");
        assert_eq!(
            text.starts_with("Café <Größing> asked for this address to be told of new orders."),
            is_request
        );
    }
}

#[tokio::test]
async fn the_shops_logo_comes_with_each_mail_and_is_loaded_from_nowhere() {
    let file = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x01\xe0\0\0\0\x80\x08\x06\0\0\0".to_vec();
    let shop = Shop { logo: Some(Arc::new(Logo::parse(file.clone()).unwrap())), ..cafe() };
    for content in [notification(), confirmation(), notice()] {
        let peer = Peer::start(Script::default()).await;
        let settings = SmtpSettings { shop: Arc::new(shop.clone()), ..plain_relay(peer.port) };
        let sent = message(Protocol::Email, "jane@example.com", content);
        assert_eq!(Email::new(settings).unwrap().send(&sent).await.outcome.kind, OutcomeKind::Delivered);
        let mail = peer.mails().remove(0);
        let read = MessageParser::new().parse(&mail).unwrap();
        let types: Vec<_> =
            read.parts.iter().map(|part| part.content_type().unwrap().subtype().unwrap()).collect();
        assert_eq!(types, ["alternative", "plain", "related", "html", "png"]);
        let picture = &read.parts[4];
        assert_eq!((picture.content_id(), picture.contents()), (Some("logo@orderbell"), file.as_slice()));
        let html = html(&mail);
        assert!(
            html.contains(
                r#"<img src="cid:logo@orderbell" width="240" height="64" alt="Café &#60;Größing&#62;""#
            ),
            "{html}"
        );
        assert!(!html.contains("src=\"http"), "{html}");
    }
}

#[tokio::test]
async fn a_dot_at_the_beginning_of_a_line_survives() {
    let order = order(".", "...");
    let expected = domain::notification::text(&order, &Reader::default());
    let mail = received(&message(Protocol::Email, "jane@example.com", notification_of(order))).await;
    assert!(text(&mail).starts_with(&expected));
}

#[tokio::test]
async fn the_html_form_escapes_what_the_customer_wrote() {
    let order = order("<script>alert(1)</script>", "a & b");
    let mail = received(&message(Protocol::Email, "jane@example.com", notification_of(order))).await;
    let html = html(&mail);
    assert!(!html.contains("<script>"), "{html}");
    assert!(html.contains("alert(1)") && html.contains(&format!("<a href=\"{UNSUBSCRIBE}\"")), "{html}");
}

#[tokio::test]
async fn a_confirmation_shows_its_link_as_text_and_as_a_button() {
    let mail = received(&message(Protocol::Email, "jane@example.com", confirmation())).await;
    assert!(text(&mail).ends_with(&format!("\n\n{CONFIRM}\n")));
    let html = html(&mail).replace("&#38;", "&").replace("&amp;", "&");
    assert!(
        html.contains(&format!("<a href=\"{CONFIRM}\"")) && html.contains("Confirm the subscription"),
        "{html}"
    );
    assert_eq!(header(&mail, "List-Unsubscribe"), None);
    assert_eq!(header(&mail, "List-Unsubscribe-Post"), None);
}

#[tokio::test]
async fn a_notice_names_the_command_that_helps_and_no_link_that_wants_a_key() {
    let content = notice();
    let Content::Notice { notice, .. } = &content else { unreachable!("{content:?}") };
    let (words, command) = (notice.text(), notice.command());
    let mail = received(&message(Protocol::Email, "jane@example.com", content)).await;
    assert_eq!(text(&mail), format!("{words}\n"));
    assert!(command.starts_with("orderbell subscription resume "), "{command}");
    assert!(words.ends_with(&format!("\n{command}")), "{words}");
    let html = html(&mail);
    assert!(html.contains(&command) && !html.contains("href"), "{html}");
}

/// The texts of the paragraphs of a mail's HTML, whatever their `style`.
fn paragraphs(html: &str) -> Vec<String> {
    let texts = html.split("<p").skip(1).filter_map(|part| part.split_once('>')?.1.split_once("</p>"));
    texts.map(|(text, _)| plain(text)).collect()
}

/// What stands for a text in HTML, as it was.
pub(crate) fn plain(text: &str) -> String {
    let pairs =
        [("&nbsp;", ""), ("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (escaped, meant)| text.replace(escaped, meant))
}

#[tokio::test]
async fn each_line_is_an_element_since_outlook_drops_white_space() {
    for content in [confirmation(), notice(), Content::Test] {
        let lines: Vec<_> = content.text(&Reader::default()).lines().map(str::to_owned).collect();
        let html = html(&received(&message(Protocol::Email, "jane@example.com", content)).await);
        let shown = paragraphs(&html);
        assert!(shown.len() >= lines.len(), "{html}");
        assert_eq!(shown[..lines.len()], lines, "{html}");
        assert!(!html.contains("white-space") && !html.contains("<pre"), "{html}");
    }
}

#[tokio::test]
async fn an_answer_goes_to_the_customer_where_the_order_has_an_address() {
    for (customer, expected) in [
        (Some("ada@example.com"), Some("ada@example.com")),
        (Some("ada@b\u{fc}cher.example"), Some("ada@xn--bcher-kva.example")),
        (Some("\u{e4}da@example.com"), None),
        (Some("no address"), None),
        // The answer would come back to whoever answers, and of two machines neither would stop.
        (Some("Orders@shop.example"), None),
        (Some("jane@Example.com"), None),
        (None, None),
    ] {
        let mut order = order("Ada", "Mouse");
        order.details.customer_email = customer.map(str::to_owned);
        let mail = received(&message(Protocol::Email, "jane@example.com", notification_of(order))).await;
        let expected = expected.map(|address| format!("Ada <{address}>"));
        assert_eq!(header(&mail, "Reply-To"), expected, "{customer:?}");
    }
}

#[tokio::test]
async fn the_subject_and_whom_an_answer_goes_to_say_what_the_customer_wrote_and_are_no_more_than_that() {
    for (customer, product, name) in [
        ("Jos\u{e9} \u{dc}n\u{ef}code", "2 \u{20ac} \u{2713}", "Jos\u{e9} \u{dc}n\u{ef}code"),
        ("\u{645}\u{631}\u{64a}\u{645}", "\u{6f22}\u{5b57} \u{1f4e6}", "\u{645}\u{631}\u{64a}\u{645}"),
        ("Jo\r\nBcc: evil@example.com", "x\r\n\r\nbody", "Jo Bcc: evil@example.com"),
        ("\" <evil@example.com>, \"", "=?utf-8?q?Bcc?=", "\" <evil@example.com>, \""),
        ("\u{202e}oJ", "\u{2066}x", "[U+202E]oJ"),
        ("Ada, L.", "=?utf-8?b?4oCu?=", "Ada, L."),
        ("=?utf-8?b?4oCu?=", "x", "= ?utf-8?b?4oCu?="),
        ("a\\\"b", "\u{2028}x", "a\\\"b"),
    ] {
        let mut order = order("Jo", "Mouse");
        order.details.customer_name = Some(customer.to_owned());
        order.details.products.product_name = Some(product.to_owned());
        order.details.customer_email = Some("ada@example.com".to_owned());
        // What would be decoded is none of our encoding.
        let subject = domain::notification::mail_subject(&order, &Reader::default()).replace("=?", "= ?");
        let mail = received(&message(Protocol::Email, "jane@example.com", notification_of(order))).await;
        let parsed = MessageParser::new().parse(&mail).unwrap();
        assert_eq!(parsed.subject(), Some(subject.as_str()));
        let answered: Vec<_> =
            parsed.reply_to().unwrap().iter().map(|one| (one.name(), one.address())).collect();
        assert_eq!(answered, [(Some(name), Some("ada@example.com"))]);
        assert!(!parsed.headers().iter().any(|header| header.name() == "Bcc"));
        assert!(mail.is_ascii());
    }
}

#[tokio::test]
async fn a_repeat_carries_the_same_message_id() {
    let mail = mail();
    let id = format!("<{}@shop.example>", mail.id);
    for _ in 0..2 {
        assert_eq!(header(&received(&mail).await, "Message-ID"), Some(id.clone()));
    }
}

#[tokio::test]
async fn the_headers_say_who_when_and_that_a_machine_wrote_it() {
    let mut mail = mail();
    mail.at = "2026-03-04T05:06:07.89Z".parse().unwrap();
    let received = received(&mail).await;
    for (name, value) in [
        ("Subject", "New Order Notification: Wireless Mouse for Jane Doe"),
        ("From", "Orderbell <orders@shop.example>"),
        ("To", "jane@example.com"),
        ("Date", "Wed, 04 Mar 2026 05:06:07 +0000"),
        ("Auto-Submitted", "auto-generated"),
        ("List-Id", "New orders <orders.shop.example>"),
        ("List-Unsubscribe", &format!("<{UNSUBSCRIBE}>")),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ] {
        assert_eq!(header(&received, name).as_deref(), Some(value), "{name}");
    }
}

#[tokio::test]
async fn a_senders_name_beyond_ascii_arrives_as_it_was_written() {
    let mail = received_from(&mail(), "Bücher & Söhne 📦 <orders@bücher.example>").await;
    let parsed = MessageParser::new().parse(&mail).unwrap();
    let from = parsed.from().unwrap().first().unwrap();
    assert_eq!(from.name(), Some("Bücher & Söhne 📦"));
    assert_eq!(from.address(), Some("orders@xn--bcher-kva.example"));
    assert!(mail.is_ascii());
}

#[tokio::test]
async fn a_long_link_stays_whole_in_its_header() {
    let Content::Notification { order, .. } = notification() else { unreachable!() };
    let link = format!("https://orders.example/subscriptions/unsubscribe?token={}", "a-b_C9".repeat(100));
    let content = Content::Notification {
        order,
        order_url: None,
        unsubscribe_url: link.clone(),
        written: Ok(Written::default()),
    };
    let mail = received(&message(Protocol::Email, "jane@example.com", content)).await;
    assert_eq!(header(&mail, "List-Unsubscribe"), Some(format!("<{link}>")));
    assert!(text(&mail).contains(&link));
}

#[tokio::test]
async fn one_click_is_offered_over_https_and_for_this_machine_only() {
    for (link, offered) in [
        ("https://orders.example/u", true),
        ("http://127.0.0.1:8080/u", true),
        ("http://localhost:8080/u", true),
        ("http://[::1]:8080/u", true),
        ("http://orders.example/u", false),
        ("http://localhost.example/u", false),
    ] {
        let Content::Notification { order, .. } = notification() else { unreachable!() };
        let content = Content::Notification {
            order,
            order_url: None,
            unsubscribe_url: link.to_owned(),
            written: Ok(Written::default()),
        };
        let mail = received(&message(Protocol::Email, "jane@example.com", content)).await;
        assert_eq!(header(&mail, "List-Unsubscribe"), Some(format!("<{link}>")));
        assert_eq!(header(&mail, "List-Unsubscribe-Post").is_some(), offered, "{link}");
    }
}

#[tokio::test]
async fn nothing_can_smuggle_a_header_in() {
    let Content::Notification { order, .. } = notification() else { unreachable!() };
    let unsubscribe_url = "https://x.example/u\r\nBcc: evil@example.com\r\n\r\nbody".to_owned();
    let content =
        Content::Notification { order, order_url: None, unsubscribe_url, written: Ok(Written::default()) };
    let hostile = message(Protocol::Email, "\"a b:<>,;\"@example.com", content);
    let mail = received_from(&hostile, "\"Shop, <x@y.example>; Bcc: z\" <orders@shop.example>").await;
    let parsed = MessageParser::new().parse(&mail).unwrap();
    let names: Vec<_> = parsed.headers().iter().map(mail_parser::Header::name).collect();
    assert!(!names.contains(&"Bcc"), "{names:?}");
    assert_eq!(parsed.from().unwrap().first().unwrap().address(), Some("orders@shop.example"));
    assert_eq!(parsed.to().unwrap().iter().count(), 1);
}

#[tokio::test]
async fn a_very_long_text_keeps_every_line_short_enough_for_smtp() {
    let name = "x".repeat(200);
    let mail =
        received(&message(Protocol::Email, "jane@example.com", notification_of(order(&name, &name)))).await;
    assert!(mail.split(|byte| *byte == b'\n').all(|line| line.len() <= 998));
}
