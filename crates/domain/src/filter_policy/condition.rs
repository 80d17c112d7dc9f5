//! What one value of a message must be.

use std::fmt;
use std::net::IpAddr;
use std::ops::{Bound, RangeBounds};

use ipnet::IpNet;
use rust_decimal::Decimal;

use crate::order::AttributeValue;

/// A value of a message, or one that a policy names.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(Decimal),
    Bool(bool),
    Null,
}

/// One of the values that a key may have.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    Is(Value),
    EqualsIgnoreCase(String),
    Prefix(String),
    Suffix(String),
    /// None of these values.
    AnythingBut(Vec<Value>),
    AnythingButPrefix(String),
    Numeric(Range),
    Exists(bool),
    Cidr(IpNet),
}

/// A range of numbers; `=` is one from a number to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) bottom: Bound<Decimal>,
    pub(super) top: Bound<Decimal>,
}

impl Condition {
    /// Whether a value meets it. That a key has no value at all is not asked here.
    pub(super) fn takes(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Is(wanted), value) => wanted == value,
            (Self::Exists(wanted), value) => *wanted && !value.is_empty(),
            (Self::AnythingBut(_), Value::Null) => false,
            (Self::AnythingBut(unwanted), value) => !unwanted.contains(value),
            (Self::Numeric(Range { bottom, top }), Value::Number(number)) => (*bottom, *top).contains(number),
            (Self::EqualsIgnoreCase(wanted), Value::Text(text)) => {
                wanted.to_lowercase() == text.to_lowercase()
            }
            (Self::Prefix(start), Value::Text(text)) => text.starts_with(start),
            (Self::Suffix(end), Value::Text(text)) => text.ends_with(end),
            (Self::AnythingButPrefix(start), Value::Text(text)) => !text.starts_with(start),
            (Self::Cidr(network), Value::Text(text)) => {
                text.parse::<IpAddr>().is_ok_and(|address| network.contains(&address))
            }
            _ => false,
        }
    }
}

impl Value {
    /// Whether SNS counts it as no value where it asks whether there is one.
    fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::Number(_) | Self::Bool(_) => false,
        }
    }

    /// The value as a person reads it, a text without quotation marks.
    pub(super) fn plain(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

impl From<AttributeValue> for Value {
    fn from(value: AttributeValue) -> Self {
        match value {
            AttributeValue::String(text) => Self::Text(text),
            AttributeValue::Number(number) => Self::Number(number),
            AttributeValue::Bool(value) => Self::Bool(value),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Number(number) => number.fmt(f),
            Self::Bool(value) => value.fmt(f),
            Self::Null => f.write_str("null"),
        }
    }
}

/// What is wanted, as the object of a sentence.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(value) => value.fmt(f),
            Self::EqualsIgnoreCase(text) => write!(f, "{text:?} in any case"),
            Self::Prefix(start) => write!(f, "a text that begins with {start:?}"),
            Self::Suffix(end) => write!(f, "a text that ends with {end:?}"),
            Self::AnythingBut(unwanted) => {
                let unwanted: Vec<_> = unwanted.iter().map(Value::to_string).collect();
                write!(f, "anything but {}", unwanted.join(", "))
            }
            Self::AnythingButPrefix(start) => write!(f, "a text that does not begin with {start:?}"),
            Self::Numeric(range) => range.fmt(f),
            Self::Exists(true) => f.write_str("any value"),
            Self::Exists(false) => f.write_str("no value"),
            Self::Cidr(network) => write!(f, "an IP address in {network}"),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Bound::Included(bottom), Bound::Included(top)) = (self.bottom, self.top)
            && bottom == top
        {
            return write!(f, "the number {top}");
        }
        let bottom = match self.bottom {
            Bound::Included(bottom) => Some(format!(">= {bottom}")),
            Bound::Excluded(bottom) => Some(format!("> {bottom}")),
            Bound::Unbounded => None,
        };
        let top = match self.top {
            Bound::Included(top) => Some(format!("<= {top}")),
            Bound::Excluded(top) => Some(format!("< {top}")),
            Bound::Unbounded => None,
        };
        let bounds: Vec<_> = bottom.into_iter().chain(top).collect();
        write!(f, "a number {}", bounds.join(" and "))
    }
}
