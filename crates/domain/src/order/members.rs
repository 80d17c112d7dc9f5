//! The members of one JSON object, taken out one by one; what nobody takes is left over.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::Invalid;
use crate::json_text::quoted;

/// The members of one JSON object, each still as the client wrote it, so that a number never becomes a float. Of those
/// that stand there twice the last counts.
#[derive(Debug)]
pub(super) struct Members<'a> {
    path: String,
    /// Each with its place among them.
    by_name: BTreeMap<String, (usize, &'a str)>,
    /// What is left of those of which only a part was taken.
    parts: Vec<(usize, String, String)>,
    /// The first that stood there twice.
    repeated: Option<String>,
}

impl<'a> Members<'a> {
    /// Reads an object's members; `path` names the object in errors (empty: the order itself).
    pub(super) fn read(path: String, json: &'a str) -> Result<Self, Invalid> {
        if !json.starts_with('{') {
            let subject = if path.is_empty() { "The order" } else { &path };
            let message = format!("{subject} must be an object");
            return Err(Invalid::new("wrong_type", path, message));
        }
        match serde_json::from_str::<Read<'_>>(json) {
            Ok(Read { by_name, repeated }) => Ok(Self { path, by_name, parts: Vec::new(), repeated }),
            Err(_) => Err(Invalid::new("malformed_json", path, "A member's name is not valid Unicode")),
        }
    }

    /// The path of a member, for errors.
    pub(super) fn path(&self, name: &str) -> String {
        if self.path.is_empty() || name.is_empty() {
            format!("{}{name}", self.path)
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// The member's JSON; `null` counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.by_name.get(name).map(|(_, json)| *json).filter(|json| *json != "null")
    }

    /// Takes a member out: it is not left over.
    pub(super) fn take(&mut self, name: &str) {
        self.by_name.remove(name);
    }

    /// Takes a member out but for a part of it, which is left over.
    pub(super) fn take_but(&mut self, name: &str, part: Option<String>) {
        let taken = self.by_name.remove(name);
        self.parts.extend(taken.zip(part).map(|((place, _), part)| (place, name.to_owned(), part)));
    }

    /// What is left, as JSON; `None`: nothing is.
    pub(super) fn rest_as_json(self) -> Option<String> {
        let rest = self.into_rest().into_iter().map(|(name, json)| format!("{}:{json}", quoted(&name)));
        let rest: Vec<_> = rest.collect();
        (!rest.is_empty()).then(|| format!("{{{}}}", rest.join(",")))
    }

    /// The first member that stood there twice: the last of it counts.
    pub(super) fn repeated(&self) -> Option<&str> {
        self.repeated.as_deref()
    }

    /// Every member's name and JSON, by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.by_name.iter().map(|(name, (_, json))| (name.as_str(), *json))
    }

    /// What is left, in the client's order.
    pub(super) fn into_rest(self) -> Vec<(String, Cow<'a, str>)> {
        let whole = self.by_name.into_iter().map(|(name, (place, json))| (place, name, Cow::Borrowed(json)));
        let parts = self.parts.into_iter().map(|(place, name, json)| (place, name, Cow::Owned(json)));
        let mut rest: Vec<_> = whole.chain(parts).collect();
        rest.sort_unstable_by_key(|(place, ..)| *place);
        rest.into_iter().map(|(_, name, json)| (name, json)).collect()
    }
}

struct Read<'a> {
    by_name: BTreeMap<String, (usize, &'a str)>,
    repeated: Option<String>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Read<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Read<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
                let (mut by_name, mut repeated, mut place) = (BTreeMap::new(), None, 0);
                while let Some((name, value)) = from.next_entry::<String, &'de RawValue>()? {
                    if by_name.contains_key(&name) {
                        repeated.get_or_insert_with(|| name.clone());
                    }
                    by_name.insert(name, (place, value.get()));
                    place += 1;
                }
                Ok(Read { by_name, repeated })
            }
        }
        from.deserialize_map(InOrder)
    }
}
