//! The link to an order's page, in each channel.

use application::ports::{Channel, InboxMessage};
use domain::endpoint::Protocol;
use domain::order::{Order, OrderDetails, ShortReference};
use domain::reader::Reader;
use serde_json::json;

use crate::chat::{large_orders, posted};
use crate::fixtures::{ORDER_URL, UNSUBSCRIBE, linked_notification_of, message, order};
use crate::http_receiver::Receiver;
use crate::mail_form::{html, received, text};
use crate::mail_of_an_order::{assert_well_formed, shown};
use crate::webhook::webhook;

async fn mail_of(order: &Order) -> Vec<u8> {
    received(&message(Protocol::Email, "jane@example.com", linked_notification_of(order.clone()))).await
}

#[tokio::test]
async fn a_mail_has_it_on_its_texts_last_line_and_as_its_one_button() {
    let order = order("Jane Doe", "Wireless Mouse");
    let mail = mail_of(&order).await;
    let (said, reference) =
        (domain::notification::text(&order, &Reader::default()), ShortReference::of(order.id));
    let expected = format!("{said}\n\nOrder {reference}: {ORDER_URL}\n\n-- \nUnsubscribe: {UNSUBSCRIBE}\n");
    assert_eq!(text(&mail), expected);
    let html = html(&mail);
    assert_well_formed(&html);
    let button = format!("<a href=\"{ORDER_URL}\" style=\"display:inline-block;");
    assert_eq!(html.matches(&button).count(), 1, "{html}");
    let shown = shown(&html);
    assert_eq!(shown[shown.len() - 2], "See the order");
}

#[tokio::test]
async fn where_a_mail_is_cut_it_leads_to_all_of_it_and_no_command_is_named() {
    let json =
        json!({"customerName": "Ada", "productName": "Mouse", "note": "<note> ".repeat(9_000)}).to_string();
    let details = OrderDetails::parse(json.as_bytes()).unwrap();
    let order = Order { details, ..order("Jo", "Mouse") };
    let mail = mail_of(&order).await;
    assert!(mail.len() < 100_000, "{}", mail.len());
    let reference = ShortReference::of(order.id);
    let end = format!(
        "\n\nThis order is longer than a mail. See all of it:\nOrder {reference}: {ORDER_URL}\n\n-- \n"
    );
    let (text, html) = (text(&mail), html(&mail));
    assert!(text.contains(&end) && !text.contains("orderbell order show"), "{text}");
    let shown = shown(&html);
    let [longer, button] = &shown[shown.len() - 3..shown.len() - 1] else { unreachable!() };
    assert_eq!(
        (longer.as_str(), button.as_str()),
        ("This order is longer than a mail. See all of it:", "See the order")
    );
}

#[tokio::test]
async fn a_chat_has_it_in_its_text_and_in_its_blocks() {
    let link = format!("<{ORDER_URL}|See the order>");
    let payload = posted(linked_notification_of(order("Jane Doe", "Wireless Mouse"))).await;
    assert!(
        payload["text"].as_str().unwrap().ends_with(&format!("\nProduct: Wireless Mouse\n{link}")),
        "{payload}"
    );
    let blocks = payload["blocks"].as_array().unwrap();
    assert_eq!(blocks[blocks.len() - 2]["text"]["text"], format!("*{link}*"));
    for order in large_orders() {
        let payload = posted(linked_notification_of(order)).await;
        let text = payload["text"].as_str().unwrap();
        assert!((3_900..=4_000).contains(&text.encode_utf16().count()), "{text}");
        let rest = format!("This order is longer than a message. See all of it: {link}");
        assert!(text.ends_with(&format!("\n{rest}")) && !text.contains("orderbell order show"), "{text}");
        let blocks = payload["blocks"].as_array().unwrap();
        assert_eq!(blocks[blocks.len() - 3]["elements"][0]["text"], rest, "{payload}");
    }
}

#[tokio::test]
async fn a_webhook_has_it_beside_the_order() {
    let receiver = Receiver::start([]).await;
    let content = linked_notification_of(order("Jane Doe", "Wireless Mouse"));
    webhook().send(&message(Protocol::Webhook, &receiver.url(), content)).await;
    let event = receiver.received().remove(0).json();
    assert_eq!(event["orderUrl"], ORDER_URL);
    assert_eq!(event["data"].get("orderUrl"), None);
    assert!(!event["message"].as_str().unwrap().contains(ORDER_URL));
}

#[test]
fn the_inbox_keeps_it_beside_the_link_that_unsubscribes() {
    let content = linked_notification_of(order("Jane Doe", "Wireless Mouse"));
    let kept = InboxMessage::of(&message(Protocol::Sms, "+4915112345678", content));
    assert_eq!((kept.order_url.as_deref(), kept.link.as_deref()), (Some(ORDER_URL), Some(UNSUBSCRIBE)));
}
