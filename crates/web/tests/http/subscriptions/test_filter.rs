//! Asking a filter policy about an order.

use http::StatusCode;
use serde_json::json;

use crate::host::Host;

const PATH: &str = "/subscriptions/test-filter";

#[tokio::test]
async fn a_policy_says_whether_it_wants_an_order_and_why_not() {
    let host = Host::start();
    let ask = async |policy: &str, rest: &str| {
        let order = r#"{"customerName":"Jo","productName":"Mouse","currency":"EUR","total":"19.90"}"#;
        let body = format!(r#"{{"filterPolicy":{policy},"order":{order}{rest}}}"#);
        let answer = host.manage("POST", PATH, &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()
    };
    let wanted = ask(r#"{"currency":["EUR"],"total":[{"numeric":[">=",19.9]}]}"#, "").await;
    assert_eq!(wanted, json!({"matches": true}));
    let unwanted = ask(r#"{"currency":["EUR"],"total":[{"numeric":[">",20]}]}"#, "").await;
    let reason = "wanted a number > 20; found 19.90";
    let because = json!({"key": "total", "found": ["19.90"], "reason": reason});
    assert_eq!(unwanted, json!({"matches": false, "because": because}));
    let body = r#","filterPolicyScope":"MessageBody""#;
    assert_eq!(ask(r#"{"data":{"currency":["EUR"]}}"#, body).await, json!({"matches": true}));
    assert_eq!(ask(r#"{"currency":["EUR"]}"#, body).await["because"]["key"], "currency");
}

#[tokio::test]
async fn a_policy_can_be_asked_about_an_order_that_was_placed() {
    let host = Host::start();
    let id = host.place_seed().await;
    let ask =
        |product: &str| format!(r#"{{"filterPolicy":{{"productName":["{product}"]}},"orderId":"{id}"}}"#);
    assert_eq!(host.manage("POST", PATH, &ask("Wireless Mouse")).await.json()["matches"], true);
    assert_eq!(
        host.manage("POST", PATH, &ask("Pad")).await.json()["because"]["found"],
        json!(["Wireless Mouse"])
    );
    let unknown = r#"{"filterPolicy":{"a":["b"]},"orderId":"00000000-0000-7000-8000-000000000000"}"#;
    host.manage("POST", PATH, unknown).await.assert_problem(StatusCode::NOT_FOUND, "order_not_found");
}

#[tokio::test]
async fn asking_stores_nothing_and_owes_nobody_anything() {
    let host = Host::start();
    host.subscribe_confirmed("jo@example.com").await;
    let before = host.manage("GET", "/deliveries", "").await.json();
    let body = r#"{"filterPolicy":{"customerName":["Jo"]},"order":{"customerName":"Jo","productName":"x"}}"#;
    assert_eq!(host.manage("POST", PATH, body).await.json()["matches"], true);
    assert_eq!(host.manage("GET", "/orders", "").await.json()["items"], json!([]));
    assert_eq!(host.manage("GET", "/deliveries", "").await.json(), before);
}

#[tokio::test]
async fn the_test_filter_route_needs_no_delivery_of_our_own() {
    let host = Host::with(|app, _| app.local_delivery = None);
    let body = r#"{"filterPolicy":{"customerName":["Jo"]},"order":{"customerName":"Jo","productName":"x"}}"#;
    assert_eq!(host.manage("POST", PATH, body).await.json(), json!({"matches": true}));
}

#[tokio::test]
async fn what_of_an_order_cannot_be_read_is_named_beside_the_answer() {
    let host = Host::start();
    let body = r#"{"filterPolicy":{"total":[{"exists":true}]},"order":{"customerName":"Jo","productName":"x","total":"-"}}"#;
    let tested = host.manage("POST", PATH, body).await.json();
    assert_eq!(
        (&tested["matches"], &tested["warnings"][0]["field"]),
        (&false.into(), &"total".into()),
        "{tested}"
    );
}

#[tokio::test]
async fn what_cannot_be_asked_is_answered_with_the_member_at_fault() {
    let host = Host::start();
    let order = r#""order":{"customerName":"Jo","productName":"x"}"#;
    for (body, code, field) in [
        (
            format!(r#"{{"filterPolicy":{{"total":[{{"numeric":[">","5"]}}]}},{order}}}"#),
            "invalid_filter_policy",
            "filterPolicy.total.numeric",
        ),
        (
            format!(r#"{{"filterPolicy":{{"a":[{{"wildcard":"x*"}}]}},{order}}}"#),
            "unsupported_operator",
            "filterPolicy.a.wildcard",
        ),
        (
            format!(r#"{{"filterPolicy":{{"data":{{"a":["x"]}}}},{order}}}"#),
            "invalid_filter_policy",
            "filterPolicy.data",
        ),
        (format!(r#"{{"filterPolicy":null,{order}}}"#), "missing_field", "filterPolicy"),
        (
            format!(r#"{{"filterPolicy":{{"a":["x"]}},"filterPolicyScope":"Body",{order}}}"#),
            "invalid_filter_policy_scope",
            "filterPolicyScope",
        ),
        (r#"{"filterPolicy":{"a":["x"]}}"#.to_owned(), "missing_field", "order"),
        (r#"{"filterPolicy":{"a":["x"]},"order":null,"orderId":null}"#.to_owned(), "missing_field", "order"),
        (
            format!(r#"{{"filterPolicy":{{"a":["x"]}},{order},"orderId":"x"}}"#),
            "conflicting_fields",
            "orderId",
        ),
        (r#"{"filterPolicy":{"a":["x"]},"orderId":"x"}"#.to_owned(), "invalid_id", "orderId"),
        (r#"{"filterPolicy":{"a":["x"]},"order":[]}"#.to_owned(), "missing_field", "order.customerName"),
    ] {
        let problem = host.manage("POST", PATH, &body).await;
        assert_eq!(problem.assert_problem(StatusCode::BAD_REQUEST, code)["field"], field, "{body}");
    }
    host.post(PATH, "application/json", "{}").await.assert_problem(StatusCode::UNAUTHORIZED, "key_required");
}
