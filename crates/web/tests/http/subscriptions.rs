//! `/subscriptions`: made, confirmed, changed, suspended, tested and ended.

mod attributes;
mod test_filter;

use application::ports::{Clock, DeliveryQueue, LocalSubscriptions};
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::delivery::DeliveryState;
use domain::endpoint::Protocol;
use http::StatusCode;
use serde_json::{Value, json};

use crate::host::Host;

const JO: &str = r#"{"protocol":"email","endpoint":"jo@example.com"}"#;

async fn act(host: &Host, subscription: &str, verb: &str) -> Value {
    let answer = host.manage("POST", &format!("/subscriptions/{subscription}/{verb}"), "").await;
    assert!(answer.status.is_success(), "{}", answer.text);
    answer.json()
}

#[tokio::test]
async fn a_new_subscription_is_pending_and_has_an_address() {
    let host = Host::start();
    let answer = host.manage("POST", "/subscriptions", JO).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let made = answer.json();
    let path = format!("/subscriptions/{}", made["subscriptionId"].as_str().unwrap());
    assert_eq!(answer.header("location"), Some(path.as_str()));
    assert_eq!((&made["state"], &made["filterPolicy"]), (&json!("pending"), &json!(null)));
    assert_eq!(made["confirmationExpiresAt"], "2026-02-02T12:00:00Z");
    assert_eq!(host.manage("GET", &path, "").await.json(), made);
}

#[tokio::test]
async fn the_same_endpoint_is_the_same_subscription_and_with_another_policy_a_conflict() {
    let host = Host::start();
    let made = host.manage("POST", "/subscriptions", JO).await.json();
    let same = host.manage("POST", "/subscriptions", JO).await;
    assert_eq!((same.status, same.json()), (StatusCode::OK, made));
    let other = r#"{"protocol":"email","endpoint":"jo@example.com","filterPolicy":{"currency":["EUR"]}}"#;
    let refused = host.manage("POST", "/subscriptions", other).await;
    refused.assert_problem(StatusCode::CONFLICT, "subscription_differs");
}

#[tokio::test]
async fn an_endpoint_that_is_subscribed_otherwise_says_which_members_differ() {
    let host = Host::start();
    let (al, bo) = (host.subscribe("al@example.com").await, host.subscribe("bo@example.com").await);
    let hook = json!({
        "protocol": "webhook", "endpoint": "https://hooks.example/1", "receives": "all", "maxReceivesPerSecond": 5,
        "secret": format!("whsec_{}", "AAAA".repeat(8)), "filterPolicy": {"currency": ["EUR", "USD"]},
        "escalation": {"afterMinutes": 15, "subscriptionId": al},
    });
    let made = host.manage("POST", "/subscriptions", &hook.to_string()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let id = made.json()["subscriptionId"].as_str().unwrap().to_owned();
    let escalation = |minutes: u32, to: &str| json!({"afterMinutes": minutes, "subscriptionId": to});
    let none = json!(null);
    for (change, differing) in [
        (json!({"receives": "orders"}), "receives"),
        (json!({"maxReceivesPerSecond": 6}), "maxReceivesPerSecond"),
        (json!({"maxReceivesPerSecond": none}), "maxReceivesPerSecond"),
        (json!({"escalation": escalation(16, &al)}), "escalation"),
        (json!({"escalation": escalation(15, &bo)}), "escalation"),
        (json!({"filterPolicy": {"currency": ["EUR"]}}), "filterPolicy"),
        (json!({"filterPolicy": none}), "filterPolicy"),
        (json!({"filterPolicyScope": "MessageBody"}), "filterPolicyScope"),
        (json!({"secret": format!("whsec_{}", "BBBB".repeat(8))}), "secret"),
        (
            json!({"filterPolicyScope": "MessageBody", "filterPolicy": {"a": ["1"]}}),
            "filterPolicy, filterPolicyScope",
        ),
        (json!({"receives": "notices", "secret": format!("whsec_{}", "BBBB".repeat(8))}), "receives, secret"),
    ] {
        let mut other = hook.clone();
        other.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused = host.manage("POST", "/subscriptions", &other.to_string()).await;
        let problem = refused.assert_problem(StatusCode::CONFLICT, "subscription_differs");
        let detail = problem["detail"].as_str().unwrap();
        assert_eq!(detail, format!("This endpoint is subscribed as {id}, and not with the same {differing}"));
        let field = problem.get("field").and_then(|field| field.as_str());
        assert_eq!(field, Some(differing).filter(|members| !members.contains(',')), "{change}");
    }
    let again = host.manage("POST", "/subscriptions", &hook.to_string()).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text);
}

#[tokio::test]
async fn whatever_spelling_a_domain_comes_in_it_is_one_subscription() {
    let host = Host::start();
    let add = async |endpoint: &str| {
        let body = json!({ "protocol": "email", "endpoint": endpoint }).to_string();
        host.manage("POST", "/subscriptions", &body).await
    };
    let made = add("joe@m\u{fc}ller.example").await.json();
    for spelling in [
        "joe@xn--mller-kva.example",
        "joe@M\u{dc}LLER.example",
        "joe@XN--MLLER-KVA.Example",
        "joe@mu\u{308}ller.example",
        "joe@m\u{fc}ller\u{3002}example",
        "\"joe\"@m\u{fc}ller.example",
        " joe@m\u{fc}ller.example ",
    ] {
        let same = add(spelling).await;
        assert_eq!((same.status, same.json()), (StatusCode::OK, made.clone()), "{spelling}");
    }
    assert_ne!(add("Joe@m\u{fc}ller.example").await.json()["subscriptionId"], made["subscriptionId"]);
}

#[tokio::test]
async fn a_webhooks_secret_is_shown_once() {
    let host = Host::start();
    let hook = r#"{"protocol":"webhook","endpoint":"https://example.com/hook"}"#;
    let made = host.manage("POST", "/subscriptions", hook).await.json();
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    let again = host.manage("POST", "/subscriptions", hook).await;
    let listed = host.manage("GET", "/subscriptions", "").await;
    for answer in [again, listed] {
        assert!(!answer.text.contains("secret"), "{}", answer.text);
    }
}

#[tokio::test]
async fn each_mistake_names_its_field() {
    let host = Host::start();
    for (body, code, field) in [
        (r#"{"endpoint":"jo@example.com"}"#, "missing_field", "protocol"),
        (r#"{"protocol":"email"}"#, "missing_field", "endpoint"),
        (r#"{"protocol":"pigeon","endpoint":"x"}"#, "unknown_protocol", "protocol"),
        (r#"{"protocol":"email","endpoint":"jo"}"#, "invalid_email", "endpoint"),
        (r#"{"protocol":"email","endpoint":7}"#, "wrong_type", "endpoint"),
        (r#"{"protocol":"email","endpoint":"jo@example.com","filter":{}}"#, "unknown_member", "filter"),
        (
            r#"{"protocol":"email","endpoint":"jo@example.com","filterPolicy":{"total":[{"larger":1}]}}"#,
            "unsupported_operator",
            "filterPolicy.total.larger",
        ),
    ] {
        let problem = host.manage("POST", "/subscriptions", body).await;
        assert_eq!(problem.assert_problem(StatusCode::BAD_REQUEST, code)["field"], field, "{body}");
    }
    for body in ["", "[]", "{"] {
        let problem = host.manage("POST", "/subscriptions", body).await;
        problem.assert_problem(StatusCode::BAD_REQUEST, "malformed_json");
    }
    assert_eq!(host.manage("GET", "/subscriptions", "").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_protocol_without_a_channel_is_refused() {
    let host = Host::with(|app, _| app.local_delivery.as_mut().unwrap().channels.clear());
    let refused = host.manage("POST", "/subscriptions", JO).await;
    refused.assert_problem(StatusCode::BAD_REQUEST, "channel_not_configured");
}

#[tokio::test]
async fn a_filter_policys_numbers_stay_as_they_were_written() {
    let host = Host::start();
    let body =
        r#"{"protocol":"email","endpoint":"jo@example.com","filterPolicy":{"total":[123456789.10000]}}"#;
    let made = host.manage("POST", "/subscriptions", body).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert!(made.text.contains(r#""filterPolicy":{"total":[123456789.10000]}"#), "{}", made.text);
}

#[tokio::test]
async fn a_filter_policy_is_changed_and_removed_and_nothing_else_is() {
    let host = Host::start();
    let path = format!("/subscriptions/{}", host.subscribe("jo@example.com").await);
    let changed = host.manage("PATCH", &path, r#"{"filterPolicy":{"currency":["EUR"]}}"#).await;
    assert_eq!(changed.json()["filterPolicy"], json!({"currency": ["EUR"]}));
    let removed = host.manage("PATCH", &path, r#"{"filterPolicy":null}"#).await;
    assert_eq!(removed.json()["filterPolicy"], json!(null));
    for (body, code, field) in [
        (r#"{"endpoint":"other@example.com"}"#, "immutable_field", "endpoint"),
        (r#"{"protocol":"sms","filterPolicy":null}"#, "immutable_field", "protocol"),
        ("{}", "missing_field", "filterPolicy"),
        (r#"{"state":"confirmed"}"#, "unknown_member", "state"),
    ] {
        let problem = host.manage("PATCH", &path, body).await;
        assert_eq!(problem.assert_problem(StatusCode::BAD_REQUEST, code)["field"], field);
    }
}

#[tokio::test]
async fn a_filter_policy_has_a_scope_which_comes_and_goes_with_it() {
    let host = Host::start();
    let body = r#"{"protocol":"email","endpoint":"jo@example.com","filterPolicyScope":"MessageBody",
        "filterPolicy":{"data":{"currency":["EUR"]}}}"#;
    let made = host.manage("POST", "/subscriptions", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let path = format!("/subscriptions/{}", made.json()["subscriptionId"].as_str().unwrap());
    let shown = host.manage("GET", &path, "").await.json();
    assert_eq!(shown["filterPolicyScope"], "MessageBody");
    assert_eq!(shown["filterPolicy"], json!({"data": {"currency": ["EUR"]}}));
    assert_eq!(host.manage("POST", "/subscriptions", body).await.status, StatusCode::OK, "the same again");
    let changed = host.manage("PATCH", &path, r#"{"filterPolicy":{"currency":["EUR"]}}"#).await.json();
    assert_eq!(changed["filterPolicyScope"], "MessageAttributes");
    let alone = host.manage("PATCH", &path, r#"{"filterPolicyScope":"MessageBody"}"#).await;
    alone.assert_problem(StatusCode::BAD_REQUEST, "missing_field");
    let removed = host.manage("PATCH", &path, r#"{"filterPolicy":null}"#).await.json();
    assert!(removed.get("filterPolicyScope").is_none(), "{removed}");
}

#[tokio::test]
async fn an_ended_subscription_stays_readable_and_ends_once() {
    let host = Host::start();
    let path = format!("/subscriptions/{}", host.subscribe("jo@example.com").await);
    let ended = host.manage("DELETE", &path, "").await;
    assert_eq!(ended.status, StatusCode::OK);
    assert_eq!((&ended.json()["state"], &ended.json()["endReason"]), (&json!("ended"), &json!("removed")));
    assert_eq!(host.manage("DELETE", &path, "").await.json(), ended.json());
    assert_eq!(host.manage("GET", &path, "").await.json(), ended.json());
    let changed = host.manage("PATCH", &path, r#"{"filterPolicy":null}"#).await;
    changed.assert_problem(StatusCode::CONFLICT, "subscription_ended");
}

#[tokio::test]
async fn a_confirmation_is_sent_again_while_it_is_wanted() {
    let host = Host::start();
    let id = host.subscribe("jo@example.com").await;
    let (old, path) = (host.confirm_link(&id).await, format!("/subscriptions/{id}/confirmation"));
    assert_eq!(host.manage("POST", &path, "").await.status, StatusCode::ACCEPTED);
    let replaced = host.post(&old, "application/json", "").await;
    replaced.assert_problem(StatusCode::GONE, "confirmation_replaced");
    let new = host.confirm_link(&id).await;
    assert_eq!(host.post(&new, "application/json", "").await.status, StatusCode::OK);
    let again = host.manage("POST", &path, "").await;
    again.assert_problem(StatusCode::CONFLICT, "already_confirmed");
}

#[tokio::test]
async fn subscriptions_are_listed_by_protocol_and_state() {
    let host = Host::start();
    let confirmed = host.subscribe_confirmed("jo@example.com").await;
    host.subscribe("al@example.com").await;
    host.manage("POST", "/subscriptions", r#"{"protocol":"sms","endpoint":"+4915112345678"}"#).await;
    let listed = host.manage("GET", "/subscriptions?protocol=email&state=confirmed", "").await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed["items"][0]["subscriptionId"], confirmed.as_str());
    assert_eq!(listed["items"][0]["confirmedInSandbox"], true);
    for query in ["protocol=pigeon", "state=asleep"] {
        let problem = host.manage("GET", &format!("/subscriptions?{query}"), "").await;
        let problem = problem.assert_problem(StatusCode::BAD_REQUEST, "invalid_parameter");
        assert_eq!(problem["field"], query.split('=').next().unwrap());
    }
}

#[tokio::test]
async fn a_subscription_that_is_not_there_is_not_found_by_any_method() {
    let host = Host::start();
    let path = "/subscriptions/01234567-89ab-7def-8123-456789abcdef";
    for (method, path, body) in [
        ("GET", path.to_owned(), ""),
        ("PATCH", path.to_owned(), r#"{"filterPolicy":null}"#),
        ("DELETE", path.to_owned(), ""),
        ("POST", format!("{path}/confirmation"), ""),
    ] {
        let answer = host.manage(method, &path, body).await;
        answer.assert_problem(StatusCode::NOT_FOUND, "subscription_not_found");
    }
}

#[tokio::test]
async fn a_webhooks_secret_can_be_its_receivers_own() {
    let host = Host::start();
    let secret = |byte: &str| format!("whsec_{}", byte.repeat(8));
    let wanted = |secret: &str| {
        json!({"protocol": "webhook", "endpoint": "https://hooks.example/1", "secret": secret}).to_string()
    };
    let made = host.manage("POST", "/subscriptions", &wanted(&secret("AAAA"))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert!(!made.text.contains("whsec_"), "who gave it knows it");
    let due = host.due().await.deliveries;
    let signing = due[0].subscription.secrets.as_ref().unwrap();
    assert_eq!(signing.current.reveal(), secret("AAAA"), "the first challenge is signed with it");
    let again = host.manage("POST", "/subscriptions", &wanted(&secret("AAAA"))).await;
    assert_eq!(again.status, StatusCode::OK);
    let other = host.manage("POST", "/subscriptions", &wanted(&secret("BBBB"))).await;
    other.assert_problem(StatusCode::CONFLICT, "subscription_differs");
}

#[tokio::test]
async fn a_secret_that_is_none_or_signs_nothing_is_refused() {
    let host = Host::start();
    let right = format!("whsec_{}", "AAAA".repeat(8));
    for (protocol, endpoint, secret, code) in [
        ("webhook", "https://hooks.example/1", "whsec_", "invalid_secret"),
        ("webhook", "https://hooks.example/1", "secret", "invalid_secret"),
        ("webhook", "https://hooks.example/1", "whsec_AAAA", "invalid_secret"),
        ("webhook", "https://hooks.example/1", "whsec_!!!!", "invalid_secret"),
        ("email", "jo@example.com", right.as_str(), "secret_not_used"),
        ("sms", "+4915112345678", right.as_str(), "secret_not_used"),
    ] {
        let body = json!({"protocol": protocol, "endpoint": endpoint, "secret": secret}).to_string();
        let answer = host.manage("POST", "/subscriptions", &body).await;
        let problem = answer.assert_problem(StatusCode::BAD_REQUEST, code);
        assert_eq!(problem["field"], "secret");
    }
    assert_eq!(host.manage("GET", "/subscriptions", "").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_pending_subscription_says_why_and_what_to_do() {
    let host = Host::start();
    let hook = r#"{"protocol":"webhook","endpoint":"https://example.com/hook"}"#;
    let hook = host.manage("POST", "/subscriptions", hook).await.json();
    let jo = host.subscribe("jo@example.com").await;
    let path = format!("/subscriptions/{}", hook["subscriptionId"].as_str().unwrap());
    let mail = format!("/subscriptions/{jo}");
    let shown = async |path: &str| host.manage("GET", path, "").await.json();
    assert_eq!(hook["pendingReason"], "on_its_way");
    assert_eq!(hook["confirmationRequest"]["requestedAt"], "2026-01-31T12:00:00Z");

    let reply = "did not repeat the challenge in `confirmation`, but answered 200 OK hello";
    let later = OutcomeKind::Transient(Scope::Endpoint);
    host.attempt_all_with(&Outcome::new(later, reply).with_status(200_u16), DeliveryState::Pending).await;
    let asked = shown(&path).await;
    assert_eq!(asked["pendingReason"], "challenge_not_answered");
    assert_eq!(asked["confirmationRequest"]["reply"], reply);
    assert!(asked["confirmationRequest"]["nextAttemptAt"].is_string(), "{asked}");
    assert!(asked["pendingAdvice"].as_str().unwrap().contains("repeat the challenge"), "{asked}");
    assert_eq!(shown(&mail).await["pendingReason"], "not_reached");

    host.manage("POST", &format!("{mail}/confirmation"), "").await;
    assert_eq!(shown(&mail).await["pendingReason"], "on_its_way");
    host.attempt_all(OutcomeKind::Delivered, "250 ok", DeliveryState::Delivered).await;
    let answered = shown(&mail).await;
    assert_eq!(
        (&answered["pendingReason"], &answered["confirmationRequest"]["reply"]),
        (&json!("not_answered"), &json!("250 ok"))
    );
    let listed = host.manage("GET", "/subscriptions", "").await.json();
    assert_eq!(listed["items"][0], answered);
    host.clock.advance(std::time::Duration::from_hours(24 * 365));
    assert_eq!(shown(&mail).await["pendingReason"], "link_expired");

    host.manage("POST", &format!("{mail}/confirmation"), "").await;
    host.attempt_all(OutcomeKind::Permanent(Scope::Delivery), "550 no", DeliveryState::Dead).await;
    assert_eq!(shown(&mail).await["pendingReason"], "given_up");
    let link = host.confirm_link(&jo).await;
    host.post(&link, "application/json", "").await;
    let confirmed = shown(&mail).await;
    for member in ["pendingReason", "pendingAdvice", "confirmationRequest"] {
        assert_eq!(confirmed.get(member), None, "{confirmed}");
    }
}

/// By what is on record, whatever the words are.
#[tokio::test]
async fn a_webhook_that_was_not_reached_is_told_from_one_that_answered_otherwise_or_wrongly() {
    let endpoint = OutcomeKind::Transient(Scope::Endpoint);
    let throttled = OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: None };
    for (kind, status, reply, because) in [
        (endpoint, None, "no connection: no such name", "not_reached"),
        (endpoint, None, "no connection: refused", "not_reached"),
        (endpoint, None, "no connection: the certificate is nobody's", "not_reached"),
        (endpoint, None, "did not repeat the challenge", "not_reached"),
        (OutcomeKind::Transient(Scope::Channel), None, "this machine's network leads nowhere", "not_reached"),
        (OutcomeKind::Unknown, None, "no answer in time", "not_reached"),
        (endpoint, Some(404), "404 Not Found", "answered_otherwise"),
        (endpoint, Some(302), "302 Found", "answered_otherwise"),
        (endpoint, Some(500), "no connection: said the proxy", "answered_otherwise"),
        (throttled, Some(429), "429 Too Many Requests", "answered_otherwise"),
        (endpoint, Some(200), "hello", "challenge_not_answered"),
        (endpoint, Some(204), "no connection", "challenge_not_answered"),
    ] {
        let host = Host::start();
        let hook = r#"{"protocol":"webhook","endpoint":"https://example.com/hook"}"#;
        let hook = host.manage("POST", "/subscriptions", hook).await.json();
        let outcome = Outcome { status, ..Outcome::new(kind, reply) };
        host.attempt_all_with(&outcome, DeliveryState::Pending).await;
        let path = format!("/subscriptions/{}", hook["subscriptionId"].as_str().unwrap());
        let shown = host.manage("GET", &path, "").await.json();
        assert_eq!(
            (&shown["pendingReason"], &shown["confirmationRequest"]["reply"]),
            (&json!(because), &json!(reply))
        );
        let delivery = shown["confirmationRequest"]["deliveryId"].as_str().unwrap();
        let delivery = host.manage("GET", &format!("/deliveries/{delivery}"), "").await.json();
        assert_eq!(delivery["attempts"][0].get("status"), status.map(|status| json!(status)).as_ref());
    }
}

#[tokio::test]
async fn a_pending_subscription_says_what_keeps_its_request_from_going_out() {
    let host = Host::start();
    let jo = host.subscribe("jo@example.com").await;
    let path = format!("/subscriptions/{jo}");
    host.store.channel_missing(Protocol::Email, host.clock.now()).await.unwrap();
    let waits = host.manage("GET", &path, "").await.json();
    assert_eq!(waits["pendingReason"], "channel_paused");
    let advice = waits["pendingAdvice"].as_str().unwrap();
    assert!(
        advice.starts_with("No message gets out (no channel is configured for it). Mend that"),
        "{advice}"
    );

    host.store.channel_resumed(Protocol::Email, host.clock.now()).await.unwrap();
    let reply = "no connection: Connection refused (os error 111)";
    host.attempt_all(OutcomeKind::Transient(Scope::Endpoint), reply, DeliveryState::Pending).await;
    let tried = host.manage("GET", &path, "").await.json();
    assert_eq!(tried["pendingReason"], "not_reached");
    let advice = tried["pendingAdvice"].as_str().unwrap();
    assert!(advice.starts_with(&format!("The last try failed ({reply}). Mend what")), "{advice}");
}

#[tokio::test]
async fn what_the_sandbox_confirmed_says_that_it_lapsed_and_how_to_ask_again() {
    let host = Host::start();
    let jo = host.subscribe_confirmed("jo@example.com").await;
    let ann = host.subscribe("ann@example.com").await;
    host.attempt_all(OutcomeKind::Sandboxed, "", DeliveryState::Sandboxed).await;
    host.store.lapse_sandbox_confirmations(Protocol::Email, host.clock.now()).await.unwrap();
    for id in [jo, ann] {
        let path = format!("/subscriptions/{id}");
        let lapsed = host.manage("GET", &path, "").await.json();
        assert_eq!((&lapsed["state"], &lapsed["pendingReason"]), (&json!("pending"), &json!("lapsed")));
        let advice = lapsed["pendingAdvice"].as_str().unwrap();
        assert!(advice.contains("lapsed when a real provider was configured: send the confirmation request"));
        for member in ["confirmationRequest", "confirmationExpiresAt"] {
            assert_eq!(lapsed.get(member), None, "{lapsed}");
        }
        host.manage("POST", &format!("{path}/confirmation"), "").await;
        let asked = host.manage("GET", &path, "").await.json();
        assert_eq!(asked["pendingReason"], "on_its_way", "{asked}");
        assert!(asked["confirmationExpiresAt"].is_string(), "{asked}");
    }
}

#[tokio::test]
async fn where_somebody_else_asks_a_pending_subscription_was_not_answered() {
    let host = Host::with(|app, _| app.local_delivery = None);
    let made = host.manage("POST", "/subscriptions", JO).await.json();
    assert_eq!((&made["pendingReason"], made.get("confirmationRequest")), (&json!("not_answered"), None));
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
