//! The limits of `openapi.json`, each of which is a constant's.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::constants::Constants;
use crate::numbers::{Number, ONE, shown};

/// Where a limit stands in the document, and whose number it is.
const SAME: [(&str, &str); 14] = [
    ("parameters/find/schema/maxLength", "domain::values::CODE"),
    ("parameters/limit/schema/maximum", "application::PageRequest::MAX"),
    ("schemas/MailAddress/maxLength", "domain::values::EMAIL"),
    ("schemas/Placed/properties/warnings/maxItems", "domain::MAX_WARNINGS"),
    ("schemas/FilterTested/properties/warnings/maxItems", "domain::MAX_WARNINGS"),
    ("schemas/AttributesFilterPolicy/maxProperties", "domain::filter_policy::MAX_KEYS"),
    ("schemas/BodyFilterPolicy/maxProperties", "domain::filter_policy::MAX_KEYS"),
    ("schemas/FilterNumber/maximum", "domain::filter_policy::MAX_NUMBER"),
    ("schemas/NewStatus/properties/by/maxLength", "domain::MAX_WHO"),
    ("schemas/TemplatePart/maxLength", "domain::MAX_PART"),
    ("schemas/TemplateList/properties/items/maxItems", "application::MAX_TEMPLATES"),
    ("schemas/WebhookUrl/maxLength", "domain::endpoint::MAX_URL"),
    ("schemas/MaxReceivesPerSecond/maximum", "domain::attributes::MAX_RATE"),
    ("schemas/Escalation/properties/afterMinutes/maximum", "domain::Minutes::MAX"),
];

/// Limits of the form itself, which no constant has: an operator is one, a range has two ends.
const OF_THE_FORM: [&str; 3] = [
    "schemas/FilterOperator/maxProperties",
    "schemas/FilterOperator/properties/numeric/oneOf/0/maxItems",
    "schemas/FilterOperator/properties/numeric/oneOf/1/maxItems",
];

/// How many combinations a policy may have is how many values one key may have at most.
const COMBINATIONS: [&str; 3] = [
    "schemas/FilterKeys/properties/$or/anyOf/0/maxItems",
    "schemas/NestedFilterKeys/properties/$or/anyOf/0/maxItems",
    "schemas/FilterValues/maxItems",
];

/// What the document says otherwise than the sources, or without a constant.
pub(crate) fn mistakes(root: &Path, constants: &Constants) -> Vec<String> {
    let text = fs::read_to_string(root.join("crates/web/openapi.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let combinations = COMBINATIONS.map(|place| (place, "domain::filter_policy::MAX_COMBINATIONS"));
    let same: Vec<_> = SAME.into_iter().chain(combinations).collect();
    let mut limits = Vec::new();
    collect(&document, "", &mut limits);
    let unnamed = limits.iter().filter(|(place, _)| {
        let is_this = |other: &str| place.as_str() == format!("/components/{other}");
        !same.iter().any(|(other, _)| is_this(other)) && !OF_THE_FORM.iter().any(|other| is_this(other))
    });
    let mut mistakes: Vec<_> = unnamed.map(|(place, _)| format!("{place} is no constant's")).collect();
    for (place, name) in same {
        let said = document.pointer(&format!("/components/{place}")).and_then(Value::as_i64);
        match constants.of_name(name).and_then(|constant| constants.evaluate(constant)) {
            Ok(held) if said.map(|said| vec![Number::from(said) * ONE]).as_ref() == Some(&held) => {}
            Ok(held) => mistakes.push(format!("{place} is {said:?}, {name} is {}", shown(&held))),
            Err(mistake) => mistakes.push(format!("{place}: {mistake}")),
        }
    }
    mistakes
}

/// Every upper limit of a schema, with its place.
fn collect(value: &Value, place: &str, limits: &mut Vec<(String, Number)>) {
    let Value::Object(members) = value else {
        let elements = value.as_array().into_iter().flatten().enumerate();
        return elements.for_each(|(index, element)| collect(element, &format!("{place}/{index}"), limits));
    };
    for (name, member) in members {
        let place = format!("{place}/{name}");
        let is_limit = matches!(name.as_str(), "maxLength" | "maxItems" | "maxProperties" | "maximum");
        match member.as_i64().filter(|_| is_limit) {
            Some(limit) => limits.push((place, Number::from(limit))),
            None => collect(member, &place, limits),
        }
    }
}
