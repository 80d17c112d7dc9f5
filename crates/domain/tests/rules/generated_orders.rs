//! Orders as a careful client could send any of them.

use proptest::prelude::*;

/// An order's JSON and the `total` that it states, character for character.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) json: String,
    pub(crate) total: Option<String>,
}

pub(crate) fn sent_orders() -> impl Strategy<Value = Sent> {
    let facts =
        (option(contact()), option(prop::sample::select(vec!["EUR", "JPY", "USD"])), option(amount()));
    let words = (option("\\PC{0,60}|[a-z\\n\\t]{1,20}"), attributes());
    (name(), products(), facts, words).prop_map(
        |(customer, products, (contact, currency, total), (note, attributes))| {
            let mut members = vec![format!("\"customerName\":{}", quoted(&customer)), products];
            members.extend(contact);
            members.extend(currency.map(|code| format!("\"currency\":\"{code}\"")));
            members.extend(total.iter().map(|total| format!("\"total\":{total}")));
            members.extend(note.map(|note| format!("\"note\":{}", quoted(&note))));
            members.push(format!("\"attributes\":{{{attributes}}}"));
            members.push("\"unknown\":{\"customerName\":[null,1e99]}".to_owned());
            Sent { json: format!("{{{}}}", members.join(" ,\n")), total }
        },
    )
}

/// An amount of money in plain notation, without leading zeros.
pub(crate) fn amount() -> impl Strategy<Value = String> {
    "(0|[1-9][0-9]{0,14})(\\.[0-9]{1,6})?"
}

fn name() -> impl Strategy<Value = String> {
    "\\PC{0,20}[\\p{L}\\p{N}📦\u{200b}]\\PC{0,20}"
        .prop_filter("one line", |name| name.trim() != "" && !name.contains(['\u{2028}', '\u{2029}']))
}

fn products() -> impl Strategy<Value = String> {
    let one = (name(), option(1u32..=1_000_000)).prop_map(|(name, quantity)| {
        let quantity = quantity.map(|quantity| format!(",\"quantity\":{quantity}")).unwrap_or_default();
        format!("\"productName\":{}{quantity}", quoted(&name))
    });
    let items =
        prop::collection::vec(item(), 1..6).prop_map(|items| format!("\"items\":[{}]", items.join(",")));
    prop_oneof![one, items]
}

fn item() -> impl Strategy<Value = String> {
    (name(), 1u32..=1_000_000, option("[A-Z0-9-]{1,64}"), option(amount())).prop_map(
        |(name, quantity, sku, price)| {
            let sku = sku.map(|sku| format!(",\"sku\":{}", quoted(&sku))).unwrap_or_default();
            let price = price.map(|price| format!(",\"unitPrice\":\"{price}\"")).unwrap_or_default();
            format!("{{\"productName\":{},\"quantity\":{quantity}{sku}{price}}}", quoted(&name))
        },
    )
}

fn contact() -> impl Strategy<Value = String> {
    let mail = "[a-z0-9]{1,10}@[A-Za-z0-9]{1,10}\\.com";
    (mail, "\\+[1-9][0-9]{6,9} [0-9]{2,5}").prop_map(|(mail, phone)| {
        format!("\"customerEmail\":{},\"customerPhone\":{}", quoted(&mail), quoted(&phone))
    })
}

fn attributes() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "[a-z0-9 é]{0,12}".prop_map(|text| quoted(&text)),
        ("-?", amount()).prop_map(|(sign, amount)| format!("{sign}{amount}")),
        any::<bool>().prop_map(|value| value.to_string()),
    ];
    prop::collection::btree_map("[a-z_.-]{1,12}", value, 0..5).prop_map(|attributes| {
        let member = |(key, value): (&String, &String)| format!("{}:{value}", quoted(key));
        attributes
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "sku" | "total" | "quantity" | "currency"))
            .map(member)
            .collect::<Vec<_>>()
            .join(",")
    })
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn option<S: Strategy>(of: S) -> impl Strategy<Value = Option<S::Value>> {
    prop::option::of(of)
}
