//! What a subscription is not shown stands in no form of any message: of whatever order, however its members were sent.

use std::fmt::Write;
use std::sync::Arc;

use application::Links;
use application::deliver::compose;
use application::ports::{Channel, DueDelivery, InboxMessage};
use domain::Timestamp;
use domain::attributes::Attributes;
use domain::delivery::{DeliveryId, DeliveryKind};
use domain::endpoint::{Endpoint, Protocol};
use domain::fields::Fields;
use domain::filter_policy::{FilterPolicy, FilterPolicyScope};
use domain::link_token::LinkKey;
use domain::order::{Order, OrderDetails, OrderId};
use domain::shop::Shop;
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState};
use domain::template::{LISTS, Template, TemplateSource, VALUES};
use domain::webhook_secret::WebhookSecrets;
use mail_parser::MessageParser;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::chat::chat;
use crate::fixtures::{NUMBER, secret};
use crate::http_receiver::Receiver;
use crate::mail_form::received;
use crate::sms::{made, twilio};
use crate::webhook::webhook;

/// Something that stands in an order alone, and the fields all of which it takes to see it.
type Mark = (&'static str, &'static [&'static str]);

/// A member, and the ways in which a client may send it: one that can be read, and others that cannot, or in part.
type Member = (&'static str, Vec<(Value, Vec<Mark>)>);

fn members() -> Vec<Member> {
    let long_name = format!("Zq-name{}", " and sons".repeat(130));
    vec![
        (
            "customerName",
            vec![
                (json!("Zq-name"), vec![("Zq-name", &["customerName"])]),
                (json!(long_name), vec![("Zq-name", &["customerName"])]),
            ],
        ),
        ("productName", vec![(json!("Zq-product"), vec![("Zq-product", &["productName"])])]),
        (
            "quantity",
            vec![
                (json!(773), vec![("773", &["quantity"])]),
                (json!("Zq-quantity"), vec![("Zq-quantity", &["quantity", "extra"])]),
            ],
        ),
        ("items", items()),
        (
            "customerEmail",
            vec![
                (json!("zq-mail@shop.example"), vec![("zq-mail", &["customerEmail"])]),
                (json!("Zq-mail"), vec![("Zq-mail", &["customerEmail", "extra"])]),
            ],
        ),
        (
            "customerPhone",
            vec![
                (json!("+4915112399887"), vec![("12399887", &["customerPhone"])]),
                (json!("0151 Zq-phone"), vec![("Zq-phone", &["customerPhone", "extra"])]),
            ],
        ),
        (
            "currency",
            vec![
                (json!("SEK"), vec![("SEK", &["currency"])]),
                (json!("Zq-crowns"), vec![("Zq-crowns", &["currency", "extra"])]),
            ],
        ),
        (
            "total",
            vec![
                (json!("918273.64"), vec![("273.64", &["total"])]),
                (json!("Zq-total"), vec![("Zq-total", &["total", "extra"])]),
            ],
        ),
        ("note", vec![(json!("Zq-note\nZq-note"), vec![("Zq-note", &["note"])])]),
        ("reference", vec![(json!("Zq-reference"), vec![("Zq-reference", &["reference"])])]),
        (
            "deliveryAddress",
            vec![
                (json!("Zq-street"), vec![("Zq-street", &["deliveryAddress"])]),
                (
                    json!({"streetAddress": "Zq-street", "postalCode": ["Zq-code"]}),
                    vec![("Zq-street", &["deliveryAddress"]), ("Zq-code", &["deliveryAddress", "extra"])],
                ),
            ],
        ),
        (
            "deliverAt",
            vec![
                (json!("8947-07-19T03:33"), vec![("8947", &["deliverAt"])]),
                (json!("Zq-soon"), vec![("Zq-soon", &["deliverAt", "extra"])]),
            ],
        ),
        ("locale", vec![(json!("gsw-CH"), vec![("gsw", &["locale"])])]),
        (
            "attributes",
            vec![(
                json!({"zqshop": "Zq-north", "zq own": "Zq-own"}),
                vec![
                    ("zqshop", &["attributes"]),
                    ("Zq-north", &["attributes"]),
                    ("Zq-own", &["attributes", "extra"]),
                ],
            )],
        ),
        ("gift", vec![(json!({"card": "Zq-card"}), vec![("Zq-card", &["extra"])])]),
    ]
}

fn items() -> Vec<(Value, Vec<Mark>)> {
    let wanted = json!({"productName": "Zq-wanted", "sku": "Zq-sku", "quantity": 775, "unitPrice": "4242.19", "size": "Zq-size"});
    let other = json!({"productName": "Zq-other", "sku": "Zq-else", "unitPrice": "Zq-price"});
    let of_wanted: [Mark; 5] = [
        ("Zq-wanted", &["matchingItems"]),
        ("Zq-sku", &["matchingItems"]),
        ("775", &["matchingItems"]),
        ("242.19", &["matchingItems"]),
        ("Zq-size", &["matchingItems", "extra"]),
    ];
    let of_other: [Mark; 3] =
        [("Zq-other", &["items"]), ("Zq-else", &["items"]), ("Zq-price", &["items", "extra"])];
    let unnamed: Mark = ("Zq-unnamed", &["items", "extra"]);
    let all: Vec<_> = of_wanted.into_iter().chain(of_other).collect();
    vec![
        (json!([wanted, other]), all.clone()),
        (json!([other, {"sku": "Zq-unnamed"}, wanted]), all.into_iter().chain([unnamed]).collect()),
        (json!("Zq-items"), vec![("Zq-items", &["items", "extra"])]),
    ]
}

/// An order of some of the members, and what stands in it.
fn orders() -> impl Strategy<Value = (Order, Vec<Mark>)> {
    let members = members();
    prop::collection::vec(prop::option::weighted(0.8, 0..3_usize), members.len()).prop_map(move |sent| {
        let (mut json, mut marks) = (Map::new(), Vec::new());
        for ((name, ways), way) in members.iter().zip(sent) {
            // Without the two names there is no order.
            let way = if ["customerName", "productName"].contains(name) { way.or(Some(0)) } else { way };
            let Some((value, marked)) = way.and_then(|way| ways.get(way % ways.len())) else { continue };
            json.insert((*name).to_owned(), value.clone());
            marks.extend(marked);
        }
        let details = OrderDetails::parse(Value::from(json).to_string().as_bytes()).unwrap();
        let order =
            Order { id: OrderId::new(now(), [1; 10]), time: now(), details, request_id: "r".to_owned() };
        (order, marks)
    })
}

fn all_fields() -> Vec<&'static str> {
    let both = ["customerName", "productName", "quantity", "matchingItems", "customerEmail", "customerPhone"];
    let others = ["currency", "total", "note", "reference", "deliveryAddress", "deliverAt", "locale"];
    both.into_iter().chain(others).chain(["attributes", "extra"]).collect()
}

/// Some fields; of those that show items, all of these or those wanted.
fn fields() -> impl Strategy<Value = Vec<&'static str>> {
    let some = prop::sample::subsequence(all_fields(), 1..=all_fields().len());
    (some, any::<bool>()).prop_map(|(mut some, is_all)| {
        for field in some.iter_mut().filter(|field| is_all && **field == "matchingItems") {
            *field = "items";
        }
        some
    })
}

fn is_shown((_, takes): &Mark, fields: &[&str]) -> bool {
    let shows =
        |field: &&str| fields.contains(field) || (*field == "matchingItems" && fields.contains(&"items"));
    takes.iter().all(shows)
}

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn delivery(protocol: Protocol, endpoint: &str, order: &Order, fields: &[&str]) -> DueDelivery {
    let policy = r#"{"data":{"items":{"sku":["Zq-sku"]}}}"#;
    let subscription = Subscription {
        id: SubscriptionId::new(now(), [2; 10]),
        endpoint: Endpoint::parse(protocol, endpoint).unwrap(),
        attributes: Attributes {
            filter_policy: Some(FilterPolicy::parse_in(FilterPolicyScope::MessageBody, policy).unwrap()),
            fields: Some(Fields::parse(fields.iter().copied()).unwrap()),
            ..Attributes::default()
        },
        state: SubscriptionState::Confirmed,
        generation: 1,
        created_at: None,
        confirmation_expires_at: None,
        confirmation: None,
        failure_streak: None,
        suspension: None,
        end: None,
        secrets: Some(WebhookSecrets::new(secret())),
    };
    DueDelivery {
        id: DeliveryId::new(now(), [3; 10]),
        kind: DeliveryKind::Notification,
        subscription: Arc::new(subscription),
        order: Some(Arc::new(order.clone())),
        notice: None,
        attempts: 0,
        attempts_used: 0,
        due_at: now(),
    }
}

/// A template that says all that a template can.
fn of_everything(protocol: Protocol) -> Template {
    let mut text = "All:".to_owned();
    for name in VALUES.map(|value| value.name).iter().chain(&[
        "attributes.a",
        "attributes.b",
        "extra.a",
        "extra.total",
    ]) {
        write!(text, " {{{{{name}}}}}").unwrap();
    }
    for (list, values) in &LISTS {
        write!(text, " {{{{#{}}}}}", list.name).unwrap();
        for value in *values {
            write!(text, " {{{{{}}}}}", value.name).unwrap();
        }
        write!(text, "{{{{/{}}}}}", list.name).unwrap();
    }
    let of_mail = Some(text.clone()).filter(|_| protocol == Protocol::Email);
    let source = TemplateSource { subject: of_mail.clone(), text: Some(text), html: of_mail };
    Template::parse(source, protocol).unwrap()
}

/// Every form, each with its name, as it is built in and as such a template says it: what the other side reads once all
/// encodings are undone.
async fn forms(order: &Order, fields: &[&str], is_templated: bool) -> Vec<(&'static str, String)> {
    let message = |protocol, endpoint: &str, order: &Order, fields: &[&str]| {
        let links = Links { key: LinkKey::new([7; 64]), public_url: "https://orders.example".to_owned() };
        let template = is_templated.then(|| of_everything(protocol));
        let delivery = delivery(protocol, endpoint, order, fields);
        compose(&links, &Shop::default(), template.as_ref(), &delivery, now())
    };
    let mail = message(Protocol::Email, "jane@example.com", order, fields);
    assert_eq!(mail.content.unwritten(), None);
    let kept = serde_json::to_string(&InboxMessage::of(&mail)).unwrap();
    let source = received(&mail).await;
    let read = MessageParser::new().parse(&source).unwrap();
    let (text, html) = (read.body_text(0).unwrap(), read.body_html(0).unwrap());
    let answered = format!("{:?} {:?} {:?}", read.subject(), read.reply_to(), read.from());
    let receiver = Receiver::start([]).await;
    webhook().send(&message(Protocol::Webhook, &receiver.url(), order, fields)).await;
    chat().send(&message(Protocol::Chat, &receiver.url(), order, fields)).await;
    let posted: Vec<_> = receiver.received().iter().map(|post| post.json().to_string()).collect();
    let provider = Receiver::start([made("1")]).await;
    let base = format!("http://127.0.0.1:{}", provider.port);
    twilio(&base).send(&message(Protocol::Sms, NUMBER, order, fields)).await;
    let texted = provider.received().remove(0).form().remove("Body").unwrap();
    let [event, post] = posted.try_into().unwrap();
    vec![
        ("mail's text", text.into_owned()),
        ("mail's HTML", html.into_owned()),
        ("mail's headers", answered),
        ("inbox", kept),
        ("webhook", event),
        ("chat", post),
        ("text message", texted),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_hidden_stands_in_no_form_and_what_is_shown_in_that_for_programs(
        (order, marks) in orders(),
        fields in fields(),
        is_templated in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for (form, said) in runtime.block_on(forms(&order, &fields, is_templated)) {
            for mark in &marks {
                let is_shown = is_shown(mark, &fields);
                prop_assert!(is_shown || !said.contains(mark.0), "{form} tells {}: {said}", mark.0);
                prop_assert!(!is_shown || form != "webhook" || said.contains(mark.0), "{} in {said}", mark.0);
            }
        }
    }
}
