//! `/inbox` and `/inbox/{id}`.

use application::ports::{Inbox, InboxMessage};
use domain::delivery::DeliveryKind;
use domain::endpoint::Protocol;
use http::StatusCode;
use serde_json::json;

use crate::host::Host;

/// Keeps the confirmation request of a new subscription, as the sandbox does, and answers its id.
pub(crate) async fn keep_confirmation(host: &Host, text: &str, link: &str) -> String {
    host.subscribe("jo@example.com").await;
    let due = host.due().await.deliveries.remove(0);
    let message = InboxMessage {
        id: due.id,
        protocol: Protocol::Email,
        to: "jo@example.com".to_owned(),
        kind: DeliveryKind::Confirmation,
        subject: "Confirm <b>your</b> subscription".to_owned(),
        text: text.to_owned(),
        order_url: None,
        link: Some(link.to_owned()),
        at: due.due_at,
    };
    host.store.keep(message).await.unwrap();
    due.id.to_string()
}

#[tokio::test]
async fn a_kept_message_is_listed_and_shown() {
    let host = Host::start();
    let id = keep_confirmation(&host, "Please confirm", "http://127.0.0.1:8080/confirm").await;
    let message = host.manage("GET", &format!("/inbox/{id}"), "").await;
    let expected = json!({
        "id": id, "protocol": "email", "to": "jo@example.com", "kind": "confirmation",
        "subject": "Confirm <b>your</b> subscription", "text": "Please confirm",
        "link": "http://127.0.0.1:8080/confirm", "at": "2026-01-31T12:00:00Z",
    });
    assert_eq!((message.status, message.json()), (StatusCode::OK, expected.clone()));
    assert_eq!(message.header("cache-control"), Some("no-store"));
    let listed = host.manage("GET", "/inbox", "").await.json();
    assert_eq!(listed, json!({"items": [expected], "next": null}));
}

#[tokio::test]
async fn a_message_that_is_not_there_is_not_found() {
    let host = Host::start();
    let answer = host.manage("GET", "/inbox/01234567-89ab-7def-8123-456789abcdef", "").await;
    answer.assert_problem(StatusCode::NOT_FOUND, "message_not_found");
}
