//! From the bytes of a request to an order that cannot be wrong.

use std::collections::BTreeMap;

use iso_currency::Currency;
use serde_json::value::RawValue;

use super::details::{AttributeValue, Item, OrderDetails, Products};
use super::fields::{Fields, is_number, limits, number, wrong_type};
use crate::Invalid;
use crate::endpoint::{PhoneNumber, e164, mail_address};

/// The names that filter policies use for an order's own fields; an attribute cannot take one of them.
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
    /// Reads an order from JSON. Members it does not know are ignored, as the recipe ignored them.
    ///
    /// # Errors
    /// The first rule that the input breaks, naming the field and the limit. `missing_field` carries the recipe's own
    /// sentence.
    pub fn parse(json: &[u8]) -> Result<Self, Invalid> {
        let fields = members(json)?;
        let customer_name = fields.name("customerName")?.ok_or_else(|| missing("customerName"))?;
        Ok(Self {
            customer_name,
            products: products(&fields)?,
            customer_email: email(&fields)?,
            customer_phone: phone(&fields)?,
            currency: currency(&fields)?,
            total: fields.money("total")?,
            note: fields.text("note", limits::NOTE)?,
            attributes: attributes(&fields)?,
        })
    }
}

/// The input's members; a JSON value that is no object lacks the names, as in the recipe.
fn members(json: &[u8]) -> Result<Fields<'_>, Invalid> {
    let malformed =
        |detail: String| Invalid::new("malformed_json", "", format!("The body is not valid JSON: {detail}"));
    let text = std::str::from_utf8(json).map_err(|_| malformed("it is not UTF-8".to_owned()))?;
    Fields::read(String::new(), text.trim_start_matches(WHITESPACE)).or_else(|garbled| {
        let value: &RawValue = serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
        if value.get().starts_with('{') { Err(garbled) } else { Fields::read(String::new(), "{}") }
    })
}

fn missing(field: &str) -> Invalid {
    Invalid::new("missing_field", field, "Missing customerName or productName")
}

fn products(fields: &Fields<'_>) -> Result<Products, Invalid> {
    let product_name = fields.name("productName")?;
    match (product_name, fields.raw("items")) {
        (Some(_), Some(_)) => {
            Err(Invalid::new("conflicting_fields", "items", "Give either productName or items, not both"))
        }
        (Some(product_name), None) => {
            Ok(Products::One { product_name, quantity: fields.quantity("quantity")? })
        }
        (None, Some(_)) if fields.raw("quantity").is_some() => {
            Err(Invalid::new("conflicting_fields", "quantity", "With items, each item has its own quantity"))
        }
        (None, Some(items)) => Ok(Products::Items { items: read_items(items)? }),
        (None, None) => Err(missing("productName")),
    }
}

fn read_items(json: &str) -> Result<Vec<Item>, Invalid> {
    let rows: Vec<&RawValue> = serde_json::from_str(json).map_err(|_| wrong_type("items", "an array"))?;
    if rows.is_empty() || rows.len() > limits::ITEMS {
        let message = format!("items must hold 1 to {} items", limits::ITEMS);
        return Err(Invalid::new("out_of_range", "items", message));
    }
    rows.iter().enumerate().map(|(place, row)| item(format!("items[{place}]"), row.get())).collect()
}

fn item(path: String, json: &str) -> Result<Item, Invalid> {
    let fields = Fields::read(path, json)?;
    let required = |name: &str| {
        let path = fields.path(name);
        Invalid::new("missing_field", path.clone(), format!("{path} is missing"))
    };
    Ok(Item {
        product_name: fields.name("productName")?.ok_or_else(|| required("productName"))?,
        sku: fields.line("sku", limits::SKU)?,
        quantity: fields.quantity("quantity")?.ok_or_else(|| required("quantity"))?,
        unit_price: fields.money("unitPrice")?,
    })
}

fn email(fields: &Fields<'_>) -> Result<Option<String>, Invalid> {
    let text = fields.line("customerEmail", limits::EMAIL)?;
    text.map(|text| customer_email(&text)).transpose()
}

/// A customer's mail address as orders keep it: its domain in lower case.
///
/// # Errors
/// `invalid_email`, naming `customerEmail`.
pub fn customer_email(text: &str) -> Result<String, Invalid> {
    let address = mail_address("customerEmail", text)?;
    Ok(format!("{}@{}", address.local_part(), address.domain().to_ascii_lowercase()))
}

/// A customer's phone number as orders keep it: `+` and digits. A trunk zero in brackets is left out where it certainly
/// is none of them; what else may be wrong with a number costs nobody the order.
///
/// # Errors
/// `invalid_phone`, naming `customerPhone`.
pub fn customer_phone(text: &str) -> Result<String, Invalid> {
    let number = PhoneNumber::parse("customerPhone", text).map(|number| number.to_string());
    number.or_else(|_| e164("customerPhone", text))
}

fn phone(fields: &Fields<'_>) -> Result<Option<String>, Invalid> {
    let text = fields.line("customerPhone", limits::NAME)?;
    text.map(|text| customer_phone(&text)).transpose()
}

fn currency(fields: &Fields<'_>) -> Result<Option<String>, Invalid> {
    let Some(code) = fields.line("currency", limits::NAME)? else { return Ok(None) };
    let unknown =
        || Invalid::new("unknown_currency", "currency", "currency must be an ISO 4217 code such as EUR");
    Currency::from_code(&code).map(|known| Some(known.code().to_owned())).ok_or_else(unknown)
}

fn attributes(fields: &Fields<'_>) -> Result<BTreeMap<String, AttributeValue>, Invalid> {
    let Some(json) = fields.raw("attributes") else { return Ok(BTreeMap::new()) };
    let entries = Fields::read("attributes".to_owned(), json)?;
    let attributes: BTreeMap<_, _> = entries
        .entries()
        .map(|(key, _)| Ok((attribute_key(key)?, attribute_value(&entries, key)?)))
        .collect::<Result<_, Invalid>>()?;
    if attributes.len() > limits::ATTRIBUTES {
        let message = format!("attributes must hold at most {} entries", limits::ATTRIBUTES);
        return Err(Invalid::new("out_of_range", "attributes", message));
    }
    Ok(attributes)
}

fn attribute_key(key: &str) -> Result<String, Invalid> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if key.is_empty() || key.len() > limits::ATTRIBUTE_KEY || !key.chars().all(allowed) {
        let message =
            format!("A key of attributes must be 1 to {} of A-Z a-z 0-9 _ . -", limits::ATTRIBUTE_KEY);
        return Err(Invalid::new("invalid_attribute", "attributes", message));
    }
    if FIELD_NAMES.contains(&key) {
        let message = format!("attributes.{key} has the name of an order's own field");
        return Err(Invalid::new("invalid_attribute", format!("attributes.{key}"), message));
    }
    Ok(key.to_owned())
}

fn attribute_value(entries: &Fields<'_>, key: &str) -> Result<AttributeValue, Invalid> {
    let path = entries.path(key);
    match entries.raw(key).unwrap_or("null") {
        "true" => Ok(AttributeValue::Bool(true)),
        "false" => Ok(AttributeValue::Bool(false)),
        text if text.starts_with('"') => {
            let text = entries.line(key, limits::NAME)?.unwrap_or_default();
            Ok(AttributeValue::String(text))
        }
        json if is_number(json) => Ok(AttributeValue::Number(number(&path, json)?)),
        _ => Err(wrong_type(&path, "a string, a number, true or false")),
    }
}
