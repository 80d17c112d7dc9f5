//! What the page shows of the contract.

use serde_json::{Map, Value};

/// What can be asked under a path.
pub(super) struct Operation {
    pub(super) method: String,
    pub(super) path: String,
    /// Whose key it takes.
    pub(super) access: &'static str,
    pub(super) summary: String,
    pub(super) description: String,
    /// Where all of its body is described, beyond its members.
    pub(super) body: String,
    pub(super) fields: Vec<Field>,
    /// A whole body.
    pub(super) example: String,
    pub(super) answers: Vec<Answer>,
}

/// A parameter, or a member of the body.
pub(super) struct Field {
    pub(super) name: String,
    /// `path`, `query`, `header` or `body`.
    pub(super) place: String,
    pub(super) required: bool,
    pub(super) description: String,
    pub(super) examples: Vec<String>,
}

/// An answer by its status.
pub(super) struct Answer {
    pub(super) status: String,
    pub(super) description: String,
}

/// The methods that a path may have; what else stands there is shared by them.
const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// Every operation, by its path.
pub(super) fn operations(contract: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, of_path) in members(&contract["paths"]) {
        for (method, operation) in members(of_path).filter(|(method, _)| METHODS.contains(&method.as_str())) {
            let shared = elements(&of_path["parameters"]).chain(elements(&operation["parameters"]));
            let mut fields: Vec<_> = shared.map(|parameter| of_parameter(contract, parameter)).collect();
            let body = resolved(contract, &operation["requestBody"]["content"]["application/json"]["schema"]);
            fields.extend(members(&body["properties"]).map(|member| of_member(contract, body, member)));
            // In their own order otherwise, which is that of their names.
            fields.sort_by_key(|field| !field.required);
            operations.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                access: access(operation),
                summary: text(operation, "summary"),
                description: text(operation, "description"),
                body: text(body, "description"),
                fields,
                example: body.get("example").map(Value::to_string).unwrap_or_default(),
                answers: members(&operation["responses"]).map(|answer| of_answer(contract, answer)).collect(),
            });
        }
    }
    operations
}

/// Whose key an operation takes; where no entry stands, nobody needs one.
fn access(operation: &Value) -> &'static str {
    match elements(&operation["security"]).next() {
        None => "open",
        Some(first) if members(first).next().is_none() => "as the host chose",
        Some(_) => "admin key",
    }
}

fn of_parameter(contract: &Value, parameter: &Value) -> Field {
    let parameter = resolved(contract, parameter);
    let schema = &parameter["schema"];
    let described = text(parameter, "description");
    Field {
        name: text(parameter, "name"),
        place: text(parameter, "in"),
        required: parameter["required"] == true,
        description: if described.is_empty() { shape(contract, schema) } else { described },
        examples: parameter.get("example").map(shown).into_iter().collect(),
    }
}

fn of_member(contract: &Value, body: &Value, (name, schema): (&String, &Value)) -> Field {
    Field {
        name: name.clone(),
        place: "body".to_owned(),
        required: elements(&body["required"]).any(|required| required == name),
        description: shape(contract, schema),
        examples: elements(&schema["examples"]).map(shown).collect(),
    }
}

fn of_answer(contract: &Value, (status, answer): (&String, &Value)) -> Answer {
    Answer { status: status.clone(), description: text(resolved(contract, answer), "description") }
}

/// What a schema says of itself: its description, else what it may be.
fn shape(contract: &Value, schema: &Value) -> String {
    let schema = resolved(contract, schema);
    let described = text(schema, "description");
    if !described.is_empty() {
        return described;
    }
    if let Some(values) = schema["enum"].as_array().filter(|values| values.len() <= MOST_VALUES) {
        return values.iter().map(shown).collect::<Vec<_>>().join(", ");
    }
    let ways = ["anyOf", "oneOf", "allOf"].into_iter().flat_map(|name| elements(&schema[name]));
    let ways: Vec<_> = ways.map(|way| shape(contract, way)).filter(|way| !way.is_empty()).collect();
    let kind = match &schema["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => kinds.iter().map(shown).collect::<Vec<_>>().join(" or "),
        _ => String::new(),
    };
    let format = schema["format"].as_str().map(|format| format!(" ({format})")).unwrap_or_default();
    if ways.is_empty() { format!("{kind}{format}") } else { ways.join("; or ") }
}

/// The most values of a choice that are listed.
const MOST_VALUES: usize = 20;

/// A text as it is, anything else as JSON.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What a reference leads to; the contract's own lead into itself.
fn resolved<'a>(contract: &'a Value, value: &'a Value) -> &'a Value {
    let place = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    place.map_or(value, |place| contract.pointer(place).unwrap_or(&Value::Null))
}

fn text(of: &Value, member: &str) -> String {
    of[member].as_str().unwrap_or_default().to_owned()
}

fn members(of: &Value) -> impl Iterator<Item = (&String, &Value)> {
    of.as_object().map(Map::iter).into_iter().flatten()
}

fn elements(of: &Value) -> impl Iterator<Item = &Value> {
    of.as_array().into_iter().flatten()
}
