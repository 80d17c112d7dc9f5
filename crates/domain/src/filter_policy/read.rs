//! From a policy's JSON to a tree that cannot be wrong: keys, nesting, `$or`, and the limits of the whole.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::clause::{Clause, combinations};
use super::{FilterPolicyScope, MAX_BYTES, MAX_COMBINATIONS, MAX_KEYS};
use crate::Invalid;
use crate::json_text::repeated_member;

/// How a policy is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) scope: FilterPolicyScope,
    /// Whether it is being chosen now, and so must be within SNS's limits. What was stored once is read for what it says.
    pub(super) is_new: bool,
}

/// A place in a policy.
#[derive(Debug, Clone)]
struct Place {
    /// As errors name it: `filterPolicy.$or[1].total`.
    field: String,
    /// As the message has it: `total`; empty at the top.
    path: String,
    /// How many keys lead here.
    depth: usize,
    /// How many objects lead here, those of `$or` included.
    level: usize,
}

/// The text of the policy within `{"MessageBody":{…}}`, if that is what `stored` is.
pub(super) fn body_policy(stored: &str) -> Option<&str> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(stored).ok()?;
    let body = members.get("MessageBody").filter(|_| members.len() == 1)?;
    Some(body.get()).filter(|json| json.starts_with('{'))
}

impl Reading {
    /// The whole policy.
    pub(super) fn policy(self, json: &str) -> Result<Vec<Clause>, Invalid> {
        let top = Place { field: "filterPolicy".to_owned(), path: String::new(), depth: 0, level: 0 };
        if self.is_new && json.len() > MAX_BYTES {
            return Err(invalid(&top.field, format!("must be at most 256 KB ({MAX_BYTES} bytes)")));
        }
        if self.is_new && self.members(&top.field, json)?.len() > MAX_KEYS {
            return Err(invalid(&top.field, format!("must have 1 to {MAX_KEYS} keys")));
        }
        let clauses = self.clauses(&top, json)?;
        if self.is_new && combinations(&clauses) > MAX_COMBINATIONS {
            return Err(too_complex(&top.field));
        }
        Ok(clauses)
    }

    fn clauses(self, place: &Place, json: &str) -> Result<Vec<Clause>, Invalid> {
        let members = self.members(&place.field, json)?;
        if self.is_new && members.is_empty() {
            return Err(invalid(&place.field, "must have at least one key"));
        }
        // Each key counts with its depth, and each alternative of an $or adds: what is deeper never was within the limit.
        if place.level >= MAX_COMBINATIONS {
            return Err(too_complex("filterPolicy"));
        }
        let clauses = members.into_iter().map(|(name, json)| self.member(place, &name, json.get()));
        Ok(clauses.collect::<Result<Vec<_>, _>>()?.concat())
    }

    fn member(self, place: &Place, name: &str, json: &str) -> Result<Vec<Clause>, Invalid> {
        let here = place.member(name);
        match json.as_bytes().first() {
            Some(b'{') if self.scope == FilterPolicyScope::MessageBody => self.clauses(&here, json),
            Some(b'{') => {
                let rule = "must be an array of values: only policies of the scope MessageBody nest";
                Err(invalid(&here.field, rule))
            }
            Some(b'[') => {
                let values: Vec<&RawValue> = serde_json::from_str(json)
                    .map_err(|_| invalid(&here.field, "must be an array of values"))?;
                let read = if name == "$or" && is_or(&values) {
                    self.alternatives(place, &here, &values)
                } else {
                    self.key(here, &values)
                };
                Ok(vec![read?])
            }
            _ if self.scope == FilterPolicyScope::MessageBody => {
                Err(invalid(&here.field, "must be an array of values or an object"))
            }
            _ => Err(invalid(&here.field, "must be an array of values")),
        }
    }

    /// The alternatives stand for members of the object around the `$or`: they nest no deeper.
    fn alternatives(self, around: &Place, or: &Place, values: &[&RawValue]) -> Result<Clause, Invalid> {
        let alternative = |(number, json): (usize, &&RawValue)| {
            let field = format!("{}[{number}]", or.field);
            self.clauses(&Place { field, level: or.level, ..around.clone() }, json.get())
        };
        let alternatives = values.iter().enumerate().map(alternative).collect::<Result<_, _>>()?;
        Ok(Clause::Or { path: or.path.clone(), alternatives })
    }

    fn key(self, place: Place, values: &[&RawValue]) -> Result<Clause, Invalid> {
        if self.is_new && values.is_empty() {
            return Err(invalid(&place.field, "must hold at least one value"));
        }
        let wanted = values.iter().map(|value| self.condition(&place.field, value.get()));
        let wanted = wanted.collect::<Result<_, _>>()?;
        Ok(Clause::Key { path: place.path, depth: place.depth, wanted })
    }

    /// An object's members, each still as it was written, so that its numbers stay exact. Of those of a stored one that
    /// stand there twice, the last counts.
    pub(super) fn members<'a>(
        self,
        field: &str,
        json: &'a str,
    ) -> Result<BTreeMap<String, &'a RawValue>, Invalid> {
        let members = serde_json::from_str(json).map_err(|_| invalid(field, "must be a JSON object"))?;
        match repeated_member(json).filter(|_| self.is_new) {
            Some(name) => Err(invalid(&format!("{field}.{name}"), "must be given once")),
            None => Ok(members),
        }
    }
}

impl Place {
    fn member(&self, name: &str) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        let field = format!("{}.{name}", self.field);
        Self { field, path, depth: self.depth + 1, level: self.level + 1 }
    }
}

/// Whether an `$or` is one: two objects or more, and none has a member that is named as an operator is. Otherwise it is a
/// key as any other. Source: AWS, "AND/OR logic".
fn is_or(values: &[&RawValue]) -> bool {
    let is_alternative = |json: &&RawValue| {
        let members: Option<BTreeMap<String, &RawValue>> = serde_json::from_str(json.get()).ok();
        members.is_some_and(|members| !members.keys().any(|name| RESERVED.contains(&name.as_str())))
    };
    values.len() >= 2 && values.iter().all(is_alternative)
}

/// The names of operators.
const RESERVED: [&str; 8] =
    ["anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "wildcard"];

/// Says which rule a member breaks; `rule` ends the sentence that begins with the member's name.
pub(super) fn invalid(field: &str, rule: impl std::fmt::Display) -> Invalid {
    Invalid::new("invalid_filter_policy", field, format!("{field} {rule}"))
}

fn too_complex(field: &str) -> Invalid {
    invalid(field, format!("must have at most {MAX_COMBINATIONS} combinations of values"))
}
