//! An order's content, as it is stored, shown and published.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// What was ordered, by whom. Made only by [`OrderDetails::parse`], or read back from where that was stored: reading asks
/// for what an order is made of, and for no rule or limit that it was once held against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "Stored")]
#[non_exhaustive]
pub struct OrderDetails {
    /// Who placed the order.
    pub customer_name: String,
    /// What was ordered.
    #[serde(flatten)]
    pub products: Products,
    /// The customer's mail address; nothing is sent to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_email: Option<String>,
    /// The customer's phone number in E.164 form; nothing is sent to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_phone: Option<String>,
    /// The currency of `total` and of each `unitPrice`: a code that ISO 4217 had when the order was placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// What the order costs, exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Decimal>,
    /// The customer's remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Facts of the shop's own, for filter policies.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeValue>,
}

/// The two forms in which an order names its products.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Products {
    /// `items`: several products, each with its quantity.
    Items {
        /// 1 to 100 items.
        items: Vec<Item>,
    },
    /// `productName`, the recipe's form, with an optional `quantity`.
    #[serde(rename_all = "camelCase")]
    One {
        /// The product.
        product_name: String,
        /// How many, if the client said.
        #[serde(skip_serializing_if = "Option::is_none")]
        quantity: Option<u32>,
    },
}

/// One of several products in an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The product.
    pub product_name: String,
    /// The shop's own code for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// How many.
    pub quantity: u32,
    /// What one costs, exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Decimal>,
}

/// The value of an attribute, as filter policies see it; in JSON it is that value.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeValue {
    /// A text.
    String(String),
    /// An exact number.
    Number(Decimal),
    /// true or false.
    Bool(bool),
}

impl Products {
    /// Each product with its quantity, where one was said.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<u32>)> {
        let (one, items) = match self {
            Self::One { product_name, quantity } => (Some((product_name.as_str(), *quantity)), &[][..]),
            Self::Items { items } => (None, items.as_slice()),
        };
        one.into_iter().chain(items.iter().map(|item| (item.product_name.as_str(), Some(item.quantity))))
    }
}

impl std::fmt::Display for Products {
    /// One line: `Wireless Mouse`, or `2 × Mouse, 1 × Pad`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, (name, quantity)) in self.iter().enumerate() {
            if place > 0 {
                f.write_str(", ")?;
            }
            match quantity {
                Some(quantity) => write!(f, "{quantity} × {name}")?,
                None => f.write_str(name)?,
            }
        }
        Ok(())
    }
}

impl Serialize for AttributeValue {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::String(text) => to.serialize_str(text),
            Self::Bool(value) => to.serialize_bool(*value),
            // A decimal's own digits: as a float it would not be exact.
            Self::Number(number) => {
                RawValue::from_string(number.to_string()).map_err(S::Error::custom)?.serialize(to)
            }
        }
    }
}

impl<'de> Deserialize<'de> for AttributeValue {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let json = <Box<RawValue>>::deserialize(from)?;
        match json.get() {
            "true" => Ok(Self::Bool(true)),
            "false" => Ok(Self::Bool(false)),
            text if text.starts_with('"') => {
                serde_json::from_str(text).map(Self::String).map_err(D::Error::custom)
            }
            number => number.parse().map(Self::Number).map_err(D::Error::custom),
        }
    }
}

/// The same members side by side: reading them so takes a third of the time that serde's `flatten` does.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    customer_name: String,
    product_name: Option<String>,
    quantity: Option<u32>,
    items: Option<Vec<Item>>,
    customer_email: Option<String>,
    customer_phone: Option<String>,
    currency: Option<String>,
    total: Option<Decimal>,
    note: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, AttributeValue>,
}

impl TryFrom<Stored> for OrderDetails {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let products = match (stored.product_name, stored.items) {
            (_, Some(items)) => Products::Items { items },
            (Some(product_name), None) => Products::One { product_name, quantity: stored.quantity },
            (None, None) => return Err("an order has a product or items"),
        };
        Ok(Self {
            customer_name: stored.customer_name,
            products,
            customer_email: stored.customer_email,
            customer_phone: stored.customer_phone,
            currency: stored.currency,
            total: stored.total,
            note: stored.note,
            attributes: stored.attributes,
        })
    }
}
