//! Keeping and telling all that a client sent, however it was written.

use anyhow::{Context, Result};
use orderbell_e2e::client::{Answer, Client};
use orderbell_e2e::deployment::Deployment;
use orderbell_e2e::receiver::Receiver;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What clients write, and what becomes of it.
const SHAPES: &str = include_str!("shapes.json");
/// The lines that every notification begins with.
const HEADLINE: usize = 4;
/// The longest body of a request that places an order.
const MAX_BODY: usize = 64 * 1_024;

/// One way to write an order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    what: String,
    /// The members that are sent beside, or instead of, the two names.
    #[serde(default)]
    sent: Map<String, Value>,
    /// The whole body, where JSON has no value for it.
    #[serde(default)]
    raw: Option<String>,
    /// The field and the code of each warning.
    warnings: Vec<(String, String)>,
    /// The members that are stored, and told to programs, beside the two names.
    kept: Map<String, Value>,
    /// The lines that people are told after the first four.
    told: Vec<String>,
}

impl Shape {
    fn body(&self) -> String {
        self.raw.clone().unwrap_or_else(|| Value::Object(with_names(&self.sent)).to_string())
    }
}

/// The members with the two names, if they are not among them.
fn with_names(members: &Map<String, Value>) -> Map<String, Value> {
    let mut all = Map::from_iter([
        ("customerName".to_owned(), json!("Ada")),
        ("productName".to_owned(), json!("Mouse")),
    ]);
    all.extend(members.clone());
    all
}

async fn place(client: &Client, key: &str, body: String) -> Result<Answer> {
    let request = client.request(Method::POST, "/create-order").header("idempotency-key", key);
    client.send(request.body(body)).await
}

/// The members of an order that are a client's to fill.
const MEMBERS: [&str; 15] = [
    "customerName",
    "productName",
    "quantity",
    "items",
    "customerEmail",
    "customerPhone",
    "currency",
    "total",
    "note",
    "reference",
    "deliveryAddress",
    "deliverAt",
    "locale",
    "attributes",
    "extra",
];

fn own_members(order: &Value) -> Map<String, Value> {
    let member = |name: &str| Some((name.to_owned(), order.get(name)?.clone()));
    MEMBERS.into_iter().filter_map(member).collect()
}

fn named(warnings: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let warnings = warnings.as_array().cloned().unwrap_or_default();
    warnings.iter().map(|warning| (text(&warning["field"]), text(&warning["code"]))).collect()
}

pub(crate) async fn however_an_order_is_written_it_is_kept_named_told_and_repeated(
    host: &Deployment,
) -> Result<()> {
    let shapes: Vec<Shape> = serde_json::from_str(SHAPES)?;
    assert!(shapes.len() >= 40);
    let receiver = Receiver::start().await?;
    host.subscribe(&receiver, "/hook", None).await?;
    let (stranger, client) = (host.stranger()?, host.client()?);
    let mut placed = Vec::new();
    for (place_in_list, shape) in shapes.iter().enumerate() {
        let key = format!("the-key-of-shape-{place_in_list}");
        let answer = place(&stranger, &key, shape.body()).await?.expect(200)?;
        assert_eq!(named(&answer["warnings"]), shape.warnings, "{}", shape.what);
        let again = place(&stranger, &key, shape.body()).await?;
        assert_eq!(again.headers["idempotency-replayed"], "true", "{}", shape.what);
        assert_eq!(again.expect(200)?, answer, "{}", shape.what);
        let id = answer["orderId"].as_str().context("an id")?.to_owned();
        let stored = client.order(&id).await?;
        assert_eq!(own_members(&stored), with_names(&shape.kept), "{}", shape.what);
        assert_eq!(stored["warnings"], answer["warnings"], "{}", shape.what);
        placed.push((id, shape));
    }
    let told: Result<Vec<_>> = receiver
        .wait_for_notifications(placed.len())
        .await?
        .iter()
        .map(|received| host.notification(received))
        .collect();
    let told = told?;
    assert_eq!(told.len(), placed.len());
    for (id, shape) in placed {
        let notification =
            told.iter().find(|one| one["data"]["orderId"] == id).context("its notification")?;
        assert_eq!(own_members(&notification["data"]), with_names(&shape.kept), "{}", shape.what);
        let message = notification["message"].as_str().context("a message")?;
        let lines: Vec<_> = message.lines().skip(HEADLINE).skip_while(|line| line.is_empty()).collect();
        assert_eq!(lines, shape.told, "{}", shape.what);
    }
    Ok(())
}

pub(crate) async fn a_client_that_would_rather_be_refused_is_refused(host: &Deployment) -> Result<()> {
    let stranger = host.stranger()?;
    let order = json!({"customerName": "Ada", "productName": "Mouse", "quantity": "two"});
    let strictly = || stranger.request(Method::POST, "/create-order").header("prefer", "handling=strict");
    let refused = stranger.send(strictly().json(&order)).await?.expect(400)?;
    assert_eq!((&refused["code"], &refused["field"]), (&json!("out_of_range"), &json!("quantity")));
    let taken = stranger.send(strictly().json(&with_names(&Map::new()))).await?;
    assert_eq!(taken.headers["preference-applied"], "handling=strict");
    taken.expect(200)?;
    assert_eq!(host.client()?.list("/orders").await?.len(), 1);
    Ok(())
}

pub(crate) async fn of_another_order_under_a_key_the_members_that_differ_are_named(
    host: &Deployment,
) -> Result<()> {
    let stranger = host.stranger()?;
    let body = |total: &str, card: &str| {
        json!({"customerName": "Ada", "productName": "Mouse", "total": total, "gift": {"card": card}})
            .to_string()
    };
    let key = "a-key-of-the-client";
    place(&stranger, key, body("19.90", "Hello")).await?.expect(200)?;
    // What is the same order, however it is written.
    place(&stranger, key, body(" 19.90 ", "Hello").replace(':', " : ")).await?.expect(200)?;
    let refused = place(&stranger, key, body("29.90", "Bye")).await?.expect(422)?;
    let detail = refused["detail"].as_str().context("a detail")?;
    assert!(detail.ends_with("it differs in extra.gift, total"), "{detail}");
    Ok(())
}

pub(crate) async fn the_largest_order_is_kept_and_told_whole(host: &Deployment) -> Result<()> {
    let receiver = Receiver::start().await?;
    host.subscribe(&receiver, "/hook", None).await?;
    let stranger = host.stranger()?;
    let empty = Value::Object(with_names(&Map::from_iter([("wishes".to_owned(), json!(""))])));
    let wishes = "\"".repeat((MAX_BODY - empty.to_string().len()) / 2);
    let order = Value::Object(with_names(&Map::from_iter([("wishes".to_owned(), json!(wishes))])));
    assert!((MAX_BODY - 1..=MAX_BODY).contains(&order.to_string().len()));
    let answer = place(&stranger, "the-largest-order", order.to_string()).await?.expect(200)?;
    let kept = json!({"wishes": wishes});
    let stored = host.client()?.order(answer["orderId"].as_str().context("an id")?).await?;
    assert!(stored["extra"] == kept, "it is not stored as it came");
    let told = receiver.wait_for_notifications(1).await?.remove(0);
    assert!(host.notification(&told)?["data"]["extra"] == kept, "it is not told as it came");
    Ok(())
}
