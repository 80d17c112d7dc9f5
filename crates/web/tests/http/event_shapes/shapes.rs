//! One event of each shape in which AWS hands over the recipe's order.

use serde_json::{Value, json};

use crate::host::SEED_BODY;

/// A shape's name and its event.
type PayloadFormat = (&'static str, Value);

pub(super) fn shapes() -> Vec<PayloadFormat> {
    [rest_shapes(), http_1_shapes(), http_2_shapes(), balancer_shapes(), lattice_shapes(), console_shapes()]
        .concat()
}

/// What a shape has besides what all of its kind have.
pub(super) fn with(mut event: Value, more: &Value) -> Value {
    if let (Value::Object(event), Value::Object(more)) = (&mut event, more) {
        event.extend(more.clone());
    }
    event
}

/// A REST API's event.
pub(super) fn rest(resource: &str, path: &str, full_path: &str, parameters: &Value) -> Value {
    json!({
        "resource": resource, "path": path, "httpMethod": "POST", "headers": { "Content-Type": "application/json" },
        "multiValueHeaders": { "Content-Type": ["application/json"] }, "queryStringParameters": null,
        "multiValueQueryStringParameters": null, "pathParameters": parameters, "stageVariables": null,
        "requestContext": { "resourcePath": resource, "httpMethod": "POST", "path": full_path, "stage": "prod",
            "identity": { "sourceIp": "203.0.113.7" }, "authorizer": null },
        "body": SEED_BODY, "isBase64Encoded": false,
    })
}

/// An HTTP API's, payload 2.0.
pub(super) fn http(route: &str, path: &str, stage: &str, parameters: &Value) -> Value {
    json!({
        "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": "", "headers": { "accept": "*/*" },
        "pathParameters": parameters, "requestContext": { "http": { "method": "POST", "path": path },
            "stage": stage, "routeKey": route, "requestId": "Jx3kQgFDliAEMJg=" },
        "body": SEED_BODY, "isBase64Encoded": false,
    })
}

pub(super) fn balancer(path: &str) -> Value {
    json!({
        "requestContext": { "elb": { "targetGroupArn": "arn:aws:elasticloadbalancing:…" } }, "httpMethod": "POST",
        "path": path, "queryStringParameters": {}, "headers": { "content-type": "application/json" },
        "body": SEED_BODY, "isBase64Encoded": false,
    })
}

pub(super) fn lattice_1(path: &str) -> Value {
    json!({
        "raw_path": path, "method": "POST", "headers": { "accept": "*/*", "x-twice": "1, 2" },
        "query_string_parameters": {}, "body": SEED_BODY, "is_base64_encoded": false,
    })
}

pub(super) fn lattice_2(path: &str) -> Value {
    json!({
        "version": "2.0", "path": path, "method": "POST", "headers": { "accept": ["*/*"], "x-twice": ["1", "2"] },
        "queryStringParameters": {}, "body": SEED_BODY, "isBase64Encoded": false,
        "requestContext": { "serviceNetworkArn": "arn:aws:vpc-lattice:…", "identity": { "type": "NONE" },
            "region": "eu-central-1", "timeEpoch": "1724875299234567" },
    })
}

/// A REST API's event with the plainest of resources.
pub(super) fn plain_rest() -> Value {
    rest("/create-order", "/create-order", "/prod/create-order", &Value::Null)
}

fn proxy() -> Value {
    json!({ "proxy": "create-order" })
}

fn base64() -> Value {
    json!({ "isBase64Encoded": true,
        "body": "eyJjdXN0b21lck5hbWUiOiAiSm9obiBEb2UiLCAicHJvZHVjdE5hbWUiOiAiV2lyZWxlc3MgTW91c2UifQ==" })
}

fn rest_shapes() -> Vec<PayloadFormat> {
    vec![
        ("REST: a resource", plain_rest()),
        (
            "REST: its test console",
            with(plain_rest(), &json!({ "headers": null, "multiValueHeaders": null })),
        ),
        (
            "REST: maps that are absent",
            json!({ "httpMethod": "POST", "path": "/create-order", "body": SEED_BODY }),
        ),
        ("REST: base64", with(plain_rest(), &base64())),
        (
            "REST: behind a base path",
            rest("/create-order", "/shop/create-order", "/shop/create-order", &Value::Null),
        ),
        (
            "REST: base path and stage",
            rest("/create-order", "/shop/prod/create-order", "/shop/prod/create-order", &Value::Null),
        ),
        ("REST: a proxy resource", rest("/{proxy+}", "/create-order", "/prod/create-order", &proxy())),
        (
            "REST: a proxy resource behind a base path",
            rest("/{proxy+}", "/shop/create-order", "/shop/create-order", &proxy()),
        ),
        (
            "REST: a proxy below a resource",
            rest("/shop/{proxy+}", "/shop/create-order", "/prod/shop/create-order", &proxy()),
        ),
        (
            "REST: a proxy resource behind a base path of several parts",
            rest("/{proxy+}", "/eu/shop/v2/create-order", "/eu/shop/v2/create-order", &proxy()),
        ),
        (
            "REST: a proxy that ends with a slash",
            rest(
                "/{proxy+}",
                "/shop/create-order/",
                "/shop/create-order/",
                &json!({ "proxy": "create-order/" }),
            ),
        ),
        (
            "REST: a parameter before the name",
            rest(
                "/{tenant}/create-order",
                "/acme/create-order",
                "/prod/acme/create-order",
                &json!({ "tenant": "acme" }),
            ),
        ),
        (
            "REST: a greedy parameter called rest",
            rest(
                "/api/{rest+}",
                "/v1/api/create-order",
                "/v1/api/create-order",
                &json!({ "rest": "create-order" }),
            ),
        ),
        (
            "REST: a slash behind",
            rest("/create-order", "/create-order/", "/prod/create-order/", &Value::Null),
        ),
        (
            "REST: the root resource behind a base path",
            rest("/", "/create-order", "/create-order", &Value::Null),
        ),
        ("REST: another name", rest("/orders/new", "/orders/new", "/prod/orders/new", &Value::Null)),
        (
            "REST: another name behind a base path",
            rest("/orders/new", "/shop/orders/new", "/shop/orders/new", &Value::Null),
        ),
        (
            "REST: a stage called as a resource",
            with(
                plain_rest(),
                &json!({ "requestContext": { "stage": "create-order", "path": "/create-order/create-order" } }),
            ),
        ),
    ]
}

fn http_1_shapes() -> Vec<PayloadFormat> {
    vec![
        ("HTTP 1.0: a route", with(plain_rest(), &json!({ "version": "1.0" }))),
        (
            "HTTP 1.0: a stage",
            with(
                rest("/create-order", "/prod/create-order", "/prod/create-order", &Value::Null),
                &json!({ "version": "1.0" }),
            ),
        ),
        (
            "HTTP 1.0: a mapping",
            with(
                rest("/create-order", "/shop/create-order", "/shop/create-order", &Value::Null),
                &json!({ "version": "1.0" }),
            ),
        ),
        (
            "HTTP 1.0: a mapping before $default",
            with(
                rest("$default", "/shop/create-order", "/shop/create-order", &Value::Null),
                &json!({ "version": "1.0" }),
            ),
        ),
        (
            "HTTP 1.0: a method before the route",
            with(plain_rest(), &json!({ "version": "1.0", "routeKey": "POST /create-order" })),
        ),
    ]
}

fn http_2_shapes() -> Vec<PayloadFormat> {
    vec![
        ("HTTP 2.0: $default", http("$default", "/create-order", "$default", &Value::Null)),
        ("HTTP 2.0: a route", http("POST /create-order", "/create-order", "$default", &Value::Null)),
        ("HTTP 2.0: a stage", http("POST /create-order", "/prod/create-order", "prod", &Value::Null)),
        ("HTTP 2.0: a stage before $default", http("$default", "/prod/create-order", "prod", &Value::Null)),
        (
            "HTTP 2.0: a route behind a mapping",
            http("POST /create-order", "/shop/create-order", "$default", &Value::Null),
        ),
        ("HTTP 2.0: a proxy", http("ANY /{proxy+}", "/create-order", "$default", &proxy())),
        (
            "HTTP 2.0: a proxy below a route",
            http("ANY /shop/{proxy+}", "/shop/create-order", "$default", &proxy()),
        ),
        ("HTTP 2.0: an escaped path", http("ANY /{proxy+}", "/shop/create%2Dorder", "$default", &proxy())),
        (
            "HTTP 2.0: a parameter before the name",
            http(
                "POST /v1/{tenant}/create-order",
                "/v1/acme/create-order",
                "$default",
                &json!({ "tenant": "acme" }),
            ),
        ),
        ("HTTP 2.0: another name", http("POST /orders/new", "/orders/new", "$default", &Value::Null)),
        (
            "HTTP 2.0: cookies and base64",
            with(
                with(http("$default", "/create-order", "$default", &Value::Null), &base64()),
                &json!({ "cookies": ["a=1", "b=2"] }),
            ),
        ),
        (
            "HTTP 2.0: no headers",
            with(
                http("$default", "/create-order", "$default", &Value::Null),
                &json!({ "headers": null, "cookies": null }),
            ),
        ),
        ("function URL", http("$default", "/create-order", "$default", &Value::Null)),
        ("function URL: its root", http("$default", "/", "$default", &Value::Null)),
        ("function URL: a slash behind", http("$default", "/create-order/", "$default", &Value::Null)),
        ("function URL: two slashes", http("$default", "//create-order", "$default", &Value::Null)),
    ]
}

fn balancer_shapes() -> Vec<PayloadFormat> {
    vec![
        ("ALB", balancer("/create-order")),
        ("ALB: no headers", with(balancer("/create-order"), &json!({ "headers": null }))),
        (
            "ALB: multi-value headers",
            with(
                with(balancer("/create-order"), &json!({ "headers": null })),
                &json!({ "multiValueHeaders": { "accept": ["*/*", "text/html"] }, "multiValueQueryStringParameters": { "a": ["1", "2"] } }),
            ),
        ),
        ("ALB: base64", with(balancer("/create-order"), &base64())),
        ("ALB: a slash behind", balancer("/create-order/")),
        ("ALB: below a path", balancer("/shop/create-order")),
    ]
}

fn lattice_shapes() -> Vec<PayloadFormat> {
    vec![
        ("Lattice 1", lattice_1("/create-order")),
        ("Lattice 1: a query in the path", lattice_1("/create-order?a=1&b=2")),
        (
            "Lattice 1: base64",
            with(lattice_1("/create-order"), &with(base64(), &json!({ "is_base64_encoded": true }))),
        ),
        ("Lattice 1: a slash behind and a query", lattice_1("/create-order/?a=1")),
        ("Lattice 2", lattice_2("/create-order")),
        (
            "Lattice 2: no headers",
            with(lattice_2("/create-order"), &json!({ "headers": null, "queryStringParameters": null })),
        ),
        ("Lattice 2: base64", with(lattice_2("/create-order"), &base64())),
    ]
}

fn console_shapes() -> Vec<PayloadFormat> {
    vec![
        ("Lambda's console", json!({ "body": SEED_BODY })),
        (
            "Lambda's console: an object",
            json!({ "body": { "customerName": "John Doe", "productName": "Wireless Mouse" } }),
        ),
    ]
}
