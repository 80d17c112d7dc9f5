//! Orders that are spam.

use http::StatusCode;
use serde_json::{Value, json};

use super::{events, show};
use crate::host::Host;

async fn place(host: &Host, customer: &str) -> String {
    let body = json!({ "customerName": customer, "productName": "Mouse" }).to_string();
    host.place(&body).await.json()["orderId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_order_is_marked_shown_so_and_unmarked() {
    let host = Host::start();
    host.subscribe_confirmed("jo@example.com").await;
    let (spam, real) = (place(&host, "Mallory").await, place(&host, "Ada").await);
    host.publish().await;
    let path = format!("/orders/{spam}/spam");
    let marked = host.manage("PUT", &path, "").await;
    assert_eq!(marked.status, StatusCode::OK, "{}", marked.text);
    let marked = marked.json();
    assert_eq!(marked["spamSince"], "2026-01-31T12:00:00Z");
    assert_eq!(marked["summary"], "Marked as spam: nothing more is sent of this order");
    assert_eq!(events(&marked), ["accepted", "matched", "cancelled", "marked_spam"]);
    assert_eq!(marked["deliveries"][0]["cancelReason"], "spam");
    assert_eq!(host.due().await.deliveries.len(), 1);

    let listed = host.manage("GET", "/orders", "").await.json();
    let since = |id: &str| {
        let items = listed["items"].as_array().unwrap();
        items.iter().find(|order| order["orderId"] == id).unwrap().get("spamSince").cloned()
    };
    assert_eq!((since(&real), since(&spam)), (None, Some(json!("2026-01-31T12:00:00Z"))));

    let unmarked = host.manage("DELETE", &path, "").await.json();
    assert_eq!(unmarked.get("spamSince"), None);
    assert_eq!(events(&unmarked), ["accepted", "matched", "cancelled", "marked_spam", "unmarked_spam"]);
    assert_eq!(show(&host, &spam).await["deliveries"][0]["state"], "cancelled", "nothing is sent by itself");
}

#[tokio::test]
async fn orders_are_marked_by_a_filter_that_says_something() {
    let host = Host::start();
    for customer in ["Mallory", "Mallory", "Ada"] {
        place(&host, customer).await;
    }
    let mark = async |body: &str| host.manage("POST", "/orders/spam", body).await;
    assert_eq!(mark(r#"{"customerName":"Mallory"}"#).await.json(), json!({ "marked": 2 }));
    assert_eq!(mark(r#"{"customerName":"Mallory"}"#).await.json(), json!({ "marked": 0 }));
    assert_eq!(mark(r#"{"before":"2026-01-31T12:00:00Z"}"#).await.json(), json!({ "marked": 0 }));
    for (body, code, field) in [
        ("{}", "missing_filter", None),
        ("", "malformed_json", None),
        (r#"{"customer":"Mallory"}"#, "unknown_member", Some("customer")),
        (r#"{"customerName":null}"#, "wrong_type", Some("customerName")),
        (r#"{"customerEmail":7}"#, "wrong_type", Some("customerEmail")),
        (r#"{"customerEmail":"mallory"}"#, "invalid_email", Some("customerEmail")),
        (r#"{"customerPhone":"0151"}"#, "invalid_phone", Some("customerPhone")),
        (r#"{"from":"yesterday"}"#, "invalid_time", Some("from")),
        (r#"{"from":"2026-01-31T00:00:00Z","before":"soon"}"#, "invalid_time", Some("before")),
    ] {
        let problem = mark(body).await.assert_problem(StatusCode::BAD_REQUEST, code);
        assert_eq!(problem.get("field").and_then(Value::as_str), field, "{body}");
    }
    assert_eq!(mark(r#"{"from":"2026-01-31T12:00:00Z"}"#).await.json(), json!({ "marked": 1 }));
}

#[tokio::test]
async fn orders_fit_what_is_typed_as_they_were_placed() {
    let host = Host::start();
    let order = json!({"customerName": "Mallory", "productName": "Bell", "customerEmail": "M@Example.ORG",
                       "customerPhone": "+49 151 1234-5678"});
    for filter in [
        json!({"customerEmail": "M@Example.ORG"}),
        json!({"customerEmail": " M@EXAMPLE.org"}),
        json!({"customerPhone": "+49 151 1234-5678"}),
        json!({"customerPhone": "+49 (151) 12345678"}),
        json!({"customerName": " Mallory "}),
    ] {
        let placed = host.post("/create-order", "application/json", &order.to_string()).await;
        assert_eq!(placed.status, StatusCode::OK, "{}", placed.text);
        let marked = host.manage("POST", "/orders/spam", &filter.to_string()).await.json();
        assert_eq!(marked, json!({"marked": 1}), "{filter}");
    }
}

#[tokio::test]
async fn what_is_not_there_or_not_on_this_host_cannot_be_marked() {
    let host = Host::start();
    let unknown = "/orders/018d5f5e-0000-7000-8000-000000000000/spam";
    for method in ["PUT", "DELETE"] {
        let answer = host.manage(method, unknown, "").await;
        answer.assert_problem(StatusCode::NOT_FOUND, "order_not_found");
        let answer = host.manage(method, "/orders/7/spam", "").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    }
    let nobody = http::Request::put(unknown).body(axum::body::Body::empty()).unwrap();
    assert_eq!(host.send(nobody).await.status, StatusCode::UNAUTHORIZED);
    let aws = Host::with(|app, _| app.local_delivery = None);
    let id = place(&aws, "Mallory").await;
    for (method, path, body) in [
        ("PUT", format!("/orders/{id}/spam"), ""),
        ("DELETE", format!("/orders/{id}/spam"), ""),
        ("POST", "/orders/spam".to_owned(), r#"{"customerName":"Mallory"}"#),
    ] {
        let answer = aws.manage(method, &path, body).await;
        answer.assert_problem(StatusCode::NOT_IMPLEMENTED, "not_on_this_host");
    }
    assert_eq!(aws.manage("GET", "/orders", "").await.json()["items"][0].get("spamSince"), None);
}
