//! What an operator chooses for a subscription, and changes.

use http::StatusCode;
use serde_json::{Value, json};

use crate::host::Host;

async fn made(host: &Host, endpoint: &str, chosen: Value) -> Value {
    let mut body = json!({"protocol": "email", "endpoint": endpoint});
    body.as_object_mut().unwrap().extend(chosen.as_object().unwrap().clone());
    let answer = host.manage("POST", "/subscriptions", &body.to_string()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    answer.json()
}

#[tokio::test]
async fn what_was_chosen_is_shown_changed_and_taken_away() {
    let host = Host::start();
    let second = host.subscribe("second@example.com").await;
    let escalation = json!({"afterMinutes": 15, "subscriptionId": second});
    let chosen = json!({"maxReceivesPerSecond": 5, "escalation": escalation, "receives": "all"});
    let subscription = made(&host, "jo@example.com", chosen).await;
    assert_eq!(subscription["escalation"], escalation);
    assert_eq!(
        (&subscription["maxReceivesPerSecond"], &subscription["receives"]),
        (&json!(5), &json!("all"))
    );

    let path = format!("/subscriptions/{}", subscription["subscriptionId"].as_str().unwrap());
    let change = r#"{"maxReceivesPerSecond":7,"escalation":null}"#;
    let changed = host.manage("PATCH", &path, change).await.json();
    assert_eq!((&changed["maxReceivesPerSecond"], &changed["escalation"]), (&json!(7), &Value::Null));
    assert_eq!(changed["receives"], "all");
    assert_eq!(host.manage("GET", &path, "").await.json(), changed);
}

#[tokio::test]
async fn what_of_an_order_is_shown_is_chosen_changed_and_taken_away() {
    let host = Host::start();
    let of_items = json!({"data": {"items": {"sku": ["M-1"]}}});
    let chosen = json!({"filterPolicy": of_items, "filterPolicyScope": "MessageBody",
        "fields": ["note", "matchingItems", "note"]});
    let supplier = made(&host, "jo@example.com", chosen).await;
    assert_eq!(supplier["fields"], json!(["matchingItems", "note"]));
    let path = format!("/subscriptions/{}", supplier["subscriptionId"].as_str().unwrap());
    for (change, why) in [
        (r#"{"filterPolicy":null}"#, "matchingItems only beside a filterPolicy"),
        (r#"{"filterPolicy":{"currency":["EUR"]}}"#, "matchingItems only beside a filterPolicy"),
        (r#"{"fields":[]}"#, "at least one member"),
        (r#"{"fields":["phone"]}"#, "customerPhone"),
        (r#"{"fields":["items","matchingItems"]}"#, "both items and matchingItems"),
    ] {
        let answer = host.manage("PATCH", &path, change).await;
        let problem = answer.assert_problem(StatusCode::BAD_REQUEST, "invalid_fields");
        assert_eq!(problem["field"], "fields");
        assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
    }
    for change in [r#"{"fields":"note"}"#, r#"{"fields":[1]}"#, r#"{"fields":{}}"#] {
        let answer = host.manage("PATCH", &path, change).await;
        assert_eq!(answer.assert_problem(StatusCode::BAD_REQUEST, "wrong_type")["field"], "fields");
    }
    assert_eq!(host.manage("GET", &path, "").await.json()["fields"], supplier["fields"]);
    let same = json!({"protocol": "email", "endpoint": "jo@example.com"}).to_string();
    let differs = host.manage("POST", "/subscriptions", &same).await;
    let problem = differs.assert_problem(StatusCode::CONFLICT, "subscription_differs");
    assert!(problem["detail"].as_str().unwrap().contains("fields"), "{problem}");
    let changed = host.manage("PATCH", &path, r#"{"fields":["items"],"filterPolicy":null}"#).await.json();
    assert_eq!(changed["fields"], json!(["items"]));
    assert_eq!(host.manage("PATCH", &path, r#"{"fields":null}"#).await.json()["fields"], Value::Null);
}

#[tokio::test]
async fn a_language_and_a_time_zone_are_chosen_changed_and_taken_away() {
    let host = Host::start();
    let chosen = json!({"language": "de-AT", "timeZone": "europe/berlin"});
    let made = made(&host, "jo@example.com", chosen).await;
    assert_eq!((&made["language"], &made["timeZone"]), (&json!("de"), &json!("Europe/Berlin")));
    let path = format!("/subscriptions/{}", made["subscriptionId"].as_str().unwrap());
    let again =
        json!({"protocol": "email", "endpoint": "jo@example.com", "language": "fr", "timeZone": "UTC"});
    let differs = host.manage("POST", "/subscriptions", &again.to_string()).await;
    let problem = differs.assert_problem(StatusCode::CONFLICT, "subscription_differs");
    assert!(problem["detail"].as_str().unwrap().contains("language, timeZone"), "{problem}");
    for (change, code, field) in [
        (r#"{"language":"ja"}"#, "invalid_language", "language"),
        (r#"{"language":""}"#, "invalid_language", "language"),
        (r#"{"language":"german"}"#, "invalid_language", "language"),
        (r#"{"language":"de_AT"}"#, "invalid_language", "language"),
        (r#"{"language":1}"#, "wrong_type", "language"),
        (r#"{"timeZone":"Berlin"}"#, "invalid_time_zone", "timeZone"),
        (r#"{"timeZone":""}"#, "invalid_time_zone", "timeZone"),
        (r#"{"timeZone":"../../etc/passwd"}"#, "invalid_time_zone", "timeZone"),
        (r#"{"timeZone":"+01:00"}"#, "invalid_time_zone", "timeZone"),
        (r#"{"timeZone":2}"#, "wrong_type", "timeZone"),
    ] {
        let answer = host.manage("PATCH", &path, change).await;
        assert_eq!(answer.assert_problem(StatusCode::BAD_REQUEST, code)["field"], field, "{change}");
    }
    assert_eq!(host.manage("GET", &path, "").await.json()["language"], "de");
    let changed = host.manage("PATCH", &path, r#"{"language":"es"}"#).await.json();
    assert_eq!((&changed["language"], &changed["timeZone"]), (&json!("es"), &json!("Europe/Berlin")));
    let changed = host.manage("PATCH", &path, r#"{"language":null,"timeZone":null}"#).await.json();
    assert_eq!((changed.get("language"), changed.get("timeZone")), (None, None));
}

#[tokio::test]
async fn each_mistake_names_its_attribute_and_its_limit() {
    let host = Host::start();
    let id = host.subscribe("jo@example.com").await;
    let to = |id: &str, minutes: &str| {
        format!(r#"{{"escalation":{{"afterMinutes":{minutes},"subscriptionId":"{id}"}}}}"#)
    };
    let nobody = "01234567-89ab-7def-8123-456789abcdef";
    for (change, code, field) in [
        ("{}".to_owned(), "missing_field", "filterPolicy"),
        (r#"{"maxReceivesPerSecond":0}"#.to_owned(), "invalid_rate", "maxReceivesPerSecond"),
        (r#"{"maxReceivesPerSecond":10001}"#.to_owned(), "invalid_rate", "maxReceivesPerSecond"),
        (r#"{"maxReceivesPerSecond":-1.5}"#.to_owned(), "invalid_rate", "maxReceivesPerSecond"),
        (r#"{"maxReceivesPerSecond":"5"}"#.to_owned(), "wrong_type", "maxReceivesPerSecond"),
        (r#"{"escalation":[]}"#.to_owned(), "wrong_type", "escalation"),
        (to(nobody, "0"), "invalid_minutes", "escalation.afterMinutes"),
        (to(nobody, "10081"), "invalid_minutes", "escalation.afterMinutes"),
        (to("x", "1"), "invalid_id", "escalation.subscriptionId"),
        (r#"{"receives":"all"}"#.to_owned(), "immutable_field", "receives"),
    ] {
        let answer = host.manage("PATCH", &format!("/subscriptions/{id}"), &change).await;
        let problem = answer.assert_problem(StatusCode::BAD_REQUEST, code);
        assert_eq!(problem["field"], field, "{change}");
    }
    for elsewhere in [nobody, id.as_str()] {
        let answer = host.manage("PATCH", &format!("/subscriptions/{id}"), &to(elsewhere, "1")).await;
        let problem = answer.assert_problem(StatusCode::CONFLICT, "invalid_escalation");
        assert_eq!(problem["field"], "escalation.subscriptionId");
    }
    let body = r#"{"protocol":"email","endpoint":"x@example.com","receives":"everything"}"#;
    let refused = host.manage("POST", "/subscriptions", body).await;
    refused.assert_problem(StatusCode::BAD_REQUEST, "invalid_receives");
}
