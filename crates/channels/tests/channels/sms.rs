//! What a text message says, and how it is handed to each provider.

use std::collections::BTreeMap;
use std::num::NonZeroU8;

use application::ports::{Channel, ChannelRules, Content};
use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::UnknownOutcomePolicy;
use domain::notification;
use domain::order::{Order, OrderDetails, ShortReference};
use domain::reader::Reader;
use domain::sms_text::parts;
use orderbell_channels::Secret;
use orderbell_channels::sms::sns::{AwsKeys, Sns, SnsSettings};
use orderbell_channels::sms::twilio::{ApiKey, Sender, Twilio, TwilioSettings};
use orderbell_channels::sms::{SmsSettings, TextRules};

use crate::fixtures::{
    CONCURRENCY, CONFIRM, NUMBER, TIMEOUT, UNSUBSCRIBE, confirmation, message, notice, notification,
    notification_of, order, text_message,
};
use crate::http_receiver::{Reaction, Receiver};

pub(crate) const ACCOUNT: &str = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(crate) const AUTH_TOKEN: &str = "token-of-the-account";
pub(crate) const FROM: &str = "+15557122661";

pub(crate) fn sms_settings() -> SmsSettings {
    SmsSettings {
        text: TextRules { max_parts: NonZeroU8::new(3).unwrap(), unsubscribe_link: false },
        timeout: TIMEOUT,
        rules: ChannelRules { on_unknown: UnknownOutcomePolicy::Hold, ..ChannelRules::new(CONCURRENCY) },
    }
}

pub(crate) fn twilio_settings(api_url: &str) -> TwilioSettings {
    TwilioSettings {
        api_url: api_url.parse().unwrap(),
        account_sid: ACCOUNT.parse().unwrap(),
        auth_token: Some(Secret::new(AUTH_TOKEN.to_owned())),
        api_key: None,
        sender: Sender::From(FROM.to_owned()),
        sms: sms_settings(),
    }
}

pub(crate) fn twilio(api_url: &str) -> Twilio {
    Twilio::new(twilio_settings(api_url)).unwrap()
}

pub(crate) fn sns_settings(endpoint_url: &str) -> SnsSettings {
    SnsSettings {
        region: "us-east-1".to_owned(),
        keys: AwsKeys {
            access_key_id: "emulator".to_owned(),
            secret_access_key: Secret::new("emulator".to_owned()),
            session_token: None,
        },
        endpoint_url: Some(endpoint_url.to_owned()),
        sender_id: Some("Orderbell".to_owned()),
        sms: sms_settings(),
    }
}

pub(crate) fn made(segments: &str) -> Reaction {
    let message = serde_json::json!({"sid": "SM1", "status": "queued", "num_segments": segments});
    Reaction::Answer("201 Created", message.to_string())
}

pub(crate) fn published() -> Reaction {
    let answer = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
                  <MessageId>id-1</MessageId></PublishResult></PublishResponse>";
    Reaction::Answer("200 OK", answer.to_owned())
}

/// What SNS says of a number before anything is published to it.
pub(crate) fn opted_out(is: bool) -> Reaction {
    let answer = format!(
        "<CheckIfPhoneNumberIsOptedOutResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
         <CheckIfPhoneNumberIsOptedOutResult><isOptedOut>{is}</isOptedOut></CheckIfPhoneNumberIsOptedOutResult>\
         </CheckIfPhoneNumberIsOptedOutResponse>"
    );
    Reaction::Answer("200 OK", answer)
}

/// The requests that publish, among all that SNS was asked.
pub(crate) fn published_at(receiver: &Receiver) -> Vec<BTreeMap<String, String>> {
    let forms = receiver.received().into_iter().map(|request| request.form());
    forms.filter(|form| form["Action"] == "Publish").collect()
}

pub(crate) fn sms_attributes() -> Reaction {
    let answer = "<GetSMSAttributesResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
                  <GetSMSAttributesResult><attributes/></GetSMSAttributesResult></GetSMSAttributesResponse>";
    Reaction::Answer("200 OK", answer.to_owned())
}

/// What Twilio is given to say, under settings that were changed.
async fn said(content: Content, change: impl FnOnce(&mut TwilioSettings)) -> String {
    let receiver = Receiver::start([made("1")]).await;
    let mut settings = twilio_settings(&receiver.api());
    change(&mut settings);
    let sent = Twilio::new(settings).unwrap().send(&text_message(content)).await;
    assert_eq!(sent.outcome.kind, OutcomeKind::Delivered, "{}", sent.outcome.reply);
    receiver.received().remove(0).form().remove("Body").unwrap()
}

#[tokio::test]
async fn an_order_of_the_two_names_is_the_recipes_text_and_no_link_unless_it_is_wanted() {
    let order = order("Jane Doe", "Wireless Mouse");
    let text = notification::text(&order, &Reader::default());
    assert_eq!(said(notification_of(order.clone()), |_| ()).await, text);
    let with_link = said(notification_of(order), |settings| settings.sms.text.unsubscribe_link = true).await;
    assert_eq!(with_link, format!("{text}\n{UNSUBSCRIBE}"));
}

#[tokio::test]
async fn a_confirmation_is_said_shortly_and_carries_its_link() {
    let text = said(confirmation(), |_| ()).await;
    assert_eq!(
        text,
        format!(
            "To get new orders as texts, confirm by Wed, Mar 4, 2026, 5:06 AM UTC (not you? Do nothing):\n\
             {CONFIRM}"
        )
    );
    assert_eq!(parts(&text).to_string(), "1 part of GSM-7");
}

#[tokio::test]
async fn notices_and_tests_are_said_too() {
    let content = notice();
    let text = said(content.clone(), |_| ()).await;
    assert_eq!(
        (text.clone(), parts(&text).to_string()),
        (content.text(&Reader::default()), "2 parts of GSM-7".to_owned())
    );
    assert!(said(Content::Test, |_| ()).await.starts_with("This is a test"));
}

#[tokio::test]
async fn however_few_parts_a_notice_may_have_the_command_that_it_names_is_not_cut() {
    let content = notice();
    let command = content.text(&Reader::default()).lines().last().unwrap().to_owned();
    let text = said(content, |settings| settings.sms.text.max_parts = NonZeroU8::MIN).await;
    assert!(command.starts_with("orderbell subscription resume "), "{command}");
    assert!(
        text.starts_with("A subscription was suspended") && text.ends_with(&format!("...\n{command}")),
        "{text}"
    );
    assert_eq!(parts(&text).count, 1);
}

/// An order with as much as a customer's form asks for.
fn florists() -> Order {
    let members = serde_json::json!({
        "customerName": "Zoé O’Hara", "items": [{"productName": "Roses, red", "quantity": 12}, {"productName": "Card"}],
        "note": "Card: “Happy birthday, Mum”\nPlease leave it with the neighbour if nobody opens", "total": "54.00",
        "currency": "EUR", "customerPhone": "+4915112345678", "deliverAt": "2026-12-24",
        "deliveryAddress": "Main Street 1\n12345 Springfield", "reference": "F-77",
    });
    let details = OrderDetails::parse(members.to_string().as_bytes()).unwrap();
    Order { details, ..order("Zoé", "Roses") }
}

#[tokio::test]
async fn an_order_that_says_more_is_told_by_importance_in_the_parts_that_are_allowed() {
    let order = florists();
    let first = format!("{}: 12 x Roses, red, Card\nCustomer: Zoé O'Hara\n", ShortReference::of(order.id));
    let note = "Note: Card: \"Happy birthday, Mum\" / Please leave it with the neighbour if nobody opens";
    let facts = "Total: €54.00\nPhone: +4915112345678";
    let rest = "Wanted at: Thu, Dec 24, 2026\nAddress: Main Street 1 / 12345 Springfield\nReference: F-77";
    for (most, expected) in [
        (1, format!("{first}Note: Card: \"Happy birthday, Mum\" / Please leav...\n{facts}\n+ more")),
        (2, format!("{first}{note}\n{facts}\n{rest}")),
        (3, format!("{first}{note}\n{facts}\n{rest}")),
    ] {
        let max_parts = NonZeroU8::new(most).unwrap();
        let text =
            said(notification_of(order.clone()), |settings| settings.sms.text.max_parts = max_parts).await;
        assert_eq!(text, expected);
        assert_eq!(parts(&text).count, usize::from(most.min(2)));
    }
}

#[tokio::test]
async fn a_link_is_never_cut_however_much_an_order_says() {
    let text = said(notification_of(florists()), |settings| {
        settings.sms.text = TextRules { max_parts: NonZeroU8::new(2).unwrap(), unsubscribe_link: true };
    })
    .await;
    assert_eq!(parts(&text).to_string(), "2 parts of GSM-7");
    assert!(text.ends_with(&format!("\n+ more\n{UNSUBSCRIBE}")), "{text}");
}

#[tokio::test]
async fn a_link_that_does_not_fit_is_not_sent_in_pieces() {
    let receiver = Receiver::start([]).await;
    let mut settings = twilio_settings(&receiver.api());
    settings.sms.text.max_parts = NonZeroU8::MIN;
    let link = format!("https://orders.example/{}", "x".repeat(150));
    let content = Content::Confirmation {
        asked_by: None,
        confirm_url: link,
        challenge: String::new(),
        expires_at: "2026-03-04T05:06:00Z".parse().unwrap(),
    };
    let outcome = Twilio::new(settings).unwrap().send(&text_message(content)).await.outcome;
    assert_eq!(outcome.kind, OutcomeKind::Permanent(Scope::Delivery));
    assert!(outcome.reply.contains("sms.max_parts") && receiver.received().is_empty(), "{}", outcome.reply);
}

#[tokio::test]
async fn twilio_is_asked_for_a_message_in_the_accounts_name() {
    let receiver = Receiver::start([made("2")]).await;
    let message = text_message(notification());
    let sent = twilio(&receiver.api()).send(&message).await;
    assert_eq!(sent.outcome.reply, "accepted as SM1, 2 segments");
    let request = receiver.received().remove(0);
    assert_eq!(request.request_line, format!("POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1"));
    assert_eq!(request.header("content-type"), "application/x-www-form-urlencoded");
    // base64 of the account and the token.
    let login = "Basic QUNhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYTp0b2tlbi1vZi10aGUtYWNjb3VudA==";
    assert_eq!(request.header("authorization"), login);
    let form = request.form();
    assert_eq!((form["To"].as_str(), form["From"].as_str()), (NUMBER, FROM));
    assert_eq!(form["StatusCallback"], message.receipt_url);
    assert_eq!(form.len(), 4, "{form:?}");
}

#[tokio::test]
async fn a_key_signs_in_for_the_account_and_a_service_may_be_the_sender() {
    let receiver = Receiver::start([made("0")]).await;
    let settings = TwilioSettings {
        api_key: Some(ApiKey { sid: "SK1".to_owned(), secret: Secret::new("s".to_owned()) }),
        sender: Sender::MessagingService("MG1".to_owned()),
        ..twilio_settings(&receiver.api())
    };
    let sent = Twilio::new(settings).unwrap().send(&text_message(notification())).await;
    assert_eq!(sent.outcome.reply, "accepted as SM1, 2 parts of UCS-2");
    let request = receiver.received().remove(0);
    assert_eq!(request.header("authorization"), "Basic U0sxOnM=");
    assert_eq!(request.form()["MessagingServiceSid"], "MG1");
    assert!(!request.form().contains_key("From"));
}

#[tokio::test]
async fn a_callback_is_asked_for_only_where_it_can_be_made_and_verified() {
    for (receipt_url, token) in [
        ("http://127.0.0.1:8080/receipts/1", true),
        ("http://localhost/receipts/1", true),
        ("https://orders.example/receipts/1", false),
    ] {
        let receiver = Receiver::start([made("1")]).await;
        let mut settings = twilio_settings(&receiver.api());
        settings.api_key = Some(ApiKey { sid: "SK1".to_owned(), secret: Secret::new("s".to_owned()) });
        settings.auth_token = settings.auth_token.filter(|_| token);
        let mut message = text_message(notification());
        receipt_url.clone_into(&mut message.receipt_url);
        Twilio::new(settings).unwrap().send(&message).await;
        assert!(!receiver.received()[0].form().contains_key("StatusCallback"), "{receipt_url}");
    }
}

#[tokio::test]
async fn texts_go_over_connections_that_are_kept_and_do_not_wait_for_each_other() {
    let answers = [made("1"), made("1"), made("1"), Reaction::Hang];
    let to_twilio = Receiver::start_with(made("1"), answers).await;
    let answers = [opted_out(false), published(), opted_out(false), published()];
    let to_sns = Receiver::start(answers).await;
    let (twilio, sns) = (twilio(&to_twilio.api()), Sns::new(sns_settings(&to_sns.api())));
    let text = text_message(notification());
    for _ in 0..3 {
        assert_eq!(twilio.send(&text).await.outcome.kind, OutcomeKind::Delivered);
    }
    for _ in 0..2 {
        assert_eq!(sns.send(&text).await.outcome.kind, OutcomeKind::Delivered);
    }
    assert_eq!((to_twilio.connections(), to_sns.connections()), (1, 1));
    // One of them is not answered.
    let sent = tokio::select! {
        sent = twilio.send(&text) => sent,
        sent = twilio.send(&text) => sent,
    };
    assert_eq!(sent.outcome.kind, OutcomeKind::Delivered);
    assert_eq!(to_twilio.connections(), 2);
}

#[tokio::test]
async fn sns_is_asked_to_publish_to_the_number() {
    let receiver = Receiver::start([opted_out(false), published()]).await;
    let sent = Sns::new(sns_settings(&receiver.api())).send(&text_message(notification())).await;
    assert_eq!(sent.outcome.reply, "accepted as id-1, 2 parts of UCS-2");
    let question = receiver.received().remove(0).form();
    assert_eq!(question["Action"], "CheckIfPhoneNumberIsOptedOut");
    assert_eq!(question["phoneNumber"], NUMBER);
    let form = published_at(&receiver).remove(0);
    assert_eq!(form["PhoneNumber"], NUMBER);
    for (number, name, value) in
        [(1, "AWS.SNS.SMS.SMSType", "Transactional"), (2, "AWS.SNS.SMS.SenderID", "Orderbell")]
    {
        let entry = |part: &str| form[&format!("MessageAttributes.entry.{number}.{part}")].clone();
        let other = |part: &str| form[&format!("MessageAttributes.entry.{}.{part}", 3 - number)].clone();
        let found =
            [(entry("Name"), entry("Value.StringValue")), (other("Name"), other("Value.StringValue"))];
        assert!(found.contains(&(name.to_owned(), value.to_owned())), "{form:?}");
    }
}

#[tokio::test]
async fn what_sns_would_find_too_long_in_bytes_goes_in_fewer_parts() {
    let receiver = Receiver::start([opted_out(false), published(), opted_out(false), published()]).await;
    let mut settings = sns_settings(&receiver.api());
    settings.sms.text.max_parts = NonZeroU8::new(10).unwrap();
    let mut order = order("Jane Doe", "Mouse");
    order.details.note = Some("語".repeat(900));
    let content = notification_of(order);
    let long = Content::Notice {
        notice: domain::notice::Notice::Suspended {
            count: 1,
            subscription_id: domain::subscription::SubscriptionId::new(crate::fixtures::now(), [3; 10]),
            protocol: domain::endpoint::Protocol::Webhook,
            endpoint: "語".repeat(700),
            failing_since: crate::fixtures::now(),
        },
        about_url: "https://orders.example/".to_owned(),
    };
    let sns = Sns::new(settings);
    for content in [content, long] {
        let message = message(domain::endpoint::Protocol::Sms, NUMBER, content);
        sns.send(&message).await;
    }
    let published = published_at(&receiver);
    for form in published {
        assert!(
            (1_590..=1_600).contains(&form["Message"].len()),
            "no more is cut than must be: {}",
            form["Message"]
        );
    }
}
