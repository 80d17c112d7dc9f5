//! `/receipts/{id}`: what providers report.

use std::sync::Arc;

use domain::attempt::OutcomeKind;
use domain::delivery::DeliveryState;
use domain::receipt::{Receipt, ReceiptStatus};
use http::StatusCode;
use orderbell_web::{InvalidSignature, StatusCallback};
use serde_json::{Value, json};

use crate::deliveries::notified;
use crate::host::Host;

/// A host whose provider signs with the address itself, and reports failures.
fn host_with_receipts() -> Host {
    Host::with(|_, settings| {
        settings.receipts =
            Some(Arc::new(|report: &StatusCallback<'_>| match report.headers.get("x-signature") {
                Some(signature) if signature.as_bytes() == report.url.as_bytes() => {
                    Ok((!report.body.is_empty()).then(|| Receipt::new(ReceiptStatus::Failed, "30005")))
                }
                _ => Err(InvalidSignature),
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
