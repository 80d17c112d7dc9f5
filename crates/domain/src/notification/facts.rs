//! What an order holds beyond its customer and its products, each under the label that people know.

use std::borrow::Cow;

use rust_decimal::Decimal;

use crate::order::{Address, AttributeValue, Extra, Order, PostalAddress};

/// One labelled fact of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact<'a> {
    /// What it is; of an attribute, or of what is not known, the client's own name for it.
    pub label: Cow<'a, str>,
    /// What it says, as its customer wrote it; a line break is never within one.
    pub lines: Vec<Cow<'a, str>>,
}

/// What it holds that has a name of our own, what staff look for first at the top.
#[must_use]
pub fn facts(order: &Order) -> Vec<Fact<'_>> {
    quantity(order).into_iter().chain(first_facts(order)).chain(further_facts(order)).collect()
}

/// How many of the one product.
pub(super) fn quantity(order: &Order) -> Option<Fact<'_>> {
    fact("Quantity", order.details.products.quantity.map(|quantity| quantity.to_string().into()))
}

/// How much it costs, and by when it is wanted.
pub(super) fn first_facts(order: &Order) -> Vec<Fact<'_>> {
    let details = &order.details;
    let total = details.total.map(|total| money(total, order));
    // Where there is no amount to tell it with.
    let currency = details.currency.as_ref().filter(|_| details.total.is_none());
    let facts = [
        fact("Total", total.map(Cow::Owned)),
        fact("Currency", currency.map(Cow::from)),
        fact("Wanted at", details.deliver_at.as_ref().map(Cow::from)),
    ];
    facts.into_iter().flatten().collect()
}

/// What else it holds that has a name of our own.
pub(super) fn further_facts(order: &Order) -> Vec<Fact<'_>> {
    let details = &order.details;
    let facts = [
        written("Note", details.note.as_deref()),
        fact("Phone", details.customer_phone.as_ref().map(Cow::from)),
        fact("Email", details.customer_email.as_ref().map(Cow::from)),
        details.delivery_address.as_ref().map(address),
        fact("Reference", details.reference.as_ref().map(Cow::from)),
        fact("Language", details.locale.as_ref().map(Cow::from)),
    ];
    facts.into_iter().flatten().collect()
}

/// What else it holds, under the client's own names, which may be any: its attributes, and what is not known or could not
/// be read.
#[must_use]
pub fn other_facts(order: &Order) -> Vec<Fact<'_>> {
    let details = &order.details;
    let mut facts: Vec<_> = details.attributes.iter().map(|(name, value)| attribute(name, value)).collect();
    for (place, item) in details.products.items.iter().enumerate() {
        facts.extend(item.extra.iter().flat_map(|extra| left_over(extra, &format!("items[{place}]."))));
    }
    facts.extend(details.extra.iter().flat_map(|extra| left_over(extra, "")));
    facts
}

/// An amount with the order's currency.
pub(super) fn money(amount: Decimal, order: &Order) -> String {
    match &order.details.currency {
        Some(currency) => format!("{amount} {currency}"),
        None => amount.to_string(),
    }
}

fn fact<'a>(label: &'a str, line: Option<Cow<'a, str>>) -> Option<Fact<'a>> {
    line.map(|line| Fact { label: label.into(), lines: vec![line] })
}

/// What a customer wrote, on one line or several.
fn written<'a>(label: impl Into<Cow<'a, str>>, text: Option<&'a str>) -> Option<Fact<'a>> {
    Some(Fact { label: label.into(), lines: lines(text?.trim()).into_iter().map(Cow::from).collect() })
}

/// The lines of a text, by whatever breaks them.
pub(super) fn lines(text: &str) -> Vec<String> {
    let breaks = |c: char| matches!(c, '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.split(breaks).map(|line| line.replace(|c: char| c.is_control() && c != '\t', "\u{fffd}")).collect()
}

fn address(address: &Address) -> Fact<'_> {
    let lines = match address {
        Address::Text(text) => lines(text.trim()).into_iter().map(Cow::from).collect(),
        Address::Postal(postal) => postal_lines(postal),
    };
    Fact { label: "Address".into(), lines }
}

/// The parts of an address as letters have them, with the code before the place.
fn postal_lines(postal: &PostalAddress) -> Vec<Cow<'_, str>> {
    let place = [&postal.postal_code, &postal.address_locality, &postal.address_region];
    let place = place.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
    let before =
        [&postal.name, &postal.street_address, &postal.extended_address, &postal.post_office_box_number];
    let before = before.into_iter().flatten().map(Cow::from);
    let place = Some(place).filter(|place| !place.is_empty()).map(Cow::from);
    before.chain(place).chain(postal.address_country.as_ref().map(Cow::from)).collect()
}

fn attribute<'a>(name: &'a str, value: &'a AttributeValue) -> Fact<'a> {
    let line = match value {
        AttributeValue::String(text) => text.into(),
        AttributeValue::Number(number) => number.to_string().into(),
        AttributeValue::Bool(value) => if *value { "yes" } else { "no" }.into(),
    };
    Fact { label: name.into(), lines: vec![line] }
}

/// What is not known, under its own name: a text as it is, anything else as the JSON that came.
fn left_over(extra: &Extra, under: &str) -> Vec<Fact<'static>> {
    let members = extra.members().into_iter();
    let fact = members.map(|(name, json)| {
        let text = serde_json::from_str::<String>(&json).unwrap_or_else(|_| json.into_owned());
        let label = lines(&format!("{under}{name}")).join(" ");
        Fact { label: label.into(), lines: lines(&text).into_iter().map(Cow::from).collect() }
    });
    fact.collect()
}
