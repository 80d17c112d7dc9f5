//! `/deliveries`: what is listed and shown, redriven, retried and dropped.

use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::DeliveryState;
use http::StatusCode;
use serde_json::{Value, json};

use crate::host::Host;

async fn list(host: &Host, query: &str) -> Vec<Value> {
    let answer = host.manage("GET", &format!("/deliveries?{query}"), "").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()["items"].as_array().unwrap().clone()
}

/// An order whose one notification died.
async fn with_a_dead_letter() -> (Host, String, String) {
    let host = Host::start();
    let subscription = host.subscribe_confirmed("jo@example.com").await;
    let order = host.place_seed().await;
    host.publish().await;
    let rejected = OutcomeKind::Permanent(Scope::Delivery);
    host.attempt_all(rejected, "550 no such user", DeliveryState::Dead).await;
    (host, subscription, order)
}

/// The one delivery of an order, which ended so.
pub(crate) async fn notified(
    host: &Host,
    address: &str,
    outcome: OutcomeKind,
    state: DeliveryState,
) -> String {
    host.subscribe_confirmed(address).await;
    let order = host.place_seed().await;
    host.publish().await;
    host.attempt_all(outcome, "reply", state).await;
    let page = host.manage("GET", &format!("/deliveries?order={order}"), "").await.json();
    page["items"][0]["deliveryId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn deliveries_are_listed_by_state_subscription_and_order() {
    let (host, subscription, order) = with_a_dead_letter().await;
    let dead = list(&host, &format!("state=dead&subscription={subscription}&order={order}")).await;
    assert_eq!(dead.len(), 1);
    assert_eq!((&dead[0]["kind"], &dead[0]["orderId"]), (&json!("notification"), &json!(order)));
    assert_eq!(dead[0]["attempts"][0]["reply"], "550 no such user");
    assert!(list(&host, "state=delivered").await.is_empty());
    assert!(list(&host, "order=01234567-89ab-7def-8123-456789abcdef").await.is_empty());
    let path = format!("/deliveries/{}", dead[0]["deliveryId"].as_str().unwrap());
    assert_eq!(host.manage("GET", &path, "").await.json(), dead[0]);
}

#[tokio::test]
async fn what_a_query_cannot_say_is_named() {
    let host = Host::start();
    for name in ["state", "subscription", "order", "limit"] {
        let problem = host.manage("GET", &format!("/deliveries?{name}=nonsense"), "").await;
        let problem = problem.assert_problem(StatusCode::BAD_REQUEST, "invalid_parameter");
        assert_eq!(problem["field"], name);
    }
}

#[tokio::test]
async fn a_dead_letter_is_redriven_by_its_id_once() {
    let (host, ..) = with_a_dead_letter().await;
    let id = list(&host, "state=dead").await[0]["deliveryId"].as_str().unwrap().to_owned();
    let path = format!("/deliveries/{id}/redrive");
    assert_eq!(host.manage("POST", &path, "").await.json(), json!({"redriven": 1}));
    let delivery = host.manage("GET", &format!("/deliveries/{id}"), "").await.json();
    assert_eq!((&delivery["state"], &delivery["attemptsUsed"]), (&json!("pending"), &json!(0)));
    assert_eq!(delivery["attempts"].as_array().unwrap().len(), 1);
    let again = host.manage("POST", &path, "").await;
    again.assert_problem(StatusCode::CONFLICT, "not_redrivable");
}

#[tokio::test]
async fn all_dead_letters_of_a_subscription_are_redriven_together() {
    let (host, subscription, _) = with_a_dead_letter().await;
    let dead = list(&host, &format!("state=dead&subscription={subscription}")).await.len();
    let body = json!({"state": "dead", "subscriptionId": subscription}).to_string();
    let answer = host.manage("POST", "/deliveries/redrive", &body).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({"redriven": dead})));
    assert_eq!(
        host.manage("POST", "/deliveries/redrive", r#"{"state":"dead"}"#).await.json(),
        json!({"redriven": 0})
    );
}

#[tokio::test]
async fn redriving_says_what_it_means_or_does_nothing() {
    let (host, ..) = with_a_dead_letter().await;
    for (body, code) in [
        ("", "malformed_json"),
        ("{}", "missing_field"),
        (r#"{"state":"delivered"}"#, "invalid_state"),
        (r#"{"state":"dead","protocol":"fax"}"#, "unknown_protocol"),
        (r#"{"state":"dead","from":"yesterday"}"#, "invalid_time"),
        (r#"{"state":"dead","subscription":"x"}"#, "unknown_member"),
        (r#"{"state":"dead","subscriptionId":"x"}"#, "invalid_id"),
    ] {
        host.manage("POST", "/deliveries/redrive", body).await.assert_problem(StatusCode::BAD_REQUEST, code);
    }
    assert!(!list(&host, "state=dead").await.is_empty());
}

#[tokio::test]
async fn a_delivery_to_an_ended_subscription_is_not_redriven() {
    let (host, subscription, _) = with_a_dead_letter().await;
    let id = list(&host, "state=dead").await[0]["deliveryId"].as_str().unwrap().to_owned();
    host.manage("DELETE", &format!("/subscriptions/{subscription}"), "").await;
    let refused = host.manage("POST", &format!("/deliveries/{id}/redrive"), "").await;
    refused.assert_problem(StatusCode::CONFLICT, "subscription_ended");
    let all = host.manage("POST", "/deliveries/redrive", r#"{"state":"dead"}"#).await;
    assert_eq!(all.json(), json!({"redriven": 0}));
}

#[tokio::test]
async fn a_delivery_that_is_not_there_is_not_found() {
    let host = Host::start();
    let path = "/deliveries/01234567-89ab-7def-8123-456789abcdef";
    host.manage("GET", path, "").await.assert_problem(StatusCode::NOT_FOUND, "delivery_not_found");
    let redriven = host.manage("POST", &format!("{path}/redrive"), "").await;
    redriven.assert_problem(StatusCode::NOT_FOUND, "delivery_not_found");
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
