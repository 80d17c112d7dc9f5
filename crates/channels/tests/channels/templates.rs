//! What an operator wrote, in each channel's own form.

use application::ports::{Channel, Content};
use domain::attempt::OutcomeKind;
use domain::endpoint::Protocol;
use domain::order::{Order, OrderDetails};
use domain::reader::Reader;
use domain::sms_text::parts;
use domain::template::Written;
use serde_json::json;

use crate::chat::posted;
use crate::fixtures::{
    ORDER_URL, UNSUBSCRIBE, linked_notification_of, message, order, text_message, written_notification,
};
use crate::http_receiver::{Received, Receiver};
use crate::mail_form::{html, received, text};
use crate::mail_of_an_order::assert_well_formed;
use crate::sms::{made, twilio};
use crate::webhook::webhook;

const BUTTON: &str = "line-height:44px";

fn says(text: &str) -> Written {
    Written { text: Some(text.to_owned()), ..Written::default() }
}

fn written(says: Written) -> Content {
    written_notification(order("Jo", "Mouse"), says)
}

async fn mail_of(content: Content) -> Vec<u8> {
    received(&message(Protocol::Email, "jane@example.com", content)).await
}

#[tokio::test]
async fn a_mail_says_the_templates_parts_in_the_shops_frame_and_how_to_get_no_more_of_them() {
    let says = Written {
        subject: Some("Oven: Mouse".to_owned()),
        text: Some("Bake!\n".to_owned()),
        html: Some("<h1>Bake <bdi>&lt;Mouse&gt;</bdi></h1>".to_owned()),
    };
    let mail = mail_of(written(says)).await;
    assert!(String::from_utf8_lossy(&mail).contains("Subject: Oven: Mouse\r\n"));
    assert_eq!(text(&mail), format!("Bake!\n\n-- \nUnsubscribe: {UNSUBSCRIBE}\n"));
    let html = html(&mail);
    assert!(html.contains("<h1>Bake <bdi>&lt;Mouse&gt;</bdi></h1>"), "{html}");
    assert!(
        html.contains(&format!("<a href=\"{UNSUBSCRIBE}\"")) && html.contains("<title>Oven: Mouse</title>")
    );
    assert!(!html.contains(BUTTON), "its own links are the operator's choice");
    assert_well_formed(&html);
}

#[tokio::test]
async fn of_a_mails_text_alone_the_html_says_the_same_with_the_page_as_a_button() {
    let mail = mail_of(written(says("Bake:\n\n    2 < 3"))).await;
    assert!(String::from_utf8_lossy(&mail).contains("Subject: New Order Notification: Mouse for Jo\r\n"));
    let html = html(&mail);
    assert!(html.contains("<bdi>    2 &#60; 3</bdi>") && html.contains("white-space:pre-wrap"), "{html}");
    assert!(html.contains(BUTTON) && html.contains(ORDER_URL) && html.contains(UNSUBSCRIBE));
    assert!(!html.contains("<table class=\"order"), "{html}");
    assert_well_formed(&html);
}

#[tokio::test]
async fn a_subject_or_html_alone_leaves_the_rest_of_a_mail_as_it_is_built_in() {
    let of = order("Jo", "Mouse");
    let written = |says| written_notification(of.clone(), says);
    let built_in = mail_of(written(Written::default())).await;
    let subject = mail_of(written(Written { subject: Some("S".to_owned()), ..Written::default() })).await;
    assert_eq!(text(&subject), text(&built_in));
    assert_eq!(
        html(&subject).replace("<title>S<", "<title>New Order Notification: Mouse for Jo<"),
        html(&built_in)
    );
    let in_html = mail_of(written(Written { html: Some("<p>H</p>".to_owned()), ..Written::default() })).await;
    assert_eq!(text(&in_html), text(&built_in));
    assert!(html(&in_html).contains("<p>H</p>"));
}

#[tokio::test]
async fn the_largest_that_templates_say_beside_the_largest_order_is_a_bounded_mail() {
    let members = json!({"customerName": "Jo", "productName": "Mouse", "note": "é & ".repeat(12_000)});
    let details = OrderDetails::parse(members.to_string().as_bytes()).unwrap();
    let largest = || Order { details: details.clone(), ..order("Jo", "Mouse") };
    let html = Some("<p>é&amp;</p>".repeat(32_000 / 14));
    let text = Some("é&".repeat(16_000 / 3));
    for says in [
        Written { html: html.clone(), ..Written::default() },
        Written { text: text.clone(), ..Written::default() },
        Written { subject: Some("é".repeat(200)), text, html },
    ] {
        let mail = mail_of(written_notification(largest(), says)).await;
        assert!(mail.len() < 100_000, "{}", mail.len());
    }
}

#[tokio::test]
async fn a_text_message_is_the_templates_text_in_its_parts() {
    let provider = Receiver::start([made("1"), made("2")]).await;
    let twilio = twilio(&format!("http://127.0.0.1:{}", provider.port));
    let long = "x".repeat(1_000);
    for text in ["Bake: Mouse!", &long] {
        let sent = twilio.send(&text_message(written(says(text)))).await;
        assert_eq!(sent.outcome.kind, OutcomeKind::Delivered);
    }
    let [short, cut]: [_; 2] = provider
        .received()
        .iter()
        .map(|post| post.form().remove("Body").unwrap())
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    assert_eq!(short, "Bake: Mouse!");
    assert!(cut.ends_with("x...") && parts(&cut).count <= 3, "{cut}");
}

#[tokio::test]
async fn a_webhooks_message_is_the_templates_text_and_its_data_stays_the_order() {
    let receiver = Receiver::start([]).await;
    let of = order("Jo", "Mouse");
    for content in [written_notification(of.clone(), says("Bake!")), linked_notification_of(of.clone())] {
        webhook().send(&message(Protocol::Webhook, &receiver.url(), content)).await;
    }
    let [templated, built_in]: [_; 2] =
        receiver.received().iter().map(Received::json).collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(templated["message"], "Bake!");
    assert_eq!(built_in["message"], domain::notification::text(&of, &Reader::default()));
    assert_eq!(templated["data"], built_in["data"]);
    assert_eq!(templated["subject"], "New Order Notification");
}

#[tokio::test]
async fn a_chat_shows_the_templates_text_as_words_with_the_links_below() {
    let payload = posted(written(says("Bake *it*, <!channel>"))).await;
    assert_eq!(payload["blocks"][0]["text"]["type"], "plain_text");
    assert_eq!(payload["blocks"][0]["text"]["text"], "Bake *it*, &lt;!channel&gt;");
    let links = payload["blocks"].to_string();
    assert!(links.contains(ORDER_URL) && links.contains(UNSUBSCRIBE), "{links}");
    assert!(payload["text"].as_str().unwrap().starts_with("Bake *it*, &lt;!channel&gt;\n"));
    let long = posted(written(says(&"é".repeat(8_000)))).await;
    assert!(long["blocks"][0]["text"]["text"].as_str().unwrap().encode_utf16().count() <= 3_000);
    assert!(long["blocks"][1].to_string().contains(ORDER_URL), "{long}");
}
