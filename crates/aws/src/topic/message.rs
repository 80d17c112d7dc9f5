//! From an order to the message that SNS sends, in a form for each protocol and within SNS's limits.
//!
//! Source: AWS, `Publish` and `PublishBatch` in the Amazon SNS API Reference.

use std::num::{NonZeroU8, NonZeroUsize};
use std::sync::Arc;

use aws_sdk_sns::error::BuildError;
use aws_sdk_sns::types::PublishBatchRequestEntry;
use domain::endpoint::Protocol;
use domain::notification;
use domain::order::{Order, OrderId, Warning};
use domain::reader::Reader;
use domain::shop::Shop;
use domain::sms_text::{Room, fitted};
use domain::template::{Template, Told};
use serde_json::json;

use super::attributes::{Attribute, attributes, sms_type};

/// What a message may hold with its attributes, and a batch with all its messages, in bytes.
pub(super) const MAX_MESSAGE_BYTES: usize = 262_144;
/// What SNS may count for an entry beside its message and attributes: the subject and the entry's id.
const ENVELOPE_BYTES: usize = 64;
/// The parts that a text message may have. SNS charges each, and takes as many as its bytes allow.
const MAX_SMS_PARTS: NonZeroU8 = NonZeroU8::MIN.saturating_add(9);
/// The longest text message that SNS takes, in bytes.
const MAX_SMS_BYTES: usize = 1_600;
/// The longest mail about an order that hardly fits, in bytes: what a person reads of it, and no attacker makes longer.
const MAX_MAIL_BYTES: usize = 32_768;

/// An order as a message of SNS.
#[derive(Debug)]
pub(super) struct SnsMessage {
    pub(super) order: OrderId,
    message: String,
    attributes: Vec<Attribute>,
}

/// What an order says, in its template's words where there is one that says it.
pub(super) struct Texts {
    mail: String,
    sms: String,
    /// Of the structured form.
    message: String,
}

impl Texts {
    /// What an order says to `reader`, by the template of each protocol.
    pub(super) fn of(
        order: &Order,
        reader: &Reader,
        template: impl Fn(Protocol) -> Option<Arc<Template>>,
    ) -> Self {
        let shop = Shop { language: reader.language, time_zone: reader.time_zone.clone(), ..Shop::default() };
        let told = Told { order, reader, shop: &shop, order_url: None, unsubscribe_url: "" };
        let written = |protocol| match template(protocol)?.render(&told) {
            Ok(written) => written.text,
            Err(why) => {
                tracing::warn!(order_id = %order.id, %protocol, %why, "a template is not used");
                None
            }
        };
        let room = Room::of(MAX_SMS_PARTS).within(MAX_SMS_BYTES);
        let text = notification::text(order, reader);
        let sms = written(Protocol::Sms).map(|text| fitted(&text, room));
        Self {
            mail: written(Protocol::Email).unwrap_or_else(|| text.clone()),
            sms: sms.unwrap_or_else(|| notification::sms(order, reader, room, None)),
            message: written(Protocol::Webhook).unwrap_or(text),
        }
    }
}

/// Why an order cannot be published through SNS.
#[derive(Debug, thiserror::Error)]
pub(super) enum CannotPublish {
    #[error("it does not fit into {MAX_MESSAGE_BYTES} bytes")]
    TooLarge,
    #[error("it cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl SnsMessage {
    pub(super) fn of(order: &Order, texts: &Texts) -> Result<Self, CannotPublish> {
        let mut attributes = attributes(order)?;
        attributes.extend(sms_type(attributes.len()));
        let taken = ENVELOPE_BYTES + attributes.iter().map(Attribute::bytes).sum::<usize>();
        let room = MAX_MESSAGE_BYTES.checked_sub(taken).ok_or(CannotPublish::TooLarge)?;
        Ok(Self { order: order.id, message: message(order, texts, room)?, attributes })
    }

    /// What it counts against the limit of a batch.
    pub(super) fn bytes(&self) -> usize {
        ENVELOPE_BYTES + self.message.len() + self.attributes.iter().map(Attribute::bytes).sum::<usize>()
    }

    /// The entry of a batch, under an id that is unique in it.
    pub(super) fn entry(&self, id: usize) -> Result<PublishBatchRequestEntry, BuildError> {
        let entry = PublishBatchRequestEntry::builder()
            .id(id.to_string())
            .subject(notification::SUBJECT)
            .message_structure("json")
            .message(&self.message);
        let with = |entry: aws_sdk_sns::types::builders::PublishBatchRequestEntryBuilder, one: &Attribute| {
            Ok::<_, BuildError>(entry.message_attributes(&one.name, one.to_sns()?))
        };
        self.attributes.iter().try_fold(entry, with)?.build()
    }
}

/// The message in at most `room` bytes.
///
/// The structured notification is written once for each protocol that gets it. Where an order is too large for that,
/// it is the default, once, and mail gets the text by name; where even that is too large, its
/// `message`, which repeats what its `data` says, is empty, and mail gets the beginning. Of thousands of items of a few
/// characters each, which take several times their room in the request, `data` has the first, and a warning that says so.
fn message(order: &Order, texts: &Texts, room: usize) -> Result<String, CannotPublish> {
    let Texts { mail: text, sms, message } = texts;
    let structured = serde_json::to_string(&notification::event(order, message.clone()))?;
    let spread = json!({
        "default": text, "sms": sms,
        "http": structured, "https": structured, "sqs": structured, "lambda": structured,
    });
    let spread = spread.to_string();
    if spread.len() <= room {
        return Ok(spread);
    }
    let once = structured_once(&structured, text, sms);
    if once.len() <= room {
        return Ok(once);
    }
    let mail = cut(text, MAX_MAIL_BYTES);
    let brief = |order: &Order| {
        let event = notification::event(order, String::new());
        serde_json::to_string(&event).map(|brief| structured_once(&brief, &mail, sms))
    };
    let mut message = brief(order)?;
    let mut items = order.details.products.items.len();
    while message.len() > room {
        items = NonZeroUsize::new(items).ok_or(CannotPublish::TooLarge)?.get() / 2;
        message = brief(&with_fewer_items(order, items))?;
    }
    Ok(message)
}

/// The order with so many of its items, and a warning that there are more.
fn with_fewer_items(order: &Order, count: usize) -> Order {
    let mut fewer = order.clone();
    let items = &mut fewer.details.products.items;
    let detail =
        format!("items holds the first {count} of {} here: all do not fit into a message", items.len());
    items.truncate(count);
    let warning = Warning { field: "items".to_owned(), code: "cut".into(), detail };
    fewer.details.warnings.push(warning);
    fewer
}

fn structured_once(structured: &str, text: &str, sms: &str) -> String {
    json!({ "default": structured, "email": text, "sms": sms }).to_string()
}

/// The text, cut to so many bytes.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(most - '…'.len_utf8())])
}

#[cfg(test)]
pub(super) mod fixtures {
    use domain::Timestamp;
    use domain::order::{Order, OrderDetails, OrderId};

    /// An order as a client sent it.
    pub(in crate::topic) fn order(json: &str) -> Order {
        let details = OrderDetails::parse(json.as_bytes()).unwrap();
        let time: Timestamp = "2026-03-04T05:06:07.123456Z".parse().unwrap();
        Order { id: OrderId::new(time, [7; 10]), time, details, request_id: "request-1".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use domain::order::ShortReference;
    use domain::sms_text::parts;
    use domain::template::TemplateSource;
    use serde_json::Value;

    use super::fixtures::order;
    use super::*;

    /// The longest body of a request that places an order.
    const MAX_BODY: usize = 64 * 1_024;

    fn said(order: &Order) -> Value {
        let message = SnsMessage::of(order, &Texts::of(order, &Reader::default(), |_| None)).unwrap();
        assert!(message.bytes() <= MAX_MESSAGE_BYTES, "{} bytes", message.bytes());
        serde_json::from_str(&message.message).unwrap()
    }

    /// An order of 100 items whose names repeat `letter` as often as the limits and the body's size allow.
    fn large(letter: &str, note: &str) -> Order {
        let names = (4..=256).rev().map(|length| {
            let item = |n: usize| json!({"productName": format!("{n:02}{}", letter.repeat(length - 4)), "quantity": 1_000_000});
            let items: Vec<_> = (0..100).map(item).collect();
            json!({"customerName": "Ada", "items": items, "note": note}).to_string()
        });
        let body = names.into_iter().find(|body| body.len() <= MAX_BODY).expect("some length fits");
        assert!(body.len() > MAX_BODY / 3);
        order(&body)
    }

    #[test]
    fn what_turns_the_direction_of_a_name_is_written_out_for_people_and_kept_for_programs() {
        let said = said(&order(r#"{"customerName":"Ada\u202e","productName":"Mouse"}"#));
        for people in ["default", "sms"] {
            assert!(said[people].as_str().unwrap().contains("Customer: Ada[U+202E]\n"), "{said}");
        }
        let structured: Value = serde_json::from_str(said["https"].as_str().unwrap()).unwrap();
        assert_eq!(structured["data"]["customerName"], "Ada\u{202e}");
    }

    #[test]
    fn each_protocol_gets_what_it_can_use() {
        let order = order(r#"{"customerName":"Ada","productName":"Mouse","note":"Ring twice"}"#);
        let said = said(&order);
        let text = notification::text(&order, &Reader::default());
        let structured = serde_json::to_string(&notification::event(
            &order,
            notification::text(&order, &Reader::default()),
        ))
        .unwrap();
        assert_eq!(said["default"], Value::String(text));
        let reference = ShortReference::of(order.id);
        assert_eq!(said["sms"], format!("{reference}: Mouse\nCustomer: Ada\nNote: Ring twice"));
        for protocol in ["http", "https", "sqs", "lambda"] {
            assert_eq!(said[protocol], Value::String(structured.clone()), "{protocol}");
        }
        assert_eq!(said.as_object().unwrap().len(), 6);
    }

    #[test]
    fn each_protocol_gets_what_its_template_says_and_programs_the_order_as_ever() {
        let order = order(r#"{"customerName":"Ada","productName":"Mouse","note":"Ring twice"}"#);
        let template = |protocol: Protocol| {
            let text = Some(format!("{protocol}: {{{{productName}}}}{{{{unsubscribeUrl}}}}{{{{orderUrl}}}}"));
            Some(Arc::new(
                Template::parse(TemplateSource { text, ..TemplateSource::default() }, protocol).unwrap(),
            ))
        };
        let message = SnsMessage::of(&order, &Texts::of(&order, &Reader::default(), template)).unwrap();
        let said: Value = serde_json::from_str(&message.message).unwrap();
        assert_eq!((&said["default"], &said["sms"]), (&json!("email: Mouse"), &json!("sms: Mouse")));
        let structured: Value = serde_json::from_str(said["https"].as_str().unwrap()).unwrap();
        assert_eq!(
            (&structured["message"], &structured["data"]["note"]),
            (&json!("webhook: Mouse"), &json!("Ring twice"))
        );
    }

    #[test]
    fn an_order_of_the_two_names_is_texted_as_the_recipe_has_it() {
        let order = order(r#"{"customerName":"Ada","productName":"Mouse"}"#);
        assert_eq!(said(&order)["sms"], notification::headline(&order, &Reader::default()));
    }

    #[test]
    fn a_large_order_says_its_structure_once_and_every_protocol_still_gets_its_form() {
        let order = large("x", "");
        let said = said(&order);
        let structured = serde_json::to_string(&notification::event(
            &order,
            notification::text(&order, &Reader::default()),
        ))
        .unwrap();
        assert_eq!(said["default"], Value::String(structured));
        assert_eq!(said["email"], Value::String(notification::text(&order, &Reader::default())));
        assert!(said["sms"].as_str().unwrap().len() <= MAX_SMS_BYTES);
        assert_eq!(said["http"], Value::Null);
    }

    #[test]
    fn the_largest_order_however_it_is_written_fits_with_all_its_data() {
        let escaped = "\u{1}".repeat(2_000);
        for letter in ["\"", "\\", "é", "€", "📦", "/", "\u{202e}"] {
            for note in ["", escaped.as_str(), &"\"".repeat(2_000)] {
                fits_with_all_its_data(&large(letter, note), letter);
            }
        }
    }

    #[test]
    fn the_largest_order_of_what_is_not_known_fits_with_all_its_data() {
        let unreadable: Vec<_> =
            (0..1_000).map(|_| json!({"productName": "Pad", "quantity": "two", "size": "\\"})).collect();
        let unnamed: Vec<_> = (0..1_000).map(|n| json!({"productName": format!("Product {n}")})).collect();
        for (what, members) in [
            ("quotes", json!({"extra": "\"".repeat(30_000)})),
            ("backslashes", json!({"extra": "\\".repeat(30_000)})),
            ("controls", json!({"extra": "\u{1}".repeat(10_000)})),
            ("empty texts", json!({"extra": vec![""; 20_000]})),
            ("nested", json!({"extra": vec![json!([[[[[[[[[[""]]]]]]]]]]); 2_500]})),
            ("members", (0..5_000).map(|n| (format!("{n}\""), json!(""))).collect()),
            ("a note", json!({"note": "x".repeat(60_000)})),
            ("a note of quotes", json!({"note": "\"\\".repeat(15_000)})),
            ("a note of lines", json!({"note": "a\n".repeat(20_000)})),
            ("items without quantities", json!({"items": unnamed})),
            ("items that cannot be read", json!({"items": unreadable})),
        ] {
            let mut members: Value = members;
            members["customerName"] = "Ada".into();
            members["productName"] = "Mouse".into();
            let body = members.to_string();
            assert!((MAX_BODY / 3..=MAX_BODY).contains(&body.len()), "{what}: {}", body.len());
            fits_with_all_its_data(&order(&body), what);
        }
    }

    /// Each protocol has its form, and programs all of the order.
    fn fits_with_all_its_data(order: &Order, what: &str) {
        let said = said(order);
        let for_programs = said.get("https").unwrap_or(&said["default"]);
        let structured: Value = serde_json::from_str(for_programs.as_str().unwrap()).unwrap();
        let mut data = structured["data"].clone();
        let reference = data.as_object_mut().unwrap().remove("shortReference");
        assert_eq!(reference, Some(ShortReference::of(order.id).to_string().into()), "{what}");
        assert_eq!(data, serde_json::to_value(order).unwrap(), "{what}");
        let mail = said.get("email").unwrap_or(&said["default"]).as_str().unwrap();
        assert!(
            notification::text(order, &Reader::default()).starts_with(mail.trim_end_matches('…')),
            "{what}"
        );
        let sms = said["sms"].as_str().unwrap();
        assert!(sms.len() <= MAX_SMS_BYTES && parts(sms).count <= 10, "{what}: {sms}");
    }

    #[test]
    fn as_many_tiny_items_as_a_request_can_hold_are_told_with_all_that_is_behind_them() {
        for tiny in ["\"a\"", r#""a\u007f""#, "\"a\u{7f}\"", "7", r#"{"productName":"a","x":1}"#] {
            let items = vec![tiny; (MAX_BODY - 60) / (tiny.len() + 1)].join(",");
            let body = format!(r#"{{"customerName":"Ada","productName":"Mouse","items":[{items}]}}"#);
            assert!((MAX_BODY - 100..=MAX_BODY).contains(&body.len()), "{}", body.len());
            fits_with_all_its_data(&order(&body), tiny);
        }
    }

    #[test]
    fn of_thousands_of_tiny_items_that_are_stored_a_program_is_told_the_first_and_that_there_are_more() {
        // More than are read of a request, and less than a table may hold.
        let items: Vec<_> = (0..9_000_u32).map(|n| json!({ "productName": format!("{n:x}") })).collect();
        let stored = json!({"customerName": "Ada", "items": items}).to_string();
        let details = serde_json::from_str(&stored).unwrap();
        let order = Order { details, ..order(r#"{"customerName":"Ada","productName":"Mouse"}"#) };
        let said = said(&order);
        let structured: Value = serde_json::from_str(said["default"].as_str().unwrap()).unwrap();
        let told = structured["data"]["items"].as_array().unwrap().len();
        assert!((2_000..9_000).contains(&told), "{told}");
        assert_eq!(structured["data"]["warnings"][0]["code"], "cut");
        assert_eq!(structured["data"]["orderId"], order.id.to_string());
        assert!(said["sms"].as_str().unwrap().contains(" more items\nCustomer: Ada"), "{}", said["sms"]);
    }

    #[test]
    fn a_text_message_of_a_large_order_takes_no_more_than_ten_parts_and_says_so() {
        for letter in ["x", "é", "€", "語", "📦"] {
            let order = large(letter, "Ring twice");
            let said = said(&order);
            let sms = said["sms"].as_str().unwrap();
            assert!(sms.len() <= MAX_SMS_BYTES && parts(sms).count <= 10, "{}: {sms}", parts(sms));
            assert!(sms.ends_with(" more items\nCustomer: Ada\nNote: Ring twice"), "{sms}");
        }
    }
}
