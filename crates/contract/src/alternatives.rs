//! Taking a schema apart into the alternatives that a value can fit: `allOf` and references are joined, each alternative is
//! a way of its own.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::document::{elements, members, target};

/// What says nothing about values.
pub(crate) const ANNOTATIONS: [&str; 9] = [
    "title",
    "description",
    "default",
    "example",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$comment",
];
/// What says something about a value without looking into it.
const SIMPLE: [&str; 17] = [
    "type",
    "enum",
    "const",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
];

/// One alternative to fit a schema: all of this holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alternative {
    pub(crate) simple: Vec<Map<String, Value>>,
    pub(crate) members: BTreeMap<String, Vec<Value>>,
    pub(crate) required: BTreeSet<String>,
    /// What holds for members that are not named.
    pub(crate) others: Vec<Value>,
    /// Whether members that are not named are refused.
    pub(crate) is_closed: bool,
    pub(crate) elements: Vec<Value>,
    /// What is only compared as a whole.
    pub(crate) rest: BTreeMap<String, Vec<Value>>,
}

/// The alternatives of a schema of `document`, each of which a value can fit; `followed` are the references that led here.
pub(crate) fn alternatives(document: &Value, schema: &Value, followed: &[&str]) -> Vec<Alternative> {
    let mut alternatives = vec![Alternative::default()];
    if *schema == Value::Bool(false) {
        return Vec::new();
    }
    for (keyword, value) in members(schema) {
        match keyword {
            "$ref" => {
                let reference = value.as_str().unwrap_or_default();
                // One that leads back to itself says nothing more.
                if !followed.contains(&reference) {
                    let followed = [followed, &[reference]].concat();
                    alternatives = each_with_each(
                        &alternatives,
                        &self::alternatives(document, target(document, reference), &followed),
                    );
                }
            }
            "allOf" => {
                for part in elements(value) {
                    alternatives =
                        each_with_each(&alternatives, &self::alternatives(document, part, followed));
                }
            }
            "anyOf" | "oneOf" => {
                let branches: Vec<_> =
                    elements(value).flat_map(|part| self::alternatives(document, part, followed)).collect();
                alternatives = each_with_each(&alternatives, &branches);
            }
            keyword if ANNOTATIONS.contains(&keyword) => {}
            _ => alternatives.iter_mut().for_each(|alternative| alternative.add(keyword, value)),
        }
    }
    alternatives
}

fn each_with_each(some: &[Alternative], others: &[Alternative]) -> Vec<Alternative> {
    some.iter().flat_map(|one| others.iter().map(|other| one.with(other))).collect()
}

impl Alternative {
    fn add(&mut self, keyword: &str, value: &Value) {
        match keyword {
            "properties" => {
                for (name, schema) in members(value) {
                    self.members.entry(name.to_owned()).or_default().push(schema.clone());
                }
            }
            "required" => self.required.extend(elements(value).filter_map(Value::as_str).map(str::to_owned)),
            "additionalProperties" | "unevaluatedProperties" => match value {
                Value::Bool(open) => self.is_closed |= !open,
                schema => self.others.push(schema.clone()),
            },
            "items" => self.elements.push(value.clone()),
            keyword if SIMPLE.contains(&keyword) => {
                self.simple.push(Map::from_iter([(keyword.to_owned(), value.clone())]));
            }
            keyword => self.rest.entry(keyword.to_owned()).or_default().push(value.clone()),
        }
    }

    fn with(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.simple.extend(other.simple.iter().cloned());
        for (name, schemas) in &other.members {
            both.members.entry(name.clone()).or_default().extend(schemas.iter().cloned());
        }
        both.required.extend(other.required.iter().cloned());
        both.others.extend(other.others.iter().cloned());
        both.is_closed |= other.is_closed;
        both.elements.extend(other.elements.iter().cloned());
        for (keyword, values) in &other.rest {
            both.rest.entry(keyword.clone()).or_default().extend(values.iter().cloned());
        }
        both
    }
}
