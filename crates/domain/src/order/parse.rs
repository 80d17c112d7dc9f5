//! From the bytes of a request to an order: the two names are the contract, and nothing else costs a shop its order.
//!
//! What is plainly meant is read. A known member that cannot be read stays, with all that is not known, in `extra`, and a
//! warning names it; strictly handled, the order is refused for it instead.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::details::{Address, AttributeValue, Item, OrderDetails, PostalAddress, Products};
use super::extra::{Extra, without_halves};
use super::members::Members;
use super::sensitive::{MASKED, is_secret_name, mask_card_numbers};
use super::values::{self, is_number, limits, wrong_type};
use super::warning::Warnings;
use crate::Invalid;

/// The names that filter policies use for an order's own fields; an attribute cannot take one of them. Members that came
/// later are not among them, so that no shop's attribute loses its name.
pub(crate) const FIELD_NAMES: [&str; 9] = [
    "orderId",
    "customerName",
    "productName",
    "sku",
    "quantity",
    "customerEmail",
    "customerPhone",
    "currency",
    "total",
];

/// What may stand around a JSON value (RFC 8259, section 2).
const WHITESPACE: [char; 4] = [' ', '\t', '\n', '\r'];

impl OrderDetails {
    /// Reads an order from JSON; what of it cannot be read is kept, and its warnings name it.
    ///
    /// # Errors
    /// `missing_field`, in the recipe's own sentence, or `invisible` where a name is missing or shows nothing;
    /// `malformed_json`.
    pub fn parse(json: &[u8]) -> Result<Self, Invalid> {
        read(json).map(|(details, _)| details)
    }

    /// Reads an order from JSON, and refuses it if a known member cannot be read (RFC 7240, section 4.4).
    ///
    /// # Errors
    /// As [`parse`](Self::parse); the first rule that a known member breaks, naming the member and the limit.
    pub fn parse_strictly(json: &[u8]) -> Result<Self, Invalid> {
        match read(json)? {
            (_, Some(broken)) => Err(broken),
            (details, None) => Ok(details),
        }
    }
}

/// An order, and the first rule that a known member of it breaks.
fn read(json: &[u8]) -> Result<(OrderDetails, Option<Invalid>), Invalid> {
    let (text, mut warnings) = (utf8(json)?, Warnings::default());
    let whole;
    let members = match members(text) {
        Ok(members) => members,
        Err(garbled) => {
            whole = without_halves(text);
            let members = members(&whole).map_err(|_| garbled)?;
            let detail = "A member's name holds half a character: another stands in its place";
            warnings.add("", "not_unicode", detail);
            members
        }
    };
    if let Some(name) = members.repeated() {
        warnings.add(name, "repeated_member", &format!("{name} stands there twice: the last one counts"));
    }
    let mut reading = Reading { members, warnings };
    let customer_name = reading.name("customerName")?.ok_or_else(|| missing("customerName"))?;
    let products = reading.products()?;
    let mut details = OrderDetails {
        customer_name,
        products,
        customer_email: reading.take("customerEmail", values::email),
        customer_phone: reading.take("customerPhone", values::phone),
        currency: reading.take("currency", values::currency),
        total: reading.take("total", values::money),
        note: reading.text("note"),
        reference: reading.take("reference", values::code),
        delivery_address: reading.address(),
        deliver_at: reading.take("deliverAt", values::time),
        locale: reading.take("locale", values::locale),
        attributes: reading.attributes(),
        extra: None,
        warnings: Vec::new(),
    };
    let Reading { members, mut warnings } = reading;
    details.extra = Extra::of(members, &mut warnings);
    let (warnings, broken) = warnings.told();
    Ok((OrderDetails { warnings, ..details }, broken))
}

fn malformed(detail: &str) -> Invalid {
    Invalid::new("malformed_json", "", format!("The body is not valid JSON: {detail}"))
}

fn utf8(json: &[u8]) -> Result<&str, Invalid> {
    std::str::from_utf8(json).map_err(|_| malformed("it is not UTF-8"))
}

/// The input's members; a JSON value that is no object lacks the names, as in the recipe.
fn members(text: &str) -> Result<Members<'_>, Invalid> {
    Members::read(String::new(), text.trim_start_matches(WHITESPACE)).or_else(|garbled| {
        let value: &RawValue = serde_json::from_str(text).map_err(|error| malformed(&error.to_string()))?;
        if value.get().starts_with('{') { Err(garbled) } else { Members::read(String::new(), "{}") }
    })
}

fn missing(field: &str) -> Invalid {
    Invalid::new("missing_field", field, "Missing customerName or productName")
}

/// An object whose members are being read: those that were not are left over.
struct Reading<'a> {
    members: Members<'a>,
    warnings: Warnings,
}

impl Reading<'_> {
    /// The member of that name. What cannot be read stays.
    fn take<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str, &str) -> Result<Option<T>, Invalid>,
    ) -> Option<T> {
        take(&mut self.members, &mut self.warnings, name, read)
    }

    fn name(&mut self, name: &str) -> Result<Option<String>, Invalid> {
        read_name(&mut self.members, &mut self.warnings, name)
    }

    /// A text of several lines, with the card numbers in it masked.
    fn text(&mut self, name: &str) -> Option<String> {
        let text = self.take(name, values::text)?;
        Some(without_cards(text, name, &mut self.warnings))
    }

    fn products(&mut self) -> Result<Products, Invalid> {
        let product_name = self.name("productName");
        let quantity = self.take("quantity", values::quantity);
        let items = self.items();
        let product_name = match product_name {
            Err(invisible) if !items.is_empty() => {
                self.warnings.broken(invisible);
                None
            }
            other => other?,
        };
        if product_name.is_none() && items.is_empty() {
            return Err(missing("productName"));
        }
        Ok(Products { product_name, quantity, items })
    }

    /// The items that name a product; the others stay.
    fn items(&mut self) -> Vec<Item> {
        let Some(json) = self.members.get("items") else {
            self.members.take("items");
            return Vec::new();
        };
        let Ok(rows) = serde_json::from_str::<Vec<&RawValue>>(json) else {
            self.warnings.broken(wrong_type("items", "an array"));
            return Vec::new();
        };
        let (mut items, mut others) = (Vec::new(), Vec::new());
        if rows.len() > limits::ITEMS {
            let message = format!("items must hold at most {} items", limits::ITEMS);
            self.warnings.broken(Invalid::new("out_of_range", "items", message));
        }
        others.extend(rows.iter().skip(limits::ITEMS).map(|row| row.get()));
        let mut unreadable = Vec::new();
        for (place, row) in rows.iter().take(limits::ITEMS).enumerate() {
            match item(format!("items[{place}]"), row.get(), &mut self.warnings) {
                Ok(item) => items.push(item),
                Err(broken) => {
                    self.warnings.broken(broken);
                    unreadable.push(row.get());
                }
            }
        }
        let others: Vec<_> = unreadable.into_iter().chain(others).collect();
        let others = (!others.is_empty()).then(|| format!("[{}]", others.join(",")));
        self.members.take_but("items", others);
        items
    }

    fn address(&mut self) -> Option<Address> {
        let json = self.members.get("deliveryAddress")?;
        if !json.starts_with('{') {
            return self.text("deliveryAddress").map(Address::Text);
        }
        let mut postal = PostalAddress::default();
        let mut parts = match Members::read("deliveryAddress".to_owned(), json) {
            Ok(parts) => parts,
            Err(broken) => {
                self.warnings.broken(broken);
                return None;
            }
        };
        for name in PostalAddress::PARTS {
            let line = |path: &str, json: &str| values::line(path, json, limits::LINE);
            let text = take(&mut parts, &mut self.warnings, name, line);
            let path = parts.path(name);
            if let Some(part) = postal.part(name) {
                *part = text.map(|text| without_cards(text, &path, &mut self.warnings));
            }
        }
        if postal == PostalAddress::default() {
            let rule = "deliveryAddress must be a text, or hold parts such as streetAddress and postalCode";
            self.warnings.broken(Invalid::new("wrong_type", "deliveryAddress", rule));
            return None;
        }
        self.members.take_but("deliveryAddress", parts.rest_as_json());
        Some(Address::Postal(postal))
    }

    fn attributes(&mut self) -> BTreeMap<String, AttributeValue> {
        let Some(json) = self.members.get("attributes") else { return BTreeMap::new() };
        let mut entries = match Members::read("attributes".to_owned(), json) {
            Ok(entries) => entries,
            Err(broken) => {
                self.warnings.broken(broken);
                return BTreeMap::new();
            }
        };
        let names: Vec<String> = entries.iter().map(|(name, _)| name.to_owned()).collect();
        let mut attributes = BTreeMap::new();
        for name in names {
            if attributes.len() == limits::ATTRIBUTES && entries.get(&name).is_some() {
                let message = format!("attributes must hold at most {} entries", limits::ATTRIBUTES);
                self.warnings.broken(Invalid::new("out_of_range", entries.path(&name), message));
                continue;
            }
            let value =
                take(&mut entries, &mut self.warnings, &name, |path, json| attribute(path, &name, json));
            attributes.extend(value.map(|value| (name, value)));
        }
        for (name, value) in &mut attributes {
            let text = match &*value {
                AttributeValue::String(text) => text.clone(),
                AttributeValue::Number(number) => number.to_string(),
                AttributeValue::Bool(value) => value.to_string(),
            };
            let masked =
                without_secrets(text.clone(), name, &format!("attributes.{name}"), &mut self.warnings);
            if masked != text {
                *value = AttributeValue::String(masked);
            }
        }
        self.members.take_but("attributes", entries.rest_as_json());
        attributes
    }
}

/// Takes a member out if it can be read; else it stays, and a warning says why.
fn take<T>(
    members: &mut Members<'_>,
    warnings: &mut Warnings,
    name: &str,
    read: impl FnOnce(&str, &str) -> Result<Option<T>, Invalid>,
) -> Option<T> {
    let Some(json) = members.get(name) else {
        members.take(name);
        return None;
    };
    match read(&members.path(name), json) {
        Ok(value) => {
            members.take(name);
            value
        }
        Err(broken) => {
            warnings.broken(broken);
            None
        }
    }
}

/// A name; what of it is not as it came stays as well.
fn read_name(
    members: &mut Members<'_>,
    warnings: &mut Warnings,
    name: &str,
) -> Result<Option<String>, Invalid> {
    let path = members.path(name);
    let read = members.get(name).map(|json| values::name(&path, json)).transpose()?.flatten();
    let Some(values::Name { text, broken }) = read else {
        members.take(name);
        return Ok(None);
    };
    match broken {
        Some(broken) => warnings.broken(broken),
        None => members.take(name),
    }
    Ok(Some(without_cards(text, &path, warnings)))
}

/// An element of `items`: an object, or a product by its name alone.
fn item(path: String, json: &str, warnings: &mut Warnings) -> Result<Item, Invalid> {
    let object = if json.starts_with('"') {
        Cow::Owned(format!("{{\"productName\":{json}}}"))
    } else {
        Cow::Borrowed(json)
    };
    let mut members = Members::read(path, &object)?;
    let unnamed = |members: &Members<'_>| {
        let path = members.path("productName");
        Invalid::new("missing_field", path.clone(), format!("{path} is missing"))
    };
    let product_name = read_name(&mut members, warnings, "productName")?.ok_or_else(|| unnamed(&members))?;
    let sku = take(&mut members, warnings, "sku", values::code);
    let quantity = take(&mut members, warnings, "quantity", values::quantity);
    let unit_price = take(&mut members, warnings, "unitPrice", values::money);
    Ok(Item { product_name, sku, quantity, unit_price, extra: Extra::of(members, warnings) })
}

/// The text with the card numbers in it masked, and a warning that says so.
fn without_cards(text: String, path: &str, warnings: &mut Warnings) -> String {
    match mask_card_numbers(&text) {
        Some(masked) => {
            warnings.add(path, "masked", &format!("{path} holds a card number: it is masked"));
            masked
        }
        None => text,
    }
}

fn without_secrets(text: String, name: &str, path: &str, warnings: &mut Warnings) -> String {
    if is_secret_name(name) {
        warnings.add(path, "masked", &format!("{path} looks like a secret: it is masked and not stored"));
        return MASKED.to_owned();
    }
    without_cards(text, path, warnings)
}

/// The value of an attribute, if that can have this name.
fn attribute(path: &str, name: &str, json: &str) -> Result<Option<AttributeValue>, Invalid> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if name.is_empty() || name.len() > limits::ATTRIBUTE_KEY || !name.chars().all(allowed) {
        let message =
            format!("A key of attributes must be 1 to {} of A-Z a-z 0-9 _ . -", limits::ATTRIBUTE_KEY);
        return Err(Invalid::new("invalid_attribute", path, message));
    }
    if FIELD_NAMES.contains(&name) {
        let message = format!("{path} has the name of an order's own field");
        return Err(Invalid::new("invalid_attribute", path, message));
    }
    match json {
        "true" => Ok(Some(AttributeValue::Bool(true))),
        "false" => Ok(Some(AttributeValue::Bool(false))),
        text if text.starts_with('"') => {
            let text = values::line(path, text, limits::LINE)?.unwrap_or_default();
            Ok(Some(AttributeValue::String(text)))
        }
        number if is_number(number) => {
            values::number(path, number).map(|number| Some(AttributeValue::Number(number)))
        }
        _ => Err(wrong_type(path, "a string, a number, true or false")),
    }
}
