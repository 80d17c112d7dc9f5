//! The shapes in which AWS hands over a request, each of which places the recipe's order, and what is no request.
//!
//! Sources: AWS, API Gateway Developer Guide ("Lambda proxy integrations", "API mappings"), Lambda Developer Guide
//! ("Function URLs"), Elastic Load Balancing and VPC Lattice User Guides ("Lambda functions as targets"), and the pages of
//! the services that invoke functions.

use axum::body::Body;
use http::{Response, StatusCode};
use orderbell_web::OrderPathAlias;
use orderbell_web::gateway_event::{request, response};
use serde_json::{Value, json};

use crate::host::{Host, SEED_BODY};

mod shapes;

use shapes::{balancer, http, lattice_1, lattice_2, plain_rest, rest, shapes, with};

/// A host where orders are placed at these paths too.
fn host(order_path_aliases: &str) -> (Host, Vec<OrderPathAlias>) {
    let paths = OrderPathAlias::parse_list(order_path_aliases).unwrap();
    let further = paths.clone();
    (Host::with(move |_, settings| settings.order_path_aliases = further), paths)
}

async fn invoke(host: &Host, paths: &[OrderPathAlias], event: &Value) -> Result<Value, String> {
    let (request, shape) = request(event.to_string().as_bytes(), paths).map_err(|bad| bad.to_string())?;
    let answer = host.send(request).await;
    let mut plain = Response::new(Body::from(answer.text));
    *plain.status_mut() = answer.status;
    *plain.headers_mut() = answer.headers;
    Ok(response(plain, shape).await)
}

async fn orders(host: &Host) -> usize {
    host.manage("GET", "/orders?limit=100", "").await.json()["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn every_shape_of_a_request_places_the_order() {
    let (host, paths) = host("/,/orders/new,/shop/create-order");
    let shapes = shapes();
    assert!(shapes.len() >= 30);
    for (name, event) in &shapes {
        let answer = invoke(&host, &paths, event).await.unwrap_or_else(|bad| panic!("{name}: {bad}"));
        assert_eq!(answer["statusCode"], 200, "{name}: {answer}");
        assert!(answer["body"].as_str().unwrap().contains("Order placed successfully"), "{name}: {answer}");
    }
    assert_eq!(orders(&host).await, shapes.len());
}

/// Only what a setting names, or the gateway's own route says, is a place for orders.
#[tokio::test]
async fn what_no_route_says_and_no_setting_names_is_no_place_for_orders() {
    let (host, paths) = host("");
    for (name, event) in shapes() {
        let answer = invoke(&host, &paths, &event).await.unwrap();
        let named = ["another name", "root", "before $default", "below a path"];
        let needs_setting = named.iter().any(|part| name.contains(part)) && !name.contains("a stage before");
        let placed = answer["statusCode"] == 200;
        assert_eq!(placed, !needs_setting, "{name}: {answer}");
    }
}

/// Events of other services, with an order in them.
fn foreign_events() -> Vec<(Value, &'static str)> {
    let records = |source: &str| json!({ "Records": [{ "eventSource": source, "body": SEED_BODY }] });
    let socket = |more: &Value| json!({ "requestContext": with(json!({ "connectionId": "Jx3k=" }), more), "body": SEED_BODY });
    vec![
        (records("aws:sqs"), "batch of records"),
        (
            json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "Message": SEED_BODY } }] }),
            "batch of records",
        ),
        (records("aws:s3"), "batch of records"),
        (records("aws:dynamodb"), "batch of records"),
        (records("aws:kinesis"), "batch of records"),
        (
            json!({ "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}, "body": SEED_BODY }),
            "EventBridge",
        ),
        (json!({ "awslogs": { "data": "" }, "body": SEED_BODY }), "log lines"),
        (json!({ "triggerSource": "PreSignUp_SignUp", "body": SEED_BODY }), "user pool"),
        (
            with(plain_rest(), &json!({ "type": "REQUEST", "methodArn": "arn:aws:execute-api:…" })),
            "authorizer",
        ),
        (with(url(), &json!({ "type": "REQUEST", "routeArn": "arn:aws:execute-api:…" })), "authorizer"),
        (json!({ "messageId": "1", "eventSource": "aws:sqs", "body": SEED_BODY }), "another service"),
        (socket(&json!({ "eventType": "MESSAGE", "routeKey": "$default" })), "web socket"),
        (socket(&json!({ "eventType": "CONNECT", "routeKey": "$connect" })), "web socket"),
        (
            socket(&json!({ "eventType": "DISCONNECT", "routeKey": "$disconnect", "httpMethod": "POST" })),
            "web socket",
        ),
        (
            json!({ "alarmArn": "arn:aws:cloudwatch:…", "source": "aws.cloudwatch", "body": SEED_BODY }),
            "alarm",
        ),
        (json!({ "invocationSchemaVersion": "2.0", "tasks": [], "body": SEED_BODY }), "batch job"),
        (json!({ "Step": "createSecret", "SecretId": "arn:aws:…", "body": SEED_BODY }), "secret"),
        (json!({ "invokingEvent": "{}", "configRuleArn": "arn:aws:…", "body": SEED_BODY }), "rule"),
        (
            json!({ "version": "1.0", "requestContext": { "condition": "Success" }, "requestPayload": {},
                "body": SEED_BODY }),
            "asynchronous invocation",
        ),
    ]
}

/// Requests with a member that cannot be read.
fn broken_requests() -> Vec<(Value, &'static str)> {
    vec![
        (
            with(plain_rest(), &json!({ "body": { "customerName": "John Doe", "productName": "Mouse" } })),
            "body must be a string",
        ),
        (
            with(url(), &json!({ "body": { "customerName": "John Doe", "productName": "Mouse" } })),
            "body must be a string",
        ),
        (with(plain_rest(), &json!({ "body": 7 })), "body must be a string"),
        (with(balancer("/create-order"), &json!({ "body": [1] })), "body must be a string"),
        (with(lattice_2("/create-order"), &json!({ "body": true })), "body must be a string"),
        (
            with(plain_rest(), &json!({ "headers": { "x-a": null }, "multiValueHeaders": null })),
            "headers.x-a must be a string",
        ),
        (with(url(), &json!({ "headers": { "x-a": 7 } })), "headers.x-a must be a string"),
        (
            with(plain_rest(), &json!({ "multiValueHeaders": { "x-a": [null] } })),
            "multiValueHeaders.x-a must be a string",
        ),
        (with(url(), &json!({ "headers": [] })), "headers must be an object"),
        (with(url(), &json!({ "headers": { "x a": "1" } })), "HTTP cannot have"),
        (with(url(), &json!({ "headers": { "x-a": "1\n2" } })), "HTTP cannot have"),
        (with(url(), &json!({ "isBase64Encoded": true, "body": "%" })), "not base64"),
        (with(lattice_1("/create-order"), &json!({ "is_base64_encoded": true, "body": "%" })), "not base64"),
        (with(url(), &json!({ "isBase64Encoded": "true" })), "isBase64Encoded must be true or false"),
        (with(url(), &json!({ "rawPath": 7 })), "rawPath must be a string"),
        (with(plain_rest(), &json!({ "path": {} })), "path must be a string"),
        (json!({ "requestContext": 7, "body": SEED_BODY }), "requestContext must be an object"),
        (
            json!({ "requestContext": [], "httpMethod": "POST", "body": SEED_BODY }),
            "requestContext must be an object",
        ),
        (json!({ "requestContext": { "http": 7 } }), "http must be an object"),
        (json!({ "requestContext": {}, "body": SEED_BODY }), "names no HTTP method"),
        (json!({ "httpMethod": "G E T", "path": "/" }), "names no HTTP method"),
        (json!({ "requestContext": { "http": { "method": ["POST"] } } }), "method must be a string"),
        (
            with(lattice_2("/create-order"), &json!({ "headers": { "x-a": [["1"]] } })),
            "headers.x-a must be a string",
        ),
        (
            with(plain_rest(), &json!({ "queryStringParameters": "a=1" })),
            "queryStringParameters must be an object",
        ),
        (with(rest("/{proxy+}", "/", "/", &json!([])), &json!({})), "pathParameters must be an object"),
        (with(url(), &json!({ "routeKey": 7 })), "routeKey must be a string"),
    ]
}

fn url() -> Value {
    http("$default", "/create-order", "$default", &Value::Null)
}

#[tokio::test]
async fn what_is_no_request_gets_one_sentence_and_is_no_order() {
    let (host, paths) = host("/");
    for (event, says) in foreign_events().into_iter().chain(broken_requests()) {
        let said = invoke(&host, &paths, &event).await.unwrap_err();
        assert!(said.starts_with("The event is no request: ") && said.contains(says), "{event}: {said}");
        for serdes in ["invalid type", "expected", "missing field", "EOF", "trailing"] {
            assert!(!said.contains(serdes), "{event}: {said}");
        }
    }
    assert_eq!(orders(&host).await, 0);
}

#[tokio::test]
async fn a_lattice_is_answered_as_a_load_balancer_is() {
    let (host, paths) = host("");
    for event in [lattice_1("/create-order"), lattice_2("/create-order")] {
        let answer = invoke(&host, &paths, &event).await.unwrap();
        assert_eq!(
            (&answer["statusDescription"], &answer["isBase64Encoded"]),
            (&json!("200 OK"), &json!(false))
        );
        assert_eq!(answer["headers"]["content-type"], "application/json");
        let (request, _) = request(event.to_string().as_bytes(), &paths).unwrap();
        assert!(request.headers().contains_key("x-twice"));
    }
}

#[tokio::test]
async fn further_paths_take_orders_from_pages_of_allowed_origins_and_leave_what_is_read_there() {
    let further = OrderPathAlias::parse_list("/,/orders,/orders/new,/shop/create-order").unwrap();
    let host = Host::with(move |_, settings| {
        settings.order_path_aliases = further;
        settings.cors_allow_origins = vec!["https://shop.example".to_owned()];
    });
    for path in ["/", "/orders", "/orders/new", "/shop/create-order", "/create-order"] {
        let request = http::Request::post(path).header("origin", "https://shop.example");
        let answer = host.send(request.body(Body::from(SEED_BODY)).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.example"), "{path}");
    }
    assert_eq!(orders(&host).await, 5);
    let form = http::Request::get("/").body(Body::empty()).unwrap();
    assert_eq!(host.send(form).await.status, StatusCode::OK);
    let elsewhere = http::Request::post("/shop").body(Body::from(SEED_BODY)).unwrap();
    assert_eq!(host.send(elsewhere).await.status, StatusCode::NOT_FOUND);
}
