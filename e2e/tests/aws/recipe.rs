//! The recipe's own steps: its test event, its topic, its subscriber, its table.

use anyhow::Result;
use orderbell_e2e::aws::cloud::Cloud;
use orderbell_e2e::aws::event_source_mapping::EventSourceMapping;
use orderbell_e2e::aws::table::Table;
use orderbell_e2e::deployment::in_envelope;
use orderbell_e2e::receiver::Receiver;
use serde_json::json;

use super::{once, told};

/// A row as the recipe's function puts it: a random UUID, a time without a zone, and no more than the two names.
const SEED_ROW: &str = "3f2b8c1e-9d4a-4e6f-8a7b-5c0d1e2f3a4b";
const SEED_ATTRIBUTES: [(&str, &str); 3] =
    [("customerName", "Jane Roe"), ("productName", "Keyboard"), ("orderTime", "2025-03-04T05:06:07.123456")];

/// Announces what the stream holds.
async fn announce(cloud: &Cloud) -> Result<EventSourceMapping> {
    let function = cloud.function("stream").await?;
    let mut mapping = cloud.mapping().await?;
    mapping.drain(&function).await?;
    Ok(mapping)
}

#[tokio::test]
async fn the_seeds_test_event_ends_as_a_message_with_an_http_subscriber() -> Result<()> {
    let cloud = Cloud::start().await?;
    let receiver = Receiver::start().await?;
    cloud.topic.subscribe(&receiver).await?;

    let order = cloud.place_the_seeds_order().await?;
    let item = cloud.table.item(&order).await?;
    assert_eq!(item["kind"]["S"], "order");
    assert_eq!(
        (&item["customerName"]["S"], &item["productName"]["S"]),
        (&"John Doe".into(), &"Wireless Mouse".into())
    );
    assert!(item["unpublished"]["S"].is_string(), "it waits to be announced: {item:#}");
    assert!(receiver.notifications().is_empty(), "the stream announces, not the request");

    announce(&cloud).await?;
    let envelope = receiver.wait_for_notifications(1).await?.remove(0).json();
    assert_eq!(envelope["Subject"], "New Order Notification");
    let notification = in_envelope(&envelope)?;
    let text =
        format!("📦 New Order Received!\nOrder ID: {order}\nCustomer: John Doe\nProduct: Wireless Mouse");
    assert_eq!(notification["message"], text);
    let item = cloud.table.item(&order).await?;
    assert_eq!(item["messageId"]["S"], envelope["MessageId"], "the mark names SNS's message");
    assert!(item["publishedAt"]["S"].is_string() && item["unpublished"].is_null(), "{item:#}");
    Ok(())
}

#[tokio::test]
async fn a_table_made_by_the_seeds_steps_takes_orders_and_keeps_its_rows_readable() -> Result<()> {
    let table = Table::create_as_the_seed_does().await?;
    table.put(SEED_ROW, &SEED_ATTRIBUTES).await?;
    table.turn_stream_on().await?;
    let cloud = Cloud::with_table(table).await?;
    let receiver = Receiver::start().await?;
    cloud.topic.subscribe(&receiver).await?;

    let order = cloud.place_the_seeds_order().await?;
    cloud.table.put("5e0c7a9d-1b2c-4d3e-9f8a-7b6c5d4e3f2a", &SEED_ATTRIBUTES).await?;
    let mapping = announce(&cloud).await?;
    assert_eq!(mapping.invocations.len(), 1, "the recipe's own row is not handed over");
    assert_eq!(told(&receiver)?, once([&order]));

    let client = cloud.client()?;
    let old = client.order(SEED_ROW).await?;
    assert_eq!((&old["customerName"], &old["productName"]), (&"Jane Roe".into(), &"Keyboard".into()));
    assert_eq!(old["orderTime"], "2025-03-04T05:06:07.123456Z", "a time without a zone is UTC");
    assert_eq!(client.order(&order).await?["productName"], "Wireless Mouse");
    let list = client.get("/orders").await?.expect(501)?;
    assert!(list["error"].as_str().unwrap_or_default().contains("index"), "it says what is missing: {list}");
    Ok(())
}

#[tokio::test]
async fn every_kind_of_event_places_an_order() -> Result<()> {
    let cloud = Cloud::start().await?;
    let event = |json: &str| serde_json::from_str::<serde_json::Value>(json);
    let events = [
        event(r#"{"body": {"customerName": "John Doe", "productName": "Wireless Mouse"}}"#)?,
        event(
            r#"{"version": "1.0", "path": "/create-order", "httpMethod": "POST", "headers": {"Content-Type": "application/json"},
                "requestContext": {"stage": "$default", "path": "/create-order", "httpMethod": "POST"},
                "body": "{\"customerName\": \"John Doe\", \"productName\": \"Wireless Mouse\"}", "isBase64Encoded": false}"#,
        )?,
        event(
            r#"{"resource": "/create-order", "path": "/create-order", "httpMethod": "POST", "headers": null,
                "multiValueHeaders": null, "requestContext": {"stage": "prod", "path": "/prod/create-order", "httpMethod": "POST"},
                "body": "eyJjdXN0b21lck5hbWUiOiAiSm9obiBEb2UiLCAicHJvZHVjdE5hbWUiOiAiV2lyZWxlc3MgTW91c2UifQ==",
                "isBase64Encoded": true}"#,
        )?,
        event(
            r#"{"version": "2.0", "rawPath": "/prod/create-order", "rawQueryString": "", "headers": {},
                "requestContext": {"stage": "prod", "http": {"method": "POST", "path": "/prod/create-order"}},
                "body": "eyJjdXN0b21lck5hbWUiOiAiSm9obiBEb2UiLCAicHJvZHVjdE5hbWUiOiAiV2lyZWxlc3MgTW91c2UifQ==",
                "isBase64Encoded": true}"#,
        )?,
        event(
            r#"{"requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:x"}}, "httpMethod": "POST",
                "path": "/create-order", "queryStringParameters": {}, "headers": {"content-type": "application/json"},
                "body": "{\"customerName\": \"John Doe\", \"productName\": \"Wireless Mouse\"}", "isBase64Encoded": false}"#,
        )?,
    ];
    for event in &events {
        let answer = cloud.http.invoke(event).await?.answer()?;
        assert_eq!(answer["statusCode"], 200, "{event}: {answer}");
    }
    assert_eq!(cloud.table.orders().await?.len(), events.len());
    Ok(())
}

/// What AWS hands over for the recipe's clients: behind a base path, at a function URL's root, through a lattice.
#[tokio::test]
async fn the_recipes_clients_place_their_orders_wherever_they_post() -> Result<()> {
    let cloud = Cloud::start().await?;
    let body = r#"{"customerName": "John Doe", "productName": "Wireless Mouse"}"#;
    let url = |path: &str| {
        json!({"version": "2.0", "routeKey": "$default", "rawPath": path, "headers": {}, "body": body,
            "requestContext": {"http": {"method": "POST", "path": path}, "stage": "$default"}})
    };
    let rest = json!({"resource": "/{proxy+}", "path": "/shop/create-order", "httpMethod": "POST", "headers": null,
        "pathParameters": {"proxy": "create-order"}, "requestContext": {"path": "/shop/create-order", "stage": "prod"},
        "body": body});
    let lattice = json!({"raw_path": "/create-order", "method": "POST", "headers": {}, "body": body});
    for event in [url("/create-order"), url("/"), rest, lattice] {
        let answer = cloud.http.invoke(&event).await?.answer()?;
        assert_eq!(answer["statusCode"], 200, "{event}: {answer}");
    }
    let socket = json!({"requestContext": {"connectionId": "a", "eventType": "MESSAGE"}, "body": body});
    let records = json!({"Records": [{"eventSource": "aws:sqs", "body": body}]});
    for event in [socket, records, url("/nowhere")] {
        let answer = cloud.http.invoke(&event).await?.answer()?;
        assert!([400, 404].iter().any(|status| answer["statusCode"] == *status), "{event}: {answer}");
    }
    assert_eq!(cloud.client()?.list("/orders").await?.len(), 4);
    Ok(())
}
