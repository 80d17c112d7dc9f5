//! What of an order a subscription is shown.

use domain::attributes::{Attributes, AttributesChange};
use domain::fields::Fields;
use domain::filter_policy::{FilterPolicy, FilterPolicyScope};
use domain::notification::{mail_subject, sms, text};
use domain::order::{Order, ShortReference};
use domain::reader::Reader;
use domain::sms_text::Room;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures::order;

const ORDER: &str = r#"{"customerName":"Jo","items":[{"productName":"Mouse","sku":"M-1","quantity":2,"colour":"red"},
    {"productName":"Pad","sku":"P-1"},{"sku":"M-9"}],"total":"19,90","customerPhone":"0151 1234","note":"Ring twice",
    "gift":true,"deliveryAddress":{"streetAddress":"Main St 1","floor":2}}"#;

fn fields(names: &str) -> Fields {
    Fields::parse(names.split(',')).unwrap()
}

fn body_policy(json: &Value) -> FilterPolicy {
    FilterPolicy::parse_in(FilterPolicyScope::MessageBody, &json.to_string()).unwrap()
}

fn shown(names: &str, policy: Option<&FilterPolicy>) -> Value {
    let shown = serde_json::to_value(fields(names).reduce(&order(ORDER), policy)).unwrap();
    let members = shown.as_object().unwrap().iter();
    members
        .filter(|(name, _)| !["orderId", "orderTime"].contains(&name.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

#[test]
fn names_are_those_of_the_contract_and_each_counts_once() {
    assert_eq!(fields("note,customerName,note").names().collect::<Vec<_>>(), ["customerName", "note"]);
    let all = fields("extra,items,total");
    assert_eq!(Fields::from_stored(&all.stored()), Ok(all));
    for (wrong, why) in [
        ("", "\"\" is not"),
        ("customername", "\"customername\" is not"),
        ("note,phone", "customerPhone"),
        ("orderId", "orderId, orderTime and shortReference are always shown"),
        ("warnings", "warnings with extra"),
        ("items,matchingItems", "both items and matchingItems"),
    ] {
        let refused = Fields::parse(wrong.split(',')).unwrap_err();
        assert_eq!((refused.code, refused.field.as_str()), ("invalid_fields", "fields"));
        assert!(refused.message.contains(why), "{wrong}: {}", refused.message);
    }
    let refused = Fields::parse([]).unwrap_err();
    assert!(refused.message.contains("at least one"), "{}", refused.message);
    assert!(Fields::parse(["x".repeat(10_000).as_str()]).unwrap_err().message.len() < 500);
}

#[test]
fn what_could_not_be_read_is_hidden_with_the_member_that_it_was_sent_as() {
    assert_eq!(shown("note", None), json!({"note": "Ring twice"}));
    let with_extra = shown("note,extra", None);
    assert_eq!(with_extra, json!({"note": "Ring twice", "extra": {"gift": true}}));
    let told = shown("total,customerPhone,extra,items,deliveryAddress", None);
    let extra = json!({"items": [{"sku": "M-9"}], "total": "19,90", "customerPhone": "0151 1234", "gift": true,
        "deliveryAddress": {"floor": 2}});
    assert_eq!(told["extra"], extra);
    assert_eq!(told["items"][0]["extra"], json!({"colour": "red"}));
    let warned = |told: &Value| -> Vec<_> {
        let warnings = told["warnings"].as_array().cloned().unwrap_or_default();
        warnings.iter().map(|warning| warning["field"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(warned(&shown("total,extra", None)), ["total"]);
    assert_eq!(warned(&shown("items,extra", None)), ["items[2].productName"]);
    assert_eq!(warned(&shown("items,total", None)), Vec::<String>::new());
}

#[test]
fn a_supplier_sees_only_the_lines_that_its_policy_wants() {
    let policy = body_policy(&json!({"data": {"items": {"sku": [{"prefix": "M-"}]}}}));
    let told = shown("matchingItems", Some(&policy));
    assert_eq!(told, json!({"items": [{"productName": "Mouse", "sku": "M-1", "quantity": 2}]}));
    // Lines that cannot be read may be anyone's, and so may what is said of them.
    let told = shown("matchingItems,extra", Some(&policy));
    assert_eq!(told["extra"], json!({"gift": true}));
    assert_eq!(told["warnings"], Value::Null);
    // However it came to that, nobody is shown what nothing tells apart.
    assert_eq!(shown("matchingItems,note", None), json!({"note": "Ring twice"}));
    let of_all = FilterPolicy::parse(r#"{"sku":["M-1"]}"#).unwrap();
    assert_eq!(shown("matchingItems,note", Some(&of_all)), json!({"note": "Ring twice"}));
}

#[test]
fn what_is_hidden_has_no_line_in_the_text() {
    let order = order(ORDER);
    let (reference, english) = (ShortReference::of(order.id), Reader::default());
    let said = |names: &str| {
        let order = fields(names).reduce(&order, None);
        (
            text(&order, &english),
            mail_subject(&order, &english),
            sms(&order, &english, Room::of(std::num::NonZeroU8::MIN), None),
        )
    };
    let begin = format!("📦 New Order Received!\nOrder ID: {}", order.id);
    let (text, subject, sms) = said("note");
    assert_eq!(text, format!("{begin}\n\nNote: Ring twice"));
    assert_eq!((subject.as_str(), sms), ("New Order Notification", format!("{reference}\nNote: Ring twice")));
    let (text, subject, _) = said("customerName");
    assert_eq!((text, subject.as_str()), (format!("{begin}\nCustomer: Jo"), "New Order Notification for Jo"));
    let (text, subject, sms) = said("items");
    assert!(text.starts_with(&format!("{begin}\nProduct: 2 × Mouse, Pad\n\n- 2 × Mouse (M-1)\n")), "{text}");
    assert_eq!(subject, "New Order Notification: 2 × Mouse, Pad");
    assert_eq!(sms, format!("{reference}: 2 x Mouse, Pad"));
    let (text, _, sms) = said("productName");
    assert_eq!(text, begin, "an order of items has no other product");
    assert_eq!(sms, begin);
}

#[test]
fn matching_items_need_a_policy_that_tells_items_apart_and_keep_it() {
    let of_items = body_policy(&json!({"data": {"items": {"sku": ["M-1"]}}}));
    let either = |other: Value| body_policy(&json!({"$or": [{"data": {"items": {"sku": ["M-1"]}}}, other]}));
    let both = either(json!({"data": {"items": {"sku": ["M-2"]}}}));
    for (policy, tells_apart) in [
        (&of_items, true),
        (&both, true),
        (&either(json!({"data": {"currency": ["EUR"]}})), false),
        (&body_policy(&json!({"data": {"currency": ["EUR"]}})), false),
        (&body_policy(&json!({"data": {"items": [{"exists": false}]}})), false),
        (&FilterPolicy::parse(r#"{"sku":["M-1"]}"#).unwrap(), false),
    ] {
        assert_eq!(policy.asks_of_items(), tells_apart, "{}", policy.as_str());
    }
    let matching =
        AttributesChange { fields: Some(Some(fields("matchingItems"))), ..AttributesChange::default() };
    let refused = Attributes::default().changed(matching.clone()).unwrap_err();
    assert_eq!((refused.code, refused.field.as_str()), ("invalid_fields", "fields"));
    let with = |policy: Option<FilterPolicy>| AttributesChange::with_filter_policy(policy);
    let supplier = Attributes::with_filter_policy(Some(of_items)).changed(matching).unwrap();
    assert_eq!(supplier.clone().changed(with(None)).unwrap_err().code, "invalid_fields");
    let of_all = FilterPolicy::parse(r#"{"sku":["M-1"]}"#).unwrap();
    assert_eq!(supplier.clone().changed(with(Some(of_all))).unwrap_err().code, "invalid_fields");
    let changed = supplier.clone().changed(with(Some(both))).unwrap();
    assert_eq!(changed.differing(&supplier), ["filterPolicy"]);
    let shown_all =
        AttributesChange { fields: Some(None), filter_policy: Some(None), ..AttributesChange::default() };
    assert_eq!(supplier.changed(shown_all), Ok(Attributes::default()));
}

#[test]
fn of_two_thousand_lines_those_that_are_wanted_are_found() {
    let items: Vec<_> =
        (0..2_000).map(|n| json!({"productName": "P", "sku": n.to_string(), "tags": ["a", "b"]})).collect();
    let order = order(&json!({"customerName": "Jo", "items": items}).to_string());
    let skus: Vec<_> = (0..37).map(|n| (n * 50).to_string()).collect();
    let policy = body_policy(&json!({"data": {"items": {"sku": skus}}}));
    let shown = fields("matchingItems").reduce(&order, Some(&policy));
    assert_eq!(shown.details.products.items.len(), 37);
}

fn item() -> impl Strategy<Value = Value> {
    let value = prop::option::of(prop::sample::select(vec!["v1", "v2", "w1"]));
    prop::array::uniform3(value).prop_map(
        |[name, sku, size]| json!({"productName": name.unwrap_or("none"), "sku": sku, "size": size}),
    )
}

fn policies() -> impl Strategy<Value = FilterPolicy> {
    let conditions = prop::sample::select(vec![
        json!(["v1"]),
        json!([{"exists": false}]),
        json!([{"exists": true}]),
        json!([{"anything-but": ["v1"]}]),
        json!([{"prefix": "v"}, "w1"]),
    ]);
    let of_items = prop::collection::btree_map(
        prop::sample::select(vec!["productName", "sku"]),
        conditions.clone(),
        1..=2,
    );
    let of_extra = prop::option::of(conditions);
    (of_items, of_extra, any::<bool>(), any::<bool>()).prop_filter_map(
        "few combinations",
        |(members, extra, currency, either)| {
            let mut items = json!(members);
            if let Some(extra) = extra {
                items["extra"] = json!({"size": extra});
            }
            let mut data = json!({"items": items});
            if currency {
                data["currency"] = json!(["EUR"]);
            }
            let policy = json!({"data": data});
            let alternatives = json!({"$or": [policy, {"data": {"items": {"sku": ["w1"]}}}]});
            let policy = if either { alternatives } else { policy }.to_string();
            FilterPolicy::parse_in(FilterPolicyScope::MessageBody, &policy).ok()
        },
    )
}

fn with_items(items: &[Value]) -> Order {
    order(&json!({"customerName": "Jo", "productName": "Box", "items": items, "currency": "EUR"}).to_string())
}

proptest! {
    #[test]
    fn an_item_is_wanted_where_the_order_would_be_if_it_had_no_other(
        items in prop::collection::vec(item(), 1..6),
        policy in policies(),
    ) {
        let alone: Vec<_> = items.iter().map(|item| policy.matches(&with_items(std::slice::from_ref(item))).is_ok()).collect();
        let order = with_items(&items);
        prop_assert_eq!(policy.wanted_items(&order), alone.clone(), "{}", policy.as_str());
        prop_assert_eq!(policy.matches(&order).is_ok(), alone.contains(&true));
    }

    #[test]
    fn all_fields_show_the_order_as_it_is(json in crate::generated_orders::sent_orders()) {
        let order = order(&json.json);
        let all = Fields::parse("customerName,productName,quantity,items,customerEmail,customerPhone,currency,total,note,\
            reference,deliveryAddress,deliverAt,locale,attributes,extra".split(',')).unwrap();
        prop_assert_eq!(all.reduce(&order, None), order);
    }
}
