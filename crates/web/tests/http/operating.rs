//! Suspending, resuming, testing and rotating; dropping and redriving what is held; providers' receipts.

use std::sync::Arc;

use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::DeliveryState;
use domain::receipt::{Receipt, ReceiptStatus};
use http::StatusCode;
use orderbell_web::{NotFromProvider, Report};
use serde_json::{Value, json};

use crate::host::Host;

async fn act(host: &Host, subscription: &str, verb: &str) -> Value {
    let answer = host.manage("POST", &format!("/subscriptions/{subscription}/{verb}"), "").await;
    assert!(answer.status.is_success(), "{}", answer.text);
    answer.json()
}

/// The one delivery of an order, which ended so.
async fn notified(host: &Host, address: &str, outcome: OutcomeKind, state: DeliveryState) -> String {
    host.subscribe_confirmed(address).await;
    let order = host.place_seed().await;
    host.publish().await;
    host.attempt_all(outcome, "reply", state).await;
    let page = host.manage("GET", &format!("/deliveries?order={order}"), "").await.json();
    page["items"][0]["deliveryId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_suspended_subscription_is_sent_nothing_until_it_is_resumed() {
    let host = Host::start();
    let id = host.subscribe_confirmed("jo@example.com").await;
    let suspended = act(&host, &id, "suspend").await;
    assert_eq!(
        (&suspended["state"], &suspended["suspensionReason"]),
        (&json!("suspended"), &json!("operator"))
    );
    assert!(suspended["suspendedAt"].is_string());
    host.place_seed().await;
    host.publish().await;
    assert!(host.due().await.deliveries.is_empty());
    let resumed = act(&host, &id, "resume").await;
    assert_eq!((&resumed["state"], &resumed["suspendedAt"]), (&json!("confirmed"), &Value::Null));
    assert_eq!(host.due().await.deliveries.len(), 1);
    let pending = host.subscribe("eve@example.com").await;
    let refused = host.manage("POST", &format!("/subscriptions/{pending}/suspend"), "").await;
    refused.assert_problem(StatusCode::CONFLICT, "not_confirmed");
}

#[tokio::test]
async fn a_test_is_a_delivery_like_any_other() {
    let host = Host::start();
    let id = host.subscribe_confirmed("jo@example.com").await;
    let test = act(&host, &id, "test").await["deliveryId"].as_str().unwrap().to_owned();
    let delivery = host.manage("GET", &format!("/deliveries/{test}"), "").await.json();
    assert_eq!((&delivery["kind"], &delivery["state"]), (&json!("test"), &json!("pending")));
}

#[tokio::test]
async fn a_new_secret_is_shown_once() {
    let host = Host::start();
    let hook = r#"{"protocol":"webhook","endpoint":"https://example.com/hook"}"#;
    let made = host.manage("POST", "/subscriptions", hook).await.json();
    let id = made["subscriptionId"].as_str().unwrap();
    let rotated = act(&host, id, "rotate-secret").await;
    assert!(rotated["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_ne!(rotated["secret"], made["secret"]);
    let shown = host.manage("GET", &format!("/subscriptions/{id}"), "").await;
    assert!(!shown.text.contains("secret"), "{}", shown.text);
    let mail = host.subscribe("jo@example.com").await;
    let refused = host.manage("POST", &format!("/subscriptions/{mail}/rotate-secret"), "").await;
    refused.assert_problem(StatusCode::CONFLICT, "no_secret");
}

#[tokio::test]
async fn a_held_delivery_is_dropped_by_a_person_once() {
    let host = Host::start();
    let id = notified(&host, "jo@example.com", OutcomeKind::Unknown, DeliveryState::Held).await;
    let path = format!("/deliveries/{id}/drop");
    assert_eq!(host.manage("POST", &path, "").await.json()["state"], "cancelled");
    host.manage("POST", &path, "").await.assert_problem(StatusCode::CONFLICT, "not_droppable");
}

#[tokio::test]
async fn held_deliveries_are_redriven_by_protocol_and_time() {
    let host = Host::start();
    notified(&host, "jo@example.com", OutcomeKind::Unknown, DeliveryState::Held).await;
    for (selection, redriven) in [
        (json!({"state": "dead"}), 0),
        (json!({"state": "held", "protocol": "sms"}), 0),
        (json!({"state": "held", "before": "2020-01-01T00:00:00Z"}), 0),
        (json!({"state": "held", "protocol": "email", "from": "2020-01-01T00:00:00Z"}), 1),
    ] {
        let answer = host.manage("POST", "/deliveries/redrive", &selection.to_string()).await;
        assert_eq!(answer.json(), json!({"redriven": redriven}), "{selection}");
    }
}

#[tokio::test]
async fn what_waits_for_its_retry_is_tried_at_once_or_dropped() {
    let host = Host::start();
    let id =
        notified(&host, "jo@example.com", OutcomeKind::Transient(Scope::Delivery), DeliveryState::Pending)
            .await;
    let retried = host.manage("POST", &format!("/deliveries/{id}/retry"), "").await;
    assert_eq!(retried.json(), json!({"retried": 1}));
    let shown = host.manage("GET", &format!("/deliveries/{id}"), "").await.json();
    let done = &shown["interventions"][0];
    assert_eq!((&done["kind"], &done["stateBefore"]), (&json!("retried"), &json!("pending")));
    for (selection, count) in [
        (json!({"state": "pending", "protocol": "sms"}), 0),
        (json!({"state": "pending", "before": "2020-01-01T00:00:00Z"}), 0),
        (json!({"state": "pending", "protocol": "email", "from": "2020-01-01T00:00:00Z"}), 1),
    ] {
        let retried = host.manage("POST", "/deliveries/retry", &selection.to_string()).await;
        assert_eq!(retried.json(), json!({"retried": count}), "{selection}");
    }
    for (selection, count) in [
        (json!({"state": "held"}), 0),
        (json!({"state": "pending", "protocol": "sms"}), 0),
        (json!({"state": "pending"}), 1),
        (json!({"state": "pending"}), 0),
    ] {
        let dropped = host.manage("POST", "/deliveries/drop", &selection.to_string()).await;
        assert_eq!(dropped.json(), json!({"dropped": count}), "{selection}");
    }
    let shown = host.manage("GET", &format!("/deliveries/{id}"), "").await.json();
    assert_eq!((&shown["state"], &shown["cancelReason"]), (&json!("cancelled"), &json!("dropped")));
    let again = host.manage("POST", &format!("/deliveries/{id}/retry"), "").await;
    again.assert_problem(StatusCode::CONFLICT, "not_pending");
}

#[tokio::test]
async fn retrying_and_dropping_say_what_they_mean_or_do_nothing() {
    let host = Host::start();
    for path in ["/deliveries/retry", "/deliveries/drop"] {
        for (body, code) in [
            ("", "malformed_json"),
            ("{}", "missing_field"),
            (r#"{"state":"dead"}"#, "invalid_state"),
            (r#"{"state":"pending","protocol":"fax"}"#, "unknown_protocol"),
            (r#"{"state":"pending","from":"yesterday"}"#, "invalid_time"),
            (r#"{"state":"pending","subscriptionId":null}"#, "wrong_type"),
            (r#"{"state":"pending","all":"yes"}"#, "unknown_member"),
        ] {
            host.manage("POST", path, body).await.assert_problem(StatusCode::BAD_REQUEST, code);
        }
    }
    let nothing = "/deliveries/01234567-89ab-7def-8123-456789abcdef";
    for path in [format!("{nothing}/retry"), format!("{nothing}/drop")] {
        host.manage("POST", &path, "").await.assert_problem(StatusCode::NOT_FOUND, "delivery_not_found");
    }
}

/// Who leaves a variable unset means one subscription, not all of them.
#[tokio::test]
async fn what_is_redriven_is_never_chosen_by_null() {
    let host = Host::start();
    notified(&host, "jo@example.com", OutcomeKind::Unknown, DeliveryState::Held).await;
    for member in ["subscriptionId", "protocol", "from", "before"] {
        let selection = json!({"state": "held", member: null}).to_string();
        let refused = host.manage("POST", "/deliveries/redrive", &selection).await;
        let problem = refused.assert_problem(StatusCode::BAD_REQUEST, "wrong_type");
        assert_eq!(problem["field"], member);
    }
    let all = host.manage("POST", "/deliveries/redrive", r#"{"state":"held"}"#).await;
    assert_eq!(all.json(), json!({"redriven": 1}));
}

/// A host whose provider signs with the address itself, and reports failures.
fn host_with_receipts() -> Host {
    Host::with(|_, settings| {
        settings.receipts = Some(Arc::new(|report: &Report<'_>| match report.headers.get("x-signature") {
            Some(signature) if signature.as_bytes() == report.url.as_bytes() => {
                Ok((!report.body.is_empty()).then(|| Receipt::new(ReceiptStatus::Failed, "30005")))
            }
            _ => Err(NotFromProvider),
        }));
    })
}

#[tokio::test]
async fn a_receipt_of_a_mail_is_that_of_nothing() {
    let host = host_with_receipts();
    let id = notified(&host, "jo@example.com", OutcomeKind::Delivered, DeliveryState::Delivered).await;
    let path = format!("/receipts/{id}?attempt=1");
    let signature = format!("http://127.0.0.1:8080{path}");
    let request = http::Request::post(path).header("x-signature", signature).body("failed".into()).unwrap();
    host.send(request).await.assert_problem(StatusCode::NOT_FOUND, "delivery_not_found");
    let delivery = host.manage("GET", &format!("/deliveries/{id}"), "").await.json();
    assert_eq!((&delivery["state"], &delivery["receipts"]), (&json!("delivered"), &Value::Null));
}

#[tokio::test]
async fn a_providers_receipt_needs_its_signature_and_no_key() {
    let host = host_with_receipts();
    let id = notified(&host, "+4915112345678", OutcomeKind::Delivered, DeliveryState::Delivered).await;
    let report = async |signature: &str, body: &'static str| {
        let request =
            http::Request::post(format!("/receipts/{id}?attempt=1")).header("x-signature", signature);
        host.send(request.body(body.into()).unwrap()).await
    };
    report("forged", "failed").await.assert_problem(StatusCode::FORBIDDEN, "invalid_signature");
    let signature = format!("http://127.0.0.1:8080/receipts/{id}?attempt=1");
    assert_eq!(report(&signature, "").await.status, StatusCode::NO_CONTENT, "it says nothing yet");
    let state = async || host.manage("GET", &format!("/deliveries/{id}"), "").await.json()["state"].clone();
    assert_eq!(state().await, "delivered");
    assert_eq!(report(&signature, "failed").await.status, StatusCode::NO_CONTENT);
    assert_eq!(state().await, "dead");
    let silent = Host::start();
    let refused =
        silent.send(http::Request::post(format!("/receipts/{id}?attempt=1")).body("".into()).unwrap()).await;
    refused.assert_problem(StatusCode::NOT_IMPLEMENTED, "not_on_this_host");
}
