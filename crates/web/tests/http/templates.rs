//! `/templates`: set, listed, tried out and taken away.

use domain::endpoint::Protocol;
use domain::subscription::SubscriptionId;
use http::StatusCode;
use serde_json::{Value, json};

use crate::host::Host;

async fn set(host: &Host, name: &str, body: &Value) -> Value {
    let answer = host.manage("PUT", &format!("/templates/{name}"), &body.to_string()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

/// Places an order and answers its id.
async fn placed(host: &Host, body: &str) -> Value {
    host.place(body).await.json()["orderId"].take()
}

#[tokio::test]
async fn a_template_is_set_shown_listed_and_taken_away() {
    let host = Host::start();
    let body = json!({"subject": "{{productName}}!", "html": "<p>{{note}}&nbsp;</p>"});
    let expected = json!({
        "name": "email", "protocol": "email", "setAt": "2026-01-31T12:00:00Z",
        "subject": "{{productName}}!", "html": "<p>{{note}}&nbsp;</p>",
    });
    assert_eq!(set(&host, "email", &body).await, expected);
    set(&host, "sms", &json!({"text": "{{shortReference}}"})).await;
    assert_eq!(host.manage("GET", "/templates/email", "").await.json(), expected);
    let listed = host.manage("GET", "/templates", "").await.json();
    let [email, sms] = listed["items"].as_array().unwrap().as_slice() else { panic!("{listed}") };
    assert_eq!((&email["name"], &email["parts"]), (&json!("email"), &json!(["subject", "html"])));
    assert_eq!((&sms["name"], &sms["parts"], &sms["text"]), (&json!("sms"), &json!(["text"]), &Value::Null));
    for _ in 0..2 {
        let gone = host.manage("DELETE", "/templates/email", "").await;
        assert_eq!((gone.status, gone.text), (StatusCode::NO_CONTENT, String::new()));
    }
    host.manage("GET", "/templates/email", "")
        .await
        .assert_problem(StatusCode::NOT_FOUND, "template_not_found");
}

#[tokio::test]
async fn messages_are_made_with_what_is_set_a_subscriptions_own_first() {
    let host = Host::start();
    let id: SubscriptionId = host.subscribe("jo@example.com").await.parse().unwrap();
    let of = |id| host.templates.of(id, Protocol::Email).map(|found| found.source().text.clone().unwrap());
    assert_eq!(of(id), None);
    set(&host, "email", &json!({"text": "all"})).await;
    assert_eq!(of(id).as_deref(), Some("all"));
    set(&host, &id.to_string(), &json!({"text": "own"})).await;
    assert_eq!(of(id).as_deref(), Some("own"));
    let other = SubscriptionId("0198c5f2-7a00-7000-8000-000000000001".parse().unwrap());
    assert_eq!(of(other).as_deref(), Some("all"));
    host.manage("DELETE", &format!("/templates/{id}"), "").await;
    assert_eq!(of(id).as_deref(), Some("all"));
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_its_part_and_its_place_and_changes_nothing() {
    let host = Host::start();
    let before = set(&host, "email", &json!({"text": "Order {{orderId}}"})).await;
    for (name, body, code, field, detail) in [
        (
            "email",
            json!({"text": "a\n {{b}}"}),
            "invalid_template",
            "text",
            "text, line 2, column 2: \"b\" is not known here",
        ),
        (
            "email",
            json!({"html": "<script>"}),
            "invalid_template",
            "html",
            "html, line 1, column 1: <script> cannot stand",
        ),
        ("sms", json!({"subject": "a"}), "invalid_template", "subject", "subject is a mail's"),
        ("email", json!({}), "invalid_template", "", "a template for email has subject, text or html"),
        ("email", json!({"text": "a", "html": null}), "wrong_type", "html", "html must be a string"),
        ("email", json!({"text": 1}), "wrong_type", "text", "text must be a string"),
        (
            "email",
            json!({"body": "a"}),
            "unknown_member",
            "body",
            "body is not known here; there is subject, text, html",
        ),
        ("mail", json!({"text": "a"}), "invalid_template_name", "name", "a template is named email, sms"),
    ] {
        let answer = host.manage("PUT", &format!("/templates/{name}"), &body.to_string()).await;
        let problem = answer.assert_problem(StatusCode::BAD_REQUEST, code);
        assert!(problem["detail"].as_str().unwrap().starts_with(detail), "{problem}");
        assert_eq!(problem["field"].as_str().unwrap_or_default(), field, "{problem}");
    }
    let unknown = "/templates/0198c5f2-7a00-7000-8000-000000000001";
    for (method, path) in [("PUT", unknown), ("DELETE", unknown)] {
        let answer = host.manage(method, path, &json!({"text": "a"}).to_string()).await;
        answer.assert_problem(StatusCode::NOT_FOUND, "subscription_not_found");
    }
    assert_eq!(host.manage("GET", "/templates/email", "").await.json(), before);
}

#[tokio::test]
async fn a_preview_shows_what_would_be_said_of_a_stored_order_and_sets_nothing() {
    let host = Host::start();
    let order =
        placed(&host, r#"{"customerName": "Jo", "productName": "Mouse", "note": "Ring <twice>"}"#).await;
    let body = json!({"orderId": order, "subject": "For {{customerName}}", "html": "<b>{{note}}</b>"});
    let answer = host.manage("POST", "/templates/email/preview", &body.to_string()).await;
    let preview = answer.json();
    assert_eq!(answer.status, StatusCode::OK, "{preview}");
    assert_eq!(preview["subject"], "For Jo");
    assert_eq!(preview["html"], "<b><bdi>Ring &lt;twice&gt;</bdi></b>");
    assert!(preview["text"].as_str().unwrap().starts_with("📦 New Order Received!\nOrder ID: "), "{preview}");
    assert_eq!(host.manage("GET", "/templates", "").await.json(), json!({"items": []}));
    set(&host, "sms", &json!({"text": "{{productName}} {{orderUrl}}"})).await;
    let now =
        host.manage("POST", "/templates/sms/preview", &json!({"orderId": order}).to_string()).await.json();
    let expected = json!({
        "protocol": "sms", "subject": null, "html": null, "unused": null,
        "text": "Mouse http://127.0.0.1:8080/o/preview",
    });
    assert_eq!(now, expected);
    let made_up = host.manage("POST", "/templates/chat/preview", "{}").await.json();
    assert!(made_up["text"].as_str().unwrap().contains("2 × Margherita"), "{made_up}");
}

#[tokio::test]
async fn a_preview_for_a_subscription_is_what_it_may_see_in_its_language() {
    let host = Host::start();
    let id = host.subscribe("jo@example.com").await;
    let change = json!({"fields": ["productName", "total", "currency"], "language": "de"});
    host.manage("PATCH", &format!("/subscriptions/{id}"), &change.to_string()).await;
    let order =
        placed(&host, r#"{"customerName": "Jo", "productName": "Mouse", "total": 1.5, "currency": "EUR"}"#)
            .await;
    let body = json!({"orderId": order, "text": "{{productName}} {{total}}{{#customerName}}{{customerName}}{{/customerName}}"});
    let preview = host.manage("POST", &format!("/templates/{id}/preview"), &body.to_string()).await.json();
    assert_eq!(preview["text"], "Mouse 1,5\u{a0}€");
    assert!(!preview.to_string().contains("Jo"), "{preview}");
}

#[tokio::test]
async fn a_preview_says_why_a_template_would_not_be_used() {
    let host = Host::start();
    let long = "x".repeat(60_000);
    let order =
        placed(&host, &json!({"customerName": "Jo", "productName": "Mouse", "note": long}).to_string()).await;
    let body = json!({"orderId": order, "text": "!{{note}}"});
    let preview = host.manage("POST", "/templates/webhook/preview", &body.to_string()).await.json();
    assert_eq!(preview["unused"], "its text would have more than 16000 bytes");
    assert!(preview["text"].as_str().unwrap().starts_with("📦"), "{preview}");
    for (body, code) in [
        (json!({"orderId": "0198c5f2-7a00-7000-8000-000000000001"}), "order_not_found"),
        (json!({"orderId": "x"}), "invalid_id"),
        (json!({"text": "{{"}), "invalid_template"),
    ] {
        let refused = host.manage("POST", "/templates/webhook/preview", &body.to_string()).await;
        assert_eq!(refused.json()["code"], code);
    }
}
