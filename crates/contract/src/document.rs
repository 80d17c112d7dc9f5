//! Finding things in an `OpenAPI` 3.1 document.

use serde_json::Value;

/// The methods that a path may have, as the document writes them.
pub(crate) const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// What a value means in `document`: what it refers to, if it does nothing but refer. `null` if that is not there.
pub(crate) fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let (mut found, mut followed) = (value, Vec::new());
    while let Some(reference) = found["$ref"].as_str() {
        if followed.contains(&reference) {
            return &Value::Null;
        }
        followed.push(reference);
        found = target(document, reference);
    }
    found
}

/// What a reference such as `#/components/schemas/Order` leads to; `null` if that is not there.
pub(crate) fn target<'a>(document: &'a Value, reference: &str) -> &'a Value {
    reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer)).unwrap_or(&Value::Null)
}

/// The path of the document that a request's path is one of, and what stands there. A path without parameters goes before
/// one with them, as with every router.
pub(crate) fn path_item<'a>(document: &'a Value, path: &str) -> Option<(&'a str, &'a Value)> {
    let paths = document["paths"].as_object()?;
    let parameters = |template: &str| template.matches('{').count();
    let fitting = paths.iter().filter(|(template, _)| fits(template, path));
    fitting.min_by_key(|(template, _)| parameters(template)).map(|(template, item)| (template.as_str(), item))
}

fn fits(template: &str, path: &str) -> bool {
    let same =
        |(wanted, found): (&str, &str)| wanted == found || (wanted.starts_with('{') && !found.is_empty());
    template.split('/').count() == path.split('/').count()
        && template.split('/').zip(path.split('/')).all(same)
}

/// The members of an object; none of anything else.
pub(crate) fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, member)| (name.as_str(), member))
}

/// The elements of an array; none of anything else.
pub(crate) fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
