//! Which orders a subscription wants, in SNS's words: keys are ANDed, the values of a key are ORed.
//!
//! Source: AWS, "Amazon SNS subscription filter policies" and "Filter policy constraints". Exact values only so far.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::Invalid;
use crate::order::{AttributeValue, FIELD_NAMES, Order, Products};

/// The most keys of one policy (SNS's limit).
pub const MAX_KEYS: usize = 5;
/// The most combinations, the product of the numbers of values (SNS's limit).
pub const MAX_COMBINATIONS: usize = 150;

/// A checked policy. Its text is kept as it was given; two that want the same are equal.
#[derive(Debug, Clone)]
pub struct FilterPolicy {
    text: String,
    keys: BTreeMap<String, Vec<AttributeValue>>,
}

/// Why an order does not match a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mismatch {
    /// The policy's key that failed.
    pub key: String,
    /// What the order has under that key; empty when it has nothing.
    pub found: Vec<String>,
}

impl PartialEq for FilterPolicy {
    fn eq(&self, other: &Self) -> bool {
        self.keys == other.keys
    }
}

impl FilterPolicy {
    /// Reads a policy such as `{"currency":["EUR"],"express":[true]}`.
    ///
    /// # Errors
    /// `invalid_filter_policy`, or `unsupported_operator` naming an operator that is not supported.
    pub fn parse(json: &str) -> Result<Self, Invalid> {
        let members: BTreeMap<String, &RawValue> =
            serde_json::from_str(json).map_err(|_| invalid("filterPolicy must be a JSON object"))?;
        if members.is_empty() || members.len() > MAX_KEYS {
            return Err(invalid(&format!("filterPolicy must have 1 to {MAX_KEYS} keys")));
        }
        let keys: BTreeMap<_, _> = members
            .into_iter()
            .map(|(key, values)| read_values(&key, values.get()).map(|values| (key, values)))
            .collect::<Result<_, _>>()?;
        if keys.values().map(Vec::len).fold(1, usize::saturating_mul) > MAX_COMBINATIONS {
            return Err(invalid(&format!(
                "filterPolicy must have at most {MAX_COMBINATIONS} combinations of values"
            )));
        }
        Ok(Self { text: json.to_owned(), keys })
    }

    /// The policy as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of the facts that it asks for.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    /// Whether the policy wants `order`.
    ///
    /// # Errors
    /// The first key, in alphabetical order, that does not match.
    pub fn matches(&self, order: &Order) -> Result<(), Mismatch> {
        for (key, wanted) in &self.keys {
            let found = facts(order, key);
            if !found.iter().any(|value| wanted.contains(value)) {
                return Err(Mismatch { key: key.clone(), found: found.iter().map(show).collect() });
            }
        }
        Ok(())
    }
}

/// Everything that policies can ask of an order, under the keys that they use; what it does not say is left out.
#[must_use]
pub fn all_facts(order: &Order) -> Vec<(&str, Vec<AttributeValue>)> {
    let attributes = order.details.attributes.keys().map(String::as_str);
    let facts = FIELD_NAMES.into_iter().chain(attributes).map(|key| (key, facts(order, key)));
    facts.filter(|(_, values)| !values.is_empty()).collect()
}

/// What an order says under a policy's key: its own fields, then its attributes. Several items give several values.
fn facts(order: &Order, key: &str) -> Vec<AttributeValue> {
    let details = &order.details;
    let text =
        |value: Option<&str>| value.map(|text| AttributeValue::String(text.to_owned())).into_iter().collect();
    match key {
        "orderId" => text(Some(&order.id.to_string())),
        "customerName" => text(Some(&details.customer_name)),
        "customerEmail" => text(details.customer_email.as_deref()),
        "customerPhone" => text(details.customer_phone.as_deref()),
        "currency" => text(details.currency.map(|currency| currency.code())),
        "total" => details.total.map(AttributeValue::Number).into_iter().collect(),
        "productName" => {
            details.products.iter().map(|(name, _)| AttributeValue::String(name.to_owned())).collect()
        }
        "quantity" => details
            .products
            .iter()
            .filter_map(|(_, quantity)| Some(AttributeValue::Number(quantity?.into())))
            .collect(),
        "sku" => skus(&details.products),
        _ => details.attributes.get(key).cloned().into_iter().collect(),
    }
}

fn skus(products: &Products) -> Vec<AttributeValue> {
    let Products::Items { items } = products else { return Vec::new() };
    items.iter().filter_map(|item| item.sku.clone()).map(AttributeValue::String).collect()
}

fn show(value: &AttributeValue) -> String {
    match value {
        AttributeValue::String(text) => text.clone(),
        AttributeValue::Number(number) => number.to_string(),
        AttributeValue::Bool(value) => value.to_string(),
    }
}

fn read_values(key: &str, json: &str) -> Result<Vec<AttributeValue>, Invalid> {
    let values: Vec<&RawValue> = serde_json::from_str(json)
        .map_err(|_| invalid(&format!("filterPolicy.{key} must be an array of values")))?;
    if values.is_empty() {
        return Err(invalid(&format!("filterPolicy.{key} must hold at least one value")));
    }
    values.into_iter().map(|value| read_value(key, value.get())).collect()
}

fn read_value(key: &str, json: &str) -> Result<AttributeValue, Invalid> {
    let wrong = || invalid(&format!("filterPolicy.{key} may hold strings, numbers, true and false"));
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str(json).map(AttributeValue::String).map_err(|_| wrong()),
        Some(b't' | b'f') => Ok(AttributeValue::Bool(json == "true")),
        Some(b'-' | b'0'..=b'9') => {
            Decimal::from_str_exact(json).map(AttributeValue::Number).map_err(|_| wrong())
        }
        Some(b'{') if key.starts_with('$') => Err(unsupported(key, key)),
        Some(b'{') => Err(unsupported(key, &first_member(json))),
        _ => Err(wrong()),
    }
}

/// The operator of `{"prefix": …}` and the like.
fn first_member(json: &str) -> String {
    let members = serde_json::from_str::<BTreeMap<String, &RawValue>>(json).unwrap_or_default();
    members.into_keys().next().unwrap_or_default()
}

fn unsupported(key: &str, operator: &str) -> Invalid {
    let message = format!(
        "filterPolicy.{key} uses the operator {operator:?}, which is not supported; give exact values"
    );
    Invalid::new("unsupported_operator", format!("filterPolicy.{key}"), message)
}

fn invalid(message: &str) -> Invalid {
    Invalid::new("invalid_filter_policy", "filterPolicy", message)
}
