//! The program as Lambda sees it, without a table or a topic.

use serde_json::json;

use crate::function::{Function, Kind};

mod function;

const HTTP: [(&str, &str); 4] = [
    ("_HANDLER", "http"),
    ("ORDERBELL_TABLE", "Orders"),
    ("ORDERBELL_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:orders"),
    ("ORDERBELL_INTAKE", "open"),
];

#[test]
fn lambda_is_told_which_variables_are_wrong() {
    let function = Function::start(&[("_HANDLER", "index.handler"), ("ORDERBELL_TABLE", "?")]);
    let (kind, said) = function.answer();
    assert_eq!((kind, &said["errorType"]), (Kind::InitError, &json!("Orderbell.Configuration")));
    let said = said["errorMessage"].as_str().unwrap();
    for variable in ["_HANDLER", "ORDERBELL_TABLE", "ORDERBELL_TOPIC_ARN"] {
        assert!(said.contains(&format!("{variable}: ")), "{variable} is not in {said:?}");
    }
}

#[test]
fn lambda_is_told_when_its_own_variables_are_missing() {
    let function = Function::start(&[HTTP.as_slice(), &[("AWS_REGION", "")]].concat());
    let (kind, said) = function.answer();
    assert_eq!(kind, Kind::InitError);
    assert!(said["errorMessage"].as_str().unwrap().contains("AWS_REGION"), "{said}");
}

#[test]
fn an_order_that_breaks_a_rule_is_answered_and_named_by_the_invocation() {
    let function = Function::start(&HTTP);
    let (kind, answer) = function.invoke(json!({ "body": "{\"customerName\":\"John Doe\"}" }));
    assert_eq!((kind, &answer["statusCode"]), (Kind::Response, &json!(400)));
    assert_eq!(answer["headers"]["x-request-id"], "8f5e1b52-lambda");
    // Whatever comes, the next one is served.
    let (kind, answer) = function.invoke(json!({ "requestContext": { "http": 7 } }));
    assert_eq!((kind, &answer["statusCode"]), (Kind::Response, &json!(400)));
    let (_, answer) = function.invoke(json!({ "httpMethod": "GET", "path": "/healthz" }));
    assert_eq!(answer["statusCode"], 200);
    let refused = function.line(|line| line["message"] == "event refused");
    assert_eq!(refused["requestId"], "8f5e1b52-lambda");
    assert_eq!(refused["xrayTraceId"], "Root=1-5bef4de7;Sampled=0");
}

#[test]
fn what_needs_a_service_that_does_not_answer_is_an_error_in_answer_and_metrics() {
    // Nothing listens on port 1.
    let function =
        Function::start(&[HTTP.as_slice(), &[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]].concat());
    let order = r#"{"customerName":"John Doe","productName":"Wireless Mouse"}"#;
    let (kind, answer) = function.invoke(json!({ "body": order }));
    assert_eq!((kind, &answer["statusCode"]), (Kind::Response, &json!(503)));
    assert!(!answer["body"].as_str().unwrap().contains("127.0.0.1"), "{answer}");
    let measured = function.line(|line| line["Errors"] == 1);
    assert_eq!(measured["_aws"]["CloudWatchMetrics"][0]["Namespace"], "Orderbell");
    assert_eq!(measured["FunctionName"], "orderbell-test");
}
