//! From an order to the message that SNS sends, in a form for each protocol and within SNS's limits.
//!
//! Source: AWS, `Publish` and `PublishBatch` in the Amazon SNS API Reference.

use aws_sdk_sns::error::BuildError;
use aws_sdk_sns::types::PublishBatchRequestEntry;
use domain::notification::{self, Event};
use domain::order::{Order, OrderId};
use serde_json::json;

use super::attributes::{Attribute, attributes, sms_type};

/// What a message may hold with its attributes, and a batch with all its messages, in bytes.
pub(super) const MAX_MESSAGE_BYTES: usize = 262_144;
/// What SNS may count for an entry beside its message and attributes: the subject and the entry's id.
const ENVELOPE_BYTES: usize = 64;
/// The longest text message in UTF-16 units: ten parts of 67. The parcel in the text makes every part UCS-2.
const MAX_SMS_UNITS: usize = 670;
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

/// Why an order cannot be published through SNS.
#[derive(Debug, thiserror::Error)]
pub(super) enum CannotPublish {
    #[error("it does not fit into {MAX_MESSAGE_BYTES} bytes")]
    TooLarge,
    #[error("it cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl SnsMessage {
    pub(super) fn of(order: &Order) -> Result<Self, CannotPublish> {
        let mut attributes = attributes(order)?;
        attributes.extend(sms_type(attributes.len()));
        let taken = ENVELOPE_BYTES + attributes.iter().map(Attribute::bytes).sum::<usize>();
        let room = MAX_MESSAGE_BYTES.checked_sub(taken).ok_or(CannotPublish::TooLarge)?;
        Ok(Self { order: order.id, message: message(order, room)?, attributes })
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
/// `message`, which repeats what its `data` says, is empty, and mail gets the beginning.
fn message(order: &Order, room: usize) -> Result<String, CannotPublish> {
    let text = notification::text(order);
    let sms = cut(&text, MAX_SMS_UNITS, MAX_SMS_BYTES);
    let event = notification::event(order);
    let structured = serde_json::to_string(&event)?;
    let spread = json!({
        "default": text, "sms": sms,
        "http": structured, "https": structured, "sqs": structured, "lambda": structured,
    });
    let spread = spread.to_string();
    if spread.len() <= room {
        return Ok(spread);
    }
    let once = structured_once(&structured, &text, &sms);
    if once.len() <= room {
        return Ok(once);
    }
    let brief = serde_json::to_string(&Event { message: String::new(), ..event })?;
    let mail = cut(&text, MAX_MAIL_BYTES, MAX_MAIL_BYTES);
    Some(structured_once(&brief, &mail, &sms))
        .filter(|brief| brief.len() <= room)
        .ok_or(CannotPublish::TooLarge)
}

fn structured_once(structured: &str, text: &str, sms: &str) -> String {
    json!({ "default": structured, "email": text, "sms": sms }).to_string()
}

/// The text, cut to so many UTF-16 units and bytes.
fn cut(text: &str, most_units: usize, most_bytes: usize) -> String {
    if text.encode_utf16().count() <= most_units && text.len() <= most_bytes {
        return text.to_owned();
    }
    let (mut units, mut bytes) = ('…'.len_utf16(), '…'.len_utf8());
    let fits = |c: &char| {
        units += c.len_utf16();
        bytes += c.len_utf8();
        units <= most_units && bytes <= most_bytes
    };
    text.chars().take_while(fits).chain(['…']).collect()
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
    use serde_json::Value;

    use super::fixtures::order;
    use super::*;

    /// The longest body of a request that places an order.
    const MAX_BODY: usize = 64 * 1_024;

    fn said(order: &Order) -> Value {
        let message = SnsMessage::of(order).unwrap();
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
        let order = order(r#"{"customerName":"Ada","productName":"Mouse"}"#);
        let said = said(&order);
        let text = notification::text(&order);
        let structured = serde_json::to_string(&notification::event(&order)).unwrap();
        assert_eq!(said["default"], Value::String(text.clone()));
        assert_eq!(said["sms"], Value::String(text));
        for protocol in ["http", "https", "sqs", "lambda"] {
            assert_eq!(said[protocol], Value::String(structured.clone()), "{protocol}");
        }
        assert_eq!(said.as_object().unwrap().len(), 6);
    }

    #[test]
    fn a_large_order_says_its_structure_once_and_every_protocol_still_gets_its_form() {
        let order = large("x", "");
        let said = said(&order);
        let structured = serde_json::to_string(&notification::event(&order)).unwrap();
        assert_eq!(said["default"], Value::String(structured));
        assert_eq!(said["email"], Value::String(notification::text(&order)));
        assert!(said["sms"].as_str().unwrap().len() <= MAX_SMS_BYTES);
        assert_eq!(said["http"], Value::Null);
    }

    #[test]
    fn the_largest_order_however_it_is_written_fits_with_all_its_data() {
        let escaped = "\u{1}".repeat(2_000);
        for letter in ["\"", "\\", "é", "€", "📦", "/", "\u{202e}"] {
            for note in ["", escaped.as_str(), &"\"".repeat(2_000)] {
                let order = large(letter, note);
                let said = said(&order);
                let structured: Value = serde_json::from_str(said["default"].as_str().unwrap()).unwrap();
                assert_eq!(structured["data"], serde_json::to_value(&order).unwrap(), "{letter}");
            }
        }
    }

    #[test]
    fn a_text_message_is_cut_to_ten_parts_and_says_so() {
        let order = large("x", "");
        let said = said(&order);
        let sms = said["sms"].as_str().unwrap();
        assert_eq!(sms.encode_utf16().count(), MAX_SMS_UNITS);
        assert!(sms.starts_with("📦 New Order Received!") && sms.ends_with('…'));
        for text in ["€".repeat(700), "📦".repeat(700)] {
            let fitted = cut(&text, MAX_SMS_UNITS, MAX_SMS_BYTES);
            assert!(fitted.len() <= MAX_SMS_BYTES && fitted.encode_utf16().count() <= MAX_SMS_UNITS);
        }
    }
}
