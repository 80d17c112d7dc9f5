//! Taking a schema apart into the ways in which a value can fit it: `allOf` and references are joined, each alternative is a
//! way of its own.

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

/// One way to fit a schema: all of this holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Way {
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

/// The ways in which a value can fit a schema of `document`; `followed` are the references that led here.
pub(crate) fn ways(document: &Value, schema: &Value, followed: &[&str]) -> Vec<Way> {
    let mut ways = vec![Way::default()];
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
                    ways =
                        each_with_each(&ways, &self::ways(document, target(document, reference), &followed));
                }
            }
            "allOf" => {
                for part in elements(value) {
                    ways = each_with_each(&ways, &self::ways(document, part, followed));
                }
            }
            "anyOf" | "oneOf" => {
                let alternatives: Vec<_> =
                    elements(value).flat_map(|part| self::ways(document, part, followed)).collect();
                ways = each_with_each(&ways, &alternatives);
            }
            keyword if ANNOTATIONS.contains(&keyword) => {}
            _ => ways.iter_mut().for_each(|way| way.add(keyword, value)),
        }
    }
    ways
}

fn each_with_each(some: &[Way], others: &[Way]) -> Vec<Way> {
    some.iter().flat_map(|one| others.iter().map(|other| one.with(other))).collect()
}

impl Way {
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
