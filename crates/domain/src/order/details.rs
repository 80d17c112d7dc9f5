//! An order's content, as it is stored, shown and published.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::extra::Extra;
use super::warning::Warning;

/// What was ordered, by whom. Made only by [`OrderDetails::parse`], or read back from where that was stored: reading asks
/// for what an order is made of, and for no rule or limit that it was once held against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "Stored")]
#[non_exhaustive]
pub struct OrderDetails {
    /// Who placed the order: `None` only where that is not [shown](crate::fields::Fields).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_name: Option<String>,
    /// What was ordered; nothing only where that is not shown.
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
    /// The shop's own number for the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Where it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_address: Option<Address>,
    /// When it is wanted, as the client wrote it: a date, a date and time, or either with an offset (ISO 8601).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliver_at: Option<String>,
    /// The customer's language and region (RFC 5646), such as `de-AT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Facts of the shop's own, for filter policies.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeValue>,
    /// All else that the client sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra: Option<Extra>,
    /// What was not taken as it came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// The products, in the recipe's form, as a list, or both.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Products {
    /// The recipe's one product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_name: Option<String>,
    /// How many of it, if the client said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u32>,
    /// Several products, each with its quantity.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
}

/// Where an order goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Address {
    /// As the customer wrote it, on one line or several.
    Text(String),
    /// By its parts (schema.org, `PostalAddress`).
    Postal(PostalAddress),
}

/// The parts of an address, each on one line; at least one is there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "schema.org says what each is")]
pub struct PostalAddress {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_office_box_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_locality: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_country: Option<String>,
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
    /// How many, if the client said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u32>,
    /// What one costs, exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Decimal>,
    /// All else that the client said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Extra>,
}

/// The value of an attribute, as filter policies see it; in JSON it is that value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
        let one = self.product_name.as_deref().map(|name| (name, self.quantity));
        one.into_iter().chain(self.items.iter().map(|item| (item.product_name.as_str(), item.quantity)))
    }

    /// What the recipe calls the product: its own, without a quantity; of an order of items, all of them on one line.
    #[must_use]
    pub fn in_short(&self) -> String {
        self.product_name.clone().unwrap_or_else(|| self.to_string())
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

impl PostalAddress {
    /// The names of its parts, in the order in which they are written.
    pub const PARTS: [&str; 8] = [
        "name",
        "streetAddress",
        "extendedAddress",
        "postOfficeBoxNumber",
        "postalCode",
        "addressLocality",
        "addressRegion",
        "addressCountry",
    ];

    /// The part of that name.
    pub(super) fn part(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "name" => &mut self.name,
            "streetAddress" => &mut self.street_address,
            "extendedAddress" => &mut self.extended_address,
            "postOfficeBoxNumber" => &mut self.post_office_box_number,
            "postalCode" => &mut self.postal_code,
            "addressLocality" => &mut self.address_locality,
            "addressRegion" => &mut self.address_region,
            "addressCountry" => &mut self.address_country,
            _ => return None,
        })
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
    reference: Option<String>,
    delivery_address: Option<Address>,
    deliver_at: Option<String>,
    locale: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, AttributeValue>,
    extra: Option<Extra>,
    #[serde(default)]
    warnings: Vec<Warning>,
}

impl TryFrom<Stored> for OrderDetails {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { product_name, quantity, items, .. } = stored;
        if product_name.is_none() && items.is_none() {
            return Err("an order has a product or items");
        }
        let items = items.unwrap_or_default();
        Ok(Self {
            customer_name: Some(stored.customer_name),
            products: Products { product_name, quantity, items },
            customer_email: stored.customer_email,
            customer_phone: stored.customer_phone,
            currency: stored.currency,
            total: stored.total,
            note: stored.note,
            reference: stored.reference,
            delivery_address: stored.delivery_address,
            deliver_at: stored.deliver_at,
            locale: stored.locale,
            attributes: stored.attributes,
            extra: stored.extra,
            warnings: stored.warnings,
        })
    }
}
