//! From the bytes of a request to an order: the two names are the contract, and nothing else costs a shop its order.
//!
//! What is plainly meant is read. A known member that cannot be read stays, with all that is not known, in `extra`, and a
//! warning names it; strictly handled, the order is refused for it instead.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::details::{Address, AttributeValue, Item, OrderDetails, PostalAddress, Products};
use super::extra::Extra;
use super::members::Members;
use super::sensitive::{MASKED, is_secret_name, mask_card_numbers};
use super::values::{self, is_number, limits, wrong_type};
use super::warning::Warnings;
use crate::Invalid;
use crate::json_text::without_halves;

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
        warnings.repeated(name);
    }
    let mut reading = Reading { members, warnings: &mut warnings };
    let customer_name = reading.name("customerName")?.ok_or_else(|| missing("customerName"))?;
    let details = OrderDetails {
        customer_name: Some(customer_name),
        products: reading.products()?,
        customer_email: reading.take("customerEmail", values::email),
        customer_phone: reading.take("customerPhone", values::phone),
        currency: reading.take("currency", values::currency),
        total: reading.take("total", values::money),
        note: reading.text("note", values::text),
        reference: reading.take("reference", values::code),
        delivery_address: reading.address(),
        deliver_at: reading.take("deliverAt", values::time),
        locale: reading.take("locale", values::locale),
        attributes: reading.attributes(),
        extra: Extra::of(reading.members, reading.warnings),
        warnings: Vec::new(),
    };
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
struct Reading<'a, 'w> {
    members: Members<'a>,
    warnings: &'w mut Warnings,
}

impl<'a> Reading<'a, '_> {
    /// The JSON of the member of that name, which stays; one that is null is as good as left out.
    fn json(&mut self, name: &str) -> Option<&'a str> {
        let json = self.members.get(name);
        if json.is_none() {
            self.members.take(name);
        }
        json
    }

    /// The member of that name. What cannot be read stays, and a warning says why.
    fn take<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str, &str) -> Result<Option<T>, Invalid>,
    ) -> Option<T> {
        let json = self.json(name)?;
        match read(&self.members.path(name), json) {
            Ok(value) => {
                self.members.take(name);
                value
            }
            Err(broken) => {
                self.warnings.broken(broken);
                None
            }
        }
    }

    /// As [`take`](Self::take), of a text, with the card numbers in it masked.
    fn text(
        &mut self,
        name: &str,
        read: impl FnOnce(&str, &str) -> Result<Option<String>, Invalid>,
    ) -> Option<String> {
        let text = self.take(name, read)?;
        Some(self.without_cards(name, text))
    }

    /// A name; what of it is not as it came stays as well.
    fn name(&mut self, name: &str) -> Result<Option<String>, Invalid> {
        let path = self.members.path(name);
        let read = self.members.get(name).map(|json| values::name(&path, json)).transpose()?.flatten();
        let Some(values::Name { text, broken }) = read else {
            self.members.take(name);
            return Ok(None);
        };
        match broken {
            Some(broken) => self.warnings.broken(broken),
            None => self.members.take(name),
        }
        Ok(Some(self.without_cards(name, text)))
    }

    /// The text of the member of that name with the card numbers in it masked, and a warning that says so.
    fn without_cards(&mut self, name: &str, text: String) -> String {
        match mask_card_numbers(&text) {
            Some(masked) => {
                self.warnings.card_number(&self.members.path(name));
                masked
            }
            None => text,
        }
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
        let Some(json) = self.json("items") else { return Vec::new() };
        let Ok(rows) = serde_json::from_str::<Vec<&RawValue>>(json) else {
            self.warnings.broken(wrong_type("items", "an array"));
            return Vec::new();
        };
        let (rows, beyond) = rows.split_at(rows.len().min(limits::ITEMS));
        if !beyond.is_empty() {
            let message = format!("items must hold at most {} items", limits::ITEMS);
            self.warnings.broken(Invalid::new("out_of_range", "items", message));
        }
        let (mut items, mut others) = (Vec::new(), Vec::new());
        for (place, row) in rows.iter().enumerate() {
            match item(format!("items[{place}]"), row.get(), self.warnings) {
                Ok(item) => items.push(item),
                Err(broken) => {
                    self.warnings.broken(broken);
                    others.push(row.get());
                }
            }
        }
        others.extend(beyond.iter().map(|row| row.get()));
        let others = (!others.is_empty()).then(|| format!("[{}]", others.join(",")));
        self.members.take_but("items", others);
        items
    }

    /// The members of an object within this one; `None`: there is none, or it stays.
    fn within(&mut self, name: &str) -> Option<Reading<'a, '_>> {
        let json = self.json(name)?;
        match Members::read(self.members.path(name), json) {
            Ok(members) => Some(Reading { members, warnings: self.warnings }),
            Err(broken) => {
                self.warnings.broken(broken);
                None
            }
        }
    }

    fn address(&mut self) -> Option<Address> {
        if !self.json("deliveryAddress")?.starts_with('{') {
            return self.text("deliveryAddress", values::text).map(Address::Text);
        }
        let mut parts = self.within("deliveryAddress")?;
        let mut postal = PostalAddress::default();
        for name in PostalAddress::PARTS {
            let line = |path: &str, json: &str| values::line(path, json, limits::LINE);
            if let Some(part) = postal.part(name) {
                *part = parts.text(name, line);
            }
        }
        let rest = parts.members.rest_as_json();
        if postal == PostalAddress::default() {
            let rule = "deliveryAddress must be a text, or hold parts such as streetAddress and postalCode";
            self.warnings.broken(Invalid::new("wrong_type", "deliveryAddress", rule));
            return None;
        }
        self.members.take_but("deliveryAddress", rest);
        Some(Address::Postal(postal))
    }

    fn attributes(&mut self) -> BTreeMap<String, AttributeValue> {
        let mut attributes = BTreeMap::new();
        let Some(mut entries) = self.within("attributes") else { return attributes };
        let names: Vec<String> = entries.members.iter().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            if attributes.len() == limits::ATTRIBUTES && entries.members.get(&name).is_some() {
                let message = format!("attributes must hold at most {} entries", limits::ATTRIBUTES);
                let broken = Invalid::new("out_of_range", entries.members.path(&name), message);
                entries.warnings.broken(broken);
                continue;
            }
            let value = entries.take(&name, |path, json| attribute(path, &name, json));
            attributes.extend(value.map(|value| (name, value)));
        }
        for (name, value) in &mut attributes {
            entries.mask(name, value);
        }
        let rest = entries.members.rest_as_json();
        self.members.take_but("attributes", rest);
        attributes
    }

    /// Masks what is secret of an attribute.
    fn mask(&mut self, name: &str, value: &mut AttributeValue) {
        let path = || self.members.path(name);
        if is_secret_name(name) {
            self.warnings.secret(&path());
            *value = AttributeValue::String(MASKED.to_owned());
            return;
        }
        let masked = match value {
            AttributeValue::String(text) => mask_card_numbers(text),
            AttributeValue::Number(number) => mask_card_numbers(&number.to_string()),
            AttributeValue::Bool(_) => None,
        };
        if let Some(masked) = masked {
            self.warnings.card_number(&path());
            *value = AttributeValue::String(masked);
        }
    }
}

/// An element of `items`: an object, or a product by its name alone.
fn item(path: String, json: &str, warnings: &mut Warnings) -> Result<Item, Invalid> {
    let object = if json.starts_with('"') {
        Cow::Owned(format!("{{\"productName\":{json}}}"))
    } else {
        Cow::Borrowed(json)
    };
    let mut reading = Reading { members: Members::read(path, &object)?, warnings };
    let Some(product_name) = reading.name("productName")? else {
        let path = reading.members.path("productName");
        return Err(Invalid::new("missing_field", path.clone(), format!("{path} is missing")));
    };
    Ok(Item {
        product_name,
        sku: reading.take("sku", values::code),
        quantity: reading.take("quantity", values::quantity),
        unit_price: reading.take("unitPrice", values::money),
        extra: Extra::of(reading.members, reading.warnings),
    })
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
