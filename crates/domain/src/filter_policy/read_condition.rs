//! From one value in a policy's array to a condition: a value itself, or an operator.

use std::ops::Bound;

use ipnet::IpNet;
use rust_decimal::Decimal;
use serde_json::value::RawValue;

use super::condition::{Condition, Range, Value};
use super::read::{Reading, invalid};
use super::{MAX_FRACTION_DIGITS, MAX_NUMBER};
use crate::Invalid;
use crate::json_number;

const MAY_HOLD: &str = "may hold strings, numbers, true, false, null and operators";

impl Reading {
    /// One of the values under the key that `field` names.
    pub(super) fn condition(self, field: &str, json: &str) -> Result<Condition, Invalid> {
        match json.as_bytes().first() {
            Some(b'{') => self.operator(field, json),
            _ => self.value(field, json, MAY_HOLD).map(Condition::Is),
        }
    }

    /// A string, a number, true, false or null; `rule` says what may stand here.
    fn value(self, field: &str, json: &str, rule: &str) -> Result<Value, Invalid> {
        match json.as_bytes().first() {
            Some(b'"') => serde_json::from_str(json).map(Value::Text).map_err(|_| invalid(field, rule)),
            Some(b't' | b'f') => Ok(Value::Bool(json == "true")),
            Some(b'n') => Ok(Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(field, json).map(Value::Number),
            _ => Err(invalid(field, rule)),
        }
    }

    fn number(self, field: &str, json: &str) -> Result<Decimal, Invalid> {
        let limit = Decimal::from(MAX_NUMBER);
        let fits = |number: &Decimal| {
            !self.is_new || (number.abs() <= limit && number.normalize().scale() <= MAX_FRACTION_DIGITS)
        };
        json_number::exact(json).filter(fits).ok_or_else(|| {
            let rule = format!(
                "may hold numbers from -{MAX_NUMBER} to {MAX_NUMBER} with at most {MAX_FRACTION_DIGITS} digits after \
                 the point"
            );
            invalid(field, rule)
        })
    }

    fn operator(self, field: &str, json: &str) -> Result<Condition, Invalid> {
        let (name, json) = self.one_member(field, json)?;
        let field = format!("{field}.{name}");
        match name.as_str() {
            "prefix" => text(&field, json).map(Condition::Prefix),
            "suffix" => text(&field, json).map(Condition::Suffix),
            "equals-ignore-case" => text(&field, json).map(Condition::EqualsIgnoreCase),
            "anything-but" => self.anything_but(&field, json),
            "numeric" => self.numeric(&field, json).map(Condition::Numeric),
            "exists" => serde_json::from_str(json)
                .map(Condition::Exists)
                .map_err(|_| invalid(&field, "must be true or false")),
            "cidr" => network(&field, json).map(Condition::Cidr),
            _ => Err(unsupported(&field, &name)),
        }
    }

    /// A value, a list of strings or one of numbers, or a prefix. Source: AWS, "String value matching" and "Numeric
    /// value matching", which name these forms; SNS refuses other operators within it.
    fn anything_but(self, field: &str, json: &str) -> Result<Condition, Invalid> {
        const RULE: &str = "must be a string, a number, a list of strings, a list of numbers, or a prefix";
        let values: Vec<&str> = match json.as_bytes().first() {
            Some(b'{') => {
                let (name, json) = self.one_member(field, json)?;
                let field = format!("{field}.{name}");
                return match name.as_str() {
                    "prefix" => text(&field, json).map(Condition::AnythingButPrefix),
                    _ => Err(unsupported(&field, &name)),
                };
            }
            Some(b'[') => {
                let values: Vec<&RawValue> = serde_json::from_str(json).map_err(|_| invalid(field, RULE))?;
                values.into_iter().map(RawValue::get).collect()
            }
            _ => vec![json],
        };
        let unwanted = values.into_iter().map(|json| self.value(field, json, RULE));
        let unwanted: Vec<_> = unwanted.collect::<Result<_, _>>()?;
        let strings = unwanted.iter().all(|value| matches!(value, Value::Text(_)));
        let numbers = unwanted.iter().all(|value| matches!(value, Value::Number(_)));
        if self.is_new && (unwanted.is_empty() || !(strings || numbers)) {
            return Err(invalid(field, RULE));
        }
        Ok(Condition::AnythingBut(unwanted))
    }

    /// One comparison, or a range from a bottom to a top. Source: AWS, "Numeric value matching".
    fn numeric(self, field: &str, json: &str) -> Result<Range, Invalid> {
        let rule = "must be one comparison such as [\"<\", 5], or a range such as [\">=\", 0, \"<\", 10]";
        let terms: Vec<&RawValue> = serde_json::from_str(json).map_err(|_| invalid(field, rule))?;
        match terms.as_slice() {
            [operator, number] => {
                let number = self.term(field, number.get())?;
                let (bottom, top) = match operator.get() {
                    r#""=""# => (Bound::Included(number), Bound::Included(number)),
                    r#""<""# => (Bound::Unbounded, Bound::Excluded(number)),
                    r#""<=""# => (Bound::Unbounded, Bound::Included(number)),
                    r#"">""# => (Bound::Excluded(number), Bound::Unbounded),
                    r#"">=""# => (Bound::Included(number), Bound::Unbounded),
                    _ => return Err(invalid(field, "knows the operators =, <, <=, > and >=")),
                };
                Ok(Range { bottom, top })
            }
            [from, bottom, to, top] => {
                let (bottom, top) = (self.term(field, bottom.get())?, self.term(field, top.get())?);
                if self.is_new && bottom >= top {
                    return Err(invalid(field, "must have the range's bottom below its top"));
                }
                let (bottom, top) = match (from.get(), to.get()) {
                    (r#"">""#, r#""<""#) => (Bound::Excluded(bottom), Bound::Excluded(top)),
                    (r#"">""#, r#""<=""#) => (Bound::Excluded(bottom), Bound::Included(top)),
                    (r#"">=""#, r#""<""#) => (Bound::Included(bottom), Bound::Excluded(top)),
                    (r#"">=""#, r#""<=""#) => (Bound::Included(bottom), Bound::Included(top)),
                    _ => {
                        return Err(invalid(
                            field,
                            "must begin a range with > or >= and end it with < or <=",
                        ));
                    }
                };
                Ok(Range { bottom, top })
            }
            _ => Err(invalid(field, rule)),
        }
    }

    fn term(self, field: &str, json: &str) -> Result<Decimal, Invalid> {
        match self.value(field, json, "must compare with a number")? {
            Value::Number(number) => Ok(number),
            _ => Err(invalid(field, "must compare with a number")),
        }
    }

    fn one_member<'a>(self, field: &str, json: &'a str) -> Result<(String, &'a str), Invalid> {
        let mut members = self.members(field, json)?.into_iter();
        match (members.next(), members.next()) {
            (Some((name, json)), None) => Ok((name, json.get())),
            _ => Err(invalid(field, "must have one operator in an object of its own")),
        }
    }
}

fn text(field: &str, json: &str) -> Result<String, Invalid> {
    serde_json::from_str(json).map_err(|_| invalid(field, "must be a string"))
}

fn network(field: &str, json: &str) -> Result<IpNet, Invalid> {
    let rule = "must be an IP network such as \"10.0.0.0/24\" or \"2001:db8::/32\"";
    text(field, json)?.parse().map_err(|_| invalid(field, rule))
}

fn unsupported(field: &str, operator: &str) -> Invalid {
    let message = format!("{field}: SNS's filter policies have no operator {operator:?} here");
    Invalid::new("unsupported_operator", field, message)
}
