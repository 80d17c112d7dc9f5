//! What an order holds beyond its customer and its products, each under the label that people know.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::wording::Wording;
use crate::language::numbers;
use crate::order::{Address, AttributeValue, Extra, Item, Order, PostalAddress, members_of};
use crate::reader::Reader;

/// The longest that stands beside an item of what else came with it, in characters.
const MAX_BESIDE_ITEM: usize = 120;
/// An object of at most so many members, and of a name of at most so many bytes, is told member by member: of larger ones
/// the names alone could be many times what came.
const MAX_MEMBERS: usize = 10;
const MAX_NAME_OF_OBJECT: usize = 24;

/// One labelled fact of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact<'a> {
    /// What it is.
    pub kind: FactKind,
    /// What that is called; of an attribute, or of what is not known, the client's own name for it.
    pub label: Cow<'a, str>,
    /// What it says, as its customer wrote it; a line break is never within one.
    pub lines: Vec<Cow<'a, str>>,
}

impl Fact<'_> {
    /// The customer's number, where it is `+` and digits and nothing else (E.164): the one word of theirs that may become a
    /// link.
    #[must_use]
    pub fn dialled(&self) -> Option<&str> {
        let [line] = self.lines.as_slice() else { return None };
        let digits = line.strip_prefix('+').filter(|_| self.kind == FactKind::Phone)?;
        digits.bytes().all(|digit| digit.is_ascii_digit()).then_some(line)
    }
}

/// What a fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactKind {
    /// How many of the one product.
    Quantity,
    /// What all of it costs.
    Total,
    /// In which currency, where there is no amount to tell it with.
    Currency,
    /// By when it is wanted.
    WantedAt,
    /// What the customer wrote.
    Note,
    /// The customer's number.
    Phone,
    /// The customer's address of mail.
    Email,
    /// Where it goes.
    Address,
    /// The shop's own number of the order.
    Reference,
    /// The customer's language.
    Language,
    /// What has the client's own name: an attribute, or what is not known.
    Other,
}

/// What it holds that has a name of our own, what staff look for first at the top.
#[must_use]
pub fn facts<'a>(order: &'a Order, reader: &Reader) -> Vec<Fact<'a>> {
    Wording::of(reader).facts(order)
}

/// What else it holds, under the client's own names, which may be any: its attributes, and what is not known or could not
/// be read.
#[must_use]
pub fn other_facts<'a>(order: &'a Order, reader: &Reader) -> Vec<Fact<'a>> {
    Wording::of(reader).other_facts(order)
}

impl Wording<'_> {
    /// All that has a name of our own.
    pub(super) fn facts<'a>(&self, order: &'a Order) -> Vec<Fact<'a>> {
        let quantity = self.quantity(order).into_iter();
        quantity.chain(self.first_facts(order)).chain(self.further_facts(order)).collect()
    }

    /// How many of the one product.
    pub(super) fn quantity<'a>(&self, order: &'a Order) -> Option<Fact<'a>> {
        let quantity = order.details.products.quantity?;
        Some(self.fact(FactKind::Quantity, numbers::whole(self.language, quantity.into()).into()))
    }

    /// How much it costs, and by when it is wanted.
    pub(super) fn first_facts<'a>(&self, order: &'a Order) -> Vec<Fact<'a>> {
        let details = &order.details;
        let total = details.total.map(|total| self.money(total, order));
        // Where there is no amount to tell it with.
        let currency = details.currency.as_ref().filter(|_| details.total.is_none());
        let wanted_at = details.deliver_at.as_deref().map(|at| self.wanted_at(at));
        let facts = [
            total.map(|total| self.fact(FactKind::Total, total.into())),
            currency.map(|currency| self.fact(FactKind::Currency, currency.into())),
            wanted_at.map(|at| self.fact(FactKind::WantedAt, at)),
        ];
        facts.into_iter().flatten().collect()
    }

    /// What else it holds that has a name of our own.
    pub(super) fn further_facts<'a>(&self, order: &'a Order) -> Vec<Fact<'a>> {
        let details = &order.details;
        let one = |kind, text: &'a Option<String>| Some(self.fact(kind, text.as_deref()?.into()));
        let several = |kind, lines| Fact { kind, label: self.words.label(kind).into(), lines };
        let facts = [
            details.note.as_deref().map(|note| several(FactKind::Note, written(note))),
            one(FactKind::Phone, &details.customer_phone),
            one(FactKind::Email, &details.customer_email),
            details.delivery_address.as_ref().map(|to| several(FactKind::Address, address(to))),
            one(FactKind::Reference, &details.reference),
            one(FactKind::Language, &details.locale),
        ];
        facts.into_iter().flatten().collect()
    }

    /// What else it holds, under the client's own names.
    pub(super) fn other_facts<'a>(&self, order: &'a Order) -> Vec<Fact<'a>> {
        let details = &order.details;
        let mut facts: Vec<_> =
            details.attributes.iter().map(|(name, value)| self.attribute(name, value)).collect();
        for (place, item) in details.products.items.iter().enumerate() {
            if self.beside_item(item).is_none() {
                facts.extend(
                    item.extra.iter().flat_map(|extra| self.left_over(extra, &format!("items[{place}]."))),
                );
            }
        }
        facts.extend(details.extra.iter().flat_map(|extra| self.left_over(extra, "")));
        facts
    }

    /// What else came with an item, on one line, if that is short enough to stand beside it.
    pub(super) fn beside_item(&self, item: &Item) -> Option<String> {
        let facts = self.left_over(item.extra.as_ref()?, "");
        let said = facts.iter().map(|Fact { label, lines, .. }| format!("{label}: {}", joined(lines)));
        let said = said.collect::<Vec<_>>().join("; ");
        Some(said).filter(|said| said.chars().count() <= MAX_BESIDE_ITEM)
    }

    /// What is not known or could not be read: a text as it is, a small object member by member, anything else as the JSON
    /// that came.
    fn left_over(&self, extra: &Extra, under: &str) -> Vec<Fact<'static>> {
        let mut facts = Vec::new();
        for (name, json) in extra.members() {
            let known = self.words.label_of_member(&name).unwrap_or(&name);
            let within = Some(&json).filter(|json| json.starts_with('{') && name.len() <= MAX_NAME_OF_OBJECT);
            let within = within.map(|json| members_of(json)).filter(|members| members.len() <= MAX_MEMBERS);
            match within.filter(|members| !members.is_empty()) {
                Some(members) => facts.extend(
                    members.iter().map(|(member, json)| as_sent(&format!("{under}{known}.{member}"), json)),
                ),
                None => facts.push(as_sent(&format!("{under}{known}"), &json)),
            }
        }
        facts
    }

    /// An amount with the order's currency.
    pub(super) fn money(&self, amount: Decimal, order: &Order) -> String {
        numbers::money(self.language, amount, order.details.currency.as_deref())
    }

    fn fact<'a>(&self, kind: FactKind, line: Cow<'a, str>) -> Fact<'a> {
        Fact { kind, label: self.words.label(kind).into(), lines: vec![line] }
    }

    /// An attribute, under its own name.
    pub(super) fn attribute<'a>(&self, name: &'a str, value: &'a AttributeValue) -> Fact<'a> {
        let line = match value {
            AttributeValue::String(text) => text.into(),
            AttributeValue::Number(number) => numbers::decimal(self.language, *number).into(),
            AttributeValue::Bool(true) => self.words.yes.into(),
            AttributeValue::Bool(false) => self.words.no.into(),
        };
        Fact { kind: FactKind::Other, label: name.into(), lines: vec![line] }
    }
}

/// What a customer wrote, on one line or several.
fn written(text: &str) -> Vec<Cow<'_, str>> {
    lines(text.trim()).into_iter().map(Cow::from).collect()
}

/// The lines of a text, by whatever breaks them.
pub(crate) fn lines(text: &str) -> Vec<String> {
    let breaks = |c: char| matches!(c, '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.split(breaks).map(|line| line.replace(|c: char| c.is_control() && c != '\t', "\u{fffd}")).collect()
}

fn address(address: &Address) -> Vec<Cow<'_, str>> {
    match address {
        Address::Text(text) => written(text),
        Address::Postal(postal) => postal_lines(postal),
    }
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

/// A member as the client sent it.
pub(super) fn as_sent(label: &str, json: &str) -> Fact<'static> {
    let text = serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned());
    let lines = |text: &str| lines(text).into_iter().map(Cow::from).collect::<Vec<_>>();
    Fact { kind: FactKind::Other, label: lines(label).join(" ").into(), lines: lines(&text) }
}

/// What a customer wrote on several lines can't pass for lines of ours.
pub(super) fn joined<T: AsRef<str>>(lines: &[T]) -> String {
    let lines = lines.iter().map(|line| line.as_ref().trim()).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" / ")
}
