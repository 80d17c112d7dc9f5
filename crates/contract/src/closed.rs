//! Closing the objects of a document: what no schema names is refused.
//!
//! A document leaves its objects open, so that clients expect new members. A program that answers with a member which its
//! document does not name is at odds with it all the same.

use serde_json::{Value, json};

use crate::document::{elements, members, target};

/// What holds for a value as a whole: keywords with a schema, with several, with one for each name.
const SAME_VALUE: [&str; 3] = ["if", "then", "else"];
const SAME_VALUE_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// What holds for the values inside of it.
const INSIDE: [&str; 5] =
    ["additionalProperties", "contains", "items", "unevaluatedItems", "unevaluatedProperties"];
const INSIDE_BY_NAME: [&str; 2] = ["patternProperties", "properties"];

/// Closes the schemas of each body in a document, and all that stands inside of them.
pub(crate) fn close(document: &mut Value) {
    let whole = document.clone();
    for schema in document["components"]["schemas"].as_object_mut().into_iter().flatten() {
        close_inside(&whole, schema.1);
    }
    close_bodies(&whole, document);
}

/// Closes what stands under `content`, wherever that is.
fn close_bodies(whole: &Value, value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (name, member) in object.iter_mut() {
                match (name.as_str(), member) {
                    ("content", Value::Object(types)) => {
                        let schemas = types.values_mut().filter_map(|media| media.get_mut("schema"));
                        schemas.for_each(|schema| close_value(whole, schema));
                    }
                    ("schemas", _) => {}
                    (_, member) => close_bodies(whole, member),
                }
            }
        }
        Value::Array(array) => array.iter_mut().for_each(|element| close_bodies(whole, element)),
        _ => {}
    }
}

/// Closes a schema that describes a value by itself. One that is a part of another's description must not be closed by
/// itself: it would refuse what the other parts name.
fn close_value(whole: &Value, schema: &mut Value) {
    close_inside(whole, schema);
    if names_members(whole, schema, &mut Vec::new())
        && let Some(object) = schema.as_object_mut()
    {
        object.entry("unevaluatedProperties").or_insert(json!(false));
    }
}

/// Closes the values inside of what a schema describes.
fn close_inside(whole: &Value, schema: &mut Value) {
    let Some(keywords) = schema.as_object_mut() else { return };
    for (keyword, value) in keywords.iter_mut() {
        match keyword.as_str() {
            keyword if INSIDE.contains(&keyword) => close_value(whole, value),
            keyword if INSIDE_BY_NAME.contains(&keyword) => {
                value
                    .as_object_mut()
                    .into_iter()
                    .flatten()
                    .for_each(|(_, schema)| close_value(whole, schema));
            }
            "prefixItems" => {
                value.as_array_mut().into_iter().flatten().for_each(|schema| close_value(whole, schema));
            }
            keyword if SAME_VALUE.contains(&keyword) => close_inside(whole, value),
            keyword if SAME_VALUE_LISTS.contains(&keyword) => {
                value.as_array_mut().into_iter().flatten().for_each(|schema| close_inside(whole, schema));
            }
            "dependentSchemas" => {
                value
                    .as_object_mut()
                    .into_iter()
                    .flatten()
                    .for_each(|(_, schema)| close_inside(whole, schema));
            }
            _ => {}
        }
    }
}

/// Whether a schema, or a part of it, names members of the value that it describes.
fn names_members(whole: &Value, schema: &Value, seen: &mut Vec<String>) -> bool {
    if schema.get("properties").is_some() {
        return true;
    }
    if let Some(reference) = schema["$ref"].as_str()
        && !seen.iter().any(|known| known == reference)
    {
        seen.push(reference.to_owned());
        if names_members(whole, target(whole, reference), seen) {
            return true;
        }
    }
    let lists = SAME_VALUE_LISTS.iter().flat_map(|keyword| elements(&schema[*keyword]));
    let single = SAME_VALUE.iter().filter_map(|keyword| schema.get(*keyword));
    let dependent = members(&schema["dependentSchemas"]).map(|(_, schema)| schema);
    lists.chain(single).chain(dependent).any(|part| names_members(whole, part, seen))
}
