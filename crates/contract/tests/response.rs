//! That an answer is refused which the document does not promise.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use orderbell_contract::{Contract, Response, check};
use serde_json::json;

/// A document with each form in which an object can be described.
fn contract() -> Contract {
    let document = json!({
        "openapi": "3.1.0",
        "paths": {
            "/things": {"get": {"responses": {"200": {"content": {"application/json": {
                "schema": {"type": "object", "required": ["items"], "properties": {
                    "items": {"type": "array", "items": {"$ref": "#/components/schemas/Listed"}}
                }}
            }}}}}},
            "/things/{id}": {
                "get": {"responses": {
                    "200": {"content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}},
                        "text/html": {"schema": {"type": "string"}}
                    }},
                    "404": {"$ref": "#/components/responses/NotFound"}
                }},
                "delete": {"responses": {"204": {"description": "It is gone."}}}
            },
            "/things/all": {"delete": {"responses": {"204": {"description": "They are gone."}}}}
        },
        "components": {
            "responses": {"NotFound": {"content": {"application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"}
            }}}},
            "schemas": {
                "Problem": {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}},
                "Thing": {"type": "object", "required": ["id"], "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "size": {"oneOf": [
                        {"type": "object", "required": ["cm"], "properties": {"cm": {"type": "integer"}}},
                        {"type": "object", "required": ["inch"], "properties": {"inch": {"type": "number"}}}
                    ]},
                    "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
                    "said": {"type": "object"}
                }},
                "Listed": {"allOf": [
                    {"$ref": "#/components/schemas/Thing"},
                    {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Listed"}}}
                ]}
            }
        }
    });
    Contract::read(&document.to_string()).unwrap()
}

const ID: &str = "01a22bef-8158-7f9b-b107-a48ca82a6d63";
const JSON: Option<&str> = Some("application/json");

fn get<'a>(path: &'a str, body: &'a str) -> Response<'a> {
    Response { method: "GET", path, status: 200, content_type: JSON, body }
}

#[track_caller]
fn assert_refused(response: Response<'_>, why: &str) {
    let refused = contract().check(&response).expect_err("it is promised");
    assert!(format!("{refused:#}").contains(why), "{refused:#}");
}

#[test]
fn what_is_promised_is_let_through() {
    let of_thing = [
        json!({"id": ID}),
        json!({"id": ID, "size": {"cm": 3}, "counts": {"any": 1, "name": 2}, "said": {"what": ["ever"]}}),
        json!({"id": ID, "size": {"inch": 1.5}}),
    ];
    for body in of_thing {
        contract().check(&get("/things/1", &body.to_string())).unwrap();
    }
    let body = json!({"items": [{"id": ID}, {"id": ID, "next": {"id": ID, "next": {"id": ID}}}]}).to_string();
    contract().check(&get("/things", &body)).unwrap();
    let page = Some("text/html; charset=utf-8");
    contract().check(&Response { content_type: page, ..get("/things/1", "<p>A thing</p>") }).unwrap();
    contract().check(&Response { method: "HEAD", ..get("/things/1", "") }).unwrap();
    let gone = Response { method: "DELETE", status: 204, content_type: None, ..get("/things/1", "") };
    contract().check(&gone).unwrap();
}

#[test]
fn a_member_that_the_document_does_not_name_is_refused_wherever_it_stands() {
    let extra = "'extra' was unexpected";
    for body in [
        json!({"id": ID, "extra": 1}),
        json!({"id": ID, "size": {"cm": 3, "extra": 1}}),
        json!({"id": ID, "size": {"inch": 3, "extra": 1}}),
    ] {
        let refused = contract().check(&get("/things/1", &body.to_string())).expect_err("it is promised");
        let why = format!("{refused:#}");
        assert!(why.contains(extra) || why.contains("oneOf"), "{why}");
    }
    for items in [
        json!([{"id": ID, "extra": 1}]),
        json!([{"id": ID}, {"id": ID, "next": {"id": ID, "extra": 1}}]),
        json!([{"id": ID, "next": {"id": ID, "next": {"id": ID, "extra": 1}}}]),
    ] {
        assert_refused(get("/things", &json!({"items": items}).to_string()), extra);
    }
    assert_refused(get("/things", r#"{"items": [], "extra": 1}"#), extra);
}

#[test]
fn a_member_that_is_missing_or_another_is_refused() {
    assert_refused(get("/things/1", "{}"), "\"id\" is a required property");
    assert_refused(get("/things/1", r#"{"id": "7"}"#), "\"uuid\"");
    assert_refused(get("/things/1", r#"{"id": null}"#), "not of type");
    assert_refused(get("/things", r#"{"items": {}}"#), "not of type");
    let counts = json!({"id": ID, "counts": {"any": "1"}}).to_string();
    assert_refused(get("/things/1", &counts), "/counts/any");
    assert_refused(get("/things/1", "{"), "no JSON");
}

#[test]
fn a_status_a_content_type_and_a_method_that_nothing_describes_are_refused() {
    let body = json!({ "id": ID }).to_string();
    assert_refused(Response { status: 201, ..get("/things/1", &body) }, "no such status");
    assert_refused(Response { status: 500, ..get("/things/1", &body) }, "no such status");
    assert_refused(
        Response { content_type: Some("text/plain"), ..get("/things/1", &body) },
        "no such content type",
    );
    assert_refused(Response { content_type: None, ..get("/things/1", &body) }, "has a content type");
    assert_refused(Response { method: "PUT", ..get("/things/1", &body) }, "no such method");
    assert_refused(Response { method: "GET", ..get("/things/all", &body) }, "no such method");
    assert_refused(Response { method: "DELETE", status: 204, ..get("/things/1", &body) }, "has no body");
}

#[test]
fn a_failure_has_its_form_also_where_nothing_is_described() {
    let problem = |method, path, body| Response {
        method,
        status: 404,
        content_type: Some("application/problem+json"),
        ..get(path, body)
    };
    for (method, path) in [("GET", "/things/1"), ("PUT", "/things"), ("GET", "/nowhere")] {
        contract().check(&problem(method, path, r#"{"code": "no_such_route"}"#)).unwrap();
        assert_refused(problem(method, path, "{}"), "\"code\" is a required property");
        assert_refused(problem(method, path, r#"{"code": "a", "cause": "b"}"#), "'cause' was unexpected");
    }
    contract().check(&Response { content_type: Some("text/html"), ..get("/a-page", "<p>Yes</p>") }).unwrap();
}

#[test]
fn the_programs_own_document_is_one_that_answers_can_be_held_against() {
    let placed = json!({"message": "Order placed successfully", "orderId": ID}).to_string();
    let placed = Response { method: "POST", ..get("/create-order", &placed) };
    check(&placed).unwrap();
    check(&Response { status: 201, ..placed }).unwrap_err();
    let more = json!({"message": "Order placed successfully", "orderId": ID, "seq": 7}).to_string();
    check(&Response { body: &more, ..placed }).unwrap_err();
}
