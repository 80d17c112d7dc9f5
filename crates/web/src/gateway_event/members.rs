//! Members of an event, each read with an error that names it.

use serde_json::{Map, Value};

use super::BadEvent;

/// The longest name from an event that a sentence repeats, in characters.
const MAX_NAME: usize = 64;

/// A text; `None` where it is absent or `null`.
pub(super) fn text<'a>(event: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, BadEvent> {
    match event.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(BadEvent(format!("{name} must be a string"))),
    }
}

/// Whether it is true; absent and `null` are false.
pub(super) fn flag(event: &Map<String, Value>, name: &str) -> Result<bool, BadEvent> {
    match event.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(BadEvent(format!("{name} must be true or false"))),
    }
}

/// An object; `None` where it is absent or `null`.
pub(super) fn object<'a>(
    event: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a Map<String, Value>>, BadEvent> {
    match event.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(BadEvent(format!("{name} must be an object"))),
    }
}

/// An object of texts, or of lists of texts: each name with each of its values.
pub(super) fn pairs(event: &Map<String, Value>, name: &str) -> Result<Vec<(String, String)>, BadEvent> {
    let mut pairs = Vec::new();
    for (key, value) in object(event, name)?.into_iter().flatten() {
        let values = match value {
            Value::Array(values) => values.as_slice(),
            single => std::slice::from_ref(single),
        };
        for value in values {
            let Value::String(text) = value else {
                let key: String = key.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
                return Err(BadEvent(format!("{name}.{key} must be a string")));
            };
            pairs.push((key.clone(), text.clone()));
        }
    }
    Ok(pairs)
}
