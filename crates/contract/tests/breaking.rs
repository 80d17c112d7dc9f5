//! Which changes of a document break a client of the one before.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use orderbell_contract::{DOCUMENT, RELEASED, breaking_changes};
use serde_json::{Value, json};

#[test]
fn the_document_breaks_no_client_of_the_one_last_released() {
    let (released, document) = (read(RELEASED), read(DOCUMENT));
    let broken = breaking_changes(&released, &document);
    assert!(broken.is_empty(), "{}\nCONTRIBUTING.md says what to do", broken.join("\n"));
}

fn read(document: &str) -> Value {
    serde_json::from_str(document).unwrap()
}

fn document() -> Value {
    json!({
        "paths": {
            "/things": {
                "post": {
                    "parameters": [{"$ref": "#/components/parameters/mode"}],
                    "requestBody": {"required": true, "content": {"application/json": {
                        "schema": {"$ref": "#/components/schemas/NewThing"}
                    }}},
                    "responses": {
                        "200": {
                            "headers": {"location": {"schema": {"type": "string"}}},
                            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
                        },
                        "409": {"description": "It is there."}
                    },
                    "security": [{}, {"key": []}]
                },
                "get": {"responses": {"200": {"content": {"application/json": {
                    "schema": {"type": "array", "items": {"allOf": [{"$ref": "#/components/schemas/Thing"}]}}
                }}}}}
            }
        },
        "components": {
            "parameters": {"mode": {"name": "mode", "in": "query", "schema": {"enum": ["slow", "fast"]}}},
            "schemas": {
                "NewThing": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string", "maxLength": 20},
                        "color": {"type": "string", "enum": ["red", "blue"]},
                        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/NewThing"}}
                    },
                    "oneOf": [
                        {"required": ["size"], "properties": {"size": {"type": "integer"}}},
                        {"required": ["weight"], "properties": {"weight": {"type": "number", "minimum": 0}}}
                    ]
                },
                "Thing": {
                    "type": "object",
                    "required": ["id", "state"],
                    "properties": {
                        "id": {"type": "string", "format": "uuid"},
                        "state": {"type": "string", "enum": ["new", "old"]},
                        "note": {},
                        "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
                        "next": {"$ref": "#/components/schemas/Thing"}
                    }
                }
            }
        }
    })
}

/// What is reported once `to` stands at a place of the document; `null` takes away what stood there.
fn changed(place: &str, to: Value) -> Vec<String> {
    changed_in(&document(), place, to)
}

/// The same, of another document.
fn changed_in(old: &Value, place: &str, to: Value) -> Vec<String> {
    let mut new = old.clone();
    let (parent, name) = place.rsplit_once('/').unwrap();
    let name = &name.replace("~1", "/");
    let parent = new.pointer_mut(parent).unwrap_or_else(|| panic!("{place} is not there"));
    if to.is_null() {
        parent.as_object_mut().unwrap().remove(name).unwrap();
    } else if let Value::Array(elements) = parent {
        elements[name.parse::<usize>().unwrap()] = to;
    } else {
        parent[name] = to;
    }
    breaking_changes(old, &new)
}

const POST: &str = "/paths/~1things/post";
const NEW: &str = "/components/schemas/NewThing";
const THING: &str = "/components/schemas/Thing";

#[test]
fn what_is_taken_away_is_named() {
    for (place, broken) in [
        ("/paths/~1things".to_owned(), "/things is gone"),
        (POST.to_owned(), "POST /things is gone"),
        (format!("{POST}/responses/409"), "the answer 409 of POST /things is gone"),
        (
            format!("{POST}/responses/200/headers/location"),
            "the header location of the answer 200 of POST /things is gone",
        ),
        (format!("{POST}/parameters"), "the query parameter mode of POST /things is gone"),
        (
            format!("{POST}/requestBody/content/application~1json"),
            "the request of POST /things can no longer be application/json",
        ),
        (format!("{NEW}/properties/color"), "the request of POST /things: color is gone"),
        (format!("{THING}/properties/note"), "the answer 200 of POST /things: note is gone"),
        (format!("{THING}/properties/note"), "the answer 200 of GET /things: [].note is gone"),
    ] {
        let found = changed(&place, Value::Null);
        assert!(found.iter().any(|found| found == broken), "{place}: {found:?}");
    }
}

#[test]
fn a_request_that_was_welcome_stays_welcome() {
    for (place, to, broken) in [
        (format!("{NEW}/required"), json!(["name", "color"]), "color must be sent now"),
        (format!("{NEW}/properties/color/enum"), json!(["red"]), "color takes no longer all that it took"),
        (format!("{NEW}/properties/name/maxLength"), json!(19), "name takes no longer all that it took"),
        (format!("{NEW}/properties/name/type"), json!("integer"), "name takes no longer all that it took"),
        (format!("{NEW}/properties/name/format"), json!("email"), "name takes no longer all that it took"),
        (format!("{NEW}/oneOf/1/properties/weight/minimum"), json!(1), "weight takes no longer"),
        (format!("{NEW}/oneOf/1/required"), json!(["weight", "unit"]), "unit must be sent now"),
        (format!("{NEW}/additionalProperties"), json!(false), "refuses members that it does not name"),
        (format!("{NEW}/properties/color"), json!(false), "color has nothing any more that it may be"),
        (format!("{NEW}/propertyNames"), json!({"maxLength": 9}), "another propertyNames"),
        (format!("{POST}/security"), json!([{"key": []}]), "can no longer be asked without a key"),
        ("/components/parameters/mode/schema/enum".to_owned(), json!(["slow"]), "query parameter mode"),
        (
            "/components/parameters/mode/required".to_owned(),
            json!(true),
            "mode of POST /things must be sent now",
        ),
    ] {
        let found = changed(&place, to);
        assert!(found.iter().any(|found| found.contains(broken)), "{place}: {found:?}");
    }
}

#[test]
fn an_answer_holds_what_it_held_and_nothing_that_it_could_not() {
    for (place, to, broken) in [
        (format!("{THING}/required"), json!(["id"]), "state may be left out now"),
        (
            format!("{THING}/properties/state/enum"),
            json!(["new", "old", "lost"]),
            "state may be what it could not be",
        ),
        (format!("{THING}/properties/state/type"), json!(["string", "null"]), ""),
        (format!("{THING}/properties/id/type"), json!(["string", "null"]), "id may be what it could not be"),
        (format!("{THING}/properties/id"), json!({"type": "string"}), "id may be what it could not be"),
        (
            format!("{THING}/properties/counts/additionalProperties/type"),
            json!("number"),
            "counts.* may be what",
        ),
        (format!("{THING}/properties/next"), json!({"type": "string"}), "next"),
    ] {
        let found = changed(&place, to);
        let is_named = found.iter().any(|found| found.contains(broken));
        assert_eq!(is_named, !broken.is_empty(), "{place}: {found:?}");
    }
}

#[test]
fn what_is_added_or_said_in_other_words_breaks_nobody() {
    let optional = json!({"name": "depth", "in": "query", "schema": {"type": "integer"}});
    for (place, to) in [
        ("/paths/~1others".to_owned(), json!({"get": {"responses": {}}})),
        ("/paths/~1things/put".to_owned(), json!({"responses": {}})),
        (format!("{POST}/responses/503"), json!({"description": "Not now."})),
        (format!("{POST}/parameters"), json!([{"$ref": "#/components/parameters/mode"}, optional])),
        (format!("{POST}/description"), json!("Makes a thing.")),
        (format!("{POST}/requestBody/required"), json!(false)),
        (format!("{NEW}/properties/shape"), json!({"type": "string", "enum": ["round"]})),
        (format!("{NEW}/oneOf/0/properties/unit"), json!({"type": "string"})),
        (format!("{NEW}/properties/color/enum"), json!(["green", "blue", "red"])),
        (format!("{NEW}/properties/color"), json!({"anyOf": [{"type": "string"}, {"type": "null"}]})),
        (format!("{NEW}/properties/name/maxLength"), json!(21)),
        (format!("{NEW}/required"), json!([])),
        (format!("{THING}/properties/age"), json!({"type": "integer"})),
        (format!("{THING}/required"), json!(["id", "note", "state"])),
        (format!("{THING}/properties/state/enum"), json!(["new"])),
        (format!("{THING}/properties/state"), json!({"const": "new", "description": "Always."})),
        (format!("{THING}/properties/note"), json!({"type": "string"})),
        (format!("{THING}/properties/counts/additionalProperties/minimum"), json!(0)),
    ] {
        assert_eq!(changed(&place, to), Vec::<String>::new(), "{place}");
    }
    assert_eq!(breaking_changes(&document(), &document()), Vec::<String>::new());
}

#[test]
fn changes_of_the_programs_own_document_are_told_apart() {
    let document = read(DOCUMENT);
    let schemas = "/components/schemas";
    for (place, to, broken) in [
        ("Order/properties/items", Value::Null, "the answer 200 of GET /orders: items[].items is gone"),
        (
            "Attempt/properties/reply",
            Value::Null,
            "the answer 200 of GET /orders/{id}: timeline[].reply is gone",
        ),
        (
            "NewSubscription/required",
            json!(["protocol", "endpoint", "receives"]),
            "receives must be sent now",
        ),
        ("WebhookUrl/maxLength", json!(9), "takes no longer all that it took"),
        (
            "Subscription/properties/state/enum",
            json!(["pending", "lost"]),
            "state may be what it could not be",
        ),
        ("FilterPolicyScope/type", json!(["string", "integer", "null"]), ""),
        (
            "Event/oneOf/1/properties/event/enum",
            json!(["accepted", "lost"]),
            "event may be what it could not be",
        ),
        ("Event/oneOf/1/properties/event/enum", json!(["accepted"]), ""),
        ("NewOrder/properties/coupon", json!({"type": "string"}), ""),
        ("NewOrder/properties/note/maxLength", json!(9), "note takes no longer all that it took"),
        ("AttributesFilterPolicy/maxProperties", json!(2), "takes no longer all that it took"),
        ("Order/properties/coupon", json!({"type": "string"}), ""),
    ] {
        let found = changed_in(&document, &format!("{schemas}/{place}"), to);
        let is_told = found.iter().any(|found| found.contains(broken));
        assert_eq!(
            (is_told, found.is_empty()),
            (!broken.is_empty(), broken.is_empty()),
            "{place}: {found:#?}"
        );
    }
}
